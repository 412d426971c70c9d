"""What would make a local model's numbers wrong without an error: right, refused, or said."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from local_models import (
    CHATML,
    NO_NEWLINE,
    TEXTS,
    Kind,
    answers,
    make,
    plain_rewards,
    values,
    write_data,
)
from reward_heads import rewards

from rmjudge.errors import ModelRefused, UsageError
from rmjudge.judging.methods import METHODS
from rmjudge.providers.local.classifier import Classifier
from rmjudge.providers.local.dpo import ImplicitReward
from rmjudge.providers.local.judge import LocalJudge
from rmjudge.providers.local.settings import LocalSettings
from rmjudge.providers.local.weights import not_loaded

LAST, BEFORE = "last", "before-pad"

OWN = """
import torch
from torch import nn
from transformers import LlamaConfig, LlamaModel, LlamaPreTrainedModel

class OwnModel(LlamaPreTrainedModel):
    config_class = LlamaConfig

    def __init__(self, config):
        super().__init__(config)
        self.model = LlamaModel(config)
        self.head = nn.Linear(config.hidden_size, 3)
        {extra}
        self.post_init()

    def forward(self, input_ids=None, attention_mask=None, **more):
        hidden = self.model(input_ids, attention_mask=attention_mask)[0]
        at = torch.arange(len(hidden)), {mask}.sum(-1) - 1
        last, each = self.head(hidden[at]), self.head(hidden)
        return {returned}
