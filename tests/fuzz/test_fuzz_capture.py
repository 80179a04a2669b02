# SPDX-License-Identifier: Apache-2.0
"""Any octets as a capture file: a trace with remarks, or a sentence, never another exception."""

import contextlib
from pathlib import Path

import packets
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_capture_import import DIAMETER, REGISTER, S1AP_PACKET
from test_fuzz import mutations
from trace_samples import GTPC_ECHO_REQUEST, sample

from dialtone.errors import LocalError
from dialtone.trace import pcapng
from dialtone.trace.capture import load
from dialtone.trace.capture.esp import parse_keys
from dialtone.trace.capture.files import Packet
from dialtone.trace.capture.find import Finder
from dialtone.trace.capture.layers import LINKS
from dialtone.trace.ladder import text_ladder

INNER = packets.ip(17, packets.udp(REGISTER))
PACKETS = [
    S1AP_PACKET, INNER, packets.ip(17, packets.udp(packets.gtpu(INNER), 2152, 2152)),
    packets.ip(50, packets.esp(packets.udp(REGISTER), 17)), packets.ip(6, packets.tcp(DIAMETER, 1, dport=3868)),
    packets.ip(17, packets.udp(GTPC_ECHO_REQUEST, 2123, 2123)),
    packets.ip(17, packets.udp(packets.gsmtap(bytes.fromhex("074300")), 4729, 4729)),
    packets.ip(132, packets.sctp(packets.data_chunk(DIAMETER, ppid=46)), "fd00::1", "fd00::2"),
    *packets.fragments(INNER, 64),
]


def read(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    with contextlib.suppress(LocalError):
        text_ladder(load(path).events)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """One of each kind."""
    path = tmp_path_factory.mktemp("whole") / "a"
    pcapng.write(path, sample())
    own = path.read_bytes()
    return [own, packets.pcap(path, PACKETS).read_bytes(), packets.pcapng(path, PACKETS).read_bytes(),
            packets.pcap(path, PACKETS, order=">").read_bytes()]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(data=st.binary(max_size=150))
def test_any_octets_after_any_magic(tmp_path: Path, files: list[bytes], data: bytes) -> None:
    for whole in files:
        for kept in (0, 4, 24, 28, 120):
            read(tmp_path / "a", whole[:kept] + data)


def test_mutations_of_files(tmp_path: Path, files: list[bytes]) -> None:
    for whole in files:
        for data in mutations(whole, 6, 150):
            read(tmp_path / "a", data)


def test_mutations_of_packets_at_every_link() -> None:
    finder = Finder(parse_keys(['"IPv4","10.46.0.2","10.0.1.133","0x64","NULL","","HMAC-MD5-96","0x00","32-bit"']))
    for packet in PACKETS:
        for data in mutations(packet, 7, 150):
            for link in (*LINKS, 252, 148, 150, 7):
                list(finder.messages(Packet(0.0, link, data)))


@given(text=st.text(max_size=200))
def test_any_file_of_keys(text: str) -> None:
    with contextlib.suppress(LocalError):
        parse_keys(text.splitlines())
