# SPDX-License-Identifier: Apache-2.0
"""The forwarder as a plain function: who gets what, and what goes no further. tshark reads its answers."""

import socket
import struct
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialtone.codec import gtpu
from dialtone.datapath.forwarder import MAX_PACKET, Forwarder
from dialtone.datapath.path import Budget
from dialtone.datapath.radio_forwarder import RadioBearer, RadioForwarder
from dialtone.effects import DownlinkWaiting, OpenTunnel, TunnelRefused
from dialtone.errors import LocalError

LOCAL, ENB, OTHER = (socket.inet_aton(a) for a in ("10.0.1.133", "10.0.1.20", "10.0.1.21"))
UE1, UE2, HOST = (socket.inet_aton(a) for a in ("10.45.0.2", "10.45.0.3", "203.0.113.1"))
PEER = ("10.0.1.20", 2152)
ONE = OpenTunnel("001010000000001", 5, UE1, 0x1001, ENB, 0x9001)
TWO = OpenTunnel("001010000000002", 5, UE2, 0x1002, ENB, 0x9002)


def ipv4(source: bytes, destination: bytes, size: int = 60) -> bytes:
    head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, size, 1, 0, 64, 253, 0, source, destination)
    return head + bytes(size - 20)


@pytest.fixture
def plane() -> Forwarder:
    made = Forwarder(LOCAL)
    made.open(ONE, 0)
    made.open(TWO, 0)
    return made


def test_up_and_down_with_their_counters(plane: Forwarder) -> None:
    packet = ipv4(UE1, HOST)
    assert plane.uplink(gtpu.gpdu(0x1001, packet), PEER, 0) == packet
    reply = ipv4(HOST, UE1, 1400)
    assert plane.downlink(reply, 0) == (gtpu.gpdu(0x9001, reply), PEER, 0)
    one, two = plane.bearers[0x1001], plane.bearers[0x1002]
    assert (one.up_packets, one.up_bytes, one.down_packets, one.down_bytes) == (1, 60, 1, 1400)
    assert (two.up_packets, two.down_packets) == (0, 0)
    assert not plane.drops


def test_header_options_and_padding_behind_the_packet(plane: Forwarder) -> None:
    packet = ipv4(UE1, HOST)
    extensions = ((gtpu.PDCP_PDU_NUMBER, b"\0\1"),)
    message = gtpu.GPdu(teid=0x1001, sequence=7, extensions=extensions, payload=packet + b"\0" * 6)
    assert plane.uplink(gtpu.encode(message), PEER, 0) == packet
    assert plane.bearers[0x1001].up_bytes == 60


@pytest.mark.parametrize(("packet", "cause"), [
    (ipv4(UE2, HOST), "spoofed source"),
    (ipv4(HOST, UE1), "spoofed source"),
    (b"\x50" + bytes(59), "inner packet not IP"),
    (b"", "inner packet not IP"),
    (b"\x60" + bytes(38), "inner packet malformed"),
    (b"\x60" + bytes(59), "spoofed source"),
    (ipv4(UE1, HOST)[:40], "inner packet malformed"),
    (b"\x44" + ipv4(UE1, HOST)[1:], "inner packet malformed"),
    (b"\x4f" + ipv4(UE1, HOST, 30)[1:], "inner packet malformed"),
    (ipv4(UE1, HOST, MAX_PACKET + 1), "oversize")])
def test_inner_packets_that_go_no_further(plane: Forwarder, packet: bytes, cause: str) -> None:
    assert plane.uplink(gtpu.gpdu(0x1001, packet), PEER, 0) is None
    assert plane.drops == {cause: 1}
    assert plane.bearers[0x1001].up_packets == 0


def test_downlink_for_nobody(plane: Forwarder) -> None:
    assert plane.downlink(ipv4(HOST, HOST), 0) is None
    assert plane.downlink(b"\x50" + bytes(39), 0) is None
    assert plane.drops == {"no such phone": 1, "downlink not IP": 1}


def test_downlink_for_an_idle_phone_waits_for_it(plane: Forwarder) -> None:
    plane.open(OpenTunnel(ONE.imsi, 5, UE1, 0x1001), 0)
    packets = [ipv4(HOST, UE1) + bytes((number,)) for number in range(3)]
    assert [plane.downlink(packet, 0) for packet in packets] == [None] * 3
    assert plane.events == [DownlinkWaiting(ONE.imsi, 5, 0x1001)]
    kept = plane.open(OpenTunnel(ONE.imsi, 5, UE1, 0x1001, OTHER, 0x77), 0)
    assert kept == [(gtpu.gpdu(0x77, packet), ("10.0.1.21", 2152), 0) for packet in packets]
    assert plane.bearers[0x1001].down_packets == 3
    assert plane.downlink(ipv4(HOST, UE1), 0) == (gtpu.gpdu(0x77, ipv4(HOST, UE1)), ("10.0.1.21", 2152), 0)
    plane.open(OpenTunnel(ONE.imsi, 5, UE1, 0x1001), 0)
    plane.downlink(packets[0], 0)
    assert len(plane.events) == 2  # a new period, a new event
    assert not plane.drops


