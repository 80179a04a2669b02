# SPDX-License-Identifier: Apache-2.0
"""IPv4, IPv6 and both: what a phone asks, what its subscription allows, what the gateway has (TS 23.401, 5.3.1.1)."""

from collections.abc import Callable
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address, IPv6Network

import pytest
from network import NOTHING, ONE_TRY, Network, imsi_of

from dialtone.codec import gtpu, nas
from dialtone.codec.nas import ActivateDefaultEPSBearerContextRequest
from dialtone.config import Config
from dialtone.control import Args
from dialtone.datapath import router
from dialtone.hss.subscriber import Apn, Profile
from dialtone.hss.writes import PutProfile

Make = Callable[..., Network]
V4, V6, BOTH = 1, 2, 3
POOL6 = Config().apn["internet"].pool6
assert POOL6 is not None
PEER = ("10.0.1.134", 2152)


def made(make_network: Make, asked: int, subscribed: str = "IPv4v6", has: str = "ipv4v6") -> Network:
    apns = {name: replace(apn, pdn_type=has) for name, apn in Config().apn.items()}
    net = make_network(config=replace(Config(), apn=apns), handset=replace(ONE_TRY, pdn_type=asked))
    net.submit((PutProfile(Profile("default", (Apn("internet", subscribed),))),), lambda error: None)
    net.attach()
    return net


def given(net: Network) -> ActivateDefaultEPSBearerContextRequest:
    accept = net.nas("Attach accept")
    assert isinstance(accept, nas.AttachAccept)
    inner = nas.decode(accept.esm_message_container, downlink=True)
    assert isinstance(inner, ActivateDefaultEPSBearerContextRequest)
    return inner


@pytest.mark.parametrize(("asked", "subscribed", "has", "got", "cause"), [
    (V4, "IPv4v6", "ipv4v6", V4, None),
    (V6, "IPv4v6", "ipv4v6", V6, None),
    (BOTH, "IPv4v6", "ipv4v6", BOTH, None),
    (BOTH, "IPv4", "ipv4v6", V4, 50),
    (BOTH, "IPv6", "ipv4v6", V6, 51),
    (BOTH, "IPv4_OR_IPv6", "ipv4v6", V4, 52),
    (V6, "IPv4_OR_IPv6", "ipv4v6", V6, None),
    (BOTH, "IPv4v6", "ipv4", V4, 50),
    (BOTH, "IPv4v6", "ipv6", V6, 51),
    (V6, "IPv6", "ipv6", V6, None),
    (4, "IPv4v6", "ipv4v6", V6, None),
])
def test_the_type_granted(make_network: Make, asked: int, subscribed: str, has: str, got: int,
                          cause: int | None) -> None:
    net = made(make_network, asked, subscribed, has)
    inner = given(net)
    assert (inner.pdn_address.pdn_type, inner.esm_cause) == (got, cause)
    assert (inner.pdn_address.ipv4 is not None) == bool(got & V4)
    assert (inner.pdn_address.interface_identifier is not None) == bool(got & V6)
    (pdn,) = net.phones[imsi_of(1)].pdns.values()
    assert (pdn.address is not None, len(pdn.identifier), pdn.cause) == (bool(got & V4), 8 if got & V6 else 0, cause)
    net.detach()
    assert net.leaks() == NOTHING


@pytest.mark.parametrize(("asked", "subscribed", "has", "cause", "text"), [
    (V6, "IPv4", "ipv4v6", 50, "the phone wants IPv6, and APN internet has IPv4 only: set its APN to IPv4 or IPv4v6"),
    (V4, "IPv6", "ipv4v6", 51, "the phone wants IPv4, and APN internet has IPv6 only: set its APN to IPv6 or IPv4v6"),
    (V6, "IPv4v6", "ipv4", 50, "the phone wants IPv6, and APN internet has IPv4 only"),
    (V4, "IPv4v6", "ipv6", 51, "the phone wants IPv4, and APN internet has IPv6 only"),
    (BOTH, "IPv4", "ipv6", 51, "the phone wants IPv4, and APN internet has IPv6 only"),
    (5, "IPv4v6", "ipv4v6", 28, "the phone wants PDN type 5, which is not IP"),
])
def test_a_type_that_is_not_to_be_had(make_network: Make, asked: int, subscribed: str, has: str, cause: int,
                                      text: str) -> None:
    net = made(make_network, asked, subscribed, has)
    phone = net.phones[imsi_of(1)]
    assert phone.esm_failure == cause
    assert any(text in said for said in net.verdicts())
    assert net.leaks() == NOTHING


def test_the_phones_name_servers_and_p_cscf_are_of_its_type(make_network: Make) -> None:
    apns = Config().apn
    gateways = {V4: (apns["internet"].gateway, apns["ims"].gateway),
                V6: (apns["internet"].gateway6, apns["ims"].gateway6)}
    for asked in (V4, V6, BOTH):
        (pdn,) = made(make_network, asked).phones[imsi_of(1)].pdns.values()
        wanted = [gateways[version] for version in (V4, V6) if asked & version]
        assert pdn.dns == tuple(dns for dns, _ in wanted)
        assert pdn.p_cscf == tuple(p_cscf for _, p_cscf in wanted)


