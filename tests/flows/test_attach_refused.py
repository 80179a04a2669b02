# SPDX-License-Identifier: Apache-2.0
"""Attach that fails: the cause on the wire, the sentence for people, and nothing left behind.

TS 24.301, 5.5.1.2.5 and 5.5.1.2.7; TS 29.272, annex A.
"""

import errno
from collections.abc import Callable
from dataclasses import replace
from ipaddress import IPv4Network

import pytest
from network import NOTHING, ONE_TRY, K, Network, imsi_of, settings
from probe import HOME, Probe, attach_request

from dialtone.codec import nas
from dialtone.codec.nas.identities import Imei
from dialtone.codec.nas.values import EpsAttachType
from dialtone.config import Apn, Config
from dialtone.effects import OpenTunnel
from dialtone.errors import LocalError
from dialtone.ids import Plmn, Tai
from dialtone.links.memory import Weather
from dialtone.sim import attach as sim_attach
from dialtone.sim.enb import EnbConfig
from dialtone.sim.states import EmmState
from dialtone.sim.usim import Usim

Make = Callable[..., Network]
UNTIL_OFF = "until it is switched off and on"


def refused(net: Network, cause: int | None, *words: str) -> None:
    """Attach Reject with `cause` (None: Authentication Reject), a verdict with these words, nothing left."""
    if cause is None:
        assert net.sent("Authentication reject")
        assert not net.sent("Attach reject")
    else:
        reject = net.nas("Attach reject")
        assert isinstance(reject, nas.AttachReject)
        assert reject.emm_cause == cause
        assert f"cause #{cause}" in net.verdicts()[-1]
    assert net.verdicts()[-1].startswith("failed: ")
    for word in words:
        assert word in net.verdicts()[-1]
    assert all(phone.emm == EmmState.DEREGISTERED for phone in net.phones.values())
    assert net.leaks() == NOTHING


BAD_SIM = [
    ("wrong_k", None, ("MAC failure, #20", "K or OPc", UNTIL_OFF)),
    ("op_as_opc", None, ("an OP entered as OPc", UNTIL_OFF)),
    ("wrong_res", None, ("wrong RES", "its K differs", UNTIL_OFF)),
    ("unknown_imsi", 8, ("not in the HSS", "dialtone subscriber add", "until the phone is switched off and on")),
]


@pytest.mark.parametrize(("fault", "cause", "words"), BAD_SIM, ids=[row[0] for row in BAD_SIM])
def test_a_sim_that_does_not_match_the_hss(net: Network, fault: str, cause: int | None, words: tuple[str, ...]) -> None:
    net.fault(fault)
    phone = net.attach()
    refused(net, cause, *words)
    assert phone.usim_invalid is not None


@pytest.mark.parametrize("fault", [row[0] for row in BAD_SIM])
def test_the_lab_setting_answers_a_cause_that_does_not_lock_the_sim(make_network: Make, fault: str) -> None:
    net = make_network(config=settings(temporary_rejects=True))
    net.fault(fault)
    phone = net.attach()
    refused(net, 17)
    assert phone.usim_invalid is None
    net.fault(None)
    assert net.attach().emm == EmmState.REGISTERED


def test_an_unknown_imsi_is_listed_one_step_from_being_added(net: Network) -> None:
    net.fault("unknown_imsi")
    net.attach()
    (seen,) = net.store.seen()
    assert seen.imsi == "001019999999999"


def test_an_apn_without_subscription(net: Network) -> None:
    net.fault("wrong_apn")
    phone = net.attach()
    refused(net, 19, "ESM cause #27", "not among those of the subscriber")
    assert phone.esm_failure == 27


def test_an_apn_the_gateway_does_not_have(make_network: Make) -> None:
    net = make_network(config=replace(Config(), apn={"ims": Config().apn["ims"]}))
    net.attach()
    refused(net, 19, "ESM cause #27", "GTP cause 78")


def test_no_algorithm_in_common(net: Network) -> None:
    net.fault("weak_capabilities")
    net.attach()
    refused(net, 23, "none of the algorithms")


def test_a_bidding_down_attack(net: Network) -> None:
    net.fault("bidding_down")
    net.attach()
    assert "cause #23: the capabilities that we replayed are not those it sent" in net.verdicts()[-1]
    assert net.leaks() == NOTHING


def test_an_attach_request_cut_short(net: Network) -> None:
    net.fault("garbage")
    net.attach()
    refused(net, 96, "breaks the protocol")


