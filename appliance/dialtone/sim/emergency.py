# SPDX-License-Identifier: Apache-2.0
"""A call for help, on the LTE side (TS 23.167, 7; TS 24.301, 6.5.1.2): the emergency connection first, by an emergency
attach where the phone is not attached; then its own IMS client calls (sim/ims/emergency.py).

Where the network has no emergency bearer services (EMC BS), the call goes as any other does, and the network may send
it elsewhere.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from dialtone.codec import nas
from dialtone.codec.nas.values import RequestType
from dialtone.dispatch import Rx
from dialtone.effects import Effect, Effects, Event, Tell
from dialtone.sim import attach, esm, transaction
from dialtone.sim.phone import Phone, on
from dialtone.sim.states import EmmState

PDN = "emergency connection"
_NOT_ATTACHED = (EmmState.DEREGISTERED, EmmState.DEREGISTERED_INITIATED)


@dataclass(slots=True)
class CallForHelp(Event):
    """Somebody dials `to`, which is an emergency number or service."""

    to: str


@dataclass(slots=True)
class Help(Event):
    """For an IMS client: call `to` for help, as soon as there is a way; nobody any more where that is empty."""

    to: str


@on.event(CallForHelp)
def on_call_for_help(phone: Phone, event: CallForHelp, rx: Rx) -> Effects:
    """The best way that there is."""
    phone.mark(rx)
    ordinary, urgent = phone.ims_clients
    if phone.emm in _NOT_ATTACHED:
        phone.for_help = event.to
        yield Tell(urgent, Help(event.to))
        yield from attach.begin(phone)
    elif any(pdn.emergency for pdn in phone.pdns.values()):
        yield Tell(urgent, Help(event.to))
    elif phone.emc_bs and phone.connected:
        phone.for_help = event.to
        yield Tell(urgent, Help(event.to))
        yield from transaction.begin(phone, PDN, "T3482", PDN, lambda pti: nas.PDNConnectivityRequest(
            procedure_transaction_identity=pti,
            request_type=RequestType.EMERGENCY,
            pdn_type=phone.handset.pdn_type,
            protocol_configuration_options=esm.asked_options(phone),
        ))
    else:
        yield Tell(ordinary, Help(event.to))


def refused(phone: Phone) -> Iterator[Effect]:
    """No connection for emergencies: by the ordinary one."""
    to, phone.for_help = phone.for_help, ""
    if to:
        ordinary, urgent = phone.ims_clients
        yield Tell(urgent, Help(""))
        yield Tell(ordinary, Help(to))
