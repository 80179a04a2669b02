# SPDX-License-Identifier: Apache-2.0
"""Routes: the trace as a list, as a live stream, as a picture, as a file; and one message taken apart."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from typing import Annotated

from fastapi import APIRouter, Header, Path, Query
from fastapi.responses import Response, StreamingResponse

from dialtone.api import feed
from dialtone.api.classes import Picture
from dialtone.api.feed import Batch
from dialtone.api.shapes import Message, Trace
from dialtone.api.visit import Student, Visit
from dialtone.codec.nas import security
from dialtone.errors import LocalError, ProtocolError
from dialtone.trace import about, pcapng
from dialtone.trace.bus import Event
from dialtone.trace.decode import hexdump
from dialtone.trace.ladder import Ladder
from dialtone.trace.names import Identities

router = APIRouter(tags=["trace"])
Since = Annotated[int, Query(ge=0, le=1 << 53)]
Number = Annotated[int, Path(ge=1, le=1 << 53)]


_LIVE = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


class EventStream(StreamingResponse):
    """Server-sent events."""

    media_type = "text/event-stream"


class Capture(Response):
    """A capture file."""

    media_type = "application/x-pcapng"


def _wanted(known: Identities, event: Event, imsi: str, point: str) -> bool:
    return (not imsi or known.imsi(event) == imsi) and (not point or event.point == point)


def _picked(its: Visit, imsi: str, point: str = "", since: int = 0) -> Iterator[Event]:
    known = its.feed.identities
    return (event for event in list(its.feed.ring) if event.id > since and _wanted(known, event, imsi, point))


@router.get("/trace")
async def listing(its: Student, imsi: str = "", point: str = "", since: Since = 0,
                  limit: Annotated[int, Query(ge=1, le=10_000)] = 1000, octets: bool = False) -> Trace:
    """The newest events after `since`, oldest first; labels are replaced by IMSIs as far as known."""
    found = list(_picked(its, imsi, point, since))[-limit:]
    return {"run": its.feed.run, "connected": its.feed.connected,
            "events": [its.feed.json(event) | (feed.octets(event, its.trusted) if octets else {}) for event in found]}


@router.get("/trace/stream", response_class=EventStream)
async def stream(its: Student, imsi: str = "", point: str = "", since: Since = 0, octets: bool = False,
                 last_event_id: Annotated[str, Header()] = "") -> Response:
    """Server-sent events: `trace` for each event, `gap` when a slow reader has lost some. A client that comes
    back with Last-Event-ID goes on where it was. Without `since` it begins with all that is kept."""
    after = its.feed.position(last_event_id)
    batches = its.feed.stream(since if after is None else after)
    return EventStream(_server_sent(its, batches, since if after is None else after, imsi, point, octets),
                       headers=_LIVE)


async def _server_sent(its: Visit, batches: AsyncIterator[Batch], after: int, imsi: str, point: str,
                       octets: bool) -> AsyncIterator[str]:
    def line(event: Event) -> str:
        data = its.feed.text(event)
        if octets:
            data = json.dumps(its.feed.json(event) | feed.octets(event, its.trusted), separators=(",", ":"))
        return f"id: {its.feed.run}-{event.id}\nevent: trace\ndata: {data}\n\n"

    known = Identities(event for event in its.feed.ring if event.id <= after)  # as far as this client was told

    def lines(event: Event) -> Iterator[str]:
        if (label := known.note(event)) and known.imsi(event) == imsi:
            # The phone has just said who it is: what it said before is its own, too.
            for earlier in its.feed.ring:
                if earlier.id >= event.id:
                    break
                if earlier.subject == label and (not point or earlier.point == point):
                    yield line(earlier)
            yield line(event)
        elif _wanted(known, event, imsi, point):
            yield line(event)

    yield "retry: 1000\n\n"
    async for lost, events, _ in batches:
        gap = f'event: gap\ndata: {{"lost": {lost}}}\n\n' if lost else ""
        yield gap + "".join(text for event in events for text in lines(event)) or ": quiet\n\n"


@router.get("/trace.pcapng", response_class=Capture)
async def capture(its: Student, imsi: str = "", point: str = "") -> Response:
    """The trace for Wireshark: every reference point, NAS deciphered too."""
    known = its.feed.identities
    writer = pcapng.Writer(known)
    data = writer.head() + b"".join(
        writer.packets(feed.shown(event, its.trusted)) for event in _picked(its, imsi, point))
    name = f"dialtone-{imsi or 'all'}.pcapng"
    return Capture(data, headers={"Content-Disposition": f'attachment; filename="{_plain(name)}"'})


@router.get("/trace/ladder.svg", response_class=Picture)
async def picture(its: Student, imsi: str = "", limit: Annotated[int, Query(ge=1, le=2000)] = 500) -> Response:
    """The ladder of one phone or of all."""
    svg = Ladder(list(_picked(its, imsi))[-limit:]).svg()
    return Picture(svg)


@router.get("/trace/ladder/stream", response_class=EventStream)
async def live_picture(its: Student, imsi: str = "") -> Response:
    """Server-sent events for a page that shows the ladder: `picture` is all of it, `rows` what to append."""
    last = its.feed.ring[-1].id if its.feed.ring else 0
    batches = its.feed.stream(last)
    ladder = await asyncio.to_thread(Ladder, list(its.feed.ring), imsi)
    return EventStream(_drawn(batches, ladder), headers=_LIVE)


async def _drawn(batches: AsyncIterator[Batch], ladder: Ladder) -> AsyncIterator[str]:
    yield f"retry: 1000\n\nevent: picture\ndata: {json.dumps({'svg': ladder.svg()})}\n\n"
    async for lost, events, fresh in batches:
        if fresh:
            ladder = Ladder(imsi=ladder.imsi)
            yield f"event: picture\ndata: {json.dumps({'svg': ladder.svg()})}\n\n"
            continue
        if not events:
            yield ": quiet\n\n"
            continue
        rows = ladder.append(events)
        width, height = ladder.size
        if rows is None:
            said = f"event: picture\ndata: {json.dumps({'svg': ladder.svg()})}\n\n"
        else:
            said = f"event: rows\ndata: {json.dumps({'rows': rows, 'width': width, 'height': height})}\n\n"
        yield (f'event: gap\ndata: {{"lost": {lost}}}\n\n' if lost else "") + said


@router.get("/trace/{number}")
async def message(number: Number, its: Student) -> Message:
    """One event taken apart: decode, hex, clause, and what the message is for."""
    event = feed.shown(its.feed.event(number), its.trusted)
    found = its.feed.json(event) | {"data": event.data.hex(), "plain": event.plain.hex()}
    found |= {"clause": about.clauses().get(event.name, ""), "explain": about.explain(event.point, event.name),
              "hex": hexdump(event.data), "plain_hex": hexdump(event.plain), "security": _security(event),
              "states": about.states(its.feed.ring, event, its.feed.identities)}
    try:
        found["decode"] = await its.box.decoder.text(event) if event.data else ""
    except LocalError as error:
        found["decode"] = str(error)
    return found


def _security(event: Event) -> str:
    """What protects a NAS message, in words."""
    if event.point != "NAS" or not event.data:
        return ""
    try:
        cover = security.split(event.data)
    except ProtocolError as error:
        return str(error)
    if cover.header_type == 0:
        return "not protected"
    how = security.SecurityHeaderType(cover.header_type).name.replace("_", " ").lower()
    return f"{how}, MAC {cover.mac.hex()}, sequence number {cover.sequence_number}"


def _plain(name: str) -> str:
    return "".join(letter for letter in name if letter.isascii() and (letter.isalnum() or letter in "-._"))
