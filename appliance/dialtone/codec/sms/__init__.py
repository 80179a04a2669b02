# SPDX-License-Identifier: Apache-2.0
"""Short messages, layer by layer: `cp` and `rp` (TS 24.011), `tpdu` (TS 23.040).

The module itself is the codec of the point SMS, whose messages are those of the connection layer.
"""

from dialtone.codec.sms.cp import CPAck, CPData, CPError, CpMessage, decode, encode
from dialtone.codec.sms.rp import RPAck, RPData, RPError, RpMessage, RPSmma
from dialtone.codec.sms.tpdu import (
    SmsCommand,
    SmsDeliver,
    SmsDeliverReport,
    SmsStatusReport,
    SmsSubmit,
    SmsSubmitReport,
    Tpdu,
)

__all__ = [
    "CPAck",
    "CPData",
    "CPError",
    "CpMessage",
    "RPAck",
    "RPData",
    "RPError",
    "RPSmma",
    "RpMessage",
    "SmsCommand",
    "SmsDeliver",
    "SmsDeliverReport",
    "SmsStatusReport",
    "SmsSubmit",
    "SmsSubmitReport",
    "Tpdu",
    "decode",
    "encode",
]
