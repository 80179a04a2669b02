# SPDX-License-Identifier: Apache-2.0
"""Reads tests/vectors: blocks of `name = value` lines, blank lines between blocks, `#` begins a comment."""

from pathlib import Path

_VECTORS = Path(__file__).parents[1] / "vectors"


def blocks(name: str) -> list[dict[str, str]]:
    """One dict for each block of tests/vectors/`name`."""
    texts = (_VECTORS / name).read_text(encoding="ascii").split("\n\n")
    listed = [[line for line in text.splitlines() if line and not line.startswith("#")] for text in texts]
    return [dict(line.split(" = ") for line in lines) for lines in listed if lines]
