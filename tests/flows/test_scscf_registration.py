# SPDX-License-Identifier: Apache-2.0
"""Registration at the S-CSCF: every branch of TS 24.229, 5.4.1, between a scripted P-CSCF and an HSS on paper."""

import base64
from dataclasses import replace

import pytest
from scscf_rig import CK, DOMAIN, IK, Rig, contacts, impi, subscription, tel

from dialtone.codec import ims_subscription
from dialtone.codec.diameter import (
    AssignmentType,
    DeregistrationReason,
    MultimediaAuthRequest,
    PushProfileRequest,
    ReasonCode,
    RegistrationTerminationRequest,
    ServerAssignmentRequest,
    UserAuthorizationRequest,
)
from dialtone.codec.ims_subscription import ApplicationServer, InitialFilterCriteria, Spt, TriggerPoint
from dialtone.codec.sip import AuthParams
from dialtone.config import Config
from dialtone.config_ims import ImsConfig
from dialtone.scscf.deregistration import Deregister
from dialtone.scscf.states import RegistrationState


def session(**fields: str) -> dict[str, str]:
    return {"session_id": "hss;1", "origin_host": "hss", "origin_realm": DOMAIN, "destination_host": f"scscf.{DOMAIN}",
            "destination_realm": DOMAIN, "user_name": impi(1)} | fields


def leave(rig: Rig) -> None:
    for user in list(rig.scscf.users.values()):
        rig.loop.tell("scscf", Deregister(user.impi))
    rig.run(0.1)
    rig.clean()


def test_two_round_trips() -> None:
    rig = Rig()
    question = rig.request(rig.register_request(rig.phones[0]))
    asked = AuthParams.parse(question.first("WWW-Authenticate") or "")
    assert (question.status, asked.get("realm"), asked.get("algorithm"), asked.get("qop")) == (
        401, DOMAIN, "AKAv1-MD5", "auth")
    assert (bytes.fromhex(asked.get("ck")), bytes.fromhex(asked.get("ik"))) == (CK, IK)
    assert len(base64.b64decode(asked.get("nonce"))) == 32
    answer = rig.request(rig.register_request(rig.phones[0], authorization=rig.credentials(rig.phones[0], question)))
    assert answer.status == 200
    assert answer.all("P-Associated-URI") == [f"<sip:+15550001@{DOMAIN}>", f"<{tel(1)}>"]  # not the barred one
    assert answer.first("Service-Route") == f"<sip:orig@scscf.{DOMAIN};lr>"
    assert answer.first("Path") == f"<sip:term@pcscf.{DOMAIN};lr>"
    (contact,) = contacts(answer)
    assert (contact.uri, contact.params["expires"], "+g.3gpp.smsip" in contact.params) == (
        "sip:10.46.0.1:5060", "600000", True)
    kinds = [type(each) for each in rig.hss.asked]
    assert kinds == [UserAuthorizationRequest, MultimediaAuthRequest, UserAuthorizationRequest, ServerAssignmentRequest]
    assert rig.hss.asked[0].visited_network_identifier == DOMAIN.encode()
    assert rig.hss.asked[3].server_assignment_type == AssignmentType.REGISTRATION
    leave(rig)


@pytest.mark.parametrize("qop", ["auth", "auth-int", ""])
@pytest.mark.parametrize("algorithm", ["AKAv1-MD5", "AKAv2-MD5"])
def test_algorithms_and_qualities(algorithm: str, qop: str) -> None:
    rig = Rig()
    phone = rig.phones[0]
    question = rig.request(rig.register_request(phone, authorization=(
        f'Digest username="{impi(1)}",realm="{DOMAIN}",nonce="",uri="sip:{DOMAIN}",response="",algorithm={algorithm}')))
    assert AuthParams.parse(question.first("WWW-Authenticate") or "").get("algorithm") == algorithm
    answer = rig.request(rig.register_request(phone, authorization=rig.credentials(phone, question, qop=qop)))
    assert answer.status == 200
    leave(rig)


def test_a_phone_without_authorization_is_known_by_its_public_identity() -> None:
    rig = Rig()
    message = rig.register_request(rig.phones[0])
    message.remove("Authorization")
    assert rig.request(message).status == 401
    assert rig.hss.asked[0].user_name == impi(1)
    rig.clean()


