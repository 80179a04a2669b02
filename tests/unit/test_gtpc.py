# SPDX-License-Identifier: Apache-2.0
"""GTPv2-C: round trips, strictness, and the answer that each kind of error asks for."""

import pytest
from gtpc_samples import corpus, full, messages, small
from hypothesis import given, settings
from hypothesis import strategies as st

from dialtone.codec import gtpc
from dialtone.codec.gtpc import (
    CauseValue,
    CreateSessionRequest,
    CreateSessionResponse,
    EchoRequest,
    GtpcError,
    Indication,
    ModifyBearerRequest,
    ReleaseAccessBearersRequest,
    UnknownIe,
    VersionNotSupportedError,
    VersionNotSupportedIndication,
)

ids = [f"{m.NAME} {'full' if at % 2 else 'small'}" for at, m in enumerate(corpus())]


@pytest.mark.parametrize("message", corpus(), ids=ids)
def test_every_message_survives_the_way_out_and_back(message):
    assert gtpc.decode(gtpc.encode(message)) == message


@settings(max_examples=150, deadline=None)
@given(messages())
def test_any_values_survive_the_way_out_and_back(message):
    assert gtpc.decode(gtpc.encode(message)) == message


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(corpus()).map(gtpc.encode), st.data())
def test_corrupted_octets_raise_nothing_but_protocol_errors(octets, data):
    broken = bytearray(octets)
    for _ in range(data.draw(st.integers(1, 4))):
        broken[data.draw(st.integers(0, len(broken) - 1))] = data.draw(st.integers(0, 255))
    broken = broken[: data.draw(st.integers(0, len(broken)))] if data.draw(st.booleans()) else broken
    try:
        message = gtpc.decode(bytes(broken))
    except GtpcError as fault:
        gtpc.refusal(fault)
    else:
        assert gtpc.decode(gtpc.encode(message)) == message  # what was accepted can be sent


@settings(max_examples=50)
@given(st.binary(max_size=60))
def test_random_octets_raise_nothing_but_protocol_errors(octets):
    with pytest.raises(GtpcError):
        gtpc.decode(b"\x48" + octets)


def test_every_truncation_is_refused():
    octets = gtpc.encode(full(CreateSessionRequest))
    for end in range(len(octets)):
        with pytest.raises(GtpcError):
            gtpc.decode(octets[:end])


def refused(octets):
    with pytest.raises(GtpcError) as caught:
        gtpc.decode(octets)
    return caught.value


def with_body(message, body):
    """The octets of a message whose IEs are replaced."""
    head = gtpc.encode(message)[:12]
    return head[:2] + (len(body) + 8).to_bytes(2, "big") + head[4:] + body


def test_missing_mandatory_ie_names_itself():
    request = small(CreateSessionRequest)
    request.sequence = 77
    octets = gtpc.encode(request)[12:]
    without_rat_type = octets[5:]
    fault = refused(with_body(request, without_rat_type))
    assert (fault.cause, fault.offending) == (CauseValue.MANDATORY_IE_MISSING, (82, 0))
    answer = gtpc.decode(gtpc.refusal(fault, teid=0x99))
    assert isinstance(answer, CreateSessionResponse)
    assert (answer.teid, answer.sequence, answer.cause.value, answer.cause.offending) == (0x99, 77, 70, (82, 0))


def test_missing_ie_in_a_bearer_context_names_itself():
    bearer = bytes((93, 0, 5, 0, 73, 0, 1, 0, 5))  # EBI without Bearer QoS
    octets = gtpc.encode(small(CreateSessionRequest))[12:]
    at = octets.index(bytes((93,)), 15)
    fault = refused(with_body(small(CreateSessionRequest), octets[:at] + bearer))
    assert (fault.cause, fault.offending) == (CauseValue.MANDATORY_IE_MISSING, (80, 0))


@pytest.mark.parametrize(
    ("ie", "value"),
    [
        (82, b""),  # RAT type without its octet
        (87, bytes.fromhex("8a00000001")),  # F-TEID that announces an IPv4 address
        (87, bytes.fromhex("0a00000001")),  # F-TEID without any address
        (71, b"\x05ims"),  # APN label longer than the APN
        (71, b""),
        (1, b"\xfa\xff"),  # IMSI with a digit above 9
        (83, b"\x00\xa1\x10"),  # PLMN with a digit above 9
        (79, b"\x01\x0a\x00"),  # PAA without its address
        (86, b"\x18\x00\xf1\x10"),  # ULI that ends in its TAI
        (72, b"\0\0\0\1"),  # AMBR without downlink
    ],
)
def test_incorrect_mandatory_or_conditional_ie_refuses_the_message(ie, value):
    body = bytes((ie, 0, len(value), 0)) + value + gtpc.encode(small(CreateSessionRequest))[12:]
    fault = refused(with_body(small(CreateSessionRequest), body))
    assert (fault.cause, fault.offending) == (CauseValue.MANDATORY_IE_INCORRECT, (ie, 0))


