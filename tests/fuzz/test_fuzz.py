# SPDX-License-Identifier: Apache-2.0
"""Any bytes at any reference point in any state: answered as the protocol says or dropped, never a defect of the core,
and the next phone attaches as if nothing had been."""

import contextlib
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from leaks import held, leave_nothing
from network import Network, imsi_of
from probe import Probe, attach_request

from dialtone.codec import nas
from dialtone.codec.amr import MAGIC as AMR_NAMES
from dialtone.codec.amr import Format
from dialtone.codec.rtp import Packet, decode_rtcp
from dialtone.crypto.nas_security import UPLINK
from dialtone.effects import PeerGone
from dialtone.errors import ProtocolError
from dialtone.mme.detach import DetachUe
from dialtone.sim.attach import AttachCommand
from dialtone.sim.s1_setup import introduction
from dialtone.sim.states import EmmState

MODEST = settings(max_examples=150, deadline=None, derandomize=True,
                  suppress_health_check=[HealthCheck.function_scoped_fixture])
POINTS = {"S1-MME": "mme", "S11": "pgw", "S6a": "hss"}


def healthy(net: Network, number: int = 2) -> None:
    """No defect so far, and another phone attaches and detaches."""
    assert net.loop.counters.get("internal error", 0) == 0
    assert net.attach(imsi_of(number)).emm == EmmState.REGISTERED, net.verdicts()[-3:]
    net.detach(imsi_of(number))
    assert net.loop.counters.get("internal error", 0) == 0


class Link:
    """A link whose other end may be nobody, and which may change what passes."""

    def __init__(self, net: Network, element: str, point: str) -> None:
        self.net, self.rng, self.share = net, random.Random(1), 0.0
        port = net.loop.ports[element, point]
        self._below, port.link = port.link, self

    def send(self, element: str, peer: str, data: bytes, stream: int) -> None:
        if self.rng.random() < self.share:
            (data,) = mutations(data, self.rng.randrange(1 << 30), 1)
        if peer in self.net.loop.elements:
            self._below.send(element, peer, data, stream)


@pytest.fixture
def net(tmp_path: Path) -> Iterator[Network]:
    net = Network(tmp_path, 2)
    for point, element in POINTS.items():
        Link(net, element, point)
    before = held(net)
    net.attach()
    yield net
    for session in list(net.core.pgw.sessions.values()):  # some only strangers know of
        net.command("pgw", PeerGone(session.tunnel.peer.rpartition(":")[0], "is gone"))
    leave_nothing(net, before)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[bytes]]:
    """Every message of an attach, a detach and a re-attach, by reference point."""
    net = Network(tmp_path_factory.mktemp("corpus"))
    net.attach()
    net.detach()
    net.fault("unknown_guti")
    net.attach()
    net.command("mme", DetachUe(imsi_of(1)))
    found: dict[str, dict[bytes, None]] = {}
    for event in net.events(*POINTS, "NAS"):
        if event.kind == "tx":
            found.setdefault(event.point, {})[event.data] = None
            if event.plain:
                found.setdefault(event.point, {})[event.plain] = None
    return {point: list(octets) for point, octets in found.items()}


def mutations(octets: bytes, seed: int, count: int) -> list[bytes]:
    """Bit flips, truncations, runs of other octets, insertions."""
    rng = random.Random(seed)
    made = []
    for _ in range(count):
        data = bytearray(octets)
        for _ in range(rng.choice((1, 1, 1, 2, 5))):
            at = rng.randrange(len(data)) if data else 0
            match rng.randrange(5):
                case 0:
                    data[at:at + 1] = bytes((data[at] ^ 1 << rng.randrange(8),)) if data else b"\0"
                case 1:
                    del data[at:]
                case 2:
                    data[at:at + 1] = rng.randbytes(1)
                case 3:
                    data[at:at] = rng.randbytes(rng.randrange(1, 4))
                case 4:
                    del data[at:at + rng.randrange(1, 4)]
        made.append(bytes(data))
    return made


@pytest.mark.parametrize("point", POINTS)
def test_random_octets(net: Network, point: str) -> None:
    @MODEST
    @given(st.binary(max_size=120))
    def throw(data: bytes) -> None:
        net.loop.deliver(POINTS[point], point, "enb1" if point == "S1-MME" else "mme", data)
        net.run(0.01)

    throw()
    healthy(net)
    assert net.core.mme.by_imsi[imsi_of(1)].emm == EmmState.REGISTERED


@pytest.mark.parametrize(("element", "point"), [("pgw", "S11"), ("hss", "S6a"), ("mme", "S11"), ("mme", "S6a")])
def test_corrupted_questions_and_answers_inside(tmp_path: Path, element: str, point: str) -> None:
    net = Network(tmp_path, 2)
    link = Link(net, element, point)
    for seed in range(60):
        link.rng, link.share = random.Random(seed), 0.7
        net.attach(seconds=14.0)
        net.detach(seconds=6.0)
        net.power_cycle()
    link.share = 0.0
    net.run(60.0)
    healthy(net)


