# ruff: noqa: RUF001  the en dash is what is tested
"""JSON, CSV, Markdown and LaTeX: the same numbers, inert names, and no mark lost on the way."""

import csv
import io
import json
import math
import re
from collections.abc import Sequence
from typing import Any

import pytest

from rmjudge.metrics.accuracy import accuracies_of, macro
from rmjudge.metrics.codec import metrics_to_json
from rmjudge.metrics.report import (
    DomainMetrics,
    Interval,
    Intervals,
    Metrics,
    Position,
)
from rmjudge.metrics.tallies import Matrix
from rmjudge.render.commands.report_data import to_csv, to_json, to_latex, to_markdown
from rmjudge.runs.results import CallCounts, ScorerResult, Tokens
from rmjudge.vocabulary import DOMAINS, Domain

CREDIT: Matrix = ((0.7, 0.6, 0.5), (0.8, 0.7, 0.6), (0.9, 0.8, 0.7))
STRICT: Matrix = ((0.65, 0.55, 0.45), (0.75, 0.65, 0.55), (0.85, 0.75, 0.65))
EMPTY: Matrix = ((None,) * 3,) * 3
NAN: Matrix = ((math.nan,) * 3,) * 3
CALLS = CallCounts(planned=1161, from_cache=1000, sent=161, retried=7, failed=2, maybe_billed=1)


def result(metrics: Metrics, note: str) -> ScorerResult:
    return ScorerResult(
        metrics=metrics,
        tuples=(),
        calls=CALLS,
        tokens=Tokens(),
        cost=0.0123,
        cost_known=True,
        statuses={},
        models={},
        notes=(note,) if note else (),
    )


INTERVAL = Interval(0.679, 0.721)
SWAP = Position(decided=900, first_share=0.557, swap_consistency=0.812, swap_matrix=CREDIT)
HOSTILE = [
    "[/INST]",
    "\x1b[31mred\x07\x9b2J",
    "\u202egpt\u2066\u200b\ufeff",
    "=cmd()|' /C calc'!A0",
    "@SUM(1+1)",
    "-2+3",
    "a|b",
    r"a\|b",
    r"\input{x}",
    r"$x_1^2$ & 5% #~",
    "*[2em]",
    "new\nline\r\nhere",
    'quo"te,comma;',
    "<script>alert(1)</script>",
    "\ud800lone",
    "",
]


def report(
    scorer: str,
    *,
    matrix: Matrix = CREDIT,
    strict: Matrix = STRICT,
    domains: Sequence[Domain] = DOMAINS,
    unscored: int = 0,
    position: Position | None = None,
    note: str = "",
) -> ScorerResult:
    headline, second = accuracies_of(matrix), accuracies_of(strict)
    known = headline.average is not None
    intervals = Intervals(*((INTERVAL if known else None,) * 4))
    bounds = Interval(0.481, 0.513)
    by_domain = {
        name: DomainMetrics(
            tuples=129,
            matrix=matrix,
            headline=headline,
            strict=second,
            half_credit=headline,
            intervals=intervals,
            tie_rate=0.031 if known else None,
            unscored_cells=unscored if name == domains[0] else 0,
            bounds=bounds,
        )
        for name in domains
    }
    metrics = Metrics(
        scorer=scorer,
        method="pairwise",
        order="both",
        reading="half_credit",
        tuples=129 * len(domains),
        domains=by_domain,
        missing_domains=tuple(name for name in DOMAINS if name not in domains),
        headline=macro(dict.fromkeys(by_domain, headline)),
        strict=macro(dict.fromkeys(by_domain, second)),
        half_credit=macro(dict.fromkeys(by_domain, headline)),
        intervals=intervals,
        tie_rate=0.031 if known else None,
        unscored_cells=unscored,
        bounds=bounds,
        position=position,
    )
    return result(metrics, note)


def csv_rows(reports: Sequence[ScorerResult]) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(to_csv(reports))))


def loaded(reports: Sequence[ScorerResult]) -> list[dict[str, Any]]:
    document: dict[str, Any] = json.loads(to_json(reports))
    assert document["format"] == 1
    scorers: list[dict[str, Any]] = document["scorers"]
    return scorers


def pipe_cells(line: str) -> list[str]:
    """Split a line of a pipe table as CommonMark's table extension does."""
    return re.split(r"(?<!\\)\|", line)[1:-1]


