"""A program in a sandbox, once or several times."""

from __future__ import annotations

import secrets

from rmjudge.sandbox.programs import Ended, Program, Sandbox, composed, end_of


def run_program(sandbox: Sandbox, program: Program) -> Ended:
    """Run a program with its tests once, with a word of this run alone."""
    word = secrets.token_hex(16)
    captured = sandbox.run(composed(program, word), program.language)
    return end_of(program, captured, word)


def run_times(sandbox: Sandbox, program: Program, times: int) -> list[Ended]:
    """Run it so many times, but stop once two runs end differently."""
    found: list[Ended] = []
    for _ in range(times):
        found.append(run_program(sandbox, program))
        if found[-1].end != found[0].end:
            break
    return found
