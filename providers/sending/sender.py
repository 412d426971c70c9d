"""The one sender: rate, retry, deadline, checks and redaction, for every hosted provider."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import cast

import httpx
from tenacity import AsyncRetrying, retry_if_exception_type
from tenacity.wait import wait_random_exponential

from rmjudge.calls import Call, Failure, Outcome, Reply
from rmjudge.errors import StopRun
from rmjudge.providers.sending.endpoint import Endpoint
from rmjudge.providers.sending.hints import hint_for
from rmjudge.providers.sending.messages import (
    CallError,
    FinalForCall,
    FinalForRun,
    FormChanged,
    MalformedBodyError,
    RawReply,
    Request,
    Retryable,
)
from rmjudge.providers.sending.network import Network
from rmjudge.providers.sending.pace import first_of
from rmjudge.providers.sending.policy import Policy
from rmjudge.providers.sending.reading import COUNTED_APART, Parse, ReplyReader, is_empty
from rmjudge.providers.sending.redaction import Secret
from rmjudge.providers.sending.transport import Wire
from rmjudge.providers.sending.waits import AsTheServerAsked, UnlessAway, attempts_are_used_up
from rmjudge.scorer import Activity

Readmit = Callable[[bool], Awaitable[None]]

# `json.dumps` with separators makes an encoder for every text, at the price of encoding one.
_ENCODE = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


@dataclass(slots=True)
class _Sending:
    """One request on its way to an answer: what is sent, and what came of the attempts so far."""

    request: Request
    body: bytes
    parse: Parse
    tokens: int
    calls: Sequence[Call]
    last_resort: bool
    adapts: Callable[[str], bool] | None
    keep: Callable[[Sequence[Reply]], Awaitable[None]] | None
    tries_before: int
    answers_before: int
    begun: bool = False
    spared: int = 0
    """Attempts that an outage met: they are not counted."""
    tried: list[Sequence[Reply]] = field(default_factory=list)
    """Replies that were paid for and hold an empty one."""

    @property
    def tries(self) -> int:
        """How often an empty reply came, earlier runs included."""
        return self.tries_before + len(self.tried)

    def so_far(self) -> tuple[Reply, ...]:
        """The last try's replies, each with what all tries took; an empty one is open."""
        return tuple(
            replace(reply, open=True, tries=self.tries) if is_empty(reply) else reply
            for reply in _in_all(self.tried)
        )


