# SPDX-License-Identifier: Apache-2.0
"""The ASN.1 types S1AP is made of, as Python annotations (TS 36.413, 9.3.4; ITU-T X.680).

A table reads as the ASN.1 does: a class is a SEQUENCE, its annotated fields are the components in order, a field
with a default is OPTIONAL: None where absent, `()` for a list (S1AP has no empty lists).

    NasPdu = Annotated[bytes, OctetString()]                    NAS-PDU ::= OCTET STRING
    BPLMNs = Annotated[tuple[Plmn, ...], SequenceOf(1, 6)]      BPLMNs ::= SEQUENCE (SIZE(1..6)) OF PLMNidentity

Nothing here encodes: `decoder.py` and `encoder.py` compile these descriptions to functions.
"""

import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from enum import IntEnum
from typing import Any, NamedTuple


class Criticality(IntEnum):
    """What a receiver does with an information element it does not comprehend (TS 36.413, 10.3.2)."""

    REJECT = 0
    IGNORE = 1
    NOTIFY = 2


reject, ignore, notify = Criticality


class UnknownIe(NamedTuple):
    """A protocol IE or extension kept as it came: id, criticality, and the octets of its open type."""

    id: int
    criticality: int
    value: bytes


class AperType:
    """Base of all type descriptions."""

    def starts_aligned(self) -> bool:
        """Whether every encoding of the type begins at an octet boundary (X.691, alignment rules)."""
        return False


@dataclass(frozen=True, eq=False)
class Integer(AperType):
    """INTEGER (low..high[, ...])."""

    low: int
    high: int
    extensible: bool = False

    def starts_aligned(self) -> bool:
        return not self.extensible and 256 <= self.high - self.low + 1 <= 65536


@dataclass(frozen=True, eq=False)
class Enumerated(AperType):
    """ENUMERATED: the first `root` members of the IntEnum stand before the extension marker.

    A value is a member; a value of a later release, which the table does not know, is a plain int.
    """

    values: type[IntEnum]
    root: int
    extensible: bool = True


@dataclass(frozen=True, eq=False)
class BitString(AperType):
    """BIT STRING (SIZE(size[, ...])): an int, first bit the most significant; bytes where `octets` says so.

    A longer string than `size`, which the marker would allow, is refused: no release has defined one.
    """

    size: int
    octets: bool = False
    extensible: bool = False

    def starts_aligned(self) -> bool:
        return self.size > 16 and not self.extensible


@dataclass(frozen=True, eq=False)
class BitStringOctets(AperType):
    """BIT STRING (SIZE(low..high, ...)) whose length is always whole octets; the value is bytes."""

    low: int
    high: int


@dataclass(frozen=True, eq=False)
class OctetString(AperType):
    """OCTET STRING: without sizes any length, with one a fixed length, with two a range.

    `number` makes the value an int (a TAC, a TEID), which only a fixed length can be.
    """

    low: int = 0
    high: int | None = None
    number: bool = False

    def fixed(self) -> int | None:
        return self.low if self.low and self.high in (None, self.low) else None

    def starts_aligned(self) -> bool:
        size = self.fixed()
        return self.high is None if size is None else size > 2


@dataclass(frozen=True, eq=False)
class Mapped(AperType):
    """Another type whose value is changed on the way: `to_python` after decoding, `to_wire` before encoding."""

    wire: AperType
    to_python: Callable[[Any], Any]
    to_wire: Callable[[Any], Any]

    def starts_aligned(self) -> bool:
        return self.wire.starts_aligned()


@dataclass(frozen=True, eq=False)
class PrintableString(AperType):
    """PrintableString (SIZE(low..high, ...)). Any ASCII is taken: names with an underscore are in the field."""

    low: int
    high: int


@dataclass(frozen=True, eq=False)
class SequenceOf(AperType):
    """SEQUENCE (SIZE(low..high)) OF the item of the annotated tuple."""

    low: int
    high: int
    item: Any = None

    def starts_aligned(self) -> bool:
        return 256 <= self.high - self.low + 1 <= 65536


@dataclass(frozen=True, eq=False)
class IeList(AperType):
    """SEQUENCE (SIZE(1..high)) OF ProtocolIE-SingleContainer, each holding the IE `id` (TS 36.413, 9.3.5)."""

    id: int
    criticality: Criticality
    high: int = 256
    item: Any = None

    def starts_aligned(self) -> bool:
        return True


@dataclass(frozen=True, eq=False)
class Choice(AperType):
    """CHOICE: the value is `cls(name, value)`, a NamedTuple of the alternative's ASN.1 name and its value.

    Where `cls` is None it is the bare value, whose Python type tells the alternatives apart.
    """

    cls: type | None
    root: Mapping[str, Any]
    extension: Mapping[str, Any] = field(default_factory=dict)
    python_types: tuple[type, ...] = ()


@dataclass(frozen=True, eq=False)
class Group(AperType):
    """SEQUENCE held in a NamedTuple: iE-Extensions, of which the specification defines none, are dropped."""

    cls: type
    components: Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class OpenType(AperType):
    """A value not taken apart: the octets of its open type as they came."""


@dataclass(slots=True, kw_only=True)
class Sequence:
    """A SEQUENCE { ..., iE-Extensions OPTIONAL, ... }; the extensions stay as they came."""

    ie_extensions: tuple[UnknownIe, ...] = ()


class Component(NamedTuple):
    """One component of a SEQUENCE: name of the field, its type, whether it is OPTIONAL."""

    name: str
    type: Any
    optional: bool

    @property
    def is_list(self) -> bool:
        """Absent, a list is `()`; everything else is None."""
        return isinstance(self.type, SequenceOf | IeList)


def components(cls: type[Sequence]) -> list[Component]:
    """The components of a SEQUENCE class in order, without iE-Extensions."""
    return [
        Component(f.name, resolve(f.type), f.default is not MISSING)
        for f in fields(cls)
        if f.name != "ie_extensions"
    ]


def may_be_absent(annotation: Any) -> bool:
    """Whether an annotation allows None."""
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        return may_be_absent(typing.get_args(annotation)[0])
    return origin in (typing.Union, types.UnionType) and type(None) in typing.get_args(annotation)


def resolve(annotation: Any) -> Any:
    """The type description behind an annotation: an AperType, or a subclass of Sequence."""
    if isinstance(annotation, AperType):
        return annotation
    if isinstance(annotation, type) and issubclass(annotation, Sequence):
        return annotation
    origin, args = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        described = [m for m in annotation.__metadata__ if isinstance(m, AperType)]
        if not described:
            return resolve(args[0])
        return _with_item(described[0], args[0])
    if origin in (typing.Union, types.UnionType):
        return resolve(next(a for a in args if a is not type(None)))
    raise TypeError(f"{annotation!r} describes no ASN.1 type")


def _with_item(described: AperType, base: Any) -> AperType:
    """A list takes its item from the annotated `tuple[item, ...]`."""
    if isinstance(described, SequenceOf):
        return SequenceOf(described.low, described.high, resolve(typing.get_args(base)[0]))
    if isinstance(described, IeList):
        item = resolve(typing.get_args(base)[0])
        return IeList(described.id, described.criticality, described.high, item)
    return described


def bits_for(count: int) -> int:
    """Bits of a bit-field that tells `count` values apart (X.691, 11.5.7.1)."""
    return (count - 1).bit_length()
