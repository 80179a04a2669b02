# SPDX-License-Identifier: Apache-2.0
"""Traffic flow templates: which packets a bearer carries (TS 24.008, 10.5.6.12).

The same octets travel in NAS (TFT, traffic flow aggregate) and in GTPv2-C (Bearer TFT, Traffic Aggregate
Description). *Remote* and *local* are the phone's view in both directions: local is the phone.

    Tft.create([PacketFilter(1, Direction.BIDIRECTIONAL, 16, remote=host("192.0.2.7"), protocol=17)])
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Final, NamedTuple

from dialtone.errors import ProtocolError

SEMANTIC_TFT, SYNTACTIC_TFT, SEMANTIC_FILTER, SYNTACTIC_FILTER = 41, 42, 44, 45
"""ESM causes of what can be wrong (TS 24.301, 6.4.2.4)."""
_CLAUSE = "TS 24.008, 10.5.6.12"


class TftError(ProtocolError):
    """A template that cannot be used; `cause` is the ESM cause to answer (TS 24.301, 6.4.2.4)."""

    def __init__(self, text: str, cause: int) -> None:
        super().__init__(text, cause=cause, clause=_CLAUSE)


class Operation(IntEnum):
    """TFT operation code; 0 and 7 are not to be sent."""

    CREATE = 1
    DELETE = 2
    ADD = 3
    REPLACE = 4
    DELETE_FILTERS = 5
    NO_OPERATION = 6


class Direction(IntEnum):
    """Packet filter direction; 0 is a filter of a network before Release 7, for the downlink."""

    PRE_RELEASE_7 = 0
    DOWNLINK = 1
    UPLINK = 2
    BIDIRECTIONAL = 3


class Parameter(IntEnum):
    """Parameter identifiers of the parameter list."""

    AUTHORIZATION_TOKEN = 1
    FLOW_IDENTIFIER = 2
    PACKET_FILTER_IDENTIFIER = 3


class Masked(NamedTuple):
    """An address and its mask, 4 or 16 octets each."""

    address: bytes
    mask: bytes


class Flow(NamedTuple):
    """What filters look at in one packet. Ports and SPI are None where a packet has none (a later fragment)."""

    remote: bytes
    local: bytes
    protocol: int
    remote_port: int | None = None
    local_port: int | None = None
    tos: int = 0
    spi: int | None = None
    flow_label: int = 0

    def __str__(self) -> str:
        """For people, as an uplink packet: `from 10.46.0.2:49120 to 10.46.0.3:50000, protocol 17,`."""
        here, there = (f":{port}" if port is not None else "" for port in (self.local_port, self.remote_port))
        return f"from {ip_address(self.local)}{here} to {ip_address(self.remote)}{there}, protocol {self.protocol},"


def host(text: str) -> Masked:
    """An address or network as `192.0.2.7`, `192.0.2.0/24`, `2001:db8::/32`."""
    network: IPv4Network | IPv6Network = ip_network(text, strict=False)
    return Masked(network.network_address.packed, network.netmask.packed)


ANY: Final = Masked(bytes(4), bytes(4))
"""Any IPv4 address: a filter without components is none, so one that takes everything says this."""


@dataclass(frozen=True, slots=True)
class PacketFilter:
    """One packet filter; of the components those that are not None must all match. A port range has both ends."""

    identifier: int
    direction: Direction
    precedence: int
    remote: Masked | None = None
    local: Masked | None = None
    protocol: int | None = None
    local_ports: tuple[int, int] | None = None
    remote_ports: tuple[int, int] | None = None
    spi: int | None = None
    tos: tuple[int, int] | None = None  # value and mask
    flow_label: int | None = None

    @property
    def uplink(self) -> bool:
        """Whether packets from the phone are filtered by it."""
        return bool(self.direction & Direction.UPLINK)

    @property
    def downlink(self) -> bool:
        """Whether packets to the phone are filtered by it."""
        return self.direction != Direction.UPLINK

    def __str__(self) -> str:
        """For people, `remote` before `local`: `10: both, protocol 17, 192.0.2.7/32:5004 - :6000`."""
        parts = [{1: "down", 2: "up", 3: "both"}.get(self.direction, "down")]
        parts += [] if self.protocol is None else [f"protocol {self.protocol}"]
        ends = [_end(self.remote, self.remote_ports), _end(self.local, self.local_ports)]
        parts += [" - ".join(ends)] if any(ends) else []
        parts += [] if self.spi is None else [f"SPI {self.spi:#010x}"]
        parts += [] if self.tos is None else [f"class {self.tos[0]:#04x} of {self.tos[1]:#04x}"]
        parts += [] if self.flow_label is None else [f"flow label {self.flow_label:#07x}"]
        return f"{self.precedence}: {', '.join(parts)}"

    def matches(self, flow: Flow) -> bool:
        """Whether a packet fits; the direction is the caller's to choose."""
        return (
            (self.protocol is None or self.protocol == flow.protocol)
            and _within(self.remote_ports, flow.remote_port)
            and _within(self.local_ports, flow.local_port)
            and _inside(self.remote, flow.remote)
            and _inside(self.local, flow.local)
            and (self.spi is None or self.spi == flow.spi)
            and (self.tos is None or (flow.tos ^ self.tos[0]) & self.tos[1] == 0)
            and (self.flow_label is None or self.flow_label == flow.flow_label)
        )


