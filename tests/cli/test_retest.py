"""`rmjudge retest`: a judge's votes against each other, read from what the run has kept."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from threading import Lock
from typing import Any

import pytest
from quiet_runs import quietly, tuples
from served import StubServer

from rmjudge.cli import main


def wavering() -> StubServer:
    """A judge of three votes: of tuple 0 it always names A, of others once another than before."""
    lock, came = Lock(), Counter[str]()

    def reply(body: Any) -> Any:
        question = json.dumps([body["model"], body["messages"]])
        with lock:
            came[question] += 1
            first = came[question] < 3 or "0 What" in question
        verdict = "\\boxed{A>B}" if first else "\\boxed{B>A}"
        message = {"role": "assistant", "content": verdict}
        return {"model": body["model"], "choices": [{"message": message, "finish_reason": "stop"}]}

    return StubServer(reply)


needs_runs = pytest.mark.usefixtures("ran")


@pytest.fixture
def ran(capsys: pytest.CaptureFixture[str]) -> Iterator[StubServer]:
    with wavering() as server:
        run = quietly(capsys)
        data = str(tuples(4))
        for name in ("one", "two"):
            code, err = run(f"openai/{name}@{server.url}/v1", "--votes", 3, "--data", data)
            assert code == 0, err
            Path("o").rename(name)
        yield server


def shown(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(list(words)) == 0
    return capsys.readouterr().out


def test_votes_that_agree_and_the_noise_are_told_without_a_call(
    ran: StubServer, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = len(ran.asked)
    found = json.loads(shown(capsys, "retest", "one", "--format", "json"))
    assert len(ran.asked) == asked
    (judge,) = found["judges"]
    # Tuple 0: three equal votes. The others: one pair of three agrees.
    assert judge["agreement"] == pytest.approx((1 + 3 / 3) / 4)
    assert judge["matrix"][2][0] == pytest.approx(0.5)
    # Each of 27 cells: single votes vary by 1/3, three of them make it 1/9.
    expected = 1.959964 * (27 / 9) ** 0.5 / (9 * 4)
    assert judge["noise"]["average"]["half_width"] == pytest.approx(expected)
    assert judge["noise"]["average"]["share_of_variance"] > 0


@needs_runs
def test_two_runs_have_a_noise_floor_and_compare_shows_it_beside_their_difference(
    capsys: pytest.CaptureFixture[str],
) -> None:
    found = json.loads(shown(capsys, "retest", "one", "two", "--format", "json"))
    one, two = (judge["noise"]["hard"]["half_width"] for judge in found["judges"])
    (floor,) = found["differences"]
    assert floor["noise"]["hard"] == pytest.approx((one**2 + two**2) ** 0.5)
    text = shown(capsys, "compare", "one", "two")
    assert "Differences beside their noise floors, points" in text
    assert f"±{100 * floor['noise']['hard']:.1f}" in text
    table = shown(capsys, "retest", "one", "two")
    assert "Noise floor of each difference, points" in table
    assert "Votes that agree" in table


@needs_runs
def test_where_the_votes_are_gone_it_says_so_and_compare_goes_on(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["retest", "one", "--cache-dir", str(tmp_path / "none")]) == 2
    assert "its votes are in the cache" in capsys.readouterr().err
    record = json.loads(Path("one/run.json").read_text())
    Path("one/run.json").write_text(json.dumps({**record, "cache": str(tmp_path / "none")}))
    assert main(["compare", "one", "two"]) == 0
    assert "the noise of openai/one is not known" in capsys.readouterr().err


def test_a_run_that_was_asked_once_has_no_votes_to_compare(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with wavering() as server:
        code, err = quietly(capsys)(f"openai/m@{server.url}/v1")
        assert code == 0, err
    assert main(["retest", "o"]) == 2
    assert "o: was asked once; run it with --votes 2 or more" in capsys.readouterr().err
