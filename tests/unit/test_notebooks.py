# SPDX-License-Identifier: Apache-2.0
"""What every notebook must be: python3, no outputs, no shell, imports first, every question answered somewhere."""

import json
import re
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))


def sources(notebook: dict[str, Any], kind: str) -> list[str]:
    return ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == kind]


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def notebook(request: pytest.FixtureRequest) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(request.param.read_text("utf-8"))
    return found


def test_kernel_is_named_so_that_nobody_is_asked(notebook: dict[str, Any]) -> None:
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"
    assert len({cell["id"] for cell in notebook["cells"]}) == len(notebook["cells"])


def test_no_outputs_are_stored(notebook: dict[str, Any]) -> None:
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)


def test_no_shell_and_no_installation(notebook: dict[str, Any]) -> None:
    assert not [text for text in sources(notebook, "code") if re.search(r"^\s*[!%]", text, re.M)]


def test_the_parts_of_a_lesson_are_there_in_order(notebook: dict[str, Any]) -> None:
    text = "\n".join(sources(notebook, "markdown"))
    places = [text.find(part) for part in ("**Goal.**", "## Predict", "## Run", "## Look", "## Explain", "## Checks",
                                           "## Break it")]
    assert places == sorted(places)
    assert -1 not in places


def test_every_question_has_an_answer_on_file(notebook: dict[str, Any]) -> None:
    known = json.loads((files("dialtone.lab") / "answers.json").read_text("utf-8"))
    asked = re.findall(r'lab\.check\("([\d.]+)"', "\n".join(sources(notebook, "code")))
    assert len(asked) >= 3
    assert set(asked) <= set(known)


def test_there_are_notebooks() -> None:
    assert {path.stem for path in NOTEBOOKS} >= {"00_welcome", "03_attach"}
