# SPDX-License-Identifier: Apache-2.0
"""Cost of S1AP messages, ours against pycrate's, in microseconds a message.

pycrate's share is `from_aper` with `get_val`, and `set_val` with `to_aper`; ours is `decode` and `encode`.
"""

import sys
import timeit
from collections.abc import Callable, Iterable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))

from s1ap_corpus import CORPUS
from s1ap_oracle import theirs_from_bytes, theirs_to_bytes, to_theirs

from dialtone.codec import s1ap


def _cost(action: Callable[[], object], number: int) -> float:
    """The least of several runs: what disturbs a measurement only ever adds to it."""
    return min(timeit.repeat(action, number=number, repeat=5)) / number * 1e6


def rows() -> Iterable[tuple[str, float, float]]:
    """Name, our cost and pycrate's, for decoding and encoding each message of the corpus."""
    for message in CORPUS:
        octets, value = s1ap.encode(message), to_theirs(message)
        yield (
            f"S1AP {message.NAME} decode",
            _cost(lambda octets=octets: s1ap.decode(octets), 500),  # type: ignore[misc]
            _cost(lambda octets=octets: theirs_from_bytes(octets), 50),  # type: ignore[misc]
        )
        yield (
            f"S1AP {message.NAME} encode",
            _cost(lambda message=message: s1ap.encode(message), 500),  # type: ignore[misc]
            _cost(lambda value=value: theirs_to_bytes(value), 50),  # type: ignore[misc]
        )


if __name__ == "__main__":
    for name, ours, theirs in rows():
        print(f"{name:45} {ours:8.2f} {theirs:8.1f} {theirs / ours:6.1f}x")
