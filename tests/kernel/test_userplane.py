# SPDX-License-Identifier: Apache-2.0
"""Real packets: a phone's own IP stack over GTP-U to the gateway, a web server and the resolver."""

import asyncio
import socket
import time
from pathlib import Path

import pytest
from dns_client import NOERROR, NXDOMAIN, SERVFAIL, asking
from userplane_lab import CORE, GATEWAYS, OTHER_ENB, POOLS, WORLD, Phone, lab

from dialtone.codec import gtpu
from dialtone.effects import CloseTunnel, DownlinkWaiting, TunnelRefused
from dialtone.errors import LocalError
from dialtone.ids import Plmn
from dialtone.kernel import dns, net

pytestmark = pytest.mark.kernel


def test_ping_and_a_web_page_over_bearers() -> None:
    async def run() -> None:
        async with lab(filtered=False) as it:
            one, two = it.attach(Phone(1)), it.attach(Phone(2, pool=46))
            await it.serve(300_000)
            assert await one.ping("10.45.0.1") == 3
            assert await two.ping("10.46.0.1") == 3
            assert await one.ping(WORLD, "-s", "1372", "-M", "do") == 3  # 1400 octets, the MTU, in one piece
            code, said = await one.run("curl", "-sS", "-o", "/dev/null", "-w", "%{size_download}", f"http://{WORLD}/")
            assert (code, said) == (0, "300000")
            assert it.visitors == [one.address]
            bearer = it.forwarder.bearers[one.teid]
            assert bearer.up_packets > 9
            assert bearer.down_bytes > 300_000 + 3 * 1400
            assert it.forwarder.bearers[two.teid].up_bytes == it.forwarder.bearers[two.teid].down_bytes == 3 * 84
            assert not it.forwarder.drops

    asyncio.run(run())


def test_detach_takes_the_tunnel_and_the_device() -> None:
    async def run() -> None:
        async with lab(filtered=False) as it:
            phone = it.attach(Phone(1))
            it.perform(CloseTunnel(phone.teid))
            assert await phone.ping("10.45.0.1", count=2) == 0
            # The eNB learned by Error Indication that the core has no such tunnel; the phone was told nothing.
            assert [b.imsi for b in it.radio.forwarder.refused] == [phone.imsi] * 2
            assert it.forwarder.drops == {"unknown TEID": 2}
            it.radio.close_bearer(phone.teid + 0x8000)
            assert (await phone.run("ip", "link", "show", "lte0"))[0] == 0  # idle, it keeps its device
            it.radio.phones.close(phone.imsi)
            code, _ = await phone.run("ip", "link", "show", "lte0")
            assert code != 0
            assert phone.imsi not in it.radio.phones

    asyncio.run(run())


def test_a_spoofed_source_reaches_nobody() -> None:
    async def run() -> None:
        async with lab(filtered=False) as it:
            victim, liar = it.attach(Phone(1)), it.attach(Phone(2))
            await liar.run("ip", "addr", "add", f"{victim.address}/32", "dev", "lte0")
            assert await liar.ping("10.45.0.1", "-I", victim.address) == 0
            assert it.forwarder.drops == {"spoofed source": 3}
            assert it.forwarder.bearers[victim.teid].down_packets == 0
            assert await liar.ping("10.45.0.1", "-I", liar.address) == 3

    asyncio.run(run())


def test_an_enb_that_lost_the_bearer_is_reported_once() -> None:
    async def run() -> None:
        async with lab(filtered=False) as it:
            phone = it.attach(Phone(1))
            assert await phone.ping("10.45.0.1") == 3
            it.radio.forwarder.remove(phone.teid + 0x8000)
            done = await asyncio.to_thread(it.world.run, "ping", "-c", "3", "-i", "0.2", "-W", "1", phone.address)
            assert done.returncode == 1
            assert it.told == [TunnelRefused(phone.imsi, 5, phone.teid), DownlinkWaiting(phone.imsi, 5, phone.teid)]
            assert not it.forwarder.drops  # the other replies are kept

    asyncio.run(run())


def test_path_management_on_the_wire() -> None:
    async def run() -> None:
        async with lab(filtered=False) as it:
            with it.stranger() as enb:
                async def exchange(data: bytes) -> bytes:
                    enb.send(data)
                    return await asyncio.to_thread(enb.recv, 2000)

                reply = await exchange(gtpu.encode(gtpu.EchoRequest(sequence=77)))
                assert gtpu.decode(reply) == gtpu.EchoResponse(sequence=77, recovery=0)
                reply = await exchange(gtpu.gpdu(0xDEAD, bytes(40)))
                expected = gtpu.ErrorIndication(teid_data_i=0xDEAD, gsn_address=socket.inet_aton(CORE))
                assert gtpu.decode(reply) == expected
                for junk in (b"", b"\x30", bytes(8), b"\xff" * 1400, gtpu.gpdu(1, b"")[:-1]):
                    enb.send(junk)
                assert gtpu.decode(await exchange(gtpu.encode(gtpu.EchoRequest(sequence=1)))).sequence == 1
            seen = [(e.kind, e.name, e.src, e.dst) for e in it.loop.bus.ring]
            peer = f"{OTHER_ENB}:2152"
            assert ("rx", "Echo request", peer, "pgw") in seen
            assert ("tx", "Error indication", "pgw", peer) in seen

    asyncio.run(run())


def test_a_second_core_says_who_holds_the_device() -> None:
    async def run() -> None:
        from dialtone.datapath.devices import Tun
        async with lab(filtered=False) as it:
            with it.core.enter(), pytest.raises(LocalError, match="is a core running already"):
                Tun("ue0", it.forwarder.path.drop)
            with it.core.enter():
                assert net.uplink() == "up0"

    asyncio.run(run())


def test_the_resolver_answers_home_and_fails_fast_without_an_uplink(tmp_path: Path) -> None:
    async def run() -> None:
        zones = dns.Zones.home(Plmn("001", "01"), GATEWAYS[1])
        text = dns.config(GATEWAYS, POOLS, zones, ["203.0.113.53", "203.0.113.54"])  # nobody is there
        async with lab(filtered=False) as it:
            phone = it.attach(Phone(1))
            resolver = dns.Resolver(text, tmp_path)
            with it.core.enter():
                await resolver.start()
            try:
                answers = [await asking(GATEWAYS[0], f"{host}.{zones.domain}", within=phone.namespace.enter)
                           for host in ("pcscf.ims", "epdg.epc")]
                assert answers[0] == (NOERROR, socket.inet_aton(GATEWAYS[1]))
                assert answers[1].rcode == NXDOMAIN
                start = time.monotonic()
                assert (await asking(GATEWAYS[0], "example.org", within=phone.namespace.enter)).rcode == SERVFAIL
                assert time.monotonic() - start < 5  # what a phone's own resolver waits
            finally:
                await resolver.close()

    asyncio.run(run())
