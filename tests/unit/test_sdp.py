# SPDX-License-Identifier: Apache-2.0
"""SDP: what a handset offers is read, what is not touched comes out as it came, and any octets are a ProtocolError."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialtone.codec import sdp
from dialtone.codec.sdp import Precondition, RtpMap, SdpError

OFFER = """v=0
o=- 3 1 IN IP4 10.46.0.2
s=-
c=IN IP4 10.46.0.2
b=AS:41
t=0 0
m=audio 1234/2 RTP/AVP 116 118 97
b=AS:41
b=RS:600
a=rtpmap:116 AMR-WB/16000/1
a=fmtp:116 mode-change-capability=2;max-red=220
a=rtpmap:118 AMR/8000
a=curr:qos local none
a=des:qos mandatory local sendrecv
a=sendonly
a=rtcp:1300
m=video 0 RTP/AVP 99
c=IN IP6 2001:db8::2
x=left as it is
""".replace("\n", "\r\n").encode()


def test_a_description_keeps_its_lines_and_tells_what_is_asked() -> None:
    session = sdp.decode(OFFER)
    assert sdp.encode(session) == OFFER
    audio, video = session.media
    assert (audio.kind, audio.port, audio.proto, audio.formats) == ("audio", 1234, "RTP/AVP", ["116", "118", "97"])
    assert audio.rtpmaps == {"116": RtpMap("AMR-WB", 16000), "118": RtpMap("AMR", 8000)}
    assert audio.fmtp("116") == {"mode-change-capability": "2", "max-red": "220"}
    assert (audio.bandwidth("AS"), audio.bandwidth("RS"), audio.bandwidth("RR")) == (41, 600, None)
    assert audio.preconditions("curr") == [Precondition("curr", "", "local", "none")]
    assert audio.preconditions("des") == [Precondition("des", "mandatory", "local", "sendrecv")]
    assert (session.direction_of(audio), session.direction_of(video)) == ("sendonly", "sendrecv")
    assert (session.address_of(audio), session.address_of(video)) == ("10.46.0.2", "2001:db8::2")
    assert (audio.rtcp_port, video.rtcp_port) == (1300, 1)


def test_changes_touch_their_line_alone() -> None:
    session = sdp.decode(OFFER)
    audio = session.media[0]
    audio.remove("sendonly", "curr")
    audio.add("a=inactive")
    audio.port = 4000
    session.replace("c", "IN IP4 10.46.0.9")
    expected = OFFER.replace(b"a=sendonly\r\n", b"").replace(b"a=curr:qos local none\r\n", b"")
    expected = expected.replace(b"a=rtcp:1300\r\n", b"a=rtcp:1300\r\na=inactive\r\n").replace(b"1234/2", b"4000/2")
    assert sdp.encode(session) == expected.replace(b"c=IN IP4 10.46.0.2", b"c=IN IP4 10.46.0.9")
    assert session.direction_of(audio) == "inactive"


@pytest.mark.parametrize("data", [b"", b"v=1\r\no=- 1 1 IN IP4 1.2.3.4\r\n", b"v=0\r\ns=-\r\n", b"v=0\r\nnonsense\r\n",
                                  b"v=0\r\no=x\r\nm=audio x RTP/AVP 0\r\n", b"v=0\r\no=x\r\nm=audio 70000 RTP/AVP 0",
                                  b"v=0\r\no=x\r\n" + b"m=audio 1 RTP/AVP 0\r\n" * 33, b"v=0\no=x\n" * 10_000])
def test_what_is_no_description(data: bytes) -> None:
    with pytest.raises(SdpError):
        sdp.decode(data)


@given(st.binary(max_size=200), st.integers(0, len(OFFER)), st.integers(0, 40))
def test_no_octets_raise_anything_else(junk: bytes, at: int, gone: int) -> None:
    for data in (junk, OFFER[:at] + junk + OFFER[at + gone:]):
        try:
            session = sdp.decode(data)
        except SdpError:
            continue
        for media in session.media:
            _ = media.rtpmaps, media.preconditions("curr"), media.rtcp_port, media.bandwidth("AS"), media.fmtp("116")
            _ = session.address_of(media), session.direction_of(media)
        assert sdp.decode(sdp.encode(session)) == session
