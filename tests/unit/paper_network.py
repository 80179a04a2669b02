# SPDX-License-Identifier: Apache-2.0
"""An eNB and MME on paper, for one simulated phone: octets written by hand, keys and ciphers of its own.

Nothing here uses Dialtone's codecs or algorithms, except Milenage for the authentication vector (which has
its own tests against TS 35.208), so that phone and network cannot agree on the same mistake.
"""

import hmac
from collections import deque
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.cmac import CMAC

from dialtone.crypto.milenage import Milenage
from dialtone.dispatch import Handlers, Rx
from dialtone.effects import Effects
from dialtone.element import Element
from dialtone.ids import Plmn, Tai
from dialtone.loop import Loop
from dialtone.sim.air import (
    ConnectionRequest,
    ContextReady,
    ContextSetup,
    NasDown,
    NasUp,
    RadioLost,
    Released,
)
from dialtone.sim.attach import AttachCommand
from dialtone.sim.phone import Cell, Handset, InterfaceDown, InterfaceUp, Phone
from dialtone.sim.usim import Usim

K = bytes.fromhex("465b5ce8b199b49faa5f0a2ee238a6bc")
OPC = bytes.fromhex("cd63cb71954a9f4e48a5994e37a02baf")
IMSI = "001010000000001"
PLMN = bytes.fromhex("00f110")
RAND = bytes.fromhex("23553cbe9637a89d218ae64dae47bf35")
CELL = Cell("enb1", Tai(Plmn("001", "01"), 1))
GUTI = bytes.fromhex("f6 00f110 8001 02 c0ffee01")


def kdf(key: bytes, fc: int, *parameters: bytes) -> bytes:
    """TS 33.220, B.2."""
    s = bytes([fc])
    for p in parameters:
        s += p + len(p).to_bytes(2, "big")
    return hmac.new(key, s, "sha256").digest()


on = Handlers("paper eNB")


class Paper(Element):
    """Stands in for the eNB: keeps what the phone says."""

    on = on
    name = "enb1"

    def __init__(self) -> None:
        self.heard: deque[Any] = deque()


def _keep(paper: Paper, event: Any, rx: Rx) -> Effects:
    paper.heard.append(event)
    return ()


for kind in (ConnectionRequest, NasUp, ContextReady, RadioLost):
    on.event(kind)(_keep)


