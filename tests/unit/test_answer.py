# SPDX-License-Identifier: Apache-2.0
"""What the answer services say, in which codec, and to whom."""

from dataclasses import replace
from itertools import pairwise

import pytest

from dialtone.answer.offer import Agreed, answer, choose, waits
from dialtone.answer.service import Caller, Script, script
from dialtone.answer.stream import Stream
from dialtone.answer.voice import MODE, frames, length, spelled
from dialtone.codec import sdp
from dialtone.codec.amr import Format, Frame, Payload
from dialtone.codec.rtp import Packet, Sender, decode_rtcp
from dialtone.codec.sip import SipError

HANDSET = b"""v=0
o=- 1 1 IN IP4 10.46.0.2
s=-
c=IN IP4 10.46.0.2
b=AS:41
t=0 0
m=audio 50010 RTP/AVP 127 116 107 118 96 111
b=AS:41
a=rtpmap:127 EVS/16000/1
a=fmtp:127 br=5.9-13.2;bw=nb-wb
a=rtpmap:116 AMR-WB/16000/1
a=fmtp:116 mode-change-capability=2;max-red=220
a=rtpmap:107 AMR-WB/16000/1
a=fmtp:107 octet-align=1;mode-change-capability=2
a=rtpmap:118 AMR/8000/1
a=fmtp:118 mode-change-capability=2
a=rtpmap:96 telephone-event/16000
a=rtpmap:111 telephone-event/8000
a=ptime:20
a=maxptime:240
a=curr:qos local none
a=curr:qos remote none
a=des:qos mandatory local sendrecv
a=des:qos optional remote sendrecv
a=sendrecv
""".replace(b"\n", b"\r\n")
CALLER = Caller("+15550102", "3GPP-E-UTRAN-FDD;utran-cell-id-3gpp=0010100010019B01")


def phones(address: str) -> bool:
    return address.startswith("10.46.")


def offered(*lines: bytes, without: bytes = b"\0") -> sdp.Session:
    kept = [line for line in HANDSET.splitlines(keepends=True) if not line.startswith(without)]
    return sdp.decode(b"".join(kept) + b"".join(line + b"\r\n" for line in lines))


def agreed(codec: str = "AMR-WB", aligned: bool = False) -> Agreed:
    return Agreed(0, 116, Format(codec, aligned), "10.46.0.2", 50010, 50011, "sendrecv")


def test_wide_band_is_spoken_where_it_is_offered_and_evs_never() -> None:
    found = choose(offered(), phones)
    assert (found.payload_type, found.format, found.address, found.port, found.rtcp_port) == (
        116, Format("AMR-WB"), "10.46.0.2", 50010, 50011)
    ours = answer(offered(), found, "10.46.0.1", 49000, 7)
    text = sdp.encode(ours).decode()
    assert "m=audio 49000 RTP/AVP 116\r\n" in text
    assert "EVS" not in text
    assert "mode-set" not in text
    assert sdp.decode(sdp.encode(ours)).address == "10.46.0.1"


@pytest.mark.parametrize(("without", "more", "found"), [
    (b"a=rtpmap:116", (), (107, Format("AMR-WB", aligned=True))),
    (b"a=rtpmap:1", (b"a=rtpmap:118 AMR/8000/1",), (118, Format("AMR"))),
])
def test_the_next_best(without: bytes, more: tuple[bytes, ...], found: tuple[int, Format]) -> None:
    chosen = choose(offered(*more, without=without), phones)
    assert (chosen.payload_type, chosen.format) == found


@pytest.mark.parametrize("fmtp", [b"mode-set=0,1", b"octet-align=1;crc=1", b"interleaving=20", b"robust-sorting=1"])
def test_a_format_that_the_words_are_not_in_is_passed_over(fmtp: bytes) -> None:
    offer = offered(b"a=fmtp:116 " + fmtp, without=b"a=fmtp:116")
    assert choose(offer, phones).payload_type == 107


def test_an_offered_mode_set_is_kept() -> None:
    offer = offered(b"a=fmtp:116 mode-set=0,1,2", without=b"a=fmtp:116")
    found = choose(offer, phones)
    assert (found.payload_type, found.parameters) == (116, (("mode-set", "0,1,2"),))
    assert "a=fmtp:116 mode-set=0,1,2\r\n" in sdp.encode(answer(offer, found, "10.46.0.1", 49000, 7)).decode()


@pytest.mark.parametrize(("old", "new"), [
    (b"10.46.0.2", b"192.0.2.9"), (b"m=audio 50010", b"m=audio 0"), (b"m=audio", b"m=video"),
    (b"RTP/AVP", b"RTP/SAVP"), (b"AMR", b"PCMU")])
def test_nothing_to_agree_on(old: bytes, new: bytes) -> None:
    """Also where the media would go to somebody who is no phone."""
    with pytest.raises(SipError) as error:
        choose(sdp.decode(HANDSET.replace(old, new)), phones)
    assert error.value.cause == 488


def test_other_media_are_refused_in_their_place() -> None:
    offer = sdp.decode(HANDSET.replace(b"m=audio", b"m=video 6000 RTP/AVP 99\r\nm=audio", 1))
    ours = answer(offer, choose(offer, phones), "10.46.0.1", 49000, 7)
    assert [(media.kind, media.port) for media in ours.media] == [("video", 0), ("audio", 49000)]


@pytest.mark.parametrize(("theirs", "ours"), [("sendonly", "recvonly"), ("inactive", "inactive"),
                                              ("recvonly", "sendonly")])
def test_hold_is_mirrored(theirs: str, ours: str) -> None:
    offer = sdp.decode(HANDSET.replace(b"a=sendrecv", b"a=" + theirs.encode()))
    found = choose(offer, phones)
    assert found.direction == ours
    assert answer(offer, found, "10.46.0.1", 49000, 7).media[0].direction == ours


