# SPDX-License-Identifier: Apache-2.0
"""S1 handover between two eNBs of the test's own hand (TS 36.413, 8.4.1 to 8.4.7; TS 23.401, 5.5.1.2.2)."""

from dataclasses import dataclass
from typing import Any

import pytest
from network import NOTHING, Network, imsi_of
from probe import HOME, TAI, Probe

from dialtone.codec import gtpc, gtpu, nas, s1ap
from dialtone.codec.gtpc.values import Fteid
from dialtone.codec.s1ap.causes import Cause
from dialtone.crypto.kdf import derive_kenb, derive_nh
from dialtone.effects import PeerDown
from dialtone.ids import Ecgi, Tai
from dialtone.links.memory import Weather
from dialtone.mme.context import Ue
from dialtone.mme.detach import DetachUe
from dialtone.mme.guti_reallocation import ReallocateGuti
from dialtone.mme.reset import ResetEnb
from dialtone.mme.states import EcmState, EmmState, HandoverState

IMSI = imsi_of(1)
SOURCE, TARGET = bytes((127, 0, 0, 2)), bytes((127, 0, 0, 9))
FORWARD = 0x9F5
CONTAINER = s1ap.encode_container(s1ap.SourceToTarget(
    rrc_container=bytes(2), target_cell_id=Ecgi(HOME, 0x99901),
    ue_history_information=(s1ap.VisitedCell("e-UTRAN-Cell", s1ap.LastVisitedEUTRANCell(
        Ecgi(HOME, 0x10101), s1ap.CellType(s1ap.CellSize.SMALL), 7)),)))
BACK = s1ap.encode_container(s1ap.TargetToSource(bytes(15)))
STATUS = s1ap.encode_container(s1ap.StatusTransfer((s1ap.BearerStatus(
    5, s1ap.CountValue(1, 0), s1ap.CountValue(2, 0)),)))
WHY = Cause.of("radioNetwork", "handover-desirable-for-radio-reason")


@dataclass
class Handover:
    """A phone at `source`, which is to go to `target`."""

    net: Network
    ue: Ue
    source: Probe
    target: Probe

    @property
    def at_source(self) -> dict[str, int]:
        return {"mme_ue_s1ap_id": self.number, "enb_ue_s1ap_id": self.enb_id}

    @property
    def at_target(self) -> dict[str, int]:
        return {"mme_ue_s1ap_id": self.target.last(s1ap.HandoverRequest).mme_ue_s1ap_id, "enb_ue_s1ap_id": 88}

    def __post_init__(self) -> None:
        self.number, self.enb_id = self.ue.number, self.ue.enb_ue_s1ap_id

    def require(self, enb_id: int = 0x999, tai: Tai = TAI, **changes: Any) -> None:
        self.source.tell(s1ap.HandoverRequired(**{
            **self.at_source, "handover_type": s1ap.HandoverType.INTRALTE, "cause": WHY,
            "target_id": s1ap.TargetID("targeteNB-ID", s1ap.TargetENBID(
                s1ap.GlobalENBID(HOME, s1ap.ENBID("macroENB-ID", enb_id)), tai)),
            "source_to_target_transparent_container": CONTAINER, **changes}))

    def acknowledge(self, *, ebi: int = 5, forward: int | None = None) -> None:
        item = s1ap.ERABAdmittedItem(ebi, TARGET, 0x905, TARGET if forward else None, forward)
        self.target.tell(s1ap.HandoverRequestAcknowledge(
            **self.at_target, e_rab_admitted_list=(item,), target_to_source_transparent_container=BACK))

    def notify(self) -> None:
        self.target.tell(s1ap.HandoverNotify(**self.at_target, eutran_cgi=Ecgi(HOME, 0x99901), tai=TAI))

    def downlink(self) -> tuple[Any, int]:
        (bearer,) = self.net.forwarder.bearers.values()
        return bearer.to, bearer.remote_teid


