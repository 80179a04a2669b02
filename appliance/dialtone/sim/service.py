# SPDX-License-Identifier: Apache-2.0
"""Service request in the phone (TS 24.301, 5.6.1): back from idle, by its own wish or because it was paged.

Service request -> the radio bearers, which are the answer; or Service reject. T3417.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from dialtone.codec import nas
from dialtone.codec.nas.capabilities import EPSBearerContextStatus
from dialtone.codec.nas.causes import EmmCause
from dialtone.codec.nas.identities import Tmsi
from dialtone.codec.nas.ies import GprsTimer
from dialtone.dispatch import Rx
from dialtone.effects import Effect, Effects, Event, Tell
from dialtone.sim import attach, causes, esm
from dialtone.sim.air import EstablishmentCause
from dialtone.sim.phone import BackOnline, Phone, on
from dialtone.sim.states import EmmState

ATTACH_ANEW = frozenset({9, 10, 40})
"""Causes after which the phone attaches anew by itself: at #9 by its IMSI, else by its GUTI (5.6.1.5)."""
KEEPS_REGISTRATION = frozenset({13, 15})
"""Causes that bar the area for a phone that stays registered elsewhere (5.5.3.2.5, 5.6.1.5)."""
MO_CS_FALLBACK, PACKET_SERVICES = 0, 8  # service types (9.9.3.27)


@dataclass(slots=True)
class ServiceCommand(Event):
    """Ask for the bearers. `extended`: by an Extended service request, of `service_type`."""

    extended: bool = False
    service_type: int = PACKET_SERVICES


@dataclass(slots=True)
class UplinkWaiting(Event):
    """A program on the phone has sent a packet, and there is no radio bearer for it."""


@on.event(ServiceCommand)
def on_service_command(phone: Phone, event: ServiceCommand, rx: Rx) -> Effects:
    """A person, or a program, wants the network."""
    phone.mark(rx)
    if phone.emm != EmmState.REGISTERED or phone.deaf:
        yield phone.outcome("service request", False, f"not tried: the phone is {phone.emm}")
    elif event.extended:
        yield from begin_extended(phone, event.service_type)
    elif phone.connected:
        yield phone.outcome("service request", True, "connected already")
    else:
        yield from begin(phone, EstablishmentCause.MO_DATA)


@on.event(UplinkWaiting)
def on_uplink_waiting(phone: Phone, event: UplinkWaiting, rx: Rx) -> Effects:
    """Data of an idle phone (5.6.1.1 b)."""
    phone.mark(rx)
    if phone.emm == EmmState.REGISTERED and not phone.connected and not phone.deaf:
        yield from begin(phone, EstablishmentCause.MO_DATA)


def begin(phone: Phone, cause: EstablishmentCause) -> Iterator[Effect]:
    """Send the four octets (5.6.1.2); the link below fills in NAS COUNT and MAC."""
    yield from _start(phone, cause)
    assert phone.nas.current is not None
    yield phone.send(nas.ServiceRequest(
        nas_key_set_identifier=phone.nas.current.ksi, sequence_number=0, short_mac=bytes(2)))


def begin_extended(phone: Phone, service_type: int) -> Iterator[Effect]:
    """The long form, for a circuit switched call or for packet services (5.6.1.2)."""
    yield from _start(phone, EstablishmentCause.MO_DATA)
    assert phone.nas.current is not None
    assert phone.guti is not None
    yield phone.send(nas.ExtendedServiceRequest(
        service_type=service_type, nas_key_set_identifier=phone.nas.current.ksi, m_tmsi=Tmsi(phone.guti.m_tmsi),
        eps_bearer_context_status=EPSBearerContextStatus.of(phone.bearers)))


def _start(phone: Phone, cause: EstablishmentCause) -> Iterator[Effect]:
    yield from phone.move("Service request")
    phone.counters["service request"] += 1
    phone.establishment = cause
    yield phone.start("T3417")


def bearers_up(phone: Phone, active: tuple[int, ...]) -> Iterator[Effect]:
    """The network's answer: what has no radio bearer is gone, here as there (5.6.1.4)."""
    yield from phone.stop("T3417")
    yield from phone.move("bearers set up")
    phone.nas.secure = True  # secure exchange is established with the bearers (4.4.2.3)
    yield from esm.keep_only(phone, active)
    yield phone.outcome("service request", True, f"connected, {esm.summary(phone)}")
    if phone.outgoing.waiting:
        yield Tell(phone.name, BackOnline())


@on("NAS", nas.ServiceReject)
def on_service_reject(phone: Phone, msg: nas.ServiceReject, rx: Rx) -> Effects:
    """No service: what stays depends on the cause (5.6.1.5)."""
    yield from phone.stop("T3417")
    yield from phone.move("Service reject")
    yield from refused(phone, "service request", msg.emm_cause, msg.t3346_value)


def refused(phone: Phone, procedure: str, cause: int, t3346: GprsTimer | None) -> Iterator[Effect]:
    """The network's cause, for service request and tracking area update alike (5.5.3.2.5, 5.6.1.5)."""
    text, sticky = f"rejected: cause {causes.emm(cause)}", ""
    if cause in KEEPS_REGISTRATION:
        phone.forbidden_tais[phone.cell.tai] = cause
        sticky = causes.stick(cause).text
    elif cause in ATTACH_ANEW or causes.stick(cause).text:
        yield from phone.drop_bearers()
        yield from phone.move("local detach")
        sticky = attach.remember(phone, cause)
    yield phone.outcome(procedure, False, f"{text}; {sticky}" if sticky else text)
    if cause == EmmCause.CONGESTION and t3346 is not None:
        yield from phone.back_off(t3346)
    elif cause in ATTACH_ANEW:
        phone.attempts = 0
        phone.attach_when_released = True


def failed(phone: Phone, why: str) -> Iterator[Effect]:
    """Nothing came of it: idle again (5.6.1.6)."""
    yield from phone.stop("T3417")
    yield from phone.drop_connection()
    yield from phone.move("service request failed")
    yield phone.outcome("service request", False, f"service request failed: {why}")


@on.timer("T3417", "TS 24.301, 5.6.1.6")
def on_t3417(phone: Phone, key: str, rx: Rx) -> Effects:
    """Neither bearers nor a word."""
    phone.mark(rx)
    if phone.emm == EmmState.SERVICE_REQUEST_INITIATED and not phone.deaf:
        yield from failed(phone, "no answer in time (T3417)")
