# SPDX-License-Identifier: Apache-2.0
"""Suspend and Resume Notification (TS 29.274, 7.4; TS 23.272, 6.5): a phone that is on another radio for a call.

What comes for it meanwhile is thrown away, and nobody calls it.
"""

from dialtone.codec.gtpc import (
    CauseValue,
    ResumeAcknowledge,
    ResumeNotification,
    SuspendAcknowledge,
    SuspendNotification,
)
from dialtone.codec.gtpc.values import Cause
from dialtone.dispatch import Rx
from dialtone.effects import Answer, Effects, EmptyBuffer
from dialtone.pgw.bearer import disconnect
from dialtone.pgw.element import Pgw, on


@on("S5/S8", SuspendNotification)
@on("S11", SuspendNotification)
def on_suspend_notification(pgw: Pgw, msg: SuspendNotification, rx: Rx) -> Effects:
    """No downlink until it is back, which a Modify Bearer Request says as well."""
    tunnel = pgw.tunnel_of(msg.teid, rx)
    tunnel.suspended = True
    yield from disconnect(tunnel)
    yield EmptyBuffer(tunnel.imsi)
    yield Answer(SuspendAcknowledge(teid=tunnel.peer_teid, cause=Cause(CauseValue.REQUEST_ACCEPTED)))


@on("S5/S8", ResumeNotification)
@on("S11", ResumeNotification)
def on_resume_notification(pgw: Pgw, msg: ResumeNotification, rx: Rx) -> Effects:
    """It is idle as others are: the next packet calls it."""
    tunnel = pgw.tunnel_of(msg.teid, rx)
    tunnel.suspended = False
    yield Answer(ResumeAcknowledge(teid=tunnel.peer_teid, cause=Cause(CauseValue.REQUEST_ACCEPTED)))
