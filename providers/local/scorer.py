"""A local model as a scorer: loaded with the first call, one thread a device.

The orchestrator hands over calls as to any scorer. They are computed off the event loop, so that
answers are stored and Ctrl-C is heard meanwhile. A run that the cache answers loads nothing.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from functools import partial
from queue import SimpleQueue
from threading import Event, Lock
from typing import Final, Protocol, TypeAlias

from rmjudge.calls import Answer, Call, Json, Outcome, Usage
from rmjudge.errors import Interrupted, ModelRefused, ProviderStopped, UsageError
from rmjudge.providers.local.devices import devices_of, kind_of
from rmjudge.providers.local.files import ModelFiles
from rmjudge.providers.local.libraries import import_needed
from rmjudge.providers.local.loading import dtype_of
from rmjudge.providers.local.settings import LOCAL_BATCH, LocalSettings
from rmjudge.providers.local.threads import Batch, Threads
from rmjudge.providers.local.weights import pattern_of
from rmjudge.scorer import Activity
from rmjudge.vocabulary import Method

ENGINE: Final = 1
"""Of how scores are computed. Raise it when scores in half precision would change. Which way is
taken (packed or sorted) is known only once the weights are loaded, but it follows from model,
device and attention, so that this number says enough."""
BATCHES: Final[Mapping[str, int]] = {"cpu": LOCAL_BATCH, "mps": LOCAL_BATCH, "cuda": 384}
"""Calls handed over at once: a faster device has more tuples in a commit."""
_FAULTS: Final = (RuntimeError, LookupError, ValueError, AttributeError)
_AT_LOAD: Final = (*_FAULTS, TypeError, AssertionError, ImportError)


class Replica(Protocol):
    """One copy of a model, used by one thread at a time."""

    remark: str
    """What people must know of how it computes; empty for nothing."""

    def answer(
        self, calls: Sequence[Call], stopping: Event, found: dict[int, Outcome] | None = None
    ) -> Sequence[Outcome]:
        """Answer calls, in order, one outcome each.

        They are put into `found`, too, by place and as they come: another thread may read it.

        Once `stopping` is set, finish the pass under way and give a `Failure` for the rest.
        """
        ...


Free: TypeAlias = "SimpleQueue[tuple[str, Replica | None]]"


class LocalScorer(ABC):
    """Implements `rmjudge.scorer.Scorer`; a subclass says what its replicas are."""

    whole_tuples = True
    """A batch never splits a tuple: its responses share their prompt's computation."""
    lead_characters: int | None = None

    def __init__(
        self,
        name: str,
        settings: LocalSettings,
        identity: Mapping[str, Json],
        *,
        method: Method = "pointwise",
        parser: str = "",
        votes: int = 1,
        output_tokens_estimate: int = 0,
    ) -> None:
        """`identity` is what is added to `described` by the subclass.

        Raises:
            UsageError: there is no such device, or `--allow-unused` is no regular expression.
        """
        self.name = name
        self.method: Method = method
        self.identity = identity
        self.parser = parser
        self.votes = votes
        self.output_tokens_estimate = output_tokens_estimate
        self.activity = Activity()
        if settings.allow_unused is not None:
            self.activity.remarks.append(
                f"weights that no module takes were allowed: {settings.allow_unused}"
            )
        pattern_of(settings.allow_unused)
        self._devices = devices_of(settings)
        self.batch = BATCHES[kind_of(self._devices[0])]
        self.concurrency = len(self._devices) + 1  # one waits, so that no device does
        self._loading = Lock()
        self._threads: Threads | None = None
        self._free: Free = SimpleQueue()

    @abstractmethod
    def _load(self, device: str) -> Replica:
        """Load the model for a device.

        Raises:
            UsageError: it cannot be loaded, or would give wrong numbers: the model is refused.
        """

    def refuses(self, roles: Sequence[str]) -> str:
        """Why it cannot score a response to messages of these roles; empty where it can."""
        return "it is asked about one prompt and one response"

    async def answer(self, calls: Sequence[Call]) -> Sequence[Outcome]:
        """Compute the answers on a free device.

        Raises:
            ModelRefused: the model cannot be loaded, or would give wrong numbers.
            ProviderStopped: it has no memory for one text.
        """
        if self._threads is None:
            self._free = SimpleQueue()
            for device in self._devices:
                self._free.put((device, None))
            self._threads = Threads(
                len(self._devices), self.name, partial(self._answer, self._free)
            )
        return await self._threads.run(tuple(calls))

    def _answer(self, free: Free, batch: Batch, stopping: Event) -> Sequence[Outcome]:
        if stopping.is_set():
            raise Interrupted("the run is ending")
        device, replica = free.get()
        try:
            if replica is None:
                replica = self._loaded(device)
                if stopping.is_set():
                    raise Interrupted("the run is ending")
            return self._computed(replica, batch, stopping)
        finally:
            free.put((device, replica))

    def _loaded(self, device: str) -> Replica:
        with self._loading:
            self.activity.note = f"loading the model on {device}"
            try:
                import_needed()
                replica = self._load(device)
            except UsageError as error:
                # Other scorers of the run go on; what is answered so far is kept.
                raise ModelRefused(str(error)) from error
            except _AT_LOAD as error:  # of the model's own code, on a first short text
                from rmjudge.providers.local.memory import ran_out

                kind = ProviderStopped if ran_out(error) else ModelRefused
                raise kind(f"{self.name} does not run here: {error}") from error
            finally:
                self.activity.note = ""
            if replica.remark and replica.remark not in self.activity.remarks:
                self.activity.remarks.append(replica.remark)
            return replica

    def _computed(self, replica: Replica, batch: Batch, stopping: Event) -> Sequence[Outcome]:
        from rmjudge.providers.local.memory import ran_out

        try:
            return replica.answer(batch.calls, stopping, batch.found)
        except (MemoryError, *_FAULTS) as error:
            if ran_out(error):
                raise ProviderStopped(
                    f"{self.name}: there is no memory for one text alone; cut texts with "
                    "--max-tokens, choose a smaller --dtype, or spread the model with "
                    "--device-map auto"
                ) from error
            # Such as a token that the model has no embedding for.
            raise ProviderStopped(f"{self.name} fails on these texts: {error}") from error

    def most_tokens(self, call: Call) -> Usage | None:
        """Nothing is charged for."""
        return Usage(0, 0)

    @abstractmethod
    def parse(self, call: Call, raw: str) -> Answer:
        """Read a stored reply again."""

    def drain(self) -> None:
        """Let the passes under way finish; start no other."""
        if self._threads is not None:
            self._threads.stop()

    async def aclose(self) -> None:
        """Free the models; a pass that takes long is left to itself."""
        threads, self._threads = self._threads, None
        if threads is not None:
            await threads.aclose()
            self._free = SimpleQueue()


def described(provider: str, files: ModelFiles, settings: LocalSettings) -> dict[str, Json]:
    """What changes the answers of every local model, for the scorer's identity.

    Raises:
        UsageError: there is no such device or dtype.
    """
    made: dict[str, Json] = {
        "provider": provider,
        **files.described,
        "dtype": dtype_of(files, settings),
        "attention": settings.attention,
        "device": kind_of(devices_of(settings)[0]),
        "engine": ENGINE,
    }
    if settings.trust_remote_code:
        made["remote_code"] = True
    return made
