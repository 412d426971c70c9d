"""Options that would do nothing for the models of a run, or could mean several: refused."""

from __future__ import annotations

from argparse import ArgumentTypeError
from collections.abc import Mapping, Sequence
from typing import Any

from rmjudge.calls import Json
from rmjudge.errors import UsageError
from rmjudge.options import OPTIONS, RunOptions
from rmjudge.providers.registry import FLEX, is_judge, takes_chat_template
from rmjudge.providers.spec import Spec
from rmjudge.text import did_you_mean


def check_options(specs: Sequence[Spec], options: RunOptions) -> None:
    """Refuse options that would do nothing, or that could mean several models."""
    homeless = [spec for spec in specs if spec.hosted and not spec.url]
    if options.base_url and len(homeless) != 1:
        raise UsageError(
            "--base-url is for a run with one hosted model; write PROVIDER/MODEL@URL instead"
        )
    own_names = [spec.own_name for spec in specs if spec.own_name]
    if twice := {name for name in own_names if own_names.count(name) > 1}:
        raise UsageError(f"{min(twice)} names two models of this run; give each its own NAME")
    _check_hosted_options(specs, options)
    _check_local_options(specs, options)
    judges = [spec for spec in specs if is_judge(spec)]
    if not judges:
        for name, given in (
            ("--method", options.method),
            ("--votes", options.votes > 1),
            ("--verdict", options.verdict),
            ("--scale", options.scale),
            ("--input", options.inputs),
        ):
            if given:
                raise UsageError(f"{name} is for judges, and this run has none")
    if options.votes > 1 and (options.method or "").endswith("-logprob"):
        raise UsageError(f"--votes asks for samples, and {options.method} reads probabilities")
    if options.template:
        framed = [spec for spec in specs if takes_chat_template(spec)]
        if not judges and not framed:
            raise UsageError(
                "--template is for judges, for servers that want rendered text and for local "
                "models, and this run has none"
            )
        if judges and framed:
            raise UsageError(
                f"--template could mean {judges[0].name}'s question or {framed[0].name}'s chat "
                "template; give each its own in rmjudge.toml, under [provider.NAME]"
            )


def _check_hosted_options(specs: Sequence[Spec], options: RunOptions) -> None:
    if not any(spec.hosted for spec in specs):
        for name, given in (
            ("--header", options.headers),
            ("transport", options.transport),
            ("--retry-with", options.retry_with),
        ):
            if given:
                raise UsageError(f"{name} is for hosted models, and this run has none")

    if options.tier and not any(spec.provider in FLEX for spec in specs):
        raise UsageError(f"--tier is for {' and '.join(FLEX)}, and this run has none of these")
    if options.tier and options.batch:
        raise UsageError("--tier and --batch are two ways to half the price: use one of the two")
    if not any(spec.provider == "http" for spec in specs):
        for name, set_ in (
            ("--reward-path", options.reward_path),
            ("--reward-batch", options.reward_batch),
        ):
            if set_:
                raise UsageError(f"{name} is for http/... models, and this run has none")
    if options.retry_with and not options.retry_unscored:
        raise UsageError("--retry-with is for what --retry-unscored asks again; give that too")
    _check_names(specs, options)


def params_of(spec: Spec, params: Mapping[str, Json]) -> dict[str, Json]:
    """The parameters as they concern a model: `MODEL:NAME` is for that one, and goes before."""
    split = [(*name.rpartition(":"), value) for name, value in params.items()]
    shared = {name: value for _, colon, name, value in split if not colon}
    return shared | {name: value for model, colon, name, value in split if model == spec.name}


def _check_names(specs: Sequence[Spec], options: RunOptions) -> None:
    """Refuse parameters, keys and headers of a model that the run does not have."""
    for flag, params, asked in (
        ("--param", options.params, [spec for spec in specs if spec.hosted or is_judge(spec)]),
        ("--retry-with", options.retry_with, [spec for spec in specs if spec.hosted]),
    ):
        for parameter in params:
            name, colon, _ = parameter.rpartition(":")
            if colon:
                said = f"{flag} {parameter}=..."
                _check_means_one(asked, name, said, f"{flag} NAME:PARAMETER=JSON", "model")
    hosted = [spec for spec in specs if spec.hosted]
    for name in options.key_env:
        _check_means_one(hosted, name, f"--key-env {name}=...", "--key-env NAME=VARIABLE")
    for header in options.headers:
        name, colon, _ = header.rpartition(":")
        if colon:
            _check_means_one(hosted, name, f"--header {header}=...", "--header NAME:HEADER=VALUE")


def _check_means_one(
    specs: Sequence[Spec], name: str, said: str, right: str, kind: str = "hosted model"
) -> None:
    """Refuse a name that is not exactly one of these models'."""
    meant = sum(spec.name == name for spec in specs)
    if meant != 1:
        names = ", ".join(dict.fromkeys(spec.name for spec in specs))
        what = f"several {kind}s" if meant else f"no {kind}"
        raise UsageError(
            f"{said}: {what} of this run ({names or 'it has none'}); "
            f"write NAME=PROVIDER/MODEL@URL and {right}"
        )


def _check_local_options(specs: Sequence[Spec], options: RunOptions) -> None:
    local = [spec for spec in specs if spec.local]
    for name, value in options.local().items():
        kind, flag = OPTIONS[name].only, OPTIONS[name].flag
        if not any(kind in (None, spec.provider) for spec in local):
            what = f"{kind}/... models" if kind else "models that run here (hf, dpo, hf-judge)"
            raise UsageError(f"{flag} is for {what}, and this run has none")
        own = [spec.name for spec in local if name in dict(spec.options)]
        if name in ("revision", "reference") and len(local) > 1:
            raise UsageError(
                f"{flag} {value} could be meant for {len(local)} models; give each its own, as in "
                f"{local[0].model_name}?{name}={value}"
            )
        if len(own) == len(local):
            raise UsageError(f"{flag} {value} is for no model: {own[0]} has a {name} of its own")
    for spec in local:
        own_options(spec)


def own_options(spec: Spec) -> dict[str, Any]:
    """The options in a local model's name (`dpo/POLICY?reference=MODEL`), as the run has them.

    Raises:
        UsageError: one is unknown, or its value is wrong.
    """
    known = {
        name: item
        for name, item in OPTIONS.items()
        if item.concerns in ("local", "both")
        and item.kind.form == "value"
        and item.only in (None, spec.provider)
    }
    found: dict[str, Any] = {}
    for name, text in spec.options:
        if name not in known:
            raise UsageError(f"{spec.model_name}?{name}=...: {did_you_mean(name, known)}")
        kind = known[name].kind
        try:
            value = kind.read(text)
        except (ValueError, ArgumentTypeError):
            value = None
        if value is None or not kind.fits(value):
            raise UsageError(f"{spec.model_name}?{name}={text} is not {kind.what}")
        found[name] = kind.made(value)
    return found
