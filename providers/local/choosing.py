"""Which number of a model is the reward: by its class, its weights and `--reward-head`.

Decided from small files, before anything is loaded, and part of the scorer's identity.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from rmjudge.calls import Json
from rmjudge.errors import UsageError
from rmjudge.providers.local.files import ModelFiles
from rmjudge.providers.local.recipes import (
    VERSION,
    Recipe,
    names_in,
    objectives_of,
    recipe_of,
    refusal_of,
)
from rmjudge.providers.local.reward_tokens import OPENRLHF_CLASSES
from rmjudge.providers.local.rewards import Reads
from rmjudge.providers.local.settings import REWARD_TOKENS, LocalSettings
from rmjudge.providers.local.weights import shapes_in

SUFFIX: Final = "ForSequenceClassification"
TOKEN: Final = "token:"  # noqa: S105 - no password
"""What `--reward-head` says for a token of the vocabulary, whose logit is the reward."""
HELP: Final = "help"
OWN_CLASS: Final = "AutoModelForSequenceClassification"
"""What own code must stand for in `auto_map`, to be loaded as a classifier."""
NEMOTRON: Final = re.compile(r"Nemotron-\w*-?Reward|Nemotron-\d+B-Reward", re.IGNORECASE)
"""Causal models whose first token's logit behind the conversation is the reward, by their cards."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The reward as resolved.

    `label` is an output of transformers' own classifier, `token` a token of a causal model's
    vocabulary, `recipe` a head that is read here; `names` are what a head with several outputs
    calls them, `reads` which of them is the reward. `head` stands for all of it in the identity,
    but for `reads`, which can be chosen later. `remark` is for the report.
    """

    head: Json
    label: int = 0
    token: int | None = None
    recipe: Recipe | None = None
    names: tuple[str, ...] = ()
    reads: Reads = None
    remark: str = ""


def choose_head(files: ModelFiles, settings: LocalSettings) -> Choice:
    """Decide how a model's reward is read.

    Raises:
        UsageError: no single reward can be read, or `--reward-head` names none of its outputs.
    """
    asked = settings.reward_head
    own = own_code(files, settings)
    recipe = None if own and OWN_CLASS in files.config["auto_map"] else recipe_of(files)
    if asked is not None and asked.startswith(TOKEN):
        return _token(files, asked)
    if recipe is not None:
        if files.adapter is not None:
            raise UsageError(
                f"{files.name}: an adapter under a head that is read here ({recipe.name}) is not "
                "applied; merge it into its base model (peft: merge_and_unload)"
            )
        return _by_recipe(files, settings, recipe)
    if asked is None and _is_causal(files) and NEMOTRON.search(files.name):
        return Choice(f"{TOKEN}0", token=0, remark=_told_token(0) + ", as its model card says")
    _check_kind(files, settings)
    return _native(files, settings, own)


def own_code(files: ModelFiles, settings: LocalSettings) -> bool:
    """Whether Python code of the model's own makes its output."""
    return settings.trust_remote_code and "auto_map" in files.config


def explicit(settings: LocalSettings) -> bool:
    """Whether the user says where rewards are read."""
    return settings.reward_token != REWARD_TOKENS[0]


def rows_of(files: ModelFiles) -> int | None:
    """How many outputs the weights of a native head have, where they can be seen."""
    shapes = files.shapes
    for name in ("score.weight", "classifier.weight"):
        if len(shape := shapes.get(name, ())) == 2:
            return shape[0]
    # A hub's weights are not here yet; OpenRLHF's head has one row.
    return 1 if OPENRLHF_CLASSES.intersection(files.architectures) else None


def _token(files: ModelFiles, asked: str) -> Choice:
    number = asked.removeprefix(TOKEN)
    if not number.isdecimal():
        raise UsageError(f"--reward-head {asked}: a token is a number, such as {TOKEN}0")
    if files.architectures and not _is_causal(files):
        raise UsageError(
            f"{files.name} is a {files.architectures[0]}; --reward-head {TOKEN}N is for causal "
            "models, whose reward is the logit of a token"
        )
    return Choice(f"{TOKEN}{int(number)}", token=int(number), remark=_told_token(int(number)))


def _told_token(token: int) -> str:
    return f"the reward is the logit of token {token} behind the conversation"


def _is_causal(files: ModelFiles) -> bool:
    return any(name.endswith(("ForCausalLM", "LMHeadModel")) for name in files.architectures)


