"""A build with models that run here: tiny ones, which write nonsense or what they were told."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from command import Cli
from local_models import Kind, make
from scripted_builds import PANEL, ScriptedModels
from told_models import END, make_told

GUARD_S = 300
"""Only so that a broken program ends the test; nothing is asserted of it."""
ANSWER = "# Land\n\n**It** is old.\n\n- Its markets are open on every day.\n"
VOTE = '{"answer": "A"}'


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    for seed, name in enumerate(("noise", "random")):
        make(tmp_path / name, Kind(task="CausalLM", positions=8192, seed=seed))
    told_model(tmp_path / "told", ANSWER)
    told_model(tmp_path / "partial", VOTE)
    offered = [{"id": k, "prompt": f"What is to be known of Land{k}?"} for k in (1, 2)]
    lines = "".join(json.dumps(line) + "\n" for line in offered)
    (tmp_path / "prompts.jsonl").write_text(lines)
    return Cli(tmp_path)


@pytest.fixture
def models() -> Iterator[ScriptedModels]:
    with ScriptedModels() as server:
        yield server


def told_model(folder: Path, text: str) -> None:
    """A model that writes this text whatever it is asked: one token, and then the end."""
    token = text.replace(" ", "Ġ").replace("\n", "Ċ")  # as the tokenizer writes bytes
    kind = Kind(task="CausalLM", more_tokens=(token,))
    make_told(folder, {"\n": {token: 1.0}, token: {END: 1.0}}, kind)


def words(writer: str) -> list[str]:
    panel = [word for name in ("partial", "random") for word in ("--panel", f"hf-judge/./{name}")]
    model = ["build", "prompts.jsonl", "--writer", writer, *panel, "--out", "mine"]
    return [*model, "--param", "max_new_tokens=8", "--quiet", "--json"]


def lines(cli: Cli, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (cli.home / "mine" / name).read_text().splitlines()]


def files(cli: Cli) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (cli.home / "mine").iterdir()}


def answers_kept(cli: Cli) -> int:
    database = cli.home / ".cache/rmjudge/answers/cache.db"
    if not database.exists():
        return 0
    with closing(sqlite3.connect(database, timeout=60)) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master WHERE name = 'Cache'")
        if not tables.fetchall():
            return 0
        (count,) = connection.execute("SELECT COUNT(*) FROM Cache WHERE key LIKE 'a:%'").fetchone()
    return int(count)


@pytest.mark.parametrize(
    ("writer", "step", "reasons", "asked"),
    [("noise", "answer", {"truncated", "style", "empty"}, 6), ("told", "concise", {"style"}, 8)],
)
def test_what_a_local_writer_cannot_do_is_rejected_and_written_once(
    cli: Cli, writer: str, step: str, reasons: set[str], asked: int
) -> None:
    done = cli(*words(f"hf-judge/./{writer}"))
    assert done.returncode == 0, done.stderr
    rejects = lines(cli, "rejects.jsonl")
    assert [(one["id"], one["step"], one["dollars"]) for one in rejects] == [
        (1, step, 0),
        (2, step, 0),
    ]
    assert {one["reason"] for one in rejects} <= reasons
    written = files(cli)
    again = cli(*words(f"hf-judge/./{writer}"))
    assert (again.returncode, files(cli)) == (0, written)
    told = json.loads(again.stdout)["calls"]
    assert [(one["asked"], one["from_cache"]) for one in told] == [(asked, asked), (0, 0), (0, 0)]


def test_a_local_panel_is_read_and_what_it_cannot_say_waits_for_a_person(
    cli: Cli, models: ScriptedModels
) -> None:
    command = words(models.model("writer"))
    with cli.start(*command) as process:  # killed when the panel has begun
        end = time.monotonic() + GUARD_S
        while answers_kept(cli) <= 6 and process.poll() is None:
            assert time.monotonic() < end
            time.sleep(0.05)
        process.kill()
        process.communicate()
    done = cli(*command)
    assert done.returncode == 0, done.stderr
    queue = lines(cli, "queue.jsonl")
    ends = [(one["id"], one["reason"]) for one in queue]
    assert ends == [(1, "panel-incomplete"), (2, "panel-incomplete")]
    for one in queue:  # A in both orders is for each claim once; no model can tell of six texts
        partial, nonsense = one["votes"]
        assert sorted(partial["claims"]) == ["false", "true"]
        assert nonsense["claims"] == [None, None]
        assert (partial["asserts"], nonsense["asserts"]) == (None, None)
    written = files(cli)
    again = cli(*command)
    assert (again.returncode, files(cli)) == (0, written)
    told = json.loads(again.stdout)["calls"]
    assert [(one["asked"], one["from_cache"]) for one in told] == [(6, 6)] * 3
    assert set(models.counts.values()) == {1}


def test_a_local_writer_has_a_limit_of_its_own(cli: Cli, models: ScriptedModels) -> None:
    panel = [word for name in PANEL for word in ("--panel", models.model(name))]
    build = ("build", "prompts.jsonl", "--writer", "hf-judge/./told", *panel, "--out", "mine")
    alike = cli(*build, "--quiet", "--param", "max_new_tokens=8", "--param", "max_tokens=900")
    assert alike.returncode == 2
    assert "takes the parameter max_new_tokens, not max_tokens" in alike.stderr

    own = ["--param=hf-judge/./told:max_new_tokens=8"]
    own += [f"--param=openai/{name}:max_tokens=900" for name in PANEL]
    done = cli(*build, "--quiet", *own)

    assert done.returncode == 0, done.stderr
    assert {one["step"] for one in lines(cli, "rejects.jsonl")} == {"concise"}
