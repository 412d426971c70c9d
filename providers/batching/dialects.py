"""From a provider to the dialect of its batches."""

from __future__ import annotations

from importlib import import_module
from typing import cast

from rmjudge.providers.base import Provider
from rmjudge.providers.batching import DIALECTS
from rmjudge.providers.batching.base import BatchDialect


def dialect_of(provider: Provider) -> BatchDialect:
    """How a provider's batches are asked for.

    Raises:
        KeyError: that is not known.
    """
    module, name = DIALECTS[provider.name]
    kind = getattr(import_module(f"rmjudge.providers.batching.{module}"), name)
    return cast(BatchDialect, kind(provider))
