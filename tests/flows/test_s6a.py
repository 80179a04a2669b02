# SPDX-License-Identifier: Apache-2.0
"""The location of a phone, and what of it the HSS and the MMEs tell each other (TS 29.272, 5.2.1, 5.2.4, 5.2.5)."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from network import NOTHING, Network, imsi_of
from s6a_peer import HOME, IMSI, ForeignEnd

from dialtone.codec import diameter, gtpc, s1ap
from dialtone.control import Args
from dialtone.errors import LocalError
from dialtone.hss.provisioning import make_subscriber
from dialtone.hss.writes import PutProfile, PutSubscriber, RemoveSubscriber
from dialtone.ids import Plmn
from dialtone.links.memory import Weather
from dialtone.mme.detach import DetachUe
from dialtone.sim.pdn import OpenPdn
from dialtone.sim.service import ServiceCommand
from dialtone.sim.states import EmmState
from dialtone.sim.usim import Authenticated, SyncFailure

OURS = "mme.epc.mnc001.mcc001.3gppnetwork.org"
THEIRS = "mme2.epc.mnc070.mcc999.3gppnetwork.org"


@pytest.fixture
def other(net: Network) -> ForeignEnd:
    """Another MME that uses our HSS."""
    return ForeignEnd(net, "hss", THEIRS)


@pytest.fixture
def home(net: Network) -> ForeignEnd:
    """A foreign HSS that talks to our MME out of itself."""
    return ForeignEnd(net, "mme", "hss.example.org")


def command(net: Network, verb: str, **args: Any) -> Any:
    """A command of the control socket."""
    found = net.commands.table()[verb](Args(args))
    found = asyncio.run(_wait(found)) if asyncio.iscoroutine(found) else found
    net.run(1.0)
    return found


async def _wait(found: Any) -> Any:
    return await found


def experimental(message: Any) -> int:
    return int(message.experimental_result.experimental_result_code)


def change_profile(net: Network, **fields: Any) -> None:
    net.submit((PutProfile(replace(net.store.profiles()["default"], **fields)),), _raise)


def _raise(error: Exception | None) -> None:
    if error is not None:
        raise error


# ---- update location -------------------------------------------------------------------------------------


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


# ---- cancel location -------------------------------------------------------------------------------------


def test_a_phone_that_moves_to_another_mme_is_cancelled_here(net: Network, other: ForeignEnd) -> None:
    net.attach()
    assert other.locate().result_code == 2001
    (cancel,) = net.sent("3GPP-Cancel-Location Request", "hss")
    assert diameter.decode(cancel.data).cancellation_type == 0  # type: ignore[attr-defined]
    assert not net.sent("Detach request"), "the phone knows that it has moved"
    assert net.leaks() == NOTHING
    served = net.store.registration(IMSI)
    assert served is not None
    assert served.mme == THEIRS
    assert net.verdicts("hss")[-1] == f"ok: {OURS} serves it no longer"


def test_a_phone_that_comes_to_us_is_cancelled_there(net: Network, other: ForeignEnd) -> None:
    other.locate()
    net.attach()
    (cancel,) = other.got
    assert (cancel.cancellation_type, cancel.destination_host, cancel.user_name) == (0, THEIRS, IMSI)
    assert net.phones[IMSI].emm == EmmState.REGISTERED


def test_an_mme_that_does_not_answer_a_cancel(net: Network, other: ForeignEnd) -> None:
    other.answers = None
    other.locate()
    net.attach()
    net.run(15.0)
    assert net.verdicts("hss")[-1].startswith(f"failed: {THEIRS} does not answer")
    assert net.phones[IMSI].emm == EmmState.REGISTERED


def test_an_mme_that_cannot_be_reached_any_more(net: Network, other: ForeignEnd) -> None:
    other.locate()
    other.host = "another.example.org"  # its place on the link is empty
    net.attach()
    net.run(15.0)
    assert net.loop.counters["S6a no such peer"] == 1
    assert net.verdicts("hss")[-1].startswith(f"failed: {THEIRS} does not answer")


def test_a_removed_subscriber_is_detached(net: Network) -> None:
    phone = net.attach()
    command(net, "subscribers.remove", imsi=IMSI)
    assert phone.emm == EmmState.DEREGISTERED
    (cancel,) = net.sent("3GPP-Cancel-Location Request", "hss")
    assert diameter.decode(cancel.data).cancellation_type == 2  # type: ignore[attr-defined]
    assert len(net.sent("Detach request")) == 1
    assert net.leaks() == NOTHING
    assert not net.sent("3GPP-Purge-UE Request"), "the HSS knows"
    assert net.store.registration(IMSI) is None


def test_a_removed_subscriber_who_is_idle_is_called_first(net: Network) -> None:
    phone = net.attach()
    net.idle()
    command(net, "subscribers.remove", imsi=IMSI)
    net.run(3.0)
    assert net.sent("Paging")
    assert phone.emm == EmmState.DEREGISTERED
    assert net.leaks() == NOTHING


@pytest.mark.parametrize("reattach", [False, True])
def test_cancelled_by_command(net: Network, reattach: bool) -> None:
    phone = net.attach()
    assert command(net, "subscribers.cancel", imsi=IMSI, reattach=reattach) == {"mme": OURS}
    assert phone.emm == (EmmState.REGISTERED if reattach else EmmState.DEREGISTERED)


def test_nobody_to_cancel(net: Network) -> None:
    with pytest.raises(LocalError, match="No MME serves"):
        command(net, "subscribers.cancel", imsi=IMSI)


@pytest.mark.parametrize("kind", range(5))
def test_a_cancel_for_a_phone_that_is_not_here_is_a_success(home: ForeignEnd, kind: int) -> None:
    answer = home.ask(diameter.CancelLocationRequest, cancellation_type=kind, destination_host=OURS)
    assert (answer.result_code, answer.session_id) == (2001, f"{home.host};1;0")


@pytest.mark.parametrize("kind", [0, 2])
def test_a_cancel_in_the_middle_of_an_attach(net: Network, home: ForeignEnd, kind: int) -> None:
    net.fault("silent_after:ESM information response")
    net.attach()
    net.fault(None)
    home.ask(diameter.CancelLocationRequest, cancellation_type=kind, destination_host=OURS)
    assert net.leaks() == NOTHING


def test_a_cancel_of_an_idle_phone_that_has_moved(net: Network, home: ForeignEnd) -> None:
    net.attach()
    net.idle()
    home.ask(diameter.CancelLocationRequest, cancellation_type=0, destination_host=OURS)
    assert net.leaks() == NOTHING


# ---- purge ---------------------------------------------------------------------------------------------


def test_an_implicit_detach_is_told(net: Network) -> None:
    net.attach()
    net.phones[IMSI].deaf = True
    net.idle()
    net.run(net.config.s1.t3412 + 300)
    (answer,) = net.sent("3GPP-Purge-UE Answer", "hss")
    assert diameter.decode(answer.data).pua_flags == 1  # type: ignore[attr-defined]
    served = net.store.registration(IMSI)
    assert served is not None
    assert (served.mme, served.purged) == (OURS, True)


def test_a_phone_that_comes_back_is_no_longer_purged(net: Network) -> None:
    net.attach()
    net.command("mme", DetachUe(IMSI))
    assert net.store.registration(IMSI).purged  # type: ignore[union-attr]
    net.attach()
    assert not net.store.registration(IMSI).purged  # type: ignore[union-attr]


@pytest.mark.parametrize("way", ["phone", "reattach"])
def test_what_is_not_purged(net: Network, way: str) -> None:
    net.attach()
    if way == "phone":
        net.detach()
    else:
        net.command("mme", DetachUe(IMSI, reattach=True))
    assert not net.sent("3GPP-Purge-UE Request")


def test_a_purge_by_an_mme_that_does_not_serve_the_phone(net: Network, other: ForeignEnd) -> None:
    net.attach()
    answer = other.ask(diameter.PurgeUERequest)
    assert (answer.result_code, answer.pua_flags) == (2001, 0)
    assert not net.store.registration(IMSI).purged  # type: ignore[union-attr]
    assert experimental(other.ask(diameter.PurgeUERequest, user_name=imsi_of(77))) == 5001


def test_a_purge_that_cannot_be_saved(net: Network, other: ForeignEnd) -> None:
    other.locate()
    net.save_fails = OSError("no room")
    assert other.ask(diameter.PurgeUERequest).result_code == 5012
    net.save_fails = None


# ---- notify and reset ---------------------------------------------------------------------------------


def test_a_notification_is_for_the_serving_mme_only(net: Network, other: ForeignEnd) -> None:
    assert experimental(other.ask(diameter.NotifyRequest)) == 5423
    other.locate()
    imei = diameter.TerminalInformation(imei="35622410483840", software_version="02")
    assert other.ask(diameter.NotifyRequest, nor_flags=1 << 3, terminal_information=imei).result_code == 2001
    assert net.store.registration(IMSI).imei == "3562241048384002"  # type: ignore[union-attr]
    assert net.verdicts("hss")[-1] == f"ok: {THEIRS} can reach the phone"
    assert experimental(other.ask(diameter.NotifyRequest, user_name=imsi_of(77))) == 5001


def test_a_phone_that_can_be_reached_is_told_at_once(net: Network, home: ForeignEnd) -> None:
    net.attach()
    home.ask(diameter.InsertSubscriberDataRequest, destination_host=OURS, idr_flags=1,
             subscription_data=diameter.SubscriptionData())
    (notify,) = net.sent("3GPP-Notify Request")
    assert diameter.decode(notify.data).nor_flags == 1 << 3 | 1 << 8  # type: ignore[attr-defined]
    assert len(net.sent("3GPP-Notify Answer", "hss")) == 1


def test_a_reset_makes_the_mme_tell_again(make_network: Callable[..., Network]) -> None:
    net = make_network(2)
    net.attach()
    net.attach(imsi_of(2))
    net.submit((RemoveSubscriber(IMSI),), _raise)  # the HSS forgets who serves it ...
    net.add_subscriber(IMSI)
    served = replace(net.store.registration(imsi_of(2)), mme=OURS)  # type: ignore[type-var]
    assert net.store.registration(IMSI) is None
    assert command(net, "hss.reset") == {"mmes": [served.mme]}
    assert net.store.registration(IMSI) is not None  # ... and is told
    told = [diameter.decode(event.data) for event in net.sent("3GPP-Update-Location Request")][2:]
    assert [message.ulr_flags for message in told] == [2, 2], "no initial attach"  # type: ignore[attr-defined]
    assert net.verdicts("hss")[-1].startswith(f"ok: {OURS} tells of each phone")
    assert net.phones[IMSI].emm == EmmState.REGISTERED


def test_an_idle_phone_is_told_of_when_it_is_heard_of(net: Network, home: ForeignEnd) -> None:
    net.attach()
    net.idle()
    home.ask(diameter.ResetRequest, user_name=None, destination_host=OURS)
    home.ask(diameter.InsertSubscriberDataRequest, destination_host=OURS, idr_flags=1,
             subscription_data=diameter.SubscriptionData())
    assert len(net.sent("3GPP-Update-Location Request")) == 1
    assert not net.sent("3GPP-Notify Request")
    for _ in range(2):  # the second time there is nothing left to tell
        net.command(net.phones[IMSI].name, ServiceCommand())
        assert len(net.sent("3GPP-Update-Location Request")) == 2
        assert len(net.sent("3GPP-Notify Request")) == 1
        net.idle()


def test_a_reset_of_some_leaves_the_others_alone(make_network: Callable[..., Network]) -> None:
    net = make_network(2)
    net.attach()
    net.attach(imsi_of(2))
    home = ForeignEnd(net, "mme", "hss.example.org")
    assert home.ask(diameter.ResetRequest, user_name=None, destination_host=OURS,
                    user_id=(IMSI,)).result_code == 2001
    again = [diameter.decode(event.data) for event in net.sent("3GPP-Update-Location Request")][2:]
    assert [message.user_name for message in again] == [IMSI]  # type: ignore[attr-defined]


def test_a_reset_finds_that_a_phone_has_no_subscription_any_more(net: Network) -> None:
    phone = net.attach()
    net.submit((RemoveSubscriber(IMSI),), _raise)
    home = ForeignEnd(net, "mme", "hss.example.org")
    home.ask(diameter.ResetRequest, user_name=None, destination_host=OURS)
    net.run(1.0)
    assert phone.emm == EmmState.DEREGISTERED
    assert any("may not be served any longer: the IMSI is not in the HSS" in text for text in net.verdicts())
    assert net.leaks() == NOTHING


def test_a_command_for_the_other_side_is_refused(net: Network, other: ForeignEnd) -> None:
    answer = other.ask(diameter.CancelLocationRequest, destination_host="hss", cancellation_type=0)
    assert answer.result_code == 3001


# ---- changed subscription ------------------------------------------------------------------------------


def subscriber(net: Network, **fields: str) -> Any:
    return make_subscriber(fields, profiles=net.store.profiles(), base=net.store.get(IMSI))


def test_only_what_changed_is_pushed(net: Network) -> None:
    net.attach()
    command(net, "subscribers.edit", imsi=IMSI, msisdn="41790000001")
    (push,) = net.sent("3GPP-Insert-Subscriber-Data Request", "hss")
    data = diameter.decode(push.data).subscription_data  # type: ignore[attr-defined]
    assert data == diameter.SubscriptionData(msisdn="41790000001")
    assert net.core.mme.by_imsi[IMSI].subscription.msisdn == "41790000001"  # type: ignore[union-attr]
    assert net.verdicts("hss")[-1] == f"ok: {OURS} has the new subscription"


def test_a_withdrawn_number(net: Network) -> None:
    command(net, "subscribers.edit", imsi=IMSI, msisdn="41790000001")
    net.attach()
    command(net, "subscribers.edit", imsi=IMSI, msisdn="")
    (push,) = net.sent("3GPP-Delete-Subscriber-Data Request", "hss")
    assert diameter.decode(push.data).dsr_flags == 1 << 23  # type: ignore[attr-defined]
    assert net.core.mme.by_imsi[IMSI].subscription.msisdn is None  # type: ignore[union-attr]


def test_nothing_is_pushed_where_nothing_concerns_the_mme(net: Network) -> None:
    net.attach()
    command(net, "subscribers.edit", imsi=IMSI, tags="class-a")
    assert not net.sent("3GPP-Insert-Subscriber-Data Request", "hss")


def test_nothing_is_pushed_for_a_purged_phone(net: Network) -> None:
    net.attach()
    net.command("mme", DetachUe(IMSI))
    command(net, "subscribers.edit", imsi=IMSI, msisdn="41790000001")
    assert not net.sent("3GPP-Insert-Subscriber-Data Request", "hss")


def test_an_mme_that_has_forgotten_the_phone(net: Network) -> None:
    net.attach()
    net.detach()  # by the phone: the HSS is not told
    command(net, "subscribers.edit", imsi=IMSI, msisdn="41790000001")
    assert net.verdicts("hss")[-1].startswith(f"ok: {OURS} does not know the phone now")
    (answer,) = net.sent("3GPP-Insert-Subscriber-Data Answer", "mme")
    assert experimental(diameter.decode(answer.data)) == 5001


@pytest.mark.parametrize(("answers", "text"), [(5012, "answered 5012"), (None, "does not answer")])
def test_an_mme_that_does_not_take_it(net: Network, other: ForeignEnd, answers: int | None, text: str) -> None:
    other.locate()
    other.answers = answers
    command(net, "subscribers.edit", imsi=IMSI, msisdn="41790000001")
    net.run(15.0)
    assert text in net.verdicts("hss")[-1]
    assert net.verdicts("hss")[-1].startswith("failed")


def test_what_the_hss_asks_of_a_phone(net: Network, home: ForeignEnd) -> None:
    net.attach()
    cell = net.enbs[0].config

    def ask() -> Any:
        return home.ask(diameter.InsertSubscriberDataRequest, destination_host=OURS, idr_flags=0b1110,
                        subscription_data=diameter.SubscriptionData())

    answer = ask()
    place = answer.eps_location_information.mme_location_information
    assert place.e_utran_cell_global_identity == cell.ecgi.to_bytes()
    assert place.tracking_area_identity == cell.tai.to_bytes()
    assert answer.eps_user_state.mme_user_state.user_state == 4
    assert (answer.ims_voice_over_ps_sessions_supported, answer.rat_type) == (1, 1004)
    assert answer.last_ue_activity_time == int(net.now - 0.2)
    net.idle()
    assert ask().eps_user_state.mme_user_state.user_state == 2


def test_a_restriction_detaches_a_live_phone(net: Network, home: ForeignEnd) -> None:
    phone = net.attach()
    home.ask(diameter.InsertSubscriberDataRequest, destination_host=OURS,
             subscription_data=diameter.SubscriptionData(access_restriction_data=1 << 4))
    net.run(1.0)
    assert phone.emm == EmmState.DEREGISTERED
    assert net.leaks() == NOTHING


def test_barring_detaches_a_live_phone(net: Network, home: ForeignEnd) -> None:
    phone = net.attach()
    home.ask(diameter.InsertSubscriberDataRequest, destination_host=OURS,
             subscription_data=diameter.SubscriptionData(subscriber_status=1, operator_determined_barring=1))
    net.run(1.0)
    assert phone.emm == EmmState.DEREGISTERED


def test_the_default_apn_cannot_be_deleted(net: Network, home: ForeignEnd) -> None:
    net.attach()
    answer = home.ask(diameter.DeleteSubscriberDataRequest, destination_host=OURS, dsr_flags=1 << 3,
                      context_identifier=(1, 2))
    assert answer.result_code == 5012
    profile = net.core.mme.by_imsi[IMSI].subscription.apn_configuration_profile  # type: ignore[union-attr]
    assert [apn.context_identifier for apn in profile.apn_configuration] == [1, 2]  # type: ignore[union-attr]


def test_an_apn_that_is_deleted_can_not_be_connected_to(net: Network, home: ForeignEnd) -> None:
    net.attach()
    assert home.ask(diameter.DeleteSubscriberDataRequest, destination_host=OURS, dsr_flags=1 << 3,
                    context_identifier=(2,)).result_code == 2001
    profile = net.core.mme.by_imsi[IMSI].subscription.apn_configuration_profile  # type: ignore[union-attr]
    assert [apn.service_selection for apn in profile.apn_configuration] == ["internet"]  # type: ignore[union-attr]
    assert net.phones[IMSI].emm == EmmState.REGISTERED


def test_all_apns_withdrawn_ends_the_registration(net: Network, home: ForeignEnd) -> None:
    net.attach()
    home.ask(diameter.DeleteSubscriberDataRequest, destination_host=OURS, dsr_flags=1 << 1)
    net.run(0.5)
    assert len(net.sent("Detach request")) == 1
    assert any("no APN of the phone's (internet) is left" in text for text in net.verdicts())


def test_deletions_for_a_phone_that_is_not_here(home: ForeignEnd) -> None:
    answer = home.ask(diameter.DeleteSubscriberDataRequest, destination_host=OURS, dsr_flags=1 << 1)
    assert experimental(answer) == 5001


def test_a_push_in_the_middle_of_an_attach_counts(net: Network, home: ForeignEnd) -> None:
    net.fault("silent_after:ESM information response")
    net.attach()
    assert home.ask(diameter.InsertSubscriberDataRequest, destination_host=OURS,
                    subscription_data=diameter.SubscriptionData(msisdn="4179")).result_code == 2001
    assert net.core.mme.by_imsi[IMSI].subscription.msisdn == "4179"  # type: ignore[union-attr]


def test_another_profile_is_pushed_whole_where_identifiers_clash(net: Network) -> None:
    net.attach()
    default = net.store.profiles()["default"]
    corporate = replace(default, name="corporate", apns=(replace(default.apns[0], name="corp"), default.apns[0]))
    net.submit((PutProfile(corporate),), _raise)
    before = net.store.get(IMSI)
    assert before is not None
    net.submit((PutSubscriber(replace(before, profile=corporate), 0, overwrite=True),), _raise)
    net.commands._push([before])
    net.run(1.0)
    (push,) = net.sent("3GPP-Insert-Subscriber-Data Request", "hss")
    pushed = diameter.decode(push.data).subscription_data.apn_configuration_profile  # type: ignore[attr-defined]
    assert pushed.all_apn_configurations_included_indicator == 0
    assert [apn.service_selection for apn in pushed.apn_configuration] == ["corp", "internet"]
    assert net.phones[IMSI].emm == EmmState.REGISTERED, "internet is still among its APNs"


# ---- profiles of live phones ---------------------------------------------------------------------------


def test_a_new_bit_rate_reaches_the_enb(net: Network) -> None:
    net.attach()
    report = command(net, "profiles.edit", name="default", ambr="5M/1M")
    assert report == {"name": "default", "changes": ["ambr: 1G/1G -> 5M/1M"], "subscribers": 1, "live": 1,
                      "written": True}
    (modified,) = net.sent("UEContextModificationRequest")
    rate = s1ap.decode(modified.data).ue_aggregate_maximum_bitrate  # type: ignore[attr-defined]
    assert (rate.dl, rate.ul) == (5_000_000, 1_000_000)
    assert net.phones[IMSI].emm == EmmState.REGISTERED


def test_an_idle_phone_has_its_new_bit_rate_when_it_comes(net: Network) -> None:
    net.attach()
    net.idle()
    command(net, "profiles.edit", name="default", ambr="5M/1M")
    assert not net.sent("UEContextModificationRequest")
    net.command(net.phones[IMSI].name, ServiceCommand())
    setup = s1ap.decode(net.sent("InitialContextSetupRequest")[-1].data)
    assert setup.ue_aggregate_maximum_bitrate.dl == 5_000_000  # type: ignore[attr-defined]


def test_a_dry_run_tells_and_changes_nobody(net: Network) -> None:
    net.attach()
    report = command(net, "profiles.edit", name="default", ambr="5M/1M", dry_run=True)
    assert (report["live"], report["written"]) == (1, False)
    assert not net.sent("3GPP-Insert-Subscriber-Data Request", "hss")
    assert net.store.profiles()["default"].ambr_dl == 1_000_000_000


def test_an_undo_is_pushed_too(net: Network) -> None:
    net.attach()
    command(net, "profiles.edit", name="default", ambr="5M/1M")
    assert command(net, "profiles.undo", name="default")["changes"] == ["ambr: 5M/1M -> 1G/1G"]
    assert len(net.sent("3GPP-Insert-Subscriber-Data Request", "hss")) == 2
    assert net.core.mme.by_imsi[IMSI].subscription.ambr.max_requested_bandwidth_dl == 10**9  # type: ignore[union-attr]


def test_a_withdrawn_apn_ends_that_connection_alone(net: Network) -> None:
    phone = net.attach()
    net.command(phone.name, OpenPdn("ims"))
    assert set(net.core.mme.by_imsi[IMSI].pdns) == {"internet", "ims"}
    command(net, "profiles.edit", name="default", drop=["ims"])
    assert len(net.sent("3GPP-Delete-Subscriber-Data Request", "hss")) == 1
    assert set(net.core.mme.by_imsi[IMSI].pdns) == {"internet"}
    assert phone.emm == EmmState.REGISTERED


def test_the_only_apn_of_the_phone_withdrawn(net: Network) -> None:
    phone = net.attach()
    command(net, "profiles.edit", name="default", drop=["internet"])
    net.run(1.0)
    assert len(net.sent("3GPP-Insert-Subscriber-Data Request", "hss")) == 1, "ims is the default APN first"
    assert phone.emm == EmmState.REGISTERED, "it attached anew"
    assert set(net.core.mme.by_imsi[IMSI].pdns) == {"ims"}


def test_restricted_by_profile_and_allowed_again(net: Network) -> None:
    phone = net.attach()
    command(net, "profiles.edit", name="default", restrict="e-utran")
    assert phone.emm == EmmState.DEREGISTERED
    assert net.leaks() == NOTHING
    command(net, "profiles.undo", name="default")
    net.attach()
    assert phone.emm == EmmState.REGISTERED


def test_what_is_no_change_of_a_profile(net: Network) -> None:
    with pytest.raises(LocalError, match="no 'colour'"):
        command(net, "profiles.edit", name="default", colour="red")
    with pytest.raises(LocalError, match="There is no profile 'gold'"):
        command(net, "profiles.get", name="gold")


def test_another_quality_of_an_apn_goes_through_the_gateway(net: Network) -> None:
    phone = net.attach()
    net.command(phone.name, OpenPdn("ims"))
    command(net, "profiles.edit", name="default", apns=["internet,qci=8,ambr=5M/1M"])
    (order,) = net.sent("Modify Bearer Command")
    (update,) = net.sent("Update Bearer Request", "pgw")
    assert gtpc.decode(order.data).sequence == gtpc.decode(update.data).sequence
    assert len(net.sent("Modify EPS bearer context request")) == 1
    pdn = net.core.mme.by_imsi[IMSI].pdns["internet"]
    assert (pdn.bearers[pdn.ebi].qci, pdn.ambr) == (8, (5000, 1000))
    session = net.core.pgw.sessions[IMSI, "internet"]
    assert (session.bearers[pdn.ebi].qci, session.ambr.downlink, session.ambr.uplink) == (8, 5000, 1000)
    assert net.forwarder.bearers[session.bearers[pdn.ebi].teid].qci == 8
    assert phone.emm == EmmState.REGISTERED
    assert any("internet has its new subscribed quality" in text for text in net.verdicts("pgw"))


def test_the_ambr_of_an_apn_alone(net: Network) -> None:
    net.attach()
    command(net, "profiles.edit", name="default", apns=["internet,ambr=5M/1M"])
    assert gtpc.decode(net.sent("Modify Bearer Command")[0].data).bearer_context.bearer_qos is None  # type: ignore[attr-defined]
    assert net.core.pgw.sessions[IMSI, "internet"].ambr.downlink == 5000
    assert len(net.sent("UEContextModificationRequest")) == 1


def test_an_idle_phone_is_called_for_its_new_quality(net: Network) -> None:
    net.attach()
    net.idle()
    command(net, "profiles.edit", name="default", apns=["internet,qci=8"])
    net.run(3.0)
    assert net.sent("Paging")
    pdn = net.core.mme.by_imsi[IMSI].pdns["internet"]
    assert pdn.bearers[pdn.ebi].qci == 8


def test_a_gateway_that_does_not_know_the_connection(net: Network) -> None:
    net.attach()
    pdn = net.core.mme.by_imsi[IMSI].pdns["internet"]
    pdn.s11_teid += 999
    command(net, "profiles.edit", name="default", apns=["internet,qci=8"])
    pdn.s11_teid -= 999
    assert len(net.sent("Modify Bearer Failure Indication", "pgw")) == 1
    assert any("internet keeps its quality: the gateway refused with GTP cause 64" in text for text in net.verdicts())
    assert pdn.bearers[pdn.ebi].qci == 9


def test_a_gateway_that_is_silent_about_a_new_quality(net: Network) -> None:
    net.attach()
    net.link("S11").weather = Weather(seed=1, loss=1.0)
    command(net, "profiles.edit", name="default", apns=["internet,qci=8"])
    net.run(60.0)
    net.link("S11").weather = None
    assert any("internet keeps its quality: the gateway does not answer" in text for text in net.verdicts())
