# SPDX-License-Identifier: Apache-2.0
"""Purge UE (TS 29.272, 5.2.1.3): the MME has forgotten a phone that was away for long, or that was removed there."""

from dataclasses import replace

from dialtone.codec.diameter import ExperimentalResultCode, PurgeUEAnswer, PurgeUERequest, ResultCode
from dialtone.dispatch import Rx
from dialtone.effects import Answer, Effects, Event, Save, Send, Verdict
from dialtone.hss.element import Hss, on, result
from dialtone.hss.writes import PutRegistration

FREEZE_M_TMSI = 1 << 0  # PUA-Flags (7.3.48)


class PurgeNotSaved(Event):
    """The purge could not be committed."""

    __slots__ = ("peer", "request")

    def __init__(self, peer: str, request: PurgeUERequest) -> None:
        self.peer = peer
        self.request = request


@on("S6a", PurgeUERequest)
def on_purge_ue_request(hss: Hss, msg: PurgeUERequest, rx: Rx) -> Effects:
    """From the MME that serves it: noted, and it keeps the M-TMSI aside. From any other one: of no consequence."""
    imsi = rx.subject = msg.user_name
    if hss.subscribers.get(imsi) is None:
        yield Answer(_answer(hss, msg, ExperimentalResultCode.DIAMETER_ERROR_USER_UNKNOWN))
        return
    served = hss.subscribers.registration(imsi)
    answer = _answer(hss, msg, ResultCode.DIAMETER_SUCCESS)
    answer.pua_flags = 0
    if served is not None and served.mme == msg.origin_host:
        if not served.purged:
            yield Save((PutRegistration(replace(served, purged=True)),), failed=PurgeNotSaved(rx.peer, msg))
        answer.pua_flags = FREEZE_M_TMSI
    yield Answer(answer)


def _answer(hss: Hss, request: PurgeUERequest, code: ResultCode | ExperimentalResultCode) -> PurgeUEAnswer:
    return PurgeUEAnswer(session_id=request.session_id, origin_host=hss.origin_host, origin_realm=hss.origin_realm,
                         proxy_info=request.proxy_info, **result(code))


@on.event(PurgeNotSaved)
def on_purge_not_saved(hss: Hss, event: PurgeNotSaved, rx: Rx) -> Effects:
    """The disk is at fault."""
    rx.subject = event.request.user_name
    answer = _answer(hss, event.request, ResultCode.DIAMETER_UNABLE_TO_COMPLY)
    answer.hop_by_hop, answer.end_to_end = event.request.hop_by_hop, event.request.end_to_end
    yield Send("S6a", event.peer, answer)
    yield Verdict("purge", False, "the purge could not be saved: is the disk full or read-only?")
