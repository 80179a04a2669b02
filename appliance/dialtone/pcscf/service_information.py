# SPDX-License-Identifier: Apache-2.0
"""From SDP to what policy is told of a call (TS 29.213, 6.2), and when it is told (RFC 3264; TS 24.229, 5.2).

A `Leg` follows the offers and answers between one phone and whoever is at the other end. Media that wait for resources
(RFC 3312) get their bearers with the answer, others when the call is accepted.
"""

from dataclasses import dataclass
from ipaddress import ip_address

from dialtone.codec.diameter import (
    FlowStatus,
    FlowUsage,
    MediaComponentDescription,
    MediaSubComponent,
    MediaType,
)
from dialtone.codec.sdp import Media, Session

TYPES = {"audio": MediaType.AUDIO, "video": MediaType.VIDEO, "text": MediaType.TEXT, "message": MediaType.MESSAGE,
         "application": MediaType.APPLICATION, "data": MediaType.DATA, "control": MediaType.CONTROL}
SENDS, RECEIVES = ("sendrecv", "sendonly"), ("sendrecv", "recvonly")
UDP, TCP = 17, 6
NOWHERE = ("0.0.0.0", "::")
"""The address of a hold of long ago (RFC 3264, 8.4)."""


@dataclass(slots=True)
class Leg:
    """`address` is the phone's own. `offer` is what nobody has answered yet, with whether the phone made it."""

    address: str
    offer: tuple[Session, bool] | None = None
    agreed: tuple[Session, Session, bool] | None = None  # the phone's, the other end's, whether the phone offered
    asked: bool = False  # policy knows of it

    def heard(self, sdp: Session, from_phone: bool, *, accepted: bool) -> tuple[MediaComponentDescription, ...]:
        """A description passed; `accepted` as soon as the call is. What to tell policy now, nothing for nothing new."""
        if self.offer is None or self.offer[1] == from_phone:
            if self.agreed is not None and not self.asked and sdp == self.agreed[0 if from_phone else 1]:
                return self.accepted() if accepted else ()  # the answer of a provisional response once more
            if self.agreed is None or sdp != self.agreed[0 if from_phone else 1]:
                self.offer = sdp, from_phone
            return ()
        offer, by_phone = self.offer
        self.offer = None
        self.agreed = (offer, sdp, True) if by_phone else (sdp, offer, False)
        if accepted or self.asked or waits_for_resources(offer) or waits_for_resources(sdp):
            return self._tell()
        return ()

    def accepted(self) -> tuple[MediaComponentDescription, ...]:
        """The call was accepted: what policy has not been told yet."""
        return () if self.asked else self._tell()

    def rejected(self) -> None:
        """An offer came to nothing: all stays as it was agreed (RFC 3264, 8)."""
        self.offer = None

    def _tell(self) -> tuple[MediaComponentDescription, ...]:
        if self.agreed is None:
            return ()
        self.asked = True
        return components(*self.agreed[:2], address=self.address, offered=self.agreed[2])


def waits_for_resources(sdp: Session) -> bool:
    """Whether some media have quality of service as a precondition (RFC 3312)."""
    return any(media.preconditions("des") for media in sdp.media)


def components(own: Session, far: Session, *, address: str, offered: bool) -> tuple[MediaComponentDescription, ...]:
    """The media lines that the phone (`own`) and the other end (`far`) have agreed upon, numbered in their order."""
    return tuple(_component(number, own, mine, far, theirs, address, offered)
                 for number, (mine, theirs) in enumerate(zip(own.media, far.media, strict=False), 1))


def _component(number: int, own: Session, mine: Media, far: Session, theirs: Media, address: str,
               offered: bool) -> MediaComponentDescription:
    if not mine.port or not theirs.port:
        return MediaComponentDescription(media_component_number=number, flow_status=FlowStatus.REMOVED)
    there = far.address_of(theirs) or ""
    return MediaComponentDescription(
        media_component_number=number,
        media_type=TYPES.get(mine.kind, MediaType.APPLICATION),
        flow_status=_status(own.direction_of(mine), far.direction_of(theirs), there, own.address_of(mine) or ""),
        # What a side says of bandwidth is of what it wants to receive (RFC 4566, 5.8).
        max_requested_bandwidth_dl=_bandwidth(own, mine), max_requested_bandwidth_ul=_bandwidth(far, theirs),
        rs_bandwidth=_most(mine, theirs, "RS"), rr_bandwidth=_most(mine, theirs, "RR"),
        codec_data=(_codec_data("uplink", offered, mine), _codec_data("downlink", not offered, theirs)),
        media_sub_component=_flows(mine, address, theirs, there))


def _status(mine: str, theirs: str, there: str, here: str) -> FlowStatus:
    """What passes: what one side sends and the other takes (TS 29.213, table 6.2.1)."""
    up = mine in SENDS and theirs in RECEIVES and there not in NOWHERE
    down = theirs in SENDS and mine in RECEIVES and here not in NOWHERE
    if up and down:
        return FlowStatus.ENABLED
    return FlowStatus.ENABLED_UPLINK if up else FlowStatus.ENABLED_DOWNLINK if down else FlowStatus.DISABLED


def _bandwidth(session: Session, media: Media) -> int | None:
    """bit/s of b=AS, or of b=TIAS, which counts no headers and is used where nothing else is said (RFC 3890)."""
    if (kbit := media.bandwidth("AS")) is not None:
        return kbit * 1000
    if (bit := media.bandwidth("TIAS")) is not None:
        return bit
    kbit = session.bandwidth("AS") if len(session.media) == 1 else None
    return None if kbit is None else kbit * 1000


def _most(mine: Media, theirs: Media, modifier: str) -> int | None:
    return max((rate for rate in (mine.bandwidth(modifier), theirs.bandwidth(modifier)) if rate is not None),
               default=None)


def _codec_data(way: str, offer: bool, media: Media) -> bytes:
    """TS 29.214, 5.3.7."""
    lines = [way, "offer" if offer else "answer", media.line(),
             *(line for line in media.lines if line[0] in "ab")]
    return ("\n".join(lines) + "\n").encode("utf-8", "surrogateescape")


def _flows(mine: Media, address: str, theirs: Media, there: str) -> tuple[MediaSubComponent, ...]:
    """One sub-component for the media and one for RTCP; none while the other end has no address, so that those of
    before stay."""
    try:
        remote = str(ip_address(there))
    except ValueError:
        return ()
    if remote in NOWHERE:
        return ()
    protocol = TCP if "TCP" in mine.proto.upper() else UDP
    ends = [(mine.port, theirs.port, FlowUsage.NO_INFORMATION)]
    if "RTP/" in mine.proto.upper() and not (_muxed(mine) and _muxed(theirs)):
        ends.append((mine.rtcp_port, theirs.rtcp_port, FlowUsage.RTCP))
    return tuple(MediaSubComponent(flow_number=number, flow_usage=usage, flow_description=(
        f"permit out {protocol} from {remote} {far_port} to {address} {port}",
        f"permit in {protocol} from {address} {port} to {remote} {far_port}"))
        for number, (port, far_port, usage) in enumerate(ends, 1))


def _muxed(media: Media) -> bool:
    return media.attribute("rtcp-mux") is not None
