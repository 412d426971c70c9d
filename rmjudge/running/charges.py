"""What a vendor's own figures tell of its prices: the most that a token can cost there."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from rmjudge.calls import Reply, Usage


@dataclass(slots=True)
class _Rates:
    """Upper bounds of one host's prices, US dollars a token, and its dearest reply."""

    input: float = math.inf
    output: float = math.inf
    dearest: float = 0.0


@dataclass(slots=True)
class Charges:
    """The dollars that replies stated, by the host that ran the model.

    A reply of d dollars with i fresh input tokens and o output tokens shows that none of its
    tokens costs more than d / i and d / o.
    """

    by_host: dict[str, _Rates] = field(default_factory=dict)

    @property
    def known(self) -> bool:
        """Whether any reply stated its dollars."""
        return bool(self.by_host)

    def note(self, reply: Reply) -> None:
        """Learn from one reply."""
        dollars = reply.usage.dollars
        if dollars is None:
            return
        rates = self.by_host.setdefault(reply.host or "", _Rates())
        rates.dearest = max(rates.dearest, dollars)
        if dollars == 0:  # a reply that was let off, which says nothing of the others
            return
        fresh = (reply.usage.input_tokens or 0) - (reply.usage.cached_tokens or 0)
        if fresh > 0:
            rates.input = min(rates.input, dollars / fresh)
        if reply.usage.output_tokens:
            rates.output = min(rates.output, dollars / reply.usage.output_tokens)

    def most(self, usage: Usage) -> float:
        """The most dollars that so many tokens can cost at the hosts seen so far."""
        return max((_most(rates, usage) for rates in self.by_host.values()), default=0.0)


def _most(rates: _Rates, usage: Usage) -> float:
    if math.isinf(rates.input) or math.isinf(rates.output):
        return rates.dearest
    told = (usage.input_tokens or 0) * rates.input + (usage.output_tokens or 0) * rates.output
    return max(told, rates.dearest)
