# SPDX-License-Identifier: Apache-2.0
"""[sms] of dialtone.toml: the SMS centre."""

from dataclasses import dataclass

from dialtone import config_checks as check
from dialtone.config_checks import setting

WEEK = 7 * 86400


@dataclass(frozen=True, slots=True)
class SmsConfig:
    """[sms]: the SMS centre."""

    number: str = setting("+15550100", check.phone_number, "its number, which phones know as service centre address")
    validity: int = setting(WEEK, check.number(60, 63 * WEEK), "longest time that a text waits, seconds")
    waiting: int = setting(200, check.number(1, 10_000), "so many texts may wait for one phone")
    rate: int = setting(60, check.number(1, 100_000), "so many texts may a phone send in a minute")
    sender: str = setting("Dialtone", check.text(11), "who texts of the network itself are from, name or number")
