# SPDX-License-Identifier: Apache-2.0
"""Calls between two phones, from their descriptions to bearers and packets: the P-CSCF's part of Rx with our policy."""

from collections.abc import Callable
from typing import Any

import pytest
from network import Network, imsi_of
from test_rx_media import FIRST, SECOND, A, B, passes, udp

from dialtone.codec import diameter, sdp
from dialtone.dispatch import Handlers, Rx
from dialtone.effects import Effects, Event
from dialtone.element import Element
from dialtone.links.memory import Weather
from dialtone.mme.detach import DetachUe
from dialtone.pcscf import media
from dialtone.pcscf.media import Calls, MediaLost
from dialtone.requests import DIAMETER
from dialtone.sim.enb import EnbConfig
from dialtone.sim.erab import BearerLostCommand

ADDRESSES = {"first": "10.45.0.2", "second": "10.45.0.3"}
on = Handlers("call scripts")
media.register(on)


class Do(Event):
    """One step of a script."""

    def __init__(self, step: Callable[[Any], Effects]) -> None:
        self.step = step


@on.event(Do)
def on_do(pcscf: "Pcscf", event: Do, rx: Rx) -> Effects:
    return event.step(pcscf)


@on.event(MediaLost)
def on_media_lost(pcscf: "Pcscf", event: MediaLost, rx: Rx) -> Effects:
    pcscf.ended.append((event.key, event.why))
    for key in list(pcscf.calls.by_key):
        yield from media.end(pcscf, key)


class Pcscf(Element):
    """What the P-CSCF is of a call, without SIP: both sides of one, given up when policy says so."""

    name, on = "pcscf", on

    def __init__(self, net: Network) -> None:
        self.net = net
        self.ended: list[tuple[Any, str]] = []
        self.calls = Calls("pgw", "pcscf.ims.mnc001.mcc001.3gppnetwork.org", "ims.mnc001.mcc001.3gppnetwork.org",
                           "epc.mnc001.mcc001.3gppnetwork.org")
        net.loop.add(self)
        link = net.loop.ports["pgw", "Rx"].link
        net.loop.bind("pcscf", "Rx", diameter, link, inside=True, policy=DIAMETER)

    def do(self, step: Callable[[Any], Effects], seconds: float = 1.0) -> None:
        self.net.command("pcscf", Do(step), seconds)

    def passes(self, body: bytes, *, offer: bool, accepted: bool = False) -> None:
        """A description goes from the first phone to the second one, or back: both sides hear it."""
        def step(host: Any) -> Effects:
            for key, makes_it in (("first", offer), ("second", not offer)):
                yield from media.heard(host, key, body, from_phone=makes_it, accepted=accepted)
        self.do(step)

    def begin(self) -> None:
        for number, (key, address) in enumerate(ADDRESSES.items(), 1):
            self.calls.begin(key, address, subject=imsi_of(number), identity=f"sip:{key}@example.org",
                             charging="icid-1")

    def end(self, *keys: str) -> None:
        for key in keys or tuple(ADDRESSES):
            self.do(lambda host, key=key: media.end(host, key))  # type: ignore[misc]


def description(address: str, port: int, *lines: str, qos: bool = False, video: int | None = None) -> bytes:
    text = ["v=0", f"o=- 1 1 IN IP4 {address}", "s=-", f"c=IN IP4 {address}", "t=0 0", f"m=audio {port} RTP/AVP 116",
            "b=AS:41", *(["a=curr:qos local none", "a=des:qos mandatory local sendrecv"] if qos else []), *lines]
    text += [] if video is None else [f"m=video {video} RTP/AVP 113", "b=AS:256"]
    return "\r\n".join([*text, ""]).encode()


OFFER, ANSWER = description("10.45.0.2", A), description("10.45.0.3", B)


@pytest.fixture
def pcscf(make_network: Callable[..., Network]) -> Pcscf:
    net = make_network(2)
    for number in (1, 2):
        net.attach(imsi_of(number))
    made = Pcscf(net)
    made.begin()
    return made


def bearers(pcscf: Pcscf) -> list[list[int]]:
    """QCIs of the dedicated bearers of both phones."""
    return [sorted(bearer.qos.qci for bearer in phone.dedicated.values()) for phone in pcscf.net.phones.values()]


def rtp(pcscf: Pcscf) -> list[bool]:
    return [passes(pcscf.net, udp(FIRST, A, SECOND, B)), passes(pcscf.net, udp(SECOND, B, FIRST, A))]


def test_a_call_without_preconditions(pcscf: Pcscf) -> None:
    """Bearers come with the acceptance; RTP passes then, and not before or after."""
    pcscf.passes(OFFER, offer=True)
    pcscf.passes(ANSWER, offer=False)
    assert (bearers(pcscf), rtp(pcscf)) == ([[], []], [False, False])
    pcscf.do(lambda host: [*media.accepted(host, "first"), *media.accepted(host, "second")])
    assert (bearers(pcscf), rtp(pcscf)) == ([[1], [1]], [True, True])
    assert "ok: the audio of the call has its bearer" in pcscf.net.verdicts("pcscf")
    asked: Any = diameter.decode(pcscf.net.sent("AA Request", "pcscf")[0].data)
    assert asked.af_charging_identifier == b"icid-1"
    assert asked.subscription_id[0].subscription_id_data == "sip:first@example.org"
    pcscf.end()
    assert (bearers(pcscf), rtp(pcscf)) == ([[], []], [False, False])
    assert pcscf.calls.by_id == {}
    assert pcscf.net.core.pgw.af_sessions == {}


