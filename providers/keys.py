"""Which API key goes to which address. A key never goes silently to a second one.

A vendor's variable serves the vendor's address. Another address is sent that key only where the
vendor's `..._BASE_URL` names it, or where the run has no other hosted address; `--key-env` says
otherwise. Servers of one's own have no vendor: their variable serves one address of the run.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rmjudge.addresses import is_loopback, origin
from rmjudge.errors import MissingKeyError, UsageError

if TYPE_CHECKING:
    from rmjudge.providers.base import Provider


@dataclass(frozen=True, slots=True)
class Rival:
    """Another hosted model of the run: where it is asked, and the variables of its key."""

    url: str
    variables: tuple[str, ...]


def key_for(
    kind: type[Provider],
    model: str,
    url: str,
    *,
    rivals: Sequence[Rival] = (),
    variable: str | None = None,
    needed: bool = True,
) -> str:
    """The key that is sent to this address; empty where there is none for it.

    `variable` is what the user named for this model.

    Raises:
        MissingKeyError: one is needed, and none is set.
        UsageError: a variable holds no key.
    """
    if variable is not None:
        if not os.environ.get(variable) and needed:
            raise MissingKeyError(f"--key-env: {variable}, for {model}, is not set")
        return _key_in(variable)
    if withheld(kind, url, rivals):
        return ""
    held = _held(kind)
    if held:
        return _key_in(held)
    official = url == kind.default_url and kind.key_needed_at_default_url
    if needed and official and kind.key_variables:
        raise MissingKeyError(
            f"{model}: no API key; set the environment variable {' or '.join(kind.key_variables)}"
        )
    return ""


def withheld(kind: type[Provider], url: str, rivals: Sequence[Rival]) -> str:
    """The variable whose key does not go to this address; empty where nothing is held back."""
    place = origin(url)
    named = os.environ.get(kind.url_variable, "") if kind.url_variable else ""
    vendor = kind.default_url or ""
    if (vendor and origin(vendor) == place) or (named and origin(named) == place):
        return ""
    one_of_a_kind = not vendor or is_loopback(origin(vendor)[1])
    for rival in rivals:
        if one_of_a_kind and not set(rival.variables) & set(kind.key_variables):
            continue
        if origin(rival.url) != place:
            return _held(kind)
    return ""


def _held(kind: type[Provider]) -> str:
    return next((name for name in kind.key_variables if os.environ.get(name)), "")


def _key_in(variable: str) -> str:
    key = os.environ.get(variable, "")
    if not (key.isascii() and key.isprintable() and key == key.strip()):
        raise UsageError(
            f"{variable} holds a line break, a blank at an end or another character "
            "that no key has; set it again"
        )
    return key
