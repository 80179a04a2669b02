# SPDX-License-Identifier: Apache-2.0
"""Identification (TS 24.301, 5.4.4): ask the IMSI of a phone whose GUTI is not known."""

from dialtone.codec.nas import IdentityRequest, IdentityResponse
from dialtone.codec.nas.identities import Imsi, NoIdentity
from dialtone.codec.nas.values import IdentityType
from dialtone.dispatch import Rx
from dialtone.effects import Effects, Verdict
from dialtone.errors import ProtocolError
from dialtone.mme import retransmission
from dialtone.mme.context import Next, Ue
from dialtone.mme.context_release import drop
from dialtone.mme.element import NOT_EXPECTED, Mme, on


def start(mme: Mme, ue: Ue, rx: Rx, then: Next) -> Effects:
    """Ask for the IMSI, then go on with `then`."""
    ue.then = then
    ue.asked_imsi = True
    yield from retransmission.send(ue, "T3470", IdentityRequest(identity_type=IdentityType.IMSI))


@on("NAS", IdentityResponse)
def on_identity_response(mme: Mme, msg: IdentityResponse, rx: Rx) -> Effects:
    """Only the IMSI that was asked for is an answer (TS 24.301, 5.4.4.4)."""
    ue: Ue = rx.peer
    if "T3470" not in ue.retries or ue.then is None:
        raise ProtocolError("no identity was asked for", cause=NOT_EXPECTED, clause="TS 24.301, 7.4")
    if isinstance(msg.mobile_identity, NoIdentity) and ue.otherwise is not None:
        yield from retransmission.stop(ue, "T3470")
        yield from ue.otherwise(mme, ue, rx)
        return
    if not isinstance(msg.mobile_identity, Imsi):
        raise ProtocolError("the identity is not the IMSI that was asked for", cause=95, clause="TS 24.301, 5.4.4.4")
    yield from retransmission.stop(ue, "T3470")
    mme.identify(ue, str(msg.mobile_identity), rx)
    yield from ue.then(mme, ue, rx)


@on.timer("T3470", "TS 24.301, 5.4.4.6")
def on_t3470(mme: Mme, number: int, rx: Rx) -> Effects:
    """Repeat four times, then give up and release."""
    ue, effects = retransmission.again(mme, number, "T3470", rx)
    yield from effects
    if ue and not effects:
        yield Verdict("identification", False, "the phone did not answer the Identity Request (T3470 expired 5 times)")
        yield from drop(mme, ue, rx)