@pytest.fixture
def handover(net: Network) -> Handover:
    net.attach()
    target = Probe(net)
    source = Probe(net, "enb1", setup=False)  # from now on the test speaks for enb1
    return Handover(net, net.core.mme.by_imsi[IMSI], source, target)


def stays(handover: Handover, cause: str) -> None:
    """The phone stays at the source, which is told why, and nothing is left at the target."""
    failure = handover.source.last(s1ap.HandoverPreparationFailure)
    assert failure.cause == Cause.of("radioNetwork", cause)
    assert (failure.mme_ue_s1ap_id, failure.enb_ue_s1ap_id) == (handover.number, handover.enb_id)
    assert (handover.ue.enb.peer, handover.ue.ecm, handover.ue.handover) == ("enb1", EcmState.CONNECTED, None)


def nothing_at_the_target(handover: Handover) -> None:
    assert not handover.net.core.mme.enbs["probe"].ues
    assert list(handover.net.core.mme.ues.values()) == [handover.ue]


def test_a_phone_is_handed_over(handover: Handover) -> None:
    net, ue = handover.net, handover.ue
    old = ue.bearers()[0].enb
    handover.require()
    request = handover.target.last(s1ap.HandoverRequest)
    kasme = net.phones[IMSI].nas.current.kasme
    first = derive_nh(kasme, derive_kenb(kasme, net.phones[IMSI].nas.kenb_count))
    assert request.security_context == s1ap.SecurityContext(2, derive_nh(kasme, first))
    assert request.source_to_target_transparent_container == CONTAINER
    assert request.mme_ue_s1ap_id != handover.number
    (item,) = request.e_rab_to_be_setup_list
    assert (item.e_rab_id, (item.transport_layer_address, item.gtp_teid)) == (5, ue.bearers()[0].sgw)
    handover.acknowledge()
    command = handover.source.last(s1ap.HandoverCommand)
    assert command.target_to_source_transparent_container == BACK
    assert command.e_rab_subject_to_data_forwarding_list == command.e_rab_to_release_list == ()
    handover.source.tell(s1ap.ENBStatusTransfer(
        **handover.at_source, enb_status_transfer_transparent_container=STATUS))
    status = handover.target.last(s1ap.MMEStatusTransfer)
    assert status.enb_status_transfer_transparent_container == STATUS
    assert status.enb_ue_s1ap_id == 88
    handover.notify()
    assert (ue.enb.name, ue.enb_ue_s1ap_id, ue.ecgi) == ("probe", 88, Ecgi(HOME, 0x99901))
    assert handover.downlink() == (("127.0.0.9", 2152), 0x905)
    assert net.end_markers == [old]
    net.run(3)
    release = handover.source.last(s1ap.UEContextReleaseCommand)
    assert release.cause == Cause.of("radioNetwork", "successful-handover")
    assert release.ue_s1ap_ids == (handover.number, handover.enb_id)
    handover.source.released()
    assert list(net.core.mme.ues.values()) == [ue]
    assert "ok: from sim-enb1 to probe, 1 bearers" in net.verdicts()[-1]


def test_nas_and_its_timers_go_along(handover: Handover) -> None:
    """A Detach Request under way is repeated by the target; NAS keys and counts stay (TS 33.401, 7.2.8.4.3)."""
    handover.require()
    handover.acknowledge()
    handover.net.command("mme", DetachUe(IMSI), 0.1)
    handover.notify()
    handover.net.run(7)
    assert [name for name in handover.target.names if name == "DownlinkNASTransport"]
    keys = handover.ue.security.keys
    assert keys is not None
    assert handover.ue.security.dl_count == handover.target.last(s1ap.DownlinkNASTransport).nas_pdu[5] + 1


