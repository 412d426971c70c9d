"""The failure catalogue, row by row: what a run makes of it, what the user reads, what is stored.

Every row is a whole run against a real server: nine comparisons of one tuple (six rewards), of
which the first meets the failure. Then the server is healed and the run is repeated.

Rows that need more than a reply are elsewhere. In this folder: addresses, clocks and models
(`test_surroundings`), killed and doubled processes (`test_kills`, `test_stops`), disks
(`test_disk`), keys (`test_secrets`), stored replies (`test_stored`). In others: signals
(`cli/test_resume`), damaged files (`cache/test_salvage`), scores matched by index
(`providers/test_nemo`), texts that carry verdicts (`judging/test_prompt`), replies read again
(`cli/test_reparse`), what changes the key (`cli/test_cache`, `cli/test_methods`), fallbacks
(`cli/test_fallback`), budgets of retries (`providers/sending/test_retries`) and HTTP itself
(`providers/sending/test_lanes`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from catalogue import CALLS, patience_for, run

if TYPE_CHECKING:
    from served import ModelServer

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
    "520, of Cloudflare": ["status:520"],
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
    "408",
    "520, of Cloudflare",
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
    """A call that cannot be answered: the fault, how often it is met, what is said of it."""

    fault: str
    met: int
    status: str
    says: str
    spec: str = "judge"


def as_asked(status: int, header: str = "", met: int = 1) -> Final:
    says = f"HTTP {status}: status {status} as asked"
    return Final(f"status:{status}{header}", met, f"http-{status}", says)


def unreadable(fault: str, says: str, spec: str = "judge") -> Final:
    return Final(fault, 3, "malformed", f"the reply cannot be read: {says}", spec)


OVER_THE_CAP = "the body is over 2097152 bytes"
NOT_ONE = "a classification has one `data` entry"

FINAL: dict[str, Final] = {
    "the same 5xx again and again for one body": as_asked(500, met=3),
    "403 without clear words, where there was an answer": as_asked(403),
    "429 again and again for one body": as_asked(429, met=4),
    "x-should-retry false on a 503": as_asked(503, ":x-should-retry=false"),
    "x-should-retry false on a 429": as_asked(429, ":x-should-retry=false"),
    "413": as_asked(413),
    "422": as_asked(422),
    "400 context length": Final(
        "context", 1, "http-400", "HTTP 400: maximum context length is 10 tokens"
    ),
    "400 content filter": Final(
        "filter-400", 1, "content-filter", "HTTP 400: the prompt was filtered"
    ),
    "connection lost again and again": Final(
        "reset", 3, "connection-lost", "the server closed the connection without a reply"
    ),
    "connection lost in the middle of a body thrice": Final(
        "cut", 3, "connection-lost", "the reply broke off"
    ),
    "a server that never replies": Final(
        "silence:2", 3, "connection-lost", "no complete reply within 1 s"
    ),
    "truncated JSON thrice": unreadable("truncated-json", "no JSON: Unterminated string"),
    "HTML with 200 thrice": unreadable("html", "content-type is 'text/html', not JSON"),
    "bad gzip thrice": unreadable("bad-gzip", "the body does not decompress"),
    "gzip that ends early thrice": unreadable("gzip-short", "the compressed body ends early"),
    "bytes over the cap thrice": unreadable("huge", OVER_THE_CAP),
    "a gzip bomb thrice": unreadable("gzip-bomb", OVER_THE_CAP),
    "nesting 100k deep thrice": unreadable("nesting", "no JSON: maximum recursion depth"),
    "another schema thrice": unreadable("wrong-shape", "a completion has `choices`"),
    "200 with an error body of a final error": Final(
        "200-error:422", 1, "http-422", "HTTP 422: upstream failed"
    ),
    "fewer scores than sent": unreadable("scores:0", NOT_ONE, "reward"),
    "more scores than sent": unreadable("scores:2", NOT_ONE, "reward"),
    "a classifier of two labels": unreadable("two-labels", "the model has 2 labels", "reward"),
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
    assert f"1 calls {row.status} (first: {row.says}" in ended.notes
    assert 0 < ended.scored < 9
    assert (ended.calls["failed"], ended.calls["unscored"]) == (1, 0)
    assert len(ended.stored) == calls - 1
    assert ended.kept_without_score == {}
    assert server.stats["received"] == calls - 1 + row.met

    healed = run(spec)
    assert (healed.code, healed.scored, healed.calls["sent"]) == (0, 9, 1)
    assert len(healed.stored) == calls


@dataclass(frozen=True)
class Kept:
    """A reply without a score: the fault, its status, what is said of it."""

    fault: str
    status: str
    says: str
    spec: str = "judge"


def no_number(value: str, says: str) -> Kept:
    return Kept(f"reward:{value}", "not-a-number", f"a reward is a {says}", "reward")


KEPT: dict[str, Kept] = {
    "refusal": Kept("refusal", "refusal", "I will not."),
    "finish_reason content_filter": Kept(
        "content-filter", "content-filter", "the provider withheld the answer"
    ),
    "finish_reason length": Kept("length", "truncated", "the answer ran into the token limit"),
    "verdict missing": Kept("no-verdict", "unparsed", "no verdict; it ends: Both are fine."),
    "verdict contradictory": Kept("contradiction", "unparsed", "contradictory verdicts"),
    "verdict in another language": Kept("verdict-in-german", "unparsed", "no verdict; it ends: A"),
    "reward NaN": no_number("NaN", "finite float, not nan"),
    "reward infinite": no_number("-Infinity", "finite float, not -inf"),
    "reward beyond every float": no_number("1e999", "finite float, not inf"),
    "reward a bool": no_number("true", "number, not bool"),
    "reward a string": no_number('"0.5"', "number, not str"),
    "reward null": no_number("null", "number, not NoneType"),
}


@pytest.mark.parametrize("row", KEPT.values(), ids=list(KEPT))
def test_what_was_paid_for_without_a_score_is_kept_as_such_and_not_bought_again(
    server: ModelServer, row: Kept
) -> None:
    server.control(script=[row.fault])
    ended = run(getattr(server, row.spec))

    assert (ended.code, ended.statuses) == (1, {row.status: 1})
    assert f"1 calls {row.status} (first: {row.says}" in ended.notes
    assert (ended.calls["failed"], ended.calls["unscored"]) == (0, 1)
    assert len(ended.stored) == CALLS[row.spec] == server.stats["received"]
    assert ended.kept_without_score == {row.status: 1}
    assert all(reply.raw for reply in ended.stored)

    again = run(getattr(server, row.spec))
    assert (again.code, again.statuses, again.calls["sent"]) == (1, {row.status: 1}, 0)
    assert server.stats["received"] == CALLS[row.spec]


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


def test_one_tuple_s_refusals_are_absent_cells_and_no_end_of_the_run(server: ModelServer) -> None:
    server.control(faults=["context"], rate=1)
    ended = run(server.judge)

    assert (ended.code, ended.statuses, ended.scored) == (1, {"http-400": 9}, 0)
    assert "maximum context length is 10 tokens" in ended.notes
    assert ended.stored == []
