# SPDX-License-Identifier: Apache-2.0
"""Typed values of information elements: meaning, limits, and there and back."""

from datetime import UTC, datetime, timedelta, timezone
from ipaddress import IPv4Address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nas_samples import GUTI, HOME, H

from dialtone.codec import gsm7
from dialtone.codec.nas import bitrates, capabilities, causes, identities, ies, security
from dialtone.errors import ProtocolError
from dialtone.ids import Guti, Plmn, Tai

digits = st.text("0123456789", min_size=6, max_size=15)
plmns = st.builds(lambda text: Plmn(text[:3], text[3:]), st.text("0123456789", min_size=5, max_size=6))


@settings(max_examples=60, deadline=None)
@given(digits, st.integers(0, 0xFFFF), st.integers(0, 255), st.integers(0, 0xFFFFFFFF), plmns)
def test_identities_come_back(text, group, code, number, plmn):
    imsi, guti = identities.Imsi(text), Guti(plmn, group, code, number)
    for value in (imsi, guti):
        octets = identities.encode_eps_mobile_identity(value)
        assert identities.decode_eps_mobile_identity(octets) == value
    for value in (imsi, identities.Tmsi(number), identities.Imeisv("35" + text.zfill(14)[:14])):
        again = identities.decode_mobile_identity(identities.encode_mobile_identity(value))
        assert (again, type(again)) == (value, type(value))


def test_identities_in_octets():
    """TS 24.008, 10.5.1.4: swapped half octets, the type in the first one, filler after an even number."""
    assert identities.encode_eps_mobile_identity(identities.Imsi("001010123456789")) == H("0910101032547698")
    assert identities.encode_mobile_identity(identities.Imsi("00101012345678")) == H("01101010325476f8")
    assert identities.encode_eps_mobile_identity(GUTI) == H("f600f11001027fc0ffee42")
    imeisv = identities.Imeisv("3500000000000612")
    assert identities.encode_mobile_identity(imeisv) == H("3305000000000016f2")


@pytest.mark.parametrize("octets", ["0110101032547698", "0f10", "09a01010325476f8", "f600f110", "0b0000000000000000"])
def test_wrong_identities(octets):
    with pytest.raises(ProtocolError):
        identities.decode_eps_mobile_identity(H(octets))


tais = st.builds(Tai, plmns, st.integers(0, 0xFFFF))


@settings(max_examples=60, deadline=None)
@given(st.lists(tais, min_size=1, max_size=16))
def test_tai_lists_come_back(areas):
    whole = identities.TaiList.of(*areas)
    assert identities.TaiList.from_bytes(whole.to_bytes()) == whole
    assert list(whole) == areas


def test_tai_list_of_three_parts():
    octets = H("01 00f110 0001 0007" "23 00f110 0010" "40 13f010 beef")
    parts = identities.TaiList.from_bytes(octets)
    assert [part.type for part in parts.partial_lists] == [0, 1, 2]
    assert [tai.tac for tai in parts] == [1, 7, 16, 17, 18, 19, 0xBEEF]
    assert parts.to_bytes() == octets
    assert Tai(HOME, 17) in parts


@pytest.mark.parametrize("octets", ["60 00f110 0001", "00 00f110 00", "2f 00f110 fff8", "40"])
def test_wrong_tai_lists(octets):
    with pytest.raises(ProtocolError):
        identities.TaiList.from_bytes(H(octets))


@pytest.mark.parametrize(
    ("kind", "octet", "seconds"),
    [
        (ies.GprsTimer, 0x1E, 60),  # 30 x 2 s
        (ies.GprsTimer, 0x21, 60),
        (ies.GprsTimer, 0x49, 3240),
        (ies.GprsTimer, 0x65, 300),  # unit 3: a minute
        (ies.GprsTimer, 0xE0, None),
        (ies.GprsTimer3, 0x01, 600),
        (ies.GprsTimer3, 0x22, 7200),
        (ies.GprsTimer3, 0x41, 36000),
        (ies.GprsTimer3, 0x65, 10),
        (ies.GprsTimer3, 0x83, 90),
        (ies.GprsTimer3, 0xA5, 300),
        (ies.GprsTimer3, 0xC1, 1152000),
        (ies.GprsTimer3, 0xE7, None),
    ],
)
def test_timers(kind, octet, seconds):
    assert kind(octet).seconds == seconds
    if seconds is not None:
        assert kind.of(seconds).seconds == seconds


