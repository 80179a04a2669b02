# SPDX-License-Identifier: Apache-2.0
"""Attach Reject and Tracking Area Update Reject (TS 24.301, 5.5.1.2.5, 5.5.3.2.5): the cause for the phone, and a
sentence for people."""

from dialtone.codec.diameter import ExperimentalResult
from dialtone.codec.message import Message
from dialtone.codec.nas import AttachReject, TrackingAreaUpdateReject, TrackingAreaUpdateRequest
from dialtone.codec.nas.ies import GprsTimer
from dialtone.dispatch import Rx
from dialtone.effects import Effects, Send, Verdict
from dialtone.mme.context import Ue
from dialtone.mme.context_release import drop
from dialtone.mme.element import Mme
from dialtone.mme.timers import TIMERS

NO_SUITABLE_CELLS, NETWORK_FAILURE, CONGESTION = 15, 17, 22

STICKY = {
    3: "The SIM counts as illegal until the phone is switched off and on.",
    6: "The phone counts as illegal until it is switched off and on.",
    7: "The phone gives up LTE until it is switched off and on.",
    8: "The SIM counts as invalid until the phone is switched off and on.",
    11: "The phone avoids this PLMN: choose the network by hand, or switch the phone off and on.",
    12: "The phone avoids this tracking area until it is switched off and on.",
    13: "The phone avoids this tracking area until it is switched off and on.",
    14: "The phone avoids this PLMN for data until it is switched off and on.",
    15: "The phone looks for another tracking area: switch it off and on when the cause is mended.",
}
"""Causes that the phone remembers, and what frees it (TS 24.301, 5.5.1.2.5)."""

BY_EXPERIMENTAL = {
    5001: (8, "the IMSI is not in the HSS: add it with `dialtone subscriber add`"),
    5420: (NO_SUITABLE_CELLS, "the subscriber has no EPS subscription"),
    5421: (NO_SUITABLE_CELLS, "the subscriber may not use LTE"),
    5004: (11, "the subscriber may not use this network"),
    4181: (NETWORK_FAILURE, "the HSS has no vector for it; had the SIM asked for resynchronisation, its K or OPc "
                            "differs from the one in the HSS"),
}
BY_DIAGNOSTIC = {
    (5420, 1): (7, "the subscriber has no packet services at all"),
    (5004, 2): (NO_SUITABLE_CELLS, "all packet services of the subscriber are barred"),
    (5004, 3): (14, "the subscriber's roaming is barred"),
    (5004, 4): (14, "the subscriber's roaming is barred"),
}
BY_RESULT = {
    3002: (NO_SUITABLE_CELLS, "no way leads to the HSS (DIAMETER_UNABLE_TO_DELIVER)"),
    3003: (NO_SUITABLE_CELLS, "nobody serves the realm of the HSS (DIAMETER_REALM_NOT_SERVED)"),
    5003: (NO_SUITABLE_CELLS, "the HSS does not allow it (DIAMETER_AUTHORIZATION_REJECTED)"),
}
"""Experimental-Result-Code, the same with Error-Diagnostic, and Result-Code, to EMM cause (TS 29.272, annex A)."""


def request(mme: Mme, ue: Ue, rx: Rx, cause: int, why: str, esm: bytes | None = None) -> Effects:
    """Refuse the attach or the update that is under way, release the connection and forget the context."""
    yield from only(mme, ue, cause, why, esm)
    yield from drop(mme, ue, rx)


def only(mme: Mme, ue: Ue, cause: int, why: str, esm: bytes | None = None) -> Effects:
    """Refuse it, and nothing else."""
    if mme.config.network.temporary_rejects and cause in STICKY:
        why = f"{why} (a lab setting answers #{NETWORK_FAILURE} in place of #{cause})"
        cause = NETWORK_FAILURE
    update = isinstance(ue.request, TrackingAreaUpdateRequest)
    wait = _back_off(mme) if cause == CONGESTION else None
    message: Message = (TrackingAreaUpdateReject(emm_cause=cause, t3346_value=wait) if update
                        else AttachReject(emm_cause=cause, esm_message_container=esm, t3346_value=wait))
    yield Send("NAS", ue, message)
    yield Verdict("tracking area update" if update else "attach", False,
                  f"refused with cause #{cause}: {why}. {STICKY.get(cause, '')}".strip())


def reason(result: int | None, experimental: ExperimentalResult | None, diagnostic: int | None) -> tuple[int, str]:
    """EMM cause and sentence for an answer by which the HSS said no (TS 29.272, annex A)."""
    code = experimental.experimental_result_code if experimental else 0
    otherwise = (NETWORK_FAILURE, f"the HSS answered {code or result}")
    if diagnostic is not None and (found := BY_DIAGNOSTIC.get((code, diagnostic))):
        return found
    return BY_EXPERIMENTAL.get(code, otherwise) if code else BY_RESULT.get(result or 0, otherwise)


def _back_off(mme: Mme) -> GprsTimer:
    """T3346 for one phone: another value for each, in steps of two seconds."""
    most = int(TIMERS["T3346"].seconds)
    return GprsTimer.of(most - mme.random(1)[0] % (most // 4 + 1) * 2)
