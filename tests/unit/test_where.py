# SPDX-License-Identifier: Apache-2.0
"""`dialtone where`: every handler and every message is found, under every name that people have for it."""

import inspect
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from dialtone.cli.where import where
from dialtone.codec import gtpu, nas, s1ap
from dialtone.where import ROOT, Place, beside, find, index, suggest


def run(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(where, words)
    return result.exit_code, result.output


def handled(*words: str) -> set[tuple[str, str]]:
    return {(place.element, place.name) for place in find(*words) if place.role == "handled by"}


@pytest.mark.parametrize(("words", "element", "function"), [
    ("Attach request", "mme", "on_attach_request"),
    ("attach-REQUEST", "mme", "on_attach_request"),
    ("AttachRequest", "mme", "on_attach_request"),
    ("on_attach_request", "mme", "on_attach_request"),
    ("InitialUEMessage", "mme", "on_initial_ue_message"),
    ("initial ue message", "mme", "on_initial_ue_message"),
    ("id-initialUEMessage", "mme", "on_initial_ue_message"),
    ("Create Session Request", "pgw", "on_create_session_request"),
    ("CSR", "pgw", "on_create_session_request"),
    ("3GPP-Authentication-Information Request", "hss", "on_authentication_information_request"),
    ("cmd=3GPP-Authentication-Information Request(318)", "hss", "on_authentication_information_request"),
    ("Authentication-Information-Answer", "mme", "on_authentication_information_answer"),
    ("AIR", "hss", "on_authentication_information_request"),
    ("aia", "mme", "on_authentication_information_answer"),
    ("ULR", "hss", "on_update_location_request"),
    ("ULA", "mme", "on_update_location_answer"),
    ("Detach request (EPS detach)", "mme", "on_detach_request_ue_originating"),
    ("T3450", "mme", "on_t3450"),
    ("t-3460", "mme", "on_t3460"),
    ("PeerDown", "mme", "on_peer_down"),
    ("Attach accept", "ue", "on_attach_accept"),
    ("S1SetupResponse", "enb", "on_s1_setup_response"),
    ("PDN connectivity request", "mme", "on_attach_request"),
    ("Error indication", "datapath", "Path.manage"),
])
def test_every_spelling_leads_to_the_handler(words: str, element: str, function: str) -> None:
    assert (element, function) in handled(words)
    assert (element, function) in handled(*words.split())


def test_a_name_alone_leads_nowhere_else() -> None:
    assert {place.what for place in find("Attach request")} == {"Attach request"}
    assert {place.what for place in find("Reset")} == {"Reset"}


def test_words_of_a_name_and_of_its_place() -> None:
    assert {"Create Session Request", "Create Session Response"} <= {place.what for place in find("create", "session")}
    assert {place.point for place in find("s6a", "location")} == {"S6a"}
    assert all(place.element == "hss" for place in find("hss", "update", "location", "request"))


@pytest.mark.parametrize("place", [place for place in index() if place.thing is not None],
                         ids=lambda place: f"{place.role}-{place.element}-{place.point}-{place.what}-{place.name}")
def test_each_place_is_where_it_says(place: Place) -> None:
    assert place in find(place.what)
    lines = (ROOT / place.file).read_text().splitlines()
    if place.role == "sent by":
        assert place.message is not None
        assert f"{place.message.__name__}(" in lines[place.line - 1]
    else:
        near = "\n".join(lines[place.line - 1:place.line + 5])
        assert place.name.rpartition(".")[2] in near


def test_messages_without_a_table_of_handlers_are_named_in_the_code_that_takes_them() -> None:
    otherwise = {gtpu.GPdu: "G_PDU", nas.PDNConnectivityReject: "nas.decode(msg.esm_message_container"}
    for place in beside():
        if place.message is not None:
            source = Path(inspect.getsourcefile(place.thing) or "").read_text()
            assert otherwise.get(place.message, place.message.__name__) in source, place


def test_a_message_that_nobody_handles_says_what_it_is_answered_with() -> None:
    code, said = run("NASDeliveryIndication")
    assert code == 0
    assert "codec/s1ap/nas_transport.py" in said
    assert "no handler: refused with Error Indication" in said
    assert "no handler" not in run("InitialContextSetupRequest")[1]  # the core sends that one


def test_who_sends_it() -> None:
    assert ("mme", "appliance/dialtone/mme/s1_setup.py") in {
        (place.element, place.file) for place in find("S1SetupResponse") if place.role == "sent by"}
    both = [place.message for place in find("DownlinkNASTransport") if place.role == "sent by"]
    assert s1ap.DownlinkNASTransport in both
    assert nas.DownlinkNASTransport not in both  # nobody sends SMS over NAS yet: the same name, another protocol


def test_typing_errors_get_a_suggestion_and_exit_code_1() -> None:
    code, said = run("atach", "reqest")
    assert code == 1
    assert "Did you mean: Attach request" in said
    assert "Update Bearer Request" in suggest("update baerer request")
    code, said = run("xyzzy")
    assert (code, said) == (1, "Nothing is called 'xyzzy'.\n")
    assert run("()")[0] == 1


def test_json() -> None:
    code, said = run("ULR", "--json")
    assert code == 0
    found = {place["role"]: place for place in json.loads(said)}
    assert found["handled by"]["element"] == "hss"
    assert found["handled by"]["file"] == "appliance/dialtone/hss/location.py"
    assert found["handled by"]["line"] > 1
    assert found["sent by"]["element"] == "mme"
    assert found["declared as"]["clause"] == "TS 29.272, 7.2.3"
