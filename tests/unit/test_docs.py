# SPDX-License-Identifier: Apache-2.0
"""The documents: the generated ones say what the code says, links lead somewhere, commands exist."""

import re
from pathlib import Path

import pytest

from dialtone.cli import COMMANDS
from dialtone.docs_index import FILES, MACHINES, machines
from dialtone.docs_supported import find, rows
from dialtone.where import ROOT, index

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])


@pytest.mark.parametrize("name", sorted(FILES))
def test_generated_documents_are_those_of_the_code(name: str) -> None:
    committed = (ROOT / "docs" / name).read_text()
    assert committed == FILES[name](), "run: python -m dialtone.docs_index"


def test_the_message_index_is_complete() -> None:
    text = (ROOT / "docs" / "messages.md").read_text()
    for place in index():
        if place.role in ("handled by", "declared as") and place.point != "event":
            assert place.message is None or f"| {place.what} |" in text


def test_every_state_table_is_drawn() -> None:
    text = (ROOT / "docs" / "states.md").read_text()
    drawn = [table for package in MACHINES for table in machines(package)]
    assert len(drawn) == text.count("```mermaid") >= 6
    for table in drawn:
        assert f"### {table.name} ({table.clause})" in text


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    text = page.read_text()
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)|<img[^>]* src=\"([^\"]+)\"", text):
        link = next(filter(None, target))
        if not link.startswith(("http://", "https://", "mailto:")):
            assert (page.parent / link).exists(), f"{page.name} links to {link}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_and_files_in_the_documents_exist(page: Path) -> None:
    if page.name == "CHANGELOG.md":
        return
    text = page.read_text()
    for noun in re.findall(r"`(?:\.venv/bin/)?dialtone ([a-z]+)", text):
        assert noun in COMMANDS, f"{page.name}: dialtone {noun}"
    help_text = (ROOT / "build.sh").read_text().partition("<<'HELP'\n")[2].partition("\nHELP")[0]
    for command in re.findall(r"\./build\.sh ([a-z]+)", text):
        assert command == "help" or f"./build.sh {command}" in help_text, f"{page.name}: ./build.sh {command}"
    for path in re.findall(r"`((?:appliance|tests|docs|requirements|notebooks)/[\w./-]+)`", text):
        assert (ROOT / path).exists(), f"{page.name}: {path}"


def test_a_row_of_supported_names_a_test_that_exists() -> None:
    head, line = "| Clause | What | State | Shown by |\n|---|---|---|---|\n", "| 9 | this | yes | "
    (row,) = rows(f"{head}{line}`test_any_octets`, nothing |\n\n| x |\n")
    assert (row[0], row[2]) == (3, ["test_any_octets"])
    assert [names for _, _, names in rows(f"| State | Shown by |\n{line}\n")] == [[]]
    assert find("test_a_row_of_supported_names_a_test_that_exists") == Path(__file__)
    for name in ("test_any_octets", "test_that_nobody_wrote"):  # two have that name, and none
        with pytest.raises(LookupError, match=name):
            find(name)


def test_every_debian_package_has_its_reason() -> None:
    script = (ROOT / "build.sh").read_text()
    table = (ROOT / "docs" / "dependencies.md").read_text().partition("## Debian")[2]
    packages = " ".join(re.findall(r"^(?:BASE|TEST)_PACKAGES=\((.*)\)", script, re.MULTILINE)).split()
    assert len(packages) > 10
    for package in packages:
        assert re.search(rf"^\|[^|]*\b{package}\b[^|]*\|", table, re.MULTILINE), package