def test_incorrect_optional_ie_counts_as_absent_and_is_kept():
    body = bytes((114, 0, 1, 0, 0x80)) + gtpc.encode(small(CreateSessionRequest))[12:]
    message = gtpc.decode(with_body(small(CreateSessionRequest), body))
    assert message.ue_time_zone is None
    assert message.unknown == (UnknownIe(114, 0, b"\x80"),)


def test_unknown_and_repeated_ies_are_kept_and_sent_again():
    body = bytes((3, 0, 1, 0, 1, 3, 0, 1, 0, 2, 200, 0, 2, 1, 7, 7))
    message = gtpc.decode(with_body(ModifyBearerRequest(), body))
    assert message.recovery == 1  # the first counts (TS 29.274, 7.7.10)
    assert message.unknown == (UnknownIe(3, 0, b"\2"), UnknownIe(200, 1, b"\7\7"))
    assert gtpc.encode(message)[12:] == body


def test_ie_longer_than_its_message():
    fault = refused(with_body(ReleaseAccessBearersRequest(), bytes((77, 0, 9, 0, 1))))
    assert (fault.cause, fault.offending) == (CauseValue.INVALID_LENGTH, (77, 0))
    assert refused(with_body(ReleaseAccessBearersRequest(), b"\x4d\0")).cause == CauseValue.INVALID_LENGTH


def test_message_length_must_match():
    octets = gtpc.encode(small(CreateSessionRequest))
    fault = refused(octets + b"\0")
    assert fault.cause == CauseValue.INVALID_LENGTH
    assert gtpc.decode(gtpc.refusal(fault)).cause.value == 67


def test_other_versions_get_their_indication():
    for version in (0, 1, 3, 7):
        fault = refused(bytes((version << 5 | 0x10, 1, 0, 4, 0, 0, 0, 0)))
        assert isinstance(fault, VersionNotSupportedError)
        assert isinstance(gtpc.decode(gtpc.refusal(fault)), VersionNotSupportedIndication)


@pytest.mark.parametrize(
    "octets", [b"", b"\x40\1\0\4", bytes.fromhex("48c800080000000000000100"), b"\x48\x20\0\4\0\0\1\0"]
)
def test_what_gets_no_answer(octets):
    """No whole header, or an unknown message type (TS 29.274, 7.7.3, 7.7.4)."""
    fault = refused(octets)
    assert fault.cause is None
    assert gtpc.refusal(fault) is None


def test_a_response_is_never_answered():
    fault = refused(with_body(small(CreateSessionResponse), b""))
    assert fault.cause == CauseValue.MANDATORY_IE_MISSING
    assert gtpc.refusal(fault) is None


def test_only_echo_goes_without_teid():
    octets = bytes.fromhex("4024000400000500")
    assert refused(octets).cause == CauseValue.INVALID_MESSAGE_FORMAT
    assert gtpc.encode(EchoRequest(recovery=1, sequence=5)) == bytes.fromhex("40010009000005000300010001")


def test_a_refusal_needs_only_its_cause():
    octets = bytes.fromhex("48210012 00000007 00000500") + bytes((2, 0, 6, 0, 70, 0, 82, 0, 0, 0))
    message = gtpc.decode(octets)
    assert (message.cause.value, message.cause.accepted, message.cause.offending) == (70, False, (82, 0))
    accepted = octets.replace(bytes((70, 0, 82)), bytes((16, 0, 82)))
    assert refused(accepted).offending == (93, 0)


def test_piggybacked_datagram():
    first, second = gtpc.encode(full(CreateSessionResponse)), gtpc.encode(full(gtpc.CreateBearerRequest))
    first = bytes((first[0] | 0x10,)) + first[1:]
    assert gtpc.split(first + second) == [first, second]
    assert gtpc.split(second) == [second]
    assert isinstance(gtpc.decode(first), CreateSessionResponse)


def test_indication_flags_by_name():
    indication = Indication.of("DAF", "S11TF")
    assert indication.octets == bytes.fromhex("800000000008")
    assert indication.names == ("DAF", "S11TF")
    assert indication.has("DAF")
    assert not indication.has("TSPCMI")
