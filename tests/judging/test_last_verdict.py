# ruff: noqa: RUF001  letters that look alike are what is tested
r"""Properties of verdicts: in every spelling, at every place, after every restatement.

Whatever a judge writes, it is read as what it says, or not at all: it is never inverted.
"""

from __future__ import annotations

from itertools import product
from typing import Final

import pytest

from rmjudge.calls import Reward, Unscored, Verdict
from rmjudge.judging.rating import parse_rating
from rmjudge.judging.reasoning import strip_reasoning
from rmjudge.judging.verdict import parse_any_verdict, parse_letter_verdict, parse_verdict

CREDIT: Final = {"A>>B": 1.0, "A>B": 1.0, "A=B": 0.5, "B>A": 0.0, "B>>A": 0.0}
SIGNS: Final[dict[str, tuple[str, ...]]] = {
    ">>": (">>", "≫", r" \gg ", "&gt;&gt;", "> >", "＞＞", r"\,\gg\,"),
    ">": (">", "≻", r" \succ ", r" \gt ", "&gt;", "＞", " > ", "\n>\n"),
    "=": ("=", "==", "＝", r" \approx ", "≈", r"\equiv "),
}
MIRRORED: Final[dict[str, tuple[str, ...]]] = {
    ">>": ("<<", "≪", r" \ll ", "&lt;&lt;", "＜＜"),
    ">": ("<", "≺", r" \prec ", r" \lt ", "&lt;", "＜"),
}
LETTERS: Final = (
    ("A", "B"),
    ("a", "b"),
    ("Ａ", "Ｂ"),
    (r"\text{A}", r"\text{B}"),
    (r"\mathbf{A}", r"\mathbf{B}"),
    ("**A**", "**B**"),
    ("Response A", "Response B"),
    ("model_a", "model_b"),
    ("Assistant A", "Assistant B"),
    ("[A]", "[B]"),
)
BOXES: Final = (
    r"\boxed{%s}",
    r"\boxed{\text{%s}}",
    r"\boxed{\textbf{%s}}",
    r"\boxed{\mathbf{%s}}",
    r"$\boxed{%s}$",
    r"**\boxed{%s}**",
    r"\(\boxed{ %s }\)",
    "boxed{%s}",
    r"\\boxed{%s}",
    "\x08oxed{%s}",
    "\\boxed{\n%s\n}",
    r"\boxed{$%s$}",
    r"\boxed {%s}",
    r"\fbox{%s}",
)
RESTATED: Final = (
    "",
    "The possible verdicts:\n" + "\n".join(f"\\boxed{{{form}}}" for form in CREDIT) + "\n\n",
    "I choose among " + ", ".join(f"\\boxed{{{form}}}" for form in CREDIT) + ".\n",
    'Response A ends with "\\boxed{A>>B}" and response B with "\\boxed{B>>A}".\n',
    "At first \\boxed{B>>A}.\nThen \\boxed{A>>B}.\n",
    "<think>\\boxed{B>A}\n\\boxed{A>B}</think>",
    '```json\n{"winner": "B"}\n```\n[[A]]\n',
)


def spelled(form: str) -> list[str]:
    """The ways to write one of the five forms."""
    first, second = form[0], form[-1]
    sign = form[1:-1]
    written = []
    for low in LETTERS:
        names = {"A": low[0], "B": low[1]}
        one, other = names[first], names[second]
        written += [f"{one}{shown}{other}" for shown in SIGNS[sign]]
        written += [f"{other}{shown}{one}" for shown in MIRRORED.get(sign, ())]
    return written


@pytest.mark.parametrize("form", CREDIT)
@pytest.mark.parametrize("box", BOXES)
def test_every_spelling_in_every_box_after_every_restatement_is_read_as_what_it_says(
    form: str, box: str
) -> None:
    for said, restated in product(spelled(form), RESTATED):
        reply = f"{restated}Response X is right:\n{box % said}"
        assert parse_verdict(reply) == Verdict(CREDIT[form]), reply


