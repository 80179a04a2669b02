# SPDX-License-Identifier: Apache-2.0
"""Writes docs/messages.md, states.md, diagnosis.md and attach.svg from the code, and the links to tests in
docs/supported.md: `python -m dialtone.docs_index`.

A test compares the committed files with what the code says. Names of files, no line numbers: those change with every
edit, and `dialtone where` knows them.
"""

import importlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from dialtone.docs_diagnosis import diagnosis
from dialtone.docs_supported import supported
from dialtone.fsm import Table
from dialtone.trace import record
from dialtone.trace.ladder import svg
from dialtone.trace.names import about
from dialtone.where import POINTS, ROOT, Place, index

DOCS = ROOT / "docs"
_GENERATED = "<!-- Made by `python -m dialtone.docs_index`. Do not edit: edit the code. -->\n"
_TITLES = {
    "S1-MME": "S1-MME: S1AP (TS 36.413)",
    "NAS": "NAS (TS 24.301), stacked on S1-MME",
    "S11": "S11: GTPv2-C (TS 29.274)",
    "S6a": "S6a: Diameter (RFC 6733, TS 29.272)",
    "S1-U": "S1-U: GTP-U (TS 29.281)",
    "SMS": "Short messages (TS 24.011, TS 23.040), inside NAS and SIP",
    "Gm": "Gm, Mw and ISC: SIP (RFC 3261, TS 24.229)",
}
MACHINES = {"mme": "The MME", "gtp": "Paths to GTP peers", "sip": "SIP transactions", "pcscf": "The P-CSCF",
             "scscf": "The S-CSCF",
             "answer": "Calls to the answer services", "sim": "The simulated phone and eNB",
            "sim/ims": "The simulated IMS phone"}
_PACKAGE = "appliance/dialtone/"


def messages() -> str:
    """The message index: one table for each reference point, then timers and events."""
    parts = [_GENERATED, "# Message index\n", _INTRODUCTION]
    for point in POINTS.values():
        parts += [f"\n## {_TITLES[point]}\n\n", *_table(_MESSAGE_HEAD, _message_rows(point))]
    parts += ["\n## Timers\n\n", *_table(("Timer", "Clause", "Handled by"), _handler_rows("timer"))]
    parts += ["\n## Events\n\n", "What an element is told that is no message.\n\n",
              *_table(("Event", "Clause", "Handled by"), _handler_rows("event"))]
    return "".join(parts)


_MESSAGE_HEAD = ("Message", "Clause", "Handled by", "Sent by", "Declared in")
_INTRODUCTION = """
Every message that the codecs know, under the name that the specification gives it and Wireshark prints. *Handled by*
and *sent by* name the files of the elements; those in *italics* belong to the simulated eNB and phones. A dash: the
core can read the message, and nobody handles it; [supported.md](supported.md) says what it is answered with.
`dialtone where <words>` prints the same with function and line. Paths are relative to `appliance/dialtone/`.
"""


def _message_rows(point: str) -> Iterator[tuple[str, ...]]:
    declared = [place for place in index() if place.role == "declared as" and place.point == point]
    for place in sorted(declared, key=_clause_order):
        same = [other for other in index() if other.message is place.message]
        yield (place.what, place.clause, _files(other for other in same if other.role == "handled by"),
               _files(other for other in same if other.role == "sent by"), _short(place.file))


def _handler_rows(point: str) -> Iterator[tuple[str, ...]]:
    found: dict[tuple[str, str], list[Place]] = {}
    for place in index():
        if place.point == point:
            found.setdefault((place.what, place.clause), []).append(place)
    for (what, clause), places in sorted(found.items()):
        yield what, clause or "—", _files(places)


def _files(places: Iterable[Place]) -> str:
    files = {place.file: f"*{_short(place.file)}*" if place.simulated else _short(place.file) for place in places}
    return "<br>".join(files[file] for file in sorted(files)) or "—"


def _short(file: str) -> str:
    return file.removeprefix(_PACKAGE)


def _clause_order(place: Place) -> tuple[str, list[tuple[int, str]]]:
    """Clauses in the order of the specification: 9.1.8.10 after 9.1.8.9, and 8.2.11.1 before 8.2.11.2."""
    specification, _, clause = place.clause.partition(", ")
    parts = [part.rstrip("abc") for part in clause.split(".")]
    return specification, [(int(part) if part.isdigit() else 0, part) for part in parts]


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield "| " + " | ".join(head) + " |\n"
    yield "|" + " --- |" * len(head) + "\n"
    for row in rows:
        yield "| " + " | ".join(row) + " |\n"


def machines(package: str) -> list["Table[object]"]:  # type: ignore[type-var]
    """The state tables of `<package>/states.py`, in the order of the file."""
    module = importlib.import_module(f"dialtone.{package}.states".replace("/", "."))
    return [value for value in vars(module).values() if isinstance(value, Table)]


def states() -> str:
    """The state machines as Mermaid diagrams, drawn from the tables that the elements run."""
    parts = [_GENERATED, "# State machines\n\n", "What is not in a diagram is invalid in that state: the same tables "
             "decide in the code. An arrow back to its own state says that the message is expected there.\n"]
    for package, title in MACHINES.items():
        parts.append(f"\n## {title}: `{package}/states.py`\n")
        parts += [f"\n### {table.name} ({table.clause})\n\n```mermaid\n{table.mermaid()}\n```\n"
                  for table in machines(package)]
    return "".join(parts)


def attach() -> str:
    """The picture of the README: the attach of the recording that comes with the lab, drawn by our own ladder.

    Without the S1AP messages that only carry a NAS message, which stands there itself, and without state changes.
    """
    events = about(record.read(RECORDING), IMSI)
    end = next(place for place, event in enumerate(events) if event.point == "verdict" and event.name == "attach")
    shown = [event._replace(info=event.info.partition(", in ")[0]) for event in events[:end + 1]
             if event.point in (*POINTS.values(), "verdict") and event.name not in CARRIERS]
    return svg(shown, IMSI) + "\n"


RECORDING = ROOT / "appliance" / "dialtone" / "lab" / "recordings" / "03_attach.trace.gz"
IMSI = "001010000000001"
CARRIERS = ("UplinkNASTransport", "DownlinkNASTransport")

FILES = {"messages.md": messages, "states.md": states, "attach.svg": attach, "supported.md": supported,
         "diagnosis.md": diagnosis}


def main(folder: Path = DOCS) -> None:
    """Write every generated file."""
    for name, text in FILES.items():
        (folder / name).write_text(text())
        print(folder / name)


if __name__ == "__main__":
    main()
