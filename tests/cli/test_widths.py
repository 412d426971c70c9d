"""What the commands print at the width of a terminal: tables, and every figure of them."""

from __future__ import annotations

import csv
import json
import re
from typing import TYPE_CHECKING

import pytest

from rmjudge.text import cell_width

if TYPE_CHECKING:
    from collections.abc import Callable

    from command import Cli
    from served import ModelServer

LONG = "vllm/Skywork-Reward-V2-Llama-3.1-8B-40M"
JUDGE = "openai/gpt-4.1-mini-2025-04-14"


@pytest.fixture(scope="module")
def runs(request: pytest.FixtureRequest, new_cli: Callable[[], Cli]) -> Cli:
    """A home with a judge and a reward model of long names, and what policies got."""
    server: ModelServer = request.getfixturevalue("_model_server_process")
    server.reset()
    cli = new_cli()
    models = (f"{JUDGE}@{server.root}/v1", f"{LONG}@{server.root}", "baseline/length")
    assert cli("run", *models, "--limit", "3", "--out", "o").returncode == 0
    with (cli.home / "policies.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("scorer", "domain", "task", "score"))
        for score, name in enumerate((JUDGE, LONG, "baseline/length")):
            writer.writerow((name, "chat", "best of 16 in the arena", score))
    return cli


FIGURE = re.compile(r"[-+<]?\d|[-\N{EN DASH}]$")
COMMANDS = {
    "compare": ("compare", "o", "--baselines"),
    "style": ("style", "o"),
    "correlate": ("correlate", "o", "--with", "policies.csv"),
    "readings": ("readings", "o/vllm-Skywork-Reward-V2-Llama-3.1-8B-40M"),
    "leaderboard": ("leaderboard", "o"),
}


def rows(cli: Cli, *words: str) -> list[list[str]]:
    """The cells of every table, as the documents have them."""
    text = cli(*words, "--format", "markdown").stdout
    found = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    return [[re.sub(r"[\\*]", "", cell).strip() for cell in row] for row in found]


def row_end(row: list[str]) -> list[str]:
    """The figures at the end of a row, up to the last word before them."""
    words = [place for place, cell in enumerate(row) if not FIGURE.match(cell)]
    return row[max(words, default=-1) + 1 :]


def stands_in(lines: list[str], figures: str) -> bool:
    """Whether figures end one line, or two: of a table and of what continues it."""
    words = figures.split()
    parts = ((" ".join(words[:place]), " ".join(words[place:])) for place in range(len(words)))
    return any(
        all(any(line.endswith(part) for line in lines) for part in pair if part) for pair in parts
    )


@pytest.mark.parametrize("name", COMMANDS)
def test_at_80_columns_the_figures_of_a_row_stand_on_one_line(runs: Cli, name: str) -> None:
    text = runs(*COMMANDS[name], COLUMNS="80").stdout
    lines = [" ".join(line.replace("*", "").split()) for line in text.splitlines()]
    assert max(map(cell_width, text.splitlines())) <= 80
    ends = [row_end(row) for row in rows(runs, *COMMANDS[name])]
    told = [" ".join(end) for end in ends if len(end) > 2]
    assert len(told) > 1
    assert [end for end in told if not stands_in(lines, end)] == []


@pytest.mark.parametrize("columns", ["60", "72", "80", "100"])
@pytest.mark.parametrize("name", COMMANDS)
def test_no_figure_is_lost_and_no_line_too_wide(runs: Cli, name: str, columns: str) -> None:
    text = runs(*COMMANDS[name], COLUMNS=columns).stdout
    assert max(map(cell_width, text.splitlines())) <= int(columns)
    words = text.replace("*", "").split()
    for row in rows(runs, *COMMANDS[name]):
        for cell in row[1:]:
            if re.match(r"[-+<]?\d", cell):
                assert cell.split()[0] in words, cell


def test_at_60_columns_a_comparison_keeps_the_corrected_p_and_puts_the_other_aside(
    runs: Cli,
) -> None:
    text = runs(*COMMANDS["compare"], COLUMNS="60").stdout
    heads = [line.split() for line in text.splitlines() if re.search(r"^ +(A +B|p) ", line)]
    assert heads[0] == ["A", "B", "A", "-", "B", "95", "%", "p", "Holm"]
    assert heads[1] == ["p", "kappa", "could", "show"]
    assert "A and B: p of a single test, kappa, what could show" in text


def test_the_key_of_a_provider_and_its_address_are_whole_at_80_columns(runs: Cli) -> None:
    text = runs("providers", COLUMNS="80").stdout
    assert max(map(cell_width, text.splitlines())) <= 80
    for item in json.loads(runs("providers", "--json").stdout)["providers"]:
        starts = [line for line in text.splitlines() if line.split()[:1] == [item["name"]]]
        assert len(starts) == 2
        assert not item["address"] or starts[1].split()[1] == item["address"]
        assert all(f" {key}" in text for key in item["key_variables"])
