# SPDX-License-Identifier: Apache-2.0
"""Packets of a phone in a call that no description of a call names: it sends, and nobody hears it."""

from dialtone.dispatch import Rx
from dialtone.effects import Effects, StrayMedia, Verdict
from dialtone.pgw.element import Pgw, on


@on.event(StrayMedia)
def on_stray_media(pgw: Pgw, event: StrayMedia, rx: Rx) -> Effects:
    """Told once for each change of its calls."""
    rx.subject = event.imsi
    yield Verdict("media", False, f"packets {event.flow} belong to no call that both ends know: they are dropped")
