"""A tuple of the benchmark, and a data set of them."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeAlias

from rmjudge.vocabulary import PUBLISHED_DOMAINS, Domain, TupleKey, in_order

Triple: TypeAlias = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class BenchTuple:
    """(x, y_c, y_r): a prompt with three chosen and three rejected responses, one per style.

    `subset` is the file's own subset, else the published domain of a safety tuple
    (`safety-refuse`, `safety-response`), else None.
    """

    id: int | str
    domain: Domain
    subset: str | None
    prompt: str
    chosen: Triple
    rejected: Triple

    @property
    def name(self) -> str:
        """The key as people write it: `chat/17`."""
        return f"{self.domain}/{self.id}"

    @property
    def key(self) -> TupleKey:
        """What it is found by; an id alone is not unique across domains."""
        return self.domain, self.id


@dataclass(frozen=True)
class DataSet:
    """Tuples in the order of their files; `label` is a short name for folders and titles.

    `ignored` names the fields of the files that are not used, each with how many tuples have it.
    Of the tuples named in `with_domain` the file writes the id with its domain (`chat/8`), as
    RM-Bench's total file may; here it is the id of the domain's own file, 8.
    """

    label: str
    tuples: tuple[BenchTuple, ...]
    ignored: tuple[tuple[str, int], ...] = ()
    with_domain: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.tuples)

    def __iter__(self) -> Iterator[BenchTuple]:
        return iter(self.tuples)

    @property
    def domains(self) -> tuple[Domain, ...]:
        """The domains present: the benchmark's in its order, then the user's own."""
        return in_order(item.domain for item in self.tuples)

    @cached_property
    def digest(self) -> str:
        """A hash of everything that is scored: equal digests, equal data (64 hex digits)."""
        sha = hashlib.sha256()
        for item in self.tuples:
            fields = (item.domain, repr(item.id), item.prompt, *item.chosen, *item.rejected)
            raws = [text.encode("utf-8", "surrogatepass") for text in fields]
            sha.update(b"".join([b"%d:%b" % (len(raw), raw) for raw in raws]))
        return sha.hexdigest()

    def named_by_domain(self) -> DataSet:
        """The same tuples with ids as the total file may have them, `safety-refuse/8`.

        Runs made before both layouts had one id for a tuple keep the digest of these.
        """
        items = tuple(
            replace(
                item,
                id=f"{item.subset if item.subset in PUBLISHED_DOMAINS else item.domain}/{item.id}",
            )
            for item in self.tuples
        )
        return DataSet(self.label, items)

    def select(self, domains: Sequence[Domain] = (), limit: int | None = None) -> DataSet:
        """Keep the named domains (all when none is named), then the first `limit` of each."""
        kept: list[BenchTuple] = []
        counts: Counter[Domain] = Counter()
        for item in self.tuples:
            if domains and item.domain not in domains:
                continue
            if limit is not None and counts[item.domain] >= limit:
                continue
            counts[item.domain] += 1
            kept.append(item)
        return DataSet(self.label, tuple(kept), self.ignored, self.with_domain)
