# SPDX-License-Identifier: Apache-2.0
"""Kamailio's I-CSCF and S-CSCF behind our P-CSCF, with our HSS: phones register, text each other, and are put out."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from freediameter import free_port
from ims_box import CARD, Addresses, Box, box, imsi_of, number_of
from kamailio import DOMAIN, ICSCF, SCSCF, Kamailio

from dialtone.codec.sip import AuthParams
from dialtone.config_diameter import DiameterConfig, PeerConfig
from dialtone.crypto.sip_digest import split_nonce
from dialtone.effects import InstallSas
from dialtone.hss.registration_termination import EndRegistration

HSS = "hss.epc.mnc001.mcc001.3gppnetwork.org"
SERVING = 6060


@asynccontextmanager
async def behind_our_pcscf(path: Path, transport: str) -> AsyncIterator[Box]:
    at = Addresses()
    asking, serving = at[9], at[10]
    places = {"icscf_address": asking, "icscf_port": 5060, "scscf_address": serving, "scscf_port": SERVING,
              "hss": HSS}
    foreign = [Kamailio(path, SCSCF, SERVING, free_port(), address=serving, **places),
               Kamailio(path, ICSCF, 5060, free_port(), address=asking, **places)]
    config = at.config(icscf=f"{transport}:{asking}:5060", hosts={SCSCF: f"{serving}:{SERVING}"},
                       scscf=f"sip:{SCSCF}:{SERVING}")
    peers = {each.host: PeerConfig(DOMAIN, "127.0.0.1", each.port) for each in foreign}
    config = replace(config, diameter=DiameterConfig(peer=peers, tc=1.0, listen=at.core))
    async with box(path, config, at, foreign) as it:
        yield it


async def register(it: Box, number: int) -> Any:
    phone = it.phone(number, f"udp:{it.at.pcscf}:5060/5060")
    phone.register()
    await it.until(lambda: [each.status for each in phone.answered("REGISTER")] == [401, 200])
    return phone


async def registers_and_texts(it: Box) -> None:
    """Over Mw on sockets; a text from phone to phone passes both halves of the foreign core."""
    one, two = await register(it, 1), await register(it, 2)
    assert one.routes == [f"<sip:orig@{SCSCF}:{SERVING};lr>"]
    assert not any("ck=" in (each.first("WWW-Authenticate") or "") for each in one.answered("REGISTER"))
    one.text(f"sip:{number_of(2)}@{DOMAIN}", "hello")
    await it.until(lambda: one.answered("MESSAGE") and two.came("MESSAGE"))
    assert [each.status for each in one.answered("MESSAGE")] == [200]
    (text,) = two.came("MESSAGE")
    assert text.body == b"hello"
    assert text.first("Via") == f"SIP/2.0/UDP {it.at.pcscf}:5060;branch={text.via.branch}"  # by the Path of REGISTER
    two.text(f"sip:{number_of(1)}@{DOMAIN}", "hello yourself")
    await it.until(lambda: one.came("MESSAGE"))


async def gives_keys_for_ipsec(it: Box) -> None:
    """CK and IK come with its challenge, and become SAs before the phone gets it, without them."""
    installed: list[InstallSas] = []

    def install(effect: InstallSas, done: Callable[[Exception | None], None]) -> None:
        installed.append(effect)
        done(None)

    it.loop.performers[InstallSas] = install
    phone = it.phone(1, f"udp:{it.at.pcscf}:5060/5060")
    phone.offer = "ipsec-3gpp;alg=hmac-md5-96;ealg=aes-cbc;spi-c=1001;spi-s=1002;port-c=6200;port-s=6300"
    phone.register()
    await it.until(lambda: phone.answered("REGISTER"))
    (question,) = phone.answered("REGISTER")
    assert "port-s=6100" in (question.first("Security-Server") or "")
    asked = AuthParams.parse(question.first("WWW-Authenticate") or "")
    assert not {"ck", "ik"} & set(asked.params)
    _, ck, ik, _ = CARD.f2345(split_nonce(asked.get("nonce"))[0])
    assert [(each.sas.integrity, each.sas.encryption) for each in installed] == [(ik, ck)]


async def is_put_out(it: Box) -> None:
    phone = await register(it, 1)
    phone.subscribe()
    await it.until(lambda: phone.came("NOTIFY"))
    (registration,) = it.core.pcscf.registrations.values()
    await it.until(lambda: registration.watch is not None and registration.watch.version >= 0)
    subscriber, served = it.store.get(imsi_of(1)), it.store.ims_registration(imsi_of(1))
    assert subscriber is not None
    assert served is not None
    it.loop.tell("hss", EndRegistration(subscriber, served))
    await it.until(lambda: not registration.registered)
    await it.until(lambda: b"terminated" in phone.came("NOTIFY")[-1].body)
    await it.until(lambda: "Registration-Termination Answer" in it.names("Cx"))
    assert it.last("Registration-Termination Answer").result_code == 2001


@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize("scenario", [registers_and_texts, gives_keys_for_ipsec, is_put_out],
                         ids=lambda one: one.__name__)
def test_behind_our_p_cscf(scenario: Callable[[Box], Any], transport: str, tmp_path: Path) -> None:
    async def run() -> None:
        async with behind_our_pcscf(tmp_path, transport) as it:
            await scenario(it)

    asyncio.run(run())
