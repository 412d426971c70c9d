"""Make two tiny models that real servers load: `tiny-rm` (scores) and `tiny-lm` (judges).

`python tests/integration/tiny_models.py OUTDIR` writes both in about two minutes on two CPU
cores, without network, from fixed seeds. `tiny-rm` is a randomly initialised reward model.
`tiny-lm` answers any chat prompt up to about 3,500 tokens with one sentence and a boxed verdict;
the verdict follows the length of the prompt and nothing of its meaning.
"""

from __future__ import annotations

import math
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
REPLIES = (
    "Response A is much better: \\boxed{A>>B}",
    "Response A is slightly better: \\boxed{A>B}",
    "Both are about equally good: \\boxed{A=B}",
    "Response B is slightly better: \\boxed{B>A}",
    "Response B is much better: \\boxed{B>>A}",
)
WORDS = """the of and to in is that it for as with was on are be this by not or from at have an
which you your can will one all their has more other when what there if about out up so who them
some would make like into time two than first been its only over also new these way may use most
any how our work because good even give day where should after through between both long help
provide important example such using include different being each many data number information
people place right same while great well still own find here think need take come know see look
want say get go just year world life part point system program question answer response better
worse user assistant judge compare evaluate following instruction explain reason helpful correct
accurate clear detailed quality verdict final start end please does did do he she they we his her
could must might often keep food water health sure ensure consider important however therefore
code function return value list string print def import class self true false none step result
Here The This It In You To A If For And When I What How Some Be Use There They As An Yes No ing
tion ed er ly ment ness able ive al ous ity es re un con com pro pre dis ex en st th ch sh ght
state country city history language music game book film story team player science art business
company market price money family friend child school student teacher learn read write play""".split()
SYMBOLS = "\n \n\n - ** ** # ## ### 1. 2. 3. , . . , : ; ! ? ( ) [ ] [[A]] [[B]] [End] ``` = + / é 世 \U0001f600"
SIZE = {
    "hidden_size": 128,
    "intermediate_size": 256,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 2,
    "max_position_embeddings": 8192,
}


def make_tokenizer() -> PreTrainedTokenizerFast:
    """Train a byte-level BPE tokenizer; `Yes`, `No`, letters and digits are single tokens."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    core = Tokenizer(models.BPE())
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False)
    digits = pre_tokenizers.Digits(individual_digits=True)
    core.pre_tokenizer = pre_tokenizers.Sequence([digits, byte_level])
    core.decoder = decoders.ByteLevel()
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    trainer = trainers.BpeTrainer(
        vocab_size=1536,
        special_tokens=special,
        show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    corpus = [" " + " ".join(WORDS), *WORDS, *(f"{role}\n" for role in ("user", "assistant"))]
    core.train_from_iterator([*corpus, *REPLIES] * 3, trainer)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=core,
        chat_template=TEMPLATE,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        clean_up_tokenization_spaces=False,
        model_max_length=8192,
    )
    for text in ("Yes", "No", *"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"):
        assert len(tokenizer.encode(text)) == 1, f"{text!r} is not a single token"
    return tokenizer


def make_config(tokenizer: PreTrainedTokenizerFast, **extra: Any) -> Any:
    """The two-layer Qwen2 configuration that both models share."""
    from transformers import Qwen2Config

    return Qwen2Config(
        vocab_size=len(tokenizer),
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
        bos_token_id=None,
        tie_word_embeddings=False,
        **SIZE,
        **extra,
    )


def make_rm(out: Path, tokenizer: PreTrainedTokenizerFast) -> None:
    """Save a randomly initialised one-label reward model."""
    import torch
    from transformers import Qwen2ForSequenceClassification

    torch.manual_seed(11)
    model = Qwen2ForSequenceClassification(make_config(tokenizer, num_labels=1))
    torch.nn.init.normal_(model.score.weight, std=0.2)
    model.save_pretrained(out)
    tokenizer.save_pretrained(out)


def verdict_of(length: int) -> int:
    """Index in REPLIES for a prompt of `length` tokens: evenly spaced in log2, repeating."""
    return int(math.log2(max(length, 1)) * 4) % len(REPLIES)


def batches(tokenizer: PreTrainedTokenizerFast, steps: int) -> Iterator[tuple[Any, Any]]:
    """Yield (token ids, reply labels) of random chats: words, symbols, noise, quoted replies."""
    import torch

    rng = random.Random(7)
    words = [tokenizer.encode(" " + w) for w in WORDS]
    symbols = [tokenizer.encode(s) for s in SYMBOLS.split(" ")] + [tokenizer.encode("\n\n")]
    quotes = [tokenizer.encode(t) for r in REPLIES for t in (r, r[r.index("\\") :])]
    noise = [[i] for i in range(3, len(tokenizer))]
    user, closing = (
        tokenizer.encode(t) for t in ("<|im_start|>user\n", "<|im_end|>\n<|im_start|>assistant\n")
    )
    replies = [[*tokenizer.encode(r), tokenizer.eos_token_id] for r in REPLIES]
    width = max(map(len, replies))
    for step in range(steps):
        top = 160 if step < steps // 3 else 3600
        length = int(math.exp(rng.uniform(math.log(24), math.log(top))))
        ids, labels = [], []
        for _ in range(max(2, min(24, 6000 // length))):
            weights = [rng.random() ** 2 for _ in range(4)]
            body: list[int] = []
            while len(body) < length:
                body += rng.choice(rng.choices((words, symbols, quotes, noise), weights)[0])
            prompt = [*user, *body[: length - len(user) - len(closing)], *closing]
            reply = replies[verdict_of(length)]
            pad = width - len(reply)
            ids.append([*prompt, *reply, *[tokenizer.pad_token_id] * pad])
            labels.append([*reply, *[-100] * pad])
        yield torch.tensor(ids), torch.tensor(labels)


def make_lm(out: Path, tokenizer: PreTrainedTokenizerFast, steps: int = 450) -> None:
    """Train and save the judge; raises RuntimeError if it did not learn the reply format."""
    import torch
    from transformers import GenerationConfig, Qwen2ForCausalLM

    torch.manual_seed(13)
    model = Qwen2ForCausalLM(make_config(tokenizer))
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0.01)
    plan = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=steps, pct_start=0.1)
    for step, (ids, labels) in enumerate(batches(tokenizer, steps)):
        hidden = model.model(input_ids=ids, use_cache=False).last_hidden_state
        logits = model.lm_head(hidden[:, -labels.shape[1] - 1 : -1])
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), labels.flatten())
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        plan.step()
        if step % 25 == 0:
            print(f"step {step} length {ids.shape[1]} loss {loss.item():.4f}", flush=True)
    if loss.item() > 0.5:
        raise RuntimeError(f"tiny-lm did not learn its replies: loss {loss.item():.3f}")
    model.generation_config = GenerationConfig(
        do_sample=False, eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id
    )
    model.save_pretrained(out)
    tokenizer.save_pretrained(out)


def make_models(out: Path) -> None:
    """Write `out/tiny-rm` and `out/tiny-lm`."""
    tokenizer = make_tokenizer()
    make_rm(out / "tiny-rm", tokenizer)
    make_lm(out / "tiny-lm", tokenizer)


if __name__ == "__main__":
    make_models(Path(sys.argv[1]))
