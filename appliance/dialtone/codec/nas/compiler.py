# SPDX-License-Identifier: Apache-2.0
"""From a message's table to straight-line Python: one decode and one encode function for each message.

The source text is made once, on first use of the message; nothing of the table is looked at later.
Errors follow TS 24.301, clause 7: what is wrong in the mandatory part is cause #96; an optional element
that is wrong is as if absent; a longer one than its specification is read as far as that goes
(TS 24.007, 11.4.2). Known optional elements are read in any order: an IEI is unique within a message,
so ignoring one that is out of sequence (a "should" of 7.6.2 for the network) would gain nothing.
"""

import types
import typing
from collections.abc import Callable
from dataclasses import fields
from typing import Any, NamedTuple

from dialtone.codec.nas.tables import EPD_EMM, EPD_ESM, HALF, Codec, EsmMessage, Format, NasMessage
from dialtone.errors import LocalError, ProtocolError

Decoder = Callable[[bytes], NasMessage]
Encoder = Callable[[Any], bytes]

INVALID_MANDATORY = 96
_LENGTH_OCTETS = {"V": 0, "LV": 1, "LV-E": 2, "TV": 0, "TLV": 1, "TLV-E": 2}


class _Element(NamedTuple):
    name: str
    format: Format
    value: Any  # int or bytes, a class derived from them, a class with from_bytes and to_bytes, a Codec


def _value_of(hint: Any) -> Any:
    """What turns the octets of a field with this annotation into its value."""
    if typing.get_origin(hint) is typing.Annotated:
        for extra in hint.__metadata__:
            if isinstance(extra, Codec):
                return extra
        return _value_of(hint.__origin__)
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        (only,) = (arm for arm in typing.get_args(hint) if arm is not type(None))
        return _value_of(only)
    return hint


def _elements(cls: type[NasMessage]) -> list[_Element]:
    hints = typing.get_type_hints(cls, include_extras=True)
    found = []
    for item in fields(cls):
        formats = [extra for extra in getattr(hints[item.name], "__metadata__", ()) if isinstance(extra, Format)]
        if formats:
            found.append(_Element(item.name, formats[0], _value_of(hints[item.name])))
    return found


def _is_int(value: Any) -> bool:
    return isinstance(value, type) and issubclass(value, int)


def _octets(value: Any) -> bool:
    return isinstance(value, type) and issubclass(value, bytes)


class _Source:
    """Lines of a function in the making, with the objects its text refers to."""

    def __init__(self, cls: type[NasMessage], head: str) -> None:
        self.cls = cls
        self.lines = [head]
        self.names: dict[str, Any] = {"cls": cls, "new": object.__new__, "ProtocolError": ProtocolError,
                                      "cut": cut, "short": short, "misfit": misfit, "skip": skip}  # fmt: skip

    def add(self, text: str, depth: int = 1) -> None:
        self.lines.append("    " * depth + text)

    def bind(self, obj: Any) -> str:
        name = f"o{len(self.names)}"
        self.names[name] = obj
        return name

    def function(self, name: str) -> Any:
        scope = dict(self.names)
        code = compile("\n".join(self.lines), f"<table of {self.cls.__name__}>", "exec")
        exec(code, scope)
        return scope[name]


# --- what the generated text calls when something is wrong ---------------------------------------------


def cut(cls: type[NasMessage], name: str) -> ProtocolError:
    """A mandatory element reaches beyond the end of the message."""
    return ProtocolError(
        f"{cls.NAME}: {name} is cut short", cause=INVALID_MANDATORY, clause="TS 24.301, 7.5.1"
    )


def short(cls: type[NasMessage], name: str) -> ProtocolError:
    """A mandatory element has fewer octets than its format says."""
    return ProtocolError(
        f"{cls.NAME}: {name} is too short", cause=INVALID_MANDATORY, clause="TS 24.301, 7.5.1"
    )


def misfit(cls: type[NasMessage], name: str, value: Any) -> LocalError:
    """A value of ours does not fit its element."""
    return LocalError(
        f"{cls.__name__}.{name} = {value!r} does not fit its information element",
        remedy=f"See the table in {cls.CLAUSE}.",
    )


def skip(data: bytes, start: int, fixed: dict[int, int]) -> int:
    """The end of an element that is not read (TS 24.007, 11.2.4); `fixed`: lengths of this table's TVs.

    Raises ProtocolError with cause #96 for an unknown element that must be understood (11.2.5).
    """
    iei = data[start]
    if iei < 0x10:
        raise ProtocolError(
            f"unknown information element {iei:#04x} requires comprehension",
            cause=INVALID_MANDATORY,
            clause="TS 24.301, 7.5.1",
        )
    rest = len(data) - start
    if iei in fixed:
        length = fixed[iei]
    elif iei & 0x80:
        length = 1
    elif iei >= 0x78:
        length = 3 + int.from_bytes(data[start + 1 : start + 3]) if rest >= 3 else rest
    else:
        length = 2 + data[start + 1] if rest >= 2 else rest
    return start + min(length, rest)


