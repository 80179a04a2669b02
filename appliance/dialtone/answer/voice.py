# SPDX-License-Identifier: Apache-2.0
"""Words and tones as coded speech; voice/recipe.sh tells how they were made."""

from collections.abc import Iterable
from functools import cache
from importlib.resources import files

from dialtone.codec.amr import Format, Frame

MODE = {"AMR": 7, "AMR-WB": 2}
"""The mode that the words are in, which a phone must be able to hear: 12.2 and 12.65 kbit/s."""
RATE = {"AMR": "12.2", "AMR-WB": "12.65"}
_ENDING = {"AMR": "amr", "AMR-WB": "awb"}


@cache
def frames(codec: str, word: str) -> tuple[Frame, ...]:
    """One word, 20 ms a frame; `codec` is AMR or AMR-WB."""
    file = files("dialtone.answer") / "voice" / f"{word}.{_ENDING[codec]}"
    return tuple(Format(codec).load(file.read_bytes()))


def spelled(text: str) -> list[str]:
    """A number, an address or a rate, character by character; what cannot be said is left out."""
    names = {"+": "plus", ".": "point", "-": "minus"}
    return [names.get(char, char) for char in text if char.isdecimal() or char in names]


def length(codec: str, words: Iterable[str]) -> float:
    """How long it takes to say them, in seconds."""
    return sum(len(frames(codec, word)) for word in words) * 0.02
