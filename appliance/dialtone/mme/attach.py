# SPDX-License-Identifier: Apache-2.0
"""Attach (TS 24.301, 5.5.1.2; TS 23.401, 5.3.2.1).

Attach Request -> [Identity] -> [Authentication -> Security Mode] -> Update Location -> [ESM Information]
-> Create Session -> Initial Context Setup with Attach Accept -> Attach Complete -> EMM Information
"""

from dialtone.codec import nas
from dialtone.codec.nas import AttachAccept, AttachComplete, AttachRequest
from dialtone.codec.nas.identities import Imei, Imsi, TaiList
from dialtone.codec.nas.ies import GprsTimer
from dialtone.codec.nas.values import EpsAttachResult, EpsAttachType
from dialtone.codec.s1ap.causes import Cause
from dialtone.dispatch import Rx
from dialtone.effects import Effects, Send, StartTimer, Verdict
from dialtone.errors import ProtocolError
from dialtone.ids import Guti, Tai, nameless
from dialtone.mme import (
    authentication,
    combined,
    default_bearer,
    emergency,
    emm_information,
    identification,
    mt_sms,
    paging,
    reattach,
    reject,
    retransmission,
    security_mode,
    session,
    update_location,
)
from dialtone.mme.context import Pdn, SecurityContext, Ue
from dialtone.mme.context_release import drop, end
from dialtone.mme.context_setup import guard, initial_context_setup
from dialtone.mme.element import NOT_EXPECTED, Mme, on

IMEI_NOT_ACCEPTED, PLMN_NOT_ALLOWED, NO_SUITABLE_CELLS, ESM_FAILURE = 5, 11, 15, 19
INVALID_MANDATORY = 96


@on("NAS", AttachRequest)
def on_attach_request(mme: Mme, msg: AttachRequest, rx: Rx) -> Effects:
    """Begin, or begin again (TS 24.301, 5.5.1.2.7 d, e, f)."""
    ue: Ue = rx.peer
    if ue.request is not None and rx.octets == ue.request_octets:
        yield from _repeated(ue)
        return
    if ue.context_sent and reattach.settled(ue):
        yield from reattach.clear(mme, ue, rx)
    elif ue.context_sent:  # the eNB is not done with the first one: the phone is taken in on another connection
        mme.memory.keep(ue)
        yield Verdict("attach", False, "the phone began a new attach on the same connection: released, to begin anew")
        yield from drop(mme, ue, rx)
        return
    yield from retransmission.stop_all(ue)
    ue.give_up()
    ue.take_request(msg, rx.octets)
    ue.request_verified = ue.verified
    assert ue.tai is not None
    if ue.tai not in mme.tais:
        cause = NO_SUITABLE_CELLS if ue.tai.plmn == mme.plmn else PLMN_NOT_ALLOWED
        yield from reject.request(mme, ue, rx, cause, f"{ue.tai} is not served here")
        return
    if ue.emergency and not emergency.served(mme):
        cause = IMEI_NOT_ACCEPTED if isinstance(msg.eps_mobile_identity, Imei) else reject.NETWORK_FAILURE
        yield from reject.request(mme, ue, rx, cause, "emergency calls are not served here: `emergency` in [network]")
        return
    if mme.congested and not ue.emergency:
        yield from reject.request(mme, ue, rx, reject.CONGESTION, "too many phones attach at once")
        return
    ue.otherwise = _unproven if ue.emergency else None
    yield from _identify(mme, ue, rx)


def _repeated(ue: Ue) -> Effects:
    """The same request once more: the accept again if it was sent, else the first one is still being served."""
    if (retry := ue.retries.get("T3450")) is not None:
        yield Send("NAS", ue, retry.message)
        yield StartTimer("T3450", ue.number, retry.seconds)


