"""`openai/MODEL`: what is asked and how the answer reads, without a socket."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rmjudge.calls import Answer, CompareCall, Json, Unscored, Usage, Verdict
from rmjudge.judging.prompt import CLOSING, RUBRIC
from rmjudge.providers.base import MalformedBodyError, Provider
from rmjudge.providers.hosted import HostedScorer
from rmjudge.providers.registry import ScorerSettings, create, parse_spec

CALL = CompareCall("Which is right?", "The first.", "The second.")
ELSEWHERE = "http://127.0.0.1:8000/v1"


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-not-a-real-key")


def provider(model: str = "gpt-4.1", url: str | None = None, **params: Json) -> Provider:
    spec = f"openai/{model}@{url}" if url else f"openai/{model}"
    scorer = create(parse_spec(spec), ScorerSettings(params=params))
    assert isinstance(scorer, HostedScorer)
    return scorer._provider


def body(model: str = "gpt-4.1", url: str | None = None, **params: Json) -> dict[str, Json]:
    return provider(model, url, **params).build([CALL]).body


def test_a_comparison_is_a_chat_of_instructions_and_material() -> None:
    request = provider().build([CALL])
    messages: Any = request.body["messages"]

    assert request.path == "/chat/completions"
    assert request.body["model"] == "gpt-4.1"
    assert [message["role"] for message in messages] == ["system", "user"]
    assert messages[0]["content"] == RUBRIC
    assert messages[1]["content"].endswith(CLOSING)
    for text in (CALL.prompt, CALL.first, CALL.second):
        assert messages[1]["content"].count(text) == 1


def test_the_response_named_first_is_shown_first() -> None:
    messages: Any = body()["messages"]
    shown = messages[1]["content"]

    assert shown.index(CALL.first) < shown.index(CALL.second)


def test_a_request_is_sent_as_json_whatever_the_texts_hold() -> None:
    built = provider().build([CompareCall("\ud800", "\0", "\x1b[31m {braces} %s")]).body

    assert json.loads(json.dumps(built, allow_nan=False)) == built


def test_no_key_is_in_a_request() -> None:
    request = provider().build([CALL])

    assert "sk-not-a-real-key" not in repr(request)


def test_openai_itself_is_told_a_limit_of_completion_tokens() -> None:
    built = body()

    assert built["max_completion_tokens"] == 4096
    assert "max_tokens" not in built


def test_other_servers_are_told_a_limit_of_tokens() -> None:
    built = body(url=ELSEWHERE)

    assert built["max_tokens"] == 4096
    assert "max_completion_tokens" not in built


@pytest.mark.parametrize("url", [None, ELSEWHERE])
def test_a_model_that_does_not_reason_is_asked_at_temperature_nought(url: str | None) -> None:
    assert body(url=url)["temperature"] == 0


@pytest.mark.parametrize("model", ["o1", "o3-mini", "o4-mini", "gpt-5", "gpt-5.1-mini", "ft/o3"])
def test_a_reasoning_model_has_no_temperature_and_room_to_reason(model: str) -> None:
    built = body(model)

    assert "temperature" not in built
    assert built["max_completion_tokens"] == 16384


@pytest.mark.parametrize("model", ["gpt-4.1", "gpt-4o", "gpt-4o-mini", "chatgpt-4o-latest"])
def test_other_models_have_a_temperature(model: str) -> None:
    assert body(model)["temperature"] == 0


def test_a_model_elsewhere_that_is_called_like_a_reasoning_model_has_a_temperature() -> None:
    assert body("gpt-5", ELSEWHERE)["temperature"] == 0


def test_the_user_s_parameters_win() -> None:
    built = body(temperature=0.7, max_completion_tokens=10, seed=3)

    assert (built["temperature"], built["max_completion_tokens"], built["seed"]) == (0.7, 10, 3)


def test_a_null_parameter_takes_one_away() -> None:
    built = body(temperature=None)

    assert "temperature" not in built


def test_a_parameter_of_nought_or_false_is_sent() -> None:
    built = body(seed=0, store=False)

    assert (built["seed"], built["store"]) == (0, False)


def completion(message: Any, reason: Any = "stop", **more: Any) -> Json:
    built: Json = {
        "model": "gpt-4.1-2025-04-14",
        "choices": [{"index": 0, "message": message, "finish_reason": reason}],
        **more,
    }
    return built


def read(part: Json) -> tuple[Answer, Usage, str | None]:
    return provider().read(part, CALL)


def answer(message: Any, reason: Any = "stop") -> Answer:
    return read(completion(message, reason))[0]


def status(found: Answer) -> str:
    assert isinstance(found, Unscored)
    return found.status


VERDICTS = {"A>>B": 1.0, "A>B": 1.0, "A=B": 0.5, "B>A": 0.0, "B>>A": 0.0}


@pytest.mark.parametrize(("verdict", "credit"), VERDICTS.items(), ids=list(VERDICTS))
def test_a_verdict_is_read(verdict: str, credit: float) -> None:
    assert answer({"content": f"I think.\n\n\\boxed{{{verdict}}}"}) == Verdict(credit)


def test_a_list_of_chunks_is_read_without_the_thinking() -> None:
    content = [
        {"type": "thinking", "thinking": [{"type": "text", "text": "\\boxed{B>A}"}]},
        {"type": "text", "text": "So:\n\\box"},
        {"type": "text", "text": "ed{A>B}"},
        {"type": "image", "text": "\\boxed{B>A}"},
    ]

    assert answer({"content": content}) == Verdict(1.0)


@pytest.mark.parametrize("field", ["reasoning", "reasoning_content"])
def test_a_verdict_in_the_reasoning_alone_is_none(field: str) -> None:
    assert status(answer({"content": None, field: "\\boxed{A>B}"})) == "empty"


@pytest.mark.parametrize("message", [{"content": None}, {"content": ""}, {"content": []}, {}, None])
def test_a_message_without_content_is_empty(message: Any) -> None:
    assert status(answer(message)) == "empty"


def test_a_reply_without_choices_is_empty() -> None:
    assert status(read({"choices": []})[0]) == "empty"


@pytest.mark.parametrize(
    ("reason", "expected"),
    [("content_filter", "content-filter"), ("length", "truncated"), ("model_length", "truncated")],
)
def test_an_answer_that_was_cut_is_not_read_for_a_verdict(reason: str, expected: str) -> None:
    assert status(answer({"content": "\\boxed{A>B}"}, reason)) == expected


def test_a_refusal_is_told_in_one_short_line() -> None:
    found = answer({"content": None, "refusal": "I cannot\ndo that. " + "x" * 500})

    assert isinstance(found, Unscored)
    assert found.status == "refusal"
    assert found.detail.startswith("I cannot do that. ")
    assert len(found.detail) <= 160


@pytest.mark.parametrize("reason", ["error", "abort", "insufficient_system_resource"])
def test_an_answer_that_the_server_broke_off_is_no_reply(reason: str) -> None:
    with pytest.raises(MalformedBodyError):
        read(completion({"content": "\\boxed{A>B}"}, reason))


@pytest.mark.parametrize("part", [None, 1, "text", [], {}, {"choices": None}, {"choices": {}}])
def test_what_is_no_completion_is_malformed(part: Json) -> None:
    with pytest.raises(MalformedBodyError, match="choices"):
        read(part)


@pytest.mark.parametrize("choice", [None, 1, "text", [], {}, {"message": 5}, {"message": []}])
def test_a_choice_of_any_shape_is_read_without_a_crash(choice: Json) -> None:
    assert status(read({"choices": [choice]})[0]) == "empty"


def test_usage_is_what_the_provider_counted() -> None:
    usage = {
        "prompt_tokens": 100,
        "completion_tokens": 20,
        "prompt_tokens_details": {"cached_tokens": 64},
    }
    _, found, _ = read(completion({"content": "x"}, usage=usage))

    assert found == Usage(100, 20, 64)


@pytest.mark.parametrize(
    "usage",
    [None, "x", [], {}, {"prompt_tokens": "5", "completion_tokens": -1}, {"prompt_tokens": True}],
)
def test_usage_that_is_not_told_is_not_known(usage: Any) -> None:
    assert read(completion({"content": "x"}, usage=usage))[1] == Usage(None, None, None)


def test_the_model_that_answered_is_named_with_its_fingerprint() -> None:
    part = completion({"content": "x"}, system_fingerprint="fp_1")

    assert read(part)[2] == "gpt-4.1-2025-04-14 (fp_1)"


def test_the_model_that_answered_is_named_without_a_fingerprint() -> None:
    assert read(completion({"content": "x"}, system_fingerprint=None))[2] == "gpt-4.1-2025-04-14"


def test_a_reply_without_a_model_names_none() -> None:
    assert read({"choices": []})[2] is None
    assert read({"choices": [], "system_fingerprint": "fp_1"})[2] is None


def test_what_is_stored_is_the_reply_itself() -> None:
    part = completion({"content": "\\boxed{A>B} \ud800"})
    reply = provider().reply(part, CALL)

    assert json.loads(reply.raw) == part
    assert reply.raw.isascii()
    assert reply.parser == provider().parser
