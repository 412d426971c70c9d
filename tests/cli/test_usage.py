"""Wrong input: exit 2, everything that is wrong told at once, and nothing was called."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from command import Cli
    from served import ModelServer

KEY = "sk-canary-7f3a9c51e2d84b60"
TUPLE = {"id": 1, "prompt": "p", "chosen": ["a", "b", "c"], "rejected": ["d", "e", "f"]}

WRONG_COMMANDS = [
    ("run", "name at least one model, such as openai/gpt-4.1"),
    ("run opnai/judge@{root}/v1", "no provider is called 'opnai'; did you mean openai?"),
    ("run {judge} judge", "'judge' is no PROVIDER/MODEL"),
    ("run {judge} baseline/lenght", "baseline/lenght: did you mean length?"),
    ("run {judge} lenght", "or baseline/length; did you mean baseline/length?"),
    ("run opanai", "; did you mean openai/MODEL?"),
    ("run {judge} --data smaple", "a file or a folder; did you mean sample?"),
    ("run {judge} --fail-under harder=3", "'harder' is none of easy, normal, hard, average"),
    ("run {judge} --fail-under hard=101", "'hard=101' is not PART=PERCENT, such as hard=40"),
    ("run {judge} --fail-under hard", "'hard' is not PART=PERCENT, such as hard=40"),
    ("run {judge} --allow-unscored 200%", "'200%' is no share such as 2% and no number of cells"),
    ("run {judge} --allow-unscored -1", "--allow-unscored"),
    ("run {judge} --junit no/where.xml", "--junit no/where.xml: it is in no folder that there is"),
    ("run {judge} --append .", "--append .: it is a folder"),
    ("run {judge} {judge}", "openai/judge is named twice"),
    ("run {judge} --frobnicate", "unrecognized arguments: --frobnicate; see `rmjudge run --help`"),
    ("run {judge} --lim 1", "unrecognized arguments: --lim 1"),
    ("run {judge} --limit 0", "argument --limit: must be at least 1"),
    ("run {judge} --rpm nan", "argument --rpm: must be above 0"),
    ("run {judge} --deadline x", "argument --deadline: invalid number value: 'x'"),
    ("run {judge} --order random", "argument --order: 'random' is not seeded, both"),
    ("run {judge} --domain poetry", "the data has no domain poetry; there are chat"),
    ("run {judge} --param temperature", "--param 'temperature' is not NAME=JSON"),
    ("run {judge} --param effort=low", "reasoning_effort='\"low\"' for a text"),
    ("run {judge} --param temperature=1e999", "temperature = inf cannot be sent as JSON"),
    ("run {judge} --data nowhere.jsonl", "nowhere.jsonl: does not exist; a source is sample"),
    ("run {judge} vllm/rm", "where is the server? Write vllm/rm@http://HOST:PORT"),
    ("run {judge} openai/gpt-4.1", "set the environment variable OPENAI_API_KEY"),
    ("run {judge} openai/other@ftp://localhost/v1", "an address starts with http:// or https://"),
    ("run {judge} vllm/rm@http://user:pass@localhost", "carries no user, password"),
    ("run {judge} --base-url http://localhost:1", "--base-url is for a run with one hosted model"),
    ("run {judge} --config nowhere.toml", "nowhere.toml: No such file or directory"),
    ("frobnicate", "invalid choice: 'frobnicate'"),
]

WRONG_FILES = [
    ("limit = 0", "limit = 0 is not a whole number above 0"),
    ("limit = [", "rmjudge.toml is no TOML"),
    ("limt = 3", "limt is no option; did you mean limit?"),
    ('domains = ["poetry"]', "the data has no domain poetry"),
    ("[provider.vllm]\nrpmm = 3", "provider.vllm.rpmm is no option; did you mean rpm?"),
    ("[provider.vlm]\nrpm = 3", "provider.vlm: no provider is called 'vlm'; did you mean vllm?"),
    ("[params]\ntemperature = nan", "temperature = nan cannot be sent as JSON"),
    ("[params]\nday = 2026-01-01", "the parameter day = datetime.date(2026, 1, 1) cannot be sent"),
    ('[prices."openai/judge"]\ninput = 1', "needs `input` and `output`"),
]


@pytest.mark.parametrize(("command", "message"), WRONG_COMMANDS)
def test_a_wrong_command_ends_in_2_with_advice_and_no_call(
    cli: Cli, server: ModelServer, command: str, message: str
) -> None:
    done = cli(*command.format(judge=server.judge, root=server.root).split())

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("rmjudge: ")
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert server.stats["received"] == 0


@pytest.mark.parametrize(("text", "message"), WRONG_FILES)
def test_a_wrong_rmjudge_toml_ends_in_2_with_its_place_and_no_call(
    cli: Cli, server: ModelServer, text: str, message: str
) -> None:
    (cli.home / "rmjudge.toml").write_text(text)
    done = cli("run", server.judge)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("rmjudge: ")
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert server.stats["received"] == 0


def test_every_problem_of_the_data_is_listed_before_anything_is_called(
    cli: Cli, server: ModelServer
) -> None:
    lines = [{**TUPLE, "id": 7, "prompt": 3}, {**TUPLE, "id": 8, "chosen": ["a"]}, TUPLE, TUPLE]
    (cli.home / "chat.jsonl").write_text("\n".join(map(json.dumps, lines)) + "\n{broken\n")
    done = cli("run", server.judge, "--data", "chat.jsonl", "--data", "nowhere")

    assert (done.returncode, done.stdout) == (2, "")
    assert "5 problems in the data; nothing was called:" in done.stderr
    places = [line.split()[0].rstrip(":") for line in done.stderr.splitlines()[1:]]
    assert places == [*(f"chat.jsonl:{line}" for line in (1, 2, 4, 5)), "nowhere"]
    assert server.stats["received"] == 0


def test_data_without_the_domains_asked_for_is_wrong_input(cli: Cli) -> None:
    (cli.home / "chat.jsonl").write_text(json.dumps(TUPLE))
    done = cli("run", "baseline/length", "--data", "chat.jsonl", "--domain", "math")
    assert done.returncode == 2
    assert "the data has none of the domains asked for" in done.stderr


def test_a_key_with_a_line_break_is_refused_and_not_shown(cli: Cli, server: ModelServer) -> None:
    done = cli("run", server.judge, OPENAI_API_KEY=f"{KEY}\n")
    assert done.returncode == 2
    assert "OPENAI_API_KEY holds a line break" in done.stderr
    assert KEY not in done.stderr
    assert server.stats["received"] == 0


@pytest.mark.parametrize("text", [f'api_key = "{KEY}"', f'[provider.openai]\napi_key = "{KEY}"'])
def test_an_api_key_in_rmjudge_toml_is_refused_with_advice_and_not_shown(
    cli: Cli, server: ModelServer, text: str
) -> None:
    (cli.home / "rmjudge.toml").write_text(text)
    done = cli("run", server.judge)
    assert done.returncode == 2
    assert "API keys go into environment variables, never into files" in done.stderr
    assert KEY not in done.stderr
    assert server.stats["received"] == 0


def test_rmjudge_toml_gives_what_the_command_leaves_out(cli: Cli, server: ModelServer) -> None:
    (cli.home / "rmjudge.toml").write_text(
        f"""
        models = ["vllm/rm"]
        domains = ["chat"]
        limit = 1
        out = "from-the-file"
        cache_dir = "kept"

        [provider.vllm]
        base_url = "{server.root}"
        concurrency = 2
        params = {{ truncate = true }}
        """
    )
    server.control(latency_s=0.05)
    done = cli("run")

    assert done.returncode == 0, done.stderr
    run = cli.json("from-the-file/run.json")
    assert (run["scorer"], run["calls"]["sent"]) == ("vllm/rm", 6)
    assert run["identity"]["params"] == {"truncate": True}
    assert (cli.home / "kept" / "cache.db").is_file()
    assert server.stats["most_in_flight"] == 2


def test_the_command_line_wins_over_rmjudge_toml(cli: Cli) -> None:
    (cli.home / "rmjudge.toml").write_text(
        """
        models = ["vllm/rm"]
        limit = 1
        domains = ["chat"]
        params = { temperature = 1 }
        """
    )
    done = cli(
        *("run", "baseline/length", "--limit", "2", "--domain", "math", "--out", "o"),
        *("--param", "temperature=0"),
    )
    assert done.returncode == 0, done.stderr
    run = cli.json("o/run.json")
    assert run["options"] | {"order": "", "seed": ""} == {
        "data": ["sample"],
        "method": None,
        "order": "",
        "votes": 1,
        "template": None,
        "seed": "",
        "domains": ["math"],
        "limit": 2,
        "params": {"temperature": 0},
    }


def test_config_names_another_file(cli: Cli) -> None:
    (cli.home / "other.toml").write_text("limit = 1\n")
    cli("run", "baseline/length", "--config", "other.toml", "--out", "o")
    assert cli.json("o/metrics.json")["tuples"] == 4
