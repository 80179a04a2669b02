# SPDX-License-Identifier: Apache-2.0
"""Golden ladders: the whole order of messages as text, and the same flows under tshark's eyes.

After a change that is meant: `DIALTONE_WRITE_GOLDEN=1 pytest tests/flows/test_golden.py`, and read the diff.
"""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from network import Network, imsi_of
from probe import HOME

from dialtone.ids import Plmn
from dialtone.mme.detach import DetachUe
from dialtone.sim.enb import EnbConfig
from dialtone.trace import pcapng
from dialtone.trace.bus import Event
from dialtone.trace.ladder import text_ladder

GOLDEN = Path(__file__).with_name("golden")
COLUMNS = ("UE", "enb1", "mme", "pgw", "hss")
Flow = Callable[[Network], object]


def attach_known_guti(net: Network) -> int:
    net.attach()
    net.detach()
    start = net.events()[-1].id
    net.attach()
    return start


def attach_unknown_guti(net: Network) -> None:
    net.fault("unknown_guti")
    net.attach()


def attach_resynchronised(net: Network) -> None:
    net.fault("sqn_stale")
    net.attach()


def attach_wrong_k(net: Network) -> None:
    net.fault("wrong_k")
    net.attach()


def attach_wrong_apn(net: Network) -> None:
    net.fault("wrong_apn")
    net.attach()


def detach(net: Network) -> int:
    net.attach()
    start = net.events()[-1].id
    net.detach()
    return start


def detach_switch_off(net: Network) -> int:
    net.attach()
    start = net.events()[-1].id
    net.detach(switch_off=True)
    return start


def detach_by_network(net: Network) -> int:
    net.attach()
    start = net.events()[-1].id
    net.command("mme", DetachUe(imsi_of(1)))
    return start


FOREIGN = (EnbConfig(areas=((1, (Plmn("999", "70"),)), (7, (HOME,)))),)
FLOWS: dict[str, tuple[Flow, tuple[EnbConfig, ...]]] = {
    "attach_imsi": (lambda net: net.attach() and 0, (EnbConfig(),)),
    "s1_setup_refused": (lambda net: 0, FOREIGN),
    **{flow.__name__: (flow, (EnbConfig(),)) for flow in (
        attach_known_guti, attach_unknown_guti, attach_resynchronised, attach_wrong_k, attach_wrong_apn,
        detach, detach_switch_off, detach_by_network)},
}


def events_of(name: str, make_network: Callable[..., Network]) -> list[Event]:
    flow, enbs = FLOWS[name]
    net = make_network(enbs=enbs)
    start = flow(net) or 0
    assert isinstance(start, int)
    # A NAS message is shown once, where it was sent: both ends of the air are in this trace.
    return [event for event in net.events() if event.id > start and not (event.kind == "rx" and event.point == "NAS")]


@pytest.mark.parametrize("name", FLOWS)
def test_the_ladder_is_the_golden_one(name: str, make_network: Callable[..., Network]) -> None:
    ladder = text_ladder(events_of(name, make_network), COLUMNS)
    file = GOLDEN / f"{name}.txt"
    if os.environ.get("DIALTONE_WRITE_GOLDEN"):
        file.write_text(ladder, encoding="utf-8")
    assert ladder == file.read_text(encoding="utf-8")


def test_no_golden_file_is_left_over() -> None:
    assert {file.stem for file in GOLDEN.glob("*.txt")} == set(FLOWS)


def test_tshark_finds_nothing_malformed(make_network: Callable[..., Network], tmp_path: Path) -> None:
    assert shutil.which("tshark"), "Debian's tshark is needed"
    events = [event for name in FLOWS for event in events_of(name, make_network)]
    file = tmp_path / "golden.pcapng"
    pcapng.write(file, events)
    fields = ("frame.protocols", "_ws.malformed", "_ws.expert.message", "_ws.col.Info")
    said = subprocess.run(
        ["tshark", "-r", str(file), "-T", "fields", *(word for field in fields for word in ("-e", field))],
        capture_output=True, text=True, check=True).stdout.splitlines()
    assert len(said) >= sum(1 for event in events if event.kind != "done")
    assert not [line for line in said if "alformed" in line]
    unread = [line for line in said if not any(word in line for word in ("s1ap", "nas-eps", "gtpv2", "diameter"))]
    assert not unread
