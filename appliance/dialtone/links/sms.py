# SPDX-License-Identifier: Apache-2.0
"""Short messages as a link stacked on NAS: CP messages in Uplink and Downlink NAS transport (TS 24.301, 5.6.3)."""

from collections.abc import Callable
from typing import Any

from dialtone.codec import sms
from dialtone.codec.message import Message
from dialtone.effects import Send


class SmsLink:
    """`wrap` puts octets into the NAS message of this side, `label` names the far end in the trace.

    Protection is the business of the link below.
    """

    def __init__(self, wrap: Callable[[bytes], Message], label: Callable[[Any], str]) -> None:
        self._wrap = wrap
        self.label = label

    def up(self, key: Any, data: bytes) -> tuple[Message, bytes]:
        """Raises CpFault."""
        return sms.decode(data), data

    def down(self, key: Any, message: Message) -> tuple[bytes, bytes]:
        """Plain and on the wire alike."""
        assert isinstance(message, sms.CpMessage)
        octets = sms.encode(message)
        return octets, octets

    def carry(self, key: Any, data: bytes, via: Message | None) -> Send:
        """In a NAS transport message."""
        return Send("NAS", key, self._wrap(data))
