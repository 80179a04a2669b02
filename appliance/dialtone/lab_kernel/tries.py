# SPDX-License-Identifier: Apache-2.0
"""Use each kernel feature once. Run by `kernel.py` in namespaces of its own, which take every trace along."""

import ctypes
import fcntl
import json
import os
import platform
import socket
import struct
import subprocess
from collections.abc import Callable

IPPROTO_SCTP = 132
TUNSETIFF = 0x400454CA
IFF_TUN, IFF_NO_PI = 0x0001, 0x1000
BPF_PROG_LOAD, BPF_PROG_TYPE_SCHED_CLS = 5, 3
BPF_SYSCALL = {"x86_64": 321, "aarch64": 280}


def run(*command: str) -> None:
    """Run a tool; its last line of complaint becomes the OSError."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        lines = (done.stderr or done.stdout).strip().splitlines() or [f"exit code {done.returncode}"]
        raise OSError(f"`{' '.join(command[:3])}`: {lines[0] if command[0] == 'nft' else lines[-1]}")


def netns() -> None:
    """A named namespace, as `ip netns` makes it (on a tmpfs of our own)."""
    os.makedirs("/run/netns", exist_ok=True)
    run("mount", "-t", "tmpfs", "netns", "/run/netns")
    run("ip", "netns", "add", "dt-probe")
    run("ip", "netns", "exec", "dt-probe", "ip", "link", "set", "lo", "up")


def veth() -> None:
    """One cable."""
    run("ip", "link", "add", "dt-a", "type", "veth", "peer", "name", "dt-b")


def sctp() -> None:
    """A listening socket: the socket alone does not show that the cookie's HMAC is there."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, IPPROTO_SCTP) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()


def tun() -> None:
    """A TUN interface."""
    fd = os.open("/dev/net/tun", os.O_RDWR)
    try:
        fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", b"dt-probe", IFF_TUN | IFF_NO_PI))
    finally:
        os.close(fd)


def esp() -> None:
    """Two SAs, with the least and the most that TS 33.203, Annex H asks for."""
    sa = ("ip", "xfrm", "state", "add", "src", "192.0.2.1", "dst", "192.0.2.2", "proto", "esp")
    null = ("mode", "transport", "enc", "ecb(cipher_null)", "", "auth-trunc", "hmac(md5)", "0x" + "11" * 16, "96")
    aes = ("mode", "transport", "enc", "cbc(aes)", "0x" + "22" * 16, "auth-trunc", "hmac(sha1)", "0x" + "33" * 20, "96")
    run(*sa, "spi", "0x1001", *null)
    run(*sa, "spi", "0x1002", *aes)


def cls_bpf() -> None:
    """An eBPF classifier accepted by bpf(2), and a tc filter that runs BPF."""
    program = struct.pack("<BBhi", 0xB7, 0, 0, 0) + struct.pack("<BBhi", 0x95, 0, 0, 0)  # r0 = 0; exit
    code, licence = ctypes.create_string_buffer(program), ctypes.create_string_buffer(b"GPL")
    attributes = struct.pack(
        "<IIQQ", BPF_PROG_TYPE_SCHED_CLS, len(program) // 8, ctypes.addressof(code), ctypes.addressof(licence)
    ).ljust(128, b"\0")
    libc = ctypes.CDLL(None, use_errno=True)
    fd = libc.syscall(BPF_SYSCALL[platform.machine()], BPF_PROG_LOAD, attributes, len(attributes))
    if fd < 0:
        raise OSError(ctypes.get_errno(), "bpf(BPF_PROG_LOAD): " + os.strerror(ctypes.get_errno()))
    os.close(fd)
    run("tc", "qdisc", "add", "dev", "lo", "clsact")
    run("tc", "filter", "add", "dev", "lo", "ingress", "bpf", "da", "bytecode", "1,6 0 0 0,")


def nft() -> None:
    """Connection tracking, an MSS clamp and a masquerade."""
    run("nft", "add", "table", "ip", "dt-probe")
    run("nft", "add", "chain", "ip", "dt-probe", "f", "{ type filter hook forward priority 0; }")
    run("nft", "add", "rule", "ip", "dt-probe", "f", "ct", "state", "established", "accept")
    run("nft", "add", "rule", "ip", "dt-probe", "f", "tcp flags syn tcp option maxseg size set rt mtu")
    run("nft", "add", "chain", "ip", "dt-probe", "n", "{ type nat hook postrouting priority 100; }")
    run("nft", "add", "rule", "ip", "dt-probe", "n", "masquerade")


TRIES: tuple[Callable[[], None], ...] = (netns, veth, sctp, tun, esp, cls_bpf, nft)


def answer(attempt: Callable[[], None]) -> str:
    """Empty when the feature works, else the kernel's refusal."""
    try:
        attempt()
    except FileNotFoundError as error:
        return f"{error.filename} is missing"
    except OSError as error:
        return error.strerror or str(error)
    return ""


if __name__ == "__main__":
    run("ip", "link", "set", "lo", "up")
    print(json.dumps({attempt.__name__: answer(attempt) for attempt in TRIES}))
