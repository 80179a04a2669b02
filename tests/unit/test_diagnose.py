# SPDX-License-Identifier: Apache-2.0
"""The rules: each failure makes its verdict, names the evidence and what to do; a healthy attach makes one line."""

import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from trace_samples import IMSI, S1_SETUP_FAILURE, S1_SETUP_REQUEST, START

from dialtone.codec import nas
from dialtone.codec.diameter import encode as diameter
from dialtone.codec.diameter.grouped import ExperimentalResult
from dialtone.codec.diameter.s6a import AuthenticationInformationAnswer, AuthenticationInformationRequest
from dialtone.codec.nas.capabilities import UENetworkCapability, UESecurityCapability
from dialtone.codec.nas.identities import Imsi
from dialtone.codec.nas.ies import NasSecurityAlgorithms
from dialtone.codec.pco import ProtocolConfigurationOptions as Pco
from dialtone.ids import Plmn
from dialtone.trace.bus import Bus, Event
from dialtone.trace.diagnose import RULES, Level, Verdict, diagnose

CAPTURES = Path(__file__).parents[2] / ".." / "shared" / "captures"


def connectivity(apn: str | None = None, pco: Pco | None = None) -> bytes:
    return nas.encode(nas.PDNConnectivityRequest(procedure_transaction_identity=1, request_type=1, pdn_type=1,
                                                 access_point_name=apn, protocol_configuration_options=pco))


def attach_request(apn: str | None = None, pco: Pco | None = None) -> nas.AttachRequest:
    return nas.AttachRequest(
        eps_attach_type=1, nas_key_set_identifier=7, eps_mobile_identity=Imsi(IMSI),
        ue_network_capability=UENetworkCapability(b"\xe0\xe0"), esm_message_container=connectivity(apn, pco))


CHALLENGE = nas.AuthenticationRequest(nas_key_set_identifier=0, rand=bytes(16), autn=bytes(16))
RES = nas.AuthenticationResponse(res=bytes(8))
SMC = nas.SecurityModeCommand(
    selected_nas_security_algorithms=NasSecurityAlgorithms(0x22), nas_key_set_identifier=0,
    replayed_ue_security_capabilities=UESecurityCapability(b"\xe0\xe0"))
COMPLETE = nas.AttachComplete(esm_message_container=bytes.fromhex("5200c2"))


@dataclass
class Trace:
    """A trace in the making; `+ 0.01 s` for each message."""

    imsi: str = IMSI
    bus: Bus = field(default_factory=Bus)
    now: float = START

    def up(self, *messages: Any) -> "Trace":
        for message in messages:
            self.now += 0.01
            self.bus.received(self.now, "NAS", "ue-1", "mme", message.NAME, self.imsi, "", "", nas.encode(message))
        return self

    def down(self, *messages: Any) -> "Trace":
        for message in messages:
            self.now += 0.01
            self.bus.sent(self.now, "NAS", "mme", "ue-1", message.NAME, self.imsi, "", "", nas.encode(message))
        return self

    def wire(self, point: str, src: str, dst: str, name: str, data: bytes, subject: str = "") -> "Trace":
        self.now += 0.01
        self.bus.sent(self.now, point, src, dst, name, subject, "", "", data)
        return self

    def done(self, point: str, name: str, info: str = "", subject: str = IMSI) -> "Trace":
        self.bus.done(self.now, point, "mme", name, subject, info)
        return self

    def wait(self, seconds: float) -> "Trace":
        self.now += seconds
        self.bus.done(self.now, "peer", "mme", "enb1", "", "S1-MME: still there")
        return self

    def verdicts(self, imsi: str = IMSI, served: tuple[str, ...] = ()) -> list[Verdict]:
        return diagnose(self.bus.ring, imsi, served)

    def only(self) -> Verdict:
        (verdict,) = self.verdicts()
        return verdict


def start(**how: Any) -> Trace:
    return Trace().up(attach_request(**how))


def reject(cause: int, esm: int = 0) -> nas.AttachReject:
    container = nas.encode(nas.PDNConnectivityReject(procedure_transaction_identity=1, esm_cause=esm)) if esm else None
    return nas.AttachReject(emm_cause=cause, esm_message_container=container)


def healthy(**how: Any) -> Trace:
    return start(**how).down(CHALLENGE).up(RES).down(SMC).up(nas.SecurityModeComplete()).up(COMPLETE)


def asks_for_vectors() -> bytes:
    return diameter(AuthenticationInformationRequest(
        session_id="mme;1;1", origin_host="mme.example.org", origin_realm="example.org", user_name=IMSI,
        destination_realm="example.org", visited_plmn_id=Plmn("001", "01")))


def user_unknown() -> bytes:
    return diameter(AuthenticationInformationAnswer(
        session_id="mme;1;1", origin_host="hss.example.org", origin_realm="example.org",
        experimental_result=ExperimentalResult(vendor_id=10415, experimental_result_code=5001)))


def test_a_healthy_attach_says_so_and_nothing_else() -> None:
    verdict = healthy().only()
    assert (verdict.rule, verdict.level) == ("attached", Level.OK)
    assert verdict.line == "The phone attached in 50 ms; nothing to mend."


