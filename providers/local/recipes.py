"""Reward heads of classes that transformers does not have, as data.

What their weights are called, where they are read, what is written behind the text.

No code of a model's own is run for these: the weights are enough. A new model is a row here, as
long as its head is a chain of linear layers, or objectives under a gating network.

Sources of the rows: the models' cards and configurations, and public code that runs them
(allenai/reward-bench, OpenRLHF, RLHFlow, SGLang).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

from rmjudge.providers.local.files import ModelFiles
from rmjudge.providers.local.weights import shapes_in

Read: TypeAlias = Literal["end", "before-pad", "before-zero", "mean"]
"""Which state the head is applied to: the text's last token; the one before the first padding
token, or before the first token of id 0, the last where there is none; the mean of all."""

Activation: TypeAlias = Literal["relu", "selu", "leaky-relu"]
Spread: TypeAlias = Literal["normal", "steps"]
"""How several outputs make one objective: a mean and a deviation; shares of steps from 0 to 1."""

HELPSTEER: Final = ("helpfulness", "correctness", "coherence", "complexity", "verbosity")
"""The attributes of HelpSteer 2, in the order of its columns."""

EOT_HEADERS: Final = (
    "<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n",
    "<end_of_turn>\n<start_of_turn>model\n",
)
"""What ends the prompt, by chat template: a gating network reads the state at its first token."""
VERSION: Final = 1
"""Raised when a recipe gives other scores."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """A kind of reward model.

    `classes` is a regular expression of whole class names in config.json. `stem` is the name of the
    head in the weights: `stem.weight`, or a chain `stem.0.weight`, `stem.2.weight` ... with ReLU
    between. With `gated`, `stem` gives objectives, or quantiles of them, and `gating` weighs them.
    `prefixes` are what the names of the body's weights may begin with, the first that is there
    counts. `body` is the transformers family where config.json names another. `appended` is the
    token behind the text: the tokenizer's `cls_token`, or config.json's `reward_token_id`.
    `ignored` are weights that play no part in the reward. With a `gate`, the name of layers beside
    those of `stem`, both are read at one token and multiplied: `spread` says how outputs make an
    objective, `each` how many do, `activation` what lies between layers.
    """

    name: str
    classes: str
    stem: str
    read: Read
    gated: bool = False
    prefixes: tuple[str, ...] = ("model.",)
    body: str | None = None
    appended: Literal["", "cls_token", "reward_token_id"] = ""
    ignored: str = ""
    gate: str = ""
    spread: Spread = "normal"
    each: int = 1
    activation: Activation = "relu"

    @property
    def has_objectives(self) -> bool:
        """Whether the reward is a sum of objectives, which are kept with it."""
        return self.gated or bool(self.gate)

    def is_head(self, weight: str) -> bool:
        """Whether a weight belongs to the head."""
        stems = [re.escape(self.stem)]
        if self.gated:
            stems += ["gating", "reward_transform_matrix"]
        if self.gate:
            stems.append(re.escape(self.gate))
        return bool(re.match(rf"({'|'.join(stems)}|normalizer)(\.|$)", weight))

    def is_ignored(self, weight: str) -> bool:
        """Whether a weight plays no part."""
        return bool(self.ignored and re.match(self.ignored, weight))


RECIPES: Final = (
    Recipe("OpenRLHF", "RewardModel|LLMForSequenceRegression", "score", "end"),
    Recipe(
        "ArmoRM and QRM",
        r"\w*ForRewardModelWithGating\w*|Gemma2ForQuantileSequenceClassification",
        "regression_layer",
        "before-pad",
        gated=True,
    ),
    Recipe(  # known by its gate: the class is called as transformers' own
        "URM",
        r"\w*ForSequenceClassification\w*|\w*URM\w*",
        "score",
        "before-pad",
        gate="weights.fc",
        spread="normal",
        each=2,
        activation="selu",
        ignored=r"lm_head\.",
    ),
    Recipe(
        "LDL-Reward",
        r"LDLRewardModel\w*",
        "regression_layer.network",
        "before-pad",
        prefixes=("model.", ""),
        gate="gating_layer.network",
        spread="steps",
        each=10,
        activation="leaky-relu",
    ),
    Recipe("GRM", "GRewardModel", "v_head.summary", "end", ignored=r"lm_head\."),
    Recipe(
        "InternLM2",
        "InternLM2ForRewardModel",
        "v_head",
        "end",
        body="internlm2",
        appended="reward_token_id",
    ),
    Recipe("INF-ORM", "INFORMForSequenceClassification", "score", "before-pad"),
    Recipe("Qwen2 RM", "Qwen2ForRewardModel", "score", "before-pad", ignored=r"lm_head\."),
    Recipe("Eurus", "EurusRewardModel", "regression_head", "end", ignored=r"lm_head\."),
    Recipe("UltraRM", "LlamaRewardModel", "regression_head", "end", ignored=r"lm_head\."),
    Recipe(
        "Starling",
        "LlamaForSequenceClassification|GPTRewardModel",
        "v_head",
        "before-zero",
        prefixes=("model.", "transformer."),
        ignored=r"(lm_head|transformer)\.",
    ),
    Recipe(
        "Athene",
        "AtheneForSequenceClassification|CustomAutoModelForSequenceClassification",
        "v_head",
        "end",
        appended="cls_token",
    ),
    Recipe("beaver", "LlamaForScore|LlamaModelForScore", "score_head", "end", ignored=r"lm_head\."),
    Recipe(
        "oasst-rm",
        "GPTNeoXRewardModel",
        "out_proj",
        "end",
        prefixes=("gpt_neox.",),
        body="gpt_neox",
    ),
)

REFUSED: Final[Mapping[str, str]] = {
    r"\w*ForProcessRewardModel": (
        "a process reward model: it gives values at the steps of a solution and no single reward "
        "of a response"
    ),
    r"LDLRewardModel\w*": (
        "a model whose head lies in .pt files beside the weights: `rmjudge convert FOLDER` writes "
        "them as safetensors, and hf/FOLDER reads them"
    ),
    r"\w*PairRM": "a model that compares two responses in one text by a head of its own",
    r"\w*VL\w*ForConditionalGeneration": (
        "a model of text and images, whose value head lies beside the weights"
    ),
}
"""Classes that no recipe can read, and why."""


def recipe_of(files: ModelFiles) -> Recipe | None:
    """The recipe for a model's class and weights; None where transformers' own class reads it."""
    names = names_in(files.folder)
    for recipe in RECIPES:
        if not any(re.fullmatch(recipe.classes, name) for name in files.architectures):
            continue
        made = _adapted(recipe, files, names)
        native = made.stem == "score" and made.name == "OpenRLHF"
        if native or not _holds(made, names):
            continue
        return made
    return None


def refusal_of(files: ModelFiles) -> str:
    """Why no recipe reads a model's class; empty where nothing is known of it."""
    return next(
        (
            why
            for classes, why in REFUSED.items()
            if any(re.fullmatch(classes, name) for name in files.architectures)
        ),
        "",
    )


