"""What a run from Python may be told: data, domains, limits, and what is refused."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from own_scorers import Counting, tuple_of

import rmjudge


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
        (3, {}, "models = 3 is not a PROVIDER/MODEL, a scorer, or a list of these"),
        (None, {}, "models = None is not a PROVIDER/MODEL"),
        ("baseline/length", {"data": 5}, "data = 5 is not sample, rm-bench, a path, or a list"),
        ("baseline/length", {"data": ["sample", 5]}, "data = ['sample', 5] is not sample"),
        ("baseline/length", {"limit": "3"}, "limit = '3' is not a whole number above 0"),
        ("baseline/length", {"cache_dir": 3}, "cache_dir = 3 is not a folder"),
        ("baseline/length", {"domains": "chat"}, "domains = 'chat' is not a list of chat"),
        ("baseline/length", {"progress": "yes"}, "progress = 'yes' is not true or false"),
        ("baseline/length", {"limt": 3}, "evaluate has no option 'limt'; did you mean limit?"),
        ([Counting], {}, "is no model name and no scorer"),
        ("baseline/length", {"data": "nowhere.json"}, "nowhere.json: does not exist"),
        ("baseline/length", {"data": []}, "no data was named"),
        ("baseline/length", {"order": "swap"}, "order = 'swap' is not seeded, both, audit or"),
        (
            "baseline/length",
            {"domains": ["chats"]},
            "no domain chats; did you mean chat?",
        ),
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


@pytest.mark.parametrize("options", [{"votes": 0}, {"limt": 3}, {"params": "x"}])
def test_a_wrong_option_is_wrong_input(options: dict[str, Any]) -> None:
    with pytest.raises(rmjudge.UsageError):
        rmjudge.evaluate("baseline/length", out="o", **options)
