"""`rmjudge show`: one tuple in a terminal, its texts, what each scorer made of it, and said."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from rmjudge.calls import Answer, Json, Unscored, answer_to_json
from rmjudge.dataset.quality import SIDES
from rmjudge.dataset.tuples import BenchTuple
from rmjudge.metrics.tallies import TIE
from rmjudge.render.difference import Piece, difference
from rmjudge.render.figures import known
from rmjudge.render.terminal.screen import OnScreen, Screen
from rmjudge.runs.statements import Statement
from rmjudge.runs.views import Outcome, View, ViewedTuple
from rmjudge.text import clean, one_line
from rmjudge.vocabulary import STYLES, Style

NAME_WIDTH: Final = 18
NAME_LINES: Final = 3
FIGURE_WIDTH: Final = 8
BESIDE: Final = 100
"""Columns from which on the two texts of a pair stand side by side."""
MARKS: Final = (("{+", "+}"), ("[-", "-]"))
MARK_STYLES: Final = ("bold bright_blue", "bold yellow")


def tuple_renderable(
    view: View, viewed: ViewedTuple, *, pair: tuple[Style, Style], replies: bool
) -> RenderableType:
    """Draw a tuple of the view; it fits in 80 columns.

    `pair` names the styles of the chosen and the rejected response whose difference is marked;
    `replies` adds the judges' words.
    """
    return OnScreen(lambda screen: Group(*_parts(screen, view, viewed, pair, replies=replies)))


def _parts(
    screen: Screen, view: View, viewed: ViewedTuple, pair: tuple[Style, Style], *, replies: bool
) -> Iterator[RenderableType]:
    scorers = [scorer.name for scorer in view.scorers]
    yield screen.rule
    subset = viewed.subset if viewed.subset != viewed.domain else None
    yield screen.text(viewed.name, "bold").append(f"  {clean(subset or '')}".rstrip())
    yield from _texts(viewed, screen)
    if viewed.item is not None:
        yield from _difference(viewed.item, pair, screen)
    yield from _rewards(viewed, scorers, screen)
    yield from _credits(viewed, scorers, screen)
    if replies:
        yield from _statements(viewed, scorers, screen)


def _texts(viewed: ViewedTuple, screen: Screen) -> Iterator[RenderableType]:
    item = viewed.item
    if item is None:
        yield screen.text("Its texts were not found.", "yellow")
        return
    yield from text_part("Prompt", item.prompt, screen)
    for side, texts in (("chosen", item.chosen), ("rejected", item.rejected)):
        for style, text in zip(STYLES, texts, strict=True):
            yield from text_part(f"{side}, {style}", text, screen, f"  {len(text):,} characters")


def text_part(title: str, text: str, screen: Screen, about: str = "") -> Iterator[RenderableType]:
    """Draw a text below its title."""
    yield Text()
    yield screen.text(title, "bold").append(about, "dim")
    yield Padding(screen.text(text.strip("\n")), (0, 0, 0, 2))


def _difference(
    item: BenchTuple, pair: tuple[Style, Style], screen: Screen
) -> Iterator[RenderableType]:
    chosen, rejected = (STYLES.index(style) for style in pair)
    styles = pair[0] if pair[0] == pair[1] else f"{pair[0]} against {pair[1]}"
    texts = (item.chosen[chosen], item.rejected[rejected])
    yield from marked_difference(f"The difference, {styles}", texts, screen)


def marked_difference(
    title: str, pair: tuple[str, str], screen: Screen
) -> Iterator[RenderableType]:
    """Draw a pair side by side, or one below the other where there is no room, marked."""
    texts = (pair[0].strip("\n"), pair[1].strip("\n"))
    yield Text()
    yield screen.text(title, "bold")
    if texts[0] == texts[1]:
        yield screen.text("None: both texts are the same.", "yellow")
        return
    yield screen.text("{+ +}: only the chosen has it. [- -]: only the rejected has it.", "dim")
    sides = [
        _marked(pieces, marks, style, screen)
        for pieces, marks, style in zip(difference(*texts), MARKS, MARK_STYLES, strict=True)
    ]
    if screen.width >= BESIDE:
        table = Table.grid(expand=True, padding=(0, 2, 0, 0))
        for _ in sides:
            table.add_column(ratio=1, overflow="fold")
        table.add_row(*(Text(side, style="dim") for side in SIDES))
        table.add_row(*sides)
        yield Padding(table, (0, 0, 0, 2))
        return
    for side, text in zip(SIDES, sides, strict=True):
        yield Padding(Text(side, style="dim"), (0, 0, 0, 2))
        yield Padding(text, (0, 0, 0, 2))


def _marked(pieces: Sequence[Piece], marks: tuple[str, str], style: str, screen: Screen) -> Text:
    """Signs as well as colour: a pipe and a colour-blind reader see no colour."""
    text = Text(overflow="fold")
    for piece in pieces:
        shown = screen.encodable(piece.text)
        if piece.own:
            text.append(f"{marks[0]}{shown}{marks[1]}", style)
        else:
            text.append(shown)
    return text


def _rewards(
    viewed: ViewedTuple, scorers: Sequence[str], screen: Screen
) -> Iterator[RenderableType]:
    """Draw six rewards a line, and how many of the nine pairs they put right."""
    table = _grid(("Rewards", *STYLES, *STYLES, "right"), screen, NAME_WIDTH)
    for name, outcome in zip(scorers, viewed.outcomes, strict=True):
        if outcome is None or outcome.chosen is None or outcome.rejected is None:
            continue
        values = [_reward(value, screen) for value in (*outcome.chosen, *outcome.rejected)]
        table.add_row(
            screen.folded(_by(name, outcome), NAME_WIDTH, NAME_LINES),
            *values,
            Text(f"{_right(outcome)}/9"),
        )
    if table.row_count:
        yield Text()
        head = " " * (NAME_WIDTH + 1) + f"{'chosen':<{3 * (FIGURE_WIDTH + 1)}}rejected"
        yield screen.text(head, "dim")
        yield table


def _credits(
    viewed: ViewedTuple, scorers: Sequence[str], screen: Screen
) -> Iterator[RenderableType]:
    """Draw each judge's nine credits, rows by the style of the chosen."""
    axes = f"{screen.glyphs.chosen_axis} {screen.glyphs.rejected_axis}"
    for name, outcome in zip(scorers, viewed.outcomes, strict=True):
        if outcome is None or outcome.chosen is not None:
            continue
        yield Text()
        yield screen.text(_by(name, outcome), "bold").append(
            "  credit of the chosen: 1 it wins, 0 it loses", "not bold dim"
        )
        table = _grid((axes, *STYLES), screen, len(axes))
        for style, row in zip(STYLES, outcome.credits, strict=True):
            table.add_row(Text(style), *(_credit(value, screen) for value in row))
        yield table
    absent = [
        one_line(name)
        for name, outcome in zip(scorers, viewed.outcomes, strict=True)
        if outcome is None
    ]
    if absent:
        yield Text()
        yield screen.text(f"Not in the run of {', '.join(absent)}.", "dim")


