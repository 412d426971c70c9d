"""`rmjudge panel`: what finished runs say together."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING

import numpy as np
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from command import Cli

THREE = ("baseline/length", "baseline/markdown", "baseline/random")


@pytest.fixture(scope="module")
def ran(new_cli: Callable[[], Cli]) -> Cli:
    """A home with the three baselines' runs in `o`."""
    cli = new_cli()
    assert cli("run", *THREE, "--out", "o").returncode == 0
    return cli


def verdicts(cli: Cli, name: str) -> dict[str, list[int]]:
    """For each tuple the signs of its nine cells, from the rewards themselves."""
    text = (cli.home / "o" / name.replace("/", "-") / "results.jsonl").read_text("utf-8")
    found = {}
    for line in text.splitlines():
        item = json.loads(line)
        pairs = [(c, r) for c in item["score_chosen"] for r in item["score_rejected"]]
        found[f"{item['domain']}/{item['id']}"] = [(c > r) - (c < r) for c, r in pairs]
    return found


def test_the_majority_is_counted_from_the_runs_and_nothing_is_called(ran: Cli) -> None:
    done = ran("panel", "o", "--format", "json")
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(done.stdout)
    signs = [verdicts(ran, name) for name in THREE]
    credits: dict[str, list[float]] = {}
    for key in signs[0]:
        for cell in zip(*(own[key] for own in signs), strict=True):
            counts = [cell.count(side) for side in (1, 0, -1)]
            alone = counts.count(max(counts)) == 1
            winner = (1.0, 0.5, 0.0)[counts.index(max(counts))] if alone else 0.5
            credits.setdefault(key.split("/")[0], []).append(winner)
    expected = np.mean([np.mean(values) for values in credits.values()])
    assert found["majority"]["average"] == pytest.approx(float(expected))
    assert (found["tuples"], [one["judge"] for one in found["without"]]) == (40, list(THREE))
    own = [seat["average"] for seat in found["judges"]]
    length = ran.json("o/baseline-length/metrics.json")
    assert own[0] == pytest.approx(length["half_credit"]["average"])
    assert -1 < found["alpha"]["all"]["value"] < 1


def test_every_format_has_the_judges_and_the_panel(ran: Cli) -> None:
    rows = list(csv.DictReader(ran("panel", "o", "--format", "csv").stdout.splitlines()))
    assert [row["row"] for row in rows] == [*THREE, "majority", "mean"]
    assert [bool(row["adds"]) for row in rows] == [True, True, True, False, False]
    text = ran("panel", "o", "--format", "markdown").stdout
    assert "| **majority** |" in text
    shown = " ".join(ran("panel", "o").stdout.split())
    assert "Panel of 3 judges on 40 tuples (all)" in shown
    assert "Krippendorff's alpha" in shown


def test_two_runs_and_a_copy_are_no_panel(ran: Cli) -> None:
    assert ran("run", *THREE[:1], "--out", "again").returncode == 0
    done = ran("panel", "o/baseline-length", "o/baseline-random", "again")
    assert (done.returncode, done.stdout) == (2, "")
    assert "a panel has 3 judges or more; there are 2" in done.stderr
