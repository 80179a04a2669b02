# SPDX-License-Identifier: Apache-2.0
"""Media between two phones pass while their call lives, and only then (TS 23.203, 4.3.3.1)."""

from collections.abc import Callable
from dataclasses import replace
from ipaddress import IPv6Address

import pytest
from network import ONE_TRY, Network, imsi_of
from rx_peer import Af, audio

from dialtone.codec import gtpu
from dialtone.codec.diameter import FlowStatus
from dialtone.datapath.path import Out

ENB = ("10.0.1.134", 2152)
FIRST, SECOND = bytes((10, 45, 0, 2)), bytes((10, 45, 0, 3))
A, B = 49120, 50000
"""Their RTP ports; RTCP has the next one."""


@pytest.fixture
def two(make_network: Callable[..., Network]) -> Network:
    net = make_network(2)
    for number in (1, 2):
        net.attach(imsi_of(number))
    assert set(net.core.pgw.by_address) >= {FIRST, SECOND}
    return net


def udp(source: bytes, port: int, destination: bytes, far_port: int, protocol: int = 17) -> bytes:
    return (b"\x45\0\0\x20\0\0\0\0\x40" + bytes((protocol, 0, 0)) + source + destination
            + port.to_bytes(2) + far_port.to_bytes(2) + b"\0\x0c\0\0" + b"RTP!")


def passes(net: Network, packet: bytes) -> bool:
    """Whether a packet of one phone reaches the other, on the way that it takes: gateway, kernel, gateway."""
    bearer = next(bearer for bearer in net.forwarder.bearers.values()
                  if bearer.ue == packet[12:16] and bearer is bearer.session.bearers[0])
    out = net.forwarder.uplink(gtpu.gpdu(bearer.teid, packet), ENB, net.now)
    if out is None:
        return False
    assert out == packet
    sent: Out | None = net.forwarder.downlink(packet, net.now)
    assert sent is not None
    assert sent[0].endswith(packet)
    return True


def establish(af: Af, first: FlowStatus = FlowStatus.ENABLED, second: FlowStatus = FlowStatus.ENABLED) -> None:
    af.aar(audio("10.45.0.2", A, "10.45.0.3", B, flow_status=first), session_id="first")
    af.aar(audio("10.45.0.3", B, "10.45.0.2", A, flow_status=second), session_id="second", framed_ip_address=SECOND)


def test_rtp_passes_during_a_call_and_not_before_or_after(two: Network) -> None:
    af = Af(two)
    there, back = udp(FIRST, A, SECOND, B), udp(SECOND, B, FIRST, A)
    rtcp = udp(FIRST, A + 1, SECOND, B + 1)
    assert [passes(two, packet) for packet in (there, back, rtcp)] == [False] * 3
    assert two.forwarder.drops["to another phone without a call"] == 3
    establish(af)
    assert [passes(two, packet) for packet in (there, back, rtcp)] == [True] * 3
    for other in (udp(FIRST, A, SECOND, B + 2), udp(FIRST, A + 7, SECOND, B), udp(SECOND, A, FIRST, B),
                  udp(FIRST, A, SECOND, B, protocol=6)):
        assert not passes(two, other)
    af.end("first")
    assert [passes(two, packet) for packet in (there, back, rtcp)] == [False] * 3
    af.end("second")
    assert not passes(two, there)


def test_both_ends_must_have_the_call(two: Network) -> None:
    """A phone whose description names another's address opens nothing there."""
    af = Af(two)
    af.aar(audio("10.45.0.2", A, "10.45.0.3", B), session_id="first")
    assert not passes(two, udp(FIRST, A, SECOND, B))
    assert not passes(two, udp(SECOND, B, FIRST, A))
    af.end("first")


def test_the_voice_takes_its_bearer(two: Network) -> None:
    af = Af(two)
    establish(af)
    sent = two.forwarder.downlink(udp(FIRST, A, SECOND, B), two.now)
    assert sent is not None
    voice = next(bearer for bearer in two.forwarder.bearers.values() if bearer.imsi == imsi_of(2) and bearer.qci == 1)
    assert sent[0][4:8] == voice.remote_teid.to_bytes(4)
    af.end("first")
    af.end("second")


@pytest.mark.parametrize(("status", "there", "back"), [
    (FlowStatus.DISABLED, False, False),
    (FlowStatus.ENABLED_UPLINK, True, False),
    (FlowStatus.ENABLED_DOWNLINK, False, True),
    (FlowStatus.ENABLED, True, True),
])
def test_hold(two: Network, status: FlowStatus, there: bool, back: bool) -> None:
    """The bearer stays, and RTCP goes on; of the media passes what the holding side allows."""
    af = Af(two)
    establish(af, first=status)
    assert passes(two, udp(FIRST, A, SECOND, B)) == there
    assert passes(two, udp(SECOND, B, FIRST, A)) == back
    assert passes(two, udp(FIRST, A + 1, SECOND, B + 1))
    assert len(two.phones[imsi_of(1)].dedicated) == 1
    establish(af)  # and taken up again
    assert passes(two, udp(FIRST, A, SECOND, B))
    assert two.sent("Update Bearer Request", "pgw") == []
    af.end("first")
    af.end("second")


def test_a_phone_that_goes_takes_its_flows_with_it(two: Network) -> None:
    af = Af(two)
    establish(af)
    two.detach(imsi_of(2))
    assert two.forwarder.downlink(udp(FIRST, A, SECOND, B), two.now) is None
    two.attach(imsi_of(2))
    (session,) = two.core.pgw.sessions_of(imsi_of(2))
    assert session.media == ()
    assert session.paa.ipv4
    assert not passes(two, udp(FIRST, A, session.paa.ipv4, B))
    af.end("second")
    af.end("first")


def test_other_destinations_are_as_before(two: Network) -> None:
    for destination in (bytes((10, 45, 0, 1)), bytes((192, 0, 2, 1))):
        packet = udp(FIRST, A, destination, 53)
        bearer = next(bearer for bearer in two.forwarder.bearers.values() if bearer.ue == FIRST)
        assert two.forwarder.uplink(gtpu.gpdu(bearer.teid, packet), ENB, two.now) == packet


def test_media_between_ipv6_phones(make_network: Callable[..., Network]) -> None:
    net = make_network(2, handset=replace(ONE_TRY, pdn_type=2))
    af, addresses = Af(net), []
    for number in (1, 2):
        net.attach(imsi_of(number))
        (session,) = net.core.pgw.sessions_of(imsi_of(number))
        assert session.paa.ipv6
        addresses.append(session.paa.ipv6[:8] + number.to_bytes(8))
    first, second = addresses
    for number, own, port, far, far_port in ((1, first, A, second, B), (2, second, B, first, A)):
        answer = af.aar(audio(str(IPv6Address(own)), port, str(IPv6Address(far)), far_port), session_id=str(number),
                        framed_ip_address=None, framed_ipv6_prefix=b"\0\x40" + own[:8])
        assert answer.result_code == 2001
    assert all(len(phone.dedicated) == 1 for phone in net.phones.values())
    for there, expected in ((B, True), (B + 7, False)):
        packet = (b"\x60\0\0\0\0\x0c\x11\x40" + first + second + A.to_bytes(2) + there.to_bytes(2) + b"\0\x0c\0\0RTP!")
        bearer = next(one for one in net.forwarder.bearers.values() if one.imsi == imsi_of(1))
        out = net.forwarder.uplink(gtpu.gpdu(bearer.teid, packet), ENB, net.now)
        assert (out == packet) is expected
    af.end("1")
    af.end("2")
