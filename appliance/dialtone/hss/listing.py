# SPDX-License-Identifier: Apache-2.0
"""Subscribers as people may see them, without keys: for the command line, the API and CSV export."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from dialtone.hss import schema


def listing(path: Path, *, where: str = "1", arguments: tuple[Any, ...] = ()) -> Iterator[dict[str, Any]]:
    """Rows of the view `listing` by IMSI, each a dict of column name and value.

    `where` is SQL with `?` for each of `arguments`, never text that came from outside.
    """
    # Not at the top: sqlite-utils is 15 MB, and the core imports this package.
    from sqlite_utils import Database

    with closing(schema.connect(path, write=False)) as db:
        yield from Database(db).query(f"SELECT * FROM listing WHERE {where} ORDER BY imsi", arguments)
