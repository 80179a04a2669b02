# SPDX-License-Identifier: Apache-2.0
"""What the diagnosis says of phones that are idle, are called, and come back."""

from collections.abc import Callable

import pytest
from network import Network, imsi_of

from dialtone.mme.detach import DetachUe
from dialtone.sim.service import MO_CS_FALLBACK, ServiceCommand
from dialtone.sim.tracking import AreaUpdateCommand
from dialtone.trace.diagnose import diagnose

IMSI = imsi_of(1)
PHONE = f"ue-{IMSI}"


def verdicts(net: Network) -> dict[str, str]:
    return {verdict.rule: verdict.line for verdict in diagnose(net.events(), IMSI)}


@pytest.fixture
def idle(make_network: Callable[..., Network]) -> Network:
    net = make_network()
    net.attach()
    net.idle()
    return net


@pytest.mark.parametrize("command", [ServiceCommand(), ServiceCommand(extended=True), AreaUpdateCommand()])
def test_a_phone_that_came_back(idle: Network, command: object) -> None:
    idle.command(PHONE, command)  # type: ignore[arg-type]
    assert list(verdicts(idle)) == ["back-from-idle"]


def test_a_call_that_is_none_of_ours(idle: Network) -> None:
    idle.command(PHONE, ServiceCommand(extended=True, service_type=MO_CS_FALLBACK))
    assert "switch VoLTE on" in verdicts(idle)["service-refused"]


def test_a_phone_that_was_forgotten_and_stays_away(idle: Network) -> None:
    idle.command("mme", DetachUe(IMSI))
    idle.phones[IMSI].handset = idle.phones[IMSI].handset.__class__(retries=False)
    idle.loop.tell(PHONE, ServiceCommand())
    while not idle.sent("Service reject"):
        idle.run(0.0)
    assert "had detached it meanwhile" in " ".join(
        verdict.line for verdict in diagnose(idle.events()[:idle.events().index(idle.sent("Service reject")[0]) + 1]))


def test_a_phone_that_is_called_in_vain(idle: Network) -> None:
    idle.fault("silent")
    [bearer] = idle.forwarder.bearers.values()
    idle.downlink(bytes.fromhex("4500001c00000000401100000808080a") + bearer.ue + bytes(8), 20.0)
    assert "when it was called 4 times" in verdicts(idle)["paging-unanswered"]
    assert "attached" not in verdicts(idle)


def test_a_gateway_that_lost_the_session_makes_the_phone_attach_again(idle: Network) -> None:
    pgw = idle.core.pgw
    [session] = pgw.sessions.values()
    idle.forwarder.close(next(iter(session.bearers.values())).teid)
    pgw.remove(session)
    idle.command(PHONE, ServiceCommand())
    assert idle.sent("Detach request")
    assert idle.phones[IMSI].emm == "EMM-REGISTERED"
    assert len(pgw.sessions) == 1
    assert len(idle.sent("Authentication request")) == 1
