"""Disks that are full, folders that are read-only, cache files that are damaged: what a user sees.

The disks are real: small file systems in memory. Where mounting is not allowed, the tests that
need one are skipped.
"""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from command import Cli
    from served import ModelServer

CALLS = 108  # nine comparisons, three tuples of each of four domains
CONCURRENCY = 4


def judge(server: ModelServer, cache: object, out: str = "o") -> tuple[str, ...]:
    words = ("--limit", "3", "--concurrency", str(CONCURRENCY), "--cache-dir", str(cache))
    return ("run", server.judge, *words, "--out", out)


def mount(options: str, folder: Path) -> None:
    words = ["mount", "-t", "tmpfs", "-o", options, "none", str(folder)]
    try:
        subprocess.run(words, check=True, capture_output=True, text=True)
    except FileNotFoundError:
        pytest.skip("there is no mount here")
    except subprocess.CalledProcessError as error:
        pytest.skip(f"mounting is not allowed here: {error.stderr.strip()}")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 1 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount("size=1m", folder)
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)  # noqa: S607


@pytest.fixture(scope="module")
def undisturbed(request: pytest.FixtureRequest, new_cli: Callable[[], Cli]) -> dict[str, bytes]:
    """The files of a run that nothing happened to, with a cache of its own."""
    server: ModelServer = request.getfixturevalue("_model_server_process")
    server.reset()
    cli = new_cli()
    assert cli(*judge(server, "c")).returncode == 0
    return cli.results("o")


def test_a_disk_that_fills_up_stops_buying_and_what_was_bought_is_kept(
    cli: Cli, server: ModelServer, small_disk: Path, undisturbed: dict[str, bytes]
) -> None:
    server.control(faults=["long"], rate=1)
    stopped = cli(*judge(server, small_disk / "c"))
    bought = server.stats["received"]
    assert stopped.returncode == 3, stopped.stderr
    assert "cannot keep answers: the disk is full; free some space" in stopped.stderr
    assert "to go on, run:" in stopped.stderr
    kept = cli.json("o/run.json")["calls"]["planned"] - cli.json("o/metrics.json")["unscored_cells"]
    # What was asked, and a quarter as many answers that were on their way to the disk.
    assert 10 < kept < bought <= kept + CONCURRENCY + CONCURRENCY // 4

    mount("remount,size=16m", small_disk)
    done = cli(*judge(server, small_disk / "c"))
    assert done.returncode == 0, done.stderr
    assert cli.results("o") == undisturbed
    assert cli.json("o/run.json")["calls"]["from_cache"] == kept
    assert server.stats["received"] == bought + CALLS - kept


def test_a_disk_that_is_full_already_is_found_before_the_first_call(
    cli: Cli, server: ModelServer, small_disk: Path
) -> None:
    (small_disk / "ballast").write_bytes(b"x" * (2**20 - 8192))
    done = cli(*judge(server, small_disk / "c"))

    assert done.returncode == 3
    assert "cannot keep answers: " in done.stderr
    assert "the disk is full" in done.stderr
    assert "Traceback" not in done.stderr
    assert server.stats["received"] == 0


def test_results_that_find_no_room_lose_no_answer(
    cli: Cli, server: ModelServer, small_disk: Path
) -> None:
    (small_disk / "ballast").write_bytes(b"x" * (2**20 - 4096))
    done = cli(*judge(server, "c", str(small_disk / "o")))
    assert done.returncode == 3
    assert "the results cannot be written to" in done.stderr
    assert "the same command with another --out buys nothing" in done.stderr

    assert cli(*judge(server, "c")).returncode == 0
    assert server.stats["received"] == CALLS


def test_a_read_only_disk_is_found_before_the_first_call(
    cli: Cli, server: ModelServer, small_disk: Path
) -> None:
    assert cli("run", "baseline/length", "--limit", "1", "--cache-dir", small_disk).returncode == 0
    mount("remount,ro", small_disk)
    done = cli(*judge(server, small_disk))

    assert done.returncode == 3
    assert f"the cache {small_disk} cannot keep answers: it cannot be written" in done.stderr
    assert "make it writable, or use another --cache-dir" in done.stderr
    assert server.stats["received"] == 0


READING = [
    ("cache", "info", "--cache-dir", "disk/c"),
    ("cache", "verify", "--cache-dir", "disk/c"),
    ("cache", "explain", "disk/o", "--cache-dir", "disk/c"),
    ("cache", "export", "answers.jsonl", "--cache-dir", "disk/c"),
    ("reparse", "disk/o", "--cache-dir", "disk/c", "--write"),
]


@pytest.fixture
def bought(cli: Cli, server: ModelServer, small_disk: Path) -> Iterator[Cli]:
    """A run on the small disk, with its cache; the disk is `disk` of the home folder."""
    mount("remount,size=8m", small_disk)  # SQLite's log takes room until the run ends
    assert cli(*judge(server, small_disk / "c", str(small_disk / "o"))).returncode == 0
    mount("remount,size=1m", small_disk)
    (cli.home / "disk").symlink_to(small_disk)
    yield cli
    assert server.stats["received"] == CALLS


@pytest.mark.parametrize("words", READING, ids=lambda words: " ".join(words[:2]))
def test_a_command_that_reads_from_a_full_disk_says_that_it_needs_room(
    bought: Cli, small_disk: Path, words: tuple[str, ...]
) -> None:
    before = bought.results("disk/o")
    (small_disk / "ballast").write_bytes(b"x" * shutil.disk_usage(small_disk).free)
    done = bought(*words)

    assert (done.returncode, bought.results("disk/o")) == (3, before)
    assert "the cache disk/c cannot be read: the disk is full" in done.stderr
    assert "free some" in done.stderr
    (small_disk / "ballast").unlink()
    assert bought(*words).returncode == 0


