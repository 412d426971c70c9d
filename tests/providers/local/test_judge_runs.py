"""Whole runs of judges that run here, from Python and from the command line."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from command import Cli
from local_models import CHATML, Kind, write_data
from told_models import BRACKETS, make_told, writes

import rmjudge

A_WINS = writes(r"\boxed{A>B}")


def test_a_run_s_verdicts_are_what_the_model_wrote(tmp_path: Path) -> None:
    folder = make_told(tmp_path / "judge", A_WINS)
    name = f"hf-judge/{folder}"
    data = write_data(tmp_path / "d.jsonl")
    run = rmjudge.evaluate(name, data, order="both", domains=["chat"], device="cpu")
    result = run[name]
    assert result.calls.sent == 18
    assert result.metrics.unscored_cells == 0
    # The first always wins, so each cell wins in one order and loses in the other.
    assert result.metrics.half_credit.average == 0.5
    assert result.metrics.position is not None
    assert result.metrics.position.first_share == 1.0


def test_the_same_run_again_asks_nothing_and_finds_the_same(tmp_path: Path) -> None:
    name = f"hf-judge/{make_told(tmp_path / 'judge', A_WINS)}"
    data = write_data(tmp_path / "d.jsonl")
    first, again = (
        rmjudge.evaluate(name, data, domains=["chat"], device="cpu", out=tmp_path / out)
        for out in ("o", "p")
    )
    assert first[name].calls.sent == 9
    assert (again[name].calls.from_cache, again[name].calls.sent) == (9, 0)
    for file in ("metrics.json", "results.jsonl"):
        assert (tmp_path / "o" / file).read_bytes() == (tmp_path / "p" / file).read_bytes()


def test_kept_replies_are_read_again_without_the_model(cli: Cli) -> None:
    name = f"hf-judge/{make_told(cli.home / 'judge', A_WINS)}"
    data = write_data(cli.home / "d.jsonl")
    rmjudge.evaluate(name, data, domains=["chat"], device="cpu", out=cli.home / "o")
    shutil.rmtree(cli.home / "judge")
    done = cli("reparse", "o", "--json")
    (found,) = json.loads(done.stdout)["reparse"]
    assert done.returncode == 0
    assert (found["replies"], found["changed_calls"]) == (9, 0)


def test_votes_are_samples_that_a_second_run_repeats(tmp_path: Path) -> None:
    follows = {**BRACKETS, "[[": {"A": 0.5, "B": 0.5}}
    folder = make_told(
        tmp_path / "judge",
        follows,
        Kind(task="CausalLM", template=CHATML, more_tokens=("[[", "]]")),
    )
    data = write_data(tmp_path / "d.jsonl")
    made = []
    for out in ("o", "p"):
        rmjudge.evaluate(
            f"hf-judge/{folder}",
            data,
            out=out,
            cache_dir=f"cache-{out}",
            domains=["chat"],
            votes=3,
            device="cpu",
            method="pairwise-two-level",
        )
        made.append(Path(out, "results.jsonl").read_text())
    assert made[0] == made[1]
    credits = {
        credit
        for line in made[0].splitlines()
        for row in json.loads(line)["matrix"]
        for credit in row
    }
    assert len(credits) > 2


def test_a_template_of_the_user_s_own_frames_the_question(tmp_path: Path) -> None:
    folder = make_told(tmp_path / "judge", writes("B"))
    mine = tmp_path / "mine.jinja"
    mine.write_text("{{ prompt }}\n{{ response_a }}\n{{ response_b }}")
    name = f"hf-judge/{folder}"
    data = write_data(tmp_path / "d.jsonl")
    run = rmjudge.evaluate(
        *(name, data),
        template=mine,
        method="pairwise-logprob",
        domains=["chat"],
        device="cpu",
    )
    assert run[name].metrics.unscored_cells == 0
    # No rubric: three texts and a chat of some 50 characters, one token each.
    assert run[name].tokens.input < 9 * 200


def test_a_parameter_reaches_the_judge_from_the_command_line(cli: Cli) -> None:
    make_told(cli.home / "judge", A_WINS)
    write_data(cli.home / "d.jsonl")
    ran = cli(
        *("run", "hf-judge/judge", "--data", "d.jsonl", "--domain", "chat", "--out", "o"),
        *("--device", "cpu", "--param", "max_new_tokens=5"),
    )
    assert ran.returncode == 1
    assert "9 calls truncated" in ran.stderr