def test_indirect_forwarding_goes_by_way_of_the_gateway(handover: Handover) -> None:
    net = handover.net
    handover.require()
    handover.acknowledge(forward=FORWARD)
    (item,) = handover.source.last(s1ap.HandoverCommand).e_rab_subject_to_data_forwarding_list
    assert item.dl_transport_layer_address == bytes((10, 0, 1, 133))
    packet = bytes.fromhex("4500001c00000000400100000a2d000108080808") + bytes(8)
    for message in (gtpu.gpdu(item.dl_gtp_teid, packet), gtpu.encode(gtpu.EndMarker(teid=item.dl_gtp_teid))):
        out = net.forwarder.uplink(message, ("127.0.0.2", 2152), net.now)
        assert out == (message[:4] + FORWARD.to_bytes(4) + message[8:], ("127.0.0.9", 2152), 0)
    handover.notify()
    assert net.forwarder.uplink(gtpu.gpdu(item.dl_gtp_teid, packet), ("127.0.0.2", 2152), net.now)
    net.run(3)
    assert net.sent("Delete Indirect Data Forwarding Tunnel Request")
    answer = net.forwarder.uplink(gtpu.gpdu(item.dl_gtp_teid, packet), ("127.0.0.2", 2152), net.now)
    assert isinstance(gtpu.decode(answer[0]), gtpu.ErrorIndication)
    handover.source.released()


def test_direct_forwarding_is_between_the_enbs(handover: Handover) -> None:
    handover.require(direct_forwarding_path_availability=0)
    handover.acknowledge(forward=FORWARD)
    (item,) = handover.source.last(s1ap.HandoverCommand).e_rab_subject_to_data_forwarding_list
    assert (item.dl_transport_layer_address, item.dl_gtp_teid) == (TARGET, FORWARD)
    assert not handover.net.sent("Create Indirect Data Forwarding Tunnel Request")


def test_a_gateway_that_gives_no_tunnel_does_not_stop_the_handover(handover: Handover) -> None:
    handover.net.link("S11").weather = Weather(loss=1.0)
    handover.require()
    handover.acknowledge(forward=FORWARD)
    handover.net.run(15)
    assert handover.source.last(s1ap.HandoverCommand).e_rab_subject_to_data_forwarding_list == ()
    handover.net.link("S11").weather = None
    handover.notify()
    assert handover.ue.enb.name == "probe"


def test_tunnels_for_bearers_that_the_gateway_does_not_know(net: Network) -> None:
    net.attach()
    (session,) = net.core.pgw.sessions.values()
    end = Fteid(19, 1, TARGET)
    net.loop.deliver("pgw", "S11", "mme", gtpc.encode(gtpc.CreateIndirectDataForwardingTunnelRequest(
        teid=session.tunnel.teid, sequence=9, bearer_contexts=(
            gtpc.BearerContextToBeForwarded(ebi=9, enodeb_f_teid_for_dl=end),
            gtpc.BearerContextToBeForwarded(ebi=5)))), 0)
    net.run()
    answer = gtpc.decode(net.sent("Create Indirect Data Forwarding Tunnel Response", "pgw")[0].data)
    assert [context.cause.value for context in answer.bearer_contexts] == [64, 70]
    assert answer.cause.value == gtpc.CauseValue.DATA_FORWARDING_NOT_SUPPORTED


# ---- preparation that fails ------------------------------------------------------------------------------


@pytest.mark.parametrize(("changes", "cause"), [
    ({"enb_id": 0x777}, "unknown-targetID"),
    ({"tai": Tai(HOME, 9)}, "ho-target-not-allowed"),
    ({"enb_id": 0x101}, "ho-target-not-allowed"),
    ({"handover_type": s1ap.HandoverType.LTETOUTRAN}, "unknown-targetID"),
    ({"target_id": s1ap.TargetID("cGI", s1ap.CGI(plmn=HOME, lac=1, ci=1))}, "unknown-targetID"),
])
def test_targets_that_cannot_be(handover: Handover, changes: Any, cause: str) -> None:
    handover.require(**changes)
    stays(handover, cause)
    assert "HandoverRequest" not in handover.target.names
    assert handover.net.verdicts()[-1].startswith("failed: refused: ")


