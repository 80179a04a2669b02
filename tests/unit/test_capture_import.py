# SPDX-License-Identifier: Apache-2.0
"""Captures from elsewhere: every way in which a message can be packed, and what is made of it."""

import gzip
from collections import Counter
from pathlib import Path

import packets
import pytest
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from packets import CORE, ENB, HSS, START, UE
from trace_samples import (
    ATTACH_REQUEST,
    GTPC_ECHO_REQUEST,
    IMSI,
    INITIAL_UE_MESSAGE,
    S1_SETUP_REQUEST,
    authentication_information_request,
)

from dialtone.crypto.ipsec_keys import End, SaSet
from dialtone.errors import LocalError
from dialtone.trace import esp_sa
from dialtone.trace.capture import Capture, load
from dialtone.trace.capture.esp import parse_keys

REGISTER = (f"REGISTER sip:ims.mnc001.mcc001.3gppnetwork.org SIP/2.0\r\nVia: SIP/2.0/UDP {UE}:5060;branch=z9hG4bK1\r\n"
            f"From: <sip:{IMSI}@ims.mnc001.mcc001.3gppnetwork.org>;tag=1\r\n"
            f"To: <sip:{IMSI}@ims.mnc001.mcc001.3gppnetwork.org>\r\n"
            f"Call-ID: a@b\r\nCSeq: 1 REGISTER\r\nContent-Length: 0\r\n\r\n").encode()
DIAMETER = authentication_information_request()
S1AP_PACKET = packets.ip(132, packets.sctp(packets.data_chunk(INITIAL_UE_MESSAGE)), ENB, CORE)


def names(found: Capture) -> list[tuple[str, str, str, str]]:
    return [(event.point, event.src, event.dst, event.name) for event in found.events]


ATTACH = [("S1-MME", "enb1", "mme", "InitialUEMessage"), ("NAS", f"ue-{IMSI}", "mme", "Attach request")]


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("nano", [False, True])
def test_pcap_in_either_order_and_both_resolutions(tmp_path: Path, order: str, nano: bool) -> None:
    found = load(packets.pcap(tmp_path / "a.pcap", [S1AP_PACKET] * 2, order=order, nano=nano, step=1.25))
    assert names(found) == ATTACH
    assert found.events[0].time == START
    assert found.copies == {"SCTP chunks": 1}


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("resolution", [6, 9])
def test_pcapng_in_either_order(tmp_path: Path, order: str, resolution: int) -> None:
    found = load(packets.pcapng(tmp_path / "a.pcapng", [b"", S1AP_PACKET], order=order, resolution=resolution))
    assert names(found) == ATTACH
    assert found.events[0].time == pytest.approx(START + 0.01)
    assert {event.subject for event in found.events} == {IMSI}


@pytest.mark.parametrize(("link", "head"), [
    (1, bytes(12) + b"\x08\x00"), (1, bytes(12) + b"\x81\x00\x00\x01\x08\x00"), (113, bytes(14) + b"\x08\x00"),
    (276, b"\x08\x00" + bytes(18)), (101, b""), (12, b""), (228, b""), (0, b"\2\0\0\0"), (9, b"\xff\x03\x00\x21")])
def test_every_link_type(tmp_path: Path, link: int, head: bytes) -> None:
    assert names(load(packets.pcap(tmp_path / "a", [head + S1AP_PACKET], link))) == ATTACH


def test_ipv6(tmp_path: Path) -> None:
    packet = packets.ip(132, packets.sctp(packets.data_chunk(S1_SETUP_REQUEST)), "fd00::2", "fd00::1")
    found = load(packets.pcap(tmp_path / "a", [packet]))
    assert names(found) == [("S1-MME", "enb1", "mme", "S1SetupRequest")]
    assert found.elements == {"enb1": "fd00::2", "mme": "fd00::1"}


def test_fragments_in_any_order(tmp_path: Path) -> None:
    pieces = packets.fragments(packets.ip(17, packets.udp(REGISTER)), 64)
    assert len(pieces) > 3
    found = load(packets.pcap(tmp_path / "a", pieces[::-1]))
    assert names(found) == [("Gm", f"udp:{UE}:5060/5060", "pcscf", "REGISTER")]
    assert names(load(packets.pcap(tmp_path / "a", pieces[1:]))) == []


