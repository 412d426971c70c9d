"""What a user may set about a local model. Plain values; nothing is imported or opened."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeAlias

Reduction: TypeAlias = Literal["sum", "mean"]
RewardToken: TypeAlias = Literal["auto", "last", "before-pad"]
Engine: TypeAlias = Literal["local", "ray"]

DTYPES: Final = ("auto", "float32", "bfloat16", "float16")
LOCAL_BATCH: Final = 96
"""Calls handed over at once, on a CPU: whole tuples, and seconds of work."""
JUDGE_BATCH: Final = 18
"""The same of judges, which are large."""
REWARD_TOKENS: Final[tuple[RewardToken, ...]] = ("auto", "last", "before-pad")
ENGINES: Final[tuple[Engine, ...]] = ("local", "ray")
REDUCTIONS: Final[tuple[Reduction, ...]] = ("sum", "mean")


@dataclass(frozen=True, slots=True)
class LocalSettings:
    """A local model and how it is run.

    `model` and `reference` are folders or ids on the Hugging Face hub. `revision` is a branch, tag
    or commit of `model` on the hub. `dtype` auto is what the model's own configuration names.
    `attention` auto is this tool's packed form where the model can take it; a name is one of
    transformers' implementations, run the plain way. `device` is auto, cpu, mps, cuda (every CUDA
    device, a replica each) or cuda:N; `device_map` auto shards one replica over all devices.
    `max_tokens` cuts texts; None cuts at the model's own limit. `template` is a chat template in
    place of the model's. `allow_unused` is a regular expression, searched in the names of weights
    that may stay unused. `template_date` (YYYY-MM-DD) is today for templates that write the date.
    `reward_token` is the token that a classifier's reward is read at, where the padding token ends
    the text. `engine` ray spreads the work over a Ray cluster; answers are the same.
    """

    model: str
    revision: str | None = None
    dtype: str = "auto"
    attention: str = "auto"
    device: str = "auto"
    device_map: Literal["auto"] | None = None
    max_tokens: int | None = None
    trust_remote_code: bool = False
    template: Path | None = None
    reward_head: str | None = None
    reference: str | None = None
    dpo_reduction: Reduction | None = None
    engine: Engine = "local"
    allow_unused: str | None = None
    template_date: str | None = None
    reward_token: RewardToken = "auto"  # noqa: S105 - no password
