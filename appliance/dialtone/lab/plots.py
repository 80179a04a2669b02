# SPDX-License-Identifier: Apache-2.0
"""Pictures of several notebooks, drawn by matplotlib."""

from collections.abc import Sequence
from typing import Any

from dialtone.lab.show import Picture, picture


def associations(rows: Sequence[dict[str, Any]], phone: str) -> Picture:
    """The security associations of a set as arrows between the ports of the phone's address and the network's."""
    from matplotlib import pyplot

    ends = sorted({row[end] for row in rows for end in ("from", "to")})
    mine = [end for end in ends if end.startswith(f"{phone}:")]
    theirs = [end for end in ends if end not in mine]
    place = {end: (x, -y) for x, side in enumerate((mine, theirs)) for y, end in enumerate(side)}
    figure, axes = pyplot.subplots(figsize=(7, 2.6))
    for number, row in enumerate(rows):
        (x, y), (to_x, to_y) = place[row["from"]], place[row["to"]]
        lift, colour = (0.08, "C0") if x == 0 else (-0.08, "C3")
        axes.annotate("", (to_x, to_y + lift), (x, y + lift), arrowprops={"arrowstyle": "->", "color": colour, "lw": 2})
        axes.text(0.35 + 0.1 * number, y + 1.2 * lift, row["spi"], color=colour, ha="center",
                  va="bottom" if x == 0 else "top")
    for end, (x, y) in place.items():
        axes.text(x + (-0.03 if x == 0 else 0.03), y, end, ha="right" if x == 0 else "left", va="center")
    axes.set(xlim=(-0.6, 1.6), ylim=(-max(len(mine), len(theirs)) + 0.4, 0.6))
    axes.axis("off")
    return picture(figure, "Arrows between two ports of the phone and two of the P-CSCF, each with its SPI")


def packing(octets: bytes) -> Picture:
    """Seven bits for each letter (TS 23.038, 6.1.2.1): which bit of which octet belongs to which letter."""
    from matplotlib import pyplot

    rows = [[octet >> place & 1 for place in range(7, -1, -1)] for octet in octets]
    letters = [[(8 * row + place) // 7 for place in range(7, -1, -1)] for row in range(len(octets))]
    text = "".join(chr(int.from_bytes(octets, "little") >> 7 * place & 0x7F) for place in range(len(octets) * 8 // 7))
    figure, axes = pyplot.subplots(figsize=(5, 0.45 * len(octets) + 0.8))
    axes.imshow([[letter % 10 for letter in row] for row in letters], cmap="Pastel1", aspect="auto", vmin=0, vmax=9)
    for y, row in enumerate(rows):
        for x, bit in enumerate(row):
            letter = letters[y][x]
            axes.text(x, y, f"{bit} {text[letter] if letter < len(text) else ''}", ha="center", va="center")
    axes.set(xticks=range(8), xticklabels=range(7, -1, -1), yticks=range(len(octets)), xlabel="bit",
             yticklabels=[f"{octet:02x}" for octet in octets])
    return picture(figure, "Each letter takes seven bits, and begins where the one before it has ended")
