"""`metrics.json` as other programs read it: keys, types, and the way back."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import pytest

from rmjudge.metrics.codec import metrics_from_json, metrics_to_json
from rmjudge.metrics.compute import compute_metrics
from rmjudge.metrics.report import Metrics, Position
from rmjudge.metrics.tallies import Credits
from rmjudge.vocabulary import DOMAINS, Domain

THIRDS: Final[Credits] = ((1 / 3, 0.5, 1.0), (0.1, 0.2, 0.7), (1.0, 0.9, 2 / 3))
PARTLY: Final[Credits] = ((1.0, None, 1.0), (None, 0.0, None), (0.5, None, 1.0))
SPLIT: Final[Credits] = ((0.0, 1.0, 0.0), (None, 0.0, 0.0), (0.0, 0.0, 0.0))
NOTHING: Final[Credits] = ((None, None, None),) * 3
POSITION: Final = Position(3, 2 / 3, 0.9, ((1.0, None, 0.5), (None, 1.0, 1.0), (1.0, 1.0, 1.0)))

DESIGN = json.loads(
    """
{"format": 1, "scorer": "openai/gpt-4.1", "method": "pairwise", "order": "seeded",
 "tuples": 413, "complete": false, "missing_domains": ["math"],
 "domains": {"chat": {"tuples": 129, "matrix": [[0.5,0.5,0.5],[0.5,0.5,0.5],[0.5,0.5,0.5]],
             "easy": 0.5, "normal": 0.5, "hard": 0.5, "average": 0.5, "unscored_cells": 0}},
 "easy": 0.5, "normal": 0.5, "hard": 0.5, "average": 0.5,
 "strict": {"easy": 0.5, "normal": 0.5, "hard": 0.5, "average": 0.5},
 "half_credit": {"easy": 0.5, "normal": 0.5, "hard": 0.5, "average": 0.5},
 "tie_rate": 0.0, "unscored_cells": 0, "bounds": {"low": 0.5, "high": 0.5}}
"""
)
"""The example of the design, as it stands there."""


def judge(credits: Mapping[Domain, Sequence[Credits]]) -> Metrics:
    splits = {domain: [SPLIT] * len(tuples) for domain, tuples in credits.items()}
    return compute_metrics("openai/gpt-4.1", "pairwise", "both", credits, POSITION, splits=splits)


def complete() -> Metrics:
    return judge({domain: [THIRDS, THIRDS] for domain in DOMAINS})


def every_kind() -> list[Metrics]:
    return [
        complete(),
        judge({"chat": [THIRDS, PARTLY], "code": [PARTLY]}),
        judge({"chat": [NOTHING]}),
        judge({}),
        compute_metrics("vllm/x", "pointwise", None, {"math": [THIRDS]}),
        compute_metrics("a/b", "pairwise", "seeded", {"math": [THIRDS]}, Position(0, None)),
    ]


def shape(value: Any, path: str = "") -> dict[str, str]:
    """The type at every path of a JSON value; numbers are one type, lists are their items'."""
    if isinstance(value, dict):
        found = {path: "object"}
        for key, part in value.items():
            found |= shape(part, f"{path}.{key}")
        return found
    if isinstance(value, list):
        found = {path: "list"}
        for part in value:
            found |= shape(part, f"{path}[]")
        return found
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return {path: type(value).__name__}
    return {path: "whole" if isinstance(value, int) else "fraction"}


@pytest.mark.parametrize("metrics", every_kind())
def test_what_is_written_is_read_back_equal(metrics: Metrics) -> None:
    text = json.dumps(metrics_to_json(metrics), allow_nan=False)
    assert metrics_from_json(json.loads(text)) == metrics


def test_every_key_of_the_designs_example_is_there_with_its_type() -> None:
    found = shape(metrics_to_json(judge({"chat": [THIRDS]})))
    for path, kind in shape(DESIGN).items():
        assert found[path] == kind, path


def test_every_domain_present_has_an_entry() -> None:
    data: Any = metrics_to_json(judge({"safety": [THIRDS], "chat": [THIRDS]}))
    assert list(data["domains"]) == ["chat", "safety"]
    assert data["missing_domains"] == ["math", "code"]


def test_the_numbers_on_top_are_the_headline_reading() -> None:
    data: Any = metrics_to_json(complete())
    assert data["headline"] == "half_credit"
    assert {name: data[name] for name in ("easy", "normal", "hard", "average")} == data[
        "half_credit"
    ]


