# SPDX-License-Identifier: Apache-2.0
"""Short messages: every layer there and back, published vectors, pycrate and tshark, and octets of no meaning."""

import logging

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycrate_mobile import TS23040_SMS, TS24011_PPSMS
from wire_oracle import dissected, malformed, needs_tshark

from dialtone.codec.sms import cp, rp, tpdu
from dialtone.codec.sms.address import Address, decode_rp, decode_tp, encode_rp, encode_tp
from dialtone.codec.sms.errors import CpCause, CpFault, RpCause, RpFault
from dialtone.codec.sms.times import Stamp, Validity, ValidityFormat, decode_stamp, encode_stamp, relative
from dialtone.codec.sms.user_data import Alphabet, Part, UserData, alphabet, make, split
from dialtone.errors import ProtocolError

H = bytes.fromhex
logging.getLogger("pycrate_mobile").setLevel(logging.CRITICAL)
NUMBER, NAME, CENTRE = Address.of("+15550101"), Address.of("Dialtone"), Address.of("+15550100")
NOON = Stamp(1_790_000_000, 120)
TEXTS = ("", "Hello", "€uro [1] {2}", "Grüße", "привет", "😀 ok", "x" * 160, "щ" * 70)

TPDUS = [
    tpdu.SmsDeliver(originator=NUMBER, stamp=NOON, ud=make("Hello", True)),
    tpdu.SmsDeliver(originator=NAME, stamp=Stamp(1_700_000_000, -330), ud=make("щ" * 70, False), more=True,
                    report=True),
    tpdu.SmsDeliver(originator=Address.of("123"), stamp=NOON, ud=split("y" * 200, 7)[1], reply_path=True, pid=0x40),
    tpdu.SmsDeliver(originator=NUMBER, stamp=NOON, ud=UserData(4, 3, b"\0\1\2"), loop_prevention=True),
    tpdu.SmsSubmit(reference=1, destination=NUMBER, ud=make("Hello", True)),
    tpdu.SmsSubmit(reference=2, destination=Address.of("*100#"), ud=make("", True), report=True,
                   validity=Validity(ValidityFormat.RELATIVE, 86400)),
    tpdu.SmsSubmit(reference=255, destination=NUMBER, ud=make("x", True, Part(0x1234, 3, 2, wide=True)),
                   validity=Validity(ValidityFormat.ABSOLUTE, stamp=NOON), reject_duplicates=True, reply_path=True),
    tpdu.SmsSubmit(reference=3, destination=NUMBER, validity=Validity(ValidityFormat.ENHANCED, 90, single_shot=True)),
    tpdu.SmsSubmit(reference=4, destination=NUMBER, validity=Validity(ValidityFormat.ENHANCED, 3723)),
    tpdu.SmsDeliverReport(), tpdu.SmsDeliverReport(failure=0xD3, pid=0, ud=make("full", True)),
    tpdu.SmsSubmitReport(stamp=NOON), tpdu.SmsSubmitReport(stamp=NOON, failure=0xC3),
    tpdu.SmsStatusReport(reference=9, recipient=NUMBER, stamp=NOON, discharge=NOON, status=0),
    tpdu.SmsStatusReport(reference=9, recipient=NUMBER, stamp=NOON, discharge=NOON, status=0x46, more=True, pid=0),
    tpdu.SmsCommand(reference=1, pid=0, command=2, message_number=7, destination=NUMBER, data=b"ab", report=True),
]
UPLINK = (tpdu.SmsSubmit, tpdu.SmsDeliverReport, tpdu.SmsCommand)


def failed(message: tpdu.Tpdu) -> bool:
    return getattr(message, "failure", None) is not None


@pytest.mark.parametrize("message", TPDUS, ids=lambda message: message.NAME)
def test_a_tpdu_comes_back(message: tpdu.Tpdu) -> None:
    octets = tpdu.encode(message)
    assert tpdu.decode(octets, uplink=isinstance(message, UPLINK), error=failed(message)) == message


@pytest.mark.parametrize("message", TPDUS, ids=lambda message: message.NAME)
def test_pycrate_reads_and_writes_the_same(message: tpdu.Tpdu) -> None:
    name = message.NAME.replace("-", "_")
    if "REPORT" in name and "STATUS" not in name:
        name += "_RP_ERROR" if failed(message) else "_RP_ACK"
    oracle = getattr(TS23040_SMS, name)()
    octets = tpdu.encode(message)
    oracle.from_bytes(octets)
    if not isinstance(message, tpdu.SmsCommand):  # pycrate reads its data, and writes it as septets
        assert oracle.to_bytes() == octets


