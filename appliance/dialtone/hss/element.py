# SPDX-License-Identifier: Apache-2.0
"""The HSS as an element: it reads the store, counts sequence numbers, and asks for durable writes."""

import itertools
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Protocol

from dialtone.codec.diameter import (
    CxResult,
    DiameterError,
    DiameterMessage,
    ExperimentalResult,
    ExperimentalResultCode,
    ResultCode,
    read_header,
    refusal,
)
from dialtone.config import Config
from dialtone.crypto.aka import AuthenticationFunctions, keyed
from dialtone.dispatch import Handlers, Rx
from dialtone.effects import Effect, Effects, Request, SendOctets
from dialtone.element import Element
from dialtone.errors import ProtocolError
from dialtone.hss.sqn import SqnCounter
from dialtone.hss.subscriber import ImsRegistration, Registration, Subscriber

on = Handlers("hss")

VENDOR_3GPP = 10415


class Subscribers(Protocol):
    """What the HSS reads; the store is one."""

    def get(self, imsi: str) -> Subscriber | None: ...

    def sqn_mark(self, imsi: str) -> int: ...

    def registration(self, imsi: str) -> Registration | None: ...

    def registrations(self) -> list[Registration]: ...

    def owner(self, kind: str, value: str) -> str | None: ...

    def ims_registration(self, imsi: str) -> ImsRegistration | None: ...


class Hss(Element):
    """Home subscriber server. `random` gives octets."""

    name = "hss"
    on = on

    def __init__(self, config: Config, subscribers: Subscribers, random: Callable[[int], bytes]) -> None:
        plmn = config.network.plmn
        self.origin_realm = plmn.epc_realm
        self.origin_host = f"hss.{self.origin_realm}"
        self.plmn = plmn
        self.scscf = config.ims.scscf or f"sip:scscf.{plmn.ims_domain}"  # for users who have none
        self.subscribers = subscribers
        self.random = random
        self.neighbours: dict[str, str] = {}  # Diameter host of an MME or CSCF in this process -> the element
        self._sessions = itertools.count(int.from_bytes(random(4)))
        self.counters: dict[str, SqnCounter] = {}
        self._keyed: dict[tuple[str, bytes, bytes, int, int], AuthenticationFunctions] = {}

    def counter(self, imsi: str) -> SqnCounter:
        """The sequence numbers of a subscriber."""
        if (counter := self.counters.get(imsi)) is None:
            counter = self.counters[imsi] = SqnCounter(partial(self.subscribers.sqn_mark, imsi))
        return counter

    def functions(self, subscriber: Subscriber, *, isim: bool = False) -> AuthenticationFunctions:
        """f1 to f5* keyed for a subscriber, or for its ISIM where that has keys of its own; kept, since setting up AES
        costs more than using it."""
        k, opc = subscriber.k, subscriber.opc
        if isim and subscriber.isim_k is not None and subscriber.isim_opc is not None:
            k, opc = subscriber.isim_k, subscriber.isim_opc
        key = (subscriber.algorithm, k, opc, subscriber.res, subscriber.iterations)
        if (found := self._keyed.get(key)) is None:
            if len(self._keyed) >= 4096:
                self._keyed.clear()
            found = self._keyed[key] = keyed(*key[:3], res=subscriber.res, iterations=subscriber.iterations)
        return found

    def header(self, served: Registration) -> dict[str, Any]:
        """What every request to the MME that serves a subscriber begins with (TS 29.272, 7.2)."""
        return self.header_to(served.mme, served.realm)

    def header_to(self, host: str, realm: str) -> dict[str, Any]:
        """What every request to a Diameter host begins with (TS 29.272, 7.2; TS 29.229, 6.1)."""
        number = next(self._sessions)
        return {
            "session_id": f"{self.origin_host};{number >> 32};{number & 0xFFFFFFFF}",
            "origin_host": self.origin_host, "origin_realm": self.origin_realm,
            "destination_host": host, "destination_realm": realm,
        }  # fmt: skip

    def ask(self, served: Registration, message: DiameterMessage) -> Request:
        """A request to the MME that serves a subscriber, inside the box or behind the Diameter node."""
        return Request("S6a", self.neighbours.get(served.mme.lower(), served.mme), message, context=served)

    def ask_cscf(self, served: ImsRegistration, message: DiameterMessage) -> Request:
        """A request to the S-CSCF that has a subscriber, likewise."""
        return Request("Cx", self.neighbours.get(served.host.lower(), served.host), message, context=served)

    def refuse(self, error: ProtocolError, rx: Rx) -> Effects:
        """The Result-Code of the error, with the AVP at fault (RFC 6733, 7)."""
        return self._refuse(error, rx)

    def _refuse(self, error: ProtocolError, rx: Rx) -> Iterator[Effect]:
        fault = error if isinstance(error, DiameterError) else _unserved(error, rx)
        answer = refusal(rx.octets, fault, self.origin_host, self.origin_realm)
        if answer is not None:
            yield SendOctets(rx.point, rx.peer, f"refusal, Result-Code {fault.cause}", answer)


def _unserved(error: ProtocolError, rx: Rx) -> DiameterError:
    """A command that the codec can read and nobody here serves (RFC 6733, 7.1.3)."""
    fault = DiameterError(error.text, cause=ResultCode.DIAMETER_COMMAND_UNSUPPORTED, clause="RFC 6733, 7.1.3")
    fault.header = read_header(rx.octets)
    return fault


def result(code: ResultCode | ExperimentalResultCode | CxResult) -> dict[str, Any]:
    """The AVP of an answer that says how it went: Result-Code, or Experimental-Result where 3GPP has its own code."""
    if isinstance(code, ResultCode):
        return {"result_code": code}
    return {"experimental_result": experimental(code)}


def outcome(message: Any) -> int:
    """Result-Code or Experimental-Result-Code of an answer."""
    return int(message.result_code or message.experimental_result_code or 0)


def experimental(code: ExperimentalResultCode | CxResult) -> ExperimentalResult:
    """An Experimental-Result of 3GPP (TS 29.272, 7.4.3; TS 29.229, 6.2)."""
    return ExperimentalResult(vendor_id=VENDOR_3GPP, experimental_result_code=code)