def _end(network: Masked | None, ports: tuple[int, int] | None) -> str:
    address = "" if network is None else f"{ip_address(network.address)}/{int.from_bytes(network.mask).bit_count()}"
    if ports is None:
        return address
    return f"{address}:{ports[0]}" if ports[0] == ports[1] else f"{address}:{ports[0]}-{ports[1]}"


def _within(ports: tuple[int, int] | None, port: int | None) -> bool:
    return ports is None or (port is not None and ports[0] <= port <= ports[1])


def _inside(network: Masked | None, address: bytes) -> bool:
    if network is None:
        return True
    wanted, mask = network
    return len(address) == len(mask) and all(
        (a ^ w) & m == 0 for a, w, m in zip(address, wanted, mask, strict=True))


@dataclass(slots=True)
class Tft:
    """One operation on a bearer's template: `filters` to create, add or replace, or `identifiers` to delete."""

    operation: Operation
    filters: tuple[PacketFilter, ...] = ()
    identifiers: tuple[int, ...] = ()
    parameters: tuple[tuple[int, bytes], ...] = ()

    @classmethod
    def create(cls, filters: Iterable[PacketFilter]) -> "Tft":
        """A new template."""
        return cls(Operation.CREATE, tuple(filters))

    @classmethod
    def from_bytes(cls, octets: bytes) -> "Tft":
        """Read the value part. Raises TftError with the ESM cause to answer."""
        if not octets:
            raise TftError("a TFT without octets", SYNTACTIC_TFT)
        code, count, at = octets[0] >> 5, octets[0] & 0x0F, 1
        if code not in Operation.__members__.values():
            raise TftError(f"TFT operation {code} is reserved", SYNTACTIC_TFT)
        operation = Operation(code)
        filters, identifiers = [], []
        if operation in (Operation.DELETE, Operation.NO_OPERATION):
            if count:
                raise TftError(f"TFT operation {operation.name} with packet filters", SYNTACTIC_TFT)
        elif not count:
            raise TftError(f"TFT operation {operation.name} without packet filters", SYNTACTIC_TFT)
        elif operation is Operation.DELETE_FILTERS:
            at += count
            identifiers = [octet & 0x0F for octet in octets[1:at]]
            if len(identifiers) < count:
                raise TftError("fewer packet filter identifiers than announced", SYNTACTIC_TFT)
        else:
            for _ in range(count):
                one, at = _read_filter(octets, at)
                filters.append(one)
        if len({one.identifier for one in filters}) < len(filters):
            raise TftError("two packet filters with one identifier", SYNTACTIC_FILTER)
        if len({one.precedence for one in filters}) < len(filters):
            raise TftError("two packet filters with one evaluation precedence", SYNTACTIC_FILTER)
        parameters: list[tuple[int, bytes]] = []
        if octets[0] & 0x10:
            parameters, at = _read_parameters(octets, at)
        if at != len(octets):
            raise TftError(f"{len(octets) - at} octets after the end of the TFT", SYNTACTIC_TFT)
        return cls(operation, tuple(filters), tuple(identifiers), tuple(parameters))

    def to_bytes(self) -> bytes:
        """The value part. ValueError where a filter has no component or does not fit."""
        members = self.filters or self.identifiers
        if len(members) > 15:
            raise ValueError("a TFT has room for 15 packet filters")
        head = self.operation << 5 | (0x10 if self.parameters else 0) | len(members)
        parts = [bytes((head,)), bytes(self.identifiers)]
        parts += [_write_filter(one) for one in self.filters]
        parts += [bytes((number, len(value))) + value for number, value in self.parameters]
        return b"".join(parts)


