# SPDX-License-Identifier: Apache-2.0
"""Identification in the phone: Identity request -> Identity response (TS 24.301, 5.4.4).

Without protection only the IMSI is given away; the link below has checked that (4.4.4.2).
"""

from dialtone.codec import nas
from dialtone.codec.nas.identities import Imei, Imeisv, Imsi, NoIdentity
from dialtone.codec.nas.values import IdentityType
from dialtone.dispatch import Rx
from dialtone.effects import Effects
from dialtone.sim.phone import Phone, on


@on("NAS", nas.IdentityRequest)
def on_identity_request(phone: Phone, msg: nas.IdentityRequest, rx: Rx) -> Effects:
    """Say who we are (5.4.4.3)."""
    yield phone.send(nas.IdentityResponse(mobile_identity=_identity(phone, msg.identity_type)))


def _identity(phone: Phone, kind: int) -> Imsi | Imei | Imeisv | NoIdentity:
    imeisv = phone.handset.imeisv
    match kind:
        case IdentityType.IMSI:
            return Imsi(phone.faults.imsi(phone.usim))
        case IdentityType.IMEI:
            return Imei(imeisv[:14] + check_digit(imeisv[:14]))
        case IdentityType.IMEISV:
            return Imeisv(imeisv)
        case _:
            return NoIdentity()


def check_digit(digits: str) -> str:
    """The Luhn digit of an IMEI's first 14 digits (TS 23.003, 6.2.1 and Annex B)."""
    total = sum(sum(divmod(int(digit) * (1 + index % 2), 10)) for index, digit in enumerate(digits))
    return str(-total % 10)
