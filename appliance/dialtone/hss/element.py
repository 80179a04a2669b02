# SPDX-License-Identifier: Apache-2.0
"""The HSS as an element: it reads the store, counts sequence numbers, and asks for durable writes."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Protocol

from dialtone.codec.diameter import (
    DiameterError,
    ExperimentalResult,
    ExperimentalResultCode,
    ResultCode,
    read_header,
    refusal,
)
from dialtone.config import Config
from dialtone.crypto.milenage import Milenage
from dialtone.dispatch import Handlers, Rx
from dialtone.effects import Effect, Effects, SendOctets
from dialtone.element import Element
from dialtone.errors import ProtocolError
from dialtone.hss.sqn import SqnCounter
from dialtone.hss.subscriber import Subscriber

on = Handlers("hss")

VENDOR_3GPP = 10415


class Subscribers(Protocol):
    """What the HSS reads; the store is one."""

    def get(self, imsi: str) -> Subscriber | None: ...

    def sqn_mark(self, imsi: str) -> int: ...


class Hss(Element):
    """Home subscriber server. `random` gives octets."""

    name = "hss"
    on = on

    def __init__(self, config: Config, subscribers: Subscribers, random: Callable[[int], bytes]) -> None:
        plmn = config.network.plmn
        self.origin_realm = f"epc.mnc{plmn.mnc:0>3}.mcc{plmn.mcc}.3gppnetwork.org"
        self.origin_host = f"hss.{self.origin_realm}"
        self.subscribers = subscribers
        self.random = random
        self.counters: dict[str, SqnCounter] = {}
        self._keyed: dict[tuple[bytes, bytes], Milenage] = {}

    def counter(self, imsi: str) -> SqnCounter:
        """The sequence numbers of a subscriber."""
        if (counter := self.counters.get(imsi)) is None:
            counter = self.counters[imsi] = SqnCounter(partial(self.subscribers.sqn_mark, imsi))
        return counter

    def functions(self, subscriber: Subscriber) -> Milenage:
        """f1 to f5* keyed for a subscriber; kept, since setting up AES costs more than using it."""
        key = (subscriber.k, subscriber.opc)
        if (keyed := self._keyed.get(key)) is None:
            if len(self._keyed) >= 4096:
                self._keyed.clear()
            keyed = self._keyed[key] = Milenage(subscriber.k, subscriber.opc)
        return keyed

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


def experimental(code: ExperimentalResultCode) -> ExperimentalResult:
    """An Experimental-Result of 3GPP (TS 29.272, 7.4.3)."""
    return ExperimentalResult(vendor_id=VENDOR_3GPP, experimental_result_code=code)
