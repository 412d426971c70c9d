"""`rmjudge data check`: a data set's summary as tables and as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from rich.console import RenderableType

from rmjudge.calls import Json
from rmjudge.dataset.flagged import REASONS
from rmjudge.dataset.quality import SIDES
from rmjudge.dataset.summary import Flag, Lengths, Summary
from rmjudge.metrics.codec import interval_to_json
from rmjudge.render.figures import ends, percent
from rmjudge.render.sheets import Sheet
from rmjudge.render.terminal.listings import sheets_renderable
from rmjudge.statistics.gaps import Gap
from rmjudge.statistics.looks import Looks
from rmjudge.statistics.wording import FEWEST, WordTest
from rmjudge.text import clean, quote, shorten
from rmjudge.vocabulary import DIFFICULTIES, STYLES

LONGER: Final = tuple(f"longer wins, {part}" for part in DIFFICULTIES)
GROUPS: Final = 5
"""Groups of near-duplicates listed; the JSON has them all."""
SHOWN: Final = 8
"""Names listed of each finding; the JSON has them all."""


def summary_renderable(
    summary: Summary, looks: Looks, builds: Sequence[Sheet] = ()
) -> RenderableType:
    """Tuples by domain and subset, then their quality; `builds` tell how the set was made."""
    return sheets_renderable([_domains(summary), *quality_sheets(summary, looks), *builds])


def quality_sheets(summary: Summary, looks: Looks) -> list[Sheet]:
    """Lengths and marks by style and side, what tells the side, and what deserves a look."""
    look = Sheet("What deserves a look", notes=tuple(findings(summary)))
    sheets = [_lengths(summary, looks), _marks(looks), _words(looks), _baselines(looks)]
    return [*sheets, look] if look.notes else sheets


def _words(looks: Looks) -> Sheet:
    telling = [
        f"{domain} {style} {percent(test.share)}{ends(test.interval)}"
        for domain, tests in looks.words.items()
        for style, test in tests.items()
        if test.telling
    ]
    notes = [
        "Words: how often words alone tell which of two responses in one style is the chosen, "
        f"50 is blind (naive Bayes, held out by tuple; from {FEWEST} tuples on)."
    ]
    if telling:
        notes.append(
            f"The wording gives the side away, so a scorer may be right without knowing what is "
            f"right: {', '.join(telling)}."
        )
    notes.append("Longer wins: what a scorer gets that prefers the longer response (strict).")
    return Sheet(
        title="What tells the chosen without the prompt, %",
        header=("Domain", *(f"words, {style}" for style in STYLES), *LONGER),
        rows=tuple(
            (
                domain,
                *(_share(looks.words.get(domain, {}).get(style)) for style in STYLES),
                *(percent(getattr(accuracies, part)) for part in DIFFICULTIES),
            )
            for domain, accuracies in looks.longer.items()
        ),
        notes=tuple(notes),
    )


def _baselines(looks: Looks) -> Sheet:
    return Sheet(
        title="What more marks of Markdown win, %",
        header=("Domain", *DIFFICULTIES),
        rows=tuple(
            (domain, *(percent(getattr(accuracies, part)) for part in DIFFICULTIES))
            for domain, accuracies in looks.marked.items()
        ),
        caption="What baseline/markdown gets (strict: a tie is wrong). A random scorer gets 50.",
    )


def _share(test: WordTest | None) -> str:
    return percent(None if test is None else test.share) + ("!" if test and test.telling else "")


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


def _lengths(summary: Summary, looks: Looks) -> Sheet:
    return Sheet(
        title="Characters: mean (shortest to longest)",
        header=("", "Chosen", "Rejected", "Chosen - rejected"),
        rows=tuple(
            (
                style,
                _length(summary.chosen_lengths[style]),
                _length(summary.rejected_lengths[style]),
                _gap(looks.gaps["length"][style]),
            )
            for style in STYLES
        ),
        caption="Chosen - rejected: mean difference within a tuple, with its 95 % interval.",
    )


def _marks(looks: Looks) -> Sheet:
    return Sheet(
        title="Marks of Markdown: mean",
        header=("", "Chosen", "Rejected", "Chosen - rejected"),
        rows=tuple(
            (style, f"{gap.chosen:.1f}", f"{gap.rejected:.1f}", _gap(gap))
            for style, gap in looks.gaps["markdown"].items()
        ),
    )


def _gap(gap: Gap) -> str:
    told = f"{gap.difference:+.1f}"
    ends = gap.interval
    return f"{told} ({ends.low:+.1f} to {ends.high:+.1f})" if ends else told


def _length(lengths: Lengths) -> str:
    return f"{lengths.mean:.0f} ({lengths.shortest} to {lengths.longest})"


def findings(summary: Summary) -> Iterator[str]:
    """A line for each thing that is unusual; none of them makes the data invalid."""
    yield from _about_fields(summary)
    yield from summary.styles
    yield from _known_bad(summary)
    yield from _about_quality(summary)
    yield from _about_repeats(summary)
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


def _about_fields(summary: Summary) -> Iterator[str]:
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


def _known_bad(summary: Summary) -> Iterator[str]:
    for reason, count in Counter(summary.flagged.values()).items():
        names = [name for name, why in summary.flagged.items() if why == reason]
        yield f"{count} known to be bad ({REASONS[reason]}): {_names(names)}"
    if summary.flagged:
        yield "`rmjudge report RUN --without flagged` shows accuracies without what is known bad"


def _about_quality(summary: Summary) -> Iterator[str]:
    if summary.cut:
        sides = {side: {c.name for c in summary.cut if c.side == side} for side in SIDES}
        names = list(dict.fromkeys(one.name for one in summary.cut))
        counted = ", ".join(f"{side} in {len(found)}" for side, found in sides.items())
        yield (
            "a detailed or Markdown response ends in a letter, a digit or a comma, as cut texts "
            "do, in "
            f"{len(names)} of {summary.tuples:,} tuples ({counted}): {_names(names)}"
        )
    for canned in summary.canned:
        text, names_of_it = max(canned.texts.items(), key=lambda item: len(item[1]))
        texts = len(canned.texts)
        yield (
            f"{canned.domain}: {canned.side} {canned.style} is canned in {canned.tuples} tuples "
            f"({texts} text{'s' * (texts != 1)}, such as {quote(text)} in {len(names_of_it)})"
        )


def _about_repeats(summary: Summary) -> Iterator[str]:
    for (domain, first, second), count in summary.repeats_by_pair.items():
        yield f"{domain}: {first} equals {second} in {count} tuples; one call serves both"
    crossed = [repeat.name for repeat in summary.chosen_equals_rejected]
    if crossed:
        yield f"a chosen equals a rejected response, always a tie: {_names(crossed)}"
    for group in summary.repeated_prompts:
        yield f"one prompt in {len(group)} tuples: {_names(group)}"
    for group in summary.similar_prompts[:GROUPS]:
        yield f"almost one prompt in {len(group)} tuples: {_names(group)}"
    if (more := len(summary.similar_prompts) - GROUPS) > 0:
        yield f"almost one prompt in the tuples of {more} more groups (--json lists them)"


def _names(names: Sequence[str]) -> str:
    shown = ", ".join(shorten(clean(name), 60) for name in names[:SHOWN])
    return f"{shown}, and {len(names) - SHOWN} more" if len(names) > SHOWN else shown


def summary_to_json(summary: Summary, looks: Looks) -> dict[str, Json]:
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
        "ids_with_domain": list(summary.with_domain),
        "flagged": [{"tuple": name, "reason": reason} for name, reason in summary.flagged.items()],
        "cut_texts": [
            {"tuple": one.name, "field": f"{one.side} {one.style}"} for one in summary.cut
        ],
        "canned_texts": [
            {
                "domain": one.domain,
                "field": f"{one.side} {one.style}",
                "texts": [
                    {"text": text, "tuples": list(names)} for text, names in one.texts.items()
                ],
            }
            for one in summary.canned
        ],
        "similar_prompts": [list(group) for group in summary.similar_prompts],
        "words": {
            domain: {
                style: {
                    "share": test.share,
                    "interval": interval_to_json(test.interval),
                    "telling": test.telling,
                }
                for style, test in tests.items()
            }
            for domain, tests in looks.words.items()
        },
        "longer_wins": {
            domain: {part: getattr(accuracies, part) for part in (*DIFFICULTIES, "average")}
            for domain, accuracies in looks.longer.items()
        },
        "more_marks_win": {
            domain: {part: getattr(accuracies, part) for part in (*DIFFICULTIES, "average")}
            for domain, accuracies in looks.marked.items()
        },
        "gaps": {
            measure: {
                style: {
                    "chosen": gap.chosen,
                    "rejected": gap.rejected,
                    "difference": gap.difference,
                    "interval": interval_to_json(gap.interval),
                }
                for style, gap in styles.items()
            }
            for measure, styles in looks.gaps.items()
        },
    }


def _flags(flags: Sequence[Flag]) -> Json:
    return [{"tuple": flag.name, "field": flag.field} for flag in flags]