def test_published_messages() -> None:
    """The examples that every PDU tutorial begins with."""
    told = tpdu.decode(H("040B911346610089F60000208062917314080CC8F71D14969741F977FD07"), uplink=False)
    assert isinstance(told, tpdu.SmsDeliver)
    assert (str(told.originator), told.ud.text) == ("+31641600986", "How are you?")
    assert told.stamp == Stamp(1030390661)  # 26 August 2002, 19:37:41
    sent = tpdu.decode(H("11000B916407281553F80000AA0AE8329BFD4697D9EC37"), uplink=True)
    assert isinstance(sent, tpdu.SmsSubmit)
    assert (str(sent.destination), sent.ud.text, sent.validity.seconds) == ("+46708251358", "hellohello", 4 * 86400)


@pytest.mark.parametrize("text", TEXTS)
def test_a_text_is_coded_by_what_it_needs(text: str) -> None:
    (ud,) = split(text, 1)
    assert ud.text == text
    assert not ud.has_header
    assert alphabet(ud.dcs) == (Alphabet.UCS2 if any(char in text for char in "щпр😀") else Alphabet.GSM7)


@given(st.text(st.characters(codec="utf-8", exclude_characters="\x1b"), min_size=1, max_size=800), st.integers(0, 255))
@settings(max_examples=100, deadline=None)
def test_a_long_text_is_split_and_comes_together(text: str, reference: int) -> None:
    parts = split(text, reference)
    assert "".join(part.text for part in parts) == text
    assert all(len(part.octets) <= 140 for part in parts)
    if len(parts) > 1:
        assert [part.part for part in parts] == [
            Part(reference, len(parts), number) for number in range(1, len(parts) + 1)]


def test_how_long_a_text_may_be() -> None:
    assert len(split("a" * 161, 0)) == 2 == len(split("€" * 81, 0))
    assert [part.length for part in split("€" * 160, 0)] == [159, 159, 7 + 16]  # no escape is torn off its character
    assert len(split("a" * 153 * 255, 0)) == 255
    with pytest.raises(ValueError, match="255 are the most"):
        split("a" * (153 * 255 + 1), 0)


@pytest.mark.parametrize(("dcs", "meant"), [
    (0x00, Alphabet.GSM7), (0x04, Alphabet.OCTETS), (0x08, Alphabet.UCS2), (0x0C, Alphabet.GSM7),
    (0x20, Alphabet.OCTETS), (0x18, Alphabet.UCS2), (0x44, Alphabet.OCTETS), (0x80, Alphabet.GSM7),
    (0xC8, Alphabet.GSM7), (0xE0, Alphabet.UCS2),
    (0xF0, Alphabet.GSM7), (0xF5, Alphabet.OCTETS)])
def test_data_coding_schemes(dcs: int, meant: Alphabet) -> None:
    """TS 23.038, 4."""
    assert alphabet(dcs) == meant


@pytest.mark.parametrize(("octet", "seconds"), [(0, 300), (143, 43200), (144, 45000), (167, 86400), (168, 172800),
                                                (196, 30 * 86400), (197, 5 * 604800), (255, 63 * 604800)])
def test_relative_validity(octet: int, seconds: int) -> None:
    """TS 23.040, 9.2.3.12.1."""
    assert relative(octet) == seconds


def test_absolute_times_know_their_zone() -> None:
    assert encode_stamp(Stamp(951782400, 60)) == H("00209210000040")  # 29 February 2000, 01:00 at +01:00
    assert decode_stamp(encode_stamp(Stamp(1_700_000_000, -330))) == Stamp(1_700_000_000, -330)
    with pytest.raises(ProtocolError):
        decode_stamp(H("00000000000000"))


@pytest.mark.parametrize("text", ["+15550101", "123", "*100#", "Dialtone", "Café 24"])
def test_addresses(text: str) -> None:
    address = Address.of(text)
    octets = encode_tp(address)
    assert decode_tp(octets + b"x", 0) == (address, len(octets))
    assert str(address) == text
    if address.ton != 5:
        assert decode_rp(encode_rp(address), 0) == (address, len(encode_rp(address)))


@pytest.mark.parametrize("text", ["", "twelve chars", "привет", "€€€€€€"])
def test_what_is_no_sender(text: str) -> None:
    with pytest.raises(ValueError, match="neither a number nor a name"):
        Address.of(text)


