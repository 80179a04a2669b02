# SPDX-License-Identifier: Apache-2.0
"""The path to an eNB has failed on S1-U (TS 23.007, 20.3): its bearers are as those of idle phones.

Nobody is called for it: the next packet for such a phone calls it, and it comes back over an eNB that works.
"""

from ipaddress import IPv4Address

from dialtone.dispatch import Rx
from dialtone.effects import Effects, PathFailed, Verdict
from dialtone.pgw.element import Pgw, on


@on.event(PathFailed)
def on_path_failed(pgw: Pgw, event: PathFailed, rx: Rx) -> Effects:
    """The user plane holds them as idle already."""
    lost = [bearer for session in pgw.sessions.values() for bearer in session.bearers.values()
            if bearer.enb is not None and bearer.enb[0] == event.peer]
    for bearer in lost:
        bearer.enb, bearer.lost = None, True
    yield Verdict("path", False, f"{IPv4Address(event.peer)} answers no echo on S1-U any more: "
                                 f"its {len(lost)} bearers wait until their phones come back.")
