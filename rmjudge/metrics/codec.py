"""Numbers as JSON: `metrics.json`, the contract that other programs read, and what is like it.

Field order is part of the bytes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from rmjudge.forms import encodes
from rmjudge.metrics.accuracy import Accuracies
from rmjudge.metrics.report import (
    NINE_CELLS,
    Design,
    DomainMetrics,
    Interval,
    Intervals,
    Metrics,
    Position,
    RateIntervals,
    Shares,
)
from rmjudge.metrics.tallies import Matrix
from rmjudge.vocabulary import Domain, may_be_domain

if TYPE_CHECKING:
    from rmjudge.calls import Json

FORMAT: Final = 1


def metrics_to_json(metrics: Metrics) -> dict[str, Json]:
    """Encode; fractions, not percent; null where there is no data."""
    encoded: dict[str, Json] = {
        "format": FORMAT,
        "scorer": metrics.scorer,
        "method": metrics.method,
        "order": metrics.order,
        "tuples": metrics.tuples,
        "complete": metrics.complete,
        "missing_domains": list(metrics.missing_domains),
        "domains": {name: _domain_to_json(part) for name, part in metrics.domains.items()},
        **_accuracies(metrics.headline),
        "headline": metrics.reading,
        "strict": _accuracies(metrics.strict),
        "half_credit": _accuracies(metrics.half_credit),
        "intervals": _intervals(metrics.intervals),
        **_rates(metrics),
        "unscored_cells": metrics.unscored_cells,
        "bounds": interval_to_json(metrics.bounds),
        "position": position_to_json(metrics.position),
    }
    if metrics.design != NINE_CELLS:
        encoded["design"] = design_to_json(metrics.design)
        encoded["unasked_cells"] = metrics.unasked_cells
    if metrics.shares is not None:
        shares: dict[str, Json] = dict(metrics.shares.by_scorer)
        encoded["shares"] = {"by_scorer": shares, "tuples": metrics.shares.tuples}
    return encoded


def _domain_to_json(part: DomainMetrics) -> Json:
    return {
        "tuples": part.tuples,
        "matrix": matrix_to_json(part.matrix),
        **_accuracies(part.headline),
        "unscored_cells": part.unscored_cells,
        "strict": _accuracies(part.strict),
        "half_credit": _accuracies(part.half_credit),
        "intervals": _intervals(part.intervals),
        **_rates(part),
        "bounds": interval_to_json(part.bounds),
        **_part_asked(part),
    }


def _part_asked(part: DomainMetrics) -> dict[str, Json]:
    """Only of a run that left cells out: the files of others stay as they are."""
    if part.cell_tuples is None:
        return {}
    cell_tuples: list[Json] = [list(row) for row in part.cell_tuples]
    return {"unasked_cells": part.unasked_cells, "cell_tuples": cell_tuples}


def design_to_json(design: Design) -> dict[str, Json]:
    """Encode what part of the work a scorer was asked."""
    return {
        "cells": design.cells,
        "audit": design.audit,
        "until": design.until,
        "tuples_of": design.tuples_of,
    }


def _accuracies(values: Accuracies) -> dict[str, Json]:
    return {
        "easy": _finite(values.easy),
        "normal": _finite(values.normal),
        "hard": _finite(values.hard),
        "average": _finite(values.average),
    }


def _intervals(values: Intervals) -> dict[str, Json]:
    return {
        "easy": interval_to_json(values.easy),
        "normal": interval_to_json(values.normal),
        "hard": interval_to_json(values.hard),
        "average": interval_to_json(values.average),
    }


def _rates(numbers: Metrics | DomainMetrics) -> dict[str, Json]:
    return {
        "tie_rate": numbers.tie_rate,
        "tie_rate_interval": interval_to_json(numbers.rates.tie),
        "split_rate": numbers.split_rate,
        "split_rate_interval": interval_to_json(numbers.rates.split),
        "unscored_rate_interval": interval_to_json(numbers.rates.unscored),
    }


def interval_to_json(value: Interval | None) -> Json:
    """Encode the two ends of an interval; null where there is none."""
    return None if value is None else {"low": value.low, "high": value.high}


def position_to_json(value: Position | None) -> Json:
    """Encode what a judge owes to positions; null where it is no judge's run."""
    if value is None:
        return None
    return {
        "decided": value.decided,
        "first_share": value.first_share,
        "first_share_interval": interval_to_json(value.first_interval),
        "swap_consistency": value.swap_consistency,
        "swap_consistency_interval": interval_to_json(value.swap_interval),
        "swap_matrix": matrix_to_json(value.swap_matrix),
        "first_matrix": matrix_to_json(value.first_matrix),
    }


def matrix_to_json(matrix: Matrix | None) -> Json:
    """Encode 3x3 numbers, a row each; null where there is none."""
    return None if matrix is None else [[_finite(value) for value in row] for row in matrix]


def _finite(value: float | None) -> float | None:
    """JSON has no NaN: what is no number is no data."""
    return value if value is not None and math.isfinite(value) else None


