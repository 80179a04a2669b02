# SPDX-License-Identifier: Apache-2.0
"""SIP messages: a start line, header lines as they came, a body. A class for each method and direction, so that the
dispatch table names them like messages of every other protocol.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import ClassVar, Self

from dialtone.codec.message import Message
from dialtone.codec.sip.errors import SipError
from dialtone.codec.sip.grammar import Known, split_list
from dialtone.codec.sip.values import CSeq, NameAddr, Via

COMPACT = {"a": "accept-contact", "b": "referred-by", "c": "content-type", "d": "request-disposition",
           "e": "content-encoding", "f": "from", "i": "call-id", "j": "reject-contact", "k": "supported",
           "l": "content-length", "m": "contact", "o": "event", "r": "refer-to", "s": "subject", "t": "to",
           "u": "allow-events", "v": "via", "x": "session-expires", "y": "identity"}
"""Compact forms (RFC 3261, 7.3.3, and those registered since)."""

UNLISTED = {"authorization", "proxy-authorization", "www-authenticate", "proxy-authenticate", "subject", "date",
            "call-id", "cseq", "from", "to", "user-agent", "server", "retry-after", "organization"}
"""Fields whose commas are no list (RFC 3261, 7.3.1)."""


def _fold(name: str) -> str:
    key = name.strip().lower()
    return COMPACT.get(key, key)


KEYS = Known(_fold)
"""The key of a header field name, compact or not, in whatever case."""


class Line:
    """A header line as it came, folded lines included, without the last CRLF. `key` is what it is found by, empty for
    what is no header line; `value` is unfolded (RFC 3261, 7.3.1); `members` are the values of a comma list, of other
    fields the value. It never changes, so that every message that has the same line has the same object."""

    __slots__ = ("key", "members", "text", "value")

    members: tuple[str, ...]

    def __init__(self, text: str) -> None:
        name, colon, value = text.partition(":")
        key = KEYS[name]
        self.key = key if colon and key.isprintable() and " " not in key else ""
        self.text = text
        value = value.strip()
        self.value = " ".join(part.strip() for part in value.split("\r\n")) if "\r\n" in value else value
        if key in UNLISTED or "," not in value:
            self.members = (self.value,)
        else:
            self._divide()

    def _divide(self) -> None:
        self.members = tuple(split_list(self.value))


class Unreadable(Line):
    """A line that is no list, where one is expected: who asks for its members is told so, others pass it on."""

    __slots__ = ()

    def _divide(self) -> None:
        """Nobody may ever ask."""

    @property
    def members(self) -> tuple[str, ...]:  # type: ignore[override]
        """Raises SipError."""
        return tuple(split_list(self.value))


def _line(text: str) -> Line:
    try:
        return Line(text)
    except SipError:
        return Unreadable(text)


LINES = Known(_line)
"""Lines by their text: most are the same from hop to hop, and from one message of a phone to the next."""


@dataclass(slots=True, eq=False)
class SipMessage(Message):
    """What requests and responses share: header lines, and the body.

    `fields` has the lines of each field, by key, in the order of their first lines; only the order within a field means
    something (RFC 3261, 7.3.1). Reading never changes a line; writing replaces whole lines. So what a proxy does not
    understand leaves as it came.
    """

    METHOD: ClassVar[str] = ""

    fields: dict[str, tuple[Line, ...]] = field(default_factory=dict)
    body: bytes = b""

    @property
    def lines(self) -> list[Line]:
        """All header lines."""
        return [line for lines in self.fields.values() for line in lines]

    def first(self, name: str) -> str | None:
        """The first value of a field, None without one; of a comma list its first member."""
        lines = self.fields.get(KEYS[name])
        return None if lines is None else (lines[0].members or ("",))[0]

    def first_line(self, name: str) -> str | None:
        """The first value as it stands in its line, whatever it looks like."""
        lines = self.fields.get(KEYS[name])
        return None if lines is None else lines[0].value

    def all(self, name: str) -> list[str]:
        """Every value of a field, comma lists divided. Raises SipError."""
        return [member for line in self.fields.get(KEYS[name], ()) for member in line.members]

    def has(self, name: str) -> bool:
        """Whether there is such a field, with or without a value."""
        return KEYS[name] in self.fields

    def options(self, name: str) -> set[str]:
        """The option tags of Supported, Require, Proxy-Require, Allow and the like, in lower case."""
        return {tag.lower() for tag in self.all(name)}

    def set(self, name: str, *values: str) -> None:
        """Replace all lines of a field, in the place of the first; at the end where there was none."""
        if values:
            self.fields[KEYS[name]] = tuple([LINES[f"{name}: {value}"] for value in values])
        else:
            self.remove(name)

    def append(self, name: str, value: str) -> None:
        """Add a line after the last one of this field."""
        key, line = KEYS[name], LINES[f"{name}: {value}"]
        self.fields[key] = (*self.fields.get(key, ()), line)

    def prepend(self, name: str, value: str) -> None:
        """Add a line before the first one of this field; on top where there was none."""
        key, line = KEYS[name], LINES[f"{name}: {value}"]
        before = self.fields.get(key)
        if before is not None:
            self.fields[key] = (line, *before)
        else:
            self.fields = {key: (line,), **self.fields}

    def remove(self, *names: str) -> None:
        """Take all lines of some fields away."""
        for name in names:
            self.fields.pop(KEYS[name], None)

    def pop(self, name: str) -> str | None:
        """Take the first value of a list away and return it: the topmost Via, Route, Path."""
        return self._replace_first(name, ())

    def swap(self, name: str, value: str) -> None:
        """Put `value` in the place of the first member of a list."""
        self._replace_first(name, (value,))

    def _replace_first(self, name: str, new: tuple[str, ...]) -> str | None:
        key = KEYS[name]
        lines = self.fields.get(key)
        if lines is None:
            return None
        first, *rest = lines[0].members or ("",)
        members = (*new, *rest)
        left = (LINES[f"{name}: {', '.join(members)}"], *lines[1:]) if members else lines[1:]
        if left:
            self.fields[key] = left
        else:
            del self.fields[key]
        return first

    def content(self, kind: str, body: bytes) -> None:
        """Give the message a body of this Content-Type."""
        self.body = body
        self.set("Content-Type", kind)

    @property
    def content_type(self) -> str:
        """`application/sdp`, in lower case and without parameters; empty without a body's type."""
        return (self.first("Content-Type") or "").partition(";")[0].strip().lower()

    @property
    def call_id(self) -> str:
        """Call-ID."""
        return self._value("call-id")

    @property
    def cseq(self) -> CSeq:
        """CSeq. Raises SipError."""
        return CSeq.parse(self._value("cseq"))

    @property
    def from_(self) -> NameAddr:
        """From. Raises SipError."""
        return NameAddr.parse(self._value("from"))

    @property
    def to(self) -> NameAddr:
        """To. Raises SipError."""
        return NameAddr.parse(self._value("to"))

    @property
    def via(self) -> Via:
        """The topmost Via. Raises SipError."""
        return Via.parse(self.first("Via") or "")

    def _value(self, key: str) -> str:
        """Of a field that stands once."""
        lines = self.fields.get(key)
        return "" if lines is None else lines[0].value

    def _copy_to(self, other: Self) -> Self:
        other.fields, other.body = self.fields.copy(), self.body
        return other


