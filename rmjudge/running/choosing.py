"""From model names and options to scorers, with what each costs."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from rmjudge.addresses import LOOPBACK
from rmjudge.cache.keys import scorer_key
from rmjudge.calls import Json
from rmjudge.errors import MissingKeyError, StorageStopped, UsageError
from rmjudge.options import OPTIONS, ProviderOptions, RunOptions
from rmjudge.providers.local.settings import LocalSettings
from rmjudge.providers.registry import (
    FLEX,
    ScorerSettings,
    address_of,
    asking_with,
    at_default_url,
    create,
    is_judge,
    key_held_back,
    own_engine,
    provider_class,
    rival_of,
    takes_chat_template,
)
from rmjudge.providers.spec import NAMES, Spec, parse_spec
from rmjudge.running.checking import check_options, own_options, params_of
from rmjudge.running.headers import with_network
from rmjudge.running.pricing import FREE, Price, listed, price_table
from rmjudge.scorer import AdaptableScorer, Scorer

HERE: Final = f"http://{LOOPBACK}"
"""Where a server is that is started here, before it has a port."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """A scorer of the run; `price` is None where it is not known.

    `barred` says why nothing may be asked of it, so that only its kept answers count. `is_judge`
    says that its replies are words to be read, `tells_dollars` that they say what they cost. `url`
    is where a hosted one is asked; `notices` are to be told before that. `again` asks what is asked
    once more, with other parameters; `more_room` is the parameter that lets replies be longer.
    """

    scorer: Scorer
    price: Price | None
    barred: str = ""
    is_judge: bool = False
    tells_dollars: bool = False
    url: str = ""
    notices: tuple[str, ...] = ()
    again: Scorer | None = None
    more_room: str = ""


def choose(
    models: Sequence[str | Scorer], options: RunOptions, *, need_keys: bool = True
) -> list[Chosen]:
    """Make the scorers of a run.

    Raises:
        UsageError: a name, an address, a key or an option is wrong, or two are the same.
    """
    if not models:
        raise UsageError("name at least one model, such as openai/gpt-4.1 or baseline/length")
    prices = price_table(options.prices)
    specs = [parse_spec(model) if isinstance(model, str) else None for model in models]
    helper = [parse_spec(options.fallback)] if options.fallback else []
    among = [*(spec for spec in specs if spec is not None), *helper]
    check_options(among, options)
    chosen = [
        Chosen(_checked(model), FREE)
        if spec is None
        else _named_scorer(spec, options, prices, among, need_keys=need_keys)
        for spec, model in zip(specs, models, strict=True)
    ]
    _refuse_twins([item.scorer for item in chosen])
    if options.server_args and not any("server" in item.scorer.identity for item in chosen):
        raise UsageError(
            "--server-args is for a server that is started here (vllm/..., vllm-chat/... or "
            "sglang/... without an address, where it is installed), and this run has none"
        )
    if ceiling := options.cost_ceiling:
        _check_ceiling(chosen, ceiling)
    if all(item.scorer.method == "pointwise" for item in chosen) and not any(map(is_judge, helper)):
        for name, given in (("--order", options.order != "seeded"), ("--seed", options.seed)):
            if given:
                raise UsageError(f"{name} is for comparisons, and this run has only rewards")
    _tell_apart(chosen)
    return chosen


def choose_fallback(
    options: RunOptions, chosen: Sequence[Chosen], models: Sequence[str]
) -> Chosen | None:
    """Make the scorer that takes what a hosted one of `models` leaves.

    Raises:
        UsageError: it could not be asked either, or nothing could ever be left to it.
    """
    if options.fallback is None:
        return None
    spec = parse_spec(options.fallback)
    if options.offline and spec.hosted:
        raise UsageError(f"--offline asks nothing hosted, and the fallback {spec.name} is")
    if all(item.price == FREE for item in chosen):
        raise UsageError("--fallback is for hosted models, and this run has none")
    fallback = _named_scorer(
        spec,
        replace(options, fallback=None),
        price_table(options.prices),
        [spec, *map(parse_spec, models)],
        need_keys=True,
    )
    if scorer_key(fallback.scorer.identity) in {
        scorer_key(item.scorer.identity) for item in chosen
    }:
        raise UsageError(f"the fallback {spec.name} is a scorer of the run already")
    if ceiling := options.cost_ceiling:
        _check_ceiling([fallback], ceiling)
    return fallback


def _check_ceiling(chosen: Sequence[Chosen], ceiling: str) -> None:
    for item in chosen:
        if item.price is None and not item.tells_dollars:
            raise UsageError(
                f"{ceiling} needs the price of {item.scorer.name}, which is not known; "
                f"{lines_to_write(item.scorer)}"
            )


def lines_to_write(scorer: Scorer) -> str:
    """Say how the user tells a scorer's price."""
    name = f"{scorer.identity.get('provider')}/{scorer.identity.get('model')}"
    return (
        "write into rmjudge.toml, with US dollars per million tokens in place of the dots:\n"
        f'  [prices."{name}"]\n  input = ...\n  output = ...'
    )


