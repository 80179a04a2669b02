# SPDX-License-Identifier: Apache-2.0
"""Alert (TS 29.338, 5.6): a phone that texts wait for is back, or has memory again."""

from dialtone.codec.diameter import ResultCode
from dialtone.codec.diameter.sgd import AlertServiceCentreAnswer, AlertServiceCentreRequest
from dialtone.dispatch import Rx
from dialtone.effects import Answer, Effects
from dialtone.sms import queue
from dialtone.sms.element import Sms, on


@on("SGd", AlertServiceCentreRequest)
def on_alert_service_centre_request(sms: Sms, msg: AlertServiceCentreRequest, rx: Rx) -> Effects:
    """What waits for it goes out at once."""
    user = msg.user_identifier
    imsi = user.user_name or (sms.directory.owner("msisdn", user.msisdn) if user.msisdn else None) or ""
    rx.subject = imsi
    yield Answer(AlertServiceCentreAnswer(**sms.answer(msg, ResultCode.DIAMETER_SUCCESS)))
    yield from queue.back(sms, imsi, rx)
