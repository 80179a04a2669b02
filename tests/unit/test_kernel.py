# SPDX-License-Identifier: Apache-2.0
"""What we ask of the machine, without asking it: rules as text, and a real unbound on a high port."""

import asyncio
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import time
from dataclasses import replace
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path

import pytest

from dialtone.codec.ipfilter import FilterRule
from dialtone.effects import OpenMedia
from dialtone.errors import LocalError
from dialtone.ids import Plmn
from dialtone.kernel import dns, net, nft
from dialtone.kernel.media import MediaSet, media_elements

POOLS = (IPv4Network("10.45.0.0/16"), IPv4Network("10.46.0.0/16"))
LOOPBACK = (IPv4Network("127.0.0.0/8"),)


def test_rules_name_what_is_allowed_and_drop_the_rest() -> None:
    text = nft.text(nft.Rules("ue0", POOLS, ("10.45.0.1", "10.46.0.1"), uplink="eth0"))
    assert text.startswith("table inet dialtone\ndelete table inet dialtone\n")
    assert 'oifname "eth0" ip saddr { 10.45.0.0/16, 10.46.0.0/16 } masquerade' in text
    assert text.count("maxseg size set 1360") == 2
    inside = [line for line in text.splitlines() if 'iifname "ue0"' in line]
    assert inside[-1].endswith("counter drop")


def test_rules_for_both_families() -> None:
    pools = (*POOLS, IPv6Network("2001:db8:cafe::/49"))
    rules = nft.Rules("ue0", pools, ("10.45.0.1", "2001:db8:cafe::1"), uplink="eth0")
    text = nft.text(rules)
    assert 'iifname "ue0" ip6 saddr { 2001:db8:cafe::/49 } jump phone_to_us' in text
    assert "ip6 daddr { 2001:db8:cafe::1 } icmpv6 type echo-request" in text
    assert text.count("maxseg size set 1340") == 2
    assert 'oifname "eth0" ip6 saddr { 2001:db8:cafe::/49 } masquerade' in text
    assert 'iifname "ue0" meta nfproto ipv6 counter drop\n  }' in text  # no other source reaches us
    routed = nft.text(replace(rules, masquerade6=False))
    assert "ip6 saddr { 2001:db8:cafe::/49 } masquerade" not in routed
    assert "ip saddr { 10.45.0.0/16, 10.46.0.0/16 } masquerade" in routed


def opened(*texts: str, ue: bytes = bytes((10, 46, 0, 2)), prefix: bytes = b"") -> OpenMedia:
    return OpenMedia(ue, prefix, tuple(FilterRule.from_text(text) for text in texts))


def test_the_firewall_has_the_same_flows() -> None:
    rules = nft.text(nft.Rules("ue0", POOLS))
    lines = [line.strip() for line in rules.splitlines() if 'iifname "ue0" oifname "ue0"' in line]
    assert lines[0].endswith("ip saddr . udp sport . ip daddr . udp dport @media_ip accept")
    assert lines[-1].endswith("counter drop")
    texts: list[str] = []

    async def call() -> None:
        media = MediaSet(texts.append)
        there = opened("permit out 17 from 10.46.0.3 50000 to 10.46.0.2 49120",
                       "permit in 17 from 10.46.0.2 49120 to 10.46.0.3 50000",
                       "permit in 17 from 10.46.0.2 49121 to 10.46.0.3 50001")
        media.put(opened())
        media.put(there)  # while the first one is being written
        await asyncio.sleep(0.05)
        media.put(opened())
        await asyncio.sleep(0.05)

    asyncio.run(call())
    assert "add element inet dialtone media_ip { 10.46.0.2 . 49120 . 10.46.0.3 . 50000, " in texts[-2]
    assert "49121 . 10.46.0.3 . 50001" in texts[-2]
    assert texts[-1] == "flush set inet dialtone media_ip\nflush set inet dialtone media_ip6\n"


def test_flows_that_the_firewall_leaves_closed() -> None:
    """Wide ones, and what is no UDP; the user plane has them, and few phones do such calls."""
    assert not list(media_elements(opened(
        "permit in 6 from 10.46.0.2 1 to 10.46.0.3 2", "permit in 17 from any 1 to any 2",
        "permit in 17 from 10.46.0.2 1 to 10.46.0.0/24 2", "permit in 17 from 10.46.0.2 1 to 10.46.0.3",
        "permit in 17 from 2001:db8:1::1 1 to 2001:db8:2::1 2")))
    own = bytes.fromhex("20010db800010000")
    two = opened("permit in 17 from 2001:db8:1::1 1-2 to 2001:db8:2::1 7", ue=b"", prefix=own)
    assert list(media_elements(two)) == [
        ("ip6", f"2001:db8:1::1 . {port} . 2001:db8:2::1 . 7") for port in (1, 2)]


@pytest.mark.parametrize("rules", [nft.Rules("ue0", POOLS, uplink="eth0", masquerade=False), nft.Rules("ue0", POOLS)])
def test_no_masquerade_where_there_is_nothing_to_hide_behind(rules: nft.Rules) -> None:
    text = nft.text(rules)
    assert "masquerade" not in text
    assert ('oifname "eth0" accept' in text) == (rules.uplink is not None)


