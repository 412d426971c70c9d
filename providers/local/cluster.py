"""`--engine ray`: a local model over a Ray cluster, by Ray Data.

This process cuts the calls into the blocks that one machine would take, and it alone reads and
writes the cache. Every actor builds the scorer of one machine and answers blocks with it. What
was under way on a node that is lost is asked again, and nothing else.
"""

from __future__ import annotations

import asyncio
import pickle
import platform
import warnings
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Any, Final, TypeAlias

from rmjudge.calls import Answer, Call, Json, Outcome, Usage
from rmjudge.errors import (
    Interrupted,
    ModelRefused,
    ProviderStopped,
    RmjudgeError,
    StopRun,
    UsageError,
)
from rmjudge.providers.local.connection import CONNECTION, Fleet
from rmjudge.providers.local.libraries import require_ray
from rmjudge.providers.local.scorer import LocalScorer
from rmjudge.providers.local.settings import LocalSettings

Placed: TypeAlias = Sequence[tuple[int, Outcome]]
"""Outcomes, each with the place of its call."""
Put: TypeAlias = Callable[[Placed | Exception | None], None]

TRIES: Final = 3
"""How often in a row all actors may be lost before one block is answered."""
IN_FLIGHT: Final = 2
"""Blocks handed to an actor: one under way, one that waits so that no device does."""
_CLUSTER: Final = Lock()
"""Held by the model that is scored: each has all of the cluster, one after the other."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What an actor sends back: a block's outcomes, or why the model cannot go on there."""

    outcomes: Sequence[Outcome] = ()
    remarks: Sequence[str] = ()
    fault: str = ""
    refused: bool = False
    """Whether the fault is the model's, and would come again."""


class Worker:
    """An actor: the scorer of one machine.

    An error goes back as an answer: raised, it would stand in Ray's logs with what it quotes.
    """

    def __init__(
        self,
        make: Callable[[LocalSettings], LocalScorer],
        settings: LocalSettings,
        identity: Mapping[str, Json],
    ) -> None:
        self._fault = Answered()
        try:
            self._scorer = make(settings)
            if dict(self._scorer.identity) != identity:
                raise UsageError(f"{self._scorer.name} or rmjudge is another than where it started")
        except Exception as error:  # noqa: BLE001 - the driver reports it
            self._fault = _told(error)

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        """Answer a block."""
        answered = self._fault
        if not answered.fault:
            calls: Sequence[Call] = pickle.loads(row["calls"])  # noqa: S301 - as Ray moves all else
            answered = self._answered(calls)
        return {"block": row["block"], "answered": pickle.dumps(answered)}

    def _answered(self, calls: Sequence[Call]) -> Answered:
        try:
            outcomes = asyncio.run(self._scorer.answer(calls))
        except Exception as error:  # noqa: BLE001 - the driver reports it
            return _told(error)
        return Answered(outcomes, tuple(self._scorer.activity.remarks))


def _told(error: Exception) -> Answered:
    what = str(error) if isinstance(error, RmjudgeError) else f"{type(error).__name__}: {error}"
    fault = (
        f"on the node {platform.node()}: {what} (with --engine ray, a model is a name on the hub "
        "or a folder that has the same path on every node)"
    )
    return Answered(fault=fault, refused=isinstance(error, (ModelRefused, UsageError)))


