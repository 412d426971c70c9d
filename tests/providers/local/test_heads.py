"""Rewards of local classifiers, held against transformers' own forward, one text at a time."""

from __future__ import annotations

from pathlib import Path
from threading import Event
from typing import Any

import pytest
from local_models import (
    CHATML,
    DECODERS,
    ENCODERS,
    FOR_ENCODERS,
    NO_NEWLINE,
    TEXTS,
    WITH_BOS,
    Kind,
    answers,
    make,
    plain_rewards,
    values,
)

from rmjudge.calls import Reply, Reward, Unscored
from rmjudge.providers.local.classifier import Classifier, ClassifierReplica
from rmjudge.providers.local.heads import Asked, WholeModel, head_of
from rmjudge.providers.local.settings import LocalSettings

LAST = "last"


async def rewards(folder: Path, pairs: list[tuple[str, str]] = TEXTS, **more: Any) -> list[float]:
    return values(await answers(Classifier(LocalSettings(str(folder), **more)), pairs))


def the_same(one: list[float], other: list[float]) -> None:
    assert one == pytest.approx(other, rel=0, abs=1e-4)
    assert max(other) - min(other) > 0.1  # or any reward would do
    for a in range(len(one)):
        for b in range(a):
            assert (one[a] > one[b]) == (other[a] > other[b])


@pytest.mark.parametrize("family", DECODERS)
@pytest.mark.parametrize("attention", ["auto", "eager"])
async def test_a_decoder_s_reward_is_that_of_the_plain_forward(
    family: str, attention: str, tmp_path: Path
) -> None:
    folder = make(tmp_path, Kind(family))
    the_same(await rewards(folder, attention=attention), plain_rewards(folder))


@pytest.mark.parametrize("family", ENCODERS)
async def test_an_encoder_s_reward_is_that_of_the_plain_forward(
    family: str, tmp_path: Path
) -> None:
    folder = make(tmp_path, Kind(family, adds="ends", template=FOR_ENCODERS))
    the_same(await rewards(folder), plain_rewards(folder, special=True))


@pytest.mark.parametrize("family", ENCODERS)
def test_an_encoder_takes_padded_batches(family: str, tmp_path: Path) -> None:
    folder = make(tmp_path, Kind(family, adds="ends", template=FOR_ENCODERS))
    replica = Classifier(LocalSettings(str(folder)))._load("cpu")
    assert isinstance(replica, ClassifierReplica)
    assert isinstance(replica._head, WholeModel)
    assert replica._head._padded


def test_a_classifier_that_padding_would_disturb_is_run_text_by_text(tmp_path: Path) -> None:
    from transformers import BertForSequenceClassification

    class Deaf(BertForSequenceClassification):  # type: ignore[misc]
        def forward(self, input_ids: Any, attention_mask: Any = None) -> Any:
            return super().forward(input_ids=input_ids)

    folder = make(tmp_path, Kind("bert", adds="ends", template=FOR_ENCODERS))
    texts = [(9, 10, 11, 12), (9, 30), (9, 40, 41)]
    head = head_of(Deaf.from_pretrained(folder).eval(), Asked(), texts[:2], plain=False)
    sound = head_of(
        BertForSequenceClassification.from_pretrained(folder).eval(),
        Asked(),
        texts[:2],
        plain=False,
    )
    assert isinstance(head, WholeModel)
    assert not head._padded
    (mine,), (plain,) = (one.rewards([texts], Event()) for one in (head, sound))
    assert mine == pytest.approx(plain, abs=1e-4)


@pytest.mark.parametrize("padding_side", ["left", "right"])
@pytest.mark.parametrize("attention", ["auto", "eager"])
async def test_the_padding_side_changes_nothing(
    padding_side: str, attention: str, tmp_path: Path
) -> None:
    folder = make(tmp_path, Kind(padding_side=padding_side))
    the_same(await rewards(folder, attention=attention), plain_rewards(folder))


@pytest.mark.parametrize("pad", [None, "<|im_end|>", "<pad>"])
@pytest.mark.parametrize("template", [NO_NEWLINE, CHATML])
async def test_the_last_token_is_read_where_that_is_asked_for(
    pad: str | None, template: str, tmp_path: Path
) -> None:
    folder = make(tmp_path, Kind(pad=pad, template=template))
    the_same(await rewards(folder, reward_token=LAST), plain_rewards(folder))


@pytest.mark.parametrize("family", ["bert", "modernbert"])
async def test_an_encoder_without_padding_token_is_scored_all_the_same(
    family: str, tmp_path: Path
) -> None:
    folder = make(tmp_path, Kind(family, adds="ends", template=FOR_ENCODERS, pad=None))
    the_same(await rewards(folder), plain_rewards(folder, special=True))


