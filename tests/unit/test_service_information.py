# SPDX-License-Identifier: Apache-2.0
"""What policy is told of a call's SDP (TS 29.213, 6.2), with descriptions as handsets send them."""

from typing import Any

import pytest

from dialtone.codec import sdp
from dialtone.codec.diameter import FlowStatus, FlowUsage, MediaComponentDescription, MediaType
from dialtone.codec.sdp import Session
from dialtone.pcscf.service_information import Leg, components

A, B = "10.46.0.2", "10.46.0.3"


def description(address: str, port: int, *lines: str, video: int | None = None, proto: str = "RTP/AVP",
                qos: bool = True, head: tuple[str, ...] = ("b=AS:41",)) -> Session:
    """A handset's."""
    text = ["v=0", f"o=- 1 1 IN IP4 {address}", "s=-", f"c=IN IP4 {address}", *head, "t=0 0",
            f"m=audio {port} {proto} 116 118", "b=AS:41", "b=RS:512", "b=RR:1537", "a=rtpmap:116 AMR-WB/16000/1",
            "a=rtpmap:118 AMR/8000/1", "a=ptime:20", "a=maxptime:240", *lines]
    if qos:
        text += ["a=curr:qos local none", "a=curr:qos remote none", "a=des:qos mandatory local sendrecv",
                 "a=des:qos optional remote sendrecv"]
    if video is not None:
        text += [f"m=video {video} RTP/AVP 113", "b=AS:512", "a=rtpmap:113 H264/90000"]
    return sdp.decode("\r\n".join([*text, ""]).encode())


def one(own: Session, far: Session) -> MediaComponentDescription:
    (found,) = components(own, far, address=A, offered=True)
    return found


def test_a_voice_call() -> None:
    found = one(description(A, 49120), description(B, 50000, "b=AS:90"))
    assert (found.media_component_number, found.media_type, found.flow_status) == (
        1, MediaType.AUDIO, FlowStatus.ENABLED)
    assert (found.rs_bandwidth, found.rr_bandwidth) == (512, 1537)
    assert [(sub.flow_number, sub.flow_usage, sub.flow_description) for sub in found.media_sub_component] == [
        (1, FlowUsage.NO_INFORMATION, (f"permit out 17 from {B} 50000 to {A} 49120",
                                       f"permit in 17 from {A} 49120 to {B} 50000")),
        (2, FlowUsage.RTCP, (f"permit out 17 from {B} 50001 to {A} 49121",
                             f"permit in 17 from {A} 49121 to {B} 50001"))]
    assert found.codec_data[0].startswith(b"uplink\noffer\nm=audio 49120 RTP/AVP 116 118\nb=AS:41\n")
    assert found.codec_data[1].startswith(b"downlink\nanswer\nm=audio 50000 ")


def test_a_side_says_what_it_wants_to_receive() -> None:
    own = description(A, 49120)
    far = sdp.decode(sdp.encode(description(B, 50000)).replace(b"b=AS:41\r\nb=RS", b"b=AS:90\r\nb=RS"))
    found = one(own, far)
    assert (found.max_requested_bandwidth_dl, found.max_requested_bandwidth_ul) == (41_000, 90_000)


def test_bandwidth_of_the_whole_session_where_media_say_none() -> None:
    bare = sdp.decode(b"v=0\r\no=- 1 1 IN IP4 10.46.0.2\r\nb=AS:64\r\nc=IN IP4 10.46.0.2\r\nm=audio 4000 RTP/AVP 8\r\n")
    assert one(bare, bare).max_requested_bandwidth_dl == 64_000
    tias = sdp.decode(sdp.encode(bare) + b"b=TIAS:12200\r\n")
    assert one(tias, tias).max_requested_bandwidth_dl == 12_200
    silent = sdp.decode(sdp.encode(bare).replace(b"b=AS:64\r\n", b""))
    assert one(silent, silent).max_requested_bandwidth_dl is None


@pytest.mark.parametrize(("mine", "theirs", "status"), [
    ("sendrecv", "sendrecv", FlowStatus.ENABLED), ("sendonly", "recvonly", FlowStatus.ENABLED_UPLINK),
    ("recvonly", "sendonly", FlowStatus.ENABLED_DOWNLINK), ("inactive", "inactive", FlowStatus.DISABLED),
    ("sendrecv", "sendonly", FlowStatus.ENABLED_DOWNLINK), ("sendonly", "sendonly", FlowStatus.DISABLED),
])
def test_directions(mine: str, theirs: str, status: FlowStatus) -> None:
    assert one(description(A, 49120, f"a={mine}"), description(B, 50000, f"a={theirs}")).flow_status == status


