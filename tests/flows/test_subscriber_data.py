# SPDX-License-Identifier: Apache-2.0
"""Insert and Delete Subscriber Data: a changed subscription of a live phone (TS 29.272, 5.2.2)."""

from dataclasses import replace
from typing import Any

import pytest
from network import NOTHING, Network
from s6a_peer import IMSI, OURS, ForeignEnd, command, experimental

from dialtone.codec import diameter
from dialtone.commands_subscribers import SubscriberCommands
from dialtone.hss.writes import PutProfile, PutSubscriber
from dialtone.mme.detach import DetachUe
from dialtone.sim.states import EmmState


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
    net.save(PutProfile(corporate))
    before = net.store.get(IMSI)
    assert before is not None
    net.save(PutSubscriber(replace(before, profile=corporate), 0, overwrite=True))
    SubscriberCommands(net.core, net.store, net.commands._save)._push([before])
    net.run(1.0)
    (push,) = net.sent("3GPP-Insert-Subscriber-Data Request", "hss")
    pushed = diameter.decode(push.data).subscription_data.apn_configuration_profile  # type: ignore[attr-defined]
    assert pushed.all_apn_configurations_included_indicator == 0
    assert [apn.service_selection for apn in pushed.apn_configuration] == ["corp", "internet"]
    assert net.phones[IMSI].emm == EmmState.REGISTERED, "internet is still among its APNs"
