# SPDX-License-Identifier: Apache-2.0
"""What a SIP element answers to octets or a request that break the rules (RFC 3261, 8.2 and 21.4)."""

from collections.abc import Callable, Collection

from dialtone.codec import sip
from dialtone.codec.sip import AckRequest, SipError, SipRequest, SipResponse, UnknownRequest, Via
from dialtone.dispatch import Rx
from dialtone.effects import Answer, Effects, Send
from dialtone.element import Element
from dialtone.errors import ProtocolError
from dialtone.sip.flow import Flow, answer_to, received

_ONCE = ("from", "to", "call-id", "cseq")
_REASON_LIMIT = 120
_EXPLAINED = (400, 403, 404, 484)  # statuses that say little by themselves


def refuse(element: Element, error: ProtocolError, rx: Rx, reply: Callable[[str, Via], str] = answer_to) -> Effects:
    """For `Element.refuse`: the status of the error; 405 or 501 for a method without a handler. An ACK, an answer, and
    what has no Via to answer to get nothing. `reply` says where answers go."""
    request = rx.message if rx.message is not None else getattr(error, "message", None)
    if not isinstance(request, SipRequest) or isinstance(request, AckRequest):
        return
    answer = _answer(element, request, error, rx)
    if rx.transaction is not None:
        yield Answer(answer, to=rx)
        return
    peer = rx.peer  # no transaction: its repetition gets the same answer again
    try:
        via = request.via
        answer.swap("Via", str(received(rx.peer, via)))
        peer = reply(rx.peer, via)
    except SipError:  # not even the Via is right: to where it came from
        if not (request.first_line("Via") or "").upper().startswith("SIP"):
            return
    yield Send(rx.point, peer, answer)


def admit(rx: Rx, trusted: Collection[str]) -> None:
    """A request from outside must come from one of these addresses (TS 24.229, 4.4.1). Raises ProtocolError."""
    flow = Flow.find(str(rx.peer)) if isinstance(rx.message, SipRequest) else None
    if flow is not None and flow.host not in trusted:
        raise ProtocolError(f"{flow.host} is no element of this network: see hosts in [ims]", cause=403,
                            clause="TS 24.229, 4.4.1")


def _answer(element: Element, request: SipRequest, error: ProtocolError, rx: Rx) -> SipResponse:
    status = error.cause
    if status is None:
        known = element.on.handler(rx.point, type(request)) is not None
        status = 400 if known else 501 if isinstance(request, UnknownRequest) else 405
    reason = "".join(char for char in error.text if char.isprintable() and not "\ud800" <= char <= "\udfff")
    answer = sip.response(request, status, reason[:_REASON_LIMIT] if status in _EXPLAINED else "")
    for key in _ONCE:
        if key in answer.fields:
            answer.fields[key] = answer.fields[key][:1]
    if isinstance(error, SipError):
        for name, value in error.headers:
            answer.append(name, value)
    if status == 405:
        methods = {kind.METHOD for point, kind in element.on.messages
                   if point == rx.point and issubclass(kind, SipRequest)}
        answer.append("Allow", ", ".join(sorted(methods)))
    return answer
