# SPDX-License-Identifier: Apache-2.0
"""Update Location and who may be served where (TS 29.272, 5.2.1.1)."""

from dataclasses import replace
from typing import Any

import pytest
from network import NOTHING, Network, imsi_of
from s6a_peer import HOME, IMSI, OURS, THEIRS, ForeignEnd, change_profile, command, experimental

from dialtone.codec import diameter
from dialtone.ids import Plmn
from dialtone.sim.states import EmmState
from dialtone.sim.usim import Authenticated, SyncFailure


def test_the_hss_knows_who_serves_the_phone(net: Network) -> None:
    assert net.store.registration(IMSI) is None
    net.attach()
    served = net.store.registration(IMSI)
    assert served is not None
    assert (served.mme, served.plmn, served.purged) == (OURS, "001/01", False)
    assert len(served.imei) == 16, "the IMEISV of the Security Mode Complete"
    assert command(net, "subscribers.get", imsi=IMSI)["served_by"]["mme"] == OURS


def test_coming_back_to_the_same_mme_writes_nothing(net: Network) -> None:
    net.attach()
    net.detach()
    net.save_fails = OSError("a write")
    net.attach()
    assert net.phones[IMSI].emm == EmmState.REGISTERED


def test_a_registration_that_cannot_be_saved_is_refused(net: Network) -> None:
    mark = net.store.sqn_mark
    net.attach()
    net.detach()
    assert mark(IMSI)
    command(net, "subscribers.get", imsi=IMSI)
    other = ForeignEnd(net, "hss", THEIRS)
    net.save_fails = OSError("no room")
    assert other.locate().result_code == 5012
    net.save_fails = None
    served = net.store.registration(IMSI)
    assert served is not None
    assert served.mme == OURS
    assert any("could not be saved" in text for text in net.verdicts("hss"))


@pytest.mark.parametrize(("fields", "code"), [
    ({"user_name": imsi_of(77)}, 5001), ({"visited_plmn_id": Plmn("999", "70")}, 5004), ({"rat_type": 1004}, 5421)])
def test_who_may_not_be_served_there(net: Network, other: ForeignEnd, fields: dict[str, Any], code: int) -> None:
    change_profile(net, roaming=False, access_restriction=1 << 4 if code == 5421 else 0)
    answer = other.locate(**fields)
    assert experimental(answer) == code
    assert answer.subscription_data is None
    assert net.store.registration(IMSI) is None


def test_a_phone_that_may_not_use_lte_is_refused_with_cause_15(net: Network) -> None:
    change_profile(net, access_restriction=1 << 4)
    net.attach()
    assert "may not use LTE" in net.verdicts()[-1]
    assert net.nas("Attach reject").emm_cause == 15  # type: ignore[attr-defined]
    assert net.leaks() == NOTHING


def test_skip_subscriber_data(other: ForeignEnd) -> None:
    assert other.locate().subscription_data is not None
    answer = other.locate(ulr_flags=2 | 4)
    assert (answer.result_code, answer.ula_flags, answer.subscription_data) == (2001, 1, None)


@pytest.mark.parametrize(("code", "vendor", "diagnostic", "cause"), [
    (5001, True, None, 8), (5420, True, None, 15), (5420, True, 0, 15), (5420, True, 1, 7), (5421, True, None, 15),
    (5004, True, None, 11), (5004, True, 2, 15), (5004, True, 3, 14), (5004, True, 4, 14), (4181, True, None, 17),
    (5003, False, None, 15), (3002, False, None, 15), (3003, False, None, 15), (5012, False, None, 17),
    (5004, False, None, 17)])
def test_each_result_has_its_emm_cause(
        net: Network, monkeypatch: pytest.MonkeyPatch, code: int, vendor: bool, diagnostic: int | None, cause: int
) -> None:
    """TS 29.272, annex A."""
    from dialtone.hss import location

    def refused(hss: Any, msg: Any, rx: Any) -> Any:
        answer = diameter.UpdateLocationAnswer(
            session_id=msg.session_id, origin_host="hss", origin_realm="r", error_diagnostic=diagnostic,
            result_code=None if vendor else code,
            experimental_result=diameter.ExperimentalResult(vendor_id=10415, experimental_result_code=code)
            if vendor else None)
        yield location.Answer(answer)

    entry = net.core.hss.on.messages["S6a", diameter.UpdateLocationRequest]
    monkeypatch.setitem(net.core.hss.on.messages, ("S6a", diameter.UpdateLocationRequest),
                        replace_handler(entry, refused))
    net.attach()
    assert net.nas("Attach reject").emm_cause == cause  # type: ignore[attr-defined]
    assert net.leaks() == NOTHING


def replace_handler(entry: Any, handler: Any) -> Any:
    """The same line of the table with another function."""
    other = replace(entry, handler=handler)
    object.__setattr__(other, "procedure", entry.procedure)
    return other


def test_vectors_that_two_mmes_keep_do_not_spoil_each_other(net: Network, other: ForeignEnd) -> None:
    """Each node has an IND of its own (TS 33.102, C.1.1.3 and C.3.4)."""
    third = ForeignEnd(net, "hss", "mme3.epc.mnc070.mcc999.3gppnetwork.org")
    asked = diameter.RequestedEutranAuthenticationInfo(number_of_requested_vectors=3)
    first, second = (mme.ask(diameter.AuthenticationInformationRequest, visited_plmn_id=HOME,
                             requested_eutran_authentication_info=asked).authentication_info.eutran_vector
                     for mme in (other, third))
    usim = net.phones[IMSI].usim
    for vector in (first[0], second[0], first[1], second[1], first[2], second[2]):
        assert isinstance(usim.authenticate(vector.rand, vector.autn), Authenticated)
    assert isinstance(usim.authenticate(first[2].rand, first[2].autn), SyncFailure)