RPS = [
    rp.RPData(reference=1, destination=CENTRE, user_data=tpdu.encode(TPDUS[4])),
    rp.RPData(reference=1, user_data=tpdu.encode(TPDUS[4])),
    rp.RPData(reference=200, uplink=False, originator=CENTRE, user_data=tpdu.encode(TPDUS[0])),
    rp.RPAck(reference=3, user_data=tpdu.encode(TPDUS[9])), rp.RPAck(reference=3, uplink=False),
    rp.RPError(reference=4, cause=RpCause.MEMORY_CAPACITY_EXCEEDED, user_data=tpdu.encode(TPDUS[10])),
    rp.RPError(reference=4, uplink=False, cause=RpCause.CONGESTION, diagnostic=7), rp.RPSmma(reference=5),
]


@pytest.mark.parametrize("message", RPS, ids=lambda message: message.NAME)
def test_rp_and_cp_come_back(message: rp.RpMessage) -> None:
    octets = rp.encode(message)
    assert rp.decode(octets) == message
    carried = cp.CPData(ti=3, answering=True, user_data=octets)
    assert cp.decode(cp.encode(carried)) == carried
    if not isinstance(message, rp.RPError) and not (isinstance(message, rp.RPAck) and not message.user_data):
        oracle = TS24011_PPSMS.CP_DATA()
        oracle.from_bytes(cp.encode(carried))
        assert oracle.to_bytes() == cp.encode(carried)


@needs_tshark
def test_tshark_reads_all_of_it() -> None:
    carried = [cp.encode(cp.CPData(ti=1, user_data=rp.encode(message))) for message in RPS]
    carried += [cp.encode(cp.CPAck(ti=1)), cp.encode(cp.CPError(ti=1, cause=CpCause.CONGESTION))]
    for (info, fields), octets in zip(dissected(carried, "gsm_a_dtap"), carried, strict=True):
        assert "CP-" in info, octets.hex()
        assert malformed(fields) == [], (info, octets.hex())


@pytest.mark.parametrize(("octets", "cause", "reference"), [
    (b"\0", RpCause.PROTOCOL_ERROR, None), (b"\7\5", RpCause.MESSAGE_TYPE_NON_EXISTENT, 5),
    (b"\0\5\0\0", RpCause.INVALID_MANDATORY_INFORMATION, 5),
    (b"\0\5\0\0\5ab", RpCause.INVALID_MANDATORY_INFORMATION, 5),
    (b"\4\5", RpCause.INVALID_MANDATORY_INFORMATION, 5), (b"\0\5\x0c", RpCause.INVALID_MANDATORY_INFORMATION, 5)])
def test_what_is_no_rp_message(octets: bytes, cause: RpCause, reference: int | None) -> None:
    with pytest.raises(RpFault) as caught:
        rp.decode(octets)
    assert (caught.value.cause, caught.value.reference) == (cause, reference)


@pytest.mark.parametrize(("octets", "cause"), [
    (b"", CpCause.PROTOCOL_ERROR), (b"\x07\x01", CpCause.PROTOCOL_ERROR),
    (b"\x09\x02", CpCause.MESSAGE_TYPE_NON_EXISTENT),
    (b"\x79\x01\1a", CpCause.INVALID_TRANSACTION_IDENTIFIER), (b"\x09\x01", CpCause.INVALID_MANDATORY_INFORMATION),
    (b"\x09\x01\5abc", CpCause.INVALID_MANDATORY_INFORMATION), (b"\x09\x10", CpCause.INVALID_MANDATORY_INFORMATION)])
def test_what_is_no_cp_message(octets: bytes, cause: CpCause) -> None:
    with pytest.raises(CpFault) as caught:
        cp.decode(octets)
    assert caught.value.cause == cause


@given(st.binary(max_size=200), st.booleans(), st.booleans())
@settings(max_examples=500, deadline=None)
def test_any_octets(octets: bytes, uplink: bool, error: bool) -> None:
    for read in (cp.decode, rp.decode, lambda data: tpdu.decode(data, uplink=uplink, error=error)):
        try:
            message = read(octets)
        except ProtocolError:
            continue
        ud = getattr(message, "ud", None)
        if ud is not None:
            assert isinstance(ud.text, str)
            assert ud.part is None or ud.part.number <= ud.part.total


@given(st.sampled_from(TPDUS), st.data())
@settings(max_examples=500, deadline=None)
def test_nearly_right_octets(message: tpdu.Tpdu, data: st.DataObject) -> None:
    octets = bytearray(tpdu.encode(message))
    octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(octets[: data.draw(st.integers(0, len(octets)))])
    try:
        got = tpdu.decode(cut, uplink=isinstance(message, UPLINK), error=failed(message))
    except ProtocolError:
        return
    assert getattr(got, "ud", None) is None or isinstance(got.ud.text, str)
