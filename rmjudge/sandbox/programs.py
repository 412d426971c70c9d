"""A program with its tests as one source text, and what its end says. Pure.

A pass is a random word of one run, printed after the last test. An exit status of 0 proves
nothing: a program that calls `exit(0)` has passed no test.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, Protocol, TypeAlias

PLACE: Final = "RMJUDGE_PASS"
"""Tests may say by this word where the word of the run is to be printed."""
BUILD_STATUS: Final = 213
"""The exit status of a compiler that failed, as the scripts below return it."""

End: TypeAlias = Literal[
    "pass", "wrong-output", "build-error", "missing-name", "exception", "early-end",
    "time-limit", "memory-limit", "output-limit",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Language:
    """How programs of a language are run by a shell, and the statement that prints `PLACE`.

    `script` reads the source from standard input. `tail` is empty where tests have to print it.
    """

    script: str
    tail: str
    image: str
    suffix: str


def _compiled(suffix: str, compiler: str, start: str = "./main") -> str:
    built = f"cat > main{suffix} && {compiler} || exit {BUILD_STATUS}"
    return f"cd /tmp; {built}; rm -f main{suffix}; exec {start} < /dev/null"


LANGUAGES: Final[Mapping[str, Language]] = {
    "python": Language(
        "exec python3 -I -",
        f"import sys as _s; _s.__stderr__.write('{PLACE}'); _s.__stderr__.flush()",
        "python:3.12-slim",
        ".py",
    ),
    "javascript": Language(
        "exec node -", f";process.stderr.write('{PLACE}');", "node:22-slim", ".js"
    ),
    "cpp": Language(_compiled(".cpp", "g++ -std=c++17 -o main main.cpp"), "", "gcc:13", ".cpp"),
    "rust": Language(_compiled(".rs", "rustc -A warnings -o main main.rs"), "", "rust:1", ".rs"),
    "go": Language(
        _compiled(".go", "HOME=/tmp GOFLAGS=-mod=mod go build -o main main.go"),
        "",
        "golang:1",
        ".go",
    ),
    "java": Language(
        _compiled(".java", "javac main.java", "java -ea -Xmx256m Main"), "", "openjdk:21", ".java"
    ),
}
_CONSOLE_ASSERT: Final = re.compile(r"^Assertion failed", re.MULTILINE)
_ASSERTION: Final = re.compile(
    r"Assertion\b.*\bfailed|^Assertion failed|\bAssertionError\b|\bassertion .*failed",
    re.MULTILINE,
)
_SCRIPT_ERROR: Final = re.compile(r"\b(?:SyntaxError|ReferenceError)\b")
_PYTHON_END: Final = re.compile(r"(?:[A-Za-z_]\w*\.)*([A-Za-z_]\w*)(?::|\Z)")
_PYTHON_PLACE: Final = re.compile(r'^  File "([^"\n]*)", line (\d+)', re.MULTILINE)
_PYTHON_ENDS: Final[Mapping[str, End]] = {
    "SyntaxError": "build-error",
    "IndentationError": "build-error",
    "TabError": "build-error",
    "NameError": "missing-name",
    "ImportError": "missing-name",
    "ModuleNotFoundError": "missing-name",
    "MemoryError": "memory-limit",
}


@dataclass(frozen=True, slots=True)
class Program:
    """Source that nobody has read, and the tests behind it, both of one of `LANGUAGES`."""

    source: str
    tests: str
    language: str


@dataclass(frozen=True, slots=True)
class Captured:
    """What a sandbox saw: an exit status, the end of both outputs, and a limit that was reached.

    The status is None where the program was ended from outside.
    """

    status: int | None
    stdout: str = ""
    stderr: str = ""
    limit: Literal["", "time-limit", "memory-limit", "output-limit"] = ""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run ended; `detail` is the last line that it said, hostile as all of its output."""

    end: End
    detail: str = ""


class Sandbox(Protocol):
    """Runs programs one at a time. `name` says which, for the record."""

    name: str

    def run(self, source: str, language: str) -> Captured:
        """Run one source text to its end, or to a limit."""

    def close(self) -> None:
        """Let go of what is held."""


def problem_of_tests(tests: str, language: str) -> str:
    """Why tests can never pass, or an empty text."""
    if language not in LANGUAGES:
        return f"language {language!r} is not known; there are {', '.join(LANGUAGES)}"
    if not LANGUAGES[language].tail and PLACE not in tests:
        return f"tests in {language} must print {PLACE} after the last test: it is replaced"
    return ""


def composed(program: Program, word: str) -> str:
    """The program, the tests behind it, and the word of this run behind the last test."""
    text = f"{program.source}\n{program.tests}\n"
    if PLACE not in program.tests:
        return text + LANGUAGES[program.language].tail.replace(PLACE, word) + "\n"
    return f"{program.source}\n{program.tests.replace(PLACE, word)}\n"


def end_of(program: Program, captured: Captured, word: str) -> Ended:
    """What the end of a run says of the program."""
    told = captured.stderr.strip()
    last = told.rpartition("\n")[2]
    if captured.limit:
        return Ended(captured.limit, last)
    if captured.status == 0:
        passed = told.endswith(word) or captured.stdout.strip().endswith(word)
        if program.language == "javascript" and _CONSOLE_ASSERT.search(told):
            return Ended("wrong-output", "Assertion failed")  # console.assert goes on
        early = "it ended with status 0 before the last test"
        return Ended("pass") if passed else Ended("early-end", early)
    if captured.status == BUILD_STATUS:
        return Ended("build-error", told.partition("\n")[0])
    if program.language == "python":
        return _python_end(program, told, last)
    return Ended(_other_end(program.language, told), last)


def _other_end(language: str, told: str) -> End:
    if _ASSERTION.search(told):
        return "wrong-output"
    if language == "javascript" and (name := _SCRIPT_ERROR.search(told)):
        return "build-error" if name[0] == "SyntaxError" else "missing-name"
    return "exception" if told else "early-end"


def _python_end(program: Program, told: str, last: str) -> Ended:
    named = _PYTHON_END.match(last)
    if named is None or ("Traceback" not in told and named[1] not in _PYTHON_ENDS):
        return Ended("early-end", last)
    if named[1] != "AssertionError":
        return Ended(_PYTHON_ENDS.get(named[1], "exception"), last)
    place = _PYTHON_PLACE.findall(told)[-1:]
    own = program.source.count("\n") + 1
    # An assertion of the program's own says nothing of its output.
    in_tests = bool(place) and place[0][0] == "<stdin>" and int(place[0][1]) > own
    return Ended("wrong-output" if in_tests else "exception", last)
