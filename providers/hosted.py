"""A hosted provider as a scorer: the dialect of a `Provider`, sent by the one `Sender`."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from dataclasses import replace
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Final

from rmjudge.addresses import canonical
from rmjudge.calls import (
    Answer,
    Call,
    Failure,
    Json,
    Outcome,
    Reply,
    Usage,
    estimate_tokens,
)
from rmjudge.errors import StopRun
from rmjudge.providers.base import PROBES, Provider, member, parser_of
from rmjudge.providers.forms import written
from rmjudge.providers.sending.messages import FormChanged, MalformedBodyError
from rmjudge.providers.sending.network import Network
from rmjudge.providers.sending.policy import Policy
from rmjudge.providers.sending.redaction import Secret
from rmjudge.scorer import FORM_CHANGED, Activity, Flow
from rmjudge.vocabulary import READS, Method

if TYPE_CHECKING:
    from rmjudge.providers.batching.client import BatchClient
    from rmjudge.providers.sending.exchange import Exchange
    from rmjudge.providers.sending.sender import Sender

SENDER: Final = "rmjudge.providers.sending.sender"
LISTING_S: Final = 5.0
"""Seconds for a server to list its models, where it has not the one that was asked for."""
SERVICE_TIER: Final = "service_tier"
"""In a request: the service that is asked for; in a reply: the one that it was given."""
OUTPUT_LIMITS: Final = frozenset(
    ("max_tokens", "max_completion_tokens", "max_output_tokens", "maxOutputTokens")
)


class HostedScorer:
    """Implements `rmjudge.scorer.Scorer` for any `Provider`."""

    def __init__(
        self,
        provider: Provider,
        *,
        own_name: str | None = None,
        secret: Secret | None = None,
        votes: int = 1,
        concurrency: int | None = None,
        rpm: float | None = None,
        tpm: float | None = None,
        policy: Policy | None = None,
        network: Network | None = None,
        tier: str | None = None,
    ) -> None:
        """`tier` is the vendor's cheaper, slower service; it changes no answer and no identity."""
        target = provider.target
        self._tier = tier
        self.name = own_name or f"{provider.name}/{target.model}"
        self.method: Method = provider.method
        self.parser = parser_of(provider)
        self.concurrency = concurrency or provider.concurrency
        self.batch = provider.batch
        self.whole_tuples = False
        self.votes = votes
        self.lead_characters = provider.lead_characters
        self.output_tokens_estimate = provider.output_tokens_estimate
        self.activity = Activity(flow=Flow(self.concurrency), remarks=provider.remarks)
        self.identity: Mapping[str, Json] = identity_of(provider, own_name)
        self.usual_identity = self.identity
        self._own_name = own_name
        self._provider = provider
        self._users_number = concurrency
        self._rpm = rpm
        self._tpm = tpm
        self._policy = policy
        self._network = network
        self._secret = secret
        self._asked: Mapping[str, Json] = {}
        self._sends_by: HostedScorer | None = None
        self._sender: Sender | None = None
        self._drained = False
        self._connecting = asyncio.Lock()
        self._changed: dict[str, Json] = {}
        self._told_form = ""
        self._meant: str | None = None

    def asked_with(self, params: Mapping[str, Json]) -> HostedScorer:
        """This scorer, its requests built with other parameters; each reply says with which.

        It keeps the identity, and sends by the same connections and limits.
        """
        other = copy(self)
        provider = self._provider.asked_with(params)
        other._provider, other._asked, other._sends_by = provider, params, self  # noqa: SLF001
        return other

    @property
    def provider_name(self) -> str:
        """The word before the slash."""
        return self._provider.name

    @property
    def spec(self) -> str:
        """The model and its address, as `rmjudge run` takes it."""
        target = self._provider.target
        own = f"{self._own_name}=" if self._own_name else ""
        return f"{own}{self._provider.name}/{target.model}@{target.base_url}"

    def refuses(self, roles: Sequence[str]) -> str:
        """Why it cannot score a response to messages of these roles; empty where it can."""
        return self._provider.refuses(roles)

    def batching(self) -> BatchClient:
        """Its endpoint's batches, with its key; whoever asks closes it.

        Raises:
            KeyError: the provider has none that are known.
        """
        from rmjudge.providers.batching.client import BatchClient

        key = self._secret.reveal() if self._secret else ""
        key_print = hashlib.sha256(f"rmjudge {key}".encode()).hexdigest()[:12] if key else ""
        return BatchClient(self._provider, self._exchange(self._policy or Policy()), key_print)

    def _exchange(self, policy: Policy) -> Exchange:
        from rmjudge.providers.sending.exchange import Exchange

        return Exchange(
            self._provider.target.base_url,
            headers=self._provider.auth(self._secret.reveal()) if self._secret else {},
            secret=self._secret,
            policy=policy,
            network=self._network,
        )

    async def _models_like(self) -> str:
        """What to say of a model that is not there: the closest of those that the server lists."""
        from rmjudge.providers.known import models_like

        async with self._connecting:
            if self._meant is None:
                policy = replace(self._policy or Policy(), deadline_s=LISTING_S)
                self._meant = await models_like(self._provider, self._exchange(policy))
        return self._meant

    @property
    def more_room(self) -> str:
        """The parameter, as NAME=JSON, with which replies may be twice as long; empty for none."""
        body = self._provider.build([PROBES[self.method]]).body
        if self.output_tokens_estimate > 1:
            for name, value in body.items():
                doubled = _doubled(name, value)
                if doubled is not None:
                    return f"{name}={json.dumps(doubled, separators=(',', ':'))}"
        return ""

    async def _connected(self) -> Sender:
        if self._sends_by is not None:
            return await self._sends_by._connected()  # noqa: SLF001
        # Made with the first call: a run answered by the cache imports no HTTP client, and
        # the sender's locks belong to the loop that the run is on. Imported by a thread, for
        # the display and the other scorers' calls would stand still for a third of a second.
        if self._sender is None:
            async with self._connecting:
                if self._sender is None:
                    sending = await asyncio.to_thread(import_module, SENDER)
                    self._sender = self._new(sending.Sender)
        return self._sender

    def _new(self, make: type[Sender]) -> Sender:
        headers = self._provider.auth(self._secret.reveal()) if self._secret else {}
        sender = make(
            self._provider.target.base_url,
            name=self.name,
            activity=self.activity,
            concurrency=self.concurrency,
            users_number=self._users_number,
            headers=headers,
            secret=self._secret,
            address_hint=self._provider.address_hint,
            models_like=self._models_like if self._provider.models_path else None,
            policy=self._policy,
            network=self._network,
            rpm=self._rpm,
            tpm=self._tpm,
        )
        if self._drained:
            sender.endpoint.drain()
        return sender

    async def answer(self, calls: Sequence[Call]) -> Sequence[Outcome]:
        """Send the calls as one request; one outcome each.

        A batch that is refused, or answered with a server's error, is asked again in halves, since
        one text that the server cannot take must not cost the others their answers.
        """
        try:
            outcome = await self._send(calls)
        except FormChanged:
            return [Failure(FORM_CHANGED)] * len(calls)
        if not isinstance(outcome, Failure):
            return outcome
        if len(calls) == 1 or not outcome.status.startswith(("http-4", "http-5", "content-filter")):
            return [outcome] * len(calls)
        middle = len(calls) // 2
        first = await self.answer(calls[:middle])
        try:
            return [*first, *await self.answer(calls[middle:])]
        except StopRun as reason:
            if not any(isinstance(found, Reply) or found.paid for found in first):
                raise
            # The first half is paid for and must reach the cache.
            rest = Failure("stopped", str(reason), stop=reason)
            return [*first, *[rest] * (len(calls) - middle)]

    def forms(self) -> Iterator[tuple[Mapping[str, Json], Mapping[str, Json]]]:
        """The other forms in which a server may want to be asked: identity and parameters."""
        for change in self._provider.every_change():
            yield identity_of(self._provider.asked_with(change), self._own_name), change

    def ask_with(self, change: Mapping[str, Json]) -> None:
        """Ask in another form from now on, as another scorer: answers have its identity."""
        self._changed |= change
        self._provider = self._provider.asked_with(change)
        self.identity = identity_of(self._provider, self._own_name)
        form = written(self._changed)
        said = f"{self.name} was asked with {form}: its server refuses the usual form"
        self.activity.remarks = [
            *(line for line in self.activity.remarks if line != self._told_form),
            said,
        ]
        self._told_form = said

    def _adapts(self, provider: Provider, refusal: str) -> bool:
        """Change the form after a refusal of `provider`'s, where another is known and untried."""
        if self._sends_by is not None:  # a form is a scorer's, not that of single calls
            return False
        if provider is self._provider and not self.activity.answered:
            change = provider.change_for(refusal)
            if change is not None:
                self.ask_with(change)
        return provider is not self._provider

    async def _send(self, calls: Sequence[Call]) -> Sequence[Outcome] | Failure:
        provider = self._provider

        def parse(body: Json) -> list[Reply]:
            parts = provider.split(body)
            if len(parts) != len(calls):
                raise MalformedBodyError(f"{len(parts)} scores for {len(calls)} calls")
            replies = (provider.reply(part, call) for part, call in zip(parts, calls, strict=True))
            found = [replace(reply, asked=self._asked or None) for reply in replies]
            if self._tier is None or member(body, SERVICE_TIER) != self._tier:
                return found  # the vendor may have served it at the full price
            return [replace(reply, usage=reply.usage.in_batch) for reply in found]

        request = provider.build(calls)
        if self._tier is not None:
            request = replace(request, body={**request.body, SERVICE_TIER: self._tier})
        tokens = sum(map(estimate_tokens, calls)) + provider.output_tokens_estimate * len(calls)

        async def readmit(paid: bool) -> None:
            if self.activity.gate is not None:
                await self.activity.gate(calls, paid)

        async def keep(replies: Sequence[Reply]) -> None:
            if self.activity.keep is not None:
                await self.activity.keep(calls, replies)

        tries = self.activity.tries
        sender = await self._connected()
        return await sender.send(
            request,
            parse,
            tokens,
            calls=calls,
            last_resort=len(calls) == 1,
            readmit=readmit,
            keep=keep,
            tries_before=min(tries.get(call, 0) for call in calls) if tries else 0,
            # Asked with other parameters, it keeps its identity, and so its form.
            adapts=None if self._sends_by else partial(self._adapts, provider),
        )

    def most_tokens(self, call: Call) -> Usage | None:
        """Input: a token has at least one byte of the request. Output: the limit in it."""
        body = self._provider.build([call]).body
        limit = _limit_in(body) if self.output_tokens_estimate else 0
        return None if limit is None else Usage(len(json.dumps(body)), limit)

    def parse(self, call: Call, raw: str) -> Answer:
        """Read a stored reply again."""
        return self._provider.read(json.loads(raw), call)[0]

    def drain(self) -> None:
        """Start nothing new."""
        self._drained = True
        if self._sender is not None:
            self._sender.endpoint.drain()

    async def aclose(self) -> None:
        """Close the connections."""
        if self._sender is not None:
            await self._sender.aclose()
            self._sender = None
        self._drained = False
        self._connecting = asyncio.Lock()  # the next use may be on another loop


