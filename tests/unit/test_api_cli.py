# SPDX-License-Identifier: Apache-2.0
"""The commands that talk to the API, and those that do without."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from api_server import SECRET, StandIn, serving
from click.testing import CliRunner, Result
from trace_samples import ATTACH_REQUEST, IMSI, sample

from dialtone.cli import main
from dialtone.lab import client
from dialtone.lab.client import Client
from dialtone.trace import pcapng, record


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[StandIn, str]]:
    with serving(tmp_path_factory.mktemp("run")) as (stand_in, url):
        for _ in range(1000):
            if Client(url).get("/trace")["events"]:
                break
            time.sleep(0.02)
        yield stand_in, url


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr(client, "_run_directories", list)
    monkeypatch.delenv("DIALTONE_URL", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*words: str, url: str = "", text: str | None = None) -> Result:
    return CliRunner().invoke(main, list(words), env={"DIALTONE_URL": url}, input=text)


def test_trace_as_lines_json_and_ladder(server: tuple[StandIn, str]) -> None:
    url = server[1]
    assert "NAS      mme-ue-1 -> mme" in run("trace", "--imsi", IMSI, url=url).output
    first = json.loads(run("trace", "--json", url=url).output.splitlines()[0])
    assert first["name"] == "S1SetupRequest"
    assert run("trace", "--ladder", url=url).output.startswith("UE      enb1    MME     S/P-GW  HSS\n")


def test_trace_to_files(server: tuple[StandIn, str], tmp_path: Path) -> None:
    assert run("trace", "--pcapng", str(tmp_path / "a.pcapng"), url=server[1]).exit_code == 0
    assert (tmp_path / "a.pcapng").read_bytes()[:4] == b"\x0a\x0d\x0d\x0a"
    assert "events in" in run("trace", "--record", str(tmp_path / "a.gz"), url=server[1]).output
    assert record.read(tmp_path / "a.gz")[2].data == ATTACH_REQUEST


def test_decode_by_id_and_by_octets(server: tuple[StandIn, str]) -> None:
    found = run("decode", "3", url=server[1])
    assert "NAS mme-ue-1 -> mme: Attach request (TS 24.301, 8.2.4)" in found.output
    assert "0000  07 41 71" in found.output
    assert "Attach request" in run("decode", ATTACH_REQUEST.hex(), "--point", "NAS").output
    assert run("decode", "xyz", "--point", "NAS").exit_code == 1


def test_diagnose(server: tuple[StandIn, str], tmp_path: Path) -> None:
    found = run("diagnose", IMSI, url=server[1])
    assert found.output.startswith(f"-- {IMSI}: The attach is under way")
    assert found.exit_code == 0
    record.write(tmp_path / "a.gz", sample())
    assert run("diagnose", "--file", str(tmp_path / "a.gz")).output
    assert json.loads(run("diagnose", IMSI, "--json", url=server[1]).output)[0]["rule"] == "under-way"


def test_ue_and_sim(server: tuple[StandIn, str]) -> None:
    stand_in, url = server
    assert IMSI in run("ue", "list", url=url).output
    assert json.loads(run("ue", "list", "--json", url=url).output)[0]["imsi"] == IMSI
    said = run("ue", "bearers", IMSI, url=url).output
    for part in ("10.46.0.2 2001:db8:cafe:8001::/64", "64/64", "4 (400)", "5 (500)",
                 "EBI 6, filter 10: both, protocol 17, 192.0.2.7/32:5004 - :6000"):
        assert part in said
    assert json.loads(run("ue", "bearers", IMSI, "--json", url=url).output)[0]["mbr"] == [64, 64]
    assert "has no bearer" in run("ue", "bearers", "001010000000099", url=url).output
    assert run("ue", "detach", IMSI, url=url).exit_code == 0
    assert IMSI in run("sim", "list", url=url).output
    assert run("sim", "attach", IMSI, url=url).exit_code == 0
    assert run("ue", "guti", IMSI, url=url).output == f"{IMSI} gets a new GUTI.\n"
    assert json.loads(run("sim", "idle", IMSI, "--json", url=url).output) == {"done": "idle"}
    assert run("sim", "service", IMSI, "--extended", url=url).exit_code == 0
    assert run("sim", "update", IMSI, "--periodic", url=url).exit_code == 0
    assert stand_in.asked[-1] == ("update", {"imsi": IMSI, "active": False, "periodic": True})
    assert run("sim", "break", IMSI, "op_as_opc", url=url).exit_code == 0
    assert run("sim", "exec", IMSI, "--", "ping", "-c", "3", "10.45.0.1", url=url).output == "ping -c 3 10.45.0.1"
    assert stand_in.asked[-1] == ("break", {"imsi": IMSI, "fault": "op_as_opc"})


def test_texts(server: tuple[StandIn, str]) -> None:
    stand_in, url = server
    for words, asked, said in (
        (("sms", "send", "+1002", "Hello", "--from", "Class"),
         ("sms.send", {"to": "+1002", "text": "Hello", "sender": "Class"}), "`dialtone sms progress 17-18` shows"),
        (("sms", "broadcast", "Hello", "--tag", "lab"),
         ("sms.broadcast", {"text": "Hello", "tag": "lab", "dry_run": True}), "Would go to 1 phones. Say --yes"),
        (("sms", "broadcast", "Hello", "--yes"),
         ("sms.broadcast", {"text": "Hello", "tag": "", "dry_run": False}), "`dialtone sms cancel 17-18` takes back"),
        (("sms", "cancel", "17-18"), ("sms.cancel", {"batch": "17-18"}), "2 texts will not go out any more."),
        (("sim", "sms", IMSI, "1002", "Hello", "--report", "--over", "ip"),
         ("sms", {"imsi": IMSI, "to": "1002", "text": "Hello", "report": True, "over": "ip"}), "done"),
        (("sim", "memory", IMSI, "--free"), ("memory", {"imsi": IMSI, "full": False, "over": "auto"}), "done"),
    ):
        found = run(*words, url=url)
        assert (found.exit_code, stand_in.asked[-1]) == (0, asked)
        assert said in " ".join(found.output.split())
    assert run("sms", "progress", "17-19", "--wait", "5", url=url).output == "3 texts: 2 delivered, 1 cancelled\n"
    assert json.loads(run("sms", "progress", "17-19", "--json", url=url).output)["delivered"] == 2
    assert "switched off" in run("sms", "list", url=url).output
    assert "received by the phone" in run("sim", "sent", IMSI, url=url).output
    assert json.loads(run("sim", "inbox", IMSI, "--json", url=url).output)[0]["over"] == "IP"
    assert run("sim", "sms", IMSI, "1002", "fails", url=url).exit_code == 1


def test_enbs_handover_and_warnings(server: tuple[StandIn, str]) -> None:
    stand_in, url = server
    assert "sim-enb1" in run("sim", "enbs", url=url).output
    for words, asked in (
        (("sim", "handover", IMSI, "sim-enb2", "--s1", "--no-forward"), ("handover", {
            "imsi": IMSI, "enb": "sim-enb2", "s1": True, "forward": False, "direct": True})),
        (("enb", "reset", "sim-enb1", "--imsi", IMSI), ("enb.reset", {"enb": "sim-enb1", "imsis": [IMSI]})),
        (("enb", "overload", "reject-rrc-cr-signalling"), ("enb.overload", {"action": "reject-rrc-cr-signalling"})),
        (("enb", "overload"), ("enb.overload", {"action": None})),
        (("enb", "capacity", "7"), ("enb.capacity", {"capacity": 7})),
        (("ue", "locate", IMSI, "--follow"), ("ue.locate", {"imsi": IMSI, "follow": True, "stop": False})),
        (("warning", "send", "a test", "--tac", "1"), ("warning.send", {
            "text": "a test", "identifier": 4380, "period": 5, "broadcasts": 0, "tacs": [1]})),
        (("warning", "stop"), ("warning.stop", {"identifier": 4380})),
    ):
        assert run(*words, url=url).exit_code == 0
        assert stand_in.asked[-1] == asked
    assert "a test" in run("warning", "list", url=url).output
    assert json.loads(run("warning", "list", "--json", url=url).output)[0]["serial"] == 0x4010
    assert run("enb", "capacity", "256", url=url).exit_code == 2


def test_subscribers_through_the_api(server: tuple[StandIn, str]) -> None:
    url = server[1]
    added = run("subscriber", "add", "001010000000031", "--k", "-", "--opc", SECRET, url=url, text=f"{SECRET}\n")
    assert added.exit_code == 0
    assert SECRET not in added.output
    assert "001010000000031" in run("subscriber", "list", url=url).output
    again = run("subscriber", "add", "001010000000031", "--k", SECRET, "--opc", SECRET, url=url)
    assert again.exit_code == 1
    assert "there already" in again.output + again.stderr
    assert run("subscriber", "edit", IMSI, url=url).exit_code == 2


def test_keys_do_not_travel(server: tuple[StandIn, str], alone: Path) -> None:
    found = run("subscriber", "show", IMSI, "--keys", url=server[1])
    assert found.exit_code == 1
    assert "Keys do not travel" in found.output + found.stderr


def test_subscribers_on_the_database_when_no_core_runs(alone: Path) -> None:
    where = ("--state", str(alone / "state"))
    imsi = "001010000000044"
    assert run("subscriber", "add", imsi, "--k", SECRET, "--op", SECRET, "--msisdn", "1044", *where).exit_code == 0
    assert "1044" in run("subscriber", "list", *where).output
    shown = json.loads(run("subscriber", "show", imsi, "--json", *where).output)
    assert not {"k", "opc"} & set(shown)
    keys = json.loads(run("subscriber", "show", imsi, "--keys", "--json", *where).output)
    assert keys["k"] == SECRET
    assert keys["opc"] != SECRET
    (alone / "cards.csv").write_text(f"imsi,ki,opc\n{imsi},{SECRET},{SECRET}\n001010000000045,{SECRET},{SECRET}\n")
    dry = run("subscriber", "import", "cards.csv", *where)
    assert "Nothing is written yet" in dry.output
    assert "001010000000045" not in run("subscriber", "list", *where).output
    assert run("subscriber", "import", "cards.csv", "--write", *where).exit_code == 0
    assert "001010000000045" in run("subscriber", "list", *where).output
    assert "differs and stays" in dry.output
    assert run("subscriber", "remove", imsi, "--yes", *where).exit_code == 0
    assert run("subscriber", "show", imsi, *where).exit_code == 1


def test_where_finds_handlers_and_says_when_there_is_none() -> None:
    found = run("where", "attach", "request").output
    assert "on_attach_request  appliance/dialtone/mme/attach.py:" in found
    assert "T3460" in run("where", "T3460").output
    assert "on_s1_setup_request" in run("where", "s1setuprequest").output
    assert "pgw" in {place["element"] for place in json.loads(run("where", "create", "session", "--json").output)}
    assert run("where", "no such thing").exit_code == 1


def test_the_faults_of_phones_are_listed_without_anybody_there() -> None:
    assert "no_sip                    D9   The IMS client says nothing" in run("sim", "faults").output
    found = {fault["name"]: fault for fault in json.loads(run("sim", "faults", "--json").output)}
    assert found["volte_off"]["row"] == "D1"
    assert found["volte_off"]["where"] == "phone"


def test_nobody_there_is_a_sentence(alone: Path) -> None:
    for words in (("trace",), ("ue", "list"), ("sim", "list"), ("diagnose",)):
        found = run(*words)
        assert found.exit_code == 1
        assert "build.sh demo" in found.output + found.stderr
        assert "Traceback" not in found.output + found.stderr


def test_every_command_has_an_example() -> None:
    for words in (("trace",), ("decode",), ("diagnose",), ("where",), ("api",), ("ue", "list"), ("ue", "detach"),
                  ("ue", "bearers"), ("sim", "attach"), ("sim", "exec"), ("subscriber", "add"),
                  ("subscriber", "import")):
        assert "Example" in run(*words, "--help").output, words


def test_profiles_through_the_api(server: tuple[StandIn, str]) -> None:
    stand_in, url = server
    assert "2M/1M" in run("profile", "list", url=url).output
    assert run("profile", "show", "slow", url=url).exit_code == 0
    words = ("profile", "edit", "slow", "--ambr", "2M/1M", "--apn", "ims,qci=5", "--drop-apn", "corp", "--no-roaming")
    tried = run(*words, "--dry-run", url=url)
    assert "Nothing is written: 3 subscribers have it, 1 of them are here." in tried.output
    assert stand_in.asked[-1] == ("profiles.edit", {
        "name": "slow", "dry_run": True, "ambr": "2M/1M", "apns": ["ims,qci=5"], "drop": ["corp"], "roaming": False})
    assert "Take it back: dialtone profile undo slow" in run(*words, url=url).output
    assert run("profile", "add", "slow", "--apn", "internet", url=url).exit_code == 0
    assert stand_in.asked[-1] == ("profiles.add", {"name": "slow", "dry_run": False, "apns": ["internet"]})
    for verb in ("undo", "remove"):
        assert run("profile", verb, "slow", url=url).exit_code == 0
        assert stand_in.asked[-1] == (f"profiles.{verb}", {"name": "slow", "dry_run": False})


def test_a_subscriber_is_cancelled_and_the_hss_reset(server: tuple[StandIn, str]) -> None:
    stand_in, url = server
    assert run("subscriber", "reset", url=url).output == "Asked: mme.example.org.\n"
    found = Client(url).post(f"/subscribers/{IMSI}:cancel", reattach=True)
    assert found == {"done": "cancel"}
    assert stand_in.asked[-1] == ("cancel", {"imsi": IMSI, "reattach": True})


def test_trace_import(alone: Path) -> None:
    pcapng.write(alone / "a.pcapng", sample())
    record.write(alone / "a.gz", [event._replace(time=event.time + 2) for event in sample()])
    found = run("trace", "import", "a.pcapng")
    assert found.exit_code == 0
    assert found.output.startswith("a.pcapng: 12 packets with 4 NAS, 2 S1-MME, 1 S11, 1 S6a.\n")
    assert "S6a     Authentication-Information Request" in found.output
    assert "The attach is under way" in found.output
    described = json.loads(run("trace", "import", "a.pcapng", "--imsi", IMSI, "--json").stdout)
    assert {event["subject"] for event in described["events"]} == {IMSI}
    beside = run("trace", "import", "a.pcapng", "--beside", "a.gz").output
    assert beside.startswith("The capture's clock is 2.000000 s behind ours (6 messages are in both")
    assert beside.count("\n= |") == 8
    assert run("trace", "import", "a.pcapng", "--record", "b.gz", "--pcapng", "b.pcapng").exit_code == 0
    assert len(record.read(alone / "b.gz")) == len(sample())
    (alone / "text").write_text("no capture")
    wrong = run("trace", "import", "text")
    assert wrong.exit_code == 1
    assert "is no capture" in wrong.output
