# SPDX-License-Identifier: Apache-2.0
"""The phone's end of the connection: NAS coming down, context setup with the comparison of K_eNB, release.

TS 24.301, 5.3.1; TS 33.401, 7.2 and A.3.
"""

from dialtone.crypto.kdf import derive_kenb
from dialtone.crypto.next_hop import NextHop
from dialtone.dispatch import Rx
from dialtone.effects import Effects, StartTimer, Tell, Up
from dialtone.sim import attach, detach, esm, service, tracking, transaction
from dialtone.sim.air import ContextReady, ContextSetup, KeyChange, NasDown, Refused, Released
from dialtone.sim.phone import Phone, on
from dialtone.sim.states import EmmState


@on.event(NasDown)
def on_nas_down(phone: Phone, event: NasDown, rx: Rx) -> Effects:
    """A NAS message from the eNB goes up to the stacked link."""
    phone.mark(rx)
    if phone.connected and not phone.deaf:
        yield Up("NAS", "mme", event.nas)


@on.event(ContextSetup)
def on_context_setup(phone: Phone, event: ContextSetup, rx: Rx) -> Effects:
    """RRC security and bearers: compare K_eNB, then take the NAS messages (TS 33.401, A.3 and 7.2)."""
    phone.mark(rx)
    if phone.deaf:
        return
    problem = "the radio interface failed" if phone.faults.no_context else _compare_kenb(phone, event.k_enb)
    yield Tell(event.enb, ContextReady(phone.name, problem))
    if problem:
        phone.counters["context setup failed"] += 1
        yield phone.outcome("context setup", False, problem)
        return
    _take_kenb(phone, event.k_enb)
    if phone.emm == EmmState.SERVICE_REQUEST_INITIATED:
        yield from service.bearers_up(phone, event.bearers)
    elif phone.emm == EmmState.TRACKING_AREA_UPDATING_INITIATED:
        yield from esm.keep_only(phone, event.bearers)
    for octets in event.nas:
        yield Up("NAS", "mme", octets)


@on.event(KeyChange)
def on_key_change(phone: Phone, event: KeyChange, rx: Rx) -> Effects:
    """Other keys on the radio, after a security mode on a connection that had some (TS 33.401, 7.2.9.2)."""
    phone.mark(rx)
    if phone.deaf or event.enb != phone.cell.enb:
        return
    if problem := _compare_kenb(phone, event.k_enb):
        yield phone.outcome("key change", False, problem)
        yield from phone.drop_connection()
        return
    _take_kenb(phone, event.k_enb)


def _take_kenb(phone: Phone, k_enb: bytes) -> None:
    phone.counters["K_eNB equal"] += 1
    assert phone.nas.current is not None
    phone.k_enb, phone.ncc = k_enb, 0
    phone.next_hop = NextHop.first(phone.nas.current.kasme, k_enb)


def _compare_kenb(phone: Phone, k_enb: bytes) -> str:
    """Why the eNB's key is not the phone's, empty when it is."""
    context = phone.nas.current
    if context is None or context.keys is None:
        return "context setup before a security mode: the phone has no K_eNB"
    if phone.nas.null:  # the radio is not protected either, and nobody compares (TS 33.401, 15.2.2)
        return ""
    count = phone.nas.kenb_count
    if derive_kenb(context.kasme, count ^ phone.faults.wrong_kenb) != k_enb:
        phone.counters["K_eNB different"] += 1
        return f"K_eNB of eNB and phone differ; the phone's is of uplink NAS COUNT {count}"
    return ""


@on.event(Released)
def on_released(phone: Phone, event: Released, rx: Rx) -> Effects:
    """The connection is gone: idle, or the end of what was under way."""
    phone.mark(rx)
    if not phone.connected or phone.deaf:
        return
    phone.connected = phone.nas.secure = False
    if phone.forget_when_released:
        phone.forget_when_released = False
        phone.forget()
    if phone.emm == EmmState.REGISTERED_INITIATED:
        yield from attach.failed(phone, f"the connection was released: {event.cause or 'no cause'}")
    elif phone.emm == EmmState.TRACKING_AREA_UPDATING_INITIATED:
        yield from tracking.failed(phone, f"the connection was released: {event.cause or 'no cause'}")
    elif phone.emm == EmmState.SERVICE_REQUEST_INITIATED:
        yield from service.failed(phone, f"the connection was released: {event.cause or 'no cause'}")
    elif phone.emm == EmmState.DEREGISTERED_INITIATED:
        yield from detach.finish(phone, "detach given up", "detached: the connection was released meanwhile")
    elif phone.transactions:
        yield from transaction.abandon(phone, f"the connection was released: {event.cause or 'no cause'}")
    elif phone.attach_when_released:
        phone.attach_when_released = False
        yield from attach.begin(phone)
    elif phone.emm == EmmState.REGISTERED and phone.t3412 is not None:
        yield StartTimer("T3412", phone.imsi, phone.t3412)


@on.event(Refused)
def on_refused(phone: Phone, event: Refused, rx: Rx) -> Effects:
    """No connection to be had."""
    phone.mark(rx)
    phone.connected = phone.nas.secure = False
    if phone.emm == EmmState.REGISTERED_INITIATED:
        yield from attach.failed(phone, f"no connection: {event.reason}")
    elif phone.emm == EmmState.TRACKING_AREA_UPDATING_INITIATED:
        yield from tracking.failed(phone, f"no connection: {event.reason}")
    elif phone.emm == EmmState.SERVICE_REQUEST_INITIATED:
        yield from service.failed(phone, f"no connection: {event.reason}")
    elif phone.emm == EmmState.DEREGISTERED_INITIATED:
        yield from detach.finish(phone, "detach given up", f"detached without a word: {event.reason}")
