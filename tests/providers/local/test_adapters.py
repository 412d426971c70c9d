"""An adapter beside a model or in its place: merged where peft is installed, else refused."""

from __future__ import annotations

import json
import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from local_models import TEXTS, Kind, answers, make, plain_rewards, values, write_data

from rmjudge.errors import ModelRefused, UsageError
from rmjudge.judging.methods import METHODS
from rmjudge.providers.local.classifier import Classifier
from rmjudge.providers.local.dpo import ImplicitReward
from rmjudge.providers.local.judge import LocalJudge
from rmjudge.providers.local.settings import LocalSettings

if TYPE_CHECKING:
    from command import Cli

merges = pytest.mark.skipif(
    find_spec("peft") is None, reason="peft is not installed (pip install 'rmjudge[peft]')"
)
RANK, ALPHA = 4, 8
PREFIX = "base_model.model."
BEYOND = f"{PREFIX}model.layers.9.self_attn.q_proj.lora_A.weight"


def tensors(layers: tuple[int, ...] = (0, 1)) -> dict[str, Any]:
    """LoRA's matrices on the query projections, under the names that peft saves."""
    import torch

    made = torch.Generator().manual_seed(1)
    return {
        f"{PREFIX}model.layers.{k}.self_attn.q_proj.lora_{side}.weight": torch.randn(
            (RANK, 32) if side == "A" else (32, RANK), generator=made
        )
        for k in layers
        for side in "AB"
    }


def adapter(folder: Path, base: Path, held: dict[str, Any], **config: Any) -> Path:
    """Save an adapter's two files."""
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    told = {"peft_type": "LORA", "r": RANK, "lora_alpha": ALPHA, "target_modules": ["q_proj"]}
    told |= {"base_model_name_or_path": str(base), **config}
    (folder / "adapter_config.json").write_text(json.dumps(told))
    save_file(held, folder / "adapter_model.safetensors", {"format": "pt"})
    return folder


def merged_by_hand(base: Path, folder: Path, held: dict[str, Any], task: str) -> Path:
    """The base model with alpha / r * B A added to its weights, saved as a model of `task`."""
    import torch
    import transformers

    kind = getattr(transformers, f"AutoModelFor{task}")
    more = {"num_labels": 1} if task == "SequenceClassification" else {}
    model = kind.from_pretrained(base, **more)
    state = model.state_dict()
    for name, tensor in held.items():
        own = name.removeprefix(PREFIX)
        if own.endswith("lora_B.weight"):
            first = held[name.replace("lora_B", "lora_A")]
            with torch.no_grad():
                state[own.replace("lora_B.", "")] += ALPHA / RANK * tensor @ first
        elif "lora_" not in own:
            state[own].copy_(tensor)
    model.save_pretrained(folder)
    transformers.AutoTokenizer.from_pretrained(base).save_pretrained(folder)
    return folder


async def refused(scorer: Any) -> str:
    with pytest.raises(ModelRefused) as caught:
        await answers(scorer)
    return str(caught.value)


async def rewards(folder: Path) -> list[float]:
    return values(await answers(Classifier(LocalSettings(str(folder)))))


