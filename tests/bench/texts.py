# SPDX-License-Identifier: Apache-2.0
"""Texts over NAS from phone to phone: each on the disk before its sender is told; phones in another process."""

import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from statistics import median

from dialtone.sim.sms import TextCommand
from tests.bench.network import Network, number_of
from tests.bench.rows import Row

PHONES, ROUNDS = 16, 12
WHERE = "core in a process of its own, S1-MME over a socket pair; each text is committed, and again when it arrives"


def rows(quick: bool) -> Iterator[Row]:
    """CPU of a text, from the sender to the recipient's RP-ACK."""
    with tempfile.TemporaryDirectory(prefix="dialtone-bench-") as folder, Network(PHONES, Path(folder)) as network:
        for phone in network.phones:
            phone.handset = replace(phone.handset, combined=True)
        network.attach(*network.phones)
        costs, rates = [], []
        for turn in range(1, 1 + (4 if quick else ROUNDS)):
            cpu, began = network.cpu(), time.monotonic()
            for place, phone in enumerate(network.phones):
                to = number_of((place + 1) % PHONES)
                network.loop.tell(phone.name, TextCommand(f"+{to}", "The quick brown fox jumps over the lazy dog"))
            network.until(lambda turn=turn: all(  # type: ignore[misc]
                len(phone.texts.inbox) == turn for phone in network.phones))
            costs.append(1000 * (network.cpu() - cpu) / PHONES)
            rates.append(PHONES / (time.monotonic() - began))
    ms = median(costs)
    yield Row("a text over NAS, sender to recipient", f"{1000 / ms:.0f}/s, {ms:.2f} ms", where=WHERE)
    yield Row("the same by the clock, 16 phones", f"{median(rates):.0f} texts/s", where=WHERE)
