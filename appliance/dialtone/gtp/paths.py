# SPDX-License-Identifier: Apache-2.0
"""Paths as an element: the peers outside, their states and restart counters.

Echo is a matter of the UDP path, which S11 and S5/S8 share (TS 29.274, 4.2); it is traced at S11.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from dialtone.codec.gtpc import PORT, EchoRequest, GtpcError, refusal
from dialtone.config_gtp import GtpConfig
from dialtone.dispatch import Handlers, Rx
from dialtone.effects import (
    Changed,
    Effect,
    Effects,
    PeerGone,
    Request,
    SendOctets,
    StartTimer,
    StopTimer,
    Tell,
    Verdict,
)
from dialtone.element import Element
from dialtone.errors import ProtocolError
from dialtone.gtp.states import PATH, PathState

on = Handlers("gtp")

POINT = "S11"
PATH_FAILURE = "maximum path failure duration"  # TS 23.007, 20.2
ECHO = "echo"


@dataclass(slots=True)
class Path:
    """The path to the peer at `host`."""

    host: str
    since: float
    state: PathState = PATH.initial
    recovery: int | None = None
    restarts: int = 0
    asked: int = 0
    answered: int = 0
    waiting: bool = False  # for the answer to an echo request
    last: str = ""
    requests: deque[bytes] = field(default_factory=lambda: deque(maxlen=8))  # the last ones from another port than 2123
    deaf: bool = False  # it repeats what we have answered: it asks from one port and listens on another


class Paths(Element):
    """All paths. `recovery` is our own restart counter."""

    name = "gtp"
    on = on

    def __init__(self, config: GtpConfig, recovery: int, now: float) -> None:
        self.config = config
        self.recovery = recovery
        self.paths = {host: Path(host, now) for host in (*([config.sgw] if config.sgw else ()), *config.peers)}

    def lets_in(self, host: str) -> bool:
        """Whether messages from there are taken."""
        return self.config.accept_unknown or host in self.paths

    def path_of(self, host: str, now: float) -> Path:
        """The path to a peer; one that was let in without being configured gets its own."""
        return self.paths.setdefault(host, Path(host, now))

    def repeats(self, host: str, data: bytes) -> None:
        """A request came from another port than 2123. The answer goes there (TS 29.274, 4.2); but there are peers that
        hear it on port 2123 alone, and so repeat what was answered: from then on they get it at both."""
        if (path := self.paths.get(host)) is not None and not path.deaf:
            path.deaf = data in path.requests
            path.requests.append(data)

    def ask(self, path: Path) -> Iterator[Effect]:
        """An echo request, unless one waits for its answer, and the timer for the next. There are MMEs that an echo
        request kills: the configuration may do without."""
        if not self.config.echo:
            return
        if not path.waiting:
            path.waiting = True
            path.asked += 1
            yield Request(POINT, f"{path.host}:{PORT}", EchoRequest(recovery=self.recovery), context=path)
        yield StartTimer(ECHO, path.host, self.config.echo)

    def heard(self, path: Path, recovery: int | None, rx: Rx) -> Iterator[Effect]:
        """A sign of life. Another counter than before says that the peer was restarted (TS 23.007, 18)."""
        rx.subject, rx.state = path.host, path.state
        if recovery is not None and path.recovery not in (None, recovery):
            path.restarts += 1
            yield from self.gone(path, f"was restarted (its counter went from {path.recovery} to {recovery})")
        path.recovery = path.recovery if recovery is None else recovery
        if path.state is not PathState.UP:
            yield from self.move(path, "heard", rx.now)
            yield StopTimer(PATH_FAILURE, path.host)
            yield Verdict("GTP path", True, f"{path.host} answers")

    def move(self, path: Path, event: str, now: float) -> Iterator[Effect]:
        """Move the state machine."""
        old, path.state = path.state, PATH.after(path.state, event)
        if path.state is not old:
            path.since = now
            yield Changed(PATH.name, path.host, old, path.state)

    def gone(self, path: Path, why: str) -> Iterator[Effect]:
        """Its sessions are lost."""
        path.last = why
        yield Verdict("GTP path", False, f"{path.host} {why}: its sessions end")
        for element in ("mme", "pgw"):
            yield Tell(element, PeerGone(path.host, why))

    def states(self) -> list[dict[str, Any]]:
        """The peers, as plain data for CLI and API."""
        return [{
            "peer": path.host, "state": path.state, "since": path.since, "recovery": path.recovery,
            "restarts": path.restarts, "echo_sent": path.asked, "echo_answered": path.answered, "last": path.last,
        } for path in self.paths.values()]

    def refuse(self, error: ProtocolError, rx: Rx) -> Effects:
        """Version Not Supported, or a cause, or silence (TS 29.274, 7.7)."""
        if isinstance(error, GtpcError) and (answer := refusal(error)) is not None:
            yield SendOctets(rx.point, rx.peer, f"refusal, cause {error.cause}", answer)
