"""RM-Bench's own result files: the data set with two lists of scores added to each tuple.

Source: `run_rm.py` and `run_dpo.py` of THU-KEG/RM-Bench at 73c52d7.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rmjudge.importing.domains import domain_of, subset_of
from rmjudge.importing.files import ResultFile
from rmjudge.importing.numbers import scores, three
from rmjudge.runs.results import TupleResult
from rmjudge.vocabulary import PUBLISHED_DOMAINS


def read(files: Sequence[ResultFile], domain: str | None) -> Iterator[TupleResult]:
    """One entry a tuple, `score_chosen` and `score_rejected` in the order of the styles."""
    for file in files:
        for item in file.items:
            named = domain_of(item, file, domain)
            yield TupleResult(
                item.id_in(named),
                PUBLISHED_DOMAINS[named],
                subset_of(item, named),
                scores(item, "score_chosen", three(item, "score_chosen")),
                scores(item, "score_rejected", three(item, "score_rejected")),
            )
