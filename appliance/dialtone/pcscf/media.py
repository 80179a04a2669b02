# SPDX-License-Identifier: Apache-2.0
"""The media of calls over Rx, as the P-CSCF asks for them (TS 29.214, 4.4; TS 24.229, 5.2; TS 23.228, 5.4.7).

The P-CSCF tells of each description that passes (`heard`), of the acceptance and the end of a call; policy is told what
changed, and what becomes of the bearers comes back. A phone's side of a call is one AF session. A call whose bearer
cannot be had, or is lost, is told as MediaLost. A registration asks for nothing here.
"""

import itertools
from collections.abc import Hashable
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any, Protocol

from dialtone.codec import sdp
from dialtone.codec.diameter import (
    RX,
    AAAnswer,
    AARequest,
    AbortSessionAnswer,
    AbortSessionRequest,
    MediaComponentDescription,
    MediaType,
    ReAuthAnswer,
    ReAuthRequest,
    ResultCode,
    RxResult,
    SessionTerminationAnswer,
    SessionTerminationRequest,
    SpecificAction,
    SubscriptionId,
    VendorSpecificApplicationId,
)
from dialtone.codec.diameter.rx import RxRequest
from dialtone.dispatch import Handlers, Rx
from dialtone.effects import Answer, Effects, Event, Request, Tell, Unanswered, Verdict
from dialtone.pcscf.service_information import Leg

POINT = "Rx"
TGPP = 10415
SIP_URI = 2  # Subscription-Id-Type (RFC 4006, 8.47)
LOGOUT = 1  # Termination-Cause (RFC 6733, 8.15)
ACTIONS = (SpecificAction.INDICATION_OF_LOSS_OF_BEARER, SpecificAction.INDICATION_OF_RELEASE_OF_BEARER,
           SpecificAction.INDICATION_OF_SUCCESSFUL_RESOURCES_ALLOCATION,
           SpecificAction.INDICATION_OF_FAILED_RESOURCES_ALLOCATION)
MOST_CALLS = 4096
REFUSALS = {
    RxResult.IP_CAN_SESSION_NOT_AVAILABLE: "no PDN connection has its address",
    RxResult.FILTER_RESTRICTIONS: "its media are described in a way that no bearer can be made from",
    RxResult.INVALID_SERVICE_INFORMATION: "its media are described incompletely",
    RxResult.UNAUTHORIZED_NON_EMERGENCY_SESSION: "it is connected for emergency calls only",
    ResultCode.DIAMETER_RESOURCES_EXCEEDED: "the phone has too many calls",
}
PROBLEMS = {
    SpecificAction.INDICATION_OF_FAILED_RESOURCES_ALLOCATION: "the bearer could not be set up",
    SpecificAction.INDICATION_OF_RELEASE_OF_BEARER: "the bearer was released",
    SpecificAction.INDICATION_OF_LOSS_OF_BEARER: "the bearer was lost",
}


@dataclass(slots=True, eq=False)
class Call:
    """One phone's side of a call: `key` is the P-CSCF's name for it, `id` the Session-Id on Rx."""

    key: Hashable
    id: str
    subject: str  # the phone, for the trace
    identity: str  # its public identity
    leg: Leg
    charging: str = ""  # icid-value of P-Charging-Vector
    emergency: bool = False
    kinds: dict[int, int | None] = field(default_factory=dict)  # Media-Type of each component that was asked for
    over: bool = False


@dataclass(slots=True)
class MediaLost(Event):
    """The call `key` has no bearer for its voice: the P-CSCF gives it up towards both ends, and then comes `end`."""

    key: Hashable
    why: str


