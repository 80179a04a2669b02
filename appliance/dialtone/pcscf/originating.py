# SPDX-License-Identifier: Apache-2.0
"""Requests of phones on their way into the network (TS 24.229, 5.2.6.3)."""

from dialtone.codec.sip import AckRequest, SipError, SipRequest, SipResponse
from dialtone.dispatch import Rx
from dialtone.effects import Effects
from dialtone.pcscf import call, emergency, headers
from dialtone.pcscf.element import Pcscf, on
from dialtone.pcscf.mw import SCSCF
from dialtone.pcscf.registration import Registration
from dialtone.sip import security_agreement as agreement
from dialtone.sip import session_timer
from dialtone.sip.flow import Flow
from dialtone.sip.proxy import Target, next_hop


@on("Gm", SipRequest)
def on_sip_request(pcscf: Pcscf, msg: SipRequest, rx: Rx) -> Effects:
    registration, urgent = pcscf.sender(rx), emergency.is_emergency(msg)
    if urgent and pcscf.config.network.emergency == "off":
        if registration is not None:
            rx.subject, rx.state = registration.subject, registration.state
        yield from emergency.refused(pcscf, msg, rx)
        return
    if urgent and (registration is None or not registration.registered):
        registration = emergency.welcome(pcscf, msg, rx)
    if registration is not None:
        rx.subject, rx.state = registration.subject, registration.state
    if registration is None or not _may(pcscf, registration, msg, urgent=urgent):
        raise SipError("register first", cause=403, clause="TS 24.229, 5.2.6.3.2")
    _verified(msg, rx, registration)
    context = pcscf.proxy.receive(msg, rx)
    agreement.take_out(msg)
    headers.distrust(msg)
    begins = not headers.in_dialog(msg)
    if begins:  # whatever way the phone would like to go (TS 24.229, 5.2.6.3.3)
        headers.assert_identity(registration, msg)
        msg.set("Route", *registration.routes)
    if not isinstance(msg, AckRequest):
        headers.charge(pcscf, msg, registration.key.host)
    if urgent and registration.guest:
        yield from emergency.seat(pcscf, registration)

    def change(copy: SipRequest) -> None:
        if urgent:
            emergency.route(pcscf, copy)

    def back(answer: SipResponse) -> None:
        headers.keep_inside(answer)
        headers.rename(pcscf, msg, answer, pcscf.phone_uri(registration))
        session_timer.confirm(msg, answer)

    yield from call.requested(pcscf, msg, context, registration, from_phone=True)
    peer = SCSCF if urgent else pcscf.core.peer(next_hop(msg))
    yield from pcscf.proxy.forward(context, [Target("Mw", peer, change=change)], [pcscf.uri("mo")], back)


def _may(pcscf: Pcscf, registration: Registration, msg: SipRequest, *, urgent: bool) -> bool:
    """Whoever is registered may send anything, for emergencies only where that is what he registered for; a guest has
    its call (TS 24.229, 5.2.6.3.2 and 5.2.10)."""
    if registration.registered and not registration.emergency:
        return True
    return urgent or (headers.in_dialog(msg) and (msg.call_id, registration.key) in pcscf.passing)


def _verified(msg: SipRequest, rx: Rx, registration: Registration) -> None:
    """Security-Verify, where it stands, must be right. Raises SipError."""
    verify = msg.all("Security-Verify")
    if not verify:
        return
    port = Flow.parse(rx.peer).port
    if not any(one.sas.phone.port_c == port and agreement.repeats(verify, one.server)
               for one in registration.associations):
        raise SipError("Security-Verify is not what Security-Server said", cause=494, clause="RFC 3329, 2.3.1")
