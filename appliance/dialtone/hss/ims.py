# SPDX-License-Identifier: Apache-2.0
"""What all procedures of Cx share: whom they are about, the state of a registration, answers, and failed saves."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, TypeVar

from dialtone.codec.diameter import (
    CX,
    CxResult,
    DiameterMessage,
    ResultCode,
    ServerCapabilities,
    SessionAnswer,
    VendorSpecificApplicationId,
)
from dialtone.codec.sip import SipUri, TelUri
from dialtone.dispatch import Rx
from dialtone.effects import Effect, Effects, Event, Save, Send, Verdict, Write
from dialtone.errors import ProtocolError
from dialtone.hss.element import VENDOR_3GPP, Hss, on, result
from dialtone.hss.identities import domains
from dialtone.hss.subscriber import ImsRegistration, Subscriber
from dialtone.hss.writes import ForgetImsRegistration, PutImsRegistration

NOT_REGISTERED, REGISTERED, UNREGISTERED = "not registered", "registered", "unregistered"
"""States of the public identities (TS 29.228, 3.1). Unregistered: an S-CSCF serves the user all the same."""
APPLICATION = VendorSpecificApplicationId(vendor_id=VENDOR_3GPP, auth_application_id=CX)

_A = TypeVar("_A", bound=SessionAnswer)


class Refused(Exception):
    """The answer is an error."""

    def __init__(self, code: ResultCode | CxResult, why: str = "", **fields: Any) -> None:
        super().__init__(why)
        self.code = code
        self.why = why
        self.fields = fields


# ---- whom it is about ------------------------------------------------------------------------------------


def by_impi(hss: Hss, impi: str) -> Subscriber:
    """The subscriber with this private identity. Raises Refused (5001)."""
    return _found(hss, hss.subscribers.owner("impi", impi) or _by_imsi(hss, impi), impi)


def by_impu(hss: Hss, impu: str) -> Subscriber:
    """The subscriber with this public identity, in whatever spelling. Raises Refused (5001)."""
    owners = (hss.subscribers.owner("impu", spelling) for spelling in spellings(impu))
    return _found(hss, next(filter(None, owners), None) or _by_imsi(hss, impu.partition(":")[2]), impu)


def by_both(hss: Hss, impi: str, impu: str) -> Subscriber:
    """The subscriber with these identities. Raises Refused (5001, 5002)."""
    subscriber = by_impi(hss, impi)
    if by_impu(hss, impu).imsi != subscriber.imsi:
        raise Refused(CxResult.DIAMETER_ERROR_IDENTITIES_DONT_MATCH, f"{impu} is not an identity of {impi}")
    return subscriber


def _found(hss: Hss, imsi: str | None, identity: str) -> Subscriber:
    subscriber = hss.subscribers.get(imsi) if imsi else None
    if subscriber is None:
        raise Refused(CxResult.DIAMETER_ERROR_USER_UNKNOWN, f"nobody here has the identity {identity}")
    return subscriber


def _by_imsi(hss: Hss, identity: str) -> str | None:
    """The IMSI of `<imsi>@<domain>`, whether the phone takes the MNC to have two digits or three: it may know the
    network's from the card, and not its own (TS 23.003, 13.2). A subscriber with other identities is not meant."""
    imsi, _, domain = identity.partition("@")
    if not imsi.isdigit() or domain.lower() not in domains(imsi):
        return None
    subscriber = hss.subscribers.get(imsi)
    return imsi if subscriber is not None and subscriber.impi.partition("@")[0] == imsi else None


def spellings(impu: str) -> list[str]:
    """A public identity as it came, and as it is stored: without parameters and visual separators, the host in lower
    case, and a number in a SIP URI as a tel URI (RFC 3261, 19.1.4 and 19.1.6; RFC 3966, 5.1.5)."""
    found = [impu]
    try:
        if impu[:4].lower() == "tel:":
            tel = TelUri.parse(impu)
            context = (tel.params.get("phone-context") or "").lower()
            found.append(f"tel:{tel.digits}" + (f";phone-context={context}" if context else ""))
        else:
            sip = SipUri.parse(impu)
            found.append(f"{sip.scheme}:{sip.user}@{sip.host}")
            if sip.user.startswith("+"):
                found.append(f"tel:{sip.user.partition(';')[0]}")
    except ProtocolError:
        pass
    return found


def imsi_of(impi: str) -> str:
    """The IMSI that a private identity looks like it were made of, or nothing."""
    user = impi.partition("@")[0]
    return user if user.isdigit() and len(user) in (14, 15) else ""


# ---- its registration ------------------------------------------------------------------------------------


def registration(hss: Hss, imsi: str) -> ImsRegistration:
    """The state of a subscriber's identities; without an S-CSCF where none has them."""
    return hss.subscribers.ims_registration(imsi) or ImsRegistration(imsi, "", "", "", NOT_REGISTERED, False, 0)


def assigned(msg: Any, imsi: str, state: str, now: float, *, pending: bool = False) -> ImsRegistration:
    """The S-CSCF that sends `msg` has the subscriber."""
    return ImsRegistration(imsi, msg.server_name, msg.origin_host, msg.origin_realm, state, pending, int(now))


def changes(before: ImsRegistration, after: ImsRegistration) -> tuple[Write, ...]:
    """What is to be written; a registration that is only refreshed costs no fsync."""
    if replace(after, since=before.since) == before:
        return ()
    return (PutImsRegistration(after) if after.scscf else ForgetImsRegistration(after.imsi),)


def capabilities(hss: Hss) -> ServerCapabilities:
    """Which S-CSCF may be chosen for somebody who has none (TS 29.229, 6.3.4)."""
    return ServerCapabilities(server_name=(hss.scscf,))


# ---- answers ---------------------------------------------------------------------------------------------


def answer(hss: Hss, kind: type[_A], msg: Any, code: ResultCode | CxResult, **fields: Any) -> _A:
    """The answer to a request."""
    return kind(session_id=msg.session_id, vendor_specific_application_id=APPLICATION, origin_host=hss.origin_host,
                origin_realm=hss.origin_realm, proxy_info=msg.proxy_info, **result(code), **fields)


class CxNotSaved(Event):
    """What an answer depends on could not be committed; `answer` goes out in its place."""

    __slots__ = ("answer", "imsi", "peer")

    def __init__(self, peer: str, answer: DiameterMessage, imsi: str) -> None:
        self.peer = peer
        self.answer = answer
        self.imsi = imsi


def save(hss: Hss, kind: type[SessionAnswer], msg: Any, rx: Rx, writes: tuple[Write, ...]) -> Iterator[Effect]:
    """Commit before what follows; nothing to do without `writes`."""
    if writes:
        instead = answer(hss, kind, msg, ResultCode.DIAMETER_UNABLE_TO_COMPLY)
        instead.hop_by_hop, instead.end_to_end = msg.hop_by_hop, msg.end_to_end
        yield Save(writes, failed=CxNotSaved(rx.peer, instead, rx.subject))


@on.event(CxNotSaved)
def on_cx_not_saved(hss: Hss, event: CxNotSaved, rx: Rx) -> Effects:
    """The disk is at fault, or the subscriber was removed in this moment: the CSCF is told so."""
    rx.subject = event.imsi
    yield Send("Cx", event.peer, event.answer)
    yield Verdict("IMS registration", False, "it could not be saved: is the disk full or read-only?")
