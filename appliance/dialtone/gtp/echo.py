# SPDX-License-Identifier: Apache-2.0
"""Echo and restart counters (TS 29.274, 7.1; TS 23.007, 18 and 20): is the peer there, and the same as before?"""

from dialtone.codec.gtpc import PORT, EchoRequest, EchoResponse, VersionNotSupportedIndication
from dialtone.dispatch import Rx
from dialtone.effects import Answer, Effects, StartTimer, Unanswered, Verdict
from dialtone.gtp.effects import Heard, Start
from dialtone.gtp.paths import ECHO, PATH_FAILURE, Path, Paths, on
from dialtone.gtp.states import PathState


@on.event(Start)
def on_start(paths: Paths, event: Start, rx: Rx) -> Effects:
    """Ask everybody."""
    for path in paths.paths.values():
        yield from paths.ask(path)


@on.timer(ECHO, "TS 29.274, 7.1.1")
def on_echo_timer(paths: Paths, host: str, rx: Rx) -> Effects:
    """Ask again."""
    yield from paths.ask(paths.paths[host])


@on("S11", EchoRequest)
def on_echo_request(paths: Paths, msg: EchoRequest, rx: Rx) -> Effects:
    """Our counter tells the peer whether we were restarted, its own tells us."""
    yield from _heard(paths, rx.peer.rpartition(":")[0], msg.recovery, rx)
    yield Answer(EchoResponse(recovery=paths.recovery))


@on("S11", EchoResponse)
def on_echo_response(paths: Paths, msg: EchoResponse, rx: Rx) -> Effects:
    """It is there."""
    assert rx.request is not None
    path: Path = rx.request.context
    path.waiting = False
    path.answered += 1
    yield from paths.heard(path, msg.recovery, rx)


@on.unanswered(EchoRequest)
def on_no_echo_response(paths: Paths, event: Unanswered, rx: Rx) -> Effects:
    """Path failure: sessions wait for the peer's return, but not for ever (TS 23.007, 20.2).

    There are S-GWs that answer no echo at all; one that has never done so and speaks all the same is not down.
    """
    path: Path = event.request.context
    rx.subject, path.waiting = path.host, False
    if path.state is PathState.UP and not path.answered:
        path.last = "answers, but no echo requests"
    elif path.state is not PathState.DOWN:
        path.last = "does not answer echo requests"
        yield from paths.move(path, "no answer", rx.now)
        yield StartTimer(PATH_FAILURE, path.host, paths.config.path_failure)
        yield Verdict("GTP path", False, f"{path.host} does not answer on UDP port {PORT}: is it running, "
                                         "and can it be reached from here?")


@on.timer(PATH_FAILURE, "TS 23.007, 20.2")
def on_path_failure(paths: Paths, host: str, rx: Rx) -> Effects:
    """It did not come back."""
    rx.subject = host
    yield from paths.gone(paths.paths[host], "has been silent for too long")


@on.event(Heard)
def on_heard(paths: Paths, event: Heard, rx: Rx) -> Effects:
    """A message of a procedure came from a peer."""
    yield from _heard(paths, event.message.peer.rpartition(":")[0], event.recovery, rx)
    yield event.message


def _heard(paths: Paths, host: str, recovery: int | None, rx: Rx) -> Effects:
    new = host not in paths.paths
    path = paths.path_of(host, rx.now)
    yield from paths.heard(path, recovery, rx)
    if new and paths.config.echo:
        yield StartTimer(ECHO, host, paths.config.echo)


@on("S11", VersionNotSupportedIndication)
def on_version_not_supported_indication(paths: Paths, msg: VersionNotSupportedIndication, rx: Rx) -> Effects:
    """It cannot read what we sent."""
    yield Verdict("GTP path", False, f"{rx.peer} says that it does not speak GTPv2-C")