def test_a_wrong_answer() -> None:
    rig = Rig()
    phone = rig.phones[0]
    question = rig.request(rig.register_request(phone))
    answer = rig.request(rig.register_request(phone, authorization=rig.credentials(phone, question, xres=bytes(8))))
    assert (answer.status, answer.reason) == (403, "Authentication failed")
    assert rig.hss.asked[-1].server_assignment_type == AssignmentType.AUTHENTICATION_FAILURE
    assert rig.scscf.users == {}
    rig.clean()


@pytest.mark.parametrize("changed", [{"uri": "sip:other.org"}, {"algorithm": "MD5"}, {"response": "0" * 32},
                                     {"realm": "other.org"}, {"username": impi(2)}, {"cnonce": "x"}])
def test_answers_to_another_question(changed: dict[str, str]) -> None:
    rig = Rig()
    phone = rig.phones[0]
    question = rig.request(rig.register_request(phone))
    answer = rig.request(rig.register_request(phone, authorization=rig.credentials(phone, question, **changed)))
    assert answer.status in (403, 401)
    assert not any(user.contacts for user in rig.scscf.users.values())
    rig.clean()


def test_a_replayed_answer_gets_a_new_question() -> None:
    rig = Rig()
    phone = rig.phones[0]
    question = rig.request(rig.register_request(phone))
    credentials = rig.credentials(phone, question)
    assert rig.request(rig.register_request(phone, authorization=credentials)).status == 200
    again = rig.request(rig.register_request(phone, authorization=credentials))
    assert again.status == 401
    assert again.first("WWW-Authenticate") != question.first("WWW-Authenticate")
    leave(rig)


def test_the_card_did_not_verify_the_network() -> None:
    rig = Rig()
    phone = rig.phones[0]
    question = rig.request(rig.register_request(phone))
    answer = rig.request(rig.register_request(phone, authorization=rig.credentials(phone, question, response="")))
    assert (answer.status, answer.reason) == (403, "The SIM could not verify this network")
    rig.clean()


def test_the_s_cscf_resynchronises() -> None:
    rig = Rig()
    phone = rig.phones[0]
    question = rig.request(rig.register_request(phone))
    auts = bytes(range(14))
    again = rig.request(rig.register_request(phone, authorization=rig.credentials(
        phone, question, response="", auts=base64.b64encode(auts).decode())))
    assert again.status == 401
    item = rig.hss.asked[-1].sip_auth_data_item
    assert item.sip_authorization == (1).to_bytes(16, "big") + auts  # RAND of the question, then AUTS
    answer = rig.request(rig.register_request(phone, authorization=rig.credentials(phone, again)))
    assert answer.status == 200
    leave(rig)


def test_auts_that_is_no_base64() -> None:
    rig = Rig()
    phone = rig.phones[0]
    question = rig.request(rig.register_request(phone))
    answer = rig.request(rig.register_request(phone, authorization=rig.credentials(
        phone, question, response="", auts="?")))
    assert answer.status == 400
    rig.clean()


def test_the_phone_never_answers() -> None:
    rig = Rig()
    rig.request(rig.register_request(rig.phones[0]))
    assert rig.scscf.users[impi(1)].challenge is not None
    rig.run(239)
    assert rig.scscf.users
    rig.run(2)
    assert rig.scscf.users == {}
    assert rig.hss.asked[-1].server_assignment_type == AssignmentType.AUTHENTICATION_TIMEOUT
    assert "did not answer the challenge" in rig.verdicts()[-1]
    rig.clean()


@pytest.mark.parametrize("always", [True, False])
def test_registering_again(always: bool) -> None:
    """With the security association as proof a new challenge is a matter of policy (TS 24.229, 5.4.1.2.2)."""
    rig = Rig(replace(Config(), ims=ImsConfig(challenge_always=always)))
    rig.register()
    answer = rig.request(rig.register_request(rig.phones[0], protected="yes"))
    assert answer.status == (401 if always else 200)
    if not always:
        assert rig.hss.asked[-1].server_assignment_type == AssignmentType.RE_REGISTRATION
        assert rig.request(rig.register_request(rig.phones[0], protected="no")).status == 401  # without IPsec
    leave(rig)


