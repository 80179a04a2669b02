# SPDX-License-Identifier: Apache-2.0
"""Texts by command: to one phone and to many, over both paths, how far they are, and taken back."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from network import Network, imsi_of, msisdn_of
from text_flows import COMBINED, got

from dialtone.control import Args
from dialtone.errors import LocalError
from dialtone.sim.power import BreakCommand
from dialtone.sim.sms import TextCommand

MakeNetwork = Callable[..., Network]


class Centre:
    """Phones with numbers and a tag, and the commands of the SMS centre."""

    def __init__(self, make_network: MakeNetwork, ims: int = 1, nas: int = 1, away: int = 1) -> None:
        self.net = make_network(phones=0, handset=COMBINED)
        self.ims = [self.net.add_ims(number) for number in range(1, ims + 1)]
        self.all = [client.imsi for client in self.ims]
        for number in range(ims + 1, ims + nas + away + 1):
            self.all.append(imsi_of(number))
            self.net.add_subscriber(imsi_of(number), msisdn=msisdn_of(number), tags="lab" if number % 2 else "")
            self.net.add_phone(imsi_of(number), COMBINED)
        for imsi in self.all[:ims + nas]:
            self.net.attach(imsi, 3)
        self.table = self.net.commands.table()

    def do(self, command: str, **args: object) -> Any:
        """What a command answers, once its consequences are over."""
        found = self.table[command](Args(args))
        found = asyncio.run(found) if asyncio.iscoroutine(found) else found
        self.net.run(2)
        return found

    def inbox(self, number: int) -> list[tuple[str, str]]:
        return got(self.net.phones[imsi_of(number)])

    def paths(self, number: int) -> set[str]:
        return {one.path for one in self.net.phones[imsi_of(number)].texts.inbox}


@pytest.fixture
def centre(make_network: MakeNetwork) -> Centre:
    """One phone in IMS, one with SMS over NAS, one that is switched off."""
    return Centre(make_network)


@pytest.mark.parametrize("text", ["Hello", "long " * 60, "Привет, " * 30, "[€] ~ {}"])
def test_a_text_goes_over_the_path_that_the_phone_has(centre: Centre, text: str) -> None:
    for number, path in ((1, "IP"), (2, "NAS")):
        sent = centre.do("sms.send", to=f"+{msisdn_of(number)}", text=text, sender="Network")
        centre.net.run(20)
        assert centre.inbox(number) == [("Network", text)]
        assert centre.paths(number) == {path}
        done = centre.do("sms.progress", batch=sent["batch"])
        assert (done["texts"], done["delivered"], done["waiting"]) == (sent["parts"], sent["parts"], 0)
    (last, first) = centre.do("sms.list")
    assert (first["text"], first["state"], first["why"]) == (text, "delivered", "over IP")
    assert (last["text"], last["state"], last["why"]) == (text, "delivered", "over NAS")
    assert centre.do("sms.list", texts=False)[0]["text"] is None
    assert [line["recipient"] for line in centre.do("sms.list", imsi=imsi_of(2))] == [imsi_of(2)]


def test_a_broadcast_is_tried_first_and_counted_on_its_way(centre: Centre) -> None:
    dry = centre.do("sms.broadcast", text="Class is on")
    assert (dry["dry_run"], dry["batch"], [one["imsi"] for one in dry["to"]]) == (True, "", centre.all)
    assert centre.do("sms.list") == []
    sent = centre.do("sms.broadcast", text="Class is on", dry_run=False)
    assert [text for number in (1, 2, 3) for _, text in centre.inbox(number)] == ["Class is on"] * 2
    assert centre.do("sms.progress", batch=sent["batch"]) == {
        "batch": sent["batch"], "texts": 3, "delivered": 2, "waiting": 1, "expired": 0, "failed": 0, "cancelled": 0}
    centre.net.attach(imsi_of(3), 5)
    assert centre.do("sms.progress", batch=sent["batch"])["delivered"] == 3
    assert len(centre.inbox(3)) == 1


def test_a_broadcast_to_a_tag(centre: Centre) -> None:
    sent = centre.do("sms.broadcast", text="To the lab", tag="lab", dry_run=False)
    assert sent["to"] == [{"imsi": imsi_of(3), "msisdn": msisdn_of(3)}]
    assert centre.inbox(1) == centre.inbox(2) == []
    with pytest.raises(LocalError, match="tag 'nobody'"):
        centre.do("sms.broadcast", text="x", tag="nobody")


def test_what_waits_is_taken_back(centre: Centre) -> None:
    kept = centre.do("sms.send", to=imsi_of(3), text="kept")
    sent = centre.do("sms.broadcast", text="a mistake " * 20, dry_run=False)
    centre.net.run(20)
    assert centre.do("sms.cancel", batch=sent["batch"])["cancelled"] == sent["parts"] == 2  # of the phone that is off
    centre.net.attach(imsi_of(3), 5)
    assert [text for _, text in centre.inbox(3)] == ["kept"]
    done = centre.do("sms.progress", batch=sent["batch"])
    assert (done["delivered"], done["cancelled"], done["failed"]) == (4, 2, 0)
    for batch in (kept["batch"], sent["batch"], "999"):
        with pytest.raises(LocalError, match=r"Nothing of .* waits"):
            centre.do("sms.cancel", batch=batch)
    assert centre.do("sms.list", imsi=imsi_of(3))[0]["why"] == "cancelled"


def test_the_last_text_of_a_mailbox_is_taken_back(centre: Centre) -> None:
    sent = centre.do("sms.send", to=imsi_of(3), text="no")
    centre.do("sms.cancel", batch=sent["batch"])
    assert imsi_of(3) not in centre.net.core.sms.boxes
    assert ("sms", "retry", imsi_of(3)) not in centre.net.loop.timers()


def test_a_text_on_its_way_is_not_taken_back(centre: Centre) -> None:
    """The phone may have it already: it is delivered, and once."""
    phone = centre.net.phones[imsi_of(2)]
    centre.net.command(phone.name, BreakCommand("no_cp_ack"))
    sent = centre.do("sms.send", to=imsi_of(2), text="on its way")
    with pytest.raises(LocalError, match="waits"):
        centre.do("sms.cancel", batch=sent["batch"])
    centre.net.command(phone.name, BreakCommand(None), 10)
    assert [text for _, text in centre.inbox(2)] == ["on its way"]


def test_the_sender_hears_of_a_text_that_was_taken_back(centre: Centre) -> None:
    phone = centre.net.phones[imsi_of(2)]
    centre.net.command(phone.name, TextCommand(f"+{msisdn_of(3)}", "x", report=True), 5)
    (line,) = centre.do("sms.list")
    centre.do("sms.cancel", batch=str(line["id"]))
    centre.net.run(5)
    assert phone.texts.sent[-1].said == "deleted by the service centre"
    assert centre.do("sms.list")[0]["text"] == "(status report: deleted by the service centre)"


@pytest.mark.parametrize(("command", "args", "why"), [
    ("sms.send", {"to": "+999", "text": "x"}, "Nobody here has"), ("sms.send", {"to": "x!", "text": "x"}, "Nobody"),
    ("sms.send", {"to": imsi_of(1), "text": ""}, "at least one"),
    ("sms.send", {"to": imsi_of(1), "text": "x" * 50_000}, "."),
    ("sms.send", {"to": imsi_of(1), "text": "x", "sender": "a name that is too long"}, "."),
    ("sms.progress", {"batch": "17"}, "There is no text"), ("sms.progress", {"batch": "one"}, "names no texts"),
    ("sms.cancel", {"batch": "1-x"}, "names no texts")])
def test_what_cannot_be_is_explained(centre: Centre, command: str, args: dict[str, str], why: str) -> None:
    with pytest.raises(LocalError, match=why):
        centre.do(command, **args)
    assert centre.do("sms.list") == []
