"""The sentence that a report opens with, in the terminal, as JSON and on the page."""

from __future__ import annotations

import json
from html import unescape
from typing import TYPE_CHECKING

from rmjudge.dataset import load

if TYPE_CHECKING:
    from command import Cli
    from served import ModelServer


def length_on_the_sample() -> tuple[str, str]:
    """Easy and Hard of the longer response, counted from the texts, in percent."""
    by_domain: dict[str, list[tuple[float, float]]] = {}
    for item in load(["sample"]):
        longer = [[len(c) > len(r) for r in item.rejected] for c in item.chosen]
        easy = (longer[1][0] + longer[2][0] + longer[2][1]) / 3
        hard = (longer[0][1] + longer[0][2] + longer[1][2]) / 3
        by_domain.setdefault(item.domain, []).append((easy, hard))
    means = [
        [sum(column) / len(tuples) for column in zip(*tuples, strict=True)]
        for tuples in by_domain.values()
    ]
    easy, hard = (sum(column) / len(means) for column in zip(*means, strict=True))
    return f"{100 * easy:.0f}", f"{100 * hard:.0f}"


def test_the_report_opens_with_the_sentence_beside_a_length_counter(
    cli: Cli, server: ModelServer
) -> None:
    done = cli("run", server.reward, "--out", "o")
    easy, hard = length_on_the_sample()
    for shown in (done.stdout, cli("report", "o").stdout):
        title, *lines = shown.splitlines()
        assert title == "Substance or style?"
        sentence = " ".join(lines[:3])
        assert f"; a length counter gets {easy} and {hard}." in sentence
    metrics = cli.json("o/metrics.json")
    assert f"Easy {100 * metrics['easy']:.0f}, Hard {100 * metrics['hard']:.0f}" in sentence

    (scorer,) = json.loads(cli("report", "o", "--format", "json").stdout)["scorers"]
    assert sentence.startswith(scorer["conclusion"]["text"][:60])
    assert cli("report", "o", "--html", "page.html").returncode == 0
    page = unescape((cli.home / "page.html").read_text("ascii"))
    assert page.index("<h1>") < page.index(scorer["conclusion"]["text"]) < page.index("<nav")


def test_of_several_scorers_the_models_have_a_sentence_and_the_tables_come_before_matrices(
    cli: Cli, server: ModelServer
) -> None:
    shown = cli("run", "baseline/length", server.reward, "--out", "o").stdout
    head = shown.partition("Accuracy, %")[0]
    assert "vllm/rm" in head
    assert "baseline/length" not in head
    assert shown.index("Accuracy, %") < shown.index("chosen ↓")


def test_a_run_of_an_older_version_takes_the_length_counter_beside_it(
    cli: Cli, server: ModelServer
) -> None:
    cli("run", server.reward, "--out", "o")
    about = cli.json("o/run.json")
    assert about.pop("length_counter")["hard"] is not None
    (cli.home / "o/run.json").write_text(json.dumps(about))
    assert "a length counter" not in cli("report", "o").stdout
    cli("run", "baseline/length", "--out", "b")
    easy, hard = length_on_the_sample()
    shown = " ".join(cli("report", "o", "b").stdout.split())
    assert f"a length counter gets {easy} and {hard}." in shown
