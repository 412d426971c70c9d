"""What there is to choose from: every provider with its address, key, methods and proof."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from rmjudge.providers.base import Provider
from rmjudge.providers.decisions import DecisionProvider
from rmjudge.providers.judge import JudgeProvider
from rmjudge.providers.local.settings import JUDGE_BATCH, LOCAL_BATCH
from rmjudge.providers.registry import provider_class
from rmjudge.providers.spec import HOSTED, LOCAL
from rmjudge.providers.vendors import VENDORS
from rmjudge.vocabulary import JUDGING_METHODS

PLAIN_METHODS: Final = tuple(name for name in JUDGING_METHODS if not name.endswith("-logprob"))

_LOCAL_REMARKS: Final[dict[str, str]] = {
    "hf": "hf/FOLDER or hf/ID of the hub: a sequence classifier, run here",
    "dpo": "dpo/FOLDER or dpo/ID of the hub: a DPO policy, run here; --reference",
    "hf-judge": "hf-judge/FOLDER or hf-judge/ID of the hub: a generative model, run here",
}


@dataclass(frozen=True, slots=True)
class Listing:
    """One provider. `key_set` is None where no key is asked for."""

    name: str
    what: str
    address: str | None
    url_variable: str | None
    key_variables: tuple[str, ...]
    key_set: bool | None
    methods: tuple[str, ...]
    batch: int
    logprobs: bool
    prompt_cache: bool
    proved_by: str
    remark: str


def listings() -> Iterator[Listing]:
    """Every provider, judges first."""
    for name in (*VENDORS, *HOSTED):
        yield _listing(name, provider_class(name))
    yield from map(_local, LOCAL)
    yield Listing(
        name="baseline",
        what="style baseline",
        address=None,
        url_variable=None,
        key_variables=(),
        key_set=None,
        methods=("pointwise",),
        batch=256,
        logprobs=False,
        prompt_cache=False,
        proved_by="the published figures for length",
        remark="baseline/length, baseline/markdown, baseline/random; no model",
    )


def _local(name: str) -> Listing:
    judge = name == "hf-judge"
    return Listing(
        name=name,
        what="local judge" if judge else "local reward",
        address=None,
        url_variable=None,
        key_variables=(),
        key_set=None,
        methods=JUDGING_METHODS if judge else ("pointwise",),
        batch=JUDGE_BATCH if judge else LOCAL_BATCH,
        logprobs=judge,
        prompt_cache=False,
        proved_by="transformers' own forward, text by text, on tiny models",
        remark=_LOCAL_REMARKS[name],
    )


def _listing(name: str, kind: type[Provider]) -> Listing:
    logprobs = issubclass(kind, JudgeProvider) and kind.has_logprobs
    return Listing(
        name=name,
        what=_what(kind),
        address=kind.default_url,
        url_variable=kind.url_variable,
        key_variables=kind.key_variables,
        key_set=any(map(os.environ.get, kind.key_variables)) if kind.key_variables else None,
        methods=_methods(kind, logprobs=logprobs),
        batch=kind.batch,
        logprobs=logprobs,
        prompt_cache=kind.prompt_cache_tokens is not None,
        proved_by=kind.proved_by,
        remark=VENDORS[name].remark if name in VENDORS else "",
    )


def _what(kind: type[Provider]) -> str:
    if issubclass(kind, JudgeProvider):
        return "judge"
    return "decision endpoint" if issubclass(kind, DecisionProvider) else "reward endpoint"


def _methods(kind: type[Provider], *, logprobs: bool) -> tuple[str, ...]:
    if not issubclass(kind, JudgeProvider):
        return (kind.method,)
    return JUDGING_METHODS if logprobs else PLAIN_METHODS
