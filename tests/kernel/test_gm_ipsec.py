# SPDX-License-Identifier: Apache-2.0
"""Gm IPsec in the kernel (TS 33.203): every pair of algorithms, overlap, lifetimes, and what is refused and counted."""

import os
import select
import socket
import struct
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from dialtone.crypto.ipsec_keys import ENCRYPTION, INTEGRITY, End, SaSet
from dialtone.errors import LocalError
from dialtone.kernel import ipsec, xfrm
from dialtone.kernel.ipsec import Ipsec
from dialtone.lab_kernel import namespaces
from dialtone.lab_kernel.namespaces import Namespace
from dialtone.trace import esp_sa

pytestmark = [pytest.mark.kernel, pytest.mark.usefixtures("clean_namespaces")]

CK, IK = bytes(range(16)), bytes(range(16, 32))
ADDRESSES = {4: ("10.46.0.1", "10.46.0.2", "10.46.0.3"), 6: ("2001:db8:cafe:8000::1", "2001:db8:cafe:8000::2", "")}
PORT_S, PORT_C = 6100, 6101
PAIRS = [(alg, ealg) for alg in INTEGRITY for ealg in ENCRYPTION]


class Gm:
    """A P-CSCF and a phone on one cable."""

    def __init__(self, stack: ExitStack, version: int = 4) -> None:
        ours, theirs, other = ADDRESSES[version]
        length = 16 if version == 4 else 64
        self.core, self.phone = namespaces.create("dt-core"), namespaces.create("dt-phone")
        others = [f"{other}/{length}"] if other else []
        namespaces.cable(namespaces.End(self.core, "gm", [f"{ours}/{length}"]),
                         namespaces.End(self.phone, "lte0", [f"{theirs}/{length}", *others]))
        self.stack = stack
        self.ends = [(self.core, ours), (self.phone, theirs)]
        self.ipsec = []
        for namespace, address in self.ends:
            with namespace.enter():
                self.ipsec.append(Ipsec(address))
        self.ipsec[0].protect([PORT_S, PORT_C, PORT_C + 1])

    def set(self, alg: str = "hmac-sha-1-96", ealg: str = "aes-cbc", *, phone: tuple[int, int] = (6200, 6300),
            spi: int = 1000, port_c: int = PORT_C) -> SaSet:
        ours, theirs = self.ends[0][1], self.ends[1][1]
        return SaSet.make(End(theirs, *phone, spi + 1, spi + 2), End(ours, port_c, PORT_S, spi + 1001, spi + 1002),
                          alg, ealg, CK, IK)

    def agree(self, sas: SaSet, seconds: float = 600) -> None:
        for each in self.ipsec:
            each.install(sas, seconds)

    def bound(self, end: int, port: int, kind: int = socket.SOCK_DGRAM, address: str = "") -> socket.socket:
        namespace, own = self.ends[end]
        with namespace.enter():
            made = self.stack.enter_context(socket.socket(socket.AF_INET6 if ":" in own else socket.AF_INET, kind))
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.settimeout(5)
        made.bind((address or own, port))
        return made

    def capture(self) -> socket.socket:
        with self.core.enter():
            raw = self.stack.enter_context(socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(3)))
        raw.bind(("gm", 3))
        raw.settimeout(0.3)
        return raw

    def counted(self, end: int = 0) -> dict[str, int]:
        with self.ends[end][0].enter():
            return ipsec.statistics()


@pytest.fixture
def gm() -> Iterator[Gm]:
    with ExitStack() as stack:
        yield Gm(stack)


def talk_udp(gm: Gm, sas: SaSet) -> None:
    """Both server ports are asked, and both client ports answered (TS 33.203, 7.1)."""
    for asker, asked in ((1, 0), (0, 1)):
        ends = (sas.network, sas.phone)
        client, server = gm.bound(asker, ends[asker].port_c), gm.bound(asked, ends[asked].port_s)
        with client, server:
            client.sendto(b"request" * 100, (ends[asked].address, ends[asked].port_s))
            data, source = server.recvfrom(2000)
            assert (data, source[1]) == (b"request" * 100, ends[asker].port_c)
            server.sendto(b"answer", source[:2])
            assert client.recv(2000) == b"answer"


def talk_tcp(gm: Gm, sas: SaSet) -> None:
    for asker, asked in ((1, 0), (0, 1)):
        ends = (sas.network, sas.phone)
        client = gm.bound(asker, ends[asker].port_c, socket.SOCK_STREAM)
        listener = gm.bound(asked, ends[asked].port_s, socket.SOCK_STREAM)
        listener.listen()
        with listener, client:
            client.connect((ends[asked].address, ends[asked].port_s))
            accepted, source = listener.accept()
            with accepted:
                assert source[1] == ends[asker].port_c
                client.sendall(b"request" * 500)
                got = b""
                while len(got) < 3500:
                    got += accepted.recv(4000)
                accepted.sendall(b"answer")
                assert client.recv(100) == b"answer"


def packets(raw: socket.socket) -> list[bytes]:
    found = []
    while True:
        try:
            found.append(raw.recv(4000))
        except TimeoutError:
            return found


