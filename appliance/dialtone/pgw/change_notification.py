# SPDX-License-Identifier: Apache-2.0
"""Change Notification (TS 29.274, 7.3.14): the phone is in another cell. Nothing here depends on it."""

from dialtone.codec.gtpc import CauseValue, ChangeNotificationRequest, ChangeNotificationResponse
from dialtone.codec.gtpc.values import Cause
from dialtone.dispatch import Rx
from dialtone.effects import Answer, Effects
from dialtone.pgw.element import Pgw, on


@on("S5/S8", ChangeNotificationRequest)
@on("S11", ChangeNotificationRequest)
def on_change_notification_request(pgw: Pgw, msg: ChangeNotificationRequest, rx: Rx) -> Effects:
    """Heard; no more reports are asked for."""
    tunnel = pgw.tunnel_of(msg.teid, rx)
    yield Answer(ChangeNotificationResponse(
        teid=tunnel.peer_teid, imsi=msg.imsi, mei=msg.mei, cause=Cause(CauseValue.REQUEST_ACCEPTED)))