def names_in(folder: Path) -> set[str]:
    """Names of the weights in a folder, as far as its files tell; empty where they do not."""
    names = set(shapes_in(folder))
    try:
        index = json.loads((folder / "model.safetensors.index.json").read_text("utf-8"))
        names |= set(map(str, index["weight_map"]))
    except (OSError, ValueError, LookupError, TypeError):
        pass
    return names


def objectives_of(files: ModelFiles, recipe: Recipe) -> tuple[str, ...]:
    """Names of what a gated head weighs, in order."""
    config = files.config
    if recipe.gate:
        return _weighed_objectives(files, recipe)
    rows = shapes_in(files.folder).get("regression_layer.weight", (0,))[0]
    quantiles = config.get("num_quantiles")
    count = config.get("num_objectives")
    if not isinstance(count, int):
        count = rows // quantiles if isinstance(quantiles, int) and quantiles else rows
    named = files.labels
    if len(named) == count and len(set(named)) == count:
        return named
    return tuple(f"objective_{k}" for k in range(count))


def _weighed_objectives(files: ModelFiles, recipe: Recipe) -> tuple[str, ...]:
    """As many as the last layer has rows, by how many make one."""
    pattern = re.compile(rf"{re.escape(recipe.stem)}\.(?:(\d+)\.)?weight")
    shapes = shapes_in(files.folder)
    rows = {int(found[1] or 0): shapes[n][0] for n in shapes if (found := pattern.fullmatch(n))}
    count = rows[max(rows)] // recipe.each if rows else None
    if recipe.name == "URM" and count in (len(HELPSTEER), None):  # a hub's shapes are not here
        return HELPSTEER
    return tuple(f"objective_{k}" for k in range(count or 0))


def _adapted(recipe: Recipe, files: ModelFiles, names: Iterable[str]) -> Recipe:
    """What the model's own configuration changes."""
    if recipe.name == "OpenRLHF":
        stem = files.config.get("value_head_prefix", "score")
        return replace(recipe, stem=stem if isinstance(stem, str) and stem else "score")
    if recipe.name == "oasst-rm" and files.config.get("pooling") == "mean":
        return replace(recipe, read="mean")
    there = [prefix for prefix in recipe.prefixes if any(n.startswith(prefix) for n in names)]
    return replace(recipe, prefixes=(*there, *recipe.prefixes)[:1])


def _holds(recipe: Recipe, names: set[str]) -> bool:
    """Whether the files hold such a head; yes where nothing can be seen of them yet.

    A class of transformers' own needs the sight of another head.
    """
    if not names:
        return "LlamaForSequenceClassification" not in recipe.classes and not recipe.gate
    if recipe.gate:
        return any(name.startswith(f"{recipe.gate}.") for name in names)
    return any(recipe.is_head(name) for name in names) and not (
        recipe.name == "Starling" and "score.weight" in names
    )


def config_of(files: ModelFiles, recipe: Recipe) -> dict[str, Any]:
    """The body's configuration in transformers' words, its family under `model_type`."""
    own = {
        key: value
        for key, value in files.config.items()
        if key not in ("auto_map", "architectures", "model_type", "transformers_version")
    }
    family = recipe.body or str(files.config.get("model_type"))
    return {**own, "model_type": "llama" if family == "internlm2" else family}
