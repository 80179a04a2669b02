# SPDX-License-Identifier: Apache-2.0
"""Data for an idle phone: Downlink Data Notification (TS 29.274, 7.2.11; TS 23.401, 5.3.4.3).

The user plane keeps the packets. They go when the eNB's ends come with a Modify Bearer Request, and are thrown
away when the MME says that the phone does not answer.
"""

from dialtone.codec.gtpc import (
    CauseValue,
    DownlinkDataNotification,
    DownlinkDataNotificationAcknowledge,
    DownlinkDataNotificationFailureIndication,
)
from dialtone.codec.gtpc.values import Cause
from dialtone.dispatch import Rx
from dialtone.effects import DownlinkWaiting, Effects, EmptyBuffer, Request, TunnelRefused, Unanswered, Verdict
from dialtone.pgw.element import Pgw, Session, on
from dialtone.pgw.tunnel import Tunnel


@on.event(DownlinkWaiting)
def on_downlink_waiting(pgw: Pgw, event: DownlinkWaiting, rx: Rx) -> Effects:
    """The first packet of an idle phone, or of one whose eNB is not to be reached: its MME takes it for connected."""
    session = _session(pgw, event)
    if session is not None:
        rx.subject = event.imsi
        lost = Cause(CauseValue.ERROR_INDICATION_RECEIVED) if session.bearers[event.ebi].lost else None
        yield from _notify(pgw, session, event.ebi, lost)


@on.event(TunnelRefused)
def on_tunnel_refused(pgw: Pgw, event: TunnelRefused, rx: Rx) -> Effects:
    """The eNB forgot the bearer: its phone is called, to set it up anew (TS 23.007, 22)."""
    session = _session(pgw, event)
    if session is not None:
        rx.subject = event.imsi
        session.bearers[event.ebi].enb = None
        yield Verdict("bearer", False, f"the eNB does not know the tunnel of EBI {event.ebi} any more: "
                                       "was it restarted? The phone is called, to set it up anew.")
        yield from _notify(pgw, session, event.ebi, Cause(CauseValue.ERROR_INDICATION_RECEIVED))


def _session(pgw: Pgw, event: DownlinkWaiting | TunnelRefused) -> Session | None:
    """The session that the bearer of an event belongs to, None where it has gone meanwhile."""
    for session in pgw.sessions_of(event.imsi):
        bearer = session.bearers.get(event.ebi)
        if bearer is not None and bearer.teid == event.teid:
            return session
    return None


def _notify(pgw: Pgw, session: Session, ebi: int, cause: Cause | None) -> Effects:
    """One call for all the PDN connections of a phone."""
    tunnel = session.tunnel
    if tunnel.suspended:
        yield EmptyBuffer(tunnel.imsi)
    elif not tunnel.notified:
        tunnel.notified = True
        yield Request(tunnel.point, tunnel.peer, DownlinkDataNotification(
            teid=tunnel.peer_teid, cause=cause, ebis=(ebi,)), context=tunnel)


@on("S11", DownlinkDataNotificationAcknowledge)
def on_downlink_data_notification_acknowledge(
    pgw: Pgw, msg: DownlinkDataNotificationAcknowledge, rx: Rx
) -> Effects:
    """The phone is being called, or the MME knows of none."""
    assert rx.request is not None
    tunnel: Tunnel = rx.request.context
    rx.subject = tunnel.imsi
    if not msg.cause.accepted:
        yield from _in_vain(tunnel)


@on.unanswered(DownlinkDataNotification)
def on_no_downlink_data_notification_acknowledge(pgw: Pgw, event: Unanswered, rx: Rx) -> Effects:
    """The MME is silent."""
    tunnel: Tunnel = event.request.context
    rx.subject = tunnel.imsi
    yield from _in_vain(tunnel)


@on("S11", DownlinkDataNotificationFailureIndication)
def on_downlink_data_notification_failure_indication(
    pgw: Pgw, msg: DownlinkDataNotificationFailureIndication, rx: Rx
) -> Effects:
    """The phone does not answer."""
    yield from _in_vain(pgw.tunnel_of(msg.teid, rx))


def _in_vain(tunnel: Tunnel) -> Effects:
    tunnel.notified = False
    yield EmptyBuffer(tunnel.imsi)
    yield Verdict("downlink data", False, "what came for the idle phone is thrown away: it cannot be reached")
