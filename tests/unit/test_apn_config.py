# SPDX-License-Identifier: Apache-2.0
"""[apn.<name>]: networks of both versions, what may be asked for, and overlaps that are refused."""

from ipaddress import IPv6Address, IPv6Network
from pathlib import Path

import pytest
from click.testing import CliRunner

from dialtone import wiring
from dialtone.cli.config import ula
from dialtone.config import Config, ConfigError, load
from dialtone.config_checks import pool6
from dialtone.pgw.options import servers_of


def read(path: Path, text: str) -> Config:
    (path / "dialtone.toml").write_text(text)
    return load([path / "dialtone.toml"])


def test_the_defaults_give_each_apn_half_of_the_documentation_prefix() -> None:
    internet, ims = (Config().apn[name] for name in ("internet", "ims"))
    assert str(internet.gateway6) == "2001:db8:cafe::1"
    assert str(ims.gateway6) == "2001:db8:cafe:8000::1"
    assert internet.pdn_types == ims.pdn_types == 3
    assert wiring.advertised(Config()).servers[0][1] == (IPv6Address("2001:db8:cafe::1").packed,)


@pytest.mark.parametrize(("text", "types"), [
    ('[apn.internet]\npdn_type = "ipv4"', 1),
    ('[apn.internet]\npdn_type = "ipv6"', 2),
    ('[apn.internet]\npool6 = "fd12:3456:789a::/48"', 3),
])
def test_what_phones_may_have(tmp_path: Path, text: str, types: int) -> None:
    assert read(tmp_path, text).apn["internet"].pdn_types == types


def test_an_apn_of_ones_own_has_ipv6_once_it_has_a_network(tmp_path: Path) -> None:
    apn = read(tmp_path, '[apn.corp]\npool = "10.47.0.0/16"\ndns = ["9.9.9.9", "2620:fe::fe"]').apn["corp"]
    assert (apn.pdn_types, apn.gateway6) == (1, None)
    assert [list(map(str, servers)) for servers in servers_of(apn)] == [["9.9.9.9"], ["2620:fe::fe"]]


def test_classes_of_the_outer_header(tmp_path: Path) -> None:
    changed = read(tmp_path, "[s1]\ndscp = { 1 = 12, 128 = 8 }").s1.dscp
    assert changed == Config().s1.dscp | {1: 12, 128: 8}
    assert Config().s1.dscp[1] == 46


@pytest.mark.parametrize(("text", "problem"), [
    ('[apn.corp]\npool = "10.47.0.0/16"\npool6 = "2001:db8:cafe:4000::/50"',
     r"apn.corp.pool6 2001:db8:cafe:4000::/50 overlaps apn.internet.pool6 2001:db8:cafe::/49"),
    ('[apn.corp]\npool = "10.47.0.0/16"\npdn_type = "ipv6"', r"apn.corp.pool6 is missing"),
    ('[apn.internet]\npool6 = "2001:db8::/64"', r"line 2: apn.internet.pool6 must be a network between /32 and /60"),
    ('[apn.internet]\npool6 = "10.0.0.0/8"', r"apn.internet.pool6 must be an IPv6 network"),
    ("[s1]\ndscp = { 1 = 64 }", r"s1.dscp must be a whole number from 0 to 63"),
    ("[s1]\ndscp = { voice = 46 }", r"s1.dscp must be a whole number from 1 to 254"),
    ("[s1]\ndscp = 46", r"s1.dscp must name classes"),
    ('[apn.internet]\npdn_type = "v6"', r"apn.internet.pdn_type must be one of ipv4, ipv6, ipv4v6"),
    ('[apn.internet]\ndns = ["one.one.one.one"]', r"apn.internet.dns must be an IP address"),
])
def test_what_cannot_be(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        read(tmp_path, text)


def test_networks_of_ones_own_are_new_each_time_and_fit(tmp_path: Path) -> None:
    made = [CliRunner().invoke(ula).output for _ in range(2)]
    assert made[0] != made[1]
    apns = read(tmp_path, made[0]).apn
    pools = {apn.pool6 for apn in apns.values()}
    assert len(pools) == len(apns) == 2
    assert all(pool is not None and pool.subnet_of(IPv6Network("fd00::/8")) for pool in pools)


def test_a_pool_is_checked_as_a_value_too() -> None:
    with pytest.raises(ValueError, match="IPv6 network"):
        pool6(7 << 200)
