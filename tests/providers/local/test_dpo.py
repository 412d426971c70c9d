"""Implicit rewards, held against log-probabilities computed the plain way, text by text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from local_models import CHATML, DECODERS, NO_NEWLINE, TEXTS, Kind, answers, make, values

from rmjudge import UsageError
from rmjudge.calls import Unscored
from rmjudge.errors import ModelRefused
from rmjudge.providers.local.dpo import ImplicitReward
from rmjudge.providers.local.settings import LocalSettings

POLICY, REFERENCE = Kind(task="CausalLM"), Kind(task="CausalLM", seed=8)


def plain_logprobs(folder: Path, pairs: list[tuple[str, str]] = TEXTS) -> list[tuple[float, int]]:
    """Sum of log-softmax over what stands behind the prompt's render, and how many tokens."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model = AutoModelForCausalLM.from_pretrained(folder).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    found = []
    for prompt, response in pairs:
        turn = {"role": "user", "content": prompt}
        turns = [turn, {"role": "assistant", "content": response}]
        ids = tokenizer.apply_chat_template(turns, return_dict=False)
        start = len(
            tokenizer.apply_chat_template([turn], add_generation_prompt=True, return_dict=False)
        )
        with torch.inference_mode():
            logits = model(input_ids=torch.tensor([ids])).logits[0].double()
        logprobs = torch.log_softmax(logits, -1)
        total = sum(float(logprobs[k - 1, ids[k]]) for k in range(start, len(ids)))
        found.append((total, len(ids) - start))
    return found


async def rewards(folder: Path, pairs: list[tuple[str, str]] = TEXTS, **more: Any) -> list[float]:
    return values(await answers(ImplicitReward(LocalSettings(str(folder), **more)), pairs))


def the_same(one: list[float], other: list[float]) -> None:
    assert one == pytest.approx(other, rel=1e-4)
    assert sorted(range(len(one)), key=one.__getitem__) == sorted(
        range(len(other)), key=other.__getitem__
    )


@pytest.mark.parametrize("family", DECODERS)
async def test_without_a_reference_it_is_the_sum_of_log_probabilities_where_asked_for(
    family: str, tmp_path: Path
) -> None:
    folder = make(tmp_path, Kind(family, task="CausalLM"))
    plain = [total for total, _ in plain_logprobs(folder)]
    the_same(await rewards(folder, dpo_reduction="sum"), plain)


@pytest.mark.parametrize("template", [CHATML, NO_NEWLINE])
async def test_by_default_it_is_their_mean(template: str, tmp_path: Path) -> None:
    folder = make(tmp_path, Kind(task="CausalLM", template=template))
    plain = [total / tokens for total, tokens in plain_logprobs(folder)]
    the_same(await rewards(folder), plain)


@pytest.mark.parametrize("attention", ["auto", "eager"])
async def test_with_a_reference_it_is_the_difference_of_the_sums(
    attention: str, tmp_path: Path
) -> None:
    policy, reference = make(tmp_path / "policy", POLICY), make(tmp_path / "reference", REFERENCE)
    pairs = zip(plain_logprobs(policy), plain_logprobs(reference), strict=True)
    the_same(
        await rewards(policy, reference=str(reference), attention=attention),
        [own - other for (own, _), (other, _) in pairs],
    )


async def test_a_policy_that_is_its_own_reference_finds_all_equal(tmp_path: Path) -> None:
    folder = make(tmp_path, POLICY)
    assert await rewards(folder, reference=str(folder)) == [0.0] * len(TEXTS)


async def test_a_response_that_was_cut_away_has_no_reward(tmp_path: Path) -> None:
    scorer = ImplicitReward(LocalSettings(str(make(tmp_path, POLICY)), max_tokens=10))
    (outcome,) = await answers(scorer, TEXTS[:1])
    assert outcome.answer == Unscored("empty", "the text has no token of the response")
    assert scorer.parse(_call(), outcome.raw) == outcome.answer


