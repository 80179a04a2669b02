# SPDX-License-Identifier: Apache-2.0
"""The API over a real socket: what it serves, refuses and never says."""

import http.client
import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from api_server import SECRET, StandIn, serving, token_of
from prometheus_client.parser import text_string_to_metric_families
from trace_samples import ATTACH_REQUEST, IMSI

from dialtone.api.app import create_app
from dialtone.trace.bus import Event


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[StandIn, str]]:
    with serving(tmp_path_factory.mktemp("run")) as found:
        yield found


@pytest.fixture
def url(server: tuple[StandIn, str]) -> str:
    return server[1]


def ask(url: str, path: str, method: str = "GET", body: Any = None, raw: bytes | None = None,
        **headers: str) -> tuple[int, Any, str]:
    data = raw if raw is not None else None if body is None else json.dumps(body).encode()
    if body is not None:
        headers["Content-Type"] = "application/json"
    base, token = token_of(url)
    path = path if path in ("/metrics", "/openapi.json") else f"/api/v1{path}"
    request = urllib.request.Request(base + path, data, token | {k.replace("_", "-"): v for k, v in headers.items()},
                                     method=method)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            status, kind, text = answer.status, answer.headers["Content-Type"], answer.read()
    except urllib.error.HTTPError as error:
        status, kind, text = error.code, error.headers["Content-Type"], error.read()
    return status, json.loads(text) if "json" in kind else text, kind


def events(url: str, query: str = "") -> list[dict[str, Any]]:
    for _ in range(500):
        found = ask(url, f"/trace?{query}")[1]
        if found["connected"] and (found["events"] or query):
            break
        time.sleep(0.02)
    listed: list[dict[str, Any]] = found["events"]
    return listed


@pytest.mark.parametrize(("path", "key"), [
    ("/status", "network"), ("/ues", 0), ("/leaks", "teids"), ("/counters", "events"), ("/subscribers", 0),
    ("/sim/phones", 0), ("/sms", 0), ("/sms/progress?batch=17-19", "texts"), (f"/sim/phones/{IMSI}/sms", 0),
    (f"/sim/phones/{IMSI}/sms/sent", 0), ("/openapi.json", "paths"),
])
def test_reads(url: str, path: str, key: str | int) -> None:
    status, found, _ = ask(url, path)
    assert status == 200
    assert found[key] is not None


def test_actions_reach_core_and_phones(server: tuple[StandIn, str]) -> None:
    stand_in, url = server
    stand_in.asked.clear()
    assert ask(url, f"/ues/{IMSI}:detach?reattach=true&page=true", "POST")[0] == 200
    assert ask(url, f"/ues/{IMSI}:guti", "POST")[0] == 200
    assert ask(url, f"/sim/phones/{IMSI}:attach", "POST")[0] == 200
    assert ask(url, f"/sim/phones/{IMSI}:detach?switch_off=true", "POST")[0] == 200
    assert ask(url, f"/sim/phones/{IMSI}:idle", "POST")[0] == 200
    assert ask(url, f"/sim/phones/{IMSI}:service?call=true", "POST")[0] == 200
    assert ask(url, f"/sim/phones/{IMSI}:update?active=true", "POST")[0] == 200
    assert ask(url, f"/sim/phones/{IMSI}:break", "POST", {"fault": "op_as_opc"})[0] == 200
    assert ask(url, "/subscribers:import", "POST", raw=b"imsi,k\n")[0] == 200
    assert stand_in.asked == [
        ("ue.detach", {"imsi": IMSI, "reattach": True, "page": True}), ("ue.guti", {"imsi": IMSI}),
        ("attach", {"imsi": IMSI}), ("detach", {"imsi": IMSI, "switch_off": True}), ("idle", {"imsi": IMSI}),
        ("service", {"imsi": IMSI, "extended": False, "call": True}),
        ("update", {"imsi": IMSI, "active": True, "periodic": False}), ("break", {"imsi": IMSI, "fault": "op_as_opc"}),
        ("import", {"csv": "imsi,k\n", "dry_run": True, "overwrite": False})]
    done = ask(url, f"/sim/phones/{IMSI}:exec", "POST", {"argv": ["ping", "10.45.0.1"]})[1]
    assert done == {"code": 0, "stdout": "ping 10.45.0.1", "stderr": ""}


