"""text-embeddings-inference's `/predict`: what is asked, and what is made of its replies."""

from __future__ import annotations

import json
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest
from batched import (
    ATTEMPTS,
    CALL,
    CALLS,
    REWARDS,
    TEMPLATE,
    answers_of,
    failures_of,
    length,
    outcomes_of,
)

from rmjudge.calls import CompareCall, Json, Reward, RewardCall, Unscored, Usage
from rmjudge.errors import UsageError
from rmjudge.providers.base import MalformedBodyError, Target
from rmjudge.providers.hosted import identity_of
from rmjudge.providers.sending.errors import classify
from rmjudge.providers.sending.messages import FinalForCall, FinalForRun, RawReply, Retryable
from rmjudge.providers.sending.policy import Policy
from rmjudge.providers.spec import HOSTED
from rmjudge.providers.tei import TEI

if TYPE_CHECKING:
    from served import StubServer


def provider(url: str = "http://h:1", **params: Json) -> TEI:
    return TEI(Target("Skywork/RM", url, params, TEMPLATE))


def one(score: Any) -> list[Any]:
    """A one-label model's prediction for one text."""
    return [{"score": score, "label": "LABEL_0"}]


def texts_as_tei_reads_them(body: Any) -> list[tuple[str, ...]]:
    """Check a request against TEI's OpenAPI file and read `inputs` as `PredictInput` does."""
    assert set(body) <= {"inputs", "truncate", "truncation_direction", "raw_scores"}
    assert isinstance(body.get("raw_scores", False), bool)
    assert body.get("truncate") in (None, True, False)
    assert body.get("truncation_direction", "Right") in ("Left", "Right")
    inputs = body["inputs"]
    if isinstance(inputs, str):
        return [(inputs,)]
    assert isinstance(inputs, list)
    assert inputs
    if isinstance(inputs[0], str):
        inputs = [inputs]  # one text or one pair, whatever was meant
    for sequence in inputs:
        assert isinstance(sequence, list)
        assert len(sequence) in (1, 2)
        assert all(isinstance(text, str) for text in sequence)
    return [tuple(sequence) for sequence in inputs]


def test_it_is_registered() -> None:
    module, attribute = HOSTED["tei"]
    assert getattr(import_module(module), attribute) is TEI


def test_texts_are_rendered_and_sent_uncut_for_raw_scores() -> None:
    request = provider().build([CALL, RewardCall("hi", "hello")])
    assert (request.path, dict(request.headers)) == ("/predict", {})
    assert request.body == {
        "inputs": [["U:2+2?|A:4"], ["U:hi|A:hello"]],
        "raw_scores": True,
        "truncate": False,
    }


@pytest.mark.parametrize("count", [1, 2, 3, 32])
def test_a_batch_is_single_texts_to_tei_and_never_a_pair(count: int) -> None:
    calls = [RewardCall(str(number), "r") for number in range(count)]
    read = texts_as_tei_reads_them(provider().build(calls).body)
    assert read == [(f"U:{number}|A:r",) for number in range(count)]


def test_the_check_itself_sees_the_trap_of_the_pair() -> None:
    assert texts_as_tei_reads_them({"inputs": ["a", "b"]}) == [("a", "b")]


def test_a_batch_is_no_larger_than_the_servers_default_limit() -> None:
    assert TEI.batch == 32


def test_a_comparison_is_refused() -> None:
    with pytest.raises(TypeError, match="scores one response"):
        provider().build([CompareCall("p", "a", "b")])


def test_the_label_is_not_sent_but_is_part_of_the_identity() -> None:
    named = provider(label="good")
    assert named.build([CALL]) == provider().build([CALL])
    assert identity_of(named) != identity_of(provider())
    assert identity_of(named)["reads"] == {"label": "good"}


def test_other_parameters_are_sent() -> None:
    body = provider(truncate=True, truncation_direction="Left").build([CALL]).body
    assert (body["truncate"], body["truncation_direction"]) == (True, "Left")
    texts_as_tei_reads_them(body)


@pytest.mark.parametrize("label", [1, True, ["good"], {"good": 1}])
def test_a_label_that_is_no_text_is_told(label: Json) -> None:
    with pytest.raises(UsageError, match="--param label is the name of a label"):
        provider(label=label)


