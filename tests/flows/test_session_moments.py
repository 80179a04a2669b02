# SPDX-License-Identifier: Apache-2.0
"""Every message of every protocol in the middle of every procedure of a registered phone, and while it is idle.

The moments of test_moments.py are those of EMM; here a session management, connection or mobility procedure waits for
its answer. Whatever comes then: no defect, an answer to what must have one, and nothing stays behind (the fixture).
"""

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import takewhile
from pathlib import Path

import pytest
from esm_flows import CALL
from moments import addressed, afresh, nas_messages, s1ap_messages
from network import Network, imsi_of
from probe import Probe, protected
from test_path_switch import switch

from dialtone.codec import diameter, gtpc, nas, s1ap
from dialtone.codec.diameter import COMMANDS, S6A, DiameterMessage
from dialtone.codec.gtpc import GtpcMessage
from dialtone.effects import PeerUp
from dialtone.links.memory import Weather
from dialtone.mme.guti_reallocation import ReallocateGuti
from dialtone.mme.pdn_disconnect import ClosePdn as NetworkClosesPdn
from dialtone.mme.states import EcmState, EmmState
from dialtone.pgw.policy import InstallRules, RemoveRules
from dialtone.requests import is_answer
from dialtone.sim.air import ConnectionRequest, EstablishmentCause
from dialtone.sim.enb import EnbConfig
from dialtone.sim.moving import HandOver, Neighbour
from dialtone.sim.pdn import ClosePdn, OpenPdn
from dialtone.sim.phone import Phone
from dialtone.sim.service import ServiceCommand
from dialtone.sim.tracking import AreaUpdateCommand

sys.path.append(str(Path(__file__).parents[1] / "unit"))
import diameter_samples
import gtpc_samples

IMSI = imsi_of(1)

Bring = Callable[[Network, Phone], None]
MOMENTS: dict[str, Bring] = {}


def moment(bring: Bring) -> Bring:
    MOMENTS[bring.__name__] = bring
    return bring


def _deaf(net: Network, phone: Phone, event: object, element: str = "pgw") -> None:
    phone.deaf = True
    net.command(element, event, 0.1)  # type: ignore[arg-type]


def _with_bearer(net: Network) -> None:
    net.command("pgw", InstallRules(IMSI, "internet", (CALL,)), 0.5)


@moment
def idle(net: Network, phone: Phone) -> None:
    net.idle()


@moment
def paged(net: Network, phone: Phone) -> None:
    net.idle()
    _deaf(net, phone, ReallocateGuti(IMSI), "mme")


@moment
def bearer_activated(net: Network, phone: Phone) -> None:
    _deaf(net, phone, InstallRules(IMSI, "internet", (CALL,)))


@moment
def bearer_modified(net: Network, phone: Phone) -> None:
    _with_bearer(net)
    _deaf(net, phone, InstallRules(IMSI, "internet", (replace(CALL, mbr=(160, 160), gbr=(160, 160)),)))


@moment
def bearer_deactivated(net: Network, phone: Phone) -> None:
    _with_bearer(net)
    _deaf(net, phone, RemoveRules(IMSI, "internet", (CALL.name,)))


@moment
def pdn_wanted(net: Network, phone: Phone) -> None:
    net.link("S11").weather = Weather(loss=1.0)
    net.command(phone.name, OpenPdn("ims"), 0.1)
    net.link("S11").weather = None


@moment
def pdn_offered(net: Network, phone: Phone) -> None:
    _deaf(net, phone, OpenPdn("ims"), phone.name)


@moment
def pdn_left(net: Network, phone: Phone) -> None:
    net.command(phone.name, OpenPdn("ims"), 0.5)
    net.link("S11").weather = Weather(loss=1.0)
    net.command(phone.name, ClosePdn("ims"), 0.1)
    net.link("S11").weather = None


@moment
def pdn_taken(net: Network, phone: Phone) -> None:
    net.command(phone.name, OpenPdn("ims"), 0.5)
    _deaf(net, phone, NetworkClosesPdn(IMSI, "ims"), "mme")


@moment
def guti_given(net: Network, phone: Phone) -> None:
    _deaf(net, phone, ReallocateGuti(IMSI), "mme")


@moment
def coming_back(net: Network, phone: Phone) -> None:
    """The eNB has not set the context up yet."""
    net.idle()
    net.s1_mme.weather = Weather(delay=0.5)
    net.loop.tell(phone.name, ServiceCommand())
    while not net.core.mme.by_imsi[IMSI].returning:
        net.run(0.01)


