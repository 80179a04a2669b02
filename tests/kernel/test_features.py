# SPDX-License-Identifier: Apache-2.0
"""The lab kernel has what it promises, and the lab runs in namespaces inside it as it does on a host."""

import fcntl
import os
import socket
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from dialtone.lab_kernel import kernel, namespaces
from dialtone.lab_kernel.namespaces import End

pytestmark = [pytest.mark.kernel, pytest.mark.usefixtures("clean_namespaces")]

IPPROTO_SCTP, SCTP_SNDINFO, SCTP_RCVINFO, SCTP_RECVRCVINFO = 132, 2, 3, 32
S1AP_PPID = 18


def two_hosts() -> tuple[namespaces.Namespace, namespaces.Namespace]:
    core, enb = namespaces.create("dt-core"), namespaces.create("dt-enb")
    namespaces.cable(End(core, "s1", ["10.0.1.133/24"]), End(enb, "eth0", ["10.0.1.20/24"]))
    return core, enb


def test_everything_that_decides_is_here() -> None:
    report = kernel.probe()
    assert {f.name: f.why for f in report.missing if f.decides} == {}
    assert report.mode is kernel.Mode.NAMESPACES


def test_an_sctp_association_over_a_cable_carries_ppid_18() -> None:
    core, enb = two_hosts()
    with core.enter():
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, IPPROTO_SCTP)
        listener.bind(("10.0.1.133", 36412))
        listener.listen()
    with enb.enter():
        phone_side = socket.socket(socket.AF_INET, socket.SOCK_STREAM, IPPROTO_SCTP)
    with listener, phone_side:
        phone_side.settimeout(10)
        phone_side.connect(("10.0.1.133", 36412))
        accepted, address = listener.accept()
        with accepted:
            assert address[0] == "10.0.1.20"
            accepted.setsockopt(IPPROTO_SCTP, SCTP_RECVRCVINFO, 1)
            info = struct.pack("=HHIII", 3, 0, socket.htonl(S1AP_PPID), 0, 0)
            phone_side.sendmsg([b"S1 Setup"], [(IPPROTO_SCTP, SCTP_SNDINFO, info)])
            data, ancillary, _, _ = accepted.recvmsg(100, 256)
    assert data == b"S1 Setup"
    (received,) = [value for level, kind, value in ancillary if (level, kind) == (IPPROTO_SCTP, SCTP_RCVINFO)]
    stream, _, _, ppid = struct.unpack_from("=HHHxxI", received)
    assert (stream, socket.ntohl(ppid)) == (3, S1AP_PPID)


def test_a_tun_interface_reads_what_is_routed_to_it() -> None:
    gateway = namespaces.create("dt-gw")
    with gateway.enter():
        tun = os.open("/dev/net/tun", os.O_RDWR)
        fcntl.ioctl(tun, 0x400454CA, struct.pack("16sH22x", b"ue0", 0x1001))
    try:
        gateway.address("ue0", "10.45.0.1/16")
        with gateway.netlink() as route:
            route.link("set", index=route.link_lookup(ifname="ue0")[0], state="up")
        with gateway.enter(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            udp.sendto(b"to the phone", ("10.45.0.2", 9))
        packet = b""
        while packet[:1] != b"\x45":  # the kernel also solicits routers
            packet = os.read(tun, 2048)
    finally:
        os.close(tun)
    assert packet[12:20] == socket.inet_aton("10.45.0.1") + socket.inet_aton("10.45.0.2")
    assert packet.endswith(b"to the phone")


@pytest.mark.parametrize("cipher", ["ecb(cipher_null)", "cbc(aes)"])
@pytest.mark.parametrize("hash_", [("hmac(md5)", 16), ("hmac(sha1)", 20)])
def test_esp_protects_between_two_hosts(cipher: str, hash_: tuple[str, int]) -> None:
    """Each pair of TS 33.203, Annex H that the kernel can be given: only protocol 50 is on the wire."""
    core, enb = two_hosts()
    key = "" if "null" in cipher else "0x" + "2b" * 16
    for host in (core, enb):
        for spi, source, destination in (("0x1001", "10.0.1.20", "10.0.1.133"), ("0x1002", "10.0.1.133", "10.0.1.20")):
            sa = ["src", source, "dst", destination, "proto", "esp", "spi", spi, "mode", "transport"]
            algorithms = ["enc", cipher, key, "auth-trunc", hash_[0], "0x" + "11" * hash_[1], "96"]
            added = host.run("ip", "xfrm", "state", "add", *sa, *algorithms)
            assert added.returncode == 0, added.stderr
            way = "out" if (host is enb) == (spi == "0x1001") else "in"
            policy = ["src", source, "dst", destination, "dir", way, "tmpl", "proto", "esp", "mode", "transport"]
            assert host.run("ip", "xfrm", "policy", "add", *policy).returncode == 0
    with core.enter():
        raw = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0800))
        raw.settimeout(10)
    with raw:
        assert enb.run("ping", "-c", "1", "-W", "5", "10.0.1.133").returncode == 0
        assert raw.recv(2048)[9] == socket.IPPROTO_ESP
    counters = core.run("ip", "-s", "xfrm", "state").stdout
    assert "1(packets)" in counters.replace(" ", "")


def test_remove_takes_the_processes_along() -> None:
    core, _ = two_hosts()
    child = core.popen("sleep", "1000")
    assert [n.name for n in namespaces.present()] == ["dt-core", "dt-enb"]
    namespaces.remove_all()
    assert child.wait(10) == -9
    assert namespaces.present() == []


def test_the_namespace_mode_runs_here_and_leaves_nothing() -> None:
    """As on a host that has everything: namespaces of its own, a wire to this one, its exit code."""
    inside = "test $DIALTONE_LAB = namespaces && ip netns add dt-inner && ping -c 1 -W 5 10.254.0.1 && exit 7"
    runner = [sys.executable, "-m", "dialtone.lab_kernel.run", "--mode", "namespaces", "--route", "10.45.0.0/16"]
    package = Path(namespaces.__file__).parents[2]
    done = subprocess.run(
        [*runner, "--", "sh", "-c", inside],
        capture_output=True, text=True, timeout=120, check=False, env=dict(os.environ, PYTHONPATH=str(package)),
    )  # fmt: skip
    assert done.returncode == 7, done
    assert "1 received" in done.stdout
    assert namespaces.present() == []
    links = subprocess.run(["ip", "-br", "link"], capture_output=True, text=True, check=True).stdout
    assert "dt-lab0" not in links
