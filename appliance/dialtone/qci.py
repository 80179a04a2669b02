# SPDX-License-Identifier: Apache-2.0
"""What a QoS class identifier means (TS 23.203, table 6.1.7), and what the transport network is told (GSMA IR.34, 6.2).
"""

GBR = frozenset((1, 2, 3, 4, 65, 66, 67, 71, 72, 73, 74, 75, 76, 82, 83, 84, 85))
"""Classes with a guaranteed bit rate."""

EF, AF41, AF31, AF32, AF21, AF11, BEST_EFFORT = 46, 34, 26, 28, 18, 10, 0
DSCP = {1: EF, 2: EF, 3: EF, 4: AF41, 5: AF31, 6: AF32, 7: AF21, 8: AF11, 65: EF, 66: EF, 69: AF31}
"""Differentiated services code point of the outer header; the classes that are not here are best effort."""
