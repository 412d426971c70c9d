"""One tuple that waits for a person: prompt, reference of the writer, the difference, votes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import SequenceMatcher
from typing import Any

from rich.text import Text

from rmjudge.text import clean


def shown(item: Mapping[str, Any]) -> Text:
    """The prompt, the Markdown text with the change marked, the claims and the votes."""
    found, about = item["tuple"], item["provenance"]
    text = Text()
    text.append(f"{clean(str(found['id']))}: {item['reason']}\n", style="bold")
    text.append(f"PROMPT\n{clean(found['prompt'])}\n\n")
    if about.get("reference"):
        text.append(f"REFERENCE\n{clean(str(about['reference']))}\n\n")
    text.append("RESPONSE, [-chosen-] {+rejected+}\n")
    for part, style in _difference(found["chosen"][2], found["rejected"][2]):
        text.append(clean(part), style=style)
    text.append("\n\n")
    for name in ("claim_true", "claim_false", "why"):
        text.append(f"{name.replace('_', ' ')}: {clean(str(about.get(name, '')))}\n")
    for number, vote in enumerate(about.get("votes", ()), 1):
        text.append(f"panel {number}: {vote['claims']}, asserts {vote['asserts']}\n")
    return text


def _difference(before: str, after: str) -> Iterator[tuple[str, str]]:
    one, other = before.split(" "), after.split(" ")
    matcher = SequenceMatcher(None, one, other, autojunk=False)
    for kind, a, b, c, d in matcher.get_opcodes():
        if kind == "equal":
            yield " ".join(one[a:b]) + " ", ""
            continue
        if b > a:
            yield f"[-{' '.join(one[a:b])}-] ", "red"
        if d > c:
            yield f"{{+{' '.join(other[c:d])}+}} ", "green"
