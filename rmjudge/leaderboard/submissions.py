"""What a run is submitted as: a row of the public leaderboard, RM-Bench's own file, the Hub's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from rmjudge.dataset.tuples import DataSet
from rmjudge.errors import UsageError
from rmjudge.leaderboard.mismatch import mismatch
from rmjudge.leaderboard.published import Figures
from rmjudge.leaderboard.standing import figures_of, what_lacks
from rmjudge.metrics.report import Metrics
from rmjudge.runs.naming import asked_words
from rmjudge.runs.results import ScorerResult
from rmjudge.text import markdown_cell, one_line
from rmjudge.version import __version__
from rmjudge.vocabulary import PUBLISHED_DOMAINS, Method

COLUMNS: Final = (
    *("Model Name", "Model Type", "Chat", "Math", "Code", "Safety", "Easy", "Normal", "Hard"),
    *("Domain Avg", "Difficulty Avg", "Overall", "Potentially Score Mismatch", "License Type"),
)
DATASET: Final = "THU-KEG/RM-Bench"
"""The benchmark at the Hub."""
TASKS: Final = ("chat", "math", "code", "safety", "easy", "normal", "hard")
_DEFAULT_TYPE: Final[dict[Method, str]] = {"pointwise": "Scalar RM", "pairwise": "LLM"}


@dataclass(frozen=True, slots=True)
class Submission:
    """What only the submitter knows; None takes what the run tells."""

    name: str | None = None
    link: str | None = None
    type: str | None = None
    license: str | None = None


def markdown_row(result: ScorerResult, about: Submission) -> str:
    """Write the row, numbers in percent with one decimal.

    Raises:
        UsageError: the run is not over the whole benchmark, cells are missing, or the link
            is no address.
    """
    metrics = result.metrics
    check_complete(metrics, "the leaderboard")
    figures = figures_of(metrics)
    cells = (
        _linked(about.name or metrics.scorer, about.link),
        about.type or _DEFAULT_TYPE[metrics.method],
        *(_percent(value) for value in _numbers(figures)),
        str(bool(mismatch(figures))),
        about.license or "Unknown",
    )
    return f"| {' | '.join(cells)} |"


def check_complete(metrics: Metrics, taker: str) -> None:
    """Make sure that a run is over the whole benchmark, with a score in each cell.

    Raises:
        UsageError: it is not; `taker` is who wants it.
    """
    lacks = what_lacks(metrics)
    if metrics.unasked_cells:
        lacks = lacks or "not all nine cells of a tuple were asked"
    if metrics.unscored_cells:
        lacks = lacks or f"{metrics.unscored_cells} cells are not scored"
    if lacks:
        raise UsageError(f"{metrics.scorer}: {taker} takes complete runs of RM-Bench; {lacks}")


def hub_file(result: ScorerResult, link: str | None, started: float | None) -> str:
    """Write the run for `.eval_results/` of the model's repository at the Hugging Face Hub.

    The format is huggingface.co/docs/hub/eval-results: a list in YAML, values in percent. `link`
    leads to the traces or a paper, `started` is Unix time. Texts are in JSON's quotes, which YAML
    reads.

    Raises:
        UsageError: the run is not over the whole benchmark, cells are missing, or the link is no
            address.
    """
    metrics = result.metrics
    check_complete(metrics, "the Hub's file")
    if link is not None:
        _check_link(link)
    figures = figures_of(metrics)
    values = {"overall": figures.domain_average, **{part: getattr(figures, part) for part in TASKS}}
    notes = ", ".join((f"rmjudge {__version__}", str(metrics.method), *asked_words(metrics)))
    lines: list[str] = []
    for task, value in values.items():
        lines += [
            "- dataset:",
            f"    id: {DATASET}",
            f"    task_id: {task}",
            f"  value: {_percent(value)}",
        ]
        if started is not None:
            lines.append(f"  date: {json.dumps(_day(started))}")
        if link is not None:
            lines += ["  source:", f"    url: {json.dumps(link)}"]
        lines.append(f"  notes: {json.dumps(one_line(notes))}")
    return "\n".join(lines) + "\n"


def _day(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d")


def _numbers(figures: Figures) -> tuple[float | None, ...]:
    return (
        *(figures.chat, figures.math, figures.code, figures.safety),
        *(figures.easy, figures.normal, figures.hard),
        *(figures.domain_average, figures.difficulty_average, figures.overall),
    )


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value * 100:.1f}"


def _linked(name: str, link: str | None) -> str:
    if link is None:
        return markdown_cell(name)
    _check_link(link)
    return f"[{markdown_cell(name)}]({link})"


def _check_link(link: str) -> None:
    fine = link.startswith(("https://", "http://")) and link == one_line(link)
    if not fine or any(sign in link for sign in " |<>()[]"):
        raise UsageError(
            f"--link {link!r} is no http:// or https:// address that Markdown can hold"
        )


def check_scores(result: ScorerResult) -> None:
    """Make sure that every response has a score.

    Raises:
        UsageError: it is a judge's run, which has no scores, or some are missing.
    """
    if result.metrics.method != "pointwise":
        raise UsageError(
            f"{result.metrics.scorer}: RM-Bench's result file holds a score for each response, "
            "and a judge of pairs gives none; send the row (--emit) and the run's results.jsonl"
        )
    if result.metrics.unscored_cells:
        raise UsageError(
            f"{result.metrics.scorer}: {result.metrics.unscored_cells} cells are not scored, and "
            "RM-Bench's script stops at a missing score; run it again to fill them"
        )


def result_file(result: ScorerResult, data: DataSet) -> str:
    """Write the items of the data set with `score_chosen` and `score_rejected` added.

    That is what RM-Bench's `run_rm.py` saves and `compute_accuracy` reads: a list of objects,
    the three scores in the order of the styles, `domain` as in `total_dataset.json`.
    """
    items = list(_items(result, data))
    return json.dumps(items, indent=4, ensure_ascii=True, allow_nan=False) + "\n"


def _items(result: ScorerResult, data: DataSet) -> Iterator[dict[str, object]]:
    texts = {item.key: item for item in data}
    for scored in result.tuples:
        item = texts[scored.key]
        published = item.subset if item.subset in PUBLISHED_DOMAINS else item.domain
        yield {
            "id": item.id,
            **({"subset": item.subset} if item.subset not in (None, published) else {}),
            "prompt": item.prompt,
            "chosen": list(item.chosen),
            "rejected": list(item.rejected),
            "domain": published,
            "score_chosen": list(scored.score_chosen or ()),
            "score_rejected": list(scored.score_rejected or ()),
        }
