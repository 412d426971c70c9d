"""docs/models.md says of each published row how it runs, with the row's own figures."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
FIGURES: Final = ("chat", "math", "code", "safety", "easy", "normal", "hard", "overall")


def test_each_published_row_is_there_with_its_figures() -> None:
    page = (ROOT / "docs/models.md").read_text("utf-8").partition("## The 51 published rows")[2]
    table = [line.strip("| ").split(" | ") for line in page.splitlines() if line.startswith("| ")]
    shown = {row[0]: row[-len(FIGURES) :] for row in table[1:]}
    text = (ROOT / "rmjudge/leaderboard/published.csv").read_text("utf-8")
    published = list(csv.DictReader(text.splitlines()))
    assert len(published) == 51
    assert shown == {row["model"]: [row[name] or "\u2013" for name in FIGURES] for row in published}
