# SPDX-License-Identifier: Apache-2.0
"""What tracing costs the core, as a part of what an attach and a detach cost; and the import of a capture of 100 MB."""

import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.bench.network import ROOT, Network
from tests.bench.rows import Row

CYCLES = 40
SIZE = 100 << 20
SHARE = 20  # one packet in so many is signalling
_REGISTER = "\r\n".join((
    "REGISTER sip:ims.mnc001.mcc001.3gppnetwork.org SIP/2.0", "Via: SIP/2.0/UDP 10.46.0.2:5060;branch=z9hG4bK{0}",
    "From: <sip:001010000000001@ims.mnc001.mcc001.3gppnetwork.org>;tag={0}",
    "To: <sip:001010000000001@ims.mnc001.mcc001.3gppnetwork.org>", "Call-ID: {0}", "CSeq: 1 REGISTER",
    "Content-Length: 0", "", ""))


def rows(quick: bool) -> Iterator[Row]:
    """Both."""
    yield cost(10 if quick else 40)
    with tempfile.TemporaryDirectory(prefix="dialtone-bench-") as folder:
        path = Path(folder) / "big.pcap"
        write(path, SIZE // 4 if quick else SIZE)
        yield imported(path)


def cost(rounds: int) -> Row:
    """The same cycles with and without a trace, by turns."""
    with tempfile.TemporaryDirectory(prefix="dialtone-bench-") as one, tempfile.TemporaryDirectory(
            prefix="dialtone-bench-") as other, Network(8, Path(one)) as traced, Network(
            8, Path(other), traced=False) as silent:
        spent: dict[Network, list[float]] = {traced: [], silent: []}
        for number in range(rounds + 1):
            for network, costs in spent.items():
                cpu = network.cpu()
                network.cycles(CYCLES)
                if number:  # the first round warms up
                    costs.append(network.cpu() - cpu)
    with_trace, without = (min(costs) for costs in spent.values())  # what disturbs only ever adds
    percent = 100 * (with_trace - without) / with_trace
    return Row("tracing, of the cost of attach and detach", f"{percent:.1f} %", percent < 5, "< 5 %", None,
               f"{1e6 * (with_trace - without) / CYCLES:.0f} us of {1e6 * with_trace / CYCLES:.0f} us",
               "core in a process of its own, S1-MME over a socket pair")


def imported(path: Path) -> Row:
    """In a process of its own, whose memory is told, too."""
    say = ("import resource, sys, time; from dialtone.trace.capture import load; begun = time.process_time(); "
           "found = load(sys.argv[1]); print(time.process_time() - begun, len(found.events), "
           "resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)")
    out = subprocess.run([sys.executable, "-c", say, str(path)], capture_output=True, text=True, check=True, cwd=ROOT)
    seconds, events, kib = (float(word) for word in out.stdout.split())
    size = path.stat().st_size / 1e6
    return Row(f"import of a capture of {size:.0f} MB", f"{size / seconds:.1f} MB/s", None, "", None,
               f"{events:.0f} messages found, {kib / 1024:.0f} MiB resident at most", "one process")


def write(path: Path, size: int) -> None:
    """User data in GTP-U, and in between phones that register, each REGISTER another one."""
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1))
        number = 0
        while file.tell() < size:
            number += 1
            inner = _udp(_REGISTER.format(number).encode(), 5060) if number % SHARE == 0 else _udp(bytes(1100), 40000)
            tunnel = struct.pack(">BBHI", 0x30, 255, len(inner), 5) + inner
            packet = bytes(12) + b"\x08\x00" + _udp(tunnel, 2152)
            file.write(struct.pack("<IIII", 1_790_000_000 + number // 10_000, number % 10_000 * 100, len(packet),
                                   len(packet)) + packet)


def _udp(data: bytes, port: int) -> bytes:
    datagram = struct.pack(">HHHH", port, port, 8 + len(data), 0) + data
    return struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(datagram), 1, 0, 64, 17, 0, bytes((10, 46, 0, 2)),
                       bytes((10, 46, 0, 1))) + datagram
