"""How a run was made, in words: what is known is told, and nothing that is not."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rmjudge.metrics.compute import compute_metrics
from rmjudge.metrics.tallies import Credits
from rmjudge.render.page.making import making_of
from rmjudge.runs.records import Origin, RunRecord
from rmjudge.runs.results import CallCounts, ScorerResult, Tokens, TupleResult

WON: Credits = ((1.0,) * 3,) * 3
RESULT = ScorerResult(
    metrics=compute_metrics("m", "pairwise", "both", {"chat": [WON, WON]}),
    tuples=(TupleResult(1, "chat", None, matrix=WON), TupleResult(2, "chat", None, matrix=WON)),
    calls=CallCounts(planned=1036, from_cache=30, sent=1006, retried=4, failed=5, unscored=2),
    tokens=Tokens(input=12_345, output=678),
    cost=0.5,
    cost_known=True,
    statuses={"unparsed": 2, "timeout": 5},
    models={"m-2026": 1001},
    notes=(),
)
BARE = RunRecord(Path("o"), {})


def told(record: RunRecord = BARE, result: ScorerResult = RESULT) -> Mapping[str, str]:
    pairs = making_of(record, result)
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


def test_of_a_run_of_which_nothing_is_recorded_only_its_results_are_told() -> None:
    assert set(told()) == {
        *("Data", "Method", "Answered by"),
        *("Calls", "Why without", "Tokens", "Cost"),
    }
    assert told()["Data"] == "2 tuples"
    assert told()["Method"] == "pairwise, both orders"


@pytest.mark.parametrize(
    ("seconds", "wall_s", "words"),
    [
        (1795367247.9, 0.27, "22 November 2026, 17:07 UTC, took 0.3 s"),
        (1767225600.0, 61.0, "1 January 2026, 00:00 UTC, took 1 min 1 s"),
        (1767225600.0, 7384.0, "1 January 2026, 00:00 UTC, took 2 h 3 min"),
        (1767225600.0, None, "1 January 2026, 00:00 UTC"),
        (1e300, None, "1e+300 s after 1970"),
    ],
)
def test_the_start_is_a_date_in_utc(seconds: float, wall_s: float | None, words: str) -> None:
    assert told(replace(BARE, started=seconds, wall_s=wall_s))["Started"] == words


def test_the_data_is_told_with_what_was_taken_of_it() -> None:
    whole = replace(BARE, label="sample", digest="0123456789abcdef", tuples=40)
    found = told(replace(whole, domains=("chat", "math"), limit=1000))
    assert found["Data"] == "sample, 2 of 40 tuples, digest 0123456789ab"
    assert found["Asked for"] == "domains chat, math; the first 1,000 of each domain"
    assert "Asked for" not in told(whole)


def test_calls_tokens_and_cost_are_told() -> None:
    found = told()
    assert found["Calls"] == (
        "1,036 planned; 30 from the cache, 1,006 sent, 5 failed, 2 replies without a score"
    )
    assert found["Why without"] == "unparsed 2, timeout 5"
    assert (found["Tokens"], found["Cost"]) == ("12,345 in, 678 out", "$0.5000")
    assert found["Answered by"] == "m-2026 (1,001)"


@pytest.mark.parametrize(
    ("changes", "cost"),
    [
        ({"cost": None, "cost_known": False}, "unknown"),
        ({"cost": 0.0}, "$0"),
        ({"cost": None}, None),
    ],
)
def test_a_cost_that_is_not_known_is_not_nothing(changes: dict[str, Any], cost: str | None) -> None:
    assert told(result=replace(RESULT, **changes)).get("Cost") == cost


def test_the_seed_and_the_votes_stand_with_the_method() -> None:
    record = replace(BARE, seed=7, votes=3, identity={"judging": "pairwise-two-level"})
    words = "pairwise, both orders, seed 7, 3 votes, asked as pairwise-two-level"
    assert told(record)["Method"] == words


def test_a_template_is_told_by_its_name_and_its_text_by_a_hash() -> None:
    digest = hashlib.sha256(b"Compare {{ prompt }}").hexdigest()[:12]
    identity = {"judging": "pairwise", "template": "Compare {{ prompt }}"}
    assert told(replace(BARE, identity=identity))["Template"] == f"its own, SHA-256 {digest}"
    assert told(replace(BARE, identity=identity))["Question"] == "Compare {{ prompt }}"
    own = told(replace(BARE, identity=identity, template="mine.j2"))
    assert own["Template"] == f"mine.j2, SHA-256 {digest}"
    assert "Template" not in told(replace(BARE, identity={"template": ""}))


def test_a_stopped_run_tells_why_and_how_to_go_on() -> None:
    record = replace(BARE, resume="rmjudge run m --out o")
    stopped = told(record, replace(RESULT, stopped="401: the key is refused"))
    assert stopped["Stopped"] == "401: the key is refused"
    assert stopped["To go on"] == "rmjudge run m --out o"
    done = told(record)
    assert "Stopped" not in done
    assert done["Command"] == "rmjudge run m --out o"


def test_an_import_tells_its_files_and_no_calls() -> None:
    imported = Origin("rm-bench", ("a.json", "b.json"), ("ab" * 32, "cd" * 32))
    found = told(replace(BARE, imported=imported, versions={"rmjudge": "1"}))
    assert found["Imported from"] == "a.json, b.json (rm-bench)"
    assert found["Their SHA-256"] == "abababababab, cdcdcdcdcdcd"
    assert found["Versions"] == "rmjudge 1"
    assert not {"Calls", "Started", "Command"} & set(found)


def test_a_combined_result_made_no_calls_of_its_own() -> None:
    assert "Calls" not in told(replace(BARE, combined=True))


def test_words_from_files_are_made_harmless() -> None:
    bad = "\x1b[31m\u202ename"
    record = replace(
        BARE,
        label=bad,
        digest="d" * 64,
        template=bad,
        resume=bad,
        identity={"template": "t", "url": bad},
        versions={bad: bad},
        imported=None,
    )
    result = replace(RESULT, models={bad: 1}, statuses={bad: 1}, stopped=bad)
    assert not {"\x1b", "\u202e"} & set("".join(told(record, result).values()))