def test_the_machines_resolvers(tmp_path: Path) -> None:
    stub, real = tmp_path / "stub", tmp_path / "real"
    lines = ["# nameserver 9.9.9.9", "10.0.0.1", " ::1 ", "fe80::1%eth0", "x"]
    stub.write_text("\nnameserver ".join(lines) + "\nsearch x\n")
    assert dns.system_resolvers([tmp_path / "absent", stub]) == ["10.0.0.1", "::1", "fe80::1%eth0"]
    real.write_text("options edns0\n")
    assert dns.system_resolvers([real]) == []


def test_ip_says_what_is_wrong() -> None:
    with pytest.raises(LocalError, match=r"ip: .*no-such-device"):
        net.ip(["link show dev no-such-device"])


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


async def ask(port: int, name: str) -> tuple[int, bytes]:
    """Response code and the last four octets: the address, where there is one."""
    labels = b"".join(bytes([len(x)]) + x.encode() for x in name.split("."))
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setblocking(False)
    with sock:
        sock.connect(("127.0.0.1", port))
        sock.send(struct.pack(">6H", 1, 0x0100, 1, 0, 0, 0) + labels + b"\0\0\1\0\1")
        reply = await asyncio.wait_for(asyncio.get_running_loop().sock_recv(sock, 2000), 5)
    return reply[3] & 15, reply[-4:]


def test_a_real_resolver_home_elsewhere_and_risen_again(tmp_path: Path) -> None:
    class Elsewhere(asyncio.DatagramProtocol):
        """Answers every question by 192.0.2.7."""

        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self.transport = transport

        def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
            question = data[12 : data.index(b"\0", 12) + 5]
            answer = b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4" + bytes([192, 0, 2, 7])
            head = data[:2] + b"\x81\x80" + struct.pack(">4H", 1, 1, 0, 0)
            self.transport.sendto(head + question + answer, addr)  # type: ignore[attr-defined]

    async def run() -> None:
        port, upstream = free_port(), free_port()
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            Elsewhere, ("127.0.0.1", upstream))
        zones = dns.Zones.home(Plmn("310", "170"), "10.46.0.1")
        text = dns.config(["127.0.0.1"], LOOPBACK, zones, [f"127.0.0.1@{upstream}"], port)
        resolver = dns.Resolver(text, tmp_path)
        await resolver.start()
        try:
            assert await ask(port, "pcscf.ims.mnc170.mcc310.3gppnetwork.org") == (0, bytes([10, 46, 0, 1]))
            assert (await ask(port, "epdg.epc.mnc170.mcc310.pub.3gppnetwork.org"))[0] == 3
            assert await ask(port, "www.example.org") == (0, bytes([192, 0, 2, 7]))
            assert resolver._process is not None
            status = Path(f"/proc/{resolver._process.pid}/status").read_text()
            allowed = 0x400 if os.geteuid() == 0 else 0  # CAP_NET_BIND_SERVICE
            assert int(re.search(r"CapPrm:\s*(\w+)", status)[1], 16) == allowed  # type: ignore[index]
            assert "NoNewPrivs:\t1" in status
            resolver._process.send_signal(signal.SIGKILL)
            async with asyncio.timeout(8):
                while resolver.restarts < 1 or resolver._process is None:
                    await asyncio.sleep(0.05)
                await asyncio.sleep(0.3)
            assert (await ask(port, "pcscf.ims.mnc170.mcc310.3gppnetwork.org"))[0] == 0
            await resolver.change(dns.config(["127.0.0.1"], LOOPBACK, zones, [], port))
            assert (await ask(port, "www.example.org"))[0] == 5  # refused at once: no uplink is known
        finally:
            await resolver.close()
            transport.close()
        assert not list(tmp_path.iterdir())

    asyncio.run(run())


def test_the_resolver_does_not_outlive_us(tmp_path: Path) -> None:
    program = f"""
import asyncio, os, signal
from pathlib import Path
from dialtone.kernel import dns
async def run():
    resolver = dns.Resolver("server:\\ninterface: 127.0.0.1\\nport: {free_port()}\\nchroot: ''\\nusername: ''\\n"
                            "pidfile: ''\\nuse-syslog: no\\n", Path({str(tmp_path)!r}))
    await resolver.start()
    print(resolver._process.pid, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
asyncio.run(run())
"""
    appliance = str(Path(dns.__file__).parents[2])
    done = subprocess.run([sys.executable, "-c", program], env={**os.environ, "PYTHONPATH": appliance},
                          capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    child = Path(f"/proc/{int(done.stdout)}")
    for _ in range(400):
        try:
            state = (child / "stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return
        if state == "Z":
            return
        time.sleep(0.05)
    pytest.fail("unbound still runs")


def test_a_resolver_that_cannot_start_says_why(tmp_path: Path) -> None:
    async def run() -> None:
        port = free_port()
        text = dns.config(["127.0.0.1"], LOOPBACK, dns.Zones(Plmn("001", "01")), [], port)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as holder:
            holder.bind(("127.0.0.1", port))
            with pytest.raises(LocalError, match="address already in use") as caught:
                await dns.Resolver(text, tmp_path).start()
            assert "ss -lnup" in caught.value.remedy
        with pytest.raises(LocalError, match="unknown keyword"):
            await dns.Resolver("server:\nnonsense", tmp_path).start()

    asyncio.run(run())
