# SPDX-License-Identifier: Apache-2.0
"""SIP (RFC 3261, 7): octets to messages and back, without loss.

A message keeps its header lines as they came. `decode` checks what a message needs to be answered or routed at all;
the values of fields are read where they are used (values.py).
"""

import re
from http import HTTPStatus

from dialtone.codec.sip.errors import SipError
from dialtone.codec.sip.message import (
    LINES,
    METHODS,
    REQUESTS,
    RESPONSES,
    AckRequest,
    ByeRequest,
    ByeResponse,
    CancelRequest,
    CancelResponse,
    InfoRequest,
    InfoResponse,
    InviteRequest,
    InviteResponse,
    Line,
    MessageRequest,
    MessageResponse,
    NotifyRequest,
    NotifyResponse,
    OptionsRequest,
    OptionsResponse,
    PrackRequest,
    PrackResponse,
    PublishRequest,
    PublishResponse,
    ReferRequest,
    ReferResponse,
    RegisterRequest,
    RegisterResponse,
    SipMessage,
    SipRequest,
    SipResponse,
    SubscribeRequest,
    SubscribeResponse,
    UnknownRequest,
    UnknownResponse,
    UpdateRequest,
    UpdateResponse,
)
from dialtone.codec.sip.values import AuthParams, CSeq, NameAddr, SipUri, TelUri, Via

__all__ = [
    "METHODS", "PORT", "AckRequest", "AuthParams", "ByeRequest", "ByeResponse", "CSeq", "CancelRequest",
    "CancelResponse", "InfoRequest", "InfoResponse", "InviteRequest", "InviteResponse", "MessageRequest",
    "MessageResponse", "NameAddr", "NotifyRequest", "NotifyResponse", "OptionsRequest", "OptionsResponse",
    "PrackRequest", "PrackResponse", "PublishRequest", "PublishResponse", "ReferRequest", "ReferResponse",
    "RegisterRequest", "RegisterResponse", "SipError", "SipMessage", "SipRequest", "SipResponse", "SipUri",
    "SubscribeRequest", "SubscribeResponse", "TelUri", "UnknownRequest", "UnknownResponse", "UpdateRequest",
    "UpdateResponse", "Via", "decode", "encode", "reason_of", "request", "response",
]

PORT = 5060
_REQUEST_LINE = re.compile(r"([\w.!%*+`'~-]+) (\S+) (\S+)", re.ASCII)
_STATUS_LINE = re.compile(r"(SIP/\d+\.\d+) ([1-6]\d\d)(?: (.*))?", re.IGNORECASE)
_SINGLE = ("from", "to", "call-id", "cseq")
_COPIED = ("via", *_SINGLE)
_FOLDED = re.compile(r"\r\n(?![ \t])")
_LIMIT = 65_535

REASONS = {100: "Trying", 180: "Ringing", 181: "Call Is Being Forwarded", 182: "Queued", 183: "Session Progress",
           380: "Alternative Service", 416: "Unsupported URI Scheme", 420: "Bad Extension",
           421: "Extension Required", 422: "Session Interval Too Small", 423: "Interval Too Brief",
           480: "Temporarily Unavailable", 481: "Call/Transaction Does Not Exist", 482: "Loop Detected",
           483: "Too Many Hops", 484: "Address Incomplete", 485: "Ambiguous", 486: "Busy Here",
           487: "Request Terminated", 488: "Not Acceptable Here", 489: "Bad Event", 491: "Request Pending",
           493: "Undecipherable", 494: "Security Agreement Required", 500: "Server Internal Error",
           504: "Server Time-out", 505: "Version Not Supported", 513: "Message Too Large",
           580: "Precondition Failure", 600: "Busy Everywhere", 603: "Decline", 604: "Does Not Exist Anywhere",
           606: "Not Acceptable"}
"""Reason phrases of RFC 3261, 21, and of its extensions, where HTTP has none or another."""


def reason_of(status: int) -> str:
    """The reason phrase of a status code; empty for one that nobody has named."""
    try:
        return REASONS.get(status) or HTTPStatus(status).phrase
    except ValueError:
        return ""


