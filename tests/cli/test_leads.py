"""Long prompts: one call goes first, so that its siblings find the prompt in the cache."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from quiet_runs import Command, quietly, tuples, written

from rmjudge.options import RunOptions
from rmjudge.running.choosing import choose
from rmjudge.running.preparation import prepare

if TYPE_CHECKING:
    from served import ModelServer


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Command:
    return quietly(capsys)


@pytest.mark.parametrize(("order", "calls"), [("seeded", 9), ("both", 18)])
def test_a_long_prompt_is_sent_once_before_its_siblings(
    run: Command, server: ModelServer, order: str, calls: int
) -> None:
    server.control(latency_s=0.02)
    data = tuples(1, prompt="Explain this at length. " * 200)
    code, err = run(server.judge, "--order", order, "--data", data)
    assert code == 0, err
    before = server.stats["delivered_before"]
    assert before[0] == 0
    assert min(before[1:]) == 1
    assert len(before) == calls
    assert server.stats["most_in_flight"] > 1


def test_a_lead_that_is_refused_keeps_its_siblings_going(run: Command, server: ModelServer) -> None:
    server.control(script=["context"])
    data = tuples(1, prompt="Explain this at length. " * 200)
    code, _ = run(server.judge, "--data", data)
    assert code == 1
    assert server.stats["received"] == 9
    assert written("metrics.json")["unscored_cells"] == 1


@pytest.mark.parametrize(("shorter", "lead"), [(0, True), (1, False)])
def test_a_prompt_has_a_lead_from_the_length_on_that_its_scorer_says(
    server: ModelServer, shorter: int, lead: bool
) -> None:
    (chosen,) = choose([server.judge], RunOptions())
    least = chosen.scorer.lead_characters
    assert least is not None
    data = tuples(1, prompt="x" * (least - len("0 ") - shorter))
    prepared = prepare([server.judge], RunOptions(data=(str(data),)))
    assert [plan.lead for plan in prepared.jobs[0].plans] == [lead]


def test_a_scorer_that_says_no_length_has_no_leads(server: ModelServer) -> None:
    data = tuples(1, prompt="Explain this at length. " * 2000)
    prepared = prepare([server.reward], RunOptions(data=(str(data),)))
    assert [plan.lead for plan in prepared.jobs[0].plans] == [False]
