"""A build's calls: every prompt's recipe, driven round by round through the orchestrator.

In a round all prompts' next calls are asked at once, of all models side by side. Which calls
those are follows from the answers alone, so the same command goes on where it was.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeAlias

from rmjudge.building.asking import WRITER, Ask, Templates
from rmjudge.building.cases import Case
from rmjudge.building.checks import Reason
from rmjudge.building.outcomes import Outcome, outcome_json
from rmjudge.building.recipes import RECIPES, VERSION
from rmjudge.building.writing import Asking, Tools
from rmjudge.cache import AnswerCache, default_folder
from rmjudge.calls import (
    Answer,
    Call,
    GenerateCall,
    Json,
    Reply,
    Spent,
)
from rmjudge.errors import ModelRefused, StopRun, UsageError
from rmjudge.grading.grader import Grading
from rmjudge.options import RunOptions
from rmjudge.providers.registry import is_judge
from rmjudge.providers.spec import parse_spec
from rmjudge.running.budget import Budget
from rmjudge.running.choosing import Chosen, choose
from rmjudge.running.job import Job
from rmjudge.running.orchestrator import Orchestrator
from rmjudge.running.preparation import Notice, check_bounded, key_of, tell_notices
from rmjudge.running.pricing import FREE, cost_of
from rmjudge.sandbox.programs import Sandbox

Watch: TypeAlias = Callable[[Sequence[Job]], AbstractAsyncContextManager[object]]
Started: TypeAlias = Callable[[Orchestrator], AbstractAsyncContextManager[object]]


@dataclass(frozen=True, slots=True)
class AskPlan:
    """What one prompt asks of one model in a round."""

    name: str
    calls: tuple[Call, ...]
    lead: bool = False

    def after(self, call: int) -> int | None:
        """Nothing waits."""
        return None


class BuildJob(Job):
    """A round's calls to one model."""

    plans: tuple[AskPlan, ...]

    def place_name(self, index: int) -> str:
        """The prompt's id."""
        return self.plans[index].name


@dataclass(frozen=True, slots=True)
class PreparedBuild:
    """A build that has been checked; nothing was sent yet. The writer is the first of `models`."""

    cases: tuple[Case, ...]
    models: tuple[Chosen, ...]
    templates: Templates
    options: RunOptions

    @property
    def cache_folder(self) -> Path:
        """Where answers are kept."""
        return self.options.cache_dir or default_folder()

    def record(self) -> dict[str, Json]:
        """What the build is made from, for `build.json`."""
        names: list[Json] = [item.scorer.name for item in self.models]
        prompts = json.dumps([_case_json(case) for case in self.cases], sort_keys=True)
        return {
            "format": 1,
            "writer": names[WRITER],
            "panel": names[1:],
            "identities": [dict(item.scorer.identity) for item in self.models],
            "recipe": {"version": VERSION, "templates": self.templates.digest},
            "prompts_digest": hashlib.sha256(prompts.encode("ascii")).hexdigest()[:16],
        }


def _case_json(case: Case) -> dict[str, Json]:
    return {name: getattr(case, name) for name in Case.__slots__}


@dataclass(slots=True)
class Tally:
    """What one model was asked in a build. `spent` is what this process bought."""

    asked: int = 0
    from_cache: int = 0
    failed: int = 0
    spent: Spent = field(default_factory=Spent)


@dataclass(frozen=True, slots=True)
class Built:
    """How all prompts ended; `stopped` says why the build has to be run again."""

    outcomes: tuple[dict[str, Json], ...]
    tallies: tuple[Tally, ...]
    notes: tuple[str, ...]
    stopped: StopRun | None


def prepare_build(
    cases: Sequence[Case],
    writer: str,
    panel: Sequence[str],
    templates: Templates,
    options: RunOptions,
    *,
    notice: Notice,
    need_keys: bool = True,
) -> PreparedBuild:
    """Check the models.

    Raises:
        UsageError: one is wrong; nothing was called.
    """
    if len(panel) == 1:
        raise UsageError("--panel: one model is no panel; name two or more, or none")
    named = [writer, *panel]
    for name in named:
        if not is_judge(parse_spec(name)):
            raise UsageError(f"{name} writes no texts: name a generative model, such as openai/...")
    asking = replace(options, method="generation")
    # The writer gives distinct samples, so it is asked at a temperature; the panel is not.
    sampled = choose(named, replace(asking, votes=2), need_keys=need_keys)
    chosen = (sampled[WRITER], *choose(named, asking, need_keys=need_keys)[1:])
    tell_notices(chosen, notice)
    for line in _of_one_family(chosen):
        notice(line)
    if ceiling := options.cost_ceiling:
        probe = AskPlan("", (GenerateCall((("user", "prompt"),)),))
        check_bounded(
            [BuildJob(item.scorer, [probe], key_of, item.price) for item in chosen], ceiling
        )
    return PreparedBuild(tuple(cases), chosen, templates, options)