# --- decoding ------------------------------------------------------------------------------------------


def _read(source: _Source, value: Any, start: str, end: str, length: int) -> str:
    """An expression for the value between two offsets; `length` is that of the value part, 0 unknown."""
    if _is_int(value):
        number = f"data[{start}]" if length == 1 else f"int.from_bytes(data[{start}:{end}])"
        return number if value is int else f"{source.bind(value)}({number})"
    octets = f"data[{start}:{end}]"
    if value is bytes:
        return octets
    if _octets(value):
        return f"{source.bind(value)}({octets})"
    return f"{source.bind(value.decode if isinstance(value, Codec) else value.from_bytes)}({octets})"


def _sum(base: str, more: int) -> str:
    if base == "":
        return str(more)
    return f"{base}+{more}" if more else base


def _mandatory(source: _Source, elements: list[_Element], at: int) -> tuple[str, int]:
    """Read the imperative part; returns where it ends: a variable's name (or none) plus a number."""
    base, low_half = "", True
    for index, (name, form, value) in enumerate(elements):
        here = _sum(base, at)
        if form.kind == "V" and form.low == HALF:
            source.add(f"m.{name} = data[{here}] {'& 15' if low_half else '>> 4'}")
            follows = index + 1 < len(elements) and elements[index + 1].format[:3] == ("V", 0, HALF)
            if low_half and follows:
                low_half = False
            else:
                low_half, at = True, at + 1
        elif form.kind == "V":
            if form.low > 1:
                source.add(f"if n < {_sum(base, at + form.low)}: raise cut(cls, {name!r})")
            source.add(f"m.{name} = {_read(source, value, here, _sum(base, at + form.low), form.low)}")
            at += form.low
        else:
            size = _LENGTH_OCTETS[form.kind]
            length = f"data[{here}]" if size == 1 else f"data[{here}] << 8 | data[{_sum(base, at + 1)}]"
            source.add(f"k = {length}; s = {_sum(base, at + size)}; p = s + k")
            source.add(f"if p > n: raise cut(cls, {name!r})")
            if form.low > size:
                source.add(f"if k < {form.low - size}: raise short(cls, {name!r})")
            most = form.high - size
            end = "p" if form.high in (256, 65537) else f"(p if k <= {most} else s+{most})"
            exact = most if form.low == form.high else 0
            source.add(f"m.{name} = {_read(source, value, 's', end, exact)}")
            base, at = "p", 0
    return base, at


def _optional(source: _Source, element: _Element) -> None:
    """Read one optional element if it stands at p; leaves p where it is if that is not possible."""
    name, form, value = element
    if form.kind == "TV" and form.low == 1:
        source.add(f"if t & 240 == {form.iei << 4} and m.{name} is None:", 2)
        source.add(f"m.{name} = {_read_half(source, value)}", 3)
        source.add("p += 1; t = data[p] if p < n else 0", 3)
        return
    if form.kind == "TV":
        source.add(f"if t == {form.iei} and p + {form.low} <= n and m.{name} is None:", 2)
        begin, end, advance = "p+1", f"p+{form.low}", f"p += {form.low}"
    else:
        size = _LENGTH_OCTETS[form.kind]
        source.add(f"if t == {form.iei} and p + {1 + size} < n and m.{name} is None:", 2)
        source.add(f"q = p + {1 + size} + " + ("data[p+1]" if size == 1 else "(data[p+1] << 8 | data[p+2])"), 3)
        source.add(f"if p + {form.low} <= q <= n:", 3)
        begin, end, advance = f"p+{1 + size}", "q", "p = q"
        if form.high not in (257, 65538):
            end = f"p+{form.high}" if form.low == form.high else f"(q if q <= p+{form.high} else p+{form.high})"
    depth = 3 if form.kind == "TV" else 4
    length = form.low - 1 - _LENGTH_OCTETS[form.kind] if form.low == form.high else 0
    text = f"m.{name} = {_read(source, value, begin, end, length)}"
    if _is_int(value) or _octets(value):
        source.add(text, depth)
        source.add(f"{advance}; t = data[p] if p < n else 0", depth)
        return
    source.add("try:", depth)
    source.add(text, depth + 1)
    source.add(f"{advance}; t = data[p] if p < n else 0", depth + 1)
    source.add("except ProtocolError: pass", depth)  # 7.7.1: as if absent


def _read_half(source: _Source, value: Any) -> str:
    return "t & 15" if value is int else f"{source.bind(value)}(t & 15)"


