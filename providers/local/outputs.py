"""Where in a model's output the reward stands, found out from two texts of different lengths.

Classes of their own return rewards as `[batch]`, `[batch, 1]`, in a tuple, or in an output under
another name. What does not change with the length of the text is a value a text, what does is a
value a token.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor

from rmjudge.errors import UsageError

AT_END: Final = "end"
"""What `--reward-head` says for the last of the values that a model gives for each token."""
_NO_SCORES: Final = frozenset(
    ("loss", "past_key_values", "hidden_states", "attentions", "last_hidden_state", "hidden_state")
)


@dataclass(frozen=True, slots=True)
class Place:
    """A tensor of the output. `count` is how many values a text has there."""

    key: str | int
    count: int
    each_token: bool = False

    def values(self, output: Any, lengths: Sequence[int]) -> Tensor:
        """The values [texts, count] of a batch padded on the right."""
        tensor = dict(_parts(output))[self.key].float()
        texts = len(lengths)
        if not self.each_token:
            return tensor.reshape(texts, self.count)
        last = torch.tensor(lengths, device=tensor.device) - 1
        return tensor.reshape(texts, -1)[torch.arange(texts, device=tensor.device), last][:, None]


def place_of(
    run: Callable[[Sequence[int]], Any], probes: Sequence[Sequence[int]], asked: str | None
) -> Place:
    """Find the rewards in what `run` returns for a text alone.

    `probes` are two texts of different lengths, `asked` is what the user said with `--reward-head`.

    Raises:
        UsageError: there is no value for a text, or several tensors could be it.
    """
    first, second = (dict(_parts(run(text))) for text in probes[:2])
    lengths = (len(probes[0]), len(probes[1]))
    whole: list[Place] = []
    tokens: list[Place] = []
    for key in first.keys() & second.keys():
        one, other = first[key].shape, second[key].shape
        if one == other and (len(one) == 0 or one[0] == 1) and len(one) <= 2:
            whole.append(Place(key, one[1] if len(one) == 2 else 1))
        elif (one[:2], other[:2]) == ((1, lengths[0]), (1, lengths[1])):
            tokens.append(Place(key, 1 if len(one) == 2 else one[2], each_token=True))
    if whole:
        return _for_text(whole)
    ends = [place for place in tokens if place.count == 1]
    told = [place for place in ends if first[place.key].dim() == 3]
    if len(told) == 1 or (asked == AT_END and len(ends) == 1):
        return (told or ends)[0]
    raise UsageError(
        "the model gives values for each token and none for the text"
        + (
            f"; --reward-head {AT_END} takes the one at the end of the text"
            if len(ends) == 1
            else ": it has no single reward, and --reward-head can choose none"
        )
    )


def _for_text(found: Sequence[Place]) -> Place:
    """`logits` where there are some, else the only tensor with one value a text."""
    named = next((place for place in found if place.key == "logits"), None)
    if named is not None:
        return named
    single = [place for place in found if place.count == 1]
    if len(single) == 1:
        return single[0]
    if not single and len(found) == 1:
        return found[0]
    names = ", ".join(sorted(str(place.key) for place in found))
    raise UsageError(
        f"the model's output has several tensors that could be rewards ({names}), and "
        "--reward-head chooses a value of one tensor; have its code return the reward alone as "
        "`logits`"
    )


def _parts(output: Any) -> Iterator[tuple[str | int, Tensor]]:
    """The tensors of numbers in an output, by name or by place."""
    if isinstance(output, Tensor):
        items: Any = [("logits", output)]
    elif isinstance(output, Mapping):
        items = output.items()
    elif isinstance(output, (tuple, list)):
        items = enumerate(output)
    else:
        items = vars(output).items() if hasattr(output, "__dict__") else ()
    for key, value in items:
        if isinstance(value, Tensor) and value.is_floating_point() and key not in _NO_SCORES:
            yield key, value
