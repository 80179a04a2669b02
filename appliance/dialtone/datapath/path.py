# SPDX-License-Identifier: Apache-2.0
"""GTP-U path management, the same at both ends of S1-U: echo, error indication, what cannot be read.

Sans-IO: a datagram and the time go in, what to send comes out.
"""

from collections.abc import Callable

from dialtone.codec.gtpu import (
    EchoRequest,
    EchoResponse,
    ErrorIndication,
    GtpuMessage,
    UnsupportedExtensionHeader,
    decode,
    encode,
    unsupported,
)
from dialtone.errors import ProtocolError

Address = tuple[str, int]
Out = tuple[bytes, Address, int]
"""What to send: octets, to whom, and the type of service octet of the outer header."""
Trace = Callable[[str, bytes, str, str, bool], None]
"""peer, octets, message name, remark, whether we sent it"""

PORT = 2152
_RATE, _BURST = 20.0, 40.0


class Budget:
    """So many per second, with a burst: a token bucket."""

    __slots__ = ("burst", "rate", "then", "tokens")

    def __init__(self, rate: float = _RATE, burst: float = _BURST) -> None:
        self.rate = rate
        self.burst = self.tokens = burst
        self.then = 0.0

    def take(self, now: float, amount: int = 1) -> bool:
        """Whether `amount` more may pass at `now` (seconds, any epoch)."""
        self.tokens = min(self.burst, self.tokens + self.rate * (now - self.then))
        self.then = now
        if self.tokens < amount:
            return False
        self.tokens -= amount
        return True


def no_trace(peer: str, data: bytes, name: str, info: str, sent: bool) -> None:
    """Where nobody watches."""


class Path:
    """Answers path management for the address `local` (packed).

    `drops` counts what went no further, by cause. `on_error(peer, indication)` is called for a received
    Error Indication, `on_echo(peer)` for an Echo Response. Answers to strangers and their trace are limited in rate.
    """

    def __init__(self, local: bytes, drops: dict[str, int], on_error: Callable[[Address, ErrorIndication], None],
                 trace: Trace = no_trace, on_echo: Callable[[Address], None] = lambda peer: None) -> None:
        self.local = local
        self.drops = drops
        self.on_error = on_error
        self.on_echo = on_echo
        self.trace = trace
        self._budget = Budget()
        self._seen = Budget()

    def drop(self, cause: str) -> None:
        """Count a packet that goes no further."""
        self.drops[cause] = self.drops.get(cause, 0) + 1

    def unreadable(self, datagram: bytes, error: ProtocolError, peer: Address, now: float) -> Out | None:
        """No GTP-U version 1 header: dropped; an unknown extension header that matters: answered."""
        watched = self._seen.take(now)
        if watched:
            self.trace(_name(peer), datagram[:64], "undecodable", str(error), False)
        if not isinstance(error, UnsupportedExtensionHeader):
            self.drop("malformed")
            return None
        self.drop("unsupported extension header")
        return self._answer(unsupported(), peer, watched) if self._budget.take(now) else None

    def unknown(self, datagram: bytes, teid: int, peer: Address, now: float) -> Out | None:
        """A G-PDU for a tunnel that is not there: an Error Indication to port 2152 (TS 29.281, 7.3.1)."""
        self.drop("unknown TEID")
        if not self._budget.take(now):
            return None
        self.trace(_name(peer), datagram[:64], "T-PDU", f"no tunnel {teid:#010x}", False)
        return self._answer(ErrorIndication(teid_data_i=teid, gsn_address=self.local), (peer[0], PORT), True)

    def manage(self, datagram: bytes, peer: Address, now: float) -> Out | None:
        """Everything but G-PDUs. Unknown types and answers nobody asked for are dropped in silence."""
        try:
            message = decode(datagram)
        except ProtocolError as error:
            return self.unreadable(datagram, error, peer, now)
        watched = self._seen.take(now)
        if watched:
            self.trace(_name(peer), datagram, message.NAME, "", False)
        if isinstance(message, EchoRequest):
            return self._answer(EchoResponse(sequence=message.sequence or 0), peer, watched)
        if isinstance(message, ErrorIndication):
            self.on_error(peer, message)
        elif isinstance(message, EchoResponse):
            self.on_echo(peer)
        return None

    def _answer(self, message: GtpuMessage, to: Address, watched: bool) -> Out:
        data = encode(message)
        if watched:
            self.trace(_name(to), data, message.NAME, "", True)
        return data, to, 0


def _name(peer: Address) -> str:
    return f"{peer[0]}:{peer[1]}"
