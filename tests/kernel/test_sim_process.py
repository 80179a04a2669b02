# SPDX-License-Identifier: Apache-2.0
"""Core and simulated phones as two processes: SCTP, GTP-U, `ping` in the phone's namespace, nothing left behind."""

import re
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from processes import connected, start_core, start_sim

from dialtone.control import Client
from dialtone.lab_kernel import namespaces
from dialtone.lab_kernel.namespaces import End
from dialtone.sim.cards import as_csv, make_cards

pytestmark = pytest.mark.kernel

NAMESPACE = "dt-enb1"



class Lab:
    """Both processes with their control sockets."""

    def __init__(self, path: Path) -> None:
        self.sim_socket = path / "run" / "sim.sock"
        self.lan = namespaces.create(NAMESPACE)
        namespaces.cable(End(None, "s1", ["10.0.1.133/24"]), End(self.lan, "eth0", ["10.0.1.134/24"]))
        self.core = start_core(path)
        self.core_control = connected(path / "run" / "core.sock")
        cards = make_cards(3)
        self.imsis = [card.imsi for card in cards]
        self.core_control.call("subscribers.import", csv=as_csv(cards), dry_run=False)
        self.sim = start_sim(path, "--namespace", NAMESPACE)
        self.sim_control = connected(self.sim_socket)

    def close(self) -> None:
        for process in (self.sim, self.core):
            process.terminate()
            process.wait(20)
        self.lan.remove()


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """One for all tests: starting two processes is dear in user-mode Linux. The last test ends the phones."""
    try:
        made = Lab(tmp_path_factory.mktemp("lab"))
        yield made
        made.close()
    finally:
        namespaces.remove_all()


def test_a_fault_and_its_cure(lab: Lab) -> None:
    imsi = lab.imsis[1]
    lab.sim_control.call("sim.break", imsi=imsi, fault="wrong_k")
    line = lab.sim_control.call("sim.attach", imsi=imsi)
    assert line["ok"] is False
    assert "switched off and on" in str(line["last"])
    lab.sim_control.call("sim.break", imsi=imsi, fault=None)
    assert lab.sim_control.call("sim.attach", imsi=imsi)["ok"] is False
    lab.sim_control.call("sim.power", imsi=imsi)
    assert lab.sim_control.call("sim.attach", imsi=imsi)["ok"] is True
    assert lab.sim_control.call("sim.detach", imsi=imsi)["ok"] is True


def test_a_wrong_area_is_refused_and_the_right_one_taken_again(lab: Lab) -> None:
    wrong = lab.sim_control.call("sim.enb", tac=9)
    assert (wrong["s1"], wrong["refusal"]) == ("down", "refused: misc: unspecified (4)")
    assert lab.sim_control.call("sim.attach", imsi=lab.imsis[0])["ok"] is False
    assert lab.sim_control.call("sim.enb", tac=1)["s1"] == "up"


def test_an_idle_phone_is_called_and_loses_nothing(lab: Lab) -> None:
    imsi = lab.imsis[0]
    address = lab.sim_control.call("sim.attach", imsi=imsi)["ip"]
    assert lab.sim_control.call("sim.update", imsi=imsi)["ok"] is True

    def idle() -> None:
        lab.sim_control.call("sim.idle", imsi=imsi)
        while lab.core_control.call("ues")[0]["ecm"] != "ECM-IDLE":
            time.sleep(0.05)

    idle()
    # Eight packets are on their way before the first one has woken the phone.
    done = subprocess.run(["ping", "-n", "-c8", "-i0.01", "-W10", str(address)], capture_output=True, text=True)
    replies = [int(number) for number in re.findall(r"icmp_seq=(\d+) ttl", done.stdout)]
    assert replies == list(range(1, 9)), done.stdout
    counted = {(row["kind"], row["point"], row["name"]): row["count"]
               for row in lab.core_control.call("counters")["messages"]}
    assert counted["tx", "S11", "Downlink Data Notification"] == counted["tx", "S1-MME", "Paging"] == 1
    idle()
    ping = lab.sim_control.call("sim.exec", imsi=imsi, argv=["ping", "-n", "-c3", "-i0.2", "10.45.0.1"])
    assert " 3 received" in ping["stdout"], ping  # its own first packet waited for the service request
    assert lab.core_control.call("ues")[0]["ecm"] == "ECM-CONNECTED"
    assert lab.sim_control.call("sim.detach", imsi=imsi)["ok"] is True
    end = time.monotonic() + 20
    while lab.core_control.call("ues") and time.monotonic() < end:  # its release would cut the next attach off
        time.sleep(0.05)


def test_three_phones_attach_ping_and_leave_nothing(lab: Lab) -> None:
    def attach(imsi: str) -> dict[str, object]:
        return Client(lab.sim_socket, timeout=90.0).call("sim.attach", imsi=imsi)

    with ThreadPoolExecutor(3) as pool:
        lines = list(pool.map(attach, lab.imsis))
    assert [line["ok"] for line in lines] == [True] * 3, lines
    assert len({line["ip"] for line in lines}) == 3
    for imsi in lab.imsis:
        ping = lab.sim_control.call("sim.exec", imsi=imsi, argv=["ping", "-c2", "-i0.2", "10.45.0.1"])
        assert ping["code"] == 0, ping
    resolver = lab.sim_control.call("sim.exec", imsi=lab.imsis[0], argv=["cat", "/etc/resolv.conf"])
    assert resolver["stdout"] == "nameserver 10.45.0.1\n"
    for imsi in lab.imsis:
        assert lab.sim_control.call("sim.detach", imsi=imsi)["ok"]
    assert {line["emm"] for line in lab.sim_control.call("sim.status")} == {"EMM-DEREGISTERED"}
    gone = lab.sim_control.call("sim.exec", imsi=lab.imsis[0], argv=["ip", "link", "show", "lte0"])
    assert gone["code"] != 0
    lab.sim_control.call("sim.attach", imsi=lab.imsis[0])
    lab.sim.terminate()
    assert lab.sim.wait(20) == 0
    assert [found.name for found in namespaces.present()] == [NAMESPACE]
    end = time.monotonic() + 20
    while (left := lab.core_control.call("ues")) and time.monotonic() < end:
        time.sleep(0.1)
    assert left == []