def test_texts_reach_core_and_phones(server: tuple[StandIn, str]) -> None:
    stand_in, url = server
    stand_in.asked.clear()
    new = {"to": "+1002", "text": "Hello"}
    assert ask(url, "/sms", "POST", new)[0] == 202
    assert ask(url, "/sms:broadcast", "POST", {"text": "Hello", "tag": "lab"})[0] == 202
    assert ask(url, "/sms:cancel", "POST", {"batch": "17-19"})[0] == 202
    assert ask(url, f"/sim/phones/{IMSI}:sms", "POST", {**new, "over": "nas"})[0] == 200
    assert ask(url, f"/sim/phones/{IMSI}:memory", "POST", {"full": False})[0] == 200
    assert stand_in.asked == [
        ("sms.send", new), ("sms.broadcast", {"text": "Hello", "tag": "lab", "dry_run": True}),
        ("sms.cancel", {"batch": "17-19"}), ("sms", {**new, "imsi": IMSI, "report": False, "over": "nas"}),
        ("memory", {"imsi": IMSI, "full": False, "over": "auto"})]
    for path, body in (("/sms:cancel", {"batch": "all"}), (f"/sim/phones/{IMSI}:sms", {**new, "over": "post"})):
        assert ask(url, path, "POST", body)[0] == 422
    assert ask(url, "/sms/progress?batch=-")[0] == 422


def test_errors_are_problems_with_a_remedy(url: str) -> None:
    status, found, kind = ask(url, "/subscribers/999")
    assert (status, kind) == (422, "application/problem+json")
    assert found["detail"] == "There is no subscriber 999."
    assert found["remedy"].startswith("Add it")
    assert ask(url, "/nothing")[0] == 404
    assert ask(url, "/trace/999999")[1]["detail"] == "There is no event 999999 (any more)."


def test_a_defect_of_the_core_is_500_and_says_nothing_of_what_was_asked(server: tuple[StandIn, str]) -> None:
    stand_in, url = server
    status, found, kind = ask(url, f"/ues/{IMSI}:close?apn={SECRET}", "POST")
    assert (status, kind) == (422, "application/problem+json"), "a command that the core does not know"
    stand_in.broken.add("ue.guti")
    status, found, kind = ask(url, f"/ues/{SECRET}:guti", "POST")
    stand_in.broken.clear()
    assert (status, kind) == (500, "application/problem+json")
    assert found["remedy"].startswith("Its log says more")
    assert SECRET not in str(found)


def test_the_document_says_everything() -> None:
    """Every operation: a summary, what it does, for whom, the shape of its answer, and that errors are problems."""
    document = create_app(Path("/nowhere")).openapi()
    operations = [one for path in document["paths"].values() for one in path.values()]
    assert len(operations) == len({one["operationId"] for one in operations}) > 80
    problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    assert {"detail", "remedy"} <= set(document["components"]["schemas"]["Problem"]["required"])
    for one in operations:
        assert one["summary"]
        assert one["description"].endswith(".")
        assert one["tags"]
        assert one["security"] == ([] if one["x-role"] == "anybody" else [{"token": []}])
        (good,) = [answer for status, answer in one["responses"].items() if status.startswith("2")]
        (kind,) = good["content"].values()
        assert {"type", "$ref"} & set(kind["schema"]), one["operationId"]
        assert one["responses"]["4XX"]["content"] == one["responses"]["503"]["content"] == problem
    assert {one["x-role"] for one in operations} == {"anybody", "student", "teacher"}


def test_no_key_ever_leaves(server: tuple[StandIn, str]) -> None:
    _, url = server
    new = {"imsi": "001010000000077", "k": SECRET, "opc": SECRET}
    answers = [ask(url, "/subscribers", "POST", new), ask(url, "/subscribers"), ask(url, f"/subscribers/{new['imsi']}"),
               ask(url, "/subscribers", "POST", new), ask(url, "/subscribers", "POST", {**new, "oops": SECRET}),
               ask(url, "/subscribers", "POST", {**new, "tags": [SECRET]}),
               ask(url, "/subscribers", "POST", raw=f'{{"k": "{SECRET}'.encode(), Content_Type="application/json")]
    assert [status for status, _, _ in answers] == [201, 200, 200, 422, 422, 422, 422]
    assert SECRET not in str(answers)


@pytest.mark.parametrize(("headers", "method", "status"), [
    ({"Host": "evil.example"}, "GET", 403),
    ({"Host": "localhost:8000"}, "GET", 200),
    ({"Host": "192.168.7.9:8000"}, "GET", 200),
    ({"Host": "[::1]:8000"}, "GET", 200),
    ({"Origin": "http://evil.example"}, "POST", 403),
    ({"Origin": "http://localhost", "Host": "localhost"}, "POST", 200),
])
def test_a_foreign_page_cannot_steer_us(url: str, headers: dict[str, str], method: str, status: int) -> None:
    path = "/status" if method == "GET" else f"/ues/{IMSI}:detach"
    assert ask(url, path, method, **headers)[0] == status


def test_the_trace_is_listed_and_filtered(url: str) -> None:
    found = events(url)
    assert [event["name"] for event in found][:2] == ["S1SetupRequest", "InitialUEMessage"]
    assert found[2]["imsi"] == IMSI  # said under a label, known now
    assert "data" not in found[0]
    assert {event["point"] for event in events(url, f"imsi={IMSI}&point=NAS")} == {"NAS"}
    assert [event["id"] for event in events(url, "since=3&limit=2")] == [event["id"] for event in found[-2:]]
    assert events(url, "octets=1")[2]["data"] == ATTACH_REQUEST.hex()


