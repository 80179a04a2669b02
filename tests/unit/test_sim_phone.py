# SPDX-License-Identifier: Apache-2.0
"""The simulated phone against a network on paper: attach, security, detach, and what it must refuse."""

import hmac
from dataclasses import replace
from ipaddress import IPv4Address

import pytest
from paper_network import GUTI, IMSI, RAND, Network

from dialtone.sim.air import ConnectionRequest, EstablishmentCause, NasDown, RadioLost, Refused, Released
from dialtone.sim.attach import AttachCommand
from dialtone.sim.detach import DetachCommand
from dialtone.sim.faults import Faults
from dialtone.sim.phone import Handset, InterfaceDown, InterfaceUp
from dialtone.sim.power import BreakCommand, PowerCycle
from dialtone.sim.security_mode import replayed_capability
from dialtone.sim.states import BEARER, EMM, RADIO, S1, EmmState

IMSI_IE = bytes.fromhex("08 0910100000000010")  # LV: odd digits, type IMSI, 001010000000001


def start(net: Network) -> bytes:
    """Begin an attach; returns the Attach request without its header."""
    net.tell(AttachCommand())
    return net.up()


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


# ---- what a phone must notice ------------------------------------------------------------------------------


def test_mac_failure_is_cause_20_and_three_of_them_a_false_network() -> None:
    net = Network()
    start(net)
    for number in range(3):
        request, _ = net.challenge(forged=True, rand=bytes([number]) * 16)
        net.down(request)
        assert net.up(0) == bytes.fromhex("07 5c 14")
    assert isinstance(net.next(), RadioLost)
    assert "not genuine" in net.phone.last
    assert net.phone.emm == EmmState.DEREGISTERED


def test_op_in_place_of_opc_is_cause_20() -> None:
    net = Network()
    net.tell(BreakCommand("op_as_opc"))
    start(net)
    net.down(net.challenge()[0])
    assert net.up(0) == bytes.fromhex("07 5c 14")
    net.tell(BreakCommand(None))
    net.down(net.challenge(rand=bytes(16))[0])
    assert net.up(0)[:2] == b"\x07\x53"


def test_no_better_challenge_is_a_false_network() -> None:
    net = Network()
    start(net)
    net.down(net.challenge(forged=True)[0])
    net.up(0)
    net.wait(20)
    assert "T3418" in net.phone.last


def test_missing_separation_bit_is_cause_26() -> None:
    net = Network()
    start(net)
    net.down(net.challenge(amf=b"\x00\x00")[0])
    assert net.up(0) == bytes.fromhex("07 5c 1a")


def test_repeated_seq_is_cause_21_with_auts() -> None:
    net = Network()
    start(net)
    net.authenticate()
    request, _ = net.challenge(seq=net.seq, rand=bytes(16))
    net.down(request)
    answer = net.up(0)
    assert answer[:5] == bytes.fromhex("07 5c 15 30 0e")
    assert len(answer) == 19


def test_the_same_challenge_again_is_answered_without_the_card() -> None:
    net = Network()
    start(net)
    request, res = net.challenge()
    for _ in range(2):
        net.down(request)
        assert net.up(0) == bytes([7, 0x53, 8]) + res
    assert request[3:19] == RAND


def test_authentication_reject_disables_the_card_until_power_off() -> None:
    net = Network()
    start(net)
    net.down(b"\x07\x54")
    assert net.phone.emm == EmmState.DEREGISTERED
    assert "switched off and on" in net.phone.last
    net.release()
    net.tell(AttachCommand())
    assert net.silent()
    assert net.phone.last.startswith("not tried")
    net.tell(PowerCycle())
    start(net)


@pytest.mark.parametrize(("command", "cause", "why"), [
    ({"capability": bytes.fromhex("a021")}, 23, "replayed"),
    ({"capability": bytes.fromhex("a0200000")}, 23, "replayed"),
    ({"algorithms": 0x20}, 24, "null integrity"),
    ({"algorithms": 0x12}, 23, "never offered"),
    ({"algorithms": 0x21}, 23, "never offered"),
    ({"tail": bytes.fromhex("6f04 8000 8000")}, 23, "additional"),
])
def test_security_mode_commands_that_are_refused(command: dict[str, object], cause: int, why: str) -> None:
    net = Network()
    start(net)
    net.authenticate()
    net.security_mode(**command)  # type: ignore[arg-type]
    assert net.up(0) == bytes([7, 0x5F, cause])
    assert why in net.phone.last
    assert net.phone.nas.current is None


def test_security_mode_command_with_a_wrong_mac_is_cause_24() -> None:
    net = Network()
    start(net)
    net.authenticate()
    net.next_kasme = bytes(32)
    net.security_mode()
    assert net.up(0) == b"\x07\x5f\x18"


