"""A local classifier as a scorer of a run: identity, cache, cuts, stops."""

from __future__ import annotations

import asyncio
import json
import shutil
from dataclasses import replace
from pathlib import Path
from threading import Event, Semaphore
from typing import Any

import pytest
from local_models import TEXTS, Kind, answers, make, values, write_data

import rmjudge
from rmjudge.calls import Call, CompareCall, Failure, Outcome, Reply, Reward, RewardCall
from rmjudge.errors import Interrupted, ModelRefused
from rmjudge.providers.local import forward, scorer, threads
from rmjudge.providers.local.classifier import Classifier, ClassifierReplica
from rmjudge.providers.local.scorer import LocalScorer, Replica
from rmjudge.providers.local.settings import LocalSettings
from rmjudge.runs.files import read_result
from rmjudge.scorer import Scorer


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("model") / "rm", Kind())


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write_data(tmp_path / "data.jsonl")


def calls() -> list[Call]:
    return [RewardCall(*pair) for pair in TEXTS]


def test_it_is_a_scorer_that_is_handed_whole_tuples(folder: Path) -> None:
    made = Classifier(LocalSettings(str(folder)))
    assert isinstance(made, Scorer)
    assert made.whole_tuples
    assert made.name == f"hf/{folder}"
    assert (made.batch, made.concurrency) == (96, 2)


# Identity


def test_the_identity_says_all_that_changes_a_reward(folder: Path) -> None:
    identity = dict(Classifier(LocalSettings(str(folder))).identity)
    assert str(identity.pop("revision")).startswith("sha256:")
    assert "<|im_start|>" in str(identity.pop("template"))
    assert identity == {
        "provider": "hf",
        "model": "folder",
        "dtype": "float32",
        "attention": "auto",
        "device": "cpu",
        "engine": 1,
        "max_tokens": 2048,
        "truncation": "right",
        "head": 0,
    }


@pytest.mark.parametrize(
    "changed",
    [{"dtype": "bfloat16"}, {"attention": "eager"}, {"max_tokens": 100}],
    ids=lambda changed: next(iter(changed)),
)
def test_each_option_is_another_scorer(folder: Path, changed: dict[str, Any]) -> None:
    plain = LocalSettings(str(folder))
    assert Classifier(replace(plain, **changed)).identity != Classifier(plain).identity


def test_the_same_model_elsewhere_is_the_same_scorer(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "moved")
    moved = Classifier(LocalSettings(str(tmp_path / "moved")))
    assert moved.identity == Classifier(LocalSettings(str(folder))).identity


def test_the_engine_s_version_is_that_of_its_forward_pass() -> None:
    assert scorer.ENGINE == forward.VERSION


# A run