async def test_an_empty_response_is_what_the_template_writes_behind_it(tmp_path: Path) -> None:
    folder = make(tmp_path, POLICY)
    pairs = [("2+2?", "")]
    plain = [total / tokens for total, tokens in plain_logprobs(folder, pairs)]
    the_same(await rewards(folder, pairs), plain)


async def test_two_vocabularies_are_refused(tmp_path: Path) -> None:
    policy = make(tmp_path / "policy", POLICY)
    other = make(tmp_path / "other", Kind(task="CausalLM", more_tokens=("more",)))  # no added one
    with pytest.raises(ModelRefused, match="have different vocabularies"):
        await rewards(policy, reference=str(other))


def test_a_reduction_is_for_a_policy_alone(tmp_path: Path) -> None:
    folder = str(make(tmp_path, POLICY))
    with pytest.raises(UsageError, match="--dpo-reduction is for a policy without --reference"):
        ImplicitReward(LocalSettings(folder, reference=folder, dpo_reduction="mean"))


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({}, "log pi without a reference model, averaged over the response's tokens"),
        (
            {"dpo_reduction": "sum"},
            "log pi without a reference model, summed over the response's tokens",
        ),
        (
            {"reference": True},
            "log pi - log pi_ref, summed over the response's tokens, beta 1",
        ),
    ],
)
def test_identity_and_report_say_which_reward_it_is(
    more: dict[str, Any], told: str, tmp_path: Path
) -> None:
    folder = str(make(tmp_path, POLICY))
    if "reference" in more:
        more = {"reference": folder}
    scorer = ImplicitReward(LocalSettings(folder, **more))
    assert scorer.identity["reward"] == told
    assert scorer.activity.remarks == [f"implicit reward: {told}"]
    assert (scorer.identity["reference"] is None) == ("reference" not in more)


async def test_the_token_before_which_there_is_none_does_not_count(tmp_path: Path) -> None:
    template = "{% for turn in messages %}{{ turn.content }}{% endfor %}"
    folder = make(tmp_path, Kind(task="CausalLM", template=template))
    (value,) = await rewards(folder, [("", "ab")])
    (cut,) = await answers(ImplicitReward(LocalSettings(str(folder))), [("", "a")])
    assert value == pytest.approx(_second_token(folder, "ab"), rel=1e-4)
    assert isinstance(cut.answer, Unscored)


def _second_token(folder: Path, text: str) -> float:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model = AutoModelForCausalLM.from_pretrained(folder).eval()
    first, second = AutoTokenizer.from_pretrained(folder)(text)["input_ids"]
    with torch.inference_mode():
        logits = model(input_ids=torch.tensor([[first, second]])).logits[0, 0].double()
    return float(torch.log_softmax(logits, -1)[second])


@pytest.mark.parametrize(
    ("family", "extra"),
    [("cohere", {"logit_scale": 0.0625}), ("granite", {"logits_scaling": 4.0})],
)
async def test_logits_are_scaled_as_the_model_scales_them(
    family: str, extra: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(DECODERS, family, {"num_key_value_heads": 2, **extra})
    folder = make(tmp_path, Kind(family, task="CausalLM"))
    the_same(await rewards(folder), [total / n for total, n in plain_logprobs(folder)])


def test_a_model_whose_logits_are_made_in_an_unknown_way_is_refused(tmp_path: Path) -> None:
    from transformers import LlamaForCausalLM

    from rmjudge.providers.local.dpo import Likelihoods

    class Doubling(LlamaForCausalLM):  # type: ignore[misc]
        def forward(self, **asked: Any) -> Any:
            made = super().forward(**asked)
            made.logits = made.logits * 2
            return made

    folder = make(tmp_path, POLICY)
    Likelihoods(LlamaForCausalLM.from_pretrained(folder).eval(), (5, 6, 7, 8), plain=True)
    with pytest.raises(UsageError, match="Doubling makes its logits in a way"):
        Likelihoods(Doubling.from_pretrained(folder).eval(), (5, 6, 7, 8), plain=True)


def _call() -> Any:
    from rmjudge.calls import RewardCall

    return RewardCall(*TEXTS[0])
