# SPDX-License-Identifier: Apache-2.0
"""Kamailio's I-CSCF and S-CSCF with our HSS over Cx on TCP: a phone registers, resynchronises, and is put out."""

import asyncio
import base64
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from freediameter import free_port
from kamailio import DOMAIN, ICSCF, SCSCF, Kamailio

from dialtone import app, wiring
from dialtone.codec import diameter
from dialtone.config import Config
from dialtone.config_diameter import DiameterConfig, PeerConfig
from dialtone.crypto import sip_digest
from dialtone.crypto.aka import make_auts
from dialtone.crypto.milenage import Milenage
from dialtone.crypto.sqn import make_sqn
from dialtone.diameter.node import Node
from dialtone.hss.provisioning import make_subscriber
from dialtone.hss.registration_termination import EndRegistration
from dialtone.hss.store import Store
from dialtone.hss.writes import PutSubscriber
from dialtone.links.memory import Memory
from dialtone.loop import Loop
from dialtone.runtime import Runtime, epoch_clock

IMSI = "001010000000001"
IMPI = f"{IMSI}@{DOMAIN}"
K, OPC = bytes.fromhex("465b5ce8b199b49faa5f0a2ee238a6bc"), bytes.fromhex("cd63cb71954a9f4e48a5994e37a02baf")
CARD = Milenage(K, OPC)
HSS = "hss.epc.mnc001.mcc001.3gppnetwork.org"


class Phone(asyncio.DatagramProtocol):
    """A phone and its P-CSCF in one: it registers in clear at the I-CSCF."""

    def __init__(self, port: int) -> None:
        self.port, self.cseq, self.answers = port, 0, asyncio.Queue[str]()

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.own = transport.get_extra_info("sockname")[1]

    def datagram_received(self, data: bytes, address: Any) -> None:
        self.answers.put_nowait(data.decode())

    async def register(self, nonce: str = "", response: str = "", more: str = "") -> str:
        """The final answer to a REGISTER."""
        self.cseq += 1
        uri = f"sip:{DOMAIN}"
        self.transport.sendto(
            f"REGISTER {uri} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{self.own};branch=z9hG4bK{self.cseq}\r\n"
            f"Max-Forwards: 70\r\nFrom: <sip:{IMPI}>;tag=1\r\nTo: <sip:{IMPI}>\r\nCall-ID: one\r\n"
            f"CSeq: {self.cseq} REGISTER\r\nContact: <sip:127.0.0.1:{self.own}>;expires=600\r\n"
            f"Path: <sip:term@127.0.0.1:{self.own};lr>\r\nRequire: path\r\nSupported: path\r\n"
            f"P-Visited-Network-ID: {DOMAIN}\r\nP-Charging-Vector: icid-value=1\r\n"
            f'Authorization: Digest username="{IMPI}",realm="{DOMAIN}",nonce="{nonce}",uri="{uri}",'
            f'response="{response}",algorithm=AKAv1-MD5{more}\r\nContent-Length: 0\r\n\r\n'.encode(),
            ("127.0.0.1", self.port))
        async with asyncio.timeout(10):
            while True:
                answer = await self.answers.get()
                if f"CSeq: {self.cseq} REGISTER" in answer and not answer.startswith("SIP/2.0 1"):
                    return answer

    @staticmethod
    def nonce(answer: str) -> str:
        """The nonce of a 401."""
        assert answer.startswith("SIP/2.0 401"), answer
        found = re.search(r'nonce="([^"]+)"', answer)
        assert found is not None
        return found[1]

    async def respond(self, nonce: str, auts: bytes = b"") -> str:
        """The answer to what only the card can compute; with `auts` it is that of no password (RFC 3310, 3.4)."""
        await asyncio.sleep(0.1)  # Kamailio sends a challenge before it has noted it, and knows no faster answer
        res = b"" if auts else CARD.f2345(sip_digest.split_nonce(nonce)[0])[0]
        response = sip_digest.response_of(res, username=IMPI, realm=DOMAIN, method="REGISTER", uri=f"sip:{DOMAIN}",
                                          nonce=nonce, qop="auth", cnonce="abc", nc="00000001")
        more = f',auts="{base64.b64encode(auts).decode()}"' if auts else ""
        return await self.register(nonce, response, f',qop=auth,nc=00000001,cnonce="abc"{more}')


class Trial:
    """Our HSS, both CSCFs, and a phone."""

    def __init__(self, loop: Loop, store: Store, cscfs: list[Kamailio]) -> None:
        self.loop, self.store, self.cscfs = loop, store, cscfs
        self.node: Node
        self.phone: Phone

    def names(self) -> list[str]:
        """Messages of Cx in their order."""
        return [event.name for event in self.loop.bus.ring if event.point == "Cx"]

    def last(self, name: str) -> Any:
        """The last message of that name."""
        return diameter.decode([event.data for event in self.loop.bus.ring if event.name == name][-1])

    async def until(self, condition: Callable[[], Any], seconds: float = 20) -> None:
        """Wait; says what Kamailio logged if that was in vain."""
        try:
            async with asyncio.timeout(seconds):
                while not condition():
                    await asyncio.sleep(0.02)
                    if any(cscf.ended for cscf in self.cscfs):
                        raise TimeoutError
        except TimeoutError:
            logs = "\n".join(cscf.log[-3000:] for cscf in self.cscfs)
            peers = self.node.states()
            raise AssertionError(f"{peers}\n{self.names()}\n{logs}") from None