def _identify(mme: Mme, ue: Ue, rx: Rx) -> Effects:
    """Who is it: the owner of a GUTI of ours, proven by the MAC; or an IMSI; or ask."""
    assert isinstance(ue.request, AttachRequest)
    identity = ue.request.eps_mobile_identity
    if isinstance(identity, Guti):
        if ue.verified and ue.security and ue.claimed and not ue.security.null:
            mme.identify(ue, ue.claimed, rx)
            yield from _known(mme, ue, ue.security, rx)
            return
        ue.disown()
        yield from ue.move("common procedure")
        yield from identification.start(mme, ue, rx, _identified)
    elif isinstance(identity, Imsi):
        ue.disown()
        mme.identify(ue, str(identity), rx)
        yield from ue.move("common procedure")
        yield from _identified(mme, ue, rx)
    elif ue.emergency:
        ue.disown()
        yield from _unproven(mme, ue, rx)
    else:
        yield from reject.request(mme, ue, rx, INVALID_MANDATORY, "an attach names an IMSI or a GUTI, not an IMEI")


def _known(mme: Mme, ue: Ue, context: SecurityContext, rx: Rx) -> Effects:
    """The keys of last time serve again, unless they are worn or the phone lost an algorithm meanwhile."""
    yield from ue.move("common procedure")
    if context.worn or not security_mode.fits(ue.capability, context):
        yield from _identified(mme, ue, rx)
        return
    ue.secured = True
    ue.kenb_count = context.ul_count
    yield from _secured(mme, ue, rx)


def _identified(mme: Mme, ue: Ue, rx: Rx) -> Effects:
    return authentication.start(mme, ue, rx, _authenticated)


def _authenticated(mme: Mme, ue: Ue, rx: Rx) -> Effects:
    return security_mode.start(mme, ue, rx, _secured)


def _secured(mme: Mme, ue: Ue, rx: Rx) -> Effects:
    """Proven: an earlier context of the same phone goes now, and the HSS is told where it is."""
    yield from _take_place(mme, ue, rx)
    yield from update_location.start(mme, ue, rx, _located)


def _take_place(mme: Mme, ue: Ue, rx: Rx) -> Effects:
    for name in {ue.imsi, nameless(ue.imeisv)}:
        earlier = mme.by_imsi.get(name)
        if earlier is not None and earlier is not ue:
            earlier.purge = False
            mme.memory.keep(earlier)
            yield from end(mme, earlier, rx, Cause.of("nas", "normal-release"))
            rx.subject = ue.label
    mme.by_imsi[ue.imsi] = ue


def _unproven(mme: Mme, ue: Ue, rx: Rx) -> Effects:
    """An emergency of a phone that has no subscription, or cannot prove it: keys of our own, of which the phone knows
    nothing, with the algorithms that need none (TS 24.301, 5.4.3.2; TS 33.401, 15.2.2.2)."""
    assert isinstance(ue.request, AttachRequest)
    identity = ue.request.eps_mobile_identity
    if isinstance(identity, Imei):
        ue.imeisv = str(identity)  # until the Security Mode Complete tells the version as well
    ue.unproven, ue.security = ue.imsi, None
    yield from ue.move("common procedure")
    ue.next_security = SecurityContext(0, mme.random(32), null=True)
    yield from security_mode.start(mme, ue, rx, _named_by_imei)


def _named_by_imei(mme: Mme, ue: Ue, rx: Rx) -> Effects:
    """Its IMEI is all that tells it from others, and its IMSI is nobody's proof (TS 23.401, 4.3.12.1)."""
    if not ue.imeisv:
        yield from reject.request(mme, ue, rx, INVALID_MANDATORY, "the phone in need tells neither IMSI nor IMEI")
        return
    mme.identify(ue, nameless(ue.imeisv), rx)
    yield from _take_place(mme, ue, rx)
    yield from _located(mme, ue, rx)


def _located(mme: Mme, ue: Ue, rx: Rx) -> Effects:
    """The subscription came: ask the phone for its APN if it wants to tell it in secret, else go on."""
    try:
        request = _pdn_request(ue)
    except ProtocolError as error:
        yield from reject.request(mme, ue, rx, ESM_FAILURE, f"the PDN connectivity request inside is wrong: {error}")
        return
    yield from session.connect(mme, ue, rx, request, _connected, _refused)


