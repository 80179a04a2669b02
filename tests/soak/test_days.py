# SPDX-License-Identifier: Apache-2.0
"""Many random days: not part of `./build.sh test`, but `./build.sh test soak`."""

from collections import Counter
from pathlib import Path

import pytest
from soak_procedures import Soak

DAYS, PROCEDURES = 10, 2500


@pytest.fixture(scope="module")
def met() -> Counter[tuple[str, str]]:
    """Which message met which state, over all days."""
    return Counter()


@pytest.mark.parametrize("seed", range(1, DAYS + 1))
def test_a_day_ends_without_a_leak(tmp_path: Path, seed: int, met: Counter[tuple[str, str]]) -> None:
    soak = Soak(tmp_path, seed)
    soak.day(PROCEDURES)
    soak.evening()
    assert sum(soak.done.values()) == PROCEDURES
    met.update(soak.met)


def test_every_message_has_met_every_state(
        tmp_path: Path, met: Counter[tuple[str, str]], capsys: pytest.CaptureFixture[str]) -> None:
    soak = Soak(tmp_path, 0, met=met)
    soak.rest()
    soak.evening()
    with capsys.disabled():
        print(f"\n\n{DAYS} days of {PROCEDURES} procedures: how often each message met each EMM state of its phone",
              f"(of these, {sum(soak.done.values())} pairs were brought about one by one)", *soak.matrix(), sep="\n")
    assert soak.missed() == []