def change(present: Mapping[int, PacketFilter], tft: Tft) -> dict[int, PacketFilter]:
    """The filters of a bearer after `tft`, by identifier. Raises TftError (TS 24.301, 6.4.2.4, 6.4.3.4).

    A filter to replace that is not there is added, one to delete that is not there is gone already.
    """
    if tft.operation is Operation.CREATE:
        return {one.identifier: one for one in tft.filters}
    if tft.operation is Operation.NO_OPERATION:
        return dict(present)
    if not present:
        raise TftError(f"TFT operation {tft.operation.name} for a bearer without TFT", SEMANTIC_TFT)
    if tft.operation is Operation.DELETE:
        return {}
    after = {number: one for number, one in present.items() if number not in tft.identifiers}
    if tft.operation is Operation.DELETE_FILTERS and not after:
        raise TftError("the TFT would be left without packet filters", SEMANTIC_TFT)
    after |= {one.identifier: one for one in tft.filters}
    if len({one.precedence for one in after.values()}) < len(after):
        raise TftError("two packet filters with one evaluation precedence", SYNTACTIC_FILTER)
    return after


# --- packet filters -------------------------------------------------------------------------------------

_SIZES: Final = {
    0x10: 8, 0x11: 8, 0x20: 32, 0x21: 17, 0x23: 17, 0x30: 1, 0x40: 2, 0x41: 4, 0x50: 2, 0x51: 4, 0x60: 4, 0x70: 2,
    0x80: 3,
}  # fmt: skip
"""Packet filter component type identifiers, and how many octets the value has."""
_FIELDS: Final = {
    0x10: "remote", 0x11: "local", 0x20: "remote", 0x21: "remote", 0x23: "local", 0x30: "protocol",
    0x40: "local_ports", 0x41: "local_ports", 0x50: "remote_ports", 0x51: "remote_ports", 0x60: "spi", 0x70: "tos",
    0x80: "flow_label",
}  # fmt: skip
"""What each is here: of two types for one field only one may stand in a filter."""


def _read_filter(octets: bytes, at: int) -> tuple[PacketFilter, int]:
    start, end = at + 3, len(octets)
    if start > end:
        raise TftError("fewer packet filters than announced", SYNTACTIC_TFT)
    head, precedence, stop = octets[at], octets[at + 1], start + octets[at + 2]
    if stop > end:
        raise TftError("a packet filter reaches beyond the end of the TFT", SYNTACTIC_TFT)
    if start == stop:
        raise TftError("a packet filter without components", SYNTACTIC_FILTER)
    found: dict[str, object] = {}
    while start < stop:
        kind = octets[start]
        size = _SIZES.get(kind)
        if size is None:
            raise TftError(f"packet filter component {kind:#04x} is unknown", SYNTACTIC_FILTER)
        value = octets[start + 1 : start + 1 + size]
        start += 1 + size
        if start > stop:
            raise TftError(f"packet filter component {kind:#04x} is cut short", SYNTACTIC_FILTER)
        if _FIELDS[kind] in found:
            raise TftError(f"two packet filter components for {_FIELDS[kind]}", SYNTACTIC_FILTER)
        found[_FIELDS[kind]] = _component(kind, value)
    one = PacketFilter(head & 0x0F, Direction(head >> 4 & 3), precedence, **found)  # type: ignore[arg-type]
    _effective(one)
    return one, stop


