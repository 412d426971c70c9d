"""What a set beside RM-Bench holds, and what a scorer of length alone gets of it."""

from __future__ import annotations

from collections.abc import Sequence

from rmjudge.benchmarks.items import Item, ItemSet
from rmjudge.metrics.items import measure
from rmjudge.metrics.outcomes import ItemOutcome
from rmjudge.providers.baseline import REWARDS
from rmjudge.render.commands.benchmarks import NONE, percent
from rmjudge.render.sheets import Sheet
from rmjudge.statistics.wording import FEWEST, word_test
from rmjudge.text import label, one_line


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