def test_a_failed_challenge_leaves_the_old_registration() -> None:
    rig = Rig()
    rig.register()
    phone = rig.phones[0]
    question = rig.request(rig.register_request(phone))
    rig.request(rig.register_request(phone, authorization=rig.credentials(phone, question, xres=b"wrong")))
    assert rig.scscf.users[impi(1)].state is RegistrationState.REGISTERED
    leave(rig)


@pytest.mark.parametrize(("command", "code", "status", "text"), [
    ("UserAuthorizationRequest", 5001, 403, "does not know this subscriber"),
    ("UserAuthorizationRequest", 5002, 403, "belong to different subscribers"),
    ("UserAuthorizationRequest", 5004, 403, "may not use this network"),
    ("UserAuthorizationRequest", 3002, 403, "refused with 3002"),
    ("UserAuthorizationRequest", None, 504, "does not answer"),
    ("MultimediaAuthRequest", 5006, 403, "cannot authenticate"),
    ("MultimediaAuthRequest", None, 504, "does not answer"),
])
def test_an_hss_that_refuses_or_is_silent(command: str, code: int | None, status: int, text: str) -> None:
    rig = Rig()
    rig.hss.say[command] = code
    answer = rig.request(rig.register_request(rig.phones[0]), 5)
    assert (answer.status, text in answer.reason) == (status, True), answer.reason
    rig.clean()


@pytest.mark.parametrize(("code", "status"), [(5012, 403), (None, 504)])
def test_an_hss_that_does_not_assign(code: int | None, status: int) -> None:
    rig = Rig()
    rig.hss.say["ServerAssignmentRequest"] = code
    phone = rig.phones[0]
    question = rig.request(rig.register_request(phone))
    answer = rig.request(rig.register_request(phone, authorization=rig.credentials(phone, question)), 5)
    assert answer.status == status
    assert rig.scscf.users == {}
    rig.clean()


def test_somebody_elses_identity() -> None:
    rig = Rig()
    message = rig.register_request(rig.phones[0])
    message.set("To", f"<{rig.phones[1].impu}>")
    assert "belong to different subscribers" in rig.request(message).reason
    rig.clean()


@pytest.mark.parametrize(("name", "value", "status"), [
    ("Require", "path, flux", 420), ("Contact", "<sip:a@10.46.0.1>;expires=59", 423), ("Contact", "*", 400),
    ("P-Visited-Network-ID", "", 400), ("Contact", ", ".join(f"<sip:a{n}@10.46.0.1>" for n in range(9)), 403),
    ("Authorization", "?", 400), ("Contact", "nonsense", 400),
])
def test_registers_that_cannot_be(name: str, value: str, status: int) -> None:
    rig = Rig()
    message = rig.register_request(rig.phones[0])
    message.set(name, *([value] if value else []))
    if not value:
        message.remove(name)
    answer = rig.request(message)
    assert answer.status == status
    assert answer.first({420: "Unsupported", 423: "Min-Expires"}.get(status, "Via")) in (
        "flux", "60", answer.first("Via"))
    rig.clean()


def test_another_domain() -> None:
    rig = Rig()
    message = rig.register_request(rig.phones[0])
    message.uri = "sip:ims.mnc01.mcc001.3gppnetwork.org"
    answer = rig.request(message)
    assert (answer.status, "ims.mnc01.mcc001" in answer.reason) == (404, True)
    rig.clean()


@pytest.mark.parametrize(("asked", "granted"), [(60, 60), (3600, 3600), (10_000_000, 600_000)])
def test_any_expiry_from_a_minute_on_is_granted(asked: int, granted: int) -> None:
    rig = Rig()
    assert contacts(rig.register(expires=asked))[0].params["expires"] == str(granted)
    leave(rig)


def test_the_phone_leaves() -> None:
    for contact in (None, "*"):
        rig = Rig()
        rig.register()
        answer = rig.register(expires=0, contact=contact)
        assert (answer.status, answer.all("Contact"), answer.all("Service-Route")) == (200, [], [])
        assert rig.hss.asked[-1].server_assignment_type == AssignmentType.USER_DEREGISTRATION
        assert "the phone said goodbye" in rig.verdicts()[-1]
        rig.clean()


def test_a_phone_that_was_never_here_leaves() -> None:
    rig = Rig()
    assert rig.register(expires=0).status == 200
    rig.clean()


