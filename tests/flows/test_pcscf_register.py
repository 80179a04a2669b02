# SPDX-License-Identifier: Apache-2.0
"""Registration at the P-CSCF (TS 24.229, 5.2.2; TS 33.203, 7)."""

from dataclasses import replace

import pytest
from pcscf_rig import CK, DOMAIN, IK, IMPI, NUMBER, ROUTE, Phone, Rig, messages

from dialtone.codec import sip
from dialtone.codec.sip import AuthParams
from dialtone.config_ims import ImsConfig
from dialtone.effects import ConnectionGone, EspRefused, SaExpired
from dialtone.pcscf.timers import OLD_SAS, REG_AWAIT_AUTH
from dialtone.sip.security_agreement import Mechanism


def test_a_phone_registers_over_ipsec() -> None:
    rig, phone = Rig(), Phone()
    happened = rig.gm(phone.clear, phone.register(verify=""))
    ((point, peer, first),) = happened
    assert (point, peer) == ("Mw", "scscf")
    assert first.first("Path") == f"<sip:term@pcscf.{DOMAIN};lr>"
    assert first.first("P-Visited-Network-ID") == DOMAIN
    assert "icid-value=" in first.first("P-Charging-Vector")
    assert AuthParams.parse(first.first("Authorization")).get("integrity-protected") == "no"
    assert not {"Security-Client", "Proxy-Require"} & {line.text.partition(":")[0] for line in first.lines}
    assert first.all("Require") == ["path"]
    assert rig.pcscf.registrations == {}  # nothing is kept before the S-CSCF has spoken

    happened = rig.challenge(first)
    assert [entry[0] for entry in happened] == ["install", "Gm"]  # the SAs before the 401
    sas, answer = happened[0][1], happened[1][2]
    assert happened[1][1] == phone.clear
    assert "ck" not in AuthParams.parse(answer.first("WWW-Authenticate")).params
    assert CK not in sip.encode(answer).decode()
    assert IK not in sip.encode(answer).decode()
    server = Mechanism.parse(answer.first("Security-Server"))
    assert (server.alg, server.ealg, server.port_s, server.port_c) == ("hmac-md5-96", "null", 6100, 6101)
    assert (sas.phone.spi_c, sas.phone.spi_s, sas.integrity.hex(), sas.encryption) == (1001, 1002, IK, b"")
    assert (sas.network.spi_c, sas.network.spi_s) == (server.spi_c, server.spi_s)

    phone.server = answer.first("Security-Server")
    ((_, _, second),) = rig.gm(phone.protected, phone.register(response="5a"))
    assert AuthParams.parse(second.first("Authorization")).get("integrity-protected") == "yes"
    assert not second.has("Security-Verify")
    happened = rig.accept(second)
    assert [entry[0] for entry in happened] == ["keep", "Gm", "Mw"]  # and our own SUBSCRIBE
    assert happened[1][1] == "udp:10.46.0.2:6300/6101"  # port-c to port-s, on an SA of the phone's
    assert not happened[1][2].has("P-Charging-Vector")
    (registration,) = rig.pcscf.registrations.values()
    assert registration.identities == [NUMBER, "tel:+15550100"]
    assert registration.routes == [ROUTE]
    assert rig.verdicts() == [f"ok: Registered as {NUMBER} for 3600 s, with hmac-md5-96 with null."]


def test_over_tcp_answers_stay_on_the_connection() -> None:
    rig, phone = Rig(), Phone(transport="tcp")
    rig.register(phone)
    assert [entry[1] for entry in rig.log if entry[0] == "Gm"] == ["tcp:10.46.0.2:5060/5060", "tcp:10.46.0.2:6200/6100"]


def test_one_port_for_both_roles() -> None:
    rig, phone = Rig(), Phone(port_c=5080, port_s=5080)
    assert rig.register(phone).status == 200
    assert [entry[1] for entry in rig.log if entry[0] == "Gm"][-1] == "udp:10.46.0.2:5080/6101"


def test_rport_is_answered_where_it_came_from() -> None:
    rig, phone = Rig(), Phone()
    rig.register(phone)
    data = phone.register(response="5a").replace(b";branch", b";rport;branch")
    (again,) = messages(rig.gm(phone.protected, data), "Mw")
    rig.accept(again)
    assert rig.log[-1][1] == "udp:10.46.0.2:6200/6100"


