# SPDX-License-Identifier: Apache-2.0
"""Dialogs from both ends (RFC 3261, 12), and the network of memory that carries flows."""

import pytest
from sip_rig import answer, ours, request

from dialtone.codec import sip
from dialtone.codec.sip import SipError, SipRequest
from dialtone.effects import Event, PeerDown
from dialtone.links.memory import MemoryFlows, Weather
from dialtone.loop import Loop
from dialtone.sip.dialog import Dialog, contact_of, key_of

RECORDED = ("Record-Route: <sip:p2.example.org;lr>", "Record-Route: <sip:p1.example.org;lr>")


def ends() -> tuple[Dialog, Dialog]:
    """The dialog of one INVITE as both ends see it."""
    invite = ours("INVITE", "Contact: <sip:b@192.0.2.7>")
    invite.prepend("Via", "SIP/2.0/UDP b.example.org;branch=z9hG4bK1")
    arrived = sip.decode(sip.encode(invite))
    assert isinstance(arrived, SipRequest)
    for line in RECORDED[::-1]:
        arrived.append("Record-Route", line.partition(": ")[2])
    called = Dialog.of_called(arrived, "x")
    reply = sip.response(arrived, 200)
    reply.set("To", f"{arrived.first('To')};tag=x")
    for value in arrived.all("Record-Route"):
        reply.append("Record-Route", value)
    reply.append("Contact", "<sip:a@10.46.0.2>")
    return Dialog.of_caller(invite, reply), called


def test_both_ends_name_it_and_reach_each_other() -> None:
    caller, called = ends()
    assert caller.key == ("out", "b", "x")
    assert called.key == ("out", "x", "b")
    bye = caller.request("BYE")
    assert (bye.uri, bye.all("Route")) == ("sip:a@10.46.0.2", ["<sip:p2.example.org;lr>", "<sip:p1.example.org;lr>"])
    assert (str(bye.cseq), bye.from_.tag, bye.to.tag) == ("8 BYE", "b", "x")
    assert key_of(bye, ours=True) == caller.key
    assert key_of(bye, ours=False) == called.key
    other = called.request("BYE")
    assert (other.uri, other.all("Route")) == ("sip:b@192.0.2.7", ["<sip:p1.example.org;lr>",
                                                                   "<sip:p2.example.org;lr>"])
    assert (str(other.cseq), other.from_.tag, other.to.tag) == ("1 BYE", "x", "b")
    assert str(caller.ack(7).cseq) == "7 ACK"


def test_numbers_must_rise_and_contacts_may_change() -> None:
    _, called = ends()
    update = sip.decode(request("UPDATE", "Contact: <sip:new@192.0.2.8>", cseq=9, tag="x"))
    assert isinstance(update, SipRequest)
    called.accept(update)
    assert called.target == "sip:new@192.0.2.8"
    with pytest.raises(SipError) as error:
        called.accept(update)
    assert error.value.cause == 500
    ack = sip.decode(request("ACK", cseq=9, tag="x"))
    assert isinstance(ack, SipRequest)
    called.accept(ack)


def test_an_early_dialog_is_confirmed_with_the_way_of_the_2xx() -> None:
    invite = ours("INVITE")
    invite.prepend("Via", "SIP/2.0/UDP b.example.org;branch=z9hG4bK1")
    ringing = sip.decode(answer(invite, 180, "t", "Contact: <sip:a@10.46.0.2>"))
    final = sip.decode(answer(invite, 200, "t", "Contact: <sip:a@10.46.0.3>", *RECORDED))
    assert isinstance(ringing, sip.SipResponse)
    assert isinstance(final, sip.SipResponse)
    dialog = Dialog.of_caller(invite, ringing)
    assert (dialog.early, dialog.routes) == (True, [])
    dialog.refresh(final)
    assert (dialog.early, dialog.target) == (False, "sip:a@10.46.0.3")
    assert dialog.routes == ["<sip:p1.example.org;lr>", "<sip:p2.example.org;lr>"]


def test_a_2xx_to_update_leaves_an_early_dialog_its_way() -> None:
    """UPDATE in an early dialog (RFC 3311, 5.1): its 2xx has no Record-Route, and the way stays."""
    dialog, _ = ends()
    dialog.early = True
    way = list(dialog.routes)
    update = dialog.request("UPDATE")
    update.prepend("Via", "SIP/2.0/UDP b.example.org;branch=z9hG4bK2")
    reply = sip.response(update, 200)
    reply.append("Contact", "<sip:new@10.46.0.2>")
    dialog.refresh(reply)
    assert (dialog.early, dialog.routes, dialog.target) == (True, way, "sip:new@10.46.0.2")


@pytest.mark.parametrize("contact", ["", "Contact: *", "Contact: <sip:a@b>, <sip:c@d>"])
def test_one_contact_must_stand(contact: str) -> None:
    message = sip.decode(request("INVITE", *filter(None, [contact])))
    assert isinstance(message, SipRequest)
    with pytest.raises(SipError):
        contact_of(message)


def test_an_answer_without_a_tag_begins_no_dialog() -> None:
    invite = ours("INVITE")
    with pytest.raises(SipError):
        Dialog.of_caller(invite, sip.response(invite, 180))


class Recorder(Loop):
    """A loop whose deliveries and events end in lists."""

    def __init__(self) -> None:
        super().__init__(lambda: 0.0)
        self.got: list[tuple[str, str, bytes]] = []
        self.told: list[Event] = []

    def deliver(self, element: str, point: str, peer: str, data: bytes, stream: int = 0) -> None:
        self.got.append((element, peer, data))

    def tell(self, element: str, event: Event) -> None:
        self.told.append(event)


def test_flows_in_memory() -> None:
    loop = Recorder()
    link = MemoryFlows(loop, "Gm", Weather(loss=1.0))
    link.place("one", "10.46.0.1", "2001:db8::1")
    link.place("two", "10.46.0.2", "2001:db8::2")
    link.send("one", "tcp:10.46.0.2:6300/5100", b"a", 0)
    link.send("two", "tcp:[2001:db8::1]:5060/6301", b"b", 0)
    link.send("one", "udp:10.46.0.2:6300/5100", b"lost", 0)
    assert loop.got == [("two", "tcp:10.46.0.1:5100/6300", b"a"), ("one", "tcp:[2001:db8::2]:6301/5060", b"b")]


def test_who_takes_no_connections_and_who_is_not_there() -> None:
    loop = Recorder()
    link = MemoryFlows(loop, "Gm")
    link.place("rig", "10.46.0.1")
    link.place("other", "10.46.0.2")
    link.no_tcp.add("10.46.0.2")
    link.send("rig", "tcp:10.46.0.2:5060/5060", b"a", 0)
    link.send("rig", "udp:10.46.0.9:5060/5060", b"a", 0)
    link.deaf.add("10.46.0.2")
    link.send("rig", "udp:10.46.0.2:5060/5060", b"a", 0)
    assert [type(event) for event in loop.told] == [PeerDown]
    assert loop.counters == {"Gm no such peer": 2}