def test_an_old_failure_does_not_spoil_a_later_success() -> None:
    trace = start().down(CHALLENGE).up(nas.AuthenticationFailure(emm_cause=20)).down(nas.AuthenticationReject())
    trace.up(attach_request()).down(CHALLENGE).up(RES).down(SMC).up(nas.SecurityModeComplete()).up(COMPLETE)
    assert trace.only().rule == "attached"


def test_wrong_key_names_op_as_opc_and_the_phone() -> None:
    trace = start().down(CHALLENGE).up(nas.AuthenticationFailure(emm_cause=20)).down(nas.AuthenticationReject())
    verdict = trace.only()
    assert verdict.rule == "wrong-key"
    assert "OP was entered where OPc belongs" in verdict.text
    assert f"dialtone subscriber edit {IMSI}" in verdict.network
    assert "switch the phone off and on" in verdict.phone
    assert verdict.evidence == (2, 3)


def test_wrong_key_without_a_sticky_answer_leaves_the_phone_alone() -> None:
    trace = start().down(CHALLENGE).up(nas.AuthenticationFailure(emm_cause=20)).down(reject(17))
    assert trace.only().phone == ""


def test_wrong_res() -> None:
    verdict = start().down(CHALLENGE).up(RES).down(nas.AuthenticationReject()).only()
    assert verdict.rule == "authentication-reject"
    assert "switch the phone off and on" in verdict.phone


SYNCH = nas.AuthenticationFailure(emm_cause=21, authentication_failure_parameter=bytes(14))


def test_a_resynchronisation_that_worked_is_no_failure() -> None:
    trace = start().down(CHALLENGE).up(SYNCH).down(CHALLENGE).up(RES).down(SMC).up(nas.SecurityModeComplete())
    assert trace.up(COMPLETE).only().rule == "attached"


def test_a_resynchronisation_that_the_hss_refused() -> None:
    verdict = start().down(CHALLENGE).up(SYNCH).down(reject(17)).only()
    assert verdict.rule == "sqn-out-of-range"
    assert "AUTS" in verdict.text


def test_a_second_synch_failure() -> None:
    verdict = start().down(CHALLENGE).up(SYNCH).down(CHALLENGE).up(SYNCH).down(nas.AuthenticationReject()).only()
    assert verdict.rule == "sqn-out-of-range"
    assert "another HSS" in verdict.text
    assert verdict.phone


def test_separation_bit() -> None:
    trace = start().down(CHALLENGE).up(nas.AuthenticationFailure(emm_cause=26)).down(nas.AuthenticationReject())
    verdict = trace.only()
    assert verdict.rule == "amf-separation-bit"
    assert "--amf 8000" in verdict.network


def test_unknown_imsi_from_the_hss() -> None:
    trace = start().wire("S6a", "hss", "mme", "AIA", user_unknown(), IMSI).down(reject(8))
    verdict = trace.only()
    assert verdict.rule == "unknown-imsi"
    assert f"dialtone subscriber add {IMSI}" in verdict.network
    assert "switch the phone off and on" in verdict.phone


def test_unknown_apn_is_named() -> None:
    verdict = start(apn="interent").down(reject(19, 27)).only()
    assert verdict.rule == "unknown-apn"
    assert "'interent'" in verdict.text


def test_unknown_apn_given_after_ciphering() -> None:
    trace = start().up(nas.ESMInformationResponse(procedure_transaction_identity=1, access_point_name="imms"))
    assert "'imms'" in trace.down(reject(19, 27)).only().text


@pytest.mark.parametrize(("cause", "text"), [(50, "asks for IPv6, and the APN has IPv4 only (ESM cause #50)"),
                                             (51, "asks for IPv4, and the APN has IPv6 only (ESM cause #51)")])
def test_a_pdn_type_that_is_not_to_be_had(cause: int, text: str) -> None:
    verdict = start().down(reject(19, cause)).only()
    assert verdict.rule == "pdn-type"
    assert text in verdict.text
    assert "IPv4v6" in verdict.phone
    assert "pdn_type" in verdict.network


@pytest.mark.parametrize(("cause", "sticky"), [
    (3, "SIM counts as invalid"), (6, "off and on"), (8, "SIM counts as invalid"), (11, "forbidden list"),
    (12, "tracking area"), (13, "tracking area"), (15, "tracking area"), (17, ""), (22, ""), (99, ""),
])
def test_every_reject_says_what_to_do_at_the_phone(cause: int, sticky: str) -> None:
    verdict = start().down(reject(cause)).only()
    assert verdict.rule == "attach-reject"
    assert f"#{cause}" in verdict.text
    assert sticky in verdict.phone
    assert bool(sticky) == bool(verdict.phone)


@pytest.mark.parametrize("cause", [23, 24])
def test_security_mode_reject(cause: int) -> None:
    verdict = start().down(CHALLENGE).up(RES).down(SMC).up(nas.SecurityModeReject(emm_cause=cause)).only()
    assert verdict.rule == "security-mode-reject"
    assert f"#{cause}" in verdict.text


