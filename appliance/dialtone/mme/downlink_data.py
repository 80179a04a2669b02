# SPDX-License-Identifier: Apache-2.0
"""Downlink Data Notification (TS 23.401, 5.3.4.3; TS 29.274, 7.2.11): the gateway has data for an idle phone.

Downlink Data Notification -> Acknowledge, Paging -> Service Request; or Failure Indication when nobody answers.
"""

from dialtone.codec.gtpc import (
    CauseValue,
    DownlinkDataNotification,
    DownlinkDataNotificationAcknowledge,
    DownlinkDataNotificationFailureIndication,
    StopPagingIndication,
)
from dialtone.codec.gtpc.values import Cause
from dialtone.codec.s1ap import causes
from dialtone.dispatch import Rx
from dialtone.effects import Answer, Effects, Send, StopTimer
from dialtone.mme import paging
from dialtone.mme.context import Errand, Pdn, Ue
from dialtone.mme.context_release import give_up_handover, to_idle
from dialtone.mme.element import Mme, on
from dialtone.mme.states import EmmState

LOST_BY_ENB = causes.Cause.of("transport", "transport-resource-unavailable")


@on("S11", DownlinkDataNotification)
def on_downlink_data_notification(mme: Mme, msg: DownlinkDataNotification, rx: Rx) -> Effects:
    """Page the phone. One on its way here needs no call; one whose eNB lost its bearers is released first."""
    ue = mme.by_s11_teid.get(msg.teid or 0)
    if ue is None or not ue.pdns:
        yield Answer(DownlinkDataNotificationAcknowledge(teid=0, cause=Cause(CauseValue.CONTEXT_NOT_FOUND)))
        return
    rx.subject, rx.state = ue.label, ue.emm
    pdn = next((pdn for pdn in ue.pdns.values() if set(msg.ebis) & set(pdn.bearers)), next(iter(ue.pdns.values())))
    yield Answer(DownlinkDataNotificationAcknowledge(
        teid=pdn.s11_teid, cause=Cause(CauseValue.REQUEST_ACCEPTED)))
    if ue.emm is not EmmState.REGISTERED:  # an attach under way brings the bearers up, or ends the session
        return
    if msg.cause is not None and msg.cause.value == CauseValue.ERROR_INDICATION_RECEIVED and ue.enb is not None:
        yield from give_up_handover(mme, ue, rx)
        yield from to_idle(ue, LOST_BY_ENB)
    yield from paging.reach(mme, ue, rx, Errand(_delivered, lambda mme, ue, rx: _undelivered(pdn, ue)))


def _delivered(mme: Mme, ue: Ue, rx: Rx) -> Effects:
    """Modify Bearer has told the gateway where to send it."""
    return ()


def _undelivered(pdn: Pdn, ue: Ue) -> Effects:
    yield Send("S11", pdn.gateway, DownlinkDataNotificationFailureIndication(
        teid=pdn.s11_teid, cause=Cause(CauseValue.UE_NOT_RESPONDING), imsi=ue.imsi if ue.proven else None))


@on("S11", StopPagingIndication)
def on_stop_paging_indication(mme: Mme, msg: StopPagingIndication, rx: Rx) -> Effects:
    """The gateway found the phone by another way (TS 29.274, 7.2.23)."""
    ue = mme.by_s11_teid.get(msg.teid or 0)
    if ue is not None:
        rx.subject, rx.state = ue.label, ue.emm
        ue.errands.clear()
        yield StopTimer("T3413", ue.number)