def test_a_batch_is_cut_in_the_order_of_the_reply() -> None:
    parts = provider().split([one(-3.65), one(1.5)])
    assert [provider().read(part, CALL) for part in parts] == [
        (Reward(-3.65), Usage(), None),
        (Reward(1.5), Usage(), None),
    ]


@pytest.mark.parametrize("body", [one(1.0), {"error": None}, "text", None, [[], None]])
def test_a_reply_that_is_no_list_of_lists_is_malformed(body: Json) -> None:
    with pytest.raises(MalformedBodyError, match="list of lists"):
        provider().split(body)


@pytest.mark.parametrize(
    "part",
    [
        [],
        {},
        None,
        [1.0],
        [{"score": 1.0}],
        [{"score": 1.0, "label": None}],
        [{"label": "LABEL_0"}],
        [["label", "score"]],
    ],
)
def test_what_is_no_prediction_is_malformed(part: Json) -> None:
    with pytest.raises(MalformedBodyError):
        provider().read(part, CALL)


def test_no_prediction_at_all_is_told_as_such() -> None:
    with pytest.raises(MalformedBodyError, match="a list of labels with scores"):
        provider().read([], CALL)


def two(good: float, bad: float) -> Json:
    """A two-label model's prediction: TEI sorts by score, highest first."""
    labels: list[Json] = [{"score": good, "label": "good"}, {"score": bad, "label": "bad"}]
    return labels if good > bad else labels[::-1]


def test_labels_are_read_by_name_though_sorted_by_score() -> None:
    named = provider(label="good")
    assert named.read(two(2.0, -1.0), CALL)[0] == Reward(2.0)
    assert named.read(two(-2.0, 1.0), CALL)[0] == Reward(-2.0)


def test_several_labels_without_a_name_are_told_with_what_to_do() -> None:
    with pytest.raises(MalformedBodyError, match=r"labels bad, good; .*--param label='\"NAME\"'"):
        provider().read(two(2.0, -1.0), CALL)


def test_a_label_that_the_model_lacks_is_told_with_those_it_has() -> None:
    with pytest.raises(MalformedBodyError, match="0 labels are called 'best'; there are bad, good"):
        provider(label="best").read(two(2.0, -1.0), CALL)


def test_a_label_that_comes_twice_is_malformed() -> None:
    with pytest.raises(MalformedBodyError, match="2 labels are called 'LABEL_0'"):
        provider(label="LABEL_0").read([*one(1.0), *one(2.0)], CALL)


@pytest.mark.parametrize("value", [float("nan"), float("-inf"), "0.5", False, None, 10**400])
def test_what_is_no_finite_number_is_no_reward(value: Any) -> None:
    # A NaN in the server comes as null.
    answer = provider().read(one(value), CALL)[0]
    assert isinstance(answer, Unscored)
    assert answer.status == "not-a-number"


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (413, {"error": "batch size 33 > 32", "error_type": "Validation"}, FinalForCall),
        (422, {"error": "inputs must have less than 512 tokens", "error_type": "Validation"},
         FinalForCall),
        (424, {"error": "Inference failed", "error_type": "Backend"}, Retryable),
        (429, {"error": "Model is overloaded", "error_type": "Overloaded"}, Retryable),
        (503, {"error": "unhealthy", "error_type": "Unhealthy"}, Retryable),
        (401, None, FinalForRun),
    ],
)  # fmt: skip
def test_the_sender_knows_teis_errors(status: int, body: Any, kind: type) -> None:
    raw = b"" if body is None else json.dumps(body).encode()
    error = classify(RawReply(status, {}, raw), Policy())
    assert error is not None
    assert type(error) is kind
    assert body is None or body["error"] in error.message


async def test_over_a_socket_each_answer_of_a_batch_comes_back_in_order(
    stub_server: type[StubServer],
) -> None:
    with stub_server(
        lambda body: [one(length(*text)) for text in texts_as_tei_reads_them(body)]
    ) as server:
        outcomes = await outcomes_of(provider(server.url))
    assert answers_of(outcomes) == REWARDS
    assert [path for path, _ in server.asked] == ["/predict"]


async def test_over_a_socket_a_wrong_count_is_asked_again_and_then_fails(
    stub_server: type[StubServer],
) -> None:
    with stub_server(lambda body: [one(length(*text)) for text in body["inputs"][1:]]) as server:
        outcomes = await outcomes_of(provider(server.url))
    assert failures_of(outcomes) == ["malformed"] * len(CALLS)
    assert len(server.asked) == ATTEMPTS
