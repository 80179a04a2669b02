# SPDX-License-Identifier: Apache-2.0
"""What the HSS tells an S-CSCF: registrations that end, and profiles that change (TS 29.228, 6.1.3 and 6.2.2)."""

from pathlib import Path

import pytest
from cx_peer import CSCF_HOST, IMPI, SIP, TEL, TEMPORARY, Cscf, network
from network import Network
from s6a_peer import IMSI, REALM, command

from dialtone.codec import ims_subscription
from dialtone.codec.diameter import AssignmentType, PushProfileRequest, ReasonCode, RegistrationTerminationRequest
from dialtone.errors import LocalError


@pytest.fixture
def net(tmp_path: Path) -> Network:
    return network(tmp_path)


@pytest.fixture
def cscf(net: Network) -> Cscf:
    found = Cscf(net)
    found.sar()
    return found


@pytest.mark.parametrize(("again", "reason"), [(False, ReasonCode.PERMANENT_TERMINATION),
                                               (True, ReasonCode.SERVER_CHANGE)])
def test_ended_by_command(net: Network, cscf: Cscf, again: bool, reason: ReasonCode) -> None:
    found = command(net, "subscribers.get", imsi=IMSI)
    assert found["ims"]["state"] == "registered"
    command(net, "subscribers.deregister", imsi=IMSI, again=again)
    (request,) = cscf.got
    assert isinstance(request, RegistrationTerminationRequest)
    assert (request.destination_host, request.destination_realm) == (CSCF_HOST, REALM)
    assert (request.user_name, request.public_identity) == (IMPI, (SIP, TEL, TEMPORARY))
    assert request.deregistration_reason.reason_code == reason
    assert net.store.ims_registration(IMSI) is None
    assert net.verdicts("hss")[-1] == f"ok: {CSCF_HOST} serves it no longer"
    with pytest.raises(LocalError, match="No S-CSCF"):
        command(net, "subscribers.deregister", imsi=IMSI)


def test_a_removed_subscriber_is_deregistered(net: Network, cscf: Cscf) -> None:
    command(net, "subscribers.remove", imsi=IMSI)
    (request,) = cscf.got
    assert request.deregistration_reason.reason_code == ReasonCode.PERMANENT_TERMINATION
    assert net.store.ims_registration(IMSI) is None


@pytest.mark.parametrize(("answers", "verdict"), [
    (None, f"failed: {CSCF_HOST} does not answer: it may serve the phone until its registration runs out"),
    (5012, f"failed: {CSCF_HOST} answered 5012")])
def test_an_s_cscf_that_does_not_obey(net: Network, cscf: Cscf, answers: int | None, verdict: str) -> None:
    cscf.answers = answers
    command(net, "subscribers.deregister", imsi=IMSI)
    net.run(15.0)
    assert net.verdicts("hss")[-1] == verdict
    assert cscf.uar().experimental_result.experimental_result_code == 2001, "the HSS knows it as gone"


def test_changed_criteria_are_pushed_and_taken_back(net: Network, cscf: Cscf) -> None:
    report = command(net, "profiles.edit", name="default", ifc="none", dry_run=True)
    assert (report["changes"], report["written"], cscf.got) == (["ifc: sms -> none"], False, [])
    command(net, "profiles.edit", name="default", ifc="none")
    command(net, "profiles.undo", name="default")
    for request, count in zip(cscf.got, (0, 3), strict=True):
        assert isinstance(request, PushProfileRequest)
        assert request.user_name == IMPI
        pushed = ims_subscription.decode(request.user_data or b"")
        assert len(pushed.profiles[0].criteria) == count
    assert net.verdicts("hss")[-1] == f"ok: {CSCF_HOST} has the new profile"


def test_a_new_number_is_pushed(net: Network, cscf: Cscf) -> None:
    command(net, "subscribers.edit", imsi=IMSI, msisdn=["15550101", "15550199"])
    (request,) = cscf.got
    assert isinstance(request, PushProfileRequest)
    identities = [each.identity for each in ims_subscription.decode(request.user_data or b"").identities]
    assert "tel:+15550199" in identities


def test_a_number_that_is_taken_away_has_the_phone_register_anew(net: Network, cscf: Cscf) -> None:
    command(net, "subscribers.edit", imsi=IMSI, msisdn="15550199")
    (request,) = cscf.got
    assert isinstance(request, RegistrationTerminationRequest)
    assert request.public_identity == (SIP, TEL, TEMPORARY), "those that the S-CSCF has"
    assert request.deregistration_reason.reason_code == ReasonCode.SERVER_CHANGE
    assert net.store.ims_registration(IMSI) is None


def test_what_concerns_no_s_cscf_is_not_pushed(net: Network, cscf: Cscf) -> None:
    command(net, "profiles.edit", name="default", ambr="5M/1M")
    command(net, "subscribers.edit", imsi=IMSI, tags="blue")
    cscf.sar(AssignmentType.USER_DEREGISTRATION)
    command(net, "profiles.edit", name="default", ifc="none")
    assert cscf.got == []


@pytest.mark.parametrize(("answers", "verdict"), [(None, "does not answer"), (5008, "answered 5008")])
def test_an_s_cscf_that_does_not_take_the_profile(net: Network, cscf: Cscf, answers: int | None, verdict: str) -> None:
    cscf.answers = answers
    command(net, "profiles.edit", name="default", ifc="none")
    net.run(15.0)
    assert verdict in net.verdicts("hss")[-1]
    assert net.verdicts("hss")[-1].endswith("the old profile holds until the phone registers anew")


@pytest.mark.parametrize("ifc", ["nonsense", "<a/>", "<IMSSubscription/>", "<!DOCTYPE x><IMSSubscription/>"])
def test_criteria_that_are_none(net: Network, cscf: Cscf, ifc: str) -> None:
    with pytest.raises(LocalError, match="no filter criteria"):
        command(net, "profiles.edit", name="default", ifc=ifc)


def test_ipsec_is_a_policy_of_the_subscriber(net: Network) -> None:
    assert command(net, "subscribers.get", imsi=IMSI)["ipsec"] == "required"
    assert command(net, "subscribers.edit", imsi=IMSI, ipsec="optional")["ipsec"] == "optional"
    subscriber = net.store.get(IMSI)
    assert subscriber is not None
    assert not subscriber.ipsec
    with pytest.raises(LocalError, match="says nothing about IPsec"):
        command(net, "subscribers.edit", imsi=IMSI, ipsec="maybe")
