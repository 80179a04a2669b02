# SPDX-License-Identifier: Apache-2.0
"""The P-CSCF on real sockets behind real IPsec, and a phone with a kernel of its own (a namespace) before it."""

import asyncio
import contextlib
import itertools
import os
import socket
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from dialtone import app, wiring
from dialtone.codec import sip
from dialtone.codec.sip import RegisterRequest, SipMessage, SipRequest, SipResponse
from dialtone.commands_ipsec import IpsecCommands
from dialtone.config import Config
from dialtone.control import Args
from dialtone.crypto.ipsec_keys import ENCRYPTION, INTEGRITY, SaSet
from dialtone.kernel.gm import GmIpsec
from dialtone.kernel.ipsec import Ipsec
from dialtone.lab_kernel import namespaces
from dialtone.lab_kernel.namespaces import End, Namespace
from dialtone.links.sip import SipLink
from dialtone.loop import Loop
from dialtone.runtime import Runtime, epoch_clock
from dialtone.sip.security_agreement import Mechanism

sys.path.append(str(Path(__file__).parents[1] / "flows"))
from pcscf_rig import CK, DOMAIN, IK, NUMBER, ROUTE, Phone

pytestmark = pytest.mark.kernel

OURS, THEIRS = "10.46.0.1", "10.46.0.2"


@dataclass
class Scscf:
    """A registrar that challenges what came in plain text and takes what came by IPsec."""

    loop: Loop
    heard: list[SipMessage] = field(default_factory=list)

    def send(self, element: str, peer: str, data: bytes, stream: int) -> None:
        message = sip.decode(data)
        self.heard.append(message)
        if not isinstance(message, SipRequest):
            return
        answer = sip.response(message, 200)
        if isinstance(message, RegisterRequest):
            if 'integrity-protected="no"' in (message.first("Authorization") or ""):
                answer = sip.response(message, 401)
                answer.append("WWW-Authenticate", f'Digest realm="{DOMAIN}",nonce="bm9uY2U=",algorithm=AKAv1-MD5,'
                                                  f'qop="auth",ck="{CK}",ik="{IK}"')
            else:
                answer.append("Contact", f"{message.first('Contact')};expires=3600")
                answer.append("Service-Route", ROUTE)
                answer.append("P-Associated-URI", f"<{NUMBER}>")
        self.loop.deliver("pcscf", "Mw", "scscf", sip.encode(answer))


class Handset:
    """Blocking sockets in the phone's namespace; called in a thread."""

    def __init__(self, namespace: Namespace, transport: str, alg: str, ealg: str, number: int) -> None:
        self.namespace = namespace
        self.phone = Phone(transport=transport, port_c=6200 + 10 * number, port_s=6201 + 10 * number,
                           spi=10_000 + 10 * number, call_id=f"call{number}")
        self.offer = self.phone.offer.replace("hmac-md5-96", alg).replace("=null", f"={ealg}")
        self.kind = socket.SOCK_STREAM if transport == "tcp" else socket.SOCK_DGRAM
        with namespace.enter():
            self.ipsec = Ipsec(THEIRS)
        self.open: list[socket.socket] = []
        self.server = self.bound(self.phone.port_s, socket.SOCK_DGRAM)
        self.listener = self.bound(self.phone.port_s, socket.SOCK_STREAM)
        self.listener.listen()

    def bound(self, port: int, kind: int) -> socket.socket:
        with self.namespace.enter():
            made = socket.socket(socket.AF_INET, kind)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.settimeout(10)
        made.bind((THEIRS, port))
        self.open.append(made)
        return made

    def close(self) -> None:
        for each in self.open:
            each.close()
        self.ipsec.close()

    def ask(self, data: bytes, source: int, port: int) -> SipMessage:
        """A request and its answer, which over UDP comes to the server port once it is protected."""
        if self.kind == socket.SOCK_STREAM:
            client = self.bound(0 if source == 5060 else source, self.kind)  # a port of before may linger
            client.connect((OURS, port))
            client.sendall(data)
            return sip.decode(client.recv(4000))
        client = self.bound(source, self.kind)
        client.sendto(data, (OURS, port))
        return sip.decode((client if source == 5060 else self.server).recv(4000))

    def challenge(self) -> SaSet:
        answer = self.ask(self.phone.register(offer=self.offer), 5060, 5060)
        assert isinstance(answer, SipResponse)
        assert answer.status == 401
        self.phone.server = answer.first("Security-Server") or ""
        said, own = Mechanism.parse(self.phone.server), Mechanism.parse(self.offer)
        sas = SaSet.make(own.end(THEIRS), said.end(OURS), said.alg, said.ealg, bytes.fromhex(CK), bytes.fromhex(IK))
        self.ipsec.install(sas, 600)
        return sas

    def register(self) -> SaSet:
        sas = self.challenge()
        answer = self.ask(self.phone.register(response="5a", offer=self.offer), sas.phone.port_c, sas.network.port_s)
        assert isinstance(answer, SipResponse)
        assert answer.status == 200
        return sas

    def take(self) -> tuple[SipRequest, socket.socket | None]:
        """A request of the network's, over UDP or a connection that it opens; it is answered by 200."""
        if self.kind == socket.SOCK_STREAM:
            connection, _ = self.listener.accept()
            connection.settimeout(10)
            data = b""
            while len(data) < 1500:
                data += connection.recv(4000)
            request = sip.decode(data)
            connection.sendall(sip.encode(sip.response(request, 200)))  # type: ignore[arg-type]
            return request, connection  # type: ignore[return-value]
        data, source = self.server.recvfrom(4000)
        request = sip.decode(data)
        self.server.sendto(sip.encode(sip.response(request, 200)), source)  # type: ignore[arg-type]
        return request, None  # type: ignore[return-value]


