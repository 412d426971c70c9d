# ruff: noqa: RUF001  the en dash is what is tested
"""Tables in a terminal: exact text at a fixed width, legible without colour, nothing obeyed."""

from __future__ import annotations

import io
import re
from dataclasses import replace

import pytest
from drawn_reports import FAIR, FAIR_STRICT, LENGTH, draw, everything, lines_of, report
from rich.console import Console

from rmjudge.metrics.report import Position
from rmjudge.metrics.tallies import Matrix
from rmjudge.render.cells import summary_lines
from rmjudge.render.commands.report import (
    activity_sheet,
    bill_sheet,
    judge_sheet,
    report_renderable,
    summary_sheet,
)
from rmjudge.render.figures import UNICODE
from rmjudge.render.rows import footnotes, summary_rows
from rmjudge.runs.results import Bill, CallCounts, Tokens
from rmjudge.text import cell_width
from rmjudge.vocabulary import DOMAINS, Domain

HOSTILE = [
    "[/INST]",
    "[bold red]x[/]",
    "\x1b[31mred\x1b]8;;http://x\x07\x9b2J",
    "\u202egpt\u2066\u200b\ufeff",
    "=cmd()",
    "a|b",
    r"\input{x}",
    "new\nline\r\nhere",
    "\ud800lone",
    ":smile:",
    "模型" * 40,
    "x" * 300,
    "",
]


def test_the_summary_fits_in_80_columns_with_its_marks_explained() -> None:
    assert lines_of(draw(summary_sheet(summary_rows(everything())))) == [
        "Accuracy, %",
        "Scorer               Chat Math Code Safety   Easy Normal  Hard           Average",
        "────────────────────────────────────────────────────────────────────────────────",
        "openai/gpt-4.1       70.0 70.0 70.0   70.0  83.3   70.0  56.7  70.0 (67.9-72.1)†",
        "  strict             65.0 65.0 65.0   65.0  78.3   65.0  51.7  65.0†",
        "openrouter/deepseek/ 70.0    –    –   70.0  83.3*  70.0* 56.7* 70.0 (67.9-72.1)*",
        "deepseek-r1-0528",
        "hf/Skywork/Skywork-     –    –    –      –  83.3      –  56.7     –",
        "Reward-V2-Llama-3.1-",
        "8B",
        "baseline/length      50.0 50.0 50.0   50.0 100.0   50.0   0.0  50.0 (47.9-52.1)",
        "* openrouter/deepseek/deepseek-r1-0528: average over chat, safety only; math,",
        "code missing",
        "† openai/gpt-4.1: 12 of 4644 cells not scored; average between 48.1 and 51.3",
        "Reading: strict for rewards (a tie is no win), half credit for judges.",
        "In parentheses: the 95 % interval, with the tuple as its unit. Indented: the",
        "other reading.",
    ]


def test_the_judges_are_shown_with_what_can_be_doubted() -> None:
    assert lines_of(draw(judge_sheet(everything()))) == [
        "Judges, %",
        "                                          Split between    Not    First Survives",
        "Scorer                               Tied        orders scored position     swap",
        "────────────────────────────────────────────────────────────────────────────────",
        "openai/gpt-4.1                        3.1             –    0.3     55.7     81.2",
        "openrouter/deepseek/deepseek-r1-0528  3.1             –    0.0     51.0        –",
        "Tied: the judge said so, in both orders where both were asked. Split between",
        "orders: each order names another winner. First position: verdicts for the",
        "response shown first, of those that are no tie. Survives swap: pairs with the",
        "same verdict in both orders.",
    ]


def test_the_calls_of_each_scorer_are_shown() -> None:
    reports = [report("openai/gpt-4.1"), report("baseline/length")]
    drawn = [" ".join(line.split()) for line in lines_of(draw(activity_sheet(reports)))]
    assert drawn[:2] + drawn[-2:] == [
        "What each scorer did",
        "Scorer Planned Cached Sent Retried Failed Unscored Maybe billed",
        "openai/gpt-4.1 1,161 1,000 161 7 2 5 1",
        "baseline/length 1,161 1,000 161 7 2 5 1",
    ]


