# SPDX-License-Identifier: Apache-2.0
"""Security mode control in the phone (TS 24.301, 5.4.3; TS 33.401, 7.2.4.4).

Security mode command -> Security mode complete, or Security mode reject with #23 or #24.
"""

import hmac

from dialtone.codec import nas
from dialtone.codec.nas.causes import EmmCause
from dialtone.codec.nas.identities import Imeisv
from dialtone.crypto.kdf import hash_mme
from dialtone.dispatch import Rx
from dialtone.effects import Effects
from dialtone.sim.authentication import resume
from dialtone.sim.phone import Phone, on

IMEISV_REQUESTED = 1


@on("NAS", nas.SecurityModeCommand)
def on_security_mode_command(phone: Phone, msg: nas.SecurityModeCommand, rx: Rx) -> Effects:
    """Check MAC, replayed capabilities and algorithms; then take the context into use (5.4.3.3, 5.4.3.5)."""
    candidate = phone.nas.candidate
    assert candidate is not None  # the link below made it
    phone.nas.candidate = None
    cause, why = _objection(phone, msg, candidate.genuine)
    if cause is not None:
        phone.counters[f"security mode reject {cause:d}"] += 1
        phone.last = f"Security mode command refused: {why}"
        yield phone.send(nas.SecurityModeReject(emm_cause=cause))
        return
    phone.nas.take(candidate)
    yield from phone.stop("T3416", "T3418", "T3420")
    if phone.authentication_failures:  # the network goes on without proof, or has done better
        phone.authentication_failures = 0
        yield from resume(phone)
    phone.challenge = None
    complete = nas.SecurityModeComplete()
    if msg.imeisv_request == IMEISV_REQUESTED:
        complete.imeisv = Imeisv(phone.handset.imeisv)
    if msg.hash_mme is not None and not _same_hash(phone, msg.hash_mme):
        phone.counters["HASH_MME different"] += 1
        complete.replayed_nas_message_container = phone.nas.initial
    yield phone.send(complete)


def _same_hash(phone: Phone, theirs: bytes) -> bool:
    """HASH_MME is that of the Attach request which the phone believes it sent (TS 33.401, I.2)."""
    ours = phone.nas.initial + bytes(phone.faults.altered_request)
    return hmac.compare_digest(hash_mme(ours), theirs)


def _objection(phone: Phone, msg: nas.SecurityModeCommand, genuine: bool) -> tuple[EmmCause | None, str]:
    """Why the command is not acceptable, and the cause to answer (5.4.3.5)."""
    capability = phone.handset.network_capability
    algorithms = msg.selected_nas_security_algorithms
    mismatch, unspecified = (EmmCause.UE_SECURITY_CAPABILITIES_MISMATCH,
                             EmmCause.SECURITY_MODE_REJECTED_UNSPECIFIED)
    null = algorithms.integrity == algorithms.ciphering == 0 and phone.in_need
    if algorithms.integrity == 0 and not null:
        return unspecified, "null integrity is for emergency calls only"
    if not null and not (offers(capability, 0, algorithms.ciphering) and offers(capability, 1, algorithms.integrity)):
        return mismatch, f"the phone never offered {algorithms!r}"
    if not genuine:
        return unspecified, "its MAC is wrong"
    expected = replayed_capability(capability, phone.handset.ms_network_capability)
    if phone.faults.bidding_down:
        expected = bytes((expected[0] | 0x10,)) + expected[1:]
    if bytes(msg.replayed_ue_security_capabilities) != expected:
        theirs = msg.replayed_ue_security_capabilities.hex()
        return mismatch, f"capabilities {theirs} were replayed, {expected.hex()} were sent"
    additional = phone.handset.additional_security_capability
    if msg.replayed_ue_additional_security_capability != additional:
        return mismatch, "the additional security capability was not replayed as it was sent"
    return None, ""


def offers(capability: bytes, octet: int, algorithm: int) -> bool:
    """Whether a UE network capability has the bit of an algorithm: octet 0 for EEA, 1 for EIA (9.9.3.34)."""
    return bool(capability[octet] >> (7 - algorithm) & 1)


def replayed_capability(network_capability: bytes, ms_network_capability: bytes | None) -> bytes:
    """The UE security capability that the network must replay (9.9.3.36).

    EEA and EIA always; UEA and UIA (without the UCS2 bit of the UE network capability) where the phone
    sent any of them or any GEA; GEA1 to GEA7 where it sent an MS network capability with one.
    """
    padded = network_capability + bytes(4)
    utran = bytes((padded[2], padded[3] & 0x7F))
    ms = (ms_network_capability or b"") + bytes(2)
    gea = (ms[0] >> 7) << 6 | (ms[1] >> 1) & 0x3F
    replayed = padded[:2]
    if any(utran) or gea:
        replayed += utran
    return replayed + bytes((gea,)) if gea else replayed
