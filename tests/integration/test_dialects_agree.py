"""One judge behind two servers and four dialects comes to one matrix."""

from __future__ import annotations

from pathlib import Path

import pytest

import rmjudge
from rmjudge.providers.hosted import HostedScorer
from rmjudge.providers.judge import JudgeProvider
from rmjudge.providers.sending.redaction import Secret
from rmjudge.runs.results import ScorerResult

from .asking import DIALECTS, TWICE, Dialect, chat
from .servers import PROXY_KEY, TINY_LM, Server

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def direct(served: Server, tmp_path_factory: pytest.TempPathFactory) -> ScorerResult:
    """What the judge says when nobody stands between."""
    home = tmp_path_factory.mktemp("direct")
    return evaluated(chat(str(TINY_LM), served.url), home)


def evaluated(judge: JudgeProvider, home: Path) -> ScorerResult:
    scorer = HostedScorer(judge, policy=TWICE, secret=Secret(PROXY_KEY), concurrency=2)
    run = rmjudge.evaluate(
        scorer,
        "sample",
        limit=2,
        domains=("chat", "safety"),
        out=home / "run",
        cache_dir=home / "cache",
    )
    (result,) = run.results
    assert run.exit_code == 0
    return result


def test_the_judge_tells_responses_apart(direct: ScorerResult) -> None:
    credits = {value for found in direct.tuples for row in found.matrix or () for value in row}
    assert len(credits) > 1, "a constant judge would agree with itself in every dialect"


@pytest.mark.parametrize("dialect", DIALECTS.values(), ids=DIALECTS)
def test_the_matrix_is_that_of_the_judge_asked_directly(
    proxy: Server, direct: ScorerResult, dialect: Dialect, tmp_path: Path
) -> None:
    through = evaluated(dialect("judge", proxy.url), tmp_path)
    assert through.tuples == direct.tuples
    assert through.metrics.domains == direct.metrics.domains
    assert through.calls.sent == direct.calls.sent
