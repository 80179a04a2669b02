# SPDX-License-Identifier: Apache-2.0
"""Our messages to the kernel's IPsec beside those that pyroute2 makes: it lacks the family, so its classes stand here,
written as it writes its own (linux/xfrm.h)."""

import socket
from ipaddress import ip_address
from typing import Any

import pytest
from pyroute2.netlink import nla, nlmsg

from dialtone.crypto.ipsec_keys import ENCRYPTION, INTEGRITY, End, SaSet
from dialtone.kernel import xfrm

CK, IK = bytes(range(16)), bytes(range(16, 32))
FOREVER = 0xFFFFFFFFFFFFFFFF


SELECTOR = (
    ("sel_daddr", "16s"), ("sel_saddr", "16s"), ("sel_dport", ">H"), ("sel_dport_mask", ">H"), ("sel_sport", ">H"),
    ("sel_sport_mask", ">H"), ("sel_family", "H"), ("sel_prefixlen_d", "B"), ("sel_prefixlen_s", "B"),
    ("sel_proto", "B"), ("__pad1", "3x"), ("sel_ifindex", "i"), ("sel_user", "I"))
LIFETIMES = tuple((f"lft_{name}", "Q") for name in (
    "soft_byte", "hard_byte", "soft_packet", "hard_packet", "soft_add", "hard_add", "soft_use", "hard_use"))
COUNTERS = tuple((f"curlft_{name}", "Q") for name in ("bytes", "packets", "add_time", "use_time"))


class algorithm(nla):
    """struct xfrm_algo, before its key."""

    fields = (("name", "64s"), ("key_len", "I"))


class algorithm_auth(nla):
    """struct xfrm_algo_auth, before its key."""

    fields = (("name", "64s"), ("key_len", "I"), ("trunc_len", "I"))


class template(nla):
    """struct xfrm_user_tmpl."""

    fields = (("daddr", "16s"), ("spi", ">I"), ("proto", "B"), ("__pad1", "3x"), ("family", "H"), ("__pad2", "2x"),
              ("saddr", "16s"), ("reqid", "I"), ("mode", "B"), ("share", "B"), ("optional", "B"), ("__pad3", "x"),
              ("aalgos", "I"), ("ealgos", "I"), ("calgos", "I"))


class usersa(nlmsg):
    """struct xfrm_usersa_info with its attributes."""

    fields = (*SELECTOR, ("daddr", "16s"), ("spi", ">I"), ("proto", "B"), ("__pad2", "3x"), ("saddr", "16s"),
              *LIFETIMES, *COUNTERS, ("replay_window_errors", "I"), ("replay_errors", "I"), ("integrity_failed", "I"),
              ("seq", "I"), ("reqid", "I"), ("family", "H"), ("mode", "B"), ("replay_window", "B"), ("sa_flags", "B"),
              ("__pad3", "7x"))
    nla_map = ((2, "XFRMA_ALG_CRYPT", "algorithm"), (20, "XFRMA_ALG_AUTH_TRUNC", "algorithm_auth"))
    algorithm, algorithm_auth = algorithm, algorithm_auth


class userpolicy(nlmsg):
    """struct xfrm_userpolicy_info with its template."""

    fields = (*SELECTOR, *LIFETIMES, *COUNTERS, ("priority", "I"), ("index", "I"), ("dir", "B"), ("action", "B"),
              ("policy_flags", "B"), ("share", "B"), ("__pad2", "4x"))
    nla_map = ((5, "XFRMA_TMPL", "template"),)
    template = template


def read(kind: type[nlmsg], data: bytes) -> Any:
    message = kind(data)
    message.decode()
    return message


@pytest.fixture(params=["10.46.0.{}", "2001:db8:cafe:8000::{}"], ids=["IPv4", "IPv6"])
def ends(request: pytest.FixtureRequest) -> tuple[End, End]:
    return (End(request.param.format(2), 6200, 6300, 1001, 1002), End(request.param.format(1), 6101, 6100, 2001, 2002))


def octets(address: str) -> bytes:
    return ip_address(address).packed.ljust(16, b"\0")


@pytest.mark.parametrize("alg", INTEGRITY)
@pytest.mark.parametrize("ealg", ENCRYPTION)
def test_an_sa(ends: tuple[End, End], alg: str, ealg: str) -> None:
    sas = SaSet.make(*ends, alg, ealg, CK, IK)
    for sa in sas.sas():
        message = read(usersa, xfrm.new_sa(sa, alg, sas.integrity, ealg, sas.encryption, 3600))
        assert message["header"]["type"] == 0x10
        assert (message["daddr"], message["spi"], message["proto"]) == (octets(sa.destination), sa.spi, 50)
        assert (message["saddr"], message["mode"], message["replay_window"]) == (octets(sa.source), 0, 32)
        assert (message["sel_dport"], message["sel_dport_mask"], message["sel_sport"], message["sel_sport_mask"]) == (
            sa.destination_port, 0xFFFF, sa.source_port, 0xFFFF)
        assert message["sel_proto"] == 0  # UDP and TCP alike
        version = ip_address(sa.source).version
        assert message["family"] == message["sel_family"] == {4: socket.AF_INET, 6: socket.AF_INET6}[version]
        assert message["sel_prefixlen_d"] == message["sel_prefixlen_s"] == {4: 32, 6: 128}[version]
        assert (message["lft_hard_add"], message["lft_hard_byte"], message["lft_soft_add"]) == (3600, FOREVER, 0)
        crypt, auth = message.get_attr("XFRMA_ALG_CRYPT"), message.get_attr("XFRMA_ALG_AUTH_TRUNC")
        assert crypt["name"].rstrip(b"\0").decode() == xfrm.ENCRYPTION[ealg]
        assert crypt["key_len"] == 8 * len(sas.encryption)
        assert auth["name"].rstrip(b"\0").decode() == xfrm.INTEGRITY[alg]
        assert (auth["key_len"], auth["trunc_len"]) == (8 * len(sas.integrity), 96)


def test_policies(ends: tuple[End, End]) -> None:
    sas = SaSet.make(*ends, "hmac-sha-1-96", "aes-cbc", CK, IK)
    for sa in sas.sas():
        message = read(userpolicy, xfrm.send_by(sa, 1000))
        assert (message["dir"], message["action"], message["priority"]) == (1, 0, 1000)
        tmpl = message.get_attr("XFRMA_TMPL")
        assert (tmpl["daddr"], tmpl["spi"], tmpl["proto"], tmpl["mode"], tmpl["optional"]) == (
            octets(sa.destination), sa.spi, 50, 0, 0)
        assert tmpl["aalgos"] == tmpl["ealgos"] == 0xFFFFFFFF
    inwards, outwards = (read(userpolicy, data) for data in xfrm.only_esp(ends[1].address, 6100, 5000))
    assert (inwards["dir"], inwards["action"], inwards["sel_dport"], inwards["sel_sport_mask"]) == (0, 0, 6100, 0)
    assert inwards.get_attr("XFRMA_TMPL")["spi"] == 0
    assert (outwards["dir"], outwards["action"], outwards["sel_sport"]) == (1, 1, 6100)
    assert outwards.get_attr("XFRMA_TMPL") is None
    assert inwards["sel_daddr"] == outwards["sel_saddr"] == octets(ends[1].address)
