"""`rmjudge data check`: a data set's summary as tables and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from rich.console import RenderableType

from rmjudge.calls import Json
from rmjudge.dataset.summary import Flag, Lengths, Summary
from rmjudge.render.sheets import Sheet
from rmjudge.render.terminal.listings import sheets_renderable
from rmjudge.text import clean, shorten
from rmjudge.vocabulary import STYLES

SHOWN: Final = 8
"""Names listed of each finding; the JSON has them all."""


def summary_renderable(summary: Summary) -> RenderableType:
    """Tuples by domain and subset, lengths by style, and what deserves a look."""
    return sheets_renderable([_domains(summary), _lengths(summary)])


def _domains(summary: Summary) -> Sheet:
    return Sheet(
        title=f"{summary.tuples} tuple{'s' * (summary.tuples != 1)}, all valid",
        header=("Domain", "Subset", "Tuples"),
        rows=tuple(
            (domain, subset or "-", f"{count:,}")
            for (domain, subset), count in summary.subsets.items()
        ),
        names=2,
    )


def _lengths(summary: Summary) -> Sheet:
    return Sheet(
        title="Characters: mean (shortest to longest)",
        header=("", "Chosen", "Rejected"),
        rows=tuple(
            (
                style,
                _length(summary.chosen_lengths[style]),
                _length(summary.rejected_lengths[style]),
            )
            for style in STYLES
        ),
        notes=tuple(findings(summary)),
    )


def _length(lengths: Lengths) -> str:
    return f"{lengths.mean:.0f} ({lengths.shortest} to {lengths.longest})"


def findings(summary: Summary) -> Iterator[str]:
    """A line for each thing that is unusual; none of them makes the data invalid."""
    if summary.with_domain:
        name = summary.with_domain[0]
        domain, _, id = name.partition("/")
        yield (
            f"{len(summary.with_domain):,} ids are written with their domain, as in RM-Bench's "
            f"total file; they are found by both names: {clean(name)} is tuple {clean(id)} of "
            f"{domain}"
        )
    for name, count in summary.ignored:
        yield f"the field {_names([name])} is not used ({count:,} tuples have it)"
    yield from summary.styles
    for (domain, first, second), count in summary.repeats_by_pair.items():
        yield f"{domain}: {first} equals {second} in {count} tuples; one call serves both"
    crossed = [repeat.name for repeat in summary.chosen_equals_rejected]
    if crossed:
        yield f"a chosen equals a rejected response, always a tie: {_names(crossed)}"
    for group in summary.repeated_prompts:
        yield f"one prompt in {len(group)} tuples: {_names(group)}"
    flags: tuple[tuple[str, Sequence[Flag]], ...] = (
        ("texts that carry verdict tokens", summary.verdict_tokens),
        ("texts with lone surrogates", summary.lone_surrogates),
        ("texts with NUL characters", summary.nul_characters),
        ("responses of blanks only", summary.blank_responses),
    )
    for what, flagged in flags:
        if flagged:
            places = [f"{flag.name} ({flag.field})" for flag in flagged]
            yield f"{len(flagged)} {what}: {_names(places)}"


def _names(names: Sequence[str]) -> str:
    shown = ", ".join(shorten(clean(name), 60) for name in names[:SHOWN])
    return f"{shown}, and {len(names) - SHOWN} more" if len(names) > SHOWN else shown


def summary_to_json(summary: Summary) -> dict[str, Json]:
    """Everything, for programs."""
    return {
        "tuples": summary.tuples,
        "subsets": [
            {"domain": domain, "subset": subset, "tuples": count}
            for (domain, subset), count in summary.subsets.items()
        ],
        "characters": {
            side: {
                style: {"mean": part.mean, "shortest": part.shortest, "longest": part.longest}
                for style, part in lengths.items()
            }
            for side, lengths in (
                ("chosen", summary.chosen_lengths),
                ("rejected", summary.rejected_lengths),
            )
        },
        "ignored_fields": [{"field": name, "tuples": count} for name, count in summary.ignored],
        "styles": list(summary.styles),
        "repeated_texts": [
            {"tuple": repeat.name, "first": repeat.first, "second": repeat.second}
            for repeat in summary.repeats
        ],
        "repeated_prompts": [list(group) for group in summary.repeated_prompts],
        "verdict_tokens": _flags(summary.verdict_tokens),
        "lone_surrogates": _flags(summary.lone_surrogates),
        "nul_characters": _flags(summary.nul_characters),
        "blank_responses": _flags(summary.blank_responses),
    }


def _flags(flags: Sequence[Flag]) -> Json:
    return [{"tuple": flag.name, "field": flag.field} for flag in flags]
