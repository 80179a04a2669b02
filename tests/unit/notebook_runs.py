# SPDX-License-Identifier: Apache-2.0
"""Runs the cells of a notebook without Jupyter; and the recipe for the recordings that come along:

    python tests/unit/notebook_runs.py notebooks/03_attach.ipynb ...

A recording is what the notebook's own cells did in a sandbox: the trace, and what was asked and answered.
"""

import contextlib
import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dialtone.lab
from dialtone.lab import Lab, connect
from dialtone.lab.sandbox import Sandbox
from dialtone.trace import record as trace

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
RECORDINGS = ROOT / "appliance" / "dialtone" / "lab" / "recordings"
Connect = Callable[..., Lab]


def cells(path: Path, kind: str = "code") -> list[str]:
    """The sources of a notebook's cells."""
    notebook = json.loads(path.read_text("utf-8"))
    return ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == kind]


def run(path: Path, connect: Connect) -> dict[str, Any]:
    """Every code cell in order; the names that they leave. `connect` takes the place of the lab's own."""
    names: dict[str, Any] = {"__name__": path.stem}
    sources = cells(path)
    ours, dialtone.lab.connect = dialtone.lab.connect, connect
    try:
        with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
            for number, source in enumerate(sources, 1):
                exec(compile(source, f"{path.name}, code cell {number}", "exec"), names)
    finally:
        dialtone.lab.connect = ours
    return names


def sandboxed(where: str = "", **options: Any) -> Lab:
    """A sandbox that is the same each time, in place of a live lab."""
    return connect(where, **options) if where else Lab(Sandbox(seed=1))


def recorded(where: str = "", **options: Any) -> Lab:
    """What a laptop without a core has."""
    return connect(where or "replay", **options)


def record(path: Path) -> Path:
    """Make the recording of a notebook."""
    made: list[Lab] = []

    def connect(where: str = "", **options: Any) -> Lab:
        lab = sandboxed(where, **options)
        if not where:
            made.append(lab)
        return lab

    run(path, connect)
    return made[0].record(RECORDINGS / f"{path.stem}.trace.gz", title=path.stem)


PHONE = "001010000000001"
CASES: dict[str, str] = {"good": "", "1": "volte_off", "2": "op_as_opc", "3": "no_security_client", "4": "nobody",
                         "5": "ims_as_default", "6": "wrong_security_verify"}
"""Of notebook 14, with what is wrong in them."""


def record_case(name: str) -> Path:
    """A phone's day with one thing wrong."""
    lab = sandboxed()
    if CASES[name] == "nobody":
        lab.subscribers.remove(PHONE)
    else:
        lab.simulate.break_it(PHONE, CASES[name] or None)
    lab.simulate.attach(PHONE)
    target = RECORDINGS / "cases" / f"{name}.trace.gz"
    target.parent.mkdir(exist_ok=True)
    trace.write(target, lab.events(octets=True), title=f"case {name}")
    return target


if __name__ == "__main__":
    for name in CASES:
        record_case(name)
    for name in sys.argv[1:]:
        target = record(Path(name))
        print(f"{target}: {target.stat().st_size} octets")
