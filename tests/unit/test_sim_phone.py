# SPDX-License-Identifier: Apache-2.0
"""The simulated phone against a network on paper: attach, security, detach, and what it must refuse."""

from dataclasses import replace
from ipaddress import IPv4Address

import pytest
from paper_network import GUTI, IMSI, Network, start

from dialtone.sim.air import ConnectionRequest, EstablishmentCause, RadioLost, Refused, Released
from dialtone.sim.attach import AttachCommand
from dialtone.sim.detach import DetachCommand
from dialtone.sim.faults import Faults
from dialtone.sim.phone import Handset, InterfaceDown, InterfaceUp
from dialtone.sim.power import BreakCommand
from dialtone.sim.states import BEARER, EMM, RADIO, S1, EmmState

IMSI_IE = bytes.fromhex("08 0910100000000010")  # LV: odd digits, type IMSI, 001010000000001


# ---- the happy way ---------------------------------------------------------------------------------------


def test_imsi_attach_octet_by_octet() -> None:
    net = Network()
    net.tell(AttachCommand())
    request = net.next()
    assert isinstance(request, ConnectionRequest)
    assert request.cause == EstablishmentCause.MO_SIGNALLING
    assert request.guti is None
    pco = bytes.fromhex("80 000200 000500 000c00 000d00 000a00 001000")
    esm = bytes.fromhex("02 01 d0 11") + bytes([0x27, len(pco)]) + pco
    assert request.nas == bytes.fromhex("07 41 71") + IMSI_IE + bytes.fromhex("02a020") + \
        len(esm).to_bytes(2, "big") + esm
    net.authenticate()
    net.security_mode()
    assert net.up(4) == bytes.fromhex("07 5e 23 09 33 35 94 00 96 78 33 91 f0")
    assert net.context_setup(net.protected(net.accept(), 2)).problem == ""
    assert net.up(2) == bytes.fromhex("07 43 0003 52 00 c2")
    phone = net.phone
    assert phone.emm == EmmState.REGISTERED
    assert phone.last == "attached, 10.45.0.7, APN internet"
    up = net.interfaces[0]
    assert up == InterfaceUp(phone.name, IMSI, 5, IPv4Address("10.45.0.7"), (IPv4Address("10.45.0.1"),), 1400)
    assert phone.pdns[5].p_cscf == (IPv4Address("10.46.0.1"),)
    assert phone.counters["K_eNB equal"] == 1
    assert net.errors() == []


def test_emm_information_is_shown() -> None:
    net = Network()
    net.attach()
    # "Dialtone" in 7-bit: name, then universal time 2026-11-23 09:00:00 UTC, zone +4 quarters
    packed = bytes.fromhex("c4b47c4d7f bbcb".replace(" ", ""))
    net.down(bytes([7, 0x61, 0x43, 1 + len(packed), 0x80]) + packed + bytes.fromhex("47 62113290000040"), 2)
    assert net.phone.network_name.startswith("Di")
    assert net.phone.network_time.isoformat() == "2026-11-23T10:00:00+01:00"


def test_identity_request_before_security_gives_the_imsi_only() -> None:
    net = Network()
    start(net)
    net.down(b"\x07\x55\x01")
    assert net.up(0) == b"\x07\x56" + IMSI_IE
    net.down(b"\x07\x55\x02")  # IMEI: not without protection
    assert net.silent()
    assert "not accepted without integrity protection" in net.errors()[-1]


def test_identity_request_for_imei_and_imeisv_under_protection() -> None:
    net = Network()
    net.attach()
    net.down(b"\x07\x55\x03", 2)
    assert net.up(2)[3] & 7 == 3
    net.down(b"\x07\x55\x02", 2)
    answer = net.up(2)
    digits = "".join(f"{o & 15:x}{o >> 4:x}" for o in answer[3:])[1:]
    assert answer[3] & 15 == 0xA
    assert digits == Handset().imeisv[:14] + "9" == net.phone.imei
    net.phone.handset = Handset(imeisv="4901542032375100")
    assert net.phone.imei[-1] == "8"  # the example of the Luhn formula in every handbook


def test_guti_attach_is_protected_with_the_kept_keys_and_needs_no_authentication() -> None:
    net = Network()
    net.attach()
    detach(net)
    net.tell(AttachCommand())
    request = net.paper.heard[0]
    assert isinstance(request, ConnectionRequest)
    assert request.guti is not None
    assert request.guti.m_tmsi == 0xC0FFEE01
    count = net.ul
    plain = net.up(1)
    assert plain[:3] == bytes.fromhex("07 41 11")  # key set 1
    assert plain[3:15] == bytes([11]) + GUTI
    # K_eNB is of the Attach request's own count, since no security mode follows
    ready = net.context_setup(net.protected(net.accept(), 2), count=count)
    assert ready.problem == ""
    assert net.up(2)[:2] == b"\x07\x43"
    assert net.phone.emm == EmmState.REGISTERED


