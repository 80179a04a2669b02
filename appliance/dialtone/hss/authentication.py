# SPDX-License-Identifier: Apache-2.0
"""Authentication Information (TS 29.272, 5.2.3.1): vectors, and resynchronisation by AUTS (TS 33.102, 6.3.5)."""

from dialtone.codec.diameter import (
    AuthenticationInfo,
    AuthenticationInformationAnswer,
    AuthenticationInformationRequest,
    EutranVector,
    ExperimentalResultCode,
    ResultCode,
)
from dialtone.crypto.aka import eutran_vector, verify_auts
from dialtone.crypto.sqn import Use, ind_of_node
from dialtone.dispatch import Rx
from dialtone.effects import Answer, Effects, Event, Save, Send, Verdict
from dialtone.errors import ProtocolError
from dialtone.hss.element import Hss, experimental, on
from dialtone.hss.subscriber import Subscriber
from dialtone.hss.writes import NoteSeen, ReserveSqn

RAND = 16
MOST_VECTORS = 5


class SqnNotSaved(Event):
    """The reservation of a sequence number failed: the vector must not leave the house."""

    __slots__ = ("peer", "request")

    def __init__(self, peer: str, request: AuthenticationInformationRequest) -> None:
        self.peer = peer
        self.request = request


@on("S6a", AuthenticationInformationRequest)
def on_authentication_information_request(hss: Hss, msg: AuthenticationInformationRequest, rx: Rx) -> Effects:
    """An answer with vectors never precedes the fsync of the sequence numbers in it."""
    imsi = rx.subject = msg.user_name
    subscriber = hss.subscribers.get(imsi)
    if subscriber is None:
        yield Answer(_answer(hss, msg, error=ExperimentalResultCode.DIAMETER_ERROR_USER_UNKNOWN))
        yield Save((NoteSeen(imsi, int(rx.now), "tried to attach"),))
        return
    if not subscriber.profile.apns:
        yield Answer(_answer(hss, msg, error=ExperimentalResultCode.DIAMETER_ERROR_UNKNOWN_EPS_SUBSCRIPTION))
        return
    asked = msg.requested_eutran_authentication_info
    if asked is None:
        yield Answer(_answer(hss, msg, error=ExperimentalResultCode.DIAMETER_AUTHENTICATION_DATA_UNAVAILABLE))
        return
    if asked.re_synchronization_info is not None:
        try:
            _resynchronise(hss, subscriber, asked.re_synchronization_info)
        except ProtocolError as error:
            yield Answer(_answer(hss, msg, error=ExperimentalResultCode.DIAMETER_AUTHENTICATION_DATA_UNAVAILABLE))
            yield Verdict("resynchronisation", False, str(error))
            return
        yield Verdict("resynchronisation", True, "the SIM's sequence number was ahead of ours; we go on from its own")
    ind = Use.EPS if msg.origin_host in hss.neighbours else ind_of_node(msg.origin_host)
    vectors, marks = [], []
    for item in range(1, min(asked.number_of_requested_vectors or 1, MOST_VECTORS) + 1):
        sqn, mark = hss.counter(imsi).take(ind)
        if mark is not None:
            marks.append(mark)
        vector = eutran_vector(hss.functions(subscriber), sqn=sqn, amf=subscriber.amf, rand=hss.random(RAND),
                               plmn=msg.visited_plmn_id.to_bytes())
        vectors.append(EutranVector(item_number=item, rand=vector.rand, xres=vector.xres, autn=vector.autn,
                                    kasme=vector.kasme))
    if marks:
        yield Save((ReserveSqn(imsi, max(marks)),), failed=SqnNotSaved(rx.peer, msg))
    answer = _answer(hss, msg)
    answer.authentication_info = AuthenticationInfo(eutran_vector=tuple(vectors))
    yield Answer(answer)


def _resynchronise(hss: Hss, subscriber: Subscriber, info: bytes) -> None:
    """`info` is RAND and AUTS (TS 29.272, 7.3.15); raises ProtocolError when MAC-S is wrong."""
    sqn_ms = verify_auts(hss.functions(subscriber), rand=info[:RAND], auts=info[RAND:])
    hss.counter(subscriber.imsi).resynchronise(sqn_ms)


def _answer(hss: Hss, request: AuthenticationInformationRequest, *, result: ResultCode = ResultCode.DIAMETER_SUCCESS,
            error: ExperimentalResultCode | None = None) -> AuthenticationInformationAnswer:
    """With `error` in place of the Result-Code, where 3GPP has one of its own."""
    return AuthenticationInformationAnswer(
        session_id=request.session_id, result_code=None if error else result,
        experimental_result=experimental(error) if error else None,
        origin_host=hss.origin_host, origin_realm=hss.origin_realm, proxy_info=request.proxy_info)


@on.event(SqnNotSaved)
def on_sqn_not_saved(hss: Hss, event: SqnNotSaved, rx: Rx) -> Effects:
    """The disk is at fault: no vector, and the MME is told so."""
    rx.subject = event.request.user_name
    answer = _answer(hss, event.request, result=ResultCode.DIAMETER_UNABLE_TO_COMPLY)
    answer.hop_by_hop, answer.end_to_end = event.request.hop_by_hop, event.request.end_to_end
    yield Send("S6a", event.peer, answer)
    yield Verdict("authentication", False, "the sequence number could not be saved: is the disk full or read-only?")
