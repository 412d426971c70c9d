"""A scorer made again from its stored identity, to read its stored replies.

It needs no key and no model, and sends nothing. Parameters and template come from the identity,
whatever the settings and files are today.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from rmjudge.calls import Json
from rmjudge.errors import UsageError
from rmjudge.judging.choosing import judging_again
from rmjudge.judging.methods import METHODS, JudgingMethod
from rmjudge.providers.base import Provider, Target
from rmjudge.providers.hosted import HostedScorer, identity_of
from rmjudge.providers.judge import JudgeProvider
from rmjudge.providers.registry import ScorerSettings, address_of, hosted_scorer, provider_class
from rmjudge.providers.rendering import ChatTemplate, Messages, compile_template
from rmjudge.providers.spec import HOSTED, LOCAL, Spec
from rmjudge.providers.vendors import VENDORS
from rmjudge.scorer import Scorer
from rmjudge.vocabulary import READS


def reader_of(identity: Mapping[str, Json]) -> Scorer:
    """Make the scorer whose `parse` is this version's for such replies.

    Raises:
        UsageError: this version has no such provider or way of judging, or the template does
            not compile.
    """
    name = str(identity.get("provider"))
    if name in LOCAL:
        return _local_reader(name, identity)
    if name not in VENDORS and name not in HOSTED:
        model = identity.get("model")
        raise UsageError(f"{name}/{model}: no provider that keeps replies is called {name!r} here")
    return HostedScorer(_provider_of(identity, str(identity.get("url", ""))))


def asker_of(identity: Mapping[str, Json], spec: Spec, settings: ScorerSettings) -> Scorer:
    """Make the scorer that asks as this identity did, at the address of `spec`.

    Raises:
        UsageError: this version asks otherwise, or the address or the key is missing or wrong.
    """
    for sampled in (False, True):
        url = address_of(spec, settings)
        provider = _provider_of(identity, url, sampled=sampled, render=compile_template)
        if identity_of(provider)["request"] == identity.get("request"):
            return hosted_scorer(provider, spec, settings)
    raise UsageError(
        f"{spec.name}: the kept answers were asked for otherwise than this version asks; "
        "no run of it would find them"
    )


def _unrendered(_source: str, _name: str) -> Callable[[Messages], str]:
    return lambda _messages: ""  # nothing is sent


def _provider_of(
    identity: Mapping[str, Json],
    url: str,
    *,
    sampled: bool = False,
    render: Callable[[str, str], Callable[[Messages], str]] = _unrendered,
) -> Provider:
    kind = provider_class(str(identity.get("provider")))
    shape = None
    if kind.wants_shape:
        from rmjudge.providers.http import RewardShape

        shape = RewardShape(str(identity.get("template")), str(identity.get("reward_path")))
    params, template = _params_of(identity), str(identity.get("template", ""))
    target = Target(
        str(identity.get("model")),
        url,
        params,
        ChatTemplate(template, render(template, "kept with the answers"))
        if kind.wants_rendered_text
        else None,
        shape,
    )
    if not issubclass(kind, JudgeProvider):
        return kind(target)
    return kind(target, _judging_of(identity), sampled=sampled)


def _params_of(identity: Mapping[str, Json]) -> dict[str, Json]:
    """What was asked with, and how its replies read."""
    both = (identity.get("params"), identity.get(READS))
    return {name: value for part in both if isinstance(part, dict) for name, value in part.items()}


def _local_reader(name: str, identity: Mapping[str, Json]) -> Scorer:
    from rmjudge.providers.local import reader

    if name == "hf-judge":
        return reader.reader_of_judge(identity, _judging_of(identity))
    return reader.reader_of_rewards(identity)


def _judging_of(identity: Mapping[str, Json]) -> JudgingMethod:
    who = f"{identity.get('provider')}/{identity.get('model')}"
    judging = METHODS.get(str(identity.get("judging")))
    if judging is None:
        raise UsageError(f"{who}: no method is called {identity.get('judging')!r} here")
    template = str(identity.get("template", ""))
    # The methods' own frames are plain text; a user's template names what it is given.
    own = template != judging.template and "{{" in template
    return judging_again(judging.name, template if own else None, identity, f"of {who}")
