"""Which domain an entry belongs to. An id is unique only with it."""

from __future__ import annotations

from rmjudge.importing.files import Item, ResultFile
from rmjudge.text import quote
from rmjudge.vocabulary import PUBLISHED_DOMAINS


def subset_of(item: Item, named: str) -> str | None:
    """Find the subset: the entry's own, else `safety-refuse` or `safety-response`, else None."""
    value = item.fields.get("subset")
    if isinstance(value, str) and value and value not in PUBLISHED_DOMAINS:
        return value
    return named if named != PUBLISHED_DOMAINS[named] else None


def domain_of(item: Item, file: ResultFile, given: str | None, *, subset: bool = False) -> str:
    """Find the published name of the domain: the entry's own, else the user's or the file's.

    With `subset`, an entry's subset may be a domain, as reward-bench has no other field for it.

    Raises:
        UsageError: nothing tells it, or it is none of the benchmark's.
    """
    value = item.fields.get("domain")
    if value is None and subset and item.fields.get("subset") in PUBLISHED_DOMAINS:
        value = item.fields["subset"]
    if value is None:
        value = given or file.domain
    if value is None:
        pooled = file.path.name.startswith("total_dataset")
        hint = (
            "this file holds several domains, so it was saved after compute_accuracy, which takes "
            "the domains out of the list it is given; save it before"
            if pooled
            else "the file's name does not begin with one; say it with --domain"
        )
        raise item.wrong(f"domain is missing{_no_subset(item) if subset else ''}, and {hint}")
    if not isinstance(value, str) or value not in PUBLISHED_DOMAINS:
        raise item.wrong(
            f"domain {quote(str(value))} is unknown; expected one of {', '.join(PUBLISHED_DOMAINS)}"
        )
    return value


def _no_subset(item: Item) -> str:
    """Say why the subset cannot be used for the domain."""
    value = item.fields.get("subset")
    named = f"{quote(str(value))} is none of" if value else "could be one of"
    return f", subset {named} {', '.join(PUBLISHED_DOMAINS)}"
