"""Paths as users write them: `~` and variables that are set are expanded, once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import rmjudge
from rmjudge.options.written import expanded, model

if TYPE_CHECKING:
    from command import Cli

TUPLE = {"id": 1, "prompt": "p", "chosen": ["a", "b", "c"], "rejected": ["d", "e", "f"]}


@pytest.fixture
def odd_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder whose own name holds what must not be expanded again."""
    place = home / "$THERE ~ home"
    place.mkdir()
    monkeypatch.setenv("HOME", str(place))
    monkeypatch.setenv("THERE", "elsewhere")
    monkeypatch.setenv("NESTED", "$THERE")
    monkeypatch.delenv("NOT_SET", raising=False)
    return place


def test_each_way_of_writing_is_expanded_once(odd_home: Path) -> None:
    assert expanded("~/x/$THERE") == f"{odd_home}/x/elsewhere"
    assert expanded("${THERE}/x") == "elsewhere/x"
    assert expanded("$NESTED/x") == "$THERE/x"
    assert expanded("$NOT_SET/${NOT_SET}/a~/$") == "$NOT_SET/${NOT_SET}/a~/$"
    assert expanded("~") == str(odd_home)
    assert expanded("~nobody-here/x") == "~nobody-here/x"


def test_only_the_folders_of_local_models_are_paths(odd_home: Path) -> None:
    assert model("hf/~/m") == f"hf/{odd_home}/m"
    assert model("dpo/$THERE/m") == "dpo/elsewhere/m"
    assert model("openai/$THERE") == "openai/$THERE"
    assert model("baseline/length") == "baseline/length"


def test_python_expands_texts_and_takes_a_path_as_it_is(odd_home: Path) -> None:
    (odd_home / "chat.jsonl").write_text(json.dumps(TUPLE))
    for out in ("~/$THERE", Path("$THERE")):
        rmjudge.evaluate("baseline/length", data="~/chat.jsonl", out=out, cache_dir="kept")
    assert (odd_home / "elsewhere" / "run.json").is_file()
    assert Path("$THERE", "run.json").is_file()
    assert rmjudge.load("~/$THERE")["baseline/length"].metrics.tuples == 1


def test_every_command_expands_its_paths(cli: Cli) -> None:
    env = {"HOME": str(cli.home), "WHERE": "here"}
    (cli.home / "chat.jsonl").write_text(json.dumps(TUPLE))
    (cli.home / "options.toml").write_text("cache_dir = '~/$WHERE/kept'\ndata = ['~/chat.jsonl']")

    def fine(*words: str) -> str:
        done = cli(*words, **env)
        assert done.returncode == 0, done.stderr
        return done.stdout

    fine("run", "baseline/length", "--config", "~/options.toml", "--out", "~/$WHERE/one")
    fine("run", "baseline/markdown", "--data", "${HOME}/chat.jsonl", "--out", "$WHERE/$NOT_SET")
    assert (cli.home / "here" / "kept").is_dir()
    assert (cli.home / "here" / "one" / "run.json").is_file()
    assert (cli.home / "here" / "$NOT_SET" / "run.json").is_file()
    fine("report", "~/$WHERE/one")
    fine("report", "~/here/one", "--html", "~/$WHERE/page.html", "--data", "~/chat.jsonl")
    assert (cli.home / "here" / "page.html").is_file()
    fine("show", "1", "~/here/one", "--data", "~/chat.jsonl", "--cache-dir", "~/$WHERE/kept")
    fine("compare", "~/here/one", "$WHERE/$NOT_SET", "--baselines")
    fine("style", "~/here/one", "--data", "$HOME/chat.jsonl")
    fine("readings", "~/here/one")
    fine("leaderboard", "$WHERE/one")
    fine("data", "check", "~/chat.jsonl")
    fine("cache", "export", "~/$WHERE/answers.jsonl", "--cache-dir", "~/here/kept")
    assert (cli.home / "here" / "answers.jsonl").is_file()
    assert not (cli.home / "~").exists()
    assert not (cli.home / "$WHERE").exists()


def test_an_empty_path_is_not_the_working_directory(cli: Cli) -> None:
    done = cli("report", "")
    assert done.returncode == 2
    assert "an empty path; name a file or a folder" in done.stderr
