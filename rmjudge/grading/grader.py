"""Whether a text states the known answer. What is not read, or not in time, is no difference."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.util import find_spec
from typing import Final, Literal, Protocol, TypeAlias, get_args

from rmjudge.errors import UsageError
from rmjudge.grading.notation import Formula, formula
from rmjudge.grading.statements import statements, word_of
from rmjudge.workers.process import Worker, WorkerGoneError

Verdict: TypeAlias = Literal["equal", "different", "unread", "slow"]
SECONDS: Final = 10.0


class Grading(Protocol):
    """Compares answers."""

    def grade(self, text: str, answer: str) -> Verdict:
        """Compare what a text states as its final answer with the known one."""

    def compare(self, one: str, other: str) -> Verdict:
        """Compare two answers."""


class Grader:
    """One process with math-verify, started by the first comparison that needs it."""

    def __init__(self, *, seconds: float = SECONDS) -> None:
        """Look for math-verify.

        Raises:
            UsageError: it is not installed.
        """
        if find_spec("math_verify") is None:
            raise UsageError(
                "prompts with an answer need math-verify, which reads answers: "
                "pip install 'rmjudge[build]'"
            )
        self._worker = Worker("rmjudge.grading.worker")
        self._seconds = seconds
        self._known: dict[tuple[str, str], Verdict] = {}

    def grade(self, text: str, answer: str) -> Verdict:
        """Compare what a text states as its final answer with the known one.

        A text that states two answers which do not end alike is unread.
        """
        found = {self.compare(words, answer) for words in statements(text)}
        return found.pop() if len(found) == 1 else "unread"

    def compare(self, one: str, other: str) -> Verdict:
        """Compare two answers; the same two end alike each time, also if they are too slow."""
        if (one, other) not in self._known:
            self._known[one, other] = self._compared(one, other)
        return self._known[one, other]

    def _compared(self, one: str, other: str) -> Verdict:
        if (word := word_of(one)) and (known := word_of(other)):
            if word[1] != known[1]:
                return "unread"
            return "equal" if word[0] == known[0] else "different"
        left, right = formula(one), formula(other)
        if left is None or right is None or left.unit != right.unit:
            return "unread"
        question = {"one": left.latex, "other": right.latex, "places": _places((left, right))}
        try:
            said = self._worker.ask(question, self._seconds)
        except TimeoutError:
            return "slow"
        except WorkerGoneError:  # of a formula that eats all memory
            return "unread"
        return next((verdict for verdict in get_args(Verdict) if verdict == said), "unread")

    def unreadable(self, answers: Iterable[str]) -> list[str]:
        """Those that no text can be proven to state, or not to state.

        Raises:
            UsageError: the process does not start.
        """
        try:
            self._worker.start()
        except WorkerGoneError as error:
            raise UsageError(f"math-verify does not start: {error}") from error
        return [answer for answer in answers if self.compare(answer, answer) != "equal"]

    def close(self) -> None:
        """End the process."""
        self._worker.close()


def has_unit(answer: str) -> bool:
    """Whether an answer is a number with a unit."""
    found = formula(answer)
    return found is not None and bool(found.unit)


def _places(of: Iterable[Formula]) -> int | None:
    """The fewest digits behind the point of two answers, where one is a decimal at all."""
    found = list(of)
    if not any(one.decimal for one in found):
        return None
    return min((one.places for one in found if one.places is not None), default=0)
