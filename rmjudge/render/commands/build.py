"""How a build is shown: kept of offered, each reason, and what it would buy."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rmjudge.building.folder import Settled, publish, settle_folder
from rmjudge.calls import Json
from rmjudge.render.sheets import Sheet, sheets_markdown
from rmjudge.running.build_estimate import Expected
from rmjudge.text import label


def published(folder: Path) -> Settled:
    """Write all files of a build that follow from its outcomes and decisions.

    Raises:
        UsageError: this is no build. StorageStopped: the folder cannot be written.
    """
    record, found = settle_folder(folder)
    publish(folder, record, found, sheets_markdown(build_sheets(found)))
    return found


def build_sheets(found: Settled) -> list[Sheet]:
    """How many prompts are where, by which proof, and why."""
    counts = found.counts
    proofs = [item["proof"] for item in found.of("kept")]
    by_proof = ", ".join(f"{proof} {proofs.count(proof)}" for proof in sorted(set(proofs)))
    sheets = [
        Sheet(
            title="Build",
            header=("Offered", "Kept", "For a person", "Rejected", "Without an answer"),
            rows=(tuple(f"{count:,}" for count in counts.values()),),
            caption=f"Proofs: {by_proof}." if by_proof else "",
        )
    ]
    if reasons := found.reasons:
        sheets.append(
            Sheet(
                title="What is not kept, and why",
                header=("State", "Step", "Reason", "Prompts"),
                rows=tuple(
                    (state, step, label(reason), f"{count:,}")
                    for state, step, reason, count in reasons
                ),
                names=3,
            )
        )
    return sheets


def rehearsal_sheet(found: Sequence[Expected]) -> Sheet:
    """Calls, tokens and cost of each model."""
    return Sheet(
        title="Dry run: nothing was called",
        header=("Model", "Calls", "Cached", "To buy", "Tokens in", "Tokens out", "Likely cost"),
        rows=tuple(
            (
                label(item.model),
                f"{item.calls:,}",
                f"{item.from_cache:,}",
                f"{item.to_buy:,}",
                f"{item.input_tokens:,}",
                f"{item.output_tokens:,}",
                "unknown" if item.cost is None else f"${item.cost:.2f}",
            )
            for item in found
        ),
        caption="Tokens and cost are estimates. Every first reply is taken to be a good one; a "
        "step whose reply is not is asked up to three times.",
    )


def rehearsal_json(found: Sequence[Expected]) -> dict[str, Json]:
    """The same for programs."""
    rows: list[Json] = [
        {
            "model": item.model,
            "calls": item.calls,
            "from_cache": item.from_cache,
            "to_buy": item.to_buy,
            "input_tokens": item.input_tokens,
            "output_tokens": item.output_tokens,
            "usd": item.cost,
        }
        for item in found
    ]
    return {"dry_run": rows}