def test_esm_garbage_inside_the_attach_request(net: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    request = sim_attach.request(net.phones[imsi_of(1)])
    request.esm_message_container = b"\x02\x01\xd0"
    monkeypatch.setattr(sim_attach, "request", lambda phone: request)
    net.attach()
    refused(net, 19, "PDN connectivity request inside is wrong")


@pytest.mark.parametrize(("kind", "cause"), [(EpsAttachType.EMERGENCY, 5), (EpsAttachType.EPS, 96)])
def test_an_attach_with_an_imei(net: Network, monkeypatch: pytest.MonkeyPatch, kind: int, cause: int) -> None:
    request = sim_attach.request(net.phones[imsi_of(1)])
    request.eps_mobile_identity, request.eps_attach_type = Imei("353490069873319"), kind
    monkeypatch.setattr(sim_attach, "request", lambda phone: request)
    net.attach()
    refused(net, cause)


def test_a_tracking_area_that_is_not_served(make_network: Make) -> None:
    net = make_network(enbs=(EnbConfig(areas=((7, (HOME,)), (1, (HOME,)))),))
    phone = net.attach()
    refused(net, 15, "is not served here", "switch it off and on")
    assert phone.forbidden_tais


def test_a_plmn_that_is_not_served(net: Network) -> None:
    probe = Probe(net)
    probe.initial(attach_request(net.phones[imsi_of(1)]), tai=Tai(Plmn("999", "70"), 1))
    assert probe.nas.emm_cause == 11
    assert "choose the network by hand" in net.verdicts()[-1]
    probe.released()
    assert net.leaks() == NOTHING


# ---- sequence numbers --------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["sqn_stale", "sqn_far"])
def test_an_sqn_out_of_range_is_resynchronised(net: Network, fault: str) -> None:
    net.fault(fault)
    phone = net.attach()
    assert phone.counters["authentication failure 21"] == 1
    assert phone.emm == EmmState.REGISTERED
    assert len(net.sent("Authentication request")) == 2
    assert any("we go on from its own" in text for text in net.verdicts("hss"))


def test_resynchronisation_twice_in_a_row_is_refused(net: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    usim = net.phones[imsi_of(1)].usim
    monkeypatch.setattr(Usim, "_out_of_range", lambda usim, sqn: "nothing is good enough")
    net.attach()
    assert usim.sqn_ms == 0
    assert len(net.sent("Authentication request")) == 2
    refused(net, None, "resynchronisation twice in a row", UNTIL_OFF)


def test_an_auts_with_a_wrong_mac_moves_no_sequence_number(net: Network) -> None:
    net.fault("sqn_stale")
    net.phones[imsi_of(1)].faults = replace(net.phones[imsi_of(1)].faults, wrong_auts=True)
    mark = net.store.sqn_mark(imsi_of(1))
    net.attach()
    refused(net, 17, "K or OPc")
    assert any("MAC-S of the AUTS is wrong" in text for text in net.verdicts("hss"))
    assert net.store.sqn_mark(imsi_of(1)) - mark < 1 << 32


def test_no_vector_leaves_the_house_when_its_sequence_number_is_not_saved(net: Network) -> None:
    net.save_fails = OSError(errno.ENOSPC, "No space left on device")
    net.attach()
    refused(net, 17, "5012")
    assert any("could not be saved: is the disk full" in text for text in net.verdicts("hss"))
    assert not net.sent("Authentication request")
    net.save_fails = None
    assert net.attach().emm == EmmState.REGISTERED


def test_cause_26_says_that_the_amf_is_wrong(net: Network) -> None:
    probe = Probe(net)
    probe.initial(attach_request(net.phones[imsi_of(1)]))
    probe.uplink(nas.encode(nas.AuthenticationFailure(emm_cause=26)))
    assert isinstance(probe.nas, nas.AuthenticationReject)
    assert "the AMF of the subscriber must be 8000" in net.verdicts()[-1]
    probe.released()
    assert net.leaks() == NOTHING


def test_a_guti_of_somebody_else_is_asked_for_the_imsi_before_the_last_word(net: Network) -> None:
    """TS 24.301, 5.4.2.7 c: here the answers name a SIM with another K, so it is refused in the end."""
    net.fault("unknown_guti")
    net.phones[imsi_of(1)].faults = replace(net.phones[imsi_of(1)].faults, wrong_k=True)
    net.attach()
    refused(net, None, "MAC failure")
    assert len(net.sent("Identity request")) == 1


# ---- silence -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("after", "timer", "sends", "words"), [
    ("Attach request", "Authentication request", 5, "T3460"),
    ("Authentication response", "Security mode command", 5, "security mode"),
])
def test_a_phone_that_falls_silent(net: Network, after: str, timer: str, sends: int, words: str) -> None:
    net.fault(f"silent_after:{after}")
    net.attach(seconds=29.0)
    assert len(net.sent(timer)) == sends
    net.run(7.0)
    assert "the phone stopped answering (T3460 expired 5 times)" in net.verdicts()[-1]
    assert net.leaks() == NOTHING


