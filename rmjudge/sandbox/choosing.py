"""Which sandbox: named by the user, tried before it is trusted."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from rmjudge.errors import UsageError
from rmjudge.sandbox.processes import Bare, Bubblewrap, Command, Container
from rmjudge.sandbox.programs import Program, Sandbox
from rmjudge.sandbox.running import run_program
from rmjudge.sandbox.wasm import Wasm
from rmjudge.text import quote

NAMES: Final = "wasm[=FILE], bwrap, docker[=IMAGE], podman[=IMAGE], command=TEMPLATE, none"
_TRIED: Final = {
    "python": (Program("x = 1", "assert x == 1", "python"), "assert x == 2"),
    "javascript": (Program("let x = 1;", "console.assert(x == 1);", "javascript"), "throw x;"),
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
        if language in _TRIED:
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
    right, wrong = _TRIED[language]
    ended = run_program(sandbox, right)
    if ended.end != "pass":
        raise UsageError(
            f"the sandbox {sandbox.name} does not run {language} here: a right program ends as "
            f"{ended.end}: {quote(ended.detail)}"
        )
    if run_program(sandbox, Program(right.source, wrong, language)).end == "pass":
        raise UsageError(f"the sandbox {sandbox.name} lets a wrong {language} program pass")
