"""Are code tuples what they claim? Their Markdown responses, run against given tests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rmjudge.building.code_blocks import named_block
from rmjudge.dataset.flagged import REASONS
from rmjudge.dataset.parsing import DataFile, Problem, read_file, show_path
from rmjudge.dataset.tuples import BenchTuple
from rmjudge.errors import DataError
from rmjudge.sandbox.programs import Ended, Program, Sandbox, problem_of_tests
from rmjudge.sandbox.running import run_times
from rmjudge.text import kind_of, quote

MARKDOWN: Final = 2
TIMES: Final = 3
"""A response is run so often: a test that passes now and then decides nothing."""
FINDINGS: Final[Mapping[str, str]] = {
    **REASONS,
    "both-pass": "both pass the tests",
    "chosen-does-not-build": "the chosen does not build, or lacks a name",
    "rejected-ends-otherwise": "the rejected ends by no test: an exception, a limit, an early end",
    "no-code": "a response has no code in the language",
    "unsteady": "a response passes now and then",
}
_NO_BUILD: Final = frozenset(("build-error", "missing-name"))


@dataclass(frozen=True, slots=True)
class Tests:
    """What decides a tuple; `name` is that of the function, where it is known."""

    tests: str
    language: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Audited:
    """One tuple's end: `finding` is empty where it is what it claims."""

    id: int | str
    finding: str
    chosen: Ended
    rejected: Ended


def read_tests(path: Path) -> dict[str, Tests]:
    """Tests by the tuple's id; a line has `id`, `tests`, `language`, maybe `entry_point`.

    Raises:
        DataError: with everything that is wrong in the file.
    """
    problems: list[str] = []
    found: dict[str, Tests] = {}
    for item in read_file(DataFile(path, show_path(path))):
        if isinstance(item, Problem):
            problems.append(item.text.replace("holds no tuples", "holds no tests"))
            continue
        fields: Any = item.value
        if isinstance(fields, dict) and "tests" not in fields and "id" in fields:
            continue  # a prompt of another recipe
        lines = list(_problems(fields))
        if not lines and str(fields["id"]) in found:
            lines = [f"the id {quote(str(fields['id']))} is taken already"]
        problems += [f"{item.place}: {line}" for line in lines]
        if not lines:
            name = fields.get("entry_point", "")
            found[str(fields["id"])] = Tests(fields["tests"], fields["language"], str(name))
    if not found and not problems:
        problems.append(f"{show_path(path)} holds no tests")
    if problems:
        raise DataError(problems)
    return found


def _problems(fields: Any) -> Iterator[str]:
    if not isinstance(fields, dict):
        yield f"expected an object, found {kind_of(fields)}"
        return
    if isinstance(fields.get("id"), bool) or not isinstance(fields.get("id"), (int, str)):
        yield "id is missing; expected that of a tuple"
    lacking = [
        name
        for name in ("tests", "language")
        if not isinstance(fields.get(name), str) or not fields[name].strip()
    ]
    yield from (f"{name} is missing; expected a text" for name in lacking)
    if not lacking and (problem := problem_of_tests(fields["tests"], fields["language"])):
        yield problem


def audited(sandbox: Sandbox, item: BenchTuple, tests: Tests) -> Audited:
    """Run both Markdown responses of a tuple."""
    ends = [_ended(sandbox, side[MARKDOWN], tests) for side in (item.chosen, item.rejected)]
    if any(end is None for end in ends):
        finding = "no-code"
    elif any(end == Ended("early-end", "unsteady") for end in ends):
        finding = "unsteady"
    else:
        finding = finding_of(*[end.end for end in ends if end is not None])
    none = Ended("early-end", "no code")
    return Audited(item.id, finding, ends[0] or none, ends[1] or none)


def _ended(sandbox: Sandbox, response: str, tests: Tests) -> Ended | None:
    code = named_block(response, tests.language, tests.name)
    if code is None:
        return None
    ends = run_times(sandbox, Program(code, tests.tests, tests.language), TIMES)
    return ends[0] if len({one.end for one in ends}) == 1 else Ended("early-end", "unsteady")


def finding_of(chosen: str, rejected: str) -> str:
    """What two ends say of a tuple; empty where the chosen passes and the rejected is wrong."""
    if chosen == "pass":
        if rejected == "pass":
            return "both-pass"
        if rejected == "wrong-output":
            return ""
        return "rejected-does-not-build" if rejected in _NO_BUILD else "rejected-ends-otherwise"
    if rejected == "pass":
        return "inverted"
    if chosen in _NO_BUILD:
        return "neither-builds" if rejected in _NO_BUILD else "chosen-does-not-build"
    return "both-fail"


def unmatched(items: Sequence[BenchTuple], tests: Mapping[str, Tests]) -> list[str]:
    """Ids of tests to which no code tuple belongs."""
    ids = {str(item.id) for item in items}
    return [name for name in tests if name not in ids]
