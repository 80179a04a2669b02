# SPDX-License-Identifier: Apache-2.0
"""Attach in the phone (TS 24.301, 5.5.1).

Attach request -> (identity, authentication, security mode, ESM information) -> Attach accept -> Attach
complete; or Attach reject. T3410 guards the whole, T3411 and T3402 the next attempt.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from dialtone.codec import nas
from dialtone.codec.nas.capabilities import (
    MSNetworkCapability,
    UEAdditionalSecurityCapability,
    UENetworkCapability,
)
from dialtone.codec.nas.causes import EmmCause
from dialtone.codec.nas.identities import Imei, Imsi
from dialtone.codec.nas.values import NO_KEY, EpsAttachResult, EpsAttachType
from dialtone.dispatch import Rx
from dialtone.effects import Effect, Effects, Event
from dialtone.errors import ProtocolError
from dialtone.ids import Guti
from dialtone.sim import causes, combined, esm, volte
from dialtone.sim.phone import Phone, on
from dialtone.sim.states import IS_REGISTERED, EmmState, EpsUpdateStatus
from dialtone.sim.timers import TIMERS

UNKNOWN_GUTI = (0x8001, 1, 0xDEADBEEF)
"""Group, code and M-TMSI that the fault `unknown_guti` comes with."""


@dataclass(slots=True)
class AttachCommand(Event):
    """Attach to the network of the cell. `manual`: its PLMN was selected by hand, forbidden or not."""

    manual: bool = False


@on.event(AttachCommand)
def on_attach_command(phone: Phone, event: AttachCommand, rx: Rx) -> Effects:
    """A person wants service."""
    phone.mark(rx)
    if event.manual:  # TS 23.122, 4.4.3.1.2: the list of forbidden PLMNs does not bind the user
        phone.forbidden_plmns.pop(phone.cell.tai.plmn, None)
    if why := barred(phone):
        yield phone.outcome("attach", False, why)
    elif phone.deaf:
        yield phone.outcome("attach", False, "the phone is silent")
    elif phone.emm in IS_REGISTERED:
        yield phone.outcome("attach", True, f"attached already, {esm.summary(phone)}")
    elif phone.emm == EmmState.DEREGISTERED_INITIATED:
        yield phone.outcome("attach", False, "not tried: a detach is under way")
    elif phone.emm == EmmState.DEREGISTERED:
        phone.attempts = 0
        yield from phone.stop("T3411", "T3402")
        yield from begin(phone)


@dataclass(slots=True)
class AttachAnew(Event):
    """The NAS layer of a registered phone begins anew, as after a crash of the modem's upper half; the radio stays."""


@on.event(AttachAnew)
def on_attach_anew(phone: Phone, event: AttachAnew, rx: Rx) -> Effects:
    """Another attach, on the connection that there is (5.5.1.2.7 d and f)."""
    phone.mark(rx)
    if phone.emm == EmmState.REGISTERED and not phone.deaf:
        yield from phone.drop_bearers()
        yield from phone.move("local detach")
        yield from begin(phone)


def barred(phone: Phone) -> str:
    """What keeps the phone from trying, empty when nothing does (5.5.1.2.5)."""
    plmn, tai = phone.cell.tai.plmn, phone.cell.tai
    if phone.usim_invalid is not None:
        return f"not tried: the card is disabled since cause {causes.emm(phone.usim_invalid)}; " \
               "switch the phone off and on"
    if plmn in phone.forbidden_plmns:
        return f"not tried: PLMN {plmn} is forbidden since cause {causes.emm(phone.forbidden_plmns[plmn])}"
    if tai in phone.forbidden_tais:
        return f"not tried: {tai} is forbidden since cause {causes.emm(phone.forbidden_tais[tai])}"
    return ""


def begin(phone: Phone) -> Iterator[Effect]:
    """Send an Attach request (5.5.1.2.2)."""
    yield from phone.move("Attach request")
    if phone.nas.null:  # it ended with the registration (TS 33.401, 15.2.2.2)
        phone.forget()
    phone.esm_failure = None
    phone.challenge = None
    phone.nas.partial = None
    phone.authentication_failures = 0
    phone.counters["attach"] += 1
    yield phone.start("T3410")
    yield phone.send(request(phone))


def _type(phone: Phone) -> EpsAttachType:
    if phone.urgent:
        return EpsAttachType.EMERGENCY
    return EpsAttachType.COMBINED if phone.handset.combined else EpsAttachType.EPS


def request(phone: Phone) -> nas.AttachRequest:
    """The Attach request: GUTI and key set where the phone has them, else the IMSI (5.5.1.2.2)."""
    handset = phone.handset
    guti = phone.guti
    if phone.faults.unknown_guti:
        guti = Guti(phone.cell.tai.plmn, *UNKNOWN_GUTI)
    current = phone.nas.current
    ms, additional = handset.ms_network_capability, handset.additional_security_capability
    message = nas.AttachRequest(
        eps_attach_type=_type(phone),
        nas_key_set_identifier=NO_KEY if current is None else current.ksi,
        eps_mobile_identity=guti or _name(phone),
        ue_network_capability=UENetworkCapability(
            b"\x80\x80" if phone.faults.weak_capabilities else handset.network_capability),
        esm_message_container=nas.encode(esm.connectivity_request(phone)),
        last_visited_registered_tai=phone.cell.tai if guti and phone.tais else None,
        drx_parameter=None if handset.drx is None else bytes((0, handset.drx << 4)),
        ms_network_capability=None if ms is None else MSNetworkCapability(ms),
        voice_domain_preference=volte.voice_domain(phone),
    )
    if handset.combined:
        message.additional_update_type = combined.additional_update_type(phone)
    if additional is not None:
        message.ue_additional_security_capability = UEAdditionalSecurityCapability(additional)
    return message


