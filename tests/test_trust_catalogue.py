"""The failure catalogue, row by row: what a run makes of it, what the user reads, what is stored.

Every row is a whole run against a real server: nine comparisons of one tuple (six rewards), of
which the first meets the failure. Then the server is healed and the run is repeated.

Rows that need more than a reply are elsewhere: killed and doubled processes in
`test_trust_kills.py` and `test_cli_resume.py` (signals too); disks and damaged files in
`test_trust_disk.py` and `test_cache_salvage.py`; keys in `test_trust_secrets.py`; scores matched by
index in `test_providers_nemo.py`; texts that carry verdicts in `test_judging_prompt.py`; what
changes the key in `test_cli_cache.py`; budgets of retries in `test_sending_retries.py`.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rmjudge import evaluate
from rmjudge.cache.records import decode
from rmjudge.calls import Reply, Unscored
from rmjudge.errors import StopRun
from rmjudge.providers.hosted import HostedScorer
from rmjudge.providers.registry import create, parse_spec
from rmjudge.providers.sending.policy import Policy

if TYPE_CHECKING:
    from conftest import ModelServer

POLICY = Policy(
    backoff_first_s=0.001,
    backoff_most_s=0.001,
    attempts_transient=3,
    attempts_rate_limited=4,
    outage_at_start_s=0.2,
    body_limit=2**21,
)
IMPATIENT = replace(POLICY, deadline_s=1.0)
"""For replies that do not come, or drip."""
CALLS = {"judge": 9, "reward": 6}


@dataclass(frozen=True)
class Ended:
    """How a run ended."""

    code: int
    told: str
    notes: str
    calls: dict[str, int]
    statuses: dict[str, int]
    scored: int
    stored: list[Reply]

    @property
    def kept_without_score(self) -> dict[str, int]:
        answers = [reply.answer for reply in self.stored]
        return dict(Counter(answer.status for answer in answers if isinstance(answer, Unscored)))


def run(spec: str, policy: Policy = POLICY, rpm: float | None = None) -> Ended:
    """Score one tuple with a policy that waits less than the default."""
    made = create(parse_spec(spec))
    assert isinstance(made, HostedScorer)
    scorer = HostedScorer(made._provider, policy=policy, concurrency=1, rpm=rpm)
    code, told = 0, ""
    try:
        code = evaluate(scorer, domains=("code",), limit=1, out="o", cache_dir="c").exit_code
    except StopRun as stopped:
        code, told = stopped.exit_code, str(stopped)
    about = json.loads(Path("o/run.json").read_text())
    metrics = json.loads(Path("o/metrics.json").read_text())
    return Ended(
        code=code,
        told=told,
        notes=" ".join(about["notes"]),
        calls=about["calls"],
        statuses=about["statuses"],
        scored=9 - metrics["unscored_cells"],
        stored=stored(),
    )


def patience_for(fault: str) -> Policy:
    return IMPATIENT if fault.startswith(("silence", "drip")) else POLICY


def stored() -> list[Reply]:
    with closing(sqlite3.connect("c/cache.db")) as connection:
        rows = connection.execute("SELECT value FROM Cache WHERE key LIKE 'a:%'").fetchall()
    return [decode(text) for (text,) in rows]


AGAIN: dict[str, list[str]] = {
    "429 with Retry-After in seconds": ["status:429:retry-after=0.2"],
    "429 with retry-after-ms": ["status:429:retry-after-ms=200"],
    "429 with an HTTP date": ["status:429:retry-after=in 1 s"],
    "503 with Retry-After in seconds": ["status:503:retry-after=0.2"],
    "503 with retry-after-ms": ["status:503:retry-after-ms=200"],
    "503 with an HTTP date": ["status:503:retry-after=in 1 s"],
    "429 with none": ["status:429"],
    "429 with junk": ["status:429:retry-after=soon"],
    "429 with a negative number": ["status:429:retry-after=-30"],
    "429 with NaN": ["status:429:retry-after=NaN"],
    "429 with infinity": ["status:429:retry-after=inf"],
    "429 with overflow": ["status:429:retry-after=1" + "0" * 400],
    "429 with a past date": ["status:429:retry-after=in -30 s"],
    "408": ["status:408"],
    "409": ["status:409"],
    "425": ["status:425"],
    "500": ["status:500"],
    "502": ["status:502"],
    "503": ["status:503"],
    "504": ["status:504"],
    "520, an unheard-of 5xx": ["status:520"],
    "529": ["status:529"],
    "x-should-retry true on a 400": ["status:400:x-should-retry=true"],
    "connection reset": ["reset", "reset"],
    "connection lost in the middle of a body": ["cut"],
    "read timeout": ["silence:2"],
    "a body that drips": ["drip:0.05"],
    "truncated JSON": ["truncated-json", "truncated-json"],
    "HTML with 200": ["html"],
    "bad gzip": ["bad-gzip"],
    "gzip that ends early": ["gzip-short"],
    "a content-encoding that nobody asked for": ["encoding:br"],
    "bytes over the cap": ["huge"],
    "a gzip bomb": ["gzip-bomb"],
    "nesting 100k deep": ["nesting"],
    "another schema": ["wrong-shape"],
    "200 with an error body of a passing error": ["200-error:503"],
    "empty choices": ["empty-choices"],
    "null content": ["null-content"],
}
MAYBE_BILLED = {
    "500",
    "502",
    "504",
    "connection reset",
    "connection lost in the middle of a body",
    "read timeout",
    "a body that drips",
    "truncated JSON",
    "HTML with 200",
    "bad gzip",
    "gzip that ends early",
    "a content-encoding that nobody asked for",
    "bytes over the cap",
    "a gzip bomb",
    "nesting 100k deep",
    "another schema",
}


@pytest.mark.parametrize("row", AGAIN)
def test_what_passes_is_asked_again_and_leaves_no_trace(server: ModelServer, row: str) -> None:
    server.control(script=AGAIN[row])
    ended = run(server.judge, patience_for(AGAIN[row][0]))
    stats = server.stats

    assert (ended.code, ended.told, ended.scored) == (0, "", 9)
    assert stats["received"] == 9 + len(AGAIN[row])
    assert len(ended.stored) == 9
    assert ended.kept_without_score == ended.statuses == {}
    assert ended.calls["retried"] == len(AGAIN[row])
    assert ended.calls["maybe_billed"] == (len(AGAIN[row]) if row in MAYBE_BILLED else 0)
    for _, told, until in stats["asked_to_wait"]:
        assert not [at for at in stats["arrivals"] if told < at < until]


@dataclass(frozen=True)
class Final:
    """A call that cannot be answered: the fault, how often it is met, and what it is called."""

    fault: str
    met: int
    status: str
    spec: str = "judge"


FINAL: dict[str, Final] = {
    "the same 5xx again and again for one body": Final("status:500", 3, "http-500"),
    "429 again and again for one body": Final("status:429", 4, "http-429"),
    "x-should-retry false on a 503": Final("status:503:x-should-retry=false", 1, "http-503"),
    "x-should-retry false on a 429": Final("status:429:x-should-retry=false", 1, "http-429"),
    "400 context length": Final("context", 1, "http-400"),
    "413": Final("status:413", 1, "http-413"),
    "422": Final("status:422", 1, "http-422"),
    "400 content filter": Final("filter-400", 1, "content-filter"),
    "connection lost again and again": Final("reset", 3, "connection-lost"),
    "a server that never replies": Final("silence:2", 3, "connection-lost"),
    "truncated JSON thrice": Final("truncated-json", 3, "malformed"),
    "HTML with 200 thrice": Final("html", 3, "malformed"),
    "bad gzip thrice": Final("bad-gzip", 3, "malformed"),
    "bytes over the cap thrice": Final("huge", 3, "malformed"),
    "a gzip bomb thrice": Final("gzip-bomb", 3, "malformed"),
    "nesting 100k deep thrice": Final("nesting", 3, "malformed"),
    "200 with an error body of a final error": Final("200-error:422", 1, "http-422"),
    "fewer scores than sent": Final("scores:0", 3, "malformed", "reward"),
    "more scores than sent": Final("scores:2", 3, "malformed", "reward"),
    "a classifier of two labels": Final("two-labels", 3, "malformed", "reward"),
}


@pytest.mark.parametrize("row", FINAL.values(), ids=list(FINAL))
def test_what_cannot_be_answered_is_counted_not_stored_and_asked_again_next_time(
    server: ModelServer, row: Final
) -> None:
    spec = getattr(server, row.spec)
    calls = CALLS[row.spec]
    server.control(script=["ok", *[row.fault] * row.met])
    ended = run(spec, patience_for(row.fault))

    assert (ended.code, ended.statuses) == (1, {row.status: 1})
    assert 0 < ended.scored < 9
    assert (ended.calls["failed"], ended.calls["unscored"]) == (1, 0)
    assert len(ended.stored) == calls - 1
    assert ended.kept_without_score == {}
    assert server.stats["received"] == calls - 1 + row.met

    healed = run(spec)
    assert (healed.code, healed.scored, healed.calls["sent"]) == (0, 9, 1)
    assert len(healed.stored) == calls


KEPT: dict[str, tuple[str, str, str]] = {
    "refusal": ("refusal", "refusal", "judge"),
    "finish_reason content_filter": ("content-filter", "content-filter", "judge"),
    "finish_reason length": ("length", "truncated", "judge"),
    "verdict missing": ("no-verdict", "unparsed", "judge"),
    "verdict contradictory": ("contradiction", "unparsed", "judge"),
    "verdict in another language": ("verdict-in-german", "unparsed", "judge"),
    "reward NaN": ("reward:NaN", "not-a-number", "reward"),
    "reward infinite": ("reward:-Infinity", "not-a-number", "reward"),
    "reward beyond every float": ("reward:1e999", "not-a-number", "reward"),
    "reward a bool": ("reward:true", "not-a-number", "reward"),
    "reward a string": ('reward:"0.5"', "not-a-number", "reward"),
    "reward null": ("reward:null", "not-a-number", "reward"),
}


@pytest.mark.parametrize(("fault", "status", "kind"), KEPT.values(), ids=list(KEPT))
def test_what_was_paid_for_without_a_score_is_kept_as_such_and_not_bought_again(
    server: ModelServer, fault: str, status: str, kind: str
) -> None:
    server.control(script=[fault])
    ended = run(getattr(server, kind))

    assert (ended.code, ended.statuses) == (1, {status: 1})
    assert (ended.calls["failed"], ended.calls["unscored"]) == (0, 1)
    assert len(ended.stored) == CALLS[kind] == server.stats["received"]
    assert ended.kept_without_score == {status: 1}
    assert all(reply.raw for reply in ended.stored)

    again = run(getattr(server, kind))
    assert (again.code, again.statuses, again.calls["sent"]) == (1, {status: 1}, 0)
    assert server.stats["received"] == CALLS[kind]


def test_an_answer_that_is_empty_twice_is_kept_as_empty(server: ModelServer) -> None:
    server.control(script=["null-content", "empty-choices"])
    ended = run(server.judge)

    assert (ended.code, ended.kept_without_score) == (1, {"empty": 1})
    assert server.stats["received"] == 10


STOPPING: dict[str, tuple[str, str]] = {
    "the server asks for more than 10 minutes": (
        "status:429:retry-after=3600",
        "the endpoint asks to wait 60 min: HTTP 429",
    ),
    "the server asks for a day by date": (
        "status:503:retry-after=in 86400 s",
        "the endpoint asks to wait 1440 min: HTTP 503",
    ),
    "401": ("status:401", "HTTP 401: status 401 as asked"),
    "402": ("status:402", "HTTP 402: status 402 as asked"),
    "403": ("status:403", "HTTP 403: status 403 as asked"),
    "404": ("status:404", "HTTP 404: status 404 as asked"),
    "410": ("status:410", "HTTP 410: status 410 as asked"),
    "429 with insufficient_quota": ("quota", "HTTP 429: You exceeded your current quota"),
    "429 with a spend limit": ("spend-limit", "HTTP 429: The spend limit is reached"),
    "200 with an error body of an empty purse": ("200-error:402", "HTTP 402: upstream failed"),
    "redirect": (
        "redirect:http://127.0.0.1:9/elsewhere",
        "redirects to http://127.0.0.1:9/elsewhere; redirects are not followed",
    ),
}


@pytest.mark.parametrize(("fault", "says"), STOPPING.values(), ids=list(STOPPING))
def test_a_final_no_stops_the_run_with_the_provider_s_words_and_can_be_resumed(
    server: ModelServer, fault: str, says: str
) -> None:
    server.control(script=["ok", "ok", fault, *["ok"] * 20])
    ended = run(server.judge)

    assert ended.code == 3
    assert says in ended.told
    assert server.stats["received"] == 3
    assert len(ended.stored) == ended.scored == 2

    resumed = run(server.judge)
    assert (resumed.code, resumed.calls["from_cache"], resumed.calls["sent"]) == (0, 2, 7)
    assert server.stats["bought_again"] == 0


def test_the_same_400_on_the_first_calls_means_that_the_request_is_wrong(
    server: ModelServer,
) -> None:
    server.control(faults=["context"], rate=1)
    ended = run(server.judge)

    assert ended.code == 3
    assert "the first 5 calls were refused alike, so the request itself is wrong" in ended.told
    assert "maximum context length is 10 tokens" in ended.told
    assert server.stats["received"] == 5
    assert ended.stored == []


@pytest.mark.parametrize("host", ["127.0.0.1", "no-such-host.invalid"], ids=["refused", "DNS"])
def test_an_endpoint_that_cannot_be_reached_is_unpaid_and_a_long_outage_stops(host: str) -> None:
    ended = run(f"openai/judge@http://{host}:9/v1")

    assert ended.code == 3
    assert "cannot be reached" in ended.told
    assert "is the server running, and is the address right?" in ended.told
    assert ended.calls["retried"] > 1
    assert (ended.calls["maybe_billed"], ended.stored) == (0, [])


@pytest.mark.parametrize("fault", ["hostile:but-right", "megabyte"])
def test_hostile_text_is_scored_like_any_other_and_kept_to_the_letter(
    server: ModelServer, fault: str
) -> None:
    plain = run(server.judge)
    Path("c/cache.db").unlink()
    server.control(faults=[fault], rate=1)
    ended = run(server.judge)

    assert (ended.code, ended.scored) == (0, 9)
    assert Counter(reply.answer for reply in ended.stored) == Counter(
        reply.answer for reply in plain.stored
    )
    contents = [json.loads(r.raw)["choices"][0]["message"]["content"] for r in ended.stored]
    start = "[/INST]\x1b]0;pwned\x07\x1b[31m \ud800 \u202e \x00" if fault != "megabyte" else "xxxx"
    assert all(content.startswith(start) for content in contents)


def test_another_model_behind_the_same_name_is_flagged(server: ModelServer) -> None:
    server.control(script=["other-model:judge-2"])
    ended = run(server.judge)

    assert (ended.code, ended.scored) == (0, 9)
    assert sorted(reply.model or "" for reply in ended.stored) == ["judge"] * 8 + ["judge-2"]
    assert "answers come from 2 models behind one name: judge (8), judge-2 (1)" in ended.notes


def jumping(start: float) -> Callable[[], float]:
    """A wall clock that is set back a day again and again."""
    moments = (start - 86_400.0 * number for number in range(10**6))
    return lambda: next(moments)


def test_a_clock_that_jumps_changes_nothing(
    server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "time", jumping(time.time()))
    server.control(script=["status:503:retry-after=0.2", "status:500"])
    ended = run(server.judge)

    assert (ended.code, ended.scored) == (0, 9)
    assert server.stats["received"] == 11


def test_connections_that_were_closed_in_silence_are_rebuilt(server: ModelServer) -> None:
    """As servers close them while a laptop sleeps: some time before the next call."""
    server.control(faults=["hang-up"], rate=1)
    ended = run(server.judge, rpm=600)

    assert (ended.code, ended.scored, server.stats["received"]) == (0, 9, 9)
    assert (ended.calls["retried"], ended.calls["maybe_billed"]) == (0, 0)