@pytest.fixture
def at(net: Network) -> Iterator[Callable[[str], Phone]]:
    """Bring the one phone to a moment, from the beginning each time."""
    phone = net.phones[IMSI]

    def bring(name: str) -> Phone:
        net.s1_mme.weather = None
        net.run(0.5)  # what is still under way arrives
        afresh(net, phone)
        assert net.attach().emm == "EMM-REGISTERED"
        MOMENTS[name](net, phone)
        assert net.core.mme.by_imsi[IMSI].emm == EmmState.REGISTERED
        return phone

    yield bring
    net.s1_mme.weather = None
    net.run(0.5)
    afresh(net, phone)
    assert net.attach(seconds=30.0).emm == "EMM-REGISTERED", phone.last  # it is served as ever


def since(net: Network, last: int, point: str, src: str) -> list[str]:
    new = takewhile(lambda event: event.id > last, reversed(net.loop.bus.ring))
    return [event.name for event in new if (event.point, event.src, event.kind) == (point, src, "tx")]


@pytest.mark.parametrize("name", MOMENTS)
def test_nas_of_every_kind(net: Network, at: Callable[[str], Phone], name: str) -> None:
    for message in nas_messages():
        phone = at(name)
        octets = protected(phone, message)
        if net.core.mme.by_imsi[IMSI].ecm is EcmState.IDLE:
            first = ConnectionRequest(phone.name, octets, EstablishmentCause.MO_SIGNALLING, phone.guti)
            net.command(phone.cell.enb, first, 0.0)
        else:
            net.nas_from(phone, octets)
        net.run(0.1)
        assert net.loop.counters.get("internal error", 0) == 0, message


@pytest.mark.parametrize("name", MOMENTS)
def test_s1ap_of_every_kind(net: Network, at: Callable[[str], Phone], name: str) -> None:
    for message in s1ap_messages():
        phone = at(name)
        ue = net.core.mme.by_imsi[IMSI]
        octets = s1ap.encode(addressed(message, ue.number, max(ue.enb_ue_s1ap_id, 0)))
        net.loop.deliver("mme", "S1-MME", phone.cell.enb, octets, 1)
        net.run(0.1)
        assert net.loop.counters.get("internal error", 0) == 0, message
        net.command(phone.cell.enb, PeerUp("S1-MME", "mme"), 0.1)


def gtpc_to(net: Network, element: str) -> Iterator[GtpcMessage]:
    """Small and full, with the TEID that the element has for the phone."""
    ue = net.core.mme.by_imsi[IMSI]
    pdn = next(iter(ue.pdns.values()), None)
    teid = ue.s11_teid if element == "mme" else pdn.s11_teid if pdn else 0
    for message in gtpc_samples.corpus():
        if message.teid is not None:
            message.teid = teid
        message.sequence = 0x5000
        yield message


@pytest.mark.parametrize("element", ["mme", "pgw"])
@pytest.mark.parametrize("name", MOMENTS)
def test_gtpc_of_every_kind(net: Network, at: Callable[[str], Phone], name: str, element: str) -> None:
    count = len(gtpc_samples.corpus())
    other = "pgw" if element == "mme" else "mme"
    for number in range(count):
        at(name)
        message = list(gtpc_to(net, element))[number]
        last = net.loop.bus.ring[-1].id
        net.loop.deliver(element, "S11", other, gtpc.encode(message))
        net.run(0.0)
        if (("S11", type(message)) in net.loop.elements[element].on.messages
                and type(message).__name__.endswith("Request") and name not in ("paged", "idle", "coming_back")):
            net.run(60.0)
            assert [one for one in since(net, last, "S11", element) if one.endswith("Response")], message
        assert net.loop.counters.get("internal error", 0) == 0, message


S6A_COMMANDS = [cls for (_, application, _), cls in COMMANDS.items() if application == S6A]
"""The Diameter node answers by itself what the element has no handler for (3001)."""


@pytest.mark.parametrize("element", ["mme", "hss"])
@pytest.mark.parametrize("name", MOMENTS)
def test_s6a_of_every_kind(net: Network, at: Callable[[str], Phone], name: str, element: str) -> None:
    """A request has its answer whatever the phone is at; an answer that nobody asked for goes nowhere."""
    other = "hss" if element == "mme" else "mme"
    for number, cls in enumerate(S6A_COMMANDS):
        if not is_answer(cls) and ("S6a", cls) not in net.loop.elements[element].on.messages:
            continue
        for build in (diameter_samples.small, diameter_samples.full):
            at(name)
            message: DiameterMessage = build(cls)
            message.hop_by_hop, message.end_to_end = 0x7000_0000 + number, 0x7000_0000 + number
            if hasattr(message, "user_name"):
                message.user_name = IMSI
            last = net.loop.bus.ring[-1].id
            net.loop.deliver(element, "S6a", other, diameter.encode(message))
            net.run(0.5)
            answers = [one for one in since(net, last, "S6a", element) if one.endswith("Answer")]
            assert len(answers) == (0 if is_answer(cls) else 1), message
            assert net.loop.counters.get("internal error", 0) == 0, message