def test_what_each_scorer_took_is_shown_for_this_run_and_in_all() -> None:
    whole = Bill(1_161, Tokens(900_000, 80_000), 1.5, cost_known=True)
    reports = [
        replace(report("openai/gpt-4.1"), tokens=Tokens(1000, 100), in_all=whole),
        replace(report("vllm/own"), tokens=Tokens(10, 0), cost=None, cost_known=False),
        replace(report("baseline/length"), tokens=Tokens(), cost=0.0),
    ]
    drawn = [" ".join(line.split()) for line in lines_of(draw(bill_sheet(reports)))]
    assert [*drawn[:2], *drawn[3:6]] == [
        "What it took",
        "Scorer Answers Calls Tokens in Tokens out Cost",
        "openai/gpt-4.1 this run 161 1,000 100 $0.0123",
        "in all 1,161 900,000 80,000 $1.50",
        "vllm/own this run 161 10 – unknown",
    ]


def test_without_colour_no_escape_code_is_written() -> None:
    stream = io.StringIO()
    console = Console(file=stream, width=80, force_terminal=True, color_system=None)
    console.print(report_renderable(everything()))
    assert "70.0 (67.9-72.1)" in stream.getvalue()
    assert "\x1b" not in stream.getvalue()


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "cp1252"])
@pytest.mark.parametrize("width", [20, 47, 60, 80, 100, 200])
def test_no_line_is_wider_than_the_console(width: int, encoding: str) -> None:
    text = draw(report_renderable(everything()), width, encoding)
    assert max(map(len, text.splitlines())) <= width


@pytest.mark.parametrize("width", [47, 60, 72, 76, 80])
def test_a_figure_is_never_cut(width: int) -> None:
    text = draw(summary_sheet(summary_rows(everything())), width)
    assert text.count("70.0 (67.9-72.1)") == 2
    assert "100.0" in text
    assert "…" not in text


def test_the_report_shows_everything_in_its_order() -> None:
    text = draw(report_renderable(everything()))
    places = [
        text.index(words)
        for words in (
            "Substance or style?",
            "Accuracy, %",
            "Judges, %",
            "What each scorer did",
            "openai/gpt-4.1\npairwise, both orders, 516 tuples",
            "Chat  129 tuples",
            "Safety  129 tuples",
            "Verdicts that survive the swap, %",
            "baseline/length\npointwise, 516 tuples",
        )
    ]
    assert places == sorted(places)


def test_without_a_judge_there_is_no_table_of_judges() -> None:
    text = draw(report_renderable([report("baseline/length", LENGTH, reading="strict")]))
    assert "Judges" not in text
    assert "Reading: strict, a tie is no win." in text
    assert "Indented" not in text


def test_a_run_that_made_no_calls_has_no_table_of_calls() -> None:
    made, imported = report("made"), replace(report("imported"), calls=CallCounts())
    assert [row[0] for row in activity_sheet([made, imported]).rows] == ["made"]
    assert "What each scorer did" not in draw(report_renderable([imported]))


def test_a_note_is_shown_on_its_scorer() -> None:
    text = draw(report_renderable([replace(report("x"), notes=("12 % by [b]fallback\x1b[0m",))]))
    assert "12 % by [b]fallback[0m" in text


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize(("encoding", "width"), [("utf-8", 80), ("ascii", 40)])
def test_a_hostile_name_is_inert(name: str, encoding: str, width: int) -> None:
    position = Position(decided=9, first_share=0.5)
    item = report(name, FAIR, FAIR_STRICT, domains=("chat",), unscored=3, position=position)
    harmless = replace(item, metrics=replace(item.metrics, scorer="harmless"))
    text = draw(report_renderable([replace(item, notes=(name,)), report("x")]), width, encoding)
    usual = draw(report_renderable([replace(harmless, notes=("x",)), report("x")]), width, encoding)
    assert not re.search(
        "[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]", text
    )
    assert "\ufeff" not in text
    assert "😄" not in text
    assert max(map(cell_width, text.splitlines())) <= width
    numbers = r"\d+\.\d"
    assert len(re.findall(numbers, text)) == len(re.findall(numbers, usual))