def detach(net: Network) -> None:
    net.tell(DetachCommand())
    assert net.up(2) == bytes.fromhex("07 45 11 0b") + GUTI
    net.down(b"\x07\x46", 2)
    net.release()
    assert net.phone.emm == EmmState.DEREGISTERED


def test_guti_unknown_to_the_network_leads_to_identity_and_new_keys() -> None:
    net = Network()
    net.attach()
    detach(net)
    old = net.phone.nas.current
    net.tell(AttachCommand())
    net.next()
    net.down(b"\x07\x55\x01")
    assert net.up(0) == b"\x07\x56" + IMSI_IE
    request, _ = net.challenge(ksi=2, rand=bytes(16))
    net.down(request)
    assert net.up(0)[:2] == b"\x07\x53"
    net.security_mode(ksi=2)
    net.up(4)
    assert net.phone.nas.current is not old
    assert net.context_setup(net.protected(net.accept(), 2)).problem == ""


def test_apn_follows_in_the_esm_information_response() -> None:
    net = Network(Handset(apn="ims"))
    request = start(net)
    assert b"\x02\x01\xd0\x11\xd1" in request
    assert b"ims" not in request
    net.authenticate()
    net.security_mode()
    net.up()
    net.down(bytes.fromhex("02 01 d9"), 2)
    answer = net.up(2)
    assert answer[:9] == bytes.fromhex("02 01 da 28 04 03") + b"ims"


def test_switch_off_expects_no_answer() -> None:
    net = Network()
    net.attach()
    net.tell(DetachCommand(switch_off=True))
    assert net.up(2)[2] == 0x19
    assert net.phone.emm == EmmState.DEREGISTERED
    assert isinstance(net.interfaces[-1], InterfaceDown)


def test_detach_from_idle_is_an_initial_message_in_the_clear_with_a_mac() -> None:
    net = Network()
    net.attach()
    net.release()
    net.tell(DetachCommand())
    request = net.paper.heard[0]
    assert isinstance(request, ConnectionRequest)
    assert net.up(1)[:3] == bytes.fromhex("07 45 11")


def test_detach_is_repeated_five_times_at_most() -> None:
    net = Network()
    net.attach()
    net.tell(DetachCommand())
    for _ in range(4):
        net.up(2)
        net.wait(15)
    net.up(2)
    net.wait(15)
    assert isinstance(net.next(), RadioLost)
    assert net.silent()
    assert net.phone.emm == EmmState.DEREGISTERED
    assert "without an answer" in net.phone.last


@pytest.mark.parametrize(("kind", "again"), [(1, True), (2, False)])
def test_network_detach(kind: int, again: bool) -> None:
    net = Network()
    net.attach()
    net.down(bytes([7, 0x45, kind]), 2)
    assert net.up(2) == b"\x07\x46"
    assert net.phone.emm == EmmState.DEREGISTERED
    net.release()
    assert net.silent() is not again
    assert (net.phone.emm == EmmState.REGISTERED_INITIATED) is again


def test_network_detach_with_a_sticky_cause_is_still_answered_under_the_old_keys() -> None:
    net = Network()
    net.attach()
    net.down(bytes.fromhex("07 45 02 53 08"), 2)
    assert net.up(2) == b"\x07\x46"
    net.release()
    assert net.phone.nas.current is None
    assert net.phone.usim_invalid == 8


# ---- rejects and silence -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("cause", "barred"), [
    (3, "card"), (6, "card"), (7, "card"), (8, "card"), (11, "PLMN"), (14, "PLMN"), (35, "PLMN"),
    (12, "TAC 1"), (13, "TAC 1"), (15, "TAC 1"),
])
def test_sticky_causes(cause: int, barred: str) -> None:
    net = Network()
    start(net)
    net.down(bytes([7, 0x44, cause]))
    net.release()
    assert f"cause {cause}," in net.phone.last
    assert net.phone.guti is None
    net.wait(1000)
    net.tell(AttachCommand())
    assert net.silent()
    assert barred in net.phone.last
    net.tell(AttachCommand(manual=True))
    assert net.silent() is (barred != "PLMN")


