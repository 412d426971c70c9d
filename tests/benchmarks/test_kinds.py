"""Kinds of sets (graded, matrix, choose, ties), weights and ranks, each against numpy or scipy."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command import Cli
from served import ModelServer

from rmjudge.benchmarks.descriptors import Descriptor, read_descriptor, shipped
from rmjudge.benchmarks.fields import Fields
from rmjudge.benchmarks.sets import load_sets
from rmjudge.errors import DataError, UsageError
from rmjudge.metrics.items import measure
from rmjudge.metrics.outcomes import ItemOutcome, scores_of

CHAT = Path(__file__).resolve().parents[3] / "shared" / "data" / "rm-bench" / "chat_filtered.json"
STYLES = ("concise", "detailed", "markdown")


def write_lines(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def results(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "results.jsonl").read_text().splitlines()]


# Graded responses

GRADED = """name = "graded"
[fields]
prompt = "q"
texts = "answers.text"
grades = "answers.score"
"""


def test_graded_responses_are_scored_over_pairs_of_different_grade(cli: Cli, home: Path) -> None:
    (home / "graded.toml").write_text(GRADED)
    draw = random.Random(4)
    rows: list[dict[str, Any]] = [
        {
            "q": f"Question {n}?",
            "answers": [
                {"text": "x" * draw.randint(1, 6), "score": draw.randint(1, 5) / 2}
                for _ in range(draw.randint(2, 6))
            ],
        }
        for n in range(40)
    ]
    write_lines(home / "mine.jsonl", rows)
    done = cli(
        "run", "baseline/length", "--data", "mine.jsonl", "--as", "graded.toml", "--out", "r"
    )
    assert done.returncode == 0, done.stderr
    strict, half = [], []
    for row in rows:
        grades = np.array([one["score"] for one in row["answers"]])
        lengths = np.array([len(one["text"]) for one in row["answers"]], float)
        apart = grades[:, None] > grades[None, :]
        if apart.any():
            ahead = np.sign(lengths[:, None] - lengths[None, :])[apart]
            strict.append((ahead > 0).mean())
            half.append(((ahead + 1) / 2).mean())
    averages = cli.json("r/metrics.json")["averages"]["micro"]
    assert averages["strict"] == pytest.approx(np.mean(strict))
    assert averages["half_credit"] == pytest.approx(np.mean(half))
    assert cli.json("r/metrics.json")["headline"] == pytest.approx(np.mean(strict))
    assert len(strict) < len(rows)
    left_out = f"no response is better than another: {len(rows) - len(strict)}"
    assert left_out in " ".join(done.stdout.split())


def test_half_credit_of_items_without_equal_grades_is_kendalls_tau() -> None:
    stats = pytest.importorskip("scipy.stats")
    draw = random.Random(2)
    rules = Descriptor("own", "Own", Fields(prompt="p", texts="t", grades="g"), ties="half_credit")
    for n in range(20):
        grades = tuple(map(float, draw.sample(range(9), 5)))
        rewards = tuple(draw.random() for _ in grades)
        (score,) = scores_of([ItemOutcome(n, "", grades, rewards)], rules)
        assert score is not None
        assert 2 * score - 1 == pytest.approx(stats.kendalltau(grades, rewards).statistic)


def test_a_judge_is_asked_only_about_pairs_of_different_grade(
    cli: Cli, home: Path, server: ModelServer
) -> None:
    (home / "graded.toml").write_text(GRADED)
    answers = [{"text": text, "score": score} for text, score in (("a", 3), ("b", 1), ("c", 1))]
    write_lines(home / "mine.jsonl", [{"q": "?", "answers": answers}])
    words = ("run", server.judge, "--data", "mine.jsonl", "--as", "graded.toml", "--out", "r")
    assert cli(*words).returncode == 0
    assert [pair[:2] for pair in results(home / "r")[0]["pairs"]] == [[0, 1], [0, 2]]


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({"q": "?", "answers": [{"text": "a", "score": "x"}]}, "answers.score[0] is"),
        ({"q": "?", "answers": []}, "expected a list, one for each response"),
        ({"q": "?", "answers": [{"text": "a"}]}, "answers[0].score is missing"),
    ],
)
def test_what_is_wrong_with_grades_is_said(home: Path, row: dict[str, Any], told: str) -> None:
    (home / "graded.toml").write_text(GRADED)
    path = write_lines(home / "mine.jsonl", [row])
    with pytest.raises(DataError) as error:
        load_sets([path], name=str(home / "graded.toml"))
    assert told in str(error.value)


def test_ultrafeedbacks_own_columns_are_graded(home: Path) -> None:
    completions = [{"response": text, "overall_score": k} for k, text in enumerate("abc")]
    row = {"source": "evol", "instruction": "?", "completions": completions}
    _, (found,) = load_sets([write_lines(home / "u.jsonl", [row])])
    assert found.name == "ultrafeedback"
    assert len(found.items[0].pairs) == 3


# Matrices

MATRIX = """name = "styles"
[fields]
prompt = "prompt"
chosen = "right"
rejected = "wrong"
groups = ["concise", "detailed", "markdown"]
[score]
kind = "matrix"
"""


@pytest.mark.skipif(not CHAT.exists(), reason="needs ../shared/data")
def test_a_matrix_of_ones_own_has_the_cells_that_rm_bench_has_over_the_same_texts(
    cli: Cli, home: Path, server: ModelServer
) -> None:
    (home / "styles.toml").write_text(MATRIX)
    tuples = json.loads(CHAT.read_text())[:20]
    rows = [{"prompt": t["prompt"], "right": t["chosen"], "wrong": t["rejected"]} for t in tuples]
    write_lines(home / "mine.jsonl", rows)
    write_lines(home / "chat.jsonl", tuples)
    for name, model in (("length", "baseline/length"), ("judge", server.judge)):
        assert cli("run", model, "--data", "chat.jsonl", "--out", f"rm-{name}").returncode == 0
        before = server.stats["received"]
        words = ("--data", "mine.jsonl", "--as", "styles.toml", "--out", name)
        done = cli("run", model, *words)
        assert done.returncode == 0, done.stderr
        assert server.stats["received"] == before  # the same calls, all of them kept
        cells = cli.json(f"{name}/metrics.json")["cells"]
        tuples_of = results(home / f"rm-{name}")
        own = np.array([[[cells[f"{a}/{b}"]["half_credit"] for b in STYLES] for a in STYLES]])
        expected = np.mean([matrix_of(line) for line in tuples_of], axis=0)
        assert own[0] == pytest.approx(expected)
        assert cli.json(f"{name}/metrics.json")["averages"]["micro"][
            "half_credit"
        ] == pytest.approx(expected.mean())
        assert "concise" in done.stdout


def matrix_of(line: dict[str, Any]) -> Any:
    """A tuple's nine credits as `results.jsonl` of RM-Bench has them."""
    if "matrix" in line:
        return np.array(line["matrix"], float)
    better, worse = (np.array(line[f"score_{side}"]) for side in ("chosen", "rejected"))
    return (np.sign(better[:, None] - worse[None, :]) + 1) / 2