WRAPPED: Final = (
    r"\textcolor{red}{%s}",
    r"\textcolor[rgb]{1,0,0}{%s}",
    r"\color{Blue} %s",
    r"{\color{red}{%s}}",
    r"\colorbox{yellow}{$%s$}",
    r"\fcolorbox{red}{white}{\textbf{%s}}",
    r"\fbox{\boxed{%s}}",
    r"\bbox[yellow,5px]{%s}",
    r"\resizebox{!}{1cm}{%s}",
    r"\makebox[2cm][c]{%s}",
    r"\href{https://example.org/1}{%s}",
    r"\mathrel{%s}",
    r"\displaystyle %s",
    r"{\Large\bfseries %s}",
    r"\left(%s\right)",
    r"\hspace{1em}%s",
    r"\operatorname*{%s}",
    r"\underline{\textit{%s}}",
    r"\somethingnew{%s}",
    "\textbf{%s}",
)
ACCENTED: Final = (
    r"A\mathrel{>}B",
    r"\mathbf {A} \mathbin{\gg} \mathbf {B}",
    r"\textcolor{blue}{A} > \textcolor{red}{B}",
    r"\text{model\_a} > \text{model\_b}",
    r"A\>B",
    r"\mathop{A}\succ\mathop{B}",
)
CHANGED: Final = (
    r"\frac{A}{B}",
    r"\cancel{A>B}",
    r"\not{A>B}",
    r"A \not> B",
    r"\neg(A>B)",
    r"\phantom{A>B}",
    r"A \stackrel{?}{>} B",
    r"\overset{?}{A>B}",
    r"\sout{A>B}",
    r"A \rightarrow B",
    r"\text{not }{A>B}",
    r"\either{A>B}{B>A}",
    r"\said{not}{A>B}",
)


@pytest.mark.parametrize("form", CREDIT)
@pytest.mark.parametrize("wrapped", WRAPPED)
def test_a_command_around_a_verdict_changes_nothing(form: str, wrapped: str) -> None:
    reply = f"{RESTATED[1]}\\boxed{{{wrapped % form}}}"
    assert parse_verdict(reply) == Verdict(CREDIT[form])
    assert parse_any_verdict(reply) == Verdict(CREDIT[form])


@pytest.mark.parametrize("said", ACCENTED)
def test_commands_around_its_parts_change_nothing(said: str) -> None:
    assert parse_verdict(f"\\boxed{{B>A}}\n\n\\boxed{{{said}}}") == Verdict(1.0)


@pytest.mark.parametrize("said", CHANGED)
def test_a_command_that_changes_what_is_said_leaves_no_verdict(said: str) -> None:
    assert isinstance(parse_verdict(f"\\boxed{{A>B}}\n\n\\boxed{{{said}}}"), Unscored)


STRANGE: Final = (
    r"\boxed{A ⊐ B}",
    r"\boxed{\mathfrak{A} \sqsupset \mathfrak{B}}",
    r"\boxed{A is much better than B}",
    r"\boxed{A>B",
    r"\boxed{A>>>B}",
    r"\boxed{А>В}",
    r"\boxed{not B>A}",
    r"\boxed{\cancel{B>A}}",
    r"\boxed{~~B>A~~}",
    r"\boxed(A>B)",
    r"\boxed A>B",
    r"\boxed{verdict}",
    r"\boxed{}",
    "[[A]]",
    "<answer>A</answer>",
    '{"winner": "A"}',
    "**Final verdict: A > B**",
    "Verdict: A>>B",
    "The winner is Response A.",
    "**A**",
    "A > B",
    "Response A is better.",
    r"\mathbf{A} > \mathbf{B}",
    r"$A \gg B$",
    r"\colorbox{yellow}{A>B}",
    r"Verdict: \textbf{A}",
    r"\text{A} \text{ wins}",
)


@pytest.mark.parametrize("strange", STRANGE)
@pytest.mark.parametrize(
    "earlier", ["\\boxed{B>>A}\n", RESTATED[1], RESTATED[4] + "\\boxed{B>A}\n"]
)
def test_a_verdict_in_another_way_is_never_read_as_one_before_it(
    strange: str, earlier: str
) -> None:
    found = parse_verdict(f"{earlier}\nResponse X is right:\n{strange}")
    assert isinstance(found, Unscored), found


DESCRIBED: Final = (
    "- A is much better: \\boxed{A>>B}\n- A is better: \\boxed{A>B}\n- Tie: \\boxed{A=B}\n"
    "- B is better: \\boxed{B>A}\n- B is much better: \\boxed{B>>A}\n",
    "If A wins: \\boxed{A>B}\n\nIf neither wins: \\boxed{A=B}\n\nIf B wins: \\boxed{B>A}\n",
    "Response A significantly better is \\boxed{A>>B}, where the other answer is plainly wrong;\n"
    "equal is \\boxed{A=B}, where both answers are right or both of them are wrong;\n"
    "Response B significantly better is \\boxed{B>>A}, where the first answer is plainly wrong.\n",
)
SAID_OTHERWISE: Final = ("I go with Response A.", "$A \\gg B$", "So the first one wins.", "")


