# SPDX-License-Identifier: Apache-2.0
"""Dedicated bearers through a foreign S-GW, and what a foreign MME may ask besides (TS 29.274, 7.2.24, 7.3.14, 7.4)."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from gtp_peers import MME, SGW, ForeignMme, Sgw, Wire, create, delete, octets, with_gtp
from network import NOTHING, Network, imsi_of
from rx_peer import Af, audio

from dialtone.codec import gtpc
from dialtone.codec.gtpc.values import Fteid
from dialtone.codec.ipfilter import FilterRule
from dialtone.codec.nas.bitrates import EpsQos
from dialtone.codec.tft import Direction, PacketFilter, host
from dialtone.pgw.policy import InstallRules, RemoveRules
from dialtone.pgw.rule import Rule
from dialtone.sim.erab import BearerLostCommand
from dialtone.sim.resource import AskForBearer

IMSI = imsi_of(1)
Make = Callable[..., Network]
CALL = Rule("call", 1, (FilterRule.from_text("permit out 17 from 192.0.2.7 5000 to assigned 4000"),), (2, 1, 0),
            (128, 128), (80, 80))


# ---- a foreign S-GW between our MME and our gateway --------------------------------------------------------


@pytest.fixture
def sgw(make_network: Make) -> Sgw:
    found = Sgw(Wire(make_network(config=with_gtp(sgw=SGW))), SGW)
    found.wire.net.run(0.1)
    found.wire.net.attach()
    return found


def dedicated(sgw: Sgw) -> list[int]:
    """The dedicated bearers that phone, MME and gateway agree on."""
    net = sgw.wire.net
    (session,) = net.core.pgw.sessions_of(IMSI)
    found = [ebi for ebi in session.bearers if ebi != session.ebi]
    assert found == list(net.phones[IMSI].dedicated) == [
        bearer.ebi for bearer in net.core.mme.by_imsi[IMSI].bearers() if bearer.ebi != session.ebi]
    return found


def test_a_bearer_over_s5_s8(sgw: Sgw) -> None:
    """Made, changed and taken away; the gateway's downlink goes to the S-GW, the eNB's uplink likewise."""
    net = sgw.wire.net
    net.command("pgw", InstallRules(IMSI, "internet", (CALL,)))
    assert dedicated(sgw) == [6]
    (bearer,) = [one for one in net.forwarder.bearers.values() if one.ebi == 6]
    assert (bearer.to, bearer.remote_teid) == ((SGW, 2152), 0x306)
    radio = net.enbs[0].by_phone[f"ue-{IMSI}"].bearers[6]
    assert radio.uplink == octets(SGW)
    net.command("pgw", InstallRules(IMSI, "internet", (replace(CALL, gbr=(96, 96)),)))
    assert net.phones[IMSI].dedicated[6].qos.gbr_downlink == 96
    net.command("pgw", RemoveRules(IMSI, "internet", ("call",)))
    assert dedicated(sgw) == []
    net.detach()
    assert net.leaks() == NOTHING


def test_a_call_over_s5_s8(sgw: Sgw) -> None:
    af = Af(sgw.wire.net)
    af.aar(audio())
    assert dedicated(sgw) == [6]
    af.end()
    assert dedicated(sgw) == []


def test_an_identity_that_is_given_twice(net: Network) -> None:
    """The MME has lost a bearer without a word, and gives its identity to the next one (TS 29.274, 7.2.4)."""
    phone = net.attach()
    net.command("pgw", InstallRules(IMSI, "internet", (CALL,)))
    for table in (net.core.mme.by_imsi[IMSI].pdns["internet"].bearers, phone.dedicated,
                  net.enbs[0].by_phone[phone.name].bearers):
        del table[6]
    net.command("pgw", InstallRules(IMSI, "internet", (replace(CALL, name="another"),)))
    (session,) = net.core.pgw.sessions_of(IMSI)
    assert [(bearer.ebi, bearer.rule and bearer.rule.name) for bearer in session.bearers.values()] == [
        (5, None), (6, "another")]
    assert len(net.forwarder.bearers) == 2
    net.detach()
    assert net.leaks() == NOTHING


def test_the_enb_loses_it(sgw: Sgw) -> None:
    """Delete Bearer Command, and the request that answers it, keep one number all the way."""
    net = sgw.wire.net
    net.command("pgw", InstallRules(IMSI, "internet", (CALL,)))
    net.command("enb1", BearerLostCommand(f"ue-{IMSI}", 6))
    assert dedicated(sgw) == []
    numbers = {message.sequence for _, message in sgw.wire.sent
               if isinstance(message, gtpc.DeleteBearerCommand | gtpc.DeleteBearerRequest)}
    assert len(numbers) == 1
    assert numbers.pop() & 0x800000


def test_the_phone_asks_for_one(sgw: Sgw) -> None:
    wish = (PacketFilter(1, Direction.BIDIRECTIONAL, 20, remote=host("192.0.2.9"), protocol=17),)
    sgw.wire.net.command(f"ue-{IMSI}", AskForBearer("internet", EpsQos.of(8, 0, 0, 0, 0), wish), 2.0)
    assert dedicated(sgw) == [6]


def test_an_idle_phone_behind_a_foreign_sgw_is_called(sgw: Sgw) -> None:
    net = sgw.wire.net
    net.idle()
    net.command("pgw", InstallRules(IMSI, "internet", (CALL,)), 5.0)
    assert len(net.sent("Paging")) == 1
    assert dedicated(sgw) == [6]


# ---- a foreign MME at our gateway --------------------------------------------------------------------------


@pytest.fixture
def mme(make_network: Make) -> Iterator[ForeignMme]:
    wire = Wire(make_network(config=with_gtp(peers=(SGW, MME))))
    wire.net.run()
    found = ForeignMme(wire, MME)
    found.attach()
    found.ask(create(MME, 10, teid=found.teid, apn="ims", bearer_contexts_to_be_created=(
        replace(create(MME, 10).bearer_contexts_to_be_created[0], ebi=6),)))
    yield found
    for ebi in (5, 6):
        found.ask(delete(found.teid, 0, ebi))


def context(ebi: int, teid: int) -> gtpc.AccessBearerContextToBeModified:
    return gtpc.AccessBearerContextToBeModified(ebi=ebi, s1_u_enodeb_f_teid=Fteid(0, teid, octets("192.0.2.21")))


def downlink(net: Network) -> dict[int, Any]:
    return {bearer.ebi: bearer.to and (bearer.to[0], bearer.remote_teid) for bearer in net.forwarder.bearers.values()}


def test_modify_access_bearers(mme: ForeignMme) -> None:
    """The bearers of both PDN connections in one request."""
    answer = mme.ask(gtpc.ModifyAccessBearersRequest(
        teid=mme.teid, bearer_contexts_to_be_modified=(context(5, 0x61), context(6, 0x62))))
    assert (answer.teid, answer.cause.value) == (0x77, 16)
    assert [(one.ebi, one.cause.value, one.s1_u_sgw_f_teid.interface_type)
            for one in answer.bearer_contexts_modified] == [(5, 16, 1), (6, 16, 1)]
    assert downlink(mme.wire.net) == {5: ("192.0.2.21", 0x61), 6: ("192.0.2.21", 0x62)}
    assert [marker[1] for marker in mme.wire.net.end_markers] == [0x55]  # of the path that EBI 5 had


def test_modify_access_bearers_that_are_not_all_there(mme: ForeignMme) -> None:
    partly = mme.ask(gtpc.ModifyAccessBearersRequest(
        teid=mme.teid, bearer_contexts_to_be_modified=(context(5, 0x61), context(9, 0x62))))
    assert partly.cause.value == 17
    assert [one.cause.value for one in partly.bearer_contexts_modified] == [16, 64]
    none = mme.ask(gtpc.ModifyAccessBearersRequest(
        teid=mme.teid, bearer_contexts_to_be_modified=(context(9, 0x62),)))
    assert none.cause.value == 64
    assert mme.ask(gtpc.ModifyAccessBearersRequest(teid=0x99)).cause.value == 64


def test_the_bearers_that_an_mme_lost(mme: ForeignMme) -> None:
    net = mme.wire.net
    (session,) = [one for one in net.core.pgw.sessions_of(IMSI) if one.apn == "internet"]
    bearer = replace(session.bearers[5], ebi=7, teid=net.core.pgw.new_teid(), rule=CALL)
    session.bearers[7] = bearer
    mme.ask(gtpc.ModifyAccessBearersRequest(
        teid=mme.teid, bearer_contexts_to_be_modified=(context(5, 0x61),),
        bearer_contexts_to_be_removed=(gtpc.BearerContextToBeRemoved(ebi=7),)))
    assert list(session.bearers) == [5]


def packet(net: Network) -> bytes:
    (address,) = {one.ue for one in net.forwarder.bearers.values() if one.ebi == 5}
    return bytes.fromhex("4500001c00000000401100000808080a") + address + bytes(8)


def test_a_phone_is_suspended_and_resumed(mme: ForeignMme) -> None:
    net = mme.wire.net
    assert mme.ask(gtpc.SuspendNotification(teid=mme.teid)).cause.value == 16
    assert set(downlink(net).values()) == {None}
    net.downlink(packet(net), 1.0)
    assert mme.wire.to(MME, gtpc.DownlinkDataNotification) == []
    assert not net.forwarder.waiting.take(IMSI, next(iter(net.forwarder.bearers.values())))
    assert mme.ask(gtpc.ResumeNotification(teid=mme.teid, imsi=IMSI)).cause.value == 16
    net.downlink(packet(net), 1.0)
    assert len(mme.wire.to(MME, gtpc.DownlinkDataNotification)) >= 1


def test_a_suspended_phone_that_comes_back_by_itself(mme: ForeignMme) -> None:
    mme.ask(gtpc.SuspendNotification(teid=mme.teid))
    mme.ask(gtpc.ModifyAccessBearersRequest(teid=mme.teid, bearer_contexts_to_be_modified=(context(5, 0x61),)))
    mme.go_idle()
    mme.wire.net.downlink(packet(mme.wire.net), 0.5)
    assert len(mme.wire.to(MME, gtpc.DownlinkDataNotification)) >= 1


def test_a_phone_that_is_somewhere_else(mme: ForeignMme) -> None:
    answer = mme.ask(gtpc.ChangeNotificationRequest(teid=mme.teid, imsi=IMSI, rat_type=6))
    assert (answer.teid, answer.cause.value, answer.imsi) == (0x77, 16, IMSI)


@pytest.mark.parametrize("request_", [
    gtpc.SuspendNotification(teid=0x99), gtpc.ResumeNotification(teid=0x99, imsi=IMSI),
    gtpc.ChangeNotificationRequest(teid=0x99, rat_type=6)])
def test_of_a_phone_that_nobody_knows(mme: ForeignMme, request_: Any) -> None:
    assert mme.ask(request_).cause.value == 64
