"""`http/NAME@URL`: a reward server of any shape, described by a template and a path."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from command import Cli
    from served import StubServer

ONE = '{"question": {{ prompt | tojson }}, "answer": {{ response | tojson }}}'
MESSAGES = '{"messages": {{ messages | tojson }}}'
MANY = (
    '{"texts": [{% for item in items %}{{ item.response | tojson }}{{ "," if not loop.last }}'
    '{% endfor %}], "about": {{ items[0].prompt | tojson }}}'
)


def length_of(body: Any) -> dict[str, Any]:
    return {"data": [{"score": float(len(body["answer"]))}], "error": None}


def run(cli: Cli, url: str, template: str, path: str, *more: str) -> Any:
    (cli.home / "body.jinja").write_text(template)
    words = ("run", f"http/mine@{url}", "--template", "body.jinja", "--reward-path", path)
    return cli(*words, "--domain", "chat", "--limit", "2", "--out", "o", *more)


def rewards(cli: Cli) -> list[Any]:
    lines = (cli.home / "o/results.jsonl").read_text().splitlines()
    return [(row["score_chosen"], row["score_rejected"]) for row in map(json.loads, lines)]


def test_a_body_of_ones_own_and_a_number_deep_in_the_reply(
    cli: Cli, stub_server: type[StubServer]
) -> None:
    with stub_server(length_of) as server:
        done = run(cli, f"{server.url}/score/v2?api=1", ONE, "data[0].score")
    paths = {path for path, _ in server.asked}
    answers = {len(body["answer"]) for _, body in server.asked}

    assert done.returncode == 0, done.stderr
    assert paths == {"/score/v2?api=1"}
    assert {value for pair in rewards(cli) for row in pair for value in row} == answers
    read = cli("reparse", "o")
    assert "every reply reads as it is stored" in read.stdout


def test_the_reply_itself_may_be_the_number(cli: Cli, stub_server: type[StubServer]) -> None:
    with stub_server(lambda body: len(body["messages"][1]["content"])) as server:
        done = run(cli, server.url, MESSAGES, ".")
    assert done.returncode == 0, done.stderr
    assert server.asked[0][1]["messages"][0]["role"] == "user"


def test_several_responses_a_request_are_matched_by_index(
    cli: Cli, stub_server: type[StubServer]
) -> None:
    def shuffled(body: Any) -> Any:
        scores = [{"index": n, "reward": len(text)} for n, text in enumerate(body["texts"])]
        return {"results": scores[::-1]}

    with stub_server(length_of) as server:
        run(cli, server.url, ONE, "data[0].score")
    alone = rewards(cli)
    with stub_server(shuffled) as server:
        done = run(cli, server.url, MANY, "results[*].reward", "--reward-batch", "6")

    assert done.returncode == 0, done.stderr
    assert rewards(cli) == alone
    assert max(len(body["texts"]) for _, body in server.asked) == 6


@pytest.mark.parametrize("reply", [{"data": []}, {"data": [{"score": "high"}]}, {"score": 1.0}])
def test_a_reply_without_a_number_there_is_no_reward(
    cli: Cli, stub_server: type[StubServer], reply: Any
) -> None:
    with stub_server(lambda _body: reply) as server:
        done = run(cli, server.url, ONE, "data[0].score", "--limit", "1")
    (row,) = rewards(cli)

    assert done.returncode in (1, 3)
    assert row == ([None] * 3, [None] * 3)


@pytest.mark.parametrize(
    ("template", "path", "message"),
    [
        ('{"a": "{{ prompt }}", "b": {{ response }}}', "r", "renders no JSON"),
        ('{"a": {{ prompt | tojson }}}', "r", "leaves out the response"),
        ('{"a": {{ answer | tojson }}}', "r", "does not render"),
        ("[{{ response | tojson }}, {{ prompt | tojson }}]", "r", "renders no JSON object"),
        (ONE, "data[", "is no path"),
        (ONE, "data[*].score", "[*] is for templates with `items`"),
    ],
)
def test_a_shape_that_cannot_be_used_is_refused_before_any_call(
    cli: Cli, stub_server: type[StubServer], template: str, path: str, message: str
) -> None:
    with stub_server(length_of) as server:
        done = run(cli, server.url, template, path)
    assert (done.returncode, server.asked) == (2, [])
    assert message in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
