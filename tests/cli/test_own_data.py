"""A data set of one's own: the template, ids by line, domains of one's own everywhere."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from rmjudge.dataset.template import TUPLE

if TYPE_CHECKING:
    from command import Cli


@pytest.mark.parametrize("name", ["mine.json", "mine.jsonl"])
def test_the_template_is_one_sound_tuple(cli: Cli, name: str) -> None:
    assert cli("data", "new", name).returncode == 0
    assert cli("data", "check", name).stdout.startswith("1 tuple, all valid\n")


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("there.json", "there.json is there already; name another file"),
        ("mine.txt", "mine.txt: the file's name must end in .json or .jsonl"),
        ("no/folder.json", "no/folder.json cannot be written: No such file or directory"),
    ],
)
def test_the_template_goes_over_no_file(cli: Cli, name: str, why: str) -> None:
    (cli.home / "there.json").write_text("mine")
    done = cli("data", "new", name)
    assert (done.returncode, done.stderr) == (2, f"rmjudge: {why}\n")
    assert (cli.home / "there.json").read_text() == "mine"


def write(cli: Cli, *domains: str) -> None:
    lines = (json.dumps({**TUPLE, "domain": domain}) for domain in domains)
    (cli.home / "mine.jsonl").write_text("\n".join(lines))


def test_own_domains_have_rows_of_their_own_everywhere(cli: Cli) -> None:
    write(cli, "legal", "chat", "finance", "chat")
    models = ("baseline/length", "baseline/markdown")
    done = cli("run", *models, "--data", "mine.jsonl", "--out", "o")
    assert done.returncode == 0, done.stderr
    assert "* average over chat, finance, legal; math, code, safety missing" in done.stdout

    metrics = json.loads((cli.home / "o" / "baseline-length" / "metrics.json").read_text())
    assert list(metrics["domains"]) == ["chat", "finance", "legal"]
    assert (metrics["missing_domains"], metrics["complete"]) == (["math", "code", "safety"], False)
    lines = (cli.home / "o" / "baseline-length" / "results.jsonl").read_text().splitlines()
    assert [json.loads(line)["id"] for line in lines] == [1, 2, 3, 4]

    assert "finance average" in cli("compare", "o").stdout
    assert "legal" in cli("style", "o").stdout
    assert "finance/3" in cli("show", "3", "o").stdout
    rows = cli("report", "o", "--format", "csv").stdout
    assert "baseline/length,chat+finance+legal,average," in rows
    assert cli("report", "o", "--html", "page.html").returncode == 0
    page = (cli.home / "page.html").read_text()
    assert "<option>finance</option>" in page
    assert '<th scope="col">Legal</th>' in page


def test_only_ones_own_domains_are_told_as_such(cli: Cli) -> None:
    write(cli, "finance", "legal")
    done = cli("run", "baseline/length", "--data", "mine.jsonl", "--domain", "legal", "--out", "o")
    assert "* average over legal; none of them is RM-Bench's" in done.stdout
    assert "Chat" not in done.stdout


def test_a_domain_that_the_data_has_not_is_refused(cli: Cli) -> None:
    write(cli, "finance")
    done = cli("run", "baseline/length", "--data", "mine.jsonl", "--domain", "finanse")
    assert done.returncode == 2
    assert "the data has no domain finanse; did you mean finance?" in done.stderr


def test_a_domain_written_almost_like_a_known_one_is_asked_about(cli: Cli) -> None:
    write(cli, "saftey")
    done = cli("run", "baseline/length", "--data", "mine.jsonl", "--dry-run")
    assert "if you mean safety, write safety" in done.stdout + done.stderr


def test_both_layouts_of_ids_find_each_other(cli: Cli) -> None:
    bare = [{**TUPLE, "domain": "chat", "id": number} for number in (7, 8)]
    named = [{**item, "id": f"chat/{item['id']}"} for item in bare]
    (cli.home / "bare.json").write_text(json.dumps(bare))
    (cli.home / "total.json").write_text(json.dumps(named))
    cli("run", "baseline/length", "--data", "bare.json", "--out", "one")
    cli("run", "baseline/markdown", "--data", "total.json", "--out", "two")
    assert "Compared on the 2 tuples" in cli("compare", "one", "two").stdout
    for name in ("chat/8", "8"):
        shown = cli("show", name, "one", "two")
        assert shown.stdout.count("Prompt") == 1, shown.stderr
    assert cli("style", "one", "two", "--data", "total.json").returncode == 0
    assert "chat/7 is tuple 7 of chat" in cli("data", "check", "total.json").stdout


def test_a_kept_run_with_ids_of_the_total_file_is_found_by_the_new_ones(cli: Cli) -> None:
    bare = [{**TUPLE, "domain": "chat", "id": number} for number in (7, 8)]
    (cli.home / "bare.json").write_text(json.dumps(bare))
    cli("run", "baseline/length", "--data", "bare.json", "--out", "old")
    results = cli.home / "old" / "results.jsonl"
    results.write_text(re.sub(r'"id":(\d)', r'"id":"chat/\1"', results.read_text()))
    assert "chat/8\n" in cli("show", "chat/8", "old").stdout
