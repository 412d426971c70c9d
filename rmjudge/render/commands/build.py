"""How a build is shown: kept of offered, each reason, and what it would buy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rmjudge.building.folder import Settled, publish, settle_folder
from rmjudge.calls import Json
from rmjudge.dataset import DataSet, summarise
from rmjudge.dataset.withdrawn import bench_tuple
from rmjudge.render.commands.data import quality_sheets
from rmjudge.render.figures import percent
from rmjudge.render.page import Table, tables_page
from rmjudge.render.sheets import Sheet, sheets_markdown
from rmjudge.reviewing.measures import (
    Agreement,
    label_noise,
    panel_agreement,
    panel_and_people,
    reviewers_agreement,
)
from rmjudge.running.estimate import Estimate
from rmjudge.statistics.looks import looks_of
from rmjudge.text import label

if TYPE_CHECKING:
    from rmjudge.statistics.agreement import Kappa

STEPS: Final = (
    "given",
    "answer",
    "markdown",
    "concise",
    "styles",
    "edit",
    "panel",
    "set",
    "review",
)
"""The steps at which a prompt can end, in their order; others come after."""


def published(folder: Path) -> Settled:
    """Write all files of a build that follow from its outcomes and decisions.

    Raises:
        UsageError: this is no build. StorageStopped: the folder cannot be written.
    """
    record, found = settle_folder(folder)
    sheets = [*build_sheets(found), *_quality(found)]
    page = tables_page(f"Build {folder.resolve().name}", [Table.of_sheet(one) for one in sheets])
    publish(folder, record, found, {"report.md": sheets_markdown(sheets), "report.html": page})
    return found


def _quality(found: Settled) -> list[Sheet]:
    """What is told of the kept tuples themselves, as of any data set."""
    data = DataSet(
        "",
        tuple(bench_tuple(item["tuple"]) for item in found.of("kept")),
    )
    return quality_sheets(summarise(data), looks_of(data)) if data.tuples else []


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
    return [*sheets, *filter(None, (_steps_sheet(found), _people_sheet(found)))]


def _steps_sheet(found: Settled) -> Sheet | None:
    """How many prompts came through each step, in the order in which they first meet it."""
    lost = Counter(item.get("step", "") for item in found.outcomes if item["state"] == "rejected")
    if not lost:
        return None
    left = len(found.outcomes) - found.counts["open"]
    rows: list[tuple[str, ...]] = []
    for step in sorted(lost, key=lambda name: STEPS.index(name) if name in STEPS else len(STEPS)):
        rows.append((label(step), f"{left:,}", f"{left - lost[step]:,}", f"{lost[step]:,}"))
        left -= lost[step]
    return Sheet(
        title="What came through each step",
        header=("Step", "Offered", "Left", "Rejected"),
        rows=tuple(rows),
        caption="The tuples that are left are the ones that were easy to make and to prove: they "
        "are no random sample of the prompts.",
    )


def _people_sheet(found: Settled) -> Sheet | None:
    """The bound of label noise, and how far panel and people agree."""
    rows: list[tuple[str, ...]] = []
    notes: list[str] = []
    if noise := label_noise(found):
        share = noise.against / noise.shown
        rows.append(
            (
                "Blind: label not confirmed",
                f"{noise.shown:,}",
                percent(share),
                f"{percent(noise.low)} to {percent(noise.high)}",
            )
        )
        notes.append(
            f"Label-noise bound: at most {percent(noise.high)} % of the labels are wrong (the "
            f"upper end of the exact 95 % interval of {noise.against} in {noise.shown})."
        )
    elif found.of("kept"):
        notes.append("Nobody has looked blind yet: `rmjudge review` measures how many labels hold.")
    judged, confirmed = panel_and_people(found)
    if judged:
        rows.append(("People confirm the panel", f"{judged:,}", percent(confirmed / judged), "-"))
    for title, pairs in (
        ("Panel agrees", panel_agreement(found)),
        ("People agree", reviewers_agreement(found)),
    ):
        for one, other, cases, agreed, kappa in pairs:
            value = "no kappa" if kappa.value is None else f"kappa {kappa.value:.2f}"
            name = f"{title}: {label(one)} and {label(other)}, {value}"
            rows.append((name, f"{cases:,}", percent(agreed), _ends(kappa)))
            if kappa.value is None:
                notes.append(f"No kappa of {label(one)} and {label(other)}: all said the same.")
    if not rows and not notes:
        return None
    return Sheet(
        title="How sure the labels are, %",
        header=("", "Cases", "Share", "95 % interval") if rows else (),
        rows=tuple(rows),
        notes=tuple(notes),
    )


def _ends(kappa: Kappa) -> str:
    ends = kappa.interval
    return "-" if ends is None else f"kappa {ends.low:.2f} to {ends.high:.2f}"


def quality_json(found: Settled) -> dict[str, Json]:
    """What is told of a build's labels, for programs."""
    noise = label_noise(found)
    proofs = Counter(item["proof"] for item in found.of("kept"))
    judged, confirmed = panel_and_people(found)
    return {
        "prompts": dict(found.counts),
        "proofs": dict(sorted(proofs.items())),
        "not_kept": [
            {"state": state, "step": step, "reason": reason, "prompts": count}
            for state, step, reason, count in found.reasons
        ],
        "blind": None
        if noise is None
        else {
            "shown": noise.shown,
            "against": noise.against,
            "interval": [noise.low, noise.high],
        },
        "panel_confirmed": {"judged": judged, "confirmed": confirmed},
        "panel_agreement": _agreements_json(panel_agreement(found)),
        "reviewers_agreement": _agreements_json(reviewers_agreement(found)),
    }


def _agreements_json(pairs: Sequence[Agreement]) -> Json:
    return [
        {"first": one, "second": other, "cases": cases, "agreed": agreed, "kappa": kappa.value}
        for one, other, cases, agreed, kappa in pairs
    ]


def rehearsal_sheet(found: Sequence[Estimate], ceilings: Sequence[str] = ()) -> Sheet:
    """Calls, tokens and cost of each model, and the `ceilings` that would be reached."""
    return Sheet(
        title="Dry run: nothing was called",
        header=(
            *("Model", "Calls", "Cached", "To buy", "Tokens in", "Tokens out"),
            *("Likely cost", "At most"),
        ),
        rows=tuple(
            (
                label(item.scorer),
                f"{item.planned:,}",
                f"{item.from_cache:,}",
                f"{item.to_buy:,}",
                f"{item.input_tokens:,}",
                f"{item.output_tokens:,}",
                _dollars(item.cost),
                _dollars(item.most.cost),
            )
            for item in found
        ),
        notes=tuple(ceilings),
        caption="Tokens and likely cost are estimates, of a build in which every first reply is a "
        "good one. At most: each step is asked as often as it may be, and each reply is as long "
        "as its limit.",
    )


def _dollars(cost: float | None) -> str:
    return "unknown" if cost is None else f"${cost:.2f}"


def rehearsal_json(found: Sequence[Estimate], ceilings: Sequence[str] = ()) -> dict[str, Json]:
    """The same for programs."""
    rows: list[Json] = [
        {
            "model": item.scorer,
            "calls": item.planned,
            "from_cache": item.from_cache,
            "to_buy": item.to_buy,
            "input_tokens": item.input_tokens,
            "output_tokens": item.output_tokens,
            "usd": item.cost,
            "most": {
                "to_buy": item.most.calls,
                "input_tokens": item.most.input_tokens,
                "output_tokens": item.most.output_tokens,
                "usd": item.most.cost,
            },
        }
        for item in found
    ]
    return {"dry_run": rows, "ceilings": list(ceilings)}
