# SPDX-License-Identifier: Apache-2.0
"""What the simulated phone must notice: false networks, wrong MACs, replays, commands that are not good."""

import hmac

import pytest
from paper_network import RAND, Network, start

from dialtone.sim.air import NasDown, RadioLost
from dialtone.sim.attach import AttachCommand
from dialtone.sim.faults import Faults
from dialtone.sim.phone import Handset
from dialtone.sim.power import BreakCommand, PowerCycle
from dialtone.sim.security_mode import replayed_capability
from dialtone.sim.states import EmmState


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
