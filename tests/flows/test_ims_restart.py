# SPDX-License-Identifier: Apache-2.0
"""What is lost in a restart, and how phones come back (TS 23.380; TS 24.229, 5.4.3.2 and 5.1.2A.1.6)."""

from collections.abc import Callable

import pytest
from network import Network, imsi_of, msisdn_of
from restarts import restart, restart_registrar

from dialtone.codec.sip import decode
from dialtone.hss.writes import ForgetImsRegistration
from dialtone.sim.ims.call import AnswerCommand, CallCommand, HangUpCommand
from dialtone.sim.ims.client import ImsClient
from dialtone.sim.ims.registration import DeregisterCommand, RegisterCommand
from dialtone.sim.ims.sms import SmsCommand
from dialtone.sim.ims.states import CallState
from dialtone.sim.ims.text import TextCommand
from dialtone.sim.service import ServiceCommand
from dialtone.sim.states import EmmState

Both = tuple[Network, ImsClient, ImsClient]
FIRST, SECOND = f"+{msisdn_of(1)}", f"+{msisdn_of(2)}"


@pytest.fixture
def both(make_network: Callable[..., Network]) -> Both:
    net = make_network(phones=0)
    a, b = net.add_ims(1), net.add_ims(2)
    for client in (a, b):
        net.attach(client.imsi, 5)
    return net, a, b


def states(net: Network) -> list[str]:
    """What the HSS knows of both."""
    found = [net.store.ims_registration(imsi_of(number)) for number in (1, 2)]
    return [one.state if one is not None else "" for one in found]


def call_works(net: Network, a: ImsClient, b: ImsClient) -> None:
    net.command(a.name, CallCommand(SECOND), 3)
    net.command(b.name, AnswerCommand(), 2)
    assert [call.state for call in (*a.calls.values(), *b.calls.values())] == [CallState.ACTIVE] * 2, a.last
    net.command(a.name, HangUpCommand(), 3)


def test_after_a_restart_of_the_core_phones_come_back_with_their_next_word(both: Both) -> None:
    net, a, b = both
    for client in (a, b):
        net.idle(client.imsi)
    restart(net)
    assert states(net) == ["registered"] * 2, "the HSS still says so, until they are asked for"
    assert (net.sas, net.core.pcscf.registrations, net.core.scscf.users) == ([], {}, {})
    for client in (a, b):
        phone = net.phones[client.imsi]
        net.command(phone.name, ServiceCommand(), 8)
        assert phone.emm == EmmState.REGISTERED
        assert client.registered, client.last
    assert states(net) == ["registered"] * 2
    assert len(net.sas) == 2
    call_works(net, a, b)


def test_a_text_waits_over_a_restart_and_comes_once(both: Both) -> None:
    net, a, b = both
    net.detach(b.imsi, switch_off=True)
    net.command(a.name, SmsCommand(SECOND, "Patience"), 5)
    net.idle(a.imsi)
    restart(net)
    net.run(60)
    assert not b.texts.inbox
    net.attach(b.imsi, 8)
    assert [text.text for text in b.texts.inbox] == ["Patience"]
    restart(net)
    net.command(net.phones[b.imsi].name, ServiceCommand(), 60)
    assert [text.text for text in b.texts.inbox] == ["Patience"]
    net.command(net.phones[a.imsi].name, ServiceCommand(), 8)
    assert a.registered
    assert b.registered


def test_a_lost_registration_is_said_and_made_anew_at_once(both: Both) -> None:
    net, a, b = both
    restart_registrar(net)
    before = net.now
    net.command(a.name, CallCommand(SECOND), 2)
    answer = next(decode(event.data) for event in net.events("Gm") if event.name.startswith("504"))
    assert answer.content_type == "application/3gpp-ims+xml"
    assert b"<action>initial-registration</action>" in answer.body
    assert a.registered, a.last
    assert (net.now - before, states(net)) == (2, ["registered"] * 2)
    net.command(b.name, TextCommand(FIRST, "hello"), 2)
    assert b.registered
    assert any("504" in said for said in net.verdicts(b.name))
    call_works(net, a, b)


def test_who_is_called_after_a_lost_registration_is_away_until_he_registers(both: Both) -> None:
    net, a, b = both
    restart_registrar(net)
    net.command(a.name, RegisterCommand(), 2)
    assert a.registered, "a refresh is challenged anew, and taken"
    net.command(a.name, CallCommand(SECOND), 3)
    assert "480" in a.last
    assert states(net) == ["registered", "unregistered"]
    net.command(b.name, RegisterCommand(), 2)
    assert states(net) == ["registered"] * 2
    call_works(net, a, b)


def test_who_was_never_registered_is_not_told_so(both: Both) -> None:
    net, a, b = both
    restart_registrar(net)
    net.save(ForgetImsRegistration(a.imsi))
    net.command(a.name, CallCommand(SECOND), 2)
    assert "403" in a.last
    for client in (a, b):
        net.command(client.name, RegisterCommand(), 2)
        assert client.registered


def test_who_leaves_after_a_lost_registration_is_gone_for_the_hss(both: Both) -> None:
    net, a, b = both
    restart_registrar(net)
    net.command(a.name, DeregisterCommand(), 2)
    assert states(net) == ["", "registered"]
    for client in (a, b):
        net.command(client.name, RegisterCommand(), 2)
    assert states(net) == ["registered"] * 2


def test_a_p_cscf_that_has_lost_the_sas_is_silent_and_the_phone_begins_anew(both: Both) -> None:
    net, a, b = both
    pcscf = net.core.pcscf
    net.gm.deaf |= set(pcscf.addresses)  # ESP of unknown SPIs: the kernel drops it
    net.command(a.name, TextCommand(SECOND, "hello"), 300)
    for registration in list(pcscf.registrations.values()):
        if registration.subject == a.imsi:
            for _ in pcscf.let_go(registration):
                pass
    net.sas[:] = [one for one in net.sas if one.phone.address != a.address]
    net.gm.deaf.clear()
    net.run(200)
    assert a.registered, a.last
    call_works(net, a, b)