@pytest.mark.parametrize("words", READING, ids=lambda words: " ".join(words[:2]))
def test_a_command_that_reads_from_a_read_only_disk_says_what_helps(
    bought: Cli, small_disk: Path, words: tuple[str, ...]
) -> None:
    mount("remount,ro", small_disk)
    done = bought(*words)

    assert done.returncode == 3
    assert "its folder cannot be written, and SQLite makes a file there; copy it" in done.stderr


def test_an_import_that_fills_the_disk_keeps_what_it_has_and_goes_on_later(
    bought: Cli, small_disk: Path
) -> None:
    assert bought("cache", "export", "a.jsonl.gz", "--cache-dir", "disk/c").returncode == 0
    words = ("cache", "import", "a.jsonl.gz", "--cache-dir", "disk/new")
    (small_disk / "ballast").write_bytes(b"x" * (shutil.disk_usage(small_disk).free - 2**17))
    full = bought(*words)
    assert full.returncode == 3
    assert "the cache disk/new cannot keep answers: the disk is full; free some" in full.stderr

    (small_disk / "ballast").unlink()
    assert bought(*words).returncode == 0
    assert f"{CALLS}" in bought("cache", "info", "--cache-dir", "disk/new").stdout
    assert bought("cache", "verify", "--cache-dir", "disk/new").returncode == 0


def overwrite(database: Path, first: int, last: int) -> None:
    content = bytearray(database.read_bytes())
    content[first:last] = b"\xa5" * (last - first)
    database.write_bytes(content)


def test_a_damaged_cache_stops_once_and_the_next_run_buys_what_was_lost_alone(
    cli: Cli, server: ModelServer, undisturbed: dict[str, bytes]
) -> None:
    cli(*judge(server, "c"))
    database = cli.home / "c" / "cache.db"
    pages = range(4096, database.stat().st_size, 4096)
    leaves = [at for at in pages if database.read_bytes()[at] == 0x0D]
    overwrite(database, 0, 4096)
    overwrite(database, leaves[len(leaves) // 2], leaves[len(leaves) // 2] + 4096)
    stopped = cli(*judge(server, "c"))
    assert stopped.returncode == 3
    assert "the cache c was damaged (file is not a database): " in stopped.stderr
    assert "answers were saved into a new file" in stopped.stderr
    assert "nothing was bought; the same command again goes on" in stopped.stderr
    assert server.stats["received"] == CALLS

    done = cli(*judge(server, "c"))
    calls = cli.json("o/run.json")["calls"]
    assert done.returncode == 0, done.stderr
    assert cli.results("o") == undisturbed
    assert f": {calls['from_cache']} answers were saved" in stopped.stderr
    assert 0 < calls["sent"] == server.stats["received"] - CALLS < CALLS


def test_damage_in_the_middle_is_met_told_and_salvaged_by_the_next_run(
    cli: Cli, server: ModelServer, undisturbed: dict[str, bytes]
) -> None:
    cli(*judge(server, "c"))
    database = cli.home / "c" / "cache.db"
    pages = range(4096, database.stat().st_size, 4096)
    leaves = [at for at in pages if database.read_bytes()[at] == 0x0D]
    overwrite(database, leaves[len(leaves) // 2], leaves[len(leaves) // 2] + 4096)
    told = [cli(*judge(server, "c")) for _ in range(3)]

    assert [done.returncode for done in told] == [3, 3, 0]
    assert "its file is damaged (database disk image is malformed)" in told[0].stderr
    assert "answers were saved into a new file" in told[1].stderr
    assert cli.results("o") == undisturbed
    bought_again = cli.json("o/run.json")["calls"]["sent"]
    assert 0 < bought_again == server.stats["received"] - CALLS < CALLS / 4


def test_a_cache_of_a_newer_format_is_refused_with_what_to_do(
    cli: Cli, server: ModelServer
) -> None:
    cli("run", server.reward, "--limit", "1", "--cache-dir", "c")
    database = cli.home / "c" / "cache.db"
    content = bytearray(database.read_bytes())
    content[60:64] = (7).to_bytes(4)  # SQLite's `user_version`
    database.write_bytes(content)

    for words in (judge(server, "c"), ("cache", "info", "--cache-dir", "c")):
        done = cli(*words)
        assert done.returncode == 3
        assert "was written by a newer rmjudge (format 7; this one knows 2)" in done.stderr
        assert "upgrade rmjudge, or use another --cache-dir" in done.stderr
    assert server.stats["received"] == 24


def test_a_command_that_meets_damage_says_what_helps_and_the_next_run_does_it(
    cli: Cli, server: ModelServer
) -> None:
    cli(*judge(server, "c"))
    database = cli.home / "c" / "cache.db"
    pages = range(4096, database.stat().st_size, 4096)
    leaves = [at for at in pages if database.read_bytes()[at] == 0x0D]
    overwrite(database, leaves[len(leaves) // 2], leaves[len(leaves) // 2] + 4096)
    told = [cli("reparse", "o"), *(cli(*judge(server, "c")) for _ in range(2))]

    assert [done.returncode for done in told] == [3, 3, 0]
    assert "damaged (database disk image is malformed); the next run sets" in told[0].stderr
    assert "answers were saved into a new file" in told[1].stderr