@asynccontextmanager
async def trial(tmp_path: Path) -> AsyncIterator[Trial]:
    ports = [free_port() for _ in range(4)]
    serving = Kamailio(tmp_path, SCSCF, ports[0], ports[1], hss=HSS)
    asking = Kamailio(tmp_path, ICSCF, ports[2], ports[3], hss=HSS, scscf_port=ports[0])
    peers = {cscf.host: PeerConfig(DOMAIN, "127.0.0.1", cscf.port) for cscf in (serving, asking)}
    config = replace(Config(), diameter=DiameterConfig(peer=peers, tc=1.0))
    config = replace(config, ims=replace(config.ims, scscf=f"sip:{SCSCF}:{serving.sip_port}"))
    loop = Loop(epoch_clock())
    async with Runtime(loop) as runtime:
        store = Store(tmp_path / "dialtone.db")
        runtime.at_close(store.close)
        writer = store.open_writer(runtime.from_thread)
        runtime.at_close(writer.close)
        app.durable(loop, writer)
        it = Trial(loop, store, [serving, asking])
        core = wiring.build(config, loop, store, Memory(loop, "S1-MME"))
        saved = asyncio.get_running_loop().create_future()
        writer.submit([PutSubscriber(make_subscriber(
            {"imsi": IMSI, "k": K.hex(), "opc": OPC.hex(), "profile": "default", "msisdn": "15550101"},
            profiles=store.profiles(), home=config.network.plmn), 0)], saved.set_result)
        assert await saved is None
        try:
            for cscf in it.cscfs:
                await cscf.start()
            runtime.at_close(app.connect_diameter(config, loop).farewell)
            assert core.diameter is not None
            it.node = core.diameter
            await it.until(lambda: all(peer.open for peer in it.node.peers.values()))
            await it.until(lambda: all(cscf.connected for cscf in it.cscfs))
            _, it.phone = await asyncio.get_running_loop().create_datagram_endpoint(
                lambda: Phone(asking.sip_port), ("127.0.0.1", 0))
            yield it
        finally:
            for cscf in it.cscfs:
                await cscf.stop()


async def registers(it: Trial) -> None:
    """Two REGISTERs, the first of them challenged; its profile is valid to the S-CSCF's schema."""
    nonce = it.phone.nonce(await it.phone.register())
    (named,) = it.last("User-Authorization Answer").server_capabilities.server_name
    assert it.last("Multimedia-Auth Request").server_name == named
    answer = await it.phone.respond(nonce)
    assert answer.startswith("SIP/2.0 200"), answer + it.cscfs[0].log[-3000:]
    assert f"<sip:+15550101@{DOMAIN}>" in answer
    assert "<tel:+15550101>" in answer
    served = it.store.ims_registration(IMSI)
    assert served is not None
    assert (served.state, served.host) == ("registered", SCSCF)


async def is_put_out(it: Trial) -> None:
    """The HSS ends the registration: Kamailio finds the user by the list of public identities."""
    await registers(it)
    subscriber, served = it.store.get(IMSI), it.store.ims_registration(IMSI)
    assert subscriber is not None
    assert served is not None
    it.loop.tell("hss", EndRegistration(subscriber, served))
    await it.until(lambda: "Registration-Termination Answer" in it.names())
    assert it.last("Registration-Termination Answer").result_code == 2001
    assert it.last("Registration-Termination Request").public_identity == subscriber.impus
    assert it.store.ims_registration(IMSI) is None


async def resynchronises(it: Trial) -> None:
    """A card that is ahead: its AUTS comes through Kamailio, and the next vector is one that it takes."""
    nonce = it.phone.nonce(await it.phone.register())
    rand, _ = sip_digest.split_nonce(nonce)
    ahead = make_sqn(1_000_000, 4)
    auts = make_auts(CARD, rand=rand, sqn_ms=ahead)
    nonce = it.phone.nonce(await it.phone.respond(nonce, auts))
    assert it.last("Multimedia-Auth Request").sip_auth_data_item.sip_authorization == rand + auts
    rand, autn = sip_digest.split_nonce(nonce)
    sqn = int.from_bytes(autn[:6]) ^ int.from_bytes(CARD.f2345(rand)[3])
    assert sqn > ahead
    assert (await it.phone.respond(nonce)).startswith("SIP/2.0 200")


@pytest.mark.parametrize("scenario", [registers, is_put_out, resynchronises], ids=lambda one: one.__name__)
def test_with_kamailio(scenario: Callable[[Trial], Any], tmp_path: Path) -> None:
    async def run() -> None:
        async with trial(tmp_path) as it:
            await scenario(it)

    asyncio.run(run())
