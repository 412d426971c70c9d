"""What is offered: a line a prompt, and the recipe that its fields decide. Pure but for reading."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeAlias, cast, get_args

from rmjudge.dataset.parsing import DataFile, Problem, RawItem, read_file, show_path
from rmjudge.errors import DataError
from rmjudge.grading.notation import formula
from rmjudge.grading.statements import word_of
from rmjudge.sandbox.programs import problem_of_tests
from rmjudge.text import did_you_mean, kind_of, quote
from rmjudge.vocabulary import PUBLISHED_DOMAINS, Domain, may_be_domain

Recipe: TypeAlias = Literal["restyle", "edit", "code", "answer", "over-refusal"]
FIELDS: Final = (
    *("id", "prompt", "domain", "recipe", "reference", "answer"),
    *("good", "bad", "tests", "language"),
)
_DECIDES: Final[Mapping[str, Recipe]] = {
    "good": "restyle",
    "bad": "restyle",
    "tests": "code",
    "answer": "answer",
}
"""A line has the fields of one recipe alone."""
_DOMAINS: Final[Mapping[Recipe, Domain]] = {
    "code": "code",
    "answer": "math",
    "edit": "chat",
    "over-refusal": "safety-response",
}
"""Of a line that names none; `restyle` needs one."""


@dataclass(frozen=True, slots=True)
class Case:
    """One prompt with what is known of it; a field that the line has not is empty."""

    id: int | str
    prompt: str
    recipe: Recipe
    domain: Domain
    reference: str = ""
    answer: str = ""
    good: str = ""
    bad: str = ""
    tests: str = ""
    language: str = ""


def read_cases(path: Path) -> tuple[Case, ...]:
    """Read the prompts of a .jsonl or .json file.

    Raises:
        DataError: with everything that is wrong in it.
    """
    problems: list[str] = []
    cases: list[Case] = []
    places: dict[str, str] = {}
    for item in read_file(DataFile(path, show_path(path))):
        if isinstance(item, Problem):
            problems.append(item.text.replace("holds no tuples", "holds no prompts"))
            continue
        found = list(_problems(item, places))
        problems += [f"{item.place}: {line}" for line in found]
        if not found:
            cases.append(_case(cast("dict[str, object]", item.value)))
    if problems:
        raise DataError(problems)
    return tuple(cases)


def _problems(item: RawItem, places: dict[str, str]) -> Iterator[str]:
    fields = item.value
    if not isinstance(fields, dict):
        yield f"expected an object, found {kind_of(fields)}"
        return
    yield from _id_problems(fields.get("id"), item.place, places)
    yield from _field_problems(fields)
    yield from _pair_problems(fields)
    yield from _code_problems(fields)
    yield from _answer_problems(fields)
    yield from _recipe_problems(fields)
    if len({_DECIDES[name] for name in fields if name in _DECIDES}) > 1:
        names = ", ".join(name for name in _DECIDES if name in fields)
        yield f"{names} together: a prompt has one recipe"


def _field_problems(fields: dict[str, object]) -> Iterator[str]:
    for name, value in fields.items():
        if name not in FIELDS:
            yield f"{quote(name)} is no field of a prompt; {did_you_mean(name, FIELDS)}"
        elif name != "id" and not (_is_text(value) or (name == "answer" and _is_number(value))):
            yield f"{name} {_no_text(value)}; expected a text"
    if "prompt" not in fields:
        yield "prompt is missing; expected a text"


def _pair_problems(fields: dict[str, object]) -> Iterator[str]:
    if ("good" in fields) != ("bad" in fields):
        there, lacking = ("good", "bad") if "good" in fields else ("bad", "good")
        yield f"{there} needs {lacking} beside it: the recipe `restyle` takes both responses"
    elif "good" in fields and fields["good"] == fields["bad"]:
        yield "good and bad are the same text"
    domain = fields.get("domain")
    if isinstance(domain, str) and domain and not may_be_domain(domain):
        yield f"domain {quote(domain)} cannot be one; see `rmjudge data new`"
    if domain is None and "good" in fields:
        known = ", ".join(PUBLISHED_DOMAINS)
        yield f"domain is missing, which good and bad do not tell; one of {known} or your own"


def _code_problems(fields: dict[str, object]) -> Iterator[str]:
    tests, language = fields.get("tests"), fields.get("language")
    if (tests is None) != (language is None):
        there, lacking = ("tests", "language") if language is None else ("language", "tests")
        yield f"{there} needs {lacking} beside it: the recipe `code` takes both"
    elif (
        isinstance(tests, str)
        and isinstance(language, str)
        and (problem := problem_of_tests(tests, language))
    ):
        yield problem


def _answer_problems(fields: dict[str, object]) -> Iterator[str]:
    answer = fields.get("answer")
    if not (_is_text(answer) or _is_number(answer)):
        return
    if not (word_of(str(answer)) or formula(str(answer))):
        yield (
            f"answer {quote(str(answer))} cannot be compared with others: expected a number or a "
            "formula that reads in one way, a letter of a choice, yes or no, true or false"
        )


def _recipe_problems(fields: dict[str, object]) -> Iterator[str]:
    named, found = fields.get("recipe"), _recipe(fields)
    if isinstance(named, str) and named not in get_args(Recipe):
        yield f"recipe {quote(named)} is none; {did_you_mean(named, get_args(Recipe))}"
    elif isinstance(named, str) and named != found:
        yield f"recipe {named} does not fit the line, whose fields are those of {found}"
    if fields.get("domain") == "safety-refuse" and found != "restyle":
        yield "domain safety-refuse needs good and bad: no recipe writes harmful text"


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_text(value: object) -> bool:
    if not isinstance(value, str) or not value.strip():
        return False
    try:
        value.encode()
    except UnicodeEncodeError:  # a lone surrogate cannot be sent
        return False
    return True


def _no_text(value: object) -> str:
    """Why a value is no text."""
    if not isinstance(value, str):
        return f"is {kind_of(value)}"
    if not value.strip():
        return "is blank" if value else "is empty"
    return "holds half a character (a lone surrogate)"


def _id_problems(value: object, place: str, places: dict[str, str]) -> Iterator[str]:
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        what = "missing" if value is None else kind_of(value)
        yield f"id is {what}; expected an integer or a text"
    elif isinstance(value, str) and not (value.strip() and value.isprintable()):
        yield f"id {quote(value)} is empty or has characters that cannot be printed"
    elif (first := places.setdefault(str(value), place)) != place:
        yield f"the id {quote(str(value))} is already taken by {first}"


def _case(fields: dict[str, object]) -> Case:
    recipe = _recipe(fields)
    names = [name for name in FIELDS if name not in ("id", "domain", "recipe")]
    texts = {name: str(fields.get(name, "")) for name in names}
    domain = str(fields.get("domain") or _DOMAINS[recipe])
    return Case(cast("int | str", fields["id"]), recipe=recipe, domain=domain, **texts)


def _recipe(fields: dict[str, object]) -> Recipe:
    """What the fields decide; where they decide nothing, the line's own word or its domain."""
    if decided := next((_DECIDES[name] for name in _DECIDES if name in fields), None):
        return decided
    refused = fields.get("domain") == _DOMAINS["over-refusal"]
    named = fields.get("recipe", "over-refusal" if refused else "edit")
    return "over-refusal" if named == "over-refusal" else "edit"
