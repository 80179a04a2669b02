# SPDX-License-Identifier: Apache-2.0
"""GTPv2-C: microseconds for decode and encode of each message, ours and pycrate's."""

import sys
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from timeit import repeat

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))

from gtpc_samples import corpus
from pycrate_mobile.TS29274_GTPC import parse_GTPC

from dialtone.codec import gtpc


def rows() -> Iterable[tuple[str, float, float]]:
    """(name, ours, pycrate's) in microseconds. pycrate's encode is `to_bytes` of a structure that stands already."""
    for message in corpus():
        octets = gtpc.encode(message)
        structure, _ = parse_GTPC(octets)
        name = f"GTPv2-C {message.NAME} ({len(octets)} B)"
        yield f"{name} decode", _cost(partial(gtpc.decode, octets), 300), _cost(partial(parse_GTPC, octets), 3)
        yield f"{name} encode", _cost(partial(gtpc.encode, message), 300), _cost(structure.to_bytes, 10)


def _cost(call: Callable[[], object], number: int) -> float:
    return min(repeat(call, number=number, repeat=5)) / number * 1e6


if __name__ == "__main__":
    for name, ours, theirs in rows():
        print(f"{name:75} {ours:8.1f} {theirs:9.1f} {theirs / ours:6.0f}x")
