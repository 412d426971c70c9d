"""References of DPO policies, shared: several policies of one process ask each text once.

A reference is loaded once a device, and lives as long as a policy that is held against it. What it
says of a text depends on the text and its own weights, so it is kept for the next policy.
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Callable, Sequence
from threading import Event, Lock
from typing import TYPE_CHECKING, Final, Protocol
from weakref import WeakValueDictionary

from rmjudge.providers.local.rewards import Found, Way, ignore
from rmjudge.providers.local.texts import Tokens

if TYPE_CHECKING:
    from rmjudge.providers.local.likelihoods import ResponseLogprob


class Model(Protocol):
    """What gives log-probabilities of responses (`dpo.Likelihoods`)."""

    way: Way

    def responses(
        self,
        groups: Sequence[Sequence[Tokens]],
        stopping: Event,
        found: Found[ResponseLogprob] = ignore,
    ) -> Sequence[Sequence[ResponseLogprob] | None]:
        """Log-probabilities of each text's response; None for a group that was left out."""
        ...


class Said(dict[bytes, "ResponseLogprob"]):
    """What a reference has said, by text; a class of its own, since no plain dict is shared."""


class Reference:
    """A reference on one device, for the policies that are held against it, a thread each."""

    def __init__(self, model: Model, said: Said) -> None:
        self.way = model.way
        self._model = model
        self._said = said
        self._asking = Lock()

    def responses(
        self,
        groups: Sequence[Sequence[Tokens]],
        stopping: Event,
        found: Found[ResponseLogprob] = ignore,
    ) -> None:
        """Tell `found` of each group: what was said before, then what has to be computed.

        Once `stopping` is set, the other groups are left out.
        """
        keys = [list(map(_key, group)) for group in groups]
        lacking = self._tell_known(keys, range(len(groups)), found)
        if not lacking:
            return
        with self._asking:
            # Another policy may have had these computed while this one waited.
            lacking = self._tell_known(keys, lacking, found)

            def keep(place: int, values: Sequence[ResponseLogprob]) -> None:
                self._said.update(zip(keys[lacking[place]], values, strict=True))
                found(lacking[place], values)

            if lacking and not stopping.is_set():
                self._model.responses([groups[number] for number in lacking], stopping, keep)

    def _tell_known(
        self, keys: Sequence[Sequence[bytes]], numbers: Sequence[int], found: Found[ResponseLogprob]
    ) -> list[int]:
        """Tell of the groups that are known; return the numbers of the others."""
        lacking = []
        for number in numbers:
            if all(key in self._said for key in keys[number]):
                found(number, [self._said[key] for key in keys[number]])
            else:
                lacking.append(number)
        return lacking


def _key(text: Tokens) -> bytes:
    """The tokens and where the response begins, in 16 bytes."""
    return hashlib.blake2b(array("q", (text.start, *text.ids)).tobytes(), digest_size=16).digest()


_LOADING: Final = Lock()
_LOADED: Final[WeakValueDictionary[tuple[str, str], Reference]] = WeakValueDictionary()
_SAID: Final[WeakValueDictionary[str, Said]] = WeakValueDictionary()


def shared_reference(key: str, device: str, load: Callable[[], Model]) -> Reference:
    """The reference of this key on a device: the one that lives already, or a new one.

    `key` says everything that its log-probabilities depend on, but for the device's number.
    """
    with _LOADING:
        reference = _LOADED.get((key, device))
        if reference is None:
            said = _SAID.setdefault(key, Said())
            reference = _LOADED[key, device] = Reference(load(), said)
        return reference
