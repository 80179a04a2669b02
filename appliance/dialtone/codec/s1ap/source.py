# SPDX-License-Identifier: Apache-2.0
"""A Python function being written: its lines, and the objects its code refers to."""

from collections.abc import Callable
from typing import Any

from dialtone.codec.s1ap import runtime


class Source:
    """Collects lines; `function` compiles them. The base of `Decoder` and `Encoder`."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.depth = 1
        self.names: dict[str, Any] = {"new": object.__new__, "new_tuple": tuple.__new__} | vars(runtime)
        self.count = 0

    def emit(self, line: str) -> None:
        self.lines.append("    " * self.depth + line)

    def name(self, prefix: str = "v") -> str:
        """A fresh local variable."""
        self.count += 1
        return f"{prefix}{self.count}"

    def refer(self, thing: Any, prefix: str) -> str:
        """A global name for an object."""
        for known, value in self.names.items():
            if value is thing:
                return known
        name = f"{prefix}_{len(self.names)}"
        self.names[name] = thing
        return name

    def capture(self, *bodies: Callable[[], object]) -> list[str]:
        """The lines that bodies would emit, one level deeper."""
        outer, self.lines = self.lines, []
        self.depth += 1
        for body in bodies:
            body()
        self.depth -= 1
        inner, self.lines = self.lines, outer
        return inner

    def function(self, head: str) -> Callable[..., Any]:
        """Compile the lines under a `def` line; the text stays in the function's docstring."""
        text = "\n".join([head, *self.lines])
        exec(compile(text, f"<{head}>", "exec"), self.names)
        made: Callable[..., Any] = self.names[head[4 : head.index("(")]]
        made.__doc__ = text
        return made