def test_one_message_taken_apart(url: str) -> None:
    events(url)
    found = ask(url, "/trace/3")[1]
    assert "Type: 65 (Attach request)" in found["decode"]
    assert found["clause"] == "TS 24.301, 8.2.4"
    assert found["explain"].startswith("The phone wants to be known here")
    assert found["hex"].startswith("0000  07 41 71")
    assert found["security"] == "not protected"
    assert ask(url, "/trace/9")[1]["security"].startswith("integrity ciphered, MAC aabbccdd, sequence number 1")


def test_picture_and_capture(url: str) -> None:
    events(url)
    status, svg, kind = ask(url, f"/trace/ladder.svg?imsi={IMSI}")
    assert (status, kind) == (200, "image/svg+xml")
    assert b'data-name="Attach request"' in svg
    status, capture, _ = ask(url, "/trace.pcapng")
    assert capture[:4] == b"\x0a\x0d\x0d\x0a"


def test_diagnosis(url: str) -> None:
    events(url)
    found = ask(url, f"/diagnose?imsi={IMSI}")[1]
    assert [verdict["rule"] for verdict in found] == ["under-way"]
    assert found[0]["line"]


def test_metrics(url: str) -> None:
    _, text, kind = ask(url, "/metrics")
    assert kind == "text/plain; version=0.0.4; charset=utf-8"
    found = {(sample.name, *sorted(sample.labels.values())): sample.value
             for family in text_string_to_metric_families(text.decode()) for sample in family.samples}
    assert found["dialtone_procedures_total", "attach", "ok"] == 3
    assert found["dialtone_messages_total", "S1-MME", 'an "odd\\\n" one', "rx"] == 2
    assert found["dialtone_up",] == 1


class Stream:
    """A reader of server-sent events."""

    def __init__(self, url: str, query: str = "", last: str = "") -> None:
        base, token = token_of(url)
        self.connection = http.client.HTTPConnection(urlsplit(base).netloc, timeout=10)
        self.connection.request("GET", f"/api/v1/trace/stream?{query}",
                                headers=token | ({"Last-Event-ID": last} if last else {}))
        self.answer = self.connection.getresponse()

    def next(self) -> dict[str, str]:
        """The next event, comments left out."""
        found: dict[str, str] = {}
        while True:
            line = self.answer.readline().decode().rstrip("\n")
            if not line and "data" in found:
                return found
            name, _, value = line.partition(": ")
            if name in ("id", "event", "data"):
                found[name] = value

    def close(self) -> None:
        self.connection.close()


def test_the_stream_goes_on_live_and_after_a_break(server: tuple[StandIn, str]) -> None:
    stand_in, url = server
    events(url)
    newest = stand_in.bus.ring[-1].id
    stream = Stream(url, f"since={newest}")
    stand_in.bus._put(stand_in.bus.ring[2]._replace(id=newest + 1))
    got = stream.next()
    assert json.loads(got["data"])["name"] == "Attach request"
    stream.close()
    stand_in.bus._put(stand_in.bus.ring[6]._replace(id=newest + 2))
    again = Stream(url, last=got["id"])
    assert json.loads(again.next()["data"])["name"] == "Authentication request"
    again.close()
    other = Stream(url, last="anotherrun-9999")
    assert json.loads(other.next()["data"])["id"] == 1
    other.close()


def test_a_stream_of_one_phone_gets_what_it_said_before_it_was_known(server: tuple[StandIn, str]) -> None:
    stand_in, url = server
    events(url)
    newest = stand_in.bus.ring[-1].id
    stream = Stream(url, f"imsi=001010000000055&since={newest}")
    attach = stand_in.bus.ring[2]._replace(id=newest + 1, subject="mme-ue-55")
    stand_in.bus._put(attach)
    stand_in.bus._put(Event(newest + 2, attach.time, "done", "identity", "mme", "mme", "IMSI", "mme-ue-55",
                            info="001010000000055"))
    assert json.loads(stream.next()["data"])["id"] == newest + 1
    assert json.loads(stream.next()["data"])["point"] == "identity"
    stream.close()


def test_the_core_away_is_503_with_a_remedy(tmp_path: Path) -> None:
    with serving(tmp_path) as (stand_in, url):
        events(url)
        stand_in.die = True  # type: ignore[attr-defined]
        for _ in range(500):
            status, found, _ = ask(url, "/status")
            if status == 503:
                break
            time.sleep(0.02)
        assert status == 503
        assert "dialtone core" in found["remedy"]
        assert ask(url, "/trace")[1]["events"]  # what is kept stays readable
        assert "dialtone_up 0" in ask(url, "/metrics")[1].decode()
