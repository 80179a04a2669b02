# SPDX-License-Identifier: Apache-2.0
"""The gateway as the phones' IPv6 router: what it says, to whom, how often, and what it does not believe."""

import socket
import struct
import subprocess
from ipaddress import IPv6Network
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialtone.codec import gtpu
from dialtone.datapath.forwarder import Forwarder
from dialtone.datapath.radio_forwarder import RadioBearer, RadioForwarder
from dialtone.datapath.router import (
    ALL_NODES,
    GATEWAY,
    INITIAL_INTERVAL,
    MAX_INTERVAL,
    ROUTER_LIFETIME,
    Router,
    _packet,
    checksum,
)
from dialtone.effects import OpenTunnel
from dialtone.errors import LocalError

IMSI = "001010000000001"
LOCAL, ENB = socket.inet_aton("10.0.1.133"), socket.inet_aton("10.0.1.20")
PEER = ("10.0.1.20", 2152)
UE = socket.inet_aton("10.45.0.2")


def v6(text: str) -> bytes:
    return socket.inet_pton(socket.AF_INET6, text)


PREFIX, OTHER = v6("2001:db8:cafe:1::")[:8], v6("2001:db8:cafe:2::")[:8]
MINE, LINK_LOCAL, HOST, SERVER = v6("2001:db8:cafe:1::77"), v6("fe80::77"), v6("2001:db8:1::1"), v6("2001:db8:cafe::1")
ALL_ROUTERS, NOBODY = v6("ff02::2"), bytes(16)
ROUTER = Router(1400, [(IPv6Network("2001:db8:aaaa::/48"), (HOST,)), (IPv6Network("2001:db8:cafe::/49"), (SERVER,))])
ONE = OpenTunnel(IMSI, 5, b"", 0x1001, ENB, 0x9001, prefix=PREFIX)
IDLE = OpenTunnel(IMSI, 5, b"", 0x1001, prefix=PREFIX)


def ipv6(source: bytes, destination: bytes, body: bytes = bytes(20), following: int = 59) -> bytes:
    return struct.pack(">IHBB16s16s", 0x6000_0000, len(body), following, 64, source, destination) + body


def discovery(kind: int, source: bytes, destination: bytes, target: bytes = b"") -> bytes:
    return _packet(source, destination, bytes((kind, 0, 0, 0, 0, 0, 0, 0)) + target)


@pytest.fixture
def plane() -> Forwarder:
    made = Forwarder(LOCAL, router=ROUTER, echo=0)
    assert len(made.open(ONE, 0.0)) == 1
    return made


def up(plane: Forwarder, packet: bytes, now: float = 1.0) -> object:
    return plane.uplink(gtpu.gpdu(0x1001, packet), PEER, now)


def inner(out: object) -> bytes:
    assert isinstance(out, tuple)
    message = gtpu.decode(out[0])
    assert isinstance(message, gtpu.GPdu)
    assert (message.teid, out[1]) == (0x9001, PEER)
    return message.payload


def test_any_source_inside_the_64_and_no_other(plane: Forwarder) -> None:
    for suffix in (":1", ":77", "1234:5678:9abc:def0"):
        packet = ipv6(v6("2001:db8:cafe:1:" + suffix), HOST)
        assert up(plane, packet + b"\0\0") == packet
    for source in (v6("2001:db8:cafe:2::1"), HOST, LINK_LOCAL, NOBODY):
        assert up(plane, ipv6(source, HOST)) is None
    assert plane.drops == {"spoofed source": 4}
    reply = ipv6(HOST, MINE)
    assert inner(plane.downlink(reply, 0)) == reply
    assert plane.downlink(ipv6(HOST, OTHER + bytes(8)), 0) is None
    assert plane.downlink(ipv6(SERVER, v6("ff02::16")), 0) is None  # the kernel's own, and no fault
    assert plane.drops == {"spoofed source": 4, "no such phone": 1}
    assert plane.bearers[0x1001].up_packets == 3


def test_ipv4_and_ipv6_of_one_phone_share_its_bearer() -> None:
    plane = Forwarder(LOCAL)
    plane.open(OpenTunnel(IMSI, 5, UE, 0x1001, ENB, 0x9001, prefix=PREFIX), 0)
    plane.open(OpenTunnel(IMSI, 6, UE, 0x1002, ENB, 0x9002, prefix=PREFIX), 0)
    with pytest.raises(LocalError):  # half of it is another phone's
        plane.open(OpenTunnel(IMSI, 5, UE, 0x1003, ENB, 1, prefix=OTHER), 0)
    with pytest.raises(LocalError):
        plane.open(OpenTunnel("001010000000002", 5, b"", 0x1003, ENB, 1, prefix=PREFIX), 0)
    for teid in (0x1001, 0x1002):
        plane.close(teid)
    assert not plane.sessions.by_address
    plane.open(OpenTunnel("001010000000002", 5, b"", 0x1003, ENB, 1, prefix=PREFIX), 0)
    ipv4 = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20, 1, 0, 64, 253, 0, UE, UE)
    assert plane.uplink(gtpu.gpdu(0x1003, ipv4), PEER, 0) is None
    assert plane.drops == {"spoofed source": 1}