def is_esp(packet: bytes) -> bool:
    return packet[6 if packet[0] >> 4 == 6 else 9] == socket.IPPROTO_ESP


def write_pcap(path: Path, captured: list[bytes]) -> None:
    with path.open("wb") as file:
        file.write(struct.pack("=IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101))  # raw IP
        for packet in captured:
            file.write(struct.pack("=IIII", 0, 0, len(packet), len(packet)) + packet)


@pytest.mark.parametrize(("alg", "ealg"), PAIRS)
def test_a_pair_over_udp_and_tcp_decrypts_in_tshark(gm: Gm, alg: str, ealg: str, tmp_path: Path) -> None:
    sas = gm.set(alg, ealg)
    gm.agree(sas)
    raw = gm.capture()
    talk_udp(gm, sas)
    talk_tcp(gm, sas)
    captured = [packet for packet in packets(raw) if packet[0] >> 4 == 4]
    assert len(captured) > 12
    assert all(map(is_esp, captured))
    assert {state.integrity_failed for state in gm.ipsec[0].states()} == {0}
    assert min(state.packets for state in gm.ipsec[0].states()) >= 2  # all four are used
    write_pcap(tmp_path / "gm.pcap", captured)
    (tmp_path / "esp_sa").write_text("\n".join(esp_sa.lines(sas)) + "\n")
    done = subprocess.run(
        ["tshark", "-r", str(tmp_path / "gm.pcap"), "-o", "esp.enable_encryption_decode:TRUE",
         "-o", "esp.enable_authentication_check:TRUE", "-T", "fields", "-e", "esp.icv_good", "-e", "udp.dstport",
         "-e", "tcp.dstport"],
        capture_output=True, text=True, check=True, env=dict(os.environ, WIRESHARK_CONFIG_DIR=str(tmp_path)))
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    assert len(rows) == len(captured)
    assert {row[0] for row in rows} <= {"1", "True"}
    assert {row[1] or row[2] for row in rows} == {str(port) for port in (6100, 6101, 6200, 6300)}


def test_ipv6_and_one_port_for_both_roles() -> None:
    with ExitStack() as stack:
        gm = Gm(stack, 6)
        sas = gm.set(phone=(5060, 5060))
        gm.agree(sas)
        raw = gm.capture()
        talk_udp(gm, sas)
        talk_tcp(gm, sas)
        captured = packets(raw)
        assert sum(map(is_esp, captured)) > 12
        assert not [packet for packet in captured if packet[6] in (socket.IPPROTO_TCP, socket.IPPROTO_UDP)]


def test_plain_text_to_a_protected_port_is_dropped_and_named(gm: Gm) -> None:
    gm.agree(gm.set())
    for port in (PORT_S, PORT_C):
        with gm.bound(0, port) as server:
            server.settimeout(0.5)
            with gm.bound(1, 7777) as stray, gm.bound(1, 7777, address=ADDRESSES[4][2]) as neighbour:
                stray.sendto(b"REGISTER", (gm.ends[0][1], port))
                neighbour.sendto(b"REGISTER", (gm.ends[0][1], port))
                with pytest.raises(TimeoutError):
                    server.recv(100)
    assert gm.counted()["XfrmInTmplMismatch"] == 4
    with gm.bound(0, 5060) as open_port, gm.bound(1, 5060) as phone:
        phone.sendto(b"REGISTER", (gm.ends[0][1], 5060))
        assert open_port.recv(100) == b"REGISTER"


def test_nothing_leaves_a_protected_port_in_plain_text(gm: Gm) -> None:
    raw = gm.capture()
    with gm.bound(0, PORT_S) as server, pytest.raises(PermissionError):
        server.sendto(b"200 OK", (gm.ends[1][1], 6200))
    assert not [packet for packet in packets(raw) if b"200 OK" in packet]
    assert gm.counted()["XfrmOutPolBlock"] == 1


def test_wrong_keys_strange_spis_and_replays_are_counted_by_name(gm: Gm) -> None:
    sas = gm.set()
    gm.ipsec[0].install(sas, 600)
    gm.ipsec[1].install(replace(sas, integrity=bytes(20)), 600)
    with gm.bound(0, PORT_S) as server, gm.bound(1, 6200) as phone:
        server.settimeout(0.5)
        phone.sendto(b"wrong", (gm.ends[0][1], PORT_S))
        with pytest.raises(TimeoutError):
            server.recv(100)
        assert gm.counted() == {"XfrmInStateProtoError": 1}
        assert [state.integrity_failed for state in gm.ipsec[0].states() if state.spi == 2002] == [1]
        gm.ipsec[1].remove(sas)
        gm.ipsec[1].install(sas, 600)
        raw = gm.capture()
        phone.sendto(b"right", (gm.ends[0][1], PORT_S))
        assert server.recv(100) == b"right"
        (esp,) = [packet for packet in packets(raw) if is_esp(packet)]
        with gm.phone.enter():
            again = gm.stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW))
        again.sendto(esp, (gm.ends[0][1], 0))
        again.sendto(esp[:20] + (0xDEAD).to_bytes(4, "big") + esp[24:], (gm.ends[0][1], 0))
        with pytest.raises(TimeoutError):
            server.recv(100)
    counted = gm.counted()
    assert (counted["XfrmInStateSeqError"], counted["XfrmInNoStates"]) == (1, 1)
    assert set(counted) <= set(ipsec.COUNTERS)