def _named_scorer(
    spec: Spec,
    options: RunOptions,
    prices: dict[str, Price],
    among: Sequence[Spec],
    *,
    need_keys: bool,
) -> Chosen:
    """Make a scorer; `among` are the models of the run, with it and a fallback."""
    settings, held_back = settings_of(spec, options), ""
    if spec.hosted:
        others = [(one, settings_of(one, options)) for one in among if one.hosted]
        rivals = [rival_of(*other) for other in others if own_engine(*other) is None]
        here = own_engine(spec, settings) is not None
        url = HERE if here else address_of(spec, settings)
        settings, held_back = with_network(
            spec, replace(settings, rivals=rivals), options, url, [rival.url for rival in rivals]
        )
    scorer, barred = _created(spec, settings, options, need_keys=need_keys)
    if settings.local is not None and settings.local.template_date is None:
        scorer = _on_the_first_day(scorer, spec, settings, options)
    if isinstance(scorer, AdaptableScorer):
        _take_known_form(scorer, options)
    if not spec.hosted:
        if spec.own_name is not None:
            scorer.name = spec.own_name  # its answers are kept under its weights all the same
        return Chosen(scorer, FREE, is_judge=is_judge(spec))
    chosen = _hosted(scorer, spec, settings, options, prices=prices, barred=barred)
    if held_back and not barred:
        chosen = replace(chosen, notices=(*chosen.notices, held_back))
    return chosen


def _created(
    spec: Spec, settings: ScorerSettings, options: RunOptions, *, need_keys: bool
) -> tuple[Scorer, str]:
    """The scorer, and why nothing may be asked of it, where nothing may."""
    barred = "--offline" if options.offline and spec.hosted else ""
    try:
        return create(spec, replace(settings, need_key=need_keys and not barred)), barred
    except MissingKeyError as error:
        if options.fallback is None:
            raise
        return create(spec, replace(settings, need_key=False)), str(error)


def _hosted(
    scorer: Scorer,
    spec: Spec,
    settings: ScorerSettings,
    options: RunOptions,
    *,
    prices: dict[str, Price],
    barred: str,
) -> Chosen:
    """A hosted scorer with its price, its address, and what asks it again."""
    if own_engine(spec, settings) is not None:  # it costs nothing
        if options.retry_with:
            raise UsageError(
                f"--retry-with is for models with an address, and {spec.name} has none"
            )
        return Chosen(scorer, FREE, barred, is_judge(spec))
    url = address_of(spec, settings)
    held_back = key_held_back(spec, settings)
    again = params_of(spec, options.retry_with)
    return Chosen(
        scorer,
        price_of(scorer.identity, options.prices, prices, own_name=spec.name, url=url),
        barred,
        is_judge(spec),
        provider_class(spec.provider).tells_dollars,
        url=url,
        notices=(held_back,) if held_back and not barred else (),
        again=asking_with(scorer, spec, again) if again else None,
        more_room=getattr(scorer, "more_room", ""),
    )


def price_of(
    identity: Mapping[str, Json],
    own: Mapping[str, Any],
    prices: Mapping[str, Price],
    *,
    own_name: str = "",
    url: str | None = None,
) -> Price | None:
    """What answers of a scorer cost, by its identity; None where that is not known.

    `own` are the user's prices, which hold anywhere, under the model's name or the user's own name
    for it; the others hold at the vendor's own address. `url` is where a model with a name of the
    user's own is asked: its identity does not say.
    """
    provider, model = str(identity.get("provider")), str(identity.get("model"))
    url, name = url or str(identity.get("url", "")), f"{provider}/{model}"
    if not url and "name" not in identity:
        return FREE
    users = {key: prices[key] for key in own}
    if own_name in users:
        return users[own_name]
    if (price := listed(users, name)) is not None:
        return price
    at_home = provider in NAMES and at_default_url(Spec(provider, model), url)
    return listed(prices, name) if at_home else None