def test_timers_that_no_octet_holds():
    for kind in (ies.GprsTimer, ies.GprsTimer3):
        assert kind.of(None).seconds is None
        with pytest.raises(ValueError, match="exactly"):
            kind.of(63)
    assert repr(ies.GprsTimer.of(3240)) == "GprsTimer(3240 s)"


# --- capabilities --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("network", "gprs", "replayed"),
    [
        ("e0e0", None, "e0e0"),
        ("f0f0c0c0", None, "f0f0c040"),  # UCS2 is not replayed
        ("f0f0000011", None, "f0f0"),  # no algorithm of UTRAN: no octets of it
        ("f070004019", "e5e03e", "f070004070"),
        ("f0f0", "e5e03e", "f0f0000070"),  # GERAN only: zeros for UTRAN
        ("f0f00000", "65003e", "f0f0"),
    ],
)
def test_security_capability_to_replay(network, gprs, replayed):
    built = capabilities.security_capability_of(H(network), H(gprs) if gprs else None)
    assert built == H(replayed)
    assert built.eea == capabilities.UENetworkCapability(H(network)).eea


def test_views_of_capabilities():
    capability = capabilities.UENetworkCapability(H("a060ffff7fff3f"))
    assert capability.eea == frozenset({0, 2})
    assert capability.eia == frozenset({1, 2})
    assert capability.n1_mode
    assert capability.dcnr
    assert not capabilities.UENetworkCapability(H("f0f0")).dcnr
    status = capabilities.EPSBearerContextStatus.of({5, 6, 15})
    assert status == H("6080")
    assert status.active == {5, 6, 15}
    support = capabilities.EPSNetworkFeatureSupport.of(ims_vops=True, restrict_dcnr=True)
    assert (support, support.ims_vops, support.emc_bs, support.restrict_dcnr) == (H("0180"), True, False, True)
    assert ies.NasSecurityAlgorithms.of(2, 1) == 0x21
    assert (ies.NasSecurityAlgorithms(0x12).ciphering, ies.NasSecurityAlgorithms(0x12).integrity) == (1, 2)


# --- names, times --------------------------------------------------------------------------------------


@settings(max_examples=80, deadline=None)
@given(st.text(gsm7.ALPHABET.replace("\x1b", "") + "^{}\\[~]|€", min_size=1, max_size=40))
def test_packed_text_comes_back(text):
    assert gsm7.unpack(*gsm7.pack(text)) == text


def test_packed_text_in_octets():
    assert gsm7.pack("hellohello") == (H("e8329bfd4697d9ec37"), 2)
    assert len(gsm7.ALPHABET) == 128 == len(set(gsm7.ALPHABET))
    assert gsm7.unpack(H("1b00"), 2) == "@"  # an extension that is not defined


@settings(max_examples=50, deadline=None)
@given(st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=("Cs",)), min_size=1, max_size=20), st.booleans())
def test_network_names_come_back(text, initials):
    name = ies.NetworkName.of(text)
    name.add_country_initials = initials
    assert ies.NetworkName.from_bytes(name.to_bytes()) == name


@pytest.mark.parametrize("octets", ["a061", "90d800"])
def test_wrong_names(octets):
    with pytest.raises(ProtocolError):
        ies.NetworkName.from_bytes(H(octets))


@pytest.mark.parametrize(("octet", "minutes"), [("80", 120), ("4a", -360), ("00", 0), ("71", 255), ("0a", -300)])
def test_time_zones(octet, minutes):
    assert ies.decode_time_zone(H(octet)) == timedelta(minutes=minutes)
    assert ies.encode_time_zone(timedelta(minutes=minutes)) == H(octet)


