# SPDX-License-Identifier: Apache-2.0
"""What notebooks import: `from dialtone.lab import connect`."""

from dialtone.lab.lab import Lab, connect
from dialtone.lab.show import picture

__all__ = ["Lab", "connect", "picture"]
