# SPDX-License-Identifier: Apache-2.0
"""Dedicated bearers under real packets: filters at both ends, fragments, the class on the wire, a bit rate."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from userplane_lab import CORE, ENB, WORLD, Lab, Phone, lab

from dialtone.codec.tft import Direction, PacketFilter, host
from dialtone.effects import OpenTunnel

pytestmark = pytest.mark.kernel

VOICE = (PacketFilter(1, Direction.BIDIRECTIONAL, 10, remote=host(WORLD), protocol=17, remote_ports=(7000, 7000)),)
ASK = """
import socket, sys
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.settimeout(5)
back = 0
for number in range(int(sys.argv[3])):
    sock.sendto(bytes(int(sys.argv[4])), (sys.argv[1], int(sys.argv[2])))
    back += len(sock.recv(9000)) == int(sys.argv[4])
print(back)
"""


def dedicated(it: Lab, phone: Phone) -> int:
    """A second bearer with QCI 1 for the phone, at both ends; its TEID at the core."""
    teid = phone.teid + 0x1000
    it.perform(OpenTunnel(phone.imsi, 6, phone.ue, teid, socket.inet_aton(ENB), teid + 0x8000, 1, phone.prefix,
                          filters=VOICE))
    it.radio.open_bearer(phone.imsi, 6, phone.ue, teid + 0x8000, socket.inet_aton(CORE), teid,
                         namespace=phone.namespace.name, filters=VOICE)
    return teid


@asynccontextmanager
async def echoing(it: Lab, *ports: int) -> AsyncIterator[None]:
    """A UDP server beyond the box that sends everything back."""
    def back(sock: socket.socket) -> None:
        with contextlib.suppress(BlockingIOError):
            while True:
                sock.sendto(*sock.recvfrom(9000))

    aio, socks = asyncio.get_running_loop(), []
    for port in ports:
        with it.world.enter():
            sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.setblocking(False)
        sock.bind((WORLD, port))
        aio.add_reader(sock.fileno(), back, sock)
        socks.append(sock)
    try:
        yield
    finally:
        for sock in socks:
            aio.remove_reader(sock.fileno())
            sock.close()


def test_each_flow_has_its_bearer_and_its_class() -> None:
    async def run() -> None:
        async with lab(filtered=False) as it, echoing(it, 7000, 7001):
            phone = it.attach(Phone(1))
            voice = it.forwarder.bearers[dedicated(it, phone)]
            rest = it.forwarder.bearers[phone.teid]
            with it.enb.enter():
                wire = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP)
            wire.setblocking(False)
            for port in ("7000", "7001"):
                assert await phone.run("python3", "-c", ASK, WORLD, port, "20", "200") == (0, "20\n")
            assert (voice.up_packets, voice.down_packets) == (20, 20)
            assert (rest.up_packets, rest.down_packets) == (20, 20)
            seen = set()
            with wire, contextlib.suppress(BlockingIOError):
                while True:
                    packet = wire.recv(2000)  # with its IPv4 header: type of service, and after UDP T-PDU and TEID
                    if packet[20:24] == (2152).to_bytes(2) * 2 and packet[29] == 255:
                        seen.add((int.from_bytes(packet[32:36]), packet[1]))
            assert seen == {(voice.remote_teid, 46 << 2), (rest.remote_teid, 0)}
            assert not it.forwarder.drops

    asyncio.run(run())


def test_fragments_of_a_flow_stay_together() -> None:
    async def run() -> None:
        async with lab(filtered=False) as it, echoing(it, 7000, 7001):
            phone = it.attach(Phone(1))
            voice = it.forwarder.bearers[dedicated(it, phone)]
            rest = it.forwarder.bearers[phone.teid]
            for port in ("7000", "7001"):
                assert await phone.run("python3", "-c", ASK, WORLD, port, "5", "3000") == (0, "5\n")
            # Three fragments each of the phone's MTU; three of the LAN's, of which two are too long for the phone.
            assert (voice.up_packets, voice.down_packets) == (15, 25)
            assert (rest.up_packets, rest.down_packets) == (15, 25)

    asyncio.run(run())


def test_a_packet_that_does_not_fit_the_lan_comes_in_fragments_of_the_outer_one() -> None:
    async def run() -> None:
        async with lab(filtered=False) as it:
            phone = it.attach(Phone(1))
            await phone.run("ip", "link", "set", "lte0", "mtu", "1500")  # it ignores the MTU of the PCO
            assert await phone.ping("10.45.0.1", "-s", "1472", "-M", "do") == 3
            assert it.forwarder.bearers[phone.teid].up_bytes == 3 * 1500

    asyncio.run(run())


def test_a_bit_rate_holds_and_a_download_ends_all_the_same() -> None:
    async def run() -> None:
        async with lab(filtered=False) as it:
            phone = it.attach(Phone(1))
            it.perform(OpenTunnel(phone.imsi, 5, phone.ue, phone.teid, socket.inet_aton(ENB), phone.teid + 0x8000,
                                  prefix=phone.prefix, ambr=(8000, 8000)))
            await it.serve(1_000_000)
            code, said = await phone.run("curl", "-sS", "-m", "60", "-o", "/dev/null",
                                         "-w", "%{size_download} %{time_total}",
                                         f"http://{WORLD}/")
            assert code == 0
            size, seconds = said.split()
            assert size == "1000000"
            assert float(seconds) > 0.5  # one second at 8 Mbit/s, less the burst
            bearer = it.forwarder.bearers[phone.teid]
            assert it.forwarder.drops == {"over AMBR": bearer.down_policed + bearer.up_policed}
            assert bearer.down_policed > 0

    asyncio.run(run())
