# SPDX-License-Identifier: Apache-2.0
"""A recorded lab: answers the paths of the API from a recording, so that every notebook works on any laptop."""

from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

from dialtone.errors import DialtoneError, LocalError
from dialtone.trace import about, decode, pcapng, record
from dialtone.trace.bus import Event
from dialtone.trace.names import UE, Identities, role

_ONLY_LIVE = "This is a replay of a recording; that needs a running Dialtone."


class Replay:
    """The same calls as `client.Client`, over a recording."""

    url = "replay"

    def __init__(self, path: Path | str = "") -> None:
        self.notes, self.events = record.load(path or str(files("dialtone.lab") / "attach.trace.gz"))
        self.identities = Identities(self.events)

    def get(self, path: str, **query: Any) -> Any:
        """What the API would say to a GET."""
        return self.request("GET", path, query)

    def post(self, path: str, body: Any = None, **query: Any) -> Any:
        """What the API would say to a POST: actions answer as they did when this was recorded."""
        return self.request("POST", path, query, body)

    def request(self, method: str, path: str, query: dict[str, Any] | None = None, body: Any = None) -> Any:
        """One request; raises LocalError for what a recording cannot do."""
        query = query or {}
        if method == "GET" and path in _READS:
            return _READS[path](self, **{name: value for name, value in query.items() if value != ""})
        if method == "GET" and path.startswith("/trace/"):
            return self._message(int(path.rpartition("/")[2]))
        if method == "GET" and path.strip("/") in self.notes:
            return self.notes[path.strip("/")]
        if method == "POST" and path.startswith("/sim/phones/"):
            return self._action(path.removeprefix("/sim/phones/"), body)
        raise LocalError(_ONLY_LIVE, remedy="Start one: ./build.sh demo.")

    def stream(self, path: str = "/trace/stream", **query: Any) -> Iterator[tuple[str, Any]]:
        """A recording has no more to come."""
        return iter(())

    def _picked(self, imsi: str = "", point: str = "", since: int = 0) -> list[Event]:
        return [event for event in about_phone(self.events, self.identities, imsi)
                if event.id > since and (not point or event.point == point)]

    def _trace(self, limit: int = 1000, octets: bool = False, **which: Any) -> dict[str, Any]:
        found = [self._json(event, octets) for event in self._picked(**which)[-limit:]]
        return {"run": "replay", "connected": False, "events": found}

    def _json(self, event: Event, octets: bool) -> dict[str, Any]:
        found: dict[str, Any] = event._asdict()
        found["size"] = len(found.pop("data"))
        found.pop("plain")
        subject = self.identities.imsi(event)
        found["imsi"] = subject if subject.isdigit() else ""
        return found | ({"data": event.data.hex(), "plain": event.plain.hex()} if octets else {})

    def _message(self, number: int) -> dict[str, Any]:
        event = next((event for event in self.events if event.id == number), None)
        if event is None:
            raise LocalError(f"There is no event {number} in this recording.", remedy="See lab.trace().")
        try:
            text = decode.tree(event.point, event.plain or event.data, role(event.point, event.dst) == UE
                               ) if event.data else ""
        except DialtoneError as error:
            text = str(error)
        return {**self._json(event, True), "decode": text, "hex": decode.hexdump(event.data),
                "plain_hex": decode.hexdump(event.plain), "security": "",
                "clause": about.clauses().get(event.name, ""), "explain": about.explain(event.point, event.name)}

    def _diagnose(self, imsi: str = "") -> list[dict[str, Any]]:
        from dialtone.trace.diagnose import diagnose

        return [verdict.to_dict() for verdict in diagnose(self.events, imsi)]

    def _capture(self, **which: Any) -> bytes:
        writer = pcapng.Writer(self.identities)
        return writer.head() + b"".join(map(writer.packets, self._picked(**which)))

    def _phones(self) -> Any:
        return self.notes.get("phones", [])

    def _action(self, what: str, body: Any) -> Any:
        imsi, _, verb = what.partition(":")
        known = self.notes.get("actions", {})
        key = f"{imsi}:{verb}" if verb != "exec" else f"{imsi}:{' '.join(body['argv'])}"
        for one in (key, f"{imsi}:{verb}"):
            if one in known:
                return known[one]
        raise LocalError(_ONLY_LIVE, remedy="Start one: ./build.sh demo.")


def about_phone(events: list[Event], identities: Identities, imsi: str) -> Iterator[Event]:
    """The events of one phone, subjects filled in; of all with ""."""
    for event in events:
        subject = identities.imsi(event)
        if not imsi or subject == imsi:
            yield event._replace(subject=subject)


_READS: dict[str, Callable[..., Any]] = {
    "/trace": Replay._trace, "/diagnose": Replay._diagnose, "/trace.pcapng": Replay._capture,
    "/sim/phones": Replay._phones,
}
