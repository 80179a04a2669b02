# SPDX-License-Identifier: Apache-2.0
"""An MME or S-GW was restarted, or is out of reach for good (TS 23.007, 17.1 and 20)."""

from dialtone.dispatch import Rx
from dialtone.effects import Effects, PeerGone, Verdict
from dialtone.pgw.element import Pgw, on
from dialtone.pgw.session import close


@on.event(PeerGone)
def on_peer_gone(pgw: Pgw, event: PeerGone, rx: Rx) -> Effects:
    """Its sessions end here, too: addresses and tunnels are free again."""
    lost = [session for session in pgw.sessions.values() if session.tunnel.peer.rpartition(":")[0] == event.host]
    for session in lost:
        yield from close(pgw, session)
    if lost:
        yield Verdict("session", False, f"{event.host} {event.why}: {len(lost)} of its sessions ended")