def test_esm_cause_is_told_and_tried_again() -> None:
    net = Network()
    start(net)
    net.authenticate()
    net.security_mode()
    net.up()
    net.down(bytes.fromhex("07 44 13 78 0004 02 01 d1 1b"), 2)
    assert net.phone.last == "rejected: cause 19, ESM failure; ESM cause 27, Missing or unknown APN"
    net.release()
    net.wait(10)
    assert net.up(1)[:2] == b"\x07\x41"  # the keys are still good


def test_no_answer_is_tried_five_times_then_once_in_twelve_minutes() -> None:
    net = Network()
    net.tell(AttachCommand())
    for attempt in range(5):
        assert isinstance(net.next(), ConnectionRequest)
        net.wait(15)
        assert isinstance(net.next(), RadioLost)
        assert "T3410" in net.phone.last
        if attempt < 4:
            net.wait(10)
    net.wait(719)
    assert net.silent()
    net.wait(1)
    assert isinstance(net.next(), ConnectionRequest)


def test_refused_connection_and_early_release_end_the_attempt() -> None:
    for event in (Refused("enb1", "no S1"), Released("enb1", "nas: unspecified")):
        net = Network(Handset(retries=False))
        start(net)
        net.tell(event)
        assert net.phone.last.startswith("attach failed")
        assert net.phone.emm == EmmState.DEREGISTERED
        net.wait(1000)
        assert net.silent()


def test_repeated_attach_accept_is_completed_again_and_changes_nothing() -> None:
    net = Network()
    net.attach()
    before = len(net.interfaces)
    net.down(net.accept(), 2)
    assert net.up(2)[:2] == b"\x07\x43"
    assert len(net.interfaces) == before


def test_bearer_deactivation_takes_the_interface() -> None:
    net = Network()
    net.attach()
    net.down(bytes.fromhex("52 00 cd 24"), 2)
    assert net.up(2) == bytes.fromhex("52 00 ce")
    assert isinstance(net.interfaces[-1], InterfaceDown)


def test_message_in_the_wrong_state_is_answered_with_emm_status() -> None:
    net = Network()
    net.attach()
    net.down(b"\x07\x46", 2)  # Detach accept that nobody asked for
    assert net.up(2) == b"\x07\x60\x62"


# ---- faults ------------------------------------------------------------------------------------------------------


def test_fault_wrong_mac_and_replay() -> None:
    net = Network()
    net.attach()
    net.tell(BreakCommand("wrong_mac"))
    net.down(b"\x07\x55\x01", 2)
    wrong = net.next().nas
    assert wrong[1:5] == bytes(o ^ 0xFF for o in net.mac(net.ul, 0, wrong[5:]))
    net.tell(BreakCommand("replay"))
    net.down(b"\x07\x55\x01", 2)
    assert net.next().repeat == 2


def test_fault_silent() -> None:
    net = Network()
    net.tell(BreakCommand("silent_after:Authentication response"))
    start(net)
    net.authenticate()
    net.security_mode()
    assert net.silent()
    net.wait(2000)
    assert net.silent() or isinstance(net.next(), RadioLost)


def test_fault_unknown_imsi_and_guti_and_apn() -> None:
    net = Network()
    net.tell(BreakCommand("unknown_imsi"))
    assert start(net)[3:12] == bytes.fromhex("08 0910109999999999")
    net = Network()
    net.tell(BreakCommand("unknown_guti"))
    assert start(net)[3:15] == bytes.fromhex("0b f6 00f110 8001 01 deadbeef")
    net = Network()
    net.tell(BreakCommand("wrong_apn"))
    start(net)
    net.authenticate()
    net.security_mode()
    net.up()
    net.down(bytes.fromhex("02 01 d9"), 2)
    assert bytes([2]) + b"no" + bytes([4]) + b"such" in net.up(2)


def test_fault_weak_and_garbage() -> None:
    net = Network()
    net.tell(BreakCommand("weak_capabilities"))
    assert bytes.fromhex("02 8080") in start(net)
    net = Network()
    net.tell(BreakCommand("garbage"))
    net.tell(AttachCommand())
    assert len(net.next().nas) == 9


def test_every_fault_has_a_name_and_a_sentence() -> None:
    for name in Faults.__dataclass_fields__:
        assert Faults.named(name) != Faults() or name == "silent_after"
    assert replace(Faults(), wrong_k=True) == Faults.named("wrong_k")


# ---- tables --------------------------------------------------------------------------------------------------------


def test_tables_draw_themselves() -> None:
    for table in (EMM, BEARER, RADIO, S1):
        assert table.mermaid().startswith("stateDiagram-v2")
