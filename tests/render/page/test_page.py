"""The page as a text: nothing in it is loaded, obeyed or different between equal runs."""

from __future__ import annotations

import base64
import gzip
import hashlib
import html
import json
import re
from collections.abc import Sequence
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from rmjudge.calls import Unscored, Verdict
from rmjudge.dataset import BenchTuple
from rmjudge.metrics.compute import compute_metrics
from rmjudge.metrics.report import Position
from rmjudge.metrics.tallies import Credits
from rmjudge.render.page import Section, to_html
from rmjudge.render.page.embedding import inert, packed
from rmjudge.render.page.tables import HEAT_STEPS, Table, heat_rules, heat_step
from rmjudge.runs.records import RunRecord
from rmjudge.runs.results import CallCounts, ScorerResult, Tokens
from rmjudge.runs.statements import Statement
from rmjudge.runs.views import Outcome, View, ViewedScorer, ViewedTuple

HOSTILE = [
    "</script><script>document.title='owned'</script>",
    "<img src=x onerror=\"document.title='owned'\">",
    "'\"><svg onload=alert(1)>",
    "{{ 7 * 7 }}{% raw %}",
    "<!-- <script>",
    "]]>&lt;b&gt;&amp;",
    "\u202egnp\u2066\x1b[31m\x00\ud800\u2028",
    "javascript:alert(1)",
    "\\u003cscript\\u003e",
]
MIXED: Credits = ((1.0, 0.5, None), (0.0, 1.0, 0.25), (1.0, 1.0, 0.0))


def result(name: str, note: str = "") -> ScorerResult:
    return ScorerResult(
        metrics=compute_metrics(name, "pairwise", "seeded", {"chat": [MIXED]}),
        tuples=(),
        calls=CallCounts(planned=9),
        tokens=Tokens(),
        cost=None,
        cost_known=True,
        statuses={},
        models={},
        notes=(note,) if note else (),
    )


def view(texts: Sequence[str] = ("plain",) * 7, name: str = "judge", note: str = "") -> View:
    """One judge and one tuple, whose texts, name and everything else hold these words."""
    prompt, *rest = texts
    item = BenchTuple(texts[0], "chat", rest[0], prompt, tuple(rest[:3]), tuple(rest[3:6]))  # type: ignore[arg-type]
    said = (
        Statement(0, 1, True, 0, rest[0], Verdict(1.0), rest[1]),
        Statement(0, 2, False, 0, rest[2], Unscored("unparsed", rest[3]), None),
    )
    outcome = Outcome(MIXED, None, None, rest[4], said)
    viewed = ViewedTuple(item.id, "chat", item.subset, item, (outcome,))
    scorer = ViewedScorer(name, result(name, note), RunRecord(Path("o"), {}))
    return View((scorer,), (viewed,), (texts[0],), (note,) if note else ())