@dataclass(slots=True)
class Calls:
    """Every call side, by key and by Session-Id. `peer` is who decides, `host` and `realm` what we are called."""

    peer: str
    host: str
    realm: str
    peer_realm: str
    start: int = 0  # Session-Ids of before a restart must not come again
    by_key: dict[Hashable, Call] = field(default_factory=dict)
    by_id: dict[str, Call] = field(default_factory=dict)
    _numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    def begin(self, key: Hashable, address: str, *, subject: str = "", identity: str = "", charging: str = "",
              emergency: bool = False) -> None:
        """A phone at `address` is in a call from now on. Beyond the limit a call goes on without bearers,
        but for an emergency."""
        if key not in self.by_key and (emergency or len(self.by_key) < MOST_CALLS):
            name = f"{self.host};{self.start};{next(self._numbers)}"
            call = Call(key, name, subject, identity, Leg(address), charging, emergency)
            self.by_key[key] = self.by_id[name] = call

    def forget(self, call: Call) -> None:
        """It is over, and policy knows."""
        self.by_key.pop(call.key, None)
        self.by_id.pop(call.id, None)


class Host(Protocol):
    """The element that has calls: the P-CSCF."""

    name: str
    calls: Calls


def register(on: Handlers) -> None:
    """Enter the handlers of Rx into the P-CSCF's table."""
    for message, handler in ((AAAnswer, on_aa_answer), (ReAuthRequest, on_re_auth_request),
                             (AbortSessionRequest, on_abort_session_request),
                             (SessionTerminationAnswer, on_session_termination_answer)):
        on(POINT, message)(handler)
    on.unanswered(AARequest)(on_no_aa_answer)
    on.unanswered(SessionTerminationRequest)(on_no_session_termination_answer)


# ---- what the P-CSCF tells -------------------------------------------------------------------------------


def heard(host: Host, key: Hashable, body: bytes, *, from_phone: bool, accepted: bool) -> Effects:
    """A session description passed in a message of the call. Raises SdpError for what is none."""
    call = host.calls.by_key.get(key)
    if call is not None and not call.over:
        yield from _ask(host, call, call.leg.heard(sdp.decode(body), from_phone, accepted=accepted))


def accepted(host: Host, key: Hashable) -> Effects:
    """The call was accepted: what waited for that is asked for now."""
    call = host.calls.by_key.get(key)
    if call is not None and not call.over:
        yield from _ask(host, call, call.leg.accepted())


def rejected(host: Host, key: Hashable) -> None:
    """An offer within the call was refused."""
    call = host.calls.by_key.get(key)
    if call is not None:
        call.leg.rejected()


def end(host: Host, key: Hashable) -> Effects:
    """BYE, CANCEL, a failure: its bearers go."""
    call = host.calls.by_key.get(key)
    if call is None or call.over:
        return
    call.over = True
    host.calls.by_key.pop(key)
    if not call.leg.asked:
        host.calls.forget(call)
        return
    yield Request(POINT, host.calls.peer, SessionTerminationRequest(
        **_header(host, call), termination_cause=LOGOUT), context=call)


def _ask(host: Host, call: Call, media: tuple[MediaComponentDescription, ...]) -> Effects:
    if not media:
        return
    call.kinds |= {one.media_component_number: one.media_type for one in media}
    address = ip_address(call.leg.address)
    yield Request(POINT, host.calls.peer, AARequest(
        **_header(host, call),
        media_component_description=media,
        af_charging_identifier=call.charging.encode() or None,
        specific_action=ACTIONS,
        subscription_id=(SubscriptionId(subscription_id_type=SIP_URI, subscription_id_data=call.identity),)
        if call.identity else (),
        framed_ip_address=address.packed if address.version == 4 else None,
        framed_ipv6_prefix=b"\0\x40" + address.packed[:8] if address.version == 6 else None,
        service_urn=b"sos" if call.emergency else None,
    ), context=call)


def _header(host: Host, call: Call) -> dict[str, Any]:
    calls = host.calls
    return {"session_id": call.id, "origin_host": calls.host, "origin_realm": calls.realm,
            "destination_realm": calls.peer_realm,
            "vendor_specific_application_id": VendorSpecificApplicationId(vendor_id=TGPP, auth_application_id=RX)}


