# SPDX-License-Identifier: Apache-2.0
"""Subscriptions to the registration state (TS 24.229, 5.4.2.1; RFC 3680)."""

from dataclasses import replace

from scscf_rig import DOMAIN, Rig, impi, tel

from dialtone.codec import reginfo
from dialtone.codec.reginfo import RegInfo
from dialtone.codec.sip import SipRequest
from dialtone.config import Config
from dialtone.config_ims import ImsConfig
from dialtone.scscf.deregistration import Deregister


def subscribe(rig: Rig, *lines: tuple[str, str], expires: int = 600_000, who: int = 1, cseq: int = 1,
              to: str = "") -> SipRequest:
    message = rig.outgoing("SUBSCRIBE", f"sip:+1555000{who}@{DOMAIN}", 1, ("Event", "reg"),
                           ("Expires", str(expires)), ("Accept", "application/reginfo+xml"), *lines,
                           call_id="sub-1", cseq=cseq)
    message.prepend("Record-Route", f"<sip:term@pcscf.{DOMAIN};lr>")
    if to:
        message.set("To", to)
    return message


def notified(rig: Rig) -> list[tuple[SipRequest, RegInfo]]:
    return [(each, reginfo.decode(each.body)) for each in rig.pcscf.requests("NOTIFY")]


def test_all_of_it_first_then_what_changed() -> None:
    rig = Rig(replace(Config(), ims=ImsConfig(challenge_always=False)))
    rig.register()
    answer = rig.request(subscribe(rig))
    assert (answer.status, answer.first("Expires"), bool(answer.to.tag)) == (200, "600000", True)
    ((message, info),) = notified(rig)
    assert (message.uri, message.first("Route"), message.to.tag, message.from_.tag, message.first("Event")) == (
        "sip:10.46.0.1:5060", f"<sip:term@pcscf.{DOMAIN};lr>", "o1", answer.to.tag, "reg")
    assert message.first("Subscription-State") == "active;expires=600000"
    assert (info.version, info.full) == (0, True)
    assert [each.aor for each in info.registrations] == [f"sip:+15550001@{DOMAIN}", tel(1)]
    (contact,) = info.registrations[0].contacts
    assert (contact.uri, contact.state, contact.event, contact.expires) == (
        "sip:10.46.0.1:5060", "active", "registered", 600_000)
    assert ("+g.3gpp.smsip", "") in contact.params
    rig.request(rig.register_request(rig.phones[0], protected="yes"))
    (_, info) = notified(rig)[1]
    assert (info.version, info.full, info.registrations[0].contacts[0].event) == (1, False, "refreshed")
    rig.loop.tell("scscf", Deregister(impi(1)))
    rig.run(0.1)
    message, info = notified(rig)[2]
    assert (message.first("Subscription-State"), message.cseq.number) == ("terminated;reason=noresource", 3)
    registration = info.registrations[0]
    assert (registration.state, registration.contacts[0].state, registration.contacts[0].event) == (
        "terminated", "terminated", "deactivated")
    rig.clean()


def test_a_subscription_is_refreshed_and_ended() -> None:
    rig = Rig()
    rig.register()
    answer = rig.request(subscribe(rig, expires=100))
    rig.run(50)
    again = rig.request(subscribe(rig, expires=100, cseq=2, to=answer.first("To") or ""))
    assert again.status == 200
    rig.run(60)
    assert len(notified(rig)) == 2
    rig.request(subscribe(rig, expires=0, cseq=3, to=answer.first("To") or ""))
    assert notified(rig)[-1][0].first("Subscription-State") == "terminated;reason=timeout"
    assert not rig.scscf.users[impi(1)].watchers
    rig.request(subscribe(rig, expires=100))
    rig.run(101)
    assert notified(rig)[-1][0].first("Subscription-State") == "terminated;reason=timeout"
    rig.loop.tell("scscf", Deregister(impi(1)))
    rig.clean()


def test_who_may_watch() -> None:
    rig = Rig()
    rig.register(1)
    rig.register(2)
    assert rig.request(subscribe(rig, who=2)).status == 403
    assert "of this registration set" in rig.verdicts()[-1]
    message = subscribe(rig)
    message.set("P-Asserted-Identity", f"<sip:pcscf.{DOMAIN}>")
    assert rig.request(message).status == 200
    assert rig.request(subscribe(rig, who=3)).status == 404
    assert rig.request(subscribe(rig, to=f"<{tel(1)}>;tag=unknown")).status == 481
    for number in (1, 2):
        rig.loop.tell("scscf", Deregister(impi(number)))
    rig.clean()


def test_a_watcher_that_is_gone() -> None:
    rig = Rig()
    rig.register()
    rig.pcscf.script = lambda request: 481 if request.method == "NOTIFY" else 200
    rig.request(subscribe(rig))
    assert not rig.scscf.users[impi(1)].watchers
    rig.pcscf.script = lambda request: None
    rig.request(subscribe(rig))
    rig.run(40)
    assert not rig.scscf.users[impi(1)].watchers
    assert "a NOTIFY was not taken: no answer" in rig.verdicts()[-1]
    rig.loop.tell("scscf", Deregister(impi(1)))
    rig.clean()


def test_the_number_of_watchers_is_bounded() -> None:
    rig = Rig()
    rig.register()
    for number in range(20):
        message = subscribe(rig)
        message.set("Call-ID", f"sub-{number}")
        assert rig.request(message).status == 200
    assert len(rig.scscf.users[impi(1)].watchers) == 8
    rig.loop.tell("scscf", Deregister(impi(1)))
    rig.clean()
