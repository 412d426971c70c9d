"""Which headers go to which address. A value may be a key: it never goes silently to a second one.

`--header NAME:HEADER=VALUE` is for the model NAME. `--header HEADER=VALUE` is for a run with one
hosted address. Those below [provider.NAME] go where that provider is asked without an address of
the model's own, or to the only hosted address of the run.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace

from rmjudge.addresses import origin
from rmjudge.errors import UsageError
from rmjudge.options import ProviderOptions, RunOptions
from rmjudge.providers.registry import ScorerSettings, provider_class
from rmjudge.providers.sending.network import Identity, Network, headers_from
from rmjudge.providers.spec import Spec


def with_network(
    spec: Spec, settings: ScorerSettings, options: RunOptions, url: str, others: Iterable[str] = ()
) -> tuple[ScorerSettings, str]:
    """The settings of a model at `url` with its headers and certificate, and what is held back.

    `others` are the addresses of the run's other hosted models.

    Raises:
        UsageError: a header or a certificate is wrong, or it is not clear whose a header is.
    """
    own = options.providers.get(spec.provider, ProviderOptions())
    places = {origin(url), *map(origin, others)}
    alone = len(places) == 1
    shared = {name: text for name, text in options.headers.items() if ":" not in name}
    if shared and not alone:
        raise UsageError(
            f"--header {min(shared)}=...: this run asks at {len(places)} addresses, and a header "
            f"is sent to one; say whose it is, as in --header {spec.name}:{min(shared)}=..., once "
            "for each model that needs it"
        )
    named = {
        header: text
        for name, text in options.headers.items()
        for model, colon, header in [name.rpartition(":")]
        if colon and model == spec.name
    }
    held_back = ""
    of_provider = dict(own.headers)
    if of_provider and not alone and origin(url) != _home(spec, own):
        held_back = (
            f"{spec.name}: the headers of [provider.{spec.provider}] are not sent to {url}, since "
            "this run asks at another address too; to send one, add "
            f"--header {spec.name}:{min(of_provider)}=VALUE"
        )
        of_provider = {}
    headers = headers_from({**of_provider, **shared, **named})
    return replace(settings, network=Network(headers, _identity(options), options.transport)), (
        held_back
    )


def _home(spec: Spec, own: ProviderOptions) -> tuple[str, str, int]:
    kind = provider_class(spec.provider)
    variable = os.environ.get(kind.url_variable, "") if kind.url_variable else ""
    return origin(own.base_url or variable or kind.default_url or "")


def _identity(options: RunOptions) -> Identity | None:
    if options.client_cert is not None:
        identity = Identity(options.client_cert, options.client_key)
        identity.check()
        return identity
    if options.client_key is not None:
        raise UsageError("client_key is the key of a client_cert, and none is given")
    return None
