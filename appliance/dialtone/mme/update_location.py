# SPDX-License-Identifier: Apache-2.0
"""Update Location (TS 29.272, 5.2.1.1; TS 23.401, 5.3.2.1, steps 8 to 11): the HSS learns who serves the phone."""

from dialtone.codec.diameter import TerminalInformation, UpdateLocationAnswer, UpdateLocationRequest
from dialtone.dispatch import Rx
from dialtone.effects import Effects, Unanswered, Verdict
from dialtone.mme import reject, subscription
from dialtone.mme.context import Next, Ue
from dialtone.mme.detach import DetachUe, on_detach_ue
from dialtone.mme.element import Mme, on
from dialtone.mme.states import EmmState

EUTRAN = 1004  # RAT-Type (TS 29.212, 5.3.31)
S6A, INITIAL_ATTACH = 1 << 1, 1 << 5  # ULR-Flags (TS 29.272, 7.3.7)
SUCCESS = 2001


def start(mme: Mme, ue: Ue, rx: Rx, then: Next, *, initial: bool = True) -> Effects:
    """Tell the HSS, and go on with `then` when the subscription is here."""
    ue.then = then
    imeisv = ue.imeisv
    yield ue.ask(mme.s6a.element, UpdateLocationRequest(
        **mme.s6a_header(), user_name=ue.imsi,
        terminal_information=TerminalInformation(imei=imeisv[:14], software_version=imeisv[14:]) if imeisv else None,
        rat_type=EUTRAN, ulr_flags=S6A | (INITIAL_ATTACH if initial else 0), visited_plmn_id=mme.plmn,
    ))


@on("S6a", UpdateLocationAnswer)
def on_update_location_answer(mme: Mme, msg: UpdateLocationAnswer, rx: Rx) -> Effects:
    """The subscription, or why the phone may not be served (TS 29.272, annex A)."""
    assert rx.request is not None
    ue: Ue = rx.request.context
    if not ue.answered(rx.request):
        return
    rx.subject, rx.state = ue.label, ue.emm
    if msg.result_code != SUCCESS or msg.subscription_data is None:
        cause, why = reject.reason(msg.result_code, msg.experimental_result, msg.error_diagnostic)
        yield from _refused(mme, ue, rx, cause, why)
        return
    if (objection := subscription.objection(msg.subscription_data)) is not None:
        yield from _refused(mme, ue, rx, *objection)
        return
    ue.subscription, ue.confirmed = msg.subscription_data, True
    assert ue.then is not None
    yield from ue.then(mme, ue, rx)


@on.unanswered(UpdateLocationRequest)
def on_no_update_location_answer(mme: Mme, event: Unanswered, rx: Rx) -> Effects:
    """The HSS is silent. A registered phone stays, and the HSS is told the next time."""
    ue: Ue = event.request.context
    if ue.answered(event.request) and ue.emm is not EmmState.REGISTERED:
        rx.subject = ue.label
        yield from _refused(mme, ue, rx, reject.NETWORK_FAILURE, "the HSS does not answer")


def _refused(mme: Mme, ue: Ue, rx: Rx, cause: int, why: str) -> Effects:
    if ue.emm is EmmState.REGISTERED:
        yield Verdict("update location", False, f"the phone may not be served any longer: {why}")
        yield from on_detach_ue(mme, DetachUe(ue.imsi, page=True, by_hss=True), rx)
    elif ue.emergency and ue.then is not None:  # needs no subscription (TS 23.401, 4.3.12.1)
        yield from ue.then(mme, ue, rx)
    else:
        yield from reject.request(mme, ue, rx, cause, why)


def confirm(mme: Mme, ue: Ue, rx: Rx) -> Effects:
    """A phone is heard of: where the HSS has lost its location since, it is told again (TS 23.007, 4.2.1)."""
    if not ue.confirmed and not ue.emergency and ue.emm is EmmState.REGISTERED and ue.awaited is None:
        yield from start(mme, ue, rx, _confirmed, initial=False)


def _confirmed(mme: Mme, ue: Ue, rx: Rx) -> Effects:
    yield Verdict("update location", True, "the HSS knows again who serves the phone")