@pytest.mark.parametrize(
    ("template", "adds", "special"),
    [(WITH_BOS, "", False), (WITH_BOS, "bos", False), (CHATML, "bos", True), (CHATML, "", False)],
)
async def test_a_text_has_the_bos_that_it_needs_once(
    template: str, adds: str, special: bool, tmp_path: Path
) -> None:
    folder = make(tmp_path, Kind(template=template, adds=adds))
    the_same(await rewards(folder), plain_rewards(folder, special=special))


@pytest.mark.parametrize(("head", "label"), [("good", 1), ("2", 2), ("bad", 0)])
@pytest.mark.parametrize("family", ["llama", "bert"])
async def test_one_of_several_labels_is_the_reward(
    head: str, label: int, family: str, tmp_path: Path
) -> None:
    folder = make(tmp_path, Kind(family, labels=("bad", "good", "long")))
    the_same(await rewards(folder, reward_head=head), plain_rewards(folder, label=label))


@pytest.mark.parametrize("family", ["llama", "bert"])
async def test_a_sum_of_labels_is_the_reward_where_weights_are_given(
    family: str, tmp_path: Path
) -> None:
    folder = make(tmp_path, Kind(family, labels=("bad", "good", "long")))
    want = [
        2 * good - 0.5 * long
        for good, long in zip(
            plain_rewards(folder, label=1), plain_rewards(folder, label=2), strict=True
        )
    ]
    the_same(await rewards(folder, reward_head="good=2,long=-0.5"), want)


async def test_equal_texts_get_equal_rewards_to_the_last_bit(tmp_path: Path) -> None:
    trimming = "{% for m in messages %}<s>{{ m.content | trim }}{% endfor %}"
    folder = make(tmp_path, Kind(template=trimming))
    one, two, other = await rewards(folder, [("p", "so"), ("p", " so "), ("p", "sO")])
    assert one == two != other


async def test_what_is_computed_together_does_not_matter(tmp_path: Path) -> None:
    folder = make(tmp_path, Kind())
    alone = [(await rewards(folder, [pair]))[0] for pair in TEXTS[:3]]
    assert (await rewards(folder))[:3] == pytest.approx(alone, rel=0, abs=1e-4)


async def test_a_reward_that_is_no_number_is_none(tmp_path: Path) -> None:
    import torch
    from safetensors.torch import load_file, save_file

    folder = make(tmp_path, Kind())
    file = folder / "model.safetensors"
    weights = load_file(file)
    weights["score.weight"] = torch.full_like(weights["score.weight"], torch.nan)
    save_file(weights, file, {"format": "pt"})
    (outcome,) = await answers(Classifier(LocalSettings(str(folder))), TEXTS[:1])
    assert isinstance(outcome.answer, Unscored)
    assert outcome.answer.status == "not-a-number"


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
async def test_in_half_precision_rewards_are_near(dtype: str, tmp_path: Path) -> None:
    folder = make(tmp_path, Kind())
    made = await rewards(folder, dtype=dtype)
    assert made == pytest.approx(plain_rewards(folder), rel=0, abs=0.3)
    assert made != pytest.approx(plain_rewards(folder), rel=0, abs=1e-6)


async def test_a_reply_tells_its_tokens_and_is_read_again(tmp_path: Path) -> None:
    scorer = Classifier(LocalSettings(str(make(tmp_path, Kind()))))
    (outcome,) = await answers(scorer, TEXTS[:1])
    assert isinstance(outcome, Reply)
    assert isinstance(outcome.answer, Reward)
    rendered = CHATML.count("<|im_start|>") and len("user\nassistant\n\n\n") + 4
    assert outcome.usage.input_tokens == rendered + sum(map(len, TEXTS[0]))
    assert scorer.parse(_call(), outcome.raw) == outcome.answer


def _call() -> Any:
    from rmjudge.calls import RewardCall

    return RewardCall(*TEXTS[0])


def test_a_batch_that_finds_no_memory_on_a_cpu_is_halved(tmp_path: Path) -> None:
    from transformers import BertForSequenceClassification

    seen: list[int] = []

    class Large(BertForSequenceClassification):  # type: ignore[misc]
        def forward(self, input_ids: Any, **more: Any) -> Any:
            seen.append(len(input_ids))
            if len(input_ids) > 2:
                raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried")
            return super().forward(input_ids=input_ids, **more)

    folder = make(tmp_path, Kind("bert", adds="ends", template=FOR_ENCODERS))
    texts = [(9, 10), (9, 30, 31), (9, 40, 41), (9, 50, 51, 52)]
    head = head_of(Large.from_pretrained(folder).eval(), Asked(), texts[:2], plain=False)
    seen.clear()
    (halved,) = head.rewards([texts], Event())
    alone = [head.rewards([[text]], Event())[0] for text in texts]
    assert seen[:3] == [4, 2, 2]
    assert halved == pytest.approx([value for one in alone for value in one or ()], abs=1e-4)
