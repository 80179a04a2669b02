# SPDX-License-Identifier: Apache-2.0
"""Where a handover or a transfer of configuration goes: Target ID (TS 36.413, 9.2.1.6 and 9.2.3.26)."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Annotated, NamedTuple

from dialtone.codec.s1ap.decoder import Decoder
from dialtone.codec.s1ap.errors import FAILURES, TransferSyntaxError
from dialtone.codec.s1ap.notation import Choice, Integer, OctetString, Sequence
from dialtone.codec.s1ap.values import TAC, GlobalENBID, LaiIe, PLMNidentity, TaiIe, Uninterpreted

OneOctet = Annotated[int, OctetString(1, number=True)]


@dataclass(slots=True)
class TargetENBID(Sequence):
    """TargeteNB-ID: an eNB, and the tracking area in which the UE will be there."""

    global_enb_id: GlobalENBID
    selected_tai: TaiIe


@dataclass(slots=True, kw_only=True)
class TargetRNCID(Sequence):
    """TargetRNC-ID."""

    lai: LaiIe
    rac: OneOctet | None = None
    rnc_id: Annotated[int, Integer(0, 4095)]
    extended_rnc_id: Annotated[int, Integer(4096, 65535)] | None = None


@dataclass(slots=True)
class CGI(Sequence):
    """CGI: a cell of GERAN."""

    plmn: PLMNidentity
    lac: TAC
    ci: TAC
    rac: OneOctet | None = None


class TargetID(NamedTuple):
    """Target ID (9.2.1.6): `kind` is the alternative's name, `target` a TargetENBID where it is `targeteNB-ID`."""

    kind: str
    target: object


TargetIDIe = Annotated[
    TargetID,
    Choice(
        TargetID,
        {"targeteNB-ID": TargetENBID, "targetRNC-ID": TargetRNCID, "cGI": CGI},
        {"targetgNgRanNode-ID": Uninterpreted},
    ),
]


@cache
def _compiled() -> Callable[[bytes, int, int], TargetENBID]:
    g = Decoder()
    g.bits(2)  # extension marker and presence of iE-Extensions of the SEQUENCE that begins with the target
    g.emit(f"return {g.value(TargetENBID)}")
    return g.function("def decode_target(d, p, e):")


def son_target(transfer: bytes) -> TargetENBID:
    """The eNB that a SON Configuration Transfer (9.2.3.26) is for: its first component.

    The rest is between the two eNBs. Raises TransferSyntaxError.
    """
    try:
        return _compiled()(transfer, 0, len(transfer))
    except FAILURES as error:
        raise TransferSyntaxError(f"SON Configuration Transfer without a target: {error}",
                                  clause="TS 36.413, 9.2.3.26") from None
