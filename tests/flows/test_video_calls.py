# SPDX-License-Identifier: Apache-2.0
"""Video calls: a bearer for the voice and one for the pictures (GSMA IR.94; TS 29.213, 6.3; RFC 3264, 8)."""

from collections.abc import Callable

import pytest
from network import Network, msisdn_of

from dialtone.codec import sdp
from dialtone.codec.sip import decode
from dialtone.sim.ims.call import AnswerCommand, CallCommand, HangUpCommand, HoldCommand, VideoCommand
from dialtone.sim.ims.client import ImsClient, ImsHandset
from dialtone.sim.ims.states import CallState

Both = tuple[Network, ImsClient, ImsClient]
TO = f"+{msisdn_of(2)}"


def phones(make_network: Callable[..., Network], **choices: bool) -> Both:
    net = make_network(phones=0)
    a, b = (net.add_ims(number, ImsHandset(**choices)) for number in (1, 2))  # type: ignore[arg-type]
    for client in (a, b):
        net.attach(client.imsi, 5)
    return net, a, b


def talk(both: Both, *, video: bool) -> None:
    net, a, b = both
    net.command(a.name, CallCommand(TO, video=video), 3)
    net.command(b.name, AnswerCommand(), 2)
    assert a.calls, a.last


def classes(net: Network, client: ImsClient) -> list[int]:
    """QCIs of the bearers beside the default one, as gateway, phone and IMS client have them."""
    session = net.core.pgw.sessions[client.imsi, "ims"]
    found = sorted(bearer.qci for bearer in session.bearers.values() if bearer.ebi != session.ebi)
    assert sorted(one.qos.qci for one in net.phones[client.imsi].dedicated.values()) == found
    assert sorted(client.bearers.values()) == found
    return found


def hang_up(both: Both) -> None:
    net, a, b = both
    net.command(b.name, HangUpCommand(), 3)
    assert (classes(net, a), classes(net, b), net.core.pgw.af_sessions) == ([], [], {})


@pytest.mark.parametrize("preconditions", [True, False])
def test_voice_and_video_have_a_bearer_each(make_network: Callable[..., Network], preconditions: bool) -> None:
    both = phones(make_network, preconditions=preconditions)
    net, a, b = both
    talk(both, video=True)
    assert classes(net, a) == classes(net, b) == [1, 2]
    for client in (a, b):
        other = b if client is a else a
        (theirs,) = other.calls.values()
        voice, video = sorted(net.phones[client.imsi].dedicated.values(), key=lambda one: one.qos.qci)
        for bearer, port in ((voice, theirs.local.port), (video, theirs.local.port + 200)):
            ports = {one.remote_ports[0] for one in bearer.filters.values() if one.remote_ports}
            assert ports == {port, port + 1}, "RTP and RTCP of these media, and nothing else"
    hang_up(both)


def test_video_comes_and_goes_in_the_middle_of_a_call(make_network: Callable[..., Network]) -> None:
    both = phones(make_network)
    net, a, b = both
    talk(both, video=False)
    assert classes(net, a) == classes(net, b) == [1]
    net.command(a.name, VideoCommand(), 2)
    assert a.last == f"{TO} is seen"
    assert classes(net, a) == classes(net, b) == [1, 2]
    net.command(b.name, VideoCommand(off=True), 2)
    assert classes(net, a) == classes(net, b) == [1]
    offer = sdp.decode(next(decode(event.data) for event in reversed(net.events("Gm"))
                            if event.name == "INVITE" and event.src == b.name).body)
    assert [(one.kind, bool(one.port)) for one in offer.media] == [("audio", True), ("video", False)]
    net.command(b.name, VideoCommand(), 2)
    assert classes(net, a) == [1, 2], "the called phone changes the call a second time"
    net.command(a.name, HoldCommand(), 2)
    assert classes(net, a) == [1, 2], "the bearers stay while nobody is heard"
    net.command(a.name, HoldCommand(resume=True), 2)
    hang_up(both)


def test_a_phone_without_a_call_has_no_video(make_network: Callable[..., Network]) -> None:
    net, a, _ = phones(make_network)
    net.command(a.name, VideoCommand(), 2)
    assert a.last == "there is no call that stands"


def test_the_desk_of_numbers_is_heard_only(make_network: Callable[..., Network]) -> None:
    """The answer services refuse the pictures, and the call goes on without them."""
    net, a, _ = phones(make_network)
    net.command(a.name, CallCommand("600", video=True), 4)
    (call,) = a.calls.values()
    assert call.local.video is False
    assert classes(net, a) == [1]
    net.command(a.name, HangUpCommand(), 3)


@pytest.mark.parametrize(("preconditions", "open_early"), [(True, True), (False, False)])
def test_early_media_pass_where_the_bearers_stand(make_network: Callable[..., Network], preconditions: bool,
                                                  open_early: bool) -> None:
    """Before the answer: where preconditions made the bearers early, and not otherwise (RFC 3960; TS 29.213, 6.2)."""
    both = phones(make_network, preconditions=preconditions)
    net, a, b = both
    net.command(a.name, CallCommand(TO), 3)
    assert [call.state for call in b.calls.values()] == [CallState.RINGING]
    assert [bool(af.flows) for af in net.core.pgw.af_sessions.values()] == [True, True][:2 * open_early]
    assert classes(net, a) == classes(net, b) == ([1] if open_early else [])
    net.command(b.name, AnswerCommand(), 2)
    assert [bool(af.flows) for af in net.core.pgw.af_sessions.values()] == [True, True]
    hang_up(both)
