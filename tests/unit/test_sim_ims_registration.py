# SPDX-License-Identifier: Apache-2.0
"""The simulated phone's registration: what it sends, what it insists on, when it tries again and when it gives up."""

from collections.abc import Callable
from ipaddress import IPv4Address

import pytest
from ims_core import DOMAIN, P_CSCF, TAI, Lab

from dialtone.codec import reginfo
from dialtone.codec.sip import AuthParams, SipRequest, SipResponse
from dialtone.sim.ims.client import PAIRS, ImsHandset
from dialtone.sim.ims.identity import Isim
from dialtone.sim.ims.registration import DeregisterCommand, RegisterCommand
from dialtone.sim.ims.states import RegistrationState
from dialtone.sim.phone import BearerIsDown
from dialtone.sim.power import BreakCommand, PowerCycle
from dialtone.sim.volte import PdnIsUp
from dialtone.sip.security_agreement import mechanisms

Message = SipRequest | SipResponse


def without(*names: str) -> Callable[[Message], Message]:
    """A change that takes header fields away."""

    def alter(message: Message) -> Message:
        for name in names:
            message.remove(name)
        return message

    return alter


def instead(name: str, *values: str) -> Callable[[Message], Message]:
    """A change that replaces a header field."""

    def alter(message: Message) -> Message:
        message.set(name, *values)
        return message

    return alter


@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_every_pair_of_algorithms(pair: tuple[str, str], transport: str) -> None:
    lab = Lab(handset=ImsHandset(transport=transport, mechanisms=(pair,))).connect()
    (client,) = lab.phones
    assert client.state == RegistrationState.REGISTERED
    assert lab.said() == [f"ok: registered for 600000 s as sip:+1001@{DOMAIN} ({pair[0]}, {pair[1]})",
                          f"ok: registered as sip:+1001@{DOMAIN}, and told of its state"]
    first, second = lab.sent("REGISTER")
    assert first.first("Contact").startswith("<sip:10.46.0.2:5060>;+sip.instance=")  # type: ignore[union-attr]
    assert first.options("Require") == first.options("Proxy-Require") == {"sec-agree"}
    assert not first.has("P-Access-Network-Info")
    assert not first.has("Security-Verify")
    assert (second.via.port, second.cseq.number, second.call_id) == (6301, 2, first.call_id)
    assert second.first("Security-Client") == first.first("Security-Client")
    assert second.first("P-Access-Network-Info") == "3GPP-E-UTRAN-FDD;utran-cell-id-3gpp=0010100010000001"
    assert (lab.core.requests[1][0].local_port, lab.core.requests[1][0].port) == (6300, 6100)
    assert {(sas.alg, sas.ealg) for sas in lab.sas.values()} == {pair}
    (subscribe,) = lab.sent("SUBSCRIBE")
    assert subscribe.all("Route") == [f"<sip:{P_CSCF}:6100;lr>", f"<sip:orig@scscf.{DOMAIN};lr>"]


@pytest.mark.parametrize("algorithm", ["AKAv1-MD5", "AKAv2-MD5"])
@pytest.mark.parametrize(("qop", "chosen"), [("auth,auth-int", "auth-int"), ("auth", "auth"), ("", "")])
def test_digests(algorithm: str, qop: str, chosen: str) -> None:
    lab = Lab()
    lab.core.algorithm, lab.core.qop = algorithm, qop
    lab.connect()
    assert lab.phones[0].state == RegistrationState.REGISTERED
    assert AuthParams.parse(lab.sent("REGISTER")[1].first("Authorization") or "").get("qop") == chosen


def test_one_port_for_both_roles_and_none_at_all() -> None:
    lab = Lab(handset=ImsHandset(one_port=True)).connect()
    (sas,) = lab.sas.values()
    assert sas.phone.port_c == sas.phone.port_s == 6301
    assert Lab(handset=ImsHandset(mechanisms=())).connect().said()[0].endswith("(without IPsec)")


