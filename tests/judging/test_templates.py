"""Templates of the user's own: what they may say, and every fault told before any call."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from rmjudge.calls import CompareCall, Reward, RewardCall, Unscored, Verdict
from rmjudge.errors import UsageError
from rmjudge.judging.methods import METHODS, JudgingMethod
from rmjudge.judging.replies import ChatReply
from rmjudge.judging.templates import with_template

PAIR: Final = CompareCall("the question?", "the first text", "the second text")
PLAIN: Final = "{{ prompt }}\nA: {{ response_a }}\nB: {{ response_b }}\nWho wins?"
SINGLE: Final = "{{ prompt }}\n{{ response }}\nRate it."

Framed = Callable[..., JudgingMethod]


@pytest.fixture
def framed(tmp_path: Path) -> Framed:
    """A method with a template of this text."""

    def frame(source: str, method: str = "pairwise") -> JudgingMethod:
        path = tmp_path / "mine.j2"
        path.write_text(source, "utf-8")
        return with_template(METHODS[method], path)

    return frame


def test_without_blocks_a_template_is_the_users_turn(framed: Framed) -> None:
    shown = framed(PLAIN).prompt(PAIR)
    assert shown.system == ""
    assert shown.user == ("the question?\nA: the first text\nB: the second text\nWho wins?")


def test_the_blocks_system_and_user_fill_both_turns(framed: Framed) -> None:
    system = "{% block system %}\nYou judge.\n{% endblock %}"
    source = f"{system}{{% block user %}}{PLAIN}{{% endblock %}}"
    shown = framed(source).prompt(PAIR)
    assert shown.system == "You judge."
    assert shown.user == "the question?\nA: the first text\nB: the second text\nWho wins?"


def test_a_user_block_alone_leaves_the_system_turn_empty(framed: Framed) -> None:
    shown = framed(f"{{% block user %}}{PLAIN}{{% endblock %}}").prompt(PAIR)
    assert shown.system == ""
    assert shown.user.endswith("Who wins?")


def test_fields_may_stand_in_the_system_block(framed: Framed) -> None:
    source = (
        "{% block system %}{{ prompt }}{% endblock %}"
        "{% block user %}{{ response_a }}|{{ response_b }}{% endblock %}"
    )
    shown = framed(source).prompt(PAIR)
    assert (shown.system, shown.user) == ("the question?", "the first text|the second text")


def test_a_pointwise_template_is_given_prompt_and_response(framed: Framed) -> None:
    shown = framed(SINGLE, "pointwise").prompt(RewardCall("q", "r"))
    assert shown.user == "q\nr\nRate it."


def test_the_template_s_text_is_the_method_s_frame(framed: Framed) -> None:
    assert framed(PLAIN).template == PLAIN


HOSTILE: Final = (
    "{{ prompt }} {% raw %} {{ 7 * 7 }} {# gone? #}",
    "<b>& \"quotes\" 'kept'</b>",
    "\\boxed{A>>B} {braces} %s",
    "line\n\n  indented\r\nlast \x00 \ud800",
)


@pytest.mark.parametrize("text", HOSTILE)
def test_what_looks_like_a_template_in_a_response_stays_text(framed: Framed, text: str) -> None:
    shown = framed(PLAIN).prompt(CompareCall(text, f"first {text}", f"second {text}"))
    assert shown.user == f"{text}\nA: first {text}\nB: second {text}\nWho wins?"


MISSING: Final[dict[str, tuple[str, str, str]]] = {
    "prompt": ("{{ response_a }}{{ response_b }}", "pairwise", "prompt"),
    "response_a": ("{{ prompt }}{{ response_b }}", "pairwise", "response_a"),
    "response_b": ("{{ prompt }}{{ response_a }}", "pairwise", "response_b"),
    "response": ("{{ prompt }}", "pointwise", "response"),
    "a field that is only half shown": (
        "{{ prompt }}{{ response_a }}{{ response_b[:5] }}",
        "pairwise",
        "response_b",
    ),
    "all, in a file without anything": ("", "pairwise", "prompt"),
    "a field of a block that is not used": (
        "{{ prompt }}{% block user %}{{ response_a }}{{ response_b }}{% endblock %}",
        "pairwise",
        "prompt",
    ),
}


@pytest.mark.parametrize(("source", "method", "field"), MISSING.values(), ids=list(MISSING))
def test_a_template_that_leaves_out_a_field_is_refused(
    framed: Framed, source: str, method: str, field: str
) -> None:
    with pytest.raises(UsageError, match=rf"mine\.j2 leaves out \{{\{{ {field} \}}\}}"):
        framed(source, method)


FAULTS: Final[dict[str, tuple[str, str]]] = {
    "a field that does not exist": (PLAIN + "{{ domain }}", "'domain' is undefined"),
    "the other method's field": (PLAIN + "{{ response }}", "'response' is undefined"),
    "a tag that is not closed": (PLAIN + "{% if prompt %}", "cannot be used"),
    "an expression that is not closed": (PLAIN + "{{ prompt", "cannot be used"),
    "an unknown filter": (PLAIN + "{{ prompt|nonsense }}", "cannot be used"),
    "a way into Python by a class": (PLAIN + "{{ prompt.__class__ }}", "__class__"),
    "a way into Python by a function": (
        PLAIN + "{{ cycler.__init__.__globals__ }}",
        "__init__",
    ),
    "a way into Python by a format string": (
        PLAIN + "{{ '{0.__class__}'.format(prompt) }}",
        "__class__",
    ),
    "a change of what it was given": (
        PLAIN + "{% set x = [1] %}{{ x.append(2) }}",
        "append",
    ),
    "a division by nought": (PLAIN + "{{ 1 // 0 }}", "does not render"),
    "a text and a number": (PLAIN + "{{ prompt + 1 }}", "does not render"),
    "another file": (PLAIN + "{% include 'other.j2' %}", "does not render"),
    "a range without end": (PLAIN + "{{ range(10**9)|list }}", "does not render"),
    "a macro that calls itself": (
        PLAIN + "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "does not render",
    ),
}


@pytest.mark.parametrize(("source", "why"), FAULTS.values(), ids=list(FAULTS))
def test_a_faulty_template_is_refused_with_its_fault(framed: Framed, source: str, why: str) -> None:
    with pytest.raises(UsageError, match=r"the template .*mine\.j2") as caught:
        framed(source)
    assert why in str(caught.value)


def test_a_template_that_fails_on_a_later_text_is_told_too(framed: Framed) -> None:
    method = framed(PLAIN + "{% if prompt == 'odd' %}{{ 1 // 0 }}{% endif %}")
    with pytest.raises(UsageError, match="does not render"):
        method.prompt(CompareCall("odd", "a", "b"))


def test_what_a_template_is_given_is_told_with_its_fault(framed: Framed) -> None:
    with pytest.raises(UsageError, match="it is given prompt, response_a, response_b"):
        framed("{{ question }}")


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"gone\.j2 cannot be used: .*No such file"):
        with_template(METHODS["pairwise"], tmp_path / "gone.j2")


def test_a_file_that_is_no_text_is_told(tmp_path: Path) -> None:
    (tmp_path / "odd.j2").write_bytes(b"\xff\xfe{{ prompt }}")
    with pytest.raises(UsageError, match="cannot be used"):
        with_template(METHODS["pairwise"], tmp_path / "odd.j2")


@pytest.mark.parametrize("method", ["pairwise", "pairwise-two-level"])
@pytest.mark.parametrize(
    ("text", "credit"), [("[[A]]", 1.0), ("[[C]]", 0.5), ('{"winner": "B"}', 0.0)]
)
def test_a_template_may_ask_for_any_common_form_of_verdict(
    framed: Framed, method: str, text: str, credit: float
) -> None:
    assert framed(PLAIN, method).read(ChatReply(text)) == Verdict(credit)


def test_another_way_to_read_is_another_parser(framed: Framed) -> None:
    assert framed(PLAIN).parser != METHODS["pairwise"].parser


def test_a_rating_is_read_as_without_a_template(framed: Framed) -> None:
    method = framed(SINGLE, "pointwise")
    assert method.read(ChatReply("\\boxed{7}")) == Reward(7.0)
    assert method.parser == METHODS["pointwise"].parser


def test_token_probabilities_are_read_as_without_a_template(framed: Framed) -> None:
    method = framed(PLAIN, "pairwise-logprob")
    assert method.read(ChatReply("B", tokens=({"B": 0.0},))) == Verdict(0.0)
    assert method.needs_logprobs


def test_an_answer_that_was_withheld_is_not_read(framed: Framed) -> None:
    refusal = Unscored("refusal", "no")
    assert framed(PLAIN).read(ChatReply("[[A]]", refusal)) is refusal
