# SPDX-License-Identifier: Apache-2.0
"""Echo on S1-U in virtual time: how often, how patient, and who is not judged by silence."""

import socket

import pytest

from dialtone.codec import gtpu
from dialtone.datapath.forwarder import Forwarder
from dialtone.datapath.path import Out
from dialtone.datapath.supervision import INTERVAL, N3_REQUESTS, T3_RESPONSE, Supervision
from dialtone.effects import DownlinkWaiting, OpenTunnel, PathFailed

LOCAL, ENB, OTHER = (socket.inet_aton(a) for a in ("10.0.1.133", "10.0.1.20", "10.0.1.21"))
PEER = ("10.0.1.20", 2152)
PATIENCE = T3_RESPONSE * (N3_REQUESTS + 1)
UE = socket.inet_aton("10.45.0.2")
ONE = OpenTunnel("001010000000001", 5, UE, 0x1001, ENB, 0x9001)
TWO = OpenTunnel("001010000000002", 5, socket.inet_aton("10.45.0.3"), 0x1002, OTHER, 0x9002)
PACKET = bytes.fromhex("4500001c00000000400100000808080a") + UE + bytes(8)


class Enb:
    """Answers, or does not."""

    def __init__(self, plane: Forwarder) -> None:
        self.plane = plane
        self.asked: list[tuple[float, int]] = []  # when, sequence number
        self.alive = True

    def live(self, start: float, end: float) -> None:
        now = start
        while now < end:
            for out in self.plane.tick(now):
                self._hear(out, now)
            now += 1

    def _hear(self, out: Out, now: float) -> None:
        if out[1] != PEER:
            return
        message = gtpu.decode(out[0])
        assert isinstance(message, gtpu.EchoRequest)
        assert message.sequence is not None
        self.asked.append((now, message.sequence))
        if self.alive:
            self.plane.uplink(gtpu.encode(gtpu.EchoResponse(sequence=message.sequence)), PEER, now)


@pytest.fixture
def enb() -> Enb:
    plane = Forwarder(LOCAL)
    plane.open(ONE, 0)
    return Enb(plane)


def test_an_enb_with_bearers_is_asked_once_a_minute(enb: Enb) -> None:
    enb.live(0, 3 * INTERVAL + 10)
    assert [when for when, _ in enb.asked] == [0, INTERVAL, 2 * INTERVAL, 3 * INTERVAL]
    assert len({sequence for _, sequence in enb.asked}) == 4
    assert not enb.plane.events


def test_silence_after_the_last_repetition_is_a_failed_path(enb: Enb) -> None:
    enb.plane.open(TWO, 0)
    enb.live(0, 10)
    enb.alive = False
    enb.live(10, INTERVAL + PATIENCE)
    assert not enb.plane.events
    repeated = enb.asked[1:]
    assert [when - INTERVAL for when, _ in repeated] == [n * T3_RESPONSE for n in range(N3_REQUESTS + 1)]
    assert len({sequence for _, sequence in repeated}) == 1  # a repetition has the number of its request
    enb.live(INTERVAL + PATIENCE, INTERVAL + PATIENCE + 2)
    assert enb.plane.events == [PathFailed(ENB)]
    assert enb.plane.bearers[0x1001].to is None
    assert enb.plane.bearers[0x1002].to is not None  # another eNB's
    enb.plane.events.clear()
    assert enb.plane.downlink(PACKET, 1000) is None
    assert enb.plane.events == [DownlinkWaiting(ONE.imsi, 5, 0x1001)]  # the phone is called, not given up
    asked = len(enb.asked)
    enb.live(200, 400)
    assert len(enb.asked) == asked  # no bearers, no path


def test_a_late_answer_saves_the_path(enb: Enb) -> None:
    enb.live(0, 10)
    enb.alive = False
    enb.live(10, INTERVAL + PATIENCE - 1)
    enb.plane.uplink(gtpu.encode(gtpu.EchoResponse(sequence=enb.asked[-1][1])), PEER, 0)
    enb.alive = True
    enb.live(INTERVAL + PATIENCE - 1, 5 * INTERVAL)
    assert enb.plane.bearers[0x1001].to == PEER
    assert not enb.plane.events


def test_an_enb_that_never_answers_is_not_judged_by_it(enb: Enb) -> None:
    enb.alive = False
    enb.live(0, 10 * INTERVAL)
    assert len(enb.asked) > 3 * N3_REQUESTS
    assert not enb.plane.events
    assert enb.plane.bearers[0x1001].to == PEER


def test_answers_that_nobody_asked_for_and_no_supervision_at_all() -> None:
    nobody = Supervision(0)
    assert nobody.tick(0, [PEER]) == ([], [])
    some = Supervision()
    some.answered(PEER)
    out, _ = some.tick(0, [PEER])
    assert len(out) == 1
    some.answered(PEER)
    some.answered(PEER)
    assert some.tick(INTERVAL - 1, [PEER]) == ([], [])
    assert len(some.tick(INTERVAL, [PEER])[0]) == 1
