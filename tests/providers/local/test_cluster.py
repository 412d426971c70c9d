"""`--engine ray` where there is no Ray, and what of it needs none: blocks, actors, refusals."""

from __future__ import annotations

import asyncio
import pickle
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from local_models import TEXTS, Kind, answers, make

from rmjudge import UsageError, evaluate
from rmjudge.calls import RewardCall
from rmjudge.options import RunOptions
from rmjudge.providers.local import libraries
from rmjudge.providers.local.classifier import Classifier
from rmjudge.providers.local.cluster import Answered, ClusterScorer, Worker, blocks_of
from rmjudge.providers.local.connection import Fleet, fleet_of
from rmjudge.providers.local.settings import LocalSettings
from rmjudge.providers.registry import ScorerSettings, create
from rmjudge.providers.spec import parse_spec
from rmjudge.running.queueing import WorkQueue
from rmjudge.scorer import StreamingScorer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from command import Cli

CALLS = [RewardCall(*pair) for pair in TEXTS]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("models") / "rm", Kind())


@pytest.fixture
def with_ray(monkeypatch: pytest.MonkeyPatch) -> None:
    """Find every library, so that what is checked before Ray is imported can be looked at."""
    monkeypatch.setattr(libraries, "find_spec", lambda name: name)


def asked(worker: Worker, calls: Sequence[RewardCall]) -> Answered:
    """What an actor answers, as it would come over Ray."""
    row = worker({"block": 3, "calls": pickle.dumps(list(calls))})
    assert row["block"] == 3
    found: Answered = pickle.loads(row["answered"])  # noqa: S301
    return found


def test_without_ray_the_line_that_installs_it_is_told(model: Path, cli: Cli) -> None:
    pytest.importorskip("torch")
    if libraries._is_there("ray"):
        pytest.skip("Ray is installed here")
    done = cli("run", f"hf/{model}", "--engine", "ray")
    assert done.returncode == 2
    assert done.stderr.startswith("rmjudge: --engine ray needs ray")
    assert done.stderr.endswith("install with pip install 'rmjudge[ray]'\n")


def test_the_option_may_stand_in_the_file_and_in_python(
    model: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(libraries, "find_spec", lambda name: None if name == "ray" else name)
    with pytest.raises(UsageError, match="rmjudge\\[ray\\]"):
        evaluate(f"hf/{model}", engine="ray")
    (cli.home / "rmjudge.toml").write_text('engine = "cluster"\n')
    done = cli("run", f"hf/{model}")
    assert (done.returncode, "one of local, ray" in done.stderr) == (2, True)


def test_ray_is_for_models_that_run_here(cli: Cli) -> None:
    done = cli("run", "baseline/length", "--engine", "ray")
    assert done.returncode == 2
    assert "--engine is for models that run here (hf, dpo, hf-judge)" in done.stderr


@pytest.mark.usefixtures("with_ray")
@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"device": "cuda:1"}, "--device cuda:1: with --engine ray there are auto, cpu and cuda"),
        ({"device": "mps"}, "--device mps: with --engine ray there are"),
        ({"device_map": "auto"}, "--device-map auto spreads a model over one machine"),
    ],
)
def test_options_that_a_cluster_cannot_follow_are_refused(
    options: dict[str, Any], told: str, model: Path
) -> None:
    with pytest.raises(UsageError) as caught:
        over_ray(model, **options)
    assert told in str(caught.value)


def over_ray(model: Path, **options: Any) -> Any:
    local = LocalSettings(str(model), engine="ray", **options)
    return create(parse_spec(f"hf/{model}"), ScorerSettings(local=local))


@pytest.mark.usefixtures("with_ray")
def test_the_engine_is_no_part_of_the_identity(model: Path) -> None:
    alone = Classifier(LocalSettings(str(model), device="cpu"))
    cluster = over_ray(model, device="cpu")
    assert isinstance(cluster, StreamingScorer)
    assert cluster.identity == alone.identity
    assert (cluster.name, cluster.parser, cluster.batch) == (alone.name, alone.parser, alone.batch)
    assert RunOptions(engine="ray").recorded() == RunOptions().recorded()


