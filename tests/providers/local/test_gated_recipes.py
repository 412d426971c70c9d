"""Reward models of several objectives under a gate, held against an independent forward."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from local_models import TEXTS, Kind, answers
from reward_heads import OWN_CODE, layers, refused, rewards, the_same, through
from reward_models import GEMMA, WIDTH, save, states, weights

from rmjudge.errors import ModelRefused
from rmjudge.providers.local.classifier import Classifier
from rmjudge.providers.local.converting import convert
from rmjudge.providers.local.settings import LocalSettings

if TYPE_CHECKING:
    from command import Cli


def _gate(head: dict[str, Any], state: Any, temperature: float) -> Any:
    import torch

    numbers = sorted({int(name.split(".")[2]) for name in head if name.startswith("gating.layers")})
    for number in numbers:
        layer = f"gating.layers.{number}"
        if f"{layer}.running_mean" in head:
            mean, var = head[f"{layer}.running_mean"], head[f"{layer}.running_var"]
            state = (state - mean) / torch.sqrt(var + 1e-5)
            state = state * head[f"{layer}.weight"] + head[f"{layer}.bias"]
            continue
        state = head[f"{layer}.weight"] @ state + head.get(f"{layer}.bias", 0)
        if number != numbers[-1]:
            state = state.clamp(min=0)
    return torch.softmax(state / temperature, 0) * head["gating.logit_scale"]


def _armorm() -> dict[str, Any]:
    return weights(
        regression_layer__weight=(3, WIDTH),
        reward_transform_matrix=(3, 3),
        gating__layers__0__weight=(8, WIDTH),
        gating__layers__0__bias=(8,),
        gating__layers__1__weight=(3, 8),
        gating__layers__1__bias=(3,),
        gating__logit_scale=(1,),
    )


def _qrm(*, dropout: bool) -> dict[str, Any]:
    """Two hidden layers, each with ReLU and batch norm; a dropout takes a number of its own."""
    second = 4 if dropout else 3
    head = weights(
        **{
            "regression_layer__weight": (3 * 5, WIDTH),
            "gating__layers__0__weight": (8, WIDTH),
            **{f"gating__layers__2__{k}": (8,) for k in ("weight", "bias", "running_mean")},
            f"gating__layers__{second}__weight": (8, 8),
            **{
                f"gating__layers__{second + 2}__{k}": (8,)
                for k in ("weight", "bias", "running_mean")
            },
            f"gating__layers__{second + 3}__weight": (3, 8),
            f"gating__layers__{second + 3}__bias": (3,),
            "gating__logit_scale": (1,),
            "reward_transform_matrix": (3, 3),
        }
    )
    import torch

    for number in (2, second + 2):
        head[f"gating.layers.{number}.running_var"] = torch.rand(8) + 0.5
        head[f"gating.layers.{number}.num_batches_tracked"] = torch.tensor(9)
    if dropout:
        del head["reward_transform_matrix"]  # as the Gemma model has it
    return head


def _weighed(
    folder: Path, head: dict[str, Any], header: list[str], temperature: float, quantiles: int
) -> tuple[list[Any], list[Any]]:
    """(rewards, objectives) of each text, the gate read at the end of the prompt."""
    from transformers import AutoTokenizer

    end = AutoTokenizer.from_pretrained(folder).convert_tokens_to_ids(header[0])
    made, parts = [], []
    for ids, state in states(folder):
        first = ids.index(end)
        values = (head["regression_layer.weight"] @ state[-1]).reshape(3, quantiles).mean(1)
        values = values @ head.get("reward_transform_matrix", __import__("torch").eye(3))
        made.append((_gate(head, state[first], temperature) * values).sum())
        parts.append(values)
    return made, parts


NAMES: dict[str, Any] = {"id2label": {"0": "helpful", "1": "harmless", "2": "short"}}


async def test_armorm_weighs_its_objectives_by_the_prompt(tmp_path: Path) -> None:
    head = _armorm()
    told: dict[str, Any] = {
        "num_objectives": 3,
        "gating_temperature": 2,
        **NAMES,
        "auto_map": OWN_CODE,
    }
    folder = save(tmp_path, "LlamaForRewardModelWithGating", head, **told)
    want, _ = _weighed(folder, head, ["<|eot_id|>"], 2, 1)
    the_same(await rewards(folder), want)


@pytest.mark.parametrize(
    "architecture", ["LlamaForRewardModelWithGating3", "LlamaForRewardModelWithGating31"]
)
async def test_qrm_takes_the_mean_of_quantiles_and_a_normalised_gate(
    architecture: str, tmp_path: Path
) -> None:
    head = _qrm(dropout=False)
    told: dict[str, Any] = {"num_objectives": 3, "num_quantiles": 5}
    folder = save(tmp_path, architecture, head, **told)
    want, _ = _weighed(folder, head, ["<|eot_id|>"], 10, 5)
    the_same(await rewards(folder), want)


async def test_qrm_on_gemma_reads_its_gate_at_the_end_of_the_turn(tmp_path: Path) -> None:
    head = _qrm(dropout=True)
    told: dict[str, Any] = {"num_objectives": 3, "num_quantiles": 5}
    kind = Kind("gemma2", template=GEMMA)
    folder = save(tmp_path, "Gemma2ForRewardModelWithGating", head, kind=kind, **told)
    want, _ = _weighed(folder, head, ["<end_of_turn>"], 1, 5)
    the_same(await rewards(folder), want)


@pytest.mark.parametrize("architecture", ["LlamaForSequenceClassification", "OwnURM"])
async def test_urm_weighs_the_means_of_five_attributes_by_a_gate_at_the_same_token(
    architecture: str, tmp_path: Path
) -> None:
    import torch

    head = layers("weights.fc", (0, 2, 4), 5) | {"score.weight": weights(a=(10, WIDTH))["a"]}
    own = {"AutoModelForSequenceClassification": "modeling_custom.Own"}
    folder = save(tmp_path, architecture, head, auto_map=own, num_labels=10)
    want, helpful = [], []
    for _, found in states(folder):
        means = (head["score.weight"] @ found[-1]).reshape(5, 2)[:, 0]
        want.append((means * through(head, "weights.fc", found[-1], torch.selu)).sum())
        helpful.append(means[0])
    the_same(await rewards(folder), want)
    the_same(await rewards(folder, reward_head="helpfulness"), helpful)
    assert "4 (verbosity)" in refused(folder, reward_head="help")


@pytest.mark.parametrize("soft", [False, True])
async def test_ldl_weighs_expected_values_and_its_pickled_head_is_converted(
    soft: bool, tmp_path: Path
) -> None:
    import torch
    from safetensors.torch import load_file

    objectives = layers("network", (0, 2, 4), 30)
    gate = layers("network", (0, 3, 6), 3)
    more: dict[str, Any] = {"softmax": True, "temperature": 2.0} if soft else {}
    kind = Kind("gemma2", template=GEMMA)
    folder = save(tmp_path, "LDLRewardModel27B", {}, kind=kind, rename=dict, **more)
    torch.save(objectives, folder / "regression_layer.pt")
    torch.save(gate, folder / "gating_layer.pt")
    assert "`rmjudge convert FOLDER`" in refused(folder)
    assert [path.name for path in convert(folder)] == [
        "gating_layer.safetensors",
        "regression_layer.safetensors",
    ]
    assert load_file(folder / "gating_layer.safetensors").keys() == gate.keys()
    leaky = torch.nn.functional.leaky_relu
    want = []
    for _, found in states(folder):
        shares = through(objectives, "network", found[-1], leaky).reshape(3, 10).softmax(1)
        by = through(gate, "network", found[-1], leaky)
        by = (by / 2).softmax(0) if soft else by
        want.append(float(by @ shares @ torch.linspace(0, 1, 10)))
    got = await rewards(folder)
    assert got == pytest.approx(want, abs=2e-4)
    assert len(set(got)) > 3
    assert not any(
        "not loaded" in line for line in Classifier(LocalSettings(str(folder))).activity.remarks
    )


async def test_a_gate_that_does_not_fit_its_objectives_is_refused(tmp_path: Path) -> None:
    head = layers("weights.fc", (0, 2, 4), 4) | {"score.weight": weights(a=(10, WIDTH))["a"]}
    folder = save(tmp_path, "LlamaForSequenceClassification", head)
    with pytest.raises(ModelRefused, match="10 values and 4 weights"):
        await rewards(folder)


async def test_a_text_without_the_assistant_s_header_is_a_failure(tmp_path: Path) -> None:
    plain = "{% for m in messages %}{{ m.content }}\n{% endfor %}"
    folder = save(
        tmp_path,
        "LlamaForRewardModelWithGating",
        _armorm(),
        kind=Kind(template=plain),
        num_objectives=3,
    )
    (outcome,) = await answers(Classifier(LocalSettings(str(folder))), TEXTS[:1])
    assert outcome.status == "template"
    assert "no header of the assistant's turn" in outcome.detail


async def test_objectives_are_kept_with_the_answer_and_read_without_computing(
    tmp_path: Path,
) -> None:
    head = _armorm()
    told: dict[str, Any] = {"num_objectives": 3, "gating_temperature": 2, **NAMES}
    folder = save(tmp_path, "LlamaForRewardModelWithGating", head, **told)
    _, objectives = _weighed(folder, head, ["<|eot_id|>"], 2, 1)
    scorer = Classifier(LocalSettings(str(folder)))
    kept = [outcome.raw for outcome in await answers(scorer)]

    one = Classifier(LocalSettings(str(folder), reward_head="harmless"))
    the_same([_read(one, raw) for raw in kept], [o[1] for o in objectives])
    both = Classifier(LocalSettings(str(folder), reward_head="helpful=0.5, 2=-2"))
    want = [0.5 * o[0] - 2 * o[2] for o in objectives]
    the_same([_read(both, raw) for raw in kept], want)


def _read(scorer: Classifier, raw: str) -> float:
    from rmjudge.calls import Reward, RewardCall

    answer = scorer.parse(RewardCall(*TEXTS[0]), raw)
    assert isinstance(answer, Reward)
    return answer.value


def test_help_names_the_outputs(tmp_path: Path) -> None:
    folder = save(tmp_path, "LlamaForRewardModelWithGating", _armorm(), num_objectives=3, **NAMES)
    assert "0 (helpful), 1 (harmless), 2 (short)" in refused(folder, reward_head="help")
    assert "no output 'kind'" in refused(folder, reward_head="kind")
    assert "no NAME=WEIGHT" in refused(folder, reward_head="helpful=much")
    assert "a rule of its own" in refused(folder, reward_token="last")  # noqa: S106


# From the command line


def test_another_objective_is_read_from_the_cache_and_so_by_reparse(
    tmp_path: Path, cli: Cli
) -> None:
    from local_models import write_data

    head = _armorm()
    folder = save(
        tmp_path / "armo", "LlamaForRewardModelWithGating", head, num_objectives=3, **NAMES
    )
    write_data(cli.home / "data.jsonl")
    words = ("run", f"hf/{folder}", "--data", "data.jsonl", "--quiet")
    first = cli(*words, "--out", "gated", OMP_NUM_THREADS="1")
    assert first.returncode == 0, first.stderr
    (folder / "model.safetensors").touch()  # its content is the same
    one = cli(*words, "--out", "one", "--reward-head", "short")
    assert one.returncode == 0, one.stderr
    assert cli.json("one/run.json")["calls"]["from_cache"] == len(TEXTS)
    assert cli.json("one/run.json")["calls"]["sent"] == 0
    _, objectives = _weighed(folder, head, ["<|eot_id|>"], 10, 1)
    lines = map(json.loads, (cli.home / "one/results.jsonl").read_text().splitlines())
    found = [x for line in lines for x in (*line["score_chosen"], *line["score_rejected"])]
    the_same(found, [o[2] for o in objectives])

    named = ("--attributes", "correctness=helpful,verbosity=short", "--format", "json")
    styled = cli("style", "gated", *named)
    assert styled.returncode == 0, styled.stderr
    (rated,) = json.loads(styled.stdout)["responses"]
    total = sum(mean["verbosity"] * mean["responses"] for mean in rated["means"])
    assert total == pytest.approx(sum(found), rel=1e-4)

    again = cli("reparse", "one", "--json")
    assert again.returncode == 0, again.stderr
    (read,) = json.loads(again.stdout)["reparse"]
    assert read["parser"].endswith("short")
    assert read["changed_tuples"] == []
