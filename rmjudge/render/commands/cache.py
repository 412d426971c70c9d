"""`rmjudge cache`: what is kept, whether it is sound, why calls were not found."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from rich.console import RenderableType
from rich.text import Text

from rmjudge.cache.inspect import Candidate, Explanation, Info, ScorerRows, Verification
from rmjudge.cache.portable import Exported, Imported
from rmjudge.calls import Json
from rmjudge.render.figures import dollars
from rmjudge.render.sheets import Sheet
from rmjudge.render.terminal.listings import sheets_renderable
from rmjudge.running.adopting import Adopted
from rmjudge.text import clean, shorten

SHOWN: Final = 20
VALUE_WIDTH: Final = 60
NEAREST: Final = 3
KEY_DIGITS: Final = 12
"""So much of a key is shown, and suffices to name it."""
UNTOLD: Final = frozenset(("request",))
"""Parts of an identity that say nothing to people: hashes."""


def info_renderable(info: Info, costs: Mapping[str, float | None]) -> RenderableType:
    """Answers by scorer, with what they took in all; `costs` are US dollars by a scorer's key."""
    size = info.size_bytes / 2**20
    apart = _apart(info.scorers)
    sheet = Sheet(
        title=f"{info.folder} ({size:.1f} MiB)",
        header=(
            *(("Scorer", "Asked with") if apart else ("Scorer",)),
            *("Key", "Answers", "Unscored", "Tokens in", "Tokens out", "Cost", "First", "Last"),
        ),
        rows=tuple(
            (
                *((_name(rows), apart.get(rows.key, "")) if apart else (_name(rows),)),
                rows.key[:KEY_DIGITS],
                f"{rows.answers:,}",
                f"{rows.unscored:,}",
                f"{rows.spent.input_tokens:,}",
                f"{rows.spent.output_tokens:,}",
                dollars(costs[rows.key], cost_known=_cost_known(rows, costs)),
                _day(rows.first),
                _day(rows.last),
            )
            for rows in sorted(info.scorers, key=_name)
        ),
    )
    return sheets_renderable([sheet])


def _cost_known(rows: ScorerRows, costs: Mapping[str, float | None]) -> bool:
    return costs[rows.key] is not None or "url" not in rows.identity or not rows.answers


def _name(rows: ScorerRows) -> str:
    identity = rows.identity
    name = f"{identity.get('provider', '?')}/{identity.get('model', '?')}"
    if own := identity.get("name"):
        return f"{own} ({name})"
    url = identity.get("url")
    return f"{name} at {url}" if url else name


def _apart(scorers: Sequence[ScorerRows]) -> dict[str, str]:
    """For scorers of one name and place, by their keys: the parts in which they differ."""
    alike: dict[str, list[ScorerRows]] = {}
    for rows in scorers:
        alike.setdefault(_name(rows), []).append(rows)
    told: dict[str, str] = {}
    for group in alike.values():
        parts = {part for rows in group for part in rows.identity if part not in UNTOLD}
        for rows in group if len(group) > 1 else ():
            own = [
                f"{part} {_value(rows.identity.get(part))}"
                for part in sorted(parts)
                if len({json.dumps(one.identity.get(part), sort_keys=True) for one in group}) > 1
            ]
            told[rows.key] = ", ".join(own)
    return told


def _day(moment: float | None) -> str:
    return "-" if moment is None else datetime.fromtimestamp(moment, UTC).date().isoformat()


def info_to_json(info: Info, costs: Mapping[str, float | None]) -> dict[str, Json]:
    """For programs; times are Unix seconds, costs US dollars."""
    return {
        "folder": str(info.folder),
        "size_bytes": info.size_bytes,
        "scorers": [
            {
                "key": rows.key,
                "identity": dict(rows.identity),
                "answers": rows.answers,
                "unscored": rows.unscored,
                "open": rows.open,
                "tokens": {
                    "input": rows.spent.input_tokens,
                    "output": rows.spent.output_tokens,
                    "cached": rows.spent.cached_tokens,
                },
                "cost": {"usd": costs[rows.key], "known": _cost_known(rows, costs)},
                "first": rows.first,
                "last": rows.last,
            }
            for rows in info.scorers
        ],
    }


def adopt_renderable(adopted: Sequence[Adopted]) -> RenderableType:
    """A line a scorer."""
    lines = []
    for item in adopted:
        known = f", {item.known:,} were there already" if item.known else ""
        asked = f"{item.probed} asked again and equal" if item.probed else "none asked again"
        lines.append(f"{clean(item.old)}: {item.copied:,} answers taken over ({asked}){known}")
    return Text("\n".join(lines))


