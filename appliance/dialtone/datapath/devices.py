# SPDX-License-Identifier: Apache-2.0
"""The two file descriptors of the user plane under asyncio: a TUN device and the GTP-U socket.

Both are drained in bounded batches, so that a flood leaves the signalling its turn.
"""

import asyncio
import contextlib
import errno
import fcntl
import os
import socket
import struct
from collections.abc import Callable
from typing import Any

from dialtone.datapath.path import PORT, Address
from dialtone.errors import LocalError
from dialtone.links.names import family_of, refused

_TUNSETIFF = 0x400454CA
_IFF_TUN, _IFF_NO_PI = 0x0001, 0x1000
_IP_MTU_DISCOVER, _PMTUDISC_DONT = 10, 0
_BATCH = 64
_BUFFER = 4 << 20

Drop = Callable[[str], None]


class Tun:
    """A TUN device; it exists while this object is open, in whatever namespace it is moved to."""

    def __init__(self, name: str, drop: Drop) -> None:
        try:
            self.fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            raise LocalError(f"Cannot open /dev/net/tun: {error.strerror}.",
                             remedy="`modprobe tun`, and run as root or with CAP_NET_ADMIN.") from error
        try:
            fcntl.ioctl(self.fd, _TUNSETIFF, struct.pack("16sH22x", name.encode(), _IFF_TUN | _IFF_NO_PI))
        except OSError as error:
            os.close(self.fd)
            remedy = "Root or CAP_NET_ADMIN is needed."
            if error.errno == errno.EBUSY:
                remedy = f"Another program holds {name}: is a core running already?"
            raise LocalError(f"Cannot make the TUN device {name}: {error.strerror}.", remedy=remedy) from error
        self.name = name
        self._drop = drop
        self._reading = False

    def read_into(self, take: Callable[[bytes], None]) -> None:
        """Call `take` with each packet that the kernel routes to the device."""
        self._aio = asyncio.get_running_loop()
        self._aio.add_reader(self.fd, self._readable, take)
        self._reading = True

    def write(self, packet: bytes) -> None:
        """Hand a packet to the kernel."""
        try:
            os.write(self.fd, packet)
        except OSError as error:  # the device is down, or the kernel found the packet absurd
            self._drop(f"TUN: {error.strerror}")

    def close(self) -> None:
        """Close, which removes the device."""
        if self.fd >= 0:
            if self._reading:
                self._aio.remove_reader(self.fd)
            os.close(self.fd)
            self.fd = -1

    def _readable(self, take: Callable[[bytes], None]) -> None:
        fd = self.fd
        for _ in range(_BATCH):
            try:
                packet = os.read(fd, 65_536)
            except BlockingIOError:
                return
            except OSError as error:
                self._drop(f"TUN: {error.strerror}")
                return
            take(packet)


class GtpuSocket:
    """The GTP-U socket at one address of ours, never the wildcard."""

    def __init__(self, host: str, drop: Drop, port: int = PORT) -> None:
        self.sock = socket.socket(family_of(host), socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        try:
            self._set_options()
            self.sock.bind((host, port))
        except OSError as error:
            self.sock.close()
            raise refused("GTP-U", host, port, error) from error
        self._drop = drop
        self._reading = False
        self._tos = 0

    def _set_options(self) -> None:
        for force, plain in ((33, socket.SO_RCVBUF), (32, socket.SO_SNDBUF)):  # SO_RCVBUFFORCE, SO_SNDBUFFORCE
            try:
                self.sock.setsockopt(socket.SOL_SOCKET, force, _BUFFER)
            except PermissionError:
                self.sock.setsockopt(socket.SOL_SOCKET, plain, _BUFFER)
        # What does not fit the eNB LAN goes in fragments; the phones were told an MTU that fits.
        with contextlib.suppress(OSError):
            self.sock.setsockopt(socket.IPPROTO_IP, _IP_MTU_DISCOVER, _PMTUDISC_DONT)

    def read_into(self, take: Callable[[bytes, Address], None]) -> None:
        """Call `take` with each datagram and where it came from."""
        self._aio = asyncio.get_running_loop()
        self._aio.add_reader(self.sock.fileno(), self._readable, take)
        self._reading = True

    def write(self, data: bytes, to: Address, tos: int = 0) -> None:
        """Send one datagram, with this type of service octet."""
        try:
            if tos != self._tos:  # the socket keeps it: a stream of one class costs no call
                self.sock.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, tos)
                self._tos = tos
            self.sock.sendto(data, to)
        except OSError as error:
            self._drop(f"S1-U: {error.strerror}")

    def close(self) -> None:
        """Close the socket."""
        if self.sock.fileno() >= 0:
            if self._reading:
                self._aio.remove_reader(self.sock.fileno())
            self.sock.close()

    def _readable(self, take: Callable[[bytes, Any], None]) -> None:
        receive = self.sock.recvfrom
        for _ in range(_BATCH):
            try:
                data, peer = receive(65_535)
            except BlockingIOError:
                return
            except OSError as error:
                self._drop(f"S1-U: {error.strerror}")
                continue
            take(data, peer)
