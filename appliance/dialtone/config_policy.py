# SPDX-License-Identifier: Apache-2.0
"""[policy.<name>] of dialtone.toml: a dedicated bearer that every connection to an APN gets.

    [policy.games]
    apn = "internet"
    qci = 3
    gbr_up = 64                 # kbit/s; of a class without guaranteed rate leave them out
    gbr_down = 64
    filters = ["permit out 17 from 198.51.100.0/24 3074 to assigned"]
"""

from dataclasses import dataclass
from typing import Any

from dialtone import config_checks as check
from dialtone.codec.ipfilter import FilterRule
from dialtone.config_checks import setting
from dialtone.errors import ProtocolError
from dialtone.qci import GBR

HIGHEST = 10_000_000  # kbit/s (TS 36.413, 9.2.1.19)
MOST_FILTERS = 15  # of a TFT (TS 24.008, 10.5.6.12)


def filters(value: Any) -> tuple[str, ...]:
    """Flows as IPFilterRules (RFC 6733, 4.3.1)."""
    if not isinstance(value, list) or not value or len(value) > MOST_FILTERS or not all(
            isinstance(text, str) for text in value):
        raise ValueError('must be a list of 1 to 15 flows, such as ["permit out 17 from 192.0.2.7 5000 to assigned"]')
    for text in value:
        try:
            FilterRule.from_text(text)
        except ProtocolError as error:
            raise ValueError(f"has no flow in {error}, which cannot be") from None
    return tuple(value)


@dataclass(frozen=True, slots=True)
class PolicyConfig:
    """[policy.<name>]: one dedicated bearer; rates in kbit/s."""

    apn: str = setting("internet", check.text(100), "the APN")
    qci: int = setting(8, check.number(1, 254), "QoS class of the bearer")
    priority: int = setting(8, check.number(1, 15), "allocation and retention priority, 1 is the highest")
    may_preempt: bool = setting(False, check.flag, "may take resources from others")
    preemptable: bool = setting(True, check.flag, "others may take its resources")
    gbr_up: int = setting(0, check.number(0, HIGHEST), "guaranteed from the phone, kbit/s; classes 1 to 4 need it")
    gbr_down: int = setting(0, check.number(0, HIGHEST), "guaranteed to the phone, kbit/s")
    mbr_up: int = setting(0, check.number(0, HIGHEST), "at most from the phone, kbit/s; as guaranteed when 0")
    mbr_down: int = setting(0, check.number(0, HIGHEST), "at most to the phone, kbit/s; as guaranteed when 0")
    filters: tuple[str, ...] = setting((), filters, "flows that the bearer carries, as IPFilterRules")

    def problem(self) -> str:
        """What is wrong with the whole of it, empty for nothing."""
        if not self.filters:
            return "has no filters: say which flows the bearer is for"
        if (self.qci in GBR) != bool(self.gbr_up or self.gbr_down):
            return f"has QCI {self.qci}, which {'needs' if self.qci in GBR else 'has no'} gbr_up and gbr_down"
        if max(self.mbr_up, self.gbr_up) != (self.mbr_up or self.gbr_up) or (
                max(self.mbr_down, self.gbr_down) != (self.mbr_down or self.gbr_down)):
            return "guarantees more than it allows: an mbr is less than its gbr"
        return ""