def _pdn_request(ue: Ue) -> nas.PDNConnectivityRequest:
    """The ESM half of the attach (TS 24.301, 5.5.1.2.2)."""
    assert isinstance(ue.request, AttachRequest)
    message = nas.decode(ue.request.esm_message_container)
    if not isinstance(message, nas.PDNConnectivityRequest):
        raise ProtocolError(f"an attach carries a PDN connectivity request, not {message.NAME}", cause=96)
    return message


def _refused(mme: Mme, ue: Ue, rx: Rx, pti: int, esm_cause: int, why: str) -> Effects:
    """No PDN connection, so no attach: EMM cause #19 around the ESM cause (TS 24.301, 5.5.1.2.5)."""
    inner = nas.encode(nas.PDNConnectivityReject(
        procedure_transaction_identity=pti, esm_cause=esm_cause))
    return reject.request(mme, ue, rx, ESM_FAILURE, f"{why} (ESM cause #{esm_cause})", inner)


def _connected(mme: Mme, ue: Ue, rx: Rx, pdn: Pdn) -> Effects:
    """The bearer stands at the gateway: accept, inside the Initial Context Setup Request."""
    assert isinstance(ue.request, AttachRequest)
    side = combined.grant(mme, ue.request.eps_attach_type & 7 == EpsAttachType.COMBINED,
                          ue.request.additional_update_type)
    ue.sms = side.combined
    accept = AttachAccept(
        eps_attach_result=EpsAttachResult.COMBINED if side.combined else EpsAttachResult.EPS_ONLY,
        t3412_value=GprsTimer.of(int(mme.config.s1.t3412)),
        tai_list=TaiList.of(*take_tai_list(mme, ue)),
        esm_message_container=nas.encode(default_bearer.activate(ue, pdn)),
        guti=mme.new_guti(ue),
        location_area_identification=side.lai,
        emm_cause=side.emm_cause,
        eps_network_feature_support=emergency.features(mme),
        additional_update_result=side.additional_update_result,
    )
    yield default_bearer.start(ue, pdn)
    if ue.context_sent:
        yield from reattach.accept(ue, pdn, accept)
        return
    yield from retransmission.send(ue, "T3450", accept, via=initial_context_setup(mme, ue))
    yield guard(ue)


def take_tai_list(mme: Mme, ue: Ue) -> tuple[Tai, ...]:
    """Where the phone may move without a word: up to 16, its own first (TS 24.301, 9.9.3.33)."""
    assert ue.tai is not None
    ue.tais = (ue.tai, *(tai for tai in mme.tais if tai != ue.tai))[:16]
    return ue.tais


@on("NAS", AttachComplete)
def on_attach_complete(mme: Mme, msg: AttachComplete, rx: Rx) -> Effects:
    """Registered: the new GUTI holds, the default bearer is active, the phone's clock is set."""
    ue: Ue = rx.peer
    if "T3450" not in ue.retries or ue.new_guti is None:
        raise ProtocolError("no attach accept is outstanding", cause=NOT_EXPECTED, clause="TS 24.301, 7.4")
    inner = nas.decode(msg.esm_message_container)
    if not isinstance(inner, nas.ActivateDefaultEPSBearerContextAccept):
        raise ProtocolError(f"{inner.NAME} does not accept the bearer", cause=NOT_EXPECTED, clause="TS 24.301, 7.4")
    accepted = default_bearer.confirmed(ue, inner.eps_bearer_identity)
    yield from retransmission.stop(ue, "T3450")
    mme.memory.forget(ue.imsi)
    mme.confirm_guti(ue)
    yield from ue.move("Attach complete")
    rx.state = ue.emm
    yield accepted
    yield from emm_information.send(mme, ue)
    apns = ", ".join(f"{pdn.apn} {pdn.addresses}" for pdn in ue.pdns.values())
    yield Verdict("attach", True, f"registered as {ue.guti}, {apns}, in {rx.now - ue.since:.3f} s")
    ue.give_up()
    yield from paging.reached(mme, ue, rx)
    yield from mt_sms.heard(mme, ue)
