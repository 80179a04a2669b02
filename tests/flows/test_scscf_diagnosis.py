# SPDX-License-Identifier: Apache-2.0
"""The verdicts on registrations, subscriptions and calls that fail, each produced by a fault, for either phone."""

import base64

import pytest
from scscf_rig import Rig, impi, tel
from test_scscf_events import subscribe

from dialtone.codec import sip
from dialtone.codec.sip import SipRequest, SipResponse
from dialtone.trace.diagnose import diagnose
from dialtone.trace.diagnose.verdict import Verdict


def said(rig: Rig, number: int = 1) -> Verdict:
    """The one failure of a phone."""
    (verdict,) = [each for each in diagnose(list(rig.loop.bus.ring), impi(number).partition("@")[0])
                  if each.rule.startswith("ims-")]
    assert verdict.evidence
    assert verdict.network or verdict.phone
    return verdict


both = pytest.mark.parametrize("number", [1, 2])


@both
def test_a_registration_that_works_is_not_complained_of(number: int) -> None:
    rig = Rig()
    rig.register(number)
    assert [each for each in diagnose(list(rig.loop.bus.ring)) if each.rule.startswith("ims-")] == []


@both
@pytest.mark.parametrize("domain", ["ims.mnc01.mcc001.3gppnetwork.org", "ims.mnc001.mcc001.pub.3gppnetwork.org",
                                    "ims.mnc002.mcc001.3gppnetwork.org"])
def test_another_domain_is_named(number: int, domain: str) -> None:
    rig = Rig()
    message = rig.register_request(rig.phones[number - 1])
    message.uri = f"sip:{domain}"
    rig.request(message)
    verdict = said(rig, number)
    assert verdict.rule == "ims-other-domain"
    assert domain in verdict.text


@both
@pytest.mark.parametrize("code", [5001, 5002])
def test_an_identity_that_nobody_has(number: int, code: int) -> None:
    rig = Rig()
    rig.hss.say["UserAuthorizationRequest"] = code
    rig.request(rig.register_request(rig.phones[number - 1]))
    verdict = said(rig, number)
    assert verdict.rule == "ims-unknown-subscriber"
    assert f"--impi {impi(number)}" in verdict.network


@both
def test_a_p_cscf_that_does_not_say_where_it_is(number: int) -> None:
    rig = Rig()
    message = rig.register_request(rig.phones[number - 1])
    message.remove("P-Visited-Network-ID")
    rig.request(message)
    assert said(rig, number).rule == "ims-no-visited-network"


@both
def test_a_resynchronisation_that_does_not_help(number: int) -> None:
    rig = Rig()
    phone = rig.phones[number - 1]
    question = rig.request(rig.register_request(phone))
    rig.hss.say["MultimediaAuthRequest"] = 5012
    rig.request(rig.register_request(phone, authorization=rig.credentials(
        phone, question, response="", auts=base64.b64encode(bytes(14)).decode())))
    verdict = said(rig, number)
    assert verdict.rule == "ims-resync-failed"
    assert "stale" in verdict.text


@both
def test_a_wrong_answer_is_taken_apart(number: int) -> None:
    rig = Rig()
    phone = rig.phones[number - 1]
    question = rig.request(rig.register_request(phone))
    rig.request(rig.register_request(phone, authorization=rig.credentials(phone, question, xres=b"other")))
    verdict = said(rig, number)
    assert verdict.rule == "ims-wrong-answer"
    assert f"username {impi(number)}" in verdict.text
    assert "qop auth" in verdict.text


@both
def test_an_expiry_that_is_refused_for_ever(number: int) -> None:
    rig = Rig()
    for _ in range(3):
        rig.request(rig.register_request(rig.phones[number - 1], expires=30))
    verdict = said(rig, number)
    assert verdict.rule == "ims-too-brief"
    assert "at least 60 s" in verdict.text


def test_a_subscription_with_somebody_elses_identity() -> None:
    rig = Rig()
    rig.register(1)
    rig.register(2)
    rig.request(subscribe(rig, who=2))
    verdict = said(rig)
    assert verdict.rule == "ims-no-notify"
    assert "refused (403" in verdict.text


def test_a_notify_that_does_not_arrive() -> None:
    rig = Rig()
    rig.register(1)
    rig.pcscf.script = lambda request: None
    rig.request(subscribe(rig))
    rig.run(40)
    verdict = said(rig)
    assert verdict.rule == "ims-no-notify"
    assert "outside of the security association" in verdict.text


@both
@pytest.mark.parametrize("method", ["INVITE", "MESSAGE"])
def test_a_number_that_nobody_has(number: int, method: str) -> None:
    rig = Rig()
    rig.register(number)
    rig.request(rig.outgoing(method, "tel:0399;phone-context=x", number))
    verdict = said(rig, number)
    assert verdict.rule == "ims-unknown-number"
    assert "tel:0399;phone-context=x" in verdict.text
    assert "country_code" in verdict.network


def test_a_busy_phone_is_no_unknown_number() -> None:
    rig = Rig()
    rig.register(1)
    rig.register(2)

    def busy(request: SipRequest) -> SipResponse | int:
        return sip.response(request, 486) if request.method == "INVITE" else 200

    rig.pcscf.script = busy
    rig.request(rig.outgoing("INVITE", tel(2)))
    assert [each for each in diagnose(list(rig.loop.bus.ring)) if each.rule.startswith("ims-")] == []
