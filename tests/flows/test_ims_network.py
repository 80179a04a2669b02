# SPDX-License-Identifier: Apache-2.0
"""The whole IMS in one loop: simulated phones with their SAs, P-CSCF, S-CSCF, HSS and the bearers of calls."""

from pathlib import Path

import pytest
from network import Network, imsi_of, msisdn_of

from dialtone.scscf.store import CallRecord, read_calls
from dialtone.sim.detach import DetachCommand
from dialtone.sim.ims.call import AnswerCommand, CallCommand, HangUpCommand
from dialtone.sim.ims.client import ImsClient
from dialtone.sim.ims.registration import DeregisterCommand, RegisterCommand
from dialtone.sim.ims.text import TextCommand
from dialtone.trace.diagnose import diagnose

FIRST, SECOND = "+358401000001", "+358401000002"


class Ims(Network):
    """Two phones, attached and registered."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, 0)
        self.one, self.two = (self.add_ims(number) for number in (1, 2))
        for number in (1, 2):
            self.attach(imsi_of(number), 10)

    def said(self, client: ImsClient) -> str:
        return self.verdicts(client.name)[-1]

    def records(self) -> list[CallRecord]:
        return self.store.read(lambda db: read_calls(db, 10))


@pytest.fixture
def ims(tmp_path: Path) -> Ims:
    return Ims(tmp_path)


def test_two_phones_register_by_themselves(ims: Ims) -> None:
    assert [len(user.watchers) for user in ims.core.scscf.users.values()] == [2, 2]  # and the P-CSCF
    for client in (ims.one, ims.two):
        assert "told of its state" in ims.said(client)
    for client in (ims.one, ims.two):
        ims.command(client.name, DeregisterCommand(), 40)
    assert ims.core.scscf.users == {}
    assert ims.loop.counters.get("internal error", 0) == 0


@pytest.mark.parametrize("dialled", [SECOND, "000002", "00358401000002"])
def test_a_text_by_any_spelling(ims: Ims, dialled: str) -> None:
    ims.command(ims.one.name, TextCommand(dialled, "hello"), 1)
    assert ims.said(ims.two) == f"ok: from {FIRST}: hello"


def test_a_call_and_its_record(ims: Ims) -> None:
    ims.command(ims.one.name, CallCommand(SECOND), 5)
    ims.command(ims.two.name, AnswerCommand(), 60)
    assert ims.said(ims.two) == f"ok: talking with {FIRST}"
    ims.command(ims.one.name, HangUpCommand(), 1)
    (record,) = ims.records()
    assert (record.called, record.status, round(record.seconds)) == (SECOND, 200, 60)
    assert ims.core.scscf.calls == {}
    assert ims.loop.counters.get("internal error", 0) == 0


def test_a_number_of_nobody_is_explained(ims: Ims) -> None:
    ims.command(ims.one.name, CallCommand("+358409999999"), 5)
    assert ims.records()[0].status == 404
    (verdict,) = [each for each in diagnose(ims.events(), imsi_of(1)) if each.rule == "ims-unknown-number"]
    assert "+358409999999" in verdict.text


def test_a_phone_that_left_is_called(ims: Ims) -> None:
    ims.command(ims.two.name, DeregisterCommand(), 1)
    ims.command(ims.one.name, CallCommand(SECOND), 40)
    assert ims.records()[0].status == 480


@pytest.mark.parametrize("absent", ["de-registered", "switched off", "never there"])
def test_a_text_for_a_phone_that_is_away_comes_once_when_it_is_back(ims: Ims, absent: str) -> None:
    number, client = SECOND, ims.two
    if absent == "de-registered":
        ims.command(client.name, DeregisterCommand(), 2)
    elif absent == "switched off":
        ims.command(client.name, DeregisterCommand(DetachCommand(switch_off=True)), 2)
    else:
        number, client = f"+{msisdn_of(3)}", ims.add_ims(3)
    ims.command(ims.one.name, TextCommand(number, "later"), 5)
    assert ims.said(ims.one) == f"ok: sent to {number}, kept by the network"
    if absent == "de-registered":
        ims.command(client.name, RegisterCommand(), 5)
    else:
        ims.attach(client.imsi, 10)
    assert client.registered, client.last
    assert [(text.sender, text.text) for text in client.texts.inbox] == [(FIRST, "later")]
    ims.command(client.name, RegisterCommand(), 60)
    assert len(client.texts.inbox) == 1
    assert list(client.inbox) == []
    assert ims.loop.counters.get("internal error", 0) == 0


def test_a_call_to_a_phone_that_is_away_is_not_for_the_centre(ims: Ims) -> None:
    ims.command(ims.two.name, DeregisterCommand(), 1)
    ims.command(ims.one.name, CallCommand(SECOND), 5)
    assert "480" in ims.said(ims.one)
    assert [event for event in ims.events("ISC") if event.name == "INVITE"] == []
    assert len(ims.core.scscf.users) == 2
    ims.run(1900)
    assert len(ims.core.scscf.users) == 1, "who stays away is nobody's after a while"
    assert ims.store.ims_registration(ims.two.imsi) is None
    ims.command(ims.two.name, RegisterCommand(), 5)
    assert ims.two.registered
