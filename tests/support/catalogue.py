"""A run for the failure catalogue: one tuple, one call at a time, and all that is left of it."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from rmjudge import evaluate
from rmjudge.cache.rows import decode
from rmjudge.calls import Reply, Unscored
from rmjudge.errors import StopRun
from rmjudge.providers.hosted import HostedScorer
from rmjudge.providers.registry import create
from rmjudge.providers.sending.policy import Policy
from rmjudge.providers.spec import parse_spec

POLICY = Policy(
    backoff_first_s=0.001,
    backoff_most_s=0.001,
    attempts_transient=3,
    attempts_rate_limited=4,
    outage_at_start_s=0.2,
    body_limit=2**21,
)
IMPATIENT = replace(POLICY, deadline_s=1.0)
"""For replies that do not come, or drip."""
CALLS = {"judge": 9, "reward": 6}


@dataclass(frozen=True)
class Ended:
    """How a run ended."""

    code: int
    told: str
    notes: str
    calls: dict[str, int]
    statuses: dict[str, int]
    scored: int
    stored: list[Reply]

    @property
    def kept_without_score(self) -> dict[str, int]:
        answers = [reply.answer for reply in self.stored]
        return dict(Counter(answer.status for answer in answers if isinstance(answer, Unscored)))


def run(spec: str, policy: Policy = POLICY, rpm: float | None = None) -> Ended:
    """Score one tuple with a policy that waits less than the default."""
    made = create(parse_spec(spec))
    assert isinstance(made, HostedScorer)
    scorer = HostedScorer(made._provider, policy=policy, concurrency=1, rpm=rpm)
    code, told = 0, ""
    try:
        code = evaluate(scorer, domains=("code",), limit=1, out="o", cache_dir="c").exit_code
    except StopRun as stopped:
        code, told = stopped.exit_code, str(stopped)
    about = json.loads(Path("o/run.json").read_text())
    metrics = json.loads(Path("o/metrics.json").read_text())
    return Ended(
        code=code,
        told=told,
        notes=" ".join(about["notes"]),
        calls=about["calls"],
        statuses=about["statuses"],
        scored=9 - metrics["unscored_cells"],
        stored=stored(),
    )


def patience_for(fault: str) -> Policy:
    return IMPATIENT if fault.startswith(("silence", "drip")) else POLICY


def stored() -> list[Reply]:
    with closing(sqlite3.connect("c/cache.db")) as connection:
        rows = connection.execute("SELECT value FROM Cache WHERE key LIKE 'a:%'").fetchall()
    return [decode(text) for (text,) in rows]