def _take_known_form(scorer: AdaptableScorer, options: RunOptions) -> None:
    """Have a scorer ask in the form in which its server answered before, so that it finds these."""
    from rmjudge.cache import default_folder
    from rmjudge.cache.inspect import first_kept

    usual = scorer_key(scorer.identity)
    changes = {scorer_key(identity): change for identity, change in scorer.forms()}
    with suppress(StorageStopped):  # told, and mended, when the run opens the cache
        known = first_kept(options.cache_dir or default_folder(), (usual, *changes))
        if known is not None and known != usual:
            scorer.ask_with(changes[known])


def _on_the_first_day(
    scorer: Scorer, spec: Spec, settings: ScorerSettings, options: RunOptions
) -> Scorer:
    """The scorer, its template's date the one of the first answers that the cache has of it.

    So neither midnight nor the next day makes it another scorer.
    """
    if settings.local is None or "template_date" not in scorer.identity:
        return scorer
    from rmjudge.cache import default_folder
    from rmjudge.cache.inspect import first_of_model

    folder = options.cache_dir or default_folder()
    first = None
    with suppress(StorageStopped):  # told, and mended, when the run opens the cache
        first = first_of_model(folder, scorer.identity, "template_date")
    # Without earlier answers today is named too, for the actors of a cluster past midnight.
    dated = replace(settings.local, template_date=str(first or scorer.identity["template_date"]))
    return create(spec, replace(settings, local=dated))


def settings_of(spec: Spec, options: RunOptions) -> ScorerSettings:
    """The options of a run as they concern one of its models, but for other models' addresses."""
    own = options.providers.get(spec.provider, ProviderOptions())
    judge = is_judge(spec)
    template: Path | None = own.template
    if options.template and (judge or takes_chat_template(spec)):
        template = options.template
    if spec.options:
        template = own_options(spec).get("template", template)
    return ScorerSettings(
        base_url=None if spec.url else options.base_url or own.base_url,
        params={**own.params, **params_of(spec, options.params)} if spec.hosted or judge else {},
        concurrency=options.concurrency or own.concurrency,
        rpm=options.rpm or own.rpm,
        tpm=options.tpm or own.tpm,
        deadline_s=options.deadline or own.deadline,
        outage_s=options.outage,
        judging=options.method if judge else None,
        votes=options.votes if judge else 1,
        template=template,
        reward_path=options.reward_path or own.reward_path,
        reward_batch=options.reward_batch or own.reward_batch,
        verdict=options.verdict if judge else None,
        scale=options.scale if judge else None,
        inputs=options.inputs if judge else {},
        server_args=_words(options.server_args or own.server_args) if spec.hosted else (),
        key_variable=options.key_env.get(spec.name),
        try_once=options.try_once,
        tier=options.tier if spec.provider in FLEX else None,
        local=_local_settings(spec, own, options) if spec.local else None,
    )


def _words(flags: str | None) -> tuple[str, ...]:
    """The flags of `--server-args`, split as a shell does.

    Raises:
        UsageError: a quotation mark has no other.
    """
    try:
        return tuple(shlex.split(flags or ""))
    except ValueError as error:
        raise UsageError(f"--server-args {flags!r}: {error}") from error


def _local_settings(spec: Spec, own: ProviderOptions, options: RunOptions) -> LocalSettings:
    """Lay the run's options over the provider's, as far as they concern this kind of model."""
    given = {
        name: value
        for name, value in {**own.local(), **options.local()}.items()
        if OPTIONS[name].only in (None, spec.provider)
    }
    values: dict[str, Any] = {**given, **own_options(spec)}
    values.pop("template", None)  # which is the run's, as that of a hosted model
    return LocalSettings(spec.model, **values)


def _checked(model: object) -> Scorer:
    if isinstance(model, Scorer):
        if model.concurrency < 1 or model.batch < 1 or model.votes < 1:
            raise UsageError(f"{model.name}: concurrency, batch and votes are at least 1")
        return model
    raise UsageError(
        f"{model!r} is no model name and no scorer; extend rmjudge.PointwiseScorer or "
        "rmjudge.PairwiseScorer"
    )


def _tell_apart(chosen: Sequence[Chosen]) -> None:
    """Head the rows of models of one name with their addresses as well."""
    names = [item.scorer.name for item in chosen]
    for item, name in zip(chosen, names, strict=True):
        if item.url and names.count(name) > 1:
            item.scorer.name = f"{name} at {item.url}"


def _refuse_twins(scorers: Sequence[Scorer]) -> None:
    seen: dict[str, str] = {}
    for scorer in scorers:
        key = scorer_key(scorer.identity)
        if key in seen:
            also = "" if seen[key] == scorer.name else f", as {seen[key]} too"
            raise UsageError(f"{scorer.name} is named twice{also}")
        seen[key] = scorer.name
