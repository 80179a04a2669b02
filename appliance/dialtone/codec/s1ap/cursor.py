# SPDX-License-Identifier: Apache-2.0
"""The position of a decoder in the PDU, known when the code is written wherever possible (ITU-T X.691, 11).

The generated code reads `d` (the PDU) at octet `p`. While the generator knows how many bits lie between `p` and the
next value (`offset`), every access is an index or slice with constants. Where branches of an OPTIONAL or a CHOICE end
at different bits, the position becomes the run-time bit number `b` until the next alignment (`offset` is None).

Slices past the end come out short and are not noticed on the spot: each open type ends with a comparison of the
position with its end, and no value leaves the function before that. Single octets past the end raise IndexError.
"""

from collections.abc import Callable

from dialtone.codec.s1ap.notation import bits_for
from dialtone.codec.s1ap.source import Source


class Cursor(Source):
    """Writes code that reads bits and octets."""

    def __init__(self) -> None:
        super().__init__()
        self.offset: int | None = 0
        self.end = "e"  # the variable that holds the end of the open type being read

    # -- position ---------------------------------------------------------------------------------

    def at(self, octets: int = 0) -> str:
        """The octet `octets` after the present one, as an expression."""
        assert self.offset is not None
        octets += self.offset // 8
        return f"p + {octets}" if octets else "p"

    def align(self) -> None:
        """Go to the next octet boundary."""
        if self.offset is None:
            self.moved("p = b + 7 >> 3")
        else:
            self.offset = (self.offset + 7) // 8 * 8

    def settle(self) -> None:
        """Bring `p` to the present octet, as is needed where control flow parts or meets."""
        if self.offset is not None and self.offset >= 8:
            self.emit(f"p += {self.offset // 8}")
            self.offset %= 8

    def moved(self, line: str) -> None:
        """A line that leaves `p` at an octet boundary."""
        self.emit(line)
        self.offset = 0

    def bit_position(self) -> str:
        return "b" if self.offset is None else f"p * 8 + {self.offset}"

    def fork(self, condition: str, then: Callable[[], object], other: Callable[[], object] | None = None) -> None:
        """`if condition: then else: other`, where both may move the position."""
        self.settle()
        start, ends, arms = self.offset, list[int | None](), list[list[str]]()
        for body in (then, other or (lambda: None)):
            self.offset = start
            arms.append(self.capture(body, self.settle))
            ends.append(self.offset)
        if ends[0] != ends[1]:
            for arm, end in zip(arms, ends, strict=True):
                if end is not None:
                    arm.append("    " * (self.depth + 1) + f"b = p * 8 + {end}")
            self.offset = None
        self.emit(f"if {condition}:")
        self.lines += arms[0] or ["    " * (self.depth + 1) + "pass"]
        if arms[1]:
            self.emit("else:")
            self.lines += arms[1]

    # -- bits, octets, lengths --------------------------------------------------------------------

    def bits(self, count: int) -> str:
        """Read a bit-field; the name of its value."""
        if not count:
            return "0"
        value = self.name()
        if self.offset is None:
            self.emit(f"{value} = read_bits(d, b, {count})")
            self.emit(f"b += {count}")
            return value
        first, end = self.offset // 8, self.offset + count
        span, shift = (end - 1) // 8 - first, -end % 8
        if span == 0:
            word = f"d[{self.at()}]"
        elif span == 1:
            word = f"(d[{self.at()}] << 8 | d[{self.at(1)}])"
        else:
            word = f'int.from_bytes(d[{self.at()}:{self.at(span + 1)}], "big")'
        word = f"{word} >> {shift}" if shift else word
        self.emit(f"{value} = {word}" if self.offset % 8 == 0 else f"{value} = {word} & {(1 << count) - 1}")
        self.offset = end
        return value

    def octets(self, count: int) -> str:
        """Read octets at an octet boundary: an expression to be used before the position moves again."""
        assert self.offset is not None
        text = f"d[{self.at()}:{self.at(count)}]"
        self.offset += count * 8
        return text

    def counted_octets(self, count: str) -> str:
        """Read a run-time number of octets at an octet boundary."""
        value = self.name()
        self.settle()
        self.emit(f"{value} = d[p:p + {count}]")
        self.moved(f"p += {count}")
        return value

    def any_octets(self) -> str:
        """Read a length determinant and its octets (X.691, 11.9.4.2)."""
        self.align()
        size, value = self.name("n"), self.name()
        self.emit(f"{size} = d[{self.at()}]")
        start = self.at(1)
        self.emit(f"if {size} < 128:")
        self.emit(f"    {value} = d[{start}:{start} + {size}]")
        self.emit(f"    p = {start} + {size}")
        self.emit("else:")
        self.moved(f"    {value}, p = long_octets(d, {self.at()})")
        return value

    def size(self, low: int, high: int) -> str:
        """Read a constrained length (X.691, 11.9.4.1): the name of the number."""
        span = high - low + 1
        if span == 1:
            return str(low)
        if span > 255:
            self.align()
        count = self.bits(8 if span == 256 else 16 if span > 255 else bits_for(span))
        if span & (span - 1):
            self.at_most(count, span - 1)
        if low:
            self.emit(f"{count} += {low}")
        return count

    def at_most(self, value: str, high: int) -> None:
        self.emit(f"if {value} > {high}:")
        self.emit(f'    raise Malformed("a number above {high}")')

    def criticality(self) -> None:
        """Pass the criticality of an IE we comprehend: any of the three."""
        self.emit(f"if d[{self.at()}] > 191:")
        self.emit('    raise Malformed("criticality 3")')
        assert self.offset is not None
        self.offset += 8

    def refuse_extension(self, text: str) -> None:
        """Read an extension bit that nothing known sets."""
        self.emit(f"if {self.bits(1)}:")
        self.emit(f"    raise Malformed({text!r})")