@pytest.mark.parametrize("weights", [True, False])
def test_without_peft_an_adapter_is_refused_with_both_ways(
    weights: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rmjudge.providers.local.adapters.has_peft", lambda: False)
    folder = make(tmp_path, Kind())
    adapter(folder, folder, tensors())
    if not weights:
        (folder / "model.safetensors").unlink()
    with pytest.raises(UsageError) as caught:
        Classifier(LocalSettings(str(folder)))
    told = str(caught.value)
    assert "holds a LoRA adapter (adapter_config.json, adapter_model.safetensors)" in told
    assert "pip install 'rmjudge[peft]'" in told
    assert "merge it into its base model" in told


@merges
async def test_an_adapter_beside_full_weights_is_merged_into_them_and_told(tmp_path: Path) -> None:
    base = make(tmp_path / "base", Kind())
    beside = Path(shutil.copytree(base, tmp_path / "beside"))
    held = tensors()
    adapter(beside, base, {**held, f"{PREFIX}score.weight": head_of(base)}, task_type="SEQ_CLS")
    want = plain_rewards(merged_by_hand(base, tmp_path / "merged", held, "SequenceClassification"))
    assert await rewards(beside) == pytest.approx(want, abs=2e-4)
    assert want != pytest.approx(plain_rewards(base), abs=0.1)
    scorer = Classifier(LocalSettings(str(beside)))
    (said,) = [line for line in scorer.activity.remarks if "adapter" in line]
    assert "(LORA, " in said
    assert "is merged into the weights beside it" in said


@merges
async def test_a_classifier_s_adapter_without_a_head_keeps_the_one_beside_it(
    tmp_path: Path,
) -> None:
    base = make(tmp_path / "base", Kind())
    held = tensors()
    beside = Path(shutil.copytree(base, tmp_path / "beside"))
    adapter(beside, base, held, task_type="SEQ_CLS")
    want = plain_rewards(merged_by_hand(base, tmp_path / "merged", held, "SequenceClassification"))
    assert await rewards(beside) == pytest.approx(want, abs=2e-4)


@merges
def test_an_adapter_beside_the_configuration_of_a_model_without_weights_is_refused(
    tmp_path: Path,
) -> None:
    base = make(tmp_path / "base", Kind())
    alone = Path(shutil.copytree(base, tmp_path / "alone"))
    adapter(alone, base, tensors(), task_type="SEQ_CLS")
    (alone / "model.safetensors").unlink()
    with pytest.raises(UsageError, match=r"LoRA adapter and the config\.json .* are missing"):
        Classifier(LocalSettings(str(alone)))


@merges
async def test_an_adapter_of_the_hub_is_pinned_to_its_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    commit = "0123456789abcdef0123456789abcdef01234567"
    base = make(tmp_path / "base", Kind(task="CausalLM"))
    held = tensors() | {f"{PREFIX}score.weight": head_of(make(tmp_path / "rm", Kind()))}
    repository = tmp_path / "hub" / "models--some--lora"
    adapter(repository / "snapshots" / commit, base, held, task_type="SEQ_CLS")
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(commit)
    scorer = Classifier(LocalSettings("some/lora"))
    assert scorer.identity["adapter"] == f"some/lora@{commit}"
    whole = merged_by_hand(base, tmp_path / "merged", held, "SequenceClassification")
    assert values(await answers(scorer)) == pytest.approx(plain_rewards(whole), abs=2e-4)


def head_of(base: Path) -> Any:
    from safetensors.torch import load_file

    return load_file(base / "model.safetensors")["score.weight"]


@merges
async def test_an_adapter_alone_is_merged_into_the_language_model_that_it_names(
    tmp_path: Path,
) -> None:
    import torch

    base = make(tmp_path / "base", Kind(task="CausalLM"))
    held = tensors() | {f"{PREFIX}score.weight": torch.randn((1, 32))}
    folder = adapter(tmp_path / "lora", base, held, task_type="SEQ_CLS")
    whole = merged_by_hand(base, tmp_path / "merged", held, "SequenceClassification")
    assert await rewards(folder) == pytest.approx(plain_rewards(whole), abs=2e-4)


@merges
async def test_identity_names_base_and_adapter_wherever_they_lie(tmp_path: Path) -> None:
    base = make(tmp_path / "base", Kind())
    one = adapter(tmp_path / "one", base, tensors())
    moved = Path(shutil.copytree(base, tmp_path / "moved"))
    same = adapter(tmp_path / "same", moved, tensors())
    other = adapter(tmp_path / "other", base, tensors((1,)), layers_to_transform=[1])
    alone, first, second, third = (
        Classifier(LocalSettings(str(folder))).identity for folder in (base, one, same, other)
    )
    assert first == second
    assert first["revision"] == alone["revision"]
    assert "adapter" not in alone
    assert str(first["adapter"]).startswith("sha256:")
    assert third["adapter"] != first["adapter"]


@merges
async def test_a_policy_and_a_judge_have_their_adapters_merged_too(tmp_path: Path) -> None:
    base = make(tmp_path / "base", Kind(task="CausalLM"))
    held = tensors()
    folder = adapter(tmp_path / "lora", base, held, task_type="CAUSAL_LM")
    whole = merged_by_hand(base, tmp_path / "merged", held, "CausalLM")
    policies = [
        ImplicitReward(LocalSettings(str(one), reference=str(base))) for one in (folder, whole)
    ]
    own, want = [values(await answers(policy)) for policy in policies]
    assert own == pytest.approx(want, abs=2e-3)
    assert max(map(abs, want)) > 0.1
    alone, own_judge, want_judge = (
        LocalJudge(LocalSettings(str(one)), METHODS["pointwise"], params={"max_new_tokens": 6})
        for one in (base, folder, whole)
    )
    assert any("adapter" in line for line in own_judge.activity.remarks)
    said = [
        [o.raw for o in await answers(one, TEXTS[:2])] for one in (own_judge, want_judge, alone)
    ]
    assert said[0] == said[1]
    assert said[0] != said[2]


@merges
async def test_a_classifier_s_adapter_is_no_policy(tmp_path: Path) -> None:
    base = make(tmp_path / "base", Kind(task="CausalLM"))
    folder = adapter(tmp_path / "lora", base, tensors(), task_type="SEQ_CLS")
    with pytest.raises(UsageError, match="no causal language model"):
        ImplicitReward(LocalSettings(str(folder)))


@merges
@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda held: held | {BEYOND: first(held)}, "no place for"),
        (lambda held: dict(list(held.items())[:-1]), "would be random numbers"),
        (lambda held: {key: tensor[:, :8] for key, tensor in held.items()}, "cannot be loaded"),
    ],
)
async def test_an_adapter_of_another_model_is_refused_by_its_tensors(
    change: Any, told: str, tmp_path: Path
) -> None:
    base = make(tmp_path / "base", Kind())
    held = {key: tensor.contiguous() for key, tensor in change(tensors()).items()}
    assert told in await refused(
        Classifier(LocalSettings(str(adapter(tmp_path / "x", base, held))))
    )


