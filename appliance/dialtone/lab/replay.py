# SPDX-License-Identifier: Apache-2.0
"""A recorded lab: a trace, and what was asked and answered meanwhile, so that every notebook works on any laptop.

As in a network, nothing is seen before it has happened: each action shows the events up to its end.
"""

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from dialtone.errors import LocalError
from dialtone.lab.source import Source, key_of
from dialtone.trace import capture, record
from dialtone.trace.bus import Event

FIRST = "00_welcome"
START, WAIT = "START", "WAIT"  # rows of the log that are no requests


class Replay(Source):
    """Over a file of `Lab.record`, a capture of any network, or a recording that comes along, by its notebook."""

    url = "replay"

    def __init__(self, path: Path | str = FIRST) -> None:
        super().__init__()
        own = files("dialtone.lab") / "recordings" / f"{path}.trace.gz"
        self.notes, self._all = _read(str(own) if own.is_file() else path)
        self._log: list[tuple[str, Any, int]] = [tuple(row) for row in self.notes.get("log", [])]
        self._used: dict[str, int] = {}  # where in the log each question was answered last
        self._seen = 0
        self._show(self._log[0][2] if self._log else len(self._all))

    @property
    def events(self) -> Sequence[Event]:
        """What has happened so far."""
        return self._all[:self._seen]

    def act(self, method: str, path: str, query: dict[str, Any], body: Any) -> Any:
        """What was answered then; the next time that it was asked, or the last. Raises LocalError, as then."""
        key = key_of(method, path, query, body)
        row = self._find(key)
        if row is None:
            raise LocalError("This is a recording, and that was not done in it.",
                             remedy='Do it in a network: connect("sandbox"), or start ./build.sh demo.')
        _, answer, seen = row
        self._show(seen)
        if isinstance(answer, dict) and answer.keys() == {"error", "remedy"}:
            raise LocalError(answer["error"], remedy=answer["remedy"])
        return answer

    def wait(self, seconds: float) -> None:
        """As much happens as happened then."""
        row = self._find(f"{WAIT} {seconds:g}")
        if row is not None:
            self._show(row[2])

    def _find(self, key: str) -> tuple[str, Any, int] | None:
        places = [place for place, row in enumerate(self._log) if row[0] == key]
        if not places:
            return None
        place = next((place for place in places if place > self._used.get(key, -1)), places[-1])
        self._used[key] = place
        return self._log[place]

    def _show(self, count: int) -> None:
        fresh = self._all[self._seen:count]
        if fresh:
            self._seen = count
            for event in fresh:
                self.identities.note(event)
            for follower in self.followers:
                follower(fresh)


def _read(path: Path | str) -> tuple[dict[str, Any], list[Event]]:
    """A recording with its notes, or a capture of any network."""
    if Path(path).is_file() and not record.is_recording(path):
        return {}, capture.load(path).events
    return record.load(path)
