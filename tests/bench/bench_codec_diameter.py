# SPDX-License-Identifier: Apache-2.0
"""Diameter: microseconds for decode and encode of each message, ours and pycrate's."""

import sys
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from timeit import repeat

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))

from diameter_samples import corpus
from pycrate_diameter.Diameter3GPP import Diameter3GPP

from dialtone.codec import diameter


def rows() -> Iterable[tuple[str, float, float]]:
    """(name, ours, pycrate's) in microseconds. pycrate's encode is `to_bytes` of a structure that stands already."""
    for message in corpus():
        octets = diameter.encode(message)
        structure = Diameter3GPP()
        structure.from_bytes(octets)
        name = f"Diameter {message.NAME} ({len(octets)} B)"
        theirs = partial(structure.from_bytes, octets)
        yield f"{name} decode", _cost(partial(diameter.decode, octets), 300), _cost(theirs, 3)
        yield f"{name} encode", _cost(partial(diameter.encode, message), 300), _cost(structure.to_bytes, 10)


def _cost(call: Callable[[], object], number: int) -> float:
    return min(repeat(call, number=number, repeat=5)) / number * 1e6


if __name__ == "__main__":
    for name, ours, theirs in rows():
        print(f"{name:75} {ours:8.1f} {theirs:9.1f} {theirs / ours:6.0f}x")
