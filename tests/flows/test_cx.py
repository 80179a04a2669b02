# SPDX-License-Identifier: Apache-2.0
"""Cx at our HSS, asked by a CSCF: registration, location, what each is answered with (TS 29.228, 6.1)."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cx_peer import CSCF_HOST, DOMAIN, IMPI, NUMBER, OURS, SCSCF, SIP, TEL, TEMPORARY, Cscf, code, network
from network import Network, imsi_of
from s6a_peer import IMSI, REALM, change_profile, command

from dialtone.codec import ims_subscription
from dialtone.codec.diameter import AssignmentType, AuthorizationType
from dialtone.codec.ims_subscription import ImsSubscription
from dialtone.config import Config
from dialtone.hss.store import Store
from dialtone.ids import Plmn

TYPE = AssignmentType


@pytest.fixture
def net(tmp_path: Path) -> Network:
    return network(tmp_path)


@pytest.fixture
def cscf(net: Network) -> Cscf:
    return Cscf(net)


def state(net: Network) -> tuple[str, str, bool] | None:
    found = net.store.ims_registration(IMSI)
    return None if found is None else (found.state, found.scscf, found.pending)


# ---- UAR -------------------------------------------------------------------------------------------------


def test_a_first_registration_may_choose(cscf: Cscf) -> None:
    answer = cscf.uar()
    assert code(answer) == ("experimental", 2001)
    assert answer.server_name is None
    assert answer.server_capabilities.server_name == (OURS,)
    assert answer.vendor_specific_application_id.auth_application_id == 16777216


def test_who_has_an_s_cscf_goes_there_again(net: Network, cscf: Cscf) -> None:
    cscf.mar()
    for _ in range(2):  # while it is authenticated, and when it is registered
        answer = cscf.uar()
        assert (code(answer), answer.server_name) == (("experimental", 2002), SCSCF)
        assert answer.server_capabilities is None
        cscf.sar()


@pytest.mark.parametrize(("fields", "wanted"), [
    ({"user_name": f"999@{DOMAIN}"}, 5001), ({"public_identity": "sip:nobody@example.org"}, 5001),
    ({"public_identity": f"sip:{imsi_of(2)}@{DOMAIN}"}, 5002)])
def test_identities_that_are_nobodys_or_anothers(cscf: Cscf, fields: dict[str, Any], wanted: int) -> None:
    assert code(cscf.uar(**fields)) == ("experimental", wanted)
    assert code(cscf.mar(**fields)) == ("experimental", wanted)
    fields = {name: (value,) if name == "public_identity" else value for name, value in fields.items()}
    assert code(cscf.sar(**fields)) == ("experimental", wanted)


def test_an_unknown_phone_is_noted(net: Network, cscf: Cscf) -> None:
    stranger = f"001019999999999@{DOMAIN}"
    assert code(cscf.uar(user_name=stranger, public_identity=f"sip:{stranger}")) == ("experimental", 5001)
    (seen,) = net.store.seen()
    assert (seen.imsi, seen.reason) == ("001019999999999", "tried to register for IMS")
    assert net.verdicts("hss")[-1].startswith("failed: nobody here has the identity 001019999999999@")


def test_roaming(net: Network, cscf: Cscf) -> None:
    change_profile(net, roaming=False)
    assert code(cscf.uar()) == ("experimental", 2001)
    for visited in (b"ims.mnc070.mcc999.3gppnetwork.org", b"evil-mnc001.mcc001.3gppnetwork.org", b"\xff"):
        assert code(cscf.uar(visited_network_identifier=visited)) == ("experimental", 5004)
    leaving = {"user_authorization_type": AuthorizationType.DE_REGISTRATION, "visited_network_identifier": b"x"}
    assert code(cscf.uar(**leaving)) == ("experimental", 5003), "the phone may leave from wherever it is"


def test_the_question_before_a_deregistration_changes_nothing(net: Network, cscf: Cscf) -> None:
    cscf.sar()
    answer = cscf.uar(user_authorization_type=AuthorizationType.DE_REGISTRATION)
    assert (code(answer), answer.server_name) == (("result", 2001), SCSCF)
    assert state(net) == ("registered", SCSCF, False)


def test_capabilities_when_they_are_asked_for(cscf: Cscf) -> None:
    cscf.sar()
    kind = {"user_authorization_type": AuthorizationType.REGISTRATION_AND_CAPABILITIES}
    for answer in (cscf.uar(**kind), cscf.lir(SIP, **kind)):
        assert code(answer) == ("result", 2001)
        assert (answer.server_name, answer.server_capabilities.server_name) == (None, (OURS,))


def test_a_configured_s_cscf_is_named(tmp_path: Path) -> None:
    config = Config()
    cscf = Cscf(network(tmp_path, config=replace(config, ims=replace(config.ims, scscf=SCSCF))))
    assert cscf.uar().server_capabilities.server_name == (SCSCF,)


@pytest.mark.parametrize(("mnc", "domain"), [
    ("010", "ims.mnc010.mcc001.3gppnetwork.org"), ("010", "ims.mnc001.mcc001.3gppnetwork.org"),
    ("01", "ims.mnc010.mcc001.3gppnetwork.org")])
def test_an_mnc_of_two_or_three_digits(tmp_path: Path, mnc: str, domain: str) -> None:
    config = Config()
    net = network(tmp_path, config=replace(config, network=replace(config.network, mcc="001", mnc=mnc)))
    cscf, impi = Cscf(net), f"{IMSI}@{domain}"
    assert net.config.network.plmn == Plmn("001", mnc)
    assert code(cscf.uar(user_name=impi, public_identity=f"sip:{impi}")) == ("experimental", 2001)
    assert code(cscf.mar(user_name=impi, public_identity=f"sip:{impi}")) == ("result", 2001)
    other = f"{IMSI}@ims.mnc011.mcc001.3gppnetwork.org"
    assert code(cscf.uar(user_name=other, public_identity=f"sip:{other}")) == ("experimental", 5001)


def test_identities_of_an_isim(tmp_path: Path) -> None:
    net = network(tmp_path)
    net.add_subscriber(imsi_of(3), impi="alice@example.org", impu="sip:alice@example.org|tel:+15550103")
    cscf = Cscf(net)
    answer = cscf.sar(user_name="alice@example.org", public_identity=("sip:Alice@example.org",))
    assert code(answer) == ("experimental", 5001), "the user part has case"
    answer = cscf.sar(user_name="alice@example.org", public_identity=("sip:alice@EXAMPLE.org;user=phone",))
    found = ims_subscription.decode(answer.user_data)
    assert [(each.identity, each.barred) for each in found.identities] == [
        ("sip:alice@example.org", False), ("tel:+15550103", False)]
    made = f"{imsi_of(3)}@{DOMAIN}"
    assert code(cscf.uar(user_name=made, public_identity=f"sip:{made}")) == ("experimental", 5001)


# ---- SAR -------------------------------------------------------------------------------------------------


def profile(answer: Any) -> ImsSubscription:
    assert code(answer) == ("result", 2001)
    return ims_subscription.decode(answer.user_data)


def test_the_profile_of_a_registered_user(net: Network, cscf: Cscf) -> None:
    found = profile(cscf.sar())
    assert found.private_id == IMPI
    assert [(each.identity, each.barred) for each in found.identities] == [
        (SIP, False), (TEL, False), (TEMPORARY, True)]
    register, message, page = found.profiles[0].criteria
    assert {one.server.name for one in (register, message, page)} == {f"sip:sms.{DOMAIN}"}
    assert [spt.value for spt in register.trigger.spts] == ["REGISTER"]  # type: ignore[union-attr]
    assert [(spt.kind, spt.value, spt.content) for spt in message.trigger.spts] == [  # type: ignore[union-attr]
        ("Method", "MESSAGE", ""), ("SIPHeader", "Content-Type", "application/vnd.3gpp.sms"), ("SessionCase", "0", "")]
    assert [(spt.kind, spt.value, spt.content) for spt in page.trigger.spts] == [  # type: ignore[union-attr]
        ("Method", "MESSAGE", ""), ("SIPHeader", "Content-Type", "text/plain"), ("SessionCase", "2", "")]
    assert state(net) == ("registered", SCSCF, False)
    assert cscf.sar(TYPE.RE_REGISTRATION, user_data_already_available=1).user_data is None


def test_a_user_without_a_number_is_not_barred(net: Network, cscf: Cscf) -> None:
    net.add_subscriber(IMSI, overwrite=True, msisdn="")
    assert [(each.identity, each.barred) for each in profile(cscf.sar()).identities] == [(TEMPORARY, False)]


def test_a_registration_is_on_the_disk(net: Network, cscf: Cscf, tmp_path: Path) -> None:
    cscf.sar()
    again = Store(tmp_path / "dialtone.db")
    found = again.ims_registration(IMSI)
    assert found is not None
    assert (found.scscf, found.host, found.realm, found.state) == (SCSCF, CSCF_HOST, REALM, "registered")
    again.close()


@pytest.mark.parametrize(("kinds", "wanted"), [
    ((TYPE.REGISTRATION, TYPE.RE_REGISTRATION), "registered"), ((TYPE.UNREGISTERED_USER,), "unregistered"),
    ((TYPE.REGISTRATION, TYPE.UNREGISTERED_USER), "unregistered"),
    ((TYPE.REGISTRATION, TYPE.NO_ASSIGNMENT), "registered"),
    ((TYPE.REGISTRATION, TYPE.TIMEOUT_DEREGISTRATION), None), ((TYPE.REGISTRATION, TYPE.USER_DEREGISTRATION), None),
    ((TYPE.REGISTRATION, TYPE.TIMEOUT_DEREGISTRATION_STORE_SERVER_NAME), "unregistered"),
    ((TYPE.REGISTRATION, TYPE.USER_DEREGISTRATION_STORE_SERVER_NAME), "unregistered"),
    ((TYPE.REGISTRATION, TYPE.ADMINISTRATIVE_DEREGISTRATION), None),
    ((TYPE.REGISTRATION, TYPE.DEREGISTRATION_TOO_MUCH_DATA), None),
    ((TYPE.REGISTRATION, TYPE.AUTHENTICATION_FAILURE), "registered"), ((TYPE.AUTHENTICATION_FAILURE,), None),
    ((TYPE.UNREGISTERED_USER, TYPE.AUTHENTICATION_TIMEOUT), None),
    ((TYPE.REGISTRATION, TYPE.RESTORATION), "registered"),
    ((TYPE.USER_DEREGISTRATION,), None)])
def test_what_becomes_of_a_registration(net: Network, cscf: Cscf, kinds: tuple[int, ...], wanted: str | None) -> None:
    for kind in kinds:
        answer = cscf.sar(kind)
        assert code(answer) == ("result", 2001)
        assert (answer.user_data is not None) == (kind in (0, 1, 2, 3, 14))
    found = state(net)
    assert (found and found[0]) == wanted


@pytest.mark.parametrize(("kind", "wanted"), [
    (TYPE.REGISTRATION, ("experimental", 5005)), (TYPE.UNREGISTERED_USER, ("experimental", 5005)),
    (TYPE.NO_ASSIGNMENT, ("result", 5012)), (TYPE.USER_DEREGISTRATION, ("result", 5012)),
    (TYPE.AAA_USER_DATA_REQUEST, ("experimental", 5007)), (TYPE.PGW_UPDATE, ("experimental", 5007)),
    (99, ("experimental", 5007))])
def test_another_s_cscf_cannot_take_a_user(net: Network, cscf: Cscf, kind: int, wanted: tuple[str, int]) -> None:
    cscf.sar()
    answer = cscf.sar(kind, server_name="sip:other.example.org")
    assert code(answer) == wanted
    assert answer.user_data is None
    assert answer.server_name == (SCSCF if wanted[1] == 5005 else None)
    assert state(net) == ("registered", SCSCF, False)


def test_a_phone_that_authenticates_elsewhere_may_move_there(net: Network, cscf: Cscf) -> None:
    cscf.sar()
    cscf.mar(server_name="sip:other.example.org")
    assert state(net) == ("registered", "sip:other.example.org", True)
    assert code(cscf.sar(server_name="sip:other.example.org")) == ("result", 2001)
    assert state(net) == ("registered", "sip:other.example.org", False)


def test_who_is_meant_by_an_assignment(net: Network, cscf: Cscf) -> None:
    assert code(cscf.sar(user_name=None, public_identity=())) == ("result", 5005)
    assert code(cscf.sar(public_identity=(TEMPORARY, SIP))) == ("result", 5009)
    assert code(cscf.sar(user_name=None, public_identity=(TEL,))) == ("result", 2001)
    assert code(cscf.sar(TYPE.USER_DEREGISTRATION, public_identity=())) == ("result", 2001)
    cscf.sar()
    assert code(cscf.sar(TYPE.USER_DEREGISTRATION, public_identity=(TEMPORARY, SIP))) == ("result", 2001)
    assert state(net) is None


def test_nothing_is_answered_that_is_not_on_the_disk(net: Network, cscf: Cscf) -> None:
    net.save_fails = OSError("disk full")
    for answer in (cscf.mar(), cscf.sar()):
        assert code(answer) == ("result", 5012)
    assert net.verdicts("hss")[-1] == "failed: it could not be saved: is the disk full or read-only?"


# ---- LIR -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("impu", [SIP, TEL, TEMPORARY, f"{SIP};user=phone", f"sip:+{NUMBER}@{DOMAIN.upper()}",
                                  "tel:+1-555-01.01", f"sip:+{NUMBER}@elsewhere.example.org;user=phone"])
def test_everybody_is_found_by_every_identity(net: Network, cscf: Cscf, impu: str) -> None:
    assert code(cscf.lir(impu)) == ("experimental", 2003), "away, and texts are kept"
    command(net, "profiles.edit", name="default", ifc="none")
    assert code(cscf.lir(impu)) == ("experimental", 5003)
    cscf.sar()
    answer = cscf.lir(impu)
    assert (code(answer), answer.server_name) == (("result", 2001), SCSCF)


@pytest.mark.parametrize("impu", ["tel:+19995550000", "sip:", "tel:", "mailto:a@b", "sip:[::1", "\0"])
def test_nobody(cscf: Cscf, impu: str) -> None:
    assert code(cscf.lir(impu)) == ("experimental", 5001)


CRITERIA = """<IMSSubscription><PrivateID>x</PrivateID><ServiceProfile><InitialFilterCriteria><Priority>7</Priority>
<ApplicationServer><ServerName>sip:mail.example.org</ServerName></ApplicationServer>
<ProfilePartIndicator>1</ProfilePartIndicator></InitialFilterCriteria></ServiceProfile></IMSSubscription>"""


def test_services_for_a_user_who_is_away(net: Network, cscf: Cscf) -> None:
    command(net, "profiles.edit", name="default", ifc=CRITERIA)
    answer = cscf.lir(SIP)
    assert code(answer) == ("experimental", 2003)
    assert answer.server_capabilities.server_name == (OURS,)
    (one,) = profile(cscf.sar(TYPE.UNREGISTERED_USER)).profiles[0].criteria
    assert (one.priority, one.server.name) == (7, "sip:mail.example.org")
    assert cscf.lir(SIP).server_name == SCSCF
    command(net, "profiles.undo", name="default")
    assert len(profile(cscf.sar(TYPE.NO_ASSIGNMENT)).profiles[0].criteria) == 3


def test_a_repeated_request_gets_its_earlier_answer(net: Network, cscf: Cscf) -> None:
    cscf.sar()
    (one,) = net.received("Server-Assignment Request", "hss")
    said = len(cscf.said)
    net.loop.deliver("hss", "Cx", cscf.host, one.data)
    net.run(0.1)
    assert len(cscf.said) == said + 1
    assert cscf.said[-1] == cscf.said[-2]
