"""Decision endpoints: a probability per option, taken as soft credit."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import pytest
from outcomes import CALL, OVERLOADED, SCORED, STOPPED, UNREADABLE, becomes

from rmjudge.calls import (
    Answer,
    Json,
    Reply,
    RewardCall,
    Unscored,
    Usage,
    Verdict,
)
from rmjudge.providers.base import MalformedBodyError, Target
from rmjudge.providers.decisions import QUESTION, DecisionProvider, OpenAIDecisions, SystemOne
from rmjudge.providers.hosted import HostedScorer

if TYPE_CHECKING:
    from served import ModelServer

KINDS: Final = pytest.mark.parametrize("kind", [OpenAIDecisions, SystemOne])
Kind = type[DecisionProvider]


def endpoint(kind: Kind, url: str = "http://h/v1", **params: Json) -> DecisionProvider:
    return kind(Target("decider", url, params))


# What is asked


def test_openai_is_asked_to_choose_between_two_values() -> None:
    request = endpoint(OpenAIDecisions).build([CALL])
    assert (request.path, dict(request.headers)) == ("/decisions", {})
    assert request.body == {
        "model": "decider",
        "input": "User's prompt:\nWhich is right?\n\n"
        "Response A:\nThe first.\n\n"
        "Response B:\nThe second.",
        "questions": [
            {
                "type": "choice",
                "name": "better",
                "instructions": QUESTION,
                "choices": [{"value": "A"}, {"value": "B"}],
            }
        ],
    }


def test_system_one_is_asked_about_a_state_by_criteria() -> None:
    request = endpoint(SystemOne).build([CALL])
    assert (request.path, dict(request.headers)) == ("/systemone", {})
    assert request.body == {
        "model": "decider",
        "state": {
            "prompt": "Which is right?",
            "response A": "The first.",
            "response B": "The second.",
        },
        "questions": {
            "better": {
                "type": "choice",
                "instructions": QUESTION,
                "criteria": {
                    "A": "the first response is better",
                    "B": "the second response is better",
                },
            }
        },
    }


@KINDS
def test_the_users_parameters_are_laid_over_the_body(kind: Kind) -> None:
    body = endpoint(kind, service_tier="flex", questions=None).build([CALL]).body
    assert body["service_tier"] == "flex"
    assert "questions" not in body


@KINDS
def test_a_single_response_is_refused(kind: Kind) -> None:
    with pytest.raises(TypeError, match="compares two responses"):
        endpoint(kind).build([RewardCall("p", "r")])


@KINDS
def test_the_question_is_part_of_the_identity(kind: Kind) -> None:
    assert HostedScorer(endpoint(kind)).identity["template"] == QUESTION


# How replies read


def reply(kind: Kind, first: Any, second: Any, **usage: Any) -> dict[str, Any]:
    answer: dict[str, Any] = {"type": "choice", "choice": "B", "confidence": 0.14}
    answers: Any
    if kind is OpenAIDecisions:
        listed = [{"value": "A", "probability": first}, {"value": "B", "probability": second}]
        answers = [{**answer, "name": "better", "probabilities": listed}]
    else:
        answers = {"better": {**answer, "probabilities": {"A": first, "B": second}}}
    return {"model": "decider-1", "answers": answers, "usage": usage}


def read(kind: Kind, body: Json) -> tuple[Answer, Usage, str | None]:
    return endpoint(kind).read(body, CALL)


CREDITS: Final[dict[str, tuple[Any, Any, float]]] = {
    "that add up to 1": (0.32, 0.68, 0.32),
    "rounded to 2 places, below 1": (0.33, 0.66, 1 / 3),
    "rounded to 2 places, above 1": (0.34, 0.67, 34 / 101),
    "certain": (1.0, 0.0, 1.0),
    "certain, as integers": (0, 1, 0.0),
    "even": (0.5, 0.5, 0.5),
    "that leave room for neither": (0.1, 0.3, 0.25),
}


@KINDS
@pytest.mark.parametrize(("first", "second", "credit"), CREDITS.values(), ids=list(CREDITS))
def test_the_first_option_s_share_is_the_credit(
    kind: Kind, first: Any, second: Any, credit: float
) -> None:
    answer = read(kind, reply(kind, first, second))[0]
    assert isinstance(answer, Verdict)
    assert answer.first == pytest.approx(credit, abs=1e-12)


@KINDS
@pytest.mark.parametrize(
    ("first", "second", "why"),
    [
        (0.0, 0.0, "both options have probability 0"),
        (0, 0, "both options have probability 0"),
        (math.nan, 0.5, "nan is no probability"),
        (0.5, math.nan, "nan is no probability"),
        (math.inf, 0.5, "inf is no probability"),
        (-0.1, 1.0, "-0.1 is no probability"),
        (0.4, 1.2, "1.2 is no probability"),
        (68, 32, "68 is no probability"),
        (10**400, 0.5, "is no probability"),
    ],
)
def test_what_is_no_probability_is_no_number_and_never_clamped(
    kind: Kind, first: Any, second: Any, why: str
) -> None:
    answer = read(kind, reply(kind, first, second))[0]
    assert isinstance(answer, Unscored)
    assert answer.status == "not-a-number"
    assert why in answer.detail


@KINDS
@pytest.mark.parametrize(("first", "second"), [(None, 0.5), (0.5, "0.5"), (True, False), ([], 1)])
def test_a_decision_without_two_numbers_is_malformed(kind: Kind, first: Any, second: Any) -> None:
    with pytest.raises(MalformedBodyError, match="a probability for each option"):
        read(kind, reply(kind, first, second))


def test_openai_s_options_are_told_apart_by_value_and_not_by_place() -> None:
    body = reply(OpenAIDecisions, 0.25, 0.75)
    body["answers"][0]["probabilities"].reverse()
    assert read(OpenAIDecisions, body)[0] == Verdict(0.25)


def test_openai_s_value_true_is_another_than_a_text() -> None:
    body = reply(OpenAIDecisions, 0.25, 0.75)
    body["answers"][0]["probabilities"][0]["value"] = True
    with pytest.raises(MalformedBodyError):
        read(OpenAIDecisions, body)


REFUSALS: Final[dict[str, tuple[Kind, Any]]] = {
    "OpenAI": (OpenAIDecisions, [{"type": "refusal", "name": "better"}]),
    "System One": (SystemOne, {"better": {"type": "refusal"}}),
}


@pytest.mark.parametrize(("kind", "answers"), REFUSALS.values(), ids=list(REFUSALS))
def test_a_refusal_is_a_status(kind: Kind, answers: Any) -> None:
    found = read(kind, {"answers": answers})[0]
    assert found == Unscored("refusal", "the model declined to decide")


OTHER: Final = reply(OpenAIDecisions, 0.5, 0.5)["answers"][0]
MALFORMED: Final[dict[str, tuple[Kind, Any]]] = {
    "OpenAI: nothing": (OpenAIDecisions, {}),
    "OpenAI: no answers": (OpenAIDecisions, {"answers": []}),
    "OpenAI: another question's answer": (
        OpenAIDecisions,
        {"answers": [{**OTHER, "name": "other"}]},
    ),
    "OpenAI: System One's shape": (OpenAIDecisions, reply(SystemOne, 0.5, 0.5)),
    "System One: nothing": (SystemOne, {}),
    "System One: another question's answer": (
        SystemOne,
        {"answers": {"other": {"probabilities": {"A": 1, "B": 0}}}},
    ),
    "System One: OpenAI's shape": (SystemOne, reply(OpenAIDecisions, 0.5, 0.5)),
}


@pytest.mark.parametrize(("kind", "body"), MALFORMED.values(), ids=list(MALFORMED))
def test_what_is_no_decision_is_malformed(kind: Kind, body: Any) -> None:
    with pytest.raises(MalformedBodyError, match="a decision has"):
        read(kind, body)


@KINDS
def test_usage_and_model_are_told(kind: Kind) -> None:
    details = {"cached_tokens": 64, "cache_write_tokens": 6}
    usage = {"input_tokens": 284, "output_tokens": 0, "input_tokens_details": details}
    assert read(kind, reply(kind, 0.5, 0.5, **usage))[1:] == (Usage(284, 0, 64, 6), "decider-1")
    assert read(kind, reply(kind, 0.5, 0.5))[1] == Usage()


# What errors mean, over a real socket

DETAIL: Final = {"detail": [{"loc": ["body", "questions"], "msg": "Field required"}]}
BECOMES: Final[dict[str, tuple[Kind, int, Any, str, int]]] = {
    "OpenAI: a decision": (OpenAIDecisions, 200, reply(OpenAIDecisions, 0.3, 0.7), SCORED, 1),
    "OpenAI: a refusal": (OpenAIDecisions, 200, {"answers": REFUSALS["OpenAI"][1]}, "refusal", 1),
    "OpenAI: 429": (OpenAIDecisions, 429, {"error": {"code": "slow_down"}}, "http-429", OVERLOADED),
    "System One: a decision": (SystemOne, 200, reply(SystemOne, 0.3, 0.7), SCORED, 1),
    "System One: 0 for both": (SystemOne, 200, reply(SystemOne, 0.0, 0.0), "not-a-number", 1),
    "System One: 400 detail": (SystemOne, 400, {"detail": "no such model"}, STOPPED, 1),
    "System One: 422 detail": (SystemOne, 422, DETAIL, "http-422", 1),
    "System One: 501, vLLM without a decision model": (SystemOne, 501, {}, STOPPED, 1),
    "System One: 503": (SystemOne, 503, {"detail": "busy"}, "http-503", OVERLOADED),
    "System One: 529": (SystemOne, 529, {"detail": "busy"}, "http-529", OVERLOADED),
    "System One: another shape": (SystemOne, 200, {"choices": []}, "malformed", UNREADABLE),
}


@pytest.mark.parametrize(
    ("kind", "sent", "becoming"),
    [(kind, (status, body), (became, n)) for kind, status, body, became, n in BECOMES.values()],
    ids=list(BECOMES),
)
async def test_what_becomes_of_a_reply(
    server: ModelServer, kind: Kind, sent: tuple[int, Any], becoming: tuple[str, int]
) -> None:
    found = await becomes(server, endpoint(kind, f"{server.root}/v1"), *sent)
    assert found.counted == becoming


@KINDS
async def test_a_stored_decision_is_read_again(kind: Kind, server: ModelServer) -> None:
    scorer = HostedScorer(endpoint(kind, f"{server.root}/v1"))
    (outcome,) = await scorer.answer([CALL])
    await scorer.aclose()
    assert isinstance(outcome, Reply)
    assert isinstance(outcome.answer, Verdict)
    assert scorer.parse(CALL, outcome.raw) == outcome.answer
