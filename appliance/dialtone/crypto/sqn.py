# SPDX-License-Identifier: Apache-2.0
"""Sequence numbers: SQN = SEQ || IND, 43 and 5 bits (TS 33.102, Annex C).

One SEQ counts for all uses of a subscriber, and each use has an IND of its own: a USIM keeps the highest SEQ
for each IND, so a vector that waits is not spoilt by one of another use that overtakes it (C.1.1.1).
"""

from enum import IntEnum
from typing import Final
from zlib import crc32

IND_BITS: Final = 5
SEQ_MAX: Final = (1 << (48 - IND_BITS)) - 1
# A USIM takes no SEQ further than this above the highest it has seen (TS 33.102, C.2.1 and C.3).
DELTA: Final = 1 << 28


class Use(IntEnum):
    """The IND of each use of a subscriber's one SEQ."""

    EPS = 0
    IMS = 1


def ind_of_node(host: str) -> int:
    """An IND for a foreign node that fetches vectors ahead, by its Diameter identity: what it keeps is not spoilt by
    what others use meanwhile (C.1.1.3, C.3.4). The numbers of our own uses stay free."""
    return len(Use) + crc32(host.lower().encode()) % ((1 << IND_BITS) - len(Use))


def make_sqn(seq: int, ind: int) -> int:
    """SQN, 48 bits."""
    return (seq << IND_BITS) | ind


def seq_of(sqn: int) -> int:
    """SEQ, 43 bits."""
    return sqn >> IND_BITS


def ind_of(sqn: int) -> int:
    """IND, 5 bits."""
    return sqn & ((1 << IND_BITS) - 1)


def seq_after_resync(seq_he: int, seq_ms: int) -> int:
    """The last SEQ to count from once SEQ_MS is known to be genuine (TS 33.102, 6.3.5).

    Ours stays when the USIM takes the next one; else its own is where to go on.
    """
    return seq_he if seq_ms < seq_he + 1 <= seq_ms + DELTA else seq_ms
