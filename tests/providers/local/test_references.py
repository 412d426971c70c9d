"""Several policies and their references in one run."""

from __future__ import annotations

import asyncio
import gc
import json
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from local_models import TEXTS, Kind, answers, make, values, write_data

import rmjudge
from rmjudge import UsageError
from rmjudge.options import RunOptions
from rmjudge.providers.local.dpo import ImplicitReward, Likelihoods
from rmjudge.providers.local.settings import LocalSettings
from rmjudge.running.choosing import choose

if TYPE_CHECKING:
    from command import Cli


ROWS = ["with", "second", "without", "sum"]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folders `one` and `two` (policies), `sft` (their reference) and `rm`."""
    folder = tmp_path_factory.mktemp("models")
    for seed, name in enumerate(("one", "two", "sft")):
        make(folder / name, Kind(task="CausalLM", seed=seed))
    make(folder / "rm", Kind())
    return folder


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> dict[int, list[int]]:
    """How many texts each loaded model was given, pass by pass; the model does its work."""
    seen: dict[int, list[int]] = {}
    real = Likelihoods.responses

    def counting(self: Likelihoods, groups: Any, *more: Any) -> Any:
        seen.setdefault(id(self), []).append(sum(map(len, groups)))
        return real(self, groups, *more)

    monkeypatch.setattr(Likelihoods, "responses", counting)
    return seen


def refused(*named: str, **options: Any) -> str:
    with pytest.raises(UsageError) as caught:
        choose(named, RunOptions(**options))
    return str(caught.value)


async def test_two_policies_ask_their_reference_once_a_text(
    models: Path, asked: dict[int, list[int]]
) -> None:
    sft = str(models / "sft")
    alone = [
        values(await answers(ImplicitReward(LocalSettings(str(models / name), reference=sft))))
        for name in ("one", "two")
    ]
    gc.collect()
    assert sorted(map(sum, asked.values())) == [len(TEXTS)] * 4
    asked.clear()
    together = [
        item.scorer
        for item in choose(
            [f"{name}=dpo/{models / name}?reference={sft}" for name in ("one", "two")], RunOptions()
        )
    ]
    assert [scorer.name for scorer in together] == ["one", "two"]
    # One after the other, too: the first is still there, and with it the reference.
    from rmjudge.calls import RewardCall

    calls = [RewardCall(*pair) for pair in TEXTS]
    found = await asyncio.gather(*(scorer.answer(calls) for scorer in together))
    assert [values(list(outcomes)) for outcomes in found] == alone
    assert sorted(map(sum, asked.values())) == [len(TEXTS)] * 3
    for scorer in together:
        await scorer.aclose()


def test_policies_of_one_run_are_rows_of_their_own_and_find_what_they_answered_alone(
    models: Path, tmp_path: Path
) -> None:
    data = write_data(tmp_path / "data.jsonl")
    alone = rmjudge.evaluate(f"dpo/{models}/one", data, reference=models / "sft")
    run = rmjudge.evaluate(
        [
            f"with=dpo/{models}/one?reference={models}/sft",
            f"second=dpo/{models}/two?reference={models}/sft",
            f"without=dpo/{models}/one",
            f"sum=dpo/{models}/one?dpo-reduction=sum",
        ],
        data,
    )
    assert [result.metrics.scorer for result in run] == ROWS
    assert run["with"].calls.sent == 0
    assert run["with"].tuples == alone[f"dpo/{models}/one"].tuples
    assert all(run[one].tuples != run[two].tuples for one, two in combinations(ROWS, 2))


def test_the_file_of_options_may_name_them(models: Path, cli: Cli) -> None:
    write_data(cli.home / "data.jsonl")
    (cli.home / "sft").symlink_to(models / "sft")
    named = [f"one=dpo/{models}/one?reference=./sft", f"rm=hf/{models}/rm?max-tokens=9"]
    toml = f'models = {json.dumps(named)}\ndata = ["data.jsonl"]\nout = "o"\n'
    (cli.home / "rmjudge.toml").write_text(toml, "utf-8")
    done = cli("run", "--quiet")
    assert done.returncode == 0, done.stderr
    assert cli.json("o/one/run.json")["identity"]["reference"]["revision"].startswith("sha256:")
    assert cli.json("o/rm/run.json")["identity"]["max_tokens"] == 9


def test_what_a_name_may_not_say_is_refused(models: Path) -> None:
    policy = f"dpo/{models}/one"
    assert "did you mean reference?" in refused(f"{policy}?refrence=x")
    assert "is no OPTION=VALUE" in refused(f"{policy}?reference=")
    assert "says reference twice" in refused(f"{policy}?reference=a&reference=b")
    assert "is not a whole number above 0" in refused(f"{policy}?max-tokens=none")
    assert "is not one of sum, mean" in refused(f"{policy}?dpo-reduction=max")
    assert "rm?reference=...: there are" in refused(f"hf/{models}/rm?reference=x")
    assert "has a name already" in refused("mine=baseline/length")
    assert "a NAME has letters" in refused(f"my name={policy}")
    assert "one NAME is enough" in refused(f"a=b={policy}")
    assert "a names two models" in refused(f"a={policy}", f"a=dpo/{models}/two")
    assert "b is named twice, as a too" in refused(f"a={policy}", f"b={policy}")


def test_a_reference_for_all_could_be_meant_for_one(models: Path) -> None:
    policies = (f"dpo/{models}/one", f"dpo/{models}/two")
    said = refused(*policies, reference=str(models / "sft"))
    assert f"dpo/{models}/one?reference={models}/sft" in said
    own = f"{policies[0]}?reference={models}/sft"
    assert "has a reference of its own" in refused(own, reference=str(models / "sft"))
