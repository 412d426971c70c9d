"""What a data set holds, and which of its tuples deserve a look. Pure: nothing is printed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

from rmjudge.dataset.flagged import flagged
from rmjudge.dataset.quality import Canned, Cut, canned_texts, cut_texts, similar_prompts
from rmjudge.dataset.remarks import domain_remarks, style_remarks
from rmjudge.dataset.tuples import BenchTuple, DataSet
from rmjudge.judging.tokens import carries_verdict_token
from rmjudge.vocabulary import STYLES, Domain, Style


@dataclass(frozen=True, slots=True)
class Lengths:
    """Lengths of texts, in characters."""

    mean: float
    shortest: int
    longest: int


@dataclass(frozen=True, slots=True)
class Repeat:
    """Two equal texts of one tuple, by their fields: one call serves both."""

    name: str
    domain: Domain
    first: str
    second: str

    @property
    def crosses_sides(self) -> bool:
        """Whether a chosen text equals a rejected one, so that no judge can be right."""
        return self.first.startswith("chosen") and self.second.startswith("rejected")


@dataclass(frozen=True, slots=True)
class Flag:
    """One text of one tuple: the tuple's name and a field, `prompt` or `chosen concise`."""

    name: str
    field: str


@dataclass(frozen=True, slots=True)
class Summary:
    """A data set in numbers, and lists of what is unusual in it, in the set's order.

    `subsets` counts tuples by (domain, subset), where a subset may be None.
    `ignored` counts the tuples that have a field which is not used; `styles` says where responses
    are in another order than concise, detailed, Markdown. The ids of `with_domain` are written with
    their domain. `flagged` has the reasons of tuples that are known to be bad, by name.
    `repeated_prompts` holds the names of the tuples of each prompt that occurs again.
    """

    tuples: int
    domains: Mapping[Domain, int]
    subsets: Mapping[tuple[Domain, str | None], int]
    chosen_lengths: Mapping[Style, Lengths]
    rejected_lengths: Mapping[Style, Lengths]
    repeats: tuple[Repeat, ...]
    repeated_prompts: tuple[tuple[str, ...], ...]
    verdict_tokens: tuple[Flag, ...]
    lone_surrogates: tuple[Flag, ...]
    nul_characters: tuple[Flag, ...]
    blank_responses: tuple[Flag, ...]
    ignored: tuple[tuple[str, int], ...] = ()
    styles: tuple[str, ...] = ()
    with_domain: tuple[str, ...] = ()
    cut: tuple[Cut, ...] = ()
    canned: tuple[Canned, ...] = ()
    similar_prompts: tuple[tuple[str, ...], ...] = ()
    flagged: Mapping[str, str] = field(default_factory=dict)

    @property
    def chosen_equals_rejected(self) -> tuple[Repeat, ...]:
        """The repeats that no judge can get right."""
        return tuple(repeat for repeat in self.repeats if repeat.crosses_sides)

    @property
    def repeats_by_pair(self) -> Mapping[tuple[Domain, str, str], int]:
        """Count the repeats by domain and by the two fields that are equal."""
        return Counter((repeat.domain, repeat.first, repeat.second) for repeat in self.repeats)


def summarise(data: DataSet) -> Summary:
    """Count, measure and search a data set.

    Raises:
        ValueError: the data set is empty, so it has no lengths.
    """
    if not data.tuples:
        raise ValueError("an empty data set has no summary")
    by_domain = Counter(item.domain for item in data)
    return Summary(
        tuples=len(data),
        domains={domain: by_domain[domain] for domain in data.domains},
        subsets=dict(Counter((item.domain, item.subset) for item in data)),
        chosen_lengths=_lengths([item.chosen for item in data]),
        rejected_lengths=_lengths([item.rejected for item in data]),
        repeats=tuple(repeat for item in data for repeat in _repeats(item)),
        repeated_prompts=_repeated_prompts(data),
        verdict_tokens=_flags(data, carries_verdict_token),
        lone_surrogates=_flags(data, _has_lone_surrogate),
        nul_characters=_flags(data, _has_nul),
        blank_responses=_flags(data, _is_blank),
        ignored=data.ignored,
        styles=(*domain_remarks(data), *style_remarks(data)),
        with_domain=data.with_domain,
        cut=cut_texts(data),
        canned=canned_texts(data.tuples),
        similar_prompts=similar_prompts(data.tuples),
        flagged={f"{domain}/{id}": why for (domain, id), why in flagged(data).items()},
    )


def _responses(item: BenchTuple) -> Iterator[tuple[str, str]]:
    for side, texts in (("chosen", item.chosen), ("rejected", item.rejected)):
        for style, text in zip(STYLES, texts, strict=True):
            yield f"{side} {style}", text


def _texts(item: BenchTuple) -> Iterator[tuple[str, str]]:
    yield "prompt", item.prompt
    yield from _responses(item)


def _lengths(triples: Sequence[Sequence[str]]) -> Mapping[Style, Lengths]:
    measured: dict[Style, Lengths] = {}
    for index, style in enumerate(STYLES):
        counts = [len(texts[index]) for texts in triples]
        measured[style] = Lengths(sum(counts) / len(counts), min(counts), max(counts))
    return measured


def _repeats(item: BenchTuple) -> Iterator[Repeat]:
    for (first, text), (second, other) in combinations(_responses(item), 2):
        if text == other:
            yield Repeat(item.name, item.domain, first, second)


def _repeated_prompts(data: Iterable[BenchTuple]) -> tuple[tuple[str, ...], ...]:
    names: dict[str, list[str]] = {}
    for item in data:
        names.setdefault(item.prompt, []).append(item.name)
    return tuple(tuple(group) for group in names.values() if len(group) > 1)


def _flags(data: Iterable[BenchTuple], test: Callable[[str], bool]) -> tuple[Flag, ...]:
    return tuple(
        Flag(item.name, field) for item in data for field, text in _texts(item) if test(text)
    )


def _has_lone_surrogate(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return True
    return False


def _has_nul(text: str) -> bool:
    return "\0" in text


def _is_blank(text: str) -> bool:
    return not text.strip()
