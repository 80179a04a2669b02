# SPDX-License-Identifier: Apache-2.0
"""Phones and the whole network: registration, texts and calls from the phone's air interface to the HSS and back."""

from collections.abc import Callable

import pytest
from network import Network, imsi_of, msisdn_of

from dialtone.codec import sip
from dialtone.config import Config
from dialtone.sim.detach import DetachCommand
from dialtone.sim.ims.call import AnswerCommand, CallCommand, HangUpCommand, HoldCommand
from dialtone.sim.ims.client import PAIRS, ImsClient, ImsHandset
from dialtone.sim.ims.identity import Isim
from dialtone.sim.ims.registration import DeregisterCommand, RegisterCommand
from dialtone.sim.ims.sms import SmsCommand
from dialtone.sim.ims.states import CallState, RegistrationState
from dialtone.sim.ims.text import TextCommand
from dialtone.sim.power import BreakCommand

MakeNetwork = Callable[..., Network]
SAS_STAY = 200.0
"""Longer than the P-CSCF keeps SAs that are not needed any more."""
DOMAIN = Config().network.plmn.ims_domain


def phones(make_network: MakeNetwork, count: int = 2, handset: ImsHandset | None = None) -> tuple[Network, ...]:
    """A network whose phones are attached and registered."""
    net = make_network(phones=0)
    clients = [net.add_ims(number, handset) for number in range(1, count + 1)]
    for client in clients:
        net.attach(client.imsi, 3)
    assert [client.state for client in clients] == [RegistrationState.REGISTERED] * count, net.verdicts(clients[0].name)
    return (net, *clients)  # type: ignore[return-value]


def call(net: Network, caller: ImsClient, called: ImsClient) -> None:
    """Call, ring, answer."""
    net.command(caller.name, CallCommand(f"+{msisdn_of(int(called.imsi[-4:]))}"), 3)
    net.command(called.name, AnswerCommand(), 2)
    assert [next(iter(one.calls.values())).state for one in (caller, called)] == [CallState.ACTIVE] * 2


def sip_errors(net: Network) -> list[str]:
    """What went astray on Gm and Mw."""
    return [name for name in net.loop.counters if name.startswith(("Gm ", "Mw "))
            and not name.endswith(("duplicate", "stray", "absorbed"))]


@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_registration_with_every_pair_of_algorithms(make_network: MakeNetwork, pair: tuple[str, str],
                                                    transport: str) -> None:
    net, client = phones(make_network, 1, ImsHandset(transport=transport, mechanisms=(pair,)))
    assert isinstance(client, ImsClient)
    assert (net.sas[0].alg, net.sas[0].ealg) == pair
    assert client.secure is not None
    assert client.secure.sas == net.sas[0]  # both ends have the same SAs and keys
    assert client.registration is not None
    assert client.registration.identities[0] == f"sip:+{msisdn_of(1)}@{DOMAIN}"
    assert client.subscription is not None
    assert client.subscription.notified
    for event in net.events("Gm"):
        if event.src == "pcscf" and event.kind == "tx":
            assert b"ck=" not in event.data
    net.command(client.name, DeregisterCommand(), SAS_STAY)
    assert net.sas == []


def test_one_port_and_one_mechanism(make_network: MakeNetwork) -> None:
    net, client = phones(make_network, 1, ImsHandset(one_port=True, mechanisms=PAIRS[-1:]))
    assert isinstance(client, ImsClient)
    net.command(client.name, TextCommand(f"+{msisdn_of(1)}", "to myself"), 3)
    assert [text.text for text in client.inbox] == ["to myself"]


def test_card_and_hss_share_one_sequence_number(make_network: MakeNetwork) -> None:
    """The card has seen more than the HSS: LTE resynchronises, IMS follows, and the other way round."""
    net = make_network(phones=0)
    client = net.add_ims(1)
    client.usim.seq_ms = [5000] * 32
    net.attach(client.imsi, 5)
    assert client.registered
    assert client.counters["AUTS"] == 0  # the AUTS of LTE has served IMS, too
    client.usim.seq_ms = [90_000] * 32
    net.command(client.name, RegisterCommand(), 3)
    assert client.counters["AUTS"] == 1
    assert client.registered


def test_texts_both_ways(make_network: MakeNetwork) -> None:
    net, one, two = phones(make_network)
    assert isinstance(one, ImsClient)
    assert isinstance(two, ImsClient)
    net.command(one.name, TextCommand(f"+{msisdn_of(2)}", "there"))
    net.command(two.name, TextCommand(msisdn_of(1), "and back"))
    assert [(text.sender, text.text) for text in (*two.inbox, *one.inbox)] == [
        (f"sip:+{msisdn_of(1)}@{DOMAIN}", "there"), (f"sip:+{msisdn_of(2)}@{DOMAIN}", "and back")]
    net.command(one.name, TextCommand("+4999", "nobody"))
    assert "refused: 404" in one.last


def test_call_with_bearers_hold_and_refresh_in_the_middle(make_network: MakeNetwork) -> None:
    net, one, two = phones(make_network)
    assert isinstance(one, ImsClient)
    assert isinstance(two, ImsClient)
    call(net, one, two)
    assert list(one.bearers.values()) == list(two.bearers.values()) == [1]
    assert {effect.remote[0] for effect in net.media.values()} == {one.address, two.address}
    net.command(one.name, HoldCommand(), 2)
    assert not net.media[two.imsi, next(iter(two.calls))].stream.sends
    net.command(one.name, HoldCommand(resume=True), 2)
    net.command(two.name, RegisterCommand(), 2)
    net.command(one.name, RegisterCommand(), 2)
    net.command(two.name, HangUpCommand(), 3)
    assert not one.calls
    assert not two.calls
    assert not net.media
    assert not one.bearers
    assert not two.bearers
    assert sip_errors(net) == []


