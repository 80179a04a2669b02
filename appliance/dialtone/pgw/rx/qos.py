# SPDX-License-Identifier: Apache-2.0
"""From a media component to a bearer: class, rates, filters, and which flows are open (TS 29.213, 6.3; TS 23.203)."""

from collections.abc import Iterable, Mapping

from dialtone.codec.diameter import (
    AARequest,
    FlowStatus,
    FlowUsage,
    MediaComponentDescription,
    MediaSubComponent,
    MediaType,
    RxResult,
)
from dialtone.codec.ipfilter import FilterRule
from dialtone.codec.tft import Direction
from dialtone.config_policy import MOST_FILTERS
from dialtone.errors import ProtocolError
from dialtone.pgw.rule import Rule, Told
from dialtone.qci import GBR

QCI = {MediaType.AUDIO: 1, MediaType.VIDEO: 2}
OTHER_QCI = 7
"""Of media that are neither: interactive, without a guaranteed rate."""
ARP = {1: (2, 0, 1), 2: (3, 1, 0), OTHER_QCI: (6, 1, 0)}
EMERGENCY_ARP = (1, 0, 1)
DEFAULT_RATE = {1: 64_000, 2: 384_000, OTHER_QCI: 128_000}
"""bit/s where the SDP of a call names no bandwidth."""
SEVERAL_DIALOGUES = 1
"""SIP-Forking-Indication (TS 29.214, 5.3.22)."""
NO_UPLINK = FilterRule(out=False, protocol=17, remote=None, remote_ports=(9, 9), local=None, local_ports=None)
"""A template must have a filter for the uplink: one that nothing useful fits (TS 23.060, 15.3.3.4)."""


def merged(known: Mapping[int, MediaComponentDescription], msg: AARequest) -> dict[int, MediaComponentDescription]:
    """The components after a request: those that it does not name stay (TS 29.214, 4.4.2).

    Raises ProtocolError for what is insufficient.
    """
    after = dict(known)
    named = [component.media_component_number for component in msg.media_component_description]
    if len(set(named)) != len(named):
        raise ProtocolError("a media component is described twice", cause=RxResult.INVALID_SERVICE_INFORMATION)
    forked = msg.sip_forking_indication == SEVERAL_DIALOGUES
    for component in msg.media_component_description:
        number = component.media_component_number
        if component.flow_status == FlowStatus.REMOVED:
            after.pop(number, None)
        else:
            after[number] = _merge(after.get(number), component, forked)
    for component in after.values():
        if component.media_type is None and _media(component):
            raise ProtocolError(f"media component {component.media_component_number} has no Media-Type",
                                cause=RxResult.INVALID_SERVICE_INFORMATION)
    return after


def _merge(old: MediaComponentDescription | None, new: MediaComponentDescription,
           forked: bool) -> MediaComponentDescription:
    if old is None:
        return new
    subs = {sub.flow_number: sub for sub in old.media_sub_component}
    for sub in new.media_sub_component:
        before = subs.get(sub.flow_number)
        if before is not None:
            inherit(sub, before)
            if forked:  # the flows of one more dialogue (TS 29.214, 4.4.3)
                sub.flow_description = tuple(dict.fromkeys(before.flow_description + sub.flow_description))
        subs[sub.flow_number] = sub
    inherit(new, old)
    if forked:
        for way in ("max_requested_bandwidth_ul", "max_requested_bandwidth_dl"):
            setattr(new, way, max(getattr(old, way) or 0, getattr(new, way) or 0) or None)
    new.media_sub_component = tuple(sub for sub in subs.values() if sub.flow_status != FlowStatus.REMOVED)
    return new


def inherit(new: MediaSubComponent | MediaComponentDescription,
            old: MediaSubComponent | MediaComponentDescription) -> None:
    """What a description leaves out is as it was."""
    for name in type(new).__dataclass_fields__:
        if name != "unknown" and getattr(new, name) in (None, ()):
            setattr(new, name, getattr(old, name))


def _media(component: MediaComponentDescription) -> list[MediaSubComponent]:
    """Its flows of media; signalling stays on the default bearer."""
    return [sub for sub in component.media_sub_component
            if sub.flow_usage != FlowUsage.AF_SIGNALLING and sub.flow_description]


def _flows(sub: MediaSubComponent) -> tuple[FilterRule, ...]:
    """Raises ProtocolError for what is not allowed there (TS 29.214, 5.3.8)."""
    try:
        return tuple(FilterRule.from_text(text) for text in sub.flow_description)
    except ProtocolError as error:
        raise ProtocolError(error.text, cause=RxResult.FILTER_RESTRICTIONS, clause="TS 29.214, 5.3.8") from None


def rule_of(number: int, component: MediaComponentDescription, emergency: bool, told: Told) -> Rule | None:
    """The bearer that a component of AF session `number` needs, None for one without media.

    Raises ProtocolError.
    """
    media = _media(component)
    flows = [flow for sub in media for flow in _flows(sub)]
    if not flows:
        return None
    if all(flow.out for flow in flows):
        flows.append(NO_UPLINK)
    if len(flows) > MOST_FILTERS:
        raise ProtocolError(f"{len(flows)} flows are more than a bearer can have", cause=RxResult.FILTER_RESTRICTIONS)
    kind = _kind(component)
    qci = QCI.get(kind, OTHER_QCI) if kind is not None else OTHER_QCI
    rates = (_kbit(component.max_requested_bandwidth_dl, (sub.max_requested_bandwidth_dl for sub in media), component,
                   qci),
             _kbit(component.max_requested_bandwidth_ul, (sub.max_requested_bandwidth_ul for sub in media), component,
                   qci))
    name = kind.name.lower() if kind is not None else "media"
    return Rule(
        f"{name}-{number}.{component.media_component_number}", qci, tuple(flows),
        EMERGENCY_ARP if emergency else ARP[qci], rates, rates if qci in GBR else (0, 0),
        tuple(Direction.DOWNLINK if flow.out else Direction.UPLINK for flow in flows), told=told)


def _kind(component: MediaComponentDescription) -> MediaType | None:
    return next((kind for kind in MediaType if kind == component.media_type), None)


def _kbit(asked: int | None, of_flows: Iterable[int | None], component: MediaComponentDescription, qci: int) -> int:
    """One direction's rate: of the media, and of RTCP where it has a flow (TS 29.213, table 6.3.1)."""
    rtp = sum(rate or 0 for rate in of_flows) or asked or DEFAULT_RATE[qci]
    rtcp = 0
    if any(sub.flow_usage == FlowUsage.RTCP for sub in component.media_sub_component):
        rs, rr = component.rs_bandwidth, component.rr_bandwidth
        rtcp = rs + rr if rs is not None and rr is not None else max(rtp // 20, rs or 0, rr or 0)
    return -(-(rtp + rtcp) // 1000)


def open_flows(component: MediaComponentDescription) -> list[FilterRule]:
    """The flows that packets may take now. RTCP goes on while the media are on hold (TS 29.214, 5.3.11)."""
    found = []
    for sub in _media(component):
        status = next((one for one in (sub.flow_status, component.flow_status) if one is not None), FlowStatus.ENABLED)
        rtcp = sub.flow_usage == FlowUsage.RTCP
        down = rtcp or status in (FlowStatus.ENABLED, FlowStatus.ENABLED_DOWNLINK)
        up = rtcp or status in (FlowStatus.ENABLED, FlowStatus.ENABLED_UPLINK)
        found += [flow for flow in _flows(sub) if (down if flow.out else up)]
    return found
