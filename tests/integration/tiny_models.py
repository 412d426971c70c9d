"""Make two tiny models that real servers load: `tiny-rm` (scores) and `tiny-lm` (judges).

`python tests/integration/tiny_models.py OUTDIR` writes both in five to six minutes on two cores,
from fixed seeds, offline. `tiny-rm` is random. `tiny-lm` answers any chat of up to 3,500 tokens
with a sentence that ends in a boxed verdict; the verdict follows the length of the chat alone.
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

PAD, START, END = "<|endoftext|>", "<|im_start|>", "<|im_end|>"
TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
# Words differ from verdict to verdict and each box is one token, so that every token of a reply
# is known from the one before it: only the first looks at the prompt.
REPLIES = (
    "Clearly the first: \\boxed{A>>B}",
    "Slightly better is A; \\boxed{A>B}",
    "Both are equal, \\boxed{A=B}",
    "I lean to second. \\boxed{B>A}",
    "By far B! \\boxed{B>>A}",
)
EDGES = (12, 700, 1200, 1700, 2300, 3600)  # prompt tokens from which each verdict is given
WORDS = """the of and to in is that it for as with was on are be this by not or from at have an
which you your can will one all their has more other when what there if about out up so who them
some would make like into time two than first been its only over also new these way may use most
any how our work because good even give day where should after through between both long help
provide important example such using include different being each many data number information
people place right same while great well still own find here think need take come know see look
want say get go just year world life part point system question answer response better worse user
assistant judge compare evaluate instruction explain reason helpful correct clear detailed verdict
Here The This It In You To A If For And When I What How Some Be Use There They As An Yes No ing
tion ed er ly ment ness able ive al ous ity es re un con com pro pre dis ex en st th ch sh ght"""
SYMBOLS = "\n \n\n - ** # ### 1. 2. , . : ; ! ? ( ) [ ] [[A]] [[B]] [End] ``` = + / é 世"


def make_tokenizer() -> PreTrainedTokenizerFast:
    """Train a byte-level BPE tokenizer; `Yes`, `No`, letters and digits are single tokens."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    core = Tokenizer(models.BPE())
    core.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    core.decoder = decoders.ByteLevel()
    alphabet, special = pre_tokenizers.ByteLevel.alphabet(), [PAD, START, END]
    trainer = trainers.BpeTrainer(
        vocab_size=1536, special_tokens=special, initial_alphabet=alphabet, show_progress=False
    )
    sentences, boxes = zip(*(reply.split(" \\") for reply in REPLIES), strict=True)
    core.train_from_iterator([f" {WORDS}", *WORDS.split(), *sentences] * 3, trainer)
    core.add_tokens([AddedToken(f" \\{box}", normalized=False) for box in boxes])
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=core, eos_token=END, pad_token=PAD)
    tokenizer.chat_template = TEMPLATE
    for text in ("Yes", "No", *"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"):
        assert len(tokenizer.encode(text)) == 1, f"{text!r} is not a single token"
    replies = [tokenizer.encode(reply) for reply in REPLIES]
    assert len(set().union(*replies)) == sum(map(len, replies)), "two replies share a token"
    return tokenizer


def make_config(tokenizer: PreTrainedTokenizerFast, **extra: Any) -> Any:
    """The two-layer Qwen2 configuration that both models share (head_dim 64, as vLLM needs)."""
    from transformers import Qwen2Config

    size = {"hidden_size": 128, "intermediate_size": 256, "max_position_embeddings": 8192}
    shape = {"num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 2}
    tokens = {"pad_token_id": tokenizer.pad_token_id, "eos_token_id": tokenizer.eos_token_id}
    return Qwen2Config(vocab_size=len(tokenizer), **size, **shape, **tokens, **extra)


def make_rm(out: Path, tokenizer: PreTrainedTokenizerFast) -> None:
    """Save a randomly initialised one-label reward model."""
    import torch
    from transformers import Qwen2ForSequenceClassification

    torch.manual_seed(11)
    model = Qwen2ForSequenceClassification(make_config(tokenizer, num_labels=1))
    torch.nn.init.normal_(model.score.weight, std=0.2)
    model.save_pretrained(out)
    tokenizer.save_pretrained(out)


def chats(tokenizer: PreTrainedTokenizerFast) -> Iterator[tuple[list[int], list[int]]]:
    """Yield (prompt, reply) ids of random chats without end; each run of five has all verdicts."""
    rng = random.Random(7)
    kinds = [[f" {word}" for word in WORDS.split()], [*SYMBOLS.split(" ")], [*REPLIES]]
    parts = [[tokenizer.encode(text) for text in kind] for kind in kinds]
    parts.append([[token] for token in range(3, len(tokenizer))])
    opening, closing = map(tokenizer.encode, (f"{START}user\n", f"{END}\n{START}assistant\n"))
    replies = [[*tokenizer.encode(reply), tokenizer.eos_token_id] for reply in REPLIES]
    while True:
        for low, high, reply in zip(EDGES, EDGES[1:], replies, strict=False):
            weights = [rng.random() ** 2 for _ in parts]
            length = int(math.exp(rng.uniform(math.log(low), math.log(high))))
            body: list[int] = []
            while len(body) < length:
                body += rng.choice(rng.choices(parts, weights)[0])
            yield [*opening, *body[: length - len(opening) - len(closing)], *closing], reply


def make_lm(out: Path, tokenizer: PreTrainedTokenizerFast, steps: int = 240) -> None:
    """Train and save the judge; raises RuntimeError if it did not learn its replies."""
    import torch
    from transformers import GenerationConfig, Qwen2ForCausalLM

    torch.manual_seed(13)
    model = Qwen2ForCausalLM(make_config(tokenizer))
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    plan = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=steps)
    source = chats(tokenizer)
    for step in range(1, steps + 1):
        total = 0.0
        for prompt, reply in (next(source) for _ in REPLIES):
            ids = torch.tensor([prompt + reply])
            hidden = model.model(input_ids=ids, use_cache=False).last_hidden_state
            logits = model.lm_head(hidden[0, -len(reply) - 1 : -1])
            loss = torch.nn.functional.cross_entropy(logits, ids[0, -len(reply) :])
            (loss / len(REPLIES)).backward()
            total += loss.item() / len(REPLIES)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        plan.step()
        if step % 20 == 0:
            print(f"step {step} of {steps}: loss {total:.3f}", flush=True)
    if total > 0.4:
        raise RuntimeError(f"tiny-lm did not learn its replies: loss {total:.3f}")
    ends = {"eos_token_id": tokenizer.eos_token_id, "pad_token_id": tokenizer.pad_token_id}
    model.generation_config = GenerationConfig(do_sample=False, **ends)
    model.save_pretrained(out)
    tokenizer.save_pretrained(out)


if __name__ == "__main__":
    made = make_tokenizer()
    make_rm(Path(sys.argv[1]) / "tiny-rm", made)
    make_lm(Path(sys.argv[1]) / "tiny-lm", made)
