"""Tiny models with random weights, saved as a user's would be, and loaded by the real code.

The tokenizer knows 256 bytes and a few special tokens, so that any text has tokens and every
character counts. Weights are large enough that rewards differ in their first digits.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

CHATML: Final = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
WITH_BOS: Final = "{{ bos_token }}" + CHATML
NO_NEWLINE: Final = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
FOR_ENCODERS: Final = "{{ messages[0].content }}[SEP]{{ messages[1].content }}"
SPECIAL: Final = ("<pad>", "<s>", "</s>", "<|im_start|>", "<|im_end|>", "[CLS]", "[SEP]")

_SHAPE: Final[dict[str, Any]] = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "max_position_embeddings": 2048,
    "initializer_range": 0.3,
}
_HEADS: Final[dict[str, Any]] = {"num_key_value_heads": 2, "head_dim": 8}
DECODERS: Final[dict[str, dict[str, Any]]] = {
    "llama": _HEADS,
    "qwen2": {"num_key_value_heads": 2},
    "qwen3": _HEADS,
    "mistral": {**_HEADS, "sliding_window": 24},
    "gemma2": {**_HEADS, "sliding_window": 24, "query_pre_attn_scalar": 8},
    "gemma3_text": {**_HEADS, "sliding_window": 24, "query_pre_attn_scalar": 8},
    "gpt_neox": {},
}
ENCODERS: Final[dict[str, dict[str, Any]]] = {
    "deberta-v2": {
        "relative_attention": True,
        "position_biased_input": False,
        "pos_att_type": ["p2c", "c2p"],
        "pooler_hidden_size": 32,
    },
    "modernbert": {"local_attention": 16, "global_attn_every_n_layers": 2},
    "bert": {},
}


@dataclass(frozen=True)
class Kind:
    """What a model is made of; `adds` is what the tokenizer itself puts around a text."""

    family: str = "llama"
    task: str = "SequenceClassification"
    labels: tuple[str, ...] = ("REWARD",)
    template: str | None = CHATML
    adds: str = ""
    pad: str | None = "<pad>"
    padding_side: str = "right"
    truncation_side: str = "right"
    dtype: str = "float32"
    seed: int = 7
    positions: int = 2048
    more_tokens: tuple[str, ...] = ()


def make(folder: Path, kind: Kind) -> Path:
    """Save the model and its tokenizer."""
    import torch
    import transformers

    tokenizer = make_tokenizer(kind)
    config = make_config(kind, tokenizer)
    torch.manual_seed(kind.seed)
    auto = getattr(transformers, f"AutoModelFor{kind.task}")
    model = auto.from_config(config, dtype=getattr(torch, kind.dtype))
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def make_config(kind: Kind, tokenizer: Any) -> Any:
    """A configuration of two narrow layers."""
    from transformers import AutoConfig

    extra = {**DECODERS, **ENCODERS}[kind.family]
    values = {**_SHAPE, **extra, "max_position_embeddings": kind.positions}
    if kind.task == "SequenceClassification":
        values["id2label"] = dict(enumerate(kind.labels))
        values["label2id"] = {label: k for k, label in enumerate(kind.labels)}
    ids = tokenizer.convert_tokens_to_ids
    return AutoConfig.for_model(
        kind.family,
        **values,
        vocab_size=len(tokenizer),
        pad_token_id=None if kind.pad is None else ids(kind.pad),
        bos_token_id=ids("<s>"),
        eos_token_id=ids("<|im_end|>"),
    )


def make_tokenizer(kind: Kind) -> Any:
    """Bytes and special tokens; `adds` is `bos`, `ends` ([CLS] and [SEP]) or nothing."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from tokenizers.processors import TemplateProcessing
    from transformers import PreTrainedTokenizerFast

    names = (*SPECIAL, *kind.more_tokens, *sorted(pre_tokenizers.ByteLevel.alphabet()))
    vocabulary = {name: k for k, name in enumerate(names)}
    core = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    core.add_special_tokens(list(SPECIAL))
    ends = {"bos": "<s> $A", "ends": "[CLS] $A [SEP]"}.get(kind.adds)
    if ends:
        special = [(name, vocabulary[name]) for name in SPECIAL]
        core.post_processor = TemplateProcessing(single=ends, special_tokens=special)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=core,
        bos_token="<s>",  # noqa: S106
        eos_token="<|im_end|>",  # noqa: S106
        pad_token=kind.pad,
        padding_side=kind.padding_side,
        truncation_side=kind.truncation_side,
    )
    tokenizer.chat_template = kind.template
    return tokenizer


def _styles(answer: str) -> list[str]:
    return [f"{answer}.", f"It is {answer}, as you see.", f"**{answer}** it is:\n\n- {answer}"]


ITEMS: Final[list[dict[str, Any]]] = [
    {
        "id": k,
        "domain": domain,
        "prompt": prompt,
        "chosen": [f"{right}.", f"It is {right}, as you see.", f"**{right}** it is:\n\n- {right}"],
        "rejected": [
            f"{wrong}.",
            f"It is {wrong}, as you see.",
            f"**{wrong}** it is:\n\n- {wrong}",
        ],
    }
    for k, (domain, prompt, right, wrong) in enumerate(
        [
            ("chat", "Where is the Eiffel tower?", "Paris", "London"),
            ("math", "What is 6 x 7?", "42", "48"),
            ("code", "Which keyword begins a function in Python?", "def", "fun"),
        ]
    )
]
TEXTS: Final = [
    (str(item["prompt"]), str(text))
    for item in ITEMS
    for text in (*item["chosen"], *item["rejected"])
]


def write_data(path: Path) -> Path:
    """Three tuples, as a file of a user's."""
    path.write_text("".join(f"{json.dumps(item)}\n" for item in ITEMS), "utf-8")
    return path


def plain_rewards(
    folder: Path, pairs: list[tuple[str, str]] = TEXTS, *, label: int = 0, special: bool = False
) -> list[float]:
    """What transformers' own classifier says of one text after the other.

    Without a padding token it reads the last token, whichever that is.
    """
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    model = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model.config.pad_token_id = None
    rewards = []
    for prompt, response in pairs:
        turns = [
            {"role": "user", "content": prompt},
            {"role": "assistant", "content": response},
        ]
        text = tokenizer.apply_chat_template(turns, tokenize=False)
        ids = tokenizer(text, add_special_tokens=special, return_tensors="pt")["input_ids"]
        with torch.inference_mode():
            rewards.append(float(model(input_ids=ids).logits[0, label]))
    return rewards


async def answers(scorer: Any, pairs: list[tuple[str, str]] = TEXTS) -> list[Any]:
    """What a scorer answers to (prompt, response) pairs, as the orchestrator asks it."""
    from rmjudge.calls import RewardCall

    try:
        outcomes: list[Any] = await scorer.answer([RewardCall(*pair) for pair in pairs])
    finally:
        await scorer.aclose()
    return outcomes


def values(outcomes: list[Any]) -> list[float]:
    """The rewards of replies."""
    return [outcome.answer.value for outcome in outcomes]
