"""From an item of any preference set to its calls, and from their answers back to its outcome.

A tuple of RM-Bench, seen as an item, gives the calls of its own plan. Calls hold texts only, so a
text that several sets share is one call and bought once.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rmjudge.benchmarks.descriptors import Descriptor
from rmjudge.benchmarks.items import Item
from rmjudge.calls import Answer, Call, Choice, ChooseCall, CompareCall, RewardCall, Unscored
from rmjudge.metrics.outcomes import NO_VERDICT, Chosen, ItemOutcome, Vote
from rmjudge.planning.ordering import better_first, shuffled
from rmjudge.planning.plan import Answers, Question, credit_of, mean_reward
from rmjudge.vocabulary import Method


@dataclass(frozen=True, slots=True)
class ItemPlan:
    """The calls about one item; implements `rmjudge.planning.plan.CallPlan`.

    `rewarded` holds the calls of each response, one a vote. `asked` holds, for each pair of the
    item, how it is asked: in one order or in both; two equal texts are a tie and not asked.
    """

    item: Item
    calls: tuple[Call, ...]
    rewarded: tuple[tuple[int, ...], ...] = ()
    asked: tuple[tuple[Question, ...], ...] = ()
    lead: bool = False
    shown: tuple[tuple[int, ...], ...] | None = None
    """The responses to choose from, as they are shown: places of those with each text."""

    def after(self, call: int) -> int | None:
        """Tell what a call waits for: nothing, or the leading call that fills a prompt cache."""
        return 0 if self.lead and call else None

    def outcome(self, answers: Answers) -> ItemOutcome:
        """What the answers say of the item, complete or not."""
        item = self.item
        grades = tuple(response.grade for response in item.responses)
        if self.rewarded:
            rewards = tuple(mean_reward(answers, votes) for votes in self.rewarded)
            return ItemOutcome(item.id, item.subset, grades, rewards)
        if self.shown is not None:
            choices = tuple(self._choice(answer) for answer in answers) or (self.shown[0],)
            return ItemOutcome(item.id, item.subset, grades, choices=choices)
        votes = tuple(
            (pair.better, pair.worse, self._votes(answers, questions))
            for pair, questions in zip(item.pairs, self.asked, strict=True)
        )
        return ItemOutcome(item.id, item.subset, grades, None, votes)

    def _choice(self, answer: Answer | None) -> Chosen:
        """The places of the text that is chosen; a letter that was not shown is no verdict."""
        if isinstance(answer, Choice) and self.shown is not None and answer.place < len(self.shown):
            return self.shown[answer.place]
        return None if answer is None else NO_VERDICT

    @staticmethod
    def _votes(answers: Answers, questions: tuple[Question, ...]) -> tuple[Vote, ...]:
        return tuple(_vote(answers, question) for question in questions) or (0.5,)


def _vote(answers: Answers, question: Question) -> Vote:
    """P(the better one is preferred) in one order; what is not answered is no reply without one."""
    credit = credit_of(answers, question)
    if credit is not None:
        return credit
    replies = [answers[call] for call in question.calls]
    return NO_VERDICT if any(isinstance(reply, Unscored) for reply in replies) else None


def plan_items(
    items: Iterable[Item],
    descriptor: Descriptor,
    method: Method,
    *,
    both: bool = False,
    seed: int = 0,
    votes: int = 1,
    lead_characters: int | None = None,
    in_turns: bool = False,
) -> list[ItemPlan]:
    """Turn items into plans; `both` asks every pair in both orders, whatever the benchmark does.

    With `in_turns` a conversation goes to a reward model as its messages, not written out.
    """
    twice = both or descriptor.order != "seeded"
    plans = []
    for item in items:
        lead = lead_characters is not None and len(item.prompt) >= lead_characters
        if method == "pointwise":
            plans.append(_rewards(item, votes, lead=lead, in_turns=in_turns))
        elif method == "choice":
            plans.append(_choices(item, votes, seed, lead=lead))
        else:
            plans.append(_comparisons(item, votes, seed, twice=twice, lead=lead))
    return plans


def _rewards(item: Item, votes: int, *, lead: bool, in_turns: bool) -> ItemPlan:
    texts = list(dict.fromkeys(item.texts))
    prompt = item.prompt
    turns = item.messages if in_turns and item.is_conversation else ()
    calls = tuple(RewardCall(prompt, text, vote, turns) for vote in range(votes) for text in texts)
    places = [texts.index(text) for text in item.texts]
    rewarded = tuple(tuple(vote * len(texts) + k for vote in range(votes)) for k in places)
    return ItemPlan(item, calls, rewarded, (), lead)


def _choices(item: Item, votes: int, seed: int, *, lead: bool) -> ItemPlan:
    """One question about all responses; where all texts are equal nobody is asked."""
    texts = shuffled(item.prompt, list(dict.fromkeys(item.texts)), seed)
    shown = tuple(
        tuple(place for place, text in enumerate(item.texts) if text == one) for one in texts
    )
    asked = range(votes if len(texts) > 1 else 0)
    calls = tuple(ChooseCall(item.prompt, texts, vote) for vote in asked)
    return ItemPlan(item, calls, (), (), lead, shown)


def _comparisons(item: Item, votes: int, seed: int, *, twice: bool, lead: bool) -> ItemPlan:
    prompt, texts, best = item.prompt, item.texts, item.best
    # Pairs with the same two texts share their calls, so one of them decides the order.
    leader: dict[frozenset[str], tuple[int, int]] = {}
    for pair in item.pairs:
        if texts[pair.better] != texts[pair.worse]:
            both = frozenset((texts[pair.better], texts[pair.worse]))
            leader.setdefault(both, (pair.better, pair.worse))
    flags = better_first(
        prompt,
        [texts[place] for place in best],
        [text for place, text in enumerate(texts) if place not in best],
        {(i, j): (texts[i], texts[j]) for i, j in leader.values()},
        seed,
    )
    shown = {
        both: (texts[i], texts[j]) if flags[i, j] else (texts[j], texts[i])
        for both, (i, j) in leader.items()
    }
    number = {both: place for place, both in enumerate(shown)}
    count = len(shown)
    calls = [
        CompareCall(prompt, first, second, vote)
        for vote in range(votes)
        for first, second in shown.values()
    ]
    if twice:
        calls += [CompareCall(prompt, call.second, call.first, call.vote) for call in calls]

    def questions(better: str, worse: str) -> tuple[Question, ...]:
        if better == worse:
            return ()
        both = frozenset((better, worse))
        first = shown[both][0] == better
        asked = tuple(vote * count + number[both] for vote in range(votes))
        one = Question(asked, first)
        swapped = Question(tuple(call + votes * count for call in asked), not first)
        return (one, swapped) if twice else (one,)

    asked = tuple(questions(texts[pair.better], texts[pair.worse]) for pair in item.pairs)
    return ItemPlan(item, tuple(calls), (), asked, lead)
