"""Which sandbox: named by the user, tried before it is trusted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from rmjudge.errors import UsageError
from rmjudge.sandbox.processes import Bare, Bubblewrap, Command, Container
from rmjudge.sandbox.programs import PLACE, Program, Sandbox
from rmjudge.sandbox.running import run_program
from rmjudge.sandbox.wasm import Wasm
from rmjudge.text import quote

NAMES: Final = "wasm[=FILE], bwrap, docker[=IMAGE], podman[=IMAGE], command=TEMPLATE, none"
_TRIED: Final[Mapping[str, tuple[str, str]]] = {
    "python": ("x = 1", "assert x == 1"),
    "javascript": ("let x = 1;", "console.assert(x == 1);"),
    "cpp": (
        "#include <cassert>\n#include <cstdio>",
        f'int main() {{ int x = 1; assert(x == 1); puts("{PLACE}"); }}',
    ),
    "rust": ("", f'fn main() {{ let x = 1; assert!(x == 1); println!("{PLACE}"); }}'),
    "go": (
        'package main\nimport "fmt"',
        'func main() { x := 1; if !(x == 1) { panic("AssertionError") }; '
        f'fmt.Println("{PLACE}") }}',
    ),
    "java": (
        "",
        "public class Main { public static void main(String[] words) { int x = 1; "
        f'if (!(x == 1)) throw new AssertionError(); System.out.println("{PLACE}"); }} }}',
    ),
}


def open_sandbox(name: str, languages: Iterable[str], *, untrusted: bool = False) -> Sandbox:
    """The sandbox of that name; a right and a wrong program were tried in it.

    An empty name is `wasm`. `untrusted` is the user's word that code may run without any.

    Raises:
        UsageError: it is not known, not there, or does not work here.
    """
    wanted = sorted(set(languages))
    sandbox = _named(name, wanted, untrusted=untrusted)
    for language in wanted:
        try:
            _try(sandbox, language)
        except UsageError:
            sandbox.close()
            raise
    return sandbox


def _named(name: str, languages: list[str], *, untrusted: bool) -> Sandbox:
    kind, _, rest = name.partition("=")
    if kind in ("", "wasm"):
        if others := [language for language in languages if language != "python"]:
            raise UsageError(
                f"the sandbox wasm runs Python alone; for {', '.join(others)} name another, "
                f"--sandbox: {NAMES}"
            )
        return Wasm(Path(rest) if rest else None)
    if kind == "bwrap" and not rest:
        return Bubblewrap()
    if kind in ("docker", "podman"):
        return Container(kind, rest)
    if kind == "command" and rest:
        return Command(rest)
    if kind == "none" and not rest:
        if not untrusted:
            raise UsageError(
                "--sandbox none runs code that nobody has read on this machine, with all that "
                "you may do: say --yes-run-untrusted-code too, or name a sandbox"
            )
        return Bare()
    raise UsageError(f"--sandbox {quote(name)} is not known; there are {NAMES}")


def _try(sandbox: Sandbox, language: str) -> None:
    source, tests = _TRIED[language]
    wrong = tests.replace("x == 1", "x == 2")
    for tried, expected in ((tests, "pass"), (wrong, "wrong-output")):
        ended = run_program(sandbox, Program(source, tried, language))
        if ended.end != expected:
            raise UsageError(
                f"the sandbox {sandbox.name} does not run {language} here: a program that should "
                f"end as {expected} ends as {ended.end}: {quote(ended.detail)}"
            )
