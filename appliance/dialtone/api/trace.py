# SPDX-License-Identifier: Apache-2.0
"""Routes: the trace as a list, as a live stream, as a picture, as a file; and one message taken apart."""

import json
from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query
from fastapi.responses import Response, StreamingResponse

from dialtone.api.app import Appliance, appliance
from dialtone.codec.nas import security
from dialtone.errors import LocalError, ProtocolError
from dialtone.trace import about, pcapng
from dialtone.trace.bus import Event
from dialtone.trace.decode import hexdump
from dialtone.trace.ladder import Ladder
from dialtone.trace.names import Identities

router = APIRouter(prefix="", tags=["trace"])
Its = Annotated[Appliance, Depends(appliance)]


def _wanted(known: Identities, event: Event, imsi: str, point: str) -> bool:
    return (not imsi or known.imsi(event) == imsi) and (not point or event.point == point)


def _picked(its: Appliance, imsi: str, point: str = "", since: int = 0) -> Iterator[Event]:
    known = its.feed.identities
    return (event for event in list(its.feed.ring) if event.id > since and _wanted(known, event, imsi, point))


@router.get("/trace")
async def listing(its: Its, imsi: str = "", point: str = "", since: int = 0,
                  limit: Annotated[int, Query(ge=1, le=10_000)] = 1000, octets: bool = False) -> dict[str, Any]:
    """The newest events after `since`, oldest first; labels are replaced by IMSIs as far as known."""
    found = list(_picked(its, imsi, point, since))[-limit:]
    return {"run": its.feed.run, "connected": its.feed.connected,
            "events": [its.feed.json(event, octets) for event in found]}


@router.get("/trace/stream")
async def stream(its: Its, imsi: str = "", point: str = "", since: int = 0, octets: bool = False,
                 last_event_id: Annotated[str, Header()] = "") -> StreamingResponse:
    """Server-sent events: `trace` for each event, `gap` when a slow reader has lost some. A client that comes
    back with Last-Event-ID goes on where it was. Without `since` it begins with all that is kept."""
    after = its.feed.position(last_event_id)
    text = _server_sent(its, since if after is None else after, imsi, point, octets)
    return StreamingResponse(text, media_type="text/event-stream",
                             headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})


async def _server_sent(its: Appliance, after: int, imsi: str, point: str, octets: bool) -> AsyncIterator[str]:
    def line(event: Event) -> str:
        data = json.dumps(its.feed.json(event, octets), separators=(",", ":"))
        return f"id: {its.feed.run}-{event.id}\nevent: trace\ndata: {data}\n\n"

    yield "retry: 1000\n\n"
    known = Identities(event for event in its.feed.ring if event.id <= after)  # as far as this client was told
    async for item in its.feed.stream(after):
        if item is None:
            yield ": quiet\n\n"
        elif isinstance(item, int):
            yield f'event: gap\ndata: {{"lost": {item}}}\n\n'
        elif (label := known.note(item)) and known.imsi(item) == imsi:
            # The phone has just said who it is: what it said before is its own, too.
            earlier = [event for event in its.feed.ring if event.subject == label and event.id < item.id]
            yield "".join(line(event) for event in earlier if not point or event.point == point) + line(item)
        elif _wanted(known, item, imsi, point):
            yield line(item)


@router.get("/trace.pcapng")
async def capture(its: Its, imsi: str = "", point: str = "") -> Response:
    """The trace for Wireshark: every reference point, NAS deciphered too."""
    known = its.feed.identities
    writer = pcapng.Writer(known)
    data = writer.head() + b"".join(map(writer.packets, _picked(its, imsi, point)))
    name = f"dialtone-{imsi or 'all'}.pcapng"
    return Response(data, media_type="application/x-pcapng",
                    headers={"Content-Disposition": f'attachment; filename="{_plain(name)}"'})


@router.get("/trace/ladder.svg")
async def picture(its: Its, imsi: str = "", limit: Annotated[int, Query(ge=1, le=2000)] = 500) -> Response:
    """The ladder of one phone or of all."""
    svg = Ladder(list(_picked(its, imsi))[-limit:]).svg()
    return Response(svg, media_type="image/svg+xml")


@router.get("/trace/{number}")
async def message(number: int, its: Its) -> dict[str, Any]:
    """One event taken apart: decode, hex, clause, and what the message is for."""
    event = its.feed.event(number)
    found = its.feed.json(event, octets=True)
    found |= {"clause": about.clauses().get(event.name, ""), "explain": about.explain(event.point, event.name),
              "hex": hexdump(event.data), "plain_hex": hexdump(event.plain), "security": _security(event)}
    try:
        found["decode"] = await its.decoder.text(event) if event.data else ""
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
    return "".join(letter for letter in name if letter.isalnum() or letter in "-._")
