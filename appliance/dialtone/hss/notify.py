# SPDX-License-Identifier: Apache-2.0
"""Notification (TS 29.272, 5.2.5.1): the MME says what it was asked to watch, or learned of the phone."""

from dataclasses import replace

from dialtone.codec.diameter import ExperimentalResultCode, NotifyAnswer, NotifyRequest, ResultCode
from dialtone.dispatch import Rx
from dialtone.effects import Answer, Effects, Save, Verdict
from dialtone.hss.element import Hss, on, result
from dialtone.hss.location import imei_of
from dialtone.hss.writes import PutRegistration

REACHABLE = 1 << 3  # NOR-Flags: UE Reachable from MME (7.3.49)


@on("S6a", NotifyRequest)
def on_notify_request(hss: Hss, msg: NotifyRequest, rx: Rx) -> Effects:
    """Taken from the MME that serves the phone only (5.2.5.1.3)."""
    imsi = rx.subject = msg.user_name
    served = hss.subscribers.registration(imsi)
    if hss.subscribers.get(imsi) is None:
        yield Answer(_answer(hss, msg, ExperimentalResultCode.DIAMETER_ERROR_USER_UNKNOWN))
        return
    if served is None or served.mme != msg.origin_host:
        yield Answer(_answer(hss, msg, ExperimentalResultCode.DIAMETER_ERROR_UNKNOWN_SERVING_NODE))
        return
    imei = imei_of(msg.terminal_information)
    if imei and imei != served.imei:
        yield Save((PutRegistration(replace(served, imei=imei)),))
    yield Answer(_answer(hss, msg, ResultCode.DIAMETER_SUCCESS))
    if (msg.nor_flags or 0) & REACHABLE:
        yield Verdict("notification", True, f"{served.mme} can reach the phone")


def _answer(hss: Hss, request: NotifyRequest, code: ResultCode | ExperimentalResultCode) -> NotifyAnswer:
    return NotifyAnswer(session_id=request.session_id, origin_host=hss.origin_host, origin_realm=hss.origin_realm,
                        proxy_info=request.proxy_info, **result(code))
