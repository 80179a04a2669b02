# SPDX-License-Identifier: Apache-2.0
"""Which application servers hear of a request (TS 29.228, annexes B and F)."""

import pytest

from dialtone.codec.ims_subscription import (
    ORIGINATING,
    TERMINATING_REGISTERED,
    TERMINATING_UNREGISTERED,
    ApplicationServer,
    InitialFilterCriteria,
    ServiceProfile,
    Spt,
    TriggerPoint,
)
from dialtone.codec.sip import SipRequest, request
from dialtone.scscf.filter_criteria import INITIAL, REFRESH, Circumstances, matching, met


def made(method: str = "INVITE", uri: str = "tel:+15550001", sdp: str = "") -> SipRequest:
    message = request(method, uri)
    message.set("Contact", "<sip:10.46.0.2>;+g.3gpp.smsip")
    if sdp:
        message.content("application/sdp", sdp.encode())
    return message


def holds(*spts: Spt, cnf: bool = True, message: SipRequest | None = None, case: int = ORIGINATING,
          kind: int | None = None) -> bool:
    return met(TriggerPoint(cnf, spts), Circumstances(message or made(), case, kind))


INVITE, MESSAGE = Spt("Method", "INVITE"), Spt("Method", "MESSAGE")


@pytest.mark.parametrize(("spt", "expected"), [
    (INVITE, True), (MESSAGE, False), (Spt("Method", "MESSAGE", negated=True), True),
    (Spt("RequestURI", r"^tel:\+1555"), True), (Spt("RequestURI", "^sip:"), False),
    (Spt("SIPHeader", "contact", r"\+g\.3gpp\.smsip"), True), (Spt("SIPHeader", "m", "smsip"), True),
    (Spt("SIPHeader", "Contact", "video"), False), (Spt("SIPHeader", "Accept-Contact"), False),
    (Spt("SIPHeader", "Contact"), True), (Spt("SessionCase", "0"), True), (Spt("SessionCase", "1"), False),
    (Spt("SessionDescription", "m", "^audio"), True), (Spt("SessionDescription", "m", "^video"), False),
    (Spt("SessionDescription", "a"), False), (Spt("RequestURI", "tel:+1555"), False),
    (Spt("RequestURI", "+(1"), False)])
def test_each_condition(spt: Spt, expected: bool) -> None:
    assert holds(spt, message=made(sdp="v=0\r\nm=audio 4000 RTP/AVP 0\r\n")) is expected


def test_normal_forms() -> None:
    """Annex F's two trees: (a OR b) AND c, and (a AND b) OR c."""
    first, second = Spt("SessionCase", "1", groups=(0,)), Spt("RequestURI", "tel", groups=(1,))
    assert holds(INVITE, first, second)  # group 0: INVITE or terminating; group 1: tel
    assert not holds(MESSAGE, first, second)
    assert not holds(INVITE, first, cnf=False)  # one group: both must hold
    assert holds(MESSAGE, second, cnf=False)
    assert holds(Spt("Method", "INVITE", groups=(0, 1)), MESSAGE, Spt("Method", "BYE", groups=(1,)))


def test_types_of_registrations() -> None:
    spt = Spt("Method", "REGISTER", registration_types=(INITIAL,))
    assert holds(spt, message=made("REGISTER"), kind=INITIAL)
    assert not holds(spt, message=made("REGISTER"), kind=REFRESH)
    assert holds(Spt("Method", "REGISTER"), message=made("REGISTER"), kind=REFRESH)


def test_order_part_and_resumption() -> None:
    def server(priority: int, part: int | None = None) -> InitialFilterCriteria:
        return InitialFilterCriteria(priority, ApplicationServer(f"sip:as{priority}.example.org"), None, part)

    profile = ServiceProfile((), (server(30), server(10, 0), server(20, 1)))

    def priorities(case: int, above: int = -1) -> list[int]:
        return [each.priority for each in matching(profile, Circumstances(made(), case), above)]

    assert priorities(ORIGINATING) == [10, 30]
    assert priorities(TERMINATING_REGISTERED, above=10) == [30]
    assert priorities(TERMINATING_UNREGISTERED) == [20, 30]