def advertised(net: Network) -> tuple[IPv6Network, bytes]:
    """The prefix in the last packet that the gateway sent of its own accord, and the packet."""
    message = gtpu.decode(net.delivered[-1][0])
    assert isinstance(message, gtpu.GPdu)
    packet = message.payload
    assert packet[40] == router.ROUTER_ADVERTISEMENT
    return IPv6Network((packet[72:88], 64)), packet


def test_each_phone_has_a_64_and_hears_of_it(make_network: Make) -> None:
    net = make_network(phones=2, handset=replace(ONE_TRY, pdn_type=V6))
    prefixes = []
    for number in (1, 2):
        phone = net.attach(imsi_of(number))
        (pdn,) = phone.pdns.values()
        prefix, packet = advertised(net)
        prefixes.append(prefix)
        assert prefix.subnet_of(POOL6)
        assert POOL6[1] not in prefix
        (bearer,) = [bearer for bearer in net.forwarder.bearers.values() if bearer.session.imsi == imsi_of(number)]
        link_local = bytes.fromhex("fe80000000000000") + pdn.identifier
        out = net.forwarder.uplink(gtpu.gpdu(bearer.teid, router.solicitation(link_local)), PEER, net.now)
        assert isinstance(out, tuple)
        answer = gtpu.decode(out[0])
        assert isinstance(answer, gtpu.GPdu)
        assert answer.payload[24:40] == link_local  # asked in person, answered in person
        assert answer.payload[40] == router.ROUTER_ADVERTISEMENT
        assert answer.payload[72:88] == packet[72:88]
    assert prefixes[0] != prefixes[1]
    assert f"internet {prefixes[0]}" in net.verdicts()[1]


def test_a_prefix_just_given_back_rests(make_network: Make) -> None:
    net = make_network(handset=replace(ONE_TRY, pdn_type=V6))
    seen = set()
    for _ in range(3):
        net.attach()
        seen.add(advertised(net)[0])
        net.detach()
    assert len(seen) == 3


def test_fixed_addresses_of_a_subscriber(make_network: Make) -> None:
    net = make_network(phones=2)
    net.add_subscriber(imsi_of(1), overwrite=True, address="internet=10.45.9.9")
    for _ in range(2):  # its own again, and again
        (pdn,) = net.attach().pdns.values()
        assert pdn.address == IPv4Address("10.45.9.9")
        net.detach()
    net.add_subscriber(imsi_of(1), overwrite=True, address="")
    (pdn,) = net.attach().pdns.values()
    assert pdn.address == IPv4Address("10.45.0.2")  # any, from now on
    net.add_subscriber(imsi_of(2), overwrite=True, address="internet=10.45.0.2")
    net.attach(imsi_of(2))
    assert "GTP cause 73" in net.verdicts()[-1]  # the other one has it just now
    assert net.phones[imsi_of(2)].esm_failure == 26
    net.detach()
    (pdn,) = net.attach(imsi_of(2)).pdns.values()
    assert pdn.address == IPv4Address("10.45.0.2")
    net.detach(imsi_of(2))
    net.add_subscriber(imsi_of(2), overwrite=True, address="internet=10.99.0.1")
    net.attach(imsi_of(2))
    assert "GTP cause 94" in net.verdicts()[-1]  # no address of this APN
    assert net.leaks() == NOTHING


def test_a_fixed_prefix_of_a_subscriber(make_network: Make) -> None:
    net = make_network(phones=2, handset=replace(ONE_TRY, pdn_type=BOTH))
    own = IPv6Network("2001:db8:cafe:9::/64")
    net.add_subscriber(imsi_of(2), overwrite=True, address=f"internet={own} internet=10.45.9.9")
    for phone in (imsi_of(1), imsi_of(2), imsi_of(2)):
        (pdn,) = net.attach(phone).pdns.values()
        assert (advertised(net)[0] == own, pdn.address == IPv4Address("10.45.9.9")) == (phone == imsi_of(2),) * 2
        net.detach(phone)
    assert net.leaks() == NOTHING


def test_the_phones_ambr_reaches_the_user_plane(make_network: Make) -> None:
    net = make_network()
    net.submit((PutProfile(Profile("default", (Apn("internet", ambr_dl=5_000_000, ambr_ul=1_000_000),))),),
               lambda error: None)
    net.attach()
    (bearer,) = net.commands.ues(Args())[0]["bearers"]
    assert bearer["ambr"] == (5000, 1000)
    assert (bearer["mbr"], bearer["filters"]) == ((0, 0), [])


def test_the_interface_identifier_is_never_the_gateways(make_network: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    net = make_network(handset=replace(ONE_TRY, pdn_type=V6))
    addresses = net.core.pgw.addresses["internet"]
    octets = iter([bytes(8), bytes(7) + b"\1", bytes(7) + b"\2"])
    monkeypatch.setattr(addresses, "_random", lambda count: next(octets))
    (pdn,) = net.attach().pdns.values()
    assert IPv6Address(bytes(8) + pdn.identifier) == IPv6Address("::2")
