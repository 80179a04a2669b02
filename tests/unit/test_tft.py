# SPDX-License-Identifier: Apache-2.0
"""Traffic flow templates against pycrate, tshark and real networks; what is wrong with them, and what they match."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nas_oracle import captured, exported
from pycrate_mobile.TS24008_IE import TFT as PycrateTft

from dialtone.codec import nas
from dialtone.codec.nas.bitrates import EpsQos
from dialtone.codec.nas.security import split
from dialtone.codec.tft import ANY, Direction, Flow, Masked, Operation, PacketFilter, Tft, TftError, change, host
from dialtone.errors import ProtocolError

H = bytes.fromhex
BOTH = Direction.BIDIRECTIONAL
RTP = PacketFilter(1, BOTH, 16, remote=host("192.0.2.7"), protocol=17, remote_ports=(5000, 5001))
EVERY = (
    PacketFilter(0, Direction.PRE_RELEASE_7, 0, remote=host("198.51.100.0/24"), protocol=6, tos=(0xB8, 0xFC)),
    PacketFilter(1, Direction.DOWNLINK, 1, remote=host("192.0.2.7"), local=host("10.45.0.2"), protocol=17,
                 local_ports=(4000, 4000), remote_ports=(5000, 5010)),
    PacketFilter(2, Direction.UPLINK, 2, remote=host("2001:db8::/32"), local=host("2001:db8:cafe:1::/64"),
                 local_ports=(1024, 65535), remote_ports=(53, 53)),
    PacketFilter(3, BOTH, 3, remote=host("2001:db8::7"), flow_label=0xABCDE),
    PacketFilter(15, BOTH, 255, remote=ANY, protocol=50, spi=0xDEADBEEF),
)  # fmt: skip
PARAMETERS = ((3, b"\x02"), (2, H("00010002")))
SAMPLES = [
    Tft.create(EVERY),
    Tft(Operation.CREATE, EVERY[1:3], parameters=PARAMETERS),
    Tft(Operation.ADD, (RTP,)),
    Tft(Operation.REPLACE, (RTP,)),
    Tft(Operation.DELETE),
    Tft(Operation.DELETE_FILTERS, identifiers=(1, 15)),
    Tft(Operation.NO_OPERATION, parameters=PARAMETERS),
]


@pytest.mark.parametrize("tft", SAMPLES, ids=lambda tft: tft.operation.name)
def test_octets_and_back(tft: Tft) -> None:
    assert Tft.from_bytes(tft.to_bytes()) == tft


def test_the_octets_of_the_specification() -> None:
    assert Tft.create([RTP]).to_bytes() == H("21 31 10 10" "10 c0000207 ffffffff" "30 11" "51 1388 1389")


@pytest.mark.parametrize("tft", SAMPLES, ids=lambda tft: tft.operation.name)
def test_pycrate_reads_and_writes_the_same(tft: Tft) -> None:
    octets = tft.to_bytes()
    other = PycrateTft()
    other.from_bytes(octets)
    assert other.to_bytes() == octets
    value: Any = other.get_val_d()
    assert value["Opcode"] == tft.operation
    assert [one["Id"] for one in value.get("PktFilters", [])] == [one.identifier for one in tft.filters]
    assert [one["Dir"] for one in value.get("PktFilters", [])] == [one.direction for one in tft.filters]
    assert [one["Precedence"] for one in value.get("PktFilters", [])] == [one.precedence for one in tft.filters]
    assert [one["Id"] for one in value.get("PktFilterIds", [])] == list(tft.identifiers)
    assert [(one["Id"], one["Cont"]) for one in value.get("Parameters", [])] == list(tft.parameters)


def test_tshark_reads_the_same() -> None:
    requests = [nas.ActivateDedicatedEPSBearerContextRequest(
        eps_bearer_identity=6, linked_eps_bearer_identity=5, eps_qos=EpsQos.of(1, 41, 41, 41, 41), tft=tft.to_bytes(),
    ) for tft in SAMPLES]
    for tft, seen in zip(SAMPLES, exported([nas.encode(request) for request in requests]), strict=True):
        assert seen.complaints == []
        assert seen.values("gsm_a.gm.sm.tft.op_code") == [str(int(tft.operation))]
        numbers = [one.identifier for one in tft.filters] or list(tft.identifiers)
        assert seen.values("gsm_a.gm.sm.tft.pkt_flt_id") == [str(number) for number in numbers]
        assert seen.values("gsm_a.gm.sm.tft.packet_evaluation_precedence") == [
            f"0x{one.precedence:02x}" for one in tft.filters]
        assert seen.values("gsm_a.gm.sm.tft.pkt_flt_dir") == [str(int(one.direction)) for one in tft.filters]
        ranges = [p for one in tft.filters for p in (one.local_ports, one.remote_ports) if p and p[0] < p[1]]
        single = [p for one in tft.filters for p in (one.local_ports, one.remote_ports) if p and p[0] == p[1]]
        assert seen.values("gsm_a.gm.sm.tft.port_low") == [str(low) for low, _ in ranges]
        assert seen.values("gsm_a.gm.sm.tft.port_high") == [str(high) for _, high in ranges]
        assert seen.values("gsm_a.gm.sm.tft.port") == [str(port) for port, _ in single]
        labels = [one.flow_label for one in tft.filters if one.flow_label is not None]
        assert [int(text, 16) for text in seen.values("gsm_a.gm.sm.tft.flow_label_type")] == labels
        assert seen.values("gsm_a.gm.sm.tft.param_id") == [str(number) for number, _ in tft.parameters]


def test_what_a_real_network_sent() -> None:
    found = []
    for octets, downlink in captured("handset-volte-bearers.pcapng"):
        try:
            message = nas.decode(split(octets).message, downlink=downlink)
        except ProtocolError:
            continue
        if isinstance(message, nas.ActivateDedicatedEPSBearerContextRequest):
            found.append(message.tft)
    assert found
    for octets in found:
        tft = Tft.from_bytes(octets)
        assert tft.operation is Operation.CREATE
        assert len(tft.to_bytes()) == len(octets)
        assert Tft.from_bytes(tft.to_bytes()) == tft


WRONG = [
    ("", 42), ("00", 42), ("e0", 42), ("41", 42), ("c1", 42), ("20", 42), ("a0", 42), ("a2 01", 42),  # operation, count
    ("21", 42), ("21 31 10", 42), ("21 31 10 02 30", 42),  # cut
    ("a1 01 00", 42), ("40 00", 42), ("30", 42), ("50", 42), ("d0 03", 42), ("d0 03 02 01", 42),  # behind the end
    ("21 31 10 00", 45), ("21 31 10 02 99 11", 45), ("21 31 10 01 30", 45), ("21 31 10 04 30 11 30 06", 45),
    ("21 31 10 08 40 0001 41 0001 0002", 45),  # a port and a port range
    ("22 31 10 02 30 11 31 11 02 30 06", 45), ("22 31 10 02 30 11 32 10 02 30 06", 45),  # identifier, precedence
    ("21 31 10 12 21" + "00" * 16 + "81", 45),  # a prefix of 129 bits
    ("21 31 10 05 41 0002 0001", 44), ("21 31 10 08 60 00000001 50 0001", 44),
    ("21 31 10 0d 10 c0000207 ffffffff 80 000001", 44),  # a flow label with IPv4
]  # fmt: skip


@pytest.mark.parametrize(("octets", "cause"), WRONG)
def test_what_is_wrong(octets: str, cause: int) -> None:
    with pytest.raises(TftError) as info:
        Tft.from_bytes(H(octets))
    assert info.value.cause == cause


def test_what_cannot_be_written() -> None:
    for tft in (Tft.create([PacketFilter(1, BOTH, 1)]), Tft.create([RTP] * 16),
                Tft.create([PacketFilter(1, BOTH, 1, local=Masked(bytes(16), b"\x01" + bytes(15)))])):
        with pytest.raises(ValueError):
            tft.to_bytes()


CALL = Flow(remote=H("c0000207"), local=H("0a2d0002"), protocol=17, remote_port=5001, local_port=4000)


@pytest.mark.parametrize(("one", "fits"), [
    (RTP, True),
    (replace(RTP, remote=ANY), True),
    (replace(RTP, remote=host("192.0.2.8")), False),
    (replace(RTP, remote=host("192.0.2.0/28")), True),
    (replace(RTP, remote=host("2001:db8::7")), False),
    (replace(RTP, protocol=6), False),
    (replace(RTP, remote_ports=(5002, 5003)), False),
    (replace(RTP, local_ports=(4000, 4000)), True),
    (replace(RTP, local_ports=(3000, 3999)), False),
    (replace(RTP, local=host("10.45.0.3")), False),
    (replace(RTP, tos=(0x03, 0xFC)), True),
    (replace(RTP, tos=(0xB8, 0xFC)), False),
    (PacketFilter(1, BOTH, 1, spi=7), False),
    (PacketFilter(1, BOTH, 1, flow_label=7), False),
])  # fmt: skip
def test_what_a_filter_matches(one: PacketFilter, fits: bool) -> None:
    assert one.matches(CALL) is fits


def test_a_packet_without_ports_matches_no_filter_with_ports() -> None:
    assert not RTP.matches(CALL._replace(remote_port=None))
    assert PacketFilter(1, BOTH, 1, spi=7).matches(CALL._replace(spi=7))


def test_directions() -> None:
    assert [(one.uplink, one.downlink) for one in EVERY[:4]] == [
        (False, True), (False, True), (True, False), (True, True)]


def test_operations_on_a_bearer() -> None:
    other = replace(RTP, identifier=2, precedence=17)
    assert change({}, Tft.create([RTP])) == {1: RTP}
    assert change({1: RTP}, Tft.create([other])) == {2: other}
    assert change({1: RTP}, Tft(Operation.ADD, (other,))) == {1: RTP, 2: other}
    assert change({1: RTP}, Tft(Operation.REPLACE, (replace(RTP, protocol=6),))) == {1: replace(RTP, protocol=6)}
    assert change({1: RTP, 2: other}, Tft(Operation.DELETE_FILTERS, identifiers=(2, 9))) == {1: RTP}
    assert change({1: RTP}, Tft(Operation.DELETE)) == {}
    assert change({1: RTP}, Tft(Operation.NO_OPERATION)) == {1: RTP}


@pytest.mark.parametrize(("present", "tft", "cause"), [
    ({}, Tft(Operation.ADD, (RTP,)), 41),
    ({}, Tft(Operation.REPLACE, (RTP,)), 41),
    ({}, Tft(Operation.DELETE), 41),
    ({}, Tft(Operation.DELETE_FILTERS, identifiers=(1,)), 41),
    ({1: RTP}, Tft(Operation.DELETE_FILTERS, identifiers=(1,)), 41),
    ({1: RTP}, Tft(Operation.ADD, (replace(RTP, identifier=2),)), 45),
])  # fmt: skip
def test_operations_that_cannot_be(present: dict[int, PacketFilter], tft: Tft, cause: int) -> None:
    with pytest.raises(TftError) as info:
        change(present, tft)
    assert info.value.cause == cause


ports = st.tuples(st.integers(0, 0xFFFF), st.integers(0, 0xFFFF)).map(lambda pair: (min(pair), max(pair)))
octet = st.integers(0, 255)


def addresses(size: int) -> st.SearchStrategy[Masked | None]:
    return st.none() | st.builds(
        lambda address, bits: Masked(address, ((1 << 8 * size) - (1 << 8 * size - bits)).to_bytes(size)),
        st.binary(min_size=size, max_size=size), st.integers(0, 8 * size))


def filters(number: int) -> st.SearchStrategy[PacketFilter]:
    return st.sampled_from((4, 16)).flatmap(lambda size: st.builds(
        PacketFilter, st.just(number), st.sampled_from(Direction), st.just(100 + number), addresses(size),
        addresses(size), octet, st.none() | ports, st.none() | ports, st.none(), st.none() | st.tuples(octet, octet),
        st.none() if size == 4 else st.none() | st.integers(0, 0xFFFFF)))


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 5).flatmap(lambda count: st.tuples(*(filters(number) for number in range(count)))))
def test_any_template_comes_back(some: tuple[PacketFilter, ...]) -> None:
    tft = Tft.create(some)
    assert Tft.from_bytes(tft.to_bytes()) == tft
    other = PycrateTft()
    other.from_bytes(tft.to_bytes())
    assert other.to_bytes() == tft.to_bytes()


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=40) | st.binary(max_size=40).map(lambda rest: b"\x21\x31\x10" + rest))
def test_any_octets(octets: bytes) -> None:
    try:
        tft = Tft.from_bytes(octets)
    except TftError:
        return
    assert Tft.from_bytes(tft.to_bytes()) == tft
