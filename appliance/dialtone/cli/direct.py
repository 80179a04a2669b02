# SPDX-License-Identifier: Apache-2.0
"""Subscribers without a running core: the same commands, on the database itself, while nobody else writes it."""

import asyncio
import inspect
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from dialtone.cli.config import files
from dialtone.commands import Commands
from dialtone.config import load
from dialtone.control import Args
from dialtone.effects import Event, Write
from dialtone.hss.store import Store
from dialtone.hss.writer import Done, commit_now


class _Now:
    """Commits at once, under the lock of the database: there is no event loop to keep free."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def submit(self, writes: Sequence[Write], done: Done) -> None:
        """Commit and report."""
        try:
            commit_now(self.path, writes)
        except Exception as error:  # whatever it was, the caller raises it again
            done(error)
        else:
            done(None)


def call(state: Path, do: str, **args: Any) -> Any:
    """Run one `subscribers.*` command on the database in `state`. Raises LocalError as the core would."""
    state.mkdir(parents=True, exist_ok=True)
    path = state / "dialtone.db"
    store = Store(path)
    try:
        # The commands of subscribers read nothing of the core but its configuration.
        core = cast(Any, SimpleNamespace(config=load(files()), loop=SimpleNamespace(tell=_nobody)))
        found = Commands(core, store, _Now(path)).table()[do](Args(args))
        return asyncio.run(_wait(found)) if inspect.isawaitable(found) else found
    finally:
        store.close()


def _nobody(element: str, event: Event) -> None:
    """Without a core no phone is here to be told of a change."""


async def _wait(found: Any) -> Any:
    return await found