def first(held: dict[str, Any]) -> Any:
    return next(tensor for key, tensor in held.items() if "lora_A" in key).clone()


@merges
async def test_a_head_that_the_adapter_should_bring_and_does_not_is_refused(tmp_path: Path) -> None:
    base = make(tmp_path / "base", Kind(task="CausalLM"))
    folder = adapter(tmp_path / "lora", base, tensors(), task_type="SEQ_CLS")
    assert "lack score.weight" in await refused(
        Classifier(LocalSettings(str(folder), reward_head="0"))
    )


@merges
@pytest.mark.parametrize("file", ["adapter_config.json", "adapter_model.safetensors"])
def test_half_an_adapter_is_refused_as_such(file: str, tmp_path: Path) -> None:
    folder = make(tmp_path, Kind())
    adapter(folder, folder, tensors())
    (folder / file).unlink()
    with pytest.raises(UsageError, match=f"a part of an adapter .* without {file}"):
        Classifier(LocalSettings(str(folder)))


@merges
def test_a_base_model_that_is_not_here_is_named(tmp_path: Path, cli: Cli) -> None:
    folder = adapter(tmp_path / "lora", tmp_path / "gone", tensors())
    done = cli("run", f"hf/{folder}", "--data", write_data(tmp_path / "data.jsonl"))
    assert done.returncode == 2
    assert f"is an adapter of {tmp_path / 'gone'}" in " ".join(done.stderr.split())
