"""`rmjudge run` with the ways to ask a judge: methods, templates, dialects."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from quiet_runs import Command, cells, quietly, tuples, written

import rmjudge
from rmjudge.vocabulary import JUDGING_METHODS

if TYPE_CHECKING:
    from command import Cli
    from served import ModelServer

CREDITS: Final[dict[str, set[float]]] = {
    "pairwise": {0.0, 0.5, 1.0},
    "pairwise-two-level": {0.0, 1.0},
    # The server gives one letter 3/4 and the other 1/4, whichever is shown first.
    "pairwise-logprob": {0.25, 0.75},
    "pointwise": {0.0, 0.5, 1.0},
    "pointwise-logprob": {0.0, 0.5, 1.0},
}


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Command:
    return quietly(capsys)


# Methods


@pytest.mark.parametrize("method", [name for name in JUDGING_METHODS if name != "choice"])
def test_every_method_scores_every_cell(run: Command, server: ModelServer, method: str) -> None:
    code, err = run(server.judge, "--method", method)
    pointwise = method.startswith("pointwise")
    assert code == 0, err
    assert server.stats["received"] == (6 if pointwise else 9)
    metrics = written("metrics.json")
    assert metrics["method"] == ("pointwise" if pointwise else "pairwise")
    assert metrics["unscored_cells"] == 0
    line = written("results.jsonl")
    if pointwise:
        rewards = [*line["score_chosen"], *line["score_rejected"]]
        assert all(1 <= reward <= 10 for reward in rewards)
        assert len(set(rewards)) > 1
    else:
        found = {round(cell, 9) for row in line["matrix"] for cell in row}
        assert len(found) > 1
        assert found <= CREDITS[method]


def test_the_default_method_is_the_pairwise_one(run: Command, server: ModelServer) -> None:
    run(server.judge)
    run(server.judge, "--method", "pairwise")
    assert server.stats["received"] == 9


def test_every_method_s_answers_are_its_own(run: Command, server: ModelServer) -> None:
    for method in JUDGING_METHODS:
        run(server.judge, "--method", method)
    assert server.stats["received"] == 9 + 9 + 9 + 6 + 6
    assert server.stats["most_delivered_of_one"] == 1
    for method in JUDGING_METHODS:
        run(server.judge, "--method", method)
    assert server.stats["received"] == 39


def test_a_method_is_for_the_judges_of_a_run(run: Command, server: ModelServer) -> None:
    code, err = run(server.judge, server.reward, "--method", "pointwise")
    assert code == 0, err
    assert server.stats["received"] == 6 + 6


# Templates

QUESTION: Final = "{{ prompt }}\n{{ response_a }}\n{{ response_b }}\nWho wins?"


@pytest.fixture
def question(tmp_path: Path) -> Path:
    path = tmp_path / "question.j2"
    path.write_text(QUESTION, "utf-8")
    return path


def test_a_template_is_what_is_asked_and_its_text_is_in_the_key(
    run: Command, server: ModelServer, question: Path
) -> None:
    assert run(server.judge, "--template", question)[0] == 0
    (message,) = server.stats["bodies"][0]["messages"]
    assert message["role"] == "user"
    assert message["content"].endswith("Who wins?")
    run(server.judge, "--template", question)
    assert server.stats["received"] == 9
    question.write_text(QUESTION + " Please.", "utf-8")
    run(server.judge, "--template", question)
    assert server.stats["received"] == 18


def test_the_same_template_in_another_file_buys_nothing(
    run: Command, server: ModelServer, question: Path, tmp_path: Path
) -> None:
    run(server.judge, "--template", question)
    copy = tmp_path / "copy.j2"
    copy.write_text(QUESTION, "utf-8")
    run(server.judge, "--template", copy)
    assert server.stats["received"] == 9


def test_method_votes_and_template_may_stand_in_rmjudge_toml(
    run: Command, server: ModelServer, tmp_path: Path
) -> None:
    template = tmp_path / "rate.j2"
    template.write_text("{{ prompt }} {{ response }} rating on a line", "utf-8")
    Path("rmjudge.toml").write_text(
        f'method = "pointwise"\nvotes = 2\n[provider.openai]\ntemplate = "{template}"\n'
    )
    run(server.judge)
    stats = server.stats
    assert (stats["received"], stats["distinct"]) == (12, 6)
    assert stats["bodies"][0]["messages"][0]["content"].endswith("rating on a line")


# What is refused, before any call

CHAT_TEMPLATE: Final = "{% for turn in messages %}{{ turn.content }}{% endfor %}"
REFUSED: Final[dict[str, tuple[list[str], str]]] = {
    "a method without a judge": (
        ["baseline/length", "--method", "pointwise"],
        "--method is for judges, and this run has none",
    ),
    "a method for a reward endpoint": (
        ["{reward}", "--method", "pointwise"],
        "--method is for judges, and this run has none",
    ),
    "votes without a judge": (
        ["{reward}", "--votes", "2"],
        "--votes is for judges, and this run has none",
    ),
    "a template that could be either kind's": (
        ["{judge}", "sglang/rm@{root}", "--template", "question.j2"],
        "--template could mean openai/judge's question or sglang/rm's chat template",
    ),
    "a template that is nobody's": (
        ["{reward}", "--template", "question.j2"],
        "--template is for judges, for servers that want rendered text and for local models",
    ),
    "a template without a field": (
        ["{judge}", "--template", "missing.j2"],
        "leaves out {{ response_b }}",
    ),
    "a template that reaches for Python": (
        ["{judge}", "--template", "escape.j2"],
        "access to attribute '__class__' of 'str' object is unsafe",
    ),
    "a template with a fault": (["{judge}", "--template", "broken.j2"], "cannot be used"),
    "a template that is not there": (["{judge}", "--template", "gone.j2"], "cannot be used"),
    "a question for a chat template's place": (
        ["sglang/rm@{root}", "--template", "question.j2"],
        "'prompt' is undefined",
    ),
    "a method that the provider cannot be asked by": (
        ["groq/m@{root}/v1", "--method", "pairwise-logprob"],
        "groq/m: pairwise-logprob needs token probabilities",
    ),
    "a method that does not exist": (["{judge}", "--method", "best"], "invalid choice: 'best'"),
    "no vote": (["{judge}", "--votes", "0"], "must be at least 1"),
}


@pytest.mark.parametrize(("words", "why"), REFUSED.values(), ids=list(REFUSED))
def test_what_cannot_be_is_exit_2_before_any_call(
    run: Command, server: ModelServer, words: list[str], why: str
) -> None:
    for name, source in {
        "question": QUESTION,
        "missing": "{{ prompt }} {{ response_a }}",
        "escape": QUESTION + "{{ prompt.__class__ }}",
        "broken": QUESTION + "{% if %}",
    }.items():
        Path(f"{name}.j2").write_text(source, "utf-8")
    facts = {"root": server.root, "judge": server.judge, "reward": server.reward}
    code, err = run(*(word.format(**facts) for word in words))
    assert code == 2
    assert why in err
    assert "Traceback" not in err
    assert server.stats["received"] == 0


# Dialects


def test_the_same_judge_behind_every_dialect_gives_the_same_matrix(
    run: Command, server: ModelServer
) -> None:
    data = tuples(4)
    matrices = []
    for judge in (
        f"openai/m@{server.root}/v1",
        f"openai-responses/m@{server.root}/v1",
        f"anthropic/m@{server.root}",
        f"gemini/m@{server.root}",
    ):
        code, err = run(judge, "--order", "both", "--data", data)
        assert code == 0, err
        matrices.append(cells())
    assert len(set(matrices[0])) > 2
    assert matrices == [matrices[0]] * 4


@pytest.mark.parametrize("provider", ["openai-decisions", "systemone"])
def test_a_decision_is_soft_credit(run: Command, server: ModelServer, provider: str) -> None:
    code, err = run(f"{provider}/m@{server.root}/v1", "--order", "both")
    assert code == 0, err
    assert server.stats["received"] == 18
    assert len(set(cells()) - {0.0, 0.5, 1.0}) > 5


def test_votes_and_methods_in_a_process_of_its_own(cli: Cli, server: ModelServer) -> None:
    here = str(Path(rmjudge.__file__).parents[1])
    words = ("run", server.judge, "--data", tuples(), "--out", "o", "--quiet")
    done = cli(*words, "--method", "pointwise", "--votes", 2, PYTHONPATH=here)
    assert done.returncode == 0, done.stderr
    assert server.stats["received"] == 12
    assert cli("run", server.reward, "--votes", 2, PYTHONPATH=here).returncode == 2
