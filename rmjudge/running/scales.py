"""Scales that are not what they seem, seen from the answers alone, since no server says so.

A server that does not know how to switch an activation off gives rewards through a sigmoid, which
makes ties of good responses. One that tells the log-probability of the token it wrote, and of no
other, makes a bare verdict of a probability. One that cuts texts to its context counts the same
tokens for texts of different length.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from rmjudge.calls import Call, ChooseCall, CompareCall, GenerateCall, Reward, Verdict
from rmjudge.planning.plan import PointwisePlan
from rmjudge.running.job import Job

LEAST: Final = 9
"""Fewer answers than a tuple's comparisons show no pattern."""
TIED: Final = 0.1
"""A reward model's logits are floats: one tie in ten pairs is no coincidence."""
CERTAIN: Final = 0.9
LEAST_CUT: Final = 3
"""So many texts with one count of tokens."""
LONGER: Final = 1.25
"""So much longer is the longest of them than the shortest."""


def silent_scales(job: Job) -> Iterator[str]:
    """A line for each scale that is not what it seems; of hosted scorers alone."""
    identity = job.scorer.identity
    if "url" not in identity:
        return
    judging = str(identity.get("judging", ""))
    if job.scorer.method == "pointwise" and not judging:
        yield from _saturated(job)
    if judging.endswith("-logprob"):
        yield from _without_alternatives(job)
    yield from _cut(job)


def _saturated(job: Job) -> Iterator[str]:
    rewards = [work.answer.value for work in job.work.values() if isinstance(work.answer, Reward)]
    if len(rewards) < LEAST or not all(0 <= value <= 1 for value in rewards):
        return
    pairs, tied = 0, 0
    for index, plan in enumerate(job.plans):
        if not isinstance(plan, PointwisePlan):
            continue
        chosen, rejected = plan.scores(job.answers[index])
        item = plan.item
        for text, good in zip(item.chosen, chosen, strict=True):
            for other, bad in zip(item.rejected, rejected, strict=True):
                if good is not None and bad is not None and text != other:
                    pairs, tied = pairs + 1, tied + (good == bad)
    if pairs and tied / pairs >= TIED:
        yield (
            f"all {len(rewards):,} rewards lie in 0 to 1, and {100 * tied / pairs:.0f} % of the "
            "pairs are ties: the server seems to apply a sigmoid, which makes good "
            "responses equal; have it give raw logits (switch its activation off)"
        )


def _without_alternatives(job: Job) -> Iterator[str]:
    """Probabilities that are all 0 or 1, or expected ratings that are all whole numbers."""
    answers = [work.answer for work in job.work.values()]
    values = [answer.first for answer in answers if isinstance(answer, Verdict)]
    values += [answer.value for answer in answers if isinstance(answer, Reward)]
    whole = sum(value == int(value) for value in values)
    if len(values) >= LEAST and whole / len(values) >= CERTAIN:
        yield (
            f"{whole:,} of {len(values):,} replies give one answer all of the probability: the "
            "server tells no alternatives to the first token, so these are plain answers and no "
            "probabilities; ask for more alternatives with --param, or use another --method"
        )


def _cut(job: Job) -> Iterator[str]:
    """The largest count of tokens, where texts of very different length have it."""
    counted = [
        (work.usage.input_tokens, characters(work.call))
        for work in job.work.values()
        if work.usage is not None and work.usage.input_tokens
    ]
    most = max((tokens for tokens, _ in counted), default=0)
    lengths = sorted(length for tokens, length in counted if tokens == most)
    if len(lengths) >= LEAST_CUT and _differ(lengths):
        yield (
            f"the server counts {most:,} prompt_tokens for each of {len(lengths):,} questions with "
            f"texts of {lengths[0]:,} to {lengths[-1]:,} characters: it cuts them to its "
            "context, or does not count them; give it a larger context (for Ollama: num_ctx)"
        )


def _differ(lengths: Sequence[int]) -> bool:
    return lengths[-1] > LONGER * lengths[0]


def characters(call: Call) -> int:
    """How many characters the texts of a call have."""
    if isinstance(call, CompareCall):
        return len(call.prompt) + len(call.first) + len(call.second)
    if isinstance(call, ChooseCall):
        return len(call.prompt) + sum(map(len, call.responses))
    if isinstance(call, GenerateCall):
        return sum(len(text) for _, text in call.messages)
    return len(call.prompt) + len(call.response)