def test_an_isim_wins_right_or_wrong() -> None:
    isim = Isim(f"other@{DOMAIN}", (f"sip:other@{DOMAIN}",), DOMAIN)
    lab = Lab(isim=isim).connect()
    assert f'username="other@{DOMAIN}"' in (lab.sent("REGISTER")[1].first("Authorization") or "")
    assert lab.sent("REGISTER")[1].first("To") == f"<sip:other@{DOMAIN}>"
    wrong = Lab(isim=Isim(f"other@{DOMAIN}", (f"sip:other@{DOMAIN}",), DOMAIN, k=bytes(16))).connect()
    assert "the card has another K or OPc" in wrong.said()[0]


def test_sequence_number_out_of_range_is_resynchronised() -> None:
    lab = Lab()
    lab.phones[0].usim.seq_ms = [1000] * 32
    lab.connect()
    assert lab.phones[0].state == RegistrationState.REGISTERED
    assert 'auts="' in (lab.sent("REGISTER")[1].first("Authorization") or "")
    assert len(lab.sent("REGISTER")) == 3


@pytest.mark.parametrize(("change", "why"), [
    (without("WWW-Authenticate"), "the 401 has no WWW-Authenticate"),
    (without("Security-Server"), "the challenge has no Security-Server"),
    (instead("Security-Server", "ipsec-3gpp;alg=hmac-md5-96;ealg=null;spi-c=1000;spi-s=1001;port-c=1;port-s=2;q=0.5",
             "ipsec-3gpp;alg=hmac-md5-96;ealg=aes-cbc;spi-c=1000;spi-s=1001;port-c=1;port-s=2;q=0.5"),
     "two mechanisms of the same preference"),
    (instead("WWW-Authenticate", f'Digest realm="{DOMAIN}",nonce="AAAA",algorithm=AKAv1-MD5'), "no RAND and AUTN"),
    (instead("WWW-Authenticate", f'Digest realm="{DOMAIN}",nonce="A",algorithm=MD5'), "digest algorithm 'MD5'"),
    (instead("WWW-Authenticate", f'Digest realm="{DOMAIN}",nonce="A",qop="other"'), "qop other"),
    (instead("WWW-Authenticate", f'Digest realm="{DOMAIN}",nonce="A",ck="00"'), "tells CK or IK"),
    (instead("WWW-Authenticate", 'Basic realm="x"'), "no realm or no nonce"),
])
def test_challenges_that_a_phone_does_not_answer(change: Callable[[Message], Message], why: str) -> None:
    lab = Lab()
    lab.core.alter["401 REGISTER"] = change
    lab.connect()
    assert why in lab.said()[0]
    assert len(lab.sent("REGISTER")) == 1
    assert lab.phones[0].state == RegistrationState.NOT_REGISTERED
    assert not lab.sas
    lab.core.alter.clear()
    lab.run(40)
    assert lab.phones[0].state == RegistrationState.REGISTERED
    assert lab.sent("REGISTER")[-1].call_id != lab.sent("REGISTER")[0].call_id


def test_an_algorithm_that_was_not_offered() -> None:
    lab = Lab(handset=ImsHandset(mechanisms=(("hmac-md5-96", "null"),)))
    lab.core.alter["401 REGISTER"] = instead(
        "Security-Server", "ipsec-3gpp;alg=hmac-sha-1-96;ealg=null;spi-c=1000;spi-s=1001;port-c=1;port-s=2")
    assert "no algorithms that the phone offered" in lab.connect().said()[0]


@pytest.mark.parametrize(("change", "why"), [
    (without("P-Associated-URI"), "no P-Associated-URI"),
    (instead("P-Associated-URI", "<sip:0398765432100>"), "has no domain"),
    (without("Contact"), "our contact is not in it"),
    (instead("Contact", "<sip:10.46.0.2:6301>;expires=0"), "our contact is not in it"),
])
def test_what_a_200_must_hold(change: Callable[[Message], Message], why: str) -> None:
    lab = Lab()
    lab.core.alter["200 REGISTER"] = change
    assert why in lab.connect().said()[0]
    assert not lab.sas


def refused(status: int, **headers: str) -> Callable[[Message], Message]:
    def alter(message: Message) -> Message:
        assert isinstance(message, SipResponse)
        message.status, message.reason = status, "No"
        for name, value in headers.items():
            message.set(name.replace("_", "-"), value)
        return message

    return alter


