# SPDX-License-Identifier: Apache-2.0
"""NAS transport (TS 36.413, 8.6): where NAS enters the MME, and which phone's it is."""

from dialtone.codec import nas
from dialtone.codec.nas.security import split
from dialtone.codec.s1ap import InitialUEMessage, NASNonDeliveryIndication, UplinkNASTransport
from dialtone.codec.s1ap.causes import Cause
from dialtone.dispatch import Rx
from dialtone.effects import Effects, Up
from dialtone.errors import ProtocolError
from dialtone.ids import Guti
from dialtone.mme import overload
from dialtone.mme.context import Ue
from dialtone.mme.context_release import lose_connection
from dialtone.mme.element import Mme, on

HANDOVER_TRIGGERED = (Cause.of("radioNetwork", "x2-handover-triggered"),
                      Cause.of("radioNetwork", "s1-intra-system-handover-triggered"))


@on("S1-MME", InitialUEMessage)
def on_initial_ue_message(mme: Mme, msg: InitialUEMessage, rx: Rx) -> Effects:
    """A new S1 connection gets a context of its own; an earlier one of the same phone goes when it is proven."""
    enb = mme.enbs[rx.peer]
    for other in list(enb.ues.values()):
        if other.enb_ue_s1ap_id == msg.enb_ue_s1ap_id:  # it stands for another connection now
            yield from lose_connection(mme, other, rx, "the eNB began a new connection in its place")
    ue = mme.new_ue(enb, rx.now)
    ue.enb_ue_s1ap_id = msg.enb_ue_s1ap_id
    ue.stream = rx.stream
    ue.tai, ue.ecgi = msg.tai, msg.eutran_cgi
    _recall(mme, ue, msg)
    rx.subject = ue.label
    yield from ue.connect("signalling connection")
    yield from overload.watch(mme)
    yield Up("NAS", ue, msg.nas_pdu)


def _recall(mme: Mme, ue: Ue, msg: InitialUEMessage) -> None:
    """Lend the new context the keys that its GUTI names, so that the MAC of the message can be checked."""
    guti = _guti(mme, msg)
    if guti is None or not mme.ours(guti):
        return
    ue.called = guti.m_tmsi
    owner = mme.by_m_tmsi.get(guti.m_tmsi)
    if owner is not None:
        ue.security = owner.security
        ue.claimed = owner.imsi
    elif (known := mme.memory.by_m_tmsi.get(guti.m_tmsi)) is not None:
        ue.security = known.security
        ue.claimed = known.imsi


def _guti(mme: Mme, msg: InitialUEMessage) -> Guti | None:
    """The GUTI in the message, if it can be read before its MAC is checked, else the S-TMSI that the eNB gave."""
    try:
        cover = split(msg.nas_pdu)
        inner = None if cover.ciphered else nas.decode(cover.message)
    except ProtocolError:
        inner = None
    # A phone that comes from UTRAN names itself by a GUTI mapped from there, and adds its own (TS 24.301, 5.5.1.2.2).
    names = ("additional_guti", "eps_mobile_identity", "old_guti")
    gutis = [guti for name in names if isinstance(guti := getattr(inner, name, None), Guti)]
    if gutis:
        return next(filter(mme.ours, gutis), gutis[-1])
    if msg.s_tmsi is not None:
        return Guti(mme.plmn, mme.config.s1.mme_group_id, msg.s_tmsi.mme_code, msg.s_tmsi.m_tmsi)
    return None


@on("S1-MME", UplinkNASTransport)
def on_uplink_nas_transport(mme: Mme, msg: UplinkNASTransport, rx: Rx) -> Effects:
    """NAS of a connected phone."""
    ue = mme.ue_of(rx.peer, msg.mme_ue_s1ap_id, msg.enb_ue_s1ap_id, rx)
    ue.tai, ue.ecgi = msg.tai, msg.eutran_cgi
    ue.stream = rx.stream
    yield Up("NAS", ue, msg.nas_pdu)


@on("S1-MME", NASNonDeliveryIndication)
def on_nas_non_delivery_indication(mme: Mme, msg: NASNonDeliveryIndication, rx: Rx) -> Effects:
    """The eNB could not deliver (TS 36.413, 8.6.2.4). Every message that needs an answer has its timer; where a
    handover was in the way, it goes out again as soon as the phone has arrived (TS 23.401, 5.5.1.1.1)."""
    ue = mme.ue_of(rx.peer, msg.mme_ue_s1ap_id, msg.enb_ue_s1ap_id, rx)
    ue.undelivered = ue.undelivered or msg.cause in HANDOVER_TRIGGERED
    return ()
