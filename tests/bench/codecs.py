# SPDX-License-Identifier: Apache-2.0
"""Codec cost of each message against pycrate: how many times faster we decode and encode it."""

from collections.abc import Iterator
from importlib import import_module
from statistics import median
from typing import Any

from tests.bench.rows import Row

MEDIAN, LEAST = 15.0, 8.0
PROTOCOLS = {"s1ap": "S1AP", "nas": "NAS", "gtpc": "GTPv2-C", "diameter": "Diameter"}


def rows(quick: bool) -> Iterator[Row]:
    """With `quick` only the summary of each protocol; else each message too."""
    everything: list[float] = []
    for module, protocol in PROTOCOLS.items():
        source: Any = import_module(f"tests.bench.bench_codec_{module}")
        found = []
        for name, ours, theirs in source.rows():
            name = name.removeprefix(f"{protocol} ")
            found.append((theirs / ours, name))
            if not quick:
                yield Row(f"{protocol} {name}", f"{ours:.1f} us", theirs / ours >= LEAST, "", theirs / ours,
                          f"{theirs:.0f} us of pycrate")
        ratios = [ratio for ratio, _ in found]
        everything += ratios
        yield _summary(f"all {len(found)} of {protocol}", ratios, min(found)[1])
    yield _summary(f"all {len(everything)}", everything, "")


def _summary(what: str, ratios: list[float], slowest: str) -> Row:
    middle, least = median(ratios), min(ratios)
    return Row(what, f"median {middle:.0f} x, least {least:.1f} x", middle >= MEDIAN and least >= LEAST,
               f"{MEDIAN:.0f} x, {LEAST:.0f} x", middle, f"pycrate{slowest and f'; least: {slowest}'}",
               "one process, the best of five runs of each")
