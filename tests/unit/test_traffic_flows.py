# SPDX-License-Identifier: Apache-2.0
"""Which bearer a packet takes, and how much of it passes: filters by precedence, fragments, bit rates, classes."""

import socket
import struct
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialtone.codec import gtpu
from dialtone.codec.tft import Direction, Masked, PacketFilter, host
from dialtone.datapath import flow
from dialtone.datapath.flow import REMEMBERED, Template
from dialtone.datapath.forwarder import Forwarder
from dialtone.datapath.policing import BURST_SECONDS, LEAST_BURST
from dialtone.datapath.radio_forwarder import RadioBearer, RadioForwarder
from dialtone.effects import DownlinkWaiting, OpenTunnel

IMSI = "001010000000001"
LOCAL, ENB = socket.inet_aton("10.0.1.133"), socket.inet_aton("10.0.1.20")
PEER, CORE = ("10.0.1.20", 2152), ("10.0.1.133", 2152)
UE, HOST, OTHER = (socket.inet_aton(a) for a in ("10.45.0.2", "203.0.113.1", "203.0.113.2"))
UE6, HOST6 = (socket.inet_pton(socket.AF_INET6, a) for a in ("2001:db8:cafe:1::77", "2001:db8:1::1"))
TCP, UDP, ESP, AH, ICMP = 6, 17, 50, 51, 1
BOTH = Direction.BIDIRECTIONAL


def ports(source: int, destination: int) -> bytes:
    return struct.pack(">HHHH", source, destination, 8, 0)


def ipv4(source: bytes, destination: bytes, protocol: int = UDP, body: bytes = bytes(8), *, tos: int = 0,
         fragment: int = 0, number: int = 1, options: bytes = b"") -> bytes:
    return struct.pack(">BBHHHBBH4s4s", 0x45 + len(options) // 4, tos, 20 + len(options) + len(body), number, fragment,
                       64, protocol, 0, source, destination) + options + body


def ipv6(source: bytes, destination: bytes, following: int = UDP, body: bytes = bytes(8), *, tos: int = 0,
         label: int = 0) -> bytes:
    return struct.pack(">IHBB16s16s", 0x6000_0000 | tos << 20 | label, len(body), following, 64, source,
                       destination) + body


def dedicated(ebi: int, *filters: PacketFilter, qci: int = 1, mbr: tuple[int, int] = (0, 0),
              ambr: tuple[int, int] = (0, 0)) -> OpenTunnel:
    return OpenTunnel(IMSI, ebi, UE, 0x1000 + ebi, ENB, 0x9000 + ebi, qci, prefix=UE6[:8], filters=filters, mbr=mbr,
                      ambr=ambr)


@pytest.fixture
def plane() -> Forwarder:
    made = Forwarder(LOCAL)
    made.open(dedicated(5, qci=9), 0)
    return made


def bearer_of(plane: Forwarder, packet: bytes, now: float = 0.0) -> int:
    """The EBI that a downlink packet travels on."""
    out = plane.downlink(packet, now)
    assert out is not None
    assert out[0][8:] == packet
    return gtpu.split(out[0])[1] - 0x9000


def test_the_first_filter_by_precedence_wins_whatever_bearer_it_is_of(plane: Forwarder) -> None:
    two = PacketFilter(1, BOTH, 30, protocol=UDP), PacketFilter(2, BOTH, 10, remote=host("203.0.113.1"))
    plane.open(dedicated(6, *two), 0)
    plane.open(dedicated(7, PacketFilter(1, BOTH, 20, local_ports=(5000, 5001), remote_ports=(7000, 7000))), 0)
    assert bearer_of(plane, ipv4(HOST, UE, TCP, ports(80, 5000))) == 6  # precedence 10
    assert bearer_of(plane, ipv4(OTHER, UE, UDP, ports(7000, 5001))) == 7  # 20 before 30
    assert bearer_of(plane, ipv4(OTHER, UE, UDP, ports(7000, 5002))) == 6  # 30
    assert bearer_of(plane, ipv4(OTHER, UE, TCP, ports(7000, 5002))) == 5  # the default bearer has the rest
    plane.close(0x1007)
    assert bearer_of(plane, ipv4(OTHER, UE, UDP, ports(7000, 5001))) == 6
    plane.open(dedicated(6, PacketFilter(2, BOTH, 10, protocol=ICMP)), 0)  # another template in its place
    assert bearer_of(plane, ipv4(HOST, UE, TCP, ports(80, 5000))) == 5