def test_nr_phone_gets_its_additional_capability_back() -> None:
    handset = Handset(network_capability=bytes.fromhex("f0f0c0c01980b0"),
                      additional_security_capability=bytes.fromhex("f000f000"))
    net = Network(handset)
    request = start(net)
    assert request.endswith(bytes.fromhex("6f04 f000f000"))
    net.authenticate()
    net.security_mode(capability=bytes.fromhex("f0f0c040"), tail=bytes.fromhex("6f04 f000f000"))
    assert net.up(4) == b"\x07\x5e"


@pytest.mark.parametrize(("network", "ms", "expected"), [
    ("a020", None, "a020"),
    ("f0f0", None, "f0f0"),
    ("f0f0c040", None, "f0f0c040"),
    ("f0f0c0c01980b0", None, "f0f0c040"),  # bit 8 of the UIA octet is UCS2: not replayed
    ("f0f00000", None, "f0f0"),
    ("f0f0c0c0", "e5e0", "f0f0c04070"),  # GEA1 in bit 8 of the first octet, GEA2 to 7 in the second
    ("f0f0", "e5e0", "f0f0000070"),
])
def test_what_the_network_must_replay(network: str, ms: str | None, expected: str) -> None:
    result = replayed_capability(bytes.fromhex(network), None if ms is None else bytes.fromhex(ms))
    assert result.hex() == expected


def test_hash_mme_decides_about_the_replayed_request() -> None:
    for altered in (False, True):
        net = Network()
        request = start(net)
        net.authenticate()
        if altered:
            net.phone.faults = Faults(altered_request=True)
        digest = hmac.new(bytes(32), request, "sha256").digest()[24:]
        net.security_mode(tail=b"\x4f\x08" + digest)
        complete = net.up(4)
        if altered:
            assert complete == b"\x07\x5e\x79" + len(request).to_bytes(2, "big") + request
        else:
            assert complete == b"\x07\x5e"


def test_replayed_message_is_dropped_and_named() -> None:
    net = Network()
    net.attach()
    octets = net.down(b"\x07\x55\x01", 2)
    assert net.up(2)[:2] == b"\x07\x56"
    net.tell(NasDown("enb1", octets))
    assert net.silent()
    assert "was used already" in net.errors()[-1]
    assert net.phone.nas.counters["NAS replay"] == 1


def test_downlink_count_wraps_with_the_sequence_number() -> None:
    net = Network()
    net.attach()
    for _ in range(300):
        net.down(b"\x07\x55\x01", 2)
        net.up(2)
    assert net.phone.nas.current is not None
    assert net.phone.nas.current.downlink == net.dl - 1 > 256


@pytest.mark.parametrize("flip", range(7))
def test_changed_octets_are_dropped(flip: int) -> None:
    net = Network()
    net.attach()
    octets = bytearray(net.protected(b"\x07\x55\x01", 2))
    octets[flip] ^= 0x80 if flip != 0 else 0x10
    net.tell(NasDown("enb1", bytes(octets)))
    assert net.silent()
    assert net.phone.emm == EmmState.REGISTERED


@pytest.mark.parametrize("plain", ["075501", "0744 08", "0754", "074501", "0746", "0702"])
def test_plain_messages_after_security_are_dropped(plain: str) -> None:
    net = Network()
    net.attach()
    net.down(bytes.fromhex(plain))
    assert net.silent()
    assert net.phone.emm == EmmState.REGISTERED
    assert net.phone.nas.counters["plain NAS"] == 1


@pytest.mark.parametrize("plain", ["0742", "074501", "075d", "0761", "5201c1", "0744 19"])
def test_plain_messages_that_are_never_taken(plain: str) -> None:
    net = Network()
    start(net)
    net.down(bytes.fromhex(plain))
    assert net.phone.emm == EmmState.REGISTERED_INITIATED


def test_other_kenb_fails_loudly() -> None:
    net = Network()
    start(net)
    net.authenticate()
    net.security_mode()
    net.up()
    ready = net.context_setup(net.protected(net.accept(), 2), count=1)  # a count that is no K_eNB's
    assert "K_eNB" in ready.problem
    assert net.silent()  # the accept was not taken
    assert net.phone.counters["K_eNB different"] == 1
    assert ("context setup", f"failed: {ready.problem}") in net.verdicts()


def test_kenb_keeps_the_count_of_the_security_mode_complete() -> None:
    net = Network(Handset(esm_information=True))
    start(net)
    net.authenticate()
    net.security_mode()
    net.up()
    net.down(bytes.fromhex("02 01 d9"), 2)  # one more message each way
    net.up(2)
    assert net.context_setup(net.protected(net.accept(), 2), count=0).problem == ""


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
