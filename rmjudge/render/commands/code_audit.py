"""`rmjudge data audit`: which tuples are not what they claim, as a table and as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from rmjudge.building.code_audit import FINDINGS, Audited
from rmjudge.calls import Json
from rmjudge.render.sheets import Sheet
from rmjudge.text import label, one_line, shorten


def audit_sheets(found: Sequence[Audited]) -> list[Sheet]:
    """How many are what they claim, and each that is not."""
    bad = [one for one in found if one.finding]
    counted = Counter(one.finding for one in bad)
    head = Sheet(
        title="Code tuples, run against their tests",
        header=("Checked", "As they claim", "Not"),
        rows=((f"{len(found):,}", f"{len(found) - len(bad):,}", f"{len(bad):,}"),),
        notes=tuple(f"{name} {count}: {FINDINGS[name]}." for name, count in counted.most_common()),
    )
    if not bad:
        return [head]
    rows = tuple(
        (
            label(str(one.id)),
            one.finding,
            one.chosen.end,
            one.rejected.end,
            shorten(one_line(one.rejected.detail), 60),
        )
        for one in bad
    )
    header = ("Tuple", "Finding", "Chosen", "Rejected", "The rejected's last line")
    return [head, Sheet(title="Not what they claim", header=header, rows=rows, names=5)]


def audit_json(found: Sequence[Audited], source: str) -> dict[str, Json]:
    """In the layout in which RM-Bench's own findings are known."""
    return {
        "source": source,
        "checked": len(found),
        "findings": [
            {
                "id": one.id,
                "finding": one.finding,
                "chosen": one.chosen.end,
                "rejected": one.rejected.end,
                "rejected_output": one.rejected.detail,
            }
            for one in found
            if one.finding
        ],
    }
