"""A run beside itself without the tuples that are known to be bad."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rmjudge.dataset import flagged as lists
from rmjudge.dataset import load
from rmjudge.metrics.compute import compute_metrics
from rmjudge.runs.flagged import without_flagged
from rmjudge.runs.stored import read_runs
from rmjudge.statistics.scored import scored_of

if TYPE_CHECKING:
    from command import Cli


def test_the_numbers_are_those_of_the_other_tuples(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli("run", "baseline/length", "--domain", "code", "--domain", "chat", "--out", "o")
    bad = [item for item in load(["sample"]) if item.domain == "code"][:3]
    known = {lists.texts_digest(item): "inverted" for item in bad}
    monkeypatch.setattr(lists, "_known", lambda: known)

    (run,) = read_runs([cli.home / "o"])
    (found,) = without_flagged(run)
    credits = scored_of("x", run.result).by_domain()
    credits["code"] = credits["code"][3:]
    expected = compute_metrics(found.metrics.scorer, "pointwise", None, credits)
    assert found.metrics == expected
    assert found.metrics.scorer == "baseline/length without flagged"
    assert found.note.startswith("3 tuples that are known to be bad are left out (3: the rejected")


def test_a_run_without_such_tuples_is_alone(cli: Cli) -> None:
    cli("run", "baseline/length", "--limit", "1", "--out", "o")
    done = cli("report", "o", "--without", "flagged")
    assert done.returncode == 0
    assert "No tuple of these runs is known to be bad." in done.stderr
    assert "without flagged" not in done.stdout


def test_a_page_shows_all_tuples(cli: Cli) -> None:
    done = cli("report", "o", "--without", "flagged", "--html", "page.html")
    assert (done.returncode, done.stderr) == (
        2,
        "rmjudge: --html writes a page of all tuples; leave --without out, or --html\n",
    )