def test_the_moments_are_what_they_say(net: Network, at: Callable[[str], Phone]) -> None:
    """Each leaves the MME in the middle of the procedure that it is called after."""
    waiting = {
        "bearer_activated": lambda ue: ("T3485", 6) in ue.retries,
        "bearer_modified": lambda ue: ("T3486", 6) in ue.retries,
        "bearer_deactivated": lambda ue: ("T3495", 6) in ue.retries, "pdn_wanted": lambda ue: bool(ue.wishes),
        "pdn_offered": lambda ue: ("T3485", 6) in ue.retries, "pdn_left": lambda ue: ue.pdns["ims"].leaving,
        "pdn_taken": lambda ue: ue.pdns["ims"].leaving, "guti_given": lambda ue: "T3450" in ue.retries,
        "idle": lambda ue: ue.ecm is EcmState.IDLE, "paged": lambda ue: bool(ue.errands),
        "coming_back": lambda ue: bool(ue.returning),
    }
    for name in MOMENTS:
        at(name)
        ue = net.core.mme.by_imsi[IMSI]
        assert waiting[name](ue), (name, ue)


def test_nas_is_not_lost_in_a_handover(make_network: Callable[..., Network]) -> None:
    """What the eNB returns because a handover has begun goes out again on the other side (TS 23.401, 5.5.1.1.1)."""
    net = make_network()
    phone = net.attach()
    ue = net.core.mme.by_imsi[IMSI]
    phone.deaf = True
    net.command("mme", ReallocateGuti(IMSI), 0.1)
    probe = Probe(net)
    net.loop.deliver("mme", "S1-MME", phone.cell.enb, s1ap.encode(s1ap.NASNonDeliveryIndication(
        mme_ue_s1ap_id=ue.number, enb_ue_s1ap_id=ue.enb_ue_s1ap_id, nas_pdu=b"\7",
        cause=s1ap.Cause.of("radioNetwork", "x2-handover-triggered"))), 1)
    net.run(0.1)
    switch(probe, ue.number, (5, 0x905))
    last = probe.last(s1ap.DownlinkNASTransport)
    assert (last.mme_ue_s1ap_id, last.enb_ue_s1ap_id) == (ue.number, 77)
    assert [event.name for event in net.events("NAS")][-1] == "GUTI reallocation command"
    assert isinstance(nas.decode(net.events("NAS")[-1].plain, downlink=True), nas.GUTIReallocationCommand)


def test_nas_goes_out_again_when_the_handover_fails(make_network: Callable[..., Network]) -> None:
    net = make_network(enbs=(EnbConfig(), EnbConfig(enb_id=0x19C, enb_name="second")))
    phone = net.attach()
    ue = net.core.mme.by_imsi[IMSI]
    phone.deaf = True
    net.command("mme", ReallocateGuti(IMSI), 0.1)
    net.enbs[1].full = True
    before = len(net.sent("GUTI reallocation command"))
    net.loop.tell(phone.cell.enb, HandOver(phone.name, Neighbour("enb2", net.enbs[1].config), s1=True))
    net.loop.deliver("mme", "S1-MME", phone.cell.enb, s1ap.encode(s1ap.NASNonDeliveryIndication(
        mme_ue_s1ap_id=ue.number, enb_ue_s1ap_id=ue.enb_ue_s1ap_id, nas_pdu=b"\7",
        cause=s1ap.Cause.of("radioNetwork", "s1-intra-system-handover-triggered"))), 1)
    net.run(0.1)
    assert net.sent("HandoverPreparationFailure")
    assert len(net.sent("GUTI reallocation command")) == before + 1
    assert not ue.undelivered


@pytest.mark.parametrize("what", ["service", "update"])
def test_worn_keys_are_made_anew_for_a_registered_phone_too(net: Network, what: str) -> None:
    phone = net.attach()
    net.idle()
    ue = net.core.mme.by_imsi[IMSI]
    assert ue.security is not None
    assert phone.nas.current is not None
    ue.security.ul_count, phone.nas.current.uplink = 0xFF0100, 0xFF0101
    net.command(phone.name, ServiceCommand() if what == "service" else AreaUpdateCommand(), 5.0)
    if what == "service":  # refused with cause #10; a phone that tries only once does not attach by itself
        assert net.nas("Service reject").emm_cause == 10  # type: ignore[attr-defined]
        net.attach()
    assert phone.emm == "EMM-REGISTERED"
    assert len(net.sent("Authentication request")) == 2
    assert phone.nas.current.uplink < 100