class Network:
    """One phone, and the network as the test plays it."""

    def __init__(self, handset: Handset | None = None, usim: Usim | None = None) -> None:
        self.now = 1_000_000.0
        self.loop = Loop(clock=lambda: self.now)
        self.paper = Paper()
        self.phone = Phone(usim or Usim(IMSI, K, OPC), CELL, handset)
        self.loop.add(self.paper)
        self.loop.add(self.phone)
        for point, stack in self.phone.stacks.items():
            self.loop.stacks[self.phone.name, point] = stack
        self.interfaces: list[Any] = []
        for effect in (InterfaceUp, InterfaceDown):
            self.loop.performers[effect] = lambda e, done: (self.interfaces.append(e), done(None))
        self.seq = 10
        self.kasme = b""
        self.eia = self.eea = 2
        self.ul = self.dl = 0

    # ---- time and events ---------------------------------------------------------------------------------

    def tell(self, event: Any) -> None:
        self.loop.tell(self.phone.name, event)
        self.loop.run()

    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.loop.expire()
        self.loop.run()

    def verdicts(self) -> list[tuple[str, str]]:
        return [(e.name, e.info) for e in self.loop.bus.ring if e.point == "verdict"]

    def errors(self) -> list[str]:
        return [e.info for e in self.loop.bus.ring if e.kind == "rx" and e.info]

    # ---- up ----------------------------------------------------------------------------------------------

    def next(self) -> Any:
        return self.paper.heard.popleft()

    def silent(self) -> bool:
        return not self.paper.heard

    def up(self, header: int | None = None) -> bytes:
        """The plain octets of the phone's next message, its MAC checked and deciphered."""
        octets = self.next().nas
        found = octets[0] >> 4
        assert octets[0] & 15 == 7
        assert header is None or found == header, f"header type {found}"
        if found == 0:
            return octets
        mac, number, body = octets[1:5], octets[5], octets[6:]
        assert number == self.ul & 255
        if found == 4:
            assert self.ul == 0  # a new context starts from 0
        assert mac == self.mac(self.ul, 0, octets[5:])
        plain = body if found == 1 else self.cipher(self.ul, 0, body)
        self.ul += 1
        return plain

    # ---- down ----------------------------------------------------------------------------------------------

    def down(self, plain: bytes, header: int = 0) -> bytes:
        """Send a message under a security header; returns the octets that went out."""
        octets = self.protected(plain, header)
        self.tell(NasDown("enb1", octets))
        return octets

    def protected(self, plain: bytes, header: int) -> bytes:
        if header == 0:
            return plain
        body = self.cipher(self.dl, 1, plain) if header in (2, 4) else plain
        covered = bytes([self.dl & 255]) + body
        octets = bytes([header << 4 | 7]) + self.mac(self.dl, 1, covered) + covered
        self.dl += 1
        return octets

    def mac(self, count: int, direction: int, covered: bytes) -> bytes:
        """128-EIA2 (TS 33.401, B.2.3)."""
        if self.eia == 0:
            return bytes(4)
        cmac = CMAC(algorithms.AES(kdf(self.kasme, 0x15, b"\x02", bytes([self.eia]))[16:]))
        cmac.update(count.to_bytes(4, "big") + bytes([direction << 2, 0, 0, 0]) + covered)
        return cmac.finalize()[:4]

    def cipher(self, count: int, direction: int, data: bytes) -> bytes:
        """128-EEA2 (TS 33.401, B.1.3), or none."""
        if self.eea == 0:
            return data
        key = kdf(self.kasme, 0x15, b"\x01", bytes([self.eea]))[16:]
        start = count.to_bytes(4, "big") + bytes([direction << 2]) + bytes(11)
        return Cipher(algorithms.AES(key), modes.CTR(start)).encryptor().update(data)

    # ---- procedures ------------------------------------------------------------------------------------------

    def challenge(self, *, seq: int | None = None, ksi: int = 1, amf: bytes = b"\x80\x00",
                  rand: bytes = RAND, opc: bytes = OPC, forged: bool = False) -> tuple[bytes, bytes]:
        """The octets of an Authentication request, and XRES; K_ASME is kept for what follows."""
        if seq is None:
            self.seq += 1
            seq = self.seq
        f = Milenage(K, opc)
        sqn = (seq << 5).to_bytes(6, "big")
        mac, res, ck, ik, ak = f.f12345(rand, sqn, amf)
        concealed = bytes(a ^ b for a, b in zip(sqn, ak, strict=True))
        self.next_kasme = kdf(ck + ik, 0x10, PLMN, concealed)
        autn = concealed + amf + (mac if not forged else bytes(8))
        return bytes([7, 0x52, ksi]) + rand + bytes([16]) + autn, res

    def take_keys(self) -> None:
        self.kasme, self.ul, self.dl = self.next_kasme, 0, 0

    def authenticate(self) -> None:
        request, res = self.challenge()
        self.down(request)
        answer = self.up(0)
        assert answer == bytes([7, 0x53, len(res)]) + res

    def security_mode(self, capability: bytes = bytes.fromhex("a020"), ksi: int = 1, tail: bytes = b"\xc1",
                      algorithms: int = 0x22) -> None:
        """Security mode command with a new context; `tail` are the optional elements."""
        self.take_keys()
        self.command(capability, ksi, tail, algorithms)

    def command(self, capability: bytes = bytes.fromhex("a020"), ksi: int = 1, tail: bytes = b"",
                algorithms: int = 0x22) -> None:
        self.eea, self.eia = algorithms >> 4, algorithms & 15
        self.down(bytes([7, 0x5D, algorithms, ksi, len(capability)]) + capability + tail, 3)

    def kenb(self, count: int) -> bytes:
        return kdf(self.kasme, 0x11, count.to_bytes(4, "big"))

    def accept(self, guti: bytes = GUTI, pti: int = 1) -> bytes:
        """Attach accept with address 10.45.0.7, APN internet, DNS, P-CSCF and MTU."""
        pco = bytes.fromhex("80 000d040a2d0001 000c040a2e0001 0010020578")
        esm = (bytes([0x52, pti, 0xC1, 1, 9, 9, 8]) + b"internet" + bytes.fromhex("05 01 0a2d0007")
               + bytes([0x27, len(pco)]) + pco)
        tais = bytes.fromhex("06 00 00f110 0001")
        return (bytes([7, 0x42, 1, 0x49]) + tais + len(esm).to_bytes(2, "big") + esm
                + bytes([0x50, len(guti)]) + guti)

    def context_setup(self, *nas: bytes, count: int = 0, k_enb: bytes | None = None) -> ContextReady:
        self.tell(ContextSetup("enb1", self.kenb(count) if k_enb is None else k_enb, (5,), nas))
        ready = self.next()
        assert isinstance(ready, ContextReady)
        return ready

    def release(self) -> None:
        self.tell(Released("enb1", "nas: detach"))

    def attach(self) -> None:
        """A whole IMSI or GUTI attach with a fresh authentication; the phone's first message is consumed."""
        from dialtone.sim.attach import AttachCommand

        self.tell(AttachCommand())
        self.next()
        self.authenticate()
        self.security_mode()
        assert self.up(4)[:2] == b"\x07\x5e"
        assert self.context_setup(self.protected(self.accept(), 2)).problem == ""
        assert self.up(2) == bytes.fromhex("0743 0003 5200c2")


def start(net: Network) -> bytes:
    """Begin an attach; returns the Attach request without its header."""
    net.tell(AttachCommand())
    return net.up()
