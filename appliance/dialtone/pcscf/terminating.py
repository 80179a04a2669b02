# SPDX-License-Identifier: Apache-2.0
"""Requests for phones on their way out of the network (TS 24.229, 5.2.6.4)."""

from dialtone.codec.sip import NameAddr, SipError, SipRequest, SipResponse, SipUri
from dialtone.dispatch import Rx
from dialtone.effects import Effects
from dialtone.pcscf import call, headers
from dialtone.pcscf.element import Pcscf, on
from dialtone.pcscf.registration import Registration
from dialtone.sip import session_timer
from dialtone.sip.proxy import Target

CALLED = "P-Called-Party-ID"


@on("Mw", SipRequest)
def on_sip_request(pcscf: Pcscf, msg: SipRequest, rx: Rx) -> Effects:
    context = pcscf.proxy.receive(msg, rx)
    registration = _registration(pcscf, msg)
    rx.subject, rx.state = registration.subject, registration.state
    called = [NameAddr.parse(value).uri for value in msg.all(CALLED)]
    begins = not headers.in_dialog(msg)
    headers.keep_inside(msg)

    def back(answer: SipResponse) -> None:
        headers.distrust(answer)
        if begins and 100 < answer.status < 300:
            for uri in called:
                answer.set("P-Preferred-Identity", f"<{uri}>")
            headers.assert_identity(registration, answer)
        headers.rename(pcscf, msg, answer, pcscf.uri("mt"))
        session_timer.confirm(msg, answer)

    yield from call.requested(pcscf, msg, context, registration, from_phone=False)
    yield from pcscf.proxy.forward(context, [Target("Gm", _way(registration))], [pcscf.phone_uri(registration)], back)


def _registration(pcscf: Pcscf, msg: SipRequest) -> Registration:
    """The phone whose contact it is for; one that has just left still hears the end of its dialogs. Raises SipError."""
    uri = SipUri.parse(msg.uri)
    registration = pcscf.by_contact.get((uri.host.strip("[]"), uri.port or 5060))
    if registration is None or not (registration.registered or headers.in_dialog(msg)) or _anothers(registration, msg):
        raise SipError("no phone is registered there", cause=480, clause="TS 24.229, 5.2.6.4")
    return registration


def _anothers(registration: Registration, msg: SipRequest) -> bool:
    """Whether it is for who had this address before: the registrar does not know that his connection is gone."""
    known = {headers.same(uri) for uri in registration.identities}
    return any(headers.same(NameAddr.parse(value).uri) not in known for value in msg.all(CALLED))


def _way(registration: Registration) -> str:
    """Over the phone's SAs; where it has none, the way that it came. Raises SipError."""
    one = next(iter([*filter(None, [registration.current]), *registration.old]), None)
    flow = one.flow if one is not None else registration.plain
    if flow is None:
        raise SipError("there is no way to the phone", cause=480, clause="TS 24.229, 5.2.6.4")
    return str(flow)
