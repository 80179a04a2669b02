# SPDX-License-Identifier: Apache-2.0
"""One line of the bench's table."""

from typing import NamedTuple


class Row(NamedTuple):
    """What was measured. `met` is None where there is no target; `ratio` is how many times better than `against`;
    `where` says on what it ran."""

    what: str
    value: str
    met: bool | None = None
    target: str = ""
    ratio: float | None = None
    against: str = ""
    where: str = ""

    def __str__(self) -> str:
        verdict = "" if self.met is None else "PASS" if self.met else "MISS"
        ratio = "" if self.ratio is None else f"{self.ratio:.1f} x"
        return f"{self.what:48} {self.value:>28}  {verdict:4} {self.target:10} {ratio:>8}  {self.against}".rstrip()
