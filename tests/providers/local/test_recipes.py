"""Reward models of classes that transformers does not have, held against an independent forward.

Each is a tiny model with the class and weight names of its family; no code of its own lies beside
it, and none is run.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from local_models import TEXTS, Kind, answers, make, values
from reward_models import GEMMA, LLAMA3, WIDTH, save, states, weights

from rmjudge import UsageError
from rmjudge.errors import ModelRefused
from rmjudge.providers.local.classifier import Classifier
from rmjudge.providers.local.converting import convert
from rmjudge.providers.local.settings import LocalSettings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from command import Cli

OWN_CODE = {"AutoModel": "modeling_own.Own"}


async def rewards(folder: Path, **more: Any) -> list[float]:
    return values(await answers(Classifier(LocalSettings(str(folder), **more))))


def the_same(one: Sequence[float], other: Sequence[Any]) -> None:
    want = [float(value) for value in other]
    assert one == pytest.approx(want, rel=0, abs=2e-4)
    assert max(want) - min(want) > 0.1  # or any reward would do


def refused(folder: Path, **more: Any) -> str:
    with pytest.raises(UsageError) as caught:
        Classifier(LocalSettings(str(folder), **more))
    return str(caught.value)


def linear(head: dict[str, Any], stem: str, state: Any) -> Any:
    made = state @ head[f"{stem}.weight"][0]
    return made + head[f"{stem}.bias"][0] if f"{stem}.bias" in head else made


def mlp(head: dict[str, Any], stem: str, state: Any) -> Any:
    inner = (head[f"{stem}.0.weight"] @ state + head[f"{stem}.0.bias"]).clamp(min=0)
    return head[f"{stem}.2.weight"][0] @ inner + head[f"{stem}.2.bias"][0]


def two_layers(stem: str) -> dict[str, Any]:
    return {
        f"{stem}.{name}": tensor
        for name, tensor in weights(
            **{"0__weight": (16, WIDTH), "0__bias": (16,), "2__weight": (1, 16), "2__bias": (1,)}
        ).items()
    }


# One head at the end of the text


@pytest.mark.parametrize(
    ("architecture", "stem", "bias"),
    [
        ("EurusRewardModel", "regression_head", False),
        ("LlamaRewardModel", "regression_head", False),
        ("GRewardModel", "v_head.summary", True),
        ("LlamaForScore", "score_head", True),
    ],
)
@pytest.mark.parametrize("pad", ["<pad>", "<|im_end|>"])
async def test_a_linear_head_is_read_at_the_last_token_whatever_pads(
    architecture: str, stem: str, bias: bool, pad: str, tmp_path: Path
) -> None:
    head = {f"{stem}.weight": weights(a=(1, WIDTH))["a"]}
    if bias:
        head[f"{stem}.bias"] = weights(b=(1,))["b"]
    kind = Kind("mistral", template=LLAMA3.replace("<|eot_id|>", "<|im_end|>"), pad=pad)
    folder = save(tmp_path, architecture, head, kind=kind, auto_map=OWN_CODE)
    the_same(await rewards(folder), [linear(head, stem, s[-1]) for _, s in states(folder)])


async def test_a_value_head_of_two_layers_is_read_at_the_last_token(tmp_path: Path) -> None:
    head = two_layers("v_head.summary")
    extra = {"lm_head.weight": weights(a=(300, WIDTH))["a"]}
    folder = save(tmp_path, "GRewardModel", {**head, **extra}, vhead_num_neurons=16)
    the_same(await rewards(folder), [mlp(head, "v_head.summary", s[-1]) for _, s in states(folder)])


async def test_a_cost_model_counts_a_low_cost_as_a_high_reward(tmp_path: Path) -> None:
    import torch

    head = {
        "score_head.weight": weights(a=(1, WIDTH))["a"],
        "normalizer.mean": torch.tensor([0.5]),
        "normalizer.var": torch.tensor([4.0]),
        "normalizer.count": torch.tensor([7], dtype=torch.long),
    }
    told: dict[str, Any] = {"score_type": "cost", "do_normalize": True, "score_dim": 1}
    folder = save(tmp_path, "LlamaForScore", head, **told)
    want = [-(linear(head, "score_head", s[-1]) - 0.5) / 2 for _, s in states(folder)]
    the_same(await rewards(folder), want)


async def test_a_head_named_by_openrlhf_s_value_head_prefix_is_read_at_the_end(
    tmp_path: Path,
) -> None:
    head = {"value_head.weight": weights(a=(1, WIDTH))["a"]}
    kind = Kind(template=LLAMA3.replace("<|eot_id|>", "<|im_end|>"), pad="<|im_end|>")
    folder = save(tmp_path, "RewardModel", head, kind=kind, value_head_prefix="value_head")
    the_same(await rewards(folder), [linear(head, "value_head", s[-1]) for _, s in states(folder)])


@pytest.mark.parametrize("pooling", ["mean", "last"])
async def test_a_pooled_head_reads_the_mean_or_the_last_token(pooling: str, tmp_path: Path) -> None:
    head = {"out_proj.weight": weights(a=(1, WIDTH))["a"], "out_proj.bias": weights(b=(1,))["b"]}
    folder = save(
        tmp_path,
        "GPTNeoXRewardModel",
        head,
        kind=Kind("gpt_neox", template=LLAMA3),
        rename=lambda body: {f"gpt_neox.{name}": tensor for name, tensor in body.items()},
        model_type="gpt_neox_reward_model",
        pooling=pooling,
    )
    found = [s.mean(0) if pooling == "mean" else s[-1] for _, s in states(folder)]
    the_same(await rewards(folder), [linear(head, "out_proj", state) for state in found])


# Before the first padding token


@pytest.mark.parametrize("architecture", ["INFORMForSequenceClassification", "Qwen2ForRewardModel"])
@pytest.mark.parametrize("pad", ["<pad>", "<|im_end|>"])
async def test_a_chain_of_layers_is_read_before_the_first_padding_token(
    architecture: str, pad: str, tmp_path: Path
) -> None:
    head = two_layers("score")
    ending = "{% if loop.last %}<|im_end|>{% endif %}{% endfor %}"
    kind = Kind("qwen2", template=LLAMA3.replace("{% endfor %}", ending), pad=pad)
    folder = save(tmp_path, architecture, head, kind=kind, auto_map=OWN_CODE)
    at = -2 if pad == "<|im_end|>" else -1
    the_same(await rewards(folder), [mlp(head, "score", s[at]) for _, s in states(folder)])


@pytest.mark.parametrize("architecture", ["LlamaForSequenceClassification", "GPTRewardModel"])
async def test_starling_is_read_before_the_first_token_of_id_0(
    architecture: str, tmp_path: Path
) -> None:
    head = {"v_head.weight": weights(a=(1, WIDTH))["a"]}
    ending = "{% if loop.last %}<pad><pad>{% endif %}{% endfor %}"  # `<pad>` has the id 0 here
    folder = save(
        tmp_path,
        architecture,
        head,
        kind=Kind(template=LLAMA3.replace("{% endfor %}", ending), pad="<|im_end|>"),
        rename=lambda body: {f"transformer.{name}": tensor for name, tensor in body.items()},
    )
    the_same(await rewards(folder), [linear(head, "v_head", s[-3]) for _, s in states(folder)])


# A token behind the text


async def test_athene_is_read_at_the_cls_token_behind_the_text(tmp_path: Path) -> None:
    head = {"v_head.weight": weights(a=(1, WIDTH))["a"]}
    folder = save(tmp_path, "AtheneForSequenceClassification", head, cls="<|reward|>")
    found = states(folder, behind="<|reward|>")
    the_same(await rewards(folder), [linear(head, "v_head", s[-1]) for _, s in found])


def _internlm2(body: dict[str, Any]) -> dict[str, Any]:
    """Llama's weights under InternLM 2's names: 4 query heads, 2 key heads, 8 wide."""
    import torch

    names = {
        "embed_tokens": "tok_embeddings",
        "input_layernorm": "attention_norm",
        "post_attention_layernorm": "ffn_norm",
        "self_attn.o_proj": "attention.wo",
        "mlp.gate_proj": "feed_forward.w1",
        "mlp.up_proj": "feed_forward.w3",
        "mlp.down_proj": "feed_forward.w2",
    }
    made = {}
    for name, tensor in body.items():
        if ".self_attn.q_proj" in name:
            q = tensor
            k, v = (body[name.replace("q_proj", part)] for part in ("k_proj", "v_proj"))
            groups = [
                torch.cat([q[16 * g : 16 * g + 16], k[8 * g : 8 * g + 8], v[8 * g : 8 * g + 8]])
                for g in range(2)
            ]
            made["model." + name.replace("self_attn.q_proj", "attention.wqkv")] = torch.cat(groups)
        elif "k_proj" not in name and "v_proj" not in name:
            other = name
            for llama, intern in names.items():
                other = other.replace(llama, intern)
            made[f"model.{other}"] = tensor
    return made


async def test_internlm2_is_llama_under_other_names_with_a_reward_token_behind(
    tmp_path: Path,
) -> None:
    from transformers import AutoTokenizer

    head = {"v_head.weight": weights(a=(1, WIDTH))["a"]}
    folder = save(
        tmp_path,
        "InternLM2ForRewardModel",
        head,
        rename=_internlm2,
        model_type="internlm2",
        rope_parameters=None,
        rope_theta=10000.0,
        reward_token_id=0,
        auto_map={"AutoModel": "modeling_internlm2.InternLM2ForRewardModel"},
    )
    config = json.loads((folder / "config.json").read_text())
    token = AutoTokenizer.from_pretrained(folder).convert_tokens_to_ids("<|reward|>")
    (folder / "config.json").write_text(json.dumps({**config, "reward_token_id": token}))
    found = states(folder, behind="<|reward|>")
    the_same(await rewards(folder), [linear(head, "v_head", s[-1]) for _, s in found])


# Objectives under a gate


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


def through(head: dict[str, Any], stem: str, state: Any, activation: Any) -> Any:
    """Layers in the order of their numbers, `activation` between them."""
    numbers = sorted({int(n.removeprefix(f"{stem}.").split(".")[0]) for n in head if stem in n})
    for at, number in enumerate(numbers):
        state = activation(state) if at else state
        state = head[f"{stem}.{number}.weight"] @ state + head[f"{stem}.{number}.bias"]
    return state


def layers(stem: str, places: tuple[int, int, int], rows: int) -> dict[str, Any]:
    one, two, last = places
    shapes = {one: (16, WIDTH), two: (16, 16), last: (rows, 16)}
    named = {f"{stem}.{k}.weight": shape for k, shape in shapes.items()}
    return weights(**named, **{f"{stem}.{k}.bias": shape[:1] for k, shape in shapes.items()})


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


# A token's logit


async def test_the_logit_of_a_token_is_the_reward_where_that_is_asked_for(tmp_path: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder = make(tmp_path / "policy", Kind(task="CausalLM"))
    model = AutoModelForCausalLM.from_pretrained(folder).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    want = []
    for prompt, response in TEXTS:
        turns = [
            {"role": "user", "content": prompt},
            {"role": "assistant", "content": response},
        ]
        text = tokenizer.apply_chat_template(turns, tokenize=False)
        ids = tokenizer(text, add_special_tokens=False, return_tensors="pt")["input_ids"]
        with torch.inference_mode():
            want.append(model(input_ids=ids).logits[0, -1, 3])
    the_same(await rewards(folder, reward_head="token:3"), want)
    assert "--reward-head token:0" in refused(folder)


async def test_nemotron_s_reward_is_known_by_its_name(tmp_path: Path) -> None:
    folder = make(tmp_path / "Llama-3.1-Nemotron-70B-Reward-HF", Kind(task="CausalLM"))
    scorer = Classifier(LocalSettings(str(folder)))
    assert any("the logit of token 0" in remark for remark in scorer.activity.remarks)
    named = await rewards(folder, reward_head="token:0")
    assert values(await answers(scorer)) == named


async def test_logits_under_a_cap_and_tokens_that_are_not_there_are_refused(
    tmp_path: Path,
) -> None:
    capped = make(tmp_path / "capped", Kind("gemma2", task="CausalLM"))
    plain = make(tmp_path / "plain", Kind(task="CausalLM"))
    for folder, token, why in ((capped, 0, "caps its logits"), (plain, 9999, "no token 9999")):
        with pytest.raises(ModelRefused, match=why):
            await rewards(folder, reward_head=f"token:{token}")


# What is refused


async def test_weights_that_neither_body_nor_head_takes_are_refused(tmp_path: Path) -> None:
    head = weights(regression_head__weight=(1, WIDTH), other_head__weight=(1, WIDTH))
    folder = save(tmp_path, "EurusRewardModel", head)
    with pytest.raises(ModelRefused, match=r"other_head\.weight"):
        await rewards(folder)
    assert len(await rewards(folder, allow_unused="other_head")) == len(TEXTS)


@pytest.mark.parametrize(
    ("architecture", "why"),
    [
        ("Qwen2ForProcessRewardModel", "a process reward model"),
        ("LDLRewardModel27B", r"\.pt files"),
        ("DebertaV2PairRM", "two responses in one text"),
        ("EurusRewardModel", "neither transformers nor rmjudge has a reward head for"),
    ],
)
def test_what_no_head_reads_is_refused_with_the_reason(
    architecture: str, why: str, tmp_path: Path
) -> None:
    import re

    folder = save(tmp_path, architecture, weights(odd__weight=(1, WIDTH)))
    assert re.search(why, refused(folder))


async def test_code_that_is_no_classifier_s_is_not_run_for_the_model_even_where_trusted(
    tmp_path: Path,
) -> None:
    head = {"regression_head.weight": weights(a=(1, WIDTH))["a"]}
    folder = save(tmp_path, "EurusRewardModel", head, auto_map=OWN_CODE)
    (folder / "modeling_own.py").write_text("raise SystemExit('run')")
    want = [linear(head, "regression_head", s[-1]) for _, s in states(folder)]
    the_same(await rewards(folder, trust_remote_code=True), want)


async def test_a_tokenizer_of_own_code_is_read_from_its_file(tmp_path: Path) -> None:
    head = {"regression_head.weight": weights(a=(1, WIDTH))["a"]}
    folder = save(tmp_path, "EurusRewardModel", head)
    want = [linear(head, "regression_head", s[-1]) for _, s in states(folder)]
    path = folder / "tokenizer_config.json"
    own = {"tokenizer_class": "OwnTokenizer", "auto_map": {"AutoTokenizer": ["own.OwnTokenizer"]}}
    path.write_text(json.dumps({**json.loads(path.read_text()), **own}))
    the_same(await rewards(folder), want)


def test_own_code_that_no_recipe_reads_is_named_with_its_flag(tmp_path: Path) -> None:
    folder = save(tmp_path, "UncertainModel", weights(odd__weight=(1, 2)), auto_map=OWN_CODE)
    assert "--trust-remote-code runs: read that code first" in refused(folder)


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


def test_a_reward_model_of_openrlhf_is_known_before_the_hub_s_weights_are_here(
    tmp_path: Path,
) -> None:
    from rmjudge.providers.local.choosing import choose_head
    from rmjudge.providers.local.files import find

    head = weights(score__weight=(1, WIDTH))
    folder = save(tmp_path, "RewardModel", head, id2label=None, label2id=None)
    files = find(str(folder))
    (folder / "model.safetensors").unlink()
    choice = choose_head(files, LocalSettings(str(folder)))
    assert (choice.head, choice.label, choice.recipe) == (0, 0, None)
