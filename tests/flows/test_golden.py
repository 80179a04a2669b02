# SPDX-License-Identifier: Apache-2.0
"""Golden ladders: the whole order of messages as text, and the same flows under tshark's eyes.

After a change that is meant: `DIALTONE_WRITE_GOLDEN=1 pytest tests/flows/test_golden.py`, and read the diff.
"""

import os
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cx_flows
import esm_flows
import gtp_flows
import pytest
import radio_flows
import rx_flows
import s6a_flows
import text_flows
from network import Network, imsi_of, settings
from probe import HOME
from test_emergency import IN_NEED, desk

from dialtone.config_gtp import GtpConfig
from dialtone.ids import Plmn
from dialtone.mme.detach import DetachUe
from dialtone.mme.guti_reallocation import ReallocateGuti
from dialtone.sim.attach import AttachAnew
from dialtone.sim.enb import EnbConfig
from dialtone.sim.power import BreakCommand
from dialtone.sim.service import MO_CS_FALLBACK, ServiceCommand
from dialtone.sim.tracking import AreaUpdateCommand
from dialtone.trace import pcapng
from dialtone.trace.bus import Event
from dialtone.trace.ladder import text_ladder
from dialtone.where import clean, find

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


def release_to_idle(net: Network) -> int:
    net.attach()
    start = net.events()[-1].id
    net.idle()
    return start


def service_request(net: Network) -> int:
    net.attach()
    net.idle()
    start = net.events()[-1].id
    net.command(f"ue-{imsi_of(1)}", ServiceCommand())
    return start


def service_request_refused(net: Network) -> int:
    net.attach()
    net.idle()
    net.command("mme", DetachUe(imsi_of(1)))
    start = net.events()[-1].id
    net.command(f"ue-{imsi_of(1)}", ServiceCommand())
    return start


def extended_service_request_for_a_call(net: Network) -> int:
    net.attach()
    net.idle()
    start = net.events()[-1].id
    net.command(f"ue-{imsi_of(1)}", ServiceCommand(extended=True, service_type=MO_CS_FALLBACK))
    return start


def tracking_area_update(net: Network) -> int:
    net.attach()
    net.idle()
    start = net.events()[-1].id
    net.command(f"ue-{imsi_of(1)}", AreaUpdateCommand())
    return start


def tracking_area_update_active(net: Network) -> int:
    net.attach()
    net.idle()
    start = net.events()[-1].id
    net.command(f"ue-{imsi_of(1)}", AreaUpdateCommand(active=True))
    return start


def tracking_area_update_periodic(net: Network) -> int:
    net.attach()
    net.idle()
    start = net.events()[-1].id
    net.run(3250)
    return start


def tracking_area_update_wrong_mac(net: Network) -> int:
    net.attach()
    net.idle()
    start = net.events()[-1].id
    name = f"ue-{imsi_of(1)}"
    for event in (BreakCommand("wrong_mac"), AreaUpdateCommand(), BreakCommand(None)):
        net.loop.tell(name, event)
    net.run(1)
    return start


def guti_reallocation(net: Network) -> int:
    net.attach()
    start = net.events()[-1].id
    net.command("mme", ReallocateGuti(imsi_of(1)))
    return start


def detach_by_network_of_an_idle_phone(net: Network) -> int:
    net.attach()
    net.idle()
    start = net.events()[-1].id
    net.command("mme", DetachUe(imsi_of(1), page=True), 3)
    return start


def _downlink(net: Network, fault: str | None, seconds: float) -> int:
    net.attach()
    net.idle()
    net.fault(fault)
    start = net.events()[-1].id
    [bearer] = net.forwarder.bearers.values()
    net.downlink(bytes.fromhex("4500001c00000000401100000808080a") + bearer.ue + bytes(8), seconds)
    return start


def paging(net: Network) -> int:
    return _downlink(net, None, 2.0)


def paging_in_vain(net: Network) -> int:
    return _downlink(net, "silent", 20.0)


def attach_again_on_a_living_connection(net: Network) -> int:
    net.attach()
    start = net.events()[-1].id
    net.command(f"ue-{imsi_of(1)}", AttachAnew(), 2.0)
    return start


def _in_need(net: Network, *, sim: bool = True) -> int:
    phone = net.phones[imsi_of(1)]
    phone.handset = replace(IN_NEED, sim=sim)
    net.attach()
    return 0


def emergency_attach(net: Network) -> int:
    return _in_need(net)


def emergency_attach_refused(net: Network) -> int:
    return _in_need(net)


def emergency_attach_without_a_sim(net: Network) -> int:
    return _in_need(net, sim=False)


DESKS = ("emergency_attach", "emergency_attach_without_a_sim")
"""Flows in a network that answers emergency calls."""
COMMENT = "1048576"  # the severity of what we wrote beside the frame ourselves
REMARKS = ("All ESM / Test Procedures messages should be integrity protected",)
"""What it says of the plain copy beside a protected message."""

