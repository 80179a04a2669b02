# SPDX-License-Identifier: Apache-2.0
"""GTP-U: the hot path, path management, strictness; pycrate both ways, tshark, and captured user data."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wire_oracle import captured, dissected, malformed, needs_captures, needs_tshark

from dialtone.codec import gtpu
from dialtone.codec.gtpu import (
    EchoRequest,
    EchoResponse,
    EndMarker,
    ErrorIndication,
    GPdu,
    SupportedExtensionHeadersNotification,
    UnsupportedExtensionHeader,
)
from dialtone.errors import ProtocolError

pycrate = pytest.importorskip("pycrate_mobile.TS29281_GTPU")
PACKET = bytes.fromhex("4500001c000040004011000001010101020202020035003500080000")
CORPUS = [
    EchoRequest(sequence=0x1234),
    EchoRequest(sequence=1, unknown=((255, b"\x28\xaf\1\2"),)),
    EchoResponse(sequence=0x1234, recovery=9),
    ErrorIndication(teid_data_i=0xC0FFEE01, gsn_address=b"\x0a\0\0\1"),
    ErrorIndication(teid_data_i=1, gsn_address=bytes(15) + b"\1", extensions=((gtpu.UDP_PORT, b"\x08\x68"),)),
    SupportedExtensionHeadersNotification(extension_header_types=b"\x40\xc0"),
    EndMarker(teid=7),
    GPdu(teid=7, payload=PACKET),
    GPdu(teid=7, payload=PACKET, sequence=0xFFFF),
    GPdu(teid=7, payload=PACKET, n_pdu=3),
    GPdu(teid=7, payload=PACKET, extensions=((gtpu.PDCP_PDU_NUMBER, b"\0\7"), (gtpu.PDU_SESSION_CONTAINER, b"\x10\5"))),
]
ids = [f"{at} {m.NAME}" for at, m in enumerate(CORPUS)]


@pytest.mark.parametrize("message", CORPUS, ids=ids)
def test_out_and_back(message):
    octets = gtpu.encode(message)
    assert gtpu.decode(octets) == message
    kind, teid, offset = gtpu.split(octets)
    assert (kind, teid) == (message.TYPE, message.teid)
    if isinstance(message, GPdu):
        assert octets[offset:] == PACKET


def test_the_hot_path_is_the_plain_header():
    assert gtpu.gpdu(0xC0FFEE01, PACKET) == bytes.fromhex("30ff001cc0ffee01") + PACKET
    assert gtpu.split(gtpu.gpdu(5, PACKET)) == (255, 5, 8)
    assert gtpu.gpdu(7, PACKET) == gtpu.encode(GPdu(teid=7, payload=PACKET))


@settings(max_examples=60)
@given(
    st.integers(0, 2**32 - 1), st.binary(max_size=60),
    st.none() | st.integers(0, 65535), st.none() | st.integers(0, 255),
    st.lists(st.tuples(st.sampled_from((0x01, 0x40, 0x85, 0xC0)), st.sampled_from((2, 6, 10)).map(bytes)), max_size=3),
)  # fmt: skip
def test_any_header_survives(teid, payload, sequence, n_pdu, extensions):
    message = GPdu(teid=teid, payload=payload, sequence=sequence, n_pdu=n_pdu, extensions=tuple(extensions))
    assert gtpu.decode(gtpu.encode(message)) == message


@settings(max_examples=150)
@given(st.sampled_from(CORPUS).map(gtpu.encode), st.data())
def test_corrupted_octets_raise_nothing_but_protocol_errors(octets, data):
    broken = bytearray(octets)
    for _ in range(data.draw(st.integers(1, 3))):
        broken[data.draw(st.integers(0, len(broken) - 1))] = data.draw(st.integers(0, 255))
    broken = bytes(broken[: data.draw(st.integers(0, len(broken)))] if data.draw(st.booleans()) else broken)
    try:
        message = gtpu.decode(broken)
    except ProtocolError:
        return
    assert gtpu.decode(gtpu.encode(message)) == message


@pytest.mark.parametrize("message", CORPUS, ids=ids)
def test_every_truncation_is_refused(message):
    octets = gtpu.encode(message)
    for end in range(len(octets)):
        with pytest.raises(ProtocolError):
            gtpu.decode(octets[:end])


@pytest.mark.parametrize(
    "octets",
    [
        "20ff000000000001",  # GTP'
        "50ff000000000001",  # version 2
        "30ff000100000001",  # one octet short
        "32ff000200000001 0000",  # optional fields announced, two octets there
        "34ff000400000001 00000040",  # an extension header announced and not there
        "34ff000500000001 00000040 00",  # an extension header of no words
        "34ff000800000001 00000040 02000000",  # longer than the datagram
        "34ff000800000001 00000040 01000040",  # a chain without end
        "32fb000400000001 00000000",  # message type not served
        "321a000900000000 00000000 1000000007",  # Error Indication without the address
        "321a000e00000000 00000000 1000000007 8500020a00",  # address of two octets
        "3202000400000000 00000000",  # Echo Response without Recovery
        "3201000500000000 00000000 20",  # TV of a type whose length is not known
    ],
)
def test_malformed(octets):
    with pytest.raises(ProtocolError):
        gtpu.decode(bytes.fromhex(octets))


def test_extension_header_that_must_be_understood():
    with pytest.raises(UnsupportedExtensionHeader) as caught:
        gtpu.split(bytes.fromhex("34ff000800000001 000000c5 01000000"))
    assert caught.value.type == 0xC5
    assert gtpu.decode(gtpu.encode(gtpu.unsupported())).extension_header_types == b"\x40\x85\xc0"


@pytest.mark.parametrize("message", CORPUS[:-1], ids=ids[:-1])
def test_pycrate_both_ways(message):
    """All but the chain of two extension headers, whose parts pycrate 0.8.1 mixes up on writing."""
    octets = gtpu.encode(message)
    structure, error = pycrate.parse_GTPU(octets)
    assert error == 0
    head = structure[0]
    assert head["TEID"].get_val() == message.teid
    assert (head["S"].get_val(), head["PN"].get_val(), head["E"].get_val()) == (
        message.sequence is not None, message.n_pdu is not None, bool(message.extensions),
    )  # fmt: skip
    if isinstance(message, ErrorIndication):
        assert structure[1]["TEID"].get_val() == message.teid_data_i
        assert structure[2]["IP"].get_val() == message.gsn_address
    if isinstance(message, EchoResponse):
        assert structure[1]["RestartCounter"].get_val() == message.recovery
    assert gtpu.decode(structure.to_bytes()) == message


@needs_tshark
def test_tshark_reads_what_we_write_and_prints_our_names():
    seen = dissected([gtpu.encode(m) for m in CORPUS], "gtp")
    for message, (info, fields) in zip(CORPUS, seen, strict=True):
        assert malformed(fields) == [], message
        assert int(fields["gtp.teid"][0], 16) == message.teid
        if not isinstance(message, GPdu):
            assert info.strip() == message.NAME


@needs_tshark
@needs_captures
def test_captured_user_data():
    found = captured("gtp", "gtp and not ip.reassembled.length", to_end=True)
    assert len(found) > 200
    for octets, fields in found:
        message = gtpu.decode(octets)
        assert (message.TYPE, message.teid) == (int(fields["gtp.message"][0], 16), int(fields["gtp.teid"][0], 16))
        assert gtpu.split(octets)[2] + int(fields["gtp.length"][0]) == len(octets)
        assert gtpu.encode(message) == octets
