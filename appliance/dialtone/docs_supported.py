# SPDX-License-Identifier: Apache-2.0
"""docs/supported.md: its rows are written by hand, the links to the tests that show them are made here.

The last cell of a row under the heading *Shown by* names test functions, with their file (`test_x.py::test_y`) where
several have the same name. Every row needs at least one that exists; tests/conftest.py fails a run in which one of them
was skipped.
"""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from dialtone.where import ROOT

PAGE = ROOT / "docs" / "supported.md"
HEAD = "| Shown by |"
_NAME = re.compile(r"\[?`((?:test_\w+\.py::)?test_\w+)`(?:\]\([^)]*\))?")


@cache
def tests() -> dict[str, tuple[Path, ...]]:
    """Every test function below tests/, with the files that have one of that name."""
    found: dict[str, tuple[Path, ...]] = {}
    for file in sorted((ROOT / "tests").rglob("test_*.py")):
        for node in ast.parse(file.read_text()).body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                found[node.name] = (*found.get(node.name, ()), file)
    return found


def rows(text: str) -> Iterator[tuple[int, str, list[str]]]:
    """Line number, what it says, and the names in its last cell, of every row that must name a test."""
    inside = False
    for number, line in enumerate(text.splitlines(), 1):
        inside = line.startswith("|") and (inside or line.endswith(HEAD))
        if inside and not line.endswith(HEAD) and not line.startswith("|---"):
            *cells, shown = line.strip("|").split("|")
            yield number, line, _NAME.findall(shown) if len(cells) == 3 else []


def find(name: str) -> Path:
    """The file of a test; raises LookupError when there is none, or more than one."""
    file, _, function = name.rpartition("::")
    found = [path for path in tests().get(function, ()) if file in ("", path.name)]
    if len(found) != 1:
        raise LookupError(f"{name}: " + (f"is in {', '.join(path.name for path in found)}: write test_file.py::{name}"
                                         if found else "there is no such test"))
    return found[0]


def named() -> set[tuple[Path, str]]:
    """File and function of every test that the page names."""
    names = {name for _, _, names in rows(PAGE.read_text()) for name in names}
    return {(find(name), name.rpartition("::")[2]) for name in names}


def supported() -> str:
    """The page with its links; raises LookupError for a row that no test shows."""
    text = PAGE.read_text()
    lines = text.splitlines()
    for number, line, names in rows(text):
        if not names:
            raise LookupError(f"{PAGE.name}, line {number}: needs four cells, and a test in the last: {line}")
        links = ", ".join(f"[`{name}`](../{find(name).relative_to(ROOT)})" for name in names)
        lines[number - 1] = f"{line.rstrip('|').rpartition('|')[0]}| {links} |"
    return "\n".join(lines) + "\n"