def _doubled(name: str, value: Json) -> Json:
    """A limit of output tokens doubled, or the object with it; None where this is none."""
    if name in OUTPUT_LIMITS and isinstance(value, int):
        return 2 * value
    if isinstance(value, dict):
        inner: dict[str, Json] = {
            key: found for key, item in value.items() if (found := _doubled(key, item))
        }
        return inner or None
    return None


def _limit_in(body: Mapping[str, Json]) -> int | None:
    """The most output tokens that a request asks for, under whatever name."""
    for name, value in body.items():
        if name in OUTPUT_LIMITS and isinstance(value, int):
            return value
        if isinstance(value, dict) and (limit := _limit_in(value)) is not None:
            return limit
    return None


def identity_of(provider: Provider, own_name: str | None = None) -> dict[str, Json]:
    """Everything that changes the answers; a name of the user's own stands for the address.

    `request` is the hash of the request for a fixed call: whatever else changes in how
    this version asks, the identity changes with it. What is only read of replies stands apart.
    """
    probe = provider.build([PROBES[provider.method]])
    wire = {"path": probe.path, "body": probe.body, "headers": dict(probe.headers)}
    text = json.dumps(wire, sort_keys=True, separators=(",", ":"))
    params = provider.target.params
    return {
        "provider": provider.name,
        "model": provider.target.model,
        **({"name": own_name} if own_name else {"url": canonical(provider.target.base_url)}),
        "method": provider.method,
        **provider.described,
        "params": {name: value for name, value in params.items() if name not in provider.reads},
        "template": provider.template,
        "request": hashlib.sha256(text.encode("ascii")).hexdigest()[:32],
        **({READS: provider.reads} if provider.reads else {}),
    }
