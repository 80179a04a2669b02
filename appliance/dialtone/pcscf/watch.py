# SPDX-License-Identifier: Apache-2.0
"""What the P-CSCF keeps of a subscription of its own to the registration state of a phone (TS 24.229, 5.2.3)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dialtone.codec import reginfo
from dialtone.codec.sip import SipRequest
from dialtone.effects import Request
from dialtone.sip.dialog import Dialog
from dialtone.sip.proxy import next_hop

if TYPE_CHECKING:
    from dialtone.pcscf.mw import Core
    from dialtone.pcscf.registration import Registration

EVENT = "reg"


@dataclass(slots=True, eq=False)
class Watch:
    """A subscription. Its dialog has no peer before the first NOTIFY or the answer. `version` is that of the last
    document; `over`: nothing more is wanted of it than its last NOTIFY."""

    registration: "Registration"
    dialog: Dialog
    version: int = -1
    over: bool = False

    @classmethod
    def begin(cls, core: "Core", registration: "Registration", call_id: str, tag: str) -> "Watch":
        """To the default public identity, by its SIP URI (5.2.3)."""
        identity = next((uri for uri in registration.identities if uri.startswith("sip:")), registration.identities[0])
        return cls(registration, Dialog(call_id, f"<sip:{core.host}>;tag={tag}", f"<{identity}>", identity))

    @property
    def call_id(self) -> str:
        """What it is known by."""
        return self.dialog.call_id

    def subscribe(self, core: "Core", seconds: int) -> SipRequest:
        """SUBSCRIBE: the first one, a refresh, or with 0 seconds the end."""
        message = self.dialog.request("SUBSCRIBE")
        for name, value in (("Contact", f"<sip:{core.host}{core.params}>"), ("Event", EVENT),
                            ("Accept", reginfo.CONTENT_TYPE), ("Expires", str(seconds)),
                            ("P-Asserted-Identity", f"<sip:{core.host}>")):
            message.append(name, value)
        return message

    def request(self, core: "Core", message: SipRequest) -> Request:
        """Send it."""
        return Request("Mw", core.peer(next_hop(message)), message, self)