def _component(kind: int, value: bytes) -> object:
    number = int.from_bytes(value)
    match kind:
        case 0x10 | 0x11 | 0x20:
            half = len(value) // 2
            return Masked(value[:half], value[half:])
        case 0x21 | 0x23:
            if value[16] > 128:
                raise TftError(f"an IPv6 prefix of {value[16]} bits", SYNTACTIC_FILTER)
            return Masked(value[:16], _prefix_mask(value[16]))
        case 0x40 | 0x50:
            return number, number
        case 0x41 | 0x51:
            return number >> 16, number & 0xFFFF
        case 0x70:
            return value[0], value[1]
        case 0x80:
            return number & 0xFFFFF
    return number


def _effective(one: PacketFilter) -> None:
    """Raise TftError for components of which no packet can have all."""
    sizes = {len(network.address) for network in (one.remote, one.local) if network is not None}
    if len(sizes) > 1 or (one.flow_label is not None and 4 in sizes):
        raise TftError("IPv4 and IPv6 in one packet filter", SEMANTIC_FILTER)
    ports = [ports for ports in (one.local_ports, one.remote_ports) if ports is not None]
    if any(low > high for low, high in ports):
        raise TftError("a port range that ends before it begins", SEMANTIC_FILTER)
    if ports and one.spi is not None:
        raise TftError("ports and an SPI in one packet filter", SEMANTIC_FILTER)


def _prefix_mask(bits: int) -> bytes:
    return (((1 << bits) - 1) << (128 - bits)).to_bytes(16)


def _write_filter(one: PacketFilter) -> bytes:
    contents = b"".join(_components(one))
    if not contents:
        raise ValueError("a packet filter without components")
    return bytes((one.direction << 4 | one.identifier, one.precedence, len(contents))) + contents


def _components(one: PacketFilter) -> Iterable[bytes]:
    if one.remote is not None:  # with its mask in IPv6 too: the form that phones before Release 11 know
        yield bytes((0x10 if len(one.remote.address) == 4 else 0x20,)) + one.remote.address + one.remote.mask
    if one.local is not None:
        address, mask = one.local
        yield b"\x11" + address + mask if len(address) == 4 else b"\x23" + address + bytes((_bits(mask),))
    if one.protocol is not None:
        yield bytes((0x30, one.protocol))
    for kind, ports in ((0x40, one.local_ports), (0x50, one.remote_ports)):
        if ports is not None:
            low, high = ports
            single = low == high
            yield bytes((kind if single else kind + 1,)) + low.to_bytes(2) + (b"" if single else high.to_bytes(2))
    if one.spi is not None:
        yield b"\x60" + one.spi.to_bytes(4)
    if one.tos is not None:
        yield bytes((0x70, *one.tos))
    if one.flow_label is not None:
        yield b"\x80" + one.flow_label.to_bytes(3)


def _bits(mask: bytes) -> int:
    bits = int.from_bytes(mask).bit_count()
    if mask != _prefix_mask(bits):
        raise ValueError("the mask of a local IPv6 address is a prefix")
    return bits


def _read_parameters(octets: bytes, at: int) -> tuple[list[tuple[int, bytes]], int]:
    found = []
    while at < len(octets):
        stop = at + 2 + octets[at + 1] if at + 1 < len(octets) else len(octets) + 1
        if stop > len(octets):
            raise TftError("the parameter list is cut short", SYNTACTIC_TFT)
        found.append((octets[at], octets[at + 2 : stop]))
        at = stop
    if not found:
        raise TftError("a parameter list without parameters", SYNTACTIC_TFT)
    return found, at
