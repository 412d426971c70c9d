"""One reviewer at work on one build: each answer is on disk when `answer` returns."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from rmjudge.building.folder import UNDO, append_decision, settle_folder
from rmjudge.errors import UsageError
from rmjudge.reviewing.fixing import fix
from rmjudge.reviewing.tasks import BLIND, Task, tasks_for


class Desk:
    """What a reviewer is asked, and where the answers go. Decisions are added, never changed."""

    def __init__(self, folder: Path, reviewer: str, blind: float = BLIND) -> None:
        """Find what the reviewer has not answered.

        Raises:
            UsageError: this is no build, or a decision in it cannot be read.
        """
        self.folder: Final = folder
        self.reviewer: Final = reviewer
        self.tasks: Final = tasks_for(settle_folder(folder)[1], reviewer, blind)
        self._by_texts: Final = {task.texts: task for task in self.tasks}
        self._answered: Final[list[Task]] = []

    @property
    def open_tasks(self) -> list[Task]:
        """What is not answered yet."""
        return [task for task in self.tasks if task not in self._answered]

    def task(self, texts: str) -> Task:
        """The task about these texts.

        Raises:
            UsageError: there is none.
        """
        if texts not in self._by_texts:
            raise UsageError("no tuple with these texts waits here; load the page again")
        return self._by_texts[texts]

    def answer(self, task: Task, word: str) -> None:
        """Keep an answer.

        Raises:
            UsageError: it is none of the task's, or cannot be written.
        """
        if word not in task.answers:
            raise UsageError(f"{word!r} is no answer here; one of {', '.join(task.answers)}")
        append_decision(self.folder, self.reviewer, task.decision(word, self.reviewer))
        self._answered.append(task)

    def fix(self, task: Task, side: str, find: str, replace: str) -> None:
        """Keep a change of one side.

        Raises:
            UsageError: the texts cannot be changed so, or it cannot be written.
        """
        decision = fix(task, self.reviewer, side, find, replace)
        append_decision(self.folder, self.reviewer, decision)
        self._answered.append(task)

    def undo(self) -> Task | None:
        """Take the last answer back, and say which task is open again."""
        if not self._answered:
            return None
        task = self._answered.pop()
        taken_back = {
            "id": task.item["tuple"]["id"],
            "texts": task.texts,
            "reviewer": self.reviewer,
            "verdict": UNDO,
        }
        append_decision(self.folder, self.reviewer, taken_back)
        return task