def test_markup_in_a_name_is_shown_and_not_read() -> None:
    text = draw(summary_sheet(summary_rows([report("[/INST][red]x")])))
    assert "[/INST][red]x" in text


def test_a_row_made_by_hand_is_cleaned_where_it_is_drawn() -> None:
    (row,) = summary_rows([report("x", unscored=3)])
    text = draw(summary_sheet([replace(row, scorer="\x1b[2Jx\u202e")]))
    assert "[2Jx" in text
    assert not re.search("[\x1b\u202e]", text)


def test_two_names_that_look_alike_are_told_apart() -> None:
    rows = summary_rows([report("a"), report("a\u200b"), report("a (2)")])
    assert [row.scorer for row in rows] == ["a", "a (2)", "a (2) (2)"]


def test_a_very_long_name_is_cut_with_a_mark() -> None:
    text = draw(summary_sheet(summary_rows([report("x" * 300)])))
    assert text.count("…") == 1
    assert lines_of(text)[3].startswith("x" * 18)


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_no_data_is_a_dash_and_never_a_number(encoding: str) -> None:
    none: Matrix = ((None,) * 3,) * 3
    item = report("x", none, half=None, unscored=4644, position=Position(0, None))
    metrics = replace(item.metrics, tie_rate=None)
    text = draw(report_renderable([replace(item, metrics=metrics)]), 80, encoding)
    assert not re.search(r"\b(None|nan|inf)\b", text)
    assert not re.search(r"(?<![\d.])0\.0(?!\d)", text)


def test_an_average_that_leaves_out_a_domain_never_stands_without_its_mark() -> None:
    rows = summary_rows([report("a", FAIR, FAIR_STRICT, domains=("chat", "code")), report("b")])
    text = lines_of(draw(summary_sheet(rows)))
    for line in text[3:5]:
        assert line.endswith("*")
        assert line.count("*") == 4
    assert "*" not in text[5]
    assert [row.incomplete for row in rows] == [True, False]


@pytest.mark.parametrize(
    ("domains", "expected"),
    [
        ([("chat", "safety")], ["average over chat, safety only; math, code missing"]),
        ([("chat",)] * 2, ["average over chat only; math, code, safety missing"]),
        ([("chat",), DOMAINS], ["s0: average over chat only; math, code, safety missing"]),
        ([()], ["no average; chat, math, code, safety missing"]),
        ([DOMAINS], []),
    ],
)
def test_a_footnote_names_the_missing_domains_and_whose(
    domains: list[tuple[Domain, ...]], expected: list[str]
) -> None:
    reports = [report(f"s{n}", domains=present) for n, present in enumerate(domains)]
    assert [note.text for note in footnotes(summary_rows(reports))] == expected


def test_the_other_reading_is_shown_only_where_its_figures_differ() -> None:
    same, judge, reward = summary_rows(
        [
            report("same"),
            report("judge", FAIR, FAIR_STRICT),
            report("reward", FAIR_STRICT, FAIR, reading="strict"),
        ]
    )
    assert same.other is None
    assert (judge.other_reading, reward.other_reading) == ("strict", "half_credit")
    assert judge.other == reward.scores
    assert reward.other == judge.scores


def test_both_ends_of_the_interval_stand_beside_the_average() -> None:
    (row,) = summary_rows([report("x", half=0.021)])
    (line,) = summary_lines([row], UNICODE)
    assert line.figures[-1].text == "70.0 (67.9-72.1)"
    (row,) = summary_rows([report("x", half=None)])
    assert summary_lines([row], UNICODE)[0].figures[-1].text == "70.0"


def test_no_report_at_all_is_still_drawn() -> None:
    text = draw(report_renderable([]))
    assert "Accuracy, %" in text


def test_a_scorer_without_data_says_so() -> None:
    text = draw(report_renderable([report("x", domains=())]))
    assert "No data." in text
    assert "* no average; chat, math, code, safety missing" in text
