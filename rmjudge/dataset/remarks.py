"""What makes a sound data set's numbers mean something else than they seem to. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from typing import Final

from rmjudge.dataset.tuples import DataSet
from rmjudge.text import quote
from rmjudge.vocabulary import DOMAINS, PUBLISHED_DOMAINS, STYLES

CHANGES_THE_QUESTION: Final = frozenset(
    ("system", "system_prompt", "images", "image", "tools", "messages", "history", "context")
)
"""Fields of other data sets that are part of what is asked; here the prompt is all of it."""
_MARKDOWN: Final = re.compile(r"^\s{0,3}(?:#{1,6} |[-*+] |\d+[.)] )|\*\*\S", re.MULTILINE)


def remarks(data: DataSet) -> Iterator[str]:
    """A line for each thing that a run on this data has to say."""
    for name, count in data.ignored:
        if name in CHANGES_THE_QUESTION:
            yield (
                f"the field {quote(name)} of {count:,} tuples is not used: models see the prompt "
                "and the response alone"
            )
    yield from domain_remarks(data)
    yield from style_remarks(data)


def domain_remarks(data: DataSet) -> Iterator[str]:
    """Ask about a domain of the user's own that is written almost like one of the benchmark's."""
    for domain in data.domains:
        if domain not in DOMAINS and (like := get_close_matches(domain, PUBLISHED_DOMAINS, 1, 0.8)):
            yield (
                f"the domain {domain} is none of the benchmark's and counts by itself; if you mean "
                f"{like[0]}, write {like[0]}"
            )


def style_remarks(data: DataSet) -> Iterator[str]:
    """Say where most responses of a side are not in the order concise, detailed, Markdown."""
    order = ", ".join(STYLES)
    sides: dict[str, Sequence[Sequence[str]]] = {
        "chosen": [item.chosen for item in data],
        "rejected": [item.rejected for item in data],
    }
    for side, triples in sides.items():
        longer = sum(len(concise) > len(detailed) for concise, detailed, _ in triples)
        if 2 * longer > len(triples):
            yield (
                f"{side}: the first response is longer than the second in {longer:,} of "
                f"{len(triples):,} tuples; the order is {order}"
            )
        elsewhere = sum(_marked_elsewhere(triple) for triple in triples)
        if 2 * elsewhere > len(triples):
            yield (
                f"{side}: another response than the third has the most Markdown in {elsewhere:,} "
                f"of {len(triples):,} tuples; the order is {order}"
            )


def _marked_elsewhere(triple: Sequence[str]) -> bool:
    concise, detailed, markdown = (len(_MARKDOWN.findall(text)) for text in triple)
    return max(concise, detailed) > markdown
