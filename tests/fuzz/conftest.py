# SPDX-License-Identifier: Apache-2.0
"""The fuzz tests use the network of the flow tests, and the rigs of the unit tests."""

import sys
from pathlib import Path

for _room in ("flows", "unit"):
    sys.path.insert(0, str(Path(__file__).parents[1] / _room))
