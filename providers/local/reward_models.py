"""A reward model's weights, loaded, with the head that reads its rewards."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from rmjudge.errors import UsageError
from rmjudge.providers.local.bodies import load_body
from rmjudge.providers.local.choosing import TOKEN, Choice, explicit, rows_of
from rmjudge.providers.local.files import ModelFiles
from rmjudge.providers.local.gates import Gated, Weighed
from rmjudge.providers.local.heads import Asked, Head, agree, head_of
from rmjudge.providers.local.loading import load_model
from rmjudge.providers.local.readouts import At, Layers, ReadHead, Readout, chain
from rmjudge.providers.local.recipes import EOT_HEADERS, Recipe
from rmjudge.providers.local.settings import LocalSettings
from rmjudge.providers.local.texts import TokenIds

Probes = Callable[[int | None], Sequence[TokenIds]]
"""Two short texts of different lengths that do not end in the padding token given."""


def load_head(
    files: ModelFiles,
    settings: LocalSettings,
    device: str,
    choice: Choice,
    tokenizer: Any,
    *,
    probes: Probes,
    skipped: int | None,
    pairs: bool,
) -> Head:
    """Load the model on a device and find its head.

    `skipped` is the padding token, where the reward is read before it.

    Raises:
        ProviderStopped: the hub cannot be reached.
        UsageError: it cannot be loaded, or would give wrong numbers.
    """
    plain = settings.attention != "auto"
    if choice.recipe is not None:
        body, weights = load_body(files, settings, device, choice.recipe)
        readout = _readout(files, choice.recipe, choice, weights, tokenizer)
        return ReadHead(body, readout, plain=plain)
    if choice.token is not None:
        model: Any = load_model(files, settings, device, "AutoModelForCausalLM")
        return _logit_of_token(files, model, choice.token, probes(None), plain=plain)
    rows = rows_of(files)
    model = load_model(
        files,
        settings,
        device,
        "AutoModelForSequenceClassification",
        labels=None if rows == len(files.labels) else rows,
    )
    asked = Asked(
        label=choice.label,
        # Weights of a sum choose all outputs.
        chosen="" if choice.head == "all" else settings.reward_head,
        skipped=skipped,
        explicit=explicit(settings),
        pairs=pairs,
        names=choice.names,
    )
    pad = model.config.get_text_config().pad_token_id
    return head_of(model, asked, probes(pad), plain=plain)


def _readout(
    files: ModelFiles,
    recipe: Recipe,
    choice: Choice,
    weights: Mapping[str, Tensor],
    tokenizer: Any,
) -> Readout:
    place = At(recipe.read, files.pad_id)
    config = files.config
    try:
        if recipe.gated:
            return Gated(
                weights,
                place,
                _patterns(tokenizer),
                names=choice.names,
                temperature=float(config.get("gating_temperature", _temperature(files))),
            )
        if recipe.gate:
            return Weighed(
                weights,
                place,
                stems=(recipe.stem, recipe.gate),
                names=choice.names,
                each=recipe.each,
                spread=recipe.spread,
                activation=recipe.activation,
                temperature=float(config.get("temperature", 1.0)) if _softens(files) else None,
            )
        normal = None
        if config.get("do_normalize") and "normalizer.mean" in weights:
            normal = (weights["normalizer.mean"], weights["normalizer.var"].sqrt())
        return Layers(
            chain(weights, recipe.stem),
            place,
            names=choice.names,
            mean=recipe.read == "mean",
            sign=-1.0 if config.get("score_type") == "cost" else 1.0,
            normal=normal,
        )
    except (KeyError, RuntimeError) as error:
        raise UsageError(
            f"{files.name}: its files lack a part of its head ({recipe.name}): {error}"
        ) from error


def _softens(files: ModelFiles) -> bool:
    """Whether the configuration asks for weights that sum to 1."""
    return files.config.get("softmax") is True


def _temperature(files: ModelFiles) -> float:
    """Of a gating network whose configuration names none, by the code of its family."""
    return 1.0 if files.config.get("model_type") == "gemma2" else 10.0


def _patterns(tokenizer: Any) -> list[TokenIds]:
    """What ends a prompt in this tokenizer's tokens; only where its first is one token."""
    found: list[TokenIds] = []
    for text in EOT_HEADERS:
        ids = tuple(tokenizer(text, add_special_tokens=False)["input_ids"])
        first = text[: text.index(">") + 1]
        if tokenizer.convert_tokens_to_ids(first) == ids[0]:
            found.append(ids)
    return found


def _logit_of_token(
    files: ModelFiles, model: Any, token: int, probes: Sequence[TokenIds], *, plain: bool
) -> Head:
    """The logit of a token behind the text, by its row of the output layer alone."""
    if getattr(model.config.get_text_config(), "final_logit_softcapping", None):
        # Small logits would pass the trial below, large ones are others.
        raise UsageError(
            f"{files.name} caps its logits: as a reward, large ones would be one number, so that "
            f"--reward-head {TOKEN}{token} cannot be read"
        )
    layer = model.get_output_embeddings()
    if layer is None or token >= len(layer.weight):
        count = 0 if layer is None else len(layer.weight)
        raise UsageError(f"{files.name} has {count} tokens, so there is no token {token}")
    bias = getattr(layer, "bias", None)
    row = (layer.weight[token : token + 1], None if bias is None else bias[token : token + 1])
    readout = Layers([row], At("end", None))
    for text in probes:
        with torch.inference_mode():
            ids = torch.tensor([text], device=model.device)
            own = model(input_ids=ids).logits[0, -1, token]
            state = model.base_model(input_ids=ids)[0][:, -1:].float()
        (read,) = readout.values(state)
        if not agree(torch.tensor(read), own):
            raise UsageError(
                f"{files.name}: its logits are more than its output layer makes of the states, so "
                f"that --reward-head {TOKEN}{token} cannot be read"
            )
    return ReadHead(model.base_model, readout, plain=plain)
