"""Every command finds a finished run alike: data that has moved, and runs that are there twice."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import rmjudge

if TYPE_CHECKING:
    from collections.abc import Callable

    from command import Cli
    from served import ModelServer

ITEM = {"prompt": "p", "chosen": ["a", "bb", "ccc"], "rejected": ["dd", "e", "ff"]}
MOVED = [
    ("reparse", "o"),
    ("cache", "explain", "o"),
    ("leaderboard", "o", "--emit-file", "scores.json"),
    ("style", "o"),
    ("show", "chat/1", "o"),
    ("report", "o", "--html", "page.html"),
]


@pytest.fixture(scope="module")
def moved(request: pytest.FixtureRequest, new_cli: Callable[[], Cli]) -> Cli:
    """A home with a reward model's run whose data lies elsewhere now, among more tuples."""
    server: ModelServer = request.getfixturevalue("_model_server_process")
    server.reset()
    cli = new_cli()
    (cli.home / "chat.json").write_text(json.dumps([{"id": n, **ITEM} for n in (2, 1)]))
    done = cli("run", server.reward, "--data", "chat.json", "--out", "o")
    assert done.returncode == 0, done.stderr
    (cli.home / "chat.json").unlink()
    (cli.home / "new").mkdir()
    larger = [{"id": n, **ITEM} for n in (1, 2, 3)]
    (cli.home / "new" / "chat.json").write_text(json.dumps(larger))
    return cli


@pytest.mark.parametrize("words", MOVED, ids=" ".join)
def test_data_that_has_moved_is_found_where_the_user_says(moved: Cli, words: tuple[str]) -> None:
    done = moved(*words, "--data", "new/chat.json")
    assert done.returncode == 0, done.stderr
    assert "warning" not in done.stderr


@pytest.mark.parametrize("words", MOVED[:4], ids=" ".join)
def test_data_that_has_moved_is_asked_for(moved: Cli, words: tuple[str]) -> None:
    done = moved(*words)
    assert done.returncode == 2
    assert "say where the data is now with --data SOURCE" in done.stderr


def test_texts_that_the_run_did_not_score_are_refused(moved: Cli) -> None:
    other = [{"id": n, **ITEM, "prompt": "another"} for n in (1, 2)]
    (moved.home / "other").mkdir()
    (moved.home / "other" / "chat.json").write_text(json.dumps(other))
    for words in MOVED[:3]:
        done = moved(*words, "--data", "other/chat.json")
        assert done.returncode == 2
        assert "does not hold the texts that this run scored" in done.stderr


def test_where_the_texts_are_is_of_no_use_without_a_file_to_write(moved: Cli) -> None:
    done = moved("leaderboard", "o", "--data", "new/chat.json")
    assert (done.returncode, done.stdout) == (2, "")
    assert "--data is for --emit-file" in done.stderr


@pytest.fixture(scope="module")
def copied(new_cli: Callable[[], Cli]) -> Cli:
    """A home with a baseline's run, a copy of it, and a link to it."""
    cli = new_cli()
    done = cli("run", "baseline/length", "--limit", "2", "--out", "o")
    assert done.returncode == 0, done.stderr
    shutil.copytree(cli.home / "o", cli.home / "copy")
    (cli.home / "link").symlink_to("o")
    return cli


@pytest.mark.parametrize(
    "words", [("report",), ("readings",), ("leaderboard",), ("style",)], ids=" ".join
)
def test_a_copy_of_a_run_is_left_out_and_that_is_said(copied: Cli, words: tuple[str]) -> None:
    one, both = copied(*words, "o"), copied(*words, "o", "copy")
    assert both.stdout == one.stdout
    assert both.stderr == (
        "copy is left out: the same scorer and data as o, with the same results.\n"
    )


@pytest.mark.parametrize("again", ["o", "./o", "link"])
def test_a_run_named_in_two_ways_is_one(copied: Cli, again: str) -> None:
    for command in ("report", "readings", "leaderboard", "style"):
        one, both = copied(command, "o"), copied(command, "o", again)
        assert (both.stdout, both.stderr) == (one.stdout, "")


def test_show_and_the_page_say_that_a_copy_is_left_out(copied: Cli) -> None:
    named = json.loads((copied.home / "o" / "results.jsonl").read_text().splitlines()[0])
    shown = copied("show", f"{named['domain']}/{named['id']}", "o", "copy")
    copied("report", "o", "copy", "--html", "page.html")
    assert "copy is left out" in shown.stderr
    assert "copy is left out" in (copied.home / "page.html").read_text()


def test_python_reads_a_copy_once(copied: Cli) -> None:
    folders = [copied.home / name for name in ("o", "copy", "link")]
    assert len(rmjudge.load(*folders)) == 1


def test_each_copy_is_read_again(moved: Cli) -> None:
    shutil.copytree(moved.home / "o", moved.home / "twin")
    done = moved("reparse", "o", "twin", "--json", "--data", "new/chat.json")
    found = json.loads(done.stdout)["reparse"]
    assert [Path(item["folder"]).name for item in found] == ["o", "twin"]