def test_a_solicitation_is_answered_at_once(plane: Forwarder) -> None:
    answer = inner(up(plane, discovery(133, LINK_LOCAL, ALL_ROUTERS)))
    assert (answer[8:24], answer[24:40], answer[7], answer[40]) == (GATEWAY, LINK_LOCAL, 255, 134)
    assert checksum(answer[8:24], answer[24:40], answer[40:]) == 0
    assert inner(up(plane, discovery(133, NOBODY, ALL_ROUTERS)))[24:40] == ALL_NODES
    assert not plane.drops


def test_neighbour_discovery(plane: Forwarder) -> None:
    """The gateway is there; a phone that looks for a double of its own address finds none."""
    answer = inner(up(plane, discovery(135, MINE, GATEWAY, GATEWAY)))
    assert (answer[24:40], answer[40], answer[44], answer[48:64]) == (MINE, 136, 0xC0, GATEWAY)
    assert inner(up(plane, discovery(135, NOBODY, v6("ff02::1:ff00:1"), GATEWAY)))[24:40] == ALL_NODES
    assert up(plane, discovery(135, NOBODY, v6("ff02::1:ff00:77"), LINK_LOCAL)) is None
    ping = _packet(LINK_LOCAL, GATEWAY, b"\x80\0\0\0\0\1\0\2ping")
    assert inner(up(plane, ping)) == _packet(GATEWAY, LINK_LOCAL, b"\x81\0\0\0\0\1\0\2ping")
    assert not plane.drops


def spoiled(packet: bytes, at: int, octet: int) -> bytes:
    return packet[:at] + bytes((octet,)) + packet[at + 1:]


@pytest.mark.parametrize(("packet", "cause"), [
    (spoiled(discovery(133, LINK_LOCAL, ALL_ROUTERS), 7, 254), "neighbour discovery malformed"),  # it passed a router
    (spoiled(discovery(133, LINK_LOCAL, ALL_ROUTERS), 41, 1), "neighbour discovery malformed"),
    (spoiled(discovery(133, LINK_LOCAL, ALL_ROUTERS), 43, 1), "neighbour discovery malformed"),
    (discovery(133, v6("fe80::77"), ALL_ROUTERS)[:44], "inner packet malformed"),
    (discovery(134, LINK_LOCAL, ALL_NODES), "link-local"),  # a phone is no router
    (discovery(133, HOST, ALL_ROUTERS), "spoofed source"),
    (ipv6(LINK_LOCAL, v6("ff02::16"), b"\x3a\0\5\2\0\0\1\0\x8f" + bytes(27), 0), "link-local"),  # MLDv2
    (ipv6(MINE, v6("ff0e::1"), bytes(8), 17), "link-local"),
])
def test_what_is_not_believed(plane: Forwarder, packet: bytes, cause: str) -> None:
    assert up(plane, packet) is None
    assert plane.drops == {cause: 1}


def test_unsolicited_advertisements_let_a_phone_sleep() -> None:
    plane = Forwarder(LOCAL, router=ROUTER, echo=0)
    assert plane.open(IDLE, 0.0) == []
    assert len(plane.open(ONE, 10.0)) == 1
    assert plane.tick(10.0 + INITIAL_INTERVAL - 1) == []
    assert len(plane.tick(10.0 + INITIAL_INTERVAL)) == 1
    assert len(plane.tick(10.0 + 2 * INITIAL_INTERVAL)) == 1
    last = 10.0 + 2 * INITIAL_INTERVAL
    assert plane.tick(last + MAX_INTERVAL - 1) == []
    plane.open(IDLE, last)
    assert plane.tick(last + MAX_INTERVAL + 5) == []  # asleep: nobody wakes it for this
    assert plane.open(ONE, last + MAX_INTERVAL + 100) != []  # it came by itself
    assert MAX_INTERVAL * 3 <= ROUTER_LIFETIME < 65536


def test_a_phone_that_uses_its_64_needs_no_more_of_the_initial_ones(plane: Forwarder) -> None:
    up(plane, ipv6(MINE, HOST))
    assert plane.tick(INITIAL_INTERVAL * 5) == []
    assert len(plane.tick(MAX_INTERVAL)) == 1


