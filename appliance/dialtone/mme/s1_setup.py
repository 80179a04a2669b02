# SPDX-License-Identifier: Apache-2.0
"""S1 Setup (TS 36.413, 8.7.3): an eNB joins, or is told in a sentence why it may not; and leaves."""

from collections.abc import Iterator

from dialtone.codec.s1ap import S1SetupFailure, S1SetupRequest, S1SetupResponse
from dialtone.codec.s1ap.causes import Cause
from dialtone.codec.s1ap.management import ServedGUMMEIsItem
from dialtone.dispatch import Rx
from dialtone.effects import Effect, Effects, PeerDown, Send, Verdict
from dialtone.ids import Tai
from dialtone.mme.context import Enb
from dialtone.mme.context_release import lose_connection
from dialtone.mme.element import Mme, on

CAPACITY = 255  # relative MME capacity: there is no other MME


@on("S1-MME", S1SetupRequest)
def on_s1_setup_request(mme: Mme, msg: S1SetupRequest, rx: Rx) -> Effects:
    """Accept when any broadcast PLMN with any of its TACs is served; the Global eNB ID's PLMN does not matter."""
    offered = tuple(Tai(plmn, ta.tac) for ta in msg.supported_tas for plmn in ta.broadcast_plmns)
    name = msg.enb_name or f"eNB {msg.global_enb_id.enb_id.value:#x}"
    if mme.config.network.plmn not in {tai.plmn for tai in offered}:
        yield from _refuse(mme, rx, name, offered, "unknown-plmn")
        return
    common = [tai for tai in offered if tai in mme.tais]
    if not common:
        yield from _refuse(mme, rx, name, offered, "unspecified")
        return
    identity = msg.global_enb_id
    yield from _take_over(mme, rx)
    twin = any(enb.plmn == identity.plmn and enb.enb_id == identity.enb_id.value for enb in mme.enbs.values())
    mme.enbs[rx.peer] = Enb(rx.peer, identity.plmn, identity.enb_id.value, name, offered, rx.now)
    s1 = mme.config.s1
    yield Send("S1-MME", rx.peer, S1SetupResponse(
        mme_name=mme.config.network.name,
        served_gummeis=(ServedGUMMEIsItem((mme.plmn,), (s1.mme_group_id,), (s1.mme_code,)),),
        relative_mme_capacity=CAPACITY,
    ), stream=rx.stream)
    note = ". Another eNB with the same id is connected: give each an id of its own" if twin else ""
    yield Verdict("S1 Setup", True, f"{name} serves {', '.join(map(str, common))}{note}")


def _refuse(mme: Mme, rx: Rx, name: str, offered: tuple[Tai, ...], cause: str) -> Iterator[Effect]:
    yield Send("S1-MME", rx.peer, S1SetupFailure(cause=Cause.of("misc", cause)), stream=rx.stream)
    theirs = ", ".join(f"PLMN {tai.plmn} TAC {tai.tac} (0x{tai.tac:04x})" for tai in offered) or "nothing"
    ours = ", ".join(f"PLMN {tai.plmn} TAC {tai.tac} (0x{tai.tac:04x})" for tai in mme.tais)
    yield Verdict("S1 Setup", False, f"{name} announces {theirs}; we serve {ours}. Change one side to match the other: "
                               "mcc, mnc and tac in [network] of dialtone.toml, or PLMN and TAC of the eNB.")


def _take_over(mme: Mme, rx: Rx) -> Iterator[Effect]:
    """A second S1 Setup on a living association starts it anew: its phones' connections are gone.

    An eNB with the same id on another association is left alone: it may be a twin out of the same box, and one
    that is dead is noticed by SCTP.
    """
    if (enb := mme.enbs.pop(rx.peer, None)) is not None:
        for ue in list(enb.ues.values()):
            yield from lose_connection(mme, ue, rx, f"{enb.name} began anew")
    rx.subject = ""


@on.event(PeerDown)
def on_peer_down(mme: Mme, event: PeerDown, rx: Rx) -> Effects:
    """The association is gone: phones become idle, half-made ones are forgotten."""
    enb = mme.enbs.pop(event.peer, None)
    if enb is None:
        return
    how = f"{enb.name} is gone: {event.reason or 'association lost'}"
    for ue in list(enb.ues.values()):
        yield from lose_connection(mme, ue, rx, how)
    rx.subject = ""
    yield Verdict("S1", False, how)
