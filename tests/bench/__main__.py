# SPDX-License-Identifier: Apache-2.0
"""`./build.sh bench [--quick] [--json]`: all figures in one run, as ratios, each against its target.

A missed target is said, and is no error: the figures depend on the machine.
"""

import argparse
import json
import os
import platform
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.bench import api, attach, codecs, crowd, ims, processes, sip, texts, tracing
from tests.bench.rows import Row

SECTIONS: dict[str, Callable[[bool], Iterator[Row]]] = {
    "codec cost of each message, against pycrate": codecs.rows,
    "attach and detach: S6a and S11 as octets, SQN durable, trace on": attach.rows,
    "many phones": crowd.rows,
    "SIP: codec, and one proxy with its transactions, trace on": sip.rows,
    "IMS: Gm, Mw, ISC and Cx as octets, SQN durable, trace on": ims.rows,
    "texts over NAS: SGd as octets, each text durable, trace on": texts.rows,
    "the API beside a busy core": api.rows,
    "trace: what it costs, and a capture that is imported": tracing.rows,
    "start-up and memory": processes.rows,
}


def undisturbed() -> str:
    """Run before everything else, the processes we start too: what others do must not count. Returns how."""
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    except PermissionError:
        return "as one of many: no right to real-time priority, other load shows in the figures"
    return "at real-time priority"


def machine() -> str:
    """What this ran on."""
    info = Path("/proc/cpuinfo").read_text()
    model = info.partition("model name")[2].partition("\n")[0].strip("\t :") or platform.machine()
    return f"{model}, {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}, Python {platform.python_version()}"


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="./build.sh bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer repetitions; codecs as summaries")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of the table")
    arguments = parser.parse_args()
    out = sys.stderr if arguments.json else sys.stdout
    found: dict[str, list[Row]] = {}
    where = f"{machine()}, {undisturbed()}"
    print(where, file=out)
    for title, rows in SECTIONS.items():
        print(f"\n{title}", file=out)
        found[title] = []
        for row in rows(arguments.quick):
            found[title].append(row)
            print(f"  {row}", file=out, flush=True)
        for note in dict.fromkeys(row.where for row in found[title] if row.where):
            print(f"  ({note})", file=out)
    missed = [row.what for rows_ in found.values() for row in rows_ if row.met is False]
    print(f"\n{'missed: ' + ', '.join(missed) if missed else 'every target is met'}", file=out)
    if arguments.json:
        sections = {title: [row._asdict() for row in rows_] for title, rows_ in found.items()}
        print(json.dumps({"machine": where, "sections": sections}, indent=1))


if __name__ == "__main__":
    main()