def test_sctp_bundles_and_fragments(tmp_path: Path) -> None:
    half = len(INITIAL_UE_MESSAGE) // 2
    first = packets.data_chunk(INITIAL_UE_MESSAGE[:half], 5, flags=2)
    last = packets.data_chunk(INITIAL_UE_MESSAGE[half:], 6, flags=1)
    bundle = [packets.sctp(packets.data_chunk(S1_SETUP_REQUEST, 4), last), packets.sctp(first)]
    found = load(packets.pcap(tmp_path / "a", [packets.ip(132, each, ENB, CORE) for each in bundle]))
    assert names(found) == [("S1-MME", "enb1", "mme", "S1SetupRequest"), *ATTACH]


def test_an_enb_that_uses_the_port_of_the_mme(tmp_path: Path) -> None:
    packet = packets.ip(132, packets.sctp(packets.data_chunk(S1_SETUP_REQUEST), sport=36412), ENB, CORE)
    assert names(load(packets.pcap(tmp_path / "a", [packet]))) == [("S1-MME", "enb1", "mme", "S1SetupRequest")]


def test_diameter_over_sctp_and_over_tcp_in_pieces(tmp_path: Path) -> None:
    over_sctp = packets.ip(132, packets.sctp(packets.data_chunk(DIAMETER, ppid=46), dport=3868), CORE, HSS)
    pieces = [packets.tcp(b"", 99, dport=3868, flags=2), packets.tcp(DIAMETER[100:], 200, dport=3868),
              packets.tcp(DIAMETER[:100] , 100, dport=3868), packets.tcp(DIAMETER[:100], 100, dport=3868),
              packets.tcp(DIAMETER * 2, 100 + len(DIAMETER), dport=3868)]
    over_tcp = [packets.ip(6, piece, CORE, HSS) for piece in pieces]
    row = ("S6a", "mme", "hss", "3GPP-Authentication-Information Request")
    assert names(load(packets.pcap(tmp_path / "a", [over_sctp]))) == [row]
    found = load(packets.pcap(tmp_path / "a", over_tcp))
    assert names(found) == [row] * 3
    assert {event.subject for event in found.events} == {IMSI}


def test_tcp_goes_on_after_a_gap(tmp_path: Path) -> None:
    """What was lost in the capture costs its message only."""
    lost = [packets.tcp(REGISTER[:200], 1000)]
    later = [packets.tcp(REGISTER, 5000 + number * len(REGISTER)) for number in range(80)]
    found = load(packets.pcap(tmp_path / "a", [packets.ip(6, piece) for piece in lost + later]))
    assert 70 < len(found.events) <= 80
    assert {event.name for event in found.events} == {"REGISTER"}


def test_the_same_packet_at_three_places_is_one_message(tmp_path: Path) -> None:
    """In the eNB's tunnel, in the one between the gateways, and in plain (as a capture of "any" has it)."""
    inner = packets.ip(17, packets.udp(REGISTER))
    outer = packets.ip(17, packets.udp(packets.gtpu(inner), 2152, 2152), ENB, CORE)
    between = packets.ip(17, packets.udp(packets.gtpu(inner, 9), 2152, 2152), CORE, HSS)
    found = load(packets.pcap(tmp_path / "a", [outer, between, inner]))
    assert names(found) == [("Gm", f"udp:{UE}:5060/5060", "pcscf", "REGISTER")]
    assert found.copies["sip"] == 2


def test_a_repetition_after_half_a_second_is_a_message(tmp_path: Path) -> None:
    inner = packets.ip(17, packets.udp(REGISTER))
    assert len(load(packets.pcap(tmp_path / "a", [inner, inner], step=0.5)).events) == 2


