# SPDX-License-Identifier: Apache-2.0
"""NAS transport by the eNB (TS 36.413, 8.6): what phones send goes up, what the MME sends goes down."""

from dialtone.codec.s1ap.causes import Cause
from dialtone.codec.s1ap.nas_transport import (
    DownlinkNASTransport,
    InitialUEMessage,
    NASNonDeliveryIndication,
    UplinkNASTransport,
)
from dialtone.codec.s1ap.values import Gummei, RRCEstablishmentCause, STmsi
from dialtone.dispatch import Rx
from dialtone.effects import Effects, Tell
from dialtone.sim import overload
from dialtone.sim.air import ConnectionRequest, EstablishmentCause, NasDown, NasUp, Refused
from dialtone.sim.enb import Enb, EnbUe, on
from dialtone.sim.states import S1State

_RRC_CAUSE = {
    EstablishmentCause.EMERGENCY: RRCEstablishmentCause.EMERGENCY,
    EstablishmentCause.MT_ACCESS: RRCEstablishmentCause.MT_ACCESS,
    EstablishmentCause.MO_SIGNALLING: RRCEstablishmentCause.MO_SIGNALLING,
    EstablishmentCause.MO_DATA: RRCEstablishmentCause.MO_DATA,
}

_ON_THE_WAY = {"s1": "s1-intra-system-handover-triggered", "x2": "x2-handover-triggered"}


@on.event(ConnectionRequest)
def on_connection_request(enb: Enb, event: ConnectionRequest, rx: Rx) -> Effects:
    """A phone wants a connection: Initial UE Message (8.6.2.1)."""
    if enb.s1 == S1State.CONNECTING:  # a cell that is about to come up is worth waiting for
        enb.waiting.append(event)
        return
    if enb.s1 != S1State.UP:
        yield enb.refuse_phone(event.phone)
        return
    if overload.turned_away(enb, event.cause):
        enb.counters["turned away"] += 1
        yield Tell(event.phone, Refused(enb.name, "the network is overloaded"))
        return
    ue = enb.new_ue(event.phone)
    rx.subject = ue.label
    yield from enb.move_ue(ue, "InitialUEMessage")
    guti = event.guti
    yield enb.send(InitialUEMessage(
        enb_ue_s1ap_id=ue.enb_ue_s1ap_id,
        nas_pdu=event.nas,
        tai=enb.config.tai,
        eutran_cgi=enb.config.ecgi,
        rrc_establishment_cause=_RRC_CAUSE[event.cause],
        s_tmsi=None if guti is None else STmsi(guti.mme_code, guti.m_tmsi),
        gummei_id=None if guti is None else Gummei(guti.plmn, guti.mme_group_id, guti.mme_code),
    ), ue)
    # The MME's id is not known yet: a repetition (a fault) can only be a second Initial UE Message.
    for _ in range(event.repeat - 1):
        yield enb.send(InitialUEMessage(
            enb_ue_s1ap_id=ue.enb_ue_s1ap_id, nas_pdu=event.nas, tai=enb.config.tai,
            eutran_cgi=enb.config.ecgi, rrc_establishment_cause=_RRC_CAUSE[event.cause]), ue)


@on.event(NasUp)
def on_nas_up(enb: Enb, event: NasUp, rx: Rx) -> Effects:
    """A further message of a phone (8.6.2.3)."""
    ue = enb.by_phone.get(event.phone)
    if ue is None or ue.mme_ue_s1ap_id is None:
        enb.counters["NAS without a context"] += 1
        return
    rx.subject = ue.label
    for _ in range(event.repeat):
        yield enb.send(_uplink(enb, ue, ue.mme_ue_s1ap_id, event.nas), ue)


def _uplink(enb: Enb, ue: EnbUe, mme_ue_s1ap_id: int, octets: bytes) -> UplinkNASTransport:
    return UplinkNASTransport(
        mme_ue_s1ap_id=mme_ue_s1ap_id, enb_ue_s1ap_id=ue.enb_ue_s1ap_id, nas_pdu=octets,
        eutran_cgi=enb.config.ecgi, tai=enb.config.tai)


@on("S1-MME", DownlinkNASTransport)
def on_downlink_nas_transport(enb: Enb, msg: DownlinkNASTransport, rx: Rx) -> Effects:
    """A message for a phone; where the phone is gone, say that it was not delivered (8.6.2.2, 8.6.2.4)."""
    ue = enb.associated(msg.mme_ue_s1ap_id, msg.enb_ue_s1ap_id, rx)
    if enb.by_phone.get(ue.phone) is not ue:  # lost, or on its way to another eNB
        cause = _ON_THE_WAY[ue.leaving_by] if ue.leaving else "radio-connection-with-ue-lost"
        yield enb.send(NASNonDeliveryIndication(
            mme_ue_s1ap_id=msg.mme_ue_s1ap_id, enb_ue_s1ap_id=msg.enb_ue_s1ap_id, nas_pdu=msg.nas_pdu,
            cause=Cause.of("radioNetwork", cause)), ue)
    else:
        yield Tell(ue.phone, NasDown(enb.name, msg.nas_pdu))