@dataclass(slots=True, eq=False)
class SipRequest(SipMessage):
    """A request (RFC 3261, 7.1). `method` is written out: the class of an unknown one has none."""

    method: str = ""
    uri: str = ""

    def __post_init__(self) -> None:
        self.method = self.method or self.METHOD

    def copy(self) -> Self:
        """A request of its own with the same lines."""
        return self._copy_to(type(self)(method=self.method, uri=self.uri))


@dataclass(slots=True, eq=False)
class SipResponse(SipMessage):
    """A response (RFC 3261, 7.2); its class is that of the method in its CSeq."""

    status: int = 200
    reason: str = ""

    @property
    def label(self) -> str:
        """`401 Unauthorized (REGISTER)`."""
        return f"{self.status} {self.reason} ({self.METHOD or 'response'})"

    @property
    def final(self) -> bool:
        """Whether it ends its transaction."""
        return self.status >= 200

    def copy(self) -> Self:
        """A response of its own with the same lines."""
        return self._copy_to(type(self)(status=self.status, reason=self.reason))


# Set here and not above: a dataclass with slots is made twice, and its first form would be found by its name, too.
SipRequest.NAME, SipRequest.CLAUSE = "SIP request", "RFC 3261, 7.1"
SipResponse.NAME, SipResponse.CLAUSE = "SIP response", "RFC 3261, 7.2"
REQUESTS: dict[str, type[SipRequest]] = {}
RESPONSES: dict[str, type[SipResponse]] = {}


