"""Published results of other benchmarks give the published numbers, to the digit."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from command import Cli

from rmjudge.errors import UsageError
from rmjudge.importing.benchmarks import import_benchmark

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
published = pytest.mark.skipif(not DATA.exists(), reason="needs ../shared/data")


@published
def test_judgebenchs_published_decisions_give_its_published_accuracies() -> None:
    found = import_benchmark([DATA / "judgebench" / "published_decisions.jsonl.gz"])
    assert found is not None
    scores = {r.metrics.scorer: f"{100 * (r.metrics.headline or 0):.2f}" for r, _ in found}
    assert scores == {
        "o1-mini-2024-09-12": "65.71",
        "Skywork_Skywork-Reward-Gemma-2-27B": "64.29",
        "Skywork_Skywork-Reward-Llama-3.1-8B": "62.29",
        "internlm_internlm2-20b-reward": "63.43",
        "internlm_internlm2-7b-reward": "59.43",
        "Ray2333_GRM-Gemma-2B-rewardmodel-ft": "59.43",
        "claude-3-haiku-20240307": "32.22",
    }
    macro = {r.metrics.scorer: r.metrics.averages["macro"]["strict"] for r, _ in found}
    # GRAM reports the macro for the same models: 65.0 and 62.0.
    assert f"{100 * (macro['Skywork_Skywork-Reward-Gemma-2-27B'] or 0):.1f}" == "65.0"
    assert f"{100 * (macro['internlm_internlm2-20b-reward'] or 0):.2f}" == "61.95"


@published
def test_rewardmaths_published_scores_give_its_published_accuracies() -> None:
    folder = DATA / "rewardmath" / "results"
    found = import_benchmark(
        [folder / "ArmoRM_reward.json.gz", folder / "internlm2_20b_reward.json.gz"]
    )
    assert found is not None
    scores = [f"{100 * (result.metrics.headline or 0):.2f}" for result, _ in found]
    assert scores == ["20.50", "33.95"]


@published
def test_rows_that_come_again_are_said_and_count_once() -> None:
    found = import_benchmark([DATA / "rewardmath" / "results" / "gpt4o_reward.json.gz"])
    assert found is not None
    ((result, _),) = found
    assert result.metrics.whole.items == 483
    assert any("485 rows for 483 items" in note for note in result.notes)


def judgment(first: str | None, second: str | None, **about: Any) -> dict[str, Any]:
    """A row as `run_judge.py` writes it; a judge that failed is null."""
    given = [
        None if one is None else {"decision": one, "judgment": "..."} for one in (first, second)
    ]
    base = {"pair_id": "p", "source": "livebench-math", "label": "A>B", "question": "?"}
    return {**base, "judge_name": "arena_hard", "judgments": given, **about}


def test_judgebenchs_own_rows_are_read_and_a_null_is_no_vote(tmp_path: Path) -> None:
    rows = [
        judgment("A>B", "B>A", pair_id="both"),
        judgment("A>B", None, pair_id="one, and null"),
        judgment("A>B", "A>B", pair_id="first place twice"),
        judgment("B>A", "A>B", pair_id="label B", label="B>A", source="mmlu-pro-law"),
        judgment(None, None, pair_id="nulls"),
    ]
    path = tmp_path / "dataset=judgebench,judge_name=arena_hard,judge_model=me.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = import_benchmark([path])
    assert found is not None
    ((result, _),) = found
    assert result.metrics.scorer == "me"
    assert result.metrics.averages["micro"] == {"strict": 3 / 5, "half_credit": 4 / 5}
    assert result.metrics.subsets["Knowledge"].strict == 1.0
    assert result.metrics.no_verdict == 3


def test_an_item_that_comes_again_with_other_results_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text(
        "".join(json.dumps(row) + "\n" for row in (judgment("A>B", "B>A"), judgment("A>B", "A>B")))
    )
    with pytest.raises(UsageError, match=r"x\.jsonl:2: the item comes again with other results"):
        import_benchmark([path])


def test_reward_bench_2_columns_are_read_ties_too(tmp_path: Path, home: Path) -> None:
    columns = {
        "id": ["1", "ref:0", "tied:0"],
        "subset": ["Math", "Ties", "Ties"],
        "scores": [[2.0, 2.0, 1.0, 0.0], [[3.0], [1.0]], [3.0, 2.0, 0.0]],
        "num_correct": [1, 1, 2],
        "model": "org/rm",
    }
    path = tmp_path / "rm.json"
    path.write_text(json.dumps(columns))
    cli = Cli(home)
    done = cli("import", path, "--out", "r", "--json")
    assert done.returncode == 0, done.stderr
    (metrics,) = json.loads(done.stdout)["benchmarks"]
    assert metrics["subsets"]["Math"]["half_credit"] == 0.5
    # gaps 2 and 2, spread 1: everything right, and tanh(2 / 1 - 1)
    assert metrics["subsets"]["Ties"]["strict"] == pytest.approx(1.0076159, abs=1e-6)
    shown = cli("report", "r", "--format", "markdown")
    assert "RewardBench 2" in shown.stdout


def test_a_file_of_none_of_them_is_left_to_the_other_formats(tmp_path: Path) -> None:
    for name, content in (("a.json", b"[1]"), ("b.json", b"{"), ("c.jsonl", b""), ("d.gz", b"x")):
        path = tmp_path / name
        path.write_bytes(content)
        assert import_benchmark([path]) is None
    damaged = tmp_path / "e.json.gz"
    damaged.write_bytes(gzip.compress(b'[{"pair_id": 1}]')[:-9])
    assert import_benchmark([damaged]) is None
