# SPDX-License-Identifier: Apache-2.0
"""The notation of commands, and the straight-line functions generated from them.

A field reads like a line of a command's format in RFC 6733, 3.2:

    < Session-Id >  { Auth-Session-State }  [ Destination-Host ]  * [ Supported-Features ]

with < > and { } required, [ ] optional, * a list (a tuple here). Codes, types and flags come from the
dictionary by the name. A required field whose type admits None may be missing from an answer that reports an
error. On first use of a command its decoder and encoder are written as Python source and compiled.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from struct import error as struct_error
from typing import Annotated, Any, ClassVar, NamedTuple, TypeVar, get_args, get_origin, get_type_hints

from dialtone.codec.diameter.dictionary import AVPS, AvpType
from dialtone.codec.diameter.errors import DiameterError, ResultCode
from dialtone.codec.diameter.types import codec_of, unpack_head
from dialtone.codec.message import Message
from dialtone.errors import ProtocolError

_NOTATION = re.compile(r"(?P<many>\d*\*\d* )?[<{\[] (?P<name>[\w-]+) [>}\]]")


class UnknownAvp(NamedTuple):
    """An AVP kept as it came; `flags` is the octet V M P and reserved bits, `data` without padding."""

    code: int
    vendor: int
    flags: int
    data: bytes


@dataclass(slots=True, kw_only=True)
class Avps:
    """The AVPs of a message or of a Grouped AVP. `unknown` holds those its format does not name, in their order."""

    unknown: tuple[UnknownAvp, ...] = ()


@dataclass(slots=True, kw_only=True)
class DiameterMessage(Avps, Message):
    """A Diameter message and its header (RFC 6733, 3); command code, application and R bit belong to the class."""

    COMMAND: ClassVar[int] = 0
    APPLICATION_ID: ClassVar[int] = 0
    REQUEST: ClassVar[bool] = False

    hop_by_hop: int = 0
    end_to_end: int = 0
    proxiable: bool = False
    error: bool = False
    retransmit: bool = False

    @property
    def application_id(self) -> int:
        """The Application-ID of the header."""
        return self.APPLICATION_ID


_D = TypeVar("_D", bound=DiameterMessage)
# By command code, application and R bit.
COMMANDS: dict[tuple[int, int, bool], type[DiameterMessage]] = {}


def command(code: int, application_id: int, name: str, clause: str) -> Callable[[type[_D]], type[_D]]:
    """Register a command; `name` ends with Request or Answer, and the first part is what tshark prints."""

    def register(cls: type[_D]) -> type[_D]:
        cls.COMMAND, cls.APPLICATION_ID, cls.REQUEST = code, application_id, name.endswith(" Request")
        cls.NAME, cls.CLAUSE = name, clause
        key = (code, application_id, cls.REQUEST)
        if key in COMMANDS:
            raise ValueError(f"{name}: the place is taken by {COMMANDS[key].__name__}")
        COMMANDS[key] = cls
        return cls

    return register


Decoder = Callable[[Any, bytes, int, int, Any], None]
Encoder = Callable[[Any], bytes]
_DECODERS: dict[type[Avps], Decoder] = {}
_ENCODERS: dict[type[Avps], Encoder] = {}


def decoder(cls: type[Avps]) -> Decoder:
    """The function (empty object, data, start, end, strict) that fills the object from the AVPs in data[start:end].

    `strict` refuses unknown AVPs that carry the M bit (RFC 6733, 4.1): true for requests.
    """
    if cls not in _DECODERS:
        _DECODERS[cls] = _compile(cls, "decode", _decoder_source)
    return _DECODERS[cls]


def encoder(cls: type[Avps]) -> Encoder:
    """The function from an object to the octets of its AVPs, in the order of its format."""
    if cls not in _ENCODERS:
        _ENCODERS[cls] = _compile(cls, "encode", _encoder_source)
    return _ENCODERS[cls]


class Field(NamedTuple):
    """One line of a format: attribute, AVP, whether a list, whether required, whether None may stand for it."""

    name: str
    avp: AvpType
    many: bool
    required: bool
    optional_type: bool
    group: type[Avps] | None


def table(cls: type[Avps]) -> list[Field]:
    """The lines of a command or Grouped AVP."""
    rows = []
    for name, hint in get_type_hints(cls, include_extras=True).items():
        if get_origin(hint) is not Annotated:
            continue
        kind, notation = get_args(hint)
        match = _NOTATION.fullmatch(notation)
        if match is None or bool(match["many"]) != (get_origin(kind) is tuple):
            raise TypeError(f"{cls.__name__}.{name}: {notation!r} does not fit the type")
        inner = next((k for k in get_args(kind) if k not in (type(None), ...)), kind)
        group = inner if isinstance(inner, type) and issubclass(inner, Avps) else None
        required = "[" not in notation
        nullable = type(None) in get_args(kind)
        rows.append(Field(name, AVPS[match["name"]], bool(match["many"]), required, nullable, group))
    return rows


def _compile(cls: type[Avps], name: str, write: Callable[..., str]) -> Any:
    space: dict[str, Any] = {
        "head": unpack_head, "new": object.__new__, "pad": (b"", b"\0\0\0", b"\0\0", b"\0"),
        "faults": (ValueError, struct_error, ProtocolError), "cut": _cut, "other": _other, "wrong": _wrong,
        "missing": _missing,
    }  # fmt: skip
    source = write(cls, table(cls), space)
    exec(compile(source, f"<{name} {cls.__name__}>", "exec"), space)
    return space[name]


def _decoder_source(cls: type[Avps], rows: list[Field], space: dict[str, Any]) -> str:
    space["known"] = frozenset(f.avp.key for f in rows)
    lines = ["def decode(m, data, p, end, strict):"]
    lines += [f" m.{f.name} = {'()' if f.many else None}" for f in rows]
    lines += [
        " m.unknown = ()",
        " while p < end:",
        "  q, v = p, p + 8",
        "  if v > end: raise cut(data, q, end)",
        "  k, n = head(data, q)",
        "  s = q + (n & 0xFFFFFF)",
        "  if n & 0x80000000:",
        "   v += 4",
        "   k |= int.from_bytes(data[q + 8:v], 'big') << 32",
        "  if s < v or s > end: raise cut(data, q, end)",
        "  p = s + (q - s & 3)",
        "  try:",
    ]
    for at, f in enumerate(rows):
        once = "" if f.many else f" and m.{f.name} is None"
        lines.append(f"   {'elif' if at else 'if'} k == {f.avp.key}{once}:")
        if f.group:
            space[f"G{at}"], space[f"D{at}"] = f.group, decoder(f.group)
            lines.append(f"    g = new(G{at}); D{at}(g, data, v, s, strict and n & 0x40000000)")
            value = "g"
        else:
            codec = codec_of(f.avp.type)
            space[f"D{at}"] = codec.decode
            value = f"D{at}(data[v:s]){'[0]' if codec.first else ''}"
        lines.append(f"    m.{f.name} += ({value},)" if f.many else f"    m.{f.name} = {value}")
    other = "m.unknown += (other(k, n, data[q:s], data[v:s], strict, known),)"
    lines.append(f"   else: {other}" if rows else f"   {other}")
    lines.append("  except faults as fault: raise wrong(fault, data[q:s])")
    for f in rows:
        if f.required:
            absent = f"not m.{f.name}" if f.many else f"m.{f.name} is None"
            lax = issubclass(cls, DiameterMessage) and not cls.REQUEST and (f.optional_type or f.many)
            unless = " and not m.error and (m.result_code or 0) < 3000" if lax else ""
            space[f"A_{f.name}"] = f.avp
            lines.append(f" if {absent}{unless}: raise missing(A_{f.name})")
    return "\n".join(lines)


def _encoder_source(cls: type[Avps], rows: list[Field], space: dict[str, Any]) -> str:
    lines = ["def encode(m):", " out = []", " add = out.append"]
    for at, f in enumerate(rows):
        avp = f.avp
        flags = (0x80 if avp.vendor else 0) | (0x40 if avp.mandatory else 0)
        vendor = avp.vendor.to_bytes(4, "big") if avp.vendor else b""
        code, size = avp.code.to_bytes(4, "big"), 8 + len(vendor)
        lines.append(f" for v in m.{f.name}:" if f.many else f" v = m.{f.name}\n if v is not None:")
        fixed = None if f.group else codec_of(avp.type).size
        space[f"E{at}"] = encoder(f.group) if f.group else codec_of(avp.type).encode
        if fixed and fixed % 4 == 0:
            head = code + (flags << 24 | size + fixed).to_bytes(4, "big") + vendor
            lines.append(f"  add({head!r} + E{at}(v))")
        else:
            lines.append(
                f"  b = E{at}(v); n = len(b); add({code!r} + ({flags << 24 | size} + n).to_bytes(4, 'big')"
                f" + {vendor!r} + b + pad[n & 3])"
            )
    space["raw"] = raw_avp
    lines += [" for a in m.unknown: add(raw(a))", " return b''.join(out)"]
    return "\n".join(lines)


def raw_avp(avp: UnknownAvp) -> bytes:
    """The octets of an AVP that was kept as it came, padded."""
    code, vendor, flags, data = avp
    head = (code << 32 | flags << 24 | (12 if flags & 0x80 else 8) + len(data)).to_bytes(8, "big")
    return head + (vendor.to_bytes(4, "big") if flags & 0x80 else b"") + data + bytes(-len(data) & 3)


def _other(key: int, head: int, octets: bytes, data: bytes, strict: Any, known: frozenset[int]) -> UnknownAvp:
    """An AVP that the format does not name, or names once and has already: kept unless strict."""
    code, vendor = key & 0xFFFF_FFFF, key >> 32
    if strict and key in known:
        raise DiameterError(
            f"AVP {code} of vendor {vendor} occurs too many times", clause="RFC 6733, 7.1.5",
            cause=ResultCode.DIAMETER_AVP_OCCURS_TOO_MANY_TIMES, failed_avp=octets,
        )  # fmt: skip
    if strict and head & 0x4000_0000:
        raise DiameterError(
            f"mandatory AVP {code} of vendor {vendor} is not known here", clause="RFC 6733, 4.1",
            cause=ResultCode.DIAMETER_AVP_UNSUPPORTED, failed_avp=octets,
        )  # fmt: skip
    return UnknownAvp(code, vendor, head >> 24, data)


def _cut(data: bytes, start: int, end: int) -> DiameterError:
    """An AVP longer than its place or shorter than its header: Failed-AVP gets the header alone (RFC 6733, 7.1.5)."""
    head = data[start : min(start + 8, end)].ljust(8, b"\0")
    size = 12 if head[4] & 0x80 else 8
    vendor = data[start + 8 : min(start + 12, end)].ljust(4, b"\0") if head[4] & 0x80 else b""
    return DiameterError(
        f"AVP {int.from_bytes(head[:4], 'big')} with a length that does not fit its place",
        cause=ResultCode.DIAMETER_INVALID_AVP_LENGTH, clause="RFC 6733, 7.1.5",
        failed_avp=head[:5] + size.to_bytes(3, "big") + vendor,
    )  # fmt: skip


def _wrong(fault: Exception, octets: bytes) -> DiameterError:
    if isinstance(fault, DiameterError):
        return fault
    length = isinstance(fault, struct_error)
    return DiameterError(
        f"AVP {int.from_bytes(octets[:4], 'big')} is not of its type: {fault}",
        cause=ResultCode.DIAMETER_INVALID_AVP_LENGTH if length else ResultCode.DIAMETER_INVALID_AVP_VALUE,
        clause="RFC 6733, 7.1.5", failed_avp=octets,
    )  # fmt: skip


def _missing(avp: AvpType) -> DiameterError:
    """Failed-AVP gets an example of the AVP with a value of zeros (RFC 6733, 7.5)."""
    data = bytes(codec_of(avp.type).size or 0)
    flags = (0x80 if avp.vendor else 0) | (0x40 if avp.mandatory else 0)
    return DiameterError(
        f"{avp.name} is missing", cause=ResultCode.DIAMETER_MISSING_AVP, clause="RFC 6733, 7.1.5",
        failed_avp=raw_avp(UnknownAvp(avp.code, avp.vendor, flags, data)),
    )  # fmt: skip
