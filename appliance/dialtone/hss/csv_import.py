# SPDX-License-Identifier: Apache-2.0
"""Subscribers from a CSV file: first a plan that changes nothing, then one transaction.

Understands the columns of pySim and of sysmocom's card lists, any of the usual separators and encodings, and what
spreadsheets do to long numbers.
"""

import csv
import difflib
import io
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields

from dialtone.errors import LocalError
from dialtone.hss.provisioning import FIELDS, TUAK_NAMES, InvalidFields, Problem, doubts, make_subscriber
from dialtone.hss.subscriber import Profile, Subscriber
from dialtone.hss.writes import PutSubscriber
from dialtone.ids import Plmn

MAX_BYTES = 16 * 1024 * 1024
MAX_ROWS = 50_000
_MAX_CELL = 2000

# Column titles, in lower case without anything but letters and digits, beside those of FIELDS themselves.
_ALIASES = {
    "ki": "k", "key": "k", "usimk": "k", "usimki": "k", "kiusim": "k", "subscriberkey": "k",
    "opcusim": "opc", "usimopc": "opc", "usimop": "op", "operatorkey": "op",
    "topcusim": "topc", "usimtopc": "topc", "algo": "algorithm",
    "resbits": "res", "reslength": "res", "isimki": "isim_k", "kiisim": "isim_k", "opcisim": "isim_opc",
    "msisdns": "msisdn", "number": "msisdn", "phone": "msisdn", "phonenumber": "msisdn", "telephone": "msisdn",
    "tel": "msisdn", "impus": "impu", "ip": "address", "ipv4": "address", "staticip": "address",
    "addresses": "address", "tag": "tags", "label": "tags", "labels": "tags", "group": "tags", "class": "tags",
    **{name.replace("_", ""): name for name in (*FIELDS, *TUAK_NAMES)},
}  # fmt: skip
# What card lists hold for other purposes.
_IGNORED = re.compile(
    r"(iccid|acc|name|mcc|mnc|smsp|smsc|spn|imei|sqn|type|batch|vendor|adm|pin|puk|kic|kid|kik|scp\w+)\d*"
)


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem or a doubt at a line of the file (1 is the first) and a column (empty: the whole line)."""

    line: int
    problem: Problem

    def __str__(self) -> str:
        return f"line {self.line}: {self.problem}" if self.line else str(self.problem)


@dataclass(frozen=True, slots=True)
class Row:
    """A line and the subscriber it makes; `differs` names the fields in which it differs from the one present."""

    line: int
    subscriber: Subscriber
    differs: tuple[str, ...] = ()


@dataclass(slots=True)
class ImportPlan:
    """What an import would do. `columns` maps titles of the file to fields, `ignored` lists the other titles."""

    columns: dict[str, str] = field(default_factory=dict)
    ignored: list[str] = field(default_factory=list)
    add: list[Row] = field(default_factory=list)
    unchanged: list[Row] = field(default_factory=list)
    conflicts: list[Row] = field(default_factory=list)
    errors: list[Finding] = field(default_factory=list)
    doubts: list[Finding] = field(default_factory=list)

    def summary(self) -> str:
        """One line for people."""
        return (
            f"{len(self.add)} to add, {len(self.unchanged)} unchanged, {len(self.conflicts)} that differ from what is "
            f"there, {len(self.errors)} errors, {len(self.doubts)} doubts"
        )

    def writes(self, *, now: int, overwrite: bool = False) -> list[PutSubscriber]:
        """What to commit as one batch. Subscribers that are there and differ are left alone without `overwrite`.

        Raises LocalError when the file has errors: nothing of it is imported then.
        """
        if self.errors:
            raise LocalError(
                f"{len(self.errors)} errors, the first at {self.errors[0]}",
                remedy="Correct the file; nothing of it was imported.",
            )
        rows = self.add + (self.conflicts if overwrite else [])
        return [PutSubscriber(row.subscriber, now, overwrite) for row in rows]


def plan_import(
    data: bytes, *, present: Iterable[Subscriber], profiles: Mapping[str, Profile], home: Plmn | None = None
) -> ImportPlan:
    """The dry run: what `data`, a CSV file with a line of titles, would change given the subscribers `present`.

    Raises LocalError for what is no CSV file at all, has no line of titles, or is too large.
    """
    lines = _table(_text(data))
    plan = ImportPlan()
    _, titles = next(lines, (0, []))
    layout = _layout(titles, plan)
    known = {subscriber.imsi: subscriber for subscriber in present}
    for line, cells in lines:
        extra = [cell for cell in cells[len(layout) :] if cell.strip()]
        if extra or any("\n" in cell or len(cell) > _MAX_CELL for cell in cells):
            text = "The line has more cells than there are titles." if extra else "A quotation mark is not closed."
            plan.errors.append(Finding(line, Problem("", text, "Check its commas and quotation marks.")))
            continue
        texts = {name: cell for name, cell in zip(layout, cells, strict=False) if name and cell.strip()}
        if texts:
            _plan_row(plan, line, texts, known, profiles, home)
    _find_collisions(plan, known.values())
    _doubt_operator_keys(plan)
    return plan


def _text(data: bytes) -> str:
    if len(data) > MAX_BYTES:
        raise LocalError(f"The file has more than {MAX_BYTES >> 20} MB.", remedy="Split it.")
    if data.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise LocalError("This is a spreadsheet, not a CSV file.", remedy='Use "Save as" and choose CSV (UTF-8).')
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = data.decode("utf-16", "replace")
    else:
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = data.decode("cp1252", "replace")
    if "\0" in text:
        raise LocalError("This is no text file.", remedy="Export the card list as CSV (UTF-8).")
    return text


def _table(text: str) -> Iterator[tuple[int, list[str]]]:
    """Line number and cells of each line that is neither empty nor a comment."""
    first = next((line for line in text.splitlines() if line.strip() and not line.startswith("#")), "")
    separator = max(",;\t|", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True)
    line, rows = 1, 0
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells) and not cells[0].startswith("#"):
                rows += 1
                if rows > MAX_ROWS + 1:
                    raise LocalError(f"The file has more than {MAX_ROWS} lines.", remedy="Split it.")
                yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:  # a cell of more than 128 KiB
        raise LocalError(f"Line {line}: {error}.", remedy="Check its quotation marks.") from error


def _layout(titles: list[str], plan: ImportPlan) -> list[str]:
    """The field of each column, empty where it has none."""
    layout = []
    for title in titles:
        plain = re.sub(r"[^a-z0-9]", "", title.lower())
        name = _ALIASES.get(plain, "")
        if name in layout and name:
            raise LocalError(f"Two columns are {name}: {title!r} is the second.", remedy="Remove one of them.")
        layout.append(name)
        if name:
            plan.columns[title] = name
        elif title.strip():
            plan.ignored.append(title)
            if not _IGNORED.fullmatch(plain):
                near = difflib.get_close_matches(plain, _ALIASES, 1)
                hint = f"Is {_ALIASES[near[0]]} meant?" if near else "The usual ones are imsi, ki, opc and msisdn."
                plan.doubts.append(Finding(0, Problem(title[:40], "This column is not known and is ignored.", hint)))
    if "imsi" not in layout:
        raise LocalError(
            "The first line has no title imsi.",
            remedy="Begin the file with a line of titles such as: imsi,ki,opc,msisdn",
        )
    return layout


def _plan_row(
    plan: ImportPlan,
    line: int,
    texts: dict[str, str],
    known: Mapping[str, Subscriber],
    profiles: Mapping[str, Profile],
    home: Plmn | None,
) -> None:
    base = known.get(re.sub(r"\D", "", texts.get("imsi", "")))
    try:
        subscriber = make_subscriber(texts, profiles=profiles, home=home, base=base)
    except InvalidFields as invalid:
        plan.errors += [Finding(line, problem) for problem in invalid.problems]
        return
    plan.doubts += [Finding(line, problem) for problem in doubts(subscriber, home)]
    if base is None:
        plan.add.append(Row(line, subscriber))
    elif base == subscriber:
        plan.unchanged.append(Row(line, subscriber))
    else:
        names = (f.name for f in fields(Subscriber))
        differs = tuple(name for name in names if getattr(base, name) != getattr(subscriber, name))
        plan.conflicts.append(Row(line, subscriber, differs))


def _find_collisions(plan: ImportPlan, present: Iterable[Subscriber]) -> None:
    """What may exist once only and comes twice, in the file or in the file and the store."""
    owners: dict[tuple[str, str], tuple[str, int]] = {}
    for subscriber in present:
        owners |= dict.fromkeys(_unique(subscriber), (subscriber.imsi, 0))
    lines: dict[str, int] = {}
    for row in sorted(plan.add + plan.unchanged + plan.conflicts, key=lambda row: row.line):
        imsi = row.subscriber.imsi
        if imsi in lines:
            problem = Problem("imsi", f"{imsi} is on line {lines[imsi]} already.", "Remove one of the two lines.")
            plan.errors.append(Finding(row.line, problem))
            continue
        lines[imsi] = row.line
        for key in _unique(row.subscriber):
            owner, line = owners.setdefault(key, (imsi, row.line))
            if owner != imsi:
                where = f"on line {line}" if line else "in the store"
                text = f"{key[1]} belongs to IMSI {owner} ({where})."
                plan.errors.append(Finding(row.line, Problem(key[0], text, "Each belongs to one subscriber only.")))
                break  # the identities made of the same number would only say it again
    plan.errors.sort(key=lambda finding: finding.line)


def _unique(subscriber: Subscriber) -> Iterator[tuple[str, str]]:
    yield from (("msisdn", msisdn) for msisdn in subscriber.msisdns)
    yield "impi", subscriber.impi
    yield from (("impu", impu) for impu in subscriber.impus)
    yield from (("address", f"{address} at {apn}") for apn, address in subscriber.addresses)


def _doubt_operator_keys(plan: ImportPlan) -> None:
    # OPc is made of K: cards with different K never share it, while a whole batch has one OP.
    keys: defaultdict[bytes, set[bytes]] = defaultdict(set)
    first: dict[bytes, int] = {}
    for row in plan.add + plan.conflicts:
        keys[row.subscriber.opc].add(row.subscriber.k)
        first.setdefault(row.subscriber.opc, row.line)
    for opc, ks in keys.items():
        if len(ks) > 1:
            text = f"{len(ks)} cards with different K have the same OPc."
            remedy = "It is very likely an OP: name the column op, and Dialtone computes the OPc of each card."
            plan.doubts.append(Finding(first[opc], Problem("opc", text, remedy)))
