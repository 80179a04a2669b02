# SPDX-License-Identifier: Apache-2.0
"""A call in the phone: what it remembers of it, and what both ends do alike (TS 24.229, 5.1.3 and 5.1.4; RFC 3261, 12).

The caller's part is calling.py, that of the called called.py; what follows the answer is session.py.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from dialtone.codec import sdp
from dialtone.codec.sip import SipMessage, SipRequest
from dialtone.dispatch import Rx
from dialtone.effects import Changed, Effect, Event, StartTimer, StopTimer
from dialtone.sim.ims import media
from dialtone.sim.ims.client import ImsClient
from dialtone.sim.ims.media import Codec, Local, Readiness
from dialtone.sim.ims.states import CALL, CallState
from dialtone.sim.ims.stream import MediaDown, MediaUp, Stream
from dialtone.sip.dialog import Dialog

CALL_PROCEDURE, INCOMING, HANG_UP, HOLD, VIDEO = "call", "incoming call", "hang up", "hold", "video"
QCI_VOICE = 1
SDP = "application/sdp"
FIRST_PORT, PORTS = 50_000, 64
CALL_TIMERS = ("answer by itself", "Session-Expires")


@dataclass(slots=True)
class CallCommand(Event):
    """Call a number or URI, with `video` from the beginning."""

    to: str
    video: bool = False


@dataclass(slots=True)
class AnswerCommand(Event):
    """Take the call that rings."""


@dataclass(slots=True)
class HoldCommand(Event):
    """Put the call on hold; with `resume` take it back."""

    resume: bool = False


@dataclass(slots=True)
class VideoCommand(Event):
    """Add video to the call; with `off` go on without it."""

    off: bool = False


@dataclass(slots=True)
class HangUpCommand(Event):
    """End the call, or refuse the one that rings."""


@dataclass(slots=True, eq=False)
class Call:
    """One call. `other` is its other end, for people; `invite` the INVITE that began it, `rx` its circumstances where
    it came to us."""

    call_id: str
    other: str
    outgoing: bool
    state: CallState
    invite: SipRequest
    local: Local
    rx: Rx | None = None
    dialog: Dialog | None = None
    remote: sdp.Session | None = None
    codec: Codec | None = None
    preconditions: bool = False
    remote_ready: bool = False
    told_ready: bool = False  # the other end knows of our bearer
    agreed: bool = False  # offer and answer have been exchanged
    rseq: int = 0  # of our last, or the other's last, reliable provisional answer
    pending: Any = None  # the re-INVITE or UPDATE that is under way
    session_expires: int = 0
    refresher: bool = False
    stream: Stream | None = None
    why: str = ""  # it ends

    def take(self, message: SipMessage) -> None:
        """What the other end says of its media. Raises ProtocolError."""
        self.remote = sdp.decode(message.body)
        self.codec = media.codec_of(self.remote)
        media.destination(self.remote)
        self.remote_ready = self.remote_ready or media.is_ready(self.remote)
        if any(one.kind == "video" for one in self.remote.media):
            self.local.video = media.pictures(self.remote) is not None
        self.agreed = True


def new(client: ImsClient, invite: SipRequest, other: str, *, rx: Rx | None = None) -> Call:
    """Begin to remember a call."""
    used = {call.local.port for call in client.calls.values()}
    port = next(port for port in range(FIRST_PORT, FIRST_PORT + 2 * PORTS, 2) if port not in used)
    local = Local(client.address, port, int.from_bytes(client.random(4)))
    state = CallState.OFFERED if rx is None else CallState.INCOMING
    call = client.calls[invite.call_id] = Call(invite.call_id, other, rx is None, state, invite, local, rx)
    return call


def move(client: ImsClient, call: Call, event: str) -> Iterator[Effect]:
    """Follow the table; raises ProtocolError where it has no row."""
    old, call.state = call.state, CALL.after(call.state, event)
    if old != call.state:
        yield Changed("call", client.imsi, old, call.state)


def has_bearer(client: ImsClient) -> bool:
    """Whether there is a voice bearer for each call (TS 24.229, B.2.2.5)."""
    voice = sum(qci == QCI_VOICE for qci in client.bearers.values())
    return voice >= len(client.calls) and not client.faults.stuck_at_183


def readiness(client: ImsClient, call: Call, *, confirm: bool = False) -> Readiness:
    """The preconditions as they are now."""
    return Readiness(call.preconditions, has_bearer(client), call.remote_ready, confirm)


def described(client: ImsClient, call: Call, message: SipMessage) -> None:
    """Give a message our offer."""
    message.content(SDP, media.offer(call.local, readiness(client, call), aligned=client.handset.aligned))


def replied(client: ImsClient, call: Call, message: SipMessage, *, confirm: bool = False) -> None:
    """Give a message the answer to the other's last offer. Raises ProtocolError with 488."""
    assert call.remote is not None
    body, call.codec = media.answer(call.local, call.remote, readiness(client, call, confirm=confirm))
    message.content(SDP, body)


def named(client: ImsClient, message: SipMessage) -> None:
    """Contact and capabilities, as requests and answers of a call have them."""
    message.append("Contact", client.contact())


def connect(client: ImsClient, call: Call) -> Iterator[Effect]:
    """Media flow, or go another way from now on."""
    if call.remote is None or call.codec is None:
        return
    ours = media.direction_to_us(call.remote) if call.local.direction == "sendrecv" else call.local.direction
    if call.stream is None:
        call.stream = Stream.of(call.codec, int.from_bytes(client.random(4)))
    call.stream.sends = ours in ("sendrecv", "sendonly")
    yield MediaUp(client.imsi, call.call_id, call.local.address, call.local.port, media.destination(call.remote),
                  call.stream)


def over(client: ImsClient, call: Call) -> Iterator[Effect]:
    """Nothing of the call stays but its numbers."""
    yield from move(client, call, "over")
    for timer in CALL_TIMERS:
        yield StopTimer(timer, call.call_id)
    if call.stream is not None:
        client.heard = call.stream
        yield MediaDown(client.imsi, call.call_id)
    client.calls.pop(call.call_id, None)


def all_lost(client: ImsClient, why: str) -> Iterator[Effect]:
    """No call can be ended properly any more."""
    for call in list(client.calls.values()):
        yield from over(client, call)
        yield client.outcome(CALL_PROCEDURE, False, f"the call with {call.other} is lost: {why}")


def bearers_changed(client: ImsClient) -> Iterator[Effect]:
    """Calls may have waited for this bearer."""
    from dialtone.sim.ims import called, calling  # both are built on this file

    for call in list(client.calls.values()):
        yield from (calling if call.outgoing else called).go_on(client, call)


def timer(name: str, call: Call, seconds: float) -> StartTimer:
    """A timer of the call."""
    return StartTimer(name, call.call_id, seconds)


def current(client: ImsClient, *states: CallState) -> Call | None:
    """The last call that is in one of these states."""
    return next((call for call in reversed(list(client.calls.values())) if call.state in states), None)