@pytest.mark.usefixtures("with_ray")
def test_gpus_of_other_machines_are_in_the_identity_without_one_here(model: Path) -> None:
    assert over_ray(model, device="cuda").identity["device"] == "cuda"


async def test_blocks_are_the_batches_that_one_machine_takes() -> None:
    calls = [RewardCall(f"p{k}", str(n)) for k in range(9) for n in range(1 + (5 * k) % 11)]
    queue = WorkQueue(calls, lambda call: call.prompt)
    taken = []
    while batch := await queue.take(12):
        taken.append(batch)
        queue.done(len(batch))
    blocks = list(blocks_of(calls, 12))
    assert [[call for _, call in block] for block in blocks] == taken
    assert [place for block in blocks for place, _ in block] == list(range(len(calls)))


def test_a_prompt_with_more_calls_than_a_block_stays_together() -> None:
    calls = [RewardCall("p", str(n)) for n in range(5)]
    assert [len(block) for block in blocks_of([*calls, RewardCall("q", "r")], 3)] == [5, 1]
    assert list(blocks_of([], 3)) == []


@pytest.mark.parametrize(
    ("nodes", "device", "fleet"),
    [
        ([{"CPU": 16, "GPU": 8}, {"CPU": 16, "GPU": 4}, {"CPU": 4}], "cuda", Fleet(12, 1, 1)),
        ([{"CPU": 8}, {"CPU": 8}, {"memory": 5}], "cpu", Fleet(2, 8, 0)),
        ([{"CPU": 4}, {"CPU": 9}], "cpu", Fleet(3, 4, 0)),
        ([], "cpu", Fleet(1, 1, 0)),
        ([{"CPU": 2}], "cuda", Fleet(1, 1, 1)),
    ],
)
def test_there_is_an_actor_for_a_gpu_or_for_a_node(
    nodes: list[Any], device: str, fleet: Fleet
) -> None:
    assert fleet_of(nodes, device) == fleet


async def test_an_actor_answers_as_one_machine_does(model: Path) -> None:
    settings = LocalSettings(str(model), device="cpu")
    alone = Classifier(settings)
    worker = Worker(Classifier, settings, dict(alone.identity))
    answered = await asyncio.to_thread(asked, worker, CALLS)
    assert list(answered.outcomes) == await answers(alone)
    assert list(answered.remarks) == alone.activity.remarks != []
    assert answered.fault == ""


def test_an_actor_that_finds_another_model_says_so(model: Path) -> None:
    settings = LocalSettings(str(model), device="cpu")
    other = {**Classifier(settings).identity, "revision": "sha256:0"}
    answered = asked(Worker(Classifier, settings, other), CALLS)
    assert "is another than where it started" in answered.fault
    assert answered.outcomes == ()


@pytest.mark.parametrize("when", ["made", "asked"])
def test_an_actor_s_error_comes_back_as_an_answer(when: str, model: Path) -> None:
    settings = LocalSettings(str(model), device="cpu")
    identity = dict(Classifier(settings).identity)
    worker = Worker(partial(Broken, when), settings, identity)
    answered = asked(worker, CALLS)
    assert f"ZeroDivisionError: while {when} (" in answered.fault
    assert "the same path on every node" in answered.fault


class Broken(Classifier):
    """Fails in a way that nobody thought of."""

    def __init__(self, when: str, settings: LocalSettings) -> None:
        super().__init__(settings)
        if when == "made":
            raise ZeroDivisionError("while made")

    async def answer(self, calls: Any) -> Any:
        raise ZeroDivisionError("while asked")


@pytest.mark.usefixtures("with_ray")
async def test_after_a_drain_nothing_is_begun(model: Path) -> None:
    scorer = ClusterScorer(Classifier, LocalSettings(str(model), device="cpu", engine="ray"))
    scorer.drain()
    assert [part async for part in scorer.answer_all(CALLS)] == []
    await scorer.aclose()