def test_gives_up_after_two_refused_answers() -> None:
    lab = Lab()
    lab.core.alter["200 REGISTER"] = refused(403)
    lab.connect(2000)
    assert [text.rpartition("; ")[2] for text in lab.said()] == [
        "the next try is in 30 s", "the phone gives up until it is switched off and on"]
    assert len(lab.sent("REGISTER")) == 4
    lab.core.alter.clear()
    lab.tell(lab.phones[0], PowerCycle())
    lab.tell(lab.phones[0], RegisterCommand())
    assert lab.phones[0].state == RegistrationState.REGISTERED


def test_waits_longer_and_longer() -> None:
    lab = Lab()
    lab.core.alter["401 REGISTER"] = refused(500)
    lab.connect(3000)
    waits = [int(text.split()[-2]) for text in lab.said()]
    assert waits[:7] == [30, 60, 120, 240, 480, 600, 600]


def test_retry_after_and_min_expires() -> None:
    lab = Lab()
    lab.core.alter["401 REGISTER"] = refused(503, Retry_After="7")
    lab.connect(5)
    lab.core.alter["401 REGISTER"] = refused(423, Min_Expires="700000")
    lab.run(4)
    assert lab.sent("REGISTER")[-1].first("Expires") == "700000"
    lab.core.alter.clear()
    lab.run(100)
    assert lab.phones[0].state == RegistrationState.REGISTERED


def test_no_answer() -> None:
    lab = Lab()
    lab.core.alter["401 REGISTER"] = lambda message: None
    lab.connect(130)
    assert lab.said() == ["failed: no answer to REGISTER; the next try is in 30 s"]


def test_refresh_at_half_time_on_new_sas() -> None:
    lab = Lab()
    lab.core.granted = 600
    lab.connect()
    (before,) = lab.sas.values()
    lab.run(301)
    after = [sas for sas in lab.sas.values() if sas != before]
    assert len(after) == 1
    assert before in lab.sas.values()  # the old ones carry on for a while
    assert {after[0].phone.spi_c, after[0].phone.spi_s}.isdisjoint({before.phone.spi_c, before.phone.spi_s})
    assert (after[0].phone.port_s, after[0].phone.port_c) == (6301, 6299)
    third, fourth = lab.sent("REGISTER")[2:]
    assert third.has("Security-Verify")
    assert (third.cseq.number, fourth.cseq.number) == (3, 4)
    lab.run(130)
    assert list(lab.sas.values()) == after
    assert lab.phones[0].state == RegistrationState.REGISTERED


def test_refresh_without_an_answer_begins_anew() -> None:
    lab = Lab()
    lab.core.granted = 600
    lab.connect()
    lab.core.alter["401 REGISTER"] = lambda message: None
    lab.run(301 + 130)
    assert lab.phones[0].state == RegistrationState.NOT_REGISTERED
    assert not lab.sas
    lab.core.alter.clear()
    lab.run(31)
    assert lab.phones[0].state == RegistrationState.REGISTERED


def test_leaving_and_then_the_phone_detaches() -> None:
    lab = Lab().connect()
    client = lab.phones[0]
    lab.tell(client, DeregisterCommand())
    assert client.state == RegistrationState.NOT_REGISTERED
    assert lab.said()[-1] == "ok: de-registered from IMS"
    assert lab.sent("REGISTER")[-1].first("Expires") == "0"
    assert not lab.sas
    lab.run(1_000_000)
    assert len(lab.sent("REGISTER")) == 4  # the last one and its challenge; nothing more
    lab.tell(client, DeregisterCommand())
    assert lab.said()[-1] == "ok: was not registered"


def test_the_network_ends_it() -> None:
    lab = Lab().connect()
    client, core = lab.phones[0], lab.core
    for event, again in (("rejected", False), ("deactivated", True)):
        lab.tell(client, RegisterCommand())
        (subscribe,) = lab.sent("SUBSCRIBE")[-1:]
        gone = tuple(reginfo.RegistrationInfo(uri, "a", "terminated", (
            reginfo.ContactInfo("c", "sip:x", "terminated", event),)) for uri in core.identities("1001"))
        core._tell(client.name, core.contacts["1001"][1], core.notify(subscribe, gone, 2))
        lab.run(1)
        assert (client.state == RegistrationState.REGISTERED) is again
        assert f"the network ended the registration ({event})" in " ".join(lab.said())


