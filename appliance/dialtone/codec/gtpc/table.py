# SPDX-License-Identifier: Apache-2.0
"""The notation of message tables, and the straight-line functions generated from them.

A field reads like a row of a table in TS 29.274, 7: name, presence (M, C, CO, O), IE type, instance:

    sender_f_teid: Annotated[Fteid, M(FTEID, 0)]

A tuple is a list of IEs of one type and instance. On first use of a message its decoder and encoder are written
as Python source and compiled: one comparison and one call for each IE, no walk over tables.
"""

from collections.abc import Callable
from dataclasses import dataclass
from struct import error as struct_error
from typing import Annotated, Any, ClassVar, NamedTuple, TypeVar, get_args, get_origin, get_type_hints

from dialtone.codec.gtpc.errors import CauseValue, GtpcError
from dialtone.codec.gtpc.types import IeType
from dialtone.codec.gtpc.values import UnknownIe
from dialtone.codec.message import Message
from dialtone.errors import ProtocolError


class Row(NamedTuple):
    """Presence, IE type and instance of one row (TS 29.274, 6.1.1)."""

    presence: str
    ie: IeType
    instance: int


def M(ie: IeType, instance: int = 0) -> Row:
    """Mandatory: its absence, or a wrong value, refuses the message."""
    return Row("M", ie, instance)


def C(ie: IeType, instance: int = 0) -> Row:
    """Conditional: the element judges its absence; a wrong value refuses the message."""
    return Row("C", ie, instance)


def CO(ie: IeType, instance: int = 0) -> Row:
    """Conditional-optional: may be absent; a wrong value counts as absent."""
    return Row("CO", ie, instance)


def O(ie: IeType, instance: int = 0) -> Row:  # noqa: E743 - the letter of the specification
    """Optional: may be absent; a wrong value counts as absent."""
    return Row("O", ie, instance)


@dataclass(slots=True, kw_only=True)
class Ies:
    """IEs of a message or of a grouped IE. `unknown` holds what the table does not name, in the order it came."""

    unknown: tuple[UnknownIe, ...] = ()


@dataclass(slots=True, kw_only=True)
class GtpcMessage(Ies, Message):
    """A GTPv2-C message and its header (TS 29.274, 5.1): `teid` None without the T flag, `sequence` 24 bits."""

    TYPE: ClassVar[int] = 0

    teid: int | None = 0
    sequence: int = 0


_M = TypeVar("_M", bound=GtpcMessage)
MESSAGES: dict[int, type[GtpcMessage]] = {}


def message(number: int, name: str, clause: str) -> Callable[[type[_M]], type[_M]]:
    """Register a message type (TS 29.274, table 6.1-1)."""

    def register(cls: type[_M]) -> type[_M]:
        if number in MESSAGES:
            raise ValueError(f"message type {number} is {MESSAGES[number].__name__} already")
        cls.TYPE, cls.NAME, cls.CLAUSE = number, name, clause
        MESSAGES[number] = cls
        return cls

    return register


Decoder = Callable[[Any, bytes, int, int], None]
Encoder = Callable[[Any], bytes]
_DECODERS: dict[type[Ies], Decoder] = {}
_ENCODERS: dict[type[Ies], Encoder] = {}


def decoder(cls: type[Ies]) -> Decoder:
    """The function (empty object, data, start, end) that fills the object from the IEs in data[start:end]."""
    if cls not in _DECODERS:
        _DECODERS[cls] = _compile(cls, "decode", _decoder_source)
    return _DECODERS[cls]


def encoder(cls: type[Ies]) -> Encoder:
    """The function from an object to the octets of its IEs, in the order of its table."""
    if cls not in _ENCODERS:
        _ENCODERS[cls] = _compile(cls, "encode", _encoder_source)
    return _ENCODERS[cls]


class _Field(NamedTuple):
    """One row with the Python side of it: attribute, whether a list, and the class of a grouped IE."""

    name: str
    row: Row
    many: bool
    group: type[Ies] | None

    @property
    def key(self) -> int:
        return self.row.ie.number << 4 | self.row.instance


def table(cls: type[Ies]) -> list[_Field]:
    """The rows of a message or grouped IE, in the order of the specification."""
    rows = []
    for name, hint in get_type_hints(cls, include_extras=True).items():
        if get_origin(hint) is not Annotated:
            continue
        kind, row = get_args(hint)
        many = get_origin(kind) is tuple
        inner = get_args(kind)[0] if many else next((k for k in get_args(kind) if k is not type(None)), kind)
        group = inner if isinstance(inner, type) and issubclass(inner, Ies) else None
        rows.append(_Field(name, row, many, group))
    return rows