class Elements(HTMLParser):
    """Every element of a page with its attributes, and the text of each script by id."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: dict[str, str] = {}
        self.styles: list[str] = []
        self._in = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.found.append((tag, given))
        self._in = f"script {given.get('id') or ''}" if tag == "script" else tag

    def handle_endtag(self, tag: str) -> None:
        self._in = ""

    def handle_data(self, data: str) -> None:
        if self._in.startswith("script "):
            self.scripts[self._in.removeprefix("script ")] = data
        elif self._in == "style":
            self.styles.append(data)


def unpacked(text: str) -> Any:
    return json.loads(gzip.decompress(base64.b64decode(text)))


def test_the_page_is_ascii_and_equal_for_equal_runs() -> None:
    page = to_html(view())
    assert page.isascii()
    assert page == to_html(view())


def test_the_policy_names_the_page_s_own_script_and_style_and_nothing_else() -> None:
    found = Elements(to_html(view()))
    policies = [
        a["content"] for _, a in found.found if a.get("http-equiv") == "Content-Security-Policy"
    ]
    (policy,) = policies
    assert policy is not None
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";") if " " in rule.strip())
    assert rules["default-src"] == "'none'"
    for kind, text in (("script-src", found.scripts[""]), ("style-src", found.styles[0])):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert rules[kind] == f"'sha256-{digest}'"
    assert rules["img-src"] == "data:"
    assert "unsafe" not in policy
    assert "http" not in policy


def test_nothing_in_the_page_points_outside() -> None:
    found = Elements(to_html(view(), [Section("x", "X", (Table("T", ("a",), (("b",),)),))]))
    for tag, attributes in found.found:
        assert tag not in ("iframe", "object", "embed", "base", "img", "video", "audio")
        for name in ("src", "href", "action", "srcset", "poster", "data"):
            value = attributes.get(name)
            assert value is None or value.startswith("#") or value == "data:,", (tag, value)
        assert not [name for name in attributes if name.startswith("on") or name == "style"]
    assert not re.search(r"url\(|@import", found.styles[0])
    assert not re.search(r"\bfetch\(|XMLHttpRequest|innerHTML|\beval\(|import\(", found.scripts[""])


@pytest.mark.parametrize("word", HOSTILE)
def test_hostile_words_add_no_element_and_no_attribute(word: str) -> None:
    plain, hostile = view(), view([word] * 7, word, word)
    section = Table(word, (word, word), ((word, word),), (word,))
    kept = Table("plain", ("plain", "plain"), (("plain", "plain"),), ("plain",))
    clean = Elements(to_html(replace(plain, notes=("plain",)), [Section("s", "plain", (kept,))]))
    found = Elements(to_html(hostile, [Section("s", word, (section,))]))
    shape = [(tag, sorted(attributes)) for tag, attributes in found.found]
    expected = [(tag, sorted(attributes)) for tag, attributes in clean.found]
    # The run's note is shown once more with its scorer; a name with slashes may break there.
    free: tuple[tuple[str, list[str]], ...] = (("p", ["class"]), ("wbr", []))
    assert [one for one in shape if one not in free] == [one for one in expected if one not in free]


@pytest.mark.parametrize("word", HOSTILE)
def test_every_text_comes_back_out_of_the_page_s_data_as_it_was(word: str) -> None:
    texts = [f"{word}{k}" for k in range(7)]
    scripts = Elements(to_html(view(texts, "judge"))).scripts
    kept = unpacked(scripts["texts"])
    assert [kept["texts"][place] for place in kept["tuples"][0]] == texts
    words = unpacked(scripts["words-0"])
    ((first, second),) = words["tuples"][0]
    assert words["texts"][first[4]] == texts[1]
    assert first[:4] == [0, 1, True, 0]
    assert (first[5], words["texts"][first[6]]) == (1.0, texts[2])
    assert (second[2], second[5], second[6]) == (False, "unparsed", None)
    index = json.loads(scripts["index"])
    assert index["tuples"][0]["s"] == texts[1]
    assert index["tuples"][0]["o"][0]["c"] == [credit for row in MIXED for credit in row]


def test_data_in_a_script_element_cannot_end_it() -> None:
    text = inert({"a": "</script><!--&\u2028"})
    assert not set("<>&\u2028") & set(text)
    assert json.loads(text) == {"a": "</script><!--&\u2028"}


def test_packed_data_are_the_same_each_time_and_come_back() -> None:
    data: dict[str, Any] = {"a": ["\ud800", 0.1, None]}
    assert unpacked(packed(data)) == data
    # Where gzip would put the time (RFC 1952, 2.3).
    assert base64.b64decode(packed(data))[4:8] == bytes(4)


def test_equal_texts_are_kept_once() -> None:
    kept = unpacked(Elements(to_html(view())).scripts["texts"])
    assert kept == {"texts": ["plain"], "tuples": [[0] * 7]}


def test_a_page_without_texts_says_so() -> None:
    whole = view()
    bare = replace(whole, tuples=(replace(whole.tuples[0], item=None),), notes=("judge: no texts",))
    page = to_html(bare)
    assert "This page has no texts" in page
    assert "judge: no texts" in page
    assert Elements(page).scripts.get("texts", "") == ""
    assert "This page has no texts" not in to_html(whole)


def test_a_run_that_was_stopped_says_so_at_the_top() -> None:
    whole = view()
    stopped = replace(whole.scorers[0].result, stopped="401: the key is refused")
    page = to_html(replace(whole, scorers=(replace(whole.scorers[0], result=stopped),)))
    told = "judge: stopped before its end, 401: the key is refused"
    assert told in page.split('id="accuracy"')[0]
    assert "stopped before" not in to_html(whole)


def test_a_long_name_breaks_behind_slashes_and_hyphens_only() -> None:
    page = to_html(view(name="hf/a-model"))
    assert '<th scope="row">hf/<wbr>a-<wbr>model</th>' in page
    assert to_html(view(name="judge/")).count("judge/</th>") == 2


def test_the_tables_say_what_the_terminal_says() -> None:
    page = html.unescape(to_html(view(note="what the run said")))
    for words in (
        "average over chat only; math, code, safety missing",
        "1 of 9 cells not scored; average between",
        "Reading: half credit, a tie is half a win.",
        "what the run said",
        "Planned",
    ):
        assert words in page


def test_a_tuple_that_a_table_names_is_linked() -> None:
    listed = Table("Apart", ("Tuple", "by"), (("chat/plain", "9"), ("chat/other", "8")))
    page = to_html(view(), [Section("s", "S", (listed,))])
    assert '<a href="#tuple-0">chat/plain</a>' in page
    assert "chat/other</a>" not in page


def test_folded_tables_show_their_notes_and_the_first_is_open() -> None:
    tables = tuple(Table(f"T{k}", ("a",), (("b",),), (f"note {k}",)) for k in range(2))
    page = to_html(view(), [Section("s", "S", tables, fold="rows")])
    assert page.count("<details><summary>1 rows") == 1
    assert page.index("note 1") < page.index("<details><summary>1 rows")


@pytest.mark.parametrize(
    ("share", "step"), [(0.0, 0), (1.0, HEAT_STEPS), (0.5, HEAT_STEPS // 2), (None, None)]
)
def test_a_share_has_a_colour_and_no_data_has_none(share: float | None, step: int | None) -> None:
    assert heat_step(share) == step
    assert heat_rules().count("--heat: #") == 2 * (HEAT_STEPS + 1)


def test_the_first_position_is_not_coloured_as_if_more_were_better() -> None:
    judged = view()
    metrics = judged.scorers[0].result.metrics
    position = Position(decided=9, first_share=0.9, first_matrix=MIXED, swap_matrix=MIXED)
    given = replace(judged.scorers[0].result, metrics=replace(metrics, position=position))
    page = to_html(
        replace(judged, scorers=(ViewedScorer("judge", given, judged.scorers[0].record),))
    )
    first, survives = page.split("<b>First position</b>")[1].split("<b>Survives swap</b>")
    assert 'class="p' in first
    assert 'class="h' not in first.split("</table>")[0].replace('class="heat"', "")
    assert 'class="p' not in survives.split("</table>")[0]


@pytest.mark.parametrize("name", ["page.css", "browser.js", "tuple.js"])
def test_style_and_script_are_ascii(name: str) -> None:
    folder = Path(__file__).parents[3] / "rmjudge" / "render" / "page"
    assert (folder / name).read_bytes().isascii()
