"""`rmjudge run` with the ways to ask a judge: methods, votes, templates, dialects, leads."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

import rmjudge
from rmjudge.cli import main
from rmjudge.options import RunOptions
from rmjudge.preparation import prepare
from rmjudge.scorers import choose
from rmjudge.vocabulary import JUDGING_METHODS

if TYPE_CHECKING:
    from conftest import Cli, ModelServer

Command = Callable[..., tuple[int, str]]
CREDITS: Final[dict[str, set[float]]] = {
    "pairwise": {0.0, 0.5, 1.0},
    "pairwise-two-level": {0.0, 1.0},
    # The server gives one letter 3/4 and the other 1/4, whichever is shown first.
    "pairwise-logprob": {0.25, 0.75},
    "pointwise": {0.0, 0.5, 1.0},
    "pointwise-logprob": {0.0, 0.5, 1.0},
}


@pytest.fixture
def tuples(home: Path) -> Callable[..., Path]:
    """A data file of a few tuples with distinct texts."""

    def write(count: int = 1, prompt: str = "What is right?") -> Path:
        items: list[dict[str, Any]] = [
            {
                "id": number,
                "domain": "chat",
                "prompt": f"{number} {prompt}",
                "chosen": [f"{number} chosen {style}" for style in range(3)],
                "rejected": [f"{number} rejected {style}" for style in range(3)],
            }
            for number in range(count)
        ]
        path = home / "data.json"
        path.write_text(json.dumps(items), "utf-8")
        return path

    return write


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], tuples: Callable[..., Path]) -> Command:
    """`rmjudge run` over one tuple: exit code and standard error; results go to `o`."""
    data = str(tuples())

    def command(*words: object) -> tuple[int, str]:
        given = list(map(str, words))
        own = [] if "--data" in given else ["--data", data]
        try:
            code = main(["run", *given, *own, "--out", "o", "--quiet"])
        except SystemExit as left:  # argparse's own way out
            code = int(str(left.code))
        return code, capsys.readouterr().err

    return command


def written(name: str) -> Any:
    text = Path("o", name).read_text("utf-8")
    return json.loads(text) if name.endswith(".json") else json.loads(text.splitlines()[0])


def cells() -> list[float]:
    matrix = written("metrics.json")["domains"]["chat"]["matrix"]
    return [cell for row in matrix for cell in row]


# Methods


@pytest.mark.parametrize("method", JUDGING_METHODS)
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


# Votes


def test_three_votes_are_three_calls_and_five_buy_two_more(
    run: Command, server: ModelServer
) -> None:
    code, err = run(server.judge, "--votes", 3)
    assert code == 0, err
    assert server.stats["received"] == 27
    assert (server.stats["distinct"], server.stats["most_delivered_of_one"]) == (9, 3)
    assert written("run.json")["calls"]["planned"] == 27

    server.reset()
    code, err = run(server.judge, "--votes", 5)
    assert code == 0, err
    assert (server.stats["received"], server.stats["most_delivered_of_one"]) == (18, 2)
    calls = written("run.json")["calls"]
    assert (calls["planned"], calls["from_cache"], calls["sent"]) == (45, 27, 18)

    server.reset()
    assert run(server.judge, "--votes", 3)[0] == 0
    assert server.stats["received"] == 0


def test_votes_are_asked_for_with_chance_and_a_single_answer_without(
    run: Command, server: ModelServer
) -> None:
    run(server.judge)
    run(server.judge, "--votes", 2)
    assert server.stats["received"] == 9 + 18
    assert [body["temperature"] for body in server.stats["bodies"]][-18:] == [1] * 18


def test_where_a_judge_takes_no_temperature_its_single_answer_is_the_first_vote(
    run: Command, server: ModelServer
) -> None:
    judge = f"anthropic/m@{server.root}"
    run(judge)
    assert run(judge, "--votes", 3)[0] == 0
    assert server.stats["received"] == 27
    assert server.stats["distinct"] == 9


def test_a_cell_that_lost_some_votes_is_scored_by_the_others(
    run: Command, server: ModelServer
) -> None:
    run(server.judge)
    alone = cells()
    assert {0.0, 1.0} <= set(alone)
    # Nine of ninety votes are lost: whichever they are, each cell has one left.
    server.control(script=["no-verdict"] * 9)
    code, err = run(server.judge, "--votes", 10)
    assert code == 0, err
    assert written("run.json")["calls"]["unscored"] == 9
    assert cells() == alone


def test_the_cache_explains_a_run_of_several_votes(
    run: Command, server: ModelServer, capsys: pytest.CaptureFixture[str]
) -> None:
    run(server.judge, "--votes", 3)
    run(server.judge, "--votes", 3)
    capsys.readouterr()
    assert main(["cache", "explain", "o", "--json"]) == 0
    (explained,) = json.loads(capsys.readouterr().out)["explain"]
    assert (explained["calls"], explained["found"]) == (27, 27)


def test_a_dry_run_counts_the_votes_that_are_still_to_be_bought(
    run: Command, server: ModelServer, capsys: pytest.CaptureFixture[str]
) -> None:
    run(server.judge, "--votes", 3)
    capsys.readouterr()
    assert (
        main(["run", server.judge, "--data", "data.json", "--votes", "5", "--dry-run", "--json"])
        == 0
    )
    (estimate,) = json.loads(capsys.readouterr().out)["dry_run"]
    assert (estimate["planned"], estimate["from_cache"], estimate["to_buy"]) == (45, 27, 18)


def test_a_dry_run_counts_a_call_that_waits_for_a_known_one_once(
    run: Command, server: ModelServer, capsys: pytest.CaptureFixture[str]
) -> None:
    run(server.judge)
    capsys.readouterr()
    words = ["--data", "data.json", "--order", "adaptive", "--dry-run", "--json"]
    assert main(["run", server.judge, *words]) == 0
    (estimate,) = json.loads(capsys.readouterr().out)["dry_run"]
    assert (estimate["planned"], estimate["from_cache"], estimate["to_buy"]) == (18, 9, 9)


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
    run: Command, server: ModelServer, tuples: Callable[..., Path]
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


# Leads


@pytest.mark.parametrize(("order", "calls"), [("seeded", 9), ("both", 18)])
def test_a_long_prompt_is_sent_once_before_its_siblings(
    run: Command, server: ModelServer, tuples: Callable[..., Path], order: str, calls: int
) -> None:
    server.control(latency_s=0.02)
    data = tuples(1, prompt="Explain this at length. " * 200)
    code, err = run(server.judge, "--order", order, "--data", data)
    assert code == 0, err
    before = server.stats["delivered_before"]
    assert before[0] == 0
    assert min(before[1:]) == 1
    assert len(before) == calls
    assert server.stats["most_in_flight"] > 1


def test_a_lead_that_is_refused_keeps_its_siblings_going(
    run: Command, server: ModelServer, tuples: Callable[..., Path]
) -> None:
    server.control(script=["context"])
    data = tuples(1, prompt="Explain this at length. " * 200)
    code, _ = run(server.judge, "--data", data)
    assert code == 1
    assert server.stats["received"] == 9
    assert written("metrics.json")["unscored_cells"] == 1


@pytest.mark.parametrize(("shorter", "lead"), [(0, True), (1, False)])
def test_a_prompt_has_a_lead_from_the_length_on_that_its_scorer_says(
    server: ModelServer, tuples: Callable[..., Path], shorter: int, lead: bool
) -> None:
    (chosen,) = choose([server.judge], RunOptions())
    least = chosen.scorer.lead_characters
    assert least is not None
    data = tuples(1, prompt="x" * (least - len("0 ") - shorter))
    prepared = prepare([server.judge], RunOptions(data=(str(data),)))
    assert [plan.lead for plan in prepared.jobs[0].plans] == [lead]


def test_a_scorer_that_says_no_length_has_no_leads(
    server: ModelServer, tuples: Callable[..., Path]
) -> None:
    data = tuples(1, prompt="Explain this at length. " * 2000)
    prepared = prepare([server.reward], RunOptions(data=(str(data),)))
    assert [plan.lead for plan in prepared.jobs[0].plans] == [False]


def test_votes_and_methods_in_a_process_of_its_own(
    cli: Cli, server: ModelServer, tuples: Callable[..., Path]
) -> None:
    here = str(Path(rmjudge.__file__).parents[1])
    words = ("run", server.judge, "--data", tuples(), "--out", "o", "--quiet")
    done = cli(*words, "--method", "pointwise", "--votes", 2, PYTHONPATH=here)
    assert done.returncode == 0, done.stderr
    assert server.stats["received"] == 12
    assert cli("run", server.reward, "--votes", 2, PYTHONPATH=here).returncode == 2
