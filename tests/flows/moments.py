# SPDX-License-Identifier: Apache-2.0
"""Every message of the index that could reach the MME from an eNB or a phone, and moments at which it could."""

import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from network import Network, imsi_of

from dialtone.codec.nas.tables import NasMessage
from dialtone.codec.s1ap.notation import (
    BitString,
    BitStringOctets,
    Choice,
    Enumerated,
    Group,
    IeList,
    Integer,
    Mapped,
    OctetString,
    OpenType,
    PrintableString,
    SequenceOf,
    components,
    resolve,
)
from dialtone.codec.s1ap.table import MESSAGES, S1apMessage
from dialtone.effects import PeerUp
from dialtone.ids import Plmn
from dialtone.mme.detach import DetachUe
from dialtone.sim.attach import AttachCommand
from dialtone.sim.faults import Faults
from dialtone.sim.phone import Phone

sys.path.append(str(Path(__file__).parents[1] / "unit"))
from nas_samples import CLASSES, minimal


@cache
def nas_messages() -> tuple[NasMessage, ...]:
    """Every class that a phone may send."""
    return tuple(minimal(cls) for cls, downlink in CLASSES if not downlink)


@cache
def s1ap_messages() -> tuple[S1apMessage, ...]:
    """One of every kind, with the least that the tables allow."""
    return tuple(cls(**{row.field: simplest(row.type) for row in cls.rows() if row.mandatory})
                 for cls in MESSAGES.values())


def simplest(kind: Any) -> Any:
    """A value of a type of the tables."""
    match kind:
        case Mapped():
            return Plmn("001", "01")
        case Integer():
            return kind.low
        case Enumerated():
            return next(iter(kind.values))
        case BitString():
            return bytes(kind.size // 8) if kind.octets else 0
        case BitStringOctets():
            return bytes((127, 0, 0, 9))
        case OctetString():
            return 0 if kind.number else bytes(kind.low)
        case PrintableString():
            return "x"
        case SequenceOf() | IeList():
            return (simplest(kind.item),)
        case Choice():
            name, first = next(iter(kind.root.items()))
            return simplest(resolve(first)) if kind.cls is None else kind.cls(name, simplest(resolve(first)))
        case Group():
            return kind.cls(*(simplest(resolve(one)) for one in kind.components.values()))
        case OpenType():
            return b"\0"
    return kind(**{part.name: simplest(part.type) for part in components(kind) if not part.optional})


def addressed(message: S1apMessage, mme_ue_s1ap_id: int, enb_ue_s1ap_id: int) -> S1apMessage:
    """The message about this connection, where it is about one."""
    for name, number in (("mme_ue_s1ap_id", mme_ue_s1ap_id), ("enb_ue_s1ap_id", enb_ue_s1ap_id)):
        if hasattr(message, name):
            setattr(message, name, number)
    return message


# ---- moments ---------------------------------------------------------------------------------------------

Moment = Callable[[Network, Phone], None]
MOMENTS: dict[str, tuple[str, Moment]] = {}


def moment(state: str) -> Callable[[Moment], Moment]:
    """Register how the phone's context in the MME comes to this moment, which is one of this EMM state."""
    def register(bring: Moment) -> Moment:
        MOMENTS[bring.__name__] = (state, bring)
        return bring
    return register


def afresh(net: Network, phone: Phone) -> None:
    """Neither phone nor network remember anything, and the cell is up."""
    net.lose_s1()
    for ue in list(net.core.mme.ues.values()):
        net.command("mme", DetachUe(ue.imsi), 0.1)
    net.fault(None)
    net.power_cycle()
    phone.forget()
    net.command(phone.cell.enb, PeerUp("S1-MME", "mme"), 0.1)


def _until(net: Network, phone: Phone, **faults: Any) -> None:
    phone.faults = Faults(**faults)
    net.command(phone.name, AttachCommand(), 0.1)


@moment("EMM-COMMON-PROCEDURE-INITIATED")
def identity_asked(net: Network, phone: Phone) -> None:
    _until(net, phone, unknown_guti=True, silent_after="Attach request")


@moment("EMM-COMMON-PROCEDURE-INITIATED")
def challenged(net: Network, phone: Phone) -> None:
    _until(net, phone, silent_after="Attach request")


@moment("EMM-COMMON-PROCEDURE-INITIATED")
def security_mode_commanded(net: Network, phone: Phone) -> None:
    _until(net, phone, silent_after="Authentication response")


@moment("EMM-COMMON-PROCEDURE-INITIATED")
def accepted(net: Network, phone: Phone) -> None:
    _until(net, phone, silent_after="Security mode complete")


@moment("EMM-REGISTERED")
def registered(net: Network, phone: Phone) -> None:
    _until(net, phone)


@moment("EMM-DEREGISTERED-INITIATED")
def detaching(net: Network, phone: Phone) -> None:
    _until(net, phone)
    phone.deaf = True
    net.command("mme", DetachUe(imsi_of(1)), 0.1)
