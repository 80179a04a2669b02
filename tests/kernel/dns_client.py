# SPDX-License-Identifier: Apache-2.0
"""A resolver's client in thirty lines: one UDP question, the response code and the first answer's octets."""

import asyncio
import socket
import struct
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import NamedTuple

A, AAAA, SRV = 1, 28, 33
NOERROR, SERVFAIL, NXDOMAIN, REFUSED = 0, 2, 3, 5


class Answer(NamedTuple):
    """`data` is the RDATA of the first answer, empty without one."""

    rcode: int
    data: bytes


def ask(server: str, name: str, kind: int = A, timeout: float = 5, port: int = 53) -> Answer:
    """Ask and wait. Raises TimeoutError."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    question = struct.pack(">HHHHHH", 4711, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack(">HH", kind, 1)
    with socket.socket(socket.AF_INET6 if ":" in server else socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(timeout)
        sock.sendto(question, (server, port))
        reply = sock.recv(4096)
    number, flags, _, answers = struct.unpack_from(">HHHH", reply)
    assert number == 4711
    at = len(question)
    if not answers:
        return Answer(flags & 15, b"")
    assert reply[at] >= 0xC0, "the answer's name is a pointer to the question's"
    (size,) = struct.unpack_from(">H", reply, at + 10)
    return Answer(flags & 15, reply[at + 12 : at + 12 + size])


Within = Callable[[], AbstractContextManager[None]]


async def asking(server: str, name: str, kind: int = A, *, within: Within = nullcontext,
                 timeout: float = 5) -> Answer:
    """The same beside a running loop; `within` is entered around it (a network namespace)."""
    def there() -> Answer:
        with within():
            return ask(server, name, kind, timeout)

    return await asyncio.to_thread(there)