@pytest.mark.parametrize(("one", "packet"), [
    (PacketFilter(1, BOTH, 1, protocol=ICMP), ipv4(HOST, UE, ICMP)),
    (PacketFilter(1, BOTH, 1, remote=host("203.0.113.0/24"), local=host("10.45.0.2")), ipv4(OTHER, UE)),
    (PacketFilter(1, BOTH, 1, spi=0x01020304), ipv4(HOST, UE, ESP, bytes((1, 2, 3, 4, 0, 0, 0, 1)))),
    (PacketFilter(1, BOTH, 1, spi=0x01020304), ipv4(HOST, UE, AH, bytes((6, 4, 0, 0, 1, 2, 3, 4)))),
    (PacketFilter(1, BOTH, 1, spi=0x01020304, protocol=ESP), ipv6(HOST6, UE6, ESP, bytes((1, 2, 3, 4)))),
    (PacketFilter(1, BOTH, 1, tos=(0xB8, 0xFC)), ipv4(HOST, UE, tos=0xBB)),
    (PacketFilter(1, BOTH, 1, tos=(0xB8, 0xFC)), ipv6(HOST6, UE6, tos=0xB8)),
    (PacketFilter(1, BOTH, 1, flow_label=0x54321), ipv6(HOST6, UE6, label=0x54321)),
    (PacketFilter(1, BOTH, 1, remote=host("2001:db8:1::/48")), ipv6(HOST6, UE6)),
    (PacketFilter(1, BOTH, 1, remote_ports=(53, 53)), ipv4(HOST, UE, UDP, ports(53, 9), options=bytes(8))),
    (PacketFilter(1, BOTH, 1, remote_ports=(53, 53)), ipv6(HOST6, UE6, UDP, ports(53, 9))),
    (PacketFilter(1, BOTH, 1, remote_ports=(53, 53), protocol=UDP),  # behind hop-by-hop and destination options
     ipv6(HOST6, UE6, 0, bytes((60, 0)) + bytes(6) + bytes((UDP, 1)) + bytes(14) + ports(53, 9))),
    (PacketFilter(1, Direction.DOWNLINK, 1, protocol=UDP), ipv4(HOST, UE)),
    (PacketFilter(1, Direction.PRE_RELEASE_7, 1, protocol=UDP), ipv4(HOST, UE)),
])
def test_every_component_finds_its_packet(plane: Forwarder, one: PacketFilter, packet: bytes) -> None:
    plane.open(dedicated(6, one), 0)
    assert bearer_of(plane, packet) == 6
    spoiled = bytearray(packet)  # another protocol, sender, class and label: another packet
    if packet[0] >> 4 == 4:
        spoiled[1], spoiled[9], spoiled[12] = 0, 47, 9
    else:
        spoiled[0:4], spoiled[6], spoiled[9] = b"\x60\0\0\0", 47, 9
    assert bearer_of(plane, bytes(spoiled)) == 5


def test_a_filter_for_the_uplink_is_none_of_the_gateways(plane: Forwarder) -> None:
    plane.open(dedicated(6, PacketFilter(1, Direction.UPLINK, 1, protocol=UDP)), 0)
    assert bearer_of(plane, ipv4(HOST, UE)) == 5


