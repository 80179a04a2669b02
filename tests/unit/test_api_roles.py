# SPDX-License-Identifier: Apache-2.0
"""Who may do what: every route for everybody, tokens guessed, rotated and forgotten, the class and its answers."""

import base64
import csv
import http.client
import json
import logging
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from api_server import CODE, TEACHER, StandIn, serving, token_of
from click.testing import CliRunner
from trace_samples import IMSI

from dialtone.api.access import ADDRESSES, GUESSES, STUDENTS, WINDOW, Access, Role, TooManyGuesses, Who, WrongToken
from dialtone.api.app import role_of, routes
from dialtone.api.classroom import QUESTIONS, Classroom
from dialtone.cli import main
from dialtone.errors import LocalError
from dialtone.lab import checks
from dialtone.lab.client import Client, _UnixConnection
from dialtone.lab.lab import connect

WRONG = "zzzz-zzzz"
VALUES = {"imsi": IMSI, "number": "1", "role": "student", "nickname": "nobody", "identifier": "4380", "name": "x",
          "host": "x", "enb": "x", "who": "x", "file": "x.js",
          "verb": "restart"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[StandIn, str, Path]]:
    run = tmp_path_factory.mktemp("run")
    with serving(run) as (stand_in, url):
        yield stand_in, url, run


@pytest.fixture(autouse=True)
def as_it_was(server: tuple[StandIn, str, Path]) -> Iterator[None]:
    yield
    box = server[0].box
    box.access.teacher, box.access.code = TEACHER, CODE
    box.access.students.clear()
    box.access._wrong.clear()
    box.classroom.clear()


def ask(url: str, method: str, path: str, token: str | None = None, body: Any = None,
        **more: str) -> tuple[int, http.client.HTTPMessage, Any]:
    """One request by TCP, or by the unix socket; of a stream only the head."""
    base, headers = token_of(url, token)
    if base.startswith("unix:"):
        connection: http.client.HTTPConnection = _UnixConnection(base.removeprefix("unix:"), 20)
    else:
        connection = http.client.HTTPConnection(urlsplit(base).netloc, timeout=20)
    try:
        data = json.dumps(body).encode() if body is not None else None
        connection.request(method, path, data, headers | {"Content-Type": "application/json"} | more)
        answer = connection.getresponse()
        kind = answer.headers.get_content_type()
        text = b"" if kind == "text/event-stream" else answer.read()
        return answer.status, answer.headers, json.loads(text) if "json" in kind and text else text
    finally:
        connection.close()


@pytest.mark.parametrize(("method", "path", "role"), [
    pytest.param(method, path, role_of(route), id=f"{method} {path}") for method, path, route in routes()])
def test_the_role_of_every_route(server: tuple[StandIn, str, Path], method: str, path: str, role: Role) -> None:
    """The whole matrix: nobody, a student, the teacher, and the socket of this machine."""
    _, url, run = server
    target = path.format_map(VALUES)
    nobody, _, said = ask(url, method, target, "")
    assert (nobody == 401) == (role > Role.ANYBODY)
    if nobody == 401:
        assert said["remedy"]
    student, _, said = ask(url, method, target, CODE)
    assert (student == 403) == (role > Role.STUDENT)
    if student == 403:
        assert said["detail"] == "This is for the teacher."
    assert ask(f"unix:{run / 'api.sock'}", method, target)[0] not in (401, 403)
    server[0].box.access.code = CODE
    assert ask(url, method, target, TEACHER)[0] not in (401, 403)


def test_students_change_nothing() -> None:
    """Beside coming and going, answering is all that is no GET."""
    assert {path for method, path, route in routes() if method != "GET" and role_of(route) is Role.STUDENT} == {
        "/api/v1/class/answers"}
    assert {path for method, path, route in routes() if method != "GET" and role_of(route) is Role.ANYBODY} == {
        "/api/v1/login", "/api/v1/logout"}


