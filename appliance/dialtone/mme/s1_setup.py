# SPDX-License-Identifier: Apache-2.0
"""S1 Setup (TS 36.413, 8.7.3): an eNB joins, or is told in a sentence why it may not; and leaves."""

from collections.abc import Iterator

from dialtone.codec.s1ap import S1SetupFailure, S1SetupRequest, S1SetupResponse
from dialtone.codec.s1ap.causes import Cause
from dialtone.codec.s1ap.management import ServedGUMMEIsItem, SupportedTAsItem
from dialtone.codec.s1ap.values import GlobalENBID
from dialtone.dispatch import Rx
from dialtone.effects import Effect, Effects, PeerDown, Send, StopTimer, Verdict
from dialtone.ids import Tai
from dialtone.mme import overload, warning
from dialtone.mme.context import Enb
from dialtone.mme.context_release import lose_connection
from dialtone.mme.element import Mme, on
from dialtone.mme.timers import RESET


@on("S1-MME", S1SetupRequest)
def on_s1_setup_request(mme: Mme, msg: S1SetupRequest, rx: Rx) -> Effects:
    """Accept when any broadcast PLMN with any of its TACs is served; the Global eNB ID's PLMN does not matter."""
    name = msg.enb_name or f"eNB {msg.global_enb_id.enb_id.value:#x}"
    offered, cause = judge(mme, msg.supported_tas)
    if cause:
        yield Send("S1-MME", rx.peer, S1SetupFailure(cause=Cause.of("misc", cause)), stream=rx.stream)
        yield Verdict("S1 Setup", False, comparison(mme, name, offered))
        return
    identity = msg.global_enb_id
    yield from _take_over(mme, identity, rx)
    twin = mme.enb_of(identity)
    enb = mme.enbs[rx.peer] = Enb(rx.peer, identity.plmn, identity.enb_id.value, name, offered, rx.now)
    s1 = mme.config.s1
    yield Send("S1-MME", rx.peer, S1SetupResponse(
        mme_name=mme.config.network.name,
        served_gummeis=(ServedGUMMEIsItem((mme.plmn,), (s1.mme_group_id,), (s1.mme_code,)),),
        relative_mme_capacity=mme.capacity,
    ), stream=rx.stream)
    note = ". Another eNB with the same id is connected: give each an id of its own" if twin else ""
    common = ", ".join(str(tai) for tai in offered if tai in mme.tais)
    yield Verdict("S1 Setup", True, f"{name} serves {common}{note}")
    yield from overload.newcomer(mme, enb)
    yield from warning.newcomer(mme, enb)


def judge(mme: Mme, areas: tuple[SupportedTAsItem, ...]) -> tuple[tuple[Tai, ...], str]:
    """What an eNB broadcasts, and the cause (of group misc) to refuse it with, empty where we serve some of it."""
    offered = tuple(Tai(plmn, area.tac) for area in areas for plmn in area.broadcast_plmns)
    if mme.plmn not in {tai.plmn for tai in offered}:
        return offered, "unknown-plmn"
    return offered, "" if any(tai in mme.tais for tai in offered) else "unspecified"


def comparison(mme: Mme, name: str, offered: tuple[Tai, ...]) -> str:
    """What is offered and what is served, in a sentence."""
    theirs = ", ".join(f"PLMN {tai.plmn} TAC {tai.tac} (0x{tai.tac:04x})" for tai in offered) or "nothing"
    ours = ", ".join(f"PLMN {tai.plmn} TAC {tai.tac} (0x{tai.tac:04x})" for tai in mme.tais)
    return (f"{name} announces {theirs}; we serve {ours}. Change one side to match the other: "
            "mcc, mnc and tac in [network] of dialtone.toml, or PLMN and TAC of the eNB.")


def _take_over(mme: Mme, identity: GlobalENBID, rx: Rx) -> Iterator[Effect]:
    """S1 Setup erases what was between this eNB and us, as a Reset would (8.7.3.1): its phones' connections are gone.

    It is the same eNB on the same association, or with the same identity from the same address: then it was restarted,
    and SCTP has not noticed yet that the old association is dead. The same identity from another address may be a twin
    out of the same box, which is left alone.
    """
    host = _host(rx.peer)
    for enb in list(mme.enbs.values()):
        same = (enb.plmn, enb.enb_id) == (identity.plmn, identity.enb_id.value) and _host(enb.peer) == host
        if enb.peer == rx.peer or (same and host):
            del mme.enbs[enb.peer]
            yield StopTimer(RESET, enb.peer)
            for ue in list(enb.ues.values()):
                yield from lose_connection(mme, ue, rx, f"{enb.name} began anew")
    rx.subject = ""


def _host(peer: str) -> str:
    """The address in the name of a peer behind a socket, empty for one inside the box."""
    return peer.rpartition(":")[0]


@on.event(PeerDown)
def on_peer_down(mme: Mme, event: PeerDown, rx: Rx) -> Effects:
    """The association is gone: phones become idle, half-made ones are forgotten."""
    enb = mme.enbs.pop(event.peer, None)
    if enb is None:
        return
    yield StopTimer(RESET, event.peer)
    how = f"{enb.name} is gone: {event.reason or 'association lost'}"
    for ue in list(enb.ues.values()):
        yield from lose_connection(mme, ue, rx, how)
    rx.subject = ""
    yield Verdict("S1", False, how)
