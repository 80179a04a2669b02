# SPDX-License-Identifier: Apache-2.0
"""The lab's client, widget, checks and replay; over a real API and over a recording."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from api_server import SECRET, TEACHER, StandIn, serving
from trace_samples import IMSI, sample

from dialtone.errors import LocalError
from dialtone.lab import Lab, checks, client, connect
from dialtone.lab.client import Client, Unreachable
from dialtone.lab.replay import Replay
from dialtone.lab.show import Table, Text
from dialtone.lab.source import key_of
from dialtone.lab.widget import LadderWidget
from dialtone.trace import record


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[StandIn, str, Path]]:
    run = tmp_path_factory.mktemp("run")
    with serving(run) as (stand_in, url):
        for _ in range(1000):
            if Client(url).get("/trace")["events"]:
                break
            time.sleep(0.02)
        yield stand_in, url, run


@pytest.fixture
def live(server: tuple[StandIn, str, Path]) -> Lab:
    return connect(server[1])


@pytest.fixture
def replayed(tmp_path: Path) -> Lab:
    count = len(sample())
    ping = {"argv": ["ping", "-c", "3", "-i", "0.3", "-W", "2", "10.45.0.1"], "timeout": 30.0}
    log = [(key_of("GET", "/status", {}, None), {"version": "0.1.0"}, count),
           (key_of("GET", "/ues", {}, None), [{"imsi": IMSI}], count),
           (key_of("GET", "/sim/phones", {}, None), [{"imsi": IMSI}], count),
           (key_of("POST", f"/sim/phones/{IMSI}:attach", {}, None), {"emm": "EMM-REGISTERED"}, count),
           (key_of("POST", f"/sim/phones/{IMSI}:exec", {}, ping), {"code": 0, "stdout": "3", "stderr": ""}, count)]
    record.write(tmp_path / "a.gz", sample(), log=log)
    return connect(str(tmp_path / "a.gz"))


@pytest.fixture(params=["live", "replayed"])
def lab(request: pytest.FixtureRequest) -> Lab:
    found: Lab = request.getfixturevalue(request.param)
    return found


def test_the_same_trace_live_and_replayed(lab: Lab) -> None:
    names = [event["name"] for event in lab.trace(IMSI)]
    assert names[:2] == ["InitialUEMessage", "Attach request"]
    (attach,) = lab.messages("Attach request", IMSI)
    assert "TS 24.301, 8.2.4" in lab.decode(attach)
    assert "Attach request" in lab.decode(attach)
    assert lab.hex(attach).startswith("0000  07 41 71")
    assert lab.explain(attach).startswith("The phone wants to be known here")
    assert [event.name for event in lab.events(IMSI)] == names
    assert lab.events(IMSI, octets=True)[1].data == sample()[2].data
    assert lab.diagnose(IMSI)[0]["rule"] == "under-way"


def test_actions(lab: Lab) -> None:
    assert lab.status()
    assert lab.ues()[0]["imsi"] == IMSI
    assert lab.simulate.attach(IMSI)
    assert lab.simulate.ping(IMSI)
    assert lab.simulate.phones()[0]["imsi"] == IMSI


def test_export_and_record(lab: Lab, tmp_path: Path) -> None:
    assert lab.export(tmp_path / "x.pcapng", IMSI).read_bytes()[:4] == b"\x0a\x0d\x0d\x0a"
    lab.record(tmp_path / "x.gz", title="x")
    assert len(record.read(tmp_path / "x.gz")) >= len(sample())


def test_ladder_widget_takes_a_message_apart(lab: Lab) -> None:
    widget = lab.ladder(IMSI)
    assert 'data-name="Attach request"' in widget.svg
    widget.selected = lab.messages("Attach request", IMSI)[0]
    assert widget.detail["clause"] == "TS 24.301, 8.2.4"
    assert "PDN connectivity request" in widget.detail["decode"]
    widget.selected = 424242
    assert "424242" in widget.detail["decode"]
    widget.selected = 0
    assert widget.detail == {}


def test_ladder_grows_by_rows(replayed: Lab) -> None:
    widget = replayed.ladder(IMSI)
    sent: list[dict[str, str]] = []
    widget.send = sent.append  # type: ignore[assignment, method-assign]
    event = sample()[6]._replace(id=500, time=sample()[-1].time + 1)
    whole = widget.svg
    widget.add([event])
    assert widget.svg == whole
    assert 'id="e500"' in sent[0]["rows"]
    widget.add([event._replace(id=501, point="S1-MME", src="mme", dst="enb7", name="Reset")])
    assert 'id="e501"' in widget.svg


def test_a_live_ladder_follows(server: tuple[StandIn, str, Path], live: Lab) -> None:
    stand_in = server[0]
    widget: LadderWidget = live.ladder(IMSI)
    sent: list[dict[str, str]] = []
    widget.send = sent.append  # type: ignore[assignment, method-assign]
    number = stand_in.bus.ring[-1].id + 1
    time.sleep(0.3)
    stand_in.bus._put(stand_in.bus.ring[6]._replace(id=number, time=time.time()))
    for _ in range(400):
        if sent:
            break
        time.sleep(0.05)
    assert f'id="e{number}"' in sent[0]["rows"]


def test_subscribers_round_trip_without_keys(live: Lab) -> None:
    live.subscribers.add("001010000000099", k=SECRET, opc=SECRET)
    assert SECRET not in str(live.subscribers.list())
    assert live.subscribers.get("001010000000099")["imsi"] == "001010000000099"
    with pytest.raises(LocalError, match="There is no subscriber 5"):
        live.subscribers.get("5")


def test_replay_says_what_it_cannot_do(replayed: Lab) -> None:
    assert replayed.replaying
    with pytest.raises(LocalError, match="This is a recording"):
        replayed.subscribers.list()
    with pytest.raises(LocalError, match="not done in it"):
        replayed.simulate.break_it("1", "op_as_opc")


def test_where_the_api_is_found(server: tuple[StandIn, str, Path], tmp_path: Path,
                                monkeypatch: pytest.MonkeyPatch) -> None:
    _, url, run = server
    assert connect(f"unix:{run / 'api.sock'}").trace()
    monkeypatch.setenv("DIALTONE_URL", url)
    assert url == connect().source.url.replace("://", f"://:{TEACHER}@")  # the token is not shown
    monkeypatch.delenv("DIALTONE_URL")
    monkeypatch.setattr(client, "_run_directories", lambda: [tmp_path, run])
    assert client.find() == f"unix:{run / 'api.sock'}"
    (tmp_path / "url").write_text(f"{url}\n")
    assert client.find() == url
    monkeypatch.setattr(client, "_run_directories", list)
    assert client.find() == ""
    with pytest.raises(Unreachable, match="No Dialtone runs here"):
        Client()


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "unix:/nowhere/api.sock"])
def test_nobody_answers(url: str) -> None:
    with pytest.raises(Unreachable, match=r"build\.sh demo"):
        connect(url, wait=0.3)
    with pytest.raises(LocalError, match="is no URL"):
        Client("ftp:x").get("/status")


def test_checks(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, replayed: Lab) -> None:
    known = {"1.1": {"answers": [checks.digest("1.1", 20)], "hint": "Look at the cause."}}
    monkeypatch.setattr(checks.json, "loads", lambda text: known)
    assert replayed.check("1.1", "#20")
    assert replayed.check("1.1", " 20 ")
    assert not replayed.check("1.1", 21)
    assert not replayed.check("1.1", ...)
    assert capsys.readouterr().out.count("Look at the cause.") == 2
    with pytest.raises(LocalError, match=r"no question '9\.9'"):
        replayed.check("9.9", 1)


def test_the_answers_that_come_along_are_hashes_with_hints() -> None:
    known = json.loads((Path(checks.__file__).parent / "answers.json").read_text("utf-8"))
    assert all(one["hint"] and (one["answers"] or one["seen"]) for one in known.values())
    assert all(len(answer) == 20 for one in known.values() for answer in one["answers"])


def test_answers_that_are_different_each_time(monkeypatch: pytest.MonkeyPatch, replayed: Lab) -> None:
    known = {"1.1": {"answers": [], "seen": ["Attach request", "eps_attach_type"], "hint": "Look at the message."}}
    monkeypatch.setattr(checks.json, "loads", lambda text: known)
    seen = replayed.packet(replayed.messages("Attach request")[0]).eps_attach_type
    assert replayed.check("1.1", str(seen))
    assert not replayed.check("1.1", "nothing of the kind")
    assert checks.digest("1.1", b"\xab") == checks.digest("1.1", "AB")


def test_two_messages_and_two_runs_are_compared(lab: Lab) -> None:
    first, second = lab.messages("InitialUEMessage")[0], lab.messages("Attach request")[0]
    assert "+Attach request" in lab.diff(first, second)
    assert lab.diff(second, second) == "There is no difference."
    assert "-NAS     UE -> MME: Attach request" in lab.diff(lab.trace(IMSI), [])


def test_the_doctor_says_what_is_there(lab: Lab) -> None:
    found = {row["what"]: row["state"] for row in lab.doctor()}
    assert (found["the lab"], found["anywidget"]) == ("well", "well")
    gone = {row["what"]: row for row in Lab(Client("http://127.0.0.1:9")).doctor()}
    assert (gone["the lab"]["state"], bool(gone["the lab"]["remedy"])) == ("missing", True)


def test_tables_and_texts_show_as_they_are() -> None:
    table = Table([{"a": 1, "b": "<x>"}, {"a": [1, 2], "b": None}])
    assert repr(table) == "a     b\n1     <x>\n1, 2"
    assert "&lt;x&gt;" in table._repr_html_()
    assert repr(Text("two\nlines")) == "two\nlines"
    assert "&lt;" in Text("<")._repr_html_()


def test_a_replay_needs_a_recording() -> None:
    with pytest.raises(LocalError, match="There is no recording"):
        Replay("/nowhere/x.gz")
