# SPDX-License-Identifier: Apache-2.0
"""RTP and RTCP: what a receiver measures, wrap-arounds, reports, and octets that are neither."""

import pytest

from dialtone.codec.rtp import Packet, Receiver, RtpError, Sender, decode_rtcp, make_rtcp


def stream(count: int, sequence: int = 65_530) -> list[bytes]:
    """Packets of 20 ms; the numbers wrap around soon."""
    sender = Sender(0x1234, 116, 16_000, sequence, 0xFFFFFF00)
    return [sender.packet(bytes((number,)), 0.02, marker=number == 0) for number in range(count)]


def hear(packets: list[bytes], times: list[float] | None = None) -> Receiver:
    receiver = Receiver(16_000)
    for number, packet in enumerate(packets):
        receiver.take(packet, times[number] if times else number * 0.02)
    return receiver


def test_header() -> None:
    first, second = (Packet.decode(data) for data in stream(2))
    assert first == Packet(116, 65_530, 0xFFFFFF00, 0x1234, b"\0", True)
    assert (second.sequence, second.timestamp, second.marker) == (65_531, 0x40, False)


def test_all_came() -> None:
    receiver = hear(stream(100))
    assert (receiver.expected, receiver.received, receiver.lost, receiver.disordered) == (100, 100, 0, 0)
    assert receiver.jitter == pytest.approx(0, abs=1e-9)


def test_lost_late_twice() -> None:
    packets = stream(20)
    heard = [*packets[:5], packets[7], packets[6], packets[7], *packets[9:]]  # 5 and 8 lost
    receiver = hear(heard)
    assert (receiver.expected, receiver.lost, receiver.disordered, receiver.duplicates) == (20, 2, 1, 1)


def test_jitter() -> None:
    """Every second packet 8 ms late: the estimate goes to 8 ms (RFC 3550, A.8)."""
    times = [number * 0.02 + 0.008 * (number % 2) for number in range(200)]
    assert hear(stream(200), times).jitter == pytest.approx(0.008, rel=0.01)


def test_sender_that_begins_again() -> None:
    receiver = hear([*stream(10, 100), *stream(10, 30_000)])
    assert (receiver.expected, receiver.received) == (10, 10)
    other = Sender(0x9999, 116, 16_000).packet(b"x", 0.02)
    receiver.take(other, 1.0)
    assert (receiver.ssrc, receiver.received) == (0x9999, 1)


def test_extension_csrc_and_padding() -> None:
    base = Packet(8, 1, 2, 3, b"").encode()
    data = bytes((0xB1,)) + base[1:] + b"csrc" + b"\xbe\xde\0\1extn" + b"payload" + b"\0\2"
    assert Packet.decode(data).payload == b"payload"


@pytest.mark.parametrize("data", [b"", bytes(12), Packet(8, 1, 2, 3, b"").encode()[:-1], b"\x8f" + bytes(11),
                                  b"\x90" + bytes(11), b"\xa0" + bytes(11), b"\xa0" + bytes(10) + b"\x0e"])
def test_no_rtp(data: bytes) -> None:
    with pytest.raises(RtpError):
        Packet.decode(data)


def test_reports_meet() -> None:
    """A's report comes to B, whose own then lets A compute the round trip (RFC 3550, 6.4.1)."""
    a, b = Sender(1, 116, 16_000), Sender(2, 116, 16_000)
    at_b = Receiver(16_000)
    for number in range(10):
        data = a.packet(b"speech", 0.02)
        if number != 4:
            at_b.take(data, 100 + number * 0.02)
    heard = decode_rtcp(make_rtcp(a, Receiver(16_000), 100.2, "a@example.org"))
    assert heard.sender is not None
    assert (heard.sender.packets, heard.sender.octets, heard.cname, heard.reports) == (10, 60, "a@example.org", [])
    at_b.heard(heard, 100.3)
    back = decode_rtcp(make_rtcp(b, at_b, 100.8, "b@example.org", bye=True))
    (report,) = back.reports
    assert back.sender is None  # it sent nothing: a receiver report
    assert back.bye
    assert (report.ssrc, report.lost, report.fraction, report.highest) == (1, 1, 25, 9)
    assert report.last == heard.sender.ntp_middle
    assert report.delay == pytest.approx(0.5 * 65536, abs=1)
    again = decode_rtcp(make_rtcp(b, at_b, 101.0, "b"))
    assert again.reports[0].fraction == 0  # nothing was expected since


@pytest.mark.parametrize("data", [b"", b"\x80", b"\x80\xc9\0\1", b"\x80\xca\0\1\0\0\0\1", b"\x81\xc9\0\1\0\0\0\1",
                                  b"\x80\xc8\0\1\0\0\0\1", b"\x40\xc9\0\1\0\0\0\1"])
def test_no_rtcp(data: bytes) -> None:
    with pytest.raises(RtpError):
        decode_rtcp(data)
