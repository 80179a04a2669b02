# SPDX-License-Identifier: Apache-2.0
"""The class: answers to the questions of the notebooks, by nickname, kept until the class is closed."""

import csv
import io
import json
import logging
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

from dialtone.api.access import write_private
from dialtone.errors import LocalError

log = logging.getLogger("dialtone.api.class")

QUESTIONS = 500  # that a student may answer
TRIES = 100  # of one question that are counted


class Answer(NamedTuple):
    """The last answer of a student to a question, and how many there were."""

    nickname: str
    question: str
    answer: str
    right: bool
    tries: int
    time: float


class Classroom:
    """Answers, kept in `file` or in memory without one."""

    def __init__(self, file: Path | None = None, clock: Callable[[], float] = time.time) -> None:
        self._file = file
        self._clock = clock
        self._answers: dict[tuple[str, str], Answer] = {}
        if file is not None and file.is_file():
            try:
                for fields in json.loads(file.read_text("utf-8")):
                    self._put(Answer(*fields))
            except (ValueError, TypeError) as error:
                log.error("%s cannot be read (%s): the class begins without answers", file, error)

    def answers(self) -> list[Answer]:
        """All of them, by student and question."""
        return sorted(self._answers.values())

    def take(self, nickname: str, question: str, answer: str, right: bool) -> Answer:
        """Note an answer; the last one counts. Raises LocalError for too many."""
        before = self._answers.get((nickname, question))
        if before is None and sum(one.nickname == nickname for one in self._answers.values()) >= QUESTIONS:
            raise LocalError(f"{nickname} has answered {QUESTIONS} questions, which is all that is kept.")
        tries = min(before.tries + 1, TRIES) if before else 1
        found = Answer(nickname, question, answer, right, tries, self._clock())
        self._put(found)
        self._save()
        return found

    def clear(self, nickname: str = "") -> None:
        """Forget the answers of one student, or of all."""
        self._answers = {key: one for key, one in self._answers.items() if nickname and one.nickname != nickname}
        self._save()

    def progress(self, students: Iterable[str]) -> list[dict[str, Any]]:
        """A line for each student: how many questions are answered, how many right, and which."""
        found = {name: _line(name) for name in students}
        for one in self.answers():
            line = found.setdefault(one.nickname, _line(one.nickname))
            line["answered"] += 1
            line["right"] += one.right
            line["last"] = max(one.time, line["last"] or 0)
            line["questions"][one.question] = {"right": one.right, "tries": one.tries}
        return list(found.values())

    def table(self) -> str:
        """A CSV file of all answers."""
        out = io.StringIO()
        writer = csv.writer(out)
        writer.writerow(("nickname", "question", "answer", "right", "tries", "time"))
        for one in self.answers():
            when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(one.time))
            writer.writerow((_cell(one.nickname), _cell(one.question), _cell(one.answer), "yes" if one.right else "no",
                             one.tries, when))
        return out.getvalue()

    def _put(self, answer: Answer) -> None:
        self._answers[answer.nickname, answer.question] = answer

    def _save(self) -> None:
        if self._file is None:
            return
        if self._answers:
            write_private(self._file, list(self._answers.values()))
        else:
            self._file.unlink(missing_ok=True)


def _line(nickname: str) -> dict[str, Any]:
    return {"nickname": nickname, "answered": 0, "right": 0, "last": None, "questions": {}}


def _cell(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
