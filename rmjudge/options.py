"""What a run is asked to do, from wherever it was asked: command line, `rmjudge.toml`, Python."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from rmjudge.calls import Json
from rmjudge.vocabulary import SOURCES, Domain, Order


@dataclass(frozen=True, slots=True)
class LocalOptions:
    """Options of models that run here; None leaves the default.

    `rmjudge.providers.local.settings` says what each means.
    """

    revision: str | None = None
    dtype: str | None = None
    attention: str | None = None
    device: str | None = None
    device_map: str | None = None
    max_tokens: int | None = None
    trust_remote_code: bool | None = None
    reward_head: str | None = None
    reference: str | None = None
    dpo_reduction: str | None = None
    engine: str | None = None
    allow_unused: str | None = None
    template_date: str | None = None
    reward_token: str | None = None

    def given(self) -> dict[str, Json]:
        """The local options that are set."""
        values = {item.name: getattr(self, item.name) for item in fields(LocalOptions)}
        return {name: value for name, value in values.items() if value is not None}


@dataclass(frozen=True, slots=True)
class ProviderOptions(LocalOptions):
    """What a provider's table in `rmjudge.toml` may say; None leaves the default."""

    base_url: str | None = None
    concurrency: int | None = None
    rpm: float | None = None
    tpm: float | None = None
    deadline: float | None = None
    params: Mapping[str, Json] = field(default_factory=dict)
    template: Path | None = None


@dataclass(frozen=True, slots=True)
class RunOptions(LocalOptions):
    """Everything about a run but its scorers. Rates are per minute, times in seconds.

    `limit` keeps the first tuples of each domain. `params` are laid over every request body.
    `method`, `order`, `votes` and `template` are how judges are asked; a template may also be
    the chat template of a server that wants rendered text. `try_once` makes one attempt a call.
    `outage` is how long an endpoint may be unreachable. `max_cost` (US dollars) and `max_calls` are
    ceilings of what this run buys. `fallback` names the model that takes the tuples which a hosted
    one leaves; `offline` asks nothing hosted.
    """

    data: tuple[str, ...] = ("sample",)
    out: Path | None = None
    method: str | None = None
    order: Order = "seeded"
    votes: int = 1
    template: Path | None = None
    seed: int = 0
    domains: tuple[Domain, ...] = ()
    limit: int | None = None
    base_url: str | None = None
    params: Mapping[str, Json] = field(default_factory=dict)
    concurrency: int | None = None
    rpm: float | None = None
    tpm: float | None = None
    deadline: float | None = None
    outage: float | None = None
    max_cost: float | None = None
    max_calls: int | None = None
    fallback: str | None = None
    offline: bool = False
    cache_dir: Path | None = None
    providers: Mapping[str, ProviderOptions] = field(default_factory=dict)
    prices: Mapping[str, Any] = field(default_factory=dict)
    try_once: bool = False

    def recorded(self) -> dict[str, Json]:
        """The options that change results, as `run.json` keeps them."""
        local = {name: value for name, value in self.given().items() if name != "engine"}
        return {
            "data": [_absolute(source) for source in self.data],
            "method": self.method,
            "order": self.order,
            "votes": self.votes,
            "template": str(self.template) if self.template else None,
            "seed": self.seed,
            "domains": list(self.domains),
            "limit": self.limit,
            "params": dict(self.params),
            **local,
        }


def _absolute(source: str) -> str:
    """A path that still holds when the run is looked at from another folder."""
    return source if source in SOURCES else str(Path(source).absolute())