def test_hold_as_it_was_long_ago() -> None:
    found = one(description(A, 49120), description("0.0.0.0", 50000))
    assert found.flow_status == FlowStatus.ENABLED_DOWNLINK
    assert found.media_sub_component == ()  # those of before stay


def test_rtcp_somewhere_else_and_nowhere() -> None:
    found = one(description(A, 49120, "a=rtcp:6000"), description(B, 50000, f"a=rtcp:7000 IN IP4 {B}"))
    assert found.media_sub_component[1].flow_description[0] == f"permit out 17 from {B} 7000 to {A} 6000"
    muxed = one(description(A, 49120, "a=rtcp-mux"), description(B, 50000, "a=rtcp-mux"))
    assert len(muxed.media_sub_component) == 1
    assert len(one(description(A, 49120, "a=rtcp-mux"), description(B, 50000)).media_sub_component) == 2


def test_media_that_are_refused() -> None:
    audio, video = components(description(A, 49120, video=49130), description(B, 50000, video=0), address=A,
                              offered=False)
    assert audio.flow_status == FlowStatus.ENABLED
    assert (video.media_component_number, video.flow_status) == (2, FlowStatus.REMOVED)


def test_the_phones_own_address_is_the_one_that_the_network_gave_it() -> None:
    found = one(description("10.46.0.99", 49120), description(B, 50000))
    assert all(A in text and "10.46.0.99" not in text for sub in found.media_sub_component
               for text in sub.flow_description)


def test_a_name_in_place_of_an_address() -> None:
    assert one(description(A, 49120), description("media.example.org", 50000)).media_sub_component == ()


# ---- when policy is told ---------------------------------------------------------------------------------


OFFER, ANSWER = description(A, 49120), description(B, 50000)
PLAIN_OFFER, PLAIN_ANSWER = description(A, 49120, qos=False), description(B, 50000, qos=False)


def told(leg: Leg, *steps: Any) -> list[int]:
    """How many components each step tells."""
    return [len(leg.accepted() if step is None else leg.heard(*step[:2], accepted=step[2])) for step in steps]


def test_with_preconditions_at_the_answer() -> None:
    leg = Leg(A)
    assert told(leg, (OFFER, True, False), (ANSWER, False, False)) == [0, 1]  # INVITE, 183
    # UPDATE with what is reserved, its answer; then 200 OK of the INVITE without a description
    reserved, both = description(A, 49120, "a=x"), description(B, 50000, "a=y")
    assert told(leg, (reserved, True, False), (both, False, False), None) == [0, 1, 0]


def test_without_preconditions_when_it_is_accepted() -> None:
    leg = Leg(A)
    assert told(leg, (PLAIN_OFFER, True, False), (PLAIN_ANSWER, False, False), None) == [0, 0, 1]
    leg = Leg(A)
    assert told(leg, (PLAIN_OFFER, True, False), (PLAIN_ANSWER, False, True)) == [0, 1]


def test_an_answer_that_is_said_twice() -> None:
    leg = Leg(A)
    steps = (PLAIN_OFFER, True, False), (PLAIN_ANSWER, False, False), (PLAIN_ANSWER, False, True), None
    assert told(leg, *steps) == [0, 0, 1, 0]


def test_a_call_to_the_phone() -> None:
    leg = Leg(B)
    assert told(leg, (OFFER, False, False), (ANSWER, True, False)) == [0, 1]
    assert leg.agreed == (ANSWER, OFFER, False)


def test_an_offer_in_the_acceptance() -> None:
    """INVITE without a description, 200 with the offer, ACK with the answer."""
    leg = Leg(A)
    assert told(leg, (PLAIN_ANSWER, False, True), (PLAIN_OFFER, True, True)) == [0, 1]


def test_a_change_that_is_refused() -> None:
    leg = Leg(A)
    told(leg, (PLAIN_OFFER, True, False), (PLAIN_ANSWER, False, True))
    assert told(leg, (description(A, 49120, "a=sendonly", qos=False), True, True)) == [0]
    leg.rejected()
    hold = description(B, 50000, "a=sendonly", qos=False)
    assert told(leg, (hold, False, True), (description(A, 49120, "a=recvonly", qos=False), True, True)) == [0, 1]
