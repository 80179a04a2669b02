# SPDX-License-Identifier: Apache-2.0
"""A user whom this S-CSCF had, and lost in a restart, asks for something (TS 23.380, 4.4; TS 24.229, 5.4.3.2 and 7.6).

Contacts are not kept beyond a restart: the same box has lost the bearers that they are reached by. The HSS remembers
that the user is ours, and the phone is told to register from the beginning, which it does at once.
"""

from functools import partial

from dialtone.codec import xml
from dialtone.codec.diameter import AssignmentType, ServerAssignmentAnswer
from dialtone.dispatch import Rx
from dialtone.effects import Answer, Effects, Verdict
from dialtone.scscf import assignment, passing
from dialtone.scscf.cx import outcome
from dialtone.scscf.element import ORIGINATING, Scscf
from dialtone.sip.proxy import Context

TYPE = "application/3gpp-ims+xml"
_BODY = ('<ims-3gpp version="1"><alternative-service><type>restoration</type>'
         "<reason>The registration was lost</reason><action>initial-registration</action>"
         "</alternative-service></ims-3gpp>")


def ask(scscf: Scscf, context: Context, identity: str) -> Effects:
    """Nobody is registered here under this identity: was he?"""
    yield assignment.assign(scscf, "", identity, AssignmentType.NO_ASSIGNMENT, partial(_known, context))


def _known(context: Context, scscf: Scscf, answer: ServerAssignmentAnswer | None, rx: Rx) -> Effects:
    if answer is None or outcome(answer) != 2001:
        yield from passing.refuse(scscf, context, 403, "The caller is not registered")
        return
    if scscf.waiting.pop(context.key, None) is None:
        return  # cancelled meanwhile
    told = scscf.response(context.request, 504)
    told.append("P-Asserted-Identity", f"<sip:{ORIGINATING}@{scscf.host};lr>")
    told.content(TYPE, xml.octets(_BODY))
    yield Answer(told, to=context.rx)
    yield Verdict("IMS registration", False, "The S-CSCF has lost this registration in a restart: the phone is told "
                                             "to register anew.")
