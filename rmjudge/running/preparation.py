"""From names and options to a run that has been checked and planned; nothing is sent."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Final, TypeAlias, TypeVar

from rmjudge.addresses import sends_in_clear
from rmjudge.benchmarks.items import ItemSet
from rmjudge.benchmarks.sets import load_sets
from rmjudge.cache import default_folder
from rmjudge.cache.inspect import kept_by_older
from rmjudge.cache.keys import call_key, scorer_key
from rmjudge.calls import Call, Json
from rmjudge.dataset import DataSet, load
from rmjudge.dataset.remarks import remarks
from rmjudge.dataset.tuples import BenchTuple
from rmjudge.errors import DataError, StorageStopped, UsageError
from rmjudge.metrics.report import NINE_CELLS
from rmjudge.options import RunOptions
from rmjudge.options.run_kinds import until_of
from rmjudge.planning.items import plan_items
from rmjudge.planning.plan import PairwisePlan, Plan, plan_data
from rmjudge.providers.batching import DIALECTS
from rmjudge.running.batches.whole_run import can_batch, refused_batches
from rmjudge.running.choosing import Chosen, choose, choose_fallback
from rmjudge.running.deciding import UntilDecided
from rmjudge.running.fitting import check_items_run, is_given_turns
from rmjudge.running.items import ItemJob
from rmjudge.running.job import Job
from rmjudge.running.pricing import FREE
from rmjudge.running.stopping import UntilNarrow
from rmjudge.running.tuples import TupleJob
from rmjudge.runs.writing import check_writable
from rmjudge.scorer import AdaptableScorer, Scorer
from rmjudge.statistics.sequential import LOOKS
from rmjudge.store import key_fields
from rmjudge.text import did_you_mean, slug
from rmjudge.vocabulary import CELLS, DOMAINS, READS, in_order

J = TypeVar("J", bound=Job)
Notice: TypeAlias = Callable[[str], None]
NO_TUPLES: Final = DataSet("", ())
"""The data of a run over other sets alone."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A run that has been checked and planned; nothing was sent yet."""

    options: RunOptions
    data: DataSet
    jobs: tuple[TupleJob, ...]
    out: Path
    fallback: Chosen | None = None
    deciding: UntilDecided | None = None
    rounds: tuple[tuple[ItemJob, ...], ...] = ()
    """The jobs over each set of items beside RM-Bench, set by set."""
    sources: tuple[str, ...] = ()
    """Which of the options' sources are RM-Bench's."""

    @property
    def cache_folder(self) -> Path:
        """Where answers are kept."""
        return self.options.cache_dir or default_folder()


def prepare(
    models: Sequence[str | Scorer],
    options: RunOptions,
    notice: Notice | None = None,
    *,
    need_keys: bool = True,
) -> Prepared:
    """Check everything that can be wrong, and plan. Keys are needed unless nothing is called.

    Raises:
        UsageError: something is; nothing was called.
    """
    tell = notice or (lambda _line: None)
    if options.order == "adaptive":
        tell("--order adaptive is another name of --order both, and asks the same")
        options = replace(options, order="both")
    chosen = choose(models, options, need_keys=need_keys)
    named = [model for model in models if isinstance(model, str)]
    fallback = choose_fallback(options, chosen, named)
    scorers = [item.scorer for item in chosen]
    sources, sets = load_sets(
        options.data, name=options.benchmark, columns=options.columns, notice=tell
    )
    data = NO_TUPLES
    if sources or not sets:
        data = _selected(load(sources, notice=tell), options)
        if not len(data):
            raise DataError(["no tuple is left: the data has none of the domains asked for"])
    choosing = [item.scorer.name for item in chosen if item.scorer.method == "choice"]
    kinds = {one.descriptor.kind for one in sets}
    if choosing and (len(data) or not kinds <= {"best", "choose"}):
        raise UsageError(
            f"{choosing[0]}: --method choice asks which of all responses is the best, and that "
            "is for sets of right against wrong responses alone, such as rewardbench-2"
        )
    if sets:
        check_items_run(chosen, sets, options, has_tuples=bool(len(data)))
    _check_stops(scorers, data, options)
    _check_batches(chosen, options, tell)
    _check_places(options)
    jobs = tuple(job_for(item, data, options) for item in chosen) if len(data) else ()
    rounds = tuple(
        tuple(items_job(item, one.first(options.limit), options) for item in chosen) for one in sets
    )
    remarked = list(remarks(data))
    tell_notices([*chosen, *([fallback] if fallback else [])], tell)
    for line in [*_not_fewer(jobs, options), *remarked]:
        tell(line)
    for job in jobs:
        job.notes.extend(remarked)
    if ceiling := options.cost_ceiling:
        check_bounded(
            [*jobs, *chain(*rounds), *([job_for(fallback, data, options)] if fallback else [])],
            ceiling,
        )
    out = options.out or Path("runs") / _folder_name(scorers, data, sets, options)
    check_writable(out)
    return Prepared(
        options=options,
        data=data,
        jobs=jobs,
        fallback=fallback,
        deciding=_deciding(jobs, data) if options.until_decided else None,
        out=out,
        rounds=rounds,
        sources=tuple(map(str, sources)),
    )