def test_a_phone_that_does_not_tell_its_imsi(net: Network) -> None:
    net.fault("unknown_guti")
    net.phones[imsi_of(1)].faults = replace(net.phones[imsi_of(1)].faults, silent_after="Attach request")
    net.attach(seconds=36.0)
    assert len(net.sent("Identity request")) == 5
    assert "T3470 expired 5 times" in net.verdicts()[-1]
    assert net.leaks() == NOTHING


def test_a_phone_that_does_not_tell_its_apn(make_network: Make) -> None:
    net = make_network(handset=replace(ONE_TRY, apn="ims"))
    net.fault("silent_after:Security mode complete")
    net.attach(seconds=13.0)
    assert len(net.sent("ESM information request")) == 3
    assert "ESM cause #53" in net.verdicts()[-1]
    net.run(10.0)
    assert net.leaks() == NOTHING


def test_a_silent_hss(net: Network) -> None:
    net.link("S6a").weather = Weather(loss=1.0)
    net.attach(seconds=12.0)
    refused(net, 17, "the HSS does not answer")
    net.link("S6a").weather = None
    assert net.attach().emm == EmmState.REGISTERED


def test_a_silent_gateway(net: Network) -> None:
    net.link("S11").weather = Weather(loss=1.0)
    net.attach(seconds=13.0)
    refused(net, 19, "ESM cause #38", "the gateway does not answer")
    assert len(net.sent("Create Session Request")) == 4


def test_a_gateway_whose_answers_are_lost_keeps_no_session_that_the_next_attach_could_not_use(net: Network) -> None:
    link = net.link("S11")
    link.weather = Weather(loss=1.0)
    net.attach(seconds=13.0)
    link.weather = None
    assert net.attach().emm == EmmState.REGISTERED
    net.detach()
    assert net.leaks() == NOTHING


@pytest.mark.parametrize("point", ["S11", "S6a"])
def test_doubled_and_late_messages_do_no_harm(make_network: Make, point: str) -> None:
    for seed in range(5):
        net = make_network(3, seed=seed)
        net.link(point).weather = Weather(seed=seed, duplicate=0.5, reorder=0.3, delay=0.2)
        for number in (1, 2, 3):
            assert net.attach(imsi_of(number), seconds=3.0).emm == EmmState.REGISTERED, net.verdicts()
        for number in (1, 2, 3):
            net.detach(imsi_of(number))
        net.run(5.0)
        assert net.leaks() == NOTHING


def test_a_lossy_s11_is_mended_by_repetition(make_network: Make) -> None:
    for seed in range(5):
        net = make_network(2, seed=seed)
        net.link("S11").weather = Weather(seed=seed, loss=0.2)
        for number in (1, 2):
            assert net.attach(imsi_of(number), seconds=14.0).emm == EmmState.REGISTERED, net.verdicts()


# ---- the gateway -------------------------------------------------------------------------------------------


def test_a_user_plane_that_refuses(net: Network) -> None:
    def refuse(effect: OpenTunnel, done: Callable[[Exception | None], None]) -> None:
        done(LocalError("The TUN device is gone."))

    performer, net.loop.performers[OpenTunnel] = net.loop.performers[OpenTunnel], refuse
    net.attach()
    refused(net, 19, "GTP cause 73", "ESM cause #26")
    assert any("could not open a bearer" in text for text in net.verdicts("pgw"))
    net.loop.performers[OpenTunnel] = performer
    assert net.attach().emm == EmmState.REGISTERED


def test_a_pool_without_a_free_address(make_network: Make) -> None:
    small = {"internet": Apn(pool=IPv4Network("10.45.0.0/28")), "ims": Config().apn["ims"]}
    net = make_network(14, config=replace(Config(), apn=small))
    for number in range(1, 14):
        assert net.attach(imsi_of(number), seconds=0.2).emm == EmmState.REGISTERED
    late = net.attach(imsi_of(14))
    assert late.emm == EmmState.DEREGISTERED
    assert "ESM cause #26" in net.verdicts()[-1]
    net.detach(imsi_of(3))
    assert net.attach(imsi_of(14)).emm == EmmState.REGISTERED


def test_the_keys_in_the_hss_may_be_mended(net: Network) -> None:
    """A wrong K in the HSS: put right, and after power-off the same phone attaches."""
    net.add_subscriber(imsi_of(2), k=bytes(16))
    phone = net.add_phone(imsi_of(2))
    net.attach(imsi_of(2))
    assert phone.usim_invalid is not None
    net.add_subscriber(imsi_of(2), k=K, overwrite=True)
    net.power_cycle(imsi_of(2))
    assert net.attach(imsi_of(2)).emm == EmmState.REGISTERED
