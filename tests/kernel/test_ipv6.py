# SPDX-License-Identifier: Apache-2.0
"""IPv6 with real stacks at both ends: a phone's own kernel makes its address and reaches a server beyond the box."""

import asyncio
import socket
from pathlib import Path

import pytest
from dns_client import AAAA, NOERROR, A, asking
from userplane_lab import GATEWAY6, POOL6, WORLD6, Phone, lab

from dialtone.ids import Plmn
from dialtone.kernel import dns

pytestmark = pytest.mark.kernel


def test_a_phone_gets_its_64_and_reaches_a_server() -> None:
    async def run() -> None:
        async with lab(filtered=False) as it:
            one, two = await it.attach6(Phone(1, ipv6=True)), await it.attach6(Phone(2, ipv6=True))
            await it.serve(300_000, WORLD6)
            for phone in (one, two):
                _, said = await phone.run("ip", "-6", "addr", "show", "dev", "lte0")
                assert f"fe80::10{phone.number}/64" in said  # the identifier that the network gave, and no other
                assert said.count("inet6") == 2
                assert await phone.ping(GATEWAY6) == 3
                assert await phone.ping("fe80::1%lte0") == 3
            assert await one.ping(WORLD6, "-s", "1352", "-M", "do") == 3  # 1400 octets, the MTU, in one piece
            _, said = await one.run("ip", "-6", "route", "show", "default")
            assert "via fe80::1" in said
            assert "expires 64" in said  # 18 hours
            _, said = await one.run("cat", "/proc/sys/net/ipv6/conf/lte0/mtu")
            assert said.strip() == "1400"
            code, said = await one.run("curl", "-sS", "-o", "/dev/null", "-w", "%{size_download}", f"http://[{WORLD6}]/")
            assert (code, said) == (0, "300000")
            assert it.visitors == [one.address6]
            assert await two.ping(two.address) == await two.ping("10.45.0.1") == 3  # IPv4 beside it
            assert set(it.forwarder.drops) <= {"link-local"}  # multicast listener reports
            assert it.forwarder.bearers[one.teid].down_bytes > 300_000

    asyncio.run(run())


def test_an_address_that_the_phone_makes_up_inside_its_64_and_one_outside() -> None:
    async def run() -> None:
        async with lab(filtered=False) as it:
            one, two = await it.attach6(Phone(1, ipv6=True)), await it.attach6(Phone(2, ipv6=True))
            mine, theirs = str(POOL6[(1 << 64) + 0xABCDEF]), str(POOL6[(2 << 64) + 0xABCDEF])
            for address in (mine, theirs):
                await one.run("ip", "addr", "add", f"{address}/128", "dev", "lte0", "nodad")
            assert await one.ping(WORLD6, "-I", mine) == 3
            assert await one.ping(WORLD6, "-I", theirs, count=2) == 0
            assert it.forwarder.drops["spoofed source"] == 2
            assert it.forwarder.bearers[two.teid].down_packets < 5  # its advertisements, and no echo replies

    asyncio.run(run())


def test_the_resolver_answers_at_the_ipv6_gateway(tmp_path: Path) -> None:
    async def run() -> None:
        zones = dns.Zones.home(Plmn("001", "01"), "10.46.0.1", GATEWAY6)
        async with lab(filtered=False) as it:
            phone = await it.attach6(Phone(1, ipv6=True))
            with it.core.enter():
                resolver = dns.Resolver(dns.config([GATEWAY6], [POOL6], zones, []), tmp_path)
                await resolver.start()
            try:
                for kind, address in ((A, socket.inet_aton("10.46.0.1")),
                                      (AAAA, socket.inet_pton(socket.AF_INET6, GATEWAY6))):
                    answer = await asking(GATEWAY6, f"pcscf.ims.{zones.domain}", kind, within=phone.namespace.enter)
                    assert answer == (NOERROR, address)
            finally:
                await resolver.close()

    asyncio.run(run())
