"""What is submitted: the row's figures, and a file that RM-Bench's script can read."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from rmjudge import TupleResult, UsageError
from rmjudge.dataset.tuples import BenchTuple, DataSet
from rmjudge.leaderboard.standing import BENCHMARK
from rmjudge.leaderboard.submissions import (
    COLUMNS,
    Submission,
    check_scores,
    hub_file,
    markdown_row,
    result_file,
)
from rmjudge.metrics.compute import compute_metrics
from rmjudge.runs.results import CallCounts, ScorerResult, Tokens
from rmjudge.vocabulary import DOMAINS, Domain

NOBODY = Submission()


def item(domain: Domain, id: int, subset: str | None = None) -> BenchTuple:
    texts = [f"{domain} {id} {k}" for k in range(6)]
    return BenchTuple(
        id, domain, subset, "What?", (texts[0], texts[1], texts[2]), (texts[3], texts[4], texts[5])
    )


def result(tuples: list[TupleResult], method: str = "pointwise") -> ScorerResult:
    credits: dict[Domain, list[Any]] = {domain: [] for domain in DOMAINS}
    for one in tuples:
        credits[one.domain].append(one.credits)
    return ScorerResult(
        metrics=compute_metrics("my|model", method, None, credits),  # type: ignore[arg-type]
        tuples=tuple(tuples),
        calls=CallCounts(),
        tokens=Tokens(),
        cost=None,
        cost_known=True,
        statuses={},
        models={},
        notes=(),
    )


def full(
    scores: dict[Domain, tuple[tuple[float, float, float], tuple[float, float, float]]],
) -> ScorerResult:
    """A run over the whole benchmark, all tuples of a domain alike."""
    return result(
        [
            TupleResult(id, domain, None, *scores[domain])
            for domain, size in BENCHMARK.items()
            for id in range(size)
        ]
    )


@pytest.fixture(scope="module")
def uneven() -> ScorerResult:
    # chat: all nine won. math: none. code: ties on the diagonal, rest as length would have it:
    # easy 1, normal 0 (a tie is no win), hard 0. safety: a constant chosen that beats two styles.
    return full(
        {
            "chat": ((1.0, 1.0, 1.0), (0.0, 0.0, 0.0)),
            "math": ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0)),
            "code": ((1.0, 2.0, 3.0), (1.0, 2.0, 3.0)),
            "safety": ((1.5, 1.5, 1.5), (1.0, 1.0, 2.0)),
        }
    )


def test_the_row_has_the_columns_of_the_leaderboard(uneven: ScorerResult) -> None:
    cells = markdown_row(uneven, NOBODY).strip("|").replace("\\|", "").split("|")
    assert len(cells) == len(COLUMNS) == 14


def test_the_row_holds_the_averages_of_a_case_done_by_hand(uneven: ScorerResult) -> None:
    about = Submission("Mine", "https://example.org/m_1", "GenRM", "Open Source")
    # Domains: 1, 0, 1/3, and safety 2/3 (m00, m01, m10, m11, m20, m21).
    # Easy is the mean of 1, 0, 1, 1 (m10, m20, m21 of safety are won), Normal of 1, 0, 0, 2/3 and
    # Hard of 1, 0, 0, 1/3 (of m01, m02 and m12 only the first is won).
    assert markdown_row(uneven, about) == (
        "| [Mine](https://example.org/m_1) | GenRM | 100.0 | 0.0 | 33.3 | 66.7 "
        "| 75.0 | 41.7 | 33.3 | 50.0 | 50.0 | 50.0 | False | Open Source |"
    )


def test_the_hub_reads_the_averages_from_its_file(uneven: ScorerResult) -> None:
    yaml = pytest.importorskip("yaml", reason="PyYAML, which reads the file, is not installed")
    hub = pytest.importorskip("huggingface_hub", reason="huggingface_hub is not installed")
    text = hub_file(uneven, "https://example.org/m_1", 1_760_000_000.0)
    entries = hub.parse_eval_result_entries(yaml.safe_load(text))
    # The same case by hand as in the leaderboard's row.
    assert {entry.task_id: entry.value for entry in entries} == {
        "overall": 50.0,
        "chat": 100.0,
        "math": 0.0,
        "code": 33.3,
        "safety": 66.7,
        "easy": 75.0,
        "normal": 41.7,
        "hard": 33.3,
    }
    assert {entry.dataset_id for entry in entries} == {"THU-KEG/RM-Bench"}
    assert {entry.date for entry in entries} == {"2025-10-09"}
    assert {entry.source_url for entry in entries} == {"https://example.org/m_1"}
    assert all("pointwise" in entry.notes for entry in entries)
    bare = yaml.safe_load(hub_file(uneven, None, None))
    assert all(set(entry) == {"dataset", "value", "notes"} for entry in bare)


def test_a_run_over_a_part_of_the_benchmark_has_no_file_for_the_hub() -> None:
    part = result([TupleResult(1, "chat", None, (1.0, 1.0, 1.0), (0.0, 0.0, 0.0))])
    with pytest.raises(UsageError, match="the Hub's file takes complete runs of RM-Bench"):
        hub_file(part, None, None)
    with pytest.raises(UsageError, match="--link"):
        hub_file(won_everywhere(), "ftp://x", None)


def won_everywhere() -> ScorerResult:
    return full(dict.fromkeys(DOMAINS, ((1.0, 1.0, 1.0), (0.0, 0.0, 0.0))))


def test_a_name_without_a_link_is_inert_in_the_table(uneven: ScorerResult) -> None:
    assert markdown_row(uneven, NOBODY).startswith(r"| my\|model | Scalar RM | 100.0 |")


@pytest.mark.parametrize(
    "link", ["ftp://x", "example.org", "https://x y", "https://x)|", "https://x\n"]
)
def test_a_link_that_could_break_the_table_is_refused(uneven: ScorerResult, link: str) -> None:
    with pytest.raises(UsageError, match="--link"):
        markdown_row(uneven, Submission(link=link))


def test_a_run_over_a_part_of_the_benchmark_has_no_row() -> None:
    part = result([TupleResult(1, "chat", None, (1.0, 1.0, 1.0), (0.0, 0.0, 0.0))])
    with pytest.raises(UsageError, match="average over chat only; math, code, safety missing"):
        markdown_row(part, NOBODY)


def test_a_run_with_unscored_cells_has_no_row_and_no_file(uneven: ScorerResult) -> None:
    first, *others = uneven.tuples
    holed = TupleResult(first.id, first.domain, None, (None, 1.0, 1.0), first.score_rejected)
    with pytest.raises(UsageError, match="3 cells are not scored"):
        markdown_row(result([holed, *others]), NOBODY)
    with pytest.raises(UsageError, match="3 cells are not scored"):
        check_scores(result([holed]))


def test_a_judges_run_has_no_file_of_scores() -> None:
    judged = result([TupleResult(1, "chat", None, matrix=((1.0,) * 3,) * 3)], method="pairwise")
    with pytest.raises(UsageError, match="a judge of pairs gives none"):
        check_scores(judged)


def official_accuracy(items: list[dict[str, Any]]) -> dict[str, float]:
    """RM-Bench's definition, written down again: strict wins over all tuples, three triangles."""
    wins = np.zeros((3, 3))
    for one in items:
        chosen, rejected = np.array(one["score_chosen"]), np.array(one["score_rejected"])
        wins += chosen[:, None] > rejected[None, :]
    share = wins / len(items)
    return {
        "easy": float(share[np.tril_indices(3, -1)].mean()),
        "normal": float(share.diagonal().mean()),
        "hard": float(share[np.triu_indices(3, 1)].mean()),
    }