def _method(method: str, clause: str) -> Callable[[type[SipMessage]], None]:
    def register(cls: type[SipMessage]) -> None:
        cls.METHOD, cls.CLAUSE = method, clause
        cls.NAME = method if issubclass(cls, SipRequest) else f"{method} response"
        if issubclass(cls, SipRequest):
            REQUESTS[method] = cls
        elif issubclass(cls, SipResponse):
            RESPONSES[method] = cls

    return register


# The classes are written out, two lines for each method, so that editors, mypy and `dialtone where` see them.
class RegisterRequest(SipRequest):
    """Bind a contact to an address-of-record."""


class RegisterResponse(SipResponse):
    """Answer to REGISTER."""


class InviteRequest(SipRequest):
    """Begin or change a session."""


class InviteResponse(SipResponse):
    """Answer to INVITE."""


class AckRequest(SipRequest):
    """The final answer to INVITE has come."""


class ByeRequest(SipRequest):
    """End a session."""


class ByeResponse(SipResponse):
    """Answer to BYE."""


class CancelRequest(SipRequest):
    """Give up a request that has no final answer yet."""


class CancelResponse(SipResponse):
    """Answer to CANCEL."""


class OptionsRequest(SipRequest):
    """Ask what the other end can do."""


class OptionsResponse(SipResponse):
    """Answer to OPTIONS."""


class PrackRequest(SipRequest):
    """Acknowledge a provisional answer."""


class PrackResponse(SipResponse):
    """Answer to PRACK."""


class UpdateRequest(SipRequest):
    """Change a session before, or after, it is answered."""


class UpdateResponse(SipResponse):
    """Answer to UPDATE."""


class SubscribeRequest(SipRequest):
    """Ask to be told of changes of a state."""


class SubscribeResponse(SipResponse):
    """Answer to SUBSCRIBE."""


class NotifyRequest(SipRequest):
    """Tell a change of state."""


class NotifyResponse(SipResponse):
    """Answer to NOTIFY."""


class PublishRequest(SipRequest):
    """Publish a state."""


class PublishResponse(SipResponse):
    """Answer to PUBLISH."""


class InfoRequest(SipRequest):
    """Application data in the middle of a session."""


class InfoResponse(SipResponse):
    """Answer to INFO."""


class ReferRequest(SipRequest):
    """Ask the other end to call somebody."""


class ReferResponse(SipResponse):
    """Answer to REFER."""


class MessageRequest(SipRequest):
    """A text, or a short message inside a container."""


class MessageResponse(SipResponse):
    """Answer to MESSAGE."""


class UnknownRequest(SipRequest):
    """A request of a method that we do not know; a proxy passes it on."""

    NAME = "Unknown SIP request"


class UnknownResponse(SipResponse):
    """Answer to it."""

    NAME = "Unknown SIP response"


METHODS: dict[str, tuple[str, Iterable[type[SipMessage]]]] = {
    "REGISTER": ("RFC 3261, 10", (RegisterRequest, RegisterResponse)),
    "INVITE": ("RFC 3261, 13", (InviteRequest, InviteResponse)),
    "ACK": ("RFC 3261, 13.2.2.4", (AckRequest,)),
    "BYE": ("RFC 3261, 15", (ByeRequest, ByeResponse)),
    "CANCEL": ("RFC 3261, 9", (CancelRequest, CancelResponse)),
    "OPTIONS": ("RFC 3261, 11", (OptionsRequest, OptionsResponse)),
    "PRACK": ("RFC 3262, 4", (PrackRequest, PrackResponse)),
    "UPDATE": ("RFC 3311, 5", (UpdateRequest, UpdateResponse)),
    "SUBSCRIBE": ("RFC 6665, 4.1", (SubscribeRequest, SubscribeResponse)),
    "NOTIFY": ("RFC 6665, 4.1", (NotifyRequest, NotifyResponse)),
    "PUBLISH": ("RFC 3903, 4", (PublishRequest, PublishResponse)),
    "INFO": ("RFC 6086, 4", (InfoRequest, InfoResponse)),
    "REFER": ("RFC 3515, 2", (ReferRequest, ReferResponse)),
    "MESSAGE": ("RFC 3428, 2", (MessageRequest, MessageResponse)),
}
for _name, (_clause, _classes) in METHODS.items():
    for _cls in _classes:
        _method(_name, _clause)(_cls)