def test_later_fragments_follow_the_first(plane: Forwarder) -> None:
    plane.open(dedicated(6, PacketFilter(1, BOTH, 1, remote_ports=(5004, 5004))), 0)
    assert bearer_of(plane, ipv4(HOST, UE, UDP, bytes(8), fragment=185, number=7)) == 5  # it came before the first
    assert bearer_of(plane, ipv4(HOST, UE, UDP, ports(5004, 9), fragment=0x2000, number=7)) == 6
    assert bearer_of(plane, ipv4(HOST, UE, UDP, ports(80, 9), fragment=0x2000, number=8)) == 5
    for number, bearer in ((7, 6), (8, 5), (9, 5)):
        assert bearer_of(plane, ipv4(HOST, UE, UDP, ports(5004, 9), fragment=0x2000 + 185, number=number)) == bearer
        assert bearer_of(plane, ipv4(OTHER, UE, UDP, bytes(8), fragment=185, number=number)) == 5
    head = struct.pack(">BBHI", UDP, 0, 1, 77)
    assert bearer_of(plane, ipv6(HOST6, UE6, 44, head + ports(5004, 9))) == 6
    assert bearer_of(plane, ipv6(HOST6, UE6, 44, struct.pack(">BBHI", UDP, 0, 185 << 3, 77) + bytes(8))) == 6
    assert bearer_of(plane, ipv6(HOST6, UE6, 44, struct.pack(">BBHI", UDP, 0, 185 << 3, 78) + bytes(8))) == 5


def test_a_flood_of_first_fragments_is_forgotten_again() -> None:
    template = Template([(PacketFilter(1, BOTH, 1, protocol=UDP), "voice")], downlink=True)
    for number in range(3 * REMEMBERED):
        assert template.choose(ipv4(HOST, UE, fragment=0x2000, number=number % 65536), "rest") == "voice"
    assert len(template._followed) == REMEMBERED
    assert template.choose(ipv4(HOST, UE, fragment=185, number=3 * REMEMBERED - 1), "rest") == "voice"
    assert template.choose(ipv4(HOST, UE, fragment=185, number=0), "rest") == "rest"


@given(st.binary(max_size=120), st.sampled_from([4, 6]), st.booleans(),
       st.sampled_from([0, 6, 17, 43, 44, 50, 51, 58, 60]))
@settings(max_examples=400, deadline=None)
def test_no_packet_harms(rest: bytes, version: int, downlink: bool, following: int) -> None:
    packet = ipv6(HOST6, UE6, following, rest) if version == 6 else ipv4(HOST, UE, following, rest)
    found, _, _ = flow.read(packet, downlink)
    assert (found.remote if downlink else found.local) == (HOST6 if version == 6 else HOST)
    flow.read(packet[: 40 if version == 6 else 20], downlink)


def test_a_bearer_on_its_way_leaves_its_packets_to_the_default_one(plane: Forwarder) -> None:
    plane.open(OpenTunnel(IMSI, 6, UE, 0x1006, prefix=UE6[:8], filters=(PacketFilter(1, BOTH, 1, protocol=UDP),)), 0)
    assert bearer_of(plane, ipv4(HOST, UE)) == 5
    plane.open(OpenTunnel(IMSI, 5, UE, 0x1005, prefix=UE6[:8]), 0)  # the phone is idle now
    assert plane.downlink(ipv4(HOST, UE), 0) is None
    assert plane.events == [DownlinkWaiting(IMSI, 6, 0x1006)]  # and is called for the bearer that the data are for
    assert plane.open(dedicated(5, qci=9), 0) == []
    assert len(plane.open(dedicated(6, PacketFilter(1, BOTH, 1, protocol=UDP)), 0)) == 1


