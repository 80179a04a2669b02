# SPDX-License-Identifier: Apache-2.0
"""What each number says. A script is a list of words; `@name` stands for a figure that is known when its turn comes."""

import re
from dataclasses import dataclass

from dialtone.answer.offer import Agreed
from dialtone.answer.voice import RATE, spelled

_CELL = re.compile(r"utran-cell-id-3gpp=\"?\d{5,6}([0-9a-f]{4})([0-9a-f]{7})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Caller:
    """What the network tells of who calls: the number, and P-Access-Network-Info."""

    number: str = ""
    access: str = ""


@dataclass(frozen=True, slots=True)
class Script:
    """`words` one after the other, then again from `loop` on where that is not None. `echo` sends back what it hears
    as soon as the words are said."""

    words: tuple[str, ...]
    loop: int | None = None
    echo: bool = False


def script(service: str, agreed: Agreed, caller: Caller) -> Script | None:
    """What a service does; None where there is no such service."""
    match service:
        case "echo":
            return Script(("welcome", "echo"), echo=True)
        case "tone":
            return Script(("dialtone",), loop=0)
        case "info":
            return Script(("welcome", "silence", *_known(agreed, caller), "silence", "goodbye"))
        case "sos":
            return Script(("emergency", "silence", "silence"), loop=0)
    return None


def _known(agreed: Agreed, caller: Caller) -> list[str]:
    """What the network knows of the call."""
    codec = agreed.format.name
    cell = _CELL.search(caller.access)
    words = ["your_number", *(spelled(caller.number) or ["unknown"]), "silence",
             "your_address", *(spelled(agreed.address) or ["unknown"]), "silence",
             "your_codec", "wide_band" if codec == "AMR-WB" else "narrow_band", *spelled(RATE[codec]), "bits",
             "silence"]
    if cell is not None:
        words += ["cell", *spelled(str(int(cell[2], 16))), "silence"]
    return [*words, "received", "@received", "silence", "lost", "@lost", "silence", "jitter", "@jitter", "milliseconds"]
