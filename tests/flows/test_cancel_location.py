# SPDX-License-Identifier: Apache-2.0
"""Cancel Location: a phone that moved, was withdrawn or removed (TS 29.272, 5.2.1.2)."""


import pytest
from network import NOTHING, Network
from s6a_peer import IMSI, OURS, THEIRS, ForeignEnd, command

from dialtone.codec import diameter
from dialtone.errors import LocalError
from dialtone.sim.states import EmmState


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
