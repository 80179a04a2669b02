# SPDX-License-Identifier: Apache-2.0
"""Handover of a phone with two PDN connections: each bearer moves, or is released, on its own (TS 23.401, 5.5.1)."""

from dataclasses import replace

import pytest
from handover_flows import TARGET, Handover
from network import Network, imsi_of
from probe import Probe
from test_path_switch import switch

from dialtone.codec import gtpc, s1ap
from dialtone.codec.gtpc.values import Ambr, BearerQos, Fteid, Paa
from dialtone.ids import Plmn
from dialtone.mme.context import Bearer, Pdn, Ue
from dialtone.mme.states import EsmState

IMSI = imsi_of(1)
S11_MME = 10


def second_pdn(net: Network, ue: Ue) -> Pdn:
    """A second PDN connection, `ims` with EBI 6, at the gateway and in the MME."""
    first = ue.pdns["internet"]
    net.loop.deliver("pgw", "S11", "mme", gtpc.encode(gtpc.CreateSessionRequest(
        teid=first.s11_teid, sequence=0x700001, imsi=ue.imsi, rat_type=6, apn="ims", pdn_type=1,
        sender_f_teid=Fteid(S11_MME, ue.s11_teid, bytes((127, 0, 0, 1))), paa=Paa(1, bytes(4)), ambr=Ambr(1000, 1000),
        serving_network=Plmn("001", "01"), selection_mode=0, maximum_apn_restriction=0,
        bearer_contexts_to_be_created=(gtpc.BearerContextToBeCreated(ebi=6, bearer_qos=BearerQos(5, 8, 1, 0)),))), 0)
    net.run()
    answer = gtpc.decode(net.sent("Create Session Response", "pgw")[-1].data)
    assert isinstance(answer, gtpc.CreateSessionResponse)
    end = answer.bearer_contexts_created[0].s1_u_sgw_f_teid
    assert answer.sender_f_teid is not None
    assert end is not None
    assert end.ipv4 is not None
    pdn = replace(first, apn="ims", ebi=6, s11_teid=answer.sender_f_teid.teid, bearers={6: Bearer(
        6, 5, (9, 0, 0), sgw=(end.ipv4, end.teid), state=EsmState.ACTIVE)})
    ue.pdns["ims"] = pdn
    return pdn


@pytest.fixture
def ue(net: Network) -> Ue:
    net.attach()
    ue = net.core.mme.by_imsi[IMSI]
    second_pdn(net, ue)
    return ue


def remote(net: Network) -> dict[int, int]:
    """The eNB's TEID of each bearer at the gateway."""
    return {bearer.ebi: bearer.remote_teid for bearer in net.forwarder.bearers.values()}


def test_every_bearer_moves_at_a_path_switch(net: Network, ue: Ue) -> None:
    probe = Probe(net)
    switch(probe, ue.number, (5, 0x905), (6, 0x906))
    assert probe.last(s1ap.PathSwitchRequestAcknowledge).e_rab_to_be_released_list == ()
    assert remote(net) == {5: 0x905, 6: 0x906}
    assert net.names("S11").count("Modify Bearer Request") == 3  # one at the attach, then one a PDN connection
    assert len([name for name in probe.names if name == "PathSwitchRequestAcknowledge"]) == 1


@pytest.mark.parametrize(("kept", "gone"), [((5, "internet"), "ims"), ((6, "ims"), "internet")])
def test_a_connection_whose_default_bearer_is_not_taken_ends(net: Network, ue: Ue, kept: tuple[int, str],
                                                             gone: str) -> None:
    ebi, apn = kept
    probe = Probe(net)
    switch(probe, ue.number, (ebi, 0x900 + ebi))
    assert probe.last(s1ap.PathSwitchRequestAcknowledge)
    assert list(ue.pdns) == [apn]
    assert remote(net) == {ebi: 0x900 + ebi}
    assert f"the PDN connection {gone} is gone" in " ".join(net.verdicts())


def test_an_s1_handover_takes_what_the_target_admits(net: Network, ue: Ue) -> None:
    handover = Handover(net, ue, Probe(net, "enb1", setup=False), Probe(net))
    handover.require()
    assert [item.e_rab_id for item in handover.target.last(s1ap.HandoverRequest).e_rab_to_be_setup_list] == [5, 6]
    handover.acknowledge(forward=0x9F5)
    command = handover.source.last(s1ap.HandoverCommand)
    assert [item.e_rab_id for item in command.e_rab_to_release_list] == [6]
    assert [item.e_rab_id for item in command.e_rab_subject_to_data_forwarding_list] == [5]
    assert set(ue.pdns) == {"internet", "ims"}  # until the phone is there
    handover.notify()
    assert list(ue.pdns) == ["internet"]
    assert remote(net) == {5: 0x905}


def test_every_bearer_of_an_s1_handover_is_forwarded(net: Network, ue: Ue) -> None:
    handover = Handover(net, ue, Probe(net, "enb1", setup=False), Probe(net))
    handover.require()
    handover.target.tell(s1ap.HandoverRequestAcknowledge(
        **handover.at_target, target_to_source_transparent_container=bytes(20), e_rab_admitted_list=tuple(
            s1ap.ERABAdmittedItem(ebi, TARGET, 0x900 + ebi, TARGET, 0x9F0 + ebi) for ebi in (5, 6))))
    items = handover.source.last(s1ap.HandoverCommand).e_rab_subject_to_data_forwarding_list
    assert [item.e_rab_id for item in items] == [5, 6]
    assert len({item.dl_gtp_teid for item in items}) == 2
    assert len(net.sent("Create Indirect Data Forwarding Tunnel Request")) == 1  # one S-GW, one request
    handover.notify()
    net.run(3)
    assert remote(net) == {5: 0x905, 6: 0x906}
    assert not net.forwarder.relays