def _of_one_family(chosen: Sequence[Chosen]) -> list[str]:
    writer = chosen[WRITER].scorer.identity
    return [
        f"warning: {item.scorer.name} of the panel and the writer share the provider "
        f"{writer.get('provider')}: they may share mistakes too"
        for item in chosen[1:]
        if item.scorer.identity.get("provider") == writer.get("provider")
    ]


class Progress:
    """Every prompt's recipe and how far it is."""

    def __init__(
        self,
        prepared: PreparedBuild,
        sandbox: Sandbox | None = None,
        grader: Grading | None = None,
    ) -> None:
        self.cases = prepared.cases
        tools = Tools(prepared.templates, len(prepared.models) - 1, sandbox, grader)
        self.recipes: list[Asking] = [RECIPES[case.recipe](tools, case) for case in self.cases]
        self.asked: list[list[Ask]] = [[] for _ in self.cases]
        self.waiting: dict[int, Sequence[Ask]] = {}
        self.ended: dict[int, Outcome] = {}
        self.known: dict[tuple[int, str], Answer] = {}
        for index in range(len(self.cases)):
            self._go_on(index, None)

    def _go_on(self, index: int, answers: Sequence[Answer] | None) -> None:
        recipe = self.recipes[index]
        try:
            asks = next(recipe) if answers is None else recipe.send(answers)
        except StopIteration as end:
            self.ended[index] = end.value
            self.waiting.pop(index, None)
            return
        self.asked[index] += asks
        self.waiting[index] = asks

    def missing(self) -> dict[int, dict[int, list[Ask]]]:
        """Go on with all that is known; what is still to be asked, by model and prompt."""
        lacking: dict[int, dict[int, list[Ask]]] = {}
        for index in list(self.waiting):
            while index in self.waiting:
                asks = self.waiting[index]
                keys = [(ask.model, key_of(ask.call)) for ask in asks]
                if any(key not in self.known for key in keys):
                    for ask, key in zip(asks, keys, strict=True):
                        if key not in self.known:
                            lacking.setdefault(ask.model, {}).setdefault(index, []).append(ask)
                    break
                self._go_on(index, [self.known[key] for key in keys])
        return lacking

    def give_up(self, index: int, reason: Reason) -> None:
        """Leave a prompt without an end."""
        step = self.waiting.pop(index)[0].step
        self.recipes[index].close()
        self.ended[index] = Outcome("open", step, reason)


async def build(
    prepared: PreparedBuild,
    *,
    sandbox: Sandbox | None = None,
    grader: Grading | None = None,
    watch: Watch | None = None,
    started: Started | None = None,
) -> Built:
    """Ask until every prompt came to an end, or a model stopped.

    Tests need a sandbox, answers a grader.

    Raises:
        ModelRefused: no model can be used. StorageStopped: the cache cannot be used.
    """
    options = prepared.options
    progress = Progress(prepared, sandbox, grader)
    tallies = tuple(Tally() for _ in prepared.models)
    stopped: dict[int, StopRun] = {}
    notes: dict[str, None] = {}
    with opened(prepared) as cache:
        budget = Budget(options.max_cost, options.max_calls, options.max_cost_total)
        orchestrator = Orchestrator(cache, budget=budget)
        async with started(orchestrator) if started else nullcontext():
            while lacking := await asyncio.to_thread(progress.missing):
                _leave_stopped(progress, lacking, stopped)
                if not lacking:
                    continue
                jobs = {model: _job(prepared, model, asks) for model, asks in lacking.items()}
                async with watch(list(jobs.values())) if watch else nullcontext():
                    await orchestrator.run(list(jobs.values()))
                for model, job in jobs.items():
                    _take(progress, model, job, tallies[model])
                    notes |= dict.fromkeys(job.notes)
                    if job.stopped is not None:
                        stopped[model] = job.stopped
                    for index in lacking[model]:
                        _leave(progress, index, job, model)
        replies = await _replies(cache, prepared, progress)
    refusals = [why for why in stopped.values() if isinstance(why, ModelRefused)]
    if refusals and not any(tally.asked - tally.failed for tally in tallies):
        raise refusals[0]
    outcomes = tuple(
        outcome_json(case, progress.ended[index], _made(prepared, progress.asked[index], replies))
        for index, case in enumerate(prepared.cases)
    )
    worst = max(stopped.values(), key=lambda reason: reason.exit_code, default=None)
    for item in prepared.models:
        notes |= dict.fromkeys(item.scorer.activity.remarks)
    return Built(outcomes, tallies, tuple(notes), worst)


