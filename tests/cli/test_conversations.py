"""Conversations of several messages before the responses: who scores them, and who is refused."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from command import Cli
from served import ModelServer, StubServer

from rmjudge.cache.keys import call_key
from rmjudge.calls import RewardCall
from rmjudge.store import key_fields

TURNS = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Capital of France?"},
    {"role": "assistant", "content": "Paris."},
    {"role": "user", "content": "And of Italy?"},
]
ROWS: list[dict[str, Any]] = [
    {"messages": TURNS, "chosen": "Rome, of course.", "rejected": "Milan."},
    {"prompt": "2+2?", "chosen": "It is 4.", "rejected": "5"},
]
CHATML = "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}"
TWO_TURNS = "<{{ messages[0].content }}><{{ messages[1].content }}>"


def written(home: Path, rows: list[dict[str, Any]] = ROWS) -> Path:
    path = home / "mine.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def rewards(folder: Path) -> list[list[float]]:
    lines = (folder / "results.jsonl").read_text().splitlines()
    return [json.loads(line)["rewards"] for line in lines]


def classified(body: Any) -> Any:
    """vLLM's reply: the length of the last message is the reward."""
    length = float(len(body["messages"][-1]["content"]))
    return {"model": "rm", "data": [{"probs": [length]}], "usage": {"prompt_tokens": 3}}


def test_a_server_that_takes_messages_is_sent_every_turn_and_system_text(
    cli: Cli, home: Path
) -> None:
    written(home)
    with StubServer(classified) as server:
        words = ("run", f"vllm/rm@{server.url}", "--data", "mine.jsonl")
        done = cli(*words, "--out", "r")
        assert done.returncode == 0, done.stderr
        asked = [body["messages"] for _, body in server.asked]
        assert [*TURNS, {"role": "assistant", "content": "Milan."}] in asked
        single = [{"role": "user", "content": "2+2?"}, {"role": "assistant", "content": "5"}]
        assert single in asked
        assert rewards(home / "r") == [[16, 6], [8, 1]]
        assert cli(*words, "--out", "again").returncode == 0
        assert len(server.asked) == 4
    assert cli.results("again") == cli.results("r")


@pytest.mark.parametrize(
    ("provider", "texts", "reply"),
    [
        ("sglang", lambda body: body["text"], lambda n: [{"embedding": [k]} for k in range(n)]),
        (
            "tei",
            lambda body: [text for (text,) in body["inputs"]],
            lambda n: [[{"label": "L", "score": float(k)}] for k in range(n)],
        ),
        ("openrlhf", lambda body: body["query"], lambda n: {"rewards": [1.0] * n}),
        (
            "nemo",
            lambda body: [text for (text,) in body["inputs"][0]["data"]],
            lambda n: {"outputs": [{"name": "rewards", "shape": [n, 1], "data": [1.0] * n}]},
        ),
    ],
)
def test_a_server_of_texts_is_sent_all_turns_as_the_template_writes_them(
    cli: Cli, home: Path, provider: str, texts: Any, reply: Any
) -> None:
    written(home)
    (home / "chat.jinja").write_text(CHATML)
    (home / "two.jinja").write_text(TWO_TURNS)
    with StubServer(lambda body: reply(len(texts(body)))) as server:
        words = ("run", f"{provider}/rm@{server.url}", "--data", "mine.jsonl", "--template")
        done = cli(*words, "chat.jinja", "--out", "r")
        assert done.returncode == 0, done.stderr
        asked = [text for _, body in server.asked for text in texts(body)]
        assert (
            "<system>Be brief.<user>Capital of France?<assistant>Paris."
            "<user>And of Italy?<assistant>Milan." in asked
        )
        assert "<user>2+2?<assistant>5" in asked
        before = len(server.asked)
        refused = cli(*words, "two.jinja", "--out", "r2")
        assert refused.returncode == 2
        assert f"{provider}/rm: pairs has items with messages of system, user" in refused.stderr
        assert "leaves out messages of a conversation" in refused.stderr
        assert len(server.asked) == before


def test_a_template_of_ones_own_server_must_write_all_messages(cli: Cli, home: Path) -> None:
    written(home)
    (home / "all.jinja").write_text('{"chat": {{ messages | tojson }}}')
    (home / "last.jinja").write_text('{"p": {{ prompt | tojson }}, "r": {{ response | tojson }}}')
    with StubServer(lambda body: {"score": len(body["chat"])}) as server:
        words = ["run", f"http/rm@{server.url}/score", "--data", "mine.jsonl"]
        words += ["--reward-path", "score", "--template"]
        done = cli(*words, "all.jinja", "--out", "r")
        assert done.returncode == 0, done.stderr
        assert rewards(home / "r") == [[5, 5], [2, 2]]
        refused = cli(*words, "last.jinja")
        assert refused.returncode == 2
        assert "leaves out messages of a conversation" in refused.stderr


def test_a_judge_reads_the_conversation_written_out(
    cli: Cli, home: Path, server: ModelServer
) -> None:
    written(home)
    assert cli("run", server.judge, "--data", "mine.jsonl", "--limit", "1").returncode == 0
    assert all(
        f"[{turn['role']}]\\n{turn['content']}" in json.dumps(server.stats["bodies"])
        for turn in TURNS
    )


def test_a_scorer_of_ones_own_that_takes_one_prompt_is_refused_by_name(home: Path) -> None:
    import rmjudge

    class Mine(rmjudge.PointwiseScorer):
        name, version = "mine", "1"

        def reward(self, prompt: str, response: str) -> float:
            return float(len(response))

    with pytest.raises(rmjudge.UsageError, match="mine: pairs has items with messages of system"):
        rmjudge.evaluate(Mine(), data=str(written(home)), out=home / "o")
    (found,) = rmjudge.evaluate(Mine(), data=str(written(home, ROWS[1:])), out=home / "o").items
    assert found.scores == (1.0,)


def test_a_call_about_one_prompt_keeps_its_key_and_conversations_have_keys_of_their_own() -> None:
    plain = RewardCall("2+2?", "4")
    assert key_fields(plain) == ("reward", "2+2?", "4")
    hashed = b"".join(sha256(text.encode()).digest() for text in ("reward", "2+2?", "4"))
    assert call_key(key_fields(plain)) == sha256(hashed).hexdigest()[:32]
    one = RewardCall("same", "4", turns=(("system", "a"), ("user", "b")))
    other = RewardCall("same", "4", turns=(("user", "a"), ("user", "b")))
    voted = RewardCall("same", "4", 1, turns=(("system", "a"), ("user", "b")))
    keys = {call_key(key_fields(call)) for call in (plain, one, other, voted)}
    assert len(keys) == 4