@pytest.mark.parametrize("handset", [ImsHandset(preconditions=False), ImsHandset(transport="tcp"),
                                     ImsHandset(aligned=True, one_port=True), ImsHandset(rport=True)])
def test_call_of_other_handsets(make_network: MakeNetwork, handset: ImsHandset) -> None:
    net, one, two = phones(make_network, 2, handset)
    assert isinstance(one, ImsClient)
    assert isinstance(two, ImsClient)
    call(net, one, two)
    net.command(one.name, HangUpCommand(), 3)
    assert "is over" in one.last
    assert not two.calls
    assert not one.bearers
    assert sip_errors(net) == []


def test_cancel_and_refuse(make_network: MakeNetwork) -> None:
    net, one, two = phones(make_network)
    assert isinstance(one, ImsClient)
    assert isinstance(two, ImsClient)
    net.command(one.name, CallCommand(f"+{msisdn_of(2)}"), 3)
    net.command(one.name, HangUpCommand(), 3)
    assert "given up" in one.last
    assert not two.calls
    assert not one.bearers
    net.command(one.name, CallCommand(f"+{msisdn_of(2)}"), 3)
    net.command(two.name, HangUpCommand(), 3)
    assert "486" in one.last
    assert not one.bearers
    assert sip_errors(net) == []


def test_the_phone_leaves_ims_before_it_is_switched_off(make_network: MakeNetwork) -> None:
    net, client = phones(make_network, 1)
    assert isinstance(client, ImsClient)
    net.command(client.name, DeregisterCommand(DetachCommand(True)), SAS_STAY)
    names = [event.name for event in net.events("Gm", "NAS") if event.kind == "tx"]
    assert names.index("Detach request") > names.index("200 OK (REGISTER)", names.index("200 OK (REGISTER)") + 1)
    assert (client.state, net.sas) == (RegistrationState.NO_CONNECTION, [])


def test_identities_that_the_network_does_not_know(make_network: MakeNetwork) -> None:
    net = make_network(phones=0)
    client = net.add_ims(1, isim=Isim(f"other@{DOMAIN}", (f"sip:other@{DOMAIN}",), DOMAIN))
    net.attach(client.imsi, 5)
    assert "403" in client.last
    stranger = net.add_ims(2, isim=Isim(f"{imsi_of(2)}@{DOMAIN}", (f"sip:{imsi_of(2)}@{DOMAIN}",), DOMAIN, k=bytes(16)))
    net.attach(stranger.imsi, 5)
    assert "the card has another K or OPc" in stranger.last


@pytest.mark.parametrize(("fault", "said"), [
    ("wrong_security_verify", "494"),
    ("silent_after_401", "challenged by the network, and silent since"),
    ("no_security_client", "4"),
])
def test_faults_that_keep_a_phone_out(make_network: MakeNetwork, fault: str, said: str) -> None:
    net = make_network(phones=0)
    client = net.add_ims(1)
    net.command(client.name, BreakCommand(fault))
    net.attach(client.imsi, 5)
    assert not client.registered
    assert said in client.last
    assert client.secure is None


def test_stuck_at_183(make_network: MakeNetwork) -> None:
    net, one, two = phones(make_network)
    assert isinstance(one, ImsClient)
    assert isinstance(two, ImsClient)
    net.command(one.name, BreakCommand("stuck_at_183"))
    net.command(one.name, CallCommand(f"+{msisdn_of(2)}"), 20)
    assert next(iter(one.calls.values())).state == CallState.PROGRESS
    assert not [event for event in net.events("Gm") if event.name == "UPDATE"]
    net.command(one.name, HangUpCommand(), 3)
    assert not two.calls


def test_what_the_network_says_is_sip_that_tells_no_secrets(make_network: MakeNetwork) -> None:
    net, one, _ = phones(make_network)
    assert isinstance(one, ImsClient)
    for event in net.events("Gm"):
        message = sip.decode(event.data)
        assert message.first("P-Charging-Vector") is None or event.dst == "pcscf"


def test_short_messages_over_ip(make_network: MakeNetwork) -> None:
    net, one, two = phones(make_network)
    assert isinstance(one, ImsClient)
    assert isinstance(two, ImsClient)
    long = "a text of several parts, " * 20
    net.command(one.name, SmsCommand(f"+{msisdn_of(2)}", long), 10)
    assert one.last == f"the service centre has the text for +{msisdn_of(2)}"
    assert two.texts.messages() == [(f"+{msisdn_of(1)}", long, "IP")]
    net.command(two.name, SmsCommand(f"+{msisdn_of(1)}", "and back"), 5)
    assert one.texts.messages() == [(f"+{msisdn_of(2)}", "and back", "IP")]
    net.command(one.name, SmsCommand("+4999", "nobody"), 5)
    assert "refused by the service centre" in one.last
    assert not one.submitted
    assert not one.waiting


def test_short_messages_without_registration_or_answer(make_network: MakeNetwork) -> None:
    net = make_network(phones=0)
    client = net.add_ims(1)
    net.command(client.name, SmsCommand("+1", "x"))
    assert client.last == "not sent: the phone is not registered to IMS"
    net.attach(client.imsi, 3)
    net.gm.deaf.add("10.46.0.1")
    net.command(client.name, SmsCommand("+1", "x"), 41)
    assert client.last == "to +1: no RP-ACK of the service centre (TR1M)"
    assert not client.submitted
    net.gm.deaf.clear()
