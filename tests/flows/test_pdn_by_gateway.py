# SPDX-License-Identifier: Apache-2.0
"""PDN connections that our gateway closes (TS 23.401, 5.4.4.1)."""

from typing import Any

from esm_flows import CALL
from network import NOTHING, Network
from s6a_peer import command
from test_pdn import IMSI, UE, opened, same_view

from dialtone.codec import gtpc
from dialtone.links.memory import Weather
from dialtone.pgw.connection_end import EndConnection
from dialtone.pgw.policy import InstallRules
from dialtone.sim.service import ServiceCommand
from dialtone.sim.states import EmmState


def test_our_gateway_closes_a_connection(net: Network) -> None:
    phone = opened(net)
    net.command("pgw", InstallRules(IMSI, "ims", (CALL,)))
    net.command("pgw", EndConnection(IMSI, "ims"), 2.0)
    request: Any = gtpc.decode(net.sent("Delete Bearer Request", "pgw")[-1].data)
    assert (request.linked_ebi, request.cause) == (6, None)
    assert [pdn.apn for pdn in phone.pdns.values()] == ["internet"]
    assert not phone.dedicated
    assert [session.apn for session in net.core.pgw.sessions_of(IMSI)] == ["internet"]
    assert "the gateway closed ims" in net.verdicts("pgw")[-1]


def test_our_gateway_wants_the_phone_to_connect_anew(net: Network) -> None:
    opened(net)
    before = net.core.pgw.sessions[IMSI, "ims"]
    command(net, "ue.close", imsi=IMSI, apn="ims", again=True)
    net.run(2.0)
    asked: Any = net.nas("Deactivate EPS bearer context request")
    assert asked.esm_cause == 39
    same_view(net, "internet", "ims")
    assert net.core.pgw.sessions[IMSI, "ims"] is not before


def test_our_gateway_closes_the_last_connection(net: Network) -> None:
    net.attach()
    net.command("pgw", EndConnection(IMSI, "internet"), 2.0)
    assert net.phones[IMSI].emm == EmmState.DEREGISTERED
    assert net.leaks() == NOTHING


def test_our_gateway_closes_a_connection_of_an_idle_phone(net: Network) -> None:
    opened(net)
    net.idle()
    net.command("pgw", EndConnection(IMSI, "ims"), 2.0)
    net.command(UE, ServiceCommand(), 2.0)
    assert [pdn.apn for pdn in net.phones[IMSI].pdns.values()] == ["internet"]


def test_our_gateway_closes_it_and_the_mme_is_silent(net: Network) -> None:
    opened(net)
    net.link("S11").weather = Weather(loss=1.0)
    net.command("pgw", EndConnection(IMSI, "ims"), 120.0)
    assert [session.apn for session in net.core.pgw.sessions_of(IMSI)] == ["internet"]
    net.link("S11").weather = None
