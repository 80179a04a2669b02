# SPDX-License-Identifier: Apache-2.0
"""S1 handover between two eNBs of the test's own hand (TS 36.413, 8.4.1 to 8.4.7; TS 23.401, 5.5.1.2.2)."""

from typing import Any

import pytest
from handover_flows import BACK, CONTAINER, FORWARD, IMSI, STATUS, TARGET, Handover, nothing_at_the_target, stays
from network import Network
from probe import HOME

from dialtone.codec import gtpc, gtpu, s1ap
from dialtone.codec.gtpc.values import Fteid
from dialtone.codec.s1ap.causes import Cause
from dialtone.crypto.kdf import derive_kenb, derive_nh
from dialtone.effects import PeerDown
from dialtone.ids import Ecgi, Tai
from dialtone.links.memory import Weather
from dialtone.mme.detach import DetachUe
from dialtone.mme.states import EcmState, HandoverState


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
