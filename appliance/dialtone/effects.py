# SPDX-License-Identifier: Apache-2.0
"""What an element asks the world to do. A handler returns these; the loop performs them in list order.

A performer that has to wait (a commit, a kernel install) holds back the rest of its list, so that a
send that stands after a save never leaves before the save is safe.
"""

import sqlite3
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from dialtone.codec.ipfilter import FilterRule
from dialtone.codec.message import Message
from dialtone.codec.tft import PacketFilter
from dialtone.crypto.ipsec_keys import SaSet

if TYPE_CHECKING:
    from dialtone.dispatch import Rx


class Event:
    """Base of what an element is told that is no message: a failed effect, a peer gone, a command."""

    __slots__ = ()


class Effect:
    """Base of all effects."""

    __slots__ = ()


Effects = Iterable[Effect]


class Write(Protocol):
    """One change of the database, applied by the writer thread inside its transaction."""

    def apply(self, db: sqlite3.Connection) -> None: ...


@dataclass(slots=True)
class Send(Effect):
    """Encode `message` and send it to `peer` at `point`.

    `peer` is a name, or for a stacked link (NAS) the context it belongs to. `stream` is the SCTP
    stream. `via` is the lower message that carries a stacked one, where it is not the usual one.
    """

    point: str
    peer: Any
    message: Message
    stream: int = 0
    via: Message | None = None


@dataclass(slots=True)
class Request(Effect):
    """Like Send, for a request of GTPv2-C, Diameter or SIP: numbered, repeated, and its answer matched.

    `context` comes back as `rx.request.context` with the answer, or with `Unanswered`.
    """

    point: str
    peer: str
    message: Message
    context: Any = None
    number: int | None = None  # that of the command which it answers (TS 29.274, 7.6)
    repeats: int | None = None  # more often than usual, where a phone has to be asked first


@dataclass(slots=True)
class Answer(Effect):
    """Answer the request at hand with `message`, under the request's own sequence or hop-by-hop id.

    `to` are the circumstances of an earlier request, for one that had to wait for its answer.
    """

    message: Message
    to: "Rx | None" = None


@dataclass(slots=True)
class SendOctets(Effect):
    """Send octets that are ready: a refusal that the codec made from a message it could not decode, an answer that is
    repeated. `name` and `info` are for the trace."""

    point: str
    peer: str
    name: str
    data: bytes
    info: str = ""


@dataclass(slots=True)
class Up(Effect):
    """Hand octets to the link stacked on this one (NAS on S1-MME), for the context `key`."""

    point: str
    key: Any
    data: bytes


@dataclass(slots=True)
class StartTimer(Effect):
    """Start, or restart, timer `name` (the specification's name) of `key` for `seconds`."""

    name: str
    key: Hashable
    seconds: float


@dataclass(slots=True)
class StopTimer(Effect):
    """Stop timer `name` of `key`; a timer that does not run is no error."""

    name: str
    key: Hashable


@dataclass(slots=True)
class Save(Effect):
    """Commit `writes` durably (fsync) before anything that stands after this in the list.

    When the commit fails, the rest of the list is dropped and the element gets `failed`.
    """

    writes: tuple[Write, ...]
    failed: Event | None = None


@dataclass(slots=True)
class Changed(Effect):
    """A state machine moved; for the trace only."""

    machine: str
    key: str
    old: str
    new: str


@dataclass(slots=True)
class Verdict(Effect):
    """A procedure ended: one line for people, and whether it went well."""

    procedure: str
    ok: bool
    text: str


@dataclass(slots=True)
class Tell(Effect):
    """Hand `event` to another element of this process without a reference point (a simulated air
    interface, a command); delivered through the queue like everything else."""

    element: str
    event: Event


@dataclass(slots=True)
class Deliver(Effect):
    """Hand octets that came for `element` on, as if they had just come from `peer`; they are traced there."""

    element: str
    point: str
    peer: str
    data: bytes


@dataclass(slots=True)
class OpenTunnel(Effect):
    """Give the user plane a bearer: `teid` is ours, `remote_teid` at `remote` the eNB's (None while
    idle). `ue` is the phone's IPv4 address, `prefix` the eight octets of its IPv6 /64; empty where it has none.

    `filters` say which packets a dedicated bearer carries, the lowest precedence first; a default bearer
    has none and carries the rest. Rates are (down, up) in kbit/s, 0 for no limit: `mbr` of this bearer,
    `ambr` of all non-GBR bearers of its PDN connection together (TS 23.401, 4.7.3)."""

    imsi: str
    ebi: int
    ue: bytes
    teid: int
    remote: bytes | None = None
    remote_teid: int | None = None
    qci: int = 9
    prefix: bytes = b""
    failed: Event | None = None
    filters: tuple[PacketFilter, ...] = ()
    mbr: tuple[int, int] = (0, 0)
    ambr: tuple[int, int] = (0, 0)


