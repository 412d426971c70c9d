"""How a run was made, in words: from when it began to the command that goes on with it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from rmjudge.render.figures import dollars, tuples_word
from rmjudge.runs.naming import asked_words
from rmjudge.runs.records import RunRecord
from rmjudge.runs.results import ScorerResult, Tokens
from rmjudge.text import clean, one_line

DIGITS: Final = 12
"""Hexadecimal digits of a hash that are shown: enough to see that two are the same."""


def making_of(record: RunRecord, result: ScorerResult) -> list[tuple[str, str]]:
    """Pair the names with what is known; what is not recorded is left out."""
    parts = (_when, _imported, _data, _asked, _who, _calls, _end)
    return [pair for part in parts for pair in part(record, result)]


def _when(record: RunRecord, _result: ScorerResult) -> Iterator[tuple[str, str]]:
    if record.started is not None:
        took = "" if record.wall_s is None else f", took {_took(record.wall_s)}"
        yield "Started", f"{_date(record.started)}{took}"
    versions = [f"{one_line(name)} {one_line(of)}" for name, of in (record.versions or {}).items()]
    if versions:
        yield "Versions", ", ".join(versions)
    if again := record.about.get("reparsed"):
        of = one_line(str(again.get("rmjudge", "?"))) if isinstance(again, dict) else "?"
        yield "Replies read again", f"by rmjudge {of}"


def _date(seconds: float) -> str:
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%d %B %Y, %H:%M UTC").lstrip("0")
    except (OverflowError, OSError, ValueError):
        return f"{seconds:g} s after 1970"


def _took(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def _imported(record: RunRecord, _result: ScorerResult) -> Iterator[tuple[str, str]]:
    imported = record.imported
    if imported is None:
        return
    yield (
        "Imported from",
        f"{', '.join(map(one_line, imported.files))} ({one_line(imported.format)})",
    )
    if imported.digests:
        yield "Their SHA-256", ", ".join(one_line(digest)[:DIGITS] for digest in imported.digests)


def _data(record: RunRecord, result: ScorerResult) -> Iterator[tuple[str, str]]:
    scored = len(result.tuples)
    if record.digest is None:
        yield "Data", tuples_word(scored)
        return
    total = record.tuples if record.tuples is not None else scored
    part = f"{scored:,} of " if scored != total else ""
    yield (
        "Data",
        f"{one_line(record.label)}, {part}{total:,} tuples, digest {record.digest[:DIGITS]}",
    )
    chosen = [*([f"domains {', '.join(record.domains)}"] if record.domains else [])]
    if record.limit is not None:
        chosen.append(f"the first {record.limit:,} of each domain")
    if chosen:
        yield "Asked for", "; ".join(chosen)


def _asked(record: RunRecord, result: ScorerResult) -> Iterator[tuple[str, str]]:
    metrics, identity = result.metrics, record.identity or {}
    words = [str(metrics.method), *asked_words(metrics)]
    if metrics.order and record.seed is not None:
        words.append(f"seed {record.seed}")
    if record.votes > 1:
        words.append(f"{record.votes} votes")
    judging = identity.get("judging")
    if judging and judging != metrics.method:
        words.append(f"asked as {one_line(str(judging))}")
    yield "Method", ", ".join(words)
    text = identity.get("template")
    if isinstance(text, str) and text:
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:DIGITS]
        own = "its own" if judging else "the model's"
        name = one_line(record.template) if record.template else own
        yield "Template", f"{name}, SHA-256 {digest}"
        yield "Question", clean(text.strip())


def _who(record: RunRecord, result: ScorerResult) -> Iterator[tuple[str, str]]:
    if url := (record.identity or {}).get("url"):
        yield "Reached at", one_line(str(url))
    if result.models:
        named = (f"{one_line(model)} ({count:,})" for model, count in result.models.items())
        yield "Answered by", ", ".join(named)
    if result.hosts:
        hosts = (f"{one_line(host)} ({count:,})" for host, count in result.hosts.items())
        yield "Run by", ", ".join(hosts)


def _calls(record: RunRecord, result: ScorerResult) -> Iterator[tuple[str, str]]:
    calls = result.calls
    if record.combined or record.imported is not None:
        return
    yield (
        "Calls",
        f"{calls.planned:,} planned; {calls.from_cache:,} from the cache, {calls.sent:,} sent, "
        f"{calls.failed:,} failed, {calls.unscored:,} replies without a score",
    )
    if result.statuses:
        yield (
            "Why without",
            ", ".join(f"{one_line(name)} {count:,}" for name, count in result.statuses.items()),
        )
    yield from _bill("", result.tokens, result.cost, cost_known=result.cost_known)
    if result.in_all is not None and result.in_all.calls > result.calls.sent:
        bill = result.in_all
        yield "Answers in all", f"{bill.calls:,}"
        yield from _bill(" in all", bill.tokens, bill.cost, cost_known=bill.cost_known)


def _bill(
    of: str, tokens: Tokens, cost: float | None, *, cost_known: bool
) -> Iterator[tuple[str, str]]:
    if tokens.input or tokens.output:
        cached = f" ({tokens.cached:,} of them from the vendor's cache)" if tokens.cached else ""
        yield f"Tokens{of}", f"{tokens.input:,} in{cached}, {tokens.output:,} out"
    if cost is not None or not cost_known:
        yield f"Cost{of}", "$0" if cost == 0 else dollars(cost, cost_known=cost_known)


def _end(record: RunRecord, result: ScorerResult) -> Iterator[tuple[str, str]]:
    if result.stopped:
        yield "Stopped", one_line(result.stopped)
    if record.resume:
        yield ("To go on" if result.stopped else "Command"), one_line(record.resume)
