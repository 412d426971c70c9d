"""What replies cost. The table is data (`prices.toml`); an unknown price stays unknown."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib.resources import files
from typing import Any, Final

from rmjudge.calls import Spent, Usage
from rmjudge.errors import UsageError

PER_MILLION: Final = 1_000_000
_DATED: Final = re.compile(r"-(20\d{2}-\d{2}-\d{2}|20\d{6})$")
_SAME_VENDOR: Final = {"openai-responses": "openai"}
"""Another interface of a vendor, at the same prices."""


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars per million tokens; `cached_input` and `stored_input` default to `input`.

    `stored_input` is for what the vendor writes to its prompt cache. `batch` is what a call costs
    in the vendor's batches, as a share of the price; None where that is not known. Where it does
    not stack (`batch_stacks`), a token from the prompt cache has the better of the two discounts,
    and not both. A list price has the page that it stands on as `source`, and the `date` on which
    it was looked up.
    """

    input: float
    output: float
    cached_input: float | None = None
    stored_input: float | None = None
    batch: float | None = field(default=None, compare=False)
    batch_stacks: bool = field(default=True, compare=False)
    source: str = field(default="", compare=False)
    date: str = field(default="", compare=False)

    @property
    def cached(self) -> float:
        """Of a token that came from the prompt cache."""
        return self.input if self.cached_input is None else self.cached_input

    @property
    def batch_share(self) -> float:
        """What a call costs in a batch, as a share of the price; 1 where it is not known."""
        return 1.0 if self.batch is None else self.batch

    @property
    def stored(self) -> float:
        """Of a token that went to the prompt cache."""
        return self.input if self.stored_input is None else self.stored_input


FREE: Final = Price(0.0, 0.0)


def price_table(overrides: Mapping[str, Any] | None = None) -> dict[str, Price]:
    """The package's prices with the user's laid over them.

    Raises:
        UsageError: an override is no price.
    """
    text = (files("rmjudge.running") / "prices.toml").read_text("utf-8")
    vendors = tomllib.loads(text)
    table = {
        f"{vendor}/{model}": Price(**{**_of_vendor(about), **entry})
        for vendor, about in vendors.items()
        for model, entry in about["models"].items()
    }
    for name, entry in (overrides or {}).items():
        about = vendors.get(name.partition("/")[0], {})
        table[name] = replace(_price(name, entry), batch_stacks=about.get("batch_stacks", True))
    return table


def _of_vendor(about: Mapping[str, Any]) -> dict[str, Any]:
    """What holds for all models of a vendor."""
    return {name: value for name, value in about.items() if name != "models"}


def listed(table: Mapping[str, Price], name: str) -> Price | None:
    """The price of `PROVIDER/MODEL`; a dated model has that of its plain name."""
    provider, _, model = name.partition("/")
    vendor = _SAME_VENDOR.get(provider, provider)
    for known in (name, f"{vendor}/{model}", f"{vendor}/{_DATED.sub('', model)}"):
        if known in table:
            return table[known]
    return None


def _price(name: str, entry: Any) -> Price:
    fields = ("input", "output", "cached_input", "stored_input", "batch")
    known = (
        isinstance(entry, dict) and set(entry) <= set(fields) and {"input", "output"} <= set(entry)
    )
    known = known and not (_is_amount(entry.get("batch")) and entry["batch"] > 1)  # a share
    if not known or not all(_is_amount(value) for value in entry.values()):
        raise UsageError(
            f'[prices."{name}"] needs `input` and `output`, and may have `cached_input` and '
            "`stored_input`: US dollars per million tokens; and `batch`, the share of the price in "
            "the vendor's batches, such as 0.5"
        )
    cached, stored, batch = (float(entry[part]) if part in entry else None for part in fields[2:])
    return Price(float(entry["input"]), float(entry["output"]), cached, stored, batch)


def _is_amount(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < 1e6


def cost_of(spent: Spent, price: Price | None) -> float | None:
    """US dollars for these replies; None when it is unknown, or nothing can be charged.

    What the vendor says wins; the price is for replies without its own figure.
    """
    if spent.told_replies and spent.told_replies == spent.replies:
        return spent.dollars
    if price is None or spent.uncounted_replies:
        return None
    if price == FREE:
        return spent.dollars if spent.told_replies else None
    left = spent.untold
    dollars = left.input_tokens * price.input + left.output_tokens * price.output
    saved = saved_by_cache(left, price) + saved_by_batches(left, price)
    return spent.dollars + dollars / PER_MILLION - saved


def most_cost(usage: Usage, price: Price) -> float:
    """The most US dollars that so many tokens can cost."""
    dearest = max(price.input, price.stored)  # all of it may go to the prompt cache
    most_input, most_output = usage.input_tokens or 0, usage.output_tokens or 0
    return (most_input * dearest + most_output * price.output) / PER_MILLION


def saved_by_cache(spent: Spent, price: Price) -> float:
    """Dollars that the vendor's prompt cache was worth; below 0 where writing to it cost more."""
    read = spent.cached_tokens * (price.input - price.cached)
    return (read - spent.stored_tokens * (price.stored - price.input)) / PER_MILLION


def saved_by_batches(spent: Spent, price: Price) -> float:
    """Dollars that the vendor's batches were worth: a share of what they cost at the full price."""
    part = spent.batched
    read, written = part.input_tokens or 0, part.output_tokens or 0
    whole = Spent(read, written, part.cached_tokens or 0, part.stored_tokens or 0)
    dollars = (read * price.input + written * price.output) / PER_MILLION
    saved = (1 - price.batch_share) * (dollars - saved_by_cache(whole, price))
    if price.batch_stacks:
        return saved
    both = price.batch_share * price.cached
    better = min(price.cached, price.batch_share * price.input)
    return saved - whole.cached_tokens * (better - both) / PER_MILLION
