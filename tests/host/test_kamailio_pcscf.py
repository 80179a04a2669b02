# SPDX-License-Identifier: Apache-2.0
"""Kamailio's P-CSCF before our S-CSCF, over UDP and TCP: phones register, text each other, and are put out."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from ims_box import Addresses, Box, box, imsi_of, number_of
from kamailio import DOMAIN, PCSCF, VISITED, Kamailio
from softphone import Softphone

from dialtone.hss.registration_termination import EndRegistration

PORT = 4060


@asynccontextmanager
async def before_our_scscf(path: Path, transport: str, visited: str = VISITED) -> AsyncIterator[Box]:
    at = Addresses()
    suffix = ";transport=tcp" if transport == "tcp" else ""
    theirs = Kamailio(path, PCSCF, PORT, address=at[11], core=f"sip:{at.core}:5060{suffix}", transport=suffix,
                      visited=visited)
    async with box(path, at.config(core=at.core, hosts={PCSCF: f"{at[11]}:{PORT}"}), at, [theirs]) as it:
        yield it


async def register(it: Box, number: int, statuses: tuple[int, ...] = (401, 200)) -> Softphone:
    phone = it.phone(number, f"udp:{it.at[11]}:{PORT}/5060")
    phone.register()
    await it.until(lambda: len(phone.answered("REGISTER")) == len(statuses))
    assert [each.status for each in phone.answered("REGISTER")] == list(statuses)
    return phone


async def registers_and_texts(it: Box, transport: str) -> None:
    """Over Mw on sockets, both ways; the P-CSCF asserts who it is."""
    one, two = await register(it, 1), await register(it, 2)
    assert one.routes == [f"<sip:orig@scscf.{DOMAIN};lr>"]
    for sender, receiver, to in ((one, two, 2), (two, one, 1)):
        sender.text(f"tel:{number_of(to)}", f"hello {to}")
        await it.until(lambda sender=sender, receiver=receiver: sender.answered("MESSAGE") and receiver.came("MESSAGE"))
        assert [each.status for each in sender.answered("MESSAGE")] == [200]
        (text,) = receiver.came("MESSAGE")
        assert text.body == f"hello {to}".encode()
        assert text.via.host == it.at[11]
        assert text.first("P-Asserted-Identity") == f"<{sender.identity}>"
    asked = [event for event in it.loop.bus.ring if event.point == "Mw" and event.dst == "scscf" and
             event.name in ("REGISTER", "MESSAGE")]
    assert {event.src.partition(":")[0] for event in asked} == {transport}


async def is_put_out(it: Box, transport: str) -> None:
    """The HSS ends the registration: the phone hears of it through the foreign P-CSCF, and that by itself."""
    phone = await register(it, 1)
    phone.subscribe()
    await it.until(lambda: phone.came("NOTIFY"))
    (user,) = it.core.scscf.users.values()
    watching = {f"sip:{it.at[11]}:{PORT}", phone.contact[1:-1]}
    await it.until(lambda: {each.dialog.target for each in user.watchers.values()} == watching)
    subscriber, served = it.store.get(imsi_of(1)), it.store.ims_registration(imsi_of(1))
    assert subscriber is not None
    assert served is not None
    it.loop.tell("hss", EndRegistration(subscriber, served))
    await it.until(lambda: b"terminated" in phone.came("NOTIFY")[-1].body)
    await it.until(lambda: it.names("Mw").count("200 OK (NOTIFY)") == 4)
    assert it.core.scscf.users == {}
    phone.text(f"tel:{number_of(2)}", "still there?")
    await it.until(lambda: phone.answered("MESSAGE"))
    assert phone.answered("MESSAGE")[0].status == 403


@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize("scenario", [registers_and_texts, is_put_out], ids=lambda one: one.__name__)
def test_before_our_s_cscf(scenario: Callable[[Box, str], Any], transport: str, tmp_path: Path) -> None:
    async def run() -> None:
        async with before_our_scscf(tmp_path, transport) as it:
            await scenario(it, transport)

    asyncio.run(run())


def test_a_p_cscf_that_does_not_say_where_the_phone_is(tmp_path: Path) -> None:
    """Without P-Visited-Network-ID there is no registration, and the answer says why."""
    async def run() -> None:
        async with before_our_scscf(tmp_path, "udp", visited="") as it:
            phone = await register(it, 1, (400,))
            assert "P-Visited-Network-ID" in phone.answered("REGISTER")[0].reason

    asyncio.run(run())
