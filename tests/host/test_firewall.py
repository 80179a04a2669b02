# SPDX-License-Identifier: Apache-2.0
"""What a phone reaches and what reaches a phone, by real packets through the real table."""

import asyncio
import socket
import subprocess
from dataclasses import replace
from ipaddress import IPv4Network

import pytest
from call_media import a_call
from userplane_lab import (
    CORE,
    ENB,
    GATEWAY6,
    GATEWAYS,
    POOL6,
    POOLS,
    RULES,
    UPLINK,
    UPLINK6,
    WORLD,
    WORLD6,
    Phone,
    lab,
)

from dialtone.errors import LocalError
from dialtone.kernel import nft
from dialtone.lab_kernel.namespaces import Namespace

pytestmark = pytest.mark.kernel
OURS = (80, 8000, 8888)
"""API, pages and metrics on the image and in the demo, and JupyterLab."""


def listening(namespace: Namespace, host: str, port: int) -> socket.socket:
    with namespace.enter():
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        sock = socket.create_server((host, port), family=family)
    sock.settimeout(20)  # a wait without end would hang the run
    return sock


async def reaches(phone: Phone, host: str, port: int, seconds: float = 20) -> bool:
    """Whether a TCP connection from the phone comes about within `seconds`."""
    def dial() -> bool:
        with phone.namespace.enter():
            try:
                socket.create_connection((host, port), timeout=seconds).close()
            except OSError:
                return False
            return True

    return await asyncio.to_thread(dial)


def test_a_page_beyond_the_nat_with_a_clamped_mss() -> None:
    async def run() -> None:
        async with lab(filtered=True) as it:
            phone = it.attach(Phone(1))
            await it.serve(500_000)
            assert await phone.ping(WORLD) == 3
            # A phone that ignored the MTU of the PCO announces 1460 octets; the server must not believe it,
            # and not only after path MTU discovery: this is its first connection.
            await phone.run("ip", "link", "set", "lte0", "mtu", "1500")
            with listening(it.world, WORLD, 81) as server:
                assert await reaches(phone, WORLD, 81)
                # In a thread: the handshake's last segment still has to pass the user plane, in this very loop.
                taken, _ = await asyncio.to_thread(server.accept)
                with taken:
                    assert 1200 < taken.getsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG) <= 1360
            code, said = await phone.run("curl", "-sS", "-o", "/dev/null", "-w", "%{size_download}", f"http://{WORLD}/")
            assert (code, said) == (0, "500000")
            assert it.visitors == [UPLINK]

    asyncio.run(run())


def test_a_phone_reaches_its_gateways_services_and_nothing_else_of_ours() -> None:
    async def run() -> None:
        async with lab(filtered=True) as it:
            phone, other = it.attach(Phone(1)), it.attach(Phone(2))
            held = [listening(it.core, "0.0.0.0", port) for port in (53, 5060, *OURS)]
            held += [listening(it.enb, ENB, 80), listening(other.namespace, other.address, 80)]
            assert await phone.ping(GATEWAYS[0]) == 3
            for port in (53, 5060):
                assert await reaches(phone, GATEWAYS[1], port)
            closed = [(CORE, 53), (ENB, 80), (other.address, 80)]
            closed += [(gateway, port) for port in OURS for gateway in (*GATEWAYS, UPLINK)]
            tried = await asyncio.gather(*(reaches(phone, *where, seconds=3) for where in closed))
            assert dict(zip(closed, tried, strict=True)) == dict.fromkeys(closed, False)
            assert await phone.ping(other.address, count=1) == await phone.ping(CORE, count=1) == 0
            for sock in held:
                sock.close()

    asyncio.run(run())


def test_rtp_passes_the_firewall_during_a_call_only() -> None:
    asyncio.run(a_call(filtered=True))


def test_ipv6_beyond_the_nat_and_nothing_else_of_ours() -> None:
    """The same promises as in IPv4: masquerade, MSS, the gateway's services, no other phone, nobody from outside."""
    async def run() -> None:
        async with lab(filtered=True) as it:
            phone, other = await it.attach6(Phone(1, ipv6=True)), await it.attach6(Phone(2, ipv6=True))
            await it.serve(300_000, WORLD6)
            code, said = await phone.run("curl", "-sS", "-o", "/dev/null", "-w", "%{size_download}", f"http://[{WORLD6}]/")
            assert (code, said) == (0, "300000")
            assert it.visitors == [UPLINK6]
            with listening(it.world, WORLD6, 81) as server:
                assert await reaches(phone, WORLD6, 81)
                taken, _ = await asyncio.to_thread(server.accept)
                with taken:
                    assert 1200 < taken.getsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG) <= 1340
            held = [listening(it.core, "::", port) for port in (53, 5060, *OURS)]
            held.append(listening(other.namespace, other.address6, 80))
            assert await phone.ping(GATEWAY6) == 3
            for port in (53, 5060):
                assert await reaches(phone, GATEWAY6, port)
            closed = [(UPLINK6, 53), (other.address6, 80)]
            closed += [(gateway, port) for port in OURS for gateway in (GATEWAY6, UPLINK6)]
            tried = await asyncio.gather(*(reaches(phone, *where) for where in closed))
            assert dict(zip(closed, tried, strict=True)) == dict.fromkeys(closed, False)
            assert await phone.ping(other.address6, count=1) == 0
            await asyncio.to_thread(it.world.route, str(POOL6), via=UPLINK6)
            done = await asyncio.to_thread(it.world.run, "ping", "-c", "1", "-W", "1", phone.address6)
            assert done.returncode == 1
            for sock in held:
                sock.close()

    asyncio.run(run())


def test_nobody_beyond_the_uplink_opens_a_connection_to_a_phone() -> None:
    async def run() -> None:
        async with lab(filtered=True) as it:
            phone = it.attach(Phone(1))
            await asyncio.to_thread(it.world.route, str(POOLS[0]), via=UPLINK)
            done = await asyncio.to_thread(it.world.run, "ping", "-c", "1", "-W", "1", phone.address)
            assert done.returncode == 1
            assert it.forwarder.bearers[phone.teid].down_packets == 0
            done = await asyncio.to_thread(it.core.run, "ping", "-c", "1", "-W", "2", phone.address)
            assert done.returncode == 0, "the operator at the core may"

    asyncio.run(run())


def test_the_table_is_replaced_whole_and_removed() -> None:
    async def run() -> None:
        async with lab(filtered=True) as it:
            def table() -> str:
                return subprocess.run(["nft", "list", "ruleset"], capture_output=True, text=True, check=True).stdout

            with it.core.enter():
                firewall = nft.Firewall()
                assert nft.missing() is None
                before = table()
                firewall.apply(RULES)
                assert table() == before
                with pytest.raises(LocalError, match="nft: "):
                    firewall.apply(replace(RULES, uplink="a name that is too long for it"))
                assert table() == before
                firewall.apply(replace(RULES, uplink=None))
                assert "masquerade" not in table()
                # The lab's host end: phones and guest behind a tap.
                firewall.apply(replace(RULES, inside="dt-lab0", gateways=(), also=(IPv4Network("10.254.0.0/30"),)))
                assert "10.254.0.0/30" in table()
                firewall.close()
                assert table() == ""

    asyncio.run(run())
