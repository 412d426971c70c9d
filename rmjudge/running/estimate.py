"""What a run would call and buy: a plan held against the cache. Nothing is called."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import chain
from typing import Final

from rmjudge.cache import AnswerCache
from rmjudge.cache.history import History, history_of
from rmjudge.cache.ledger import Chunk
from rmjudge.calls import Json, Spent, Usage, estimate_tokens
from rmjudge.options import RunOptions
from rmjudge.running.assembly import bill_of
from rmjudge.running.batches.cutting import tokens_of, waves
from rmjudge.running.batches.whole_run import can_batch
from rmjudge.running.budget import most_dollars
from rmjudge.running.choosing import lines_to_write
from rmjudge.running.job import Job, Work
from rmjudge.running.keeping import settle_from_cache
from rmjudge.running.preparation import Prepared
from rmjudge.running.pricing import FREE, cost_of

TOKENS_A_SECOND: Final = 50.0
FIRST_TOKEN_S: Final = 1.0
"""A hosted model's usual pace, for a guess where no answers of it are kept."""


@dataclass(frozen=True, slots=True)
class Most:
    """The most that calls can take: every request and reply as long as its limit.

    None where nothing limits the replies, or a price is not known. `calls` is how many there can
    be, where that is not certain.
    """

    input_tokens: int | None = None
    output_tokens: int | None = None
    cost: float | None = None
    calls: int | None = None


@dataclass(frozen=True, slots=True)
class Handed:
    """What a vendor would be handed: `batches` in `waves`, `bytes` of bodies, input `tokens`.

    `limit` is of the tokens in its queue, None where it is not known.
    """

    batches: int
    waves: int
    bytes: int | None
    tokens: int
    limit: int | None

    def to_json(self) -> dict[str, Json]:
        """For `--json`."""
        return asdict(self)

    def told(self) -> str:
        """For people."""
        size = "" if self.bytes is None else f"{self.bytes / 1e6:.1f} MB, "
        waves = "1 wave" if self.waves == 1 else f"{self.waves} waves"
        many = "1 batch" if self.batches == 1 else f"{self.batches:,} batches"
        limit = f" of at most {self.limit:,} tokens" if self.limit else ""
        return (
            f"{many} in {waves}{limit}: {size}about {self.tokens:,} input tokens; one call is "
            "bought live first; results come within 24 hours a wave, mostly within two"
        )


@dataclass(frozen=True, slots=True)
class Estimate:
    """One scorer's share: what is likely, and the `most`. `cost` is None when unknown or free.

    `kept` is how many kept answers of the model the likely figures go by; with none they are rules
    of thumb. `seconds` is how long it takes, None where nothing is known; `timed` says that kept
    answers told it. `at_most` says that the run stops once it knows enough, and may ask fewer.
    `spent` are the dollars that the answers in the cache have cost, `free` says that nothing can be
    charged, and `price_lines` how to tell a price that is not known.
    """

    scorer: str
    planned: int
    from_cache: int
    to_buy: int
    input_tokens: int
    output_tokens: int
    cost: float | None
    cost_known: bool
    at_most: bool = False
    most: Most = Most()
    kept: int = 0
    seconds: float | None = None
    timed: bool = False
    spent: float | None = None
    free: bool = False
    price_lines: str = ""
    batches: Handed | None = None

    def to_json(self) -> dict[str, Json]:
        """For `--json`."""
        return {
            "scorer": self.scorer,
            "planned": self.planned,
            "from_cache": self.from_cache,
            "to_buy": self.to_buy,
            "input_tokens": self.input_tokens,
            "output_tokens": self.output_tokens,
            "at_most": self.at_most,
            "cost": {"usd": self.cost, "known": self.cost_known},
            "most": {
                "input_tokens": self.most.input_tokens,
                "output_tokens": self.most.output_tokens,
                "usd": self.most.cost,
            },
            "kept_answers": self.kept,
            "seconds": self.seconds,
            "seconds_by_kept_answers": self.timed,
            **({"batches": self.batches.to_json()} if self.batches else {}),
        }


async def estimate(prepared: Prepared) -> list[Estimate]:
    """Look every call up and add up what is missing."""
    estimates: list[Estimate] = []
    with AnswerCache(prepared.cache_folder) as cache:
        for job in (*prepared.jobs, *chain(*prepared.rounds)):
            key = cache.key_of(job.scorer.identity)
            pending = await settle_from_cache(job, cache, key, job.all_questions())
            history = history_of(prepared.cache_folder, key, job.scorer.identity)
            chunks = await cache.chunks(key)
            estimates.append(_estimate(job, pending, history, prepared.options, chunks))
    return estimates


