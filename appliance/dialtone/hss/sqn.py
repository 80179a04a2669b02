# SPDX-License-Identifier: Apache-2.0
"""One subscriber's sequence numbers: none is used twice, and few of them cost an fsync (TS 33.102, C.1)."""

from collections.abc import Callable

from dialtone.crypto.sqn import IND_BITS, SEQ_MAX, make_sqn, seq_after_resync, seq_of
from dialtone.errors import LocalError

# SEQ steps that one reservation covers. A USIM takes jumps of up to 2^28.
AHEAD = 32
_IND_ALL = (1 << IND_BITS) - 1


class SqnCounter:
    """Counts SEQ on from the durable mark. `read_mark` tells that mark (an SQN), as the store has it on the disk."""

    __slots__ = ("_durable", "_read_mark", "_reserved", "_seq")

    def __init__(self, read_mark: Callable[[], int]) -> None:
        self._read_mark = read_mark
        self._seq = self._durable = self._reserved = seq_of(read_mark())

    def take(self, ind: int) -> tuple[int, int | None]:
        """The next SQN (48 bits), and the mark to commit before that SQN may leave the house; None: it may at once.

        A reservation that is not safe yet is asked for again with each further SQN under it. Raises LocalError when
        all 2^43 are used up.
        """
        if self._seq >= SEQ_MAX:
            raise LocalError("The sequence numbers of this subscriber are used up.", remedy="It needs a new card.")
        self._seq += 1
        sqn = make_sqn(self._seq, ind)
        if self._seq <= self._durable:
            return sqn, None
        self._durable = seq_of(self._read_mark())
        if self._seq <= self._durable:
            return sqn, None
        if self._seq > self._reserved:
            self._reserved = min(self._seq + AHEAD - 1, SEQ_MAX)
        return sqn, make_sqn(self._reserved, _IND_ALL)

    def resynchronise(self, sqn_ms: int) -> None:
        """Go on from where the USIM is, after its AUTS was found genuine (TS 33.102, 6.3.5)."""
        self._seq = seq_after_resync(self._seq, seq_of(sqn_ms))
