# SPDX-License-Identifier: Apache-2.0
"""NAS codec cost against pycrate, each message with its mandatory elements only and with the optional ones.

pycrate is spared what we do not do either: it does not look into containers of other messages. For
encoding it gets every value as octets. What it cannot read is left out of both sides' messages.
"""

import logging
import sys
import timeit
from collections.abc import Callable, Iterable
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))

logging.getLogger("pycrate_mobile.TS24301_EMM").setLevel(logging.CRITICAL)

from nas_samples import CLASSES, NOT_IN_PYCRATE, SERVICE_REQUEST, full, minimal, optional_names  # noqa: E402
from pycrate_mobile.NASLTE import parse_NASLTE_MO, parse_NASLTE_MT  # noqa: E402

from dialtone.codec import nas  # noqa: E402

SKIPPED = (*NOT_IN_PYCRATE, "ciphering_key_data", "header_compression_configuration")
"""The last two: our samples hold no valid contents, and pycrate would spend its time on exceptions."""


def _cost(call: Callable[[], object], seconds: float) -> float:
    """Microseconds of the best of five runs."""
    call()
    once = timeit.timeit(call, number=3) / 3
    number = max(1, int(seconds / 5 / max(once, 1e-7)))
    return min(timeit.repeat(call, number=number, repeat=5)) / number * 1e6


def _builder(parsed: Any) -> Callable[[], bytes]:
    """Build the same message with pycrate from the octets of each element."""
    kind = type(parsed)
    header = parsed._content[0].get_val()
    octets = []
    for index, element in enumerate(parsed._content[1:], 1):
        if not element.get_trans() and element._name != "spare":
            value = element[-1]
            octets.append((index, value.to_uint() if value.get_bl() <= 4 else value.to_bytes()))

    def build() -> bytes:
        message = kind()
        message._content[0].set_val(header)
        for index, value in octets:
            element = message._content[index]
            element.set_trans(False)
            element[-1].set_val(value)
        made: bytes = message.to_bytes()
        return made

    return build


def rows(seconds: float = 0.02) -> Iterable[tuple[str, float, float]]:
    """(what, our microseconds, pycrate's microseconds)."""
    samples: list[tuple[str, Any, bool]] = [(SERVICE_REQUEST.NAME, SERVICE_REQUEST, False)]
    for cls, downlink in CLASSES:
        samples.append((f"{cls.__name__}", minimal(cls), downlink))
        if set(optional_names(cls)) - NOT_IN_PYCRATE:
            samples.append((f"{cls.__name__}, all elements", full(cls, SKIPPED), downlink))
    for name, message, downlink in samples:
        octets = nas.encode(message)
        parse = parse_NASLTE_MT if downlink else parse_NASLTE_MO
        parsed, error = parse(octets, inner=False)
        if error:
            raise SystemExit(f"pycrate cannot read {name}: {error}")
        ours = _cost(lambda o=octets, d=downlink: nas.decode(o, downlink=d), seconds)  # type: ignore[misc]
        theirs = _cost(lambda o=octets, p=parse: p(o, inner=False), seconds)  # type: ignore[misc]
        yield f"decode {name}", ours, theirs
        if isinstance(message, nas.ServiceRequest):
            continue
        build = _builder(parsed)
        if build() != octets:
            raise SystemExit(f"pycrate builds {name} differently: {build().hex()} {octets.hex()}")
        yield f"encode {name}", _cost(lambda m=message: nas.encode(m), seconds), _cost(build, seconds)  # type: ignore[misc]


if __name__ == "__main__":
    found = list(rows())
    for what, ours, theirs in found:
        print(f"{what:75} {ours:8.2f} {theirs:9.1f} {theirs / ours:7.1f}")
    ratios = sorted(theirs / ours for _, ours, theirs in found)
    print(f"median {median(ratios):.1f}, least {ratios[0]:.1f}, of {len(ratios)}")
