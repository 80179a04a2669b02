# SPDX-License-Identifier: Apache-2.0
"""Calls that end without a word: session timers at the CSCFs, lost connections, silent ends (RFC 4028; TS 24.229,
5.2.7, 5.2.8 and 5.4.5)."""

from collections.abc import Callable

import pytest
from network import Network, msisdn_of
from pcscf_rig import NUMBER, Phone, Rig, messages

from dialtone.codec import sip
from dialtone.scscf.store import CallRecord, read_calls
from dialtone.sim.ims.call import AnswerCommand, CallCommand, HangUpCommand
from dialtone.sim.ims.client import ImsClient, ImsHandset

Both = tuple[Network, ImsClient, ImsClient]


@pytest.fixture
def talking(make_network: Callable[..., Network]) -> Both:
    """Two phones in a call, whose session is refreshed each 90 s."""
    net = make_network(phones=0)
    handset = ImsHandset(session_expires=180)
    a, b = net.add_ims(1, handset), net.add_ims(2, handset)
    for client in (a, b):
        net.attach(client.imsi, 5)
    net.command(a.name, CallCommand(f"+{msisdn_of(2)}"), 3)
    net.command(b.name, AnswerCommand(), 2)
    assert len(net.core.pcscf.passing) == 2
    return net, a, b


def over(net: Network) -> CallRecord:
    """Nothing is left of it but its record."""
    assert (net.core.pcscf.passing, net.core.scscf.calls, net.core.pgw.af_sessions) == ({}, {}, {})
    assert all(session.bearers.keys() == {session.ebi} for session in net.core.pgw.sessions.values())
    (record,) = net.store.read(lambda db: read_calls(db, 10))
    return record


def test_a_call_that_is_refreshed_goes_on(talking: Both) -> None:
    net, a, _ = talking
    net.run(1000)
    assert len(net.core.pcscf.passing) == 2
    net.command(a.name, HangUpCommand(), 3)
    assert 1000 < over(net).seconds < 1010


def test_a_call_that_nobody_refreshes_is_over(talking: Both) -> None:
    """Both phones forget it, as after a crash; their radio stays."""
    net, a, b = talking
    a.calls.clear()
    b.calls.clear()
    net.run(200)
    assert len(net.core.pcscf.passing) == 2, "a refresh may be late"
    net.run(20)
    assert "session timer" in over(net).reason
    assert any("nobody has refreshed" in said for said in net.verdicts("pcscf"))


def test_a_call_of_a_phone_that_is_switched_off_ends_with_the_reason(talking: Both) -> None:
    net, a, b = talking
    net.detach(a.imsi, switch_off=True)
    net.run(3)
    assert b.calls == {}
    record = over(net)
    assert (record.status, record.reason) == (200, 'SIP;cause=503;text="Service Unavailable"')
    net.attach(a.imsi, 5)
    assert a.registered


def test_who_hangs_up_on_a_silent_phone_ends_the_record(talking: Both) -> None:
    net, a, b = talking
    net.gm.deaf.add(b.address)
    net.command(a.name, HangUpCommand(), 150)
    assert over(net).reason == 'SIP;cause=200;text="User ended call"'
    net.gm.deaf.clear()
    b.calls.clear()


def test_a_phone_that_rings_and_goes_silent(make_network: Callable[..., Network]) -> None:
    net = make_network(phones=0)
    a, b = net.add_ims(1), net.add_ims(2)
    for client in (a, b):
        net.attach(client.imsi, 5)
    net.command(a.name, CallCommand(f"+{msisdn_of(2)}"), 3)
    assert len(net.core.scscf.calls) == len(b.calls) == 1
    net.gm.deaf.add(b.address)
    net.run(300)
    assert over(net).status == 408
    assert a.calls == {}
    net.gm.deaf.clear()
    b.calls.clear()


# ---- at the P-CSCF alone ---------------------------------------------------------------------------------


def invite(*lines: str) -> tuple[Rig, Phone, list[object]]:
    rig, phone = Rig(), Phone()
    rig.register(phone)
    return rig, phone, rig.gm(phone.protected, phone.request("INVITE", NUMBER, "Contact: <sip:10.46.0.2:6300>", *lines))


@pytest.mark.parametrize(("lines", "passed"), [
    ((), "1800"), (("Min-SE: 3600",), "3600"), (("Session-Expires: 300;refresher=uas",), "300;refresher=uas"),
    (("Session-Expires: soon",), "1800"), (("Session-Expires: 30",), "30")])
def test_the_network_asks_for_a_timer(lines: tuple[str, ...], passed: str) -> None:
    (request,) = messages(invite(*lines)[2], "Mw")
    assert request.all("Session-Expires") == [passed]


def test_a_timer_that_is_too_short_is_refused() -> None:
    (answer,) = messages(invite("Supported: timer", "Session-Expires: 30")[2], "Gm")
    assert (answer.status, answer.first("Min-SE")) == (422, "90")


@pytest.mark.parametrize(("supported", "answered", "told"), [
    ("timer", "", ["1800;refresher=uac"]), ("timer", "600;refresher=uas", ["600;refresher=uas"]), ("100rel", "", [])])
def test_the_caller_refreshes_where_the_called_phone_knows_no_timer(supported: str, answered: str,
                                                                   told: list[str]) -> None:
    rig, _, log = invite(f"Supported: {supported}")
    answer = sip.response(messages(log, "Mw")[0], 200)
    answer.set("To", "<sip:a@b>;tag=9")
    answer.append("Contact", "<sip:10.46.0.3:6300>")
    if answered:
        answer.append("Session-Expires", answered)
    (back,) = messages(rig.mw(answer), "Gm")
    assert back.all("Session-Expires") == told
    assert ("timer" in back.options("Require")) == (told == ["1800;refresher=uac"])
