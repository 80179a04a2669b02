# SPDX-License-Identifier: Apache-2.0
"""NAS between phone and MME as the phone protects and checks it (TS 24.301, 4.4; TS 33.401, 8.1).

A link stacked on the air interface: `up` takes the security header off and lets nothing through that
TS 24.301, 4.4.4.2 forbids, `down` puts one on. A message that fails is dropped with its reason in the trace.
"""

import hmac
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from dialtone.codec import nas
from dialtone.codec.message import Message
from dialtone.codec.nas import security
from dialtone.codec.nas.security import SecurityHeaderType
from dialtone.codec.nas.values import IdentityType
from dialtone.crypto.nas_security import DOWNLINK, UPLINK, NasSecurity, estimate_count
from dialtone.effects import Tell
from dialtone.errors import LocalError, ProtocolError
from dialtone.sim.air import ConnectionRequest, EstablishmentCause, NasUp
from dialtone.sim.faults import Faults

if TYPE_CHECKING:
    from dialtone.sim.phone import Phone

CLAUSE: Final = "TS 24.301, 4.4.4.2"
NOT_AUTHORIZED_FOR_CSG: Final = 25
FIRST: Final = (nas.DetachRequestUEOriginating | nas.TrackingAreaUpdateRequest | nas.ExtendedServiceRequest)
"""What opens a connection: integrity protected, and readable for a network that does not have the keys."""


@dataclass(slots=True)
class SecurityContext:
    """A native EPS security context: `uplink` is the next NAS COUNT to use, `downlink` the highest accepted
    (-1: none). `keys` is None as long as no security mode chose algorithms (a partial context)."""

    ksi: int
    kasme: bytes = field(repr=False)
    keys: NasSecurity | None = field(default=None, repr=False)
    uplink: int = 0
    downlink: int = -1


@dataclass(slots=True)
class Candidate:
    """What a Security mode command would take into use; `genuine` says that its MAC is right."""

    context: SecurityContext
    keys: NasSecurity | None
    count: int
    genuine: bool


def accepted_unprotected(message: Message) -> bool:
    """Whether a phone takes `message` before secure exchange is established (TS 24.301, 4.4.4.2)."""
    match message:
        case nas.IdentityRequest():
            return message.identity_type == IdentityType.IMSI
        case nas.AttachReject() | nas.TrackingAreaUpdateReject() | nas.ServiceReject():
            return message.emm_cause != NOT_AUTHORIZED_FOR_CSG
        case nas.AuthenticationRequest() | nas.AuthenticationReject() | nas.DetachAccept():
            return True
        case _:
            return False