def _by(name: str, outcome: Outcome) -> str:
    other = outcome.scorer is not None and one_line(outcome.scorer) != name
    return f"{name} (by {one_line(outcome.scorer or '')})" if other else name


def _grid(header: Sequence[str], screen: Screen, width: int) -> Table:
    table = Table(box=None, padding=(0, 1, 0, 0), show_edge=False, header_style="dim")
    table.add_column(screen.text(header[0]), min_width=width, max_width=width, overflow="fold")
    for name in header[1:]:
        table.add_column(Text(name), justify="right", min_width=min(FIGURE_WIDTH, len(name)))
    return table


def _reward(value: float | None, screen: Screen) -> Text:
    number = known(value)
    return Text(screen.glyphs.no_data if number is None else f"{number:.4g}")


def _credit(value: float | None, screen: Screen) -> Text:
    number = known(value)
    if number is None:
        return Text(screen.glyphs.no_data, "dim")
    return Text(
        f"{number:.3g}", "bright_blue" if number > TIE else "yellow" if number < TIE else ""
    )


def _right(outcome: Outcome) -> int:
    return sum(credit is not None and credit > TIE for row in outcome.credits for credit in row)


def _statements(
    viewed: ViewedTuple, scorers: Sequence[str], screen: Screen
) -> Iterator[RenderableType]:
    silent = True
    for name, outcome in zip(scorers, viewed.outcomes, strict=True):
        for said in outcome.statements if outcome else ():
            silent = False
            yield Text()
            yield screen.text(f"{name}: {about(said)}", "bold")
            yield screen.text(verdict(said.answer, said.chosen_first), "dim")
            yield Padding(screen.text(said.text.strip("\n")), (0, 0, 0, 2))
    if silent:
        yield Text()
        yield screen.text("No words about this tuple are kept.", "yellow")