def test_a_target_that_refuses(handover: Handover) -> None:
    handover.require()
    handover.target.tell(s1ap.HandoverFailure(
        mme_ue_s1ap_id=handover.at_target["mme_ue_s1ap_id"],
        cause=Cause.of("radioNetwork", "no-radio-resources-available-in-target-cell")))
    stays(handover, "no-radio-resources-available-in-target-cell")
    nothing_at_the_target(handover)
    handover.require()  # and once more, which goes well
    handover.acknowledge()
    handover.notify()
    assert handover.ue.enb.name == "probe"


def test_a_target_that_does_not_answer(handover: Handover) -> None:
    handover.require()
    handover.net.run(6)
    stays(handover, "ho-failure-in-target-EPC-eNB-or-target-system")
    release = handover.target.last(s1ap.UEContextReleaseCommand)
    assert release.ue_s1ap_ids == handover.at_target["mme_ue_s1ap_id"]
    handover.target.tell(s1ap.UEContextReleaseComplete(**handover.at_target))
    nothing_at_the_target(handover)
    handover.acknowledge()  # too late
    assert handover.target.names[-1] == "ErrorIndication"


def test_a_target_that_takes_no_default_bearer(handover: Handover) -> None:
    handover.require()
    handover.acknowledge(ebi=9)
    stays(handover, "no-radio-resources-available-in-target-cell")
    handover.target.released()
    nothing_at_the_target(handover)


def test_a_target_that_is_lost_during_the_preparation(handover: Handover) -> None:
    handover.require()
    handover.net.loop.tell("mme", PeerDown("S1-MME", "probe", "abort"))
    handover.net.run(1)
    stays(handover, "ho-failure-in-target-EPC-eNB-or-target-system")
    assert list(handover.net.core.mme.ues.values()) == [handover.ue]


@pytest.mark.parametrize("commanded", [False, True])
def test_a_target_that_gives_the_phone_up_before_it_is_there(handover: Handover, commanded: bool) -> None:
    handover.require()
    if commanded:
        handover.acknowledge()
    handover.target.tell(s1ap.UEContextReleaseRequest(**handover.at_target, cause=Cause.of("misc", "unspecified")))
    assert handover.target.names.count("UEContextReleaseCommand") == 1
    handover.target.tell(s1ap.UEContextReleaseComplete(**handover.at_target))
    nothing_at_the_target(handover)
    assert ("HandoverPreparationFailure" in handover.source.names) == (not commanded)
    assert handover.ue.ecm is EcmState.CONNECTED
    assert handover.net.verdicts()[-1] == "failed: the target eNB was lost, or gave the phone up"


def test_a_second_handover_at_once_is_refused(handover: Handover) -> None:
    handover.require()
    handover.require()
    failure = handover.source.last(s1ap.HandoverPreparationFailure)
    assert failure.cause == Cause.of("radioNetwork", "interaction-with-other-procedure")
    assert handover.ue.handover.state is HandoverState.PREPARING
    assert handover.target.names == ["HandoverRequest"]


# ---- cancelled, lost, too late ---------------------------------------------------------------------------


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_a_cancelled_handover(handover: Handover, steps: int) -> None:
    handover.require()
    if steps > 1:
        handover.acknowledge(forward=FORWARD if steps > 2 else None)
    handover.source.tell(s1ap.HandoverCancel(**handover.at_source, cause=Cause.of(
        "radioNetwork", "handover-cancelled")))
    assert handover.source.names[-1] == "HandoverCancelAcknowledge"
    assert handover.target.last(s1ap.UEContextReleaseCommand).cause == Cause.of("radioNetwork", "handover-cancelled")
    handover.target.tell(s1ap.UEContextReleaseComplete(**handover.at_target))
    nothing_at_the_target(handover)
    assert handover.ue.handover is None
    assert bool(handover.net.sent("Delete Indirect Data Forwarding Tunnel Request")) == (steps > 2)
    handover.source.tell(s1ap.HandoverCancel(**handover.at_source, cause=None or WHY))  # nothing to cancel
    assert handover.source.names[-1] == "HandoverCancelAcknowledge"