def test_the_script_finds_our_numbers_in_the_file() -> None:
    rng = np.random.default_rng(7)
    data = DataSet(
        "x",
        tuple(
            item(domain, id)
            for domain, n in zip(DOMAINS, (3, 4, 5, 6), strict=True)
            for id in range(n)
        ),
    )
    # Few distinct values, so that ties occur.
    draws = [[float(value) for value in rng.integers(0, 4, 6)] for _ in data]
    ours = result(
        [
            TupleResult(one.id, one.domain, None, (d[0], d[1], d[2]), (d[3], d[4], d[5]))
            for one, d in zip(data, draws, strict=True)
        ]
    )
    items = json.loads(result_file(ours, data))
    theirs = {
        domain: official_accuracy([one for one in items if one["domain"].startswith(domain)])
        for domain in DOMAINS
    }
    assert ours.metrics.tie_rate
    for part in ("easy", "normal", "hard"):
        macro = np.mean([theirs[domain][part] for domain in DOMAINS])
        assert getattr(ours.metrics.strict, part) == pytest.approx(macro)
    overall = np.mean([np.mean(list(theirs[domain].values())) for domain in DOMAINS])
    assert ours.metrics.strict.average == pytest.approx(overall)


def test_the_file_holds_the_tuples_with_their_scores_and_published_domains() -> None:
    data = DataSet("x", (item("safety", 5, "safety-refuse"), item("chat", 5, "alpacaeval")))
    scores = ((1.0, 2.0, 3.0), (4.0, 5.0, 6.0))
    ours = result([TupleResult(5, one.domain, one.subset, *scores) for one in data])
    refuse, chat = json.loads(result_file(ours, data))
    assert refuse == {
        "id": 5,
        "prompt": "What?",
        "chosen": ["safety 5 0", "safety 5 1", "safety 5 2"],
        "rejected": ["safety 5 3", "safety 5 4", "safety 5 5"],
        "domain": "safety-refuse",
        "score_chosen": [1.0, 2.0, 3.0],
        "score_rejected": [4.0, 5.0, 6.0],
    }
    assert (chat["domain"], chat["subset"], chat["chosen"][0]) == ("chat", "alpacaeval", "chat 5 0")
