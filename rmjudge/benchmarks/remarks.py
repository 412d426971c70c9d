"""What is to be said of a set's items: what no label can mean, and what changes a score."""

from __future__ import annotations

from collections.abc import Sequence

from rmjudge.benchmarks.descriptors import Descriptor
from rmjudge.benchmarks.items import Item
from rmjudge.text import quote


def untwinned(descriptor: Descriptor, items: Sequence[Item], shown: str) -> list[str]:
    """What keeps the formula of ties from giving a score."""
    names = [str(item.id) for item in items if descriptor.is_ties(item.subset)]
    if other := next((name for name in names if not name.startswith(("ref:", "tied:"))), None):
        return [
            f"{shown}: the id {quote(other, 40)} is in a subset of ties; the formula of ties needs "
            "ids like ref:1 and tied:1"
        ]
    ref, tied = ({n[len(k) :] for n in names if n.startswith(k)} for k in ("ref:", "tied:"))
    if descriptor.file and names and not ref & tied:
        return [
            f"{shown}: the formula of ties needs twins, ref:N and tied:N of one N; none are there"
        ]
    return []


def notes_on_texts(items: Sequence[Item]) -> list[str]:
    """What a label cannot mean, or what counts more than once."""
    undecidable = sum(
        len(set(item.texts)) < len({(one.text, one.grade) for one in item.responses})
        for item in items
    )
    known: dict[tuple[object, ...], set[tuple[object, ...]]] = {}
    repeated = contrary = 0
    for item in items:
        graded = tuple(sorted((one.text, one.grade) for one in item.responses))
        same = known.setdefault((item.turns, tuple(text for text, _ in graded)), set())
        repeated += graded in same
        contrary += bool(same - {graded})
        same.add(graded)
    told = {
        "items whose last message before the responses is no user's": sum(
            item.turns[-1].role != "user" for item in items
        ),
        "items with one text that is both better and worse, which is a tie at most": undecidable,
        "items that repeat another word for word, and count again": repeated,
        "items with the texts of another, in which another response is better": contrary,
    }
    return [f"{what}: {count}" for what, count in told.items() if count]


def notes_on_subsets(descriptor: Descriptor, items: Sequence[Item]) -> list[str]:
    """What changes a score and may be a slip of the pen: subsets that only one side names."""
    notes = []
    there = {item.subset for item in items}
    unnamed = sum(not item.subset for item in items)
    if (field := descriptor.fields.subset) and unnamed and len(there) > 1:
        notes.append(f"items without {field}, which count as a subset of their own: {unnamed}")
    sections = {name for names in descriptor.sections.values() for name in names}
    if sections and descriptor.average == "sections" and (left := sorted(there - sections)):
        names = ", ".join(name or "(unnamed)" for name in left)
        notes.append(f"not in the score, since no section has these subsets: {names}")
    if descriptor.file:  # a file of a published set may be a part of it
        named = (sections | set(descriptor.weights) | {descriptor.ties_subset}) - {""}
        if absent := sorted(named - there):
            what = "sections, weights or ties_subset name subsets without an item"
            notes.append(f"{what}: {', '.join(absent)}")
        if absent := sorted(set(descriptor.groups) - there):
            notes.append(f"groups that no item is in: {', '.join(absent)}")
        raw = sorted({item.raw_subset for item in items})
        if several := [one for one in raw if len(descriptor.groups_of(one)) > 1]:
            notes.append(
                f"subsets in several groups, of which the first counts: {', '.join(several)}"
            )
    return notes
