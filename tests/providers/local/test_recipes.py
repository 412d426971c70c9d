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
from reward_heads import OWN_CODE, linear, mlp, refused, rewards, the_same, two_layers
from reward_models import LLAMA3, WIDTH, save, states, weights

from rmjudge.errors import ModelRefused
from rmjudge.providers.local.classifier import Classifier
from rmjudge.providers.local.settings import LocalSettings

if TYPE_CHECKING:
    pass

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