def test_gtp_control_and_path_management(tmp_path: Path) -> None:
    control = packets.ip(17, packets.udp(GTPC_ECHO_REQUEST, 2123, 2123), CORE, HSS)
    echo = packets.ip(17, packets.udp(bytes.fromhex("3201000400000000") + bytes(4), 2152, 2152), ENB, CORE)
    found = load(packets.pcap(tmp_path / "a", [control, echo]))
    assert [(point, name) for point, _, _, name in names(found)] == [
        ("S11", "Echo Request"), ("S1-U", "Echo request")]


@pytest.mark.parametrize("uplink", [True, False])
def test_gsmtap_of_a_handset(tmp_path: Path, uplink: bool) -> None:
    nas = ATTACH_REQUEST if uplink else bytes.fromhex("0752") + bytes(1) + bytes(16) + b"\x10" + bytes(16)
    packet = packets.ip(17, packets.udp(packets.gsmtap(nas, uplink), 4729, 4729), "127.0.0.1", "127.0.0.1")
    (event,) = load(packets.pcap(tmp_path / "a", [packet])).events
    assert event.name == ("Attach request" if uplink else "Authentication request")
    assert (event.dst if uplink else event.src) == "mme"


def test_exported_pdus_of_wireshark(tmp_path: Path) -> None:
    tags = bytes.fromhex("000c0004") + b"s1ap" + bytes.fromhex("00140004 0a000114 00150004 0a000185 001a0004 00008e3c")
    tags += bytes(4)
    found = load(packets.pcap(tmp_path / "a", [tags + INITIAL_UE_MESSAGE], 252))
    assert names(found) == ATTACH
    assert found.elements == {"enb1": ENB, "mme": CORE}


@pytest.mark.parametrize("cipher", [0, 2])
def test_ciphered_nas_is_said_to_be(tmp_path: Path, cipher: int) -> None:
    """By what the network told the phone; EEA0 leaves it in plain."""
    command = bytes.fromhex("37 00000000 00 075d") + bytes((cipher << 4 | 2,)) + bytes.fromhex("00 02e0e0")
    complete = bytes.fromhex("47 00000000 00 075e")
    frames = [packets.ip(17, packets.udp(packets.gsmtap(nas, up), 4729, 4729), "127.0.0.1", "127.0.0.1")
              for nas, up in ((command, False), (complete, True))]
    found = load(packets.pcap(tmp_path / "a", frames))
    assert [event.name for event in found.events] == [
        "Security mode command", "ciphered" if cipher else "Security mode complete"]
    assert bool(found.events[1].plain) is not bool(cipher)


# ---- ESP -------------------------------------------------------------------------------------------

INTEGRITY, SECRET, VECTOR = bytes(range(20)), bytes(range(24)), bytes(range(16))


def sas(alg: str, ealg: str) -> list[str]:
    """Our own esp_sa for a set of SAs."""
    size = {"null": 0, "aes-cbc": 16, "des-ede3-cbc": 24}[ealg]
    key = INTEGRITY[:20 if "sha" in alg else 16]
    return esp_sa.lines(SaSet(End(UE, 6301, 6300, 21, 22), End(CORE, 5061, 5062, 0x64, 0x65), alg, ealg, key,
                              SECRET[:size]))


@pytest.mark.parametrize("alg", ["hmac-md5-96", "hmac-sha-1-96"])
@pytest.mark.parametrize("ealg", ["null", "aes-cbc", "des-ede3-cbc"])
def test_esp_with_keys(tmp_path: Path, alg: str, ealg: str) -> None:
    digest, key = ("sha1", INTEGRITY) if "sha" in alg else ("md5", INTEGRITY[:16])
    content, vector = packets.trailer(packets.udp(REGISTER), 17, 16), b""
    if ealg != "null":
        vector = VECTOR if ealg == "aes-cbc" else VECTOR[:8]
        algorithm = algorithms.AES(SECRET[:16]) if ealg == "aes-cbc" else TripleDES(SECRET)
        cipher = Cipher(algorithm, modes.CBC(vector)).encryptor()
        content = cipher.update(content) + cipher.finalize()
    packet = packets.ip(50, packets.sealed(0x65, 1, content, key, digest, vector))
    keys = parse_keys(sas(alg, ealg))
    path = packets.pcap(tmp_path / "a", [packet])
    assert [event.name for event in load(path, keys).events] == ["REGISTER"]
    without = load(path)
    assert bool(without.events) == (ealg == "null")
    assert ealg == "null" or without.remarks[0] == "1 x ESP that could not be read."
    broken = packets.pcap(tmp_path / "b", [packet[:-1] + b"\0"])
    assert load(broken, keys).remarks[0] == "1 x ESP: its integrity check fails with the key given."


