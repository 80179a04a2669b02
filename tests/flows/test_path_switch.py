# SPDX-License-Identifier: Apache-2.0
"""Path switch after an X2 handover, by an eNB of the test's own hand (TS 36.413, 8.4.4; TS 23.401, 5.5.1.1.2)."""

from typing import Any

import pytest
from network import NOTHING, Network, imsi_of
from probe import HOME, TAI, Probe

from dialtone.codec import s1ap
from dialtone.codec.s1ap.causes import Cause
from dialtone.crypto.kdf import derive_kenb, derive_nh
from dialtone.effects import PeerDown
from dialtone.ids import Ecgi, Tai
from dialtone.links.memory import Weather
from dialtone.mme.context import Ue
from dialtone.mme.states import EcmState, EmmState
from dialtone.sim.ue_context import InactivityCommand

IMSI = imsi_of(1)
THERE = bytes((127, 0, 0, 9))
CAPABILITIES = s1ap.UESecurityCapabilities(0x4000, 0x4000)


@pytest.fixture
def ue(net: Network) -> Ue:
    """A phone with a bearer at enb1."""
    net.attach()
    return net.core.mme.by_imsi[IMSI]


@pytest.fixture
def probe(net: Network, ue: Ue) -> Probe:
    """The eNB that the phone comes to."""
    return Probe(net)


def switch(probe: Probe, number: int, *ends: tuple[int, int], enb_ue_s1ap_id: int = 77, **changes: Any) -> None:
    """Ask for the downlink of these (EBI, TEID)."""
    probe.tell(s1ap.PathSwitchRequest(**{
        "enb_ue_s1ap_id": enb_ue_s1ap_id,
        "e_rab_to_be_switched_dl_list": tuple(s1ap.ERABToBeSwitchedDLItem(ebi, THERE, teid) for ebi, teid in ends),
        "source_mme_ue_s1ap_id": number, "eutran_cgi": Ecgi(HOME, 0x99901), "tai": TAI,
        "ue_security_capabilities": CAPABILITIES, **changes}))


def downlink(net: Network) -> tuple[Any, int]:
    """Where the gateway sends the one bearer of the network."""
    (bearer,) = net.forwarder.bearers.values()
    return bearer.to, bearer.remote_teid


def test_the_downlink_follows_the_phone_and_the_old_path_ends_with_a_marker(net: Network, ue: Ue, probe: Probe) -> None:
    (bearer,) = ue.bearers()
    old = bearer.enb
    switch(probe, ue.number, (5, 0x905))
    answer = probe.last(s1ap.PathSwitchRequestAcknowledge)
    assert (answer.mme_ue_s1ap_id, answer.enb_ue_s1ap_id) == (ue.number, 77)
    assert answer.ue_security_capabilities == CAPABILITIES
    assert answer.e_rab_to_be_released_list == ()
    assert downlink(net) == (("127.0.0.9", 2152), 0x905)
    assert net.end_markers == [old]
    assert (ue.enb.name, ue.enb_ue_s1ap_id, ue.ecgi) == ("probe", 77, Ecgi(HOME, 0x99901))
    assert not net.core.mme.enbs["enb1"].ues
    assert net.verdicts()[-1] == "ok: from sim-enb1 to probe, 1 bearers"


def test_each_path_switch_brings_the_next_nh(net: Network, ue: Ue, probe: Probe) -> None:
    """TS 33.401, 7.2.8.1.1 and A.4: NCC 1 belongs to the context setup, the first path switch brings NCC 2."""
    kasme = net.phones[IMSI].nas.current.kasme
    nh = derive_nh(kasme, derive_kenb(kasme, net.phones[IMSI].nas.kenb_count))
    other = Probe(net, "other", 0x998)
    for turn in range(9):
        nh = derive_nh(kasme, nh)
        where = (probe, other)[turn % 2]
        switch(where, ue.number, (5, 0x900 + turn))
        context = where.last(s1ap.PathSwitchRequestAcknowledge).security_context
        assert (context.next_hop_chaining_count, context.next_hop_parameter) == ((turn + 2) % 8, nh)
    assert len(net.end_markers) == 9


def test_nas_goes_by_the_new_enb(net: Network, ue: Ue, probe: Probe) -> None:
    switch(probe, ue.number, (5, 0x905))
    net.nas_from(net.phones[IMSI], b"")  # the old eNB still has a context, and its messages lead nowhere
    assert net.sent("ErrorIndication")
    probe.tell(s1ap.UEContextReleaseRequest(mme_ue_s1ap_id=ue.number, enb_ue_s1ap_id=77,
                                            cause=Cause.of("radioNetwork", "user-inactivity")))
    assert probe.names[-1] == "UEContextReleaseCommand"
    probe.released()
    assert (ue.emm, ue.ecm) == (EmmState.REGISTERED, EcmState.IDLE)


@pytest.mark.parametrize("number", [4711, 0])
def test_an_unknown_phone(net: Network, probe: Probe, number: int) -> None:
    switch(probe, number, (5, 0x905))
    failure = probe.last(s1ap.PathSwitchRequestFailure)
    assert failure.cause == Cause.of("radioNetwork", "unknown-mme-ue-s1ap-id")
    assert (failure.mme_ue_s1ap_id, failure.enb_ue_s1ap_id) == (number, 77)
    assert net.core.mme.by_imsi[IMSI].enb.name == "sim-enb1"


