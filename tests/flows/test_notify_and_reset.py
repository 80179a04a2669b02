# SPDX-License-Identifier: Apache-2.0
"""Notify and Reset: what MME and HSS tell each other again (TS 29.272, 5.2.5 and 5.2.4)."""

from collections.abc import Callable
from dataclasses import replace

from network import NOTHING, Network, imsi_of
from s6a_peer import IMSI, OURS, THEIRS, ForeignEnd, command, experimental

from dialtone.codec import diameter
from dialtone.hss.writes import RemoveSubscriber
from dialtone.sim.service import ServiceCommand
from dialtone.sim.states import EmmState


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
    net.save(RemoveSubscriber(IMSI))  # the HSS forgets who serves it ...
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
    net.save(RemoveSubscriber(IMSI))
    home = ForeignEnd(net, "mme", "hss.example.org")
    home.ask(diameter.ResetRequest, user_name=None, destination_host=OURS)
    net.run(1.0)
    assert phone.emm == EmmState.DEREGISTERED
    assert any("may not be served any longer: the IMSI is not in the HSS" in text for text in net.verdicts())
    assert net.leaks() == NOTHING


def test_a_command_for_the_other_side_is_refused(net: Network, other: ForeignEnd) -> None:
    answer = other.ask(diameter.CancelLocationRequest, destination_host="hss", cancellation_type=0)
    assert answer.result_code == 3001
