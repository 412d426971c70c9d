"""Which providers there are, and how `PROVIDER/MODEL[@URL]` becomes a scorer.

The table names modules and imports none, so that listing providers stays instant.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast
from urllib.parse import unquote

from rmjudge.addresses import check_url
from rmjudge.calls import Json
from rmjudge.errors import UsageError
from rmjudge.providers.keys import Rival, key_for, withheld
from rmjudge.providers.serving.engines import ENGINES, Engine
from rmjudge.providers.vendors import VENDORS
from rmjudge.scorer import Scorer
from rmjudge.text import did_you_mean

if TYPE_CHECKING:
    from rmjudge.judging.methods import JudgingMethod
    from rmjudge.providers.base import Provider
    from rmjudge.providers.hosted import HostedScorer
    from rmjudge.providers.local.scorer import LocalScorer
    from rmjudge.providers.local.settings import LocalSettings
    from rmjudge.providers.sending.network import Network

HOSTED: Final[Mapping[str, tuple[str, str]]] = {
    "openai-responses": ("rmjudge.providers.responses", "OpenAIResponses"),
    "anthropic": ("rmjudge.providers.anthropic", "Anthropic"),
    "gemini": ("rmjudge.providers.gemini", "Gemini"),
    "openai-decisions": ("rmjudge.providers.decisions", "OpenAIDecisions"),
    "systemone": ("rmjudge.providers.decisions", "SystemOne"),
    "vllm": ("rmjudge.providers.vllm", "VLLM"),
    "vllm-pooling": ("rmjudge.providers.vllm", "VLLMPooling"),
    "sglang": ("rmjudge.providers.sglang", "SGLang"),
    "tei": ("rmjudge.providers.tei", "TEI"),
    "nim": ("rmjudge.providers.nim", "NIM"),
    "openrlhf": ("rmjudge.providers.openrlhf", "OpenRLHF"),
    "nemo": ("rmjudge.providers.nemo", "NeMo"),
    "http": ("rmjudge.providers.http", "HTTP"),
    "hf-endpoint": ("rmjudge.providers.hf_endpoint", "HFEndpoint"),
}
LOCAL: Final[Mapping[str, tuple[str, str]]] = {
    "hf": ("rmjudge.providers.local.classifier", "Classifier"),
    "dpo": ("rmjudge.providers.local.dpo", "ImplicitReward"),
    "hf-judge": ("rmjudge.providers.local.judge", "LocalJudge"),
}
NAMES: Final = (*VENDORS, *HOSTED, *LOCAL, "baseline")

_OWN_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_QUERY: Final = re.compile(r"\?(?=[a-z][a-z_-]*=)")


@dataclass(frozen=True, slots=True)
class Spec:
    """`PROVIDER/MODEL` and, where given, `@URL`, and a name of the user's own before them.

    `options` are those behind a local model's `?`, as they are written.
    """

    provider: str
    model: str
    url: str | None = None
    own_name: str | None = None
    options: tuple[tuple[str, str], ...] = ()

    @property
    def name(self) -> str:
        """What heads its rows: the user's own name, or `PROVIDER/MODEL`."""
        return self.own_name or self.model_name

    @property
    def model_name(self) -> str:
        """`PROVIDER/MODEL`."""
        return f"{self.provider}/{self.model}"

    @property
    def hosted(self) -> bool:
        """Whether it is reached over HTTP."""
        return not self.local and self.provider != "baseline"

    @property
    def local(self) -> bool:
        """Whether it is a model that runs here."""
        return self.provider in LOCAL


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
    network: Network | None = None
    """Of a hosted model."""
    server_args: tuple[str, ...] = ()
    """For the engine of a model whose server is started here."""
    local: LocalSettings | None = None
    """Of a model that runs here; None leaves all its defaults."""


def parse_spec(text: str) -> Spec:
    """Read `[NAME=]PROVIDER/MODEL[@URL]`; a local model has `?OPTION=VALUE&...` in place of it.

    Raises:
        UsageError: it is not of that form, or there is no such provider.
    """
    own_name, equals, rest = text.partition("=")
    if equals and "/" not in own_name:
        return _named(own_name, rest, text)
    head, at, url = text.partition("@http")
    provider, slash, model = head.partition("/")
    if not slash or not model:
        raise UsageError(
            f"{text!r} is no PROVIDER/MODEL, such as openai/gpt-4.1 or baseline/length"
            f"{_whole_name(provider)}"
        )
    if provider not in NAMES:
        hint = did_you_mean(provider.lower(), NAMES)
        raise UsageError(f"{text!r}: no provider is called {provider!r}; {hint}")
    if provider in LOCAL and not at and len(parts := _QUERY.split(model, maxsplit=1)) == 2:
        return Spec(provider, parts[0], options=_query(parts[1], text))
    # Without its scheme an address would go to the provider's own, as part of the model's name.
    if "://" in model or re.search(r"@[\w.-]+:\d+(/|$)", model):
        raise UsageError(f"{text!r}: an address starts with http:// or https://, after the @")
    return Spec(provider, model, f"http{url}" if at else None)


def _whole_name(word: str) -> str:
    """What a word without a slash may have meant."""
    from rmjudge.providers.baseline import REWARDS

    known = {kind: f"baseline/{kind}" for kind in REWARDS}
    known |= {name: f"{name}/MODEL" for name in NAMES if name != "baseline"}
    meant = get_close_matches(word.lower(), known, n=1)
    return f"; did you mean {known[meant[0]]}?" if meant else ""


def _named(own_name: str, rest: str, text: str) -> Spec:
    if not _OWN_NAME.fullmatch(own_name):
        raise UsageError(f"{text!r}: a NAME has letters, digits, '.', '_' and '-', 64 at most")
    spec = parse_spec(rest)
    if spec.own_name is not None:
        raise UsageError(f"{text!r}: one NAME is enough")
    if spec.provider == "baseline":
        raise UsageError(f"{text!r}: {spec.name} has a name already; a NAME is for models")
    return replace(spec, own_name=own_name)


def _query(query: str, text: str) -> tuple[tuple[str, str], ...]:
    """The options in a local model's name; `%26` is an `&` in a value."""
    pairs: dict[str, str] = {}
    for part in query.split("&"):
        name, equals, value = part.partition("=")
        name = name.replace("-", "_")
        if not (name and equals and value):
            raise UsageError(f"{text!r}: {part!r} is no OPTION=VALUE, such as reference=./sft")
        if name in pairs:
            raise UsageError(f"{text!r} says {name} twice")
        pairs[name] = unquote(value)
    return tuple(pairs.items())


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
    from rmjudge.providers.judge import JudgeProvider

    if spec.local:
        return spec.provider == "hf-judge"
    return spec.hosted and issubclass(provider_class(spec.provider), JudgeProvider)


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