@pytest.mark.parametrize("ends", [(), ((6, 0x906),)])
def test_no_default_bearer_at_the_new_enb_is_the_end(net: Network, ue: Ue, probe: Probe, ends: Any) -> None:
    ends = ends or ((5, 0),)
    items = tuple(s1ap.ERABToBeSwitchedDLItem(ebi, bytes(16) if ebi == 5 else THERE, teid) for ebi, teid in ends)
    switch(probe, ue.number, e_rab_to_be_switched_dl_list=items)
    assert probe.last(s1ap.PathSwitchRequestFailure).cause == Cause.of(
        "radioNetwork", "ho-failure-in-target-EPC-eNB-or-target-system")
    net.run(6)
    assert net.leaks() == NOTHING
    assert "took no default bearer" in net.verdicts()[-1]


def test_bearers_that_nobody_knows_are_released(net: Network, ue: Ue, probe: Probe) -> None:
    switch(probe, ue.number, (5, 0x905), (9, 0x909))
    (item,) = probe.last(s1ap.PathSwitchRequestAcknowledge).e_rab_to_be_released_list
    assert (item.e_rab_id, item.cause) == (9, Cause.of("radioNetwork", "unknown-E-RAB-ID"))


def test_a_bearer_named_twice_is_refused(net: Network, ue: Ue, probe: Probe) -> None:
    switch(probe, ue.number, (5, 0x905), (5, 0x906))
    assert probe.last(s1ap.PathSwitchRequestFailure).cause == Cause.of("radioNetwork", "multiple-E-RAB-ID-instances")
    assert ue.enb.name == "sim-enb1"


def test_other_security_capabilities_are_answered_by_those_of_the_phone(net: Network, ue: Ue, probe: Probe) -> None:
    switch(probe, ue.number, (5, 0x905), ue_security_capabilities=s1ap.UESecurityCapabilities(0, 0x8000))
    assert probe.last(s1ap.PathSwitchRequestAcknowledge).ue_security_capabilities == CAPABILITIES
    assert any("Did somebody bid it down on X2?" in verdict for verdict in net.verdicts())


def test_another_tracking_area(net: Network, ue: Ue, probe: Probe) -> None:
    switch(probe, ue.number, (5, 0x905), tai=Tai(HOME, 9))
    assert probe.last(s1ap.PathSwitchRequestAcknowledge)
    assert ue.tai == Tai(HOME, 9)  # whether it may stay there is for its tracking area update


def test_a_path_switch_of_a_phone_that_is_going_idle(net: Network, ue: Ue) -> None:
    old = Probe(net, "enb1", setup=False)  # takes enb1's place: the release command is not confirmed
    probe = Probe(net)
    old.tell(s1ap.UEContextReleaseRequest(mme_ue_s1ap_id=ue.number, enb_ue_s1ap_id=ue.enb_ue_s1ap_id,
                                          cause=Cause.of("radioNetwork", "user-inactivity")))
    switch(probe, ue.number, (5, 0x905))
    assert probe.last(s1ap.PathSwitchRequestFailure).cause == Cause.of(
        "radioNetwork", "interaction-with-other-procedure")
    old.released()
    assert (ue.emm, ue.ecm) == (EmmState.REGISTERED, EcmState.IDLE)


def test_a_path_switch_of_an_idle_phone(net: Network, ue: Ue, probe: Probe) -> None:
    number = ue.number
    net.command("enb1", InactivityCommand(f"ue-{IMSI}"))
    switch(probe, number, (5, 0x905))
    assert probe.last(s1ap.PathSwitchRequestFailure)
    assert ue.ecm is EcmState.IDLE


def test_two_path_switches_at_once_the_last_one_counts(net: Network, ue: Ue, probe: Probe) -> None:
    other = Probe(net, "other", 0x998)
    net.link("S11").weather = Weather(delay=0.5, seed=3)
    switch(probe, ue.number, (5, 0x905))
    switch(other, ue.number, (5, 0x906), enb_ue_s1ap_id=78)
    net.run(2)
    assert not [name for name in probe.names if "PathSwitch" in name]
    assert other.last(s1ap.PathSwitchRequestAcknowledge).security_context.next_hop_chaining_count == 2
    assert ue.enb.name == "other"


def test_a_gateway_that_has_lost_the_session(net: Network, ue: Ue, probe: Probe) -> None:
    for session in list(net.core.pgw.sessions.values()):
        net.core.pgw.remove(session)
    net.forwarder.close(next(iter(net.forwarder.bearers)))
    switch(probe, ue.number, (5, 0x905))
    assert probe.names[-2:] == ["PathSwitchRequestFailure", "UEContextReleaseCommand"]
    probe.released()
    assert "GTP cause 64" in net.verdicts()[-1]
    assert net.leaks() == NOTHING


def test_a_gateway_that_is_silent(net: Network, ue: Ue, probe: Probe) -> None:
    net.link("S11").weather = Weather(loss=1.0)
    switch(probe, ue.number, (5, 0x905))
    net.run(15)
    assert probe.last(s1ap.PathSwitchRequestFailure)
    net.link("S11").weather = None
    probe.released()
    assert "the gateway does not answer" in net.verdicts()[-1]


def test_the_new_enb_is_lost_before_the_gateway_answers(net: Network, ue: Ue, probe: Probe) -> None:
    net.link("S11").weather = Weather(delay=0.5, seed=3)
    switch(probe, ue.number, (5, 0x905))
    net.loop.tell("mme", PeerDown("S1-MME", "probe", "abort"))
    net.run(5)
    assert (ue.emm, ue.ecm) == (EmmState.REGISTERED, EcmState.IDLE)
    assert net.sent("Release Access Bearers Request")
    assert ue.relocation is None