@dataclass(slots=True)
class OpenMedia(Effect):
    """Let these flows of the phone with IPv4 address `ue` and IPv6 `prefix` pass to and from other phones, and no
    others: the media of its calls. A packet passes when the calls of both ends have it open."""

    ue: bytes
    prefix: bytes
    flows: tuple[FilterRule, ...]


@dataclass(slots=True)
class CloseTunnel(Effect):
    """Take the bearer, or the relay, with our `teid` out of the user plane."""

    teid: int


@dataclass(slots=True)
class EmptyBuffer(Effect):
    """Throw away what the user plane keeps for an idle phone: it does not come back for it."""

    imsi: str


@dataclass(slots=True)
class OpenRelay(Effect):
    """Lend a TEID of ours to a handover: what comes there goes on to `remote_teid` at `remote`, until CloseTunnel."""

    teid: int
    remote: bytes
    remote_teid: int


@dataclass(slots=True)
class EndMarker(Effect):
    """Send an end marker down the old path (TS 29.281, 7.3.2)."""

    remote: bytes
    remote_teid: int


@dataclass(slots=True)
class InstallSas(Effect):
    """Give the kernel the four SAs of a set, for `seconds`; what is sent between their ports leaves on them, unless an
    older set of the same ports is there (TS 33.203, 7). `imsi` names the simulated phone whose kernel it is; empty for
    the P-CSCF's."""

    sas: SaSet
    seconds: float
    failed: Event | None = None
    imsi: str = ""


@dataclass(slots=True)
class KeepSas(Effect):
    """An installed set is in use: it lives for `seconds`, counted from its installation, and is sent on from now on."""

    sas: SaSet
    seconds: float
    imsi: str = ""


@dataclass(slots=True)
class RemoveSas(Effect):
    """Take a set out of the kernel."""

    sas: SaSet
    imsi: str = ""


@dataclass(slots=True)
class SaExpired(Event):
    """The life of the SA with this SPI towards this address is over; the kernel has removed it."""

    address: str
    spi: int


@dataclass(slots=True)
class ConnectionGone(Event):
    """The PDN connection with this IPv4 address (4 octets), or with this IPv6 prefix (8), is no more: who was
    reached there is reached no longer."""

    ipv4: bytes
    prefix: bytes


@dataclass(slots=True)
class EspRefused(Event):
    """The kernel refused ESP, or plain text at a protected port, `times` since it was told last; `counter` is its name
    of the reason (/proc/net/xfrm_stat), `meaning` what that is, `owner` the phone's address where it is known."""

    counter: str
    times: int
    meaning: str
    owner: str = ""


@dataclass(slots=True)
class PeerUp(Event):
    """A peer connected at `point`."""

    point: str
    peer: str


@dataclass(slots=True)
class PeerDown(Event):
    """The peer at `point` is gone: shutdown, abort or silence."""

    point: str
    peer: str
    reason: str = ""


@dataclass(slots=True)
class Unanswered(Event):
    """A request of ours was repeated in vain."""

    request: Request


@dataclass(slots=True)
class TunnelRefused(Event):
    """An eNB answered user data of the bearer with our `teid` by an Error Indication: it does not know it
    any more (TS 29.281, 7.3.1; TS 23.007, 22). The user plane holds the bearer as idle from then on."""

    imsi: str
    ebi: int
    teid: int


@dataclass(slots=True)
class PeerGone(Event):
    """The GTP-C peer at this address has lost the sessions that it had with us: it was restarted, or has been silent
    for too long (TS 23.007, 18 and 20). `why` goes on after its name, for people."""

    host: str
    why: str


@dataclass(slots=True)
class PathFailed(Event):
    """The eNB at `peer` (4 octets) answers no echo on S1-U any more (TS 29.281, 7.2.1; TS 23.007, 20.3). The user plane
    holds its bearers as idle from then on."""

    peer: bytes


@dataclass(slots=True)
class StrayMedia(Event):
    """A phone in a call sends to another phone where no call leads; `flow` is for people."""

    imsi: str
    flow: str


@dataclass(slots=True)
class DownlinkWaiting(Event):
    """The user plane keeps downlink packets of an idle phone, the first of them for the bearer with our `teid`.
    Told once until they are delivered or thrown away."""

    imsi: str
    ebi: int
    teid: int
