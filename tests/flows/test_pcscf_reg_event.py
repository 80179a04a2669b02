# SPDX-License-Identifier: Apache-2.0
"""The P-CSCF watches the registrations of its phones (TS 24.229, 5.2.3): with a scripted S-CSCF, then with ours."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from network import Network
from pcscf_rig import DOMAIN, NUMBER, Phone, Rig, messages

from dialtone.codec import reginfo, sip
from dialtone.codec.reginfo import ContactInfo, RegInfo, RegistrationInfo
from dialtone.codec.sip import SipRequest, SipResponse
from dialtone.effects import ConnectionGone
from dialtone.hss.registration_termination import EndRegistration
from dialtone.pcscf.states import RegistrationState
from dialtone.pcscf.timers import OLD_SAS
from dialtone.scscf.deregistration import Deregister

NOTIFIER = "<sip:+15550100@{}>;tag=s1"


@dataclass
class Watched:
    """A phone that has registered, and the subscription as the S-CSCF sees it."""

    rig: Rig = field(default_factory=Rig)
    phone: Phone = field(default_factory=Phone)
    cseq: int = 0

    def __post_init__(self) -> None:
        self.rig.register(self.phone)
        self.subscribe: SipRequest = messages(self.rig.log, "Mw")[-1]

    def answer(self, status: int = 200, expires: str = "3600") -> list[Any]:
        answer = sip.response(self.subscribe, status)
        answer.set("To", NOTIFIER.format(DOMAIN))
        if status == 200:
            answer.append("Expires", expires)
            answer.append("Contact", f"<sip:scscf.{DOMAIN}>")
        return self.rig.mw(answer)

    def document(self, state: str = "active", event: str = "registered", *, version: int | None = None,
                 expires: int | None = 3600, full: bool = True, host: str = "", aors: tuple[str, ...] = (),
                 whole: str = "") -> bytes:
        contact = ContactInfo("c", f"sip:{host or self.phone.host}:{self.phone.port_s}", state, event, expires)
        return reginfo.encode(RegInfo(self.cseq - 1 if version is None else version, full, tuple(
            RegistrationInfo(aor, f"r{number}", whole or state, (contact,))
            for number, aor in enumerate(aors or (NUMBER, "tel:+15550100")))))

    def notify(self, state: str = "active", event: str = "registered", *, subscription: str = "active;expires=3600",
               cseq: int = 0, to_tag: str = "", body: bytes | None = None, kind: str = reginfo.CONTENT_TYPE,
               package: str = "reg", **document: Any) -> SipResponse:
        """The answer to a NOTIFY."""
        self.cseq += 1
        message = sip.request("NOTIFY", self.subscribe.first("Contact").strip("<>"))
        for name, value in (
                ("Via", f"SIP/2.0/UDP scscf.{DOMAIN};branch=z9hG4bKn{self.cseq}"), ("Max-Forwards", "70"),
                ("From", NOTIFIER.format(DOMAIN)), ("To", f"{self.subscribe.first('From')}{to_tag}"),
                ("Call-ID", self.subscribe.call_id), ("CSeq", f"{cseq or self.cseq} NOTIFY"),
                ("Contact", f"<sip:scscf.{DOMAIN}>"), ("Event", package), ("Subscription-State", subscription)):
            message.append(name, value)
        message.content(kind, self.document(state, event, **document) if body is None else body)
        return messages(self.rig.mw(message), "Mw")[0]

    def ended(self) -> bool:
        return [each.state for each in self.rig.pcscf.registrations.values()] == [RegistrationState.NONE]

    def subscribes(self) -> list[SipRequest]:
        return [message for message in messages(self.rig.log, "Mw") if message.cseq.method == "SUBSCRIBE"
                and isinstance(message, SipRequest)]

    def clean(self) -> None:
        """Nothing is left of a registration that has ended."""
        self.rig.run(OLD_SAS + 300)
        pcscf = self.rig.pcscf
        assert (pcscf.registrations, pcscf.by_spi, pcscf.by_contact, pcscf.by_place, pcscf.watches) == ({},) * 5
        assert self.rig.kernel == {}
        assert self.rig.loop.timers() == []
        assert self.rig.loop.counters.get("internal error", 0) == 0


@pytest.fixture
def it() -> Watched:
    return Watched()


def test_what_the_p_cscf_subscribes_to(it: Watched) -> None:
    asked = it.subscribe
    assert (asked.method, asked.uri, asked.to.uri) == ("SUBSCRIBE", NUMBER, NUMBER)
    assert asked.from_.uri == f"sip:pcscf.{DOMAIN}"
    assert asked.all("P-Asserted-Identity") == [f"<sip:pcscf.{DOMAIN}>"]
    assert (asked.first("Event"), asked.first("Accept")) == ("reg", "application/reginfo+xml")
    assert int(asked.first("Expires")) > 3600  # longer than the registration
    assert "icid-value=" in asked.first("P-Charging-Vector")
    it.answer()
    assert it.notify().status == 200
    assert len(it.subscribes()) == 1


@pytest.mark.parametrize("event", ["rejected", "deactivated"])
def test_the_network_ends_a_registration(it: Watched, event: str) -> None:
    it.answer()
    it.notify()
    assert it.notify("terminated", event, subscription="terminated;reason=noresource").status == 200
    assert it.ended()
    assert len(it.rig.kernel) == 1  # the phone has to hear of it over its SAs
    assert f"({event})" in it.rig.verdicts()[-1]
    (refused,) = messages(it.rig.gm(it.phone.protected, it.phone.request("MESSAGE", "tel:+15550199")), "Gm")
    assert refused.status == 403
    it.clean()


def test_a_phone_without_ipsec_hears_of_its_end() -> None:
    rig, phone = Rig(plain=lambda impi: True), Phone(port_c=5060, port_s=5060)
    first = messages(rig.gm(phone.clear, phone.register(offer="")), "Mw")[0]
    rig.challenge(first)
    second = messages(rig.gm(phone.clear, phone.register(offer="", response="5a")), "Mw")[0]
    rig.accept(second)
    it = Watched.__new__(Watched)
    it.rig, it.phone, it.cseq, it.subscribe = rig, phone, 0, messages(rig.log, "Mw")[-1]
    it.answer()
    it.notify("terminated", "rejected", subscription="terminated")
    assert it.ended()
    told = sip.request("NOTIFY", f"sip:{phone.host}:5060")
    for name, value in (("Via", f"SIP/2.0/UDP scscf.{DOMAIN};branch=z9hG4bKp"), ("Max-Forwards", "70"),
                        ("From", NOTIFIER.format(DOMAIN)), ("To", f"<{NUMBER}>;tag=p1"), ("Call-ID", "the-phones"),
                        ("CSeq", "7 NOTIFY"), ("Contact", f"<sip:scscf.{DOMAIN}>")):
        told.append(name, value)
    assert [entry[1] for entry in rig.mw(told)] == [phone.clear]
    it.clean()


def test_a_registration_is_shortened(it: Watched) -> None:
    it.answer()
    assert it.notify("active", "shortened", expires=60).status == 200
    it.rig.run(80)
    assert not it.ended()
    it.rig.run(20)
    assert it.rig.pcscf.registrations == {}
    assert it.subscribes()[-1].first("Expires") == "0"  # nothing more of it is wanted
    it.clean()


def test_one_identity_goes_and_another_comes(it: Watched) -> None:
    it.answer()
    it.notify("terminated", "rejected", aors=("tel:+15550100",))
    (registration,) = it.rig.pcscf.registrations.values()
    assert registration.identities == [NUMBER]
    it.notify("active", "created", aors=("tel:+15550177",), full=False)
    assert registration.identities == [NUMBER, "tel:+15550177"]
    assert registration.registered


def test_the_phone_says_goodbye_itself(it: Watched) -> None:
    it.answer()
    left = messages(it.rig.gm(it.phone.protected, it.phone.register(response="5a", expires=0)), "Mw")[0]
    it.rig.accept(left, expires=0)
    assert it.ended()
    assert it.notify("terminated", "unregistered", subscription="terminated;reason=noresource").status == 200
    assert len(it.subscribes()) == 1
    assert not any("network ended" in each for each in it.rig.verdicts())
    it.clean()


def test_a_last_notify_that_never_comes(it: Watched) -> None:
    it.answer()
    left = messages(it.rig.gm(it.phone.protected, it.phone.register(response="5a", expires=0)), "Mw")[0]
    it.rig.accept(left, expires=0)
    it.clean()


def test_the_connection_is_gone_and_the_core_hears_of_it(it: Watched) -> None:
    it.answer()
    it.rig.tell(ConnectionGone(bytes((10, 46, 0, 2)), b""))
    assert it.subscribes()[-1].first("Expires") == "0"
    assert it.subscribes()[-1].to.tag == "s1"
    it.subscribe = it.subscribes()[-1]
    it.answer(expires="0")
    assert it.notify(subscription="terminated;reason=timeout").status == 200
    it.clean()


@pytest.mark.parametrize("status", [403, 489, 503])
def test_an_s_cscf_that_takes_no_subscription(it: Watched, status: int) -> None:
    it.answer(status)
    assert f"({status} " in it.rig.verdicts()[-1]
    assert it.rig.pcscf.watches == {}
    (registration,) = it.rig.pcscf.registrations.values()
    assert registration.registered
    again = messages(it.rig.gm(it.phone.protected, it.phone.register(response="5a")), "Mw")[0]
    it.rig.accept(again)
    assert len(it.subscribes()) == 2  # asked again


def test_an_s_cscf_that_leaves_a_subscribe_unanswered(it: Watched) -> None:
    it.rig.run(40)
    assert "does not answer a SUBSCRIBE" in it.rig.verdicts()[-1]
    assert it.rig.pcscf.watches == {}


def test_a_subscription_is_refreshed_while_the_phone_is_there(it: Watched) -> None:
    it.answer(expires="4200")
    again = messages(it.rig.gm(it.phone.protected, it.phone.register(response="5a", expires=7200)), "Mw")[0]
    it.rig.accept(again, expires=7200)
    it.rig.run(3601)
    refresh = it.subscribes()[-1]
    assert (refresh.to.tag, refresh.cseq.number, refresh.uri) == ("s1", 2, f"sip:scscf.{DOMAIN}")
    it.subscribe = refresh
    it.answer(481)  # the S-CSCF was restarted
    fresh = it.subscribes()[-1]
    assert (fresh.to.tag, fresh.call_id == refresh.call_id, fresh.uri) == ("", False, NUMBER)


def test_a_registration_that_is_not_renewed_is_not_asked_about(it: Watched) -> None:
    it.answer(expires="4200")
    it.rig.run(3620)
    assert len(it.subscribes()) == 1


def test_notify_before_the_answer(it: Watched) -> None:
    assert it.notify().status == 200
    it.answer()
    assert it.notify("terminated", "rejected", subscription="terminated").status == 200
    assert it.ended()
    it.clean()


def test_out_of_order(it: Watched) -> None:
    it.answer()
    assert it.notify(cseq=5, version=5).status == 200
    assert it.notify("terminated", "rejected", cseq=4, version=4).status == 500
    assert it.notify("terminated", "rejected", cseq=6, version=3).status == 200  # of before
    assert not it.ended()
    assert it.notify("active", "refreshed", full=False, cseq=7, version=8).status == 200
    assert it.subscribes()[-1].to.tag == "s1"  # two are missing: all of it once more
    assert len(it.subscribes()) == 2


def test_contacts_of_others_do_not_matter(it: Watched) -> None:
    it.answer()
    it.notify("terminated", "deactivated", host="10.46.0.77", whole="active")
    assert not it.ended()


@pytest.mark.parametrize(("status", "change"), [
    (481, {"to_tag": "x"}), (489, {"package": "presence"}), (415, {"kind": "text/plain"}),
    (400, {"body": b"<reginfo"}), (400, {"body": b"\xff"})])
def test_a_notify_that_is_wrong(it: Watched, status: int, change: dict[str, Any]) -> None:
    it.answer()
    assert it.notify("terminated", "rejected", **change).status == status
    assert not it.ended()


def test_a_notify_of_a_stranger(it: Watched) -> None:
    message = sip.request("NOTIFY", f"sip:pcscf.{DOMAIN}")
    for name, value in (("Via", f"SIP/2.0/UDP scscf.{DOMAIN};branch=z9hG4bKs"), ("Max-Forwards", "70"),
                        ("From", "<sip:x@example.org>;tag=1"), ("To", f"<sip:pcscf.{DOMAIN}>;tag=2"),
                        ("Call-ID", "nobody"), ("CSeq", "1 NOTIFY"), ("Event", "reg"),
                        ("Contact", "<sip:x@example.org>"), ("Subscription-State", "terminated")):
        message.append(name, value)
    assert messages(it.rig.mw(message), "Mw")[0].status == 481
    assert not it.ended()


# ---- with the whole network ------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["hss", "scscf"])
def test_p_cscf_and_phone_hear_that_the_network_ended_it(make_network: Callable[..., Network], how: str) -> None:
    net = make_network(phones=0)
    client = net.add_ims(1)
    net.attach(client.imsi, 3)
    pcscf, scscf = net.core.pcscf, net.core.scscf
    (registration,) = pcscf.registrations.values()
    assert [len(user.watchers) for user in scscf.users.values()] == [2]
    began = net.events()[-1].id
    if how == "hss":
        subscriber, served = net.store.get(client.imsi), net.store.ims_registration(client.imsi)
        assert subscriber is not None
        assert served is not None
        net.loop.tell("hss", EndRegistration(subscriber, served))
    else:
        net.loop.tell("scscf", Deregister(registration.key.impi))
    net.run(0.5)
    notified = [event.point for event in net.events("Gm", "Mw")
                if event.id > began and event.name == "NOTIFY" and event.kind == "tx"]
    assert notified[:3] == ["Mw", "Mw", "Gm"]  # to the P-CSCF, and to the phone through it
    assert any("The network ended the registration" in text for text in net.verdicts("pcscf"))