def tell_notices(chosen: Sequence[Chosen], tell: Notice) -> None:
    """Say what is to be known of the scorers before they are asked."""
    for item in chosen:
        if sends_in_clear(item.url):
            tell(
                f"warning: {item.scorer.name} is reached over plain http ({item.url}): "
                "texts and keys cross the network unencrypted"
            )
        for line in item.notices:
            tell(line)


def _check_batches(chosen: Sequence[Chosen], options: RunOptions, tell: Notice) -> None:
    """Refuse batches where no model has them; say which models are asked live all the same."""
    if not options.batch:
        for name, given in (("--detach", options.detach), ("--batch-tokens", options.batch_tokens)):
            if given:
                raise UsageError(f"{name} is about batches: give --batch too")
        return
    live = [item for item in chosen if not can_batch(item.scorer)]
    why = {item.scorer.name: refused_batches(item.scorer) for item in live}
    if len(live) == len(chosen):
        reasons = [f"; {name}: {reason}" for name, reason in why.items() if reason]
        raise UsageError(
            f"--batch is for judges with batches that are known here ({', '.join(DIALECTS)}), and "
            f"this run has none{''.join(reasons)}"
        )
    for name, reason in why.items():
        told = f": {reason}" if reason else ""
        tell(f"{name} has no batches that are known here, and is asked live{told}")
    for item in chosen:
        if item not in live and item.price is not None and item.price.batch is None:
            tell(
                f"what {item.scorer.name} costs in batches is not known, and counted at the full "
                'price; `batch = 0.5` under its [prices."..."] in rmjudge.toml says otherwise'
            )


def _check_stops(scorers: Sequence[Scorer], data: DataSet, options: RunOptions) -> None:
    if options.may_stop and options.fallback is not None:
        raise UsageError(
            "--fallback takes the tuples that a model leaves, and a run that stops once it knows "
            "enough leaves tuples on purpose: use one of the two"
        )
    if not options.until_decided:
        return
    if len(scorers) != 2:
        raise UsageError(
            f"--until-decided compares two models, and the run has {len(scorers)}: name two"
        )
    if options.until is not None:
        raise UsageError("--until-decided and --until both say when to stop: use one of the two")
    if len(data) < LOOKS:
        raise UsageError(f"--until-decided takes {LOOKS} looks, and there are {len(data)} tuples")


def _check_places(options: RunOptions) -> None:
    """A file that is written at the end must have a folder: that is no news after hours."""
    for name, path in (("--junit", options.junit), ("--append", options.append)):
        if path is not None and (path.is_dir() or not path.absolute().parent.is_dir()):
            what = "is a folder" if path.is_dir() else "is in no folder that there is"
            raise UsageError(f"{name} {path}: it {what}; name a file in one that exists")


def _deciding(jobs: Sequence[TupleJob], data: DataSet) -> UntilDecided:
    one, other = (job.scorer.name for job in jobs)
    rule = UntilDecided((one, other if other != one else f"{other} (2)"))
    for job in jobs:
        rule.join(job, data.tuples)
    return rule


def _not_fewer(jobs: Sequence[Job], options: RunOptions) -> Iterator[str]:
    """Say which scorers --cells does not concern."""
    for job in jobs:
        if options.cells != len(CELLS) and job.scorer.method == "pointwise":
            yield (
                f"--cells {options.cells} is for judges of pairs: {job.scorer.name} rewards "
                "single responses, and six rewards fill all nine cells"
            )


def check_bounded(jobs: Sequence[Job], ceiling: str) -> None:
    """A ceiling needs to know what a call can cost at most.

    Raises:
        UsageError: nothing limits it.
    """
    for job in jobs:
        call = next((call for plan in job.plans for call in plan.calls), None)
        if job.price != FREE and call is not None and job.scorer.most_tokens(call) is None:
            raise UsageError(
                f"{ceiling}: nothing limits the length of {job.scorer.name}'s replies; set a "
                "limit, such as --param max_tokens=4096"
            )


def job_for(chosen: Chosen, data: Iterable[BenchTuple], options: RunOptions) -> TupleJob:
    """Plan these tuples for a scorer."""
    scorer = chosen.scorer
    items = list(data)
    design = NINE_CELLS if scorer.method == "pointwise" else options.design
    plan = partial(
        plan_data,
        method=scorer.method,
        order=options.pair_order,
        seed=options.seed,
        votes=scorer.votes,
        # In a batch all calls are asked at once, and none goes ahead to fill a prompt cache.
        lead_characters=None if options.batch else scorer.lead_characters,
        design=design,
    )
    plans = plan(items)
    if scorer.method == "pairwise":
        older = _asked_by_older(plans, plan(items, by_id=None), scorer, options)
        plans = plan(items, by_id=older) if older else plans
    job = TupleJob(scorer, plans, key_of, chosen.price, chosen.barred, design=design)
    if options.until is not None:
        rule = UntilNarrow(*until_of(options.until))
        job.stop_by(rule, rule.blocks([plan.item for plan in plans]))
    return equipped(job, chosen, options)