class ClusterScorer:
    """Implements `rmjudge.scorer.StreamingScorer` for any local model.

    The engine is no part of the identity: answers are those of one machine.
    """

    whole_tuples = True
    concurrency = 1

    def __init__(
        self, make: Callable[[LocalSettings], LocalScorer], settings: LocalSettings
    ) -> None:
        """`make` builds the scorer of one machine; actors get it pickled.

        Raises:
            UsageError: Ray is not installed or cannot be reached, or the model or an option is
                wrong.
        """
        require_ray()
        self._connected = False
        self._make = make
        self._settings = settings = replace(settings, device=self._device(settings))
        self._model = model = make(settings)  # which loads nothing before it is asked
        self.name = model.name
        self.method = model.method
        self.identity = model.identity
        self.parser = model.parser
        self.batch = model.batch
        self.output_tokens_estimate = model.output_tokens_estimate
        self.votes = model.votes
        self.lead_characters = model.lead_characters
        self.activity = model.activity
        self._stopping = Event()
        self._threads: list[Thread] = []
        self._wake: Callable[[], None] = lambda: None

    def _device(self, settings: LocalSettings) -> str:
        if settings.device_map is not None:
            raise UsageError("--device-map auto spreads a model over one machine, not over Ray's")
        if settings.device not in ("auto", "cpu", "cuda"):
            raise UsageError(
                f"--device {settings.device}: with --engine ray there are auto, cpu and cuda; Ray "
                "says which of a node's devices an actor has"
            )
        if settings.device != "auto":
            return settings.device
        self._connect()
        return "cuda" if CONNECTION.gpus() else "cpu"

    def _connect(self) -> None:
        if not self._connected:
            CONNECTION.join()
            self._connected = True

    def refuses(self, roles: Sequence[str]) -> str:
        """Why it cannot score a response to messages of these roles; empty where it can."""
        return self._model.refuses(roles)

    async def answer(self, calls: Sequence[Call]) -> Sequence[Outcome]:
        """Answer a few calls.

        Raises:
            StopRun: nothing more can be had, or it was asked to stop before all were answered.
        """
        found: dict[int, Outcome] = {}
        async for part in self.answer_all(calls):
            found.update(part)
        if len(found) < len(calls):
            raise Interrupted("the run is ending")
        return [found[place] for place in range(len(calls))]

    async def answer_all(self, calls: Sequence[Call]) -> AsyncIterator[Placed]:
        """Answer calls block by block, as blocks come from the cluster.

        After `drain` it ends with what has come; blocks under way are dropped.

        Raises:
            StopRun: the model cannot be loaded on a node, or Ray cannot go on.
        """
        if self._stopping.is_set():
            return
        loop = asyncio.get_running_loop()
        parts: asyncio.Queue[Placed | Exception | None] = asyncio.Queue()

        def put(part: Placed | Exception | None) -> None:
            with suppress(RuntimeError):  # the loop is closed, and nobody waits any more
                loop.call_soon_threadsafe(parts.put_nowait, part)

        stopping, blocks = self._stopping, dict(enumerate(blocks_of(calls, self.batch)))
        self._wake = lambda: put(None)
        thread = Thread(target=self._run, args=(blocks, put, stopping), daemon=True)
        self._threads.append(thread)
        thread.start()
        try:
            while (part := await parts.get()) is not None:
                if isinstance(part, Exception):
                    raise part
                yield part
        except BaseException:
            stopping.set()
            raise

    def _run(self, blocks: dict[int, list[tuple[int, Call]]], put: Put, stopping: Event) -> None:
        """Have all blocks answered; the end or what went wrong is put last."""
        try:
            self.activity.note = "waiting for Ray"
            self._connect()
            with _CLUSTER:
                self._answer_blocks(blocks, put, stopping)
            put(None)
        except StopRun as error:
            put(error)
        except UsageError as error:  # other scorers of the run go on
            put(ProviderStopped(str(error)))
        except Exception as error:  # noqa: BLE001 - whatever Ray raises becomes one error
            put(ProviderStopped(f"{self.name}: Ray cannot go on: {_last_line(error)}"))
        finally:
            self.activity.note = ""

    def _answer_blocks(
        self, blocks: dict[int, list[tuple[int, Call]]], put: Put, stopping: Event
    ) -> None:
        from ray.exceptions import RayError

        tries, why = TRIES, ""
        while blocks and not stopping.is_set():
            before = len(blocks)
            try:
                for number, answered in self._came(blocks):
                    if answered.fault:
                        kind = ModelRefused if answered.refused else ProviderStopped
                        raise kind(f"{self.name}, {answered.fault}")
                    self._note(answered)
                    places = [place for place, _ in blocks.pop(number, ())]
                    put(list(zip(places, answered.outcomes, strict=bool(places))))
                    if stopping.is_set():
                        return
            except RayError as error:
                why = f": {_last_line(error)}"
            tries = tries - 1 if len(blocks) == before else TRIES
            if not tries:
                raise ProviderStopped(
                    f"{self.name}: Ray lost its actors {TRIES} times without one answer{why}; the "
                    "logs on its nodes say more. Every node needs the same rmjudge[ray], and room "
                    "for the model"
                )

    def _came(
        self, blocks: Mapping[int, Sequence[tuple[int, Call]]]
    ) -> Iterator[tuple[int, Answered]]:
        """Have blocks answered, in any order. Those that a lost actor had do not come."""
        from ray import data

        fleet = CONNECTION.fleet(self._settings.device)
        self.activity.note = f"loading the model on {fleet}"
        rows = [
            {"block": number, "calls": pickle.dumps([call for _, call in block])}
            for number, block in blocks.items()
        ]
        # A block of Ray's for each of ours: it comes as soon as it is answered.
        with warnings.catch_warnings(action="ignore"):  # of options that go with Ray 2.64
            asked = data.from_items(rows, override_num_blocks=len(rows)).map(
                Worker,
                fn_constructor_args=(
                    self._make,
                    _from_anywhere(self._settings),
                    dict(self.identity),
                ),
                **_placing(fleet),
            )
        _configure(asked.context)
        for batch in asked.iter_batches(batch_size=None, prefetch_batches=0, batch_format="numpy"):
            for number, answered in zip(batch["block"], batch["answered"], strict=True):
                yield int(number), pickle.loads(answered)  # noqa: S301 - of our own actors

    def _note(self, answered: Answered) -> None:
        self.activity.note = ""
        known = self.activity.remarks
        known.extend(remark for remark in answered.remarks if remark not in known)

    def most_tokens(self, call: Call) -> Usage | None:
        """Nothing is charged for."""
        return self._model.most_tokens(call)

    def parse(self, call: Call, raw: str) -> Answer:
        """Read a stored reply again."""
        return self._model.parse(call, raw)

    def drain(self) -> None:
        """Take what has come; drop the blocks under way."""
        self._stopping.set()
        self._wake()

    async def aclose(self) -> None:
        """Leave the cluster: its actors end, and with them a cluster that was started here."""
        self._stopping.set()
        if self._connected:
            self._connected = False
            await asyncio.to_thread(CONNECTION.leave)
        for thread in self._threads:
            await asyncio.to_thread(thread.join, 5)  # in a Ray of the user's: at its next block
        self._threads, self._stopping = [], Event()


