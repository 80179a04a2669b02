# SPDX-License-Identifier: Apache-2.0
"""Client transactions: a request of ours until no answer to it can come any more (RFC 3261, 17.1; RFC 6026)."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dialtone.codec import sip
from dialtone.codec.sip import AckRequest, CancelRequest, SipRequest, SipResponse
from dialtone.dispatch import Rx
from dialtone.effects import Request, SendOctets
from dialtone.port import Arrival
from dialtone.sip.flow import Flow
from dialtone.sip.states import CLIENT, CLIENT_INVITE, ClientState, event_of

if TYPE_CHECKING:
    from dialtone.sip.transactions import Transactions

_OVER = {ClientState.COMPLETED: ("Timer K", "Timer D"), ClientState.ACCEPTED: ("Timer M", "Timer M")}
"""Timers of a request that is answered: of others, and of INVITE."""
_ABSORBED = Arrival("absorbed")


@dataclass(slots=True, eq=False)
class Client:
    """One request and its answers. `peer` is where it went: over TCP perhaps what was meant for UDP; `key` its branch
    and method (RFC 3261, 17.1.3)."""

    layer: "Transactions"
    request: Request
    message: SipRequest
    rx: Rx
    branch: str
    key: tuple[str, str] = field(init=False)
    peer: str = ""
    data: bytes = b""
    state: ClientState = ClientState.TRYING
    interval: float = 0.0  # until the next repetition; 0 for none
    expires: float = 0.0
    cancel: Request | None = None  # waits for the first provisional answer (RFC 3261, 9.1)
    cancelled: bool = False
    acks: dict[str, tuple[str, bytes]] = field(default_factory=dict)  # ours to each 2xx, by its To tag

    def __post_init__(self) -> None:
        self.key = self.branch, self.message.method

    @property
    def invite(self) -> bool:
        """Whether it is an INVITE."""
        return self.message.method == "INVITE"

    def start(self, *, datagram: bool = False) -> None:
        """Send the request; once more over UDP where TCP failed."""
        layer = self.layer
        self.state = (CLIENT_INVITE if self.invite else CLIENT).initial
        if isinstance(self.message, CancelRequest):  # it has the Via, and takes the way, of the INVITE
            self.peer, self.data = self.request.peer, sip.encode(self.message)
        else:
            self.peer, self.data = layer.stamp(self.message, self.request.peer, self.branch, datagram=datagram)
        layer.port.octets(self.peer, self.message.label, self.data, self.rx)
        self.interval = layer.seconds("A" if self.invite else "E", self.peer)
        self.expires = layer.now + layer.seconds("B" if self.invite else "F", self.peer)
        self._arm()

    def received(self, answer: SipResponse, rx: Rx) -> Arrival:
        """An answer came."""
        table, event = CLIENT_INVITE if self.invite else CLIENT, event_of(answer.status)
        if not table.allows(self.state, event):
            return Arrival("late" if answer.status < 200 else "duplicate")
        before, self.state = self.state, table.after(self.state, event)
        if before in _OVER:
            return self._again(answer, rx)
        answer.pop("Via")
        rx.request = self.request
        effects = self._acknowledge(answer, rx) if self.state == ClientState.COMPLETED and self.invite else ()
        if not answer.final:
            self._provisional()
        else:
            self._linger()
        return _ABSORBED if isinstance(self.message, CancelRequest) else Arrival("", effects)

    def give_up(self) -> bool:
        """CANCEL is wanted: whether it may be sent now (RFC 3261, 9.1)."""
        if self.state == ClientState.PROCEEDING and not self.cancelled:
            self.cancelled = True
            self.expires = self.layer.now + self.layer.seconds("B", self.peer)
            self._arm()
            return True
        return False

    def failed(self) -> None:
        """The connection is gone: over UDP instead, once (RFC 3261, 18.1.1); a request that is answered needs none."""
        if self.state in _OVER or (self.invite and self.state == ClientState.PROCEEDING):
            return
        flow = Flow.find(self.peer)
        if flow is None or not flow.reliable or isinstance(self.message, CancelRequest):
            self._end("Timer B" if self.invite else "Timer F")
            return
        self.message.pop("Via")
        self.request.peer = str(flow.over("udp"))
        self.start(datagram=True)

    def _provisional(self) -> None:
        """INVITE is not repeated any more, and has no limit but that of its sender."""
        if not self.invite:
            return
        self.interval = 0.0
        if self.cancelled:
            return
        self.layer.port.cancel(("client", *self.key))
        if self.cancel is not None:
            waiting, self.cancel = self.cancel, None
            self.layer.request(waiting, self.rx)

    def _linger(self) -> None:
        """A final answer came: stay for what may come again."""
        seconds = self.layer.seconds(_OVER[self.state][self.invite][-1], self.peer)
        if not seconds:
            self.layer.ended(self)
        elif self.invite:
            self.interval, self.expires = 0.0, self.layer.now + seconds
            self._arm()
        else:
            self.layer.done(self, seconds)

    def _again(self, answer: SipResponse, rx: Rx) -> Arrival:
        """A final answer when there was one already: a repetition, or the 2xx of another branch."""
        if self.state == ClientState.COMPLETED:
            return Arrival("duplicate", self._acknowledge(answer, rx, "retransmission"))
        known = self.acks.get(answer.to.tag)
        if known is not None:
            peer, data = known
            return Arrival("duplicate", [SendOctets(rx.point, peer, "ACK", data, "retransmission")])
        answer.pop("Via")
        rx.request = self.request
        return Arrival()

    def _acknowledge(self, answer: SipResponse, rx: Rx, info: str = "") -> list[SendOctets]:
        data = sip.encode(ack_of(self.message, answer))
        return [SendOctets(rx.point, self.peer, "ACK", data, info)]

    def _arm(self) -> None:
        wait = self.expires - self.layer.now
        self.layer.port.later(("client", *self.key), min(wait, self.interval) if self.interval else wait, self._tick)

    def _tick(self) -> None:
        layer = self.layer
        if layer.now < self.expires - 1e-6:
            layer.port.octets(self.peer, self.message.label, self.data, self.rx, info="retransmission")
            doubled = 2 * self.interval
            if not self.invite:
                longest = layer.policy.pace.t2
                doubled = longest if self.state == ClientState.PROCEEDING else min(doubled, longest)
            self.interval = doubled
            self._arm()
        else:
            self._end(_OVER.get(self.state, ("Timer F", "Timer B"))[self.invite])

    def _end(self, timer: str) -> None:
        before, self.state = self.state, (CLIENT_INVITE if self.invite else CLIENT).after(self.state, timer)
        self.layer.ended(self)
        if before not in _OVER and not isinstance(self.message, CancelRequest):
            self.layer.port.unanswered(self.request, timer)


@dataclass(slots=True)
class Done:
    """What is left of a request that is no INVITE once it is answered: answers may come again until Timer K (RFC 3261,
    17.1.2.2)."""

    peer: str

    def received(self, answer: SipResponse, rx: Rx) -> Arrival:
        """One did."""
        return Arrival("late" if answer.status < 200 else "duplicate")


def ack_of(request: SipRequest, answer: SipResponse) -> AckRequest:
    """The ACK of the transaction for an answer that is no 2xx (RFC 3261, 17.1.1.3)."""
    ack = AckRequest(uri=request.uri)
    _copy(request, ack)
    ack.append("To", answer.first("To") or "")
    ack.append("CSeq", f"{request.cseq.number} ACK")
    return ack


def cancel_of(request: SipRequest) -> CancelRequest:
    """The CANCEL of an INVITE that was sent (RFC 3261, 9.1)."""
    cancel = CancelRequest(uri=request.uri)
    _copy(request, cancel)
    cancel.append("To", request.first("To") or "")
    cancel.append("CSeq", f"{request.cseq.number} CANCEL")
    return cancel


def _copy(request: SipRequest, other: SipRequest) -> None:
    other.append("Via", request.first("Via") or "")
    other.append("Max-Forwards", "70")
    for route in request.all("Route"):
        other.append("Route", route)
    other.append("From", request.first("From") or "")
    other.append("Call-ID", request.call_id)
