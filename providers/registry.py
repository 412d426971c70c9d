"""How a model that was named becomes a scorer: its class, address, key and settings."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from rmjudge.addresses import check_url
from rmjudge.calls import Json
from rmjudge.errors import UsageError
from rmjudge.providers.keys import Rival, key_for, withheld
from rmjudge.providers.serving.engines import ENGINES, Engine
from rmjudge.providers.spec import HOSTED, LOCAL, Spec
from rmjudge.providers.vendors import VENDORS
from rmjudge.scorer import Scorer

if TYPE_CHECKING:
    from rmjudge.judging.methods import JudgingMethod
    from rmjudge.providers.base import Provider
    from rmjudge.providers.hosted import HostedScorer
    from rmjudge.providers.local.scorer import LocalScorer
    from rmjudge.providers.local.settings import LocalSettings
    from rmjudge.providers.sending.network import Network

FLEX: Final = ("openai", "openai-responses")
"""Whose replies say in which tier they were served, so that what they cost is known."""


@dataclass(frozen=True, slots=True)
class ScorerSettings:
    """What the user may set about a scorer; None leaves the provider's default."""

    base_url: str | None = None
    params: Mapping[str, Json] = field(default_factory=dict)
    concurrency: int | None = None
    rpm: float | None = None
    tpm: float | None = None
    deadline_s: float | None = None
    outage_s: float | None = None
    judging: str | None = None
    votes: int = 1
    template: Path | None = None
    reward_path: str | None = None
    reward_batch: int | None = None
    verdict: str | None = None
    scale: tuple[float, float] | None = None
    inputs: Mapping[str, str] = field(default_factory=dict)
    need_key: bool = True
    key_variable: str | None = None
    rivals: Sequence[Rival] = ()
    try_once: bool = False
    tier: str | None = None
    network: Network | None = None
    """Of a hosted model."""
    server_args: tuple[str, ...] = ()
    """For the engine of a model whose server is started here."""
    local: LocalSettings | None = None
    """Of a model that runs here; None leaves all its defaults."""


def create(spec: Spec, settings: ScorerSettings | None = None) -> Scorer:
    """Make the scorer. Nothing is sent and no HTTP client is imported.

    Raises:
        UsageError: the address or the key is missing or wrong.
    """
    settings = settings or ScorerSettings()
    if spec.url and not spec.hosted:
        raise UsageError(f"{spec.name} runs here; it takes no address")
    if spec.local:
        return _local(spec, settings)
    if spec.provider == "baseline":
        from rmjudge.providers.baseline import Baseline

        return Baseline(spec.model)
    return _hosted(provider_class(spec.provider), spec, settings)


def asking_with(scorer: Scorer, spec: Spec, params: Mapping[str, Json]) -> Scorer:
    """A hosted scorer with other parameters, laid over its own; its identity stays."""
    from rmjudge.providers.hosted import HostedScorer

    if not isinstance(scorer, HostedScorer):
        raise TypeError(f"{spec.name} is no hosted model")
    _check_params(spec, params)
    return scorer.asked_with(params)


def provider_class(name: str) -> type[Provider]:
    """Import a hosted provider."""
    if name in VENDORS:
        from rmjudge.providers.chat import provider_of

        return provider_of(name)
    module, attribute = HOSTED[name]
    return cast("type[Provider]", getattr(import_module(module), attribute))


def is_judge(spec: Spec) -> bool:
    """Whether it is a generative model, which can be asked in several ways."""
    if not spec.hosted:
        return spec.provider == "hf-judge"
    from rmjudge.providers.judge import JudgeProvider

    return issubclass(provider_class(spec.provider), JudgeProvider)


def takes_chat_template(spec: Spec) -> bool:
    """Whether the user may give the template of what is sent, because it is rendered here."""
    if spec.local:
        return spec.provider != "hf-judge"
    if not spec.hosted:
        return False
    kind = provider_class(spec.provider)
    return kind.wants_rendered_text or kind.wants_shape


def _local(spec: Spec, settings: ScorerSettings) -> Scorer:
    from rmjudge.providers.local.settings import LocalSettings

    local = settings.local or LocalSettings(spec.model)
    if local.engine == "ray":
        from rmjudge.providers.local.cluster import ClusterScorer

        if settings.template is not None:  # which other processes read too
            settings = replace(settings, template=settings.template.absolute())
        return ClusterScorer(partial(_on_one_machine, spec, settings), local)
    return _on_one_machine(spec, settings, local)


def _on_one_machine(spec: Spec, settings: ScorerSettings, local: LocalSettings) -> LocalScorer:
    module, attribute = LOCAL[spec.provider]
    kind = getattr(import_module(module), attribute)
    made: LocalScorer
    if spec.provider == "hf-judge":
        made = kind(local, _judging(settings), votes=settings.votes, params=settings.params)
    else:
        made = kind(replace(local, template=settings.template))
    return made


def _judging(settings: ScorerSettings) -> JudgingMethod:
    from rmjudge.judging.choosing import judging_for

    return judging_for(
        settings.judging or "pairwise",
        template=settings.template,
        inputs=settings.inputs,
        rule=settings.verdict,
        scale=settings.scale,
    )


