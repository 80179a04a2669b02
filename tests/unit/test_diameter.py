# SPDX-License-Identifier: Apache-2.0
"""Diameter: round trips, strictness, and the answer that each kind of error asks for."""

import pytest
from diameter_samples import corpus, full, messages, small
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dialtone.codec import diameter
from dialtone.codec.diameter import (
    AVPS,
    AuthenticationInformationAnswer,
    AuthenticationInformationRequest,
    DeviceWatchdogRequest,
    DiameterError,
    ResultCode,
    UnknownAvp,
    UpdateLocationAnswer,
    UpdateLocationRequest,
)

ids = [f"{m.NAME} {'full' if at % 2 else 'small'}" for at, m in enumerate(corpus())]


@pytest.mark.parametrize("message", corpus(), ids=ids)
def test_every_message_survives_the_way_out_and_back(message):
    octets = diameter.encode(message)
    assert len(octets) % 4 == 0
    assert diameter.decode(octets) == message


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(messages())
def test_any_values_survive_the_way_out_and_back(message):
    assert diameter.decode(diameter.encode(message)) == message


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(corpus()).map(diameter.encode), st.data())
def test_corrupted_octets_raise_nothing_but_diameter_errors(octets, data):
    broken = bytearray(octets)
    for _ in range(data.draw(st.integers(1, 4))):
        broken[data.draw(st.integers(0, len(broken) - 1))] = data.draw(st.integers(0, 255))
    broken = bytes(broken[: data.draw(st.integers(0, len(broken)))] if data.draw(st.booleans()) else broken)
    try:
        message = diameter.decode(broken)
    except DiameterError as fault:
        answer = diameter.refusal(broken, fault, "hss", "realm")
        if answer is not None:
            diameter.read_header(answer)  # it is a whole message
    else:
        assert diameter.decode(diameter.encode(message)) == message  # what was accepted can be sent


def test_every_truncation_is_refused():
    octets = diameter.encode(full(UpdateLocationAnswer))
    for end in range(len(octets)):
        with pytest.raises(DiameterError):
            diameter.decode(octets[:end])


def altered(message, find, replace):
    """The octets of a message with one AVP replaced and the length counted again."""
    octets = diameter.encode(message)
    assert octets.count(find) == 1
    octets = octets.replace(find, replace)
    return octets[:1] + len(octets).to_bytes(3, "big") + octets[4:]


def refused(octets):
    with pytest.raises(DiameterError) as caught:
        diameter.decode(octets)
    return caught.value


def avp(name, data, flags=None, code=None):
    """The octets of one AVP by its name."""
    kind = AVPS[name]
    usual = (0x80 if kind.vendor else 0) | (0x40 if kind.mandatory else 0)
    return diameter.raw_avp(UnknownAvp(code or kind.code, kind.vendor, usual if flags is None else flags, data))


AIR = small(AuthenticationInformationRequest)
PLMN = avp("Visited-PLMN-Id", b"\x00\xf1\x10")


@pytest.mark.parametrize(
    ("replacement", "cause", "failed"),
    [
        (b"", ResultCode.DIAMETER_MISSING_AVP, avp("Visited-PLMN-Id", b"")),
        (PLMN + PLMN, ResultCode.DIAMETER_AVP_OCCURS_TOO_MANY_TIMES, PLMN),
        (avp("Visited-PLMN-Id", b"\x00\xfa\x10"), ResultCode.DIAMETER_INVALID_AVP_VALUE, None),
        (PLMN + avp("RAND", bytes(16)), ResultCode.DIAMETER_AVP_UNSUPPORTED, avp("RAND", bytes(16))),
        (PLMN + avp("AIR-Flags", b"\0\0\1"), ResultCode.DIAMETER_INVALID_AVP_LENGTH, avp("AIR-Flags", b"\0\0\1")),
        (
            PLMN + avp("Requested-EUTRAN-Authentication-Info", avp("Re-Synchronization-Info", bytes(29))),
            ResultCode.DIAMETER_INVALID_AVP_LENGTH,
            avp("Re-Synchronization-Info", bytes(29))[:-3] + bytes(3),
        ),
        (
            PLMN + avp("Requested-EUTRAN-Authentication-Info", avp("AUTN", bytes(16))),
            ResultCode.DIAMETER_AVP_UNSUPPORTED,
            avp("AUTN", bytes(16)),
        ),
        (PLMN + bytes.fromhex("0000067fc0000fff000028af"), ResultCode.DIAMETER_INVALID_AVP_LENGTH,
         bytes.fromhex("0000067fc000000c000028af")),
        (PLMN + bytes.fromhex("0000067fc0000008"), ResultCode.DIAMETER_INVALID_AVP_LENGTH, None),
        (PLMN + b"\0\0\0\1", ResultCode.DIAMETER_INVALID_AVP_LENGTH, None),
    ],
    ids=["missing", "twice", "value", "unknown M", "integer of 3", "AUTS short", "unknown M inside", "too long",
         "shorter than its header", "half a header"],
)  # fmt: skip
def test_each_fault_has_its_result_code_and_failed_avp(replacement, cause, failed):
    octets = altered(AIR, PLMN, replacement)
    fault = refused(octets)
    assert fault.cause == cause
    unpadded = failed if failed is None else failed[: int.from_bytes(failed[5:8], "big")]
    assert unpadded is None or fault.failed_avp[: len(unpadded)] == unpadded
    answer = diameter.decode(diameter.refusal(octets, fault, "hss.example.org", "example.org"))
    assert isinstance(answer, AuthenticationInformationAnswer)
    assert (answer.result_code, answer.session_id, answer.error) == (cause, AIR.session_id, False)
    assert (answer.origin_host, answer.auth_session_state) == ("hss.example.org", None)
    if failed is not None:
        assert diameter.avps(answer.failed_avp[0])[0].code == int.from_bytes(failed[:4], "big")


