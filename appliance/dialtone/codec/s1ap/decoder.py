# SPDX-License-Identifier: Apache-2.0
"""Compiles type descriptions to straight-line decoding code (ITU-T X.691, BASIC-PER ALIGNED)."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from dialtone.codec.s1ap.cursor import Cursor
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


class Decoder(Cursor):
    """Writes the code that reads values; `value` gives the expression of one."""

    def value(self, kind: Any, last: bool = False) -> str:
        """Code for one value; the expression that gives it. `last`: nothing follows but alignment."""
        if isinstance(kind, type) and issubclass(kind, Sequence):
            return self._sequence_class(kind, last)
        return _READ[type(kind)](self, kind, last)

    def _integer(self, kind: Integer, last: bool) -> str:
        span = kind.high - kind.low + 1
        if kind.extensible:
            extended, value = self.bits(1), self.name()
            plain = Integer(kind.low, kind.high)
            self.fork(extended, partial(self._free_integer, value), lambda: self._store(value, plain, last))
            return value
        if span > 65536:
            return self._wide_integer(kind)
        if span > 255:
            self.align()
        value = self.bits(8 if span == 256 else 16 if span > 255 else bits_for(span))
        if span & (span - 1):
            self.at_most(value, span - 1)
        return f"({value} + {kind.low})" if kind.low else value

    def _wide_integer(self, kind: Integer) -> str:
        """Above 64K values: number of octets as a bit-field, then those octets (X.691, 11.5.7.4)."""
        octets, value = self.bits(bits_for(((kind.high - kind.low).bit_length() + 7) // 8)), self.name()
        self.align()
        self.settle()
        self.emit(f"{octets} += p + 1")
        self.emit(f'{value} = int.from_bytes(d[p:{octets}], "big")' + (f" + {kind.low}" if kind.low else ""))
        self.moved(f"p = {octets}")
        if kind.high + 1 & kind.high or kind.high.bit_length() % 8:
            self.at_most(value, kind.high)
        return value

    def _free_integer(self, value: str) -> None:
        self.align()
        self.moved(f"{value}, p = read_integer(d, {self.at()})")

    def _store(self, variable: str, kind: Any, last: bool) -> None:
        """Read a value into a variable; where nothing follows, leave the position aligned."""
        self.emit(f"{variable} = {self.value(kind, last)}")
        if last:
            self.align()

    def _enumerated(self, kind: Enumerated, last: bool) -> str:
        members, width = self.refer(tuple(kind.values)[: kind.root], "root"), bits_for(kind.root)
        if not kind.extensible:
            return f"{members}[{self.bits(width)}]"
        extended, value = self.bits(1), self.name()

        def beyond() -> None:
            number = self.bits(7)  # a normally small number; no enumeration has 64 additions
            self.at_most(number, 63)
            self.emit(f"{value} = extension_value({self.refer(kind.values, 'values')}, {kind.root} + {number})")
            if last:
                self.align()

        def root() -> None:
            self.emit(f"{value} = {members}[{self.bits(width)}]")
            if last:
                self.align()

        self.fork(extended, beyond, root)
        return value

    def _bit_string(self, kind: BitString, last: bool) -> str:
        if kind.extensible:
            self.refuse_extension(f"a bit string above {kind.size} bits")
        if kind.size > 16:
            self.align()
        if not kind.octets:
            return self.bits(kind.size)
        return self.octets(kind.size // 8)

    def _bit_string_octets(self, kind: BitStringOctets, last: bool) -> str:
        self.refuse_extension(f"a bit string above {kind.high} bits")
        count = self.size(kind.low, kind.high)
        self.emit(f"if {count} & 7:")
        self.emit('    raise Malformed("a bit string of no whole octets")')
        self.emit(f"{count} >>= 3")
        self.align()
        return self.counted_octets(count)

    def _octet_string(self, kind: OctetString, last: bool) -> str:
        size = kind.fixed()
        if size is None:
            if kind.high is None:
                return self.any_octets()
            count = self.size(kind.low, kind.high)
            self.align()
            return self.counted_octets(count)
        if size > 2:
            self.align()
        if kind.number:
            return self.bits(size * 8)
        if self.offset is not None and self.offset % 8 == 0:
            return self.octets(size)
        return f'{self.bits(size * 8)}.to_bytes({size}, "big")'

    def _mapped(self, kind: Mapped, last: bool) -> str:
        return f"{self.refer(kind.to_python, 'convert')}({self.value(kind.wire)})"

    def _printable_string(self, kind: PrintableString, last: bool) -> str:
        extended, value = self.bits(1), self.name()

        def beyond() -> None:
            self.emit(f"{value} = {self.any_octets()}")

        def root() -> None:
            count = self.size(kind.low, kind.high)
            self.align()
            self.emit(f"{value} = {self.counted_octets(count)}")

        self.fork(extended, beyond, root)
        return f'{value}.decode("ascii")'

    def _open_type(self, kind: OpenType, last: bool) -> str:
        value = self.name()
        self.emit(f"{value} = d[{self.at()}:{self.end}]")
        self.moved(f"p = {self.end}")
        return value

    # -- constructed types ------------------------------------------------------------------------

    def _sequence_of(self, kind: SequenceOf, last: bool) -> str:
        return self._list(self.size(kind.low, kind.high), kind.item, lambda: self.value(kind.item))

    def _ie_list(self, kind: IeList, last: bool) -> str:
        return self._list(self.size(1, kind.high), None, partial(self._single_container, kind))

    def _list(self, count: str, item: Any, read: Callable[[], str]) -> str:
        """A loop; its body is written anew with a run-time position if it does not end where it starts."""
        if item is None or (isinstance(item, AperType) and item.starts_aligned()):
            self.align()
        self.settle()
        found, start = self.name("l"), self.offset
        self.emit(f"{found} = []")

        def body() -> None:
            self.emit(f"{found}.append({read()})")
            self.settle()

        lines = self.capture(body)
        if self.offset != start:
            if start is not None:
                self.emit(f"b = p * 8 + {start}")
            self.offset = None
            lines = self.capture(body)
            if self.offset is not None:
                lines.append("    " * (self.depth + 1) + f"b = p * 8 + {self.offset}")
                self.offset = None
        self.emit(f"for _ in range({count}):")
        self.lines += lines
        return f"tuple({found})"

    def _single_container(self, kind: IeList) -> str:
        """A ProtocolIE-SingleContainer: id, criticality, open type."""
        ie = self.bits(16)
        self.emit(f"if {ie} != {kind.id}:")
        self.emit(f'    raise Malformed(f"IE {{{ie}}} in a list of IE {kind.id}")')
        self.criticality()
        return self.open_type(lambda: self.value(kind.item, last=True))

    def open_type(self, read: Callable[[], str]) -> str:
        """An open type at an octet boundary: length, value, and the check that one fills the other."""
        outer, end, after, value = self.name("d"), self.name("q"), self.name("r"), self.name()
        enclosing, self.end = self.end, end
        self.emit(f"{outer} = d")
        self.emit(f"{end} = d[{self.at()}]")
        start = self.at(1)
        self.emit(f"if {end} < 128:")
        self.emit(f"    p = {start}")
        self.emit(f"    {after} = {end} = {end} + p")
        self.emit("else:")
        self.moved(f"    d, p, {end}, {after} = reopen(d, {self.at()})")
        before = len(self.lines)
        read_value = read()
        if self.offset == 0 and len(self.lines) == before:
            self.offset = 8  # a value of no bits is an octet of zeros (X.691, 11.1.3)
        self.emit(f"{value} = {read_value}")
        self.align()
        self.emit(f"if {self.at()} != {end}:")
        self.emit('    raise Malformed("an open type longer or shorter than its value")')
        self.emit(f"d = {outer}")
        self.moved(f"p = {after}")
        self.end = enclosing
        return value

    def _sequence_class(self, cls: type[Sequence], last: bool) -> str:
        made = self.name()
        fields, extensions = self._components(components(cls), last)
        self.emit(f"{made} = new({self.refer(cls, 'cls')})")
        for name, value in fields.items():
            self.emit(f"{made}.{name} = {value}")
        self.emit(f"{made}.ie_extensions = {extensions}")
        return made

    def _group(self, kind: Group, last: bool) -> str:
        listed = [Component(name, resolve(annotation), False) for name, annotation in kind.components.items()]
        fields, _ = self._components(listed, last)
        return f"new_tuple({self.refer(kind.cls, 'cls')}, ({', '.join(fields.values())},))"

    def _components(self, listed: list[Component], last: bool) -> tuple[dict[str, str], str]:
        """Preamble and components of an extensible SEQUENCE: field name to variable, and the iE-Extensions."""
        optional = [c for c in listed if c.optional]
        flags = self.bits(2 + len(optional))
        fields: dict[str, str] = {}
        for component in listed:
            variable = fields[component.name] = self.name()
            if not component.optional:
                self.emit(f"{variable} = {self.value(component.type)}")
                continue
            self.emit(f"{variable} = {'()' if component.is_list else None}")
            mask = 1 << len(optional) - optional.index(component)
            self.fork(f"{flags} & {mask}", lambda c=component, v=variable: self._store(v, c.type, False))  # type: ignore[misc]
        extensions = self.name("x")
        self.emit(f"{extensions} = ()")
        if last:
            self.align()
        self.fork(f"{flags} & {1 | 2 << len(optional)}", lambda: self._rare(flags, len(optional), extensions))
        return fields, extensions

    def _rare(self, flags: str, optional: int, extensions: str) -> None:
        """iE-Extensions, then extension additions."""

        def container() -> None:
            self.align()
            self.moved(f"{extensions}, p = read_ies(d, {self.at()}, 1)")

        self.fork(f"{flags} & 1", container)
        self.fork(
            f"{flags} & {2 << optional}",
            lambda: self.moved(f"p = skip_additions(d, {self.bit_position()})"),
        )

    def _choice(self, kind: Choice, last: bool) -> str:
        value, width = self.name(), bits_for(len(kind.root))
        if not kind.extension:
            self._alternatives(kind, kind.root, value, self.bits(width + 1), last)
            return value

        def beyond() -> None:
            number = self.bits(7)  # a normally small number
            self.align()
            self._alternatives(kind, kind.extension, value, number, last, open_type=True)

        def root() -> None:
            self._alternatives(kind, kind.root, value, self.bits(width), last)

        self.fork(self.bits(1), beyond, root)
        return value

    def _alternatives(
        self,
        kind: Choice,
        known: Mapping[str, Any],
        value: str,
        index: str,
        last: bool,
        *,
        open_type: bool = False,
    ) -> None:
        """A chain of `if index == n`; in an extension each alternative is an open type."""
        self.at_most(index, len(known) - 1)
        alternatives = list(known.items())

        def arm(name: str, annotation: Any) -> None:
            described = resolve(annotation)
            inner = (
                self.open_type(lambda: self.value(described, last=True))
                if open_type
                else self.value(described, last)
            )
            if kind.cls:
                inner = f"new_tuple({self.refer(kind.cls, 'cls')}, ({name!r}, {inner}))"
            self.emit(f"{value} = {inner}")
            if last:
                self.align()

        def chain(number: int) -> None:
            if number == len(alternatives) - 1:
                arm(*alternatives[number])
            else:
                self.fork(f"{index} == {number}", partial(arm, *alternatives[number]), partial(chain, number + 1))

        chain(0)


_READ: dict[type[AperType], Callable[[Decoder, Any, bool], str]] = {
    Integer: Decoder._integer,
    Enumerated: Decoder._enumerated,
    BitString: Decoder._bit_string,
    BitStringOctets: Decoder._bit_string_octets,
    OctetString: Decoder._octet_string,
    Mapped: Decoder._mapped,
    PrintableString: Decoder._printable_string,
    OpenType: Decoder._open_type,
    SequenceOf: Decoder._sequence_of,
    IeList: Decoder._ie_list,
    Choice: Decoder._choice,
    Group: Decoder._group,
}
