# SPDX-License-Identifier: Apache-2.0
"""Rules of policy: flows in words, sections of the configuration, and what is wrong with them."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialtone import config
from dialtone.codec.ipfilter import FilterRule
from dialtone.codec.tft import ANY, Direction, PacketFilter, host
from dialtone.errors import LocalError, ProtocolError
from dialtone.pgw.rule import Rule, rule_of_command

BOTH = Direction.BIDIRECTIONAL
FLOW = "permit out 17 from 192.0.2.7 5000-5001 to 10.45.0.2 4000"


def test_a_flow_is_seen_from_the_phone() -> None:
    out = FilterRule.from_text(FLOW)
    into = FilterRule.from_text("permit in 17 from 10.45.0.2 4000 to 192.0.2.7 5000-5001")
    assert (out.remote, out.remote_ports) == (into.remote, into.remote_ports) == (host("192.0.2.7"), (5000, 5001))
    assert (out.local, out.local_ports) == (into.local, into.local_ports) == (host("10.45.0.2"), (4000, 4000))
    assert (out.out, into.out) == (True, False)


def test_a_packet_filter_has_no_address_of_the_phone() -> None:
    """Older phones do not know that component (TS 24.008, 10.5.6.12)."""
    assert FilterRule.from_text(FLOW).packet_filter(3, 20, BOTH) == PacketFilter(
        3, BOTH, 20, remote=host("192.0.2.7"), protocol=17, local_ports=(4000, 4000), remote_ports=(5000, 5001))


def test_everything_is_any_address() -> None:
    assert FilterRule.from_text("permit out ip from any to assigned").packet_filter(1, 1, BOTH).remote == ANY
    assert FilterRule.from_text("PERMIT  out 6 from any to any").packet_filter(1, 1, BOTH).remote is None


@pytest.mark.parametrize("text", [
    "", "deny out ip from any to any", "permit out 300 from any to any", "permit out udp from any to any",
    "permit out 17 from 192.0.2.300 to any", "permit out 17 from 192.0.2.7 9-5 to any",
    "permit out 17 from 192.0.2.7 70000 to any", "permit out 17 from 192.0.2.7 1,2 to any",
    "permit out 17 from 192.0.2.7 to 2001:db8::1", "permit out 17 from 192.0.2.7 1- to any",
    "permit out 17 from any to any established",
])  # fmt: skip
def test_what_is_no_flow(text: str) -> None:
    with pytest.raises(ProtocolError):
        FilterRule.from_text(text)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60) | st.text("permit out in from to any ip 0123456789.-:/", max_size=60))
def test_any_text(text: str) -> None:
    try:
        rule = FilterRule.from_text(text)
    except ProtocolError:
        return
    assert rule.packet_filter(1, 1, BOTH).precedence == 1


def test_precedences_are_those_that_are_free() -> None:
    flow = FilterRule.from_text(FLOW)
    rule = Rule("call", 1, (flow, flow), directions=(Direction.UPLINK, Direction.DOWNLINK))
    assert [(one.identifier, one.direction, one.precedence) for one in rule.filters({16, 18})] == [
        (1, Direction.UPLINK, 17), (2, Direction.DOWNLINK, 19)]


def load(tmp_path: Path, text: str) -> config.Config:
    file = tmp_path / "dialtone.toml"
    file.write_text(text)
    return config.load([file])


def test_a_section_of_the_configuration(tmp_path: Path) -> None:
    loaded = load(tmp_path, f"""
[policy.voice]
apn = "ims"
qci = 1
priority = 2
preemptable = false
gbr_up = 80
gbr_down = 96
mbr_down = 128
filters = ["{FLOW}"]
""")
    rule = Rule.of_config("voice", loaded.policy["voice"])
    assert rule == Rule("voice", 1, (FilterRule.from_text(FLOW),), (2, 1, 1), (128, 80), (96, 80))


@pytest.mark.parametrize(("text", "words"), [
    ("qci = 8", "policy.x has no filters"),
    ('qci = 1\nfilters = ["permit out ip from any to any"]', "policy.x has QCI 1, which needs gbr_up"),
    ('gbr_up = 1\nfilters = ["permit out ip from any to any"]', "policy.x has QCI 8, which has no gbr_up"),
    ('qci = 1\ngbr_up = 2\nmbr_up = 1\nfilters = ["permit out ip from any to any"]', "an mbr is less than its gbr"),
    ('apn = "none"\nfilters = ["permit out ip from any to any"]', "is for the APN none"),
    ('filters = ["allow all"]', "line 2: policy.x.filters has no flow in 'allow all'"),
    ("filters = []", "must be a list of 1 to 15 flows"),
    ("gbr = 1", "policy.x.gbr is not known"),
])  # fmt: skip
def test_what_the_configuration_says_of_a_wrong_one(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(config.ConfigError, match=words.replace("(", "\\(").replace(".", "\\.")):
        load(tmp_path, f"[policy.x]\n{text}\n")


@pytest.mark.parametrize(("args", "words"), [
    ({}, "The bearer has no filters"), ({"filters": ["x"]}, "filters has no flow"),
    ({"filters": [FLOW], "qci": 0}, "qci must be a whole number"),
    ({"filters": [FLOW], "qci": 1}, "needs gbr_up"), ({"filters": [FLOW], "speed": 1}, "A bearer has no 'speed'"),
])  # fmt: skip
def test_what_a_command_says_of_a_wrong_one(args: dict[str, Any], words: str) -> None:
    with pytest.raises(LocalError, match=words):
        rule_of_command({"imsi": "001010000000001", **args})
