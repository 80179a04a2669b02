# SPDX-License-Identifier: Apache-2.0
"""The E-CSCF, inside the S-CSCF (TS 24.229, 5.11.2): emergency calls go to the desk, whoever makes them.

No profile, no application server and no barring stands in the way. The desk is what 112 means in this network: the
answer service, unless [ims] short_codes names somebody else.
"""

from dialtone.codec.sip import NameAddr
from dialtone.dispatch import Rx
from dialtone.effects import Effects, Verdict
from dialtone.errors import ProtocolError
from dialtone.scscf import calls, passing
from dialtone.scscf.element import Scscf
from dialtone.sip.proxy import Context, Target

DESK = "112"
ANONYMOUS = "anonymous"


def start(scscf: Scscf, context: Context, rx: Rx) -> Effects:
    """The P-CSCF sends it here because of its service, not because of who calls."""
    request = context.request
    passing.begin(scscf, context)
    asserted = request.first("P-Asserted-Identity")
    caller = NameAddr.parse(asserted).uri if asserted else ANONYMOUS
    user = scscf.serving(caller) if asserted else None
    rx.subject = user.subject if user is not None else rx.subject
    calls.offered(scscf, request, caller, rx)
    try:
        desk = dict(scscf.plan.short_codes)[DESK]
        point, peer = scscf.hop(desk)
    except ProtocolError as error:
        yield from passing.refuse(scscf, context, error.cause or 404, error.text)
        return
    yield Verdict("emergency", True, f"an emergency call of {caller} goes to {desk}")
    yield from passing.send(scscf, context, [[Target(point, peer, desk)]])
