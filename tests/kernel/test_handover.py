# SPDX-License-Identifier: Apache-2.0
"""Handover under a stream of packets: two simulated eNBs in namespaces, kernel SCTP, GTP-U between all of them.

    core 10.0.1.133 -- dt-enb1 10.0.1.134        dt-enb1 10.0.3.134 -- 10.0.3.135 dt-enb2  (X2-U)
         10.0.2.133 -- dt-enb2 10.0.2.135
"""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from processes import connected, start_core, start_sim

from dialtone.lab_kernel import namespaces
from dialtone.lab_kernel.namespaces import End, Namespace
from dialtone.sim.cards import make_cards

pytestmark = pytest.mark.kernel

PACKETS, PORT, GAP = 1000, 9999, 0.003
CONFIG = """
[[enb]]
name = "west"
address = "10.0.1.134"
namespace = "dt-enb1"
[[enb]]
name = "east"
address = "10.0.2.135"
namespace = "dt-enb2"
[[phone]]
imsi = "{imsi}"
k = "{k}"
opc = "{opc}"
"""


class Lab:
    """A core, two eNBs, an attached phone, and a listener in it."""

    def __init__(self, path: Path) -> None:
        west, east = namespaces.create("dt-enb1"), namespaces.create("dt-enb2")
        namespaces.cable(End(None, "s1", ["10.0.1.133/24"]), End(west, "eth0", ["10.0.1.134/24"]))
        namespaces.cable(End(None, "s2", ["10.0.2.133/24"]), End(east, "eth0", ["10.0.2.135/24"]))
        namespaces.cable(End(west, "x2", ["10.0.3.134/24"]), End(east, "x2", ["10.0.3.135/24"]))
        west.route("10.0.2.135/32", via="10.0.3.135")
        east.route("10.0.1.134/32", via="10.0.3.134")
        east.route("10.0.1.133/32", via="10.0.2.133")
        self.core = start_core(path)
        self.core_control = connected(path / "run" / "core.sock")
        (card,) = make_cards(1)
        self.imsi = card.imsi
        self.core_control.call("subscribers.add", imsi=card.imsi, k=card.k.hex(), opc=card.opc.hex())
        config = path / "sim.toml"
        config.write_text(CONFIG.format(imsi=card.imsi, k=card.k.hex(), opc=card.opc.hex()))
        self.sim = start_sim(path, "--config", str(config))
        self.sim_control = connected(path / "run" / "sim.sock")
        self._ready()
        line = self.sim_control.call("sim.attach", imsi=self.imsi)
        assert line["ok"], line
        self.address = str(line["ip"])
        with Namespace(str(line["netns"])).enter():
            self.listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self.listener.bind((self.address, PORT))
        self.listener.settimeout(10)
        self.streams = 0

    def _ready(self) -> None:
        end = time.monotonic() + 30
        while any(enb["s1"] != "up" for enb in self.sim_control.call("sim.enbs")):
            assert time.monotonic() < end, self.sim_control.call("sim.enbs")
            time.sleep(0.1)

    def stream(self, enb: str, **how: bool) -> list[int]:
        """Send 1,000 numbered packets to the phone, hand it over on the way; the numbers in order of arrival."""
        got: list[int] = []
        self.streams += 1
        first = self.streams * PACKETS

        def listen() -> None:
            while not got or got[-1] != PACKETS - 1:
                try:
                    got.append(int.from_bytes(self.listener.recv(100)) - first)
                except TimeoutError:
                    return

        listening = threading.Thread(target=listen)
        listening.start()
        moving: list[dict[str, object]] = []
        mover = threading.Thread(target=lambda: moving.append(
            self.sim_control.call("sim.handover", imsi=self.imsi, enb=enb, **how)))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            for number in range(PACKETS):
                if number == PACKETS // 4:
                    mover.start()
                sender.sendto((first + number).to_bytes(4), (self.address, PORT))
                time.sleep(GAP)
        mover.join()
        listening.join()
        assert moving[0]["ok"], moving
        time.sleep(2.5)  # the source is released
        return got

    def close(self) -> None:
        self.listener.close()
        for process in (self.sim, self.core):
            process.terminate()
            process.wait(20)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    try:
        made = Lab(tmp_path_factory.mktemp("lab"))
        yield made
        made.close()
    finally:
        namespaces.remove_all()


@pytest.mark.parametrize(("enb", "how"), [
    ("east", {}),
    ("west", {"s1": True}),
    ("east", {"s1": True, "direct": False}),
    ("west", {}),
], ids=["X2", "S1 direct", "S1 indirect", "X2 back"])
def test_with_forwarding_nothing_is_lost_or_reordered(lab: Lab, enb: str, how: dict[str, bool]) -> None:
    assert lab.stream(enb, **how) == list(range(PACKETS))


@pytest.mark.parametrize("s1", [False, True], ids=["X2", "S1"])
def test_without_forwarding_little_is_lost_and_nothing_reordered(
    lab: Lab, s1: bool, record_property: Callable[[str, object], None]
) -> None:
    got = lab.stream("east" if not s1 else "west", s1=s1, forward=False)
    lost = PACKETS - len(got)
    record_property(f"{'S1' if s1 else 'X2'} handover without forwarding", f"{lost} of {PACKETS} packets lost")
    assert got == sorted(set(got))
    assert lost < PACKETS // 4


def test_the_phone_can_be_reached_and_nothing_is_left(lab: Lab) -> None:
    ping = lab.sim_control.call("sim.exec", imsi=lab.imsi, argv=["ping", "-c2", "-i0.2", "10.45.0.1"])
    assert ping["code"] == 0, ping
    assert len(lab.core_control.call("ues")) == 1
    assert lab.core_control.call("leaks")["tunnels"] == 1
    assert lab.sim_control.call("sim.detach", imsi=lab.imsi)["ok"]
    end = time.monotonic() + 10  # the connection is released a moment after the answer
    while lab.core_control.call("leaks")["contexts"]:
        assert time.monotonic() < end
        time.sleep(0.1)
