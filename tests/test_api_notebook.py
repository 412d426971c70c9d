"""What a notebook shows and asks for: tables as HTML, data frames, options by name, speed."""

from __future__ import annotations

import asyncio
import html
import inspect
import json
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from own_scorers import Counting, Shorter, tuple_of

import rmjudge

if TYPE_CHECKING:
    from served import ModelServer


class Slow(rmjudge.PointwiseScorer):
    """Notes how many of its calls are under way at once."""

    name, version = "mine/slow", "1"

    def __init__(self) -> None:
        super().__init__()
        self.under_way = self.most = 0

    async def reward(self, prompt: str, response: str) -> float:
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        await asyncio.sleep(0.01)
        self.under_way -= 1
        return float(len(response))


class Two(Slow):
    concurrency = 2


@pytest.mark.parametrize(("scorer", "most"), [(Slow, 16), (Two, 2)])
def test_an_async_scorer_is_called_several_times_at_once(scorer: type[Slow], most: int) -> None:
    own = scorer()
    run = rmjudge.evaluate(own, limit=3, out="o")
    assert own.most == most
    assert (
        run["mine/slow"].metrics.strict
        == rmjudge.evaluate("baseline/length", limit=3, out="p")["baseline/length"].metrics.strict
    )


def test_a_plain_scorer_is_called_once_at_a_time() -> None:
    assert Counting().concurrency == 1


def test_options_are_named_typed_and_explained() -> None:
    for function in (rmjudge.evaluate, rmjudge.aevaluate):
        parameters = inspect.signature(function).parameters
        assert list(parameters)[:2] == ["models", "data"]
        assert {"out", "limit", "max_cost", "concurrency", "progress"} <= set(parameters)
        assert parameters["limit"].annotation == "int"
        assert "\n    limit: " in (function.__doc__ or "")


def test_a_frame_of_cells_holds_every_credit_and_reward_of_the_results() -> None:
    run = rmjudge.evaluate([Shorter(), "baseline/length"], limit=2, out="o")
    frame = run.to_dataframe("cells")
    assert len(frame) == 2 * 8 * 9
    lines = Path("o/baseline-length/results.jsonl").read_text().splitlines()
    for line in map(json.loads, lines):
        rows = frame[
            (frame.scorer == "baseline/length") & (frame.tuple == f"{line['domain']}/{line['id']}")
        ]
        for _, row in rows.iterrows():
            i, j = (
                ("concise", "detailed", "markdown").index(row[side])
                for side in ("chosen_style", "rejected_style")
            )
            chosen, rejected = line["score_chosen"][i], line["score_rejected"][j]
            assert (row.reward_chosen, row.reward_rejected) == (chosen, rejected)
            assert row.credit == (chosen > rejected) + (chosen == rejected) / 2
            assert row.difficulty == ("normal" if i == j else "easy" if i > j else "hard")


def test_a_frame_of_tuples_averages_to_the_headline() -> None:
    run = rmjudge.evaluate([Shorter(), "baseline/markdown"], out="o")
    frame = run.to_dataframe()
    for name in ("mine/shorter", "baseline/markdown"):
        by_domain = (
            frame[frame.scorer == name]
            .groupby("domain")[["easy", "normal", "hard", "average"]]
            .mean()
        )
        headline = run[name].metrics.headline
        assert by_domain.mean().tolist() == pytest.approx(
            [headline.easy, headline.normal, headline.hard, headline.average]
        )


def test_a_frame_of_calls_has_the_judges_words_and_tokens(server: ModelServer) -> None:
    run = rmjudge.evaluate(server.judge, limit=1, domains=["chat"], out="o")
    frame = run.to_dataframe("calls")
    assert len(frame) == 9
    assert set(frame.status) == {"ok"}
    assert set(frame.value) <= {0.0, 0.5, 1.0}
    assert (frame.input_tokens > 0).all()
    assert all(text for text in frame.text)
    assert frame.to_dict("records") == rmjudge.load("o").to_dataframe("calls").to_dict("records")


def test_a_level_that_there_is_not_is_refused() -> None:
    run = rmjudge.evaluate("baseline/length", limit=1, out="o")
    with pytest.raises(
        rmjudge.UsageError, match="level = 'tokens' is not one of tuples, cells, calls"
    ):
        run.to_dataframe("tokens")  # type: ignore[arg-type]


def test_metrics_as_a_dictionary_are_what_the_file_holds() -> None:
    run = rmjudge.evaluate("baseline/length", out="o")
    held = json.loads(Path("o/metrics.json").read_text())
    assert json.loads(json.dumps(run["baseline/length"].metrics.to_dict())) == held


class Seen(HTMLParser):
    """The elements and the texts of HTML; every element that is opened is closed."""

    def __init__(self, text: str | None) -> None:
        super().__init__()
        assert text is not None
        self.open: list[str] = []
        self.elements: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def test_runs_matrices_and_comparisons_show_themselves_as_tables() -> None:
    run = rmjudge.evaluate(["baseline/length", "baseline/markdown"], out="o")
    whole = Seen(run._repr_html_())
    assert {"baseline/length", "Hard", "chosen / rejected"} <= set(whole.words)
    assert whole.elements.count("table") == 1 + 2 * 4
    one = Seen(run["baseline/length"].metrics._repr_html_())
    assert one.elements.count("table") == 4
    assert one.elements.count("td") == 4 * 9
    compared = Seen(rmjudge.compare(run, baselines=True)._repr_html_())
    assert "table" in compared.elements
    assert "table" in Seen(rmjudge.style(run)._repr_html_()).elements


def test_a_hostile_name_stays_a_text() -> None:
    class Hostile(Counting):
        name = "mine/<script>alert(1)</script>"

    Path("mine.jsonl").write_text(json.dumps(tuple_of(1)))
    run = rmjudge.evaluate(Hostile(), data="mine.jsonl", out="o")
    for text in (run._repr_html_(), run.results[0]._repr_html_()):
        assert "script" not in Seen(text).elements
        assert html.escape("<script>") in str(text)