def test_re_registration_keeps_the_old_sas_until_the_new_ones_carry() -> None:
    rig, phone = Rig(), Phone()
    rig.register(phone)
    old = phone.server
    newer = replace(phone, port_c=6202, spi=3001, cseq=20)
    (again,) = messages(rig.gm(phone.protected, newer.register(response="5a", verify=old)), "Mw")
    happened = rig.challenge(again)
    assert [entry[0] for entry in happened] == ["install", "Gm"]
    assert happened[1][1] == "udp:10.46.0.2:6300/6101"  # by the old SAs
    newer.server = happened[1][2].first("Security-Server")
    assert Mechanism.parse(newer.server).port_s == Mechanism.parse(old).port_s
    assert Mechanism.parse(newer.server).port_c != Mechanism.parse(old).port_c
    assert len(rig.kernel) == 2
    text = phone.request("MESSAGE", NUMBER)  # still by the old ones
    assert len(messages(rig.gm(phone.protected, text), "Mw")) == 1
    (last,) = messages(rig.gm(newer.protected, newer.register(response="5b")), "Mw")
    happened = rig.accept(last)
    assert [entry[0] for entry in happened] == ["keep", "Gm"]
    assert happened[1][1] == "udp:10.46.0.2:6300/6102"
    assert len(messages(rig.gm(phone.protected, phone.request("MESSAGE", NUMBER)), "Mw")) == 1  # on its way
    assert [entry[0] for entry in rig.run(OLD_SAS + 1) if entry[0] == "remove"] == ["remove"]
    assert len(rig.kernel) == 1
    (refused,) = messages(rig.gm(phone.protected, phone.request("MESSAGE", NUMBER)), "Gm")
    assert refused.status == 403
    assert len(messages(rig.gm(newer.protected, newer.request("MESSAGE", NUMBER)), "Mw")) == 1


def test_re_registration_from_the_same_port() -> None:
    rig, phone = Rig(), Phone()
    rig.register(phone)
    newer = replace(phone, spi=3001, cseq=20)
    (again,) = messages(rig.gm(phone.protected, newer.register(response="5a", verify=phone.server)), "Mw")
    newer.server = messages(rig.challenge(again), "Gm")[0].first("Security-Server")
    (last,) = messages(rig.gm(newer.protected, newer.register(response="5b")), "Mw")
    rig.accept(last)
    (registration,) = rig.pcscf.registrations.values()
    assert registration.current is not None
    assert registration.current.server == newer.server
    rig.run(OLD_SAS + 1)
    assert len(messages(rig.gm(newer.protected, newer.request("MESSAGE", NUMBER)), "Mw")) == 1


def test_the_same_spis_again_through_ipsec_are_refused_and_the_registration_stays() -> None:
    rig, phone = Rig(), Phone()
    rig.register(phone)
    (again,) = messages(rig.gm(phone.protected, phone.register(response="5a")), "Mw")
    (answer,) = messages(rig.challenge(again), "Gm")
    assert answer.status == 400
    assert len(rig.kernel) == 1
    assert len(messages(rig.gm(phone.protected, phone.request("MESSAGE", NUMBER)), "Mw")) == 1


def test_a_phone_that_was_switched_off_comes_back_with_the_same_numbers() -> None:
    rig, phone = Rig(), Phone()
    rig.register(phone)
    assert rig.register(phone).status == 200
    assert len(rig.kernel) == 1


def test_an_address_that_is_another_phones_now() -> None:
    rig, phone = Rig(), Phone()
    rig.register(phone)
    other = Phone(impi=f"001010000000002@{DOMAIN}", number=f"sip:+15550101@{DOMAIN}", spi=7001)
    rig.register(other)
    assert [key.impi for key in rig.pcscf.registrations] == [other.impi]
    assert len(rig.kernel) == 1


def test_a_challenge_that_nobody_answers_leaves_nothing() -> None:
    rig, phone = Rig(), Phone()
    (first,) = messages(rig.gm(phone.clear, phone.register(verify="")), "Mw")
    rig.challenge(first)
    rig.run(REG_AWAIT_AUTH + 1)
    assert (rig.kernel, rig.pcscf.registrations, rig.pcscf.by_place, rig.pcscf.by_spi) == ({}, {}, {}, {})
    assert rig.verdicts() == ["failed: The phone was challenged and did not answer within four minutes."]


def test_every_challenge_replaces_the_one_before() -> None:
    rig, phone = Rig(), Phone()
    for turn in range(20):
        phone.spi = 2000 + 2 * turn
        (first,) = messages(rig.gm(phone.clear, phone.register(verify="")), "Mw")
        rig.challenge(first)
        assert len(rig.kernel) == 1


