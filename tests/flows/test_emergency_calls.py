# SPDX-License-Identifier: Apache-2.0
"""Calls to 112: registered, with a SIM alone, and without one (TS 23.167; TS 24.229, 5.1.6, 5.2.10, 5.4.8, 5.11)."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from network import ONE_TRY, Network, imsi_of, msisdn_of
from test_emergency import IN_NEED, desk

from dialtone.answer.element import StreamFinished
from dialtone.codec.sip import decode
from dialtone.config import EMERGENCY_APN, EMERGENCY_POOL
from dialtone.scscf.store import CallRecord, read_calls
from dialtone.sim.ims.call import AnswerCommand, CallCommand, HangUpCommand
from dialtone.sim.ims.client import ImsClient
from dialtone.sim.ims.states import CallState, RegistrationState
from dialtone.sim.ims.text import TextCommand
from dialtone.sim.states import EmmState

Make = Callable[..., Network]
WITHOUT_SIM = replace(IN_NEED, sim=False)
NUMBERS = ["112", "911", "urn:service:sos", "urn:service:sos.fire"]


def with_desk(make_network: Make, **options: Any) -> tuple[Network, ImsClient, ImsClient]:
    """A network with a phone; its ordinary IMS client, and that for emergencies."""
    net = make_network(phones=0, config=desk(), **options)
    client = net.add_ims(1)
    net.attach(client.imsi, 5)
    assert client.help is not None
    return net, client, client.help


def records(net: Network) -> list[CallRecord]:
    return net.store.read(lambda db: read_calls(db, 10))


def invites(net: Network) -> list[Any]:
    """As the E-CSCF got them."""
    return [decode(event.data) for event in net.events("Mw")
            if event.name == "INVITE" and (event.src, event.dst) == ("pcscf", "scscf")]


def leave(net: Network, client: ImsClient) -> None:
    """Hang up and switch off: nothing of the call is left anywhere."""
    net.command(client.name, HangUpCommand(), 40)
    assert (net.core.answer.calls, net.core.pcscf.passing, net.core.pcscf.guests) == ({}, {}, {})
    assert (net.core.scscf.calls, net.core.pgw.af_sessions, net.streams) == ({}, {}, {})
    assert client.help is not None
    assert client.help.calls == {}
    assert net.loop.counters.get("internal error", 0) == 0


@pytest.mark.parametrize("number", NUMBERS)
def test_a_registered_phone_calls_over_a_connection_of_its_own(make_network: Make, number: str) -> None:
    net, client, urgent = with_desk(make_network)
    net.command(client.name, CallCommand(number), 8)
    assert [call.state for call in urgent.calls.values()] == [CallState.ACTIVE], urgent.last
    assert (client.calls, client.registered, urgent.registered) == ({}, True, True)
    phone = net.phones[client.imsi]
    sos = next(pdn for pdn in phone.pdns.values() if pdn.apn == EMERGENCY_APN)
    assert sos.address in EMERGENCY_POOL
    request: Any = net.nas("PDN connectivity request")
    assert (request.request_type, request.access_point_name) == (4, None)
    assert 1 in urgent.bearers.values(), "a voice bearer beside the emergency connection"
    bearer = next(one for one in phone.dedicated.values() if one.linked == sos.ebi)
    assert bearer.qos.qci == 1
    (invite,) = invites(net)
    assert invite.uri == (number if number.startswith("urn:") else "urn:service:sos")
    assert invite.first("P-Asserted-Identity").startswith("<sip:+358401000001@")
    assert len(invite.all("Route")) == 1
    (call,) = net.core.answer.calls.values()
    assert (call.service, call.script.words[0]) == ("sos", "emergency")
    (stream,) = net.streams.values()
    assert stream.agreed.address == str(sos.address)
    leave(net, client)
    assert 1 not in urgent.bearers.values()
    (record,) = records(net)
    assert (record.caller, record.status, record.dialled) == ("sip:+358401000001@ims.mnc001.mcc001.3gppnetwork.org",
                                                             200, invite.uri)


def test_the_registration_for_emergencies_stands_beside_the_ordinary_one(make_network: Make) -> None:
    net, client, urgent = with_desk(make_network)
    other = net.add_ims(2)
    net.attach(other.imsi, 5)
    net.command(client.name, CallCommand("112"), 8)
    register = next(decode(event.data) for event in net.events("Gm") if event.src == urgent.name)
    assert ";sos>" in register.first("Contact")
    (user,) = [user for user in net.core.scscf.users.values() if user.subject == client.imsi]
    assert sorted(contact.emergency for contact in user.contacts.values()) == [False, True]
    assert len(user.watchers) == 2, "phone and P-CSCF watch the ordinary one, and nobody this one"
    net.command(other.name, CallCommand(f"+{msisdn_of(1)}"), 3)
    assert [call.state for call in client.calls.values()] == [CallState.RINGING], "who is called rings there only"
    net.command(client.name, AnswerCommand(), 2)
    net.command(other.name, HangUpCommand(), 2)
    net.command(urgent.name, TextCommand(f"+{msisdn_of(2)}", "hello"), 2)
    assert "403" in urgent.last, "nothing else may go over it"
    leave(net, client)
    net.run(1000)
    assert not urgent.registered, "it is not renewed"
    net.run(1000)
    assert [contact.emergency for contact in user.contacts.values()] == [False]
    net.command(client.name, CallCommand("112"), 8)
    assert [call.state for call in urgent.calls.values()] == [CallState.ACTIVE], "and made anew when it is needed"


def test_a_phone_that_is_not_attached_attaches_for_its_call(make_network: Make) -> None:
    net = make_network(phones=0, config=desk())
    client = net.add_ims(1)
    assert client.help is not None
    net.command(client.name, CallCommand("112"), 8)
    phone = net.phones[client.imsi]
    assert [pdn.apn for pdn in phone.pdns.values()] == [EMERGENCY_APN]
    assert [call.state for call in client.help.calls.values()] == [CallState.ACTIVE]
    assert client.help.registered
    leave(net, client)
    net.detach(client.imsi)
    net.attach(client.imsi, 5)
    assert client.registered, "the next attach is an ordinary one"


@pytest.mark.parametrize("handset", [WITHOUT_SIM, IN_NEED])
def test_a_phone_that_nobody_knows(make_network: Make, handset: Any) -> None:
    """Without a SIM, or with one of another network: no name, no registration, no IPsec; and the desk answers."""
    net = make_network(phones=0, config=desk(), handset=handset)
    client = net.put_ims(net.add_phone(imsi_of(7), replace(handset, ims="ims")))
    net.attach(imsi_of(7), 3)
    net.command(client.name, CallCommand("112"), 8)
    assert client.help is not None
    assert [call.state for call in client.help.calls.values()] == [CallState.ACTIVE], client.help.last
    assert client.help.state is RegistrationState.NOT_REGISTERED
    assert not net.events("Cx")
    (invite,) = invites(net)
    assert invite.from_.uri == "sip:anonymous@anonymous.invalid"
    assert not invite.has("P-Asserted-Identity")
    assert 1 in client.help.bearers.values()
    assert len(net.core.pcscf.guests) == 1
    leave(net, client)
    assert [record.caller for record in records(net)] == ["anonymous"]


def test_the_core_of_another_maker_does_not_get_emergency_calls(make_network: Make) -> None:
    """Nobody registers there, and 112 is answered here; the desk finds the way back, too."""
    config = desk()
    config = replace(config, ims=replace(config.ims, icscf="udp:192.0.2.9:5060"))
    net = make_network(phones=0, config=config, handset=WITHOUT_SIM)
    client = net.put_ims(net.add_phone(imsi_of(7), replace(WITHOUT_SIM, ims="ims")))
    net.command(client.name, CallCommand("112"), 8)
    assert client.help is not None
    assert [call.state for call in client.help.calls.values()] == [CallState.ACTIVE], client.help.last
    (stream,) = net.streams.values()
    net.command("answer", StreamFinished(stream.key), 3)
    assert "hung up" in client.help.last
    leave(net, client)


def test_the_desk_hangs_up_on_a_guest(make_network: Make) -> None:
    net = make_network(phones=0, config=desk(), handset=WITHOUT_SIM)
    client = net.put_ims(net.add_phone(imsi_of(7), replace(WITHOUT_SIM, ims="ims")))
    net.command(client.name, CallCommand("112"), 8)
    (stream,) = net.streams.values()
    net.command("answer", StreamFinished(stream.key), 3)
    assert client.help is not None
    assert client.help.calls == {}
    assert "hung up" in client.help.last
    leave(net, client)


def test_a_registration_that_fails_keeps_nobody_from_calling(make_network: Make) -> None:
    net, client, urgent = with_desk(make_network)
    known = net.core.hss.subscribers
    net.core.hss.subscribers = _Nobody(known)  # type: ignore[assignment]
    net.command(client.name, CallCommand("112"), 8)
    assert [call.state for call in urgent.calls.values()] == [CallState.ACTIVE], urgent.last
    assert not urgent.registered
    net.core.hss.subscribers = known


class _Nobody:
    """A store in which nobody is found."""

    def __init__(self, store: Any) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        return (lambda *_: None) if name in ("get", "owner") else getattr(self._store, name)


def test_the_connection_is_lost_in_the_middle(make_network: Make) -> None:
    net = make_network(phones=0, config=desk(), handset=WITHOUT_SIM)
    client = net.put_ims(net.add_phone(imsi_of(7), replace(WITHOUT_SIM, ims="ims")))
    net.command(client.name, CallCommand("112"), 8)
    net.detach(imsi_of(7), switch_off=True)
    net.run(40)
    leave(net, client)


def test_who_calls_anew_has_lost_the_first_call(make_network: Make) -> None:
    net = make_network(phones=0, config=desk(), handset=WITHOUT_SIM)
    client = net.put_ims(net.add_phone(imsi_of(7), replace(WITHOUT_SIM, ims="ims")))
    net.command(client.name, CallCommand("112"), 8)
    assert client.help is not None
    client.help.calls.clear()  # it has crashed
    net.command(client.name, CallCommand("112"), 8)
    assert len(net.core.answer.calls) == len(net.core.pcscf.passing) == len(net.core.pcscf.guests) == 1
    leave(net, client)


def test_without_a_desk_the_phone_is_sent_elsewhere(make_network: Make) -> None:
    net = make_network(phones=0)
    client = net.add_ims(1)
    net.attach(client.imsi, 5)
    net.command(client.name, CallCommand("112"), 5)
    assert "takes no emergency calls" in client.last
    assert net.core.answer.calls == {}
    assert not net.phones[client.imsi].urgent


def test_without_a_desk_nobody_attaches_for_a_call(make_network: Make) -> None:
    net = make_network(phones=0, handset=ONE_TRY)
    client = net.add_ims(1)
    net.command(client.name, CallCommand("112"), 5)
    phone = net.phones[client.imsi]
    assert phone.emm == EmmState.DEREGISTERED
    assert not phone.urgent


def test_an_enb_is_asked_for_the_emergency_bearer_first(make_network: Make) -> None:
    """ARP 1: it may pre-empt others, and nobody pre-empts it."""
    net, client, _ = with_desk(make_network)
    net.command(client.name, CallCommand("112"), 8)
    session = next(one for (_, apn), one in net.core.pgw.sessions.items() if apn == EMERGENCY_APN)
    voice = next(bearer for bearer in session.bearers.values() if bearer.qci == 1)
    assert voice.rule is not None
    assert voice.rule.arp[0] == 1


def test_a_trunk_for_112_by_configuration_only(make_network: Make) -> None:
    config = desk()
    codes = {"112": "sip:echo@answer.ims.mnc001.mcc001.3gppnetwork.org"}
    config = replace(config, ims=replace(config.ims, short_codes=codes))
    net = make_network(phones=0, config=config)
    client = net.add_ims(1)
    net.attach(client.imsi, 5)
    net.command(client.name, CallCommand("112"), 8)
    (call,) = net.core.answer.calls.values()
    assert call.service == "echo"
