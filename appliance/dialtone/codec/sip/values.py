# SPDX-License-Identifier: Apache-2.0
"""Typed values of header fields. Each has `parse`, which raises SipError, and `str()`, which is what it came from.

None of them ever changes: who reads the same text again gets the same value."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from dialtone.codec.sip.errors import SipError
from dialtone.codec.sip.grammar import TOKEN, Known, Params, format_params, parse_auth, parse_params, quote, unquote

_SIP_URI = re.compile(r"(?i:(sips?)):(?:([^@\s<>\"]*)@)?(\[[0-9A-Fa-f:.]+\]|[^\s:;?<>@,\[\]\"]+)(?::(\d{1,5}))?"
                      r"(;[^?\s<>]*)?(\?\S*)?")
_TEL_URI = re.compile(r"(?i:tel):([+*#\w().-]+)(;\S*)?", re.ASCII)
_NAME_ADDR = re.compile(r'("(?:[^"\\]|\\.)*"\s*|[^<>",;]*)<([^<>]*)>(.*)', re.DOTALL)
_VIA = re.compile(r"SIP\s*/\s*2\.0\s*/\s*([\w.!%*+`'~-]+)\s+(\[[0-9A-Fa-f:.]+\]|[^\s:;,]+)"
                  r"(?:\s*:\s*(\d{1,5}))?\s*(;.*)?", re.DOTALL | re.IGNORECASE | re.ASCII)
_CSEQ = re.compile(r"(\d{1,10})\s+([\w.!%*+`'~-]+)", re.ASCII)
_NO_URI = re.compile(r'[\s<>"]')
_VISUAL = re.compile(r"[().-]")
MAX_CSEQ = 1 << 31


@dataclass(frozen=True, slots=True)
class SipUri:
    """`sip:user:password@host:port;params?headers` (RFC 3261, 19.1); `user` as written, with its escapes."""

    host: str
    user: str = ""
    port: int | None = None
    params: Params = field(default_factory=dict)
    headers: str = ""
    scheme: str = "sip"

    @staticmethod
    def parse(text: str) -> "SipUri":
        """Raises SipError; 416 for a scheme that is not sip or sips."""
        return _SIP_URIS[text]

    def __str__(self) -> str:
        user = f"{self.user}@" if self.user else ""
        port = f":{self.port}" if self.port is not None else ""
        headers = f"?{self.headers}" if self.headers else ""
        return f"{self.scheme}:{user}{self.host}{port}{format_params(self.params)}{headers}"


def _sip_uri(text: str) -> SipUri:
    match = _SIP_URI.fullmatch(text.strip())
    if match is None:
        scheme = text.partition(":")[0].strip().lower()
        cause = 400 if scheme in ("sip", "sips") or not TOKEN.fullmatch(scheme) or ":" not in text else 416
        raise SipError(f"{text[:80]!r} is no SIP URI", cause=cause, clause="RFC 3261, 19.1.1")
    port = int(match[4]) if match[4] else None
    if port is not None and not 0 < port < 65536:
        raise SipError(f"{port} is no port", clause="RFC 3261, 19.1.1")
    return SipUri(match[3].lower(), match[2] or "", port, parse_params(match[5] or ""), (match[6] or "")[1:],
                  match[1].lower())


_SIP_URIS = Known(_sip_uri)


@dataclass(frozen=True, slots=True)
class TelUri:
    """`tel:+358-555-1234567;phone-context=...` (RFC 3966); `number` as written."""

    number: str
    params: Params = field(default_factory=dict)

    @staticmethod
    def parse(text: str) -> "TelUri":
        """Raises SipError."""
        return _TEL_URIS[text]

    @property
    def digits(self) -> str:
        """The number without visual separators."""
        return _VISUAL.sub("", self.number)

    def __str__(self) -> str:
        return f"tel:{self.number}{format_params(self.params)}"


def _tel_uri(text: str) -> TelUri:
    match = _TEL_URI.fullmatch(text.strip())
    if match is None:
        raise SipError(f"{text[:80]!r} is no tel URI", cause=416, clause="RFC 3966, 3")
    return TelUri(match[1], parse_params(match[2] or ""))


_TEL_URIS = Known(_tel_uri)


@dataclass(frozen=True, slots=True)
class NameAddr:
    """`"Alice" <sip:alice@example.org>;tag=1`: From, To, Contact, Route, P-Asserted-Identity ... `uri` as written;
    `display` without quotes; `*` of a Contact has the uri `*`."""

    uri: str
    display: str = ""
    params: Params = field(default_factory=dict)

    @staticmethod
    def parse(text: str) -> "NameAddr":
        """Raises SipError. Without brackets, parameters belong to the header field (RFC 3261, 20)."""
        return _NAME_ADDRS[text]

    @property
    def tag(self) -> str:
        """The tag of From and To; empty without."""
        return self.params.get("tag") or ""

    def __str__(self) -> str:
        display = f"{quote(self.display)} " if self.display else ""
        return f"{display}<{self.uri}>{format_params(self.params)}" if self.uri != "*" else "*"


def _name_addr(text: str) -> NameAddr:
    match = _NAME_ADDR.fullmatch(text.strip())
    if match is not None:
        uri, display, params = match[2].strip(), unquote(match[1].strip()), match[3]
    else:
        uri, semicolon, params = text.strip().partition(";")
        uri, display, params = uri.strip(), "", semicolon + params
    if not uri or (uri != "*" and ":" not in uri) or _NO_URI.search(uri):
        raise SipError(f"{text[:80]!r} is no address", clause="RFC 3261, 20.10")
    return NameAddr(uri, display, parse_params(params))


_NAME_ADDRS = Known(_name_addr)


@dataclass(frozen=True, slots=True)
class Via:
    """`SIP/2.0/UDP host:port;branch=...` (RFC 3261, 20.42); the transport in capitals."""

    transport: str
    host: str
    port: int | None = None
    params: Params = field(default_factory=dict)

    @staticmethod
    def parse(text: str) -> "Via":
        """Raises SipError."""
        return _VIAS[text]

    @property
    def branch(self) -> str:
        """The branch; empty without."""
        return self.params.get("branch") or ""

    @property
    def sent_by(self) -> str:
        """Host, and port where there is one."""
        return self.host if self.port is None else f"{self.host}:{self.port}"

    def __str__(self) -> str:
        return f"SIP/2.0/{self.transport} {self.sent_by}{format_params(self.params)}"


def _via(text: str) -> Via:
    match = _VIA.fullmatch(text.strip())
    if match is None:
        raise SipError(f"{text[:80]!r} is no Via", clause="RFC 3261, 20.42")
    port = int(match[3]) if match[3] else None
    if port is not None and not 0 < port < 65536:
        raise SipError(f"{port} is no port", clause="RFC 3261, 20.42")
    return Via(match[1].upper(), match[2], port, parse_params(match[4] or ""))


_VIAS = Known(_via)


@dataclass(frozen=True, slots=True)
class CSeq:
    """`4711 INVITE` (RFC 3261, 20.16)."""

    number: int
    method: str

    @staticmethod
    def parse(text: str) -> "CSeq":
        """Raises SipError."""
        return _CSEQS[text]

    def __str__(self) -> str:
        return f"{self.number} {self.method}"


def _cseq(text: str) -> CSeq:
    match = _CSEQ.fullmatch(text.strip())
    if match is None or int(match[1]) >= MAX_CSEQ:
        raise SipError(f"{text[:80]!r} is no CSeq", clause="RFC 3261, 20.16")
    return CSeq(int(match[1]), match[2])


_CSEQS = Known(_cseq)


@dataclass(frozen=True, slots=True)
class AuthParams:
    """`Digest realm="...", nonce="..."`: challenges and credentials (RFC 3261, 20.7, 20.44; RFC 7616). Values without
    quotes; `str()` quotes all but algorithm, stale, nc, and qop where there is an nc (RFC 7616, 3.4)."""

    scheme: str
    params: Mapping[str, str] = field(default_factory=dict)

    @staticmethod
    def parse(text: str) -> "AuthParams":
        """Raises SipError."""
        return _AUTH_PARAMS[text]

    def get(self, name: str, default: str = "") -> str:
        """The value of a parameter."""
        return self.params.get(name, default)

    def __str__(self) -> str:
        bare = {"algorithm", "stale", "nc"} | ({"qop"} if "nc" in self.params else set())
        values = [f"{name}={value if name in bare else quote(value)}" for name, value in self.params.items()]
        return f"{self.scheme} {','.join(values)}"


def _auth_params(text: str) -> AuthParams:
    scheme, _, rest = text.strip().partition(" ")
    if not TOKEN.fullmatch(scheme):
        raise SipError(f"{text[:80]!r} names no authentication scheme", clause="RFC 3261, 20.7")
    return AuthParams(scheme, parse_auth(rest))


_AUTH_PARAMS = Known(_auth_params)
