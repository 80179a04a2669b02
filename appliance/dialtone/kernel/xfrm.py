# SPDX-License-Identifier: Apache-2.0
"""The messages of the kernel's IPsec, NETLINK_XFRM, for transport mode ESP (linux/xfrm.h, RFC 4303).

Plain structures, no socket: a message of an SA or policy goes in, octets come out, so that a whole set of SAs is one
datagram to the kernel, which costs a tenth of single requests. The address family is that of the addresses.
"""

import errno
import os
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address
from typing import NamedTuple

from dialtone.crypto.ipsec_keys import Sa

NETLINK_XFRM = 6
NEWSA, DELSA, GETSA, GETPOLICY, EXPIRE, UPDSA = 0x10, 0x11, 0x12, 0x15, 0x18, 0x1A
DELPOLICY, UPDPOLICY = 0x14, 0x19
GROUP_EXPIRE = 1 << (2 - 1)  # XFRMNLGRP_EXPIRE as a bit mask
NLMSG_ERROR, NLMSG_DONE = 2, 3
REQUEST, ACK, DUMP = 1, 4, 0x300
IN, OUT = 0, 1
ALLOW, BLOCK = 0, 1
ALG_CRYPT, TMPL, ALG_AUTH_TRUNC = 2, 5, 20
TRANSPORT = 0
ICV_BITS = 96
REPLAY_WINDOW = 32
FOREVER = 0xFFFFFFFFFFFFFFFF

INTEGRITY = {"hmac-md5-96": "hmac(md5)", "hmac-sha-1-96": "hmac(sha1)"}
ENCRYPTION = {"null": "ecb(cipher_null)", "aes-cbc": "cbc(aes)", "des-ede3-cbc": "cbc(des3_ede)"}
"""The kernel's names of the algorithms of TS 33.203, Annex H."""

_HEADER = struct.Struct("=IHHII")  # nlmsghdr: length, type, flags, sequence, port
_SELECTOR = struct.Struct("=16s16s2s2s2s2sHBBB3xiI")  # destination first; ports with their masks
_ID = struct.Struct("=16s4sB3x")
_LIFETIME = struct.Struct("=8Q")  # soft and hard: bytes, packets; then seconds since added, since first used
_SA_REST = struct.Struct("=16s64s44xIIHBBB7x")  # source, lifetimes, counters, seq, reqid, family, mode, window, flags
_SA_ID = struct.Struct("=16s4sHBx")
_POLICY_REST = struct.Struct("=64s32xIIBBBB4x")  # lifetimes, counters, priority, index, direction, action
_TEMPLATE = struct.Struct("=24sH2x16sIBBBxIII")
_SA_INFO = struct.Struct("=56s24s16s64s32s12sIIHBBB7x")  # as the kernel sends it, and 224 octets long
_EVERY = 0xFFFFFFFF
_SET = b"\xff\xff"


class Peer(NamedTuple):
    """An end of a selector: an address or none for all, a port or 0 for all."""

    address: str = ""
    port: int = 0


@dataclass(frozen=True, slots=True)
class SaState:
    """One SA as the kernel holds it. `source` is part of the SA, not of what it is found by."""

    source: str
    destination: str
    spi: int
    packets: int
    octets: int
    replayed: int
    integrity_failed: int
    added: int  # seconds since the epoch
    hard: int  # its length of life in seconds, 0 without an end


@lru_cache(4096)
def _packed(address: str) -> tuple[int, bytes]:
    """Family and 16 octets."""
    parsed = ip_address(address)
    return (socket.AF_INET6 if parsed.version == 6 else socket.AF_INET), parsed.packed.ljust(16, b"\0")


def _message(kind: int, body: bytes, flags: int = REQUEST | ACK) -> bytes:
    return _HEADER.pack(_HEADER.size + len(body), kind, flags, kind, 0) + body


def _attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)


def _selector(source: Peer, destination: Peer) -> tuple[int, bytes]:
    """TCP and UDP alike: protocol 0 with ports matches both."""
    family, _ = _packed(source.address or destination.address)
    length = 128 if family == socket.AF_INET6 else 32

    def end(peer: Peer) -> tuple[bytes, int, bytes, bytes]:
        address = _packed(peer.address)[1] if peer.address else bytes(16)
        return address, length if peer.address else 0, peer.port.to_bytes(2, "big"), _SET if peer.port else b"\0\0"

    to, to_length, to_port, to_mask = end(destination)
    by, by_length, by_port, by_mask = end(source)
    return family, _SELECTOR.pack(to, by, to_port, to_mask, by_port, by_mask, family, to_length, by_length, 0, 0, 0)


def _lifetime(seconds: int) -> bytes:
    """`seconds` after it was added the SA or policy is gone; 0 is never."""
    return _LIFETIME.pack(FOREVER, FOREVER, FOREVER, FOREVER, 0, seconds, 0, 0)


def new_sa(sa: Sa, alg: str, integrity: bytes, ealg: str, encryption: bytes, seconds: int,
           *, update: bool = False) -> bytes:
    """An SA for what goes from one port to the other, nothing else. `update` changes the life of one that is there."""
    family, selector = _selector(Peer(sa.source, sa.source_port), Peer(sa.destination, sa.destination_port))
    body = selector + _id(sa) + _SA_REST.pack(_packed(sa.source)[1], _lifetime(seconds), 0, 0, family, TRANSPORT,
                                              REPLAY_WINDOW, 0)
    body += _attribute(ALG_AUTH_TRUNC, struct.pack("=64sII", INTEGRITY[alg].encode(), 8 * len(integrity), ICV_BITS)
                       + integrity)
    body += _attribute(ALG_CRYPT, struct.pack("=64sI", ENCRYPTION[ealg].encode(), 8 * len(encryption)) + encryption)
    return _message(UPDSA if update else NEWSA, body)


