# SPDX-License-Identifier: Apache-2.0
"""A short piece of the soak (tests/soak), so that it is sound when it is wanted."""

from pathlib import Path

import pytest
from soak_procedures import PROCEDURES, Soak


@pytest.mark.parametrize("seed", [1, 2])
def test_a_random_hour_leaves_nothing(tmp_path: Path, seed: int) -> None:
    soak = Soak(tmp_path, seed)
    soak.day(400)
    soak.evening()
    assert set(soak.done) == set(PROCEDURES)
    assert soak.met["Attach complete", "EMM-REGISTERED"] > 10
