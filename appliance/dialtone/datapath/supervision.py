# SPDX-License-Identifier: Apache-2.0
"""Path supervision: echo requests to eNBs with bearers, and what silence means (TS 29.281, 7.2.1; TS 23.007, 20).

Sans-IO: to be called about once a second.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from dialtone.codec.gtpu import EchoRequest, encode
from dialtone.datapath.path import Address, Out

INTERVAL = 60.0
"""Seconds between two requests; more often is not allowed (TS 29.281, 7.2.1)."""
T3_RESPONSE, N3_REQUESTS = 3.0, 5


@dataclass(slots=True)
class Watched:
    """One eNB: when the next request is due, and how many of this round went unanswered.

    `answers`: it did so at least once. An eNB that never does is not judged by its silence.
    """

    due: float
    sequence: int = 0
    unanswered: int = 0
    answers: bool = False


class Supervision:
    """All eNBs. `interval` 0 asks nobody."""

    def __init__(self, interval: float = INTERVAL) -> None:
        self.interval = interval
        self.peers: dict[Address, Watched] = {}

    def answered(self, peer: Address) -> None:
        """An Echo Response came; one to an earlier request counts too: the path is alive."""
        watched = self.peers.get(peer)
        if watched is not None and watched.unanswered:
            watched.answers, watched.unanswered = True, 0
            watched.due += self.interval - T3_RESPONSE

    def tick(self, now: float, present: Iterable[Address]) -> tuple[list[Out], list[Address]]:
        """What to send to the eNBs that have bearers just now, and those whose path has failed."""
        if not self.interval:
            return [], []
        wanted = set(present)
        self.peers = {peer: watched for peer, watched in self.peers.items() if peer in wanted}
        out: list[Out] = []
        lost: list[Address] = []
        for peer in wanted:
            watched = self.peers.setdefault(peer, Watched(now))
            if now < watched.due:
                continue
            if watched.unanswered > N3_REQUESTS:
                watched.unanswered, watched.due = 0, now + self.interval
                if watched.answers:
                    lost.append(peer)
                continue
            if not watched.unanswered:
                watched.sequence = (watched.sequence + 1) & 0xFFFF
            watched.unanswered += 1
            watched.due = now + T3_RESPONSE
            out.append((encode(EchoRequest(sequence=watched.sequence)), peer, 0))
        return out, lost