def test_json_holds_fractions_in_the_shape_of_a_runs_metrics() -> None:
    (scorer,) = loaded([report("openai/x", unscored=12, position=SWAP, note="a\tnote")])
    assert {key: scorer[key] for key in ("scorer", "method", "order", "headline", "tuples")} == {
        "scorer": "openai/x",
        "method": "pairwise",
        "order": "both",
        "headline": "half_credit",
        "tuples": 516,
    }
    assert scorer["complete"] is False
    assert scorer["average"] == pytest.approx(0.7)
    assert scorer["strict"]["average"] == pytest.approx(0.65)
    assert scorer["intervals"]["average"] == {"low": 0.679, "high": 0.721}
    assert scorer["bounds"] == {"low": 0.481, "high": 0.513}
    assert scorer["domains"]["chat"]["matrix"] == [list(row) for row in CREDIT]
    assert scorer["domains"]["chat"]["unscored_cells"] == 12
    assert scorer["position"]["swap_matrix"] == [list(row) for row in CREDIT]
    assert scorer["calls"] == {
        "planned": 1161,
        "from_cache": 1000,
        "sent": 161,
        "retried": 7,
        "failed": 2,
        "unscored": 0,
        "maybe_billed": 1,
    }
    assert (scorer["cost"], scorer["cost_known"], scorer["note"]) == (0.0123, True, "a note")


def test_json_holds_all_that_metrics_json_holds() -> None:
    made = report("openai/x", unscored=12, position=SWAP, domains=("chat", "safety"))
    (scorer,) = loaded([made])
    kept = metrics_to_json(made.metrics)
    assert {name: scorer[name] for name in kept} == kept
    assert set(scorer) - set(kept) == {
        *("calls", "tokens", "cost", "cost_known", "in_all", "note", "conclusion")
    }


def test_json_names_the_missing_domains_and_leaves_them_out() -> None:
    (scorer,) = loaded([report("x", domains=("chat", "safety"))])
    assert scorer["missing_domains"] == ["math", "code"]
    assert list(scorer["domains"]) == ["chat", "safety"]
    assert scorer["position"] is None


@pytest.mark.parametrize("matrix", [EMPTY, NAN])
def test_json_says_null_where_there_is_no_data(matrix: Matrix) -> None:
    (scorer,) = loaded([report("x", matrix=matrix, strict=matrix)])
    assert scorer["average"] is None
    assert scorer["domains"]["chat"]["matrix"] == [[None] * 3] * 3
    assert "NaN" not in to_json([report("x", matrix=matrix)])


def test_csv_is_tidy_and_says_what_each_number_is_of() -> None:
    text = to_csv([report("openai/x", unscored=12)])
    chat = [line for line in text.splitlines() if ",chat," in line]
    assert text.splitlines()[0] == "scorer,domain,measure,value,low,high"
    assert chat == [
        "openai/x,chat,easy,0.833333,0.679000,0.721000",
        "openai/x,chat,normal,0.700000,0.679000,0.721000",
        "openai/x,chat,hard,0.566667,0.679000,0.721000",
        "openai/x,chat,average,0.700000,0.679000,0.721000",
        "openai/x,chat,strict:easy,0.783333,,",
        "openai/x,chat,strict:normal,0.650000,,",
        "openai/x,chat,strict:hard,0.516667,,",
        "openai/x,chat,strict:average,0.650000,,",
        "openai/x,chat,half_credit:easy,0.833333,,",
        "openai/x,chat,half_credit:normal,0.700000,,",
        "openai/x,chat,half_credit:hard,0.566667,,",
        "openai/x,chat,half_credit:average,0.700000,,",
        "openai/x,chat,tie_rate,0.031000,,",
        "openai/x,chat,split_rate,,,",
        "openai/x,chat,unscored_rate,0.010336,,",
        "openai/x,chat,tuples,129,,",
        "openai/x,chat,unscored_cells,12,,",
        "openai/x,chat,bounds,,0.481000,0.513000",
        "openai/x,chat,cell:concise>concise,0.700000,,",
        "openai/x,chat,cell:concise>detailed,0.600000,,",
        "openai/x,chat,cell:concise>markdown,0.500000,,",
        "openai/x,chat,cell:detailed>concise,0.800000,,",
        "openai/x,chat,cell:detailed>detailed,0.700000,,",
        "openai/x,chat,cell:detailed>markdown,0.600000,,",
        "openai/x,chat,cell:markdown>concise,0.900000,,",
        "openai/x,chat,cell:markdown>detailed,0.800000,,",
        "openai/x,chat,cell:markdown>markdown,0.700000,,",
    ]