def test_preconditions() -> None:
    offer = offered()
    found = choose(offer, phones)
    assert waits(offer, found)
    ours = answer(offer, found, "10.46.0.1", 49000, 7).media[0]
    assert {(line.status, line.direction) for line in ours.preconditions("curr")} == {
        ("local", "sendrecv"), ("remote", "none")}
    assert [line.status for line in ours.preconditions("conf")] == ["remote"]
    ready = sdp.decode(HANDSET.replace(b"curr:qos local none", b"curr:qos local sendrecv"))
    assert not waits(ready, choose(ready, phones))
    without = offered(without=b"a=des")
    assert not waits(without, choose(without, phones))
    assert not answer(without, found, "10.46.0.1", 49000, 7).media[0].preconditions("curr")


@pytest.mark.parametrize("codec", MODE)
def test_every_word_of_every_service_is_there(codec: str) -> None:
    words = {word for service in ("echo", "tone", "info", "sos")
             for word in (script(service, agreed(codec), CALLER) or Script(())).words if word[0] != "@"}
    assert len(words) > 20
    for word in (*words, *spelled("0123456789+-.")):
        assert {frame.type for frame in frames(codec, word)} == {MODE[codec]}
    assert 2 < length(codec, ("welcome", "echo")) < 10


def test_what_the_network_knows_is_read_back() -> None:
    said = script("info", agreed(), CALLER)
    assert said is not None
    words = said.words
    at = words.index("your_number")
    assert words[at + 1:at + 10] == ("plus", "1", "5", "5", "5", "0", "1", "0", "2")
    cell = words.index("cell")
    assert words[cell + 1:cell + 6] == tuple(str(0x19B01)[:5])
    assert script("nobody", agreed(), CALLER) is None
    assert "cell" not in script("info", agreed(), Caller()).words  # type: ignore[union-attr]


def played(stream: Stream, seconds: float, start: float = 100.0) -> list[Packet]:
    out = []
    for number in range(round(seconds * 50)):
        rtp, _ = stream.tick(start + number * 0.02)
        if rtp:
            out.append(Packet.decode(rtp))
    return out


def test_a_script_is_said_once_in_good_order() -> None:
    words = ("welcome", "goodbye")
    stream = Stream(agreed(), Script(words), bytes(range(10)))
    packets = played(stream, 10)
    expected = [frame for word in words for frame in frames("AMR-WB", word)]
    assert [Format("AMR-WB").decode(packet.payload).frames[0] for packet in packets] == expected
    assert {packet.payload_type for packet in packets} == {116}
    assert [b.sequence - a.sequence for a, b in pairwise(packets)] == [1] * (len(packets) - 1)
    assert {b.timestamp - a.timestamp for a, b in pairwise(packets)} == {320}
    assert [packet.marker for packet in packets[:2]] == [True, False]
    assert stream.finished


def test_a_tone_never_ends_and_is_silent_on_hold() -> None:
    stream = Stream(agreed("AMR"), Script(("dialtone",), loop=0), bytes(10))
    assert len(played(stream, 30)) == 1500
    assert not stream.finished
    held = Stream(replace(agreed("AMR"), direction="recvonly"), Script(("dialtone",), loop=0), bytes(10))
    assert played(held, 5) == []


def test_what_is_heard_comes_back_once_the_words_are_said() -> None:
    stream = Stream(agreed(), Script(("silence",), echo=True), bytes(10))
    begin = len(frames("AMR-WB", "silence"))
    played(stream, begin * 0.02)
    sender = Sender(7, 116, 16000)
    spoken = frames("AMR-WB", "5")
    back = []
    for number, frame in enumerate(spoken):
        stream.heard(sender.packet(Format("AMR-WB").encode(Payload((frame,))), 0.02), 200 + number * 0.02)
        back += played(stream, 0.02, 200 + number * 0.02)
    assert [Format("AMR-WB").decode(packet.payload).frames[0] for packet in back] == list(spoken)
    assert not stream.finished
    assert (stream.receiver.received, stream.receiver.lost) == (len(spoken), 0)


def test_strange_packets_are_counted_and_the_echo_is_bounded() -> None:
    stream = Stream(agreed(), Script(("silence",), echo=True), bytes(10))
    for data in (b"", b"\x80", bytes(40), b"\x80\x74" + bytes(10) + b"\xff" * 7):
        stream.heard(data, 100.0)
        stream.heard_rtcp(data, 100.0)
    assert stream.damaged >= 6
    sender = Sender(7, 116, 16000)
    frame = Frame(2, bytes(32))
    for number in range(500):
        stream.heard(sender.packet(Format("AMR-WB").encode(Payload((frame,))), 0.02), 100 + number * 0.02)
    assert len(stream._echo) == 50


def test_telephone_events_are_no_speech() -> None:
    stream = Stream(agreed(), Script(("silence",), echo=True), bytes(10))
    stream.heard(Sender(7, 96, 16000).packet(b"\5\x0a\0\xa0", 0.02), 100.0)
    assert (stream.damaged, len(stream._echo)) == (0, 0)


def test_reports_say_what_was_lost() -> None:
    stream = Stream(agreed(), Script(("dialtone",), loop=0), bytes(10))
    sender = Sender(7, 116, 16000)
    frame = Format("AMR-WB").encode(Payload((Frame(2, bytes(32)),)))
    for number in range(100):
        data = sender.packet(frame, 0.02)
        if number % 10:
            stream.heard(data, 100 + number * 0.02)
    _, rtcp = stream.tick(102.0)
    report = decode_rtcp(rtcp)
    assert report.cname == "answer"
    assert report.reports[0].lost == 9  # the first of all was never expected