def opened(prepared: PreparedBuild) -> AnswerCache:
    """The cache of a build."""
    return AnswerCache(prepared.cache_folder)


def _leave_stopped(
    progress: Progress,
    lacking: dict[int, dict[int, list[Ask]]],
    stopped: Mapping[int, StopRun],
) -> None:
    """Give up what a model would be asked that stopped in an earlier round."""
    for model in sorted(set(lacking) & set(stopped)):
        for index in lacking.pop(model):
            if index in progress.waiting:
                progress.give_up(index, Reason("stopped", str(stopped[model])))


def _job(prepared: PreparedBuild, model: int, asks: Mapping[int, Sequence[Ask]]) -> BuildJob:
    item = prepared.models[model]
    plans = [
        AskPlan(str(prepared.cases[index].id), tuple(ask.call for ask in of))
        for index, of in asks.items()
    ]
    job = BuildJob(item.scorer, plans, key_of, item.price, item.barred)
    job.tells_dollars = item.tells_dollars
    return job


def _take(progress: Progress, model: int, job: BuildJob, tally: Tally) -> None:
    for key, work in job.work.items():
        if work.answer is not None:
            progress.known[model, key] = work.answer
    tally.asked += job.counts.planned
    tally.from_cache += job.counts.from_cache
    tally.failed += job.counts.failed
    tally.spent = tally.spent.plus(job.spent)


def _leave(progress: Progress, index: int, job: BuildJob, model: int) -> None:
    """Give a prompt up that a call without an answer holds."""
    if index not in progress.waiting:
        return
    for ask in progress.waiting[index]:
        key = key_of(ask.call)
        if ask.model == model and (model, key) not in progress.known:
            why = next(iter(job.failure_details.items()), ("unanswered", ""))
            reason = Reason("stopped", str(job.stopped)) if job.stopped else Reason(*why)
            progress.give_up(index, reason)
            return


async def _replies(
    cache: AnswerCache, prepared: PreparedBuild, progress: Progress
) -> dict[tuple[int, str], Reply]:
    """The kept replies of all calls: what they took is the same in every process."""
    found: dict[tuple[int, str], Reply] = {}
    for model, item in enumerate(prepared.models):
        keys = [key_of(ask.call) for asks in progress.asked for ask in asks if ask.model == model]
        scorer = cache.key_of(item.scorer.identity)
        kept = await cache.lookup(scorer, list(dict.fromkeys(keys)))
        found |= {(model, key): reply for key, reply in kept.items()}
    return found


def _made(
    prepared: PreparedBuild, asks: Sequence[Ask], replies: Mapping[tuple[int, str], Reply]
) -> dict[str, Json]:
    """Which calls a prompt took, who answered, and what that cost; dollars null where unknown."""
    calls: list[Json] = []
    dollars: float | None = 0.0
    tokens: Counter[str] = Counter()
    for ask in asks:
        key, item = key_of(ask.call), prepared.models[ask.model]
        reply = replies.get((ask.model, key))
        if reply is None:
            continue
        spent = Spent()
        spent.add(reply.usage)
        cost = 0.0 if item.price == FREE else cost_of(spent, item.price)
        dollars = None if cost is None or dollars is None else dollars + cost
        tokens["input"] += spent.input_tokens
        tokens["output"] += spent.output_tokens
        calls.append(
            {
                "step": ask.step,
                "model": item.scorer.name,
                "answered_as": reply.model,
                "sample": ask.call.vote,
                "key": key,
            }
        )
    cost_told = None if dollars is None or not calls else round(dollars, 8)
    return {
        "recipe_version": VERSION,
        "templates": prepared.templates.digest,
        "calls": calls,
        "tokens": dict(tokens),
        "dollars": cost_told,
    }
