# SPDX-License-Identifier: Apache-2.0
"""A request arrives: is it in a dialog, from a user we serve, back from an application server, or for a user we serve
(TS 24.229, 5.4.3.1)?"""

from dialtone.codec.sip import AckRequest, SipRequest, SubscribeRequest
from dialtone.dispatch import Rx
from dialtone.effects import Effects
from dialtone.scscf import application_server, calls, emergency, location, originating, passing, reg_event
from dialtone.scscf.element import DIALOG, EMERGENCY, ORIGINATING, RETURN, Scscf, on
from dialtone.sip.proxy import Context, Target, next_hop


@on("Mw", SubscribeRequest)
@on("ISC", SubscribeRequest)
def on_subscribe_request(scscf: Scscf, msg: SubscribeRequest, rx: Rx) -> Effects:
    """One to the registration state ends here, others go on."""
    event = (msg.first("Event") or "").partition(";")[0].strip().lower()
    if event == "reg" and scscf.asks_us(msg):
        yield from reg_event.on_subscribe(scscf, msg, rx)
    else:
        yield from on_sip_request(scscf, msg, rx)


@on("Mw", SipRequest)
@on("ISC", SipRequest)
def on_sip_request(scscf: Scscf, msg: SipRequest, rx: Rx) -> Effects:
    """All that a proxy passes on."""
    context = scscf.proxy.receive(msg, rx)
    own = context.route.user if context.route is not None else ""
    while (route := msg.first("Route")) is not None and scscf.owns(route):
        msg.pop("Route")  # the other half of us on the same way
    if own == DIALOG or (msg.to.tag and own != ORIGINATING and not own.startswith(RETURN)):
        yield from _in_dialog(scscf, context, rx)
    elif isinstance(msg, AckRequest):
        return  # of nothing that we know
    elif own.startswith(RETURN):
        yield from application_server.on_return(scscf, own.removeprefix(RETURN), context, rx)
    elif own == EMERGENCY:
        yield from emergency.start(scscf, context, rx)
    elif own == ORIGINATING:
        yield from originating.start(scscf, context, rx)
    else:
        passing.begin(scscf, context)
        yield from location.find(scscf, context, "", rx)  # the I-CSCF's part (5.3.2.1)


def _in_dialog(scscf: Scscf, context: Context, rx: Rx) -> Effects:
    """Along the recorded route (TS 24.229, 5.4.3.2 and 5.4.3.3, of requests in a dialog)."""
    rx.subject = calls.subject_of(scscf, context.request) or rx.subject
    point, peer = scscf.abroad(next_hop(context.request))
    yield from scscf.proxy.forward(context, [Target(point, peer)], [f"<sip:{DIALOG}@{scscf.host};lr>"])
