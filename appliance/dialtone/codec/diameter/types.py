# SPDX-License-Identifier: Apache-2.0
"""AVP data formats (RFC 6733, 4.2 and 4.3): how the octets of a value are read and written.

A value of the wrong size raises struct.error (answered as DIAMETER_INVALID_AVP_LENGTH), any other wrong value
ValueError or ProtocolError (DIAMETER_INVALID_AVP_VALUE).
"""

import struct
from collections.abc import Callable
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address
from typing import Any, NamedTuple

from dialtone.codec.tbcd import digits, tbcd
from dialtone.ids import Plmn

Address = IPv4Address | IPv6Address
_NTP_EPOCH = 2208988800  # seconds from 1900 to 1970
_U32, _I32, _U64 = struct.Struct(">I"), struct.Struct(">i"), struct.Struct(">Q")

unpack_head = struct.Struct(">II").unpack_from


class Codec(NamedTuple):
    """`size`: octets, where the format fixes them. `first`: `decode` gives a tuple with the value in it."""

    decode: Callable[[bytes], Any]
    encode: Callable[[Any], bytes]
    size: int | None = None
    first: bool = False


def _integer(form: struct.Struct) -> Codec:
    return Codec(form.unpack, form.pack, form.size, first=True)


@lru_cache(64)
def _address(octets: bytes) -> Address:
    """The address family number 1 or 2 in two octets, then the address (RFC 6733, 4.3.1)."""
    if octets[:2] == b"\0\1" and len(octets) == 6:
        return IPv4Address(octets[2:])
    if octets[:2] == b"\0\2" and len(octets) == 18:
        return IPv6Address(octets[2:])
    raise ValueError(f"{octets.hex()} is no IP address")


def _address_octets(address: Address) -> bytes:
    return (b"\0\1" if address.version == 4 else b"\0\2") + address.packed


def _time(octets: bytes) -> int:
    """Unix seconds from the four octets of NTP, whose era ends in 2036 (RFC 6733, 4.3.1; RFC 5905, 6)."""
    seconds = int(_U32.unpack(octets)[0])
    return seconds - _NTP_EPOCH + (0 if seconds & 0x80000000 else 1 << 32)


def _time_octets(seconds: int) -> bytes:
    return _U32.pack(seconds + _NTP_EPOCH & 0xFFFFFFFF)


def _identity(octets: bytes) -> str:
    if not octets:
        raise ValueError("an empty identity")
    return octets.decode("ascii")


def _octets_of(size: int) -> Codec:
    def decode(octets: bytes) -> bytes:
        if len(octets) != size:
            raise struct.error(f"{size} octets expected, {len(octets)} came")
        return octets

    return Codec(decode, decode, size)


_CODECS = {
    "OctetString": Codec(bytes, bytes),
    "UTF8String": Codec(bytes.decode, str.encode),
    "IPFilterRule": Codec(bytes.decode, str.encode),  # read by codec/ipfilter.py
    "DiameterURI": Codec(bytes.decode, str.encode),
    "DiameterIdentity": Codec(_identity, str.encode),
    "Unsigned32": _integer(_U32),
    "Integer32": _integer(_I32),
    "Enumerated": _integer(_I32),
    "Unsigned64": _integer(_U64),
    "Time": Codec(_time, _time_octets, 4),
    "Address": Codec(_address, _address_octets),
    "Grouped": Codec(bytes, bytes),
    "OctetString(Plmn)": Codec(Plmn.from_bytes, Plmn.to_bytes),
    "OctetString(Tbcd)": Codec(digits, tbcd),
}


def codec_of(kind: str) -> Codec:
    """The codec of a type of the dictionary. KeyError: a type without one."""
    if kind not in _CODECS and (size := kind.removeprefix("OctetString(").removesuffix(")")).isdigit():
        _CODECS[kind] = _octets_of(int(size))
    return _CODECS[kind]