@pytest.mark.parametrize("point", POINTS)
def test_mutated_messages(net: Network, corpus: dict[str, list[bytes]], point: str) -> None:
    for seed, octets in enumerate(corpus[point]):
        for data in (octets, *mutations(octets, seed, 25)):
            net.loop.deliver(POINTS[point], point, "probe" if point == "S1-MME" else "stranger", data)
        net.run(0.01)
    healthy(net)


STATES: dict[str, Callable[[Network, Probe], object]] = {}


def state(prepare: Callable[[Network, Probe], object]) -> Callable[[Network, Probe], object]:
    STATES[prepare.__name__] = prepare
    return prepare


@state
def nothing_yet(net: Network, probe: Probe) -> None:
    """Only the first message is thrown."""


@state
def identity_asked(net: Network, probe: Probe) -> None:
    net.fault("unknown_guti", imsi_of(2))
    probe.initial(attach_request(net.phones[imsi_of(2)]))
    net.fault(None, imsi_of(2))


@state
def challenged(net: Network, probe: Probe) -> None:
    probe.initial(attach_request(net.phones[imsi_of(2)]))


@state
def accepted(net: Network, probe: Probe) -> None:
    phone = net.phones[imsi_of(1)]
    probe.initial(attach_request(phone), guti=phone.guti)
    probe.set_up()


@state
def resynchronising(net: Network, probe: Probe) -> None:
    probe.initial(attach_request(net.phones[imsi_of(2)]))
    probe.uplink(nas.encode(nas.AuthenticationFailure(emm_cause=21, authentication_failure_parameter=bytes(14))))


@pytest.mark.parametrize("name", STATES)
def test_nas_of_every_kind_in_every_state(net: Network, corpus: dict[str, list[bytes]], name: str) -> None:
    """Replayed, cut, changed; plain and under wrong covers; as a first message and as a further one."""
    probe = Probe(net)
    for seed, octets in enumerate(corpus["NAS"]):
        for data in (octets, *mutations(octets, seed, 12)):
            probe.got.clear()
            STATES[name](net, probe)
            if probe.got and hasattr(probe.got[-1], "mme_ue_s1ap_id"):
                probe.uplink(data)
            else:
                probe.initial(data)
            assert len(probe.got) < 10
            probe.tell(introduction(probe.enb), 0.0)  # begins anew
    healthy(net, 2)


def test_protected_nas_with_any_content(net: Network) -> None:
    """What comes under good keys is as little to be trusted: a registered phone sends any octets, well protected."""
    phone = net.phones[imsi_of(1)]

    @MODEST
    @given(st.one_of(st.binary(max_size=60), st.binary(max_size=40).map(lambda tail: b"\x07" + tail),
                     st.tuples(st.integers(0x41, 0x63), st.binary(max_size=40)).map(
                         lambda pair: bytes((7, pair[0])) + pair[1]),
                     st.tuples(st.integers(0xC1, 0xEB), st.binary(max_size=40)).map(
                         lambda pair: bytes((0x52, 1, pair[0])) + pair[1])))
    def throw(plain: bytes) -> None:
        if phone.emm != EmmState.REGISTERED or imsi_of(1) not in net.core.mme.by_imsi:
            net.power_cycle()
            net.attach()
        context = phone.nas.current
        assert context is not None
        assert context.keys is not None
        count, context.uplink = context.uplink, context.uplink + 1
        inner = context.keys.cipher(count, UPLINK, plain)
        mac = context.keys.mac(count, UPLINK, bytes((count & 255,)) + inner)
        net.nas_from(phone, b"\x27" + mac + bytes((count & 255,)) + inner)

    throw()
    healthy(net)


def test_every_recorded_message_again_at_every_moment_of_an_attach(
        tmp_path: Path, corpus: dict[str, list[bytes]]) -> None:
    """A third party repeats recorded S1AP on its own association while a phone attaches, step by step."""
    net = Network(tmp_path, 2)
    probe = Probe(net)
    net.loop.tell(f"ue-{imsi_of(1)}", AttachCommand())
    queue = net.loop._queue
    step = 0
    while queue:
        queue.popleft()()
        if (step := step + 1) % 3 == 0:
            data = corpus["S1-MME"][step // 3 % len(corpus["S1-MME"])]
            net.loop.deliver("mme", "S1-MME", probe.name, data, 1)
    assert net.phones[imsi_of(1)].emm == EmmState.REGISTERED, net.verdicts()
    healthy(net)


def test_one_phone_floods_and_the_others_do_not_notice(net: Network) -> None:
    probe = Probe(net)
    octets = attach_request(net.phones[imsi_of(2)])
    for number in range(300):
        probe.initial(octets, number)
    assert len(net.core.mme.ues) <= 302
    healthy(net)
    net.run(60.0)
    assert len(net.core.mme.ues) == 1


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.binary(max_size=120))
def test_media_packets(octets: bytes) -> None:
    """RTP, RTCP and AMR: a packet or a ProtocolError."""
    decoders = [Packet.decode, decode_rtcp, *(form.decode for name in AMR_NAMES
                                              for form in (Format(name), Format(name, aligned=True)))]
    for decode in decoders:
        with contextlib.suppress(ProtocolError):
            decode(octets)
