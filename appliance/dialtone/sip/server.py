# SPDX-License-Identifier: Apache-2.0
"""Server transactions: a request of a peer until it cannot come again (RFC 3261, 17.2; RFC 6026)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dialtone.codec import sip
from dialtone.codec.sip import SipRequest, SipResponse
from dialtone.dispatch import Rx
from dialtone.effects import Event, SendOctets
from dialtone.port import Arrival
from dialtone.sip.flow import Flow
from dialtone.sip.states import SERVER, SERVER_INVITE, ServerState, event_of

if TYPE_CHECKING:
    from dialtone.sip.transactions import Key, Transactions

_OPEN = (ServerState.TRYING, ServerState.PROCEEDING)
_TIMERS = {ServerState.TRYING: "F", ServerState.PROCEEDING: "F"}
_INVITE_TIMERS = {ServerState.COMPLETED: "H", ServerState.CONFIRMED: "I", ServerState.ACCEPTED: "L"}


@dataclass(slots=True)
class Unacknowledged(Event):
    """No ACK came for the 2xx to the INVITE that `rx` describes (RFC 3261, 13.3.1.4), or no PRACK for a reliable
    provisional answer (RFC 3262, 3)."""

    rx: Rx
    answer: SipResponse


@dataclass(slots=True, eq=False)
class Server:
    """One request of a peer and our answers; `peer` is where they go."""

    layer: "Transactions"
    key: "Key"
    rx: Rx
    message: SipRequest
    peer: str
    tag: str  # ours, where the element gives none
    state: ServerState = ServerState.TRYING
    last: SipResponse | None = None
    data: bytes = b""
    interval: float = 0.0  # until the answer goes out again; 0 for never
    expires: float = 0.0

    @property
    def invite(self) -> bool:
        """Whether it is an INVITE."""
        return self.key.method == "INVITE"

    @property
    def open(self) -> bool:
        """Whether the final answer is still to come."""
        return self.state in _OPEN

    def start(self) -> None:
        """The request is handed to the element: soon a 100 where that is silent about an INVITE; and nobody waits for
        the answer to another request longer than its sender does."""
        if self.invite:
            self.state = ServerState.PROCEEDING
            self.layer.port.later(("server", *self.key), self.layer.seconds("100", self.peer), self._trying)
        else:
            self._wait()

    def answer(self, answer: SipResponse) -> None:
        """Send what the element answers; a second final answer is not sent."""
        table, event = SERVER_INVITE if self.invite else SERVER, event_of(answer.status)
        if not table.allows(self.state, event):
            self.layer.port.loop.count(f"{self.layer.port.point} late answer")
            return
        was_open, self.state = self.open, table.after(self.state, event)
        if was_open and answer.final:
            self.layer.answered(self)
        self.last, self.interval = answer, 0.0
        if answer.status > 100 and not answer.to.tag:
            answer.set("To", f"{answer.first('To')};tag={self.tag}")
        self.data = sip.encode(answer)
        self.layer.port.octets(self.peer, answer.label, self.data, self.rx)
        if self.invite:
            self._repeat(answer)
        elif answer.final:
            self.layer.close(self, Answered(self.peer, self.message.via.port, self.rx.point, self.subject, answer.label,
                                            self.data))
            return
        self._wait()

    @property
    def subject(self) -> str:
        """Whose request it is, for the trace."""
        return self.rx.subject

    def again(self) -> Arrival:
        """The request came again (RFC 3261, 17.2.1, 17.2.2)."""
        if self.last is None or self.state in (ServerState.ACCEPTED, ServerState.CONFIRMED):
            return Arrival("duplicate")
        return Arrival("duplicate", [SendOctets(self.rx.point, self.peer, self.last.label, self.data,
                                                "retransmission")])

    def acknowledged(self) -> bool:
        """An ACK came; whether it is for the element, as that for a 2xx is."""
        if self.state == ServerState.COMPLETED:
            self.state = SERVER_INVITE.after(self.state, "ACK")
            self.interval = 0.0
            self._wait()
        elif self.state == ServerState.ACCEPTED:
            self.interval = 0.0
            self._wait()
            return True
        return False

    def provisional_acknowledged(self, rack: str) -> None:
        """A PRACK came (RFC 3262, 3)."""
        last = self.last
        if self.open and last is not None and rack.split()[:2] == [last.first("RSeq"), str(self.message.cseq.number)]:
            self.interval = 0.0
            self._wait()

    def lost(self) -> None:
        """The connection is gone: answers go to a new one."""
        self.peer = _anew(self.peer, self.message.via.port)

    def _repeat(self, answer: SipResponse) -> None:
        """Whether the answer goes out until it is acknowledged: a refusal by Timer G over UDP, at an endpoint a 2xx and
        a reliable provisional answer over any transport."""
        refused = self.state == ServerState.COMPLETED
        if refused or (self.layer.policy.endpoint and (answer.final or answer.has("RSeq"))):
            self.interval = self.layer.seconds("G", self.peer) if refused else self.layer.policy.pace.t1
            self.expires = self.layer.now + self.layer.seconds("H", self.peer)

    def _trying(self) -> None:
        if self.last is None:
            self.answer(sip.response(self.message, 100))

    def _wait(self) -> None:
        """Stay as long as this state may last; an INVITE without a final answer has no limit of its own."""
        if not self.interval:
            timer = (_INVITE_TIMERS if self.invite else _TIMERS).get(self.state)
            if timer is None:
                self.layer.port.cancel(("server", *self.key))
                return
            wait = self.layer.seconds(timer, self.peer)
            if not wait:
                self._end(timer)
                return
            self.expires = self.layer.now + wait
        self._arm()

    def _arm(self) -> None:
        wait = self.expires - self.layer.now
        self.layer.port.later(("server", *self.key), min(wait, self.interval) if self.interval else wait, self._tick)

    def _tick(self) -> None:
        layer = self.layer
        if layer.now < self.expires - 1e-6:
            assert self.last is not None
            layer.port.octets(self.peer, self.last.label, self.data, self.rx, info="retransmission")
            self.interval = min(2 * self.interval, layer.policy.pace.t2)
            self._arm()
            return
        unheard, self.interval = self.interval, 0.0
        if unheard and self.state != ServerState.COMPLETED:
            assert self.last is not None
            layer.port.loop.tell(layer.port.element, Unacknowledged(self.rx, self.last))
            if self.open:
                return
        self._end((_INVITE_TIMERS if self.invite else _TIMERS)[self.state])

    def _end(self, timer: str) -> None:
        if self.open:
            self.layer.port.loop.count(f"{self.layer.port.point} never answered")
            self.layer.answered(self)
        self.state = (SERVER_INVITE if self.invite else SERVER).after(self.state, f"Timer {timer}")
        self.layer.forget(self)


@dataclass(slots=True)
class Answered:
    """What is left of a request that is no INVITE once it is answered: it may come again until Timer J (RFC 3261,
    17.2.2). `port` is that of its Via."""

    peer: str
    port: int | None
    point: str
    subject: str
    label: str
    data: bytes

    def again(self) -> Arrival:
        """The request came again."""
        return Arrival("duplicate", [SendOctets(self.point, self.peer, self.label, self.data, "retransmission")])

    def lost(self) -> None:
        """The connection is gone."""
        self.peer = _anew(self.peer, self.port)


def _anew(peer: str, port: int | None) -> str:
    """A new connection goes to the port of the Via (RFC 3261, 18.2.2)."""
    flow = Flow.parse(peer)
    return str(Flow(flow.transport, flow.host, port or sip.PORT, flow.local_port))