def _hosted(kind: type[Provider], spec: Spec, settings: ScorerSettings) -> Scorer:
    engine = own_engine(spec, settings)
    if engine is not None:
        from rmjudge.providers.serving.scorer import ServedScorer

        make = partial(_hosted_at, kind, spec, settings)
        return ServedScorer(engine, spec.model, settings.server_args, make)
    return _hosted_at(kind, spec, settings, _base_url(kind, spec, settings))


def _hosted_at(
    kind: type[Provider], spec: Spec, settings: ScorerSettings, base_url: str
) -> HostedScorer:
    _check_params(spec, settings.params)
    return hosted_scorer(_provider(kind, spec, base_url, settings), spec, settings)


def hosted_scorer(provider: Provider, spec: Spec, settings: ScorerSettings) -> HostedScorer:
    """A provider as a scorer, with the key for its address.

    Raises:
        UsageError: the key is missing or wrong.
    """
    from rmjudge.providers.hosted import HostedScorer
    from rmjudge.providers.sending.policy import Policy
    from rmjudge.providers.sending.redaction import Secret

    kind, base_url = type(provider), provider.target.base_url
    key = key_for(
        kind,
        spec.name,
        base_url,
        rivals=settings.rivals,
        variable=settings.key_variable,
        needed=settings.need_key,
    )
    policy = Policy().patient(deadline_s=settings.deadline_s, outage_s=settings.outage_s)
    return HostedScorer(
        provider,
        own_name=spec.own_name,
        secret=Secret(key) if key else None,
        votes=settings.votes,
        concurrency=settings.concurrency,
        rpm=settings.rpm,
        tpm=settings.tpm,
        policy=policy.of_one_attempt() if settings.try_once else policy,
        network=settings.network,
        tier=settings.tier,
    )


def _provider(
    kind: type[Provider], spec: Spec, base_url: str, settings: ScorerSettings
) -> Provider:
    from rmjudge.providers.base import Target
    from rmjudge.providers.judge import JudgeProvider

    if issubclass(kind, JudgeProvider):
        target = Target(spec.model, base_url, settings.params)
        return kind(target, _judging(settings), sampled=settings.votes > 1)
    chat_template = None
    if kind.wants_shape:
        from rmjudge.providers.http import shape_of

        shape = shape_of(settings.template, settings.reward_path, settings.reward_batch, spec.name)
        return kind(Target(spec.model, base_url, settings.params, shape=shape))
    if kind.wants_rendered_text:
        from rmjudge.providers import rendering

        chat_template = (
            rendering.template_from_file(settings.template)
            if settings.template is not None
            else rendering.template_from_tokenizer(spec.model)
        )
    elif settings.template is not None:
        raise UsageError(f"{spec.name} takes no --template: its server frames the texts itself")
    return kind(Target(spec.model, base_url, settings.params, chat_template))


def own_engine(spec: Spec, settings: ScorerSettings) -> Engine | None:
    """The engine that is started here for a model; None where its address is known or needed."""
    engine = ENGINES.get(spec.provider)
    if engine is None or engine.launcher is None:
        return None
    return None if _address_given(provider_class(spec.provider), spec, settings) else engine


def address_of(spec: Spec, settings: ScorerSettings) -> str:
    """Where a hosted model is asked.

    Raises:
        UsageError: that is not said, or no address.
    """
    return _base_url(provider_class(spec.provider), spec, settings)


def rival_of(spec: Spec, settings: ScorerSettings) -> Rival:
    """A hosted model, as others of its run are to know of it."""
    return Rival(address_of(spec, settings), provider_class(spec.provider).key_variables)


def key_held_back(spec: Spec, settings: ScorerSettings) -> str:
    """What to say where a key that is set does not go to this model; mostly nothing."""
    if settings.key_variable is not None:
        return ""
    url = address_of(spec, settings)
    variable = withheld(provider_class(spec.provider), url, settings.rivals)
    if not variable:
        return ""
    name = spec.own_name or "NAME"
    asked = f"{name}={spec.model_name}@{url}"
    return (
        f"{spec.name}: {variable} is not sent to {url}, since this run asks at another address "
        f"too; to send it a key, name the model ({asked}) and add --key-env {name}=VARIABLE"
    )


def _check_params(spec: Spec, params: Mapping[str, Json]) -> None:
    for name, value in params.items():
        try:
            json.dumps(value, allow_nan=False)
        except (TypeError, ValueError, RecursionError):  # a date of TOML, 1e999, nan
            raise UsageError(
                f"{spec.name}: the parameter {name} = {value!r} cannot be sent as JSON"
            ) from None


def at_default_url(spec: Spec, url: str) -> bool:
    """Whether a hosted model is asked at its vendor's own address, where list prices hold."""
    return bool(url) and url == provider_class(spec.provider).default_url


def _address_given(kind: type[Provider], spec: Spec, settings: ScorerSettings) -> str | None:
    variable = os.environ.get(kind.url_variable, "") if kind.url_variable else ""
    return spec.url or settings.base_url or variable or None


def _base_url(kind: type[Provider], spec: Spec, settings: ScorerSettings) -> str:
    url = _address_given(kind, spec, settings) or kind.default_url
    if not url:
        engine = ENGINES.get(spec.provider)
        raise UsageError(
            f"{spec.name}: where is the server? Write {spec.name}@http://HOST:PORT, "
            f"or set {kind.url_variable}"
            + (f"; where {engine.name} is installed, it is started here" if engine else "")
        )
    return check_url(url)