def _compile(cls: type[Ies], name: str, write: Callable[..., str]) -> Any:
    space: dict[str, Any] = {
        "GtpcError": GtpcError, "ProtocolError": ProtocolError, "struct_error": struct_error,
        "cut": _cut, "missing": _missing, "incorrect": _incorrect, "UnknownIe": UnknownIe, "new": object.__new__,
    }  # fmt: skip
    source = write(cls, table(cls), space)
    exec(compile(source, f"<{name} {cls.__name__}>", "exec"), space)
    return space[name]


def _decoder_source(cls: type[Ies], rows: list[_Field], space: dict[str, Any]) -> str:
    lines = ["def decode(m, data, p, end):"]
    lines += [f" m.{f.name} = {'()' if f.many else None}" for f in rows]
    lines += [
        " m.unknown = ()",
        " while p < end:",
        "  v = p + 4",
        "  if v > end: raise cut(None)",
        "  p, k = v + (data[p + 1] << 8 | data[p + 2]), data[p] << 4 | data[p + 3] & 15",
        "  if p > end: raise cut(k)",
        "  try:",
    ]
    for at, f in enumerate(rows):
        word = "elif" if at else "if"
        once = "" if f.many else f" and m.{f.name} is None"
        lines.append(f"   {word} k == {f.key}{once}:")
        if f.group:
            space[f"G{at}"], space[f"D{at}"] = f.group, decoder(f.group)
            lines.append(f"    g = new(G{at}); D{at}(g, data, v, p)")
            value = "g"
        else:
            space[f"D{at}"] = f.row.ie.decode
            value = f"D{at}(data[v:p])"
        lines.append(f"    m.{f.name} += ({value},)" if f.many else f"    m.{f.name} = {value}")
    other = "m.unknown += (UnknownIe(k >> 4, k & 15, data[v:p]),)"
    lines.append(f"   else: {other}" if rows else f"   {other}")
    strict = {f.key: cls.__name__ for f in rows if f.row.presence in ("M", "C")}
    space["strict"] = frozenset(strict)
    lines += [
        "  except (ValueError, IndexError, struct_error, ProtocolError) as fault:",
        "   if isinstance(fault, GtpcError): raise",
        "   if k in strict: raise incorrect(k, fault)",
        f"   {other}",
    ]
    needed = [f for f in rows if f.row.presence == "M"]
    for f in needed:
        # A refusal needs nothing but its Cause (TS 29.274, 7.7.6).
        refused = " and m.cause.accepted" if issubclass(cls, GtpcMessage) and _answers(rows, f) else ""
        lines.append(f" if not m.{f.name}{refused}: raise missing({f.key})" if f.many
                     else f" if m.{f.name} is None{refused}: raise missing({f.key})")  # fmt: skip
    return "\n".join(lines)


def _answers(rows: list[_Field], field: _Field) -> bool:
    """Whether the row follows a mandatory Cause, that is, stands in a response."""
    cause = next((f for f in rows if f.name == "cause" and f.row.presence == "M"), None)
    return cause is not None and field is not cause


def _encoder_source(cls: type[Ies], rows: list[_Field], space: dict[str, Any]) -> str:
    lines = ["def encode(m):", " out = []", " add = out.append"]
    for at, f in enumerate(rows):
        space[f"E{at}"] = encoder(f.group) if f.group else f.row.ie.encode
        lines.append(f" for v in m.{f.name}:" if f.many else f" v = m.{f.name}\n if v is not None:")
        lines.append(
            f"  b = E{at}(v); add({bytes((f.row.ie.number,))!r} + len(b).to_bytes(2, 'big')"
            f" + {bytes((f.row.instance,))!r} + b)"
        )
    lines += [
        " for t, i, b in m.unknown: add(bytes((t, len(b) >> 8, len(b) & 255, i)) + b)",
        " return b''.join(out)",
    ]
    return "\n".join(lines)


def _cut(key: int | None) -> GtpcError:
    return GtpcError(
        "an IE is longer than its message",
        cause=CauseValue.INVALID_LENGTH,
        clause="TS 29.274, 7.7.7",
        offending=None if key is None else (key >> 4, key & 15),
    )


def _missing(key: int) -> GtpcError:
    return GtpcError(
        f"mandatory IE of type {key >> 4}, instance {key & 15}, is missing",
        cause=CauseValue.MANDATORY_IE_MISSING,
        clause="TS 29.274, 7.7.6",
        offending=(key >> 4, key & 15),
    )


def _incorrect(key: int, fault: Exception) -> GtpcError:
    return GtpcError(
        f"IE of type {key >> 4}, instance {key & 15}, is incorrect: {fault}",
        cause=CauseValue.MANDATORY_IE_INCORRECT,
        clause="TS 29.274, 7.7.8",
        offending=(key >> 4, key & 15),
    )

