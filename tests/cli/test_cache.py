"""`rmjudge cache`: what is kept, whether it is sound, why calls were not found."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from command import Cli
    from served import ModelServer


def judge(server: ModelServer) -> tuple[str, ...]:
    return ("run", server.judge, "--limit", "1", "--domain", "code", "--cache-dir", "kept")


@pytest.fixture(scope="module")
def bought(request: pytest.FixtureRequest, new_cli: Callable[[], Cli]) -> Cli:
    """A cache with a judge's nine answers, one without a verdict: `o`; and `warmer`, a run
    with another parameter, which the server refused.
    """
    server: ModelServer = request.getfixturevalue("_model_server_process")
    server.reset()
    cli = new_cli()
    server.control(script=["no-verdict"])
    assert cli(*judge(server), "--out", "o").returncode == 1
    server.control(faults=["status:401"], rate=1)
    words = ("--param", "temperature=0.7", "--out", "warmer")
    assert cli(*judge(server), *words).returncode == 3
    return cli


def test_info_counts_the_answers_of_each_scorer(bought: Cli) -> None:
    done = bought("cache", "info", "--cache-dir", "kept", COLUMNS="250")
    assert (done.returncode, done.stderr) == (0, "")
    answers_and_unscored = re.findall(r"openai/judge.* [0-9a-f]{12} +(\d+) +(\d+) ", done.stdout)
    assert sorted(answers_and_unscored) == [("0", "0"), ("9", "1")]


def test_info_as_json_has_the_whole_identity(bought: Cli) -> None:
    done = bought("cache", "info", "--cache-dir", "kept", "--json")
    found = {scorer["answers"]: scorer for scorer in json.loads(done.stdout)["scorers"]}
    assert found[9]["unscored"] == 1
    assert found[9]["identity"] == bought.json("o/run.json")["identity"]


def test_verify_reads_every_row(bought: Cli) -> None:
    done = bought("cache", "verify", "--cache-dir", "kept")
    assert done.returncode == 0
    assert done.stdout == "11 rows read, every checksum matches\n"


def test_a_damaged_row_is_found_and_bought_again(cli: Cli, server: ModelServer) -> None:
    cli(*judge(server))
    with closing(sqlite3.connect(cli.home / "kept" / "cache.db")) as database, database:
        database.execute(
            "UPDATE Cache SET value = replace(value, 'first', 'worst') "
            "WHERE rowid = (SELECT max(rowid) FROM Cache WHERE key LIKE 'a:%')"
        )
    verified = cli("cache", "verify", "--cache-dir", "kept", "--json")
    found = json.loads(verified.stdout)
    assert verified.returncode == 1
    assert (found["sound"], len(found["damaged"])) == (False, 1)

    done = cli(*judge(server))
    assert server.stats["received"] == 10
    assert "1 damaged rows in the cache were bought again" in done.stdout


def test_explain_says_that_everything_was_there(cli: Cli, server: ModelServer) -> None:
    for _ in range(2):
        cli(*judge(server), "--out", "o")
    done = cli("cache", "explain", "o")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "openai/judge: 9 of 9 calls were in the cache when it began\n"


def test_explain_tells_of_a_run_that_bought_everything(cli: Cli, server: ModelServer) -> None:
    cli(*judge(server), "--out", "o")
    cli(*judge(server), "--param", "temperature=0.7", "--out", "warmer")
    done = cli("cache", "explain", "warmer")
    assert "openai/judge: 0 of 9 calls were in the cache when it began" in done.stdout
    assert "params: " in done.stdout


def test_explain_names_the_params_as_the_part_that_differs(bought: Cli) -> None:
    done = bought("cache", "explain", "warmer", "--json")
    (explained,) = json.loads(done.stdout)["explain"]
    (candidate,) = explained["candidates"]
    assert (explained["found"], explained["missing"], candidate["answered"]) == (0, 9, 9)
    assert candidate["differs"]["params"] == {"here": {"temperature": 0.7}, "there": {}}
    # The request is a hash of what is sent, so it follows.
    assert set(candidate["differs"]) == {"params", "request"}


def test_explain_says_it_in_words(bought: Cli) -> None:
    done = bought("cache", "explain", "warmer")
    assert "9 of the missing were answered under another key:" in done.stdout
    assert 'params: {"temperature": 0.7} here, {} there' in done.stdout


def test_explain_tells_of_calls_that_nobody_ever_answered(cli: Cli, server: ModelServer) -> None:
    server.control(faults=["status:401"], rate=1)
    cli(*judge(server), "--out", "o")
    done = cli("cache", "explain", "o")
    assert "9 calls had no answer yet, from any scorer kept here" in done.stdout


def test_explain_says_that_the_data_has_changed(cli: Cli) -> None:
    item = {"id": 1, "prompt": "p", "chosen": ["a", "b", "c"], "rejected": ["d", "e", "f"]}
    (cli.home / "chat.jsonl").write_text(json.dumps(item))
    cli("run", "baseline/length", "--data", "chat.jsonl", "--out", "o")
    (cli.home / "chat.jsonl").write_text(json.dumps({**item, "prompt": "another"}))
    done = cli("cache", "explain", "o")
    assert done.returncode == 2
    assert "chat.jsonl has changed since the run" in done.stderr


@pytest.mark.parametrize("action", ["info", "verify"])
def test_a_folder_without_a_cache_is_wrong_input_and_stays_as_it_is(cli: Cli, action: str) -> None:
    done = cli("cache", action, "--cache-dir", "nowhere")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "rmjudge: nowhere holds no cache; give the folder with --cache-dir\n"
    assert not (cli.home / "nowhere").exists()


def test_the_cache_is_readable_by_its_owner_alone(bought: Cli) -> None:
    kept = bought.home / "kept"
    modes = {path.name: path.stat().st_mode & 0o077 for path in (kept, *kept.rglob("*"))}
    assert "cache.db" in modes
    assert set(modes.values()) == {0}


def test_answers_are_carried_to_another_machine_and_not_bought_again(
    bought: Cli, cli: Cli, server: ModelServer
) -> None:
    file = cli.home / "answers.jsonl.gz"
    exported = bought("cache", "export", file, "--cache-dir", "kept")
    assert (exported.returncode, exported.stderr) == (0, "")
    assert exported.stdout.startswith("9 answers of 2 scorers written to ")

    imported = cli("cache", "import", file, "--cache-dir", "kept")
    assert (imported.returncode, imported.stderr) == (0, "")
    assert imported.stdout == "9 answers added, 0 were here already; 2 new scorers\n"

    done = cli(*judge(server), "--out", "o")
    assert done.returncode == 1
    assert server.stats["received"] == 0
    assert cli.results("o") == bought.results("o")


def test_lines_that_were_not_taken_are_told_and_end_in_1(bought: Cli, cli: Cli) -> None:
    file = cli.home / "answers.jsonl"
    bought("cache", "export", file, "--cache-dir", "kept")
    lines = file.read_bytes().splitlines()
    lines[4] = lines[4].replace(b'"stored":', b'"stored":1')
    file.write_bytes(b"\n".join(lines) + b"\n")
    told = cli("cache", "import", file, "--cache-dir", "kept")
    assert told.returncode == 1
    assert "8 answers added" in told.stdout
    assert told.stdout.endswith(
        "1 damaged lines, which were left out:\n  line 5: checksum does not match\n"
    )

    again = json.loads(cli("cache", "import", file, "--cache-dir", "kept", "--json").stdout)
    assert (again["added"], again["known"]) == (0, 8)
    assert again["rejected"] == ["line 5: checksum does not match"]


def test_a_file_that_is_no_export_is_wrong_input(cli: Cli) -> None:
    (cli.home / "notes.txt").write_text("notes")
    done = cli("cache", "import", "notes.txt", "--cache-dir", "kept")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "rmjudge: notes.txt is no file of `rmjudge cache export`\n"
    assert not (cli.home / "kept").exists()