class Sender:
    """Sends requests to one endpoint. One retry layer, one place that knows the key."""

    def __init__(
        self,
        base_url: str,
        *,
        name: str,
        activity: Activity,
        concurrency: int,
        users_number: int | None = None,
        headers: Mapping[str, str] | None = None,
        secret: Secret | None = None,
        address_hint: str = "",
        models_like: Callable[[], Awaitable[str]] | None = None,
        policy: Policy | None = None,
        network: Network | None = None,
        rpm: float | None = None,
        tpm: float | None = None,
        sleep: Callable[[float], Awaitable[None]] | None = None,
    ) -> None:
        self._policy = policy or Policy()
        self._url = httpx.URL(base_url)
        self._urls: dict[str, str] = {}
        network = network or Network()
        secrets = (*([secret] if secret else []), *network.headers.values())
        self._reader = ReplyReader(self._policy, secrets)
        self._address_hint = address_hint
        self._models_like = models_like
        self._headers = httpx.Headers(
            {
                "host": self._url.netloc.decode("ascii"),
                "content-type": "application/json",
                "accept": "application/json",
                "accept-encoding": "gzip, deflate",
                "user-agent": "rmjudge",
            }
        )
        self._headers.update(headers)
        self._headers.update({name: value.reveal() for name, value in network.headers.items()})
        self._wire = Wire(self._policy, network)
        self._activity = activity
        self.endpoint = Endpoint(
            name,
            self._policy,
            activity,
            concurrency=concurrency,
            first=first_of(users_number),
            rpm=rpm,
            tpm=tpm,
        )
        self._retrying = AsyncRetrying(
            retry=retry_if_exception_type(Retryable),
            stop=attempts_are_used_up,
            # 0.5 s x 2^n at most, with full jitter, on top of what the server asked for: so the
            # calls that its pause held back do not all return at the same instant.
            wait=UnlessAway(
                AsTheServerAsked()
                + wait_random_exponential(
                    multiplier=self._policy.backoff_first_s, max=self._policy.backoff_most_s
                )
            ),
            sleep=sleep or self.endpoint.sleep,
            reraise=True,
        )

    async def send(
        self,
        request: Request,
        parse: Parse,
        tokens: int,
        *,
        calls: Sequence[Call] = (),
        last_resort: bool = True,
        readmit: Readmit | None = None,
        adapts: Callable[[str], bool] | None = None,
        keep: Callable[[Sequence[Reply]], Awaitable[None]] | None = None,
        tries_before: int = 0,
    ) -> Sequence[Outcome] | Failure:
        """Send until there is an answer or no hope; one outcome a call, or the failure of all.

        `parse` turns the body into replies and raises MalformedBodyError when it cannot;
        `tokens` is the estimate that the token rate reserves; `calls` is what is asked about;
        without `last_resort` a failure says nothing of the endpoint's health, since the caller has
        another way to ask. `readmit` is awaited before each further attempt, with whether an
        earlier one was paid for. `adapts` tells whether a refusal in these words has made the
        caller change its requests. `keep` is awaited with what came before an empty reply's next
        try, and `tries_before` is how many of its tries were used up earlier. Where replies came
        and an empty one's tries were not used up, each failure holds its reply.

        Raises:
            FormChanged: it has.
            StopRun: nothing more can be had from this endpoint, and nothing was paid for.
        """
        sending = _Sending(
            request=request,
            body=_ENCODE(request.body).encode("ascii"),
            parse=parse,
            tokens=tokens,
            calls=calls,
            last_resort=last_resort,
            adapts=adapts,
            keep=keep,
            tries_before=tries_before,
            answers_before=self.endpoint.answers,
        )

        async def attempt() -> Sequence[Reply]:
            if sending.begun and readmit is not None:
                await readmit(bool(sending.tried))
            sending.begun = True
            return await self._try(sending)

        try:
            replies = cast(Sequence[Reply], await self._retrying(attempt))
        except StopRun as reason:
            if not sending.tried:
                raise
            return _unfinished(sending, Failure("stopped", str(reason), stop=reason))
        except CallError as error:
            return await self._given_up(sending, error)
        return _in_all([*sending.tried, replies])

    async def _try(self, sending: _Sending) -> Sequence[Reply]:
        """Make one attempt; an error says how many there may be."""
        try:
            return await self._attempt(sending)
        except (Retryable, StopRun) as error:
            # An attempt that brought nothing is no try of a reply.
            if sending.tried and sending.tries >= self._policy.attempts_empty:
                return ()
            if isinstance(error, Retryable) and error.paid_for and sending.keep is not None:
                await sending.keep(sending.so_far())
            if isinstance(error, Retryable):
                sending.spared += error.in_outage
                error.attempts = sending.spared + self._attempts_for(error, sending.last_resort)
            raise

    def _attempts_for(self, error: Retryable, last_resort: bool) -> int:
        if error.away and not last_resort:  # halves tell sooner which call is to blame
            return min(error.attempts, self._policy.attempts_of_a_batch)
        return error.attempts

    async def _given_up(self, sending: _Sending, error: CallError) -> Sequence[Outcome] | Failure:
        """What becomes of calls that no further attempt is made for."""
        failure = Failure(error.status, error.message)
        if sending.tried:
            return _unfinished(sending, failure)
        if isinstance(error, FinalForCall) and sending.adapts and sending.adapts(error.words):
            raise FormChanged from None
        unclear = isinstance(error, Retryable) and error.away
        if unclear and sending.last_resort and self.endpoint.answers == sending.answers_before:
            return replace(failure, unclear=True)
        if sending.last_resort or isinstance(error, FinalForRun):
            self.endpoint.call_failed(error, sending.calls)
            await self.endpoint.certain()
        return failure

    async def _attempt(self, sending: _Sending) -> Sequence[Reply]:
        """Send once. Replies with an empty one among them go to `tried`, and an error is raised."""
        sent = await self.endpoint.enter(sending.tokens)
        try:
            replies = self._reader.read(
                await self._post(sending.request, sending.body), sending.parse
            )
        except CallError as error:
            message = self._reader.clean(error.message)
            if self._address_hint and _may_be_the_address(error):
                message += f"; {self._address_hint}"
            if self._models_like and isinstance(error, FinalForRun) and error.about == "model":
                message += await self._models_like()
            if error.status.startswith("http-4") and (
                hint := hint_for(error.words, sending.request.body)
            ):
                message += f"; {hint}"
            error.show(message)
            if isinstance(error, Retryable) and error.paid_for:
                sending.tried.append(error.paid_for)
            self.endpoint.attempt_failed(error, sending.calls, sent)
            # The retries keep an error for as long as it takes the garbage collector to come by;
            # its frames, and those of its cause, hold the whole reply.
            error.__context__ = None
            raise error.with_traceback(None)  # noqa: B904 - it is the same one
        finally:
            self.endpoint.leave()
        self.endpoint.succeeded(sent)
        self.endpoint.used(sending.tokens, _tokens_of(replies))
        return replies

    async def _post(self, request: Request, body: bytes) -> RawReply:
        url = self._url_of(request.path)
        headers = self._headers
        if request.headers:
            headers = httpx.Headers(headers)
            headers.update(request.headers)
        try:
            async with asyncio.timeout(self._policy.deadline_s):
                return await self._wire.post(url, headers, body)
        except MalformedBodyError as error:
            raise self._reader.malformed(error) from None
        except (TimeoutError, httpx.TransportError) as error:
            raise self._connection_lost(error) from None
        except asyncio.CancelledError:
            # The run ends without it; the server may well finish it.
            self._activity.maybe_billed += 1
            raise

    def _url_of(self, path: str) -> str:
        if path not in self._urls:
            base, mark, query = self._url.raw_path.partition(b"?")
            more = path.encode()
            if mark and b"?" in more:
                mark = b"&"
            raw_path = base.rstrip(b"/") + more + mark + query
            self._urls[path] = str(self._url.copy_with(raw_path=raw_path))
        return self._urls[path]

    def _connection_lost(self, error: Exception) -> Retryable:
        unpaid = isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout))
        what = str(error) or type(error).__name__
        timed_out = isinstance(error, (TimeoutError, httpx.TimeoutException)) and not unpaid
        if timed_out:
            what = f"no complete reply within {self._policy.deadline_s:g} s"
        return Retryable(
            "unreachable" if unpaid else "connection-lost",
            what,
            # Unpaid: the endpoint's outage clock, not a count, ends these.
            attempts=COUNTED_APART if unpaid else self._policy.attempts_transient,
            timed_out=timed_out,
            unreachable=unpaid,
            maybe_billed=not unpaid,
        )

    async def aclose(self) -> None:
        """Close every connection."""
        await self._wire.aclose()


def _in_all(tries: Sequence[Sequence[Reply]]) -> tuple[Reply, ...]:
    """The last try's replies, each with what all tries took; no replies are no try."""
    replies: Sequence[Reply] = ()
    for later in filter(None, tries):
        before, replies = replies or later, later
        if before is not later:
            replies = [
                replace(one, usage=one.usage.plus(other.usage))
                for one, other in zip(later, before, strict=True)
            ]
    return tuple(replies)


def _unfinished(sending: _Sending, failure: Failure) -> tuple[Outcome, ...]:
    """Answers as they are; for each empty reply the failure that kept it from another try."""
    return tuple(
        replace(failure, paid=reply) if reply.open else reply for reply in sending.so_far()
    )


def _may_be_the_address(error: CallError) -> bool:
    about = error.about if isinstance(error, FinalForRun) else None
    return about == "address" or (error.status == "http-404" and about != "model")


def _tokens_of(replies: Sequence[Reply]) -> int | None:
    counted = [reply.usage for reply in replies if reply.usage.input_tokens is not None]
    if not counted:
        return None
    return sum((usage.input_tokens or 0) + (usage.output_tokens or 0) for usage in counted)