def _name(phone: Phone) -> Imsi | Imei:
    return Imsi(phone.faults.imsi(phone.usim)) if phone.handset.sim else Imei(phone.imei)


@on("NAS", nas.AttachAccept)
def on_attach_accept(phone: Phone, msg: nas.AttachAccept, rx: Rx) -> Effects:
    """Take GUTI, areas and the default bearer; answer Attach complete (5.5.1.2.4)."""
    repeated = phone.emm == EmmState.REGISTERED
    inner = nas.decode(msg.esm_message_container, downlink=True)
    if not isinstance(inner, nas.ActivateDefaultEPSBearerContextRequest):
        raise ProtocolError(f"Attach accept with {inner.NAME}", cause=EmmCause.ESM_FAILURE,
                            clause="TS 24.301, 8.2.1")
    yield from phone.stop("T3410")
    yield from phone.move("Attach accept")
    phone.update_status = EpsUpdateStatus.EU1_UPDATED
    phone.tais = tuple(msg.tai_list)
    phone.take_timer(msg.t3412_value)
    phone.take_features(msg.eps_network_feature_support)
    combined.take(phone, msg.eps_attach_result == EpsAttachResult.COMBINED, msg.additional_update_result,
                  msg.location_area_identification)
    phone.attempts = 0
    if isinstance(msg.guti, Guti):
        phone.guti = msg.guti
    answer, effects = esm.activate_default(phone, inner, emergency=phone.urgent)
    yield phone.send(nas.AttachComplete(esm_message_container=nas.encode(answer)))
    yield from effects
    if not repeated:
        yield phone.outcome("attach", True, f"attached, {esm.summary(phone)}")
        yield from volte.attached(phone)


@on("NAS", nas.AttachReject)
def on_attach_reject(phone: Phone, msg: nas.AttachReject, rx: Rx) -> Effects:
    """The network does not want us: what stays depends on the cause (5.5.1.2.5)."""
    if msg.esm_message_container is not None:
        inner = nas.decode(msg.esm_message_container, downlink=True)
        phone.esm_failure = getattr(inner, "esm_cause", None)
    yield from phone.stop("T3410", "T3418", "T3420")
    yield from phone.move("Attach reject")
    text = f"rejected: cause {causes.emm(msg.emm_cause)}"
    if phone.esm_failure is not None:
        text += f"; ESM cause {causes.esm(phone.esm_failure)}"
    sticky = remember(phone, msg.emm_cause)
    if sticky:
        yield phone.outcome("attach", False, f"{text}; {sticky}")
        return
    yield phone.outcome("attach", False, text)
    phone.for_help = ""
    if msg.emm_cause == EmmCause.CONGESTION and msg.t3346_value is not None:
        yield from phone.back_off(msg.t3346_value)
        return
    if msg.emm_cause in causes.NO_NEXT_ATTEMPT:
        phone.attempts = TIMERS["T3410"].attempts - 1
    yield from retry_later(phone)


def remember(phone: Phone, cause: int | None) -> str:
    """Keep what a cause leaves behind; returns the sentence for people (5.5.1.2.5, 5.5.2.3.2)."""
    stick = causes.stick(cause)
    if cause is not None and cause not in causes.KEEPS_IDENTITY:
        phone.forget()
    if cause is None or not stick.text:
        return ""
    phone.update_status = EpsUpdateStatus.EU3_ROAMING_NOT_ALLOWED
    if stick.usim:
        phone.usim_invalid = cause
    if stick.plmn:
        phone.forbidden_plmns[phone.cell.tai.plmn] = cause
    if stick.area:
        phone.forbidden_tais[phone.cell.tai] = cause
    return stick.text


def failed(phone: Phone, why: str) -> Iterator[Effect]:
    """An attempt came to nothing; the next one follows (5.5.1.2.6)."""
    yield from phone.stop("T3410", "T3418", "T3420")
    yield from phone.drop_connection()
    yield from phone.move("attach failed")
    yield phone.outcome("attach", False, f"attach failed: {why}")
    yield from retry_later(phone)


def abandon(phone: Phone, event: str, text: str) -> Iterator[Effect]:
    """Give up without another attempt."""
    yield from phone.stop("T3410", "T3411", "T3418", "T3420")
    yield from phone.move(event)
    yield phone.outcome("attach", False, text)


def retry_later(phone: Phone) -> Iterator[Effect]:
    """T3411 before the next attempt, T3402 and a fresh start after the fifth (5.5.1.2.6)."""
    phone.attempts += 1
    exhausted = phone.attempts >= TIMERS["T3410"].attempts
    if exhausted:
        phone.forget()
        phone.update_status = EpsUpdateStatus.EU2_NOT_UPDATED
    if phone.handset.retries:
        yield phone.start("T3402" if exhausted else "T3411")


@on.timer("T3410", "TS 24.301, 5.5.1.2.6")
def on_t3410(phone: Phone, key: str, rx: Rx) -> Effects:
    """The attach took too long."""
    phone.mark(rx)
    if phone.emm == EmmState.REGISTERED_INITIATED:
        yield from failed(phone, "no answer in time (T3410)")