@pytest.mark.parametrize("last", SAID_OTHERWISE)
@pytest.mark.parametrize("forms", DESCRIBED)
def test_a_list_that_says_what_each_form_means_is_no_verdict(forms: str, last: str) -> None:
    assert isinstance(parse_verdict(f"The forms:\n{forms}\n{last}"), Unscored)
    assert parse_verdict(f"The forms:\n{forms}\nMine:\n\\boxed{{A>>B}}") == Verdict(1.0)


@pytest.mark.parametrize(
    "forms",
    ["If A is better: [[A]]\nIf B is better: [[B]]\n", "[[A]] if A wins\n[[B]] if B wins\n"],
)
def test_two_letters_that_say_what_they_mean_are_no_verdict(forms: str) -> None:
    assert isinstance(parse_letter_verdict(f"{forms}\nI choose the first."), Unscored)
    assert parse_letter_verdict(f"{forms}\nMine:\n[[A]]") == Verdict(1.0)


def test_a_verdict_on_each_criterion_and_one_in_all_give_the_one_in_all() -> None:
    criteria = "Depth: \\boxed{A>B}\nStyle: \\boxed{A=B}\nOverall: \\boxed{B>A}"
    assert parse_verdict(criteria) == Verdict(0.0)


@pytest.mark.parametrize(
    "steps", ["- [[1]]: useless\n- [[10]]: perfect\n", "[[1]] bad\n[[5]] fair\n[[10]] good\n"]
)
def test_a_list_of_the_steps_of_a_scale_is_no_rating(steps: str) -> None:
    assert isinstance(parse_rating(f"{steps}\nI give it a seven."), Unscored)
    assert parse_rating(f"{steps}\nRating: [[7]]") == Reward(7.0)


@pytest.mark.parametrize(
    "wrapped", ["[[%s]]", "【【%s】】", "［［%s］］", "⟦%s⟧", r"\[\[%s\]\]", "[[ %s ]]"]
)
@pytest.mark.parametrize("said", ["%s", "**%s**", '"%s"', "Assistant %s", "model_%s", r"\text{%s}"])
@pytest.mark.parametrize(("letter", "credit"), [("A", 1.0), ("B", 0.0), ("a", 1.0), ("Ｂ", 0.0)])
def test_letters_in_every_kind_of_brackets_are_read(
    wrapped: str, said: str, letter: str, credit: float
) -> None:
    reply = f"[[A]] or [[B]]?\nMy verdict: {wrapped % (said % letter)}"
    assert parse_letter_verdict(reply) == Verdict(credit)
    assert parse_any_verdict(reply) == Verdict(credit)


@pytest.mark.parametrize(
    "last", ["[[A", "[A]]", "[[D]]", "[[both good]]", "[[А]]", "[[A or B]]", "[[?A]] [[?B]]"]
)
def test_a_letter_that_is_not_understood_hides_those_before_it(last: str) -> None:
    assert isinstance(parse_letter_verdict(f"[[B]]\nNo: {last}"), Unscored)


@pytest.mark.parametrize(
    "reply",
    [
        '{\n  "reason": "response B says [[B]]",\n  "winner":\n    "A"\n}',
        '{"winner": "A",\n "reason": "response B says [[B]] and \\\\boxed{B>A}"}',
        '```json\n{\n"analysis": "B\'s {braces}",\n"final_verdict": "Response A"\n}\n```',
        "{'winner': 'A'}",
        '{"a": {"verdict": "A"}}',
        '{"winner": "B"}\n{"winner": "A"}',
    ],
)
def test_json_over_several_lines_is_one_verdict(reply: str) -> None:
    assert parse_any_verdict(reply) == Verdict(1.0)


@pytest.mark.parametrize(
    "reply",
    [
        '{"winner": "A",\n "verdict": "B"}',
        '{"winner": "A"}\n{"winner": "Response C"}',
        '{"winner": "A"}\n{"winner":',
    ],
)
def test_json_that_contradicts_itself_or_is_not_understood_is_none(reply: str) -> None:
    assert isinstance(parse_any_verdict(reply), Unscored)


QUOTES: Final = (
    ('Response B says "[[B]]", but [[A]]', 1.0),
    ("[[A]], although response B ends with “[[B]]” itself.", 1.0),
    ('My final verdict: "[[A]]"', 1.0),
    ('"[[B]]"', 0.0),
)


@pytest.mark.parametrize(("reply", "credit"), QUOTES)
def test_what_stands_in_quotes_within_a_sentence_is_no_verdict(reply: str, credit: float) -> None:
    assert parse_letter_verdict(reply) == Verdict(credit)


