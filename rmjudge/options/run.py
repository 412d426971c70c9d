"""The one table of options: what a run is asked to do, on the command line, in a file, in Python.

A field with `option(...)` is an option, and nothing else has to know of it: `rmjudge run` takes it
as --name, `rmjudge.toml` and the keywords of `rmjudge.evaluate` as name, each with the check and
the help that stand here, and `run.json` records it where it changes results. CONTRIBUTING.md
shows how to add one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rmjudge.calls import Json
from rmjudge.metrics.report import Design
from rmjudge.options import kinds, run_kinds
from rmjudge.options.declaration import CHECKS, HOW, LIMITS, WHAT, WHERE, Option, option
from rmjudge.options.provider import ProviderOptions
from rmjudge.vocabulary import (
    DOWNLOADED_SETS,
    JUDGING_METHODS,
    ORDERS,
    RULES,
    SOURCES,
    Domain,
    Order,
)

if TYPE_CHECKING:
    from httpx import AsyncBaseTransport


@dataclass(frozen=True, slots=True)
class RunOptions(ProviderOptions):
    """Everything about a run but its scorers.

    `limit` keeps the first tuples of each domain. `try_once` makes one attempt a call. `outage` is
    how long an endpoint may be unreachable. `max_cost` (US dollars) and `max_calls` are ceilings of
    what this run buys, `max_cost_total` is one of what its answers cost, whoever bought them.
    `fallback` names the model that takes the tuples which a hosted one leaves; `offline` asks
    nothing hosted. `client_cert` is shown to servers that ask for one; its key may lie in the same
    file or in `client_key`. `transport` sends the calls of hosted models in place of connections of
    our own, and stays the caller's to close. `junit` and `append` are files for those who watch
    over runs. `providers` are the tables of `rmjudge.toml`.
    """

    data: tuple[str, ...] = option(
        kinds.SOURCES,
        "sample (default), rm-bench or judgebench (downloaded once), or files and folders; "
        "repeatable",
        default=("sample",),
        group=WHAT,
        metavar="SOURCE",
        recorded="always",
        tuples=True,
    )
    benchmark: str | None = option(
        kinds.text("a benchmark, or a descriptor's file"),
        "the benchmark of a file that its fields, its name and its content do not tell: pairs, "
        "llmbar, ..., or a descriptor of your own (.toml)",
        group=WHAT,
        flag="--as",
        metavar="NAME",
        once=True,
        recorded="where set",
        tuples=True,
    )
    columns: Mapping[str, str] = option(
        kinds.COLUMNS,
        "where such a file has its prompt, messages, chosen, rejected, id or subset, as in "
        "prompt=instruction; repeatable",
        group=WHAT,
        flag="--map",
        metavar="NAME=FIELD",
        once=True,
        recorded="where set",
        tuples=True,
    )
    domains: tuple[Domain, ...] = option(
        run_kinds.SOME_DOMAINS,
        "only this (chat, math, code, safety, or one of the data's own); repeatable",
        default=(),
        group=WHAT,
        flag="--domain",
        metavar="DOMAIN",
        recorded="always",
        tuples=True,
    )
    limit: int | None = option(
        kinds.COUNT,
        "only the first N tuples of each domain, or items of each subset",
        group=WHAT,
        metavar="N",
        recorded="always",
        tuples=True,
    )
    method: str | None = option(
        kinds.one_of(JUDGING_METHODS),
        "pairwise (default): five verdicts; -two-level: A or B; -logprob: P(A) of one token; "
        "pointwise: a rating 1 to 10; -logprob: its expected value; choice: the best of all "
        "responses of an item, for sets such as rewardbench-2",
        group=HOW,
        metavar="METHOD",
        recorded="always",
    )
    verdict: str | None = option(
        kinds.text("the name of a rule or a regular expression"),
        f"how a reply reads: {', '.join(RULES)}, or a regular expression with the group winner, "
        "the groups score_a and score_b, or score",
        group=HOW,
        metavar="RULE",
        recorded="where set",
    )
    scale: tuple[float, float] | None = option(
        run_kinds.SCALE,
        "of the ratings that a template asks for",
        group=HOW,
        metavar="LOW:HIGH",
        recorded="where set",
    )
    inputs: Mapping[str, str] = option(
        kinds.INPUTS,
        "what a template is given under a name of its own, such as principle; repeatable",
        group=HOW,
        flag="--input",
        metavar="NAME=TEXT",
        recorded="where set",
    )
    early_stop: bool = option(
        kinds.SWITCH,
        "go on with a judge whose first 20 replies all lack a verdict",
        default=True,
        group=HOW,
        flag="--no-early-stop",
        tuples=True,
    )
    votes: int = option(
        kinds.COUNT,
        "ask each question N times and average",
        default=1,
        group=HOW,
        metavar="N",
        recorded="always",
    )
    cells: int = option(
        run_kinds.CELL_COUNT,
        "of a tuple's nine cells that judges are asked: 9 (default), or 3, by hash of its texts; "
        "with 9 later only the rest is bought",
        default=9,
        group=HOW,
        metavar="9|3",
        recorded="where set",
        tuples=True,
    )
    order: str = option(
        run_kinds.ORDER,
        "seeded (default): one order a pair, drawn by hash; both: both orders; audit[=15%%]: "
        "seeded, and both on a hashed share of the tuples, to measure position bias",
        default="seeded",
        group=HOW,
        metavar="ORDER",
        recorded="always",
        tuples=True,
    )
    seed: int = option(
        kinds.WHOLE,
        "of the seeded order (default 0)",
        default=0,
        group=HOW,
        metavar="N",
        recorded="always",
        tuples=True,
    )
    outage: float | None = option(
        kinds.SECONDS,
        "seconds an endpoint may be away (default 600; 15 where it was never reached)",
        group=WHERE,
        metavar="S",
    )
    key_env: Mapping[str, str] = option(
        kinds.pairs("a table of models and variables, NAME=VARIABLE", kinds.is_text),
        "the environment variable with the key of the model NAME (of NAME=PROVIDER/MODEL@URL, or "
        "PROVIDER/MODEL); repeatable",
        group=WHERE,
        flag="--key-env",
        metavar="NAME=VARIABLE",
    )
    client_cert: Path | None = option(
        kinds.path("a PEM file"), flag=None, section="network", group=WHERE
    )
    client_key: Path | None = option(
        kinds.path("a PEM file"), flag=None, section="network", group=WHERE
    )
    transport: AsyncBaseTransport | None = option(kinds.TRANSPORT, flag=None, group=WHERE)
    until: str | None = option(
        run_kinds.UNTIL,
        "stop once the interval is as narrow as this, in points: ±2 (or +-2) of the average, "
        "hard±3 of a difficulty; the same command without it asks the rest",
        group=LIMITS,
        metavar="±POINTS",
        recorded="where set",
        tuples=True,
    )
    until_decided: bool = option(
        kinds.SWITCH,
        "of two models: stop once it is decided which is better (five looks, O'Brien-Fleming)",
        default=False,
        group=LIMITS,
        recorded="where set",
        tuples=True,
    )
    max_cost: float | None = option(
        kinds.above_zero("dollars above 0"),
        "stop before this run spends more",
        group=LIMITS,
        metavar="USD",
    )
    max_cost_total: float | None = option(
        kinds.above_zero("dollars above 0"),
        "stop before this run's answers have cost more in all, those that earlier runs bought "
        "included",
        group=LIMITS,
        metavar="USD",
    )
    max_calls: int | None = option(
        kinds.COUNT, "stop after this many calls to hosted models", group=LIMITS, metavar="N"
    )
    batch: bool = option(
        kinds.SWITCH,
        "buy judges' calls in the vendor's batches: half the price at most vendors, up to 24 "
        "hours; the same command again collects them",
        default=False,
        group=LIMITS,
        tuples=True,
    )
    detach: bool = option(
        kinds.SWITCH,
        "with --batch: hand over, collect what is there, and leave with code 3 until all is done",
        default=False,
        group=LIMITS,
        tuples=True,
    )
    batch_tokens: int | None = option(
        kinds.COUNT,
        "with --batch: input tokens in the vendor's queue at most (default: what a refusal tells)",
        group=LIMITS,
        metavar="N",
        tuples=True,
    )
    tier: str | None = option(
        kinds.one_of(("flex",)),
        "flex: ask OpenAI's slower service, live, at the price of its batches",
        group=LIMITS,
        tuples=True,
    )
    fallback: str | None = option(
        kinds.MODEL,
        "scores whole tuples that a hosted model leaves: no key, unreachable, stopped",
        group=LIMITS,
        metavar="MODEL",
        tuples=True,
    )
    retry_unscored: tuple[str, ...] = option(
        run_kinds.STATUSES,
        f"ask kept replies without a score again: {', '.join(run_kinds.RETRIED)}, or those named",
        default=(),
        bare=run_kinds.RETRIED,
        group=LIMITS,
        metavar="STATUS,...",
    )
    retry_with: Mapping[str, Json] = option(
        kinds.parameters("--retry-with"),
        "ask these with another parameter, such as a larger limit; repeatable",
        group=LIMITS,
        metavar="NAME=JSON",
        recorded="where set",
    )
    offline: bool = option(
        kinds.SWITCH,
        "ask nothing hosted: kept answers and local models",
        default=False,
        group=LIMITS,
    )
    allow_unscored: str | int = option(
        run_kinds.ALLOWANCE,
        "cells of a scorer that may lack a score before the exit code is 1: a share, 2%%, or a "
        "number (default 0)",
        default=0,
        group=CHECKS,
        metavar="N[%]",
        tuples=True,
    )
    fail_under: Mapping[str, float] = option(
        run_kinds.LEAST,
        "exit with 4 where a scorer has less: easy, normal, hard or average, in percent "
        "(hard=40); baselines do not count; repeatable",
        group=CHECKS,
        flag="--fail-under",
        metavar="PART=PERCENT",
        tuples=True,
    )
    junit: Path | None = option(
        kinds.path("a file"),
        "write the checks as JUnit XML, a test case each",
        group=CHECKS,
        metavar="FILE",
        tuples=True,
    )
    append: Path | None = option(
        kinds.path("a file"),
        "add a line of JSON for each scorer to a file",
        group=CHECKS,
        metavar="FILE",
        tuples=True,
    )
    out: Path | None = option(
        kinds.path("a folder"), "results folder (default runs/...)", metavar="DIR", tuples=True
    )
    cache_dir: Path | None = option(kinds.path("a folder"), "where answers are kept", metavar="DIR")
    prices: Mapping[str, Any] = option(
        replace(kinds.TABLE, what='tables such as [prices."openai/my-model"]'), flag=None
    )
    providers: Mapping[str, ProviderOptions] = field(default_factory=dict)
    try_once: bool = False

    @property
    def cost_ceiling(self) -> str:
        """The option that sets a ceiling in dollars; empty where there is none."""
        if self.max_cost is not None:
            return "--max-cost"
        return "--max-cost-total" if self.max_cost_total is not None else ""

    @property
    def design(self) -> Design:
        """What part of the cells judges are asked, and of how many tuples in both orders."""
        return Design(self.cells, run_kinds.audit_share(self.order) or None)

    @property
    def pair_order(self) -> Order:
        """The order without its share, and without its other name."""
        if self.order == "adaptive":
            return "both"
        return next(order for order in ORDERS if self.order.startswith(order))

    @property
    def may_stop(self) -> bool:
        """Whether the run may stop before all is asked because it knows enough."""
        return self.until is not None or self.until_decided

    def recorded(self) -> dict[str, Json]:
        """The options that change results, as `run.json` keeps them."""
        values = {
            item.name: getattr(self, item.name)
            for item in OPTIONS.values()
            if item.recorded == "always"
            or (item.recorded and getattr(self, item.name) not in (None, item.default))
        }
        sources = [_absolute(source) for source in self.data]
        found = {name: kinds.plain(value) for name, value in values.items()}
        if self.benchmark is not None and self.benchmark.endswith(".toml"):
            found["benchmark"] = _absolute(self.benchmark)
        return {**found, "data": sources}


def _absolute(source: str) -> str:
    """A path that still holds when the run is looked at from another folder."""
    return source if source in (*SOURCES, *DOWNLOADED_SETS) else str(Path(source).absolute())


def _declared() -> dict[str, Option]:
    found: dict[str, Option] = {}
    for item in fields(RunOptions):
        if declared := item.metadata.get("option"):
            flag = declared.flag
            if flag == "":
                flag = "--" + item.name.replace("_", "-")
            found[item.name] = replace(declared, name=item.name, flag=flag)
    return found


OPTIONS: Final[Mapping[str, Option]] = _declared()
"""Every option of a run, by its name."""