def test_another_phones_address_does_not_pass(gm: Gm) -> None:
    """The SA is for one pair of addresses and ports: who has its keys and writes another source gets nowhere."""
    sas = gm.set()
    gm.ipsec[0].install(sas, 600)
    liar = replace(sas, phone=replace(sas.phone, address=ADDRESSES[4][2]))
    with gm.phone.enter():
        other = Ipsec(liar.phone.address)
    other.install(liar, 600)
    with gm.bound(0, PORT_S) as server, gm.bound(1, 6200, address=liar.phone.address) as phone:
        server.settimeout(0.5)
        phone.sendto(b"I am somebody else", (gm.ends[0][1], PORT_S))
        with pytest.raises(TimeoutError):
            server.recv(100)
    assert gm.counted() == {"XfrmInStateMismatch": 1}


@pytest.mark.parametrize("phone", [(6201, 6300), (6200, 6300)], ids=["another client port", "the same client port"])
def test_old_and_new_sas_side_by_side(gm: Gm, phone: tuple[int, int]) -> None:
    """Re-registration: the new set stands while the old one carries; after `keep` the new one does."""
    old, new = gm.set(), gm.set("hmac-md5-96", "null", phone=phone, spi=5000, port_c=PORT_C + 1)
    gm.agree(old)
    gm.agree(new)

    def carried(spi: int) -> int:
        return next(state.packets for state in gm.ipsec[0].states() if state.spi == spi)

    talk_udp(gm, old)
    assert carried(old.network.spi_s) == 1
    assert carried(old.phone.spi_s) == 1
    for each in gm.ipsec:
        each.keep(new, 600)
    before = carried(old.network.spi_s)
    talk_udp(gm, new)
    talk_tcp(gm, new)
    assert carried(old.network.spi_s) == before
    assert carried(new.network.spi_s) > 3
    for each in gm.ipsec:
        each.remove(old)
    talk_udp(gm, new)
    assert len(gm.ipsec[0].states()) == 4
    for each in gm.ipsec:
        each.remove(new)
        each.remove(new)  # once more does no harm
        assert each.states() == []


def test_the_kernel_ends_a_life_and_says_so(gm: Gm) -> None:
    kernel = gm.ipsec[0]
    with gm.core.enter():
        listener = kernel.listen()
    short, kept = gm.set(), gm.set(spi=5000, port_c=PORT_C + 1, phone=(6201, 6300))
    kernel.install(short, 1)
    kernel.install(kept, 1)
    kernel.keep(kept, 600)
    gone: list[tuple[str, int]] = []
    end = time.monotonic() + 20
    while len(gone) < 4 and time.monotonic() < end:
        select.select([listener], [], [], 1)
        gone += kernel.expired()
    assert sorted(gone) == sorted((sa.destination, sa.spi) for sa in short.sas())
    assert {state.spi for state in kernel.states()} == {sa.spi for sa in kept.sas()}
    assert {state.hard for state in kernel.states()} == {600}


def test_a_spi_that_is_taken_is_refused_as_a_whole(gm: Gm) -> None:
    kernel = gm.ipsec[0]
    kernel.install(gm.set(), 600)
    theirs = gm.set(spi=5000, port_c=PORT_C + 1, phone=(6201, 6301))
    double = replace(theirs, network=replace(theirs.network, spi_s=2002))
    with pytest.raises(LocalError, match="an SA with this SPI exists"):
        kernel.install(double, 600)


def test_what_a_killed_run_left_is_cleared(gm: Gm) -> None:
    gm.agree(gm.set())
    namespace, address = gm.ends[0]
    with namespace.enter():
        again = Ipsec(address)
    again.clear()
    assert again.states() == []
    done = Namespace(namespace.name).run("ip", "xfrm", "policy")
    assert address not in done.stdout
    again.protect([PORT_S])
    again.install(gm.set(), 600)
    again.close()
    assert "10.46" not in namespace.run("ip", "xfrm", "state").stdout + namespace.run("ip", "xfrm", "policy").stdout


def test_a_set_is_one_datagram_and_cheap(gm: Gm, record_property: Callable[[str, object], None]) -> None:
    with gm.core.enter():
        ipsec.warm_up()
    assert gm.ipsec[0].states() == []
    sets = [gm.set(spi=10_000 + 2000 * number, phone=(7000 + 2 * number, 7001 + 2 * number)) for number in range(100)]
    begin = time.perf_counter()
    for one in sets:
        gm.ipsec[0].install(one, 600)
    each = (time.perf_counter() - begin) / len(sets) * 1e3
    record_property("installing the SAs of a phone, ms (user-mode Linux or namespaces)", f"{each:.2f}")
    assert len(gm.ipsec[0].states()) == 400
    assert xfrm.ICV_BITS == 96