def test_the_current_offer_decides_not_an_earlier_one() -> None:
    rig, phone = Rig(), Phone()
    (first,) = messages(rig.gm(phone.clear, phone.register(verify="")), "Mw")
    rig.challenge(first)
    phone.spi = 5001
    changed = phone.offer.replace("hmac-md5-96", "hmac-sha-1-96").replace("null", "aes-cbc")
    (second,) = messages(rig.gm(phone.clear, phone.register(verify="", offer=changed)), "Mw")
    (answer,) = messages(rig.challenge(second), "Gm")
    server = Mechanism.parse(answer.first("Security-Server"))
    assert (server.alg, server.ealg) == ("hmac-sha-1-96", "aes-cbc")


@pytest.mark.parametrize(("offer", "status"), [
    ("", 421), ("ipsec-3gpp;alg=hmac-sha-256-128;spi-c=1000;spi-s=1001;port-c=1;port-s=2", 494),
    ("ipsec-3gpp;alg=x;spi-c=y", 400)])
def test_without_a_usable_offer(offer: str, status: int) -> None:
    rig, phone = Rig(), Phone()
    (answer,) = messages(rig.gm(phone.clear, phone.register(verify="", offer=offer)), "Gm")
    assert answer.status == status
    assert not messages(rig.log, "Mw")


def test_a_subscriber_that_may_do_without_ipsec() -> None:
    rig, phone = Rig(plain=lambda impi: impi == IMPI), Phone(port_s=5060)
    (first,) = messages(rig.gm(phone.clear, phone.register(offer="", verify="")), "Mw")
    happened = rig.challenge(first)
    assert [entry[0] for entry in happened] == ["Gm"]
    assert not happened[0][2].has("Security-Server")
    assert "ck" not in AuthParams.parse(happened[0][2].first("WWW-Authenticate")).params
    (second,) = messages(rig.gm(phone.clear, phone.register(offer="", verify="", response="5a")), "Mw")
    assert AuthParams.parse(second.first("Authorization")).get("integrity-protected") == "ip-assoc-pending"
    rig.accept(second)
    assert len(messages(rig.gm(phone.clear, phone.request("MESSAGE", NUMBER)), "Mw")) == 1
    stranger = replace(phone, host="10.46.0.3")
    assert messages(rig.gm(stranger.clear, stranger.request("MESSAGE", NUMBER)), "Gm")[0].status == 403


@pytest.mark.parametrize("verify", ["", "ipsec-3gpp;alg=hmac-md5-96;spi-c=1;spi-s=2;port-c=3;port-s=4"])
def test_security_verify_must_be_right(verify: str) -> None:
    rig, phone = Rig(), Phone()
    (first,) = messages(rig.gm(phone.clear, phone.register(verify="")), "Mw")
    phone.server = messages(rig.challenge(first), "Gm")[0].first("Security-Server")
    (answer,) = messages(rig.gm(phone.protected, phone.register(response="5a", verify=verify)), "Gm")
    assert answer.status == 494


def test_another_identity_through_ones_own_sas() -> None:
    rig, phone = Rig(), Phone()
    rig.register(phone)
    phone.impi = f"001010000000002@{DOMAIN}"
    (answer,) = messages(rig.gm(phone.protected, phone.register(response="5a")), "Gm")
    assert answer.status == 403


@pytest.mark.parametrize(("contact", "status"), [
    ("<sip:10.46.0.9:6300>", 403), ("<sip:10.46.0.2>, <sip:10.46.0.2:7>", 400), ("<mailto:a@b>", 416), ("<sip:>", 400)])
def test_contacts_that_cannot_be(contact: str, status: int) -> None:
    rig, phone = Rig(), Phone()
    (answer,) = messages(rig.gm(phone.clear, phone.register(verify="", contact=contact)), "Gm")
    assert answer.status == status


def test_a_full_house_says_so() -> None:
    rig = Rig(ims=ImsConfig(phones=1))
    rig.register(Phone())
    other = Phone(host="10.46.0.3", impi=f"001010000000002@{DOMAIN}")
    (answer,) = messages(rig.gm(other.clear, other.register(verify="")), "Gm")
    assert (answer.status, answer.first("Retry-After")) == (503, "60")
    assert "[ims] phones is too small" in rig.verdicts()[-1]


def test_the_kernel_refuses() -> None:
    rig, phone = Rig(), Phone()
    rig.refuses = True
    (first,) = messages(rig.gm(phone.clear, phone.register(verify="")), "Mw")
    (answer,) = messages(rig.challenge(first), "Gm")
    assert answer.status == 500
    assert (rig.pcscf.registrations, rig.pcscf.by_spi, rig.pcscf.by_place) == ({}, {}, {})


