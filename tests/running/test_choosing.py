"""From model names and options to scorers: which option is whose, and what is refused."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import pytest

from rmjudge import PairwiseScorer, Scorer, UsageError
from rmjudge.calls import CompareCall, Json, RewardCall
from rmjudge.options import ProviderOptions, RunOptions
from rmjudge.providers.hosted import HostedScorer
from rmjudge.providers.listing import listings
from rmjudge.running.choosing import choose
from rmjudge.running.pricing import FREE

HOST: Final = "http://127.0.0.1:8000"
JUDGE: Final = f"openai/judge@{HOST}/v1"
REWARD: Final = f"vllm/rm@{HOST}"
RENDERED: Final = f"sglang/rm@{HOST}"
PAIR_TEMPLATE: Final = "{{ prompt }} {{ response_a }} {{ response_b }}"
CHAT_TEMPLATE: Final = "{% for turn in messages %}<{{ turn.role }}>{{ turn.content }}{% endfor %}"


@pytest.fixture(autouse=True)
def _no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for item in listings():
        for variable in (*item.key_variables, item.url_variable):
            if variable:
                monkeypatch.delenv(variable, raising=False)


@pytest.fixture
def template(tmp_path: Path) -> Path:
    path = tmp_path / "question.j2"
    path.write_text(PAIR_TEMPLATE)
    return path


@pytest.fixture
def chat_template(tmp_path: Path) -> Path:
    path = tmp_path / "chat.j2"
    path.write_text(CHAT_TEMPLATE)
    return path


class Mine(PairwiseScorer):
    name, version = "mine/judge", "1"

    def compare(self, prompt: str, first: str, second: str) -> float:
        return 0.5


def scorers(models: str | Sequence[str | Scorer], **options: Any) -> list[Scorer]:
    named = [models] if isinstance(models, str) else models
    return [chosen.scorer for chosen in choose(named, RunOptions(**options))]


def body(scorer: Scorer) -> dict[str, Json]:
    assert isinstance(scorer, HostedScorer)
    call = CompareCall("p", "a", "b") if scorer.method == "pairwise" else RewardCall("p", "a")
    return scorer._provider.build([call]).body


def refused(models: str | Sequence[str | Scorer], **options: Any) -> str:
    with pytest.raises(UsageError) as caught:
        scorers(models, **options)
    return str(caught.value)


def test_scorers_stand_in_the_order_they_are_named_in() -> None:
    found = scorers([REWARD, "baseline/length", Mine(), JUDGE])
    assert [scorer.name for scorer in found] == [
        "vllm/rm",
        "baseline/length",
        "mine/judge",
        "openai/judge",
    ]


def test_no_model_is_refused_with_an_example() -> None:
    assert "such as openai/gpt-4.1" in refused([])


def test_what_is_no_scorer_is_refused() -> None:
    wrong: Any = 5
    assert "5 is no model name and no scorer" in refused([wrong])


def test_a_model_that_is_named_twice_is_refused() -> None:
    assert refused([JUDGE, JUDGE]) == "openai/judge is named twice"
    assert "mine/judge is named twice" in refused([Mine(), Mine()])


# --base-url


def test_a_base_url_is_the_one_hosted_model_s() -> None:
    (judge, baseline) = scorers(["openai/judge", "baseline/length"], base_url=HOST)
    assert judge.identity["url"] == HOST
    assert "url" not in baseline.identity


@pytest.mark.parametrize(
    "models",
    [
        ["openai/judge", "vllm/rm"],
        [JUDGE],
        ["baseline/length"],
    ],
    ids=["two hosted models", "a model with an address", "no hosted model"],
)
def test_a_base_url_that_is_not_one_model_s_is_refused(models: list[str]) -> None:
    assert "--base-url is for a run with one hosted model" in refused(models, base_url=HOST)


# --method, --votes


@pytest.mark.parametrize(
    ("method", "scores"),
    [
        (None, "pairwise"),
        ("pairwise-two-level", "pairwise"),
        ("pointwise", "pointwise"),
        ("pointwise-logprob", "pointwise"),
    ],
)
def test_a_judge_is_asked_by_the_method(method: str | None, scores: str) -> None:
    (judge,) = scorers(JUDGE, method=method)
    assert judge.method == scores
    assert judge.identity["judging"] == method or method is None


def test_every_method_is_another_identity() -> None:
    methods = ("pairwise", "pairwise-two-level", "pairwise-logprob", "pointwise")
    found = [scorers(JUDGE, method=method)[0].identity for method in methods]
    assert len({identity["template"] for identity in found if identity["template"]}) == 4
    assert scorers(JUDGE)[0].identity == found[0]


@pytest.mark.parametrize("option", [{"method": "pointwise"}, {"votes": 2}])
@pytest.mark.parametrize("models", [[REWARD], ["baseline/length"], [Mine()]])
def test_an_option_for_judges_is_refused_where_there_is_none(
    models: Sequence[str | Scorer], option: dict[str, Any]
) -> None:
    (name,) = option
    assert refused(models, **option) == f"--{name} is for judges, and this run has none"


def test_an_option_for_judges_leaves_a_reward_model_as_it_is() -> None:
    (alone,) = scorers(REWARD)
    reward, judge = scorers([REWARD, JUDGE], method="pointwise", votes=3)
    assert reward.identity == alone.identity
    assert (reward.votes, judge.votes) == (1, 3)


def test_one_vote_is_asked_for_without_chance_and_several_with() -> None:
    assert body(*scorers(JUDGE))["temperature"] == 0
    assert body(*scorers(JUDGE, votes=2))["temperature"] == 1
    assert body(*scorers(JUDGE, votes=2, params={"temperature": 0.5}))["temperature"] == 0.5


def test_the_number_of_votes_beyond_one_is_no_part_of_the_identity() -> None:
    assert scorers(JUDGE, votes=3)[0].identity == scorers(JUDGE, votes=5)[0].identity
    assert scorers(JUDGE, votes=3)[0].identity != scorers(JUDGE)[0].identity


@pytest.mark.parametrize("provider", ["groq", "siliconflow", "anthropic"])
@pytest.mark.parametrize("method", ["pairwise-logprob", "pointwise-logprob"])
def test_a_provider_that_tells_no_probabilities_is_refused_for_a_method_that_needs_them(
    provider: str, method: str
) -> None:
    said = refused(f"{provider}/m@{HOST}", method=method)
    assert said.startswith(f"{provider}/m: {method} needs token probabilities")


def test_a_decision_endpoint_is_no_judge_that_has_methods() -> None:
    assert "--method is for judges" in refused(f"systemone/m@{HOST}", method="pairwise")


# --template


def test_a_template_is_the_judge_s_question(template: Path) -> None:
    (judge,) = scorers(JUDGE, template=template)
    assert judge.identity["template"] == PAIR_TEMPLATE
    assert body(judge)["messages"] == [{"role": "user", "content": "p a b"}]


def test_a_template_is_a_rendering_server_s_chat_template(chat_template: Path) -> None:
    (reward,) = scorers(RENDERED, template=chat_template)
    assert reward.identity["template"] == CHAT_TEMPLATE
    assert body(reward) == {"text": ["<user>p<assistant>a"]}


def test_a_template_leaves_a_server_that_renders_itself_as_it_is(template: Path) -> None:
    (alone,) = scorers(REWARD)
    _, reward = scorers([JUDGE, REWARD], template=template)
    assert reward.identity == alone.identity


def test_a_template_that_could_be_either_s_is_refused(template: Path) -> None:
    said = refused([RENDERED, JUDGE], template=template)
    assert "openai/judge's question or sglang/rm's chat template" in said
    assert "[provider.NAME]" in said


@pytest.mark.parametrize("models", [[REWARD], ["baseline/length"], [f"systemone/m@{HOST}"]])
def test_a_template_that_is_nobody_s_is_refused(models: list[str], template: Path) -> None:
    said = refused(models, template=template)
    assert "--template is for judges, for servers that want rendered text and for local" in said


def test_both_kinds_may_have_a_template_of_their_own(template: Path, chat_template: Path) -> None:
    own = {
        "openai": ProviderOptions(template=template),
        "sglang": ProviderOptions(template=chat_template),
    }
    judge, reward = scorers([JUDGE, RENDERED], providers=own)
    assert judge.identity["template"] == PAIR_TEMPLATE
    assert reward.identity["template"] == CHAT_TEMPLATE


def test_a_template_of_the_run_wins_over_a_provider_s(template: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.j2"
    other.write_text(PAIR_TEMPLATE + " other")
    own = {"openai": ProviderOptions(template=other)}
    (judge,) = scorers(JUDGE, template=template, providers=own)
    assert judge.identity["template"] == PAIR_TEMPLATE


def test_a_provider_that_takes_no_template_refuses_one_of_its_own(template: Path) -> None:
    own = {"vllm": ProviderOptions(template=template)}
    assert "vllm/rm takes no --template" in refused(REWARD, providers=own)


def test_a_pairwise_template_is_refused_for_a_pointwise_method(template: Path) -> None:
    assert "'response_a' is undefined" in refused(JUDGE, method="pointwise", template=template)


# What else a run may set


def test_a_run_s_options_win_over_a_provider_s() -> None:
    own = {"openai": ProviderOptions(concurrency=3, params={"seed": 1, "top_p": 0.5})}
    (judge,) = scorers(JUDGE, providers=own)
    assert (judge.concurrency, body(judge)["seed"]) == (3, 1)
    (judge,) = scorers(JUDGE, providers=own, concurrency=5, params={"seed": 2})
    assert (judge.concurrency, body(judge)["seed"], body(judge)["top_p"]) == (5, 2, 0.5)


def test_a_provider_s_address_is_used_where_the_model_names_none() -> None:
    own = {"openai": ProviderOptions(base_url=f"{HOST}/other")}
    (judge,) = scorers("openai/judge", providers=own)
    assert judge.identity["url"] == f"{HOST}/other"
    (judge,) = scorers(JUDGE, providers=own)
    assert judge.identity["url"] == f"{HOST}/v1"


def test_what_runs_here_is_free() -> None:
    found = choose(["baseline/length", Mine()], RunOptions())
    assert [chosen.price for chosen in found] == [FREE, FREE]


def test_a_list_price_holds_at_the_vendor_s_own_address_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-not-a-real-key")
    there, elsewhere = (
        choose([model], RunOptions())[0].price
        for model in ("openai/gpt-4.1", f"openai/gpt-4.1@{HOST}")
    )
    assert there is not None
    assert elsewhere is None


def test_a_price_of_the_users_own_holds_at_any_address() -> None:
    prices = {"openai/judge": {"input": 3, "output": 4}}
    (chosen,) = choose([JUDGE], RunOptions(prices=prices))
    assert chosen.price is not None
    assert (chosen.price.input, chosen.price.output) == (3, 4)


def test_votes_on_probabilities_are_refused() -> None:
    options = RunOptions(method="pairwise-logprob", votes=3)
    with pytest.raises(UsageError, match="asks for samples"):
        choose(["openai/m@http://127.0.0.1:1/v1"], options)