def test_the_class_of_the_outer_header(plane: Forwarder) -> None:
    plane.open(dedicated(6, PacketFilter(1, BOTH, 1, protocol=UDP), qci=1), 0)
    voice, rest = plane.downlink(ipv4(HOST, UE), 0), plane.downlink(ipv4(HOST, UE, TCP), 0)
    assert voice is not None
    assert rest is not None
    assert (voice[2], rest[2]) == (46 << 2, 0)
    other = Forwarder(LOCAL, dscp={1: 12})
    other.open(dedicated(5, qci=1), 0)
    changed = other.downlink(ipv4(HOST, UE), 0)
    assert changed is not None
    assert changed[2] == 12 << 2


def passed(plane: Forwarder, count: int, now: float, size: int = 1000, protocol: int = UDP) -> tuple[int, int]:
    """How many of `count` packets pass, down and up on the bearer that is theirs."""
    down = [plane.downlink(ipv4(HOST, UE, protocol, bytes(size - 20)), now) for _ in range(count)]
    teid = 0x1006 if protocol == UDP else 0x1005
    packet = gtpu.gpdu(teid, ipv4(UE, HOST, protocol, bytes(size - 20)))
    up = [plane.uplink(packet, PEER, now) for _ in range(count)]
    return sum(out is not None for out in down), sum(out is not None for out in up)


def test_what_is_above_the_mbr_of_a_bearer_is_dropped_and_counted(plane: Forwarder) -> None:
    plane.open(dedicated(6, PacketFilter(1, BOTH, 1, protocol=UDP), mbr=(600, 80), ambr=(1, 1)), 100)
    burst = LEAST_BURST // 1000
    assert passed(plane, 30, 100.0) == (burst, burst)  # the AMBR is not for GBR bearers
    assert passed(plane, 30, 100.02) == (1, 0)  # 20 ms of 600 kbit/s: 1500 octets
    assert passed(plane, 30, 100.11) == (7, 1)
    assert passed(plane, 30, 200.0) == (burst, burst)
    assert plane.drops["over MBR"] == plane.bearers[0x1006].down_policed + plane.bearers[0x1006].up_policed
    assert plane.bearers[0x1006].down_packets == 2 * burst + 8
    plane.open(dedicated(6, PacketFilter(1, BOTH, 1, protocol=UDP), mbr=(600, 80), ambr=(1, 1)), 200)
    assert passed(plane, 30, 200.0) == (0, 0)  # the same rate once more is no new allowance


def test_the_ambr_is_shared_by_the_bearers_without_a_guaranteed_rate(plane: Forwarder) -> None:
    ambr = (8000, 4000)
    plane.open(dedicated(5, qci=9, ambr=ambr), 0)
    plane.open(dedicated(6, PacketFilter(1, BOTH, 1, protocol=UDP), qci=7, ambr=ambr), 0)
    burst = int(8000 * 125 * BURST_SECONDS / 1000)
    assert passed(plane, burst - 10, 10.0)[0] == burst - 10
    assert passed(plane, 30, 10.0, protocol=TCP)[0] == 10  # what the other one left
    assert plane.bearers[0x1005].down_policed == 20
    total = sum(passed(plane, 20, 11 + number / 100, protocol=TCP)[1] for number in range(200))
    assert total == pytest.approx(2 * 500 + burst / 2, rel=0.02)  # two seconds of 4 Mbit/s, and the burst
    plane.open(dedicated(5, qci=9), 20)
    assert passed(plane, 500, 20, protocol=TCP) == (500, 500)  # no limit any more


def test_a_phone_without_limits_is_not_policed(plane: Forwarder) -> None:
    assert passed(plane, 1000, 0, protocol=TCP) == (1000, 1000)
    assert not plane.drops


