"""Hostile text from a server, from its reply to everything a person or a program reads of it."""

from __future__ import annotations

import csv
import io
import json
import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from command import Cli
    from served import ModelServer

HOSTILE = "=cmd|' /C calc'!A0\x1b]0;pwned\x07\x1b[2J\x9b31m\u202egnp\u2066\u200b\ud800\x00\r\n| x |"
HOSTILE += " [/INST] [link](javascript:1) <img src=x onerror=1> `x` \\input{/etc/passwd} $x$ %"
OBEYED = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)
"""What a terminal obeys or a reader cannot see."""


@pytest.fixture(scope="module")
def bought(request: pytest.FixtureRequest, new_cli: Callable[[], Cli]) -> Cli:
    """A run, `o`, whose replies name a hostile model, say hostile things and refuse hostilely."""
    server: ModelServer = request.getfixturevalue("_model_server_process")
    server.reset()
    cli = new_cli()
    server.control(script=["ok", "ok", f"other-model:{HOSTILE}", "hostile"])
    words = ("run", server.judge, "--domain", "code", "--limit", "1", "--out", "o")
    assert cli(*words).returncode == 0
    assert (
        HOSTILE.encode("ascii", "backslashreplace")[:9]
        in (cli.home / "o" / "run.json").read_bytes()
    )
    return cli


@pytest.mark.parametrize("style", ["table", "json", "csv", "markdown", "latex"])
def test_no_format_of_a_report_holds_what_is_obeyed(bought: Cli, style: str) -> None:
    done = bought("report", "o", "--format", style)

    assert (done.returncode, done.stderr) == (0, "")
    assert not OBEYED.search(done.stdout)


def test_a_report_as_markdown_has_no_markup_of_the_model(bought: Cli) -> None:
    text = bought("report", "o", "--format", "markdown").stdout

    assert "answers come from 2 models" in text
    assert not re.search(r"<img|(?<!\\)\[link|(?<!\\)`x|(?<!\\)\$x", text)


def test_a_report_as_latex_has_no_command_of_the_model(bought: Cli) -> None:
    text = bought("report", "o", "--format", "latex").stdout

    assert "answers come from 2 models" in text
    assert r"\input" not in text


def test_a_report_as_csv_has_no_formula(bought: Cli) -> None:
    rows = list(csv.reader(io.StringIO(bought("report", "o", "--format", "csv").stdout)))

    assert len({len(row) for row in rows}) == 1
    assert not [cell for row in rows for cell in row if re.match(r"[=+@]|-\D", cell)]


@pytest.mark.parametrize("json_words", [(), ("--json",)], ids=["for people", "for programs"])
def test_a_hostile_refusal_is_told_as_plain_text(
    cli: Cli, server: ModelServer, json_words: tuple[str, ...]
) -> None:
    body = {"error": {"message": HOSTILE, "code": "invalid_api_key"}}
    server.control(always={"status": 401, "body": body})
    words = ("run", server.judge, "--domain", "code", "--limit", "1", *json_words)
    done = cli(*words)

    assert done.returncode == 3
    assert "HTTP 401: =cmd|' /C calc'!A0]0;pwned" in done.stderr
    assert not OBEYED.search(done.stdout + done.stderr)
    if json_words:
        assert json.loads(done.stdout)["exit_code"] == 3


def test_a_hostile_file_of_answers_is_told_as_plain_text(bought: Cli, cli: Cli) -> None:
    bought("cache", "export", cli.home / "a.jsonl")
    with (cli.home / "a.jsonl").open("a", encoding="utf-8") as file:
        file.write(HOSTILE.encode("utf-8", "replace").decode() + "\n")
    told = [cli("cache", "import", "a.jsonl"), cli("cache", "info"), cli("cache", "verify")]

    assert [done.returncode for done in told] == [1, 0, 0]
    assert not OBEYED.search("".join(done.stdout + done.stderr for done in told))
