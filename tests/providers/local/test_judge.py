"""Judges that run here: questions by the model's chat template, verdicts as hosted judges give."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from local_models import CHATML, WITH_BOS, Kind, make
from told_models import BRACKETS, END, make_told, writes

from rmjudge.calls import (
    Call,
    CompareCall,
    Failure,
    Outcome,
    Reply,
    Reward,
    RewardCall,
    Unscored,
    Verdict,
)
from rmjudge.errors import UsageError
from rmjudge.judging.methods import METHODS
from rmjudge.providers.local.files import find
from rmjudge.providers.local.judge import LocalJudge
from rmjudge.providers.local.judge_replica import ChatFrame, JudgeReplica
from rmjudge.providers.local.loading import load_model, load_tokenizer
from rmjudge.providers.local.settings import LocalSettings
from rmjudge.providers.local.templates import Template
from rmjudge.scorer import Scorer

A_WINS = writes(r"\boxed{A>B}")
PAIR = CompareCall("What is 6 x 7?", "42.", "48.")
ONE = RewardCall("What is 6 x 7?", "42.")
NO_SYSTEM = "{% if messages[0].role == 'system' %}{{ raise_exception('no system') }}{% endif %}"
DROPS_SYSTEM = CHATML.replace(
    "{% for m in messages %}", "{% for m in messages if m.role != 'system' %}"
)
THINKS = CHATML.replace("assistant\n{% endif %}", "assistant\n<think>\n{% endif %}")
SWITCHED = CHATML.replace(
    "assistant\n{% endif %}",
    "assistant\n{% if enable_thinking is false %}<think></think>\n{% endif %}{% endif %}",
)


def judge(folder: Path, method: str = "pairwise", **more: Any) -> LocalJudge:
    context = more.pop("max_tokens", None)
    return LocalJudge(
        LocalSettings(str(folder), device="cpu", max_tokens=context), METHODS[method], **more
    )


async def answers(scorer: Scorer, *calls: Call) -> Sequence[Outcome]:
    assert len(calls) <= scorer.batch
    try:
        return await scorer.answer(calls)
    finally:
        await scorer.aclose()


async def reply(scorer: Scorer, call: Call) -> Reply:
    (outcome,) = await answers(scorer, call)
    assert isinstance(outcome, Reply), outcome
    return outcome


def frame(folder: Path, method: str = "pairwise") -> ChatFrame:
    settings = LocalSettings(str(folder))
    files = find(settings.model)
    assert files.chat_template is not None
    template = Template(str(files.chat_template), "")
    return ChatFrame(load_tokenizer(files, settings), template, METHODS[method], "j")


def replica(folder: Path, method: str = "pairwise", **more: Any) -> JudgeReplica:
    settings = LocalSettings(str(folder))
    model = load_model(find(settings.model), settings, "cpu", "AutoModelForCausalLM")
    return JudgeReplica(model, frame(folder, method), METHODS[method], name="j", **more)


def credit(kept: Reply) -> float:
    assert isinstance(kept.answer, Verdict), kept.answer
    return kept.answer.first


def _values(outcome: Outcome) -> list[float]:
    """The log-probabilities in the first place of a kept reply, the highest first."""
    assert isinstance(outcome, Reply), outcome
    return sorted(json.loads(outcome.raw)["places"][0]["tokens"].values(), reverse=True)


def kind(template: str = CHATML, **more: Any) -> Kind:
    return Kind(task="CausalLM", template=template, **more)


# What is kept, and how it reads


async def test_a_reply_is_kept_as_json_and_read_again_without_the_model(tmp_path: Path) -> None:
    scorer = judge(make_told(tmp_path, A_WINS))
    kept = await reply(scorer, PAIR)
    raw = json.loads(kept.raw)
    assert raw["text"] == r"\boxed{A>B}"
    assert raw["finish"] == "stop"
    assert (kept.usage.input_tokens, kept.usage.output_tokens) == (raw["input_tokens"], 12)
    assert kept.answer == Verdict(1.0)
    assert kept.parser == scorer.parser == "local-chat/1+verdict/4"
    turned = kept.raw.replace("A>B", "B>A")
    assert scorer.parse(PAIR, turned) == Verdict(0.0)


async def test_a_reply_that_is_cut_is_never_parsed(tmp_path: Path) -> None:
    folder = make_told(tmp_path, {**A_WINS, "}": {"!": 1.0}, "!": {"!": 1.0}})
    kept = await reply(judge(folder, params={"max_new_tokens": 20}), PAIR)
    assert json.loads(kept.raw)["text"] == r"\boxed{A>B}" + 9 * "!"
    assert kept.answer == Unscored("truncated", "the answer ran into the token limit")


async def test_a_reply_of_nothing_is_empty(tmp_path: Path) -> None:
    kept = await reply(judge(make_told(tmp_path, {"\n": {END: 1.0}})), PAIR)
    assert kept.answer == Unscored("empty", "no content")


async def test_a_verdict_in_reasoning_that_the_template_opens_is_not_searched(
    tmp_path: Path,
) -> None:
    folder = make_told(tmp_path, A_WINS, kind(THINKS))
    kept = await reply(judge(folder), PAIR)
    assert json.loads(kept.raw)["text"] == r"<think>\boxed{A>B}"
    assert kept.answer == Unscored("unparsed", "no visible answer")


async def test_reasoning_in_special_tokens_is_taken_off(tmp_path: Path) -> None:
    follows = {
        **A_WINS,
        "\n": {"<think>": 1.0},
        "<think>": {"C": 1.0},
        "C": {"</think>": 1.0},
        "</think>": {"\\": 1.0},
    }
    folder = make_told(tmp_path, follows, special=("<think>", "</think>"))
    kept = await reply(judge(folder), PAIR)
    assert json.loads(kept.raw)["text"] == r"<think>C</think>\boxed{A>B}"
    assert kept.answer == Verdict(1.0)


@pytest.mark.parametrize(
    ("method", "call", "text", "answer"),
    [
        ("pairwise", PAIR, r"\boxed{B>A}", Verdict(0.0)),
        ("pointwise", ONE, r"\boxed{7}", Reward(7.0)),
    ],
)
async def test_a_written_answer_reads_as_a_hosted_judge_s(
    method: str, call: Call, text: str, answer: object, tmp_path: Path
) -> None:
    kept = await reply(judge(make_told(tmp_path, writes(text)), method), call)
    assert kept.answer == answer


async def test_two_levels_read_their_letter(tmp_path: Path) -> None:
    follows = {**BRACKETS, "[[": {"B": 1.0}}
    folder = make_told(tmp_path, follows, kind(more_tokens=("[[", "]]")))
    assert (await reply(judge(folder, "pairwise-two-level"), PAIR)).answer == Verdict(0.0)


# First tokens


async def test_p_a_is_its_share_of_both_letters(tmp_path: Path) -> None:
    folder = make_told(tmp_path, {"\n": {"A": 0.6, "B": 0.3, "C": 0.1}})
    kept = await reply(judge(folder, "pairwise-logprob"), PAIR)
    assert credit(kept) == pytest.approx(2 / 3, abs=1e-5)
    assert kept.usage.output_tokens == 0
    assert kept.parser == "local-chat/1+first-token-verdict/1"


async def test_blanks_before_the_letter_are_passed_over(tmp_path: Path) -> None:
    follows = {"\n": {" ": 0.9, "B": 0.1}, " ": {"\t": 1.0}, "\t": {"A": 0.2, "B": 0.8}}
    kept = await reply(judge(make_told(tmp_path, follows), "pairwise-logprob"), PAIR)
    assert credit(kept) == pytest.approx(0.2, abs=1e-5)


@pytest.mark.parametrize(("one", "zero"), [(0.3, 0.75), (0.6, 0.75), (0.6, 1.0)])
async def test_a_ten_of_two_tokens_counts_as_ten(one: float, zero: float, tmp_path: Path) -> None:
    after = {"0": zero, END: 1 - zero} if zero < 1 else {"0": 1.0}
    follows = {"\n": {"9": 0.9 - one, "7": 0.1, "1": one}, "1": after}
    kept = await reply(judge(make_told(tmp_path, follows), "pointwise-logprob"), ONE)
    expected = (0.9 - one) * 9 + 0.1 * 7 + one * (zero * 10 + (1 - zero) * 1)
    assert isinstance(kept.answer, Reward)
    assert kept.answer.value == pytest.approx(expected, abs=1e-4)


async def test_tokens_that_read_the_same_add_up(tmp_path: Path) -> None:
    # Single bytes that begin no character: all read as U+FFFD.
    folder = make_told(tmp_path, {"\n": {"A": 0.5, "\u0122": 0.3, "\u0123": 0.2}})
    kept = await reply(judge(folder, "pairwise-logprob"), PAIR)
    (place,) = json.loads(kept.raw)["places"]
    assert place["tokens"]["A"] == pytest.approx(-0.6931472, abs=1e-5)  # ln 0.5
    assert place["tokens"]["\ufffd"] == pytest.approx(-0.6931472, abs=1e-5)


async def test_a_probability_does_not_depend_on_the_calls_beside_it(tmp_path: Path) -> None:
    folder = make(tmp_path, kind())
    calls = [CompareCall("?" * k, "a" * k * k, "b") for k in range(1, 9)]

    def asked(budget: int) -> list[list[float]]:
        outcomes = replica(folder, "pairwise-logprob", token_budget=budget).answer(calls, Event())
        return [_values(outcome) for outcome in outcomes]

    alone, together = asked(1), asked(10**6)
    assert alone == [pytest.approx(values, rel=0, abs=1e-4) for values in together]
    assert len({str(values) for values in alone}) == 8


async def test_reasoning_is_switched_off_where_the_first_token_decides(tmp_path: Path) -> None:
    folder = make_told(tmp_path, {"\n": {"A": 0.75, "B": 0.25}}, kind(SWITCHED))
    kept = await reply(judge(folder, "pairwise-logprob"), PAIR)
    question = METHODS["pairwise-logprob"].prompt(PAIR)
    assert frame(folder, "pairwise-logprob").text(question).endswith("<think></think>\n")
    assert credit(kept) == pytest.approx(0.75, abs=1e-5)


# Questions


def the_question(folder: Path) -> str:
    return frame(folder).text(METHODS["pairwise"].prompt(PAIR))


def test_the_instructions_are_the_system_turn(tmp_path: Path) -> None:
    rubric = METHODS["pairwise"].prompt(PAIR).system
    text = the_question(make_told(tmp_path, A_WINS))
    assert text.startswith(f"<|im_start|>system\n{rubric}<|im_end|>\n<|im_start|>user\n=-=")
    assert text.endswith("<|im_end|>\n<|im_start|>assistant\n")


@pytest.mark.parametrize("template", [NO_SYSTEM + CHATML, DROPS_SYSTEM])
async def test_they_begin_the_user_s_turn_where_the_template_has_none_for_them(
    template: str, tmp_path: Path
) -> None:
    rubric = METHODS["pairwise"].prompt(PAIR).system
    folder = make_told(tmp_path, A_WINS, kind(template))
    assert the_question(folder).startswith(f"<|im_start|>user\n{rubric}\n\n=-=")
    scorer = judge(folder)
    await reply(scorer, PAIR)
    assert scorer.activity.remarks == [
        "the chat template has no system turn: the instructions begin the user's turn"
    ]


def test_a_text_begins_with_one_token_of_beginning(tmp_path: Path) -> None:
    folder = make_told(tmp_path, A_WINS, kind(WITH_BOS, adds="bos"))
    made = frame(folder)
    (ids,) = made.tokens([the_question(folder)])
    assert made.tokenizer.convert_ids_to_tokens(ids[:2]) == ["<s>", "<|im_start|>"]


async def test_halves_of_characters_are_asked_about_all_the_same(tmp_path: Path) -> None:
    call = CompareCall("\ud800?", "a\udfff", "b")
    assert (await reply(judge(make_told(tmp_path, A_WINS)), call)).answer == Verdict(1.0)


async def test_a_prompt_beyond_the_context_fails_and_its_neighbours_do_not(
    tmp_path: Path,
) -> None:
    scorer = judge(make_told(tmp_path, A_WINS), max_tokens=3000)
    failed, fine = await answers(scorer, CompareCall("?", "a" * 3000, "b"), PAIR)
    assert isinstance(failed, Failure)
    assert failed.status == "prompt-too-long"
    assert failed.detail.endswith("the model's context ends at 3000")
    assert isinstance(fine, Reply)


# Samples


async def test_each_vote_is_a_sample_of_its_own(tmp_path: Path) -> None:
    folder = make_told(tmp_path, {"\n": {"A": 0.5, "B": 0.5}, "A": {END: 1.0}, "B": {END: 1.0}})
    scorer = judge(folder, votes=16)
    calls = [CompareCall("?", "a", "b", vote) for vote in range(16)]
    together = [_text(outcome) for outcome in await answers(scorer, *calls)]
    assert set(together) == {"A", "B"}
    assert [_text(await reply(scorer, call)) for call in calls[:4]] == together[:4]


def _text(outcome: Outcome) -> str:
    assert isinstance(outcome, Reply), outcome
    return str(json.loads(outcome.raw)["text"])


# Identity and mistakes


def test_what_changes_answers_is_in_the_identity(tmp_path: Path) -> None:
    folder = make_told(tmp_path / "a", A_WINS)
    other = tmp_path / "other.jinja"
    other.write_text(NO_SYSTEM + CHATML)
    scorers = [
        judge(folder),
        judge(folder, votes=3),
        judge(folder, params={"max_new_tokens": 100}),
        judge(folder, "pairwise-two-level"),
        judge(folder, "pairwise-logprob"),
        judge(folder, max_tokens=4000),
        LocalJudge(LocalSettings(str(folder), device="cpu", template=other), METHODS["pairwise"]),
    ]
    assert len({json.dumps(dict(scorer.identity)) for scorer in scorers}) == len(scorers)
    assert judge(folder).identity == judge(folder).identity


@pytest.mark.parametrize(
    ("method", "params", "told"),
    [
        ("pairwise", {"temperature": 0.5}, "takes the parameter max_new_tokens, not temperature"),
        ("pairwise", {"max_new_tokens": 0}, "a whole number above 0, not 0"),
        ("pairwise", {"max_new_tokens": True}, "a whole number above 0, not True"),
        ("pairwise-logprob", {"max_new_tokens": 9}, "pairwise-logprob writes none"),
    ],
)
def test_a_parameter_that_would_do_nothing_is_refused(
    method: str, params: dict[str, Any], told: str, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=told):
        judge(make_told(tmp_path, A_WINS), method, params=params)


def test_a_model_without_a_chat_template_is_refused(tmp_path: Path) -> None:
    folder = make_told(tmp_path, A_WINS, Kind(task="CausalLM", template=None))
    with pytest.raises(UsageError, match="has no chat template, so it cannot be asked as a judge"):
        judge(folder)