@pytest.mark.parametrize("header", [
    f"Bearer {TEACHER}", f"bearer  {TEACHER}", "Basic " + base64.b64encode(f"prometheus:{TEACHER}".encode()).decode()])
def test_ways_to_give_a_token(server: tuple[StandIn, str, Path], header: str) -> None:
    assert ask(server[1], "GET", "/api/v1/subscribers/seen", "", Authorization=header)[0] == 200
    assert ask(server[1], "GET", "/api/v1/subscribers/seen", "", Cookie=f"dialtone={TEACHER}")[0] == 200


@pytest.mark.parametrize("header", ["Bearer", "Basic", "Basic ###", "Basic YWJj", "Digest x", "Bearer \xff"])
def test_headers_that_give_none(server: tuple[StandIn, str, Path], header: str) -> None:
    assert ask(server[1], "GET", "/api/v1/status", "", Authorization=header)[0] == 401


def test_guesses_are_counted_and_logged(server: tuple[StandIn, str, Path], caplog: pytest.LogCaptureFixture) -> None:
    url = server[1]
    with caplog.at_level(logging.WARNING, "dialtone.api.access"):
        for _ in range(GUESSES):
            assert ask(url, "GET", "/api/v1/status", WRONG)[0] == 401
    status, headers, said = ask(url, "GET", "/api/v1/status", WRONG)
    assert (status, headers["Retry-After"]) == (429, "60")
    assert said["remedy"].startswith("Wait for 60 seconds")
    assert ask(url, "GET", "/api/v1/status", CODE)[0] == 429, "not even the right code is looked at"
    assert ask(url, "GET", "/api/v1/status", TEACHER)[0] == 200, "a class cannot lock its teacher out"
    assert len(caplog.records) == GUESSES
    assert "wrong token from 127.0.0.1, number 10: not listened to for 60 s" in caplog.text
    assert WRONG not in caplog.text
    assert ask(url, "POST", "/api/v1/login", "", {"token": CODE})[0] == 429


def test_a_cookie_that_is_worth_nothing_is_taken_away(server: tuple[StandIn, str, Path]) -> None:
    status, headers, _ = ask(server[1], "GET", "/api/v1/status", "", Cookie=f"dialtone={WRONG}")
    assert status == 401
    assert 'dialtone=""' in headers["Set-Cookie"]
    assert ask(server[1], "GET", "/api/v1/me", "", Cookie=f"dialtone={WRONG}")[2]["role"] == "anybody"


def test_who_came_by_an_old_token_is_out(server: tuple[StandIn, str, Path]) -> None:
    _, url, run = server
    student = Client(url, token=CODE)
    student.login("Ann")
    said = CliRunner().invoke(main, ["token", "rotate", "student"], env={"DIALTONE_URL": f"unix:{run / 'api.sock'}"})
    fresh = said.output.strip()
    assert fresh not in ("", CODE)
    with pytest.raises(LocalError, match="nobody's"):
        student.get("/status")
    assert ask(url, "GET", "/api/v1/status", fresh.upper().replace("-", " "))[0] == 200
    said = CliRunner().invoke(main, ["token", "rotate", "teacher"], env={"DIALTONE_URL": url})
    assert ask(url, "GET", "/api/v1/class", TEACHER)[0] == 401
    assert ask(url, "GET", "/api/v1/class", said.output.strip())[0] == 200


