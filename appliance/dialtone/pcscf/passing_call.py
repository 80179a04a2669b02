# SPDX-License-Identifier: Apache-2.0
"""What the P-CSCF remembers of a call that passes it."""

from dataclasses import dataclass, field

from dialtone.pcscf.registration import Registration
from dialtone.sip.dialog import Dialog
from dialtone.sip.proxy import Context


@dataclass(slots=True, eq=False)
class Passing:
    """A call of one phone: its INVITE while that is on its way, then the dialogs towards the phone and the core, in
    which we take the place of the other end when we give the call up."""

    registration: Registration
    calling: bool  # the phone made the call
    context: Context | None = None
    towards_phone: Dialog | None = None
    towards_core: Dialog | None = None
    numbers: dict[bool, int] = field(default_factory=dict)  # the last CSeq, by whether the phone sent it
