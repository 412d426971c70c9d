"""The defaults of sending, named together."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Policy:
    """When to try again, how long to wait, when to give up. Seconds unless said."""

    deadline_s: float = 600.0
    """One attempt, from connecting to the last byte."""
    connect_s: float = 10.0
    backoff_first_s: float = 0.5
    backoff_most_s: float = 60.0
    longest_server_wait_s: float = 600.0
    """A server that asks for more ends the run."""
    attempts_transient: int = 6
    """5xx and lost connections; the same error this often for one body is final for it."""
    attempts_of_a_batch: int = 2
    """5xx for a batch, before it is asked in halves."""
    attempts_rate_limited: int = 12
    attempts_malformed: int = 3
    attempts_empty: int = 2
    outage_at_start_s: float = 15.0
    """An address that was never connected with is given up after this long."""
    outage_s: float = 600.0
    """One that did answer, or behind which a gateway does, is given up after this long."""
    outage_calls: int = 3
    """So many different calls that end in a 5xx, no answer between them, are an outage."""
    probe_first_s: float = 0.5
    probe_most_s: float = 5.0
    """Between two calls that ask whether it is over; doubled from the first to the most."""
    failures_in_a_row: int = 20
    """Calls that failed for good with no success between them: the endpoint is broken."""
    same_refusal_first: int = 20
    """So many first calls refused alike and none answered: the request itself is wrong,"""
    same_refusal_prompts: int = 5
    """where they are about so many prompts,"""
    filtered_prompts: int = 20
    """or about so many, where a filter plainly declines them."""
    retries_beyond_successes: int = 1000
    """Retry budget of a run: successes plus this many."""
    body_limit: int = 16 * 2**20
    """Bytes of one reply, after decompression."""
    keepalive_s: float = 3.0
    """Below the 5 s after which uvicorn, vLLM and Node close idle connections."""

    def patient(self, *, deadline_s: float | None, outage_s: float | None) -> Policy:
        """The same with the user's patience, where it is given."""
        changed = self
        if deadline_s is not None:
            changed = replace(changed, deadline_s=deadline_s)
        if outage_s is not None:
            changed = replace(changed, outage_s=outage_s, outage_at_start_s=outage_s)
        return changed

    def of_one_attempt(self) -> Policy:
        """The same without a second attempt, for trying an endpoint out."""
        return replace(
            self,
            attempts_transient=1,
            attempts_of_a_batch=1,
            attempts_rate_limited=1,
            attempts_malformed=1,
            attempts_empty=1,
            outage_at_start_s=0.0,
            outage_s=0.0,
        )
