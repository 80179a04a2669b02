# SPDX-License-Identifier: Apache-2.0
"""S1 handovers that are cancelled, lose an end, or meet something else (TS 36.413, 8.4)."""


import pytest
from handover_flows import FORWARD, IMSI, STATUS, TARGET, WHY, Handover, nothing_at_the_target, stays
from network import NOTHING
from probe import HOME, TAI, Probe

from dialtone.codec import nas, s1ap
from dialtone.codec.s1ap.causes import Cause
from dialtone.effects import PeerDown
from dialtone.ids import Ecgi
from dialtone.mme.guti_reallocation import ReallocateGuti
from dialtone.mme.reset import ResetEnb
from dialtone.mme.states import EcmState, EmmState


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
