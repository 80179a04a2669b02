# SPDX-License-Identifier: Apache-2.0
"""Protocol configuration options: what handsets ask, what networks answer, and what is wrong."""

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialtone.codec import pco
from dialtone.codec.pco import Id, PppPacket
from dialtone.codec.pco import ProtocolConfigurationOptions as Pco
from dialtone.errors import ProtocolError

H = bytes.fromhex

# A handset's request for the PDN ims and an answer to it, with IPv6 addresses from the documentation prefix.
ASKED = H(
    "80 8021 10 01000010 8106 00000000 8306 00000000"
    "000d00 000300 000100 000c00 000200 000a00 000500 001000 001100"
)
ANSWERED = H(
    "80 8021 10 02000010 8106 0a2e0001 8306 08080808 000d04 0a2e0001 000d04 08080808"
    "0003 10 20010db8000000000000000000000053 0001 10 20010db8000000000000000000005060"
    "000c04 0a2e0001 001002 0578"
)


def test_what_a_handset_asks():
    asked = Pco.of_ue(ASKED)
    assert asked.to_bytes() == ASKED
    assert [number for number, _ in asked.containers] == [
        Id.IPCP, Id.DNS_IPV4, Id.DNS_IPV6, Id.P_CSCF_IPV6, Id.P_CSCF_IPV4, Id.IM_CN_SIGNALLING_FLAG,
        Id.IPV4_VIA_NAS, Id.BEARER_CONTROL_MODE, Id.IPV4_LINK_MTU, Id.LOCAL_ADDRESS_IN_TFT,
    ]  # fmt: skip
    assert asked.asks_for(Id.P_CSCF_IPV4)
    assert not asked.asks_for(Id.P_CSCF_RESELECTION)
    assert asked.p_cscf_ipv4 == []
    assert asked.ipv4_link_mtu is None
    assert asked.ipcp.code == pco.CONFIGURE_REQUEST
    assert asked.ipcp.options == [(pco.PRIMARY_DNS, bytes(4)), (pco.SECONDARY_DNS, bytes(4))]


def test_what_a_network_answers():
    answer = Pco.of_network(ANSWERED)
    assert answer.to_bytes() == ANSWERED
    assert answer.dns_ipv4 == [IPv4Address("10.46.0.1"), IPv4Address("8.8.8.8")]
    assert answer.dns_ipv6 == [IPv6Address("2001:db8::53")]
    assert answer.p_cscf_ipv4 == [IPv4Address("10.46.0.1")]
    assert answer.p_cscf_ipv6 == [IPv6Address("2001:db8::5060")]
    assert answer.ipv4_link_mtu == 1400
    built = Pco().add(
        Id.IPCP,
        PppPacket.of_options(
            pco.CONFIGURE_ACK, 0, [(pco.PRIMARY_DNS, H("0a2e0001")), (pco.SECONDARY_DNS, H("08080808"))]
        ).to_bytes(),
    )
    built.add(Id.DNS_IPV4, H("0a2e0001")).add(Id.DNS_IPV4, H("08080808"))
    built.add(Id.DNS_IPV6, IPv6Address("2001:db8::53").packed)
    built.add(Id.P_CSCF_IPV6, IPv6Address("2001:db8::5060").packed)
    built.add(Id.P_CSCF_IPV4, H("0a2e0001")).add(Id.IPV4_LINK_MTU, H("0578"))
    assert built == answer


def test_an_address_of_another_length_is_no_address():
    answer = Pco.of_network(H("80 000c02 0a2e 000c04 0a2e0001 001001 05"))
    assert answer.p_cscf_ipv4 == [IPv4Address("10.46.0.1")]
    assert answer.ipv4_link_mtu is None


def test_containers_whose_length_has_two_octets():
    """QoS rules of a network that serves 5G too; the same id of a UE is an empty flag."""
    octets = H("80 0023 0003 010203 000d04 0a2d0001")
    answer = Pco.of_network(octets)
    assert answer.containers == [(0x23, H("010203")), (Id.DNS_IPV4, H("0a2d0001"))]
    assert answer.to_bytes() == octets
    asked = Pco.of_ue(H("80 002300 002400 000d00"))
    assert [number for number, _ in asked.containers] == [0x23, 0x24, 0xD]
    assert asked.to_bytes() == H("80 002300 002400 000d00")


@pytest.mark.parametrize("octets", ["", "80 00", "80 000c", "80 000c04 0a2e00", "80 0041 00", "80 000d00 8021 10 01"])
def test_cut_lists(octets):
    with pytest.raises(ProtocolError):
        Pco.of_ue(H(octets))


def test_ppp_packets():
    pap = PppPacket(1, 7, b"\x04user\x04pass")
    assert PppPacket.from_bytes(pap.to_bytes() + b"padding") == pap
    for octets in ("01", "01000003", "0100ffff"):
        with pytest.raises(ProtocolError):
            PppPacket.from_bytes(H(octets))
    for data in ("81", "8101", "8106 0000"):
        with pytest.raises(ProtocolError):
            assert PppPacket(1, 0, H(data)).options is None
    assert Pco([(Id.IPCP, H("0100ffff"))]).ipcp is None


containers = st.lists(st.tuples(st.integers(0, 0xFFFF), st.binary(max_size=20)), max_size=8)


@settings(max_examples=80, deadline=None)
@given(containers, st.integers(0, 7), st.booleans())
def test_lists_come_back(items, protocol, from_network):
    options = Pco(items, protocol, from_network)
    read = Pco.of_network if from_network else Pco.of_ue
    assert read(options.to_bytes()) == options


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=40))
def test_any_octets(octets):
    for read in (Pco.of_ue, Pco.of_network):
        try:
            options = read(octets)
        except ProtocolError:
            continue
        assert read(options.to_bytes()) == options
        assert isinstance(options.p_cscf_ipv4 + options.dns_ipv4, list)
        assert options.ipcp is None or options.ipcp.code < 256