FOREIGN = (EnbConfig(areas=((1, (Plmn("999", "70"),)), (7, (HOME,)))),)
FLOWS: dict[str, tuple[Flow, tuple[EnbConfig, ...]]] = {
    "attach_imsi": (lambda net: net.attach() and 0, (EnbConfig(),)),
    "s1_setup_refused": (lambda net: 0, FOREIGN),
    **{flow.__name__: (flow, (EnbConfig(),)) for flow in (
        attach_known_guti, attach_unknown_guti, attach_resynchronised, attach_wrong_k, attach_wrong_apn,
        detach, detach_switch_off, detach_by_network, release_to_idle, service_request, service_request_refused,
        extended_service_request_for_a_call, paging, paging_in_vain, tracking_area_update,
        tracking_area_update_active, tracking_area_update_periodic, tracking_area_update_wrong_mac, guti_reallocation,
        detach_by_network_of_an_idle_phone, attach_again_on_a_living_connection, emergency_attach,
        emergency_attach_refused, emergency_attach_without_a_sim)},
    **radio_flows.FLOWS,
    **s6a_flows.FLOWS,
    **esm_flows.FLOWS,
    **rx_flows.FLOWS,
    **cx_flows.FLOWS,
    **{name: (flow, (EnbConfig(),)) for name, flow in (gtp_flows.FLOWS | text_flows.FLOWS).items()},
}


def columns(name: str) -> tuple[str, ...]:
    """One more for each further eNB; those of GTP peers have their own."""
    if name in rx_flows.FLOWS:
        return rx_flows.COLUMNS
    if name in cx_flows.FLOWS:
        return cx_flows.COLUMNS
    if name in text_flows.FLOWS:
        return text_flows.COLUMNS
    first, *others = [f"enb{number}" for number, _ in enumerate(FLOWS[name][1], 1)]
    return gtp_flows.COLUMNS.get(name, ("UE", first, *others, *COLUMNS[2:]))


def events_of(name: str, make_network: Callable[..., Network], **network: object) -> list[Event]:
    flow, enbs = FLOWS[name]
    config = replace(settings(**network), gtp=gtp_flows.CONFIGS.get(name, GtpConfig()))
    if name in DESKS:
        config = replace(config, network=replace(config.network, emergency="desk"), apn=desk().apn)
    net = make_network(enbs=enbs, config=config)
    start = flow(net) or 0
    assert isinstance(start, int)
    # A NAS message is shown once, where it was sent: both ends of the air are in this trace.
    return [event for event in net.events()
            if event.id > start and not (event.kind == "rx" and event.point in ("NAS", "SMS"))]


@pytest.mark.parametrize("name", FLOWS)
def test_the_ladder_is_the_golden_one(name: str, make_network: Callable[..., Network]) -> None:
    ladder = text_ladder(events_of(name, make_network), columns(name))
    file = GOLDEN / f"{name}.txt"
    if os.environ.get("DIALTONE_WRITE_GOLDEN"):
        file.write_text(ladder, encoding="utf-8")
    assert ladder == file.read_text(encoding="utf-8")


def test_no_golden_file_is_left_over() -> None:
    assert {file.stem for file in GOLDEN.glob("*.txt")} == set(FLOWS)


@pytest.fixture(scope="module")
def frames(tmp_path_factory: pytest.TempPathFactory) -> list[list[str]]:
    """What tshark says of the messages of the golden flows: protocols, fault, remark with its severity, names.

    Without ciphering: tshark takes ciphered octets for messages, and remarks on those.
    """
    folder = tmp_path_factory.mktemp("golden")
    events = []
    for number, name in enumerate(FLOWS):
        (folder / str(number)).mkdir()
        events += events_of(name, lambda folder=folder / str(number), **options: Network(  # type: ignore[misc]
            folder, **options), eea=(0,))
    file = folder / "golden.pcapng"
    pcapng.write(file, (event for event in events if event.kind != "done"))
    fields = ("frame.protocols", "_ws.malformed", "_ws.expert.severity", "_ws.expert.message",
              "_ws.col.Protocol", "_ws.col.Info")
    said = subprocess.run(
        ["tshark", "-r", str(file), "-T", "fields", *(word for field in fields for word in ("-e", field))],
        capture_output=True, text=True, check=True).stdout.splitlines()
    assert len(said) >= sum(1 for event in events if event.kind != "done")
    return [line.split("\t") for line in said]


def test_tshark_reads_every_message_and_has_nothing_to_remark(frames: list[list[str]]) -> None:
    # In answers of SGd it takes the report, whose type it cannot know without the direction, for a text.
    frames = [frame for frame in frames if not (frame[0].endswith("gsm_sms") and " Answer(" in frame[5])]
    assert not [frame for frame in frames if frame[1] or "alformed" in frame[5]]
    assert not [frame for frame in frames
                if not any(word in frame[0] for word in ("s1ap", "nas-eps", "gtpv2", "diameter", "gsm_a.dtap"))]
    assert not [frame for frame in frames
                if set(frame[2].split(",")) - {COMMENT, ""} and not any(remark in frame[3] for remark in REMARKS)]


def test_where_finds_every_name_that_tshark_prints(frames: list[list[str]]) -> None:
    names = set()
    for *_, protocol, info in frames:
        info = info.partition(" flags=")[0] if protocol.startswith("DIAMETER") else info
        names |= {clean(name) for name in info.split(", ")}  # a frame may hold several, one inside the other
    assert {"Attach request", "PDN connectivity request", "InitialUEMessage", "Create Session Request",
            "3GPP-Update-Location Request", "Detach request", "UEContextReleaseComplete"} <= names
    names -= {"", "RRCConnectionReconfiguration"}  # inside a container of the eNBs, which nobody in the core reads
    assert not {name for name in names if not any(place.role == "handled by" for place in find(name))}