# ---- what policy says ------------------------------------------------------------------------------------


def on_aa_answer(host: Host, msg: AAAnswer, rx: Rx) -> Effects:
    """Authorized; or not, and then the call goes on without a bearer of its own."""
    assert rx.request is not None
    call: Call = rx.request.context
    rx.subject = call.subject
    code = int(msg.result_code or msg.experimental_result_code or 0)
    if code != ResultCode.DIAMETER_SUCCESS:
        why = next((text for value, text in REFUSALS.items() if value == code), f"result {code}")
        yield Verdict("media", False, f"no bearer for the call: {why}; it goes on as well as it can")


def on_no_aa_answer(host: Host, event: Unanswered, rx: Rx) -> Effects:
    """Policy is silent; so is nobody's call because of it."""
    rx.subject = event.request.context.subject
    yield Verdict("media", False, "no bearer for the call: policy does not answer; it goes on as well as it can")


def on_re_auth_request(host: Host, msg: ReAuthRequest, rx: Rx) -> Effects:
    """A bearer stands, or there is none: without the one for voice the call is given up (TS 24.229, 5.2.8.1.2)."""
    call = host.calls.by_id.get(msg.session_id)
    yield _answer(host, msg, ReAuthAnswer, call is not None)
    if call is None or call.over:
        return
    rx.subject = call.subject
    names = [name for flows in msg.flows if (name := _name(call, flows.media_component_number))]
    what = " and ".join(names) or "media"
    for action in msg.specific_action:
        if action == SpecificAction.INDICATION_OF_SUCCESSFUL_RESOURCES_ALLOCATION:
            yield Verdict("media", True, f"the {what} of the call has its bearer")
        elif (problem := next((text for value, text in PROBLEMS.items() if value == action), "")):
            yield from _problem(host, call, what, problem)


def _name(call: Call, number: int) -> str:
    kind = call.kinds.get(number)
    return next((one.name.lower() for one in MediaType if one == kind), "")


def _problem(host: Host, call: Call, what: str, problem: str) -> Effects:
    yield Verdict("media", False, f"{what} of the call: {problem}")
    if "audio" in what or what == "media":
        yield Tell(host.name, MediaLost(call.key, problem))


def on_abort_session_request(host: Host, msg: AbortSessionRequest, rx: Rx) -> Effects:
    """No bearer is left: the call ends, and then the session (TS 29.214, 4.4.6.1)."""
    call = host.calls.by_id.get(msg.session_id)
    yield _answer(host, msg, AbortSessionAnswer, call is not None)
    if call is not None and not call.over:
        rx.subject = call.subject
        yield Verdict("media", False, "the call ends: the phone has lost its bearers, or its connection")
        yield Tell(host.name, MediaLost(call.key, "the bearers are gone"))


def _answer(host: Host, msg: RxRequest, kind: type[ReAuthAnswer] | type[AbortSessionAnswer], known: bool) -> Answer:
    code = ResultCode.DIAMETER_SUCCESS if known else ResultCode.DIAMETER_UNKNOWN_SESSION_ID
    return Answer(kind(session_id=msg.session_id, origin_host=host.calls.host, origin_realm=host.calls.realm,
                       result_code=code, proxy_info=msg.proxy_info))


def on_session_termination_answer(host: Host, msg: SessionTerminationAnswer, rx: Rx) -> Effects:
    """Whatever it says: nothing of the call is left."""
    assert rx.request is not None
    host.calls.forget(rx.request.context)
    rx.subject = rx.request.context.subject
    return ()


def on_no_session_termination_answer(host: Host, event: Unanswered, rx: Rx) -> Effects:
    """Likewise."""
    host.calls.forget(event.request.context)
    rx.subject = event.request.context.subject
    return ()