def test_csv_gives_a_judges_position_over_all_domains() -> None:
    rows = {row["measure"]: row for row in csv_rows([report("x", position=SWAP)])}
    assert rows["first_share"]["domain"] == "all"
    assert rows["swap_consistency"]["value"] == "0.812000"
    assert rows["swap:concise>markdown"]["value"] == "0.500000"


def test_an_incomplete_average_is_never_called_all_in_csv() -> None:
    rows = csv_rows([report("x", domains=("chat", "safety"))])
    assert {row["domain"] for row in rows} == {"chat", "math", "code", "safety", "chat+safety"}
    missing = [row for row in rows if row["domain"] in ("math", "code")]
    assert [(row["measure"], row["value"]) for row in missing] == [("average", "")] * 2


@pytest.mark.parametrize("matrix", [EMPTY, NAN])
def test_csv_leaves_the_field_empty_where_there_is_no_data(matrix: Matrix) -> None:
    rows = csv_rows([report("x", matrix=matrix, strict=matrix)])
    unknown = [row for row in rows if row["measure"] not in ("tuples", "unscored_cells")]
    assert {row["value"] for row in unknown} <= {"", "0.000000", "0.031000"}


def test_markdown_is_a_pipe_table_with_its_footnotes() -> None:
    reports = [report("openai/x", unscored=12), report("b_c", strict=CREDIT, domains=("chat",))]
    text = to_markdown(reports)
    assert text.split("\n\n### ")[0].split("\n") == [
        "| Scorer | Chat | Math | Code | Safety | Easy | Normal | Hard | Average |",
        "| --- | --: | --: | --: | --: | --: | --: | --: | --: |",
        "| openai/x | 70.0 | 70.0 | 70.0 | 70.0 | 83.3 | 70.0 | 56.7 | 70.0 (67.9-72.1)† |",
        "| &emsp;strict | 65.0 | 65.0 | 65.0 | 65.0 | 78.3 | 65.0 | 51.7 | 65.0† |",
        r"| b\_c | 70.0 | – | – | – | 83.3\* | 70.0\* | 56.7\* | 70.0 (67.9-72.1)\* |",
        "",
        r"\* b\_c: average over chat only; math, code, safety missing",
        "",
        "† openai/x: 12 of 4644 cells not scored; average between 48.1 and 51.3",
        "",
        "Accuracy in %. Reading: half credit, a tie is half a win. "
        "In parentheses: the 95 % interval, with the tuple as its unit. Indented: the other "
        "reading.",
    ]


def test_markdown_holds_every_matrix_and_its_unscored_cells() -> None:
    text = to_markdown([report("x", domains=("chat", "math"), unscored=12, note="a *note*")])
    assert r"a \*note\*" in text
    assert text.count("| chosen ↓ / rejected → | concise | detailed | markdown |") == 2
    assert text.count("| detailed | 80.0 | 70.0 | 60.0 |") == 2
    assert "Chat, 129 tuples, half credit, %; 12 of 1161 cells not scored; average" in text
    assert "Math, 129 tuples, half credit, %\n" in text


def test_latex_is_booktabs_with_the_marks_explained_in_the_caption() -> None:
    text = to_latex([report("openai/x_1", unscored=12), report("b", domains=("chat", "safety"))])
    summary = text.split("\n\n")[1]
    assert summary.splitlines() == [
        r"\begin{table}[t]",
        r"\centering",
        r"\small",
        r"\begin{tabular}{lrrrrrrrr}",
        r"\toprule",
        r"Scorer & Chat & Math & Code & Safety & Easy & Normal & Hard & Average \\",
        r"\midrule",
        r"openai/x\_1 & 70.0 & 70.0 & 70.0 & 70.0 & 83.3 & 70.0 & 56.7 "
        r"& 70.0 (67.9-72.1)$^{\dagger}$ \\",
        r"\quad strict & 65.0 & 65.0 & 65.0 & 65.0 & 78.3 & 65.0 & 51.7 & 65.0$^{\dagger}$ \\",
        r"b & 70.0 & -- & -- & 70.0 & 83.3$^{*}$ & 70.0$^{*}$ & 56.7$^{*}$ "
        r"& 70.0 (67.9-72.1)$^{*}$ \\",
        r"\quad strict & 65.0 & -- & -- & 65.0 & 78.3$^{*}$ & 65.0$^{*}$ & 51.7$^{*}$ "
        r"& 65.0$^{*}$ \\",
        r"\bottomrule",
        r"\end{tabular}",
        r"\caption{Accuracy in \%. Reading: half credit, a tie is half a win. "
        r"In parentheses: the 95 \% interval, with the tuple as its unit. Indented: the other "
        r"reading. "
        r"$^{*}$ b: average over chat, safety only; math, code missing. "
        r"$^{\dagger}$ openai/x\_1: 12 of 4644 cells not scored; average between 48.1 and 51.3.}",
        r"\end{table}",
    ]


