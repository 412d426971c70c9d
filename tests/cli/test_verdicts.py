"""`rmjudge run` with judges that answer in forms of their own, over a real socket."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess
from typing import TYPE_CHECKING, Any, Final

import pytest

from rmjudge.cli import main

if TYPE_CHECKING:
    from served import StubServer

ONE: Final = ("--limit", "1", "--domain", "code", "--out", "o")
PAIR: Final = "{{ prompt }}\n1: {{ response_a }}\n2: {{ response_b }}\n"
SINGLE: Final = "{{ prompt }}\n{{ response }}\n"


@dataclass(frozen=True, slots=True)
class Cli:
    """`rmjudge` in this process, in a home of its own: starting it takes longer than these runs."""

    home: Path
    capsys: pytest.CaptureFixture[str]

    def __call__(self, *words: str) -> CompletedProcess[str]:
        try:
            code = main(words)
        except SystemExit as left:  # argparse's own way out
            code = int(str(left.code))
        out, err = self.capsys.readouterr()
        return CompletedProcess(words, code, out, err)

    def json(self, path: str) -> Any:
        return json.loads((self.home / path).read_text("utf-8"))


@pytest.fixture
def cli(home: Path, capsys: pytest.CaptureFixture[str]) -> Cli:
    return Cli(home, capsys)


def said(text: str, reason: str = "stop") -> Any:
    return lambda _body: completion(text, reason)


def completion(text: str, reason: str = "stop") -> dict[str, Any]:
    message = {"role": "assistant", "content": text}
    return {"choices": [{"index": 0, "message": message, "finish_reason": reason}]}


def first_share(cli: Cli) -> float | None:
    share: float | None = cli.json("o/metrics.json")["position"]["first_share"]
    return share


NATIVE: Final[dict[str, tuple[str, tuple[str, ...], str]]] = {
    "JudgeLRM, JudgeLM": ("Give two scores.", ("--verdict", "scores"), "8 6\nThe first is right."),
    "DeepSeek-GRM": (
        "Put both scores into \\boxed{x, y}.",
        ("--verdict", "scores"),
        "So: \\boxed{8, 6}.",
    ),
    "Prometheus 2": (
        "End with [RESULT] A or [RESULT] B.",
        ("--verdict", "result-tag"),
        "Feedback: A is right. [RESULT] A",
    ),
    "Selene": (
        "**Result:** A or B",
        ("--verdict", "result-tag"),
        "**Reasoning:** ok\n\n**Result:** A",
    ),
    "Con-J": ('As JSON, {"better": 1}.', ("--verdict", "json"), '{"原因": "好", "更好的回答": 1}'),
    "Nemotron-GenRM": (
        "Boxed.",
        ("--verdict", "rank", "--scale", "1:6"),
        "\\boxed{4, 3}\n\n\\boxed{2}",
    ),
    "RewardAnything": (
        "As JSON.",
        ("--verdict", "json"),
        '```json\n{"thoughts": "-", "results": {"model-1": 4, "model-2": 2},\n'
        '"best-to-worst": ["model-1", "model-2"]}\n```',
    ),
    "RM-R1": ("<answer>[[A]]</answer>", (), "<think>[[B]]</think><answer>[[A]]</answer>"),
    "PandaLM": ("Say 1 or 2.", ("--verdict", "letter"), "1"),
    "LLMBar": ("Say which.", ("--verdict", "letter"), "Output (a)"),
    "an order": ("Rank them.", ("--verdict", "rank"), "Ranking: A > B"),
    "a pattern": ("Say who wins.", ("--verdict", r"wins: (?P<winner>\w+)"), "wins: A"),
    "a pattern of scores": (
        "Two scores.",
        ("--verdict", r"a=(?P<score_a>\d+) b=(?P<score_b>\d+)"),
        "a=9 b=7",
    ),
}


@pytest.mark.parametrize(("asks", "words", "reply"), NATIVE.values(), ids=list(NATIVE))
def test_a_generative_reward_models_own_form_is_read(
    cli: Cli,
    stub_server: type[StubServer],
    asks: str,
    words: tuple[str, ...],
    reply: str,
) -> None:
    (cli.home / "t.j2").write_text(PAIR + asks)
    with stub_server(said(reply)) as server:
        done = cli("run", f"openai/j@{server.url}", "--template", "t.j2", *words, *ONE)
    assert done.returncode == 0, done.stderr
    assert first_share(cli) == 1.0
    found = json.loads(cli("reparse", "o", "--json").stdout)["reparse"][0]
    assert (found["replies"], found["changed_calls"]) == (9, 0)


def test_a_rating_on_a_scale_is_kept_as_it_is(cli: Cli, stub_server: type[StubServer]) -> None:
    (cli.home / "t.j2").write_text(SINGLE + "End with [RESULT] and a number from 1 to 5.")
    with stub_server(said("Feedback: fine. [RESULT] 4")) as server:
        words = ("--method", "pointwise", "--template", "t.j2", "--verdict", "result-tag")
        done = cli("run", f"openai/j@{server.url}", *words, "--scale", "1:5", *ONE)
        off = cli("run", f"openai/j@{server.url}", *words, "--scale", "0:3", *ONE)
    assert done.returncode == 0, done.stderr
    assert off.returncode == 1
    assert "a rating of 4 is outside 0 to 3" in off.stdout + off.stderr


def test_a_template_has_chat_roles_and_inputs_of_its_own(
    cli: Cli, stub_server: type[StubServer]
) -> None:
    (cli.home / "t.j2").write_text(
        "{% block system %}{{ principle }}{% endblock %}{% block user %}{{ prompt }}{% endblock %}"
        "{% block response_1 %}{{ response_a }}{% endblock %}"
        "{% block response_2 %}{{ response_b }}{% endblock %}"
    )
    with stub_server(said("\\boxed{2, 3}")) as server:
        words = ("--template", "t.j2", "--verdict", "scores", "--input", "principle=Be concise.")
        done = cli("run", f"vllm-chat/j@{server.url}", *words, *ONE)
        _, body = server.asked[0]
    assert done.returncode == 0, done.stderr
    roles = [turn["role"] for turn in body["messages"]]
    assert roles == ["system", "user", "response_1", "response_2"]
    assert body["messages"][0]["content"] == "Be concise."
    assert cli.json("o/run.json")["identity"]["inputs"] == {"principle": "Be concise."}
    assert first_share(cli) == 0.0


def test_options_that_are_not_used_change_no_identity(
    cli: Cli, stub_server: type[StubServer]
) -> None:
    with stub_server(said("\\boxed{A>B}")) as server:
        cli("run", f"openai/j@{server.url}", *ONE)
    identity = cli.json("o/run.json")["identity"]
    assert not {"verdict", "scale", "inputs", "early_stop"} & set(identity)


WRONG: Final[dict[str, tuple[tuple[str, ...], str]]] = {
    "no regular expression": (("--verdict", "(?P<winner>["), "nor a regular expression"),
    "no group": (("--verdict", "verdict: (A|B)"), "needs the groups winner or the groups score_a"),
    "another form than is asked for": (
        ("--verdict", "brackets"),
        "the question asks for \\boxed{...}",
    ),
    "a scale without numbers": (("--scale", "1:5"), "--scale is for ratings"),
    "a scale that is none": (("--scale", "5:1"), "the lower first"),
    "an input without a template": (("--input", "principle=x"), "for a --template that names"),
    "an input without a name": (("--input", "principle"), "is not NAME=TEXT"),
    "probabilities": (
        ("--method", "pairwise-logprob", "--verdict", "letter"),
        "reads token probabilities",
    ),
    "a rule for pairs": (("--method", "pointwise", "--verdict", "rank"), "compares two responses"),
}


@pytest.mark.parametrize(("words", "told"), WRONG.values(), ids=list(WRONG))
def test_a_rule_that_cannot_be_right_is_refused_before_any_call(
    cli: Cli, stub_server: type[StubServer], words: tuple[str, ...], told: str
) -> None:
    with stub_server(said("\\boxed{A>B}")) as server:
        done = cli("run", f"openai/j@{server.url}", *words, *ONE)
        assert not server.asked
    assert done.returncode == 2
    assert told in " ".join(done.stderr.split())


def test_a_pattern_is_tried_on_the_form_that_the_template_asks_for(
    cli: Cli, stub_server: type[StubServer]
) -> None:
    (cli.home / "t.j2").write_text(PAIR + "End with [[A]] or [[B]].")
    with stub_server(said("x")) as server:
        words = ("--template", "t.j2", "--verdict", r"winner: (?P<winner>[AB])")
        done = cli("run", f"openai/j@{server.url}", *words, *ONE)
        assert not server.asked
    assert done.returncode == 2
    assert "matches none of the forms that the template asks for" in done.stderr


def test_a_judge_without_a_single_verdict_is_stopped(
    cli: Cli, stub_server: type[StubServer]
) -> None:
    with stub_server(said("Both \x1b[31mare fine.")) as server:
        judge = f"openai/j@{server.url}"
        done = cli("run", judge, "--out", "o")
        asked = len(server.asked)
        again = cli("run", judge, "--out", "o")
        assert len(server.asked) == asked
        on = cli("run", judge, "--out", "o", "--no-early-stop")
        assert len(server.asked) == 360
    assert (done.returncode, again.returncode, on.returncode) == (3, 3, 1)
    assert 20 <= asked <= 100
    told = " ".join(done.stderr.split())
    assert "none of its first 20 replies holds a verdict" in told
    assert "are fine." in told
    assert "--verdict" in told
    assert "\x1b[31m" not in told


@pytest.mark.parametrize(
    "reason", ["length", "max_tokens", "MAX_TOKENS", "model_length", "max_output_tokens"]
)
def test_a_cut_answer_is_never_read(cli: Cli, stub_server: type[StubServer], reason: str) -> None:
    with stub_server(said("\\boxed{A>B}", reason)) as server:
        done = cli("run", f"openai/j@{server.url}", *ONE)
    assert done.returncode == 1
    assert cli.json("o/run.json")["statuses"] == {"truncated": 9}


def test_an_unknown_finish_reason_is_told(cli: Cli, stub_server: type[StubServer]) -> None:
    with stub_server(said("\\boxed{A>B}", "tired")) as server:
        done = cli("run", f"openai/j@{server.url}", *ONE)
    assert done.returncode == 0
    assert any("'tired'" in note for note in cli.json("o/run.json")["notes"])


def test_the_last_verdict_is_read_after_the_forms_were_restated(
    cli: Cli, stub_server: type[StubServer]
) -> None:
    forms = "\n".join(f"\\boxed{{{form}}}" for form in ("A>>B", "A>B", "A=B", "B>A", "B>>A"))
    with stub_server(said(f"{forms}\n\nA is right:\n\\boxed{{\\textbf{{A>>B}}}}")) as server:
        done = cli("run", f"openai/j@{server.url}", *ONE)
    assert done.returncode == 0
    assert first_share(cli) == 1.0


def test_forms_that_were_only_explained_are_no_verdict(
    cli: Cli, stub_server: type[StubServer]
) -> None:
    forms = "\n".join(
        f"- {meaning}: \\boxed{{{form}}}"
        for form, meaning in {"A>B": "A is better", "A=B": "tie", "B>A": "B is better"}.items()
    )
    with stub_server(said(f"{forms}\n\nI go with Response A.")) as server:
        done = cli("run", f"openai/j@{server.url}", *ONE)
    assert done.returncode == 1
    assert first_share(cli) is None
    assert "ends a list of the forms" in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("rule", "reply"),
    [
        ("scores", "**Scores:** 8/10, 6/10"),
        ("rank", "Final ranking: [A, B]"),
        ("result-tag", "Feedback: A is right.\n[RESULT]: A"),
        ("scores", r"\boxed{\textbf{8}, \textcolor{red}{6}}"),
        ("rank", r"\boxed{\textcolor{red}{A} \succ \mathbf{B}}"),
        ("boxed", r"\boxed{\fbox{\textcolor{red}{A}}}"),
    ],
)
def test_a_rule_reads_what_has_a_label_before_it(
    cli: Cli, stub_server: type[StubServer], rule: str, reply: str
) -> None:
    (cli.home / "t.j2").write_text(PAIR, "utf-8")
    with stub_server(said(reply)) as server:
        words = ("--template", "t.j2", "--verdict", rule)
        done = cli("run", f"openai/j@{server.url}", *ONE, *words)
    assert done.returncode == 0
    assert first_share(cli) == 1.0
