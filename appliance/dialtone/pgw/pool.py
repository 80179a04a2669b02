# SPDX-License-Identifier: Apache-2.0
"""Addresses of one APN: handed out round robin, so that one just given back rests for as long as possible."""

from ipaddress import IPv4Network


class Pool:
    """The network's first address is the gateway's; network and broadcast address are nobody's."""

    def __init__(self, network: IPv4Network) -> None:
        self.first = int(network.network_address) + 2
        self.last = int(network.broadcast_address) - 1
        self.used: set[int] = set()
        self._next = self.first

    @property
    def full(self) -> bool:
        """Whether all addresses are in use."""
        return len(self.used) > self.last - self.first

    def take(self, wanted: bytes = b"") -> bytes:
        """An address of four octets: `wanted` if it is free, else the next free one. The pool must not be full."""
        number = int.from_bytes(wanted)
        if wanted and self.first <= number <= self.last and number not in self.used:
            self.used.add(number)
            return wanted
        size = self.last - self.first + 1
        while self._next in self.used:
            self._next = self.first + (self._next + 1 - self.first) % size
        number = self._next
        self.used.add(number)
        self._next = self.first + (number + 1 - self.first) % size
        return number.to_bytes(4)

    def give_back(self, address: bytes) -> None:
        """The phone is gone."""
        self.used.discard(int.from_bytes(address))