@pytest.mark.parametrize("ck", ["", "00", "zz"])
def test_a_challenge_without_keys(ck: str) -> None:
    rig, phone = Rig(), Phone()
    (first,) = messages(rig.gm(phone.clear, phone.register(verify="")), "Mw")
    (answer,) = messages(rig.challenge(first, ck), "Gm")
    assert answer.status == 500
    assert rig.kernel == {}


def test_de_registration_takes_the_sas_after_the_answer() -> None:
    rig, phone = Rig(), Phone()
    rig.register(phone)
    (last,) = messages(rig.gm(phone.protected, phone.register(response="5c", expires=0)), "Mw")
    happened = rig.accept(last, 0)
    assert [entry[0] for entry in happened] == ["Gm"]
    assert messages(rig.gm(phone.protected, phone.request("MESSAGE", NUMBER)), "Gm")[0].status == 403
    assert len(rig.kernel) == 1
    rig.run(OLD_SAS + 1)
    assert (rig.kernel, rig.pcscf.registrations, rig.pcscf.by_contact, rig.pcscf.by_place) == ({}, {}, {}, {})


def test_registering_again_right_after_de_registration() -> None:
    rig, phone = Rig(), Phone()
    rig.register(phone)
    (last,) = messages(rig.gm(phone.protected, phone.register(response="5c", expires=0)), "Mw")
    rig.accept(last, 0)
    phone.spi = 4001
    assert rig.register(phone).status == 200
    rig.run(OLD_SAS + 1)
    assert len(messages(rig.gm(phone.protected, phone.request("MESSAGE", NUMBER)), "Mw")) == 1


def test_a_registration_that_is_not_renewed_ends() -> None:
    rig, phone = Rig(), Phone()
    rig.register(phone)
    rig.run(3631)
    assert (rig.kernel, rig.pcscf.registrations, rig.pcscf.by_contact, rig.pcscf.by_place) == ({}, {}, {}, {})


def test_an_sa_that_the_kernel_ended() -> None:
    rig, phone = Rig(), Phone()
    rig.register(phone)
    rig.tell(SaExpired("10.46.0.2", 4711))
    assert len(rig.kernel) == 1
    rig.tell(SaExpired("10.46.0.2", 1001))
    assert (rig.kernel, rig.pcscf.registrations) == ({}, {})


def test_refused_esp_is_said_in_words() -> None:
    rig, phone = Rig(), Phone()
    rig.register(phone)
    rig.tell(EspRefused("XfrmInStateProtoError", 3, "other keys", "10.46.0.2"))
    assert rig.verdicts()[-1] == "failed: XfrmInStateProtoError 3 times: other keys."
    assert [event.subject for event in rig.loop.bus.ring if event.point == "verdict"][-1] == "001010000000001"


def test_an_s_cscf_that_is_silent() -> None:
    rig, phone = Rig(), Phone()
    rig.gm(phone.clear, phone.register(verify=""))
    (answer,) = messages(rig.run(40), "Gm")
    assert answer.status == 504


@pytest.mark.parametrize("status", [403, 404, 423, 500, 600])
def test_what_the_s_cscf_refuses_reaches_the_phone(status: int) -> None:
    rig, phone = Rig(), Phone()
    (first,) = messages(rig.gm(phone.clear, phone.register(verify="")), "Mw")
    (answer,) = messages(rig.mw(sip.response(first, status)), "Gm")
    assert answer.status == status
    assert rig.pcscf.registrations == {}


@pytest.mark.parametrize(("host", "event"), [
    ("10.46.0.2", ConnectionGone(bytes((10, 46, 0, 2)), b"")),
    ("2001:db8:cafe:8001::7", ConnectionGone(b"", bytes.fromhex("20010db8cafe8001")))])
def test_with_its_connection_a_phone_loses_its_sas(host: str, event: ConnectionGone) -> None:
    rig, phone = Rig(), Phone()
    rig.register(phone)
    (registration,) = rig.pcscf.registrations.values()
    rig.tell(ConnectionGone(bytes((10, 46, 0, 9)), bytes(8)))
    assert len(rig.kernel) == 1
    registration.key = registration.key._replace(host=host)
    rig.pcscf.registrations = {registration.key: registration}
    rig.tell(event)
    assert (rig.kernel, rig.pcscf.registrations, rig.pcscf.by_spi, rig.pcscf.by_place) == ({}, {}, {}, {})
