"""A run on JudgeBench as its own rows: counted by its script, and read back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from command import Cli
from served import ModelServer, StubServer

SOURCES = ("mmlu-pro-law", "livebench-math", "livecodebench", "livebench-reasoning")


def data(home: Path) -> list[dict[str, Any]]:
    rows = [
        {
            "pair_id": f"pair-{n}",
            "source": SOURCES[n % 4],
            "question": f"Question {n}?",
            "response_A": f"First answer to {n}",
            "response_B": f"Second, longer answer to {n}" if n else "First answer to 0",
            "label": "A>B" if n % 3 else "B>A",
        }
        for n in range(24)
    ]
    (home / "pairs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return rows


def counted(rows: list[dict[str, Any]]) -> float:
    """JudgeBench's `compute_final_metrics`, written anew: net votes of both orders, percent."""
    flip = {"A>B": "B>A", "B>A": "A>B"}
    right = 0
    for row in rows:
        decisions = [one["decision"] for one in row["judgments"]]
        decisions[1:] = [flip.get(one, one) for one in decisions[1:]]
        votes = sum(
            1 if one == row["label"] else -1 if one == flip[row["label"]] else 0
            for one in decisions
        )
        right += votes > 0
    return 100 * right / len(rows)


@pytest.mark.parametrize("kind", ["judge", "reward"])
def test_the_rows_give_the_score_by_judgebenchs_own_count_and_import_to_the_same_items(
    cli: Cli, home: Path, server: ModelServer, kind: str
) -> None:
    published = data(home)
    seed = ("--seed", "5") if kind == "judge" else ()
    words = ("--data", "pairs.jsonl", *seed, "--out", "r")
    assert cli("run", getattr(server, kind), *words).returncode == 0
    done = cli("leaderboard", "r", "--emit-file", "rows.jsonl", "--name", "mine")
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in (home / "rows.jsonl").read_text().splitlines()]
    assert len(rows[0]["judgments"]) == (2 if kind == "judge" else 1)
    kept = ("pair_id", "source", "question", "response_A", "response_B", "label")
    assert [{name: row[name] for name in kept} for row in rows] == published
    score = cli.json("r/metrics.json")["headline"]
    assert 0 < score < 1
    assert counted(rows) == pytest.approx(100 * score)

    assert cli("import", "rows.jsonl", "--out", "back").returncode == 0
    scores, back = (
        {line["id"]: line["score"] for line in map(json.loads, path.read_text().splitlines())}
        for path in (home / "r/results.jsonl", next((home / "back").rglob("results.jsonl")))
    )
    assert back == scores


def test_each_decision_is_about_the_order_that_the_judge_was_shown(cli: Cli, home: Path) -> None:
    """A judge that prefers whatever comes first decides for A in both orders of every pair."""
    data(home)
    message = {"role": "assistant", "content": "\\boxed{A>B}"}
    reply = {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}
    with StubServer(lambda _body: reply) as server:
        words = ("--data", "pairs.jsonl", "--out", "r")
        assert cli("run", f"openai/judge@{server.url}/v1", *words).returncode == 0
    assert cli("leaderboard", "r", "--emit-file", "rows.jsonl").returncode == 0
    rows = [json.loads(line) for line in (home / "rows.jsonl").read_text().splitlines()]
    decided = [[one["decision"] for one in row["judgments"]] for row in rows]
    assert decided == [["A=B", "A=B"], *[["A>B", "A>B"]] * 23]


def test_rows_are_refused_for_other_sets(cli: Cli, home: Path) -> None:
    row = {"prompt": "?", "chosen": "long answer", "rejected": "no"}
    (home / "mine.jsonl").write_text(json.dumps(row) + "\n")
    assert cli("run", "baseline/length", "--data", "mine.jsonl", "--out", "r").returncode == 0
    refused = cli("leaderboard", "r", "--emit-file", "rows.jsonl")
    assert refused.returncode == 2
    assert "baseline/length is on pairs; --emit prints its row" in refused.stderr