def blocks_of(calls: Sequence[Call], most: int) -> Iterator[list[tuple[int, Call]]]:
    """Cut calls into blocks as one machine would: neighbours with one prompt stay together.

    A block has up to `most` calls, or more where one prompt alone has them.
    """
    block: list[tuple[int, Call]] = []
    for _, group in groupby(enumerate(calls), lambda numbered: numbered[1].prompt):
        together = list(group)
        if block and len(block) + len(together) > most:
            yield block
            block = []
        block = [*block, *together]
    if block:
        yield block


def _from_anywhere(settings: LocalSettings) -> LocalSettings:
    """The settings for an actor, which runs in another folder."""
    return replace(
        settings,
        engine="local",
        model=_absolute(settings.model),
        reference=_absolute(settings.reference) if settings.reference else None,
    )


def _absolute(model: str) -> str:
    return str(Path(model).absolute()) if Path(model).is_dir() else model


def _placing(fleet: Fleet) -> dict[str, Any]:
    from ray.data import ActorPoolStrategy

    return {
        "compute": ActorPoolStrategy(size=fleet.actors, max_tasks_in_flight_per_actor=IN_FLIGHT),
        "num_cpus": fleet.cpus,
        "num_gpus": fleet.gpus,
        "scheduling_strategy": "SPREAD",
        # An actor starts again where there is room. Where there is none its blocks would wait for
        # it for ever, so they fail, are left out, and are asked again.
        "max_restarts": -1,
        "max_task_retries": 0,
    }


def _configure(context: Any) -> None:
    """Set what concerns this data set alone."""
    context.max_errored_blocks = -1
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    context.execution_options.preserve_order = False


def _last_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[-1][:300] if lines else ''}"
