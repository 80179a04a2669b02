# SPDX-License-Identifier: Apache-2.0
"""Compiles type descriptions to straight-line encoding code (ITU-T X.691, BASIC-PER ALIGNED)."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from dialtone.codec.s1ap.notation import (
    AperType,
    BitString,
    BitStringOctets,
    Choice,
    Component,
    Enumerated,
    Group,
    IeList,
    Integer,
    Mapped,
    OctetString,
    OpenType,
    PrintableString,
    Sequence,
    SequenceOf,
    bits_for,
    components,
    resolve,
)
from dialtone.codec.s1ap.pen import Pen


class Encoder(Pen):
    """Writes the code that encodes values, each given as the name of a variable or a cheap expression."""

    def value(self, kind: Any, v: str, last: bool = False) -> None:
        """Code for one value. `last`: nothing follows but alignment."""
        if isinstance(kind, type) and issubclass(kind, Sequence):
            self._components(components(kind), v, f"{v}.ie_extensions", last)
        else:
            _WRITE[type(kind)](self, kind, v, last)

    def _integer(self, kind: Integer, v: str, last: bool) -> None:
        span = kind.high - kind.low + 1
        if kind.extensible:

            def beyond() -> None:
                self.bits("1", 1)
                self.align()
                self.octets(f"write_integer({v})")

            def root() -> None:
                self.bits("0", 1)
                self.bits(f"{v} - {kind.low}" if kind.low else v, bits_for(span))
                if last:
                    self.align()

            self.fork(f"not {kind.low} <= {v} <= {kind.high}", beyond, root)
            return
        self.within(v, kind.low, kind.high)
        number = f"({v} - {kind.low})" if kind.low else v
        if span > 65536:
            octets = self.name("n")
            self.emit(f"{octets} = {number}.bit_length() + 7 >> 3 or 1")
            self.bits(f"{octets} - 1", bits_for(((span - 1).bit_length() + 7) // 8))
            self.align()
            self.octets(f'{number}.to_bytes({octets}, "big")')
            return
        if span > 255:
            self.align()
        self.bits(number, 8 if span == 256 else 16 if span > 255 else bits_for(span))

    def _enumerated(self, kind: Enumerated, v: str, last: bool) -> None:
        width = bits_for(kind.root)
        if not kind.extensible:
            self.within(v, 0, kind.root - 1)
            self.bits(v, width)
            return

        def beyond() -> None:
            self.within(v, kind.root, kind.root + 63)
            self.bits("1", 1)
            self.bits(f"{v} - {kind.root}", 7)
            if last:
                self.align()

        def root() -> None:
            self.within(v, 0, kind.root - 1)
            self.bits("0", 1)
            self.bits(v, width)
            if last:
                self.align()

        self.fork(f"{v} >= {kind.root}", beyond, root)

    def _bit_string(self, kind: BitString, v: str, last: bool) -> None:
        if kind.extensible:
            self.bits("0", 1)
        if kind.size > 16:
            self.align()
        if kind.octets:
            self.length(v, kind.size // 8, kind.size // 8)
            self.octets(v, kind.size // 8)
        else:
            self.refuse_if(f"{v} >> {kind.size}", f"above {kind.size} bits")
            self.bits(v, kind.size)

    def _bit_string_octets(self, kind: BitStringOctets, v: str, last: bool) -> None:
        self.length(v, kind.low + 7 >> 3, kind.high >> 3)
        self.bits("0", 1)
        self.bits(f"(len({v}) * 8 - {kind.low})", bits_for(kind.high - kind.low + 1))
        self.align()
        self.octets(v)

    def _octet_string(self, kind: OctetString, v: str, last: bool) -> None:
        size = kind.fixed()
        if size is None:
            self._sized_octets(kind, v)
            return
        if size > 2:
            self.align()
        if kind.number:
            if self.aligned():
                self.octets(f'{v}.to_bytes({size}, "big")', size)
            else:
                self.refuse_if(f"{v} >> {size * 8}", f"above {size} octets")
                self.bits(v, size * 8)
            return
        self.length(v, size, size)
        if self.aligned():
            self.octets(v, size)
        else:
            self.bits(f'int.from_bytes({v}, "big")', size * 8)

    def _sized_octets(self, kind: OctetString, v: str) -> None:
        if kind.high is None:
            self.align()
            self.counted(v)
            return
        self.length(v, kind.low, kind.high)
        self.size(f"len({v})", kind.low, kind.high)
        self.align()
        self.octets(v)

    def _mapped(self, kind: Mapped, v: str, last: bool) -> None:
        wire = self.name()
        self.emit(f"{wire} = {self.refer(kind.to_wire, 'convert')}({v})")
        self.value(kind.wire, wire, last)

    def _printable_string(self, kind: PrintableString, v: str, last: bool) -> None:
        octets = self.name()
        self.emit(f'{octets} = {v}.encode("ascii")')

        def beyond() -> None:
            self.length(octets, kind.low, 65535)
            self.bits("1", 1)
            self.align()
            self.counted(octets)

        def root() -> None:
            self.length(octets, kind.low, kind.high)
            self.bits("0", 1)
            self.size(f"len({octets})", kind.low, kind.high)
            self.align()
            self.octets(octets)

        self.fork(f"len({octets}) > {kind.high}", beyond, root)

    def _open_type(self, kind: OpenType, v: str, last: bool) -> None:
        self.octets(v)

    # -- constructed types ------------------------------------------------------------------------

    def _sequence_of(self, kind: SequenceOf, v: str, last: bool) -> None:
        self.length(v, kind.low, kind.high)
        self.size(f"len({v})", kind.low, kind.high)
        if isinstance(kind.item, AperType) and kind.item.starts_aligned():
            self.align()
        self.loop(v, lambda item: self.value(kind.item, item))

    def _ie_list(self, kind: IeList, v: str, last: bool) -> None:
        self.length(v, 1, kind.high)
        self.size(f"len({v})", 1, kind.high)
        self.align()
        self.loop(v, lambda item: self.ie(kind.id, kind.criticality, kind.item, item))

    def ie(self, number: int, criticality: int, kind: Any, v: str) -> None:
        """A ProtocolIE-Field: id, criticality, and the value as an open type."""
        self.constant(number.to_bytes(2, "big") + bytes((criticality << 6,)))
        self.open_type(lambda: self.value(kind, v, last=True))

    def _group(self, kind: Group, v: str, last: bool) -> None:
        listed = [Component(name, resolve(annotation), False) for name, annotation in kind.components.items()]
        self._components(listed, v, "", last)

    def _components(self, listed: list[Component], v: str, extensions: str, last: bool) -> None:
        """Preamble and components of an extensible SEQUENCE (X.691, 19)."""
        fields: dict[str, str] = {}
        for component in listed:
            fields[component.name] = self.name()
            self.emit(f"{fields[component.name]} = {v}.{component.name}")
        self.bits("0", 1)
        for component in listed:
            if component.optional:
                self.bits(f"({fields[component.name]} {'!= ()' if component.is_list else 'is not None'})", 1)
        rare = "0"
        if extensions:
            rare = self.name("x")
            self.emit(f"{rare} = {extensions}")
            self.bits(f"({rare} != ())", 1)
        else:
            self.bits("0", 1)
        for component in listed:
            field = fields[component.name]
            write = partial(self.value, component.type, field)
            if component.optional:
                self.fork(f"{field} {'!= ()' if component.is_list else 'is not None'}", write)
            else:
                write()
        if extensions:
            if last:
                self.align()
            self.fork(rare, lambda: self.octets(f"write_extensions({rare})"))

    def _choice(self, kind: Choice, v: str, last: bool) -> None:
        inner, arms, width = self.name(), [], bits_for(len(kind.root))
        conditions = self._conditions(kind, v, inner)

        def root(index: int, described: Any) -> None:
            self.bits(str(index), width + 1)
            self.value(described, inner, last)
            if last:
                self.align()

        def beyond(index: int, described: Any) -> None:
            self.bits(str(1 << 7 | index), 8)
            self.align()
            self.open_type(lambda: self.value(described, inner, last=True))

        for write, alternatives in ((root, kind.root), (beyond, kind.extension)):
            for index, annotation in enumerate(alternatives.values()):
                arms.append(partial(write, index, resolve(annotation)))

        def chain(number: int) -> None:
            if number == len(arms) - 1:
                self.refuse_if(f"not {conditions[number]}", "no alternative of the CHOICE")
                arms[number]()
            else:
                self.fork(conditions[number], arms[number], partial(chain, number + 1))

        chain(0)

    def _conditions(self, kind: Choice, v: str, inner: str) -> list[str]:
        """What tells the alternatives apart, in order."""
        if kind.cls is None:
            self.emit(f"{inner} = {v}")
            return [f"isinstance({v}, {self.refer(one, 'type')})" for one in kind.python_types]
        name = self.name()
        self.emit(f"{name}, {inner} = {v}")
        return [f"({name} == {alternative!r})" for alternative in (*kind.root, *kind.extension)]


_WRITE: Mapping[type[AperType], Callable[[Encoder, Any, str, bool], None]] = {
    Integer: Encoder._integer,
    Enumerated: Encoder._enumerated,
    BitString: Encoder._bit_string,
    BitStringOctets: Encoder._bit_string_octets,
    OctetString: Encoder._octet_string,
    Mapped: Encoder._mapped,
    PrintableString: Encoder._printable_string,
    OpenType: Encoder._open_type,
    SequenceOf: Encoder._sequence_of,
    IeList: Encoder._ie_list,
    Choice: Encoder._choice,
    Group: Encoder._group,
}