"""
MASK = "(torch.ones_like(input_ids) if attention_mask is None else attention_mask)"


def own(folder: Path, returned: str, *, extra: str = "pass", mask: str = MASK) -> tuple[Path, Any]:
    """A model with code of its own, saved; and the same model in this process."""
    import torch
    from safetensors.torch import save_file

    make(folder, Kind())
    code = OWN.format(returned=returned, extra=extra, mask=mask)
    (folder / "modeling_own.py").write_text(code)
    change(
        folder,
        architectures=["OwnModel"],
        auto_map={"AutoModelForSequenceClassification": "modeling_own.OwnModel"},
    )
    names: dict[str, Any] = {}
    exec(code, names)  # noqa: S102 - written above
    torch.manual_seed(5)
    config = names["LlamaConfig"].from_pretrained(folder)
    model = names["OwnModel"](config).eval()
    state = {key: value.clone() for key, value in model.state_dict().items()}
    save_file(state, folder / "model.safetensors", {"format": "pt"})
    return folder, model


def change(folder: Path, **more: Any) -> Path:
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **more}))
    return folder


def add_weights(folder: Path, **more: Any) -> Path:
    from safetensors.torch import load_file, save_file

    file = folder / "model.safetensors"
    save_file({**load_file(file), **more}, file, {"format": "pt"})
    return folder


def own_rewards(folder: Path, model: Any, pick: Any) -> list[float]:
    import torch
    from transformers import AutoTokenizer

    tokenizer, made = AutoTokenizer.from_pretrained(folder), []
    for prompt, response in TEXTS:
        turns = [
            {"role": "user", "content": prompt},
            {"role": "assistant", "content": response},
        ]
        text = tokenizer.apply_chat_template(turns, tokenize=False)
        ids = tokenizer(text, add_special_tokens=False, return_tensors="pt")["input_ids"]
        with torch.inference_mode():
            made.append(float(pick(model(ids, attention_mask=torch.ones_like(ids)))))
    return made


async def refused(folder: Path, **more: Any) -> str:
    with pytest.raises((ModelRefused, UsageError)) as caught:
        await rewards(folder, **more)
    assert caught.value.exit_code == 2
    return str(caught.value)


# Weights


async def test_weights_that_no_module_takes_are_named_unless_allowed(tmp_path: Path) -> None:
    import torch

    folder = make(tmp_path, Kind())
    want = plain_rewards(folder)
    bias, scale = "model.layers.0.self_attn.q_proj.bias", "model.layers.1.mlp.up_proj.weight_scale"
    add_weights(folder, **{bias: torch.randn(32), scale: torch.ones(1)})
    told = await refused(folder)
    assert bias in told
    assert "--allow-unused REGEX" in told
    assert scale in await refused(folder, allow_unused=r"\.bias$")
    assert await rewards(folder, allow_unused=r"\.bias$|_scale") == pytest.approx(want, abs=1e-4)
    assert "no regular expression" in await refused(folder, allow_unused="(")


async def test_the_other_ways_of_scoring_look_at_the_weights_too(tmp_path: Path) -> None:
    import torch

    folder = add_weights(
        make(tmp_path, Kind(task="CausalLM")), **{"v_head.summary.weight": torch.ones(1, 32)}
    )
    for scorer in (
        ImplicitReward(LocalSettings(str(folder))),
        LocalJudge(LocalSettings(str(folder)), METHODS["pairwise-logprob"]),
    ):
        with pytest.raises(ModelRefused, match=r"v_head\.summary\.weight"):
            scorer._loaded("cpu")


async def test_weights_that_own_code_has_dropped_unsaid_are_named_too(tmp_path: Path) -> None:
    import torch
    from safetensors.torch import load_file, save_file

    folder, _ = own(tmp_path, "last[:, 0]")
    (code,) = folder.glob("*.py")
    hides = "    _keys_to_ignore_on_load_unexpected = ['more']\n    config_class"
    code.write_text(code.read_text().replace("    config_class", hides, 1))
    held = load_file(folder / "model.safetensors")
    whole = held | {"more.weight": torch.ones(2, 2)}
    save_file(whole, folder / "model.safetensors", {"format": "pt"})
    assert "no place for: more.weight" in await refused(folder, trust_remote_code=True)


async def test_a_class_that_hides_what_is_missing_is_refused_all_the_same(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    folder, _ = own(tmp_path, "last[:, :1]", extra="pass")
    code = (folder / "modeling_own.py").read_text()
    hiding = "    config_class = LlamaConfig\n    _keys_to_ignore_on_load_missing = ['head']\n"
    (folder / "modeling_own.py").write_text(
        code.replace("    config_class = LlamaConfig\n", hiding)
    )
    file = folder / "model.safetensors"
    kept = {key: value for key, value in load_file(file).items() if not key.startswith("head")}
    save_file(kept, file, {"format": "pt"})
    assert "its files lack head.bias, head.weight" in await refused(folder, trust_remote_code=True)


# Buffers


@pytest.mark.parametrize(
    "extra",
    [
        "self.register_buffer('scale', torch.full((1,), 3.0), persistent=False)",
        "self.scale = torch.full((1,), 3.0)",
    ],
    ids=["buffer", "attribute"],
)
async def test_what_no_file_holds_is_made_again(extra: str, tmp_path: Path) -> None:
    folder, model = own(tmp_path, "last[:, :1] * self.scale", extra=extra)
    want = own_rewards(folder, model, lambda made: made[0, 0])
    first = await rewards(folder, trust_remote_code=True)
    assert first == pytest.approx(want, abs=1e-4)
    assert await rewards(folder, trust_remote_code=True) == first


async def test_a_buffer_that_is_drawn_anew_with_each_load_is_refused(tmp_path: Path) -> None:
    extra = "self.register_buffer('scale', torch.rand(1), persistent=False)"
    folder, _ = own(tmp_path, "last[:, :1] * self.scale", extra=extra)
    told = await refused(folder, trust_remote_code=True)
    assert "scale is not in its files" in told
    assert "makes it anew each time" in told


# What lies beside


async def test_two_sets_of_weights_are_refused_and_other_files_said(tmp_path: Path) -> None:
    folder = make(tmp_path, Kind())
    shutil.copy(folder / "model.safetensors", folder / "value_head.safetensors")
    scorer = Classifier(LocalSettings(str(folder)))
    assert not_loaded(folder) == ("value_head.safetensors",)
    assert any("value_head.safetensors" in line for line in scorer.activity.remarks)
    (folder / "model.safetensors.index.json").write_text('{"weight_map": {}}')
    assert "two sets of weights" in await refused(folder)


# Shapes of outputs


@pytest.mark.parametrize(
    ("returned", "pick"),
    [
        ("last[:, 0]", lambda made: made[0]),
        ("last[:, :1]", lambda made: made[0, 0]),
        ("(hidden, None, last[:, 0])", lambda made: made[2][0]),
        ("{'score': last[:, 0], 'hidden': hidden}", lambda made: made["score"][0]),
        ("{'scores': each[..., :1], 'end_scores': last[:, :1]}", lambda m: m["end_scores"][0, 0]),
        ("{'rewards': last, 'logits': last[:, 0]}", lambda made: made["logits"][0]),
        ("each[..., :1]", lambda made: made[0, -1, 0]),
        ("last[:, 0].squeeze()", lambda made: made),
    ],
)
async def test_the_value_of_a_text_is_found_in_any_output(
    returned: str, pick: Any, tmp_path: Path
) -> None:
    folder, model = own(tmp_path, returned)
    want = own_rewards(folder, model, pick)
    assert await rewards(folder, trust_remote_code=True) == pytest.approx(want, abs=1e-4)


async def test_a_forward_that_needs_its_mask_gets_one(tmp_path: Path) -> None:
    folder, model = own(tmp_path, "last[:, :1]", mask="attention_mask")
    want = own_rewards(folder, model, lambda made: made[0, 0])
    assert await rewards(folder, trust_remote_code=True) == pytest.approx(want, abs=1e-4)


async def test_the_output_counts_where_the_configuration_says_otherwise(tmp_path: Path) -> None:
    folder, model = own(tmp_path / "one", "last")
    told = await refused(folder, trust_remote_code=True)
    assert "the model has 3 outputs; choose the reward with --reward-head" in told
    want = own_rewards(folder, model, lambda made: made[0, 2])
    chosen = await rewards(folder, trust_remote_code=True, reward_head="2")
    assert chosen == pytest.approx(want, abs=1e-4)
    two, _ = own(tmp_path / "two", "last[:, :1]")
    change(two, id2label={"0": "bad", "1": "good"})
    assert len(await rewards(two, trust_remote_code=True)) == len(TEXTS)


async def test_a_value_a_token_that_could_be_labels_is_refused_with_advice(tmp_path: Path) -> None:
    folder, model = own(tmp_path, "each[..., 0]")
    told = await refused(folder, trust_remote_code=True)
    assert "values for each token" in told
    assert "--reward-head end" in told
    want = own_rewards(folder, model, lambda made: made[0, -1])
    chosen = await rewards(folder, trust_remote_code=True, reward_head="end")
    assert chosen == pytest.approx(want, abs=1e-4)


@pytest.mark.parametrize("returned", ["each", "(last[:, 0], last[:, 1])"])
async def test_an_output_without_a_single_reward_is_refused(returned: str, tmp_path: Path) -> None:
    folder, _ = own(tmp_path, returned)
    assert "--reward-head" in await refused(folder, trust_remote_code=True)


async def test_the_rows_of_the_head_count_where_labels_are_not_told(tmp_path: Path) -> None:
    folder = make(tmp_path, Kind())
    want = plain_rewards(folder)
    path = folder / "config.json"
    config = json.loads(path.read_text())
    for name in ("id2label", "label2id", "num_labels"):
        config.pop(name, None)
    path.write_text(json.dumps(config))
    assert await rewards(folder) == pytest.approx(want, abs=1e-4)


# Where the reward is read


def at_the_token_before(folder: Path) -> list[float]:
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    model = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    model.config.pad_token_id = None
    tokenizer, made = AutoTokenizer.from_pretrained(folder), []
    for prompt, response in TEXTS:
        turns = [
            {"role": "user", "content": prompt},
            {"role": "assistant", "content": response},
        ]
        ids = tokenizer.apply_chat_template(turns, return_tensors="pt", return_dict=False)
        with torch.inference_mode():
            made.append(float(model(ids[:, :-1]).logits[0, 0]))
    return made


async def test_where_pad_ends_the_text_the_token_before_it_is_read(tmp_path: Path) -> None:
    folder = make(tmp_path, Kind(template=NO_NEWLINE, pad="<|im_end|>"))
    scorer = Classifier(LocalSettings(str(folder)))
    assert scorer.identity["reward_token"] == BEFORE
    assert any("--reward-token before-pad" in line for line in scorer.activity.remarks)
    before = values(await answers(scorer))
    assert before == pytest.approx(at_the_token_before(folder), abs=1e-4)
    last = await rewards(folder, reward_token=LAST)
    assert last == pytest.approx(plain_rewards(folder), abs=1e-4)
    assert max(abs(a - b) for a, b in zip(before, last, strict=True)) > 0.1


@pytest.mark.parametrize("by", ["class", "prefix", "card", "words"])
async def test_what_openrlhf_trained_is_read_at_the_end_without_the_line_break(
    by: str, tmp_path: Path
) -> None:
    folder = make(tmp_path / "rm", Kind(template=CHATML, pad="<|im_end|>"))
    bare = Path(shutil.copytree(folder, tmp_path / "bare"))
    inner = CHATML.replace("<|im_end|>\n", "<|im_end|>{{ '' if loop.last else '\\n' }}")
    (bare / "chat_template.jinja").write_text(inner)
    if by == "class":
        change(folder, architectures=["RewardModel"])
    elif by == "prefix":
        change(folder, value_head_prefix="score")
    else:
        card = "---\ntags:\n- openrlhf\n---\n" if by == "card" else "It was trained with OpenRLHF."
        (folder / "README.md").write_text(card)
    scorer = Classifier(LocalSettings(str(folder)))
    assert scorer.identity["reward_token"] == LAST
    assert values(await answers(scorer)) == pytest.approx(plain_rewards(bare), abs=1e-4)


def test_a_data_set_of_openrlhf_s_or_a_trl_tag_is_no_sign_of_it(tmp_path: Path) -> None:
    folder = make(tmp_path, Kind(template=NO_NEWLINE, pad="<|im_end|>"))
    for card in (
        "---\ntags:\n- trl\n- reward-trainer\n---\nLike one trained with OpenRLHF.",
        "Trained on OpenRLHF/preference_dataset.",
    ):
        (folder / "README.md").write_text(card)
        assert Classifier(LocalSettings(str(folder))).identity["reward_token"] == BEFORE


async def test_a_head_with_a_rule_of_its_own_keeps_it(tmp_path: Path) -> None:
    folder, _ = own(tmp_path, "last[:, :1]")
    told = await refused(folder, trust_remote_code=True, reward_token=LAST)
    assert "by a rule of its own" in told


# Pair encoders


async def test_segments_are_those_of_tokenizer_of_question_and_answer(tmp_path: Path) -> None:
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    template = "{{ messages[0].content }}[SEP]{{ messages[1].content }}"
    folder = make(tmp_path, Kind("bert", adds="ends", template=template))
    path = folder / "tokenizer_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "sep_token": "[SEP]"}))
    model = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    tokenizer, want = AutoTokenizer.from_pretrained(folder), []
    for prompt, response in TEXTS:
        parts = [
            tokenizer(text, add_special_tokens=False)["input_ids"] for text in (prompt, response)
        ]
        special = tokenizer.convert_tokens_to_ids(["[CLS]", "[SEP]"])
        ids = [special[0], *parts[0], special[1], *parts[1], special[1]]
        types = [0] * (len(parts[0]) + 2) + [1] * (len(parts[1]) + 1)
        with torch.inference_mode():
            out = model(torch.tensor([ids]), token_type_ids=torch.tensor([types]))
        want.append(float(out.logits[0, 0]))
    scorer = Classifier(LocalSettings(str(folder)))
    assert scorer.identity["segments"] == "pair"
    assert values(await answers(scorer)) == pytest.approx(want, abs=1e-4)


# Policies


def test_a_classifier_with_tied_embeddings_is_no_language_model(tmp_path: Path) -> None:
    folder = change(make(tmp_path, Kind("gemma2")), tie_word_embeddings=True)
    with pytest.raises(UsageError, match="no causal language model"):
        ImplicitReward(LocalSettings(str(folder)))
    with pytest.raises(UsageError, match="no causal language model"):
        LocalJudge(LocalSettings(str(folder)), METHODS["pairwise-logprob"])


async def test_a_policy_with_an_added_token_goes_with_its_reference(tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    kind = Kind(task="CausalLM")
    reference = make(tmp_path / "reference", kind)
    policy = make(tmp_path / "policy", Kind(task="CausalLM", seed=8))
    same = values(
        await answers(ImplicitReward(LocalSettings(str(policy), reference=str(reference))))
    )
    tokenizer = AutoTokenizer.from_pretrained(policy)
    tokenizer.add_special_tokens({"additional_special_tokens": ["[PAD]"]})
    tokenizer.save_pretrained(policy)
    scorer = ImplicitReward(LocalSettings(str(policy), reference=str(reference)))
    outcomes = await answers(scorer, [*TEXTS, ("2+2?", "4 [PAD]")])
    assert values(outcomes[:-1]) == pytest.approx(same, rel=1e-4)
    assert "do not share" in outcomes[-1].detail


async def test_weights_of_other_shapes_than_the_configuration_s_are_refused_as_such(
    tmp_path: Path,
) -> None:
    folder = make(tmp_path / "rm", Kind())
    words = json.loads((folder / "config.json").read_text("utf-8"))["vocab_size"]
    change(folder, vocab_size=words + 3)
    with pytest.raises(ModelRefused, match="other shapes than its"):
        await answers(Classifier(LocalSettings(str(folder))))


@pytest.mark.parametrize("kind", ["packed", "whole", "policy"])
async def test_a_text_with_a_token_that_has_no_embedding_is_a_failure_of_its_own(
    kind: str, tmp_path: Path
) -> None:
    from transformers import AutoTokenizer

    family = "bert" if kind == "whole" else "llama"
    task = "CausalLM" if kind == "policy" else "SequenceClassification"
    folder = make(tmp_path / "m", Kind(family=family, task=task))
    scorer = ImplicitReward if kind == "policy" else Classifier
    same = values(await answers(scorer(LocalSettings(str(folder)))))
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.add_tokens(["zzz"])
    tokenizer.save_pretrained(folder)
    outcomes = await answers(scorer(LocalSettings(str(folder))), [*TEXTS, ("2+2?", "4 zzz")])
    assert values(outcomes[:-1]) == pytest.approx(same, rel=1e-4)
    assert "the model has embeddings for" in outcomes[-1].detail


# The run


def test_a_refused_model_ends_the_command_with_2_and_no_word_of_going_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import torch

    from rmjudge.cli import main

    folder = add_weights(make(tmp_path / "rm", Kind()), extra=torch.ones(1))
    data, out = write_data(tmp_path / "data.jsonl"), tmp_path / "out"
    asked = ["run", f"hf/{folder}", "--data", str(data), "--cache-dir", str(tmp_path / "cache")]
    assert main([*asked, "--out", str(out), "--quiet"]) == 2
    said = capsys.readouterr()
    assert "has no place for: extra" in said.err
    assert "go on" not in said.out + said.err
    assert not out.exists()
    asked.insert(1, "baseline/length")
    assert main([*asked, "--out", str(out), "--quiet"]) == 2
    said = capsys.readouterr()
    assert "has no place for: extra" in said.err
    assert "go on" not in said.out + said.err
    assert any(out.rglob("results.jsonl"))