def test_what_waits_is_thrown_away_with_its_bearer_and_on_demand(plane: Forwarder) -> None:
    plane.open(OpenTunnel(ONE.imsi, 5, UE1, 0x1001), 0)
    plane.downlink(ipv4(HOST, UE1), 0)
    plane.empty(ONE.imsi)
    plane.empty(ONE.imsi)
    assert plane.drops == {"phone idle": 1}
    plane.downlink(ipv4(HOST, UE1), 0)
    plane.close(0x1001)
    assert plane.drops == {"phone idle": 2}
    assert not plane.waiting
    assert len(plane.events) == 2


def test_what_waits_for_another_bearer_stays(plane: Forwarder) -> None:
    other = bytes((10, 46, 0, 2))
    plane.open(OpenTunnel(ONE.imsi, 5, UE1, 0x1001), 0)
    plane.open(OpenTunnel(ONE.imsi, 6, other, 0x1011), 0)
    plane.downlink(ipv4(HOST, UE1), 0)
    plane.downlink(ipv4(HOST, other), 0)
    assert len(plane.events) == 1  # one call for the phone
    assert len(plane.open(OpenTunnel(ONE.imsi, 6, other, 0x1011, OTHER, 0x78), 0)) == 1
    assert len(plane.open(OpenTunnel(ONE.imsi, 5, UE1, 0x1001, OTHER, 0x77), 0)) == 1
    assert not plane.waiting


def test_closing_frees_teid_and_address(plane: Forwarder) -> None:
    plane.close(0x1001)
    plane.close(0x1001)
    assert plane.downlink(ipv4(HOST, UE1), 0) is None
    assert plane.uplink(gtpu.gpdu(0x1001, ipv4(UE1, HOST)), PEER, 0) is not None  # an error indication
    plane.open(OpenTunnel("001010000000009", 5, UE1, 0x1001, ENB, 1), 0)
    plane.close(0x1001)
    plane.close(0x1002)
    assert not plane.bearers
    assert not plane.sessions.by_address


def test_a_dedicated_bearer_beside_the_default_one(plane: Forwarder) -> None:
    plane.open(OpenTunnel(ONE.imsi, 6, UE1, 0x1003, ENB, 0x9003, qci=1), 0)
    assert plane.uplink(gtpu.gpdu(0x1003, ipv4(UE1, HOST)), PEER, 0) == ipv4(UE1, HOST)
    assert plane.downlink(ipv4(HOST, UE1), 0) == (gtpu.gpdu(0x9001, ipv4(HOST, UE1)), PEER, 0)
    plane.close(0x1003)
    assert plane.downlink(ipv4(HOST, UE1), 0) is not None


@pytest.mark.parametrize("tunnel", [
    OpenTunnel("001010000000009", 5, UE1, 0x1009, ENB, 1), OpenTunnel(TWO.imsi, 5, UE1, 0x1001, ENB, 1),
    OpenTunnel("001010000000009", 5, bytes(16), 0x1009, ENB, 1)])
def test_what_belongs_to_somebody_else_is_refused(plane: Forwarder, tunnel: OpenTunnel) -> None:
    with pytest.raises(LocalError):
        plane.open(tunnel, 0)
    assert plane.downlink(ipv4(HOST, UE1), 0) == (gtpu.gpdu(0x9001, ipv4(HOST, UE1)), PEER, 0)


def test_an_error_indication_stops_the_sending_and_is_told_once(plane: Forwarder) -> None:
    lost = gtpu.encode(gtpu.ErrorIndication(teid_data_i=0x9001, gsn_address=ENB))
    assert plane.uplink(lost, ("10.0.1.21", 2152), 0) is None  # not the eNB of that bearer
    assert not plane.events
    for _ in range(3):
        assert plane.uplink(lost, PEER, 0) is None
    assert plane.events == [TunnelRefused(ONE.imsi, 5, 0x1001)]
    assert plane.bearers[0x1001].to is None
    assert plane.bearers[0x1002].to == PEER
    assert plane.drops == {"error indication for no tunnel": 3}


def test_a_flood_for_no_tunnel_is_answered_at_a_bounded_rate(plane: Forwarder) -> None:
    flood = [plane.uplink(gtpu.gpdu(n, b""), PEER, 100.0) for n in range(1000)]
    assert sum(out is not None for out in flood) == 40
    assert plane.uplink(gtpu.gpdu(1, b""), PEER, 100.1) is not None
    assert plane.drops == {"unknown TEID": 1001}
    assert plane.uplink(gtpu.encode(gtpu.EchoRequest(sequence=5)), PEER, 100.0) == (
        gtpu.encode(gtpu.EchoResponse(sequence=5)), PEER, 0)  # the path is alive all the same


def test_a_budget_fills_again() -> None:
    budget = Budget(rate=2, burst=3)
    assert [budget.take(10) for _ in range(4)] == [True, True, True, False]
    assert [budget.take(11) for _ in range(3)] == [True, True, False]