def test_a_phone_without_ipv6_hears_nothing() -> None:
    plane = Forwarder(LOCAL, router=ROUTER, echo=0)
    assert plane.open(OpenTunnel(IMSI, 5, UE, 0x1001, ENB, 0x9001), 0) == []
    assert plane.tick(MAX_INTERVAL) == []
    assert up(plane, discovery(133, LINK_LOCAL, ALL_ROUTERS)) is None
    assert plane.drops == {"spoofed source": 1}


def test_tshark_reads_the_advertisement(tmp_path: Path) -> None:
    ((data, _, _),) = Forwarder(LOCAL, router=ROUTER, echo=0).open(ONE, 0.0)
    (tmp_path / "hex").write_text(f"0000 {data.hex(' ')}\n")
    subprocess.run(["text2pcap", "-q", "-u", "2152,2152", tmp_path / "hex", tmp_path / "pcap"], check=True)
    wanted = {"ipv6.src": "fe80::1", "ipv6.dst": "ff02::1", "ipv6.hlim": "255", "icmpv6.type": "134",
              "icmpv6.checksum.status": "1", "icmpv6.nd.ra.cur_hop_limit": "64",
              "icmpv6.nd.ra.router_lifetime": "64800",
              "icmpv6.nd.ra.flag.m": "0", "icmpv6.nd.ra.flag.o": "0",
              "icmpv6.opt.prefix": "2001:db8:cafe:1::", "icmpv6.opt.prefix.length": "64",
              "icmpv6.opt.prefix.flag.l": "0", "icmpv6.opt.prefix.flag.a": "1",
              "icmpv6.opt.prefix.valid_lifetime": "4294967295", "icmpv6.opt.prefix.preferred_lifetime": "4294967295",
              "icmpv6.opt.mtu": "1400", "icmpv6.opt.rdnss": "2001:db8:cafe::1", "_ws.malformed": ""}
    said = subprocess.run(["tshark", "-r", tmp_path / "pcap", "-T", "fields", "-E", "separator=|",
                           *(word for field in wanted for word in ("-e", field))],
                          check=True, capture_output=True, text=True).stdout
    got = dict(zip(wanted, said.strip("\n").split("|"), strict=True))
    got = {name: {"True": "1", "False": "0"}.get(value, value) for name, value in got.items()}
    assert got == wanted


def test_the_simulated_phone_learns_which_bearer_has_its_64() -> None:
    """The eNB's end: link-local by the interface identifier, global by the prefix that was advertised."""
    radio = RadioForwarder(ENB)
    core = ("10.0.1.133", 2152)
    radio.add(RadioBearer(IMSI, 5, b"", 0x9001, 0x1001, core, v6("::1:0:0:5")[8:]))
    radio.add(RadioBearer(IMSI, 6, b"", 0x9002, 0x1002, core, v6("::1:0:0:6")[8:]))
    asked = ipv6(v6("fe80::1:0:0:6"), ALL_ROUTERS)
    assert radio.from_phone(IMSI, asked) == (gtpu.gpdu(0x1002, asked), core, 0)
    packet = ipv6(MINE, HOST)
    assert radio.from_phone(IMSI, packet) == (gtpu.gpdu(0x1001, packet), core, 0)  # the first one, for want of better
    second = OpenTunnel(IMSI, 6, b"", 0x1002, ENB, 0x9002, prefix=PREFIX)
    ((data, _, _),) = Forwarder(LOCAL, router=ROUTER, echo=0).open(second, 0)
    assert radio.from_core(data, core, 0) == (IMSI, data[8:])
    assert radio.from_phone(IMSI, packet) == (gtpu.gpdu(0x1002, packet), core, 0)
    radio.remove(0x9002)
    assert radio.from_phone(IMSI, packet) == (gtpu.gpdu(0x1001, packet), core, 0)


@given(st.binary(max_size=60), st.sampled_from([LINK_LOCAL, MINE, NOBODY]),
       st.sampled_from([GATEWAY, ALL_ROUTERS, ALL_NODES, HOST]), st.sampled_from([0, 17, 58]))
@settings(max_examples=300, deadline=None)
def test_nothing_on_the_link_harms(body: bytes, source: bytes, destination: bytes, following: int) -> None:
    plane = Forwarder(LOCAL, router=ROUTER, echo=0)
    plane.open(ONE, 0)
    packet = ipv6(source, destination, body, following)
    out = up(plane, packet)
    if isinstance(out, bytes):
        assert out == packet
    elif out is not None:
        assert inner(out)[8:24] == GATEWAY