def test_subscription_is_checked() -> None:
    for alter, why in (
        ({"200 SUBSCRIBE": refused(403)}, "SUBSCRIBE refused: 403 No"),
        ({"NOTIFY": lambda message: None}, "no NOTIFY came for the subscription; the phone registers again"),
    ):
        lab = Lab()
        lab.core.alter.update(alter)  # type: ignore[arg-type]
        lab.connect(140)
        assert any(why in text for text in lab.said()), lab.said()
    lab = Lab()
    lab.core.identities = lambda number: (f"sip:+{number}@{DOMAIN}",)  # type: ignore[method-assign]
    lab.core.alter["200 REGISTER"] = instead("P-Associated-URI", f"<sip:+1001@{DOMAIN}>", "<tel:+1001>")
    lab.connect()
    assert lab.said()[-1] == "failed: the NOTIFY leaves out tel:+1001, which the 200 to REGISTER gave"


def test_a_notify_that_is_none_of_ours() -> None:
    lab = Lab().connect()
    client, core = lab.phones[0], lab.core
    notify = core.notify(lab.sent("SUBSCRIBE")[0], (), 2)
    for name, value, status in (("Call-ID", "other", "481"), ("Event", "presence", "489")):
        changed = notify.copy()
        changed.set(name, value)
        changed.set("Via", str(core._via(6100)))
        core._tell(client.name, core.contacts["1001"][1], changed)
        lab.run(0.1)
        assert lab.names()[-1].startswith(status)


def test_connection_without_a_p_cscf_and_loss_of_it() -> None:
    lab = Lab()
    client = lab.phones[0]
    lab.tell(client, PdnIsUp(6, "ims", IPv4Address("10.46.0.2"), (), TAI))
    assert "named no P-CSCF" in lab.said()[0]
    lab.tell(client, BearerIsDown(6))
    lab.tell(client, RegisterCommand())
    assert "no IMS connection" in lab.said()[-1]
    lab.connect()
    assert client.registered
    lab.tell(client, BearerIsDown(6))
    assert (client.state, lab.sas, client.registered) == (RegistrationState.NO_CONNECTION, {}, False)


def test_a_kernel_without_ipsec() -> None:
    lab = Lab()
    lab.refuse_sas = True
    assert "does not take the security associations" in lab.connect().said()[0]


@pytest.mark.parametrize(("fault", "requests", "state"), [
    ("no_sip", 0, RegistrationState.NOT_REGISTERED),
    ("silent_after_401", 1, RegistrationState.REGISTERING),
    ("no_security_client", 2, RegistrationState.REGISTERED),
])
def test_faults(fault: str, requests: int, state: RegistrationState) -> None:
    lab = Lab()
    lab.tell(lab.phones[0], BreakCommand(fault))
    lab.connect()
    assert (len(lab.sent("REGISTER")), lab.phones[0].state) == (requests, state)


def test_faults_that_are_seen_in_the_message() -> None:
    lab = Lab()
    lab.tell(lab.phones[0], BreakCommand("wrong_security_verify"))
    lab.connect()
    assert lab.sent("REGISTER")[1].first("Security-Verify").endswith("port-s=61001")  # type: ignore[union-attr]
    lab = Lab()
    lab.tell(lab.phones[0], BreakCommand("no_smsip"))
    lab.connect()
    assert "smsip" not in (lab.sent("REGISTER")[0].first("Contact") or "")
    lab = Lab()
    lab.tell(lab.phones[0], BreakCommand("wrong_ipsec_key"))
    lab.connect()
    assert set(next(iter(lab.sas.values())).integrity) == {0}


def test_offers_are_what_the_network_reads() -> None:
    lab = Lab().connect()
    offer = mechanisms(lab.sent("REGISTER")[0], "Security-Client")
    assert [(one.alg, one.ealg) for one in offer] == list(PAIRS)
    assert len({(one.spi_c, one.spi_s) for one in offer}) == 1