def test_path_messages_are_traced_both_ways() -> None:
    seen: list[tuple[str, str, bool]] = []
    plane = Forwarder(LOCAL, trace=lambda peer, data, name, info, sent: seen.append((peer, name, sent)))
    plane.uplink(gtpu.encode(gtpu.EchoRequest(sequence=5)), ("10.0.1.20", 40000), 1)
    plane.uplink(gtpu.gpdu(5, b"x"), PEER, 1)
    plane.uplink(b"junk", PEER, 1)
    assert seen == [("10.0.1.20:40000", "Echo request", False), ("10.0.1.20:40000", "Echo response", True),
                    ("10.0.1.20:2152", "T-PDU", False), ("10.0.1.20:2152", "Error indication", True),
                    ("10.0.1.20:2152", "undecodable", False)]


@given(st.binary(max_size=80) | st.binary(max_size=60).map(lambda rest: b"\x30\xff" + rest)
       | st.binary(max_size=60).map(lambda rest: gtpu.gpdu(0x1001, rest))
       | st.tuples(st.sampled_from([1, 2, 26, 31, 254]), st.binary(max_size=40)).map(
           lambda t: struct.pack(">BBHIHBB", 0x32, t[0], 4 + len(t[1]), 0, 1, 0, 0) + t[1]))
@settings(max_examples=300, deadline=None)
def test_no_datagram_harms(data: bytes) -> None:
    plane = Forwarder(LOCAL)
    plane.open(ONE, 0)
    out = plane.uplink(data, PEER, 0.0)
    if isinstance(out, bytes):
        assert out[12:16] == UE1
    elif out is not None:
        gtpu.decode(out[0])
    plane.downlink(data, 0)
    assert plane.bearers[0x1001].session.ue == UE1


def test_the_enbs_side_is_the_mirror() -> None:
    enb = RadioForwarder(ENB)
    enb.add(RadioBearer(ONE.imsi, 5, UE1, 0x9001, 0x1001, ("10.0.1.133", 2152)))
    enb.add(RadioBearer(ONE.imsi, 6, UE2, 0x9002, 0x1002, ("10.0.1.133", 2152)))  # a second PDN
    up = ipv4(UE2, HOST)
    assert enb.from_phone(ONE.imsi, up) == (gtpu.gpdu(0x1002, up), ("10.0.1.133", 2152), 0)
    lie = ipv4(HOST, UE1)
    assert enb.from_phone(ONE.imsi, lie) == (gtpu.gpdu(0x1001, lie), ("10.0.1.133", 2152), 0)
    assert enb.from_phone(ONE.imsi, b"\x60" + bytes(39)) is None
    assert enb.from_phone("001010000000002", up) is None
    down = ipv4(HOST, UE1)
    core = ("10.0.1.133", 2152)
    assert enb.from_core(gtpu.gpdu(0x9001, down), core, 0) == (ONE.imsi, down)
    refusal = enb.from_core(gtpu.gpdu(0x9999, down), core, 0)
    assert refusal is not None
    assert isinstance(refusal[0], bytes)
    assert gtpu.decode(refusal[0]) == gtpu.ErrorIndication(teid_data_i=0x9999, gsn_address=ENB)
    enb.remove(0x9002)
    assert enb.from_phone(ONE.imsi, up) == (gtpu.gpdu(0x1001, up), core, 0)


def test_tshark_reads_what_we_answer(plane: Forwarder, tmp_path: Path) -> None:
    extension = struct.pack(">BBHIHBB4s", 0x34, 255, 8, 0x1001, 0, 0, 0xC5, b"\1\0\0\0")
    sent = [plane.uplink(gtpu.encode(gtpu.EchoRequest(sequence=77)), PEER, 0),
            plane.uplink(gtpu.gpdu(0xDEAD, bytes(20)), PEER, 0),
            plane.uplink(extension, PEER, 0),
            plane.end_marker(ENB, 0x9001),
            plane.downlink(ipv4(HOST, UE1), 0)]
    dump = "".join(f"0000 {out[0].hex(' ')}\n" for out in sent if isinstance(out, tuple))
    (tmp_path / "hex").write_text(dump)
    subprocess.run(["text2pcap", "-q", "-u", "2152,2152", tmp_path / "hex", tmp_path / "pcap"], check=True)
    fields = ["gtp.message", "gtp.seq_number", "gtp.teid_data", "gtp.gsn_ipv4", "gtp.teid", "_ws.malformed", "ip.dst"]
    said = subprocess.run(["tshark", "-r", tmp_path / "pcap", "-T", "fields",
                           *(word for field in fields for word in ("-e", field))],
                          check=True, capture_output=True, text=True).stdout.splitlines()
    rows = [line.split("\t") for line in said]
    assert [row[0] for row in rows] == ["0x02", "0x1a", "0x1f", "0xfe", "0xff"]
    assert rows[0][1] in ("77", "0x004d")
    assert rows[1][2:4] == ["0x0000dead", "10.0.1.133"]
    assert [row[4] for row in rows[3:]] == ["0x00009001"] * 2
    assert [row[5] for row in rows] == [""] * 5
    assert rows[4][6].endswith("10.45.0.2")
