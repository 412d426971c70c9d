"""`rmjudge show` on other sets than RM-Bench: an item, its responses, what scorers made of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from rmjudge.benchmarks.items import Item
from rmjudge.calls import Answer, Choice, Json, Reward, Unscored, Verdict, answer_to_json
from rmjudge.metrics.outcomes import NO_VERDICT, ItemOutcome, Vote
from rmjudge.metrics.tallies import TIE
from rmjudge.render.commands.show import marked_difference, text_part
from rmjudge.render.figures import known
from rmjudge.render.terminal.screen import OnScreen, Screen
from rmjudge.runs.item_views import ItemStatement, ItemView, ViewedItem
from rmjudge.runs.items import outcome_to_json
from rmjudge.text import one_line


def item_renderable(viewed: ViewedItem, *, replies: bool) -> RenderableType:
    """Draw an item; it fits in 80 columns. `replies` adds the judges' words."""
    return OnScreen(lambda screen: Group(*_parts(screen, viewed, replies=replies)))


def _parts(screen: Screen, viewed: ViewedItem, *, replies: bool) -> Iterator[RenderableType]:
    outcome = viewed.views[0].outcome
    yield screen.rule
    yield screen.text(one_line(outcome.name), "bold").append(f"  {one_line(viewed.title)}")
    if viewed.item is None:
        yield screen.text("Its texts were not found.", "yellow")
    else:
        yield from _texts(viewed.item, screen)
    for view in viewed.views:
        yield Text()
        score = known(view.score)
        shown = screen.glyphs.no_data if score is None else f"{score:.4g}"
        yield screen.text(view.scorer, "bold").append(f"  score {shown}", "not bold")
        for line in _made_of_it(view.outcome, screen):
            yield Padding(screen.text(line), (0, 0, 0, 2))
    if replies:
        yield from _statements(viewed, screen)


def _texts(item: Item, screen: Screen) -> Iterator[RenderableType]:
    if item.is_conversation:
        for turn in item.turns:
            yield from text_part(turn.role.capitalize(), turn.content, screen)
    else:
        yield from text_part("Prompt", item.prompt, screen)
    grades = [response.grade for response in item.responses]
    for place, response in enumerate(item.responses):
        about = f"  {len(response.text):,} characters"
        yield from text_part(_named(place, grades), response.text, screen, about)
    if len(item.pairs) == 1:
        (pair,) = item.pairs
        texts = (item.texts[pair.better], item.texts[pair.worse])
        yield from marked_difference("The difference", texts, screen)


def _named(place: int, grades: Sequence[float]) -> str:
    """`#2 rejected`; of graded responses `#2, grade 4`."""
    if set(grades) <= {0.0, 1.0}:
        return f"#{place + 1} {'chosen' if grades[place] else 'rejected'}"
    return f"#{place + 1}, grade {grades[place]:g}"


def _made_of_it(outcome: ItemOutcome, screen: Screen) -> Iterator[str]:
    grades, none = outcome.grades, screen.glyphs.no_data
    if outcome.rewards is not None:
        for place, reward in enumerate(outcome.rewards):
            number = known(reward)
            yield f"{_named(place, grades)}: {none if number is None else f'{number:.4g}'}"
    for chosen in outcome.choices or ():
        if isinstance(chosen, tuple):
            yield f"chose {' = '.join(_named(place, grades) for place in chosen)}"
        else:
            yield "no verdict" if chosen == NO_VERDICT else none
    for better, worse, votes in outcome.votes or ():
        told = ", ".join(_vote(vote, none) for vote in votes)
        yield f"#{better + 1} better than #{worse + 1}: {told}"


def _vote(vote: Vote, none: str) -> str:
    if isinstance(vote, float | int):
        return f"{vote:.3g}"
    return "no verdict" if vote == NO_VERDICT else none


def _statements(viewed: ViewedItem, screen: Screen) -> Iterator[RenderableType]:
    grades = viewed.views[0].outcome.grades
    silent = True
    for view in viewed.views:
        for said in view.statements:
            silent = False
            yield Text()
            yield screen.text(f"{view.scorer}: {_about(said, grades)}", "bold")
            yield screen.text(_verdict(said.answer, said.shown, grades), "dim")
            yield Padding(screen.text(said.text.strip("\n")), (0, 0, 0, 2))
    if silent:
        yield Text()
        yield screen.text("No words about this item are kept.", "yellow")


def _about(said: ItemStatement, grades: Sequence[float]) -> str:
    """What was shown, in its order: `A #2 rejected, B #1 chosen, vote 2`."""
    names = [_named(place, grades) for place in said.shown]
    if len(names) > 1:
        names = [f"{_letter(k)} {name}" for k, name in enumerate(names)]
    return ", ".join([*names, *([f"vote {said.vote + 1}"] if said.vote else [])])


def _verdict(answer: Answer, shown: Sequence[int], grades: Sequence[float]) -> str:
    match answer:
        case Unscored(status):
            return f"not scored: {status}"
        case Reward(value):
            return f"rating {value:g}"
        case Verdict(first) if first == TIE:
            return "a tie"
        case Verdict(first):
            place = 0 if first > TIE else 1
            chance = "" if first in (0, 1) else f", P(A) = {first:.3g}"
            return f"{_letter(place)} is better{chance}: {_named(shown[place], grades)} wins"
        case Choice(place) if place < len(shown):
            return f"{_letter(place)} is the best: {_named(shown[place], grades)}"
    return "not scored"


def _letter(place: int) -> str:
    return chr(ord("A") + place) if place < 26 else str(place + 1)


def items_to_json(found: Sequence[ViewedItem], *, replies: bool) -> list[Json]:
    """Everything, for programs: texts as they are; places of responses count from 0."""
    return [_item_json(viewed, replies=replies) for viewed in found]


def _item_json(viewed: ViewedItem, *, replies: bool) -> Json:
    item, outcome = viewed.item, viewed.views[0].outcome
    return {
        "benchmark": viewed.benchmark,
        "id": outcome.id,
        "subset": outcome.subset,
        "messages": None if item is None else [list(message) for message in item.messages],
        "responses": None if item is None else list(item.texts),
        "grades": list(outcome.grades),
        "scorers": [_view_json(view, replies=replies) for view in viewed.views],
    }


def _view_json(view: ItemView, *, replies: bool) -> Json:
    found: dict[str, Json] = {"scorer": view.scorer, "score": view.score}
    told = outcome_to_json(view.outcome, view.score)
    found |= {name: told[name] for name in ("rewards", "choices", "pairs") if name in told}
    if replies:
        found["replies"] = [
            {
                "shown": list(said.shown),
                "vote": said.vote,
                "text": said.text,
                "answer": answer_to_json(said.answer),
                "model": said.model,
            }
            for said in view.statements
        ]
    return found
