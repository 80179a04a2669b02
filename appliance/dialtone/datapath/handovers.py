# SPDX-License-Identifier: Apache-2.0
"""User data of phones in a handover, at the source and at the target eNB (TS 36.300, 10.1.2.3.1).

The source passes on what still comes, the end marker last. The target holds everything until the phone is there;
then forwarded data goes first, and fresh data waits for the end marker, so that nothing is lost or overtaken.
"""

from dataclasses import dataclass, field

from dialtone.codec.gtpu import END_MARKER
from dialtone.datapath.path import Address, Out

MOST = 4096
"""Packets held for one bearer."""


@dataclass(slots=True)
class Arrival:
    """A bearer whose phone is expected: `forwarding` until the end marker came, `here` once the phone is."""

    forward_teid: int | None
    forwarding: bool
    here: bool = False
    forwarded: list[bytes] = field(default_factory=list)
    fresh: list[bytes] = field(default_factory=list)


class Handovers:
    """Sans-IO. TEIDs are the eNB's own; `ready` are (TEID, packet) for phones that are here, in order."""

    def __init__(self) -> None:
        self.ready: list[tuple[int, bytes]] = []
        self._arrivals: dict[int, Arrival] = {}
        self._forwarding: dict[int, int] = {}  # forwarding TEID to that of the bearer
        self._leaving: dict[int, tuple[bytes, Address] | None] = {}  # to which TEID and where; None: nowhere

    def __contains__(self, teid: int) -> bool:
        """Whether what comes there is for `take`."""
        return teid in self._leaving or teid in self._arrivals or teid in self._forwarding

    def expect(self, teid: int, forward_teid: int | None) -> None:
        """A phone is to come; data may be forwarded to `forward_teid` before."""
        self._arrivals[teid] = Arrival(forward_teid, forward_teid is not None)
        if forward_teid is not None:
            self._forwarding[forward_teid] = teid

    def arrived(self, teid: int) -> None:
        """The phone is here: it gets what was held."""
        arrival = self._arrivals.get(teid)
        if arrival is not None:
            arrival.here = True
            self._deliver(teid, arrival.forwarded)
            if not arrival.forwarding:
                self.flush(teid)

    def flush(self, teid: int) -> None:
        """Nothing more is forwarded: fresh data follows, and the bearer is like any other."""
        arrival = self.forget(teid)
        if arrival is not None:
            self._deliver(teid, arrival.forwarded + arrival.fresh)

    def send_away(self, teid: int, to: Address | None, remote_teid: int) -> None:
        """The phone leaves: what comes goes on to `remote_teid`, or nowhere."""
        self._leaving[teid] = (remote_teid.to_bytes(4), to) if to is not None else None

    def forget(self, teid: int) -> Arrival | None:
        """The bearer is gone, or has nothing to do with a handover any longer."""
        self._leaving.pop(teid, None)
        arrival = self._arrivals.pop(teid, None)
        if arrival is not None and arrival.forward_teid is not None:
            del self._forwarding[arrival.forward_teid]
        return arrival

    def take(self, kind: int, teid: int, datagram: bytes, start: int) -> Out | str | None:
        """A T-PDU or an end marker: what to send, or why it was dropped, or None where it is kept."""
        if teid in self._leaving:
            there = self._leaving[teid]
            if there is None:
                return "phone handed over"
            return datagram[:4] + there[0] + datagram[8:], there[1], 0
        own = self._forwarding.get(teid, teid)
        arrival = self._arrivals[own]
        if kind == END_MARKER:
            if own != teid:
                arrival.forwarding = False
                if arrival.here:
                    self.flush(own)
            return None
        if own != teid and arrival.here:
            self.ready.append((own, datagram[start:]))
            return None
        held = arrival.forwarded if own != teid else arrival.fresh
        if len(held) >= MOST:
            return "too much held in a handover"
        held.append(datagram[start:])
        return None

    def _deliver(self, teid: int, packets: list[bytes]) -> None:
        self.ready += [(teid, packet) for packet in packets]
        packets.clear()
