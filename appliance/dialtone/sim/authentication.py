# SPDX-License-Identifier: Apache-2.0
"""EPS authentication in the phone (TS 24.301, 5.4.2; TS 33.401, 6.1).

Authentication request -> Authentication response, or Authentication failure: #20 MAC failure, #26
non-EPS authentication unacceptable, #21 synch failure with AUTS. T3416, T3418, T3420.
"""

from dialtone.codec import nas
from dialtone.codec.nas.causes import EmmCause
from dialtone.crypto.kdf import derive_kasme
from dialtone.dispatch import Rx
from dialtone.effects import Effects
from dialtone.sim import attach, causes, detach
from dialtone.sim.nas_link import SecurityContext
from dialtone.sim.phone import Phone, on
from dialtone.sim.states import EmmState
from dialtone.sim.timers import AUTHENTICATION_FAILURES
from dialtone.sim.usim import Authenticated, MacFailure, SyncFailure

AMF_SEPARATION_BIT = 0x80


@on("NAS", nas.AuthenticationRequest)
def on_authentication_request(phone: Phone, msg: nas.AuthenticationRequest, rx: Rx) -> Effects:
    """A challenge: the same again is answered as before, a new one goes to the card (5.4.2.3, 5.4.2.6)."""
    if phone.challenge is not None and phone.challenge[0] == msg.rand:
        yield phone.send(nas.AuthenticationResponse(res=phone.challenge[1]))
        return
    if not msg.autn[6] & AMF_SEPARATION_BIT:
        yield from _failure(phone, EmmCause.NON_EPS_AUTHENTICATION_UNACCEPTABLE, None)
        return
    functions = phone.faults.functions(phone.usim)
    match phone.usim.authenticate(msg.rand, msg.autn, functions=functions):
        case MacFailure():
            yield from _failure(phone, EmmCause.MAC_FAILURE, None)
        case SyncFailure(auts, _):
            phone.faults.resynchronised(phone.usim)
            if phone.faults.wrong_auts:
                auts = auts[:-1] + bytes((auts[-1] ^ 1,))
            yield from _failure(phone, EmmCause.SYNCH_FAILURE, auts)
        case Authenticated() as answer:
            yield from _success(phone, msg, answer)


def _success(phone: Phone, msg: nas.AuthenticationRequest, answer: Authenticated) -> Effects:
    plmn = phone.cell.tai.plmn.to_bytes()
    kasme = derive_kasme(answer.ck, answer.ik, plmn, answer.sqn_xor_ak)
    phone.nas.partial = SecurityContext(msg.nas_key_set_identifier, kasme)
    res = bytes(octet ^ 0xFF for octet in answer.res) if phone.faults.wrong_res else answer.res
    phone.challenge = (msg.rand, res)
    if phone.authentication_failures:
        phone.authentication_failures = 0
        yield from phone.stop("T3418", "T3420")
        yield from resume(phone)
    yield phone.start("T3416")
    yield phone.send(nas.AuthenticationResponse(res=res))


def _failure(phone: Phone, cause: EmmCause, auts: bytes | None) -> Effects:
    phone.authentication_failures += 1
    phone.counters[f"authentication failure {cause:d}"] += 1
    phone.challenge = None
    yield phone.send(nas.AuthenticationFailure(emm_cause=cause, authentication_failure_parameter=auts))
    yield from phone.stop("T3410", "T3421", "T3418", "T3420", "T3416")
    if phone.authentication_failures >= AUTHENTICATION_FAILURES:
        yield from _not_genuine(phone, f"{AUTHENTICATION_FAILURES} challenges in a row were wrong")
    else:
        yield phone.start("T3420" if cause == EmmCause.SYNCH_FAILURE else "T3418")


def resume(phone: Phone) -> Effects:
    """The timers that were stopped at the first failure run again (5.4.2.6)."""
    if phone.emm == EmmState.REGISTERED_INITIATED:
        yield phone.start("T3410")
    elif phone.emm == EmmState.DEREGISTERED_INITIATED:
        yield phone.start("T3421")


def _not_genuine(phone: Phone, why: str) -> Effects:
    """The phone takes the network for a false one and leaves it (5.4.2.7)."""
    phone.authentication_failures = 0
    phone.nas.partial = None
    yield from phone.drop_connection()
    if phone.emm == EmmState.REGISTERED_INITIATED:
        yield from attach.abandon(phone, "network not genuine", f"the network is not genuine: {why}")
    elif phone.emm == EmmState.DEREGISTERED_INITIATED:
        yield from detach.finish(phone, "network not genuine", f"detached without a word: {why}")


@on.timer("T3418", "TS 24.301, 5.4.2.7")
def on_t3418(phone: Phone, key: str, rx: Rx) -> Effects:
    """No better challenge came after #20 or #26."""
    phone.mark(rx)
    yield from _not_genuine(phone, "no right challenge came after a wrong one (T3418)")


@on.timer("T3420", "TS 24.301, 5.4.2.7")
def on_t3420(phone: Phone, key: str, rx: Rx) -> Effects:
    """No better challenge came after #21."""
    phone.mark(rx)
    yield from _not_genuine(phone, "no challenge came after the resynchronisation (T3420)")


@on.timer("T3416", "TS 24.301, 5.4.2.3")
def on_t3416(phone: Phone, key: str, rx: Rx) -> Effects:
    """RAND and RES are not kept any longer."""
    phone.mark(rx)
    phone.challenge = None
    return ()


@on("NAS", nas.AuthenticationReject)
def on_authentication_reject(phone: Phone, msg: nas.AuthenticationReject, rx: Rx) -> Effects:
    """The network refused our answer: the card is invalid until power-off (5.4.2.5)."""
    phone.usim_invalid = EmmCause.ILLEGAL_UE
    phone.forget()
    yield from phone.stop("T3410", "T3416", "T3418", "T3420", "T3421")
    yield from phone.drop_bearers()
    yield from phone.move("Authentication reject")
    yield phone.outcome("attach", False, f"rejected: Authentication reject; {causes.stick(3).text}")
