"""Answers and runs that an older commit made are found and read, and nothing is bought again.

`cache`, `run` and `both` were made by the commit before the project's rooms were put in order.
No server listens at the address in their keys, so a call that is not found cannot be answered.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from command import Cli

HERE = Path(__file__).parent
ADDRESS = "http://127.0.0.1:18923"
SAMPLE = ("--data", "sample")
COMMANDS = {
    "run": (
        *(f"openai/judge@{ADDRESS}/v1", f"vllm/rm@{ADDRESS}", "baseline/length"),
        *(*SAMPLE, "--limit", "2"),
    ),
    "both": (
        f"anthropic/judge@{ADDRESS}",
        *(*SAMPLE, "--limit", "1", "--order", "both", "--votes", "2"),
    ),
}
CALLS = {"run": 72 + 48 + 48, "both": 144}
KEYS = {"ANTHROPIC_API_KEY": "none", "OPENAI_API_KEY": "none"}


@pytest.fixture
def kept(cli: Cli) -> Cli:
    """A home with a copy of what the older commit made."""
    for name in ("cache", "run", "both"):
        shutil.copytree(HERE / name, cli.home / name)
    return cli


def counts(cli: Cli, folder: str) -> list[dict[str, int]]:
    return [
        json.loads(path.read_text("utf-8"))["calls"]
        for path in sorted((cli.home / folder).rglob("run.json"))
    ]


def told(metrics: bytes) -> dict[str, Any]:
    """What metrics.json has said from the first, less what is counted in another way by now."""
    anew = ("intervals", "tie_rate")

    def kept_keys(part: Any) -> Any:
        if not isinstance(part, dict):
            return part
        new = ("split_rate", "unscored_rate_interval")
        return {
            name: kept_keys(value)
            for name, value in part.items()
            if name not in anew + new and not name.endswith("_interval")
        }

    found: dict[str, Any] = kept_keys(json.loads(metrics))
    return found


@pytest.mark.parametrize("run", list(COMMANDS))
def test_the_same_command_sends_no_call_and_gives_the_same_results(kept: Cli, run: str) -> None:
    words = (*COMMANDS[run], "--out", "again", "--cache-dir", "cache", "--quiet")
    done = kept("run", *words, **KEYS)
    found = counts(kept, "again")

    assert done.returncode == 0, done.stderr
    assert sum(calls["sent"] + calls["failed"] for calls in found) == 0
    assert sum(calls["from_cache"] for calls in found) == CALLS[run]
    before, now = kept.results(run), kept.results("again")
    assert before.keys() == now.keys()
    for name, was in before.items():
        if name.endswith("metrics.json"):
            assert told(was) == told(now[name])
        else:
            assert was == now[name]
    assert len(kept.results(run)) == 2 * len(found)


@pytest.mark.parametrize("run", list(COMMANDS))
def test_an_old_run_is_reported_shown_read_again_and_explained(kept: Cli, run: str) -> None:
    before = kept.results(run)
    report = kept("report", run, "--format", "json")
    shown = kept("show", "chat/101", run)
    read = kept("reparse", run, "--cache-dir", "cache")
    explained = kept("cache", "explain", run, "--cache-dir", "cache")

    for done in (report, shown, read, explained):
        assert (done.returncode, done.stderr) == (0, ""), done.args
    assert json.loads(report.stdout)
    assert "every reply reads as it is stored" in read.stdout
    assert "calls were in the cache when it began" in explained.stdout
    assert kept.results(run) == before


def test_an_old_cache_is_sound_and_all_of_it_is_counted(kept: Cli) -> None:
    info = json.loads(kept("cache", "info", "--cache-dir", "cache", "--json").stdout)
    verified = json.loads(kept("cache", "verify", "--cache-dir", "cache", "--json").stdout)

    assert sum(scorer["answers"] for scorer in info["scorers"]) == sum(CALLS.values())
    assert (verified["sound"], verified["rows"]) == (True, sum(CALLS.values()) + 4)
