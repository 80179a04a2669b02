# SPDX-License-Identifier: Apache-2.0
"""Captures of real handsets on another core, where they lie: counted against tshark, drawn, diagnosed, laid beside."""

import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner
from wire_oracle import CAPTURES, needs_captures, needs_tshark

from dialtone.cli import main
from dialtone.trace import pcapng
from dialtone.trace.capture import Capture, clock, events_of, load
from dialtone.trace.diagnose import Level, diagnose
from dialtone.trace.ladder import svg, text_ladder

PLAIN, IPSEC, CALL = (f"handset-{name}.pcapng" for name in ("ims-registration-plain", "ims-registration-ipsec",
                                                            "volte-bearers"))
pytestmark = needs_captures


def captured(name: str) -> Capture:
    return load(CAPTURES / name)


def occurrences(name: str, field: str, *options: str) -> int:
    """How often tshark finds a field."""
    run = subprocess.run(["tshark", "-r", str(CAPTURES / name), *options, "-Y", field, "-T", "fields", "-e", field],
                         capture_output=True, text=True, check=True)
    return len(run.stdout.replace(",", "\n").split())


@needs_tshark
@pytest.mark.parametrize("name", [PLAIN, IPSEC, CALL])
def test_as_many_messages_as_tshark_counts(name: str) -> None:
    found = captured(name)
    copies = found.copies
    assert found.counts["s1ap"] == occurrences(name, "s1ap.procedureCode")
    assert found.counts["gtpv2"] + copies["gtpv2"] == occurrences(name, "gtpv2.message_type")
    # Rx runs over a port of its own in one of them, and ESP without encryption is opened only when it is told so.
    rx = ("-d", "tcp.port==3871,diameter")
    assert found.counts["diameter"] == occurrences(name, "diameter.cmd.code", *rx)
    plain = ("-o", "esp.enable_null_encryption_decode_heuristic:TRUE")
    again = name == IPSEC  # one answer in fragments was caught twice, and tshark puts it together once
    assert found.counts["sip"] + copies["sip"] == occurrences(name, "sip.CSeq.method", *plain) + again


@pytest.mark.parametrize("name", [PLAIN, IPSEC, CALL])
def test_every_message_is_read_by_our_codecs(name: str) -> None:
    found = captured(name)
    assert not [event for event in found.events if event.name == "undecodable" or event.info]
    assert not found.remarks
    assert svg(found.events).startswith("<svg")


def test_events_say_in_which_packet_they_are() -> None:
    found = captured(PLAIN)
    first = next(event for event in found.events if event.name == "Attach request")
    assert first.procedure == "frame 5"
    assert [event.procedure for event in found.events if event.name == "Server-Assignment Request"] == ["frame 502"]


def test_the_command_line_says_where_the_evidence_is() -> None:
    said = CliRunner().invoke(main, ["trace", "import", str(CAPTURES / PLAIN)]).output
    assert "001011234567895: The phone attached in 295 ms; nothing to mend. (frames 5, 39)" in said
    assert "Elements: enb1 172.24.0.46, mme 10.4.128.21, sgw 127.0.0.2, pgw 127.0.0.3" in said


def test_a_registration_is_one_phones_from_attach_to_ims() -> None:
    for name, imsi in ((PLAIN, "001011234567895"), (IPSEC, "001011234567893")):
        found = captured(name)
        mine = [event for event in found.events if event.subject == imsi]
        assert {"S1-MME", "NAS", "S11", "S5/S8", "Gx", "Gm", "Mw", "Cx", "Rx"} == {event.point for event in mine}
        assert len(mine) >= len(found.events) - 4  # a watchdog, a ping to another phone
        assert {"enb1", "mme", "sgw", "pgw", "pcrf", "pcscf", "icscf", "scscf", "hss"} <= set(found.elements)
        ladder = text_ladder(mine)
        for words in ("NAS     Attach complete", "Cx      Multimedia-Auth Request", "Gm      200 OK (REGISTER)"):
            assert words in ladder


def test_the_second_registration_is_inside_esp() -> None:
    ports = {event.src for event in captured(IPSEC).events if event.point == "Gm" and event.name == "REGISTER"}
    assert len(ports) == 2


def test_a_call_and_its_bearers_at_both_phones() -> None:
    found = captured(CALL)
    callers = {event.subject for event in found.events if event.point == "Gm"}
    assert len(callers) == 2
    for subject in callers:
        mine = {event.name for event in found.events if event.subject == subject}
        assert {"INVITE", "200 OK (INVITE)", "ACK", "AA Request", "Create Bearer Request", "E-RABSetupRequest",
                "Activate dedicated EPS bearer context accept"} <= mine


@pytest.mark.parametrize(("name", "rules"), [
    (PLAIN, ["attached", "ims-registered"]), (IPSEC, ["attached", "ims-registered"]),
    (CALL, ["call-connected", "call-connected"])])
def test_what_went_well_and_nothing_else(name: str, rules: list[str]) -> None:
    verdicts = diagnose(captured(name).events)
    assert [(verdict.rule, verdict.level) for verdict in verdicts] == [(rule, Level.OK) for rule in rules]
    if name == CALL:
        assert all(verdict.text.startswith("The call was answered, and its media got a bearer") for verdict in verdicts)


@pytest.mark.parametrize("name", [PLAIN, IPSEC, CALL])
def test_exported_and_imported_again_it_is_the_same(tmp_path: Path, name: str) -> None:
    found = captured(name)
    pcapng.write(tmp_path / "again.pcapng", found.events)
    assert text_ladder(events_of(tmp_path / "again.pcapng")) == text_ladder(found.events)


def test_beside_another_clock() -> None:
    theirs = captured(PLAIN).events
    ours = [event._replace(time=event.time + 12.5) for event in theirs if event.point in ("S1-MME", "NAS", "Gm")]
    difference = clock.offset(ours, theirs)
    assert difference is not None
    assert difference.seconds == pytest.approx(12.5)
    assert difference.line.startswith("The capture's clock is 12.500000 s behind ours (")
    rows = clock.beside(ours, theirs, difference)
    assert [event.point for mark, event in rows if mark == "<"] == []
    assert len([mark for mark, _ in rows if mark == "="]) == len(ours)
    assert {event.point for mark, event in rows if mark == ">"} == {"S11", "S5/S8", "Gx", "Mw", "Cx", "Rx", "Diameter"}
    assert [event.time for _, event in rows] == sorted(event.time for _, event in rows)
    assert clock.offset(ours, captured(CALL).events) is None
