# SPDX-License-Identifier: Apache-2.0
"""The carriers of texts in the order in which they are tried (TS 23.204, 6.5a): IP first, then NAS."""

from collections.abc import Callable
from typing import NamedTuple

from dialtone.dispatch import Rx
from dialtone.effects import Effects
from dialtone.sms.element import Sms
from dialtone.sms.text import Text


class Path(NamedTuple):
    """A carrier: whether it may reach a phone now, and how it is handed a text with its TPDU; whether more wait."""

    name: str
    reaches: Callable[[Sms, str, float], bool]
    send: Callable[[Sms, Text, bytes, bool, Rx], Effects]


ORDER: dict[str, int] = {"IP": 0, "NAS": 1}
PATHS: dict[str, Path] = {}


def register(path: Path) -> None:
    """Each carrier names itself."""
    PATHS[path.name] = path


def after(sms: Sms, imsi: str, tried: str, now: float) -> Path | None:
    """The first that may reach the phone, of those behind the one that was `tried` last."""
    behind = ORDER.get(tried, -1)
    fit = [path for name, path in PATHS.items() if ORDER[name] > behind and path.reaches(sms, imsi, now)]
    return min(fit, key=lambda path: ORDER[path.name], default=None)