def about(said: Statement) -> str:
    """Say what a statement is about, and who was shown first."""
    vote = f", vote {said.vote + 1}" if said.vote else ""
    chosen = "" if said.chosen is None else f"chosen {STYLES[said.chosen]}"
    rejected = "" if said.rejected is None else f"rejected {STYLES[said.rejected]}"
    if said.chosen_first is None:
        return f"{chosen or rejected}{vote}"
    first, second = (chosen, rejected) if said.chosen_first else (rejected, chosen)
    return f"A {first}, B {second}{vote}"


def verdict(answer: Answer, chosen_first: bool | None) -> str:
    """Say what was made of the words."""
    if isinstance(answer, Unscored):
        return f"not scored: {answer.status}"
    (value,) = (float(str(number)) for number in answer_to_json(answer).values())
    if chosen_first is None:
        return f"rating {value:g}"
    if value == TIE:
        return "a tie"
    winner = "chosen" if (value > TIE) == chosen_first else "rejected"
    chance = "" if value in (0, 1) else f", P(A) = {value:.3g}"
    return f"{'A' if value > TIE else 'B'} is better{chance}: the {winner} wins"


def tuples_to_json(view: View, *, replies: bool) -> dict[str, Json]:
    """Everything, for programs: texts as they are, `replies` with what each is about."""
    return {
        "tuples": [_tuple_json(view, viewed, replies=replies) for viewed in view.tuples],
        "notes": list(view.notes),
    }


def _tuple_json(view: View, viewed: ViewedTuple, *, replies: bool) -> Json:
    item = viewed.item
    return {
        "id": viewed.id,
        "domain": viewed.domain,
        "subset": viewed.subset,
        "prompt": item.prompt if item else None,
        "chosen": list(item.chosen) if item else None,
        "rejected": list(item.rejected) if item else None,
        "scorers": [
            _outcome_json(scorer.name, outcome, replies=replies)
            for scorer, outcome in zip(view.scorers, viewed.outcomes, strict=True)
            if outcome is not None
        ],
    }


def _outcome_json(name: str, outcome: Outcome, *, replies: bool) -> Json:
    found: dict[str, Json] = {
        "scorer": name,
        "scored_by": outcome.scorer,
        "credits": [list(row) for row in outcome.credits],
        "score_chosen": list(outcome.chosen) if outcome.chosen else None,
        "score_rejected": list(outcome.rejected) if outcome.rejected else None,
    }
    if replies:
        found["replies"] = [
            {
                "chosen": None if said.chosen is None else STYLES[said.chosen],
                "rejected": None if said.rejected is None else STYLES[said.rejected],
                "chosen_first": said.chosen_first,
                "vote": said.vote,
                "text": said.text,
                "answer": answer_to_json(said.answer),
                "model": said.model,
            }
            for said in outcome.statements
        ]
    return found
