"""rmjudge from Python: scripts, notebooks, coroutines, and scorers of one's own."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

import rmjudge
from rmjudge.estimate import estimate
from rmjudge.metrics.accuracy import Accuracies
from rmjudge.options import RunOptions
from rmjudge.preparation import prepare
from rmjudge.vocabulary import CELLS, DOMAINS


class Politeness(rmjudge.PointwiseScorer):
    name = "mine/politeness"
    version = "1"

    async def reward(self, prompt: str, response: str) -> float:
        return float(response.lower().count("please"))


class Shorter(rmjudge.PairwiseScorer):
    name = "mine/shorter"
    version = "1"
    batch = 64

    def compare(self, prompt: str, first: str, second: str) -> float:
        return (len(first) < len(second)) + (len(first) == len(second)) / 2


class Counting(rmjudge.PointwiseScorer):
    """Counts its calls; can be told to fail at one."""

    name = "mine/counting"
    version = "1"

    def __init__(self, fails_at: int = 0, error: Exception | None = None) -> None:
        super().__init__()
        self.calls = 0
        self.fails_at = fails_at
        self.error = error

    def reward(self, prompt: str, response: str) -> float | Awaitable[float]:
        self.calls += 1
        if self.error and self.calls == self.fails_at:
            raise self.error
        return float(len(response))


def files(folder: Path) -> dict[str, bytes]:
    """The files that are equal for equal runs."""
    found = [*folder.rglob("metrics.json"), *folder.rglob("results.jsonl")]
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


# Where it is called from


def test_evaluate_returns_the_numbers() -> None:
    run = rmjudge.evaluate("baseline/length", out="o")
    metrics = run["baseline/length"].metrics
    assert metrics.tuples == 40
    assert list(metrics.domains) == list(DOMAINS)
    assert metrics.complete
    assert (run.exit_code, run.stopped, run.folder) == (0, None, Path("o"))


async def test_evaluate_works_where_a_loop_is_running_as_in_a_notebook() -> None:
    run = rmjudge.evaluate("baseline/length", out="o")
    assert run["baseline/length"].metrics.tuples == 40


def test_evaluate_works_again_and_again_in_one_loop() -> None:
    async def notebook() -> list[rmjudge.Run]:
        return [rmjudge.evaluate(Counting(), out="o", limit=1) for _ in range(2)]

    first, second = asyncio.run(notebook())
    assert first["mine/counting"].calls.sent == 24
    assert second["mine/counting"].calls.sent == 0


async def test_aevaluate_is_the_same_as_a_coroutine() -> None:
    awaited = await rmjudge.aevaluate("baseline/length", out="o")
    called = rmjudge.evaluate("baseline/length", out="p")
    assert awaited["baseline/length"].metrics == called["baseline/length"].metrics


async def test_several_runs_can_be_under_way_in_one_loop() -> None:
    one, other = await asyncio.gather(
        rmjudge.aevaluate(Counting(), out="one", limit=1),
        rmjudge.aevaluate(Politeness(), out="other", limit=1),
    )
    assert one["mine/counting"].calls.sent == other["mine/politeness"].calls.sent == 24


def test_progress_is_for_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    rmjudge.evaluate("baseline/length", out="o", progress=True)
    assert capsys.readouterr().out == ""


def test_nothing_is_printed_unasked(capfd: pytest.CaptureFixture[str]) -> None:
    rmjudge.evaluate("baseline/length", out="o")
    assert capfd.readouterr() == ("", "")


# Scorers of one's own


def test_a_reward_model_of_ones_own_takes_a_dozen_lines() -> None:
    run = rmjudge.evaluate(Politeness(), data="sample", out="o")
    assert run["mine/politeness"].metrics.reading == "strict"
    assert run["mine/politeness"].metrics.unscored_cells == 0


def test_a_judge_of_ones_own_takes_a_dozen_lines() -> None:
    run = rmjudge.evaluate(Shorter(), data="sample", out="o")
    metrics = run["mine/shorter"].metrics
    assert (metrics.method, metrics.order, metrics.reading) == ("pairwise", "seeded", "half_credit")


def test_a_judge_and_the_same_rewards_agree() -> None:
    class Short(rmjudge.PointwiseScorer):
        name, version = "mine/short", "1"

        def reward(self, prompt: str, response: str) -> float:
            return -float(len(response))

    run = rmjudge.evaluate([Shorter(), Short()], out="o")
    assert run["mine/shorter"].metrics.half_credit == run["mine/short"].metrics.half_credit
    assert run["mine/shorter"].metrics.strict == run["mine/short"].metrics.strict


@pytest.mark.parametrize("order", ["both", "adaptive"])
def test_a_judge_without_position_bias_scores_alike_in_every_order(order: Any) -> None:
    seeded = rmjudge.evaluate(Shorter(), out="o")["mine/shorter"].metrics
    other = rmjudge.evaluate(Shorter(), out="p", order=order)["mine/shorter"].metrics
    assert other.headline == seeded.headline
    assert other.position is not None
    assert other.position.swap_consistency == 1.0


@pytest.mark.parametrize("missing", ["name", "version"])
def test_a_scorer_without_a_name_or_version_is_told_what_to_do(missing: str) -> None:
    members = {"name": "mine/x", "version": "1", "reward": lambda *_texts: 0.0}
    del members[missing]
    kind = type("Nameless", (rmjudge.PointwiseScorer,), members)
    with pytest.raises(ValueError, match=r"^Nameless needs `name` and `version` class attributes"):
        kind()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 10**400, "3", None, True, [1.0]])
def test_what_is_no_reward_is_counted_as_unscored_and_never_a_number(value: Any) -> None:
    class Wrong(rmjudge.PointwiseScorer):
        name, version = "mine/wrong", "1"

        def reward(self, prompt: str, response: str) -> float:
            return value  # type: ignore[no-any-return]

    run = rmjudge.evaluate(Wrong(), limit=1, domains=["chat"], out="o")
    result = run["mine/wrong"]
    assert result.statuses == {"not-a-number": 6}
    assert result.metrics.headline == Accuracies(None, None, None, None)
    assert run.exit_code == 1


@pytest.mark.parametrize("value", [float("nan"), -0.1, 1.1, "A", None])
def test_what_is_no_credit_is_counted_as_unscored_and_never_a_number(value: Any) -> None:
    class Wrong(rmjudge.PairwiseScorer):
        name, version = "mine/wrong", "1"

        def compare(self, prompt: str, first: str, second: str) -> float:
            return value  # type: ignore[no-any-return]

    run = rmjudge.evaluate(Wrong(), limit=1, domains=["chat"], out="o")
    assert run["mine/wrong"].statuses == {"not-a-number": 9}
    assert run["mine/wrong"].metrics.headline == Accuracies(None, None, None, None)


def test_true_and_false_are_verdicts() -> None:
    class Longer(rmjudge.PairwiseScorer):
        name, version = "mine/longer", "1"

        def compare(self, prompt: str, first: str, second: str) -> float:
            return len(first) > len(second)

    run = rmjudge.evaluate(Longer(), limit=1, domains=["chat"], out="o")
    assert run["mine/longer"].metrics.headline.easy == 1.0


@pytest.mark.parametrize("options", [{"votes": 0}, {"limt": 3}, {"params": "x"}])
def test_a_wrong_option_is_wrong_input(options: dict[str, Any]) -> None:
    with pytest.raises(rmjudge.UsageError):
        rmjudge.evaluate("baseline/length", out="o", **options)


def test_a_run_is_a_collection_of_results() -> None:
    run = rmjudge.evaluate(["baseline/length", "baseline/random"], limit=1, out="o")
    assert [result.metrics.scorer for result in run] == ["baseline/length", "baseline/random"]
    assert len(run) == 2
    assert "TupleResult" not in repr(run)


def test_a_whole_number_is_a_reward() -> None:
    class Whole(rmjudge.PointwiseScorer):
        name, version = "mine/whole", "1"

        def reward(self, prompt: str, response: str) -> float:
            return len(response)

    run = rmjudge.evaluate([Whole(), "baseline/length"], out="o")
    assert run["mine/whole"].metrics.strict == run["baseline/length"].metrics.strict


# The same again


@pytest.mark.parametrize("make", [Politeness, Shorter, lambda: "baseline/random"])
def test_a_second_run_sends_nothing_and_writes_the_same_bytes(make: Callable[[], Any]) -> None:
    first = rmjudge.evaluate(make(), out="one")
    second = rmjudge.evaluate(make(), out="two")
    (name,) = (result.metrics.scorer for result in first.results)
    assert first[name].calls.sent == first[name].calls.planned > 0
    assert (second[name].calls.sent, second[name].calls.from_cache) == (
        0,
        first[name].calls.planned,
    )
    assert files(Path("one")) == files(Path("two"))
    assert sorted(files(Path("one"))) == ["metrics.json", "results.jsonl"]


def test_another_cache_is_another_set_of_answers(tmp_path: Path) -> None:
    rmjudge.evaluate(Counting(), out="o", limit=1, cache_dir=tmp_path / "one")
    scorer = Counting()
    rmjudge.evaluate(scorer, out="o", limit=1, cache_dir=str(tmp_path / "two"))
    assert scorer.calls == 24


def test_another_version_of_a_scorer_is_asked_again() -> None:
    class Later(Counting):
        version = "2"

    rmjudge.evaluate(Counting(), out="o", limit=1)
    scorer = Later()
    rmjudge.evaluate(scorer, out="o", limit=1)
    assert scorer.calls == 24


def test_equal_calls_have_equal_folders_of_their_own() -> None:
    one = rmjudge.evaluate("baseline/length", limit=1)
    same = rmjudge.evaluate("baseline/length", limit=1)
    other = rmjudge.evaluate("baseline/length", limit=2)
    assert re.fullmatch(r"runs/baseline-length-sample-[0-9a-f]{8}", one.folder.as_posix())
    assert one.folder == same.folder
    assert one.folder != other.folder


@pytest.mark.parametrize("options", [{"seed": 1}, {"order": "both"}])
def test_a_run_that_asks_otherwise_has_a_folder_of_its_own(options: Any) -> None:
    one = rmjudge.evaluate(Shorter(), limit=1)
    other = rmjudge.evaluate(Shorter(), limit=1, **options)
    assert one.folder != other.folder


def test_another_seed_shows_other_responses_first() -> None:
    class First(rmjudge.PairwiseScorer):
        name, version = "mine/first", "1"

        def compare(self, prompt: str, first: str, second: str) -> float:
            return 1.0

    one = rmjudge.evaluate(First(), out="one")
    rmjudge.evaluate(First(), out="two", seed=1)
    assert files(Path("one"))["results.jsonl"] != files(Path("two"))["results.jsonl"]
    position = one["mine/first"].metrics.position
    assert position is not None
    assert position.first_share == 1.0


# Several scorers


def test_every_scorer_of_a_run_has_its_result_under_its_name() -> None:
    run = rmjudge.evaluate(["baseline/length", Shorter()], out="o")
    assert [result.metrics.scorer for result in run.results] == ["baseline/length", "mine/shorter"]
    assert run["mine/shorter"].metrics.scorer == "mine/shorter"
    assert sorted(files(Path("o"))) == [
        "baseline-length/metrics.json",
        "baseline-length/results.jsonl",
        "mine-shorter/metrics.json",
        "mine-shorter/results.jsonl",
    ]


def test_a_scorer_that_a_run_does_not_have_is_a_key_error() -> None:
    run = rmjudge.evaluate("baseline/length", limit=1, out="o")
    with pytest.raises(KeyError, match="baseline/markdown"):
        run["baseline/markdown"]


def test_a_run_beside_another_scorer_writes_the_bytes_it_writes_alone() -> None:
    rmjudge.evaluate([Shorter(), "baseline/length"], out="both")
    rmjudge.evaluate(Shorter(), out="alone")
    assert files(Path("both/mine-shorter")) == files(Path("alone"))


# Data


def tuple_of(id: int) -> dict[str, Any]:
    return {
        "id": id,
        "domain": "chat",
        "prompt": "p",
        "chosen": ["a", "bb", "ccc"],
        "rejected": ["d", "ee", "fff"],
    }


@pytest.mark.parametrize("kind", [str, Path])
def test_data_may_be_a_path(kind: type) -> None:
    Path("mine.jsonl").write_text(json.dumps(tuple_of(1)))
    run = rmjudge.evaluate("baseline/length", data=kind("mine.jsonl"), out="o")
    assert run["baseline/length"].metrics.tuples == 1


def test_a_path_is_a_path_even_where_it_is_called_sample() -> None:
    Path("sample").mkdir()
    Path("sample/mine.jsonl").write_text(json.dumps(tuple_of(1)))
    run = rmjudge.evaluate("baseline/length", data=Path("sample"), out="o")
    assert run["baseline/length"].metrics.tuples == 1


def test_several_sources_are_one_data_set() -> None:
    for id in (1, 2):
        Path(f"{id}.jsonl").write_text(json.dumps(tuple_of(id)))
    run = rmjudge.evaluate("baseline/length", data=["1.jsonl", Path("2.jsonl")], out="o")
    assert run["baseline/length"].metrics.tuples == 2


def test_domains_and_limit_choose_tuples() -> None:
    run = rmjudge.evaluate("baseline/length", domains=["math", "code"], limit=3, out="o")
    metrics = run["baseline/length"].metrics
    assert metrics.missing_domains == ("chat", "safety")
    assert {name: part.tuples for name, part in metrics.domains.items()} == {"math": 3, "code": 3}


@pytest.mark.parametrize(
    ("models", "options", "message"),
    [
        ([], {}, "name at least one model"),
        ("gpt-4", {}, "'gpt-4' is no PROVIDER/MODEL"),
        ("opennai/gpt-4", {}, "did you mean openai?"),
        ("baseline/height", {}, "baseline/height: there are length, markdown, random"),
        (["baseline/length", "baseline/length"], {}, "baseline/length is named twice"),
        ([3], {}, "3 is no model name and no scorer"),
        ([Counting], {}, "is no model name and no scorer"),
        ("baseline/length", {"data": "nowhere.json"}, "nowhere.json: does not exist"),
        ("baseline/length", {"data": []}, "no data was named"),
        ("baseline/length", {"order": "swap"}, "order = 'swap' is not one of seeded, both"),
        ("baseline/length", {"domains": ["chats"]}, "domains = ['chats'] is not a list of chat"),
        ("baseline/length", {"limit": 0}, "limit = 0 is not a whole number above 0"),
        ("baseline/length", {"concurrency": -1}, "concurrency = -1 is not a whole number"),
        ("baseline/length", {"seed": 1.5}, "seed = 1.5 is not a whole number"),
        ("baseline/length", {"base_url": "http://x/v1"}, "for a run with one hosted model"),
        ("baseline/length", {"prices": {"a/b": 3}}, '[prices."a/b"] needs `input` and `output`'),
    ],
)
def test_a_wrong_argument_is_told_and_nothing_is_called(
    models: Any, options: Any, message: str
) -> None:
    with pytest.raises(rmjudge.UsageError, match=re.escape(message)):
        rmjudge.evaluate(models, **{"out": "o", **options})
    assert not Path("o").exists()


# When it goes wrong half-way


def test_a_run_that_stops_raises_its_reason_keeps_its_answers_and_goes_on_when_called_again() -> (
    None
):
    stop = rmjudge.ProviderStopped("the quota is used up")
    with pytest.raises(rmjudge.StopRun) as caught:
        rmjudge.evaluate(Counting(10, stop), out="o", limit=1)
    assert caught.value is stop
    stopped = rmjudge.load("o")["mine/counting"]
    assert (stopped.stopped, stopped.metrics.complete) == ("the quota is used up", False)
    scorer = Counting()
    run = rmjudge.evaluate(scorer, out="o", limit=1)
    assert scorer.calls == 24 - 9
    assert run["mine/counting"].metrics.complete


@pytest.mark.parametrize("inside", ["plain code", "a running loop"])
def test_an_error_of_a_scorer_surfaces_as_itself_and_what_was_answered_is_kept(
    inside: str,
) -> None:
    error = ZeroDivisionError("my own bug")

    def plainly() -> None:
        rmjudge.evaluate(Counting(10, error), out="o", limit=1)

    async def notebook() -> None:
        plainly()

    with pytest.raises(ZeroDivisionError) as caught:
        plainly() if inside == "plain code" else asyncio.run(notebook())
    assert caught.value is error
    scorer = Counting()
    rmjudge.evaluate(scorer, out="o", limit=1)
    assert scorer.calls == 24 - 9


# Reading runs back


def test_load_reads_back_what_evaluate_returned() -> None:
    run = rmjudge.evaluate([Shorter(), "baseline/length"], out="o")
    loaded = rmjudge.load("o")
    for name in ("mine/shorter", "baseline/length"):
        assert loaded[name] == run[name]


def test_load_puts_several_folders_together() -> None:
    rmjudge.evaluate("baseline/length", out="one")
    rmjudge.evaluate(["baseline/markdown", "baseline/random"], out="two")
    loaded = rmjudge.load("one", Path("two"))
    assert [result.metrics.scorer for result in loaded.results] == [
        "baseline/length",
        "baseline/markdown",
        "baseline/random",
    ]


def test_load_needs_a_folder() -> None:
    with pytest.raises(TypeError, match="at least one folder"):
        rmjudge.load()


def test_load_of_a_folder_without_a_run_is_told() -> None:
    with pytest.raises(rmjudge.UsageError, match="nowhere: no such folder"):
        rmjudge.load("nowhere")


def test_a_tuples_line_has_its_cells() -> None:
    run = rmjudge.evaluate(Shorter(), limit=2, domains=["chat"], out="o")
    for item in run["mine/shorter"].tuples:
        assert item.matrix is not None
        assert sum(item.matrix[i][j] is not None for i, j in CELLS) == 9


# What a run would buy


@pytest.mark.parametrize(
    ("bought", "asked", "planned", "to_buy"),
    [
        (None, "seeded", 9, 9),
        (None, "adaptive", 18, 18),
        ("seeded", "seeded", 9, 0),
        ("seeded", "both", 18, 9),
        ("seeded", "adaptive", 18, 9),
        ("both", "adaptive", 18, 0),
    ],
)
def test_an_estimate_counts_every_missing_call_once(
    bought: Any, asked: Any, planned: int, to_buy: int
) -> None:
    Path("mine.jsonl").write_text(json.dumps(tuple_of(1)))
    cache = Path("cache")
    if bought:
        rmjudge.evaluate(
            Shorter(), data="mine.jsonl", out="o", limit=1, cache_dir=cache, order=bought
        )
    options = RunOptions(data=("mine.jsonl",), order=asked, cache_dir=cache)
    (found,) = asyncio.run(estimate(prepare([Shorter()], options)))
    assert (found.planned, found.from_cache, found.to_buy) == (planned, planned - to_buy, to_buy)


@pytest.mark.parametrize("name", rmjudge.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(rmjudge, name) is not None


def test_a_name_that_there_is_not_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'wibble'"):
        rmjudge.wibble  # noqa: B018
