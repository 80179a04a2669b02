# SPDX-License-Identifier: Apache-2.0
"""One SIP element in a loop with a clock that the test moves, and the wire that it talks to."""

import itertools
from collections.abc import Callable

from dialtone.codec import sip
from dialtone.codec.sip import SipError, SipMessage, SipRequest, SipResponse
from dialtone.dispatch import Handlers, Rx
from dialtone.effects import Effect, Effects, Event, PeerDown, Unanswered
from dialtone.element import Element
from dialtone.errors import ProtocolError
from dialtone.loop import Loop
from dialtone.sip.refusal import refuse
from dialtone.sip.server import Unacknowledged
from dialtone.sip.transactions import SipPolicy, Transactions, own_via

PHONE = "udp:10.46.0.2:5060/5060"
TCP = "tcp:10.46.0.2:5060/5060"


class Do(Event):
    """Effects that the test wants of the element."""

    def __init__(self, effects: Effects) -> None:
        self.effects = effects


class Rig(Element):
    """An element that does what the test tells it to; `got` are the messages that reached it, `sent` what left."""

    name = "rig"

    def __init__(self, **policy: object) -> None:
        self.on = Handlers("rig")
        self.now = 1000.0
        self.loop = Loop(lambda: self.now)
        self.loop.add(self)
        self.policy = SipPolicy(own_via("rig.example.org"), **policy)  # type: ignore[arg-type]
        self.loop.bind("rig", "Gm", sip, self, policy=self.policy, numbers=itertools.count(1))
        self.got: list[SipMessage] = []
        self.rx: list[Rx] = []
        self.unanswered: list[str] = []
        self.unacknowledged: list[int] = []
        self.sent: list[tuple[float, str, SipMessage]] = []
        self.then: Callable[[SipMessage, Rx], Effects] = lambda message, rx: ()
        self.on.messages.clear()

        @self.on("Gm", SipRequest)
        def on_sip_request(rig: "Rig", msg: SipRequest, rx: Rx) -> Effects:
            return rig.hear(msg, rx)

        @self.on("Gm", SipResponse)
        def on_sip_response(rig: "Rig", msg: SipResponse, rx: Rx) -> Effects:
            return rig.hear(msg, rx)

        @self.on.unanswered(SipRequest)
        def on_no_answer(rig: "Rig", event: Unanswered, rx: Rx) -> Effects:
            rig.unanswered.append(event.request.message.NAME)
            return ()

        @self.on.event(Unacknowledged)
        def on_unacknowledged(rig: "Rig", event: Unacknowledged, rx: Rx) -> Effects:
            rig.unacknowledged.append(event.answer.status)
            return ()

        @self.on.event(Do)
        def on_do(rig: "Rig", event: Do, rx: Rx) -> Effects:
            return event.effects

    def hear(self, message: SipMessage, rx: Rx) -> Effects:
        self.got.append(message)
        self.rx.append(rx)
        return self.then(message, rx)

    def refuse(self, error: ProtocolError, rx: Rx) -> Effects:
        return refuse(self, error, rx)

    def send(self, element: str, peer: str, data: bytes, stream: int) -> None:
        try:
            message = sip.decode(data)
        except SipError:  # an answer copies lines that may be wrong
            head, _, _ = data.decode("utf-8", "replace").partition("\r\n")
            message = sip.UnknownResponse(status=int(head.split()[1]), reason=head.split(" ", 2)[2])
        self.sent.append((round(self.now - 1000.0, 3), peer, message))

    @property
    def transactions(self) -> Transactions:
        requests = self.loop.ports["rig", "Gm"].requests
        assert isinstance(requests, Transactions)
        return requests

    def do(self, *effects: Effect) -> None:
        self.loop.tell("rig", Do(effects))
        self.loop.run()

    def receive(self, *datas: bytes, peer: str = PHONE) -> None:
        for data in datas:
            self.loop.deliver("rig", "Gm", peer, data)
        self.loop.run()

    def down(self, peer: str) -> None:
        self.loop.tell("rig", PeerDown("Gm", peer, "the test cut it"))
        self.loop.run()

    def until(self, seconds: float) -> None:
        """Move the clock to so many seconds after the beginning, and fire what is due on the way."""
        while (due := self.loop.due()) is not None and due <= 1000.0 + seconds:
            self.now = due
            self.loop.expire()
            self.loop.run()
        self.now = 1000.0 + seconds

    def times(self, label: str) -> list[float]:
        """When messages with this label left."""
        return [when for when, _, message in self.sent if message.label == label]

    def last(self) -> SipMessage:
        return self.sent[-1][2]

    def idle(self) -> None:
        """Nothing is kept, no timer runs, no defect."""
        them = self.transactions
        assert (them.clients, them.servers, them.pending, them.called, them.calls) == ({}, {}, {}, {}, {})
        assert self.loop.timers() == []
        assert self.loop.counters.get("internal error", 0) == 0


def request(method: str, *lines: str, cseq: int = 1, branch: str = "z9hG4bKa", tag: str = "", uri: str = "",
            via: str = "SIP/2.0/UDP 10.46.0.2:5060") -> bytes:
    """A request of the phone."""
    to = f"To: <sip:b@example.org>{f';tag={tag}' if tag else ''}"
    text = [f"{method} {uri or 'sip:b@example.org'} SIP/2.0", f"Via: {via};branch={branch}",
            "Max-Forwards: 70", "From: <sip:a@example.org>;tag=a", to, "Call-ID: call", f"CSeq: {cseq} {method}"]
    return "\r\n".join([*text, *lines, "", ""]).encode()


def ours(method: str, *lines: str) -> SipRequest:
    """A request of the element, before it has a Via."""
    message = sip.request(method, "sip:a@10.46.0.2")
    for line in ("Max-Forwards: 70", "From: <sip:b@example.org>;tag=b", "To: <sip:a@example.org>", "Call-ID: out",
                 f"CSeq: 7 {method}", *lines):
        name, _, value = line.partition(": ")
        message.append(name, value)
    return message


def answer(to: SipMessage, status: int, tag: str = "t", *lines: str) -> bytes:
    """The phone's answer to a request that it got."""
    assert isinstance(to, SipRequest)
    message = sip.response(to, status)
    if tag:
        message.set("To", f"{message.first('To')};tag={tag}")
    for line in lines:
        name, _, value = line.partition(": ")
        message.append(name, value)
    return sip.encode(message)
