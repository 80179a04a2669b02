# SPDX-License-Identifier: Apache-2.0
"""Authentication of IMS (TS 29.228, 6.3): vectors for the S-CSCF, and resynchronisation by AUTS (TS 33.203, 6.1.3)."""

from dialtone.codec.diameter import (
    CxResult,
    MultimediaAuthAnswer,
    MultimediaAuthRequest,
    ResultCode,
    SipAuthDataItem,
)
from dialtone.crypto.aka import ims_vector, verify_auts
from dialtone.crypto.sqn import Use, ind_of_node
from dialtone.dispatch import Rx
from dialtone.effects import Answer, Effects, Verdict
from dialtone.errors import ProtocolError
from dialtone.hss import ims
from dialtone.hss.element import Hss, on
from dialtone.hss.subscriber import Subscriber
from dialtone.hss.writes import ReserveSqn

RAND = 16
MOST_VECTORS = 5
AKA = "Digest-AKAv1-MD5"
SCHEMES = {"digest-akav1-md5": AKA, "digest-akav2-md5": "Digest-AKAv2-MD5", "unknown": AKA}
"""SIP-Authentication-Scheme as asked for, in lower case, and as answered (TS 29.229, 6.3.9)."""


@on("Cx", MultimediaAuthRequest)
def on_multimedia_auth_request(hss: Hss, msg: MultimediaAuthRequest, rx: Rx) -> Effects:
    """An answer with vectors never precedes the fsync of the sequence numbers in it. The S-CSCF that asks is the one
    for this user from now on; of one who is registered with another it is known only that this is being tried."""
    rx.subject = ims.imsi_of(msg.user_name) or msg.user_name
    try:
        subscriber = ims.by_both(hss, msg.user_name, msg.public_identity)
        rx.subject = subscriber.imsi
        scheme = SCHEMES.get((msg.sip_auth_data_item.sip_authentication_scheme or "unknown").lower())
        if scheme is None:
            raise ims.Refused(CxResult.DIAMETER_ERROR_AUTH_SCHEME_NOT_SUPPORTED,
                              f"{msg.sip_auth_data_item.sip_authentication_scheme} is not how a SIM authenticates")
        resync = msg.sip_auth_data_item.sip_authorization
        if resync is not None:
            _resynchronise(hss, subscriber, msg, resync)
    except ims.Refused as refused:
        yield Answer(ims.answer(hss, MultimediaAuthAnswer, msg, refused.code))
        yield Verdict("IMS registration", False, refused.why)
        return
    if resync is not None:
        yield Verdict("resynchronisation", True, "the SIM's sequence number was ahead of ours; we go on from its own")
    items, mark = _vectors(hss, subscriber, msg, scheme)
    served = ims.registration(hss, subscriber.imsi)
    trying = ims.assigned(msg, subscriber.imsi, served.state, rx.now, pending=True)
    if served.state == ims.REGISTERED and served.scscf == msg.server_name:
        trying = served  # authenticated anew in its place
    reserved = () if mark is None else (ReserveSqn(subscriber.imsi, mark),)
    yield from ims.save(hss, MultimediaAuthAnswer, msg, rx, reserved + ims.changes(served, trying))
    yield Answer(ims.answer(
        hss, MultimediaAuthAnswer, msg, ResultCode.DIAMETER_SUCCESS, user_name=msg.user_name,
        public_identity=msg.public_identity, sip_number_auth_items=len(items), sip_auth_data_item=items))


def _vectors(hss: Hss, subscriber: Subscriber, msg: MultimediaAuthRequest, scheme: str
             ) -> tuple[tuple[SipAuthDataItem, ...], int | None]:
    """As many as asked for, numbered from 1, and the mark to commit before they leave."""
    ind = Use.IMS if msg.origin_host in hss.neighbours else ind_of_node(msg.origin_host)
    items, marks = [], []
    for number in range(1, min(max(msg.sip_number_auth_items, 1), MOST_VECTORS) + 1):
        sqn, mark = hss.counter(subscriber.imsi).take(ind)
        if mark is not None:
            marks.append(mark)
        vector = ims_vector(hss.functions(subscriber, isim=True), sqn=sqn, amf=subscriber.amf, rand=hss.random(RAND))
        items.append(SipAuthDataItem(
            sip_item_number=number, sip_authentication_scheme=scheme, sip_authenticate=vector.rand + vector.autn,
            sip_authorization=vector.xres, confidentiality_key=vector.ck, integrity_key=vector.ik))
    return tuple(items), max(marks, default=None)


def _resynchronise(hss: Hss, subscriber: Subscriber, msg: MultimediaAuthRequest, info: bytes) -> None:
    """`info` is RAND and AUTS (TS 29.228, 6.3.1), from the S-CSCF that gave the challenge only. The SQN is moved when
    MAC-S is right. Raises Refused."""
    served = ims.registration(hss, subscriber.imsi)
    if served.scscf and served.scscf != msg.server_name:
        raise ims.Refused(ResultCode.DIAMETER_UNABLE_TO_COMPLY,
                          f"{msg.server_name} resynchronises, but {served.scscf} gave the challenge")
    try:
        sqn_ms = verify_auts(hss.functions(subscriber, isim=True), rand=info[:RAND], auts=info[RAND:])
    except ProtocolError as error:
        raise ims.Refused(ResultCode.DIAMETER_UNABLE_TO_COMPLY, str(error)) from None
    hss.counter(subscriber.imsi).resynchronise(sqn_ms)
