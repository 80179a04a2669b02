# SPDX-License-Identifier: Apache-2.0
"""Ways to look at a trace: a message as an object, a run as lines to compare, and what the lab itself has."""

import importlib.util
import platform
import shutil
from collections.abc import Callable, Iterable
from typing import Any

from dialtone.codec import diameter, gtpc, gtpu, nas, s1ap, sip
from dialtone.errors import DialtoneError, LocalError
from dialtone.trace.names import role

_CODECS: dict[str, Callable[[bytes], Any]] = {
    "S1-MME": s1ap.decode, "S11": gtpc.decode, "S5/S8": gtpc.decode, "S1-U": gtpu.decode,
    **dict.fromkeys(("S6a", "Cx", "Rx", "SGd", "Diameter"), diameter.decode),
    **dict.fromkeys(("Gm", "Mw", "ISC"), sip.decode),
}
_USES = {"anywidget": "the ladder", "matplotlib": "plots", "pycrate_mobile": "decoding"}


def read(point: str, octets: bytes, *, downlink: bool) -> Any:
    """A message at a reference point, taken apart by our own codec. Raises ProtocolError, LocalError."""
    if point == "NAS":
        return nas.decode(octets, downlink=downlink)
    if point not in _CODECS:
        raise LocalError(f"Messages at {point} are not taken apart here.", remedy="lab.decode shows them as text.")
    return _CODECS[point](octets)


def flow(events: Iterable[dict[str, Any]]) -> list[str]:
    """A run as lines, without what is different each time."""
    return [f"{event['point']:<7} {role(event['point'], event['src'])} -> {role(event['point'], event['dst'])}: "
            f"{event['name']}" for event in events if event["kind"] != "done"]


def examine(source: Any) -> list[dict[str, str]]:
    """What answers, and what this machine has."""
    try:
        answer, well = f"{len(source.get('/trace', limit=1)['events'])} event at least", True
    except DialtoneError as error:
        answer, well = str(error), False
    found = [_line("the lab", well, f"{source.url}: {answer}", "./build.sh demo, or connect('sandbox')")]
    for module, use in _USES.items():
        there = importlib.util.find_spec(module) is not None
        found.append(_line(module, there, f"for {use}", "pip install 'dialtone[lab]'"))
    found.append(_line("tshark", shutil.which("tshark") is not None, "for captures; no notebook needs it",
                       "install Wireshark"))
    return [*found, _line("python", True, platform.python_version(), "")]


def _line(what: str, well: bool, text: str, remedy: str) -> dict[str, str]:
    return {"what": what, "state": "well" if well else "missing", "text": text, "remedy": "" if well else remedy}