def test_a_class_from_its_opening_to_its_close(server: tuple[StandIn, str, Path],
                                               monkeypatch: pytest.MonkeyPatch) -> None:
    _, url, run = server
    known = {"1.1": {"answers": [checks.digest("1.1", 20)], "hint": "Look at the cause."},
             "1.2": {"seen": ["Attach accept", "guti"], "hint": "Look at it."}}
    monkeypatch.setattr(checks, "_known", lambda: known)
    ann, bob = Client(url, token=CODE), Client(url, token=CODE)
    assert ann.get("/me") == {"role": "student", "nickname": "", "class": True}
    ann.login("Ann")
    bob.login(" Bob ")
    assert ann.get("/me")["nickname"] == "Ann"
    with pytest.raises(LocalError, match="called ann already"):
        Client(url, token=CODE).login("ann")
    for answer, right in (("19", False), ("20", True)):
        assert ann.post("/class/answers", {"question": "1.1", "answer": answer})["right"] is right
    said = bob.post("/class/answers", {"question": "1.1", "answer": "=1+1"})
    assert said == {"right": False, "text": "1.1: not quite. Look at the cause.", "noted": True}
    for question, right in (("1.1", False), ("1.2", True)):  # a notebook's word counts where it must be taken only
        said = ann.post("/class/answers", {"question": question, "answer": "19", "seen": True})
        assert said["right"] is right
    assert ann.post("/class/answers", {"question": "1.1", "answer": "20"})["right"]
    assert not ann.post("/class/answers", {"question": "1.2", "answer": "20"})["right"]
    assert not Client(url).post("/class/answers", {"question": "1.1", "answer": "20"})["noted"]
    environment = {"DIALTONE_URL": url}
    shown = CliRunner().invoke(main, ["class", "show"], env=environment).output
    assert f"Class code: {CODE}" in shown
    progress = {one["nickname"]: one for one in Client(url).get("/class")["students"]}
    assert progress["Ann"]["questions"] == {"1.1": {"right": True, "tries": 4}, "1.2": {"right": False, "tries": 2}}
    table = CliRunner().invoke(main, ["class", "answers"], env=environment).output
    assert [row[:5] for row in csv.reader(table.splitlines())][1:] == [
        ["Ann", "1.1", "20", "yes", "4"], ["Ann", "1.2", "20", "no", "2"], ["Bob", "1.1", "'=1+1", "no", "1"]]
    assert CliRunner().invoke(main, ["class", "expel", "Bob"], env=environment).exit_code == 0
    with pytest.raises(LocalError, match="nobody's"):
        bob.get("/status")
    asked = CliRunner().invoke(main, ["class", "reset"], env=environment, input="n\n")
    assert asked.exit_code == 1
    assert len(Client(url).get("/class/answers.csv").splitlines()) > 1
    said = CliRunner().invoke(main, ["class", "reset", "--yes"], env=environment).output
    assert said == "Deleted 9 messages and 2 texts; 1 simulated phones are off.\n"
    assert ann.get("/me")["nickname"] == "Ann", "students stay"
    assert len(Client(url).get("/class/answers.csv").splitlines()) == 1
    ann.post("/class/answers", {"question": "1.1", "answer": "20"})
    asked = CliRunner().invoke(main, ["class", "close"], env=environment, input="n\n")
    assert asked.exit_code == 1
    assert (run / "answers.json").is_file()
    assert CliRunner().invoke(main, ["class", "close", "--yes"], env=environment).exit_code == 0
    assert not (run / "answers.json").exists()
    with pytest.raises(LocalError, match="nobody's"):
        ann.get("/status")
    assert CliRunner().invoke(main, ["class", "show"], env=environment).output.startswith("The class is closed.")
    opened = CliRunner().invoke(main, ["class", "open"], env=environment).output.strip()
    assert Client(url, token=opened).get("/me")["role"] == "student"
    assert CliRunner().invoke(main, ["class", "open"], env=environment).output.strip() == opened


