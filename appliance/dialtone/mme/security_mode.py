# SPDX-License-Identifier: Apache-2.0
"""Security mode (TS 24.301, 5.4.3): choose algorithms, prove them to each other, take the keys into use."""

from dialtone.codec import nas
from dialtone.codec.nas import SecurityModeCommand, SecurityModeComplete, SecurityModeReject
from dialtone.codec.nas.capabilities import security_capability_of
from dialtone.codec.nas.identities import Imeisv
from dialtone.codec.nas.ies import NasSecurityAlgorithms
from dialtone.crypto.kdf import hash_mme
from dialtone.crypto.nas_security import NasSecurity
from dialtone.dispatch import Rx
from dialtone.effects import Effects, Verdict
from dialtone.errors import ProtocolError
from dialtone.mme import reject, retransmission
from dialtone.mme.context import Next, SecurityContext, Ue
from dialtone.mme.context_release import drop
from dialtone.mme.element import NOT_EXPECTED, Mme, on

IMEISV_REQUESTED = 1
INVALID_MANDATORY = 96
WHY = {
    23: "the capabilities that we replayed are not those it sent, so something between changed them",
    24: "the message or its MAC was wrong to it",
}
"""EMM cause (TS 24.301, 5.4.3.5) in words."""


def start(mme: Mme, ue: Ue, rx: Rx, then: Next) -> Effects:
    """Send the command under the new keys, replaying the phone's capability octets exactly."""
    ue.then = then
    context = ue.next_security
    assert context is not None
    network = mme.config.network
    eia = 0 if context.null else next((n for n in network.eia if _offers(ue.capability, 1, n)), None)
    eea = 0 if context.null else next((n for n in network.eea if n == 0 or _offers(ue.capability, 0, n)), None)
    if eia is None or eea is None:
        yield from reject.request(mme, ue, rx, 23, "the phone has none of the algorithms that we have")
        return
    context.keys = NasSecurity(context.kasme, eia=eia, eea=eea)
    context.ul_count, context.dl_count = -1, 0
    yield from retransmission.send(ue, "T3460", SecurityModeCommand(
        selected_nas_security_algorithms=NasSecurityAlgorithms.of(eea, eia),
        nas_key_set_identifier=context.ksi,
        replayed_ue_security_capabilities=security_capability_of(ue.capability, ue.ms_capability),
        imeisv_request=IMEISV_REQUESTED,
        replayed_ue_additional_security_capability=ue.nr_capability,
        # An attacker may have changed an unprotected request on the air: the phone compares (5.4.3.2).
        hash_mme=None if ue.request_verified else hash_mme(ue.request_octets),
    ))


def fits(capability: bytes, context: SecurityContext) -> bool:
    """Whether a phone with this capability still has the algorithms of its keys."""
    keys = context.keys
    return keys is not None and _offers(capability, 1, keys.eia) and (keys.eea == 0 or _offers(capability, 0, keys.eea))


def _offers(capability: bytes, octet: int, algorithm: int) -> bool:
    return bool(capability[octet] & 0x80 >> algorithm)


@on("NAS", SecurityModeComplete)
def on_security_mode_complete(mme: Mme, msg: SecurityModeComplete, rx: Rx) -> Effects:
    """The keys are in use from here on. A replayed NAS container is the request the phone meant (5.4.3.4)."""
    ue: Ue = rx.peer
    context = ue.next_security
    if context is None or "T3460" not in ue.retries:
        raise ProtocolError("no security mode command is outstanding", cause=NOT_EXPECTED, clause="TS 24.301, 7.4")
    yield from retransmission.stop(ue, "T3460")
    ue.security, ue.next_security, ue.secured = context, None, True
    ue.kenb_count, ue.rekeyed = context.ul_count, ue.context_sent
    if isinstance(msg.imeisv, Imeisv):
        ue.imeisv = str(msg.imeisv)
    if msg.replayed_nas_message_container is not None:
        try:
            _take_replayed(ue, msg.replayed_nas_message_container)
        except ProtocolError as error:
            cause = error.cause or INVALID_MANDATORY
            yield from reject.request(mme, ue, rx, cause, f"the replayed request breaks the protocol: {error}")
            return
    assert ue.then is not None
    yield from ue.then(mme, ue, rx)


def _take_replayed(ue: Ue, octets: bytes) -> None:
    replayed = nas.decode(octets)
    assert ue.request is not None
    if isinstance(replayed, nas.AttachRequest) and isinstance(ue.request, nas.AttachRequest):
        ue.take_request(replayed, octets)
    elif isinstance(replayed, nas.TrackingAreaUpdateRequest) and isinstance(ue.request, nas.TrackingAreaUpdateRequest):
        ue.take_update(replayed, octets)
    else:
        raise ProtocolError(f"{replayed.NAME} is replayed where an {ue.request.NAME} was sent", cause=INVALID_MANDATORY)


@on("NAS", SecurityModeReject)
def on_security_mode_reject(mme: Mme, msg: SecurityModeReject, rx: Rx) -> Effects:
    """The phone does not take the command (TS 24.301, 5.4.3.5): what it heard back is not what it had sent."""
    ue: Ue = rx.peer
    if ue.next_security is None or "T3460" not in ue.retries:
        raise ProtocolError("no security mode command is outstanding", cause=NOT_EXPECTED, clause="TS 24.301, 7.4")
    why = WHY.get(msg.emm_cause, "it gives no more reason")
    yield Verdict("security mode", False, f"the phone refused the security mode command, cause #{msg.emm_cause}: {why}")
    yield from drop(mme, ue, rx)
