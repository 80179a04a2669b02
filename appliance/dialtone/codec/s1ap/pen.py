# SPDX-License-Identifier: Apache-2.0
"""The end of an encoding being written: octets done, bits pending (ITU-T X.691, 11).

Octets collect as expressions (`parts`) that are joined in one go; bits collect (`pending`) until an alignment packs
them. Where control flow parts, both move to variables of the generated code: octets to `o`, pending bits to an int
`a`. Branches that end with different numbers of pending bits leave that number to the run-time variable `c`
(`pending_count` is None) until the next alignment.
"""

from collections.abc import Callable

from dialtone.codec.s1ap.source import Source


class Scope:
    """One buffer: the PDU, or an open type within."""

    def __init__(self, out: str, bits: str, count: str) -> None:
        self.out, self.acc, self.counter = out, bits, count
        self.started = False  # whether `out` has been assigned
        self.parts: list[tuple[str | bytes, int | None]] = []
        self.pending: list[tuple[str, int]] = []
        self.pending_count: int | None = 0


class Pen(Source):
    """Writes code that writes bits and octets."""

    def __init__(self) -> None:
        super().__init__()
        self.scope = self._scope()

    def _scope(self) -> Scope:
        return Scope(self.name("o"), self.name("a"), self.name("c"))

    # -- bits and octets --------------------------------------------------------------------------

    def bits(self, value: str, count: int) -> None:
        """Append a bit-field whose value is known to fit."""
        if not count:
            return
        scope = self.scope
        if scope.pending_count is None:
            self.emit(f"{scope.acc} = {scope.acc} << {count} | {value}")
            self.emit(f"{scope.counter} += {count}")
        else:
            scope.pending.append((value, count))
            scope.pending_count += count

    def aligned(self) -> bool:
        """Whether the end is known to be an octet boundary."""
        return self.scope.pending_count is not None and self.scope.pending_count % 8 == 0

    def align(self) -> None:
        """Pack the pending bits, zeros behind them, into octets."""
        scope = self.scope
        if scope.pending_count is None:
            self._commit_parts()
            self.emit(
                f"{scope.out} += ({scope.acc} << (-{scope.counter} & 7))"
                f'.to_bytes({scope.counter} + 7 >> 3, "big")'
            )
        elif scope.pending_count:
            octets = (scope.pending_count + 7) // 8
            value = self._packed(octets * 8 - scope.pending_count)
            if isinstance(value, int):
                self.constant(value.to_bytes(octets, "big"), aligning=True)
            elif octets == 1:
                scope.parts.append((f"ONE_OCTET[{value}]", 1))
            else:
                scope.parts.append((f'({value}).to_bytes({octets}, "big")', octets))
        scope.pending, scope.pending_count = [], 0

    def _packed(self, shift: int) -> str | int:
        """The pending bits shifted left, as an expression, or as a number where all are constants."""
        constant, terms = 0, []
        for value, count in reversed(self.scope.pending):
            if value.isdecimal():
                constant |= int(value) << shift
            else:
                terms.append(f"({value}) << {shift}" if shift else f"({value})")
            shift += count
        if not terms:
            return constant
        if constant:
            terms.append(str(constant))
        return " | ".join(reversed(terms))

    def octets(self, value: str, size: int | None = None) -> None:
        """Append bytes at an octet boundary."""
        self.align()
        self.scope.parts.append((value, size))

    def constant(self, value: bytes, *, aligning: bool = False) -> None:
        """Append octets known now."""
        if not aligning:
            self.align()
        parts = self.scope.parts
        before = parts[-1][0] if parts else ""
        if isinstance(before, bytes):
            parts.pop()
            value = before + value
        parts.append((value, len(value)))

    def counted(self, value: str) -> None:
        """Append bytes behind their length determinant."""
        self.octets(f"(ONE_OCTET[len({value})] + {value} if len({value}) < 128 else wrap({value}))")

    def size(self, value: str, low: int, high: int) -> None:
        """Append a constrained length, already checked (X.691, 11.9.4.1)."""
        span = high - low + 1
        if span > 255:
            self.align()
        if span > 1:
            width = 8 if span == 256 else 16 if span > 255 else (span - 1).bit_length()
            self.bits(f"({value} - {low})" if low else value, width)

    # -- checks -----------------------------------------------------------------------------------

    def refuse_if(self, condition: str, text: str) -> None:
        self.emit(f"if {condition}:")
        self.emit(f"    raise Malformed({text!r})")

    def within(self, v: str, low: int, high: int) -> None:
        self.refuse_if(f"not {low} <= {v} <= {high}", f"not in {low}..{high}")

    def length(self, v: str, low: int, high: int) -> None:
        condition = f"len({v}) != {low}" if low == high else f"not {low} <= len({v}) <= {high}"
        self.refuse_if(condition, f"a size outside {low}..{high}")

    # -- control flow -----------------------------------------------------------------------------

    def _commit_parts(self) -> None:
        """Join the parts into the variable of the scope."""
        scope = self.scope
        if scope.parts or not scope.started:
            text = " + ".join(str(part) for part, _ in scope.parts) or 'b""'
            self.emit(f"{scope.out} {'+=' if scope.started else '='} {text}")
        scope.parts, scope.started = [], True

    def finish(self) -> None:
        """Leave all that was written in the variable of the scope."""
        self.align()
        self._commit_parts()

    def _commit(self) -> None:
        """Bring everything into variables; whole octets are done with."""
        if self.aligned():
            self.align()
        self._commit_parts()
        scope = self.scope
        if scope.pending_count and not (len(scope.pending) == 1 and scope.pending[0][0] == scope.acc):
            value = self._packed(0)
            self.emit(f"{scope.acc} = {value}")
            scope.pending = [(scope.acc, scope.pending_count)]

    def _to_run_time(self, ending: int | None) -> list[str]:
        """Lines that hand the number of pending bits to a variable."""
        scope = self.scope
        if ending is None:
            return []
        return [f"{scope.counter} = {ending}", *([f"{scope.acc} = 0"] if not ending else [])]

    def fork(self, condition: str, then: Callable[[], object], other: Callable[[], object] | None = None) -> None:
        """`if condition: then else: other`, where both may write."""
        self._commit()
        scope = self.scope
        start, kept, arms, ends = scope.pending_count, list(scope.pending), [], []
        for body in (then, other or (lambda: None)):
            scope.pending_count, scope.pending = start, list(kept)
            arms.append(self.capture(body, self._commit))
            ends.append(scope.pending_count)
        if ends[0] != ends[1]:
            for arm, end in zip(arms, ends, strict=True):
                arm.extend("    " * (self.depth + 1) + line for line in self._to_run_time(end))
            scope.pending, scope.pending_count = [], None
        self.emit(f"if {condition}:")
        self.lines += arms[0] or ["    " * (self.depth + 1) + "pass"]
        if arms[1]:
            self.emit("else:")
            self.lines += arms[1]

    def loop(self, values: str, body: Callable[[str], None]) -> None:
        """`for item in values`; written anew with a run-time count if it does not end as it starts."""
        self._commit()
        scope, item = self.scope, self.name()
        start, kept = scope.pending_count, list(scope.pending)
        lines = self.capture(lambda: body(item), self._commit)
        if scope.pending_count != start:
            scope.pending, scope.pending_count = kept, start
            for line in self._to_run_time(start):
                self.emit(line)
            scope.pending, scope.pending_count = [], None
            lines = self.capture(lambda: body(item), self._commit)
            lines.extend("    " * (self.depth + 1) + line for line in self._to_run_time(scope.pending_count))
            scope.pending, scope.pending_count = [], None
        self.emit(f"for {item} in {values}:")
        self.lines += lines

    def open_type(self, body: Callable[[], None]) -> None:
        """Append an open type: the octets of what the body writes behind their length (X.691, 11.2)."""
        self.align()
        outer, self.scope = self.scope, self._scope()
        body()
        self.align()
        inner, self.scope = self.scope, outer
        if not inner.parts and not inner.started:
            inner.parts.append((b"\0", 1))  # a value of no bits (X.691, 11.1.3)
        sizes = [size for _, size in inner.parts if size is not None]
        if not inner.started and len(sizes) == len(inner.parts) and sum(sizes) < 128:
            self.constant(bytes((sum(sizes),)))
            for part, size in inner.parts:
                if isinstance(part, bytes):
                    self.constant(part)
                else:
                    self.octets(part, size)
            return
        self.scope = inner
        self._commit_parts()
        self.scope = outer
        self.counted(inner.out)