def test_the_simulated_phone_chooses_for_the_uplink() -> None:
    radio = RadioForwarder(ENB)
    radio.add(RadioBearer(IMSI, 5, UE, 0x9005, 0x1005, CORE, UE6[8:]))
    radio.add(RadioBearer(IMSI, 6, UE, 0x9006, 0x1006, CORE, UE6[8:],
                          (PacketFilter(1, BOTH, 1, remote_ports=(5004, 5004)),
                           PacketFilter(2, Direction.DOWNLINK, 2, protocol=TCP))))
    def teid(packet: bytes) -> int:
        out = radio.from_phone(IMSI, packet)
        assert out is not None
        return gtpu.split(out[0])[1]

    assert teid(ipv4(UE, HOST, UDP, ports(9, 5004))) == 0x1006
    assert teid(ipv4(UE, HOST, UDP, ports(5004, 9))) == 0x1005
    assert teid(ipv4(UE, HOST, TCP, ports(9, 9))) == 0x1005
    assert teid(ipv6(UE6, HOST6, UDP, ports(9, 5004))) == 0x1006
    radio.remove(0x9006)
    assert teid(ipv4(UE, HOST, UDP, ports(9, 5004))) == 0x1005


def test_tshark_agrees_on_what_a_packet_is(tmp_path: Path) -> None:
    """Ports, SPI, class and label of our reading, against a foreign one."""
    packets = [
        ipv4(HOST, UE, UDP, ports(5004, 6000), tos=0xB8, options=b"\1" * 4),
        ipv4(HOST, UE, ESP, bytes((1, 2, 3, 4, 0, 0, 0, 1)) + bytes(16)),
        ipv6(HOST6, UE6, 0, bytes((UDP, 0, 1, 4, 0, 0, 0, 0)) + ports(53, 4000), tos=0x28, label=0x12345),
    ]
    (tmp_path / "hex").write_text("".join(f"0000 {gtpu.gpdu(1, packet).hex(' ')}\n" for packet in packets))
    subprocess.run(["text2pcap", "-q", "-u", "2152,2152", tmp_path / "hex", tmp_path / "pcap"], check=True)
    fields = ["udp.srcport", "udp.dstport", "esp.spi", "ip.dsfield", "ipv6.tclass", "ipv6.flow"]
    said = subprocess.run(["tshark", "-r", tmp_path / "pcap", "-T", "fields", "-E", "separator=|", "-E", "occurrence=l",
                           *(word for field in fields for word in ("-e", field))],
                          check=True, capture_output=True, text=True).stdout.splitlines()
    for packet, line in zip(packets, said, strict=True):
        found, _, _ = flow.read(packet, downlink=True)
        source, destination, spi, dsfield, tclass, label = line.split("|")
        if found.spi is not None:
            assert int(spi, 0) == found.spi
        else:
            assert (int(source), int(destination)) == (found.remote_port, found.local_port)
        if packet[0] >> 4 == 6:
            assert (int(tclass, 0), int(label, 0)) == (found.tos, found.flow_label)
        else:
            assert int(dsfield, 0) == found.tos


@pytest.mark.parametrize(("one", "text"), [
    (PacketFilter(1, BOTH, 10, remote=host("192.0.2.7"), protocol=UDP, remote_ports=(5004, 5004),
                  local_ports=(6000, 6001)),
     "10: both, protocol 17, 192.0.2.7/32:5004 - :6000-6001"),
    (PacketFilter(1, Direction.UPLINK, 3, remote=host("2001:db8::/32"), spi=7),
     "3: up, 2001:db8::/32 - , SPI 0x00000007"),
    (PacketFilter(1, Direction.PRE_RELEASE_7, 3, tos=(0xB8, 0xFC)), "3: down, class 0xb8 of 0xfc"),
    (PacketFilter(1, Direction.DOWNLINK, 3, flow_label=5), "3: down, flow label 0x00005"),
])
def test_a_filter_for_people(one: PacketFilter, text: str) -> None:
    assert str(one) == text


def test_masks_of_any_shape(plane: Forwarder) -> None:
    odd = Masked(bytes((203, 0, 0, 1)), bytes((255, 255, 0, 255)))
    plane.open(dedicated(6, PacketFilter(1, BOTH, 1, remote=odd)), 0)
    assert bearer_of(plane, ipv4(HOST, UE)) == 6
    assert bearer_of(plane, ipv4(OTHER, UE)) == 5
