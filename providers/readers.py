"""A scorer made again from its stored identity, to read its stored replies.

It needs no key and no model, and sends nothing. Parameters and template come from the identity,
whatever the settings and files are today.
"""

from __future__ import annotations

from collections.abc import Mapping

from rmjudge.calls import Json
from rmjudge.errors import UsageError
from rmjudge.judging.choosing import judging_again
from rmjudge.judging.methods import METHODS, JudgingMethod
from rmjudge.providers.base import Target
from rmjudge.providers.hosted import HostedScorer
from rmjudge.providers.judge import JudgeProvider
from rmjudge.providers.registry import HOSTED, LOCAL, provider_class
from rmjudge.providers.rendering import ChatTemplate
from rmjudge.providers.vendors import VENDORS
from rmjudge.scorer import Scorer


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
    kind = provider_class(name)
    params, template = identity.get("params"), str(identity.get("template", ""))
    target = Target(
        str(identity.get("model")),
        str(identity.get("url", "")),
        params if isinstance(params, dict) else {},
        # Never rendered for a server: nothing is sent.
        ChatTemplate(template, lambda _messages: "") if kind.wants_rendered_text else None,
    )
    if not issubclass(kind, JudgeProvider):
        return HostedScorer(kind(target))
    return HostedScorer(kind(target, _judging_of(identity)))


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
