# SPDX-License-Identifier: Apache-2.0
"""`dialtone where`: the ten-second rule. Which function handles this message, and where does it stand?"""

import json
import sys
from collections.abc import Iterable
from typing import Any

import click

from dialtone.cli.common import json_option
from dialtone.where import Place, find, suggest


def as_dict(place: Place) -> dict[str, Any]:
    """A place for programs."""
    return {"role": place.role, "element": place.element, "simulated": place.simulated, "point": place.point,
            "what": place.what, "clause": place.clause, "function": place.name, "file": place.file,
            "line": place.line, "note": place.note}


def lines(places: Iterable[Place]) -> Iterable[str]:
    """Text for people: a heading for each message, timer or event, under it its places."""
    groups: dict[tuple[str, str, str], list[Place]] = {}
    for place in places:
        groups.setdefault((place.what, place.point, place.clause), []).append(place)
    for (what, point, clause), group in groups.items():
        yield f"{what}  [{point}]  {clause}".rstrip()
        for place in group:
            if place.role == "no handler":
                yield f"    no handler: {place.note}"
                continue
            who = "simulated " + place.element if place.simulated else place.element
            note = f"  ({place.note})" if place.note else ""
            yield f"    {place.role:<11} {who:<13} {place.name}  {place.file}:{place.line}{note}"


@click.command()
@click.argument("words", nargs=-1, required=True)
@json_option
def where(words: tuple[str, ...], as_json: bool) -> None:
    """Find the handler of a message, timer or event by its name, or by words of it.

    Names as in the specification and in Wireshark, abbreviations (AIR, TAU request), case and hyphens do not matter.

    Examples: dialtone where attach request; dialtone where T3460; dialtone where create session
    """
    found = find(*words)
    if as_json:
        click.echo(json.dumps([as_dict(place) for place in found], indent=2))
    else:
        for line in lines(found):
            click.echo(line)
    if not found:
        close = suggest(*words)
        hint = f" Did you mean: {', '.join(close)}?" if close else ""
        click.echo(f"Nothing is called {' '.join(words)!r}.{hint}", err=True)
        sys.exit(1)