def test_a_matrix_needs_one_response_of_each_group(home: Path) -> None:
    (home / "styles.toml").write_text(MATRIX)
    row = {"prompt": "?", "right": ["a", "b", "c"], "wrong": ["d", "e"]}
    path = write_lines(home / "mine.jsonl", [row])
    with pytest.raises(DataError, match="right has 3 responses and wrong 2; the matrix has 3 grou"):
        load_sets([path], name=str(home / "styles.toml"))


# Choose and ties


@pytest.mark.parametrize(
    ("kind", "told"), [("choose", "give --method choice"), ("ties", "--method pointwise")]
)
def test_kinds_that_a_judge_of_pairs_cannot_score_are_refused_by_name(
    cli: Cli, home: Path, server: ModelServer, kind: str, told: str
) -> None:
    text = MATRIX.replace('groups = ["concise", "detailed", "markdown"]\n', 'id = "id"\n')
    (home / "own.toml").write_text(text.replace("matrix", kind))
    rows = [
        {"id": f"{name}:0", "prompt": name, "right": right, "wrong": ["no", "nope"]}
        for name, right in (("ref", ["good answer"]), ("tied", ["good answer", "fine answer"]))
    ]
    write_lines(home / "mine.jsonl", rows)
    words = ("--data", "mine.jsonl", "--as", "own.toml")
    refused = cli("run", server.judge, *words)
    assert refused.returncode == 2
    assert told in refused.stderr
    method = ("--method", "choice") if kind == "choose" else ("--method", "pointwise")
    assert cli("run", server.judge, *words, *method, "--out", "judge").returncode == 0
    assert cli("run", "baseline/length", *words, "--out", "length").returncode == 0
    # Right ones are 11 long, wrong ones at most 4: every part of the formula of ties is 1.
    expected = 1.0 if kind == "choose" else 1.01
    assert cli.json("length/metrics.json")["headline"] == pytest.approx(expected, abs=1e-3)


# Weights, ranks, wholes of parts