def test_a_phone_that_does_not_refresh() -> None:
    rig = Rig()
    rig.register(expires=600)
    rig.run(599)
    assert rig.scscf.users
    rig.run(2)
    assert rig.scscf.users == {}
    assert rig.hss.asked[-1].server_assignment_type == AssignmentType.TIMEOUT_DEREGISTRATION
    rig.clean()


def test_the_hss_ends_the_registration() -> None:
    for named in ({}, {"public_identity": (tel(1),), "user_name": "nobody"}):
        rig = Rig()
        rig.register()
        answer = rig.to_hss(RegistrationTerminationRequest(
            **session(**named), deregistration_reason=DeregistrationReason(  # type: ignore[arg-type]
                reason_code=ReasonCode.PERMANENT_TERMINATION)))
        assert answer.result_code == 2001
        assert rig.scscf.users == {}
        assert rig.hss.asked[-1].server_assignment_type == AssignmentType.REGISTRATION  # it knows by itself
        rig.clean()


def test_by_command() -> None:
    rig = Rig()
    rig.register()
    rig.loop.tell("scscf", Deregister(impi(1)))
    rig.loop.tell("scscf", Deregister(impi(7)))
    rig.run(0.1)
    assert rig.hss.asked[-1].server_assignment_type == AssignmentType.ADMINISTRATIVE_DEREGISTRATION
    rig.clean()


def test_a_thousand_contacts() -> None:
    """A new one takes the place of the oldest, and memory is bounded."""
    rig = Rig(replace(Config(), ims=ImsConfig(challenge_always=False)))
    rig.register(contact="<sip:10.46.0.1:1000>")
    for port in range(1001, 1050):
        answer = rig.request(rig.register_request(rig.phones[0], contact=f"<sip:10.46.0.1:{port}>", protected="yes"))
        assert answer.status == 200
    assert len(rig.scscf.users[impi(1)].contacts) == 8
    assert contacts(answer)[-1].uri == "sip:10.46.0.1:1049"
    leave(rig)


def test_the_same_phone_with_a_new_address_replaces_itself() -> None:
    rig = Rig()
    rig.register()
    rig.phones[0].contact = "sip:10.46.0.9:6300"
    answer = rig.register()
    assert [contact.uri for contact in contacts(answer)] == ["sip:10.46.0.9:6300"]
    leave(rig)


REGISTERS = InitialFilterCriteria(1, ApplicationServer(f"sip:sms.{DOMAIN}", include_register_request=True),
                                  TriggerPoint(True, (Spt("Method", "REGISTER"),)))


def test_application_servers_hear_of_it() -> None:
    rig = Rig(criteria=(REGISTERS, replace(REGISTERS, server=ApplicationServer("sip:unknown.example.org"))))
    rig.register()
    (first,) = rig.server.requests("REGISTER")
    assert first.uri == f"sip:sms.{DOMAIN}"
    assert (first.to.uri, first.first("Expires"), first.content_type) == (
        f"sip:+15550001@{DOMAIN}", "600000", "message/sip")
    assert first.from_.uri == f"sip:scscf.{DOMAIN}"
    assert first.body.startswith(b"REGISTER sip:")
    leave(rig)
    last = rig.server.requests("REGISTER")[-1]
    assert (last.first("Expires"), last.cseq.number) == ("0", 2)


def test_the_profile_is_pushed() -> None:
    rig = Rig()
    rig.register()
    pushed = subscription(1, (InitialFilterCriteria(1, ApplicationServer(f"sip:sms.{DOMAIN}")),))
    answer = rig.to_hss(PushProfileRequest(**session(), user_data=ims_subscription.encode(pushed)))
    assert answer.result_code == 2001
    assert rig.scscf.users[impi(1)].subscription == pushed
    bad = rig.to_hss(PushProfileRequest(**session(), user_data=b"<no>"))
    assert bad.result_code == 5012
    unknown = rig.to_hss(PushProfileRequest(**session(user_name="nobody"), user_data=ims_subscription.encode(pushed)))
    assert unknown.result_code == 5012
    leave(rig)


def test_two_attempts_at_once() -> None:
    """The second question counts; the answer to the first one is asked anew."""
    rig = Rig()
    phone = rig.phones[0]
    first = rig.request(rig.register_request(phone))
    second = rig.request(rig.register_request(phone))
    assert rig.request(rig.register_request(phone, authorization=rig.credentials(phone, first))).status == 401
    assert second.status == 401
    rig.clean()