def test_a_phone_that_never_arrives_stays_at_the_source(handover: Handover) -> None:
    handover.require()
    handover.acknowledge()
    handover.net.run(11)
    assert "did not arrive" in handover.net.verdicts()[-1]
    handover.target.released()
    nothing_at_the_target(handover)
    assert handover.ue.ecm is EcmState.CONNECTED
    handover.notify()
    assert handover.target.names[-1] == "ErrorIndication"


def test_the_source_is_lost_when_the_phone_is_on_its_way(handover: Handover) -> None:
    handover.require()
    handover.acknowledge()
    handover.net.loop.tell("mme", PeerDown("S1-MME", "enb1", "abort"))
    handover.net.run(1)
    assert handover.ue.ecm is EcmState.IDLE
    handover.notify()
    assert (handover.ue.ecm, handover.ue.enb.name) == (EcmState.CONNECTED, "probe")
    assert handover.downlink() == (("127.0.0.9", 2152), 0x905)
    handover.net.run(3)
    nothing = [key for key in handover.net.loop.timers() if key[0] == "mme"]
    assert not nothing
    assert "from an eNB that is gone to probe" in " ".join(handover.net.verdicts())


def test_the_source_is_lost_during_the_preparation(handover: Handover) -> None:
    handover.require()
    handover.net.loop.tell("mme", PeerDown("S1-MME", "enb1", "abort"))
    handover.net.run(1)
    assert (handover.ue.ecm, handover.ue.handover) == (EcmState.IDLE, None)
    assert handover.target.last(s1ap.UEContextReleaseCommand)
    handover.target.tell(s1ap.UEContextReleaseComplete(**handover.at_target))
    nothing_at_the_target(handover)


def test_the_target_is_lost_when_the_phone_is_on_its_way(handover: Handover) -> None:
    handover.require()
    handover.acknowledge()
    handover.net.loop.tell("mme", PeerDown("S1-MME", "probe", "abort"))
    handover.net.run(1)
    assert "HandoverPreparationFailure" not in handover.source.names
    assert (handover.ue.ecm, handover.ue.handover) == (EcmState.CONNECTED, None)


def test_the_source_gives_the_phone_up_during_the_handover(handover: Handover) -> None:
    handover.require()
    handover.acknowledge()
    handover.source.tell(s1ap.UEContextReleaseRequest(**handover.at_source, cause=Cause.of(
        "radioNetwork", "tS1relocoverall-expiry")))
    assert handover.source.names[-1] == handover.target.names[-1] == "UEContextReleaseCommand"
    for probe in (handover.source, handover.target):
        probe.released()
    assert (handover.ue.emm, handover.ue.ecm) == (EmmState.REGISTERED, EcmState.IDLE)
    nothing_at_the_target(handover)


def test_a_detach_in_the_middle_of_a_handover(handover: Handover) -> None:
    phone = handover.net.phones[IMSI]
    handover.require()
    handover.acknowledge(forward=FORWARD)
    octets = phone.nas.down("mme", nas.DetachRequestUEOriginating(
        detach_type=9, nas_key_set_identifier=0, eps_mobile_identity=phone.guti))[1]
    handover.source.tell(s1ap.UplinkNASTransport(
        **handover.at_source, nas_pdu=octets, eutran_cgi=Ecgi(HOME, 1), tai=TAI))
    for probe in (handover.source, handover.target):
        probe.released()
    assert handover.net.leaks() == NOTHING


def test_a_path_switch_in_the_middle_of_a_handover_wins(handover: Handover) -> None:
    other = Probe(handover.net, "other", 0x998)
    handover.require()
    handover.acknowledge()
    other.tell(s1ap.PathSwitchRequest(
        enb_ue_s1ap_id=5, e_rab_to_be_switched_dl_list=(s1ap.ERABToBeSwitchedDLItem(5, TARGET, 0x555),),
        source_mme_ue_s1ap_id=handover.number, eutran_cgi=Ecgi(HOME, 1), tai=TAI,
        ue_security_capabilities=s1ap.UESecurityCapabilities(0x4000, 0x4000)))
    assert other.last(s1ap.PathSwitchRequestAcknowledge).security_context.next_hop_chaining_count == 3
    assert handover.target.names[-1] == "UEContextReleaseCommand"
    handover.target.released()
    nothing_at_the_target(handover)


