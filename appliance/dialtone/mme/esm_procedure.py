# SPDX-License-Identifier: Apache-2.0
"""The network's procedures on one bearer: activation, modification, deactivation (TS 24.301, 6.4.1 to 6.4.4).

Each has two halves whose answers come in any order: the eNB's (E-RAB Setup, Modify, Release) and the phone's
(NAS). Whoever began one is told once, when both have come to an end; T3485, T3486 and T3495 and a guard for
the eNB see to it that they do.
"""

from collections.abc import Iterable

from dialtone.codec.gtpc import CauseValue
from dialtone.codec.message import Message
from dialtone.codec.nas.causes import EsmCause, cause_name
from dialtone.codec.nas.tables import EsmMessage
from dialtone.codec.s1ap.causes import Cause
from dialtone.dispatch import Rx
from dialtone.effects import Effects, StartTimer, StopTimer
from dialtone.errors import ProtocolError
from dialtone.mme import causes, retransmission
from dialtone.mme.context import Bearer, Ended, Failure, Step, Ue
from dialtone.mme.element import Mme, on
from dialtone.mme.states import ESM
from dialtone.mme.timers import E_RAB, TIMERS

TIMER = {"activation": "T3485", "modification": "T3486", "deactivation": "T3495"}
Key = tuple[int, int]  # MME-UE-S1AP-ID, EBI


def begin(ue: Ue, bearer: Bearer, event: str, message: EsmMessage, ended: Ended,
          via: Message | None = None) -> Effects:
    """Send `message` about `bearer`; `via` is the E-RAB request that carries it, None where the eNB has no part."""
    yield ue.move_bearer(bearer, event)
    timer = TIMER[event]
    bearer.step = Step(timer, ended, radio=via is not None)
    if via is not None:
        yield StartTimer(E_RAB, (ue.s11_teid, bearer.ebi), TIMERS[E_RAB].seconds)
    yield from retransmission.send(ue, timer, message, via=via, about=bearer.ebi)


def expected(ue: Ue, msg: EsmMessage, timer: str) -> Bearer:
    """The bearer that an answer of the phone is about; raises ProtocolError, ESM cause #43 (TS 24.301, 7.3.2)."""
    bearer = ue.bearer(msg.eps_bearer_identity)
    if bearer is None or bearer.step is None or bearer.step.timer != timer or not bearer.step.nas:
        raise ProtocolError(f"{msg.NAME}: nothing of the kind is under way on EPS bearer {msg.eps_bearer_identity}",
                            cause=EsmCause.INVALID_EPS_BEARER_IDENTITY, clause="TS 24.301, 7.3.2")
    return bearer


def accepted(mme: Mme, ue: Ue, rx: Rx, bearer: Bearer) -> Effects:
    """The phone has done what it was asked."""
    yield ue.move_bearer(bearer, "accepted")
    yield from _phone_done(mme, ue, rx, bearer, None)


def rejected(mme: Mme, ue: Ue, rx: Rx, bearer: Bearer, cause: int) -> Effects:
    """The phone will not; a modification leaves the bearer as it was."""
    yield ue.move_bearer(bearer, "rejected")
    failure = Failure(causes.gtp_by_esm(cause), f"the phone refused: ESM cause {cause_name(EsmCause, cause)}")
    yield from _phone_done(mme, ue, rx, bearer, failure)


def _phone_done(mme: Mme, ue: Ue, rx: Rx, bearer: Bearer, failure: Failure | None) -> Effects:
    step = bearer.step
    assert step is not None
    yield from retransmission.stop(ue, step.timer, bearer.ebi)
    step.nas, step.failure = False, step.failure or failure
    if not step.radio:
        yield from _end(mme, ue, rx, bearer)


def radio_done(mme: Mme, ue: Ue, rx: Rx, bearer: Bearer) -> Effects:
    """The eNB has done what it was asked."""
    step = bearer.step
    if step is None or not step.radio:
        return
    yield StopTimer(E_RAB, (ue.s11_teid, bearer.ebi))
    step.radio = False
    if not step.nas:
        yield from _end(mme, ue, rx, bearer)


def radio_failed(mme: Mme, ue: Ue, rx: Rx, bearer: Bearer, cause: Cause | None) -> Effects:
    """The eNB could not; it has not handed the NAS message on (TS 36.413, 8.2.1.3)."""
    if bearer.step is not None and bearer.step.radio:
        failure = Failure(causes.gtp_by_s1ap(cause), f"the eNB refused: {cause or 'no cause'}")
        yield from fail(mme, ue, rx, bearer, failure)


def fail(mme: Mme, ue: Ue, rx: Rx, bearer: Bearer, failure: Failure) -> Effects:
    """The end, whatever the other half still says."""
    step = bearer.step
    assert step is not None
    yield StopTimer(E_RAB, (ue.s11_teid, bearer.ebi))
    yield from retransmission.stop(ue, step.timer, bearer.ebi)
    step.failure = failure
    yield from _end(mme, ue, rx, bearer)


def _end(mme: Mme, ue: Ue, rx: Rx, bearer: Bearer) -> Effects:
    step, bearer.step = bearer.step, None
    assert step is not None
    if step.failure is not None and ESM.allows(bearer.state, "rejected"):
        yield ue.move_bearer(bearer, "rejected")
    yield from step.ended(mme, ue, rx, bearer, step.failure)


def abandon(mme: Mme, ue: Ue, rx: Rx, bearers: Iterable[Bearer], why: str) -> Effects:
    """The connection is gone, or something greater has begun: nobody will answer any more."""
    for bearer in list(bearers):
        if bearer.step is not None:
            yield from fail(mme, ue, rx, bearer, Failure(CauseValue.UE_NOT_RESPONDING, why))


@on.timer("T3485", "TS 24.301, 6.4.1.6 a, 6.4.2.6 a")
def on_t3485(mme: Mme, key: Key, rx: Rx) -> Effects:
    """The phone does not answer an activation: given up after four repetitions."""
    return _expired(mme, key, "T3485", rx)


@on.timer("T3486", "TS 24.301, 6.4.3.6 a")
def on_t3486(mme: Mme, key: Key, rx: Rx) -> Effects:
    """The phone does not answer a modification: likewise."""
    return _expired(mme, key, "T3486", rx)


@on.timer("T3495", "TS 24.301, 6.4.4.5 a")
def on_t3495(mme: Mme, key: Key, rx: Rx) -> Effects:
    """The phone does not answer a deactivation: likewise, and the bearer is gone all the same."""
    return _expired(mme, key, "T3495", rx)


def _expired(mme: Mme, key: Key, timer: str, rx: Rx) -> Effects:
    ue, effects = retransmission.again(mme, key, timer, rx)
    yield from effects
    if ue and not effects and (bearer := ue.bearer(key[1])) is not None and bearer.step is not None:
        failure = Failure(CauseValue.UE_NOT_RESPONDING, f"the phone does not answer ({timer} expired 5 times)")
        yield from _phone_done(mme, ue, rx, bearer, failure)


@on.timer(E_RAB, "TS 36.413, 8.2")
def on_e_rab_guard(mme: Mme, key: Key, rx: Rx) -> Effects:
    """The eNB did not answer at all. Its key is of the phone, not of the connection, which a handover changes."""
    ue = mme.by_s11_teid.get(key[0])
    bearer = ue.bearer(key[1]) if ue is not None else None
    if ue is not None and bearer is not None and bearer.step is not None:
        rx.subject, rx.state = ue.label, ue.emm
        yield from fail(mme, ue, rx, bearer, Failure(CauseValue.REQUEST_REJECTED, "the eNB does not answer"))