def metrics_from_json(data: Mapping[str, Any]) -> Metrics:
    """Decode it as it is; `has_rates` tells whether its intervals are to be made anew.

    Raises:
        KeyError, TypeError, ValueError: this is no `metrics.json` of this format.
    """
    if data["format"] != FORMAT:
        raise ValueError(f"format {data['format']!r} is not {FORMAT}")
    return Metrics(
        scorer=str(data["scorer"]),
        method=data["method"],
        # `adaptive` asked what `both` asks and counted alike.
        order="both" if data["order"] == "adaptive" else data["order"],
        reading=data["headline"],
        tuples=_count(data["tuples"]),
        domains={
            _domain_name(name): _domain_from_json(part) for name, part in data["domains"].items()
        },
        missing_domains=tuple(data["missing_domains"]),
        headline=_to_accuracies(data),
        strict=_to_accuracies(data["strict"]),
        half_credit=_to_accuracies(data["half_credit"]),
        intervals=_to_intervals(data["intervals"]),
        tie_rate=_fraction(data["tie_rate"]),
        unscored_cells=_count(data["unscored_cells"]),
        bounds=_to_interval(**data["bounds"]),
        position=_to_position(data["position"]),
        shares=_to_shares(data.get("shares")),
        split_rate=_fraction(data.get("split_rate")),
        rates=_to_rates(data),
        design=design_from_json(data.get("design")),
        unasked_cells=_count(data.get("unasked_cells", 0)),
    )


def has_rates(data: Mapping[str, Any]) -> bool:
    """Whether its rates have intervals.

    Files of before had none; their other intervals are bootstrap percentiles, and their `tie_rate`
    counts pairs on which the orders contradict each other as ties.
    """
    return "tie_rate_interval" in data


def _domain_name(name: str) -> Domain:
    if not may_be_domain(name):
        raise ValueError(f"{name!r} is no name of a domain")
    return name


def _domain_from_json(part: Mapping[str, Any]) -> DomainMetrics:
    return DomainMetrics(
        tuples=_count(part["tuples"]),
        matrix=_to_matrix(part["matrix"]),
        headline=_to_accuracies(part),
        strict=_to_accuracies(part["strict"]),
        half_credit=_to_accuracies(part["half_credit"]),
        intervals=_to_intervals(part["intervals"]),
        tie_rate=_fraction(part["tie_rate"]),
        unscored_cells=_count(part["unscored_cells"]),
        bounds=_to_interval(**part["bounds"]),
        split_rate=_fraction(part.get("split_rate")),
        rates=_to_rates(part),
        unasked_cells=_count(part.get("unasked_cells", 0)),
        cell_tuples=_to_cell_tuples(part.get("cell_tuples")),
    )


def design_from_json(data: Mapping[str, Any] | None) -> Design:
    """The inverse of `design_to_json`.

    Raises:
        ValueError, KeyError, TypeError: it is no such object.
    """
    if data is None:
        return NINE_CELLS
    until, of = data["until"], data["tuples_of"]
    return Design(
        cells=_count(data["cells"]),
        audit=_fraction(data["audit"]),
        until=None if until is None else str(until),
        tuples_of=None if of is None else _count(of),
    )


def _to_cell_tuples(rows: Any) -> tuple[tuple[int, ...], ...] | None:
    if rows is None:
        return None
    if len(rows) != 3 or any(len(row) != 3 for row in rows):
        raise ValueError("cell_tuples is 3x3")
    return tuple(tuple(map(_count, row)) for row in rows)


def _to_accuracies(data: Mapping[str, Any]) -> Accuracies:
    easy, normal, hard, average = (
        _fraction(data[name]) for name in ("easy", "normal", "hard", "average")
    )
    return Accuracies(easy, normal, hard, average)


def _to_intervals(data: Mapping[str, Any]) -> Intervals:
    return Intervals(*(_optional(data[name]) for name in ("easy", "normal", "hard", "average")))


def _to_rates(data: Mapping[str, Any]) -> RateIntervals:
    return RateIntervals(
        *(_optional(data.get(f"{name}_rate_interval")) for name in ("tie", "split", "unscored"))
    )


def _optional(data: Mapping[str, Any] | None) -> Interval | None:
    return None if data is None else _to_interval(**data)


def _to_shares(data: Mapping[str, Any] | None) -> Shares | None:
    if data is None:
        return None
    by_scorer = {str(name): _count(tuples) for name, tuples in data["by_scorer"].items()}
    return Shares(by_scorer, _count(data["tuples"]))


def _to_position(data: Mapping[str, Any] | None) -> Position | None:
    if data is None:
        return None
    swaps, firsts = data["swap_matrix"], data["first_matrix"]
    return Position(
        decided=_count(data["decided"]),
        first_share=_fraction(data["first_share"]),
        swap_consistency=_fraction(data["swap_consistency"]),
        swap_matrix=None if swaps is None else _to_matrix(swaps),
        first_matrix=None if firsts is None else _to_matrix(firsts),
        first_interval=_optional(data.get("first_share_interval")),
        swap_interval=_optional(data.get("swap_consistency_interval")),
    )


def _to_matrix(rows: Any) -> Matrix:
    if len(rows) != 3 or any(len(row) != 3 for row in rows):
        raise ValueError("a matrix is 3x3")
    return tuple(tuple(map(_fraction, row)) for row in rows)


def _to_interval(low: Any, high: Any) -> Interval:
    ends = _fraction(low), _fraction(high)
    if ends[0] is None or ends[1] is None:
        raise ValueError("an interval has two ends")
    return Interval(ends[0], ends[1])


def _fraction(value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0.0 <= value <= 1.0:
        raise ValueError(f"{value!r} is no fraction")
    return value


def _count(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f"{value!r} is no count")
    return value


encodes(Metrics, metrics_to_json)
