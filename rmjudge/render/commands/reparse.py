"""`rmjudge reparse`: what the current parser makes of replies that an earlier one has read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.console import Group, RenderableType
from rich.text import Text

from rmjudge.calls import Json
from rmjudge.render.figures import known, percent
from rmjudge.render.sheets import Sheet
from rmjudge.render.terminal.listings import sheets_renderable
from rmjudge.running.reparse import Reparsed
from rmjudge.runs.items import ItemResult
from rmjudge.runs.naming import labels
from rmjudge.runs.results import ScorerResult
from rmjudge.text import clean
from rmjudge.vocabulary import DIFFICULTIES

SHOWN: Final = 12
"""Tuples named of each run; the JSON has them all."""


def reparsed_renderable(found: Sequence[Reparsed], *, written: bool) -> RenderableType:
    """Say for each scorer what changes call by call, in its cells and in its accuracies."""
    parts: list[RenderableType] = []
    for name, item in zip(labels([one.after for one in found]), found, strict=True):
        parts.append(Text(name, style="bold"))
        parts += [Text(line) for line in _lines(item)]
        if item.changed:
            parts.append(sheets_renderable([_accuracies(item)]))
            done = "written" if written else "nothing was written; --write keeps it"
            parts.append(Text(f"{clean(str(item.folder))}: {done}"))
    return Group(*parts)


def _lines(item: Reparsed) -> list[str]:
    if not item.replies:
        return ["it computes its scores here and leaves no replies to read again"]
    lines = [f"{item.replies:,} stored replies read again ({item.parser}), nothing was sent"]
    if item.missing:
        lines.append(f"{item.missing:,} calls have no stored reply and stay as they were")
    if not item.changed_calls:
        lines.append("every reply reads as it is stored")
    for (was, now), count in sorted(item.changes.items()):
        if was != now:
            lines.append(f"  {count:,} calls: {was} -> {now}")
    if item.tuples:
        shown = ", ".join(clean(name) for name in item.tuples[:SHOWN])
        more = f", and {len(item.tuples) - SHOWN} more" if len(item.tuples) > SHOWN else ""
        what = "items" if isinstance(item.after, ItemResult) else "tuples"
        lines.append(f"{len(item.tuples):,} {what} change: {shown}{more}")
    else:
        lines.append("no cell of the run changes")
    return lines


def _accuracies(item: Reparsed) -> Sheet:
    rows = (("Before", item.before), ("After", item.after))
    heads = (name.replace("_", " ").capitalize() for name in _values(item.after))
    return Sheet(
        title="Accuracy, %",
        header=("Reading", *heads, "Not scored"),
        rows=tuple(
            (name, *map(percent, _values(part).values()), f"{_unscored(part):,}")
            for name, part in rows
        ),
    )


def reparsed_to_json(found: Sequence[Reparsed], *, written: bool) -> dict[str, Json]:
    """For programs; accuracies are fractions."""
    return {
        "written": written,
        "reparse": [
            {
                "scorer": item.after.metrics.scorer,
                "folder": str(item.folder),
                "parser": item.parser,
                "replies": item.replies,
                "missing": item.missing,
                "changed_calls": item.changed_calls,
                "changes": [
                    {"before": was, "after": now, "calls": count}
                    for (was, now), count in sorted(item.changes.items())
                ],
                "changed_tuples": list(item.tuples),
                "before": _summary(item, before=True),
                "after": _summary(item, before=False),
            }
            for item in found
        ],
    }


def _summary(item: Reparsed, *, before: bool) -> Json:
    result = item.before if before else item.after
    what = "unscored_items" if isinstance(result, ItemResult) else "unscored_cells"
    return {**_values(result), what: _unscored(result)}


def _unscored(result: ScorerResult | ItemResult) -> int:
    if isinstance(result, ItemResult):
        return result.metrics.items - result.metrics.scored
    return result.metrics.unscored_cells


def _values(result: ScorerResult | ItemResult) -> dict[str, float | None]:
    if isinstance(result, ItemResult):
        named = {
            f"{average}_{reading}": known(value)
            for average, readings in result.metrics.averages.items()
            for reading, value in readings.items()
        }
        return {"score": known(result.metrics.headline), **named}
    accuracies = result.metrics.headline
    return {name: known(getattr(accuracies, name)) for name in (*DIFFICULTIES, "average")}
