# SPDX-License-Identifier: Apache-2.0
"""Bearers that policy wants during a handover: "temporarily rejected" is no answer (TS 23.401, 5.5.1.2.1), and our own
MME keeps what the gateway wants until the phone is there.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from gtp_peers import MME, ForeignMme, Wire, octets, with_gtp
from network import Network, imsi_of

from dialtone.codec import gtpc
from dialtone.codec.gtpc.bearer_context import UpdateBearerResponseBearerContext
from dialtone.codec.gtpc.values import Cause, Fteid
from dialtone.codec.ipfilter import FilterRule
from dialtone.links.memory import Weather
from dialtone.pgw.dedicated import ATTEMPTS, SECONDS
from dialtone.pgw.policy import InstallRules, RemoveRules
from dialtone.pgw.rule import Rule
from dialtone.sim.enb import EnbConfig
from dialtone.sim.moving import HandOver, Neighbour

IMSI = imsi_of(1)
CALL = Rule("call", 1, (FilterRule.from_text("permit out 17 from 192.0.2.7 5000 to assigned 4000"),), (2, 1, 0),
            (128, 128), (80, 80))
HANDOVER = 110


class MovingMme(ForeignMme):
    """Answers requests about bearers: that a handover is under way as long as `moving`, then well."""

    def __init__(self, wire: Wire) -> None:
        super().__init__(wire, MME)
        self.moving = True
        self.asked: list[Any] = []

    def read(self, message: Any, data: bytes) -> None:
        super().read(message, data)
        name = type(message).__name__
        if not name.endswith("BearerRequest"):
            return
        self.asked.append(message)
        cause = Cause(HANDOVER if self.moving else 16)
        answer: Any
        if isinstance(message, gtpc.CreateBearerRequest):
            (bearer,) = message.bearer_contexts
            answer = gtpc.CreateBearerResponse(teid=self.teid, cause=cause, bearer_contexts=(
                gtpc.CreateBearerResponseBearerContext(
                    ebi=6, cause=cause, s1_u_sgw_f_teid=bearer.s1_u_sgw_f_teid,
                    s1_u_enodeb_f_teid=None if self.moving else Fteid(0, 0x66, octets("192.0.2.20"))),))
        elif isinstance(message, gtpc.UpdateBearerRequest):
            answer = gtpc.UpdateBearerResponse(teid=self.teid, cause=cause, bearer_contexts=(
                UpdateBearerResponseBearerContext(ebi=6, cause=cause),))
        else:
            answer = gtpc.DeleteBearerResponse(teid=self.teid, cause=cause)
        answer.sequence = message.sequence
        self.wire.router.deliver("gtp", "S11", f"{MME}:2123", gtpc.encode(answer))


@pytest.fixture
def mme(make_network: Callable[..., Network]) -> Any:
    wire = Wire(make_network(config=with_gtp(peers=(MME,))))
    wire.net.run()
    found = MovingMme(wire)
    found.attach()
    yield found
    found.moving = False
    found.detach()


def bearers(mme: MovingMme) -> list[tuple[int, int]]:
    (session,) = mme.wire.net.core.pgw.sessions_of(IMSI)
    return [(bearer.ebi, bearer.rule.gbr[0]) for bearer in session.bearers.values() if bearer.rule]


def want(mme: MovingMme, gbr: int = 80, seconds: float = 0.5) -> None:
    mme.wire.net.command("pgw", InstallRules(IMSI, "internet", (replace(CALL, gbr=(gbr, gbr)),)), seconds)


def test_a_bearer_is_asked_for_again(mme: MovingMme) -> None:
    want(mme)
    want(mme, 96)  # it changes meanwhile
    assert bearers(mme) == []
    mme.moving = False
    mme.wire.net.run(SECONDS + 1)
    assert bearers(mme) == [(6, 96)]
    assert [type(message).__name__ for message in mme.asked] == [
        "CreateBearerRequest", "CreateBearerRequest", "UpdateBearerRequest"]


def test_not_for_ever(mme: MovingMme) -> None:
    want(mme, seconds=SECONDS * (ATTEMPTS + 3))
    assert len(mme.asked) == ATTEMPTS + 1
    assert "no bearer beside internet" in mme.wire.net.verdicts("pgw")[-1]


def test_a_call_that_is_over_meanwhile(mme: MovingMme) -> None:
    want(mme)
    mme.wire.net.command("pgw", RemoveRules(IMSI, "internet", ("call",)), SECONDS + 1)
    assert len(mme.asked) == 1
    (session,) = mme.wire.net.core.pgw.sessions_of(IMSI)
    assert session.coming == []


def test_changes_and_ends_are_repeated_likewise(mme: MovingMme) -> None:
    mme.moving = False
    want(mme)
    mme.moving = True
    want(mme, 96)
    assert bearers(mme) == [(6, 80)]
    mme.moving = False
    mme.wire.net.run(SECONDS + 1)
    assert bearers(mme) == [(6, 96)]
    mme.moving = True
    mme.wire.net.command("pgw", RemoveRules(IMSI, "internet", ("call",)), 0.5)
    assert bearers(mme) == [(6, 96)]
    mme.moving = False
    mme.wire.net.run(SECONDS + 1)
    assert bearers(mme) == []


@pytest.mark.parametrize("s1", [True, False])
@pytest.mark.parametrize("before", [0.0, 0.01, 0.03, 0.06])
def test_a_bearer_in_the_middle_of_our_own_handover(make_network: Callable[..., Network], s1: bool,
                                                    before: float) -> None:
    """Whichever comes first, phone, both cells, MME and gateway agree in the end."""
    net = make_network(enbs=(EnbConfig(enb_id=0x19B), EnbConfig(enb_id=0x19C)))
    net.attach()
    for link in (net.s1_mme, net.link("S11")):
        link.weather = Weather(1, delay=0.02)
    target = net.enbs[1]
    net.command(net.enbs[0].name, HandOver(f"ue-{IMSI}", Neighbour(target.name, target.config), s1=s1), before)
    net.command("pgw", InstallRules(IMSI, "internet", (CALL,)), 20.0)
    (session,) = net.core.pgw.sessions_of(IMSI)
    assert sorted(session.bearers) == [5, 6]
    assert list(net.phones[IMSI].dedicated) == [6]
    assert sorted(bearer.ebi for bearer in net.core.mme.by_imsi[IMSI].bearers()) == [5, 6]
    assert sorted(target.by_phone[f"ue-{IMSI}"].bearers) == [5, 6]
    assert all(bearer.to == (str(target.config.address), 2152) for bearer in net.forwarder.bearers.values())
