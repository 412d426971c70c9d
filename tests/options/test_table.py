"""The one table of options: everything that takes options follows from it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import rmjudge
from rmjudge.api import Options
from rmjudge.cli.parser import build_parser
from rmjudge.config import check_option, read_config, run_options
from rmjudge.options import OPTIONS, RunOptions

if TYPE_CHECKING:
    from command import Cli

WRITTEN: dict[str, tuple[list[str], str, Any]] = {
    "limit": (["--limit", "3"], "limit = 3", 3),
    "max_cost": (["--max-cost", "2.5"], "max_cost = 2.5", 2.5),
    "domains": (["--domain", "chat", "--domain", "code"], "domains = ['chat', 'code']", None),
    "params": (["--param", "a=[1]"], "params = { a = [1] }", {"a": [1]}),
    "offline": (["--offline"], "offline = true", True),
    "order": (["--order", "both"], "order = 'both'", "both"),
    "out": (["--out", "~/o"], "out = '~/o'", "~/o"),
    "data": (["--data", "$HOME/d"], "data = ['$HOME/d']", ["$HOME/d"]),
    "reference": (["--reference", "~/r"], "reference = '~/r'", "~/r"),
}


def test_type_checkers_are_told_of_every_option_that_evaluate_takes() -> None:
    assert set(Options.__optional_keys__) == {*OPTIONS, "progress"} - {"data"}


@pytest.mark.parametrize("name", [item.name for item in OPTIONS.values() if item.flag])
def test_an_option_is_in_the_help_of_run_with_what_it_means(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        build_parser(["run"]).parse_args(["run", "--help"])
    shown = " ".join(capsys.readouterr().out.split())
    assert re.search(rf"{OPTIONS[name].flag}\b", shown)
    assert OPTIONS[name].help[:40].split("-")[0] in shown


@pytest.mark.parametrize("name", WRITTEN)
def test_an_option_means_the_same_wherever_it_is_written(name: str, tmp_path: Path) -> None:
    from rmjudge.cli.arguments import given_options

    words, text, value = WRITTEN[name]
    value = ["chat", "code"] if name == "domains" else value
    (tmp_path / "o.toml").write_text(text)
    check_option(name, value)
    told = run_options(given_options(build_parser(["run"]).parse_args(["run", *words])))
    assert told == run_options(read_config(tmp_path / "o.toml")) == run_options({name: value})
    assert told != RunOptions()


@pytest.mark.parametrize("name", OPTIONS)
def test_what_no_option_takes_is_refused_by_every_one(name: str, tmp_path: Path) -> None:
    with pytest.raises(rmjudge.UsageError, match=re.escape(f"{name} = ")):
        check_option(name, object())
    (tmp_path / "o.toml").write_text(f"{OPTIONS[name].key} = 1979-05-27")
    with pytest.raises(
        rmjudge.UsageError, match=f"{name} = .* is not {OPTIONS[name].kind.what[:5]}"
    ):
        read_config(tmp_path / "o.toml")


def test_what_changes_results_is_recorded_and_what_does_not_is_not() -> None:
    plain = RunOptions().recorded()
    assert set(plain) == {
        *("data", "method", "order", "votes", "template", "seed", "domains", "limit", "params")
    }
    assert RunOptions(engine="ray", max_cost=3, out=Path("o")).recorded() == plain
    assert RunOptions(dtype="float16").recorded() == {**plain, "dtype": "float16"}


def test_a_provider_has_the_options_of_its_models_and_no_others(tmp_path: Path) -> None:
    path = tmp_path / "o.toml"
    path.write_text("[provider.hf]\ndtype = 'float16'\n[provider.vllm]\nrpm = 3")
    own = read_config(path)["providers"]
    assert (own["hf"].dtype, own["vllm"].rpm) == ("float16", 3)
    for text in ("[provider.hf]\nrpm = 3", "[provider.vllm]\ndtype = 'float16'"):
        path.write_text(text)
        with pytest.raises(rmjudge.UsageError, match="is no option"):
            read_config(path)


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("run baseline/length --limt 3", "did you mean --limit?; see `rmjudge run --help`"),
        ("run baseline/length --maxcost=3", "did you mean --max-cost?; see `rmjudge run --help`"),
        ("report o --fromat csv", "did you mean --format?; see `rmjudge report --help`"),
        ("cache info --cach-dir x", "did you mean --cache-dir?; see `rmjudge cache info --help`"),
        ("compare o --readin strict", "did you mean --reading?; see `rmjudge compare --help`"),
        ("reprot o", "invalid choice: 'reprot'; did you mean report?; see `rmjudge --help`"),
        ("cache inf", "did you mean info?; see `rmjudge cache --help`"),
        ("run baseline/length --order bth", "did you mean both?; see `rmjudge run --help`"),
        ("report", "see `rmjudge report --help`"),
    ],
)
def test_a_slip_on_the_command_line_is_told_with_what_was_meant_and_the_right_help(
    cli: Cli, command: str, message: str
) -> None:
    done = cli(*command.split())
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert "Traceback" not in done.stderr
