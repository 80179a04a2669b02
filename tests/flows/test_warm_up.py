# SPDX-License-Identifier: Apache-2.0
"""After the warm-up nothing is compiled any more: the first phone does not pay for the codecs."""

import json
import subprocess
import sys
from pathlib import Path

PROGRAM = """
import asyncio, builtins, json, sys
from pathlib import Path
from network import Network
from dialtone import app

if sys.argv[2] == "warm":
    asyncio.run(app.warm_up())
compiled, real = [], builtins.compile
builtins.compile = lambda *args, **kind: (compiled.append(args[1]), real(*args, **kind))[1]
network = Network(Path(sys.argv[1]))
assert network.attach().pdns
assert not network.detach().pdns
print(json.dumps(compiled))
"""


def compiled(path: Path, when: str) -> list[str]:
    done = subprocess.run([sys.executable, "-c", PROGRAM, str(path), when], cwd=Path(__file__).parent,
                          check=True, capture_output=True)
    found: list[str] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_an_attach_after_the_warm_up_compiles_nothing(tmp_path: Path) -> None:
    assert compiled(tmp_path, "warm") == []


def test_an_attach_without_it_does(tmp_path: Path) -> None:
    assert len(compiled(tmp_path, "cold")) > 50