def test_a_run_answered_by_the_cache_loads_nothing(
    folder: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = rmjudge.evaluate(f"hf/{folder}", data)
    monkeypatch.setattr(Classifier, "_load", None)
    again = rmjudge.evaluate(f"hf/{folder}", data)
    assert again[f"hf/{folder}"].calls.sent == 0
    assert again[f"hf/{folder}"].metrics == first[f"hf/{folder}"].metrics


def test_the_report_says_which_way_texts_were_computed(folder: Path, data: Path) -> None:
    (packed,) = rmjudge.evaluate(f"hf/{folder}", data)
    (plain,) = rmjudge.evaluate(f"hf/{folder}", data, attention="eager")
    assert packed.notes[0].startswith("texts were computed packed: ")
    assert plain.notes[0].startswith("texts were computed sorted by length, each in full: ")


def test_cut_texts_are_counted_in_the_report_of_every_run(folder: Path, data: Path) -> None:
    whole = asyncio.run(answers(Classifier(LocalSettings(str(folder)))))
    lengths = [outcome.usage.input_tokens for outcome in whole]
    limit = max(lengths) - 20
    count = sum(length > limit for length in lengths)
    assert 0 < count < 18
    for _ in ("computed", "from the cache"):
        run = rmjudge.evaluate(f"hf/{folder}", data, max_tokens=limit)
        told = f"{count} of 18 texts were cut to the longest that the model takes"
        assert told in run[f"hf/{folder}"].notes
        assert told in read_result(run.folder).notes
    (uncut,) = rmjudge.evaluate(f"hf/{folder}", data)
    assert not any("cut" in note for note in uncut.notes)


async def test_texts_that_become_equal_by_the_cut_tie(folder: Path) -> None:
    made = Classifier(LocalSettings(str(folder), max_tokens=28))
    pairs = [("2+2?", "It is 4, of course."), ("2+2?", "It is 5, of course.")]
    one, other = await answers(made, pairs)
    assert one.answer.value == other.answer.value
    assert one.answer.truncated


def test_an_accuracy_follows_from_the_rewards(folder: Path, data: Path) -> None:
    run = rmjudge.evaluate(f"hf/{folder}", data, domains=["chat"])
    lines = (run.folder / "results.jsonl").read_text().splitlines()
    kept = json.loads(lines[0])
    rewards = values(asyncio.run(answers(Classifier(LocalSettings(str(folder))))))[:6]
    assert [*kept["score_chosen"], *kept["score_rejected"]] == pytest.approx(rewards, abs=1e-5)


async def test_a_template_that_refuses_a_text_fails_that_call_alone(
    folder: Path, tmp_path: Path
) -> None:
    template = tmp_path / "chat.j2"
    template.write_text(
        "{% if '!' in messages[1].content %}{{ raise_exception('no') }}{% endif %}"
        "{{ messages[0].content }} {{ messages[1].content }}"
    )
    made = Classifier(LocalSettings(str(folder), template=template))
    fine, refused = await answers(made, [("2+2?", "4"), ("2+2?", "4!")])
    assert isinstance(fine, Reply)
    assert refused == Failure("template", "the chat template does not render this: no")


async def test_a_comparison_is_not_for_a_reward_model(folder: Path) -> None:
    made = Classifier(LocalSettings(str(folder)))
    with pytest.raises(TypeError, match="scores one response"):
        await made.answer([CompareCall("p", "a", "b")])
    await made.aclose()


# Threads and stops


class Slow(LocalScorer):
    """Replicas that wait to be let go."""

    def __init__(self, folder: Path, devices: int) -> None:
        super().__init__("hf/slow", LocalSettings(str(folder), device="cpu"), {})
        self._devices = ("cpu",) * devices
        self.loads: list[str] = []
        self.loaded = Semaphore(0)
        self.go = Event()

    def _load(self, device: str) -> Replica:
        self.loads.append(device)
        self.loaded.release()
        return Waiting(self.go)

    def parse(self, call: Call, raw: str) -> Reward:
        return Reward(float(raw))


class Waiting:
    remark = "slow"

    def __init__(self, go: Event) -> None:
        self.go = go

    def answer(self, calls: Any, stopping: Event, found: Any = None) -> list[Outcome]:
        assert self.go.wait(20)
        return [Reply(Reward(1.0))] * len(calls)


@pytest.mark.parametrize("fault", [TypeError, AssertionError, ImportError])
async def test_a_model_whose_code_fails_at_its_loading_stops_with_its_words(
    folder: Path, fault: type[Exception]
) -> None:
    class Broken(Slow):
        def _load(self, device: str) -> Replica:
            raise fault("its own words")

    made = Broken(folder, 1)
    with pytest.raises(ModelRefused, match="hf/slow does not run here: its own words"):
        await made.answer(calls()[:1])
    await made.aclose()


async def test_two_devices_work_side_by_side_and_tell_their_remark_once(folder: Path) -> None:
    made = Slow(folder, 2)
    both = [asyncio.create_task(made.answer(calls()[:1])) for _ in range(2)]
    for _ in both:
        await asyncio.to_thread(made.loaded.acquire)
    made.go.set()
    await asyncio.gather(*both)
    assert made.activity.remarks == ["slow"]
    await made.answer(calls()[:1])
    assert len(made.loads) == 2
    await made.aclose()


async def test_a_drained_scorer_finishes_what_is_under_way_and_starts_nothing(folder: Path) -> None:
    made = Slow(folder, 1)
    under_way = asyncio.create_task(made.answer(calls()[:2]))
    await asyncio.to_thread(made.loaded.acquire)
    waiting = asyncio.create_task(made.answer(calls()[:1]))
    made.drain()
    made.go.set()
    assert len(await under_way) == 2
    with pytest.raises(Interrupted):
        await waiting
    await made.aclose()


@pytest.mark.parametrize("attention", ["auto", "eager"])
async def test_a_stop_keeps_the_tuples_that_are_complete(folder: Path, attention: str) -> None:
    made = Classifier(LocalSettings(str(folder), attention=attention))
    replica = made._load("cpu")
    everything = replica.answer(calls(), Event())
    stopping = Event()
    stopping.set()  # so that the pass under way is the last
    assert isinstance(replica, ClassifierReplica)
    head: Any = replica._head
    head._forward._budget = 400
    outcomes = replica.answer(calls(), stopping)
    tuples = [outcomes[k : k + 6] for k in (0, 6, 12)]
    for k, group in enumerate(tuples):
        kinds = {type(outcome) for outcome in group}
        assert len(kinds) == 1
        if kinds == {Reply}:
            assert list(group) == list(everything[6 * k : 6 * k + 6])
    assert Failure("stopped", "the run is ending") in outcomes
    assert any(isinstance(outcome, Reply) for outcome in outcomes) == (attention == "auto")


async def test_a_pass_that_does_not_end_hands_over_what_is_finished_and_holds_nothing_up(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threads, "HAND_OVER_S", 0.1)
    monkeypatch.setattr(threads, "LEAVE_S", 0.1)
    made = Classifier(LocalSettings(str(folder), attention="eager"))
    inside, go = Event(), Event()
    load = made._load

    def loaded(device: str) -> Replica:
        replica: Any = load(device)
        forward = replica._head._forward
        states, passes = forward._route.states, []

        def held(*words: Any) -> Any:
            passes.append(words)
            if len(passes) == 8:  # of the second tuple
                inside.set()
                assert go.wait(60)
            return states(*words)

        forward._route.states = held
        return replica  # type: ignore[no-any-return]

    made._load = loaded  # type: ignore[method-assign]
    asked = asyncio.create_task(made.answer(calls()))
    await asyncio.to_thread(inside.wait, 60)
    made.drain()
    outcomes = await asked
    await made.aclose()
    assert not go.is_set()
    go.set()
    assert [type(outcome) for outcome in outcomes] == [Reply] * 6 + [Failure] * 12


async def test_a_closed_scorer_can_be_used_again(folder: Path) -> None:
    made = Classifier(LocalSettings(str(folder)))
    assert await answers(made) == await answers(made)