def decoder(cls: type[NasMessage]) -> Decoder:
    """The function that reads one message of this class from a whole plain NAS message."""
    elements = _elements(cls)
    mandatory = [element for element in elements if element.format.iei == 0]
    optional = [element for element in elements if element.format.iei]
    source = _Source(cls, "def decode(data):")
    source.add("n = len(data); m = new(cls)")
    at = 2
    if issubclass(cls, EsmMessage):
        source.add("m.eps_bearer_identity = data[0] >> 4; m.procedure_transaction_identity = data[1]")
        at = 3
    source.add("m.unknown_ies = u = []")
    base, at = _mandatory(source, mandatory, at)
    for index in range(0, len(optional), 8):
        chain = " = ".join(f"m.{element.name}" for element in optional[index : index + 8])
        source.add(f"{chain} = None")
    source.add(f"p = {_sum(base, at)}")
    source.add("if p > n: raise cut(cls, 'the message')")
    if optional:
        source.add("t = data[p] if p < n else 0")
    source.add("while p < n:")
    source.add("start = p", 2)
    for element in optional:
        _optional(source, element)
    fixed = source.bind({e.format.iei: e.format.low for e in optional if e.format.kind == "TV" and e.format.low > 1})
    source.add("if p == start:", 2)
    source.add(f"p = skip(data, p, {fixed})", 3)
    source.add("u.append(data[start:p])", 3)
    if optional:
        source.add("t = data[p] if p < n else 0", 3)
    source.add("return m")
    made: Decoder = source.function("decode")
    return made


# --- encoding ------------------------------------------------------------------------------------------


def _written(source: _Source, value: Any, length: int) -> str:
    """An expression for the octets of `v`."""
    if _is_int(value):
        return f"v.to_bytes({max(length, 1)})"
    if _octets(value):
        return "v"
    if isinstance(value, Codec):
        return f"{source.bind(value.encode)}(v)"
    return "v.to_bytes()"


def _append(source: _Source, element: _Element, depth: int) -> None:
    """Append `v`, the value of a whole-octet element."""
    name, form, value = element
    tag = 1 if form.iei else 0
    size = _LENGTH_OCTETS[form.kind]
    least, most = form.low - tag - size, form.high - tag - size
    if _is_int(value) and least == most == 1:
        head = ([form.iei] if tag else []) + ([0] * (size - 1) + [1] if size else [])
        if head:
            source.add(f"o += {bytes(head)!r}", depth)
        source.add("o.append(v)", depth)
        return
    source.add(f"w = {_written(source, value, least)}; k = len(w)", depth)
    test = f"k != {least}" if least == most else f"not {least} <= k <= {most}"
    source.add(f"if {test}: raise misfit(cls, {name!r}, v)", depth)
    if tag:
        source.add(f"o.append({form.iei})", depth)
    if size == 2:
        source.add("o.append(k >> 8); o.append(k & 255)", depth)
    elif size == 1:
        source.add("o.append(k)", depth)
    source.add("o += w", depth)


def encoder(cls: type[NasMessage]) -> Encoder:
    """The function that writes one message of this class."""
    elements = _elements(cls)
    source = _Source(cls, "def encode(m):")
    if issubclass(cls, EsmMessage):
        source.add(f"o = bytearray((m.eps_bearer_identity << 4 | {EPD_ESM}, "
                   f"m.procedure_transaction_identity, {cls.MESSAGE_TYPE}))")  # fmt: skip
    else:
        source.add(f"o = bytearray({bytes((EPD_EMM, cls.MESSAGE_TYPE))!r})")
    waiting = ""  # a half octet that waits for its neighbour
    for element in elements:
        name, form, _ = element
        half = form.kind == "V" and form.low == HALF
        if waiting:
            source.add(f"w = m.{name}" if half else "w = 0")
            source.add(f"if (v | w) >> 4: raise misfit(cls, {waiting!r}, (v, w))")
            source.add("o.append(v | w << 4)")
            waiting = ""
            if half:
                continue
        source.add(f"v = m.{name}")
        if half:
            waiting = name
        elif form.iei == 0:
            _append(source, element, 1)
        else:
            source.add("if v is not None:")
            if form.kind == "TV" and form.low == 1:
                source.add(f"if v >> 4: raise misfit(cls, {name!r}, v)", 2)
                source.add(f"o.append({form.iei << 4} | v)", 2)
            else:
                _append(source, element, 2)
    if waiting:
        source.add(f"if v >> 4: raise misfit(cls, {waiting!r}, v)")
        source.add("o.append(v)")
    source.add("for v in m.unknown_ies: o += v")
    source.add("return bytes(o)")
    made: Encoder = source.function("encode")
    return made

