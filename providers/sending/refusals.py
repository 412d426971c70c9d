"""Whether a server refuses single calls, or every call: the request itself is wrong then."""

from __future__ import annotations

import re
from collections.abc import Iterable

from rmjudge.providers.sending.messages import FinalForCall
from rmjudge.providers.sending.policy import Policy

_OF_ONE_CALL = re.compile(r"""(?<!\w)(["']).*?\1|\S*\d\S*""")
"""Quotations, counts and identifiers: what differs between refusals that are alike."""


class Refusals:
    """The refusals of an endpoint that has never answered."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self.calls = 0
        self._kinds: set[str] = set()
        self._prompts: set[str] = set()

    def all_alike(self, error: FinalForCall, prompts: Iterable[str]) -> bool:
        """Note a refusal; tell whether there were enough, and all of one kind.

        A filter that plainly declines prompts is believed for longer: data sets are sorted, and
        one may begin with many harmful prompts.
        """
        self.calls += 1
        self._kinds.add(f"{error.status} {_OF_ONE_CALL.sub('#', error.message)}")
        self._prompts.update(prompts)
        policy = self._policy
        filtered = error.about == "prompt"
        enough = policy.filtered_prompts if filtered else policy.same_refusal_prompts
        return (
            len(self._kinds) == 1
            and self.calls >= policy.same_refusal_first
            and len(self._prompts) >= enough
        )
