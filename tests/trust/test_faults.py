"""Three calls in ten go wrong, in every way there is: the scores are the same, nothing is lost."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from command import Cli
    from served import ModelServer

CALLS = 252  # nine comparisons, seven tuples of each of four domains
CONCURRENCY = 24
SEED = 11
GRACE_S = 0.3
"""What is on its way to the server when it says "wait" arrives within this."""

TRANSIENT = ["status:500", "status:502", "status:504", "status:408", "status:409", "status:529"]
TRANSIENT += ["reset", "cut", "200-error:503", "status:400:x-should-retry=true"]
LIMITED = ["status:429:retry-after-ms=700", "status:503:retry-after=0.8"]
LIMITED += ["status:429:retry-after=in 2 s", "status:429:retry-after=in -9 s", "status:429"]
LIMITED += ["status:503:retry-after=soon", "status:429:retry-after=NaN"]
MALFORMED = ["truncated-json", "html", "bad-gzip", "gzip-short", "gzip-bomb", "huge", "nesting"]
MALFORMED += ["wrong-shape", "encoding:br"]
HOSTILE = ["hostile:but-right", "megabyte", "other-model:judge"]
REFUSED = ["context", "filter-400", "status:422", "should-not-retry"]
NO_SCORE = ["refusal", "content-filter", "length", "no-verdict", "contradiction"]
NO_SCORE += ["verdict-in-german", "null-content", "empty-choices"]
KEPT = ("refusal", "content-filter", "truncated", "unparsed", "empty")
"""Statuses of what was delivered, and so paid for."""


def judge(server: ModelServer, out: str) -> tuple[str, ...]:
    words = ("--limit", "7", "--concurrency", str(CONCURRENCY), "--quiet")
    return ("run", server.judge, *words, "--out", out)


@pytest.fixture(scope="module")
def undisturbed(request: pytest.FixtureRequest, new_cli: Callable[[], Cli]) -> dict[str, bytes]:
    """The files of a run that nothing happened to, with a cache of its own."""
    server: ModelServer = request.getfixturevalue("_model_server_process")
    server.reset()
    cli = new_cli()
    assert cli(*judge(server, "o")).returncode == 0
    return cli.results("o")


@pytest.fixture(scope="module")
def disturbed(request: pytest.FixtureRequest, new_cli: Callable[[], Cli]) -> Disturbed:
    """A run of which three calls in ten went wrong, then one with the server healed."""
    server: ModelServer = request.getfixturevalue("_model_server_process")
    server.reset()
    cli = new_cli()
    faults = [*TRANSIENT, *LIMITED, *MALFORMED, *HOSTILE, *REFUSED, *NO_SCORE]
    server.control(script=["ok"], faults=faults, rate=0.3, seed=SEED)
    first = cli(*judge(server, "faulty"))
    stats = server.stats
    server.control(faults=[], rate=0)
    again = cli(*judge(server, "healed"))
    return Disturbed(cli, stats, server.stats, (first.returncode, again.returncode), first.stderr)


class Disturbed:
    """What two runs left behind, and what the server saw of each."""

    def __init__(
        self,
        cli: Cli,
        first: dict[str, Any],
        both: dict[str, Any],
        codes: tuple[int, int],
        told: str,
    ) -> None:
        self.cli = cli
        self.first = first
        self.both = both
        self.codes = codes
        self.told = told

    def run(self, name: str) -> Any:
        return self.cli.json(f"{name}/run.json")

    def cells(self, name: str) -> list[float | None]:
        return cells_of(self.cli.results(name)["results.jsonl"])

    def failed(self) -> int:
        calls = self.run("faulty")["calls"]
        failed: int = calls["failed"]
        return failed


def cells_of(results: bytes) -> list[float | None]:
    rows = [json.loads(line)["matrix"] for line in results.splitlines()]
    return [credit for matrix in rows for row in matrix for credit in row]


def test_every_kind_of_trouble_came_up(disturbed: Disturbed) -> None:
    """Else the tests below prove little."""
    calls, statuses = disturbed.run("faulty")["calls"], disturbed.run("faulty")["statuses"]
    assert disturbed.told == "results: faulty\n"
    assert calls["retried"] > 40
    assert calls["maybe_billed"] > 10
    assert disturbed.first["asked_to_wait"]
    absent = {"content-filter", "http-400", "refusal", "truncated", "unparsed"}
    assert len(absent & set(statuses)) >= 3


def test_what_has_a_score_has_the_score_of_an_undisturbed_run(
    disturbed: Disturbed, undisturbed: dict[str, bytes]
) -> None:
    expected = cells_of(undisturbed["results.jsonl"])
    found = disturbed.cells("faulty")
    assert len(found) == len(expected) == CALLS
    assert sum(credit is None for credit in found) < CALLS / 4
    assert all(credit in (None, right) for credit, right in zip(found, expected, strict=True))


def test_what_has_no_score_is_counted_and_ends_in_1(disturbed: Disturbed) -> None:
    calls, statuses = disturbed.run("faulty")["calls"], disturbed.run("faulty")["statuses"]
    without = sum(credit is None for credit in disturbed.cells("faulty"))
    assert disturbed.codes == (1, 1)
    assert calls["failed"] + calls["unscored"] == without == sum(statuses.values())
    assert disturbed.cli.json("faulty/metrics.json")["unscored_cells"] == without


def test_a_wait_that_the_server_asked_for_is_kept_by_the_call_and_by_the_endpoint(
    disturbed: Disturbed,
) -> None:
    arrivals = list(zip(disturbed.first["arrived"], disturbed.first["arrivals"], strict=True))
    for asked, told, until in disturbed.first["asked_to_wait"]:
        early = [at - told for body, at in arrivals if body == asked and told < at < until]
        assert early == []
        others = [at - told for _, at in arrivals if told + GRACE_S < at < until]
        assert others == []


def test_nothing_is_asked_again_once_its_answer_was_delivered(disturbed: Disturbed) -> None:
    assert disturbed.both["distinct"] == CALLS
    assert disturbed.both["bought_again"] == 0


def test_once_healed_a_further_run_asks_only_what_had_failed(
    disturbed: Disturbed, undisturbed: dict[str, bytes]
) -> None:
    bought = disturbed.both["received"] - disturbed.first["received"]
    again = disturbed.run("healed")
    assert bought == again["calls"]["sent"] == disturbed.failed() > 0
    assert set(again["statuses"]) <= set(KEPT)

    expected = cells_of(undisturbed["results.jsonl"])
    found = disturbed.cells("healed")
    assert all(credit in (None, right) for credit, right in zip(found, expected, strict=True))
    assert sum(credit is None for credit in found) == again["calls"]["unscored"]


def test_where_every_call_can_succeed_the_files_are_the_same_bytes(
    cli: Cli, server: ModelServer, undisturbed: dict[str, bytes]
) -> None:
    # Any order of these leaves an attempt over: unreadable replies are asked for thrice.
    server.control(script=["ok"], faults=[*TRANSIENT, *HOSTILE, LIMITED[0]], rate=0.3, seed=SEED)
    done = cli(*judge(server, "o"))

    assert done.returncode == 0, done.stderr
    assert cli.json("o/run.json")["calls"]["retried"] > 40
    assert cli.results("o") == undisturbed
    assert server.stats["bought_again"] == 0
