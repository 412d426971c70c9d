"""`rmjudge style` as tables, JSON and CSV."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Final

from rmjudge.calls import Json
from rmjudge.metrics.codec import interval_to_json, position_to_json
from rmjudge.metrics.tallies import Matrix
from rmjudge.render.commands.compare import READINGS
from rmjudge.render.commands.responses import responses_json, responses_rows, responses_sheet
from rmjudge.render.csvrows import rows_csv
from rmjudge.render.figures import ends, known, points, points_range, scope, share, signed_ends
from rmjudge.render.sheets import Aside, Sheet
from rmjudge.statistics.responses import Responses
from rmjudge.statistics.style import PAIRS, Estimate, Model, Style
from rmjudge.vocabulary import STYLES, Domain, in_order

GAP_NAMES: Final = (*PAIRS, "all")
OVERVIEW_NOTES: Final = (
    "Easy - Hard: what P(win) gains when the fancier style moves from the wrong to the right "
    "answer: 0 for a scorer of substance, 100 for one of pure style.",
    "Per doubling: what P(win) gains each time the right answer's length doubles beside the wrong "
    "one's (least squares on log2 of their ratio over all cells, a level for each domain).",
)
GAP_NOTES: Final = (
    "Detail: detailed instead of concise, both plain; Markdown: Markdown instead of plain, both "
    "detailed; both: the two together. Easy - Hard is their mean.",
)
MODEL_NOTES: Final = (
    "Log-odds of a win in a logistic model of the nine cells with a level for each domain, after "
    "the style control of LMSYS's arena; in parentheses the 95 % interval, clustered by tuple.",
    "Detail, Markdown: the right answer has it and the wrong one has not; doubling: each doubling "
    "of its length beside the wrong one's (log2 of their ratio); 1,000 characters: each thousand "
    "it has more. Substance: P(win) with style and length equal.",
    "Without the column of characters, a scorer that likes length by the character and no Markdown "
    "at all shows a worth of Markdown in up to 99 % of runs simulated on RM-Bench's lengths, with "
    "it in 3 to 5 %: trust the second line. Where more length stops counting at some point, "
    "neither form is right.",
)
SEPARATED: Final = (
    "*: style and length together tell some outcomes without exception, so no finite coefficients "
    "fit best. These are the likeliest under a normal prior of standard deviation 2.5, and have no "
    "interval: which is the largest tells something, how large it is does not."
)
CSV_HEADER: Final = ("scorer", "data", "domain", "measure", "value", "low", "high")


def style_sheets(
    groups: Sequence[tuple[str, Sequence[Style]]], responses: Sequence[Responses] = ()
) -> list[Sheet]:
    """Lay out the reports of each data set, `(its name, its scorers)`, then what some alone have.

    That is judges' positions, and the correctness and verbosity of responses.
    """
    sheets: list[Sheet] = []
    for name, styles in groups:
        about = f" on {name}" if len(groups) > 1 else ""
        sheets += [_overview(styles, about), _gaps(styles, about), _models(styles, about)]
    judges = [style for _, styles in groups for style in styles if style.position]
    for style in judges:
        sheets += _position(style)
    return [*sheets, *map(responses_sheet, responses)]


def _overview(styles: Sequence[Style], about: str) -> Sheet:
    over = scope(None, _domains(styles))
    return Sheet(
        title=f"What style is worth{about}, points of P(win)",
        header=("Scorer", "Accuracy, %", "Easy - Hard", "95 %", "per doubling", "95 %"),
        rows=tuple(
            (
                style.name,
                share(style.correctness.value),
                points(style.overall.all.value),
                points_range(style.overall.all.interval),
                points(style.slope.value),
                points_range(style.slope.interval),
            )
            for style in styles
        ),
        notes=(f"Average over {over}. {READINGS[styles[0].reading]}", *OVERVIEW_NOTES),
        aside=Aside(f"What length is worth{about}, points of P(win)", frozenset({4, 5})),
    )


def _domains(styles: Sequence[Style]) -> tuple[Domain, ...]:
    return in_order(domain for style in styles for domain in style.gaps if domain is not None)


def _gaps(styles: Sequence[Style], about: str) -> Sheet:
    domains = _domains(styles)
    scopes = (*domains, None) if len(domains) > 1 else domains
    return Sheet(
        title=f"Easy - Hard taken apart{about}, points",
        header=("Scorer", "Domain", "Easy - Hard", "95 %", "detail", "Markdown", "both"),
        rows=tuple(
            (
                style.name,
                scope(domain, domains),
                points(style.gaps[domain].all.value),
                points_range(style.gaps[domain].all.interval),
                points(style.gaps[domain].detail.value),
                points(style.gaps[domain].markdown.value),
                points(style.gaps[domain].both.value),
            )
            for style in styles
            for domain in scopes
        ),
        notes=GAP_NOTES,
        names=2,
        aside=Aside(f"The parts of Easy - Hard{about}, points", frozenset({4, 5, 6})),
    )


def _models(styles: Sequence[Style], about: str) -> Sheet:
    models = [model for style in styles for model in (style.model, style.both_lengths)]
    separated = any(model and model.separated for model in models)
    unknown = [style.name for style in styles if style.model is None]
    notes = [*MODEL_NOTES]
    if separated:
        notes.append(SEPARATED)
    if unknown:
        notes.append(f"No model for {', '.join(unknown)}: the data cannot tell style from length.")
    return Sheet(
        title=f"Style and length, each with the other held fixed{about}",
        header=("Scorer", "detail", "Markdown", "doubling", "1,000 characters", "substance, %"),
        rows=tuple(
            (name, *_model_cells(model))
            for style in styles
            for name, model in (
                (f"{style.name}, ratio", style.model),
                (f"{style.name}, ratio and characters", style.both_lengths),
            )
        ),
        notes=tuple(notes),
    )


def _model_cells(model: Model | None) -> tuple[str, ...]:
    if model is None:
        return ("-",) * 5
    mark = "*" if model.separated else ""
    coefficients = (
        "-" if estimate is None else signed_ends(estimate.value, estimate.interval) + mark
        for estimate in (model.detail, model.markdown, model.length, model.thousand)
    )
    return (*coefficients, share(model.substance) + mark)


def _position(style: Style) -> Iterator[Sheet]:
    position = style.position
    if position is None:
        return
    first = (
        f"{share(position.first_share)}{ends(position.first_interval)} of all "
        f"{position.decided:,} that are no tie"
    )
    swap = f"{share(position.swap_consistency)}{ends(position.swap_interval)} of all"
    matrices = (
        ("verdicts for the response shown first", first, position.first_matrix),
        ("pairs whose verdict survives the swap", swap, position.swap_matrix),
    )
    for what, whole, matrix in matrices:
        if matrix is not None:
            yield Sheet(
                title=f"{style.name}: {what}, % ({whole})",
                header=("chosen / rejected", *STYLES),
                rows=tuple(
                    (row, *map(share, values)) for row, values in zip(STYLES, matrix, strict=True)
                ),
            )
    if position.swap_matrix is None:
        yield Sheet(
            title=f"{style.name}: each pair was asked in one order",
            notes=("`rmjudge run --order both` tells whether its verdicts survive the swap.",),
        )


def style_csv(
    groups: Sequence[tuple[str, Sequence[Style]]], responses: Sequence[Responses] = ()
) -> str:
    """Write tidy rows; fractions, and log-odds for `model:*`.

    Measures: `accuracy`; `gap:all` (Easy less Hard), `gap:detail`, `gap:markdown`, `gap:both`
    by domain too; `slope` (P(win) per doubling of length); `model:detail`, `model:markdown`,
    `model:length`, `model:substance`; the same as `both_lengths:*`, of the model that has the
    length as a difference too (`both_lengths:thousand`); for judges
    `first:concise>markdown` and `swap:...`; for models with attributes `correctness:chosen/concise`
    and `verbosity:...`, means in the model's own units.
    """
    data_of = {style.name: data for data, styles in groups for style in styles}
    return rows_csv(
        CSV_HEADER,
        (
            *(
                (style.name, data, *row)
                for data, styles in groups
                for style in styles
                for row in _csv_rows(style)
            ),
            *(
                (one.name, data_of.get(one.name, ""), *row)
                for one in responses
                for row in responses_rows(one)
            ),
        ),
    )


def _csv_rows(style: Style) -> Iterator[tuple[str | float | None, ...]]:
    domains = [domain for domain in style.gaps if domain is not None]
    whole = scope(None, domains)
    yield (whole, "accuracy", *_csv_estimate(style.correctness))
    for domain, gaps in style.gaps.items():
        for name in GAP_NAMES:
            estimate: Estimate = getattr(gaps, name)
            yield (domain or whole, f"gap:{name}", *_csv_estimate(estimate))
    yield (whole, "slope", *_csv_estimate(style.slope))
    for name, model in (("model", style.model), ("both_lengths", style.both_lengths)):
        if model is None:
            continue
        yield (whole, f"{name}:detail", *_csv_estimate(model.detail))
        yield (whole, f"{name}:markdown", *_csv_estimate(model.markdown))
        yield (whole, f"{name}:length", *_csv_estimate(model.length))
        if model.thousand:
            yield (whole, f"{name}:thousand", *_csv_estimate(model.thousand))
        yield (whole, f"{name}:substance", model.substance, None, None)
    if style.position:
        yield from _csv_matrix(whole, "first", style.position.first_matrix)
        yield from _csv_matrix(whole, "swap", style.position.swap_matrix)


def _csv_estimate(estimate: Estimate) -> tuple[float | None, float | None, float | None]:
    interval = estimate.interval
    if interval is None:
        return estimate.value, None, None
    return estimate.value, interval.low, interval.high


def _csv_matrix(
    whole: str, kind: str, matrix: Matrix | None
) -> Iterator[tuple[str | float | None, ...]]:
    for chosen, row in zip(STYLES, matrix or (), strict=False):
        for rejected, value in zip(STYLES, row, strict=True):
            yield (whole, f"{kind}:{chosen}>{rejected}", value, None, None)


def style_json(
    groups: Sequence[tuple[str, Sequence[Style]]], responses: Sequence[Responses] = ()
) -> str:
    """Write everything; fractions, log-odds in `model`; ASCII."""
    scorers: list[Json] = [
        {"data": data, **_style_json(style)} for data, styles in groups for style in styles
    ]
    found = {"format": 1, "scorers": scorers, "responses": list(map(responses_json, responses))}
    return json.dumps(found, indent=2, allow_nan=False) + "\n"


def _style_json(style: Style) -> dict[str, Json]:
    whole = scope(None, [domain for domain in style.gaps if domain is not None])
    return {
        "scorer": style.name,
        "reading": style.reading,
        "tuples": style.tuples,
        "cells": style.cells,
        "accuracy": _estimate_json(style.correctness),
        "gaps": {
            domain or whole: {name: _estimate_json(getattr(gaps, name)) for name in GAP_NAMES}
            for domain, gaps in style.gaps.items()
        },
        "slope": _estimate_json(style.slope),
        "model": _model_json(style.model),
        "both_lengths": _model_json(style.both_lengths),
        "position": position_to_json(style.position),
    }


def _model_json(model: Model | None) -> Json:
    if model is None:
        return None
    thousand: dict[str, Json] = (
        {} if model.thousand is None else {"thousand": _estimate_json(model.thousand)}
    )
    return {
        "detail": _estimate_json(model.detail),
        "markdown": _estimate_json(model.markdown),
        "length": _estimate_json(model.length),
        **thousand,
        "substance": model.substance,
        "separated": model.separated,
    }


def _estimate_json(estimate: Estimate) -> Json:
    return {"value": known(estimate.value), "interval": interval_to_json(estimate.interval)}
