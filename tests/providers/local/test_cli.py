"""Local models on the command line: options, where they may stand, and what is refused."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from local_models import CHATML, Kind, make, plain_rewards, write_data

from rmjudge import UsageError
from rmjudge.options import ProviderOptions, RunOptions
from rmjudge.providers.local.classifier import Classifier
from rmjudge.providers.local.dpo import ImplicitReward
from rmjudge.running.choosing import choose

if TYPE_CHECKING:
    from command import Cli

JUDGE = "openai/judge@http://127.0.0.1:8000/v1"


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folders `rm`, `labels` (two labels), `policy` and `reference`."""
    folder = tmp_path_factory.mktemp("models")
    make(folder / "rm", Kind())
    make(folder / "labels", Kind(labels=("bad", "good")))
    make(folder / "policy", Kind(task="CausalLM"))
    make(folder / "reference", Kind(task="CausalLM", seed=8))
    return folder


def chosen(*named: str, **options: Any) -> list[Any]:
    return [item.scorer for item in choose(named, RunOptions(**options))]


def refused(*named: str, **options: Any) -> str:
    with pytest.raises(UsageError) as caught:
        chosen(*named, **options)
    return str(caught.value)


def test_a_run_of_a_local_model_is_its_rewards_and_resumes_from_the_cache(
    models: Path, cli: Cli
) -> None:
    write_data(cli.home / "data.jsonl")
    words = ("run", f"hf/{models}/rm", "--data", "data.jsonl", "--quiet")
    done = cli(*words, "--out", "first", OMP_NUM_THREADS="1")
    assert done.returncode == 0, done.stderr
    assert "texts were computed packed" in done.stdout
    (kernel,) = cli.json("first/run.json")["models"]
    assert kernel.startswith("packed/1 with ")
    lines = (cli.home / "first" / "results.jsonl").read_text().splitlines()
    rewards = [
        reward
        for line in map(_json, lines)
        for reward in (*line["score_chosen"], *line["score_rejected"])
    ]
    assert rewards == pytest.approx(plain_rewards(models / "rm"), rel=0, abs=1e-4)
    assert cli.json("first/run.json")["calls"]["sent"] == 18

    again = cli(*words, "--out", "second")
    assert again.returncode == 0
    assert cli.json("second/run.json")["calls"]["from_cache"] == 18
    assert cli.results("first") == cli.results("second")


def test_a_local_model_is_the_fallback_of_a_remote_that_cannot_be_asked(
    models: Path, cli: Cli
) -> None:
    write_data(cli.home / "data.jsonl")
    words = ("run", "anthropic/claude-x", "--data", "data.jsonl", "--quiet", "--out", "o")
    done = cli(*words, "--fallback", f"hf/{models}/rm", OMP_NUM_THREADS="1")
    assert done.returncode == 1, done.stderr
    alone = cli("run", f"hf/{models}/rm", "--data", "data.jsonl", "--quiet", "--out", "a")
    assert alone.returncode == 0
    (mixed,) = (cli.home / "o").glob("anthropic-claude-x-hf-*/results.jsonl")
    lines = [_json(line) for line in mixed.read_text().splitlines()]
    assert {line.pop("scorer") for line in lines} == {f"hf/{models}/rm"}
    own = (cli.home / "a" / "results.jsonl").read_text().splitlines()
    assert lines == [_json(line) for line in own]


def _json(line: str) -> Any:
    import json

    return json.loads(line)


def test_a_model_that_cannot_be_loaded_is_refused_and_the_others_are_scored(
    models: Path, cli: Cli
) -> None:
    broken = cli.home / "broken"
    shutil.copytree(models / "rm", broken)
    (broken / "model.safetensors").write_bytes(bytes(64))
    done = cli("run", f"hf/{broken}", "baseline/length", "--limit", "1", "--quiet", "--out", "o")
    assert done.returncode == 2
    assert f"stopped: {broken} cannot be loaded" in done.stderr
    assert "go on" not in done.stderr
    assert "Traceback" not in done.stderr
    assert cli.json("o/baseline-length/run.json")["calls"]["sent"] == 24


def test_without_the_libraries_the_line_that_installs_them_is_told(models: Path, cli: Cli) -> None:
    # A module that is not there, whatever is installed: the finder in front says so.
    blocking = (
        "import sys\n"
        "class Blocked:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.partition('.')[0] in ('torch', 'transformers'):\n"
        "            raise ModuleNotFoundError(name)\n"
        "sys.meta_path.insert(0, Blocked())\n"
        "from importlib import util\n"
        "util.find_spec = lambda name, find=util.find_spec: "
        "None if name in ('torch', 'transformers') else find(name)\n"
        "from rmjudge.cli import main\n"
        "sys.exit(main())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", blocking, "run", f"hf/{models}/rm"],
        capture_output=True,
        text=True,
        check=False,
        cwd=cli.home,
        env=cli.environment(),
    )
    assert done.returncode == 2
    assert done.stderr == (
        f"rmjudge: hf/{models}/rm runs here and needs torch, transformers; install with "
        "pip install 'rmjudge[local]'\n"
    )