def test_a_phone_that_stops_at_the_challenge() -> None:
    assert start().down(CHALLENGE).only().rule == "under-way"
    verdict = start().down(CHALLENGE).wait(30).only()
    assert verdict.rule == "phone-silent"


def test_a_timer_that_expired_names_the_message() -> None:
    trace = start().down(CHALLENGE).up(RES).down(SMC).done("timer", "T3460", "expired")
    verdict = trace.only()
    assert verdict.rule == "no-answer"
    assert "Security mode command (T3460 expired)" in verdict.text


def test_no_answer_is_seen_without_our_timers() -> None:
    trace = start().down(CHALLENGE).up(RES)
    accept = nas.IdentityRequest(identity_type=1)
    assert trace.down(accept, accept, accept).wait(25).only().rule == "no-answer"


def test_hss_unreachable() -> None:
    trace = start().wire("S6a", "mme", "hss", "AIR", asks_for_vectors(), IMSI)
    assert trace.only().rule == "under-way"
    verdict = trace.wait(11).down(reject(17)).only()
    assert verdict.rule == "hss-unreachable"


def test_no_p_cscf_asked_is_a_note_beside_success() -> None:
    asked = Pco([(0x000C, b""), (0x000D, b"")])
    assert [verdict.rule for verdict in healthy(pco=asked).verdicts()] == ["attached"]
    verdicts = healthy(pco=Pco([(0x000D, b"")])).verdicts()
    assert [(verdict.rule, verdict.level) for verdict in verdicts] == [
        ("attached", Level.OK), ("no-p-cscf-asked", Level.NOTE)]


def test_a_defect_of_ours_is_called_so() -> None:
    assert start().done("error", "internal error", "a defect of the core; see its log").only().rule == "defect"


def test_s1_setup_compares_both_sides() -> None:
    trace = Trace().wire("S1-MME", "enb1", "mme", "S1SetupRequest", S1_SETUP_REQUEST)
    trace.wire("S1-MME", "mme", "enb1", "S1SetupFailure", S1_SETUP_FAILURE)
    (verdict,) = trace.verdicts("", ("PLMN 999/70 TAC 7 (0x0007)",))
    assert verdict.text == ("The eNB was refused: it announces PLMN 001/01 TAC 1 (0x0001); the network serves "
                            "PLMN 999/70 TAC 7 (0x0007).")
    assert "misc: unknown-plmn" in trace.verdicts("")[0].text
    assert "[network] of dialtone.toml" in verdict.network


def test_all_phones_at_once() -> None:
    trace = healthy()
    trace.imsi = "001010000000002"
    trace.up(attach_request()).down(reject(3))
    assert [(verdict.imsi, verdict.rule) for verdict in trace.verdicts("")] == [
        (IMSI, "attached"), ("001010000000002", "attach-reject")]


def test_octets_of_strangers_never_break_it() -> None:
    trace = start()
    for point in ("NAS", "S1-MME", "S11", "S6a", "X2"):
        for data in (b"\xff" * 9, b"\x07", b"\0" * 40):
            trace.wire(point, "x", "mme", "undecodable", data, IMSI)
    assert trace.only().rule == "under-way"
    assert diagnose([]) == []


def test_every_rule_has_a_name_a_clause_and_silences_rules_that_exist() -> None:
    names = {rule.name for rule in RULES}
    for rule in RULES:
        assert rule.find.__doc__
        assert set(rule.instead_of) <= names


def from_capture(path: Path) -> list[Event]:
    """The S1AP of a capture as events without subjects, as an import makes them."""
    run = subprocess.run(["tshark", "-r", str(path), "-Y", "s1ap", "-T", "json", "-x", "-J", "frame s1ap"],
                         capture_output=True, check=True)
    import json

    events: list[Event] = []
    for packet in json.loads(run.stdout, object_pairs_hook=lambda pairs: pairs):
        layers = dict(dict(packet)["_source"])["layers"]
        frame = dict(dict(layers)["frame"])
        for name, value in layers:
            if name == "s1ap_raw":
                data = bytes.fromhex(value[0])
                up = data[:2] in (b"\0\x0c", b"\0\x0d", b"\0\x12", b"\0\x16", b"\x20\x09", b"\x20\x17")
                ends = ("enb", "mme") if up else ("mme", "enb")
                when = START + float(frame["frame.time_relative"])
                events.append(Event(len(events) + 1, when, "rx", "S1-MME", *ends, "", data=data))
    return events


@pytest.mark.skipif(not CAPTURES.is_dir(), reason="the shared captures are not here")
@pytest.mark.parametrize("name", ["handset-ims-registration-plain.pcapng", "handset-ims-registration-ipsec.pcapng"])
def test_a_foreign_capture_of_a_healthy_attach(name: str) -> None:
    events = from_capture(CAPTURES / name)
    assert events
    verdicts = diagnose(events)
    assert [verdict.rule for verdict in verdicts if verdict.level is not Level.NOTE] == ["attached"]
