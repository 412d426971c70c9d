"""NVIDIA's reward models over chat completions: what is asked, what is made of the replies."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from local_models import TEXTS, write_data
from served import StubServer

from rmjudge.cache.keys import scorer_key, scorer_keys
from rmjudge.calls import CompareCall, Json, Reward, RewardCall, Unscored, Usage
from rmjudge.errors import UsageError
from rmjudge.providers.base import MalformedBodyError, Target
from rmjudge.providers.hosted import HostedScorer, identity_of
from rmjudge.providers.nim import NIM
from rmjudge.providers.registry import create
from rmjudge.providers.spec import parse_spec

if TYPE_CHECKING:
    from command import Cli

CALL = RewardCall("I am going to Paris, what should I see?", "Ah, Paris, the City of Light!")
PAIRS = "helpfulness:1.61,correctness:1.64,coherence:3.31,complexity:0.54,verbosity:0.51"
ATTRIBUTES = {
    "helpfulness": 1.61,
    "correctness": 1.64,
    "coherence": 3.31,
    "complexity": 0.54,
    "verbosity": 0.51,
}
CARD = 0.3 * 1.61 + 0.74 * 1.64 + 0.46 * 3.31 + 0.47 * 0.54 - 0.33 * 0.51


def provider(**params: Json) -> NIM:
    return NIM(
        Target(
            "nvidia/llama-3.1-nemotron-70b-reward", "https://integrate.api.nvidia.com/v1", params
        )
    )


def completion(content: Any, logprobs: Any = None, **choice: Any) -> dict[str, Any]:
    """A reply with the shape that was recorded: a list for a message, nulls, `length`."""
    return {
        "id": "4668ad22-1dec-4df4-ba92-97ffa5fbd16d",
        "choices": [
            {
                "finish_reason": "length",
                "index": 0,
                "message": [{"role": "assistant", "content": content}],
                "logprobs": logprobs,
                **choice,
            }
        ],
        "created": None,
        "model": None,
        "object": None,
        "usage": {"prompt_tokens": 78, "completion_tokens": 1, "total_tokens": 79},
    }


def tokens(named: dict[str, Any]) -> dict[str, Any]:
    return {
        "content": [
            {"token": name, "logprob": value, "top_logprobs": []} for name, value in named.items()
        ]
    }


def answer(body: Json, **params: Json) -> Any:
    return provider(**params).read(body, CALL)[0]


def test_it_is_registered_at_nvidias_own_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NIM_BASE_URL", raising=False)
    monkeypatch.setenv("NVIDIA_API_KEY", "nvapi-test")
    scorer = create(parse_spec("nim/nvidia/llama-3.1-nemotron-70b-reward"))
    assert scorer.identity["url"] == "https://integrate.api.nvidia.com/v1"
    assert scorer.method == "pointwise"
    monkeypatch.delenv("NVIDIA_API_KEY")
    with pytest.raises(UsageError, match="NVIDIA_API_KEY"):
        create(parse_spec("nim/nvidia/llama-3.1-nemotron-70b-reward"))


def test_the_response_is_the_last_message_and_nothing_is_streamed() -> None:
    request = provider().build([CALL])
    assert (request.path, dict(request.headers)) == ("/chat/completions", {})
    assert request.body == {
        "model": "nvidia/llama-3.1-nemotron-70b-reward",
        "messages": [
            {"role": "user", "content": CALL.prompt},
            {"role": "assistant", "content": CALL.response},
        ],
        "stream": False,
    }


def test_a_comparison_is_refused() -> None:
    with pytest.raises(TypeError, match="scores one response"):
        provider().build([CompareCall("p", "a", "b")])


def test_weights_are_not_sent_and_say_only_how_replies_read() -> None:
    weighted = provider(weights={"helpfulness": 1})
    assert weighted.build([CALL]) == provider().build([CALL])
    assert identity_of(weighted) != identity_of(provider())
    assert scorer_key(identity_of(weighted)) == scorer_key(identity_of(provider()))


def test_answers_that_older_versions_kept_under_their_weights_are_found() -> None:
    weighted = identity_of(provider(weights={"helpfulness": 1}, top_k=1))
    older = {name: value for name, value in weighted.items() if name != "reads"}
    older["params"] = {"weights": {"helpfulness": 1}, "top_k": 1}
    assert scorer_key(older) in scorer_keys(weighted)
    assert scorer_key(older) != scorer_key(weighted)


def test_other_weights_are_read_from_the_cache_in_a_folder_of_their_own(cli: Cli) -> None:
    write_data(cli.home / "data.jsonl")
    with StubServer(lambda _body: completion(PAIRS, tokens(ATTRIBUTES))) as server:
        words = ("run", f"nim/attributes@{server.url}", "--data", "data.jsonl", "--json")
        folders = []
        for weights in ((), ("--param", 'weights={"verbosity": 2}')):
            done = cli(*words, *weights, NVIDIA_API_KEY="nvapi-test")
            assert done.returncode == 0, done.stderr
            folders.append(json.loads(done.stdout)["folder"])
    assert len(server.asked) == len(TEXTS)
    assert folders[0] != folders[1]
    for folder, want in zip(folders, (CARD, 2 * ATTRIBUTES["verbosity"]), strict=True):
        lines = (cli.home / folder / "results.jsonl").read_text().splitlines()
        assert json.loads(lines[0])["score_chosen"] == pytest.approx([want] * 3)
    again = cli("reparse", folders[1], "--json")
    (read,) = json.loads(again.stdout)["reparse"]
    assert read["changed_tuples"] == []
    assert provider(max_tokens=1).build([CALL]).body["max_tokens"] == 1


@pytest.mark.parametrize(
    "weights", [[], {}, 1, "helpfulness", {"a": "1"}, {"a": True}, {"a": None}]
)
def test_weights_that_are_none_are_told(weights: Json) -> None:
    with pytest.raises(UsageError, match="--param weights"):
        provider(weights=weights)


def test_the_only_reward_is_taken_as_it_is() -> None:
    assert answer(completion("reward:-25.625")) == Reward(-25.625)


def test_five_attributes_are_summed_with_the_weights_of_the_model_card() -> None:
    read = answer(completion(PAIRS, tokens(ATTRIBUTES)))
    assert read.value == pytest.approx(CARD, abs=1e-12)


def test_a_message_that_is_an_object_is_read_too() -> None:
    body = completion("", message={"role": "assistant", "content": "reward: -1.5"})
    assert answer(body) == Reward(-1.5)


def test_the_users_weights_go_before_the_cards() -> None:
    weights: Json = {"helpfulness": 1, "verbosity": -2}
    assert answer(completion(PAIRS), weights=weights).value == pytest.approx(1.61 - 2 * 0.51)
    assert answer(completion("quality:2.5"), weights={"quality": 2}) == Reward(5.0)
    assert answer(completion("reward:2.5"), weights={"reward": -1}) == Reward(-2.5)


def test_a_weighted_attribute_that_is_missing_leaves_no_reward() -> None:
    read = answer(completion(PAIRS), weights={"helpfulness": 1, "safety": 1})
    assert read == Unscored("unparsed", f"no reward in {PAIRS!r}")


def test_a_bare_number_has_no_name_to_be_weighted_by() -> None:
    read = answer(completion("2.5"), weights={"reward": 2})
    assert read == Unscored("unparsed", "no reward in '2.5'")


@pytest.mark.parametrize("content", [None, "", "see logprobs"])
def test_where_the_content_has_none_log_probabilities_are_the_numbers(content: Any) -> None:
    assert answer(completion(content, tokens({"reward": 7.25}))) == Reward(7.25)
    assert answer(completion(content, tokens(ATTRIBUTES))).value == pytest.approx(CARD)


def test_the_content_goes_before_log_probabilities() -> None:
    assert answer(completion("reward:-3.0", tokens({"reward": -0.01}))) == Reward(-3.0)


@pytest.mark.parametrize(
    ("content", "value"), [("-25.625", -25.625), (" 3 ", 3.0), ("1e-3", 0.001), ("+.5", 0.5)]
)
def test_a_bare_number_is_the_reward(content: str, value: float) -> None:
    # As a language model's log probabilities would be, these are of tokens, not of attributes.
    read = answer(completion(content, tokens({content: -0.02})))
    assert read == Reward(value)


@pytest.mark.parametrize(
    "content",
    [
        "The answer is 4.",
        "Answer: 42",
        "helpfulness:1.61,correctness:1.64",
        "reward:1.0,reward:2.0",
        "reward:high",
        "reward:",
        ":1.0",
        "reward:1_0",
        "reward:\u0663",
        "reward:1.0 or so",
        "reward:1.0,",
        "1,5",
        "1 2",
        "0x10",
    ],
)
def test_a_language_models_text_is_never_a_reward(content: str) -> None:
    read = answer(completion(content, tokens({"The": -0.1, " answer": -0.3})))
    assert read == Unscored("unparsed", f"no reward in {content!r}")


@pytest.mark.parametrize("number", ["nan", "NaN", "-inf", "Infinity", "1e999"])
def test_what_is_no_finite_number_is_no_reward(number: str) -> None:
    for content in (f"reward:{number}", number, PAIRS.replace("3.31", number)):
        read = answer(completion(content))
        assert isinstance(read, Unscored)
        assert read.status == "not-a-number"


@pytest.mark.parametrize("value", [float("nan"), "0.5", True, None, 10**400])
def test_log_probabilities_are_strict_too(value: Any) -> None:
    for named in ({"reward": value}, {**ATTRIBUTES, "coherence": value}):
        read = answer(completion(None, tokens(named)))
        assert isinstance(read, Unscored)
        assert read.status == "not-a-number"


def test_a_sum_beyond_every_float_is_no_reward() -> None:
    read = answer(completion("a:1e308,b:1e308"), weights={"a": 1, "b": 1})
    assert isinstance(read, Unscored)
    assert read.status == "not-a-number"


def test_finish_reason_length_is_a_success_and_nulls_are_no_model() -> None:
    assert provider().read(completion("reward:1.0"), CALL) == (Reward(1.0), Usage(78, 1), None)


def test_a_model_that_is_told_is_kept() -> None:
    body = {**completion("reward:1.0"), "model": "nvidia/m", "usage": None}
    assert provider().read(body, CALL) == (Reward(1.0), Usage(), "nvidia/m")


@pytest.mark.parametrize(
    "body",
    [
        {"choices": []},
        {"choices": [None]},
        completion(None),
        completion(""),
        completion("", message=[]),
        completion("", message=None),
        completion(None, {"content": None}),
        completion(None, {"content": [{"token": None, "logprob": 1.0}]}),
        completion([{"type": "text", "text": "reward:1.0"}]),
    ],
)
def test_a_reply_without_content_is_empty(body: Json) -> None:
    read = answer(body)
    assert isinstance(read, Unscored)
    assert read.status == "empty"


def test_a_withheld_answer_is_told_as_such() -> None:
    read = answer(completion("reward:1.0", finish_reason="content_filter"))
    assert read == Unscored("content-filter", "the provider withheld the answer")


@pytest.mark.parametrize("body", [None, [], {}, {"choices": None}, {"choices": {}}, "reward:1.0"])
def test_what_is_no_completion_is_malformed(body: Json) -> None:
    with pytest.raises(MalformedBodyError, match="`choices`"):
        provider().read(body, CALL)


def test_a_stored_reply_reads_as_it_did() -> None:
    body = completion(PAIRS, tokens(ATTRIBUTES))
    reply = provider().reply(provider().split(body)[0], CALL)
    assert HostedScorer(provider()).parse(CALL, reply.raw) == reply.answer
