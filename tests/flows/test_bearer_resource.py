# SPDX-License-Identifier: Apache-2.0
"""Bearers that phones ask for and give back, and those that eNBs lose (TS 24.301, 6.5.3, 6.5.4; TS 23.401, 5.4.4.2)."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from network import NOTHING, Network
from probe import protected
from test_bearers import IMSI, UE, installed, same_view

from dialtone.codec import gtpc, nas
from dialtone.codec.nas.bitrates import EpsQos
from dialtone.codec.tft import Direction, Operation, PacketFilter, Tft, host
from dialtone.config import Config
from dialtone.links.memory import Weather
from dialtone.sim.enb import EnbConfig
from dialtone.sim.erab import BearerLostCommand
from dialtone.sim.pdn import OpenPdn
from dialtone.sim.phone import Phone
from dialtone.sim.resource import AskForBearer, ChangeBearer, drop
from dialtone.sim.states import EmmState

Make = Callable[..., Network]
VIDEO = PacketFilter(1, Direction.BIDIRECTIONAL, 200, remote=host("192.0.2.7"), protocol=17, remote_ports=(6000, 6000))
AUDIO = replace(VIDEO, identifier=2, precedence=201, remote_ports=(5000, 5000))
QOS = EpsQos.of(2, 384, 384, 384, 384)


def asked(net: Network, *filters: PacketFilter, qos: EpsQos = QOS, seconds: float = 1.0) -> Phone:
    """An attached phone that has asked for a bearer."""
    phone = net.phones[IMSI]
    if phone.emm != EmmState.REGISTERED:
        net.attach()
    net.command(UE, AskForBearer("internet", qos, filters or (VIDEO,)), seconds)
    return phone


def test_a_phone_gets_the_bearer_that_it_asks_for(net: Network) -> None:
    phone = asked(net)
    same_view(net, 6)
    assert phone.dedicated[6].qos == QOS
    assert not phone.transactions
    assert not net.core.mme.by_imsi[IMSI].transactions
    request: Any = net.nas("Activate dedicated EPS bearer context request")
    assert request.procedure_transaction_identity == 2
    command: Any = gtpc.decode(net.sent("Bearer Resource Command")[0].data)
    created: Any = gtpc.decode(net.sent("Create Bearer Request", "pgw")[0].data)
    assert command.sequence == created.sequence
    assert command.sequence & 0x800000
    assert (command.procedure_transaction_id, created.procedure_transaction_id) == (2, 2)
    net.detach()
    assert net.leaks() == NOTHING


def test_it_gives_filters_back_and_then_the_bearer(net: Network) -> None:
    """A phone does so when a call loses its video: refuse it, and the call hangs."""
    phone = asked(net, VIDEO, AUDIO)
    net.command(UE, drop(6, 1))
    same_view(net, 6)
    assert [one.remote_ports for one in phone.dedicated[6].filters.values()] == [(5000, 5000)]
    assert len(net.sent("Modify EPS bearer context request")) == 1
    net.command(UE, drop(6, 1))
    same_view(net)
    asked_for: Any = net.nas("Deactivate EPS bearer context request")
    assert asked_for.procedure_transaction_identity == 2
    assert not net.sent("Bearer resource modification reject")
    assert not phone.transactions


def test_it_gives_back_what_policy_gave(net: Network) -> None:
    installed(net)
    net.command(UE, drop(6, 1))
    same_view(net)


def test_it_wants_more(net: Network) -> None:
    phone = asked(net)
    more = EpsQos.of(2, 512, 512, 512, 512)
    net.command(UE, ChangeBearer(6, Tft(Operation.ADD, (AUDIO,)), more))
    same_view(net, 6)
    assert len(phone.dedicated[6].filters) == 2
    assert phone.dedicated[6].qos == more
    assert len(net.sent("E-RABModifyRequest")) == 1


def test_policy_gives_nothing_but_takes_back(make_network: Make) -> None:
    apn = Config().apn
    net = make_network(config=replace(Config(), apn={**apn, "internet": replace(apn["internet"], phone_bearers=False)}))
    phone = asked(net)
    refused: Any = net.nas("Bearer resource allocation reject")
    assert (refused.esm_cause, refused.procedure_transaction_identity) == (30, 2)
    assert phone.last == "internet refused: cause 30, Request rejected by Serving GW or PDN GW"
    same_view(net)
    installed(net)
    net.command(UE, ChangeBearer(6, Tft(Operation.ADD, (AUDIO,))))
    assert net.sent("Bearer resource modification reject")
    net.command(UE, drop(6, 1))
    same_view(net)


@pytest.mark.parametrize(("ebi", "tft", "qos", "cause"), [
    (6, Tft(Operation.ADD, (replace(VIDEO, identifier=9, precedence=16),)), None, 45),  # a precedence twice
    (9, Tft(Operation.DELETE_FILTERS, identifiers=(1,)), None, 43),
    (6, Tft(Operation.NO_OPERATION), EpsQos.of(2), 37),
])  # fmt: skip
def test_changes_that_cannot_be(net: Network, ebi: int, tft: Tft, qos: EpsQos | None, cause: int) -> None:
    asked(net)
    net.command(UE, ChangeBearer(ebi, tft, qos))
    refused: Any = net.nas("Bearer resource modification reject")
    assert refused.esm_cause == cause
    same_view(net, 6)


@pytest.mark.parametrize(("fields", "cause"), [
    ({"procedure_transaction_identity": 0}, 81), ({"eps_bearer_identity": 5}, 43),
    ({"linked_eps_bearer_identity": 9}, 43), ({"traffic_flow_aggregate": b"\x21\x31\x10\x02\x99\x11"}, 45),
])  # fmt: skip
def test_wishes_that_cannot_be(net: Network, fields: dict[str, Any], cause: int) -> None:
    phone = net.attach()
    values: dict[str, Any] = {
        "procedure_transaction_identity": 9, "linked_eps_bearer_identity": 5,
        "traffic_flow_aggregate": Tft.create([VIDEO]).to_bytes(), "required_traffic_flow_qos": QOS}
    net.nas_from(phone, protected(phone, nas.BearerResourceAllocationRequest(**(values | fields))))
    refused: Any = net.nas("Bearer resource allocation reject")
    assert refused.esm_cause == cause
    assert not net.sent("Bearer Resource Command")


def test_a_wish_that_comes_twice(net: Network) -> None:
    net.attach()
    net.fault("replay")
    asked(net)
    net.fault(None)
    same_view(net, 6)
    assert len(net.sent("Bearer Resource Command")) == 1


def test_an_enb_that_cannot_fulfil_it(make_network: Make) -> None:
    net = make_network(enbs=(EnbConfig(refused_qcis=frozenset((2,))),))
    asked(net)
    refused: Any = net.nas("Bearer resource allocation reject")
    assert refused.esm_cause == 26
    same_view(net)


def test_a_gateway_that_says_nothing(net: Network) -> None:
    net.attach()
    net.link("S11").weather = Weather(loss=1.0)
    asked(net, seconds=20)
    net.link("S11").weather = Weather()
    refused: Any = net.nas("Bearer resource allocation reject")
    assert refused.esm_cause == 38
    assert not net.core.mme.by_imsi[IMSI].transactions


def test_over_a_lossy_s11(make_network: Make) -> None:
    net = make_network()
    net.attach()
    net.link("S11").weather = Weather(loss=0.4, duplicate=0.3)
    asked(net, seconds=60)
    net.link("S11").weather = Weather()
    same_view(net, 6)
    assert len(net.sent("Activate dedicated EPS bearer context request")) == 1


def test_the_enb_loses_a_dedicated_bearer(net: Network) -> None:
    installed(net)
    net.command("enb1", BearerLostCommand(UE, 6))
    same_view(net)
    assert [event.name for event in net.events("S11")][-3:] == [
        "Delete Bearer Command", "Delete Bearer Request", "Delete Bearer Response"]
    assert net.verdicts("pgw")[-1] == "failed: call: EBI 6 beside internet is gone: the eNB lost it"
    installed(net)
    same_view(net, 6)


def test_the_enb_loses_it_and_the_gateway_says_nothing(net: Network) -> None:
    installed(net)
    net.link("S11").weather = Weather(loss=1.0)
    net.command("enb1", BearerLostCommand(UE, 6), 30)
    net.link("S11").weather = Weather()
    assert len(net.core.mme.by_imsi[IMSI].bearers()) == 1


def test_the_enb_loses_a_default_bearer(net: Network) -> None:
    net.attach()
    net.command(UE, OpenPdn("ims"))
    net.command("enb1", BearerLostCommand(UE, 6))
    same_view(net)
    assert set(net.core.mme.by_imsi[IMSI].pdns) == {"internet"}
    net.command("enb1", BearerLostCommand(UE, 5), 3)  # the last one: detached, and attached again
    assert net.phones[IMSI].emm == EmmState.REGISTERED
    assert len(net.sent("Attach accept")) == 2
    same_view(net)


def test_commands_that_name_nothing(net: Network) -> None:
    """A foreign MME asks about what is not there: a failure indication with its number."""
    net.attach()
    (tunnel,) = net.core.pgw.tunnels
    for teid, message in (
        (0xDEAD, gtpc.DeleteBearerCommand(teid=0, bearer_contexts=(gtpc.bearer_context.LostBearerContext(ebi=6),))),
        (tunnel, gtpc.BearerResourceCommand(teid=0, linked_ebi=9, procedure_transaction_id=3,
                                             traffic_aggregate_description=b"\xc0")),
    ):
        message.teid, message.sequence = teid, 0x800000 | net.rng.randrange(1 << 20)
        net.loop.deliver("pgw", "S11", "mme", gtpc.encode(message))
        net.run(0.5)
        answer: Any = gtpc.decode(net.events("S11")[-1].data)
        assert type(answer).__name__.endswith("FailureIndication")
        assert (answer.cause.value, answer.sequence) == (64, message.sequence)
