"""From a conversation to token ids, held against what transformers itself makes of it."""

from __future__ import annotations

from typing import Any

import pytest
from local_models import CHATML, FOR_ENCODERS, NO_NEWLINE, WITH_BOS, Kind, make_tokenizer

from rmjudge.calls import Failure
from rmjudge.providers.local.templates import Template
from rmjudge.providers.local.texts import Texts, Tokens
from rmjudge.providers.rendering import conversation

PAIR = ("2+2?", "It is 4.")
TURNS = [{"role": "user", "content": PAIR[0]}, {"role": "assistant", "content": PAIR[1]}]


def texts(kind: Kind, limit: int | None = None, side: str = "right") -> tuple[Texts, Any]:
    tokenizer = make_tokenizer(kind)
    return Texts(tokenizer, Template(str(kind.template), ""), limit, side), tokenizer


def one(made: Texts, pair: tuple[str, str] = PAIR, *, find_responses: bool = False) -> Tokens:
    (tokens,) = made.encode([conversation(*pair)], find_responses=find_responses)
    assert isinstance(tokens, Tokens)
    return tokens


@pytest.mark.parametrize("template", [CHATML, WITH_BOS])
def test_the_template_is_applied_once_as_transformers_applies_it(template: str) -> None:
    made, tokenizer = texts(Kind(template=template))
    asked = tokenizer.apply_chat_template(TURNS, tokenize=True, return_dict=False)
    assert one(made).ids == tuple(asked)


@pytest.mark.parametrize("template", [CHATML, WITH_BOS], ids=["without", "with"])
@pytest.mark.parametrize("adds", ["", "bos"], ids=["plain tokenizer", "adding tokenizer"])
def test_a_text_begins_with_at_most_one_bos(template: str, adds: str) -> None:
    made, tokenizer = texts(Kind(template=template, adds=adds))
    wanted = int(template == WITH_BOS or adds == "bos")
    ids = one(made).ids
    assert ids.count(tokenizer.bos_token_id) == wanted
    assert (ids[0] == tokenizer.bos_token_id) == bool(wanted)


def test_an_encoder_s_text_stands_between_its_own_ends() -> None:
    made, tokenizer = texts(Kind(adds="ends", template=FOR_ENCODERS))
    assert tokenizer.decode(one(made).ids) == "[CLS]2+2?[SEP]It is 4.[SEP]"


def test_a_template_that_writes_the_ends_gets_no_others() -> None:
    made, tokenizer = texts(Kind(adds="ends", template=f"[CLS]{FOR_ENCODERS}[SEP]"))
    assert tokenizer.decode(one(made).ids) == "[CLS]2+2?[SEP]It is 4.[SEP]"


@pytest.mark.parametrize(
    ("side", "kept"), [("right", "<|im_start|>user\n"), ("left", "4.<|im_end|>\n")]
)
def test_a_text_that_is_too_long_is_cut_at_its_side_and_says_so(side: str, kept: str) -> None:
    made, tokenizer = texts(Kind(), limit=6 if side == "right" else 4, side=side)
    cut = one(made)
    assert cut.truncated
    assert tokenizer.decode(cut.ids) == kept


def test_a_text_of_just_the_limit_is_whole() -> None:
    whole = one(texts(Kind())[0])
    assert one(texts(Kind(), limit=len(whole.ids))[0]) == whole
    assert not whole.truncated
    assert one(texts(Kind(), limit=len(whole.ids) - 1)[0]).truncated


def test_what_the_tokenizer_adds_survives_a_cut_and_counts() -> None:
    made, tokenizer = texts(Kind(adds="ends", template=FOR_ENCODERS), limit=5, side="left")
    assert tokenizer.decode(one(made).ids) == "[CLS] 4.[SEP]"
    assert len(one(made).ids) == 5


def test_half_a_character_becomes_a_replacement_character() -> None:
    made, tokenizer = texts(Kind(template=NO_NEWLINE))
    assert "a\ufffdb" in tokenizer.decode(one(made, ("a\ud800b", "fine")).ids)


def test_a_conversation_that_the_template_refuses_fails_alone() -> None:
    refusing = "{% if '!' in messages[0].content %}{{ raise_exception('no') }}{% endif %}" + CHATML
    made, _ = texts(Kind(template=refusing))
    first, second, third = made.encode([conversation(*one) for one in (PAIR, ("!", "x"), PAIR)])
    assert isinstance(first, Tokens)
    assert third == first
    assert second == Failure("template", "the chat template does not render this: no")


@pytest.mark.parametrize(
    ("template", "response"),
    [(CHATML, "It is 4.<|im_end|>\n"), (NO_NEWLINE, "It is 4.<|im_end|>")],
)
@pytest.mark.parametrize("adds", ["", "bos"])
def test_a_response_is_all_behind_the_generation_prompt(
    template: str, response: str, adds: str
) -> None:
    made, tokenizer = texts(Kind(template=template, adds=adds))
    found = one(made, find_responses=True)
    assert tokenizer.decode(found.ids[found.start :]) == response


def test_where_the_generation_prompt_writes_more_the_common_beginning_decides() -> None:
    thinking = CHATML.replace("assistant\n{% endif %}", "assistant\n<think>\n{% endif %}")
    made, tokenizer = texts(Kind(template=thinking))
    found = one(made, find_responses=True)
    assert tokenizer.decode(found.ids[found.start :]) == "It is 4.<|im_end|>\n"


@pytest.mark.parametrize("adds", ["", "bos"])
def test_a_cut_at_the_left_moves_the_response_with_it(adds: str) -> None:
    made, tokenizer = texts(Kind(adds=adds), limit=30, side="left")
    found = one(made, find_responses=True)
    assert found.truncated
    assert tokenizer.decode(found.ids[found.start :]) == "It is 4.<|im_end|>\n"


def test_a_cut_at_the_right_may_leave_nothing_of_the_response() -> None:
    made, _ = texts(Kind(), limit=8)
    found = one(made, find_responses=True)
    assert found.start >= len(found.ids)
