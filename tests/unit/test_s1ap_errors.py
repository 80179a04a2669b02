# SPDX-License-Identifier: Apache-2.0
"""Clause 10 of TS 36.413: what a bad PDU is called, and what Criticality Diagnostics would say of it."""

import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from s1ap_corpus import CORPUS, UE
from s1ap_oracle import theirs_from_bytes

from dialtone.codec import s1ap
from dialtone.codec.s1ap import (
    AbstractSyntaxError,
    Cause,
    CriticalityDiagnostics,
    FalselyConstructedMessage,
    S1apError,
    TransferSyntaxError,
    UnknownIe,
    UnknownProcedure,
)
from dialtone.codec.s1ap.runtime import read_ies, wrap, write_ies

OCTETS = tuple(s1ap.encode(message) for message in CORPUS)
REJECT, IGNORE, NOTIFY = s1ap.Criticality


def rebuilt(message: s1ap.S1apMessage, change: Callable[[list[UnknownIe]], None]) -> bytes:
    """The PDU of a message with its list of IEs changed."""
    octets = s1ap.encode(message)
    head, body = octets[:3], octets[4:] if octets[3] < 128 else octets[5:]
    ies = list(read_ies(body, 1, 0)[0])
    change(ies)
    return head + wrap(b"\0" + len(ies).to_bytes(2, "big") + write_ies(tuple(ies)))


def without(number: int) -> Callable[[list[UnknownIe]], None]:
    def change(ies: list[UnknownIe]) -> None:
        ies[:] = [ie for ie in ies if ie.id != number]

    return change


UPLINK = next(m for m in CORPUS if isinstance(m, s1ap.UplinkNASTransport))


def test_a_missing_ie_of_criticality_reject_is_named() -> None:
    with pytest.raises(AbstractSyntaxError) as caught:
        s1ap.decode(rebuilt(UPLINK, without(26)))
    error = caught.value
    assert (error.procedure_code, error.triggering_message, error.procedure_criticality) == (13, 0, IGNORE)
    assert error.ies == ((REJECT, 26, s1ap.TypeOfError.MISSING),)
    assert (error.mme_ue_s1ap_id, error.enb_ue_s1ap_id) == (100_000, 2)
    assert (error.cause, error.criticality) == (s1ap.CauseProtocol.ABSTRACT_SYNTAX_ERROR_REJECT, REJECT)
    answer = s1ap.ErrorIndication(**UE, criticality_diagnostics=CriticalityDiagnostics.of(error))
    assert s1ap.decode(s1ap.encode(answer)) == answer
    assert theirs_from_bytes(s1ap.encode(answer)) is not None


def test_a_missing_ie_of_criticality_ignore_does_not_matter() -> None:
    """TS 36.413, 10.3.5: continue with the other IEs."""
    message = s1ap.decode(rebuilt(UPLINK, without(67)))
    assert isinstance(message, s1ap.UplinkNASTransport)
    assert message.tai is None
    assert message.nas_pdu == UPLINK.nas_pdu


def test_a_response_without_its_ue_is_of_no_use() -> None:
    """Also where its criticality is ignore: nobody could tell whose it is."""
    response = next(m for m in CORPUS if isinstance(m, s1ap.InitialContextSetupResponse))
    with pytest.raises(AbstractSyntaxError) as caught:
        s1ap.decode(rebuilt(response, without(0)))
    assert (caught.value.criticality, caught.value.mme_ue_s1ap_id) == (IGNORE, None)
    message = s1ap.decode(rebuilt(response, without(51)))
    assert isinstance(message, s1ap.InitialContextSetupResponse)
    assert message.e_rab_setup_list == ()


@pytest.mark.parametrize("place", [0, 2, 5])
def test_unknown_ies(place: int) -> None:
    """10.3.4.2: reject refuses, notify asks for a report, ignore is silent; all that stays is kept."""
    for criticality in (IGNORE, NOTIFY):
        unknown = UnknownIe(54321, criticality, b"\1\2\3")
        message = s1ap.decode(rebuilt(UPLINK, lambda ies, ie=unknown: ies.insert(place, ie)))
        assert message.unknown_ies == (unknown,)
        assert message.nas_pdu == UPLINK.nas_pdu  # type: ignore[attr-defined]
        told = s1ap.criticality_notifications(message)
        assert told == (((NOTIFY, 54321, s1ap.TypeOfError.NOT_UNDERSTOOD),) if criticality is NOTIFY else ())
    with pytest.raises(AbstractSyntaxError) as caught:
        s1ap.decode(rebuilt(UPLINK, lambda ies: ies.insert(place, UnknownIe(54321, REJECT, b"\1"))))
    assert caught.value.ies == ((REJECT, 54321, s1ap.TypeOfError.NOT_UNDERSTOOD),)


def test_unknown_ies_at_the_end_are_sent_again_in_place() -> None:
    octets = rebuilt(UPLINK, lambda ies: ies.append(UnknownIe(54321, IGNORE, bytes(200))))
    assert s1ap.encode(s1ap.decode(octets)) == octets


@pytest.mark.parametrize(
    "change",
    [
        lambda ies: ies.reverse(),
        lambda ies: ies.insert(1, ies[0]),
        lambda ies: ies.append(ies[0]),
    ],
    ids=["reversed", "doubled", "repeated at the end"],
)
def test_order_and_number_of_ies(change: Callable[[list[UnknownIe]], None]) -> None:
    """10.3.6."""
    with pytest.raises(FalselyConstructedMessage) as caught:
        s1ap.decode(rebuilt(UPLINK, change))
    assert (caught.value.cause, caught.value.mme_ue_s1ap_id) == (5, 100_000)


