# SPDX-License-Identifier: Apache-2.0
"""Identification in the phone: Identity request -> Identity response (TS 24.301, 5.4.4).

Without protection only the IMSI is given away; the link below has checked that (4.4.4.2).
"""

from dialtone.codec import nas
from dialtone.codec.nas.identities import NO_IDENTITY, Imei, Imeisv, Imsi, NoIdentity
from dialtone.codec.nas.values import IdentityType
from dialtone.dispatch import Rx
from dialtone.effects import Effects
from dialtone.sim.phone import Phone, on


@on("NAS", nas.IdentityRequest)
def on_identity_request(phone: Phone, msg: nas.IdentityRequest, rx: Rx) -> Effects:
    """Say who we are (5.4.4.3)."""
    yield phone.send(nas.IdentityResponse(mobile_identity=_identity(phone, msg.identity_type)))


def _identity(phone: Phone, kind: int) -> Imsi | Imei | Imeisv | NoIdentity:
    match kind:
        case IdentityType.IMSI if phone.handset.sim:
            return Imsi(phone.faults.imsi(phone.usim))
        case IdentityType.IMEI:
            return Imei(phone.imei)
        case IdentityType.IMEISV:
            return Imeisv(phone.handset.imeisv)
        case _:
            return NO_IDENTITY
