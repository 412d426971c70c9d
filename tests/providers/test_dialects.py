"""What every dialect of a judge has to do alike: one question, one answer, one status."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import pytest
from judge_dialects import DIALECTS, Dialect
from judge_replies import A_WINS
from outcomes import CALL, OVERLOADED, SCORED, SINGLE, STOPPED, TRANSIENT, UNREADABLE, becomes

from rmjudge.calls import Answer, Call, Json, Reply, Reward, Unscored, Usage, Verdict
from rmjudge.errors import UsageError
from rmjudge.judging.methods import METHODS
from rmjudge.providers.base import MalformedBodyError
from rmjudge.providers.hosted import HostedScorer
from rmjudge.providers.judge import JudgeProvider
from rmjudge.providers.registry import ScorerSettings, create, provider_class
from rmjudge.providers.spec import HOSTED, parse_spec

if TYPE_CHECKING:
    from served import ModelServer

every_dialect = pytest.mark.parametrize("dialect", DIALECTS.values(), ids=DIALECTS)
with_probabilities = pytest.mark.parametrize(
    "dialect",
    [dialect for dialect in DIALECTS.values() if dialect.likely],
    ids=lambda dialect: dialect.provider,
)


def call_for(method: str) -> Call:
    return CALL if METHODS[method].scores == "pairwise" else SINGLE


def test_every_judge_with_a_class_of_its_own_is_held_to_this() -> None:
    kinds = {name: provider_class(name) for name in HOSTED}
    judges = {name for name, kind in kinds.items() if issubclass(kind, JudgeProvider)}
    assert judges | {"openai"} == set(DIALECTS)


# What is asked


@pytest.mark.parametrize(
    ("dialect", "method"),
    [
        pytest.param(dialect, method.name, id=f"{name}-{method.name}")
        for name, dialect in DIALECTS.items()
        for method in METHODS.values()
        if dialect.likely or not method.needs_logprobs
    ],
)
def test_a_method_is_asked_about_as_many_responses_as_it_scores(
    dialect: Dialect, method: str
) -> None:
    other = SINGLE if call_for(method) == CALL else CALL
    with pytest.raises(TypeError, match=method):
        dialect.judge(method).build([other])


@pytest.mark.parametrize("method", [name for name in METHODS if METHODS[name].needs_logprobs])
@pytest.mark.parametrize("name", [name for name in DIALECTS if not DIALECTS[name].likely])
def test_a_method_that_needs_token_probabilities_is_refused(name: str, method: str) -> None:
    dialect = DIALECTS[name]
    with pytest.raises(UsageError, match=f"^{name}/{dialect.model}: {method} needs token"):
        dialect.judge(method)


@every_dialect
def test_the_users_parameters_win_and_null_takes_one_away(dialect: Dialect) -> None:
    usual = dialect.judge().build([CALL]).body
    for field in usual.keys() - {"model"}:
        mine: dict[str, Any] = {field: "mine", "seed": 0}
        nothing: dict[str, Any] = {field: None}
        assert dialect.judge(**mine).build([CALL]).body == usual | mine
        shorter = dialect.judge(**nothing).build([CALL]).body
        assert shorter == {name: usual[name] for name in usual if name != field}


# How replies read

ANSWERS: Final[dict[str, Answer]] = {
    "a verdict": Verdict(1.0),
    "a verdict in two parts": Verdict(1.0),
    "reasoning, then a verdict": Verdict(1.0),
    "no verdict": Unscored("unparsed", "no verdict; it ends: Both."),
    "a verdict, then cut": Unscored("truncated", "the answer ran into the token limit"),
    "cut while reasoning": Unscored("truncated", "the answer ran into the token limit"),
}


@every_dialect
@pytest.mark.parametrize("said", ANSWERS)
def test_a_reply_reads_alike_in_every_dialect(dialect: Dialect, said: str) -> None:
    assert dialect.read(dialect.replies[said])[0] == ANSWERS[said]


@every_dialect
@pytest.mark.parametrize("said", ["nothing", "reasoning alone"])
def test_a_reply_without_a_visible_text_is_empty(dialect: Dialect, said: str) -> None:
    assert dialect.read(dialect.replies[said])[0] == Unscored("empty", dialect.silent)


@every_dialect
def test_a_model_or_vendor_that_declines_has_a_status(dialect: Dialect) -> None:
    reply, answer = dialect.declined
    assert dialect.read(reply)[0] == answer
    assert answer.status in ("refusal", "content-filter")


@every_dialect
@pytest.mark.parametrize("part", [None, 1, "text", [], {}], ids=repr)
def test_what_is_no_reply_is_malformed(dialect: Dialect, part: Json) -> None:
    with pytest.raises(MalformedBodyError, match=dialect.needs):
        dialect.read(part)


@every_dialect
@pytest.mark.parametrize("other", DIALECTS)
def test_another_dialect_s_reply_is_malformed(dialect: Dialect, other: str) -> None:
    body = DIALECTS[other].said(A_WINS)
    if DIALECTS[other] is dialect:
        assert dialect.read(body)[0] == Verdict(1.0)
    else:
        with pytest.raises(MalformedBodyError, match=dialect.needs):
            dialect.read(body)


@every_dialect
def test_tokens_are_counted_alike_whatever_the_vendor_counts_apart(dialect: Dialect) -> None:
    usage = dialect.read(dialect.said(A_WINS) | dialect.counted)[1]
    assert usage == Usage(100, 20, 64, dialect.stored)


@every_dialect
def test_tokens_that_are_not_told_are_not_known(dialect: Dialect) -> None:
    assert dialect.read(dialect.said(A_WINS))[1] == Usage()
    assert dialect.read(dialect.said(A_WINS) | dict.fromkeys(dialect.counted))[1] == Usage()


@every_dialect
def test_the_model_that_answered_is_named(dialect: Dialect) -> None:
    assert dialect.read(dialect.said(A_WINS))[2] == dialect.answered_by


@every_dialect
def test_what_is_stored_is_the_reply_itself(dialect: Dialect) -> None:
    part = dialect.said(f"\ud800 {A_WINS}")
    judge = dialect.judge()
    reply = judge.reply(part, CALL)
    assert json.loads(reply.raw) == part
    assert reply.raw.isascii()
    assert reply.parser == judge.parser == f"{judge.dialect_version}+verdict/4"


@every_dialect
def test_a_stored_reply_is_read_again_by_the_method(dialect: Dialect) -> None:
    scorer = HostedScorer(dialect.judge("pairwise-two-level"))
    assert scorer.parse(CALL, json.dumps(dialect.said("[[B]]"))) == Verdict(0.0)


# Token probabilities


@with_probabilities
def test_the_probabilities_of_the_first_token_are_a_credit(dialect: Dialect) -> None:
    assert dialect.likely
    answer = dialect.read(dialect.likely({"A": 0.6, "B": 0.2}), "pairwise-logprob")[0]
    assert isinstance(answer, Verdict)
    assert answer.first == pytest.approx(0.75, abs=1e-12)


@with_probabilities
def test_the_probabilities_of_the_tokens_are_an_expected_rating(dialect: Dialect) -> None:
    assert dialect.likely
    reply = dialect.likely({"1": 0.8, "9": 0.2}, {"0": 0.75})
    answer = dialect.read(reply, "pointwise-logprob")[0]
    assert isinstance(answer, Reward)
    assert answer.value == pytest.approx(8.0, abs=1e-12)


@with_probabilities
def test_a_server_that_ignored_the_wish_for_probabilities_gives_no_verdict(
    dialect: Dialect,
) -> None:
    answer = dialect.read(dialect.said("A"), "pairwise-logprob")[0]
    assert answer == Unscored("unparsed", "no token probabilities in the reply")


# Over a real socket

DELIVERED: Final = {
    "a verdict": (SCORED, 1),
    "no verdict": ("unparsed", 1),
    "a verdict, then cut": ("truncated", 1),
    "cut while reasoning": ("truncated", 1),
    "nothing": ("empty", 2),
    "reasoning alone": ("empty", 2),
}
"""A reply without a text is asked for once more, and then kept."""


@every_dialect
@pytest.mark.parametrize("said", [*DELIVERED, "declined"])
async def test_a_delivered_reply_is_kept_whatever_it_says(
    server: ModelServer, dialect: Dialect, said: str
) -> None:
    expected = DELIVERED.get(said, (dialect.declined[1].status, 1))
    judge = dialect.judge(url=server.root + dialect.behind)
    assert (await becomes(server, judge, 200, dialect.replies[said])).counted == expected


ERRORS: Final = {
    400: ("http-400", 1),
    401: (STOPPED, 1),
    403: (STOPPED, 1),
    404: (STOPPED, 1),
    429: ("http-429", OVERLOADED),
    500: ("http-500", TRANSIENT),
    504: ("http-504", TRANSIENT),
}


@every_dialect
@pytest.mark.parametrize("status", ERRORS)
async def test_an_error_is_final_or_tried_again_and_told_in_the_vendor_s_words(
    server: ModelServer, dialect: Dialect, status: int
) -> None:
    judge = dialect.judge(url=server.root + dialect.behind)
    became = await becomes(server, judge, status, dialect.error(status))
    assert became.counted == ERRORS[status]
    assert f"HTTP {status}: it said so" in became.detail


@every_dialect
@pytest.mark.parametrize("body", [{"another": "shape"}, "<html></html>", ""], ids=repr)
async def test_what_is_no_reply_is_asked_for_again(
    server: ModelServer, dialect: Dialect, body: Any
) -> None:
    judge = dialect.judge(url=server.root + dialect.behind)
    became = await becomes(server, judge, 200, body)
    assert became.counted == ("malformed", UNREADABLE)


@pytest.mark.parametrize("method", ["pairwise", "pairwise-two-level", "pointwise"])
async def test_every_dialect_gives_the_same_answer_to_the_same_question(
    method: str, server: ModelServer
) -> None:
    call = call_for(method)
    answers: list[Answer] = []
    for name, dialect in DIALECTS.items():
        spec = parse_spec(f"{name}/m@{server.root}{dialect.behind}")
        scorer = create(spec, ScorerSettings(judging=method))
        assert isinstance(scorer, HostedScorer)
        (outcome,) = await scorer.answer([call])
        await scorer.aclose()
        assert isinstance(outcome, Reply)
        assert scorer.parse(call, outcome.raw) == outcome.answer
        answers.append(outcome.answer)
    assert server.stats["paths"] == [dialect.path for dialect in DIALECTS.values()]
    assert isinstance(answers[0], Verdict | Reward)
    assert answers == [answers[0]] * len(DIALECTS)
