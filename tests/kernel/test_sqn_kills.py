# SPDX-License-Identifier: Apache-2.0
"""The core is killed a hundred times in the middle of attaches: no SEQ ever comes twice, and no subscriber is lost."""

import asyncio
import os
import random
import signal
import time
from pathlib import Path

import pytest

from dialtone import app
from dialtone.crypto.milenage import Milenage
from dialtone.crypto.sqn import seq_of
from dialtone.hss.store import Store
from dialtone.sim.attach import AttachCommand
from dialtone.sim.states import EmmState
from dialtone.sim.usim import MacFailure, Result, Usim
from tests.bench.network import Phones, cards, fork_core, imsis, pair, provision

pytestmark = pytest.mark.kernel

KILLS = 100
PHONES = 5


class RememberingUsim(Usim):
    """Keeps every SEQ it was ever offered with a good MAC, taken or not."""

    def __init__(self, imsi: str, k: bytes, opc: bytes) -> None:
        super().__init__(imsi, k, opc)
        self.offered: list[int] = []

    def authenticate(self, rand: bytes, autn: bytes, *, functions: Milenage | None = None) -> Result:
        result = super().authenticate(rand, autn, functions=functions)
        if not isinstance(result, MacFailure):
            ak = Milenage(self.k, self.opc).f2345(rand)[3]
            self.offered.append(seq_of(int.from_bytes(autn[:6]) ^ int.from_bytes(ak)))
        return result


def life(folder: Path, usims: list[Usim], seconds: float | None) -> tuple[int, float]:
    """One life of the core: every phone attaches at once, and after `seconds` it is killed, without them once all are
    attached. Returns how many were, and how long they took."""
    ours, theirs = pair()
    with ours:
        with theirs:
            core = fork_core(folder, theirs)
        try:
            network = Phones(ours, usims)
            network.connect()
            begun = time.monotonic()
            if seconds is None:
                network.attach(*network.phones)
            else:
                for phone in network.phones:
                    network.loop.tell(phone.name, AttachCommand())
                while (left := begun + seconds - time.monotonic()) > 0 and attached(network) < len(usims):
                    network.turn(left)
            took = time.monotonic() - begun
        finally:
            os.kill(core, signal.SIGKILL)
            os.waitpid(core, 0)
        return attached(network), took


def attached(network: Phones) -> int:
    """How many phones are."""
    return sum(phone.emm is EmmState.REGISTERED for phone in network.phones)


def test_no_seq_repeats_over_a_hundred_kills(tmp_path: Path) -> None:
    provision(tmp_path, PHONES)
    usims = cards(PHONES, RememberingUsim)
    asyncio.run(app.warm_up())
    rng = random.Random(1)
    served, took = life(tmp_path, usims, None)
    assert served == PHONES
    interrupted = 0
    for _ in range(KILLS):
        served, needed = life(tmp_path, usims, rng.random() * took)
        if served == PHONES:
            took = min(took, needed)  # the first life was slower than most are
        interrupted += served < PHONES
    assert interrupted > KILLS / 2, "most kills were to come while phones attach"
    # The restart after the last kill serves the next attaches at once, and nobody is missing.
    served, again = life(tmp_path, usims, None)
    assert served == PHONES
    assert again < 5 * took + 2
    store = Store(tmp_path / "dialtone.db")
    assert [subscriber.imsi for subscriber in store.subscribers()] == imsis(PHONES)
    for usim in usims:
        offered = usim.offered
        assert len(offered) > KILLS / 4
        assert len(offered) == len(set(offered)), f"{usim.imsi} was offered a SEQ twice"
        assert offered == sorted(offered)
        assert seq_of(store.sqn_mark(usim.imsi)) >= offered[-1]
    store.close()
