# SPDX-License-Identifier: Apache-2.0
"""The soak uses the network of the flow tests."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "flows"))