def test_rewardbenchs_sections_weigh_subsets_as_its_own_constants_do() -> None:
    rules = shipped()["rewardbench"]
    draw = np.random.default_rng(1)
    outcomes, right = [], {}
    for name, weight in rules.weights.items():
        count = 447 if name == "math-prm" else int(weight)
        wins = draw.random(count) < draw.random()
        right[name] = wins.mean()
        outcomes += [
            ItemOutcome(f"{name}-{k}", name, (1.0, 0.0), (float(won), 0.5))
            for k, won in enumerate(wins)
        ]
    assert len(outcomes) == 2985
    assert len(rules.weights) == 23
    found = measure("s", "pointwise", None, outcomes, rules)
    sections = [
        np.average([right[n] for n in names], weights=[rules.weights[n] for n in names])
        for names in rules.sections.values()
    ]
    assert list(found.sections.values()) == pytest.approx(sections)
    assert found.headline == pytest.approx(np.mean(sections))
    everything = np.average(list(right.values()), weights=list(rules.weights.values()))
    assert found.averages["weighted"]["strict"] == pytest.approx(everything)
    assert found.averages["micro"]["strict"] == pytest.approx(
        np.mean([o.rewards == (1.0, 0.5) for o in outcomes])
    )


def test_the_mean_reciprocal_rank_counts_an_equal_wrong_one_as_ahead() -> None:
    draw = random.Random(6)
    rules = Descriptor("own", "Own", Fields(prompt="p", chosen="c", rejected="r"), kind="best")
    outcomes, ranks = [], []
    for n in range(50):
        rewards = tuple(float(draw.randint(0, 9)) for _ in range(10))
        outcomes.append(ItemOutcome(n, "", (1.0,) + (0.0,) * 9, rewards))
        order = sorted(range(10), key=lambda k: (-rewards[k], k == 0))
        ranks.append(1 / (1 + order.index(0)))
    found = measure("s", "pointwise", None, outcomes, rules)
    assert found.mrr == pytest.approx(np.mean(ranks))
    pairs = Descriptor("own", "Own", Fields(prompt="p", chosen="c", rejected="r"))
    assert measure("s", "pointwise", None, outcomes, pairs).mrr is None


def test_rmbs_score_is_the_mean_of_its_four_numbers_from_one_folder(cli: Cli, home: Path) -> None:
    draw = random.Random(8)
    numbers = []
    for goal in ("Harmlessness", "Helpfulness"):
        deep = "" if goal == "Harmlessness" else "/open"
        for kind in ("BoN_set", "Pairwise_set"):
            folder = home / f"RMB/{kind}/{goal}{deep}"
            folder.mkdir(parents=True)
            rows, wins = [], []
            for n in range(6):
                long = draw.random() < 0.6
                won = {"answer": "x" * (9 if long else 1)}
                lost = [{"answer": "y" * 4}, {"answer": "z" * 5}]
                wins.append(long)
                row: dict[str, Any] = {
                    "conversation_input": [{"role": "user", "content": f"{goal} {n}?"}],
                    "category_path": goal,
                }
                if kind == "BoN_set":
                    row |= {"bon_uid": f"{goal}{n}", "bon_best": won, "loser_list": lost}
                else:
                    row |= {"pair_uid": f"{goal}{n}", "chosen": won, "reject": lost[0]}
                rows.append(row)
            (folder / "set.json").write_text(json.dumps(rows))
            numbers.append(np.mean(wins))
    done = cli("run", "baseline/length", "--data", "RMB", "--out", "r")
    assert done.returncode == 0, done.stderr
    header, shown = (
        next(line for line in done.stdout.splitlines() if word in line)
        for word in ("RMB (mean of 2)", "baseline/length")
    )
    assert shown.split()[-1] == f"{100 * np.mean(numbers):.2f}", header


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (MATRIX.replace('kind = "matrix"', 'kind = "best"'), "go together"),
        (MATRIX.replace('"concise", "detailed", ', ""), "two groups or more"),
        (GRADED.replace('grades = "answers.score"\n', ""), "or texts and grades"),
        (GRADED + '[score]\naverage = "weighted"\n', "needs a table subsets.weights"),
        (
            GRADED + '[score]\naverage = "weighted"\n[subsets.weights]\na = 0\n',
            "subsets.weights.a is no number above 0",
        ),
    ],
)
def test_a_descriptor_that_contradicts_itself_is_refused(
    tmp_path: Path, text: str, told: str
) -> None:
    (tmp_path / "own.toml").write_text(text)
    with pytest.raises(UsageError) as error:
        read_descriptor(tmp_path / "own.toml")
    assert told in str(error.value)