def test_fractions_are_written_and_no_percent() -> None:
    data: Any = metrics_to_json(judge({"chat": [THIRDS]}))
    assert data["domains"]["chat"]["matrix"][0][0] == pytest.approx(1 / 3)
    assert 0.0 < data["average"] < 1.0


def test_what_is_unknown_is_null_and_never_zero() -> None:
    data: Any = metrics_to_json(judge({"chat": [NOTHING]}))
    chat = data["domains"]["chat"]
    assert chat["matrix"] == [[None] * 3] * 3
    assert [data[name] for name in ("easy", "hard", "average", "tie_rate")] == [None] * 4
    assert data["intervals"]["average"] is None


def test_complete_is_written_as_computed() -> None:
    assert metrics_to_json(complete())["complete"] is True
    assert metrics_to_json(judge({"chat": [THIRDS]}))["complete"] is False


def test_a_scorer_of_rewards_has_no_order_and_no_position() -> None:
    data = metrics_to_json(compute_metrics("vllm/x", "pointwise", None, {"math": [THIRDS]}))
    assert (data["method"], data["order"], data["position"]) == ("pointwise", None, None)


def test_a_file_of_the_first_format_is_read_without_what_it_does_not_hold() -> None:
    data: Any = json.loads(json.dumps(metrics_to_json(complete()))) | {"format": 1}
    for part in (data, *data["domains"].values()):
        for name in ("tie", "split", "unscored"):
            del part[f"{name}_rate_interval"]
        del part["split_rate"]
    for name in ("first_share_interval", "swap_consistency_interval"):
        del data["position"][name]
    found = metrics_from_json(data)
    assert found.headline == complete().headline
    assert (found.split_rate, found.rates.tie) == (None, None)


def test_keys_stand_in_one_order_because_they_are_part_of_the_bytes() -> None:
    assert list(metrics_to_json(complete())) == [
        *("format", "scorer", "method", "order", "tuples", "complete", "missing_domains"),
        *("domains", "easy", "normal", "hard", "average", "headline", "strict", "half_credit"),
        *("intervals", "tie_rate", "tie_rate_interval", "split_rate", "split_rate_interval"),
        *("unscored_rate_interval", "unscored_cells", "bounds", "position"),
    ]


def test_equal_metrics_are_equal_bytes() -> None:
    one, other = (json.dumps(metrics_to_json(complete())) for _ in range(2))
    assert one == other


def change(**values: Any) -> Callable[[dict[str, Any]], None]:
    return lambda data: data.update(values)


def chat(**values: Any) -> Callable[[dict[str, Any]], None]:
    return lambda data: data["domains"]["chat"].update(values)


@pytest.mark.parametrize(
    "damage",
    [
        change(format=3),
        change(format="1"),
        change(domains=[]),
        change(domains={"chat": None}),
        change(bounds=None),
        change(bounds={"low": 0.0}),
        change(bounds={"low": 0.0, "high": 1.0, "extra": 1}),
        change(strict=None),
        change(intervals={}),
        change(tuples="many"),
        change(tuples=None),
        change(easy="0.5"),
        change(hard=[]),
        change(average=True),
        change(tie_rate={}),
        change(position={}),
        change(missing_domains=None),
        chat(matrix=[[0.5] * 3] * 2),
        chat(matrix=[[0.5] * 2] * 3),
        chat(matrix=None),
        chat(matrix=[["a", "b", "c"]] * 3),
        chat(matrix=["abc", "abc", "abc"]),
        chat(bounds={"low": "0", "high": "1"}),
        chat(average=50.0),
        chat(average=-0.1),
        lambda data: data.pop("scorer"),
        lambda data: data.pop("headline"),
        lambda data: data.clear(),
    ],
)
def test_what_is_no_metrics_file_is_refused(damage: Callable[[dict[str, Any]], None]) -> None:
    data: Any = json.loads(json.dumps(metrics_to_json(complete())))
    damage(data)
    with pytest.raises((KeyError, TypeError, ValueError, AttributeError)):
        metrics_from_json(data)


@pytest.mark.parametrize("constant", ["NaN", "Infinity", "1e999"])
@pytest.mark.parametrize("key", ["tuples", "unscored_cells", "easy", "tie_rate"])
def test_a_number_that_is_not_finite_is_refused(constant: str, key: str) -> None:
    data: Any = json.loads(json.dumps(metrics_to_json(complete())))
    data[key] = json.loads(constant)
    with pytest.raises((TypeError, ValueError)):
        metrics_from_json(data)
