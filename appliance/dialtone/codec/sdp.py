# SPDX-License-Identifier: Apache-2.0
"""SDP (RFC 4566, RFC 3264): session and media descriptions as lines, without loss.

Every line is kept in its order; what is asked for (media, payload types, directions, bandwidths, preconditions) is read
from them, and setting a value replaces its line alone.
"""

import re
from dataclasses import dataclass, field
from typing import NamedTuple

from dialtone.errors import ProtocolError

DIRECTIONS = ("sendrecv", "sendonly", "recvonly", "inactive")
_LIMIT = 65_535
_MEDIA_LIMIT = 32
_M = re.compile(r"([\w.!#$%&'*+^`{|}~-]+) (\d{1,5})(/\d{1,5})? ([\w.!#$%&'*+^`{|}~/-]+)((?: \S+)+)", re.ASCII)
_RTPMAP = re.compile(r"(\d{1,3}) ([^/\s]+)/(\d{1,6})(?:/(\d{1,3}))?", re.ASCII)


class SdpError(ProtocolError):
    """What was sent as a session description is none; answered with 400, or 488 where it is only not acceptable."""

    def __init__(self, text: str) -> None:
        super().__init__(text, cause=400, clause="RFC 4566, 5")


class RtpMap(NamedTuple):
    """`a=rtpmap:116 AMR-WB/16000/1`: the encoding of a payload type; its name in capitals."""

    encoding: str
    rate: int
    channels: int = 1


class Precondition(NamedTuple):
    """`a=curr:qos local none` and `a=des:qos mandatory remote sendrecv` (RFC 3312, 5). `strength` is empty for curr;
    `status` is end-to-end (`e2e`), `local` or `remote`."""

    kind: str
    strength: str
    status: str
    direction: str


@dataclass(slots=True)
class Section:
    """Lines in their order, each `x=value`: the session's own, or those of one media description."""

    lines: list[str] = field(default_factory=list)

    def first(self, letter: str) -> str | None:
        """The value of the first line of this type."""
        return next((line[2:] for line in self.lines if line[0] == letter), None)

    def all(self, letter: str) -> list[str]:
        """The values of all lines of this type."""
        return [line[2:] for line in self.lines if line[0] == letter]

    def attributes(self, name: str) -> list[str]:
        """The values of the attributes `a=name:value`; an empty text for `a=name`."""
        return [value.partition(":")[2] for value in self.all("a") if value.partition(":")[0] == name]

    def attribute(self, name: str) -> str | None:
        """The value of the first attribute of this name, None without one."""
        return next(iter(self.attributes(name)), None)

    def remove(self, *names: str) -> None:
        """Take all attributes of these names away."""
        self.lines = [line for line in self.lines if line[0] != "a" or line[2:].partition(":")[0] not in names]

    def add(self, line: str) -> None:
        """Add a line at the end."""
        self.lines.append(line)

    def replace(self, letter: str, value: str) -> None:
        """Set the value of the first line of this type; at the end where there is none."""
        for at, line in enumerate(self.lines):
            if line[0] == letter:
                self.lines[at] = f"{letter}={value}"
                return
        self.lines.append(f"{letter}={value}")

    def bandwidth(self, modifier: str) -> int | None:
        """`b=AS:41` in kbit/s; RS and RR in bit/s (RFC 3556)."""
        for value in self.all("b"):
            name, _, number = value.partition(":")
            if name == modifier and number.isascii() and number.isdigit():
                return int(number[:12])
        return None

    @property
    def address(self) -> str | None:
        """The address of the connection line."""
        connection = self.first("c")
        parts = (connection or "").split(" ")
        return parts[2].partition("/")[0] if len(parts) == 3 and parts[0] == "IN" else None

    @property
    def direction(self) -> str | None:
        """sendrecv, sendonly, recvonly or inactive, where one is given."""
        return next((value for value in self.all("a") if value in DIRECTIONS), None)


@dataclass(slots=True)
class Media(Section):
    """One media description: the m= line, and what follows up to the next one."""

    kind: str = ""
    port: int = 0
    proto: str = ""
    formats: list[str] = field(default_factory=list)
    count: str = ""  # `/2` where a range of ports is meant

    @property
    def rtpmaps(self) -> dict[str, RtpMap]:
        """Payload type -> encoding, in the order of the m= line where it names them."""
        found = {}
        for value in self.attributes("rtpmap"):
            if match := _RTPMAP.match(value):
                found[match[1]] = RtpMap(match[2].upper(), int(match[3]), int(match[4] or 1))
        return {number: found[number] for number in (*self.formats, *found) if number in found}

    def fmtp(self, number: str) -> dict[str, str]:
        """The format parameters of a payload type, names in lower case."""
        for value in self.attributes("fmtp"):
            payload, _, text = value.partition(" ")
            if payload == number:
                pairs = (part.strip().partition("=") for part in text.split(";") if part.strip())
                return {name.lower(): content for name, _, content in pairs}
        return {}

    def preconditions(self, kind: str) -> list[Precondition]:
        """The `curr`, `des` or `conf` lines for qos (RFC 3312, 5)."""
        found = []
        for value in self.attributes(kind):
            match value.split(" "):
                case ["qos", status, direction]:
                    found.append(Precondition(kind, "", status, direction))
                case ["qos", strength, status, direction]:
                    found.append(Precondition(kind, strength, status, direction))
        return found

    @property
    def rtcp_port(self) -> int:
        """The port of RTCP: that of a=rtcp (RFC 3605), otherwise the next one."""
        text = (self.attribute("rtcp") or "").partition(" ")[0]
        return int(text[:5]) if text.isascii() and text.isdigit() else self.port + 1

    def line(self) -> str:
        """The m= line."""
        return f"m={self.kind} {self.port}{self.count} {self.proto} {' '.join(self.formats)}"


@dataclass(slots=True)
class Session(Section):
    """A session description: its own lines, and the media."""

    media: list[Media] = field(default_factory=list)

    def address_of(self, media: Media) -> str | None:
        """Where media go: the connection line of the media, otherwise of the session."""
        return media.address or self.address

    def direction_of(self, media: Media) -> str:
        """The direction of media: their own, the session's, or sendrecv (RFC 4566, 6)."""
        return media.direction or self.direction or "sendrecv"


def decode(data: bytes) -> Session:
    """A session description. Raises SdpError."""
    if len(data) > _LIMIT:
        raise SdpError("the session description is too long")
    session = Session()
    section: Section = session
    text = data.decode("utf-8", "surrogateescape").replace("\r\n", "\n")
    for line in filter(None, text.split("\n")):
        if len(line) < 2 or line[1] != "=" or not ("a" <= line[0] <= "z"):
            raise SdpError(f"{line[:40]!r} is no line of SDP")
        if line[0] != "m":
            section.lines.append(line)
            continue
        match = _M.fullmatch(line[2:])
        if match is None or int(match[2]) > 65_535 or len(session.media) >= _MEDIA_LIMIT:
            raise SdpError(f"{line[:80]!r} is no media description, or one too many")
        section = Media(kind=match[1], port=int(match[2]), count=match[3] or "", proto=match[4],
                        formats=match[5].split())
        session.media.append(section)
    if session.first("v") != "0" or session.first("o") is None:
        raise SdpError("v= and o= must begin a session description")
    return session


def encode(session: Session) -> bytes:
    """The octets of a session description."""
    lines = list(session.lines)
    for media in session.media:
        lines += [media.line(), *media.lines]
    return "".join(f"{line}\r\n" for line in lines).encode("utf-8", "surrogateescape")
