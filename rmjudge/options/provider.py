"""The options that a provider's table of `rmjudge.toml` may hold too; a run has all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from rmjudge.calls import Json
from rmjudge.options import kinds
from rmjudge.options.declaration import HOW, LOCAL, WHERE, option
from rmjudge.providers.local.settings import DTYPES, ENGINES, REDUCTIONS, REWARD_TOKENS


@dataclass(frozen=True, slots=True)
class ProviderOptions:
    """What a provider's table in `rmjudge.toml` may say; None leaves the default.

    Rates are per minute, times in seconds. `params` are laid over every request body. A template
    is how judges are asked, or the chat template of a local model or a server that wants rendered
    text. `rmjudge.providers.local.settings` says what the options of local models mean.
    """

    base_url: str | None = option(
        kinds.text("an address"),
        "of the run's one hosted model",
        group=WHERE,
        metavar="URL",
        concerns="hosted",
    )
    concurrency: int | None = option(
        kinds.COUNT,
        "most calls in flight per model (default 64)",
        group=WHERE,
        metavar="N",
        concerns="hosted",
    )
    rpm: float | None = option(
        kinds.RATE, "requests a minute per model", group=WHERE, metavar="N", concerns="hosted"
    )
    tpm: float | None = option(
        kinds.RATE, "tokens a minute per model", group=WHERE, metavar="N", concerns="hosted"
    )
    deadline: float | None = option(
        kinds.SECONDS,
        "seconds for one attempt (default 600)",
        group=WHERE,
        metavar="S",
        concerns="hosted",
    )
    params: Mapping[str, Json] = option(
        kinds.parameters("--param"),
        "set a field of every request body, null removes it; MODEL:NAME=JSON sets it for one model "
        "(NAME of NAME=PROVIDER/MODEL@URL, or PROVIDER/MODEL); repeatable",
        group=HOW,
        flag="--param",
        metavar="NAME=JSON",
        concerns="hosted",
        recorded="always",
    )
    headers: Mapping[str, str] = option(
        kinds.HEADERS,
        "send a header with every request of the model NAME (of NAME=PROVIDER/MODEL@URL, or "
        "PROVIDER/MODEL), which a run with one hosted address need not say; a VALUE of "
        "env:VARIABLE stands for what the variable holds; repeatable",
        group=WHERE,
        flag="--header",
        metavar="[NAME:]HEADER=VALUE",
        concerns="hosted",
    )
    server_args: str | None = option(
        kinds.text("flags in one text"),
        "flags for the server of a model without an address (vllm/..., vllm-chat/..., sglang/...), "
        "which is started here where it is installed",
        group=WHERE,
        metavar="FLAGS",
        concerns="hosted",
        recorded="where set",
    )
    template: Path | None = option(
        kinds.path("a file"),
        "your own question (Jinja: prompt, response_a, response_b or response); or the chat "
        "template (messages) of a local model or of a server that wants rendered text",
        group=HOW,
        metavar="FILE",
        concerns="both",
        recorded="always",
    )
    reward_path: str | None = option(
        kinds.text("a path, such as data[0].score"),
        "of an http/... model: where the reward stands in the reply (data[0].score, "
        "results[*].reward, or . for the reply itself)",
        group=HOW,
        metavar="PATH",
        concerns="hosted",
        only="http",
        recorded="where set",
    )
    reward_batch: int | None = option(
        kinds.COUNT,
        "of an http/... model: responses a request, for a template that names `items` (default 1)",
        group=WHERE,
        metavar="N",
        concerns="hosted",
        only="http",
    )
    device: str | None = option(
        kinds.text("auto, cpu, mps, cuda or cuda:N"),
        "auto (default), cpu, mps, cuda (every CUDA device, a replica each) or cuda:N",
        group=LOCAL,
        metavar="NAME",
        concerns="local",
        recorded="where set",
    )
    device_map: str | None = option(
        kinds.one_of(("auto",)),
        "auto: spread one replica over all devices (needs accelerate)",
        group=LOCAL,
        concerns="local",
        recorded="where set",
    )
    dtype: str | None = option(
        kinds.one_of(DTYPES),
        f"{', '.join(DTYPES)}; auto: the model's own",
        group=LOCAL,
        metavar="NAME",
        concerns="local",
        recorded="where set",
    )
    attention: str | None = option(
        kinds.text("auto or the name of an implementation"),
        "an implementation of transformers (eager, sdpa, ...) in place of the packed form",
        group=LOCAL,
        metavar="NAME",
        concerns="local",
        recorded="where set",
    )
    max_tokens: int | None = option(
        kinds.COUNT,
        "cut longer texts (default: the model's limit)",
        group=LOCAL,
        metavar="N",
        concerns="local",
        recorded="where set",
    )
    reward_head: str | None = option(
        kinds.text("the name or the number of an output, as a text"),
        "which output is the reward, by name or number, or a sum of them (NAME=WEIGHT,...); end: "
        "the last of a value for each token; token:N: a token's logit; help: what there is",
        group=LOCAL,
        metavar="NAME",
        concerns="local",
        only="hf",
        recorded="where set",
    )
    reward_token: str | None = option(
        kinds.one_of(REWARD_TOKENS),
        "where the padding token ends a text: last reads it, before-pad the token before; auto "
        "(default): as the model's files say",
        group=LOCAL,
        concerns="local",
        only="hf",
        recorded="where set",
    )
    reference: str | None = option(
        kinds.PLACE,
        "of a dpo/ policy: folder or id of its reference model",
        group=LOCAL,
        metavar="MODEL",
        concerns="local",
        only="dpo",
        recorded="where set",
    )
    dpo_reduction: str | None = option(
        kinds.one_of(REDUCTIONS),
        "without a reference: mean (default) or sum over the response's tokens",
        group=LOCAL,
        concerns="local",
        only="dpo",
        recorded="where set",
    )
    template_date: str | None = option(
        kinds.text("a date, YYYY-MM-DD"),
        "today for chat templates that write the date (default: the day of the first answers of "
        "the model's files in this cache)",
        group=LOCAL,
        metavar="YYYY-MM-DD",
        concerns="local",
        recorded="where set",
    )
    allow_unused: str | None = option(
        kinds.text("a regular expression"),
        "weights of the model's files that may stay unused, by their names",
        group=LOCAL,
        metavar="REGEX",
        concerns="local",
        recorded="where set",
    )
    revision: str | None = option(
        kinds.text("a branch, a tag or a commit"),
        "branch, tag or commit of a model on the hub",
        group=LOCAL,
        metavar="NAME",
        concerns="local",
        recorded="where set",
    )
    engine: str | None = option(
        kinds.one_of(ENGINES),
        "local (default): on this machine; ray: over a Ray cluster (RAY_ADDRESS), an actor a GPU",
        group=LOCAL,
        concerns="local",
    )
    trust_remote_code: bool | None = option(
        kinds.SWITCH,
        "run Python code that the model brings along",
        group=LOCAL,
        concerns="local",
        recorded="where set",
    )

    def local(self) -> dict[str, Any]:
        """The options that only local models have, where they are set."""
        names = [
            item.name
            for item in fields(ProviderOptions)
            if item.metadata["option"].concerns == "local"
        ]
        return {name: value for name in names if (value := getattr(self, name)) is not None}
