"""What a vendor says that a call cost, under the names that vendors have for it.

- `usage.cost`, US dollars: OpenRouter (https://openrouter.ai/docs/use-cases/usage-accounting) and
  gateways like it. With the user's own key at a host (`is_byok`) it is OpenRouter's share alone,
  and `cost_details.upstream_inference_cost` is charged beside it.
- `usage.cost.total_cost`, US dollars: a breakdown with its sum, as Perplexity gives it.
- `usage.estimated_cost`, US dollars: as DeepInfra gives it.
- `usage.cost_in_usd_ticks`, of which 10^10 are a dollar: xAI
  (https://docs.x.ai/developers/cost-tracking).
"""

from __future__ import annotations

import sys
from typing import Any, Final

from rmjudge.providers.base import member

TICKS: Final = 10**10
"""In a US dollar."""


def dollars_told(usage: Any) -> float | None:
    """US dollars of one call; None where the vendor does not say, or says no amount."""
    ticks = _amount(member(usage, "cost_in_usd_ticks"))
    if ticks is not None:
        return ticks / TICKS
    for path in (("cost",), ("cost", "total_cost"), ("estimated_cost",)):
        told = _amount(member(usage, *path))
        if told is not None:
            return told + _own_key_s_share(usage)
    return None


def _own_key_s_share(usage: Any) -> float:
    if member(usage, "is_byok") is not True:
        return 0.0
    return _amount(member(usage, "cost_details", "upstream_inference_cost")) or 0.0


def _amount(value: Any) -> float | None:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return float(value) if number and 0 <= value <= sys.float_info.max else None