@dataclass(slots=True)
class NasLink:
    """One phone's end. `secure`: the network has proved itself on this connection (4.4.2.3, 4.4.2.4)."""

    phone: "Phone"
    current: SecurityContext | None = None
    partial: SecurityContext | None = None  # authenticated, its security mode has not come yet
    secure: bool = False
    candidate: Candidate | None = None
    kenb_count: int = 0  # the uplink NAS COUNT that K_eNB is derived from (TS 33.401, 7.2.6.2)
    initial: bytes = b""  # the plain octets of the last request to attach or update, for HASH_MME
    counters: Counter[str] = field(default_factory=Counter)

    # ---- from the network ----------------------------------------------------------------------------

    def up(self, key: Any, data: bytes) -> tuple[Message, bytes]:
        """Check and decipher (Stack.up); raises ProtocolError for what is to be dropped."""
        cover = security.split(data)
        if cover.header_type == SecurityHeaderType.INTEGRITY_NEW_CONTEXT:
            return self._security_mode(cover)
        if cover.header_type in (SecurityHeaderType.INTEGRITY, SecurityHeaderType.INTEGRITY_CIPHERED):
            return self._protected(cover)
        if cover.header_type != SecurityHeaderType.PLAIN:
            raise self._dropped("unexpected security header", f"type {cover.header_type} is not for a phone")
        if self.secure:
            raise self._dropped("plain NAS", "a plain message after secure exchange was established")
        return self._unprotected(cover.message), cover.message

    def _unprotected(self, plain: bytes) -> Message:
        message = nas.decode(plain, downlink=True)
        if not accepted_unprotected(message):
            raise self._dropped("plain NAS", f"{message.NAME} is not accepted without integrity protection")
        return message

    def _protected(self, cover: security.Protected) -> tuple[Message, bytes]:
        context = self.current
        if context is None or context.keys is None:
            return self._unverifiable(cover, "protected with a security context that the phone has not")
        covered = bytes((cover.sequence_number,)) + cover.message
        count = estimate_count(context.downlink, cover.sequence_number)
        if not hmac.compare_digest(context.keys.mac(count, DOWNLINK, covered), cover.mac):
            if count >= 256 and context.keys.mac(count - 256, DOWNLINK, covered) == cover.mac:
                raise self._dropped("NAS replay", f"NAS COUNT {count - 256} was used already")
            return self._unverifiable(cover, f"wrong MAC (NAS COUNT {count})")
        context.downlink = count
        self.secure = True
        plain = context.keys.cipher(count, DOWNLINK, cover.message) if cover.ciphered else cover.message
        message = nas.decode(plain, downlink=True)
        if isinstance(message, nas.SecurityModeCommand):
            raise self._dropped("unexpected security header", "Security mode command needs header type 3")
        return message, plain

    def _unverifiable(self, cover: security.Protected, why: str) -> tuple[Message, bytes]:
        """A message whose MAC cannot be right counts as unprotected, as long as nothing better is agreed."""
        if self.secure or cover.ciphered:
            raise self._dropped("NAS MAC failure", why)
        return self._unprotected(cover.message), cover.message

    def _security_mode(self, cover: security.Protected) -> tuple[Message, bytes]:
        message = nas.decode(cover.message, downlink=True)
        if not isinstance(message, nas.SecurityModeCommand):
            raise self._dropped("unexpected security header", f"{message.NAME} with header type 3")
        ksi = message.nas_key_set_identifier
        algorithms = message.selected_nas_security_algorithms
        context: SecurityContext | None
        if ksi == algorithms.integrity == algorithms.ciphering == 0 and self.phone.in_need:
            context = SecurityContext(0, bytes(32))  # nothing is made with its keys (TS 24.301, 5.4.3.3)
        else:
            context = next((c for c in (self.partial, self.current) if c is not None and c.ksi == ksi), None)
        if context is None:
            raise self._dropped("unknown KSI", f"key set {ksi} is none of the phone's")
        count = estimate_count(context.downlink, cover.sequence_number)
        try:
            keys = NasSecurity(context.kasme, eia=algorithms.integrity, eea=algorithms.ciphering)
        except LocalError:  # an algorithm that the phone never offered; the procedure's file answers
            self.candidate = Candidate(context, None, count, False)
            return message, cover.message
        mac = keys.mac(count, DOWNLINK, bytes((cover.sequence_number,)) + cover.message)
        self.candidate = Candidate(context, keys, count, hmac.compare_digest(mac, cover.mac))
        return message, cover.message

    def _dropped(self, what: str, why: str) -> ProtocolError:
        self.counters[what] += 1
        return ProtocolError(f"{what}: {why}", clause=CLAUSE)

    def take(self, candidate: Candidate) -> None:
        """Take a security context into use (TS 24.301, 4.4.2.1)."""
        context = candidate.context
        context.keys, context.downlink = candidate.keys, candidate.count
        self.current, self.partial, self.secure = context, None, True

    @property
    def null(self) -> bool:
        """What the phone has is the context of an emergency, which proves nothing."""
        return self.current is not None and self.current.keys is not None and self.current.keys.eia == 0

    def forget(self) -> None:
        """Delete every key (TS 24.301, 5.5.1.2.5: eKSI is deleted)."""
        self.current = self.partial = self.candidate = None
        self.secure = False

    # ---- to the network --------------------------------------------------------------------------------

    def down(self, key: Any, message: Any) -> tuple[bytes, bytes]:
        """Encode and protect (Stack.down); returns the plain octets and those for the air."""
        if isinstance(message, nas.ServiceRequest):
            return self._service_request(message)
        plain = nas.encode(message)
        if isinstance(message, nas.TrackingAreaUpdateRequest):
            self.initial = plain
        if isinstance(message, nas.AttachRequest):
            self.initial = plain
            if self.phone.faults.garbage:
                plain = plain[:9]
        faults = self.phone.faults
        if faults.silent_after == message.NAME:
            self.phone.deaf = True
        header = self._header(message)
        if header == SecurityHeaderType.PLAIN or self.current is None or self.current.keys is None:
            return plain, plain
        return plain, self._protect(self.current, self.current.keys, header, message, plain, faults)

    def _service_request(self, message: nas.ServiceRequest) -> tuple[bytes, bytes]:
        """Five bits of the NAS COUNT and half a MAC (TS 24.301, 4.4.3.1, 9.9.3.28)."""
        context = self.current
        assert context is not None
        assert context.keys is not None
        self.kenb_count = count = context.uplink
        context.uplink += 1
        message.sequence_number = count & 31
        mac = context.keys.mac(count, UPLINK, nas.encode(message)[:2])[2:]
        message.short_mac = bytes(octet ^ 0xFF for octet in mac) if self.phone.faults.wrong_mac else mac
        octets = nas.encode(message)
        return octets, octets

    def _header(self, message: Message) -> SecurityHeaderType:
        """How the message is protected (TS 24.301, 4.4.4.1, 4.4.5 and 9.3.1)."""
        if isinstance(message, nas.SecurityModeComplete):
            return SecurityHeaderType.INTEGRITY_CIPHERED_NEW_CONTEXT
        if isinstance(message, nas.AttachRequest):
            return SecurityHeaderType.INTEGRITY
        if self.secure:
            return SecurityHeaderType.INTEGRITY_CIPHERED
        if isinstance(message, FIRST) and not self.phone.connected:
            return SecurityHeaderType.INTEGRITY
        return SecurityHeaderType.PLAIN

    def _protect(self, context: SecurityContext, keys: NasSecurity, header: SecurityHeaderType,
                 message: Message, plain: bytes, faults: Faults) -> bytes:
        count = context.uplink
        context.uplink += 1
        if isinstance(message, nas.SecurityModeComplete | nas.AttachRequest | FIRST):
            self.kenb_count = count
        ciphered = header != SecurityHeaderType.INTEGRITY
        inner = keys.cipher(count, UPLINK, plain) if ciphered else plain
        number = count & 0xFF
        mac = keys.mac(count, UPLINK, bytes((number,)) + inner)
        if faults.wrong_mac:
            mac = bytes(octet ^ 0xFF for octet in mac)
        return security.join(header, mac, number, inner)

    def carry(self, key: Any, data: bytes, via: Message | None) -> Tell:
        """Over the connection, or with the request for one (Stack.carry)."""
        phone = self.phone
        repeat = 2 if phone.faults.replay else 1
        if phone.connected:
            return Tell(phone.cell.enb, NasUp(phone.name, data, repeat))
        phone.connected = True
        cause, phone.establishment = phone.establishment, EstablishmentCause.MO_SIGNALLING
        return Tell(phone.cell.enb, ConnectionRequest(phone.name, data, cause, phone.guti, repeat))

    def label(self, key: Any) -> str:
        """The far end (Stack.label)."""
        return "mme"