def items_job(chosen: Chosen, items: ItemSet, options: RunOptions) -> ItemJob:
    """Plan the items of one set for a scorer."""
    scorer, rules = chosen.scorer, items.descriptor
    left_out = ""
    ties = [item for item in items if rules.is_ties(item.subset)]
    if scorer.method != "pointwise" and ties:
        # Right against wrong, all with all, would be bought, and tell nothing of the margins.
        items = items.without_ties()
        left_out = (
            f"the subset {rules.ties_subset} is left out, which needs rewards or ratings (--method "
            "pointwise): the score is that of the other subsets, and no whole one"
        )
    both = options.pair_order == "both"
    plans = plan_items(
        items,
        rules,
        scorer.method,
        both=both,
        seed=options.seed,
        votes=scorer.votes,
        lead_characters=scorer.lead_characters,
        in_turns=is_given_turns(chosen),
    )
    order: str | None = None
    if scorer.method == "pairwise":
        order = "both-mean" if both and rules.order == "seeded" else rules.order
    if scorer.method == "choice":
        order = "shuffled"
    job = ItemJob(scorer, plans, key_of, chosen.price, chosen.barred, items=items, order=order)
    if left_out:
        job.notes.append(left_out)
    return equipped(job, chosen, options)


def equipped(job: J, chosen: Chosen, options: RunOptions) -> J:
    """Make the job: how its scorer is treated, and which kept replies are asked again."""
    job.early_stop = options.early_stop and chosen.is_judge
    job.tells_dollars = chosen.tells_dollars
    job.retried = frozenset(options.retry_unscored) if not chosen.barred else frozenset()
    job.again, job.more_room = chosen.again, chosen.more_room
    return job


def _asked_by_older(
    plans: Sequence[Plan], older_plans: Sequence[Plan], scorer: Scorer, options: RunOptions
) -> set[str]:
    """Tuples of which the cache has an answer in an order that only the old rule gives.

    Such a tuple keeps the old order as a whole. Answers of today tell that they are such, so what
    is bought later, in whatever order and however far, changes nothing of this.
    """
    names: dict[str, str] = {}
    for plan, older in zip(plans, older_plans, strict=True):
        half = len(older.calls) // (2 if _in_both_orders(older) else 1)
        today = set(plan.calls[:half])
        names |= {key_of(call): plan.item.name for call in older.calls[:half] if call not in today}
    folder = options.cache_dir or default_folder()
    with suppress(StorageStopped):  # told, and mended, when the run opens the cache
        return {names[key] for key in kept_by_older(folder, scorer.identity, list(names))}
    return set()


def _in_both_orders(plan: Plan) -> bool:
    if not isinstance(plan, PairwisePlan):
        return False
    return any(len(questions or ()) == 2 for row in plan.questions for questions in row)


def key_of(call: Call) -> str:
    """What a call's answer is kept under."""
    return call_key(key_fields(call))


def _folder_name(
    scorers: Sequence[Scorer], data: DataSet, sets: Sequence[ItemSet], options: RunOptions
) -> str:
    who = slug(scorers[0].name) if len(scorers) == 1 else f"{len(scorers)}-scorers"
    reads = [scorer.identity.get(READS) for scorer in scorers]  # which their keys leave out
    what: dict[str, Json] = {
        "scorers": [scorer_key(_usual_identity(scorer)) for scorer in scorers],
        "data": data.digest,
        **_asking(scorers, options),
        **({"until": options.until} if options.until else {}),
        **({"until": "decided"} if options.until_decided else {}),
        "votes": [scorer.votes for scorer in scorers],
        **({"sets": [[one.name, one.digest] for one in sets]} if sets else {}),
        **({"limit": options.limit} if sets and options.limit else {}),
        **({"reads": reads} if any(reads) else {}),
    }
    digest = hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()[:8]
    label = "+".join([*([data.label] if len(data) else []), *(one.name for one in sets)])
    return f"{who}-{slug(label)}-{digest}"


def _usual_identity(scorer: Scorer) -> Mapping[str, Json]:
    """Of a scorer whose server wants another form, the one that the first run began with."""
    return scorer.usual_identity if isinstance(scorer, AdaptableScorer) else scorer.identity


def _asking(scorers: Sequence[Scorer], options: RunOptions) -> dict[str, Json]:
    """The order in which judges are asked, and what part of the cells; rewards have none."""
    if all(scorer.method == "pointwise" for scorer in scorers):
        return {}
    few = {} if options.cells == len(CELLS) else {"cells": options.cells}
    return {"order": options.order, "seed": options.seed, **few}


def _selected(data: DataSet, options: RunOptions) -> DataSet:
    """The part of the data that is asked for.

    Raises:
        DataError: a domain of nobody's was asked for.
    """
    unknown = [name for name in options.domains if name not in (*DOMAINS, *data.domains)]
    if unknown:
        known = in_order((*DOMAINS, *data.domains))
        raise DataError(
            [f"the data has no domain {name}; {did_you_mean(name, known)}" for name in unknown]
        )
    return data.select(options.domains, options.limit)
