# SPDX-License-Identifier: Apache-2.0
"""S1 Setup by the eNB, and the loss of the association (TS 36.413, 8.7.3).

S1SetupRequest -> S1SetupResponse, or S1SetupFailure with a time to wait.
"""

from dataclasses import dataclass, replace

from dialtone.codec.s1ap.management import S1SetupFailure, S1SetupRequest, S1SetupResponse, SupportedTAsItem
from dialtone.codec.s1ap.values import ENBID, GlobalENBID
from dialtone.dispatch import Rx
from dialtone.effects import Effects, Event, PeerDown, PeerUp, StartTimer, StopTimer, Tell
from dialtone.ids import Plmn
from dialtone.sim.enb import Enb, on
from dialtone.sim.states import S1State
from dialtone.sim.timers import S1_SETUP_SECONDS, TIME_TO_WAIT

RETRY = "S1 Setup retry"


@dataclass(slots=True)
class AnnounceCommand(Event):
    """Broadcast other areas from now on, right or wrong ones, and introduce the eNB anew with them."""

    areas: tuple[tuple[int, tuple[Plmn, ...]], ...]


@on.event(PeerUp)
def on_peer_up(enb: Enb, event: PeerUp, rx: Rx) -> Effects:
    """The association stands: introduce ourselves."""
    enb.mme = event.peer
    if enb.s1 != S1State.DOWN:
        yield from enb.move("association lost")  # the peer restarted the association under us
        yield from enb.drop_all("local release", "association restarted")
    yield from enb.move("association")
    yield enb.send(introduction(enb))


@on.event(PeerDown)
def on_peer_down(enb: Enb, event: PeerDown, rx: Rx) -> Effects:
    """The association is gone, and every phone's context with it."""
    enb.mme = ""
    yield StopTimer(RETRY, enb.name)
    yield from enb.drop_all("local release", "association lost")
    yield from enb.move("association lost")
    yield from enb.refuse_waiting()


@on.event(AnnounceCommand)
def on_announce_command(enb: Enb, event: AnnounceCommand, rx: Rx) -> Effects:
    """A second S1 Setup takes the place of the first, contexts included (8.7.3.1)."""
    enb.config = replace(enb.config, areas=event.areas)
    yield StopTimer(RETRY, enb.name)
    yield from enb.drop_all("local release", "the cell changed")
    if enb.mme:
        yield from enb.move("association lost")
        yield from enb.move("association")
        yield enb.send(introduction(enb))


def introduction(enb: Enb) -> S1SetupRequest:
    """Who we are and what we broadcast (9.1.8.4)."""
    config = enb.config
    return S1SetupRequest(
        global_enb_id=GlobalENBID(config.plmn, ENBID("macroENB-ID", config.enb_id)),
        enb_name=config.enb_name,
        supported_tas=tuple(SupportedTAsItem(tac, plmns) for tac, plmns in config.areas),
        default_paging_drx=enb.config.paging_drx,
    )


@on("S1-MME", S1SetupResponse)
def on_s1_setup_response(enb: Enb, msg: S1SetupResponse, rx: Rx) -> Effects:
    """The MME takes us."""
    yield from enb.move("S1SetupResponse")
    enb.mme_name, enb.refusal = msg.mme_name or "", ""
    enb.mme_capacity, enb.overload = msg.relative_mme_capacity or 0, None
    yield enb.outcome("S1 Setup", True, f"accepted by {enb.mme_name or 'an MME without a name'}")
    for request in enb.waiting:
        yield Tell(enb.name, request)
    enb.waiting.clear()


@on("S1-MME", S1SetupFailure)
def on_s1_setup_failure(enb: Enb, msg: S1SetupFailure, rx: Rx) -> Effects:
    """The MME does not take us: try again when it says so (8.7.3.3)."""
    yield from enb.move("S1SetupFailure")
    seconds = S1_SETUP_SECONDS if msg.time_to_wait is None else TIME_TO_WAIT[msg.time_to_wait]
    enb.refusal = f"refused: {msg.cause}"
    yield enb.outcome("S1 Setup", False, enb.refusal)
    yield from enb.refuse_waiting()
    yield StartTimer(RETRY, enb.name, seconds)


@on.timer(RETRY, "TS 36.413, 8.7.3.3")
def on_retry(enb: Enb, key: str, rx: Rx) -> Effects:
    """Time to wait is over."""
    if enb.s1 == S1State.DOWN:
        yield from enb.move("retry")
        yield enb.send(introduction(enb))