@pytest.mark.parametrize(
    ("octets", "code", "kind", "criticality"),
    [
        (bytes.fromhex("00c80003000000"), 200, 0, REJECT),
        (bytes.fromhex("00c84003000000"), 200, 0, IGNORE),
        (bytes.fromhex("200d4003000000"), 13, 1, IGNORE),  # there is no successful outcome of NAS transport
    ],
)
def test_unknown_procedures(octets: bytes, code: int, kind: int, criticality: int) -> None:
    with pytest.raises(UnknownProcedure) as caught:
        s1ap.decode(octets)
    error = caught.value
    assert (error.procedure_code, error.triggering_message, error.criticality) == (code, kind, criticality)
    assert error.cause == s1ap.CauseProtocol.ABSTRACT_SYNTAX_ERROR_REJECT


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"\0",
        b"\0\x11",
        b"\x60\x11\0\x03\0\0\0",
        b"\x80\x11\0\x03\0\0\0",
        b"\x01\x11\0\x03\0\0\0",
        OCTETS[0][:-1],
        OCTETS[0] + b"\0",
        OCTETS[0][:2] + b"\xc0" + OCTETS[0][3:],
        bytes(1000),
        b"\xff" * 1000,
        b"\0\x0d\x40\xc4" + bytes(65536),
        b"\0\x0e\0\xc8" + bytes(200),
        OCTETS[7][:3] + bytes((OCTETS[7][3] | 0x40,)) + OCTETS[7][4:],
    ],
)
def test_what_is_no_pdu(octets: bytes) -> None:
    with pytest.raises(TransferSyntaxError) as caught:
        s1ap.decode(octets)
    assert caught.value.cause == s1ap.CauseProtocol.TRANSFER_SYNTAX_ERROR


def test_a_value_that_is_too_short_or_too_long() -> None:
    for value in (b"\0", b"\0\0\xf1\x10\0\x07\0"):

        def change(ies: list[UnknownIe], value: bytes = value) -> None:
            ies[4] = UnknownIe(67, IGNORE, value)

        with pytest.raises(TransferSyntaxError) as caught:
            s1ap.decode(rebuilt(UPLINK, change))
        assert caught.value.mme_ue_s1ap_id == 100_000


def test_every_truncation_is_refused() -> None:
    for octets in OCTETS:
        for end in range(len(octets)):
            with pytest.raises(S1apError):
                s1ap.decode(octets[:end])


def test_corruption_raises_nothing_else() -> None:
    """Bits flipped, octets changed, inserted and removed: an S1apError, or a message that encodes again."""
    chance = random.Random(36413)
    taken = 0
    for number in range(6000):
        octets = bytearray(OCTETS[number % len(OCTETS)])
        for _ in range(chance.choice((1, 1, 1, 2, 5))):
            place = chance.randrange(len(octets))
            match chance.randrange(4):
                case 0:
                    octets[place] ^= 1 << chance.randrange(8)
                case 1:
                    octets[place] = chance.randrange(256)
                case 2:
                    octets.insert(place, chance.randrange(256))
                case _:
                    del octets[place]
        try:
            message = s1ap.decode(bytes(octets))
        except S1apError:
            continue
        taken += 1
        if all(getattr(message, row.field) not in (None, ()) for row in message.rows() if row.mandatory):
            assert s1ap.decode(s1ap.encode(message)) == message
    assert taken > 500  # octets of NAS PDUs and keys may be anything


@given(st.sampled_from(sorted(s1ap.MESSAGES)), st.binary(max_size=200))
@settings(max_examples=300, deadline=None, derandomize=True, database=None)
def test_any_octets_in_a_container(key: tuple[s1ap.TriggeringMessage, int], body: bytes) -> None:
    octets = bytes((key[0] << 5, key[1], 0)) + wrap(body)
    try:
        message = s1ap.decode(octets)
        found = message.KIND, message.PROCEDURE_CODE
    except S1apError as error:
        found = s1ap.TriggeringMessage(error.triggering_message or 0), error.procedure_code or 0
    assert found == key


def test_a_message_of_a_bytearray() -> None:
    assert s1ap.decode(bytearray(OCTETS[0])) == CORPUS[0]
    assert s1ap.decode(memoryview(OCTETS[7])) == CORPUS[7]  # type: ignore[arg-type]


def test_cause_of_an_error_is_a_cause() -> None:
    with pytest.raises(S1apError) as caught:
        s1ap.decode(b"")
    assert str(Cause.of("protocol", caught.value.cause or 0)) == "protocol: transfer-syntax-error (0)"


def test_extension_additions_of_a_sequence_are_passed() -> None:
    """X.691, 19.7: a TAI with one addition we cannot know; then with two announced and one there."""
    tai = bytes.fromhex("8000f1100007")

    def change(ies: list[UnknownIe], additions: str) -> None:
        ies[4] = UnknownIe(67, IGNORE, tai + bytes.fromhex(additions))

    octets = rebuilt(UPLINK, lambda ies: change(ies, "01" "02aabb"))
    message = s1ap.decode(octets)
    assert isinstance(message, s1ap.UplinkNASTransport)
    assert message.tai == UPLINK.tai
    assert theirs_from_bytes(octets) is not None
    assert s1ap.decode(rebuilt(UPLINK, lambda ies: change(ies, "0280" "02aabb"))) == message
    with pytest.raises(TransferSyntaxError):
        s1ap.decode(rebuilt(UPLINK, lambda ies: change(ies, "03" "02aabb")))
