# SPDX-License-Identifier: Apache-2.0
"""The Diameter node (RFC 6733): connections to peers outside, which carry the reference points of our elements.

An element's reference point is bound to a `link.NodeLink` as to a memory link; nothing else of the element changes.
`node.Node` is an element of its own that never sees a socket; `transport.Transport` has them.
"""

from dialtone.diameter import capabilities, connecting, disconnecting, passing, watchdog
from dialtone.diameter.node import Node

__all__ = ["Node", "capabilities", "connecting", "disconnecting", "passing", "watchdog"]
