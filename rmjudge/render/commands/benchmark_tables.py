"""Scorers of other sets compared, what length is worth to them, and what a set holds."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from rmjudge.benchmarks.items import Item, ItemSet
from rmjudge.errors import UsageError
from rmjudge.metrics.items import ItemOutcome, measure
from rmjudge.providers.baseline import REWARDS
from rmjudge.render.commands.benchmarks import NONE, percent
from rmjudge.render.sheets import Sheet
from rmjudge.runs.items import ItemResult, texts_of
from rmjudge.statistics.items import compare_items, length_bias
from rmjudge.statistics.testing import holm
from rmjudge.statistics.wording import FEWEST, word_test
from rmjudge.text import label, one_line


def compare_sheets(items: Sequence[ItemResult]) -> list[Sheet]:
    """A table a set: every two of its scorers on the items that both scored.

    Raises:
        UsageError: no set has two scorers, or two scored different texts.
    """
    sheets = []
    for name in dict.fromkeys(one.metrics.benchmark for one in items):
        found = [one for one in items if one.metrics.benchmark == name]
        if len({one.digest for one in found if one.digest}) > 1:
            raise UsageError(f"the runs on {name} scored different items; compare runs of one set")
        pairs = []
        for one, other in combinations(found, 2):
            difference = compare_items(_scores(one), _scores(other))
            if difference is not None:
                pairs.append((one, other, difference))
        corrected = holm([difference.p_value for _, _, difference in pairs])
        rows = []
        for (one, other, difference), p_value in zip(pairs, corrected, strict=True):
            interval = difference.interval
            bounds = f"{percent(interval.low)} to {percent(interval.high)}" if interval else NONE
            rows.append(
                (
                    f"{label(one.metrics.scorer)} - {label(other.metrics.scorer)}",
                    percent(difference.difference),
                    bounds,
                    f"{p_value:.4f}" if p_value >= 0.0001 else "<0.0001",
                    str(difference.one_better),
                    str(difference.other_better),
                    str(difference.items),
                )
            )
        if rows:
            sheets.append(
                Sheet(
                    title=f"{found[0].metrics.title}: two by two, points",
                    header=("Scorers", "Difference", "95 %", "p", "1st", "2nd", "Items"),
                    rows=tuple(rows),
                    caption=(
                        "Over the items that both scored, each counting once. p: McNemar's test, "
                        "corrected by Holm. 1st and 2nd: items that one scores above the other."
                    ),
                )
            )
    if not sheets:
        raise UsageError("name two runs on the same benchmark to compare")
    return sheets


def _scores(result: ItemResult) -> dict[str, float | None]:
    return {
        outcome.name: score for outcome, score in zip(result.outcomes, result.scores, strict=True)
    }


def style_sheets(items: Sequence[ItemResult]) -> list[Sheet]:
    """A table a set: what length is worth to each scorer, beside the baseline of length."""
    sheets = []
    for name in dict.fromkeys(one.metrics.benchmark for one in items):
        found = [one for one in items if one.metrics.benchmark == name]
        rows = []
        for one in found:
            texts = texts_of(one)
            bias = length_bias([(outcome, texts[outcome.name]) for outcome in one.outcomes])
            rows.append(
                (
                    label(one.metrics.scorer),
                    percent(bias.longer),
                    percent(bias.shorter),
                    percent(bias.gap),
                    str(bias.longer_pairs),
                    str(bias.shorter_pairs),
                )
            )
        sheets.append(
            Sheet(
                title=f"{found[0].metrics.title}: length bias, %",
                header=("Scorer", "Longer", "Shorter", "Gap", "Pairs longer", "Pairs shorter"),
                rows=tuple(rows),
                caption=(
                    "Mean credit of the better response where it is the longer one, and where it "
                    "is the shorter one. A scorer of length alone has 100 and 0."
                ),
            )
        )
    return sheets


def check_sheet(items: ItemSet) -> Sheet:
    """What a set holds, subset by subset, and what a scorer of length alone gets of it."""
    reward = REWARDS["length"]
    outcomes = [
        ItemOutcome(
            item.id,
            item.subset,
            tuple(response.grade for response in item.responses),
            tuple(reward(item.prompt, text) for text in item.texts),
        )
        for item in items
    ]
    rules = items.descriptor
    found = measure("baseline/length", "pointwise", None, outcomes, rules)
    rows = []
    for name in found.subsets:
        members = [item for item in items if item.subset == name]
        share = found.subsets[name]
        figures = (percent(share.strict), _words_alone(members))
        rows.append((label(name) or "(none)", *_counts(members), *figures))
    if len(rows) > 1:
        headline = percent(found.averages[rules.average]["strict"])
        figures = (headline, _words_alone(items.items))
        rows.append((f"all ({rules.average})", *_counts(items.items), *figures))
    notes = [one_line(note) for note in items.notes]
    if rules.published:
        told = ", ".join(f"{one.scorer} {one.score:g}" for one in rules.published)
        notes.append(f"Published: {told}")
    notes += [f"Licence: {rules.licence}"] if rules.licence else []
    notes += [f"Cite: {rules.citation}"] if rules.citation else []
    return Sheet(
        title=f"{rules.title} ({rules.name})",
        header=(
            *("Subset", "Items", "Responses", "Conversations", "Equal texts", "Longer wins"),
            "Words alone",
        ),
        rows=tuple(rows),
        notes=tuple(notes),
        caption=(
            "Longer wins: what a scorer of length alone gets, in %, a tie being no win. Words "
            "alone: in how many pairs, one an item, words tell the better response without the "
            "prompt (50 is blind); much more gives the side away."
        ),
    )


def _words_alone(items: Sequence[Item]) -> str:
    pairs = [
        (item.texts[pair.better], item.texts[pair.worse])
        for item in items
        for pair in item.pairs[:1]
    ]
    return percent(word_test(pairs).share) if len(pairs) >= FEWEST else NONE


def _counts(items: Sequence[Item]) -> tuple[str, ...]:
    equal = sum(any(i.texts[p.better] == i.texts[p.worse] for p in i.pairs) for i in items)
    return (
        str(len(items)),
        str(sum(len(item.responses) for item in items)),
        str(sum(item.is_conversation for item in items)),
        str(equal),
    )