def delete_sa(destination: str, spi: int) -> bytes:
    """An SA is found by where it goes and its SPI."""
    family, address = _packed(destination)
    return _message(DELSA, _SA_ID.pack(address, spi.to_bytes(4, "big"), family, socket.IPPROTO_ESP))


def send_by(sa: Sa, priority: int) -> bytes:
    """What goes from one port to the other leaves on this SA and no other; replaces an earlier policy of the two."""
    family, selector = _selector(Peer(sa.source, sa.source_port), Peer(sa.destination, sa.destination_port))
    template = _TEMPLATE.pack(_id(sa), family, _packed(sa.source)[1], 0, TRANSPORT, 0, 0, _EVERY, _EVERY, _EVERY)
    return _policy(selector, OUT, ALLOW, priority, template)


def stop_sending_by(sa: Sa) -> bytes:
    """The reverse of `send_by`."""
    _, selector = _selector(Peer(sa.source, sa.source_port), Peer(sa.destination, sa.destination_port))
    return _delete_policy(selector, OUT)


def only_esp(address: str, port: int, priority: int) -> tuple[bytes, bytes]:
    """This port of ours is protected: what comes there without ESP is dropped, and so is what would leave from it
    without an SA of its own."""
    family, inwards = _selector(Peer(), Peer(address, port))
    _, outwards = _selector(Peer(address, port), Peer())
    any_sa = _TEMPLATE.pack(_ID.pack(bytes(16), bytes(4), socket.IPPROTO_ESP), family, bytes(16), 0, TRANSPORT, 0, 0,
                            _EVERY, _EVERY, _EVERY)
    return _policy(inwards, IN, ALLOW, priority, any_sa), _policy(outwards, OUT, BLOCK, priority)


def no_more_only_esp(address: str, port: int) -> tuple[bytes, bytes]:
    """The reverse of `only_esp`."""
    return (_delete_policy(_selector(Peer(), Peer(address, port))[1], IN),
            _delete_policy(_selector(Peer(address, port), Peer())[1], OUT))


def dump(kind: int) -> bytes:
    """Ask for all SAs (GETSA) or policies (GETPOLICY)."""
    return _message(kind, b"", REQUEST | DUMP)


def _id(sa: Sa) -> bytes:
    return _ID.pack(_packed(sa.destination)[1], sa.spi.to_bytes(4, "big"), socket.IPPROTO_ESP)


def _policy(selector: bytes, direction: int, action: int, priority: int, template: bytes = b"") -> bytes:
    body = selector + _POLICY_REST.pack(_lifetime(0), priority, 0, direction, action, 0, 0)
    return _message(UPDPOLICY, body + (_attribute(TMPL, template) if template else b""))


def _delete_policy(selector: bytes, direction: int) -> bytes:
    return _message(DELPOLICY, selector + struct.pack("=IB3x", 0, direction))


# ---- what the kernel says ----------------------------------------------------------------------------


class Said(NamedTuple):
    """A message of the kernel's: its kind and its body."""

    kind: int
    body: bytes


def messages(data: bytes) -> Iterator[Said]:
    """The messages of one datagram."""
    position = 0
    while position + _HEADER.size <= len(data):
        length, kind, *_ = _HEADER.unpack_from(data, position)
        if length < _HEADER.size:
            return
        yield Said(kind, data[position + _HEADER.size:position + length])
        position += length + (-length % 4)


def refusal(body: bytes) -> tuple[int, int]:
    """Of an NLMSG_ERROR: the error number, 0 for an acknowledgement, and the kind of the request."""
    return -struct.unpack_from("=i", body)[0], struct.unpack_from("=IH", body, 4)[1]


def sa_state(body: bytes) -> SaState:
    """Of NEWSA in a dump, and of EXPIRE."""
    _, found, source, life, current, stats, _, _, family, *_ = _SA_INFO.unpack_from(body)
    destination, spi, _ = _ID.unpack(found)
    size = 16 if family == socket.AF_INET6 else 4
    octets, packets, added, _ = struct.unpack("=4Q", current)
    _, replayed, failed = struct.unpack("=3I", stats)
    return SaState(str(ip_address(source[:size])), str(ip_address(destination[:size])), int.from_bytes(spi, "big"),
                   packets, octets, replayed, failed, added, _LIFETIME.unpack(life)[5])


def expired_hard(body: bytes) -> bool:
    """Whether an EXPIRE says that the SA is gone, and not only that it will be."""
    return bool(body[_SA_INFO.size])


def policy_of(body: bytes, address: str) -> bytes | None:
    """The request that deletes a policy of a dump, if it has to do with our address."""
    _, packed = _packed(address)
    direction = body[_SELECTOR.size + _POLICY_REST.size - 8]
    if packed not in (body[:16], body[16:32]) or direction not in (IN, OUT):
        return None
    return _delete_policy(body[:_SELECTOR.size], direction)


def error_text(number: int) -> str:
    """What an error of the kernel's means here."""
    known = {errno.ENOENT: "an algorithm is missing in this kernel", errno.EEXIST: "an SA with this SPI exists",
             errno.EPERM: "root or CAP_NET_ADMIN is needed", errno.ESRCH: "there is no such SA"}
    return known.get(number) or os.strerror(number)