def test_universal_time():
    """2020-04-17 08:00:57 UTC in central Europe's summer."""
    local = datetime(2020, 4, 17, 10, 0, 57, tzinfo=timezone(timedelta(hours=2)))
    assert ies.encode_time(local) == H("02407180007580")
    assert ies.decode_time(H("02407180007580")) == local
    assert ies.decode_time(H("02407180007580")).utcoffset() == timedelta(hours=2)
    for octets in ("02c07180007580", "02310380007580", "02407142007580"):
        with pytest.raises(ProtocolError):
            ies.decode_time(H(octets))
    for moment in (datetime(1999, 1, 1, tzinfo=UTC), datetime(2020, 1, 1)):
        with pytest.raises(ValueError, match=r"between|zone"):
            ies.encode_time(moment)


# --- PDN -----------------------------------------------------------------------------------------------


def test_access_point_names():
    assert ies.encode_apn("ims.mnc001.mcc001.gprs") == H("03696d73066d6e63303031066d63633030310467707273")
    assert ies.decode_apn(H("03494d53")) == "IMS"
    for octets in ("04696d73", "00", "0369ff73", "03692e73"):
        with pytest.raises(ProtocolError):
            ies.decode_apn(H(octets))


@pytest.mark.parametrize(
    ("octets", "address"),
    [
        ("010a2d0002", ies.PdnAddress(1, IPv4Address("10.45.0.2"))),
        ("020102030405060708", ies.PdnAddress(2, None, bytes(range(1, 9)))),
        ("0301020304050607080a2d0002", ies.PdnAddress(3, IPv4Address("10.45.0.2"), bytes(range(1, 9)))),
        ("0500000000", ies.PdnAddress(5)),
    ],
)
def test_pdn_addresses(octets, address):
    assert ies.PdnAddress.from_bytes(H(octets)) == address
    assert address.to_bytes() == H(octets)


def test_wrong_pdn_addresses():
    for octets in ("0401020304", "020a2d0002"):
        with pytest.raises(ProtocolError):
            ies.PdnAddress.from_bytes(H(octets))
    with pytest.raises(ValueError, match="addresses"):
        ies.PdnAddress(3, IPv4Address("10.45.0.2")).to_bytes()


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 60_000_000), st.integers(1, 9_000_000))
def test_bit_rates_round_down_a_little(downlink, uplink):
    ambr = bitrates.ApnAmbr.of(downlink, uplink)
    assert 0 <= downlink - ambr.downlink <= max(63, downlink // 10)
    assert 0 <= uplink - ambr.uplink <= max(63, uplink // 10)
    assert bitrates.ApnAmbr.of(ambr.downlink, ambr.uplink) == ambr
    qos = bitrates.EpsQos.of(1, uplink, uplink, uplink, uplink)
    assert 0 <= uplink - qos.gbr_downlink <= max(63, uplink // 10)
    assert len(qos) in (5, 9, 13)


def test_qos_of_voice():
    """AMR-WB 12.65 with RTP, UDP and IP: 41 kbit/s; below 64 every rate has a code."""
    assert bitrates.EpsQos.of(1, 41, 41, 41, 41) == H("0129292929")
    assert bitrates.EpsQos.of(9) == H("09")
    assert bitrates.EpsQos(H("09")).mbr_uplink == 0


# --- security header, causes ---------------------------------------------------------------------------


def test_security_header():
    cover = security.split(H("27d018af9a0f0201d9"))
    assert cover == (2, H("d018af9a"), 15, H("0201d9"))
    assert cover.ciphered
    assert security.join(*cover) == H("27d018af9a0f0201d9")
    assert security.split(H("0752")) == (0, b"", 0, H("0752"))
    assert security.split(H("520100")).header_type == 0
    short = security.split(H("c771beef"))
    assert (short.header_type, short.mac, short.sequence_number) == (12, H("beef"), 17)
    for octets in ("", "07", "17010203040 5".replace(" ", ""), "c771be", "6700000000000000", "0900"):
        with pytest.raises(ProtocolError):
            security.split(H(octets))


def test_names_of_causes():
    assert causes.cause_name(causes.EmmCause, 2) == "#2 IMSI unknown in HSS"
    assert causes.cause_name(causes.EmmCause, 15) == "#15 No suitable cells in tracking area"
    assert causes.cause_name(causes.EsmCause, 50) == "#50 PDN type IPv4 only allowed"
    assert causes.cause_name(causes.EsmCause, 7) == "#7"
