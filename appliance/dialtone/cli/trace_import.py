# SPDX-License-Identifier: Apache-2.0
"""`dialtone trace import`: captures from elsewhere, and beside the core's own trace."""

import json
import sys
from pathlib import Path
from typing import Any

import click

from dialtone.cli.common import client, json_option, url_option
from dialtone.lab.lab import event_of
from dialtone.trace import capture, pcapng, record
from dialtone.trace.bus import Event
from dialtone.trace.capture import Capture, clock, esp
from dialtone.trace.diagnose import Verdict, diagnose
from dialtone.trace.ladder import text_ladder
from dialtone.trace.names import about

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("import")
@click.argument("file", type=FILE)
@click.option("--keys", type=FILE, help="Wireshark's esp_sa, or that of `dialtone ipsec keys`.")
@click.option("--imsi", default="", help="Of one phone only.")
@click.option("--beside", metavar="FILE", help="Lay it beside a recording or capture of ours; - is the running core.")
@click.option("--record", "recording", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
              help="Write it as a recording.")
@click.option("--pcapng", "exported", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
              help="Write it for Wireshark, as a trace of ours.")
@json_option
@url_option
def import_(file: Path, keys: Path | None, imsi: str, beside: str | None, recording: Path | None,
            exported: Path | None, as_json: bool, url: str) -> None:
    """Read a capture of a phone, an eNB or another core: pcap or pcapng. Draw it, and say what went wrong in it.

    Example: dialtone trace import attach.pcapng --keys esp_sa
    """
    sas = esp.read_keys(keys) if keys is not None else None
    size = file.stat().st_size
    with click.progressbar(length=max(size, 1), label=f"Reading {file.name}", file=sys.stderr,
                           hidden=not sys.stderr.isatty()) as bar:
        found = capture.load(file, sas, lambda position: bar.update(position - bar.pos))
    events = about(found.events, imsi)
    if recording is not None:
        record.write(recording, events, title=f"Imported from {file.name}")
    if exported is not None:
        pcapng.write(exported, events)
    verdicts = diagnose(events, imsi)
    if beside is not None:
        _beside(_ours(beside, url, imsi), events)
    elif as_json:
        click.echo(json.dumps(_described(found, events, verdicts), indent=2))
    else:
        _shown(file, found, events, verdicts)


def _described(found: Capture, events: list[Event], verdicts: list[Verdict]) -> dict[str, Any]:
    return {"packets": found.packets, "counts": found.counts, "copies": +found.copies, "other": found.other,
            "elements": found.elements, "remarks": found.remarks,
            "events": [event._asdict() | {"data": event.data.hex(), "plain": event.plain.hex()} for event in events],
            "verdicts": [verdict.to_dict() for verdict in verdicts]}


def _shown(file: Path, found: Capture, events: list[Event], verdicts: list[Verdict]) -> None:
    copies = sum(found.copies.values())
    again = f"; {copies} were caught at several places and are shown once" if copies else ""
    counts = ", ".join(f"{count} {name}" for name, count in sorted(found.counts.items()) if count)
    click.echo(f"{file.name}: {found.packets} packets with {counts or 'nothing that is known here'}{again}.")
    if found.elements:
        click.echo("Elements: " + ", ".join(f"{name} {address}" for name, address in found.elements.items()) + ".")
    phones = sorted({event.subject for event in events if event.subject.isdigit()})
    if phones:
        click.echo(f"Phones: {', '.join(phones)}.")
    for remark in found.remarks:
        click.echo(remark)
    if events:
        click.echo(f"\n{text_ladder(events)}")
    frames = {event.id: event.procedure.removeprefix("frame ") for event in events if event.procedure[:6] == "frame "}
    for verdict in verdicts:
        who = f"{verdict.imsi}: " if verdict.imsi else ""
        where = ", ".join(dict.fromkeys(frames[number] for number in verdict.evidence if number in frames))
        click.echo(f"{who}{verdict.line}{f' (frames {where})' if where else ''}")
    if events and not verdicts:
        click.echo("Nothing in it is known to be wrong, and no procedure is there from beginning to end.")


def _ours(where: str, url: str, imsi: str) -> list[Event]:
    if where != "-":
        return about(capture.events_of(where), imsi)
    kept = client(url).get("/trace", limit=10_000, octets=True, imsi=imsi)["events"]
    return [event_of(event) for event in kept]


def _beside(ours: list[Event], theirs: list[Event]) -> None:
    difference = clock.offset(ours, theirs)
    if difference is None:
        click.echo("The two have no message in common: they are of different hours or networks, or keys are missing.")
        return
    click.echo(difference.line)
    click.echo("= in both, < in ours only, > in the capture only\n")
    mine, other = ([event for event in events if event.kind != "done"] for events in (ours, theirs))
    rows = clock.beside(mine, other, difference)
    head, *lines = text_ladder([event for _, event in rows]).splitlines()
    click.echo(f"  {head}")
    for (mark, _), line in zip(rows, lines, strict=True):
        click.echo(f"{mark} {line}")
