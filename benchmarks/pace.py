"""As fast as the server allows, found out: the wall of runs that are told no limit, by the ideal.

`python benchmarks/pace.py [--rounds N]`. The ideal is what the server could do at best; the worst
of the rounds counts. Refusals are 429, with `Retry-After: 1` and without.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import Final

from harness import measured, serving, show

CALLS: Final = 531
SOME: Final = 126
FEW: Final = 36
MANY: Final = 12_006
"""Nine calls a tuple: what is left of another number is not asked."""


@dataclass(frozen=True, slots=True)
class Case:
    """A server, how many calls, and what `--concurrency` says (0: nothing)."""

    what: str
    server: tuple[object, ...]
    ideal_s: float
    target: float
    calls: int = CALLS
    concurrency: int = 0
    deadline: float = 600.0


def _cases() -> list[Case]:
    cases = []
    for words, wait in (("", "1"), (", no Retry-After", "")):
        refusing = ("--retry-after", wait)
        cases += [
            Case(
                f"6 at once, 200 ms{words}",
                ("--latency", 0.2, "--at-once", 6, *refusing),
                CALLS * 0.2 / 6,
                1.35,
            ),
            Case(
                f"6 at once, 1 s{words}",
                ("--latency", 1, "--at-once", 6, *refusing),
                SOME / 6,
                1.15,
                SOME,
            ),
            Case(
                f"20 a second, 200 ms{words}",
                ("--latency", 0.2, "--per-second", 20, *refusing),
                CALLS / 20,
                1.15,
            ),
            Case(
                f"100 at once, 1 s, --concurrency 200{words}",
                ("--latency", 1, "--at-once", 100, *refusing),
                CALLS / 100,
                1.3,
                concurrency=200,
            ),
        ]
    return cases


def _one_slot() -> tuple[Case, Case]:
    server = ("--latency", 1, "--in-line", 1)
    alone = Case("alone", server, FEW, 1.25, FEW, 1, 6.0)
    return alone, Case("one slot, 1 s, --deadline 6", server, FEW, 1.25, FEW, 0, 6.0)


def _run(case: Case) -> tuple[float, int, int]:
    with serving(*case.server) as server:
        found = measured("rmjudge", server, case.calls, case.concurrency, deadline=case.deadline)
        stats = server.stats()
    if found["calls"] != case.calls or found["failed"]:
        raise SystemExit(f"{case.what}: {found['failed']} of {found['calls']} calls failed")
    return found["wall_s"], stats["refused"], found["retried"]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=1)
    rounds = parser.parse_args().rounds
    alone, in_line = _one_slot()
    no_limit = Case("no limit, 200 ms", ("--latency", 0.2), MANY * 0.2 / 64, 1.05, MANY)
    fixed = min(_run(alone)[0] for _ in range(rounds))
    rows = []
    for case in (*_cases(), in_line, no_limit):
        ideal_s = fixed if case is in_line else case.ideal_s
        found = [_run(case) for _ in range(rounds)]
        wall_s, refused, retried = max(found)
        ratio = wall_s / ideal_s
        met = "yes" if ratio <= case.target else "NO"
        rows.append(
            [
                case.what,
                f"{ideal_s:.1f}",
                f"{wall_s:.1f}",
                f"{ratio:.2f}",
                f"<= {case.target:g}",
                met,
                str(refused),
                str(retried - refused),
            ]
        )
        print(rows[-1], flush=True)
    show(("server", "ideal s", "wall s", "ratio", "target", "met", "refused", "other"), rows)


if __name__ == "__main__":
    main()