def test_a_name_that_no_file_could_have_is_wrong_input(cli: Cli) -> None:
    done = cli("run", f"hf/{'a' * 5000}", "--limit", "1", HF_HUB_OFFLINE="1")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_a_dry_run_and_help_load_no_model(models: Path, cli: Cli) -> None:
    done = cli("run", f"hf/{models}/rm", "--dry-run", "--limit", "1")
    assert done.returncode == 0, done.stderr
    assert "--reward-head" in cli("run", "--help").stdout


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--dtype", "int8"], "--dtype"),
        (["--device", "tpu"], "there are auto, cpu, mps, cuda and cuda:N"),
        (["--max-tokens", "0"], "--max-tokens"),
        (["--dpo-reduction", "median"], "--dpo-reduction"),
        (["--device-map", "balanced"], "--device-map"),
        (["--reference", "x"], "--reference is for dpo/... models, and this run has none"),
    ],
)
def test_a_wrong_option_is_told_and_nothing_is_called(
    words: list[str], told: str, models: Path, cli: Cli
) -> None:
    done = cli("run", f"hf/{models}/rm", *words)
    assert done.returncode == 2
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_options_reach_the_scorer(models: Path) -> None:
    (made,) = chosen(
        f"hf/{models}/labels",
        reward_head="good",
        dtype="bfloat16",
        attention="eager",
        device="cpu",
        max_tokens=99,
    )
    assert isinstance(made, Classifier)
    told = {name: made.identity[name] for name in ("head", "dtype", "attention", "max_tokens")}
    assert told == {"head": 1, "dtype": "bfloat16", "attention": "eager", "max_tokens": 99}


def test_a_policy_has_its_reference_and_its_reduction(models: Path) -> None:
    policy = f"dpo/{models}/policy"
    (alone,) = chosen(policy, dpo_reduction="sum")
    (beside,) = chosen(policy, reference=f"{models}/reference")
    assert isinstance(alone, ImplicitReward)
    assert "summed" in str(alone.identity["reward"])
    assert isinstance(beside.identity["reference"], dict)


def test_an_option_of_one_kind_leaves_the_other_alone(models: Path) -> None:
    named = (f"hf/{models}/rm", f"dpo/{models}/policy")
    rewards, policy = chosen(*named, dpo_reduction="sum", max_tokens=500)
    assert rewards.identity == chosen(named[0], max_tokens=500)[0].identity
    assert "summed" in str(policy.identity["reward"])


@pytest.mark.parametrize(
    ("option", "value", "told"),
    [
        ("dtype", "float16", "--dtype is for models that run here (hf, dpo, hf-judge)"),
        ("trust_remote_code", True, "--trust-remote-code is for models that run here"),
        ("reward_head", "1", "--reward-head is for hf/... models"),
        ("reference", "x", "--reference is for dpo/... models"),
    ],
)
def test_an_option_that_would_do_nothing_is_refused(option: str, value: object, told: str) -> None:
    assert told in refused(JUDGE, **{option: value})


@pytest.mark.parametrize("option", ["revision", "reference"])
def test_what_could_be_meant_for_two_models_is_refused(option: str, models: Path) -> None:
    told = refused(f"dpo/{models}/policy", f"dpo/{models}/reference", **{option: "x"})
    assert f"--{option} x could be meant for 2 models" in told


def test_a_local_model_takes_no_address(models: Path) -> None:
    assert "runs here; it takes no address" in refused(f"hf/{models}/rm@http://127.0.0.1:1")


def test_a_template_is_the_chat_template_of_a_reward_and_the_question_of_a_judge(
    models: Path, tmp_path: Path
) -> None:
    (tmp_path / "chat.j2").write_text(f"x{CHATML}")
    (made,) = chosen(f"hf/{models}/rm", template=tmp_path / "chat.j2")
    assert made.identity["template"] == f"x{CHATML}"
    told = refused(JUDGE, f"hf/{models}/rm", template=tmp_path / "chat.j2")
    assert "could mean openai/judge's question or" in told


def test_judging_options_are_not_for_rewards(models: Path) -> None:
    assert "--votes is for judges" in refused(f"hf/{models}/rm", votes=2)
    assert "--method is for judges" in refused(f"dpo/{models}/policy", method="pointwise")


def test_a_provider_s_table_has_the_options_of_its_models(models: Path, cli: Cli) -> None:
    (cli.home / "rmjudge.toml").write_text(
        f'models = ["hf/{models}/labels"]\nlimit = 1\n[provider.hf]\nreward_head = "bad"\n'
    )
    assert cli("run", "--dry-run").returncode == 0
    (cli.home / "rmjudge.toml").write_text('[provider.hf]\nrpm = 5\n[provider.openai]\ndtype = "x"')
    assert "provider.hf.rpm is no option" in cli("run", f"hf/{models}/rm").stderr


def test_the_run_s_option_wins_over_the_table_s(models: Path) -> None:
    own = {"hf": ProviderOptions(dtype="bfloat16", max_tokens=77)}
    (made,) = chosen(f"hf/{models}/rm", providers=own, dtype="float16")
    assert (made.identity["dtype"], made.identity["max_tokens"]) == ("float16", 77)


def test_a_run_s_file_has_the_local_options_that_were_given() -> None:
    assert RunOptions(dtype="bfloat16").recorded()["dtype"] == "bfloat16"
    assert "dtype" not in RunOptions().recorded()


def test_one_folder_under_two_names_is_one_scorer(models: Path) -> None:
    assert "is named twice" in refused(f"hf/{models}/rm", f"hf/{models}/policy/../rm")
    assert len(chosen(f"hf/{models}/rm", f"dpo/{models}/policy")) == 2
