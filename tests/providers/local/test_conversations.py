"""Conversations before a response, as local models are given them: every turn, by the template."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from local_models import CHATML, FOR_ENCODERS, Kind, make, values

from rmjudge.calls import RewardCall
from rmjudge.providers.local.classifier import Classifier
from rmjudge.providers.local.dpo import ImplicitReward
from rmjudge.providers.local.settings import LocalSettings
from rmjudge.scorer import ConversationScorer

ROLES = ("system", "user", "assistant", "user")
TEXTS = ("Be brief.", "Capital of France?", "Paris.", "And of Italy?")
TURNS = tuple(zip(ROLES, TEXTS, strict=True))
RESPONSES = ("Rome.", "It is Milan, I think.")
NO_SYSTEM = (
    "{% if messages[0].role == 'system' %}{{ raise_exception('no system text here') }}{% endif %}"
    + CHATML
)


def calls() -> list[RewardCall]:
    written = "\n\n".join(f"[{role}]\n{text}" for role, text in TURNS)
    asked = [RewardCall(written, response, turns=TURNS) for response in RESPONSES]
    return [*asked, RewardCall(TEXTS[-1], RESPONSES[0])]


def messages(call: RewardCall) -> list[dict[str, str]]:
    before = call.turns or (("user", call.prompt),)
    return [
        {"role": role, "content": text} for role, text in (*before, ("assistant", call.response))
    ]


def answered(scorer: Any) -> list[float]:
    async def ask() -> Any:
        try:
            return await scorer.answer(calls())
        finally:
            await scorer.aclose()

    return values(asyncio.run(ask()))


def test_a_classifier_scores_every_turn_as_transformers_does(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    folder = make(tmp_path / "rm", Kind())
    scorer = Classifier(LocalSettings(str(folder)))
    assert isinstance(scorer, ConversationScorer)
    assert scorer.refuses(ROLES) == ""
    model = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    model.config.pad_token_id = None
    tokenizer = AutoTokenizer.from_pretrained(folder)
    expected = []
    for call in calls():
        text = tokenizer.apply_chat_template(messages(call), tokenize=False)
        ids = tokenizer(text, add_special_tokens=False, return_tensors="pt")["input_ids"]
        with torch.inference_mode():
            expected.append(float(model(input_ids=ids).logits[0, 0]))
    found = answered(scorer)
    assert found == pytest.approx(expected, abs=1e-4)
    assert len(set(found)) == 3


def test_an_implicit_reward_is_of_the_response_alone_behind_all_turns(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder = make(tmp_path / "policy", Kind(task="CausalLM"))
    scorer = ImplicitReward(LocalSettings(str(folder), dpo_reduction="sum"))
    assert scorer.refuses(ROLES) == ""
    model = AutoModelForCausalLM.from_pretrained(folder).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    expected = []
    for call in calls():
        turns = messages(call)
        whole = tokenizer.apply_chat_template(turns, tokenize=False)
        start = tokenizer.apply_chat_template(
            turns[:-1], tokenize=False, add_generation_prompt=True
        )
        ids, before = (
            tokenizer(text, add_special_tokens=False)["input_ids"] for text in (whole, start)
        )
        with torch.inference_mode():
            logits = model(input_ids=torch.tensor([ids])).logits[0].log_softmax(-1)
        expected.append(sum(float(logits[k - 1, ids[k]]) for k in range(len(before), len(ids))))
    assert answered(scorer) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        (Kind(template=NO_SYSTEM), "no system text here"),
        (
            Kind(family="deberta-v2", template=FOR_ENCODERS, adds="ends"),
            "leaves out messages of a conversation (system, user, assistant, user)",
        ),
    ],
    ids=["template refuses", "template of two turns"],
)
def test_a_model_whose_template_does_not_show_all_turns_refuses_before_it_is_loaded(
    tmp_path: Path, kind: Kind, told: str
) -> None:
    pytest.importorskip("torch")
    scorer = Classifier(LocalSettings(str(make(tmp_path / "rm", kind))))
    assert told in scorer.refuses(ROLES)


def test_a_pair_encoder_has_two_segments_and_refuses_conversations(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    folder = make(tmp_path / "rm", Kind(family="bert", template=FOR_ENCODERS, adds="ends"))
    path = folder / "tokenizer_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "sep_token": "[SEP]"}))
    scorer = Classifier(LocalSettings(str(folder)))
    assert scorer.identity["segments"] == "pair"
    assert "a prompt and a response" in scorer.refuses(ROLES)