@pytest.mark.parametrize(
    "reply",
    [
        'Response A is right. Response B tries to sway me with "[[B]]" in its text.',
        '[[A]]\nResponse B tries to sway me with "[[B]]" in its text.',
        "The injected `[[B]]` is ignored. [[A]]",
        "The forms:\n- [[A]]: A is better\n- [[B]]: B is better\n",
        "\\boxed{A>>B} A is much better\n\\boxed{A=B} equal\n\\boxed{B>>A} B is much better",
    ],
)
def test_a_quoted_or_listed_verdict_alone_is_never_the_judges(reply: str) -> None:
    assert isinstance(parse_any_verdict(reply), Unscored)


REASONING: Final = (
    "<think>%s</think>",
    "<thinking>%s</thinking>",
    "<Thinking>%s</Thinking>",
    "<thought>%s</thought>",
    "<reasoning>%s</reasoning>",
    '<think time="3">%s</think>',
    "<reflection>%s</reflection>",
    "<scratchpad>%s</scratchpad>",
    "<seed:think>%s</seed:think>",
    "[THINK]%s[/THINK]",
    "◁think▷%s◁/think▷",
    "<|START_THINKING|>%s<|END_THINKING|>",
    "<|begin_of_thought|>%s<|end_of_thought|>",
    "<|channel|>analysis<|message|>%s<|end|><|start|>assistant<|channel|>final<|message|>",
    "<|channel>thought\n%s<channel|>",
    "<unused94>thought\n%s<unused95>",
    '<details type="reasoning" done="true">%s</details>',
    "<mm:think>%s</mm:think>",
    "<longcat_think>%s</longcat_think>",
    "<internal_reasoning>%s</internal_reasoning>",
    "<chain_of_thought>%s</chain_of_thought>",
    "<|think_start|>%s<|think_end|>",
    "<think_never_used_51bc>%s</think_never_used_51bc>",
    "<cot>%s</cot>",
    "<think_fast>%s</think_fast>",
    "<o1_thinking>%s</o1_thinking>",
    "<|startofthink|>%s<|endofthink|>",
    "<deliberation>%s</deliberation>",
    "<pondering>%s</pondering>",
    "<think>%s<analysis>x</analysis>\\boxed{B>A}</think>",
    "%s</think>",
    "%s[/THINK]",
    "&lt;think&gt;%s&lt;/think&gt;",
)


@pytest.mark.parametrize("block", REASONING)
def test_reasoning_under_any_tag_is_never_searched(block: str) -> None:
    reasoning = block % "\\boxed{B>A}\nso [[B]]\n"
    assert isinstance(parse_verdict(f"{reasoning}I cannot tell."), Unscored)
    assert parse_verdict(f"{reasoning}\\boxed{{A>B}}") == Verdict(1.0)


@pytest.mark.parametrize(
    "reply",
    [
        "<think>\\boxed{A>B}",
        "<reasoning>\\boxed{A>B}",
        "[THINK]\\boxed{A>B}",
        "Sure. <thinking>\\boxed{A>B}",
        "<think>a <reasoning>b</reasoning> \\boxed{A>B}",
        "<|channel|>analysis<|message|>\\boxed{A>B}",
        "<|channel|>commentary<|message|>\\boxed{A>B}<|end|>",
        "analysisWe see \\boxed{A>B}",
        "◁think▷\\boxed{A>B}",
        "<|channel>thought\n\\boxed{A>B}",
        "<unused94>thought\n\\boxed{A>B}",
    ],
)
def test_reasoning_that_is_never_closed_hides_the_rest(reply: str) -> None:
    assert isinstance(parse_verdict(reply), Unscored)


def test_channels_without_their_special_tokens_are_told_apart() -> None:
    assert strip_reasoning("analysisWe see [[B]].assistantfinal[[A]]") == "[[A]]"


@pytest.mark.parametrize(
    ("reply", "value"),
    [
        ("\\boxed{3}\n\\boxed{\\textbf{8}}", 8.0),
        ("【【7】】", 7.0),
        ("\\boxed{8 out of 10}", 8.0),
        ("boxed{6/10}", 6.0),
        ("\\boxed{\n9\n}", 9.0),
    ],
)
def test_the_last_rating_decides_in_any_spelling(reply: str, value: float) -> None:
    assert parse_rating(reply) == Reward(value)


@pytest.mark.parametrize(
    "last", ["\\boxed{eight}", "\\boxed{8", "\\boxed{8/100}", "<score>9</score>", "[RESULT] 9"]
)
def test_an_earlier_rating_is_never_taken_instead(last: str) -> None:
    assert isinstance(parse_rating(f"\\boxed{{3}}\n{last}"), Unscored)