def test_unknown_avp_without_the_m_bit_is_kept_and_sent_again():
    extra = avp("RAND", bytes(range(16)), flags=0x80, code=9999)
    octets = altered(AIR, PLMN, PLMN + extra)
    message = diameter.decode(octets)
    assert message.unknown == (UnknownAvp(9999, 10415, 0x80, bytes(range(16))),)
    assert diameter.encode(message) == octets


def test_unknown_avp_with_the_m_bit_in_an_answer_is_kept():
    message = small(AuthenticationInformationAnswer)
    message.unknown = (UnknownAvp(9999, 0, 0x40, b"abc"),)
    assert diameter.decode(diameter.encode(message)) == message


@pytest.mark.parametrize(
    ("head", "cause", "error_bit"),
    [
        ("c00001ff 01000023", ResultCode.DIAMETER_COMMAND_UNSUPPORTED, True),
        ("c000013e 01000099", ResultCode.DIAMETER_APPLICATION_UNSUPPORTED, True),
        ("e000013e 01000023", ResultCode.DIAMETER_INVALID_HDR_BITS, True),
    ],
)
def test_faults_of_the_header(head, cause, error_bit):
    octets = diameter.encode(AIR)
    octets = octets[:4] + bytes.fromhex(head) + octets[12:]
    fault = refused(octets)
    assert fault.cause == cause
    answer = diameter.refusal(octets, fault, "hss.example.org", "example.org")
    header = diameter.read_header(answer)
    assert header[1:] == diameter.read_header(octets)[1:]
    assert header.flags == 0x40 | (0x20 if error_bit else 0)


def test_an_error_answer_of_result_code_alone():
    octets = bytes.fromhex("0100004c 6000013e 01000023 00000007 00000008 0000010c4000000c00000bba")
    octets += avp("Origin-Host", b"relay.org") + avp("Origin-Realm", b"org")
    octets = octets[:1] + len(octets).to_bytes(3, "big") + octets[4:]
    message = diameter.decode(octets)
    assert isinstance(message, AuthenticationInformationAnswer)
    assert (message.error, message.result_code, message.session_id) == (True, 3002, None)
    assert diameter.encode(message) == octets


def test_an_answer_that_succeeds_must_be_whole():
    message = small(AuthenticationInformationAnswer)
    message.session_id = None
    assert refused(diameter.encode(message)).cause == ResultCode.DIAMETER_MISSING_AVP


def test_experimental_result():
    octets = diameter.encode(
        AuthenticationInformationAnswer(
            session_id="s", origin_host="hss", origin_realm="r",
            experimental_result=diameter.ExperimentalResult(vendor_id=10415, experimental_result_code=5001),
        )
    )  # fmt: skip
    message = diameter.decode(octets)
    assert (message.result_code, message.experimental_result_code) == (None, 5001)


def test_a_faulty_answer_is_not_answered():
    octets = diameter.encode(small(AuthenticationInformationAnswer))[:-1] + b"\0"
    octets = octets[:1] + (len(octets) - 4).to_bytes(3, "big") + octets[4:-4]
    assert diameter.refusal(octets, refused(octets), "hss", "r") is None


def test_frames_of_a_stream():
    octets = diameter.encode(DeviceWatchdogRequest(origin_host="a", origin_realm="b"))
    stream = octets + octets
    assert diameter.frame_length(stream) == len(octets)
    assert diameter.frame_length(stream[:3]) is None
    for start, cause in (("02000014", 5011), ("01000010", 5015), ("01000016", 5015), ("01fffffc", 5015)):
        with pytest.raises(DiameterError) as caught:
            diameter.frame_length(bytes.fromhex(start))
        assert caught.value.cause == cause
        assert caught.value.header is None
        assert diameter.refusal(bytes.fromhex(start), caught.value, "hss", "r") is None


def test_proxy_info_comes_back_in_a_refusal():
    request = full(UpdateLocationRequest)
    octets = altered(request, avp("ULR-Flags", b"\0\0\0\1"), b"")
    fault = refused(octets)
    answer = diameter.decode(diameter.refusal(octets, fault, "hss", "r"))
    assert answer.proxy_info == request.proxy_info
    assert answer.result_code == ResultCode.DIAMETER_MISSING_AVP
    assert "ULR-Flags" in answer.error_message
