# SPDX-License-Identifier: Apache-2.0
"""What every notebook must be: python3, no outputs, no shell, imports first, every question answered somewhere."""

import json
import re
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from notebook_runs import NOTEBOOKS, RECORDINGS, cells, recorded, run

QUESTION = re.compile(r'(\w+)\.check\("([\d.]+)"')
MOST_LINES = 14
SOLUTIONS: dict[str, Any] = json.loads(Path(__file__).with_name("notebook_solutions.json").read_text("utf-8"))
"""Right answers by question: a value, or `= expression` over the names that the notebook leaves."""


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def path(request: pytest.FixtureRequest) -> Path:
    found: Path = request.param
    return found


@pytest.fixture
def notebook(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return found


def test_kernel_is_named_so_that_nobody_is_asked(notebook: dict[str, Any]) -> None:
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"
    assert len({cell["id"] for cell in notebook["cells"]}) == len(notebook["cells"])


def test_no_outputs_are_stored(notebook: dict[str, Any]) -> None:
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)


def test_no_shell_and_no_installation(path: Path) -> None:
    assert not [text for text in cells(path) if re.search(r"^\s*[!%]", text, re.M)]


def test_imports_stand_first_and_cells_are_short(path: Path) -> None:
    first, *others = cells(path)
    assert "from dialtone.lab import" in first
    assert not [text for text in others if re.search(r"^(import|from) ", text, re.M)]
    assert not [text for text in others if len(text.splitlines()) > MOST_LINES]


def test_pictures_say_what_they_show(path: Path) -> None:
    code = "\n".join(cells(path))
    assert "plt.show" not in code
    assert len(re.findall(r"picture\(", code)) >= code.count("subplots(")
    assert not re.search(r"!\[\]\(", "\n".join(cells(path, "markdown")))


def test_the_parts_of_a_lesson_are_there_in_order(path: Path) -> None:
    text = "\n".join(cells(path, "markdown"))
    places = [text.find(part) for part in ("**Goal.**", "## Predict", "## Run", "## Look", "## Explain", "## Checks",
                                           "## Break it")]
    assert places == sorted(places)
    assert -1 not in places


def test_it_runs_on_a_laptop_and_its_answers_are_right(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Against its recording: every right answer is accepted, a wrong one gets the hint."""
    names = run(path, recorded)
    asked = QUESTION.findall("\n".join(cells(path)))
    assert len(asked) >= 3
    for lab, question in asked:
        right = SOLUTIONS[question]
        if isinstance(right, str) and right.startswith("= "):
            right = eval(right[2:], names)
        assert names[lab].check(question, right), question
        capsys.readouterr()
        assert not names[lab].check(question, "something else")
        assert "not quite" in capsys.readouterr().out


def test_links_lead_somewhere(path: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", "\n".join(cells(path, "markdown")))
    assert links
    assert [link for link in links if not (path.parent / link).exists()] == []


def test_the_welcome_leads_to_all_of_them() -> None:
    links = re.findall(r"\(([\w]+)\.ipynb\)", "\n".join(cells(NOTEBOOKS[0], "markdown")))
    assert set(links) == {path.stem for path in NOTEBOOKS[1:]}


def test_every_question_is_asked_somewhere() -> None:
    known = json.loads((files("dialtone.lab") / "answers.json").read_text("utf-8"))
    asked = {question for path in NOTEBOOKS for _, question in QUESTION.findall("\n".join(cells(path)))}
    assert asked == set(known) == set(SOLUTIONS)


def test_every_recording_has_its_notebook() -> None:
    assert {file.name.partition(".")[0] for file in RECORDINGS.glob("*.gz")} == {path.stem for path in NOTEBOOKS}
