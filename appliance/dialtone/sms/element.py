# SPDX-License-Identifier: Apache-2.0
"""The SMS centre as an element: mailboxes of texts that wait, and who is asked to deliver them."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, TypeVar
from zoneinfo import ZoneInfo

from dialtone.codec import sip
from dialtone.codec.diameter import DiameterError, ExperimentalResult, ResultCode, SessionRequest, read_header, refusal
from dialtone.codec.sip import SipRequest, SipResponse
from dialtone.codec.sms.address import Address
from dialtone.codec.sms.times import Stamp
from dialtone.config import Config
from dialtone.dispatch import Handlers, Rx
from dialtone.effects import Effect, Effects, SendOctets
from dialtone.element import Element
from dialtone.errors import ProtocolError
from dialtone.hss.subscriber import Registration, Subscriber
from dialtone.sip import refusal as sip_refusal
from dialtone.sms.text import Text

on = Handlers("sms")

R = TypeVar("R", bound=SipRequest)

VENDOR_3GPP = 10415


class Directory(Protocol):
    """Who is who, and who serves whom; the store is one."""

    def get(self, imsi: str) -> Subscriber | None: ...

    def owner(self, kind: str, value: str) -> str | None: ...

    def registration(self, imsi: str) -> Registration | None: ...


class Box(Protocol):
    """What was written down before this start."""

    def waiting(self) -> list[Text]: ...

    def last_id(self) -> int: ...

    def tally(self, first: int, last: int) -> dict[str, int]: ...

    def latest(self, count: int) -> list[Text]: ...

    def close(self) -> None: ...


@dataclass(slots=True)
class Mailbox:
    """The texts that wait for one phone, in order; one of them at a time is `tried`, over `path`."""

    imsi: str
    texts: dict[int, Text] = field(default_factory=dict)
    tried: int | None = None
    path: str = ""
    failures: int = 0
    last: str = ""  # why the last attempt failed, for people
    due: float = 0.0  # when the next attempt is made
    reference: int = 0  # RP-MR of the last attempt over IP, and its Call-ID
    call_id: str = ""


@dataclass(slots=True)
class Budget:
    """How many texts a phone has sent in the minute that began at `since`."""

    since: float
    used: int = 0


@dataclass(slots=True)
class Contact:
    """A phone that is registered to IMS: the identity that its S-CSCF, the peer on ISC, serves; until when; whether it
    does SMS over IP."""

    identity: str
    peer: str
    until: float
    capable: bool


class Sms(Element):
    """SMS centre. `random` gives octets."""

    name = "sms"
    on = on

    def __init__(self, config: Config, directory: Directory, box: Box, random: Callable[[int], bytes]) -> None:
        plmn = config.network.plmn
        self.config = config.sms
        self.zone = ZoneInfo(config.network.timezone)
        self.origin_realm = f"epc.mnc{plmn.mnc:0>3}.mcc{plmn.mcc}.3gppnetwork.org"
        self.origin_host = f"sms.{self.origin_realm}"
        self.directory = directory
        self.box = box
        self.number = Address.of(config.sms.number)
        self.neighbours: dict[str, str] = {}  # Diameter host of an MME in this process -> the element's name
        self.boxes: dict[str, Mailbox] = {}
        self.budgets: dict[str, Budget] = {}  # by IMSI, of this minute
        self.contacts: dict[str, Contact] = {}  # by IMSI
        self.domain = plmn.ims_domain
        self.host = f"sms.{self.domain}"
        self.uri = f"sip:{self.host}"
        self.random = random
        self._ids = itertools.count(box.last_id() + 1)
        self._references = itertools.count(random(1)[0])
        self._sessions = itertools.count(int.from_bytes(random(4)))
        for text in box.waiting():
            self.mailbox(text.recipient).texts[text.id] = text

    def mailbox(self, imsi: str) -> Mailbox:
        """The mailbox of a phone; one that is empty again is taken down."""
        return self.boxes.setdefault(imsi, Mailbox(imsi))

    def next_id(self) -> int:
        """A number for a new text."""
        return next(self._ids)

    def next_reference(self) -> int:
        """What the parts of a long message have in common (TS 23.040, 9.2.3.24.1)."""
        return next(self._references) & 0xFF

    def stamp(self, now: float) -> Stamp:
        """The time in the network's zone, as phones show it."""
        offset = datetime.fromtimestamp(now, self.zone).utcoffset()
        return Stamp(int(now), int(offset.total_seconds()) // 60 if offset else 0)

    def find(self, address: Address) -> Subscriber | None:
        """Whose number this is: as it was dialled, without 00, or without the 0 of a national number."""
        digits = address.value
        for candidate in (digits, digits.removeprefix("00"), digits.lstrip("0")):
            imsi = self.directory.owner("msisdn", candidate)
            if imsi is not None:
                return self.directory.get(imsi)
        return None

    def owner(self, uri: str) -> Subscriber | None:
        """Whose public identity this is; of a tel or sip URI with a number, whose number."""
        bare = uri.partition(";")[0]
        imsi = self.directory.owner("impu", bare)
        if imsi is not None:
            return self.directory.get(imsi)
        scheme, _, rest = bare.partition(":")
        user, _, host = rest.partition("@")
        if scheme.lower() not in ("sip", "tel") or host not in ("", self.domain):
            return None
        return self.find(Address(user.lstrip("+"))) or self.directory.get(user)

    def origin(self, uri: str) -> Address:
        """What a phone shows of a sender that is no subscriber: the number, or the beginning of the name."""
        user = uri.partition(":")[2].partition("@")[0]
        try:
            return Address.of(user)
        except ValueError:
            return self.number

    # ---- SIP -------------------------------------------------------------------------------------------

    def response(self, request: SipRequest, status: int, reason: str = "") -> SipResponse:
        """An answer of ours, with a To tag (RFC 3261, 8.2.6.2)."""
        answer = sip.response(request, status, reason)
        if not answer.to.tag:
            answer.set("To", f"{answer.first('To')};tag={self.random(8).hex()}")
        return answer

    def request(self, message: R, to: str) -> R:
        """The header of a request of ours to a user, by way of the S-CSCF (TS 24.341, 5.3.3)."""
        token = self.random(16).hex()
        for name, value in (("Max-Forwards", "70"), ("From", f"<{self.uri}>;tag={token[:16]}"), ("To", f"<{to}>"),
                            ("Call-ID", f"{token[16:]}@{self.host}"), ("CSeq", f"1 {message.method}"),
                            ("P-Asserted-Identity", f"<{self.uri}>")):
            message.append(name, value)
        return message

    # ---- Diameter --------------------------------------------------------------------------------------

    def mme_of(self, imsi: str) -> tuple[str, str, str]:
        """The peer that serves a phone, with its Diameter host and realm; our own MME where nobody does, so that it
        says when the phone comes."""
        served = self.directory.registration(imsi)
        if served is None or (served.purged and self.neighbours):
            host, name = next(iter(self.neighbours.items()))
            return name, host, self.origin_realm
        return self.neighbours.get(served.mme.lower(), served.mme), served.mme, served.realm

    def header(self, host: str, realm: str) -> dict[str, Any]:
        """What every request to an MME begins with (TS 29.338, 6.3.2)."""
        number = next(self._sessions)
        return {"session_id": f"{self.origin_host};{number >> 32};{number & 0xFFFFFFFF}",
                "origin_host": self.origin_host, "origin_realm": self.origin_realm,
                "destination_host": host, "destination_realm": realm}

    def answer(self, request: SessionRequest, code: int) -> dict[str, Any]:
        """What every answer begins with: Result-Code, or Experimental-Result where 3GPP has its own code."""
        result: dict[str, Any] = {"result_code": code}
        if code > 5500:
            result = {"experimental_result": ExperimentalResult(vendor_id=VENDOR_3GPP, experimental_result_code=code)}
        return {"session_id": request.session_id, "origin_host": self.origin_host, "origin_realm": self.origin_realm,
                "proxy_info": request.proxy_info, **result}

    def refuse(self, error: ProtocolError, rx: Rx) -> Effects:
        """The protocol's own answer to an error."""
        return self._refuse(error, rx)

    def _refuse(self, error: ProtocolError, rx: Rx) -> Iterator[Effect]:
        if rx.point == "ISC":
            yield from sip_refusal.refuse(self, error, rx)
            return
        fault = error if isinstance(error, DiameterError) else DiameterError(
            error.text, cause=ResultCode.DIAMETER_COMMAND_UNSUPPORTED, clause="RFC 6733, 7.1.3")
        fault.header = fault.header or read_header(rx.octets)
        octets = refusal(rx.octets, fault, self.origin_host, self.origin_realm)
        if octets is not None:
            yield SendOctets(rx.point, rx.peer, f"refusal, Result-Code {fault.cause}", octets)
