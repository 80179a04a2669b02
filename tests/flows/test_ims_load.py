# SPDX-License-Identifier: Apache-2.0
"""Three hundred phones in IMS in one network: all register at once, each texts its neighbour, a hundred talk."""

import time
from collections.abc import Callable

from network import Network, msisdn_of

from dialtone.sim.attach import AttachCommand
from dialtone.sim.ims.call import AnswerCommand, CallCommand, HangUpCommand
from dialtone.sim.ims.registration import RegisterCommand
from dialtone.sim.ims.sms import SmsCommand
from dialtone.sim.ims.states import CallState

PHONES, CALLS = 300, 50


def test_three_hundred_phones(make_network: Callable[..., Network],
                              record_property: Callable[[str, object], None]) -> None:
    net = make_network(phones=0)
    clients = [net.add_ims(number) for number in range(1, PHONES + 1)]

    def step(what: str, seconds: float) -> None:
        begin = time.perf_counter()
        net.run(seconds)
        record_property(f"{what}, of {PHONES}: s of CPU", f"{time.perf_counter() - begin:.1f}")

    for client in clients:
        net.loop.tell(net.phones[client.imsi].name, AttachCommand())
    step("attach and registration", 20)
    assert sum(client.registered for client in clients) == PHONES
    assert len(net.core.scscf.users) == len(net.core.pcscf.registrations) == len(net.sas) == PHONES
    for number, client in enumerate(clients, 1):
        net.loop.tell(client.name, SmsCommand(f"+{msisdn_of(number % PHONES + 1)}", f"text {number} " * 20, True))
    step("long texts with status reports", 60)
    assert [[(one.text, one.path) for one in client.texts.messages()] for client in clients] == [
        [(f"text {(number - 1) % PHONES or PHONES} " * 20, "IP")] for number in range(1, PHONES + 1)]
    assert {sent.said for client in clients for sent in client.texts.sent} == {"received by the phone"}
    callers, called = clients[:CALLS], clients[CALLS:2 * CALLS]
    for number, client in enumerate(callers, 1):
        net.loop.tell(client.name, CallCommand(f"+{msisdn_of(CALLS + number)}"))
    step("calls", 5)
    for client in called:
        net.loop.tell(client.name, AnswerCommand())
    net.run(5)
    for client in clients:  # everybody refreshes while they talk
        net.loop.tell(client.name, RegisterCommand())
    step("refreshed registrations", 20)
    assert [one.state for client in (*callers, *called) for one in client.calls.values()] == [
        CallState.ACTIVE] * (2 * CALLS)
    assert all(list(client.bearers.values()) == [1] for client in (*callers, *called))
    assert sum(client.registered for client in clients) == PHONES
    for client in callers:
        net.loop.tell(client.name, HangUpCommand())
    net.run(10)
    assert not any(client.calls or client.bearers for client in clients)
    assert net.media == {}