def test_answers_of_a_notebook_reach_the_teacher(server: tuple[StandIn, str, Path], monkeypatch: pytest.MonkeyPatch,
                                                 capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(checks, "_known", lambda: {"1.1": {"answers": [checks.digest("1.1", 20)], "hint": "Look."}})
    lab = connect(Client(server[1]).url, CODE)
    assert lab.check("1.1", 20)
    assert server[0].box.classroom.answers() == []
    lab.join("Ann")
    assert not lab.check("1.1", ...)
    assert not lab.check("1.1", b"\x13")
    assert lab.check("1.1", 20)
    assert [one[:5] for one in server[0].box.classroom.answers()] == [("Ann", "1.1", "20", True, 2)]
    assert capsys.readouterr().out.count("1.1: right.") == 2
    with pytest.raises(LocalError, match="no class here"):
        connect("replay").join("Ann")


def test_a_browser_gets_a_cookie_that_no_script_reads(server: tuple[StandIn, str, Path]) -> None:
    status, headers, said = ask(server[1], "POST", "/api/v1/login", "", {"token": CODE, "nickname": "Eve"})
    assert (status, said["role"], said["nickname"]) == (200, "student", "Eve")
    cookie = headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert ask(server[1], "GET", "/api/v1/me", "", Cookie=cookie.partition(";")[0])[2]["nickname"] == "Eve"
    assert ask(server[1], "POST", "/api/v1/login", "", {"token": WRONG})[0] == 401
    assert 'dialtone=""' in ask(server[1], "POST", "/api/v1/logout", "")[1]["Set-Cookie"]


# ---- the tables behind it ------------------------------------------------------------------------------------------


def test_guesses_are_forgotten_after_a_while_and_the_table_is_bounded() -> None:
    now = [0.0]
    access = Access(clock=lambda: now[0])
    for _ in range(GUESSES):
        with pytest.raises(WrongToken):
            access.who(WRONG, "2001:db8::1")
    with pytest.raises(TooManyGuesses):
        access.who(access.code, "2001:db8::ffff"), "one machine has a whole /64"
    assert access.who(access.code, "2001:db8:0:1::1").role is Role.STUDENT
    now[0] = WINDOW
    assert access.who(access.code, "2001:db8::1") == Who(Role.STUDENT)
    for number in range(2 * ADDRESSES):
        with pytest.raises(WrongToken):
            access.who(WRONG, f"10.0.{number >> 8}.{number & 255}")
    assert len(access._wrong) == ADDRESSES


def test_tokens_outlive_a_restart_and_a_broken_file_lets_nobody_in(tmp_path: Path) -> None:
    file = tmp_path / "api" / "access.json"
    first = Access(file)
    session = first.join("Ann")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    again = Access(file)
    assert (again.teacher, again.code, again.who(session, "")) == (first.teacher, first.code,
                                                                   Who(Role.STUDENT, "Ann"))
    for broken in ('{"teacher": ""', '{"teacher": "x"}', "[]", '{"teacher": "", "code": "", "students": {}}'):
        file.write_text(broken)
        fresh = Access(file)
        assert fresh.teacher not in ("", "x", first.teacher)
        with pytest.raises(WrongToken):
            fresh.who(session, "")
    fresh.close()
    assert fresh.who("", "") == Who()
    for nothing in ("-", " ", "--"):
        with pytest.raises(WrongToken):
            fresh.who(nothing, "")


@pytest.mark.parametrize("name", ["", "  ", "x" * 25, "a<b", "a\nb\x00", "=1", "a/b"])
def test_names_that_nobody_has(name: str) -> None:
    with pytest.raises(LocalError, match="nickname"):
        Access().join(name)


def test_a_class_has_an_end() -> None:
    access, room = Access(), Classroom()
    for number in range(STUDENTS):
        access.join(f"s{number}")
    with pytest.raises(LocalError, match="100 students"):
        access.join("one more")
    for number in range(QUESTIONS):
        room.take("Ann", str(number), "x", False)
    room.take("Ann", "1", "y", True)
    with pytest.raises(LocalError, match="500 questions"):
        room.take("Ann", "one more", "x", False)
    room.take("Bob", "1", "x", False)
    room.clear("Ann")
    assert [one.nickname for one in room.answers()] == ["Bob"]