def adopt_to_json(adopted: Sequence[Adopted]) -> dict[str, Json]:
    """For programs."""
    return {
        "adopted": [
            {
                "key": item.key,
                "from": item.old,
                "copied": item.copied,
                "known": item.known,
                "probed": item.probed,
            }
            for item in adopted
        ]
    }


def verify_renderable(found: Verification) -> RenderableType:
    """One line when all is well; else what is not."""
    if found.sound:
        return Text(f"{found.rows:,} rows read, every checksum matches")
    lines = [f"{found.rows:,} rows read"]
    if found.damaged:
        lines.append(f"{len(found.damaged)} damaged rows, which will be bought again:")
        lines += [f"  {clean(line)}" for line in found.damaged[:SHOWN]]
    if found.foreign:
        lines.append(f"{found.foreign} rows that rmjudge did not write; they are never read")
    if found.database_problems:
        lines.append(
            "the database itself is damaged; the next run sets it aside and saves what can be read:"
        )
        lines += [f"  {clean(line)}" for line in found.database_problems[:SHOWN]]
    return Text("\n".join(lines))


def verify_to_json(found: Verification) -> dict[str, Json]:
    """For programs."""
    return {
        "rows": found.rows,
        "sound": found.sound,
        "damaged": list(found.damaged),
        "foreign": found.foreign,
        "database_problems": list(found.database_problems),
    }


def explain_renderable(explanations: Sequence[tuple[str, Explanation]]) -> RenderableType:
    """For each scorer: how many calls are missing, and what would have to be as it was."""
    return Text("\n".join(line for name, item in explanations for line in _explain(name, item)))


def _explain(name: str, item: Explanation) -> list[str]:
    known = f"{item.found:,} of {item.calls:,} calls were in the cache when it began"
    lines = [f"{clean(name)}: {known}"]
    if not item.missing:
        return lines
    if not item.candidates:
        return [*lines, f"  {item.missing:,} calls had no answer yet, from any scorer kept here"]
    for candidate in item.candidates[:NEAREST]:
        lines.append(f"  {candidate.answered:,} of the missing were answered under another key:")
        lines += [f"    {line}" for line in _differences(candidate)]
    return lines


def _differences(candidate: Candidate) -> list[str]:
    if not candidate.differs:
        return ["the scorer's identity was lost"]
    return [
        f"{clean(part)}: {_value(here)} here, {_value(there)} there"
        for part, (here, there) in candidate.differs.items()
    ]


def _value(value: Json) -> str:
    return shorten(clean(json.dumps(value)), VALUE_WIDTH)


def explain_to_json(name: str, item: Explanation) -> dict[str, Json]:
    """For programs."""
    return {
        "scorer": name,
        "calls": item.calls,
        "found": item.found,
        "missing": item.missing,
        "candidates": [
            {
                "key": candidate.key,
                "answered": candidate.answered,
                "differs": {
                    part: {"here": here, "there": there}
                    for part, (here, there) in candidate.differs.items()
                },
            }
            for candidate in item.candidates
        ],
    }


def export_renderable(found: Exported) -> RenderableType:
    """What was written."""
    lines = [f"{found.answers:,} answers of {found.scorers} scorers written to {found.file}"]
    if found.damaged:
        lines.append(f"{found.damaged:,} damaged rows were left out")
    return Text(clean("\n".join(lines)))


def export_to_json(found: Exported) -> dict[str, Json]:
    """For programs."""
    return {
        "file": str(found.file),
        "answers": found.answers,
        "scorers": found.scorers,
        "damaged": found.damaged,
    }


def import_renderable(found: Imported) -> RenderableType:
    """What was added, and every line that was not."""
    lines = [
        f"{found.added:,} answers added, {found.known:,} were here already; "
        f"{found.scorers} new scorers"
    ]
    if found.conflicts:
        lines.append(f"{len(found.conflicts):,} answers differ from those kept here, which stay:")
        lines += _some(found.conflicts)
    if found.rejected:
        lines.append(f"{len(found.rejected):,} damaged lines, which were left out:")
        lines += _some(found.rejected)
    return Text("\n".join(lines))


def _some(texts: Sequence[str]) -> list[str]:
    shown = [f"  {clean(text)}" for text in texts[:SHOWN]]
    more = len(texts) - len(shown)
    return [*shown, f"  ... and {more:,} more"] if more else shown


def import_to_json(found: Imported) -> dict[str, Json]:
    """For programs."""
    return {
        "added": found.added,
        "known": found.known,
        "scorers": found.scorers,
        "conflicts": list(found.conflicts),
        "rejected": list(found.rejected),
    }
