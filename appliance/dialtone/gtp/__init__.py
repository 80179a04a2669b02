# SPDX-License-Identifier: Apache-2.0
"""GTPv2-C with elements outside of the box: one UDP port for S11 and S5/S8, and the supervision of its paths."""

from dialtone.gtp import echo

__all__ = ["echo"]
