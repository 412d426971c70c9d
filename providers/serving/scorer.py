"""A hosted model whose server is started here, with the first call, and stopped at the end.

Answers are kept under the engine's name, its arguments and the model (a folder by its content), not
under an address, which is another one each time. The engine's version goes with each answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rmjudge.calls import Answer, Call, Json, Outcome, Reply, Usage
from rmjudge.errors import Interrupted, ProviderStopped, StopRun
from rmjudge.providers.hosted import HostedScorer
from rmjudge.providers.serving.engines import Engine
from rmjudge.providers.serving.process import Server, end_orphans, free_port, server_folder
from rmjudge.text import one_line

if TYPE_CHECKING:
    from httpx import AsyncClient

NOWHERE: Final = "http://127.0.0.1:1"
"""The address of a server that is not started yet; nothing is sent there."""
LOOK_S: Final = 0.3
"""Between two looks at a server."""


class ServedScorer:
    """Implements `rmjudge.scorer.Scorer` for a model that an engine serves on this machine."""

    def __init__(
        self,
        engine: Engine,
        model: str,
        arguments: Sequence[str],
        make: Callable[[str], HostedScorer],
    ) -> None:
        """`make` makes the scorer for an address; `arguments` are the user's, for the engine."""
        facts = make(NOWHERE + engine.base)
        self.name = facts.name
        self.method = facts.method
        self.parser = facts.parser
        self.concurrency = facts.concurrency
        self.batch = facts.batch
        self.whole_tuples = facts.whole_tuples
        self.votes = facts.votes
        self.lead_characters = facts.lead_characters
        self.output_tokens_estimate = facts.output_tokens_estimate
        self.activity = facts.activity
        self._served: dict[str, Json] = {
            "engine": engine.name,
            "arguments": list(arguments),
            **_content(model),
        }
        self._changes: list[Mapping[str, Json]] = []
        self.identity: Mapping[str, Json] = self._with_server(facts.identity)
        self.usual_identity = self.identity
        self._engine = engine
        self._model = model
        self._arguments = tuple(arguments)
        self._make = make
        self._facts = facts
        self._hosted: HostedScorer | None = None
        self._server: Server | None = None
        self._version = engine.name
        self._watching: asyncio.Task[None] | None = None
        self._starting = asyncio.Lock()
        self._drained = False
        self._failed: StopRun | None = None

    def _with_server(self, identity: Mapping[str, Json]) -> dict[str, Json]:
        """Everything that changes the answers: the server in place of its address."""
        kept = {name: value for name, value in identity.items() if name != "url"}
        return {**kept, "server": self._served}

    def forms(self) -> Iterator[tuple[Mapping[str, Json], Mapping[str, Json]]]:
        """The forms that it may ask in: identity, and what `ask_with` takes."""
        for identity, change in self._facts.forms():
            yield self._with_server(identity), change

    def ask_with(self, change: Mapping[str, Json]) -> None:
        """Ask in that form from now on."""
        self._changes.append(change)
        self._facts.ask_with(change)
        self.identity = self._with_server(self._facts.identity)

    async def answer(self, calls: Sequence[Call]) -> Sequence[Outcome]:
        """Have the server answer; it is started first.

        Raises:
            ProviderStopped: it cannot be started, or has ended.
        """
        hosted = await self._started()
        try:
            outcomes = await hosted.answer(calls)
        except StopRun as reason:
            raise self._ended() or reason from reason
        finally:
            self.identity = self._with_server(hosted.identity)  # its form may have changed
        if any(not isinstance(outcome, Reply) for outcome in outcomes):
            ended = self._ended()
            if ended is not None and not any(isinstance(one, Reply) for one in outcomes):
                raise ended
        return [
            replace(one, model=f"{one.model or self._model} by {self._version}")
            if isinstance(one, Reply)
            else one
            for one in outcomes
        ]

    async def _started(self) -> HostedScorer:
        async with self._starting:
            if self._failed is not None:
                raise self._failed
            if self._hosted is None:
                try:
                    self._hosted = await self._start()
                except StopRun as reason:
                    self._failed = reason
                    await self._stop()
                    raise
            return self._hosted

    async def _start(self) -> HostedScorer:
        engine, folder = self._engine, server_folder()
        if ended := await asyncio.to_thread(end_orphans, folder):
            self.activity.remarks.append(f"{ended} server(s) of an earlier run were ended")
        port = free_port()
        command = engine.command(self._model, port, self._arguments)
        try:
            self._server = server = Server(command, port, folder)
        except OSError as error:
            raise ProviderStopped(f"{engine.name} cannot be started: {error}") from error
        try:
            await self._until_ready(server)
        finally:
            self.activity.note = ""
        self.activity.remarks.append(
            f"served by {self._version}, started here: {' '.join(map(one_line, command))}"
        )
        hosted = self._make(server.root + engine.base)
        hosted.name, hosted.activity = self.name, self.activity
        for change in self._changes:
            hosted.ask_with(change)
        if self._drained:
            hosted.drain()
        self._watching = asyncio.create_task(self._watch(server, hosted))
        return hosted

    async def _until_ready(self, server: Server) -> None:
        """Wait until it answers, its log's last line on display, as long as it lives."""
        import httpx

        async with httpx.AsyncClient(base_url=server.root, trust_env=False, timeout=10) as client:
            while not await _is_ready(client, self._engine.ready_path):
                if (ended := self._ended()) is not None:
                    raise ended
                if self._drained:
                    raise Interrupted("the run is ending")
                line = one_line(server.last_line())
                self.activity.note = f"starting {self._engine.name}: {line}"
                await asyncio.sleep(LOOK_S)
            self._version = await _version(client, self._engine)

    async def _watch(self, server: Server, hosted: HostedScorer) -> None:
        """Have waiting calls give up once the server has ended: nobody will start it again."""
        while True:
            if server.exit_code is not None:
                hosted.drain()
                return
            await asyncio.sleep(LOOK_S)

    def _ended(self) -> ProviderStopped | None:
        server = self._server
        if server is None or server.exit_code is None:
            return None
        return ProviderStopped(
            f"{self.name}: its server ({self._engine.name}) ended with exit code "
            f"{server.exit_code}: {one_line(server.last_line())} (its log is {server.log})"
        )

    async def _stop(self) -> None:
        watching, self._watching = self._watching, None
        if watching is not None:
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching
        server, self._server = self._server, None
        if server is not None:
            await asyncio.to_thread(server.stop)

    def refuses(self, roles: Sequence[str]) -> str:
        """Why it cannot score a response to messages of these roles; empty where it can."""
        return self._facts.refuses(roles)

    def most_tokens(self, call: Call) -> Usage | None:
        """Nothing is charged for."""
        return Usage(0, 0)

    def parse(self, call: Call, raw: str) -> Answer:
        """Read a stored reply again."""
        return self._facts.parse(call, raw)

    def drain(self) -> None:
        """Start nothing new; a server that is starting is given up."""
        self._drained = True
        if self._hosted is not None:
            self._hosted.drain()

    async def aclose(self) -> None:
        """Close the connections and stop the server."""
        hosted, self._hosted = self._hosted, None
        if hosted is not None:
            await hosted.aclose()
        await self._stop()
        self._drained, self._failed = False, None
        self._starting = asyncio.Lock()  # the next use may be on another loop


def _content(model: str) -> dict[str, Json]:
    """What a model's folder holds; nothing for one of the hub."""
    folder = Path(model)
    if not folder.is_dir():
        return {}
    from rmjudge.providers.local.digests import digest_of_folder

    return {"digest": f"sha256:{digest_of_folder(folder, False)}"}


async def _is_ready(client: AsyncClient, path: str) -> bool:
    import httpx

    try:
        return (await client.get(path)).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False


async def _version(client: AsyncClient, engine: Engine) -> str:
    """The engine's name, with its version where it tells one."""
    import httpx

    try:
        found = (await client.get(engine.version_path)).json()["version"]
    except (httpx.HTTPError, ValueError, LookupError, TypeError):
        return engine.name
    return f"{engine.name} {one_line(str(found))}"