@pytest.mark.parametrize("message", ["notify", "status", "acknowledge"])
def test_messages_at_the_wrong_moment(handover: Handover, message: str) -> None:
    handover.require()
    if message == "notify":
        handover.notify()
    elif message == "status":
        handover.source.tell(s1ap.ENBStatusTransfer(
            **handover.at_source, enb_status_transfer_transparent_container=STATUS))
    else:
        handover.acknowledge()
        handover.acknowledge()
    answerer = handover.source if message == "status" else handover.target
    if message == "acknowledge":  # an answer is not answered (TS 36.413, 10.4)
        assert "ErrorIndication" not in answerer.names
    else:
        assert answerer.last(s1ap.ErrorIndication).cause == Cause.of(
            "protocol", "message-not-compatible-with-receiver-state")
    assert handover.ue.handover is not None


def test_another_phone_with_the_id_0_does_not_disturb_a_target_that_has_not_answered(handover: Handover) -> None:
    handover.require()
    handover.target.initial(b"\x07\x41", 0)
    assert handover.ue.handover is not None
    handover.acknowledge()
    handover.notify()
    assert handover.ue.enb.name == "probe"


def test_a_reset_of_the_target_by_us_names_what_is_known(handover: Handover) -> None:
    handover.require()
    handover.net.command("mme", ResetEnb("probe", (IMSI,)))
    (item,) = handover.target.last(s1ap.Reset).reset_type
    assert (item.mme_ue_s1ap_id, item.enb_ue_s1ap_id) == (handover.at_target["mme_ue_s1ap_id"], None)
    stays(handover, "ho-failure-in-target-EPC-eNB-or-target-system")
    handover.target.tell(s1ap.ResetAcknowledge())


@pytest.mark.parametrize("end", ["arrives", "refused", "cancelled", "never arrives"])
def test_what_the_network_wants_of_the_phone_waits_for_the_end_of_the_handover(handover: Handover, end: str) -> None:
    """TS 23.401, 5.5.1.2.2: NAS and bearer procedures are begun again when the handover is over, whichever way."""
    handover.require()
    handover.net.command("mme", ReallocateGuti(IMSI), 0.1)
    if end in ("arrives", "never arrives"):
        handover.acknowledge()
    assert "DownlinkNASTransport" not in handover.source.names + handover.target.names
    if end == "arrives":
        handover.notify()
    elif end == "refused":
        handover.target.tell(s1ap.HandoverFailure(
            mme_ue_s1ap_id=handover.at_target["mme_ue_s1ap_id"], cause=WHY))
    elif end == "cancelled":
        handover.source.tell(s1ap.HandoverCancel(**handover.at_source, cause=WHY))
    else:
        handover.net.run(11)
    where = handover.target if end == "arrives" else handover.source
    assert where.names.count("DownlinkNASTransport") == 1
    assert not handover.ue.errands


def test_there_and_back_again(handover: Handover) -> None:
    """A second handover before the first source is released: both end well, and nothing is left."""
    net, ue = handover.net, handover.ue
    handover.require()
    handover.acknowledge(forward=FORWARD)
    handover.notify()
    back = Handover(net, ue, handover.target, handover.source)
    back.require(enb_id=0x101)
    back.acknowledge(forward=FORWARD)
    back.notify()
    assert ue.enb.name == "sim-enb1"
    net.run(4)
    for probe in (handover.source, handover.target):
        for command in [message for message in probe.got if isinstance(message, s1ap.UEContextReleaseCommand)]:
            pair = command.ue_s1ap_ids
            probe.tell(s1ap.UEContextReleaseComplete(
                mme_ue_s1ap_id=pair.mme_ue_s1ap_id, enb_ue_s1ap_id=pair.enb_ue_s1ap_id))
    assert list(net.core.mme.ues.values()) == [ue]
    assert not net.forwarder.relays
