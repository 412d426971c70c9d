"""Servers that are started here: a stand-in `vllm` command, a real process with a real socket."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from stand_in_engine import install

if TYPE_CHECKING:
    from collections.abc import Callable

    from command import Cli

TEXTS = ("--prompt", "Name a prime.", "--response", "7", "--response", "seven")


@pytest.fixture
def path(cli: Cli) -> str:
    """PATH with the engine on it."""
    return f"{install(cli.home / 'bin')}:{os.environ['PATH']}"


def started(cli: Cli) -> list[list[Any]]:
    """Of each server: its process, its child's, and the words it was given."""
    file = cli.home / "started.txt"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def gone(pid: int) -> bool:
    """Whether a process has ended; one that nobody waits for is a zombie, and has."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return True
    return state in "ZX"


def until(what: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def all_gone(cli: Cli) -> bool:
    return all(gone(pid) for server in started(cli) for pid in server[:2])


def records(cli: Cli) -> list[Path]:
    return list((cli.home / ".cache/rmjudge/servers").glob("*.json"))


def test_a_model_without_an_address_is_served_here_and_the_server_is_stopped(
    cli: Cli, path: str
) -> None:
    done = cli("score", "vllm/org/rm", *TEXTS, "--json", PATH=path)
    assert done.returncode == 0, done.stderr
    (found,) = json.loads(done.stdout)["scorers"]
    assert found["rewards"] == [1.0, 5.0]
    assert "served by vllm 0.32.0, started here" in " ".join(found["notes"])
    ((_, _, words),) = started(cli)
    assert words[:4] == ["serve", "org/rm", "--host", "127.0.0.1"]
    assert all_gone(cli)
    assert records(cli) == []


def test_answers_are_found_again_without_a_server(cli: Cli, path: str) -> None:
    for _ in range(2):
        done = cli("score", "vllm/rm", *TEXTS, "--json", PATH=path)
        assert done.returncode == 0, done.stderr
    assert len(started(cli)) == 1
    assert json.loads(done.stdout)["scorers"][0]["calls"] == {"from_cache": 2, "sent": 0}


def test_the_report_of_a_run_names_the_engine_and_its_version(cli: Cli, path: str) -> None:
    words = ("run", "vllm/rm", "--limit", "1", "--out", "o", "--server-args", "--loads 0.1")
    assert cli(*words, PATH=path).returncode == 0
    record = cli.json("o/run.json")
    assert list(record["models"]) == ["rm by vllm 0.32.0"]
    assert record["identity"]["server"] == {"engine": "vllm", "arguments": ["--loads", "0.1"]}
    assert "url" not in record["identity"]
    assert started(cli)[0][2][-2:] == ["--loads", "0.1"]


def test_an_address_is_used_as_it_is(cli: Cli, path: str) -> None:
    done = cli("score", "vllm/rm@http://127.0.0.1:1", *TEXTS, "--outage", "0.1", PATH=path)
    assert (done.returncode, started(cli)) == (3, [])


def test_a_server_that_ends_at_the_start_is_told_with_its_last_line(cli: Cli, path: str) -> None:
    done = cli("score", "vllm/rm", *TEXTS, "--server-args=--fails", PATH=path)
    assert done.returncode == 3
    assert "ended with exit code 7: ERROR" in done.stderr
    assert "out of memory" in done.stderr
    assert "\x1b" not in done.stderr
    assert records(cli) == []


def test_a_server_that_dies_under_way_stops_the_run_and_answers_are_kept(
    cli: Cli, path: str
) -> None:
    words = ("score", "vllm/rm", *TEXTS, "--concurrency", "1", "--json")
    done = cli(*words, "--server-args", "--dies-after 2", PATH=path)
    assert done.returncode == 3, done.stderr
    assert "ended with exit code 9: ERROR device lost" in done.stderr
    (found,) = json.loads(done.stdout)["scorers"]
    assert found["rewards"] == [1.0, None]
    until(lambda: all_gone(cli))


@pytest.mark.parametrize(
    ("moment", "presses", "codes"),
    [("--loads 600", 1, {130}), ("--thinks 2", 1, {0, 130}), ("--thinks 600", 2, {130})],
)
def test_ctrl_c_stops_the_server_and_its_children(
    cli: Cli, path: str, moment: str, presses: int, codes: set[int]
) -> None:
    words = ("score", "vllm/rm", *TEXTS, "--server-args", moment)
    asked = cli.home / "asked.txt"
    with cli.start(*words, PATH=path) as process:
        until(lambda: started(cli) if "--loads" in moment else asked.exists())
        for _ in range(presses):
            process.send_signal(signal.SIGINT)
            time.sleep(0.5)
        _, err = process.communicate(timeout=60)
    assert process.returncode in codes, err
    until(lambda: all_gone(cli))
    assert records(cli) == []


def test_the_next_run_ends_the_server_of_one_that_was_killed_and_no_other(
    cli: Cli, path: str
) -> None:
    def run(model: str) -> Any:
        return cli.start("score", model, *TEXTS, "--server-args", "--loads 600", PATH=path)

    with run("vllm/killed") as killed, run("vllm/living") as living:
        until(lambda: len(started(cli)) == 2)
        until(lambda: len(records(cli)) == 2)
        killed.kill()
        killed.communicate()
        orphan, other = sorted(started(cli), key=lambda server: "living" in server[2][1])
        assert not gone(orphan[0])
        done = cli("score", "vllm/next", *TEXTS, PATH=path)
        assert "1 server(s) of an earlier run were ended" in done.stdout
        until(lambda: gone(orphan[0]) and gone(orphan[1]))
        assert not gone(other[0])
        living.send_signal(signal.SIGINT)
        living.communicate(timeout=60)
    until(lambda: all_gone(cli))


def test_flags_without_a_server_of_ours_are_refused(cli: Cli, path: str) -> None:
    there = cli(
        *("score", "vllm/rm@http://127.0.0.1:1", *TEXTS, "--server-args", "--loads 1"), PATH=path
    )
    assert (there.returncode, "--server-args is for a server" in there.stderr) == (2, True)
    quoted = cli("score", "vllm/rm", *TEXTS, "--server-args", "'", PATH=path)
    assert (quoted.returncode, "--server-args" in quoted.stderr) == (2, True)


def test_where_no_engine_is_installed_an_address_is_asked_for(cli: Cli) -> None:
    done = cli("score", "vllm/rm", *TEXTS, PATH="/usr/bin:/bin")
    assert (done.returncode, "where vllm is installed, it is started here" in done.stderr) == (
        2,
        True,
    )
