# SPDX-License-Identifier: Apache-2.0
"""The S-CSCF: whole registrations and texts from phone to phone, between scripted neighbours in one loop, trace on.

What the P-CSCF and the HSS on paper cost counts as well, so the S-CSCF alone is faster than these figures.
"""

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "flows"))

from scscf_rig import Rig, tel

from tests.bench.rows import Row

WHERE = "S-CSCF, scripted P-CSCF and HSS in one loop on one CPU, every message as octets, no kernel SAs"
PHONES = 9


def rows(quick: bool) -> Iterator[Row]:
    """Registrations a second, texts a second, and the longest of a hundred waits."""
    rig = Rig(phones=PHONES)
    count = 200 if quick else 2000
    yield from _measured("IMS registration: two REGISTER, UAR, MAR, SAR", rig, count, 2000,
                         lambda number: rig.register(number % PHONES + 1).status)
    yield from _measured("MESSAGE from phone to phone", rig, count, 4000, lambda number: rig.request(
        rig.outgoing("MESSAGE", tel(2), 1, call_id=f"text-{number}")).status)


def _measured(what: str, rig: Rig, count: int, target: int, once: Callable[[int], int]) -> Iterator[Row]:
    waits = []
    for number in range(count):
        began = time.perf_counter()
        status = once(number)
        waits.append(time.perf_counter() - began)
        assert status == 200
        for kept in (rig.pcscf.got, rig.pcscf.rx, rig.hss.asked):
            kept.clear()
    rate = count / sum(waits)
    yield Row(what, f"{rate:.0f} a second", rate >= target, f">= {target}/s", where=WHERE)
    p99 = 1000 * sorted(waits)[int(count * 0.99)]
    yield Row(f"{what.partition(':')[0]}, p99 of the whole", f"{p99:.2f} ms", p99 < 5, "< 5 ms", where=WHERE)
