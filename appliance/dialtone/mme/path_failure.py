# SPDX-License-Identifier: Apache-2.0
"""The S-GW of our phones was restarted, or is out of reach for good (TS 23.007, 16.1A and 20)."""

from dialtone.dispatch import Rx
from dialtone.effects import Effects, PeerGone, Tell
from dialtone.mme.context_release import drop
from dialtone.mme.detach import DetachUe
from dialtone.mme.element import Mme, on


@on.event(PeerGone)
def on_peer_gone(mme: Mme, event: PeerGone, rx: Rx) -> Effects:
    """Nobody is there to delete a session: phones without one attach again."""
    for ue in list(mme.ues.values()):
        lost = [pdn for pdn in ue.pdns.values() if pdn.gateway.rpartition(":")[0] == event.host]
        for pdn in lost:
            pdn.s11_teid = 0
        if lost and mme.by_imsi.get(ue.imsi) is ue:
            yield Tell(mme.name, DetachUe(ue.imsi, reattach=True))
        elif lost and not ue.ending:
            yield from drop(mme, ue, rx)