def decode(data: bytes) -> SipMessage:
    """One message: a datagram, or what the framing of a stream cut out. Raises SipError; where the message is a request
    that can be answered, the error carries it."""
    data = data.lstrip(b"\r\n")
    if len(data) > _LIMIT:
        raise SipError("the message is too long", cause=513)
    head, blank, body = data.partition(b"\r\n\r\n")
    text = head.decode("utf-8", "surrogateescape").removesuffix("\r\n")
    start, *texts = _FOLDED.split(text) if "\r\n " in text or "\r\n\t" in text else text.split("\r\n")
    if "\r\n" in start:
        raise SipError("the header begins with a folded line", clause="RFC 3261, 7.3.1")
    fields: dict[str, tuple[Line, ...]] = {}
    for each in texts:
        line = LINES[each]
        key = line.key
        fields[key] = (*fields[key], line) if key in fields else (line,)
    message, version = _start(start, fields)
    message.fields = fields
    try:
        if not blank:
            raise SipError("no empty line ends the header")
        if version != "SIP/2.0" and version.upper() != "SIP/2.0":
            raise SipError(f"version {version}", cause=505, clause="RFC 3261, 8.2")
        _check(message)
        message.body = _body(message, body)
    except SipError as error:
        if isinstance(message, SipRequest):
            error.message = message
        raise
    return message


def _start(text: str, fields: dict[str, tuple[Line, ...]]) -> tuple[SipMessage, str]:
    if match := _STATUS_LINE.fullmatch(text):
        lines = fields.get("cseq")
        method = lines[0].value.rpartition(" ")[2].strip() if lines is not None else ""
        return RESPONSES.get(method, UnknownResponse)(status=int(match[2]), reason=match[3] or ""), match[1]
    if match := _REQUEST_LINE.fullmatch(text):
        return REQUESTS.get(match[1], UnknownRequest)(method=match[1], uri=match[2]), match[3]
    method, _, rest = text.partition(" ")
    error = SipError(f"{text[:80]!r} is no start line", clause="RFC 3261, 7.1")
    uri = rest.rstrip()  # with spaces in the URI or at the end it can be answered
    if uri.upper().endswith(" SIP/2.0") and method.isalpha():
        error.message = REQUESTS.get(method, UnknownRequest)(method=method, uri=uri[:-8].strip(), fields=fields)
    raise error


def _check(message: SipMessage) -> None:
    fields = message.fields
    if "" in fields:
        raise SipError(f"{fields[''][0].text[:40]!r} is no header line", clause="RFC 3261, 7.3.1")
    for key in _SINGLE:
        if key not in fields or len(fields[key]) != 1:
            raise SipError(f"{key} must stand once", clause="RFC 3261, 8.1.1")
    if "via" not in fields:
        raise SipError("there is no Via", clause="RFC 3261, 8.1.1")
    method = message.cseq.method
    if isinstance(message, SipRequest) and method != message.method:
        raise SipError(f"CSeq is of {method}", clause="RFC 3261, 8.1.1.5")
    if not message.call_id:
        raise SipError("Call-ID is empty", clause="RFC 3261, 20.8")
    _ = message.from_, message.to, message.via


def _body(message: SipMessage, body: bytes) -> bytes:
    """What follows the header, as far as Content-Length says (RFC 3261, 18.3)."""
    lines = message.fields.get("content-length")
    if lines is None:
        return body
    if len(lines) > 1:
        raise SipError("Content-Length stands more than once", clause="RFC 3261, 7.3.1")
    text = lines[0].value
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise SipError(f"{text[:20]!r} is no length", clause="RFC 3261, 20.14")
    length = int(text)
    if length > len(body):
        raise SipError(f"Content-Length is {length}, and {len(body)} octets came", clause="RFC 3261, 18.3")
    return body[:length]


def encode(message: SipMessage) -> bytes:
    """The octets of a message; Content-Length is put right."""
    if isinstance(message, SipRequest):
        start = f"{message.method} {message.uri} SIP/2.0"
    elif isinstance(message, SipResponse):
        start = f"SIP/2.0 {message.status} {message.reason}"
    else:
        raise TypeError(type(message).__name__)
    length = str(len(message.body))
    if message.first("Content-Length") != length:
        message.set("Content-Length", length)
    text = "\r\n".join([start, *[line.text for lines in message.fields.values() for line in lines], "", ""])
    return text.encode("utf-8", "surrogateescape") + message.body


def request(method: str, uri: str) -> SipRequest:
    """An empty request of this method."""
    return REQUESTS.get(method, UnknownRequest)(method=method, uri=uri)


def response(to: SipRequest, status: int, reason: str = "") -> SipResponse:
    """An answer with the lines that every answer copies (RFC 3261, 8.2.6.2); the To tag is the sender's to add."""
    answer = RESPONSES.get(to.method, UnknownResponse)(status=status, reason=reason or reason_of(status))
    wanted = (*_COPIED, "timestamp") if status == 100 else _COPIED
    answer.fields = {key: to.fields[key] for key in wanted if key in to.fields}
    return answer

