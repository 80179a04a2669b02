# SPDX-License-Identifier: Apache-2.0
"""Random days of phones in IMS: calls, video, 112, texts, lost connections, a registrar that forgets; whatever happens,
nobody's programme breaks, and at the end nothing is left of it."""

import random
from collections.abc import Callable

import pytest
from network import Network, msisdn_of
from restarts import restart_registrar
from test_emergency import desk

from dialtone.effects import Event
from dialtone.links.memory import Weather
from dialtone.sim.ims.call import AnswerCommand, CallCommand, HangUpCommand, HoldCommand, VideoCommand
from dialtone.sim.ims.client import ImsClient, ImsHandset
from dialtone.sim.ims.registration import DeregisterCommand, RegisterCommand
from dialtone.sim.ims.sms import SmsCommand
from dialtone.sim.ims.text import TextCommand
from dialtone.sim.pdn import ClosePdn, OpenPdn

PHONES = 3
NUMBERS = [*(f"+{msisdn_of(number)}" for number in range(1, PHONES + 1)), "112", "600", "602", "+358409999999"]


def acts(rng: random.Random) -> list[Event]:
    """What a person does with a phone."""
    to = rng.choice(NUMBERS)
    return [CallCommand(to), CallCommand(to, video=True), AnswerCommand(), HangUpCommand(), HoldCommand(),
            HoldCommand(resume=True), VideoCommand(), VideoCommand(off=True), TextCommand(to, "x"), SmsCommand(to, "y"),
            RegisterCommand(), DeregisterCommand()]


def happens(net: Network, client: ImsClient, rng: random.Random) -> None:
    """Something that nobody wanted."""
    phone = net.phones[client.imsi]
    match rng.randrange(7):
        case 0:
            net.detach(client.imsi, switch_off=True)
        case 1:
            net.power_cycle(client.imsi)
        case 2:
            net.command(phone.name, ClosePdn("ims"))
        case 3:
            net.command(phone.name, OpenPdn("ims"))
        case 4:
            net.idle(client.imsi)
        case 5:
            client.calls.clear()
        case _:
            restart_registrar(net)


@pytest.mark.parametrize("seed", range(4))
def test_a_day(make_network: Callable[..., Network], seed: int) -> None:
    rng = random.Random(seed)
    net = make_network(phones=0, config=desk(), seed=seed)
    clients = [net.add_ims(number, ImsHandset(transport=rng.choice(("udp", "tcp")), session_expires=180,
                                              preconditions=rng.random() < 0.5, rings=rng.choice((None, 2.0))))
               for number in range(1, PHONES + 1)]
    net.gm.weather = Weather(seed + 1, 0.02, 0.05, 0.02)
    for _ in range(120):
        client = rng.choice(clients)
        if rng.random() < 0.15:
            happens(net, client, rng)
        elif net.phones[client.imsi].emm != "EMM-REGISTERED":
            net.attach(client.imsi, 3)
        else:
            net.command(rng.choice([client.name, client.help.name]) if client.help else client.name,
                        rng.choice(acts(rng)), rng.choice((0.1, 1.0, 4.0, 60.0)))
        assert net.loop.counters.get("internal error", 0) == 0
    net.gm.weather = None
    for client in clients:
        net.detach(client.imsi)
        net.run(5)
        net.attach(client.imsi, 700)
        assert client.registered, client.last
    net.run(400)
    assert (net.core.pcscf.passing, net.core.pcscf.guests, net.core.pgw.af_sessions) == ({}, {}, {})
    assert net.core.scscf.calls == {}