def test_keys_for_any_destination(tmp_path: Path) -> None:
    packet = packets.ip(50, packets.sealed(0x65, 1, packets.trailer(packets.udp(REGISTER), 17, 4), INTEGRITY, "sha1"))
    keys = parse_keys([f'"IPv4","*","*","0x65","NULL","","HMAC-SHA-1-96 [RFC2404]","0x{INTEGRITY.hex()}"'])
    assert [event.name for event in load(packets.pcap(tmp_path / "a", [packet]), keys).events] == ["REGISTER"]
    with pytest.raises(LocalError, match="line 2: this is no SA"):
        parse_keys(["# a remark", '"IPv4","*","nowhere","0x65","NULL","","NULL",""'])


# ---- bad files -------------------------------------------------------------------------------------

def test_a_file_that_is_cut_gives_what_stands_before(tmp_path: Path) -> None:
    for make in (packets.pcap, packets.pcapng):
        whole = make(tmp_path / "whole", [S1AP_PACKET, S1AP_PACKET]).read_bytes()
        for size in range(len(whole) - len(S1AP_PACKET), len(whole)):
            (tmp_path / "cut").write_bytes(whole[:size])
            found = load(tmp_path / "cut")
            assert len(found.events) == 2
            if found.packets == 1 and found.remarks:
                assert found.remarks[0].startswith("The file is damaged after 1 packets: ")


def test_gzipped_and_cut(tmp_path: Path) -> None:
    whole = gzip.compress(packets.pcapng(tmp_path / "a", [S1AP_PACKET] * 3000).read_bytes())
    (tmp_path / "a.gz").write_bytes(whole)
    assert load(tmp_path / "a.gz").packets == 3000
    (tmp_path / "a.gz").write_bytes(whole[:-200])
    assert load(tmp_path / "a.gz").remarks[-1].startswith("The file is damaged after ")


def test_a_packet_of_a_gigabyte_is_damage(tmp_path: Path) -> None:
    path = packets.pcap(tmp_path / "a", [S1AP_PACKET])
    path.write_bytes(path.read_bytes() + bytes(8) + b"\xff\xff\xff\x3f" * 2 + b"rest")
    found = load(path)
    assert len(found.events) == 2
    assert "a packet of 1073741823 octets is announced" in found.remarks[0]


def test_a_capture_of_something_else(tmp_path: Path) -> None:
    dns = packets.ip(17, packets.udp(b"whatever", 53, 53))
    assert load(packets.pcap(tmp_path / "a", [dns])).remarks == ["There is no message in it that is known here."]
    assert load(packets.pcap(tmp_path / "a", [dns], 147)).remarks[0] == "1 x link type 147."
    assert load(packets.pcap(tmp_path / "a", [])).events == []


def test_snapped_messages_are_said(tmp_path: Path) -> None:
    path = packets.pcap(tmp_path / "a", [packets.ip(17, packets.udp(REGISTER))[:120]])
    data = bytearray(path.read_bytes())
    data[36:40] = (500).to_bytes(4, "little")
    path.write_bytes(data)
    found = load(path)
    assert found.remarks[0] == "1 messages were cut short when they were captured: use tcpdump -s 0."
    assert found.events[0].info


def test_a_huge_capture_is_taken_up_to_a_limit(tmp_path: Path) -> None:
    many = [packets.ip(17, packets.udp(REGISTER + b"%d" % number)) for number in range(60)]
    found = load(packets.pcap(tmp_path / "a", many), limit=50)
    assert len(found.events) == 50
    assert found.counts == Counter(sip=60)
    assert found.remarks == ["It holds more than is taken at once: only the first 50 messages."]
    assert len(load(packets.pcap(tmp_path / "a", many), octets=5000).events) < 20
