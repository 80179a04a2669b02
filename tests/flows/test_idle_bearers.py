# SPDX-License-Identifier: Apache-2.0
"""Several PDN connections over idle times: all come back; what one side lost goes on the other (TS 24.301, 6.4.4.6)."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from network import Network, imsi_of

from dialtone.codec import gtpc, s1ap
from dialtone.codec.ipfilter import FilterRule
from dialtone.effects import Effect, PeerUp
from dialtone.pgw.policy import InstallRules
from dialtone.pgw.rule import Outcome, Rule
from dialtone.sim.air import RadioLost
from dialtone.sim.pdn import OpenPdn
from dialtone.sim.reset import ResetCommand
from dialtone.sim.service import ServiceCommand
from dialtone.sim.tracking import AreaUpdateCommand

IMSI = imsi_of(1)
PHONE = f"ue-{IMSI}"
BACK = [ServiceCommand(), ServiceCommand(extended=True), AreaUpdateCommand(active=True)]
CALL = Rule("call", 1, (FilterRule.from_text("permit out 17 from 192.0.2.7 5000 to assigned 4000"),), (2, 1, 0),
            (128, 128), (80, 80))


@pytest.fixture
def idle(make_network: Callable[..., Network]) -> Network:
    """A phone with two PDN connections, EBI 5 and 6, that is idle."""
    net = make_network()
    net.attach()
    net.command(PHONE, OpenPdn("ims"))
    net.idle()
    return net


def same_view(net: Network, *ebis: int) -> None:
    """Phone, MME, gateway and user plane agree on the bearers."""
    ue = net.core.mme.by_imsi[IMSI]
    assert sorted(net.phones[IMSI].pdns) == sorted(bearer.ebi for bearer in ue.bearers()) == list(ebis)
    assert sorted(bearer.ebi for bearer in net.forwarder.bearers.values()) == list(ebis)
    assert len(net.core.pgw.sessions) == len(ebis)


def setup(net: Network) -> Any:
    return s1ap.decode(net.sent("InitialContextSetupRequest")[-1].data)


def test_every_pdn_connection_comes_back(idle: Network) -> None:
    before = len(idle.sent("Modify Bearer Request"))
    idle.command(PHONE, ServiceCommand())
    assert [item.e_rab_id for item in setup(idle).e_rab_to_be_setup_list] == [5, 6]
    assert len(idle.sent("Modify Bearer Request")) == before + 2
    assert all(bearer.to is not None for bearer in idle.forwarder.bearers.values())
    same_view(idle, 5, 6)


@pytest.mark.parametrize("how", BACK)
@pytest.mark.parametrize(("lost", "left"), [(5, 6), (6, 5)])
def test_what_the_enb_has_no_room_for_ends_on_both_sides(idle: Network, how: Any, lost: int, left: int) -> None:
    idle.enbs[0].refused_bearers = {lost}
    idle.command(PHONE, how)
    same_view(idle, left)
    response: Any = s1ap.decode(idle.sent("InitialContextSetupResponse", "enb1")[-1].data)
    assert [item.e_rab_id for item in response.e_rab_failed_to_setup_list] == [lost]
    assert not idle.sent("Deactivate EPS bearer context request")
    assert any("is gone: its default bearer was lost" in text for text in idle.verdicts())
    delete: Any = gtpc.decode(idle.sent("Delete Session Request")[-1].data)
    assert delete.linked_ebi == lost
    idle.enbs[0].refused_bearers.clear()


@pytest.mark.parametrize("how", [ServiceCommand(extended=True), AreaUpdateCommand()])
def test_what_the_phone_lost_ends_at_the_gateway(idle: Network, how: Any) -> None:
    del idle.phones[IMSI].pdns[6]
    idle.command(PHONE, how)
    same_view(idle, 5)


# ---- dedicated bearers -----------------------------------------------------------------------------------------


@pytest.fixture
def talking(make_network: Callable[..., Network]) -> Network:
    """A phone with a dedicated bearer, EBI 6, that is idle; who wants the bearer keeps what it is told in `told`."""
    net = make_network()
    net.attach()
    net.told = []  # type: ignore[attr-defined]

    def tell(pgw: object, session: object, rule: Rule, outcome: Outcome, why: str, rx: object) -> Iterator[Effect]:
        net.told.append((rule.name, outcome))  # type: ignore[attr-defined]
        return iter(())

    net.command("pgw", InstallRules(IMSI, "internet", (replace(CALL, told=tell),)))
    net.idle()
    return net


def has_bearers(net: Network, *ebis: int) -> None:
    """Phone, MME, gateway and user plane agree on the bearers of the one PDN connection."""
    [session] = net.core.pgw.sessions.values()
    assert sorted(net.phones[IMSI].bearers) == sorted(session.bearers) == list(ebis)
    assert sorted(bearer.ebi for bearer in net.core.mme.by_imsi[IMSI].bearers()) == list(ebis)
    assert sorted(bearer.ebi for bearer in net.forwarder.bearers.values()) == list(ebis)


@pytest.mark.parametrize("how", BACK)
def test_a_dedicated_bearer_comes_back_with_the_phone(talking: Network, how: Any) -> None:
    talking.command(PHONE, how)
    has_bearers(talking, 5, 6)
    assert talking.told == [("call", Outcome.MADE)]  # type: ignore[attr-defined]


def test_an_update_without_bearers_keeps_them_all(talking: Network) -> None:
    talking.command(PHONE, AreaUpdateCommand())
    accept: Any = talking.nas("Tracking area update accept")
    assert accept.eps_bearer_context_status.active == {5, 6}
    has_bearers(talking, 5, 6)


@pytest.mark.parametrize("how", BACK)
def test_who_wanted_a_dedicated_bearer_hears_that_it_is_lost(talking: Network, how: Any) -> None:
    talking.enbs[0].refused_bearers = {6}
    talking.command(PHONE, how)
    has_bearers(talking, 5)
    assert talking.told == [("call", Outcome.MADE), ("call", Outcome.GONE)]  # type: ignore[attr-defined]
    assert not talking.sent("Deactivate EPS bearer context request")
    talking.enbs[0].refused_bearers.clear()


def test_the_phone_lost_its_dedicated_bearer(talking: Network) -> None:
    talking.phones[IMSI].dedicated.clear()
    talking.command(PHONE, AreaUpdateCommand())
    has_bearers(talking, 5)
    assert talking.told[-1] == ("call", Outcome.GONE)  # type: ignore[attr-defined]


# ---- downlink data --------------------------------------------------------------------------------------------


def test_data_for_either_calls_the_phone_once(idle: Network) -> None:
    for bearer in sorted(idle.forwarder.bearers.values(), key=lambda bearer: bearer.ebi):
        idle.downlink(bytes.fromhex("4500001c00000000401100000808080a") + bearer.ue + bytes(8))
    idle.run(2)
    assert len(idle.sent("Downlink Data Notification", "pgw")) == len(idle.sent("Paging")) == 1
    assert len(idle.delivered) == 2
    same_view(idle, 5, 6)


# ---- guaranteed rates over accidents (TS 23.401, 5.3.5) ---------------------------------------------------


@pytest.fixture
def calling(net: Network) -> Network:
    """A phone in a call, with another dedicated bearer that guarantees nothing."""
    net.attach()
    net.command("pgw", InstallRules(IMSI, "internet", (CALL, replace(CALL, name="other", qci=8, gbr=(0, 0)))))
    assert sorted(net.phones[IMSI].dedicated) == [6, 7]
    return net


def dedicated(net: Network) -> list[tuple[int, int]]:
    """EBI and QCI of the dedicated bearers, on which MME, gateway and user plane agree."""
    bearers = [bearer for bearer in net.core.mme.by_imsi[IMSI].bearers() if bearer.ebi != 5]
    (session,) = net.core.pgw.sessions_of(IMSI)
    assert sorted(session.bearers) == sorted(bearer.ebi for bearer in net.forwarder.bearers.values()) == sorted(
        [5, *(bearer.ebi for bearer in bearers)])
    return [(bearer.ebi, bearer.qci) for bearer in bearers]


@pytest.mark.parametrize("accident", ["radio", "association", "reset"])
def test_an_accident_ends_the_guaranteed_bearers(calling: Network, accident: str) -> None:
    if accident == "association":
        calling.lose_s1()
        calling.command("enb1", PeerUp("S1-MME", "mme"))
    else:
        calling.command("enb1", RadioLost(PHONE) if accident == "radio" else ResetCommand())
    assert dedicated(calling) == [(7, 8)]
    assert "call: EBI 6 beside internet is gone: the eNB lost it" in " ".join(calling.verdicts("pgw"))
    assert calling.sent("Paging") == []  # the phone learns it when it comes back


def test_a_quiet_phone_keeps_them(calling: Network) -> None:
    calling.idle()
    assert dedicated(calling) == [(6, 1), (7, 8)]
    assert calling.sent("Delete Bearer Command") == []


def test_the_phone_learns_of_it_when_it_comes_back(calling: Network) -> None:
    calling.lose_s1()
    calling.command("enb1", PeerUp("S1-MME", "mme"))
    calling.command(PHONE, ServiceCommand(), 5.0)
    assert [item.e_rab_id for item in setup(calling).e_rab_to_be_setup_list] == [5, 7]
    assert sorted(calling.phones[IMSI].dedicated) == [7]
