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
    attempts_rate_limited: int = 12
    attempts_malformed: int = 3
    attempts_empty: int = 2
    outage_at_start_s: float = 15.0
    """An endpoint that never answered is given up after this long."""
    outage_s: float = 300.0
    """An endpoint that did answer is given up after being unreachable for this long."""
    failures_in_a_row: int = 20
    """Calls that failed for good with no success between them: the endpoint is broken."""
    same_refusal_first: int = 5
    """The first calls refused with the same 4xx: the request itself is wrong."""
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
            at_start = min(outage_s, self.outage_at_start_s)
            changed = replace(changed, outage_s=outage_s, outage_at_start_s=at_start)
        return changed

    def of_one_attempt(self) -> Policy:
        """The same without a second attempt, for trying an endpoint out."""
        return replace(
            self,
            attempts_transient=1,
            attempts_rate_limited=1,
            attempts_malformed=1,
            attempts_empty=1,
            outage_at_start_s=0.0,
        )