def _by_recipe(files: ModelFiles, settings: LocalSettings, recipe: Recipe) -> Choice:
    if explicit(settings):
        raise UsageError(
            f"{files.name}: its head ({recipe.name}) reads its reward by a rule of its own; "
            "--reward-token is for classifiers of transformers"
        )
    if recipe.has_objectives:
        names = objectives_of(files, recipe)
    else:
        shapes = shapes_in(files.folder)
        last = max((name for name in shapes if recipe.is_head(name)), default="")
        rows = next(
            (
                shapes[name][0]
                for name in sorted(shapes, reverse=True)
                if recipe.is_head(name) and name.endswith(".weight") and len(shapes[name]) == 2
            ),
            1,
        )
        names = tuple(f"LABEL_{k}" for k in range(rows)) if last else ("LABEL_0",)
    remark = f"its head ({recipe.name}) is read here, without the model's own code"
    head = f"{recipe.name}/{VERSION}"
    reads = _reads(files, settings.reward_head, names, needed=not recipe.has_objectives)
    return Choice(head, recipe=recipe, names=names, reads=reads, remark=remark)


def _reads(files: ModelFiles, asked: str | None, names: Sequence[str], *, needed: bool) -> Reads:
    """Which of the outputs is the reward; None for what the model makes of them."""
    if asked == HELP:
        raise UsageError(_help(files, names, chosen=not needed or len(names) == 1))
    if asked is None:
        if needed and len(names) > 1:
            raise UsageError(
                f"{files.name} has {len(names)} outputs; choose the reward with --reward-head: "
                + _listed(names)
            )
        return None
    if "=" in asked:
        return _weights(files, asked, names)
    if needed and len(names) == 1 and asked in ("0", names[0]):
        return None
    return names[_index(files, asked, names)]


def _weights(files: ModelFiles, asked: str, names: Sequence[str]) -> Mapping[str, float]:
    """Read `NAME=WEIGHT,NAME=WEIGHT`."""
    made: dict[str, float] = {}
    for part in asked.split(","):
        name, _, number = (piece.strip() for piece in part.partition("="))
        try:
            weight = float(number)
        except ValueError:
            weight = float("nan")
        if not abs(weight) < float("inf"):
            raise UsageError(f"--reward-head {asked}: {part!r} is no NAME=WEIGHT")
        made[names[_index(files, name, names)]] = weight
    return made


def _index(files: ModelFiles, asked: str, names: Sequence[str]) -> int:
    if asked in names:
        return names.index(asked)
    if asked.isdecimal() and int(asked) < len(names):
        return int(asked)
    raise UsageError(f"{files.name} has no output {asked!r}; there are {_listed(names)}")


def _native(files: ModelFiles, settings: LocalSettings, own: bool) -> Choice:
    """An output of transformers' own classifier, or of the model's own code.

    What own code gives is seen when it is loaded.
    """
    asked, rows, labels = settings.reward_head, rows_of(files), files.labels
    if rows is not None and rows != len(labels):  # the weights count
        labels = tuple(f"LABEL_{k}" for k in range(rows))
    if own:
        return Choice(label := _of_own_code(files, asked, labels), label=label)
    if asked is not None and (asked == HELP or "=" in asked):
        reads = _reads(files, asked, labels, needed=True)
        return Choice("all", names=labels, reads=reads)
    reads = _reads(files, asked, labels, needed=True)
    label = labels.index(reads) if isinstance(reads, str) else 0
    return Choice(label, label=label, names=labels)


def _of_own_code(files: ModelFiles, asked: str | None, labels: Sequence[str]) -> int:
    if asked == HELP:
        raise UsageError(_help(files, labels, chosen=False))
    if asked is None or asked == "end":
        return 0
    return int(asked) if asked.isdecimal() else _index(files, asked, labels)


def _help(files: ModelFiles, names: Sequence[str], *, chosen: bool) -> str:
    own = "; without it, the reward is what the model makes of them" if chosen else ""
    return (
        f"{files.name}: --reward-head takes one of its outputs, {_listed(names)}, or a sum of "
        f"them, such as {names[0]}=1{f',{names[1]}=-0.5' if len(names) > 1 else ''}{own}"
    )


def _listed(labels: Sequence[str]) -> str:
    return ", ".join(f"{k} ({label})" for k, label in enumerate(labels))


def _check_kind(files: ModelFiles, settings: LocalSettings) -> None:
    named = files.architectures
    if not named or settings.trust_remote_code or any(name.endswith(SUFFIX) for name in named):
        return
    names = names_in(files.folder)
    if OPENRLHF_CLASSES.intersection(named) and (not names or "score.weight" in names):
        return  # transformers' own class of this family takes its weights
    if why := refusal_of(files):
        raise UsageError(f"{files.name} is a {named[0]}, {why}")
    if _is_causal(files):
        raise UsageError(
            f"{files.name} is a {named[0]}, a causal language model without a reward head. Where "
            f"its reward is the logit of a token behind the conversation, name that token: "
            f"--reward-head {TOKEN}0. As a judge it is hf-judge/{files.name}, as a DPO policy "
            f"dpo/{files.name}: those are other numbers"
        )
    own = (
        "; it brings Python code of its own, which --trust-remote-code runs: read that code first"
        if "auto_map" in files.config
        else ""
    )
    raise UsageError(
        f"{files.name} is a {named[0]}, a class that neither transformers nor rmjudge has a reward "
        f"head for, or whose head's weights are not in its files{own}"
    )
