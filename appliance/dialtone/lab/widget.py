# SPDX-License-Identifier: Apache-2.0
"""The ladder in a notebook: the picture of trace/ladder.py, rows that grow, and a message taken apart by a click."""

import contextlib
import queue
import threading
import time
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import anywidget
import traitlets

from dialtone.errors import DialtoneError
from dialtone.lab.client import Client
from dialtone.lab.source import Source
from dialtone.trace.ladder import Ladder

if TYPE_CHECKING:
    from dialtone.lab.lab import Lab

_HERE = files("dialtone.lab")
_GATHER_SECONDS = 0.1  # a burst of messages reaches the browser as one change
_DETAIL = ("id", "name", "point", "src", "dst", "imsi", "procedure", "clause", "explain", "decode", "hex",
           "plain_hex", "security", "states", "info")


class LadderWidget(anywidget.AnyWidget):
    """`selected` is the id of the message clicked, `detail` what is known of it."""

    _esm = (_HERE / "ladder.js").read_text("utf-8")
    _css = (_HERE / "ladder.css").read_text("utf-8")
    svg = traitlets.Unicode().tag(sync=True)
    selected = traitlets.Int(0).tag(sync=True)
    detail = traitlets.Dict().tag(sync=True)

    def __init__(self, lab: "Lab", imsi: str = "", live: bool = True) -> None:
        events = lab.events(octets=True)
        self._lab = lab
        self._ladder = Ladder(events, imsi)
        self._last = events[-1].id if events else 0
        super().__init__(svg=self._ladder.svg())
        self.observe(self._picked, "selected")
        if live and isinstance(lab.source, Client):
            self._follow(lab.source)
        elif live and isinstance(lab.source, Source):
            lab.source.followers.append(self.add)

    def _picked(self, change: dict[str, Any]) -> None:
        number = change["new"]
        if not number:
            self.detail = {}
            return
        try:
            found = self._lab.message(number)
            self.detail = {name: found.get(name, "") for name in _DETAIL}
        except DialtoneError as error:
            self.detail = {"id": number, "name": "", "decode": str(error)}

    def add(self, events: list[Any]) -> None:
        """Draw more events: only the new rows travel, unless the whole picture changes."""
        rows = self._ladder.append(events)
        width, height = self._ladder.size
        if rows is None:
            self.svg = self._ladder.svg()
        elif rows:
            self.send({"rows": rows, "width": width, "height": height})

    def _follow(self, client: Client) -> None:
        """Take in what the stream brings, for as long as the kernel lives."""
        from dialtone.lab.lab import event_of

        arrived: queue.Queue[Any] = queue.Queue()

        def read() -> None:
            while True:
                with contextlib.suppress(DialtoneError):
                    for kind, data in client.stream(since=self._last, octets=True):
                        if kind == "trace":
                            arrived.put(event_of(data))
                time.sleep(1)

        def draw() -> None:
            while True:
                batch = [arrived.get()]
                time.sleep(_GATHER_SECONDS)
                while not arrived.empty():
                    batch.append(arrived.get())
                self._last = batch[-1].id
                self.add(batch)

        for work in (read, draw):
            threading.Thread(target=work, daemon=True, name=f"ladder {work.__name__}").start()
