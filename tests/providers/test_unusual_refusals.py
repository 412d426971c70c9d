"""Refusals and cut answers in unusual places: told as such, read never, and bought once."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from answering import Answer, Endpoint

if TYPE_CHECKING:
    from command import Cli

A_WINS = "\\boxed{A>B}"


def choice(content: Any, reason: Any = "stop", message: Any = None, **more: Any) -> Any:
    return {
        "index": 0,
        "message": {"role": "assistant", "content": content, **(message or {})},
        "finish_reason": reason,
        **more,
    }


WITHHELD = {
    "declined, a list": (choice(None, message={"refusal": ["I will not."]}), "refusal"),
    "declined, true": (choice(None, message={"refusal": True}), "refusal"),
    "declined, a part": (choice([{"type": "refusal", "refusal": "I will not."}]), "refusal"),
    "declined, beside a verdict": (choice(A_WINS, message={"refusal": "I will not."}), "refusal"),
    "filtered, by Azure's annotations": (
        choice("", content_filter_results={"hate": {"filtered": True, "severity": "high"}}),
        "content-filter",
    ),
    "filtered, by the host behind": (
        choice(A_WINS, native_finish_reason="SAFETY"),
        "content-filter",
    ),
    "cut, by the host behind": (choice(A_WINS, native_finish_reason="MAX_TOKENS"), "truncated"),
    "cut, under another field": (choice(A_WINS, None, stop_reason="max_tokens"), "truncated"),
}
READ = {
    "parts of the Responses API": choice([{"type": "output_text", "text": A_WINS}]),
    "a list of texts": choice([A_WINS]),
    "one part": choice({"type": "text", "text": A_WINS}),
    "as completions write it": {"index": 0, "text": A_WINS, "finish_reason": "stop"},
    "ended by a stop text": choice(A_WINS, stop_reason="length"),
    "an empty refusal": choice(A_WINS, message={"refusal": []}),
}


def run(cli: Cli, server: Endpoint) -> Any:
    model = f"openai/judge@{server.address}"
    return cli("run", model, "--data", "sample", "--domain", "math", "--limit", "2", "--out", "o")


def cells(cli: Cli) -> list[Any]:
    rows = [json.loads(line) for line in cli.results("o")["results.jsonl"].splitlines()]
    return [cell for row in rows for line in row["matrix"] for cell in line]


@pytest.mark.parametrize("name", WITHHELD)
def test_an_answer_that_was_withheld_is_told_and_bought_once(cli: Cli, name: str) -> None:
    withheld, status = WITHHELD[name]

    def answer(_: Any, number: int) -> Answer:
        return 200, {"model": "m", "choices": [withheld if number == 3 else choice(A_WINS)]}

    with Endpoint(answer) as server:
        done = run(cli, server)

    assert done.returncode == 1
    assert f"{status} (" in done.stdout
    assert cells(cli).count(None) == 1
    assert len(server.asked) == len(cells(cli)), "each answer is bought once"


@pytest.mark.parametrize("name", READ)
def test_text_in_any_of_its_usual_shapes_is_read(cli: Cli, name: str) -> None:
    with Endpoint(lambda *_: (200, {"model": "m", "choices": [READ[name]]})) as server:
        done = run(cli, server)

    assert done.returncode == 0
    assert None not in cells(cli)


@pytest.mark.parametrize(
    "body",
    [
        {"code": 401, "msg": "Invalid token"},
        {"error": ["Invalid API key"]},
        {"detail": "Not authenticated"},
    ],
)
def test_a_success_that_is_a_refused_key_stops_the_run_at_once(cli: Cli, body: Any) -> None:
    with Endpoint(lambda *_: (200, body)) as server:
        done = run(cli, server)

    assert done.returncode == 3
    assert "Invalid" in done.stderr or "Not authenticated" in done.stderr
    assert len(server.asked) <= 18
