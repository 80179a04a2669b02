# SPDX-License-Identifier: Apache-2.0
"""What answers a notebook without a server: the paths of the API that read a trace, over events in this process."""

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from urllib.parse import urlencode

from dialtone.errors import DialtoneError, LocalError
from dialtone.trace import about, decode, pcapng
from dialtone.trace.bus import Event
from dialtone.trace.names import UE, Identities, role


class Source:
    """The same calls as `client.Client`. `followers` are told of events as they come."""

    url = ""

    def __init__(self) -> None:
        self.identities = Identities()
        self.followers: list[Callable[[list[Event]], None]] = []

    @property
    def events(self) -> Sequence[Event]:
        """What has happened so far."""
        raise NotImplementedError

    def get(self, path: str, **query: Any) -> Any:
        """What the API would say to a GET."""
        return self.request("GET", path, query)

    def post(self, path: str, body: Any = None, **query: Any) -> Any:
        """What the API would say to a POST."""
        return self.request("POST", path, query, body)

    def request(self, method: str, path: str, query: dict[str, Any] | None = None, body: Any = None) -> Any:
        """One request; raises LocalError."""
        query = {name: value for name, value in (query or {}).items() if value not in ("", None)}
        if method == "GET" and path in _READS:
            return _READS[path](self, **query)
        if method == "GET" and path.startswith("/trace/"):
            return self._message(int(path.rpartition("/")[2]))
        return self.act(method, path, query, body)

    def act(self, method: str, path: str, query: dict[str, Any], body: Any) -> Any:
        """Every request that does not read the trace."""
        raise NotImplementedError

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        raise NotImplementedError

    def settle(self) -> None:
        """What was done is in the trace already."""

    def again(self, number: int, octets: bytes) -> None:
        """Send a message of the trace again, as these octets."""
        raise LocalError("Messages are changed in a sandbox only.", remedy='Make one: connect("sandbox").')

    def _picked(self, imsi: str = "", point: str = "", since: int = 0) -> list[Event]:
        return [event for event in about_phone(self.events, self.identities, imsi)
                if event.id > since and (not point or event.point == point)]

    def _trace(self, limit: int = 1000, octets: bool = False, **which: Any) -> dict[str, Any]:
        found = [self._json(event, octets) for event in self._picked(**which)[-limit:]]
        return {"run": self.url, "connected": False, "events": found}

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
            raise LocalError(f"There is no event {number}.", remedy="See lab.trace().")
        try:
            text = decode.tree(event.point, event.plain or event.data, role(event.point, event.dst) == UE
                               ) if event.data else ""
        except DialtoneError as error:
            text = str(error)
        return {**self._json(event, True), "decode": text, "hex": decode.hexdump(event.data),
                "plain_hex": decode.hexdump(event.plain), "security": "",
                "clause": about.clauses().get(event.name, ""), "explain": about.explain(event.point, event.name),
                "states": about.states(self.events, event, self.identities)}

    def _diagnose(self, imsi: str = "") -> list[dict[str, Any]]:
        from dialtone.trace.diagnose import diagnose

        return [verdict.to_dict() for verdict in diagnose(list(self.events), imsi)]

    def _capture(self, **which: Any) -> bytes:
        writer = pcapng.Writer(self.identities)
        return writer.head() + b"".join(map(writer.packets, self._picked(**which)))


def about_phone(events: Sequence[Event], identities: Identities, imsi: str) -> Iterator[Event]:
    """The events of one phone, subjects filled in; of all with ""."""
    for event in events:
        subject = identities.imsi(event)
        if not imsi or subject == imsi:
            yield event._replace(subject=subject)


def key_of(method: str, path: str, query: dict[str, Any], body: Any) -> str:
    """A request as one line, by which a recording finds its answer again."""
    asked = f"?{urlencode(sorted(query.items()))}" if query else ""
    said = "" if body is None else " " + (body.decode("utf-8", "replace") if isinstance(body, bytes)
                                          else json.dumps(body, sort_keys=True))
    return f"{method} {path}{asked}{said}"


_READS: dict[str, Callable[..., Any]] = {
    "/trace": Source._trace, "/diagnose": Source._diagnose, "/trace.pcapng": Source._capture,
}
