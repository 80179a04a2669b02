# SPDX-License-Identifier: Apache-2.0
"""Addresses of one APN: handed out round robin, so that one just given back rests for as long as possible."""

from ipaddress import IPv4Network, IPv6Network


class Pool:
    """IPv4 addresses (4 octets), or /64 prefixes (the 8 octets that count) of an IPv6 network.

    The first one is the gateway's; an IPv4 network's own and its broadcast address are nobody's.
    """

    def __init__(self, network: IPv4Network | IPv6Network) -> None:
        self.network = network
        low, high = int(network.network_address), int(network.broadcast_address)
        if network.version == 6:
            self._size, self.first, self.last = 8, (low >> 64) + 1, high >> 64
        else:
            self._size, self.first, self.last = 4, low + 2, high - 1
        self.used: set[int] = set()
        self._fixed: set[int] = set()  # asked for by name once: handed out to others only where no other is left
        self._next = self.first

    @property
    def full(self) -> bool:
        """Whether all addresses are in use."""
        return len(self.used) > self.last - self.first

    def has(self, wanted: bytes) -> bool:
        """Whether a phone may have this one at all."""
        return len(wanted) == self._size and self.first <= int.from_bytes(wanted) <= self.last

    def free(self, wanted: bytes) -> bool:
        """Whether nobody has it just now."""
        return int.from_bytes(wanted) not in self.used

    def take(self, wanted: bytes = b"") -> bytes:
        """`wanted`, which the pool has and which is free; else the next free one, and the pool must not be full."""
        if wanted:
            number = int.from_bytes(wanted)
            self._fixed.add(number)
        else:
            avoided = self.used | self._fixed
            if len(avoided) > self.last - self.first:
                avoided = self.used
            while self._next in avoided:
                self._next = self._after(self._next)
            number = self._next
            self._next = self._after(number)
        self.used.add(number)
        return number.to_bytes(self._size)

    def _after(self, number: int) -> int:
        return self.first if number == self.last else number + 1

    def give_back(self, address: bytes) -> None:
        """The phone is gone."""
        self.used.discard(int.from_bytes(address))