@dataclass
class Box:
    """What runs in the core's namespace."""

    loop: Loop
    core: Any
    scscf: Scscf
    ipsec: GmIpsec
    phone: Namespace


@pytest.fixture
def spaces(clean_namespaces: None) -> tuple[Namespace, Namespace]:
    """Made before the event loop runs: pyroute2 has one of its own."""
    core, phone = namespaces.create("dt-core"), namespaces.create("dt-phone")
    namespaces.cable(End(core, "gm", [f"{OURS}/16"]), End(phone, "lte0", [f"{THEIRS}/16"]))
    return core, phone


@contextlib.asynccontextmanager
async def box(core_space: Namespace, phone_space: Namespace) -> AsyncIterator[Box]:
    with core_space.enter():
        loop = Loop(epoch_clock())
        link = SipLink(loop, "pcscf", "Gm")
        pcscf = wiring.bind_pcscf(replace(Config()), loop, cast(Any, SimpleNamespace(get=lambda imsi: None)),
                               os.urandom, link)
        scscf = Scscf(loop)
        loop.ports["pcscf", "Mw"].link = scscf
        core: Any = SimpleNamespace(config=Config(), loop=loop, pcscf=pcscf)
        async with Runtime(loop) as runtime:
            ipsec = await app.connect_gm(core, link, [OURS], runtime)
            assert ipsec is not None
            yield Box(loop, core, scscf, ipsec, phone_space)


def incoming(handset: Handset, number: int, length: int) -> bytes:
    head = [f"MESSAGE sip:{THEIRS}:{handset.phone.port_s} SIP/2.0",
            f"Via: SIP/2.0/UDP scscf.{DOMAIN};branch=z9hG4bK{number}",
            f"Route: <sip:term@pcscf.{DOMAIN};lr>", "Max-Forwards: 60", "From: <sip:x@y>;tag=1", f"To: <{NUMBER}>",
            f"Call-ID: c{number}", "CSeq: 1 MESSAGE", f"Content-Length: {length}", "", ""]
    return "\r\n".join(head).encode() + b"x" * length


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_registration_and_requests_both_ways_by_every_pair(transport: str, spaces: tuple[Namespace, Namespace]) -> None:
    """Answers come back over IPsec, requests for the phone too: by a connection of ours where they are long."""

    async def run() -> None:
        async with box(*spaces) as it:
            for number, (alg, ealg) in enumerate(itertools.product(INTEGRITY, ENCRYPTION)):
                handset = Handset(it.phone, transport, alg, ealg, number)
                it.core.pcscf.ims = replace(it.core.pcscf.ims, integrity=(alg,), encryption=(ealg,))
                sas = await asyncio.to_thread(handset.register)
                it.loop.deliver("pcscf", "Mw", "scscf", incoming(handset, number, 1400 if transport == "tcp" else 100))
                request, _ = await asyncio.to_thread(handset.take)
                assert request.via.port == sas.network.port_c
                for _ in range(100):
                    if isinstance(it.scscf.heard[-1], SipResponse):
                        break
                    await asyncio.sleep(0.05)
                assert it.scscf.heard[-1].status == 200  # type: ignore[union-attr]
                (shown,) = IpsecCommands(it.core, it.ipsec).phones(Args())
                (current,) = [each for each in cast(Any, shown["sets"]) if each["use"] == "current"]
                assert (current["alg"], current["ealg"]) == (alg, ealg)
                assert [sa["in_kernel"] for sa in current["sas"]] == [True] * 4
                assert sum(bool(sa["packets"]) for sa in current["sas"]) >= 3  # answers over UDP need no fourth
                assert not any(sa["integrity_failed"] for sa in current["sas"])
                handset.close()
            assert len(IpsecCommands(it.core, it.ipsec).esp_sa(Args())) == 24
            assert it.loop.counters.get("internal error", 0) == 0

    asyncio.run(run())


def test_esp_with_other_keys_is_said_of_the_phone(spaces: tuple[Namespace, Namespace]) -> None:
    async def run() -> None:
        async with box(*spaces) as it:
            handset = Handset(it.phone, "udp", "hmac-sha-1-96", "aes-cbc", 0)
            sas = await asyncio.to_thread(handset.challenge)
            handset.ipsec.remove(sas)
            handset.ipsec.install(replace(sas, integrity=bytes(20)), 600)
            client = handset.bound(sas.phone.port_c, socket.SOCK_DGRAM)
            client.sendto(handset.phone.register(response="5a"), (OURS, sas.network.port_s))
            said: list[tuple[str, str]] = []
            for _ in range(100):
                await asyncio.sleep(0.1)
                said = [(event.subject, event.info) for event in it.loop.bus.ring if event.name == "esp"]
                if said:
                    break
            ((subject, text),) = said
            assert subject == "001010000000001"
            assert "XfrmInStateProtoError" in text
            handset.close()

    asyncio.run(run())