def _estimate(
    job: Job,
    pending: Sequence[Work],
    history: History,
    options: RunOptions,
    chunks: Sequence[Chunk],
) -> Estimate:
    in_batches = options.batch and can_batch(job.scorer)
    share = job.price.batch_share if in_batches and job.price else 1.0
    each = history.output_tokens
    if each is None:
        each = job.scorer.output_tokens_estimate
    inputs = round(sum(estimate_tokens(work.call) for work in pending) * _measured(job))
    outputs = round(each * len(pending))
    cost: float | None
    if history.dollars is not None:
        cost = history.dollars * len(pending)
    else:
        cost = cost_of(Spent(inputs, outputs), job.price) if pending else 0.0
        cost = None if cost is None else share * cost
    most = _most(job, pending, share)
    handed = _handed(pending, most, options, chunks) if in_batches and pending else None
    seconds = None if in_batches else _seconds(job, len(pending), history, each)
    at_least = _by_rates(job, len(pending), inputs + outputs, options)
    free = job.price == FREE
    known = cost is not None or free
    return Estimate(
        scorer=job.scorer.name,
        planned=len(job.work),
        from_cache=len(job.work) - len(pending),
        to_buy=len(pending),
        input_tokens=inputs,
        output_tokens=outputs,
        cost=cost,
        cost_known=known,
        at_most=options.may_stop,
        most=most,
        batches=handed,
        kept=history.answers,
        seconds=None if seconds is None else max(seconds, at_least),
        timed=history.seconds is not None,
        spent=bill_of(job).cost,
        free=free,
        price_lines="" if known or job.tells_dollars else lines_to_write(job.scorer),
    )


def _measured(job: Job) -> float:
    """Input tokens as the server counts them for each that is estimated; 1 without kept answers."""
    pairs = [
        (work.usage.input_tokens, estimate_tokens(work.call))
        for work in job.work.values()
        if work.usage is not None and work.usage.input_tokens
    ]
    return sum(told for told, _ in pairs) / sum(guess for _, guess in pairs) if pairs else 1.0


def _handed(
    pending: Sequence[Work], most: Most, options: RunOptions, chunks: Sequence[Chunk]
) -> Handed:
    """The batches of a run; the body of a call has as many bytes as tokens at most."""
    limits = [options.batch_tokens, *[chunk.limit for chunk in chunks if chunk.limit][-1:]]
    limit = min((one for one in limits if one), default=None)
    cuts = [tokens_of(cut) for cut in waves(pending, limit)]
    number, used = 1, 0
    for tokens in cuts:
        if limit is not None and used and used + tokens > limit:
            number, used = number + 1, 0
        used += tokens
    return Handed(len(cuts), number, most.input_tokens, sum(cuts), limit)


def _most(job: Job, pending: Sequence[Work], share: float = 1.0) -> Most:
    usage = Usage(0, 0)
    for work in pending:
        most = job.scorer.most_tokens(work.call)
        if most is None:
            return Most()
        usage = usage.plus(most)
    priced = job.price is not None or job.charges.known
    dollars = share * sum(most_dollars(job, work.call) for work in pending) if priced else None
    return Most(usage.input_tokens, usage.output_tokens, dollars if pending else 0.0)


def _seconds(job: Job, calls: int, history: History, each: float) -> float | None:
    """How long it takes: as fast as kept answers came, else a guess for hosted models."""
    if not calls or history.seconds is not None:
        return (history.seconds or 0.0) * calls
    if "url" not in job.scorer.identity:
        return None
    at_once = min(job.scorer.concurrency * job.scorer.batch, calls)
    return calls / at_once * (FIRST_TOKEN_S + each / TOKENS_A_SECOND)


def _by_rates(job: Job, calls: int, tokens: int, options: RunOptions) -> float:
    """The seconds that `--rpm` and `--tpm` make it take at least."""
    by_requests = 60 * calls / job.scorer.batch / options.rpm if options.rpm else 0.0
    by_tokens = 60 * tokens / options.tpm if options.tpm else 0.0
    return max(by_requests, by_tokens)


def ceilings(
    estimates: Sequence[Estimate], options: RunOptions, *, of: str = "run"
) -> Iterator[str]:
    """Say which ceilings the run, or the build, would reach, or may."""
    for line in _ceilings(estimates, options):
        yield line.replace("the run", f"the {of}")


def _ceilings(estimates: Sequence[Estimate], options: RunOptions) -> Iterator[str]:
    paid = [item for item in estimates if not item.free]
    calls = sum(item.to_buy for item in paid)
    most_calls = sum(item.most.calls or item.to_buy for item in paid)
    if options.max_calls is not None and calls > options.max_calls:
        yield (
            f"{calls:,} calls are to be bought: the run would stop at --max-calls "
            f"{options.max_calls:,}, before its end"
        )
    elif options.max_calls is not None and most_calls > options.max_calls:
        yield (
            f"the run can need up to {most_calls:,} calls: it may stop at --max-calls "
            f"{options.max_calls:,}"
        )
    if options.max_cost is not None:
        yield from _reached("--max-cost", options.max_cost, 0.0, paid)
    if options.max_cost_total is not None:
        spent = sum(item.spent or 0.0 for item in paid)
        yield from _reached("--max-cost-total", options.max_cost_total, spent, paid)


def _reached(name: str, ceiling: float, spent: float, paid: Sequence[Estimate]) -> Iterator[str]:
    before = f"with the ${spent:.2f} that kept answers have cost " if spent else ""
    unknown = [item.scorer for item in paid if item.cost is None]
    likely = spent + sum(item.cost or 0.0 for item in paid)
    most = spent + sum(item.most.cost or 0.0 for item in paid)
    unlimited = any(item.most.cost is None for item in paid)
    if likely > ceiling:
        yield (
            f"{before}the run likely costs ${likely:.2f}: it would stop at {name} {ceiling:g}, "
            "before its end"
        )
    elif unknown:
        yield f"whether {name} {ceiling:g} suffices is not known: {unknown[0]}'s cost is not"
    elif unlimited:
        yield f"nothing says what the run can cost at most: it may stop at {name} {ceiling:g}"
    elif most > ceiling:
        yield f"{before}the run can cost up to ${most:.2f}: it may stop at {name} {ceiling:g}"