def test_latex_holds_every_matrix() -> None:
    text = to_latex([report("x", domains=("chat", "math"), unscored=12)])
    assert "Chat & concise & 70.0 & 60.0 & 50.0 \\\\\n & detailed & 80.0" in text
    assert r"\cmidrule(lr){3-5}" in text
    assert "Chat: 12 of 1161 cells not scored" in text


@pytest.mark.parametrize("export", [to_markdown, to_latex])
@pytest.mark.parametrize("matrix", [EMPTY, NAN])
def test_no_data_is_a_dash_in_a_document(export: Any, matrix: Matrix) -> None:
    text = export([report("x", matrix=matrix, strict=matrix)])
    assert not re.search(r"\b(None|nan|0\.0)\b", text)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_inert_in_json(name: str) -> None:
    text = to_json([report(name, note=name)])
    assert text.isascii()
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", text)
    assert not re.search(r"\\u(001b|009b|202e|2066|200b|feff|d[89a-f])", text)
    assert len(loaded([report(name)])) == 1


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_inert_in_csv(name: str) -> None:
    text = to_csv([report(name)])
    rows = list(csv.reader(io.StringIO(text)))
    assert {len(row) for row in rows} == {6}
    assert len(rows) == len(text.splitlines())
    assert not [row for row in rows if row[0][:1] in tuple("=+-@\t\r")]
    assert not re.search(
        "[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066\ufeff]", text
    )


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_inert_in_markdown(name: str) -> None:
    text = to_markdown([report(name, unscored=3, note=name), report("x", domains=("chat",))])
    usual = to_markdown([report("y", unscored=3, note="y"), report("x", domains=("chat",))])
    shape = [len(pipe_cells(line)) for line in usual.splitlines() if line.startswith("|")]
    assert [len(pipe_cells(line)) for line in text.splitlines() if line[:1] == "|"] == shape
    assert not re.search(r"[<>]|(?<!\\)[`\[\]$~]", text)
    assert not re.search(
        "[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066\ufeff]", text
    )


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_inert_in_latex(name: str) -> None:
    text = to_latex([report(name, unscored=3, note=name), report("x", domains=("chat",))])
    usual = to_latex([report("y", unscored=3, note="y"), report("x", domains=("chat",))])
    assert len(text.splitlines()) >= len(usual.splitlines()) - 1
    bare = re.sub(r"\\[\\{}$&#%_]", "", text)
    assert bare.count("{") == bare.count("}")
    known = {*re.findall(r"\\[a-zA-Z]+", usual), r"\textbackslash", r"\textasciicircum"}
    known |= {rf"\text{sign}" for sign in ("asciitilde", "less", "greater", "bar")}
    assert set(re.findall(r"\\[a-zA-Z]+", text)) <= known
    for sign in "&$%#":
        usual_bare = re.sub(r"\\[\\{}$&#%_]", "", usual)
        assert bare.count(sign) == usual_bare.count(sign)
    assert not re.search(r"\\\\\n *[\[*]|rule\n *[\[*]", text)
    assert not re.search(
        "[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066\ufeff]", text
    )


@pytest.mark.parametrize("export", [to_json, to_csv, to_markdown, to_latex])
def test_an_export_of_nothing_is_well_formed_and_the_same_each_time(export: Any) -> None:
    assert export([]).endswith("\n")
    assert export([report("x", position=SWAP)]) == export([report("x", position=SWAP)])
