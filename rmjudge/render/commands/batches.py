"""How batches are shown."""

from __future__ import annotations

import time
from collections.abc import Sequence

from rmjudge.cache.ledger import Chunk
from rmjudge.calls import Json
from rmjudge.render.sheets import Sheet
from rmjudge.running.batches.words import decision_of
from rmjudge.text import clean, label


def batch_to_json(chunk: Chunk) -> dict[str, Json]:
    """For `--json`; times are Unix times, dollars US dollars."""
    return {
        "uid": chunk.uid,
        "model": chunk.model,
        "scorer": chunk.scorer,
        "state": chunk.state,
        "open": chunk.open,
        "vendor_id": chunk.batch or None,
        "vendor_state": chunk.word or None,
        "calls": len(chunk.calls),
        "done": chunk.done,
        "planned": chunk.planned,
        "expires": chunk.expires,
        "dollars_at_most": chunk.dollars,
        "dollars": chunk.cost,
        "bytes": chunk.size,
        "sha256": chunk.sha256 or None,
        "file": chunk.file or None,
        "refused": len(chunk.refused),
        "note": chunk.note,
    }


def batches_sheet(chunks: Sequence[Chunk], now: float | None = None) -> Sheet:
    """A row a batch."""
    at = time.time() if now is None else now
    decisions = [chunk for chunk in chunks if chunk.state in ("aside", "lost")]
    return Sheet(
        title="Batches",
        header=("UID", "Model", "State", "At the vendor", "Calls", "Age", "Expires", "Cost"),
        rows=tuple(
            (
                chunk.uid[:12],
                label(chunk.model.partition("@")[0]),
                chunk.state,
                label(chunk.batch or "-"),
                f"{chunk.done or 0:,} of {len(chunk.calls):,}",
                hours(at - chunk.planned),
                hours(chunk.expires - at) if chunk.expires and chunk.open else "-",
                _cost(chunk),
            )
            for chunk in chunks
        ),
        notes=tuple(clean(decision_of(chunk)) for chunk in decisions),
        caption="Cost: what its answers cost; of an open one, what is set aside for it at most. "
        "A UID may be cut short.",
    )


def batch_sheet(chunk: Chunk) -> Sheet:
    """All that is known of one."""
    told = batch_to_json(chunk)
    return Sheet(
        title=f"Batch {chunk.uid}",
        header=("", "Value"),
        rows=tuple(
            (name.replace("_", " "), label(str(value)))
            for name, value in told.items()
            if value not in (None, "")
        ),
        notes=(clean(decision_of(chunk)),) if chunk.state in ("aside", "lost", "creating") else (),
    )


def hours(seconds: float) -> str:
    """How long, in minutes or hours."""
    minutes = max(0.0, seconds) / 60
    return f"{minutes:.0f} min" if minutes < 90 else f"{minutes / 60:.0f} h"


def _cost(chunk: Chunk) -> str:
    if chunk.cost is not None:
        return f"${chunk.cost:.2f}"
    return f"at most ${chunk.dollars:.2f}" if chunk.open and chunk.dollars else "-"
