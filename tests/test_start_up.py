"""What a command imports: nothing heavy that it does not need."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from command import Cli
    from served import ModelServer

LOCAL = {"torch", "transformers", "scipy", "matplotlib"}
HEAVY = LOCAL | {"httpx", "numpy"}
WHERE = """
import sys, threading
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "httpx":
            main = threading.current_thread() is threading.main_thread()
            print("loop stood still" if main else "in a thread", file=sys.stderr)
sys.meta_path.insert(0, Finder())
"""
TELLING = """
import atexit, sys
def tell():
    print("loaded:", *{name.partition(".")[0] for name in sys.modules}, file=sys.stderr)
atexit.register(tell)
from rmjudge.cli import main
sys.exit(main())
"""


@pytest.fixture(scope="module")
def ran(request: pytest.FixtureRequest, new_cli: Callable[[], Cli]) -> tuple[Cli, ModelServer]:
    """A home with a finished run of a judge and a baseline, and the judge's server."""
    server: ModelServer = request.getfixturevalue("_model_server_process")
    server.reset()
    cli = new_cli()
    done = cli("run", server.judge, "baseline/length", "--limit", "1", "--out", "o")
    assert done.returncode == 0
    # Where they are not installed, importing them must still be possible to be noticed.
    (cli.home / "lib").mkdir()
    for name in LOCAL:
        (cli.home / "lib" / f"{name}.py").touch()
    return cli, server


def loaded(cli: Cli, *words: str, lib: Path | None = None, code: str = TELLING) -> set[str]:
    """The (top-level) modules that a command has imported when it ends."""
    lib = lib or cli.home / "lib"
    done = subprocess.run(
        [sys.executable, "-c", code, *words],
        cwd=cli.home,
        env=cli.environment(PYTHONPATH=str(lib), PYTHONSAFEPATH="1"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    _, _, names = done.stderr.rpartition("loaded:")
    assert "rmjudge" in names.split()
    return set(names.split())


@pytest.mark.parametrize("words", [["--help"], ["run", "--help"], ["--version"]])
def test_help_and_version_import_next_to_nothing(
    ran: tuple[Cli, ModelServer], words: list[str]
) -> None:
    assert loaded(ran[0], *words) & (HEAVY | {"asyncio", "diskcache", "rich", "sqlite3"}) == set()


@pytest.mark.parametrize("format", ["table", "json", "csv", "markdown", "latex"])
def test_a_report_imports_nothing_heavy(ran: tuple[Cli, ModelServer], format: str) -> None:
    assert loaded(ran[0], "report", "o", "--format", format) & HEAVY == set()


def test_a_report_imports_nothing_of_what_makes_a_run(ran: tuple[Cli, ModelServer]) -> None:
    code = TELLING.replace('name.partition(".")[0] for', "name for")
    names = loaded(ran[0], "report", "o", code=code)

    assert "rmjudge.runs.results" in names
    assert not {
        name for name in names if name.startswith(("rmjudge.dataset", "rmjudge.planning.plan"))
    }
    assert not names & {"asyncio", "diskcache", "sqlite3", "ssl"}


@pytest.mark.parametrize(
    "words",
    [
        ["data", "check", "sample"],
        ["cache", "info"],
        ["cache", "verify"],
        ["cache", "explain", "o"],
        ["leaderboard", "o"],
        ["readings", "o"],
        ["run", "baseline/length", "--dry-run"],
    ],
)
def test_what_computes_no_metrics_imports_nothing_heavy(
    ran: tuple[Cli, ModelServer], words: list[str]
) -> None:
    assert loaded(ran[0], *words) & HEAVY == set()


def test_a_run_answered_by_the_cache_imports_no_http_client(
    ran: tuple[Cli, ModelServer],
) -> None:
    cli, server = ran
    names = loaded(cli, "run", server.judge, "--limit", "1", "--out", "again")
    assert cli.json("again/run.json")["calls"]["sent"] == 0
    assert names & (LOCAL | {"httpx", "tenacity"}) == set()


def test_the_event_loop_goes_on_while_the_http_client_is_imported(
    ran: tuple[Cli, ModelServer],
) -> None:
    cli, server = ran
    done = subprocess.run(
        [sys.executable, "-c", WHERE + TELLING, "run", server.judge, "--limit", "2"],
        cwd=cli.home,
        env=cli.environment(),
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert "in a thread" in done.stderr
    assert "loop stood still" not in done.stderr


def test_a_hosted_run_imports_its_http_client_and_nothing_for_local_models(
    ran: tuple[Cli, ModelServer],
) -> None:
    cli, server = ran
    names = loaded(cli, "run", server.reward, "--limit", "1", "--out", "new")
    assert names & (HEAVY - {"numpy"}) == {"httpx"}


@pytest.mark.parametrize(
    "words",
    [
        ["compare", "o", "o/openai-judge"],
        ["style", "o"],
        ["correlate", "o", "more", "--with", "policies.csv"],
    ],
)
def test_statistics_import_no_plots_and_no_http_client(
    ran: tuple[Cli, ModelServer], words: list[str]
) -> None:
    cli, _ = ran
    more = ["baseline/random", "baseline/markdown"]
    assert cli("run", *more, "--limit", "1", "--out", "more").returncode == 0
    scores = [f"{name},chat,t,{score}" for score, name in enumerate(["baseline/length", *more])]
    (cli.home / "policies.csv").write_text("\n".join(["scorer,domain,task,score", *scores]))
    names = loaded(cli, *words, lib=cli.home / "nothing")
    assert names & (LOCAL | {"httpx", "statsmodels"}) <= {"scipy"}