def test_a_call_with_preconditions(pcscf: Pcscf) -> None:
    pcscf.passes(description("10.45.0.2", A, qos=True), offer=True)
    pcscf.passes(description("10.45.0.3", B, qos=True), offer=False)
    assert bearers(pcscf) == [[1], [1]]
    pcscf.end()


def test_video_comes_and_goes(pcscf: Pcscf) -> None:
    pcscf.passes(OFFER, offer=True)
    pcscf.passes(ANSWER, offer=False, accepted=True)
    pcscf.passes(description("10.45.0.2", A, video=A + 20), offer=True, accepted=True)
    pcscf.passes(description("10.45.0.3", B, video=B + 20), offer=False, accepted=True)
    assert bearers(pcscf) == [[1, 2], [1, 2]]
    pcscf.passes(description("10.45.0.3", B, video=0), offer=False, accepted=True)  # the other end offers that
    pcscf.passes(description("10.45.0.2", A, video=0), offer=True, accepted=True)
    pcscf.net.run(1.0)
    assert bearers(pcscf) == [[1], [1]]
    pcscf.end()


def test_hold_and_back(pcscf: Pcscf) -> None:
    pcscf.passes(OFFER, offer=True)
    pcscf.passes(ANSWER, offer=False, accepted=True)
    pcscf.passes(description("10.45.0.2", A, "a=inactive"), offer=True, accepted=True)
    pcscf.passes(description("10.45.0.3", B, "a=inactive"), offer=False, accepted=True)
    assert (bearers(pcscf), rtp(pcscf)) == ([[1], [1]], [False, False])
    pcscf.passes(OFFER, offer=True, accepted=True)
    pcscf.passes(ANSWER, offer=False, accepted=True)
    assert rtp(pcscf) == [True, True]
    pcscf.end()


def test_cancelled_before_anything_was_asked_for(pcscf: Pcscf) -> None:
    pcscf.passes(OFFER, offer=True)
    pcscf.end()
    assert pcscf.net.sent("Session-Termination Request", "pcscf") == []
    assert pcscf.calls.by_id == {}


def test_an_enb_without_voice_bearers_ends_the_call(make_network: Callable[..., Network]) -> None:
    net = make_network(2, enbs=(EnbConfig(refused_qcis=frozenset((1,))),))
    for number in (1, 2):
        net.attach(imsi_of(number))
    pcscf = Pcscf(net)
    pcscf.begin()
    pcscf.passes(OFFER, offer=True)
    pcscf.passes(ANSWER, offer=False, accepted=True)
    net.run(2.0)
    assert pcscf.ended[0][1] == "the bearer could not be set up"
    assert "failed: audio of the call: the bearer could not be set up" in net.verdicts("pcscf")
    assert net.core.pgw.af_sessions == {}


@pytest.mark.parametrize("how", ["bearer", "connection"])
def test_the_radio_is_lost(pcscf: Pcscf, how: str) -> None:
    pcscf.passes(OFFER, offer=True)
    pcscf.passes(ANSWER, offer=False, accepted=True)
    if how == "bearer":
        pcscf.net.command("enb1", BearerLostCommand(f"ue-{imsi_of(1)}", 6), 2.0)
    else:
        pcscf.net.command("mme", DetachUe(imsi_of(1)), 2.0)
    assert pcscf.ended == [("first", "the bearers are gone")]
    assert rtp_after_loss(pcscf) == [False]
    assert pcscf.calls.by_id == {}
    assert pcscf.net.core.pgw.af_sessions == {}


def rtp_after_loss(pcscf: Pcscf) -> list[bool]:
    return [passes(pcscf.net, udp(SECOND, B, FIRST, A))] if FIRST in pcscf.net.core.pgw.by_address else [False]


def test_a_phone_that_is_nowhere(pcscf: Pcscf) -> None:
    """It may be elsewhere; the call goes on."""
    pcscf.calls.begin("third", "198.51.100.9", subject="third")
    pcscf.do(lambda host: media.heard(host, "third", OFFER, from_phone=True, accepted=False))
    pcscf.do(lambda host: media.heard(host, "third", ANSWER, from_phone=False, accepted=True))
    assert any("no PDN connection has its address" in text for text in pcscf.net.verdicts("pcscf"))
    assert pcscf.ended == []
    pcscf.end("third")
    assert "third" not in pcscf.calls.by_key


def test_policy_is_silent(pcscf: Pcscf) -> None:
    link: Any = pcscf.net.loop.ports["pcscf", "Rx"].link
    link.weather = Weather(loss=1.0)
    pcscf.passes(OFFER, offer=True)
    pcscf.passes(ANSWER, offer=False, accepted=True)
    pcscf.net.run(30.0)
    assert any("policy does not answer" in text for text in pcscf.net.verdicts("pcscf"))
    assert pcscf.ended == []
    pcscf.end()
    pcscf.net.run(30.0)
    assert pcscf.calls.by_id == {}
    link.weather = None


def test_what_is_no_description(pcscf: Pcscf) -> None:
    with pytest.raises(sdp.SdpError):
        list(media.heard(pcscf, "first", b"nonsense", from_phone=True, accepted=False))
    assert not list(media.heard(pcscf, "nobody", b"nonsense", from_phone=True, accepted=False))


def test_calls_have_a_limit(pcscf: Pcscf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media, "MOST_CALLS", 3)
    pcscf.calls.begin("third", "10.45.0.4")
    pcscf.calls.begin("fourth", "10.45.0.5")
    assert sorted(map(str, pcscf.calls.by_key)) == ["first", "second", "third"]
    assert not list(media.accepted(pcscf, "fourth"))
