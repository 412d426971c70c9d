"""`rmjudge.score`: a prompt and responses of one's own, from Python."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from own_scorers import Politeness, Shorter

import rmjudge

if TYPE_CHECKING:
    from command import Cli
    from served import ModelServer

PROMPT = "Name a prime."
TEXTS = ("It is 7.", "It is 9, I think.", "7")


def test_a_reward_model_gives_a_number_a_response() -> None:
    (found,) = rmjudge.score("baseline/length", PROMPT, TEXTS)
    assert (found.scorer, found.method, found.rewards) == (
        "baseline/length",
        "pointwise",
        (8, 17, 1),
    )
    assert (found.wins, found.comparisons, found.complete) == ((), (), True)


def test_a_judge_decides_between_every_two_in_both_orders() -> None:
    (found,) = rmjudge.score(Shorter(), PROMPT, TEXTS)
    assert (found.rewards, found.wins) == ((), (0.5, 0.0, 1.0))
    pairs = [(pair.one, pair.other, pair.credit) for pair in found.comparisons]
    assert pairs == [(0, 1, 1.0), (0, 2, 0.0), (1, 2, 0.0)]
    assert found.sent == 6


def test_it_says_what_the_command_says(cli: Cli, server: ModelServer) -> None:
    models = [server.reward, server.judge]
    found = rmjudge.score(models, PROMPT, TEXTS, cache_dir="one")
    words = [word for text in TEXTS for word in ("--response", text)]
    done = cli("score", *models, "--prompt", PROMPT, *words, "--json", "--cache-dir", "other")
    said = json.loads(done.stdout)["scorers"]
    assert list(found[0].rewards) == said[0]["rewards"]
    assert list(found[1].wins) == said[1]["wins"]
    before = server.stats["received"]
    assert [item.sent for item in rmjudge.score(models, PROMPT, TEXTS, cache_dir="one")] == [0, 0]
    assert server.stats["received"] == before


async def test_it_works_where_a_loop_is_running() -> None:
    called = rmjudge.score(Politeness(), PROMPT, TEXTS)
    awaited = await rmjudge.ascore(Politeness(), PROMPT, TEXTS)
    assert [item.rewards for item in awaited] == [item.rewards for item in called]


def test_a_call_without_a_score_is_none(server: ModelServer) -> None:
    server.control(script=["status:422"])
    (found,) = rmjudge.score(server.reward, PROMPT, TEXTS[:1])
    assert (found.rewards, found.complete) == ((None,), False)


def test_what_stops_it_is_raised_and_calling_again_goes_on(server: ModelServer) -> None:
    with pytest.raises(rmjudge.BudgetReached, match="--max-calls 2"):
        rmjudge.score(server.reward, PROMPT, TEXTS, max_calls=2)
    (found,) = rmjudge.score(server.reward, PROMPT, TEXTS)
    assert (found.from_cache, found.sent) == (2, 1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("baseline/length", PROMPT, []), "at least one"),
        (("baseline/length", "", TEXTS), "the prompt is empty"),
        (("baseline/length", PROMPT, "It is 7."), "responses, a list of texts"),
        (("baseline/length", PROMPT, [7]), "responses, a list of texts"),
        (("baseline/length", None, TEXTS), "a prompt, a text"),
        ((Shorter(), PROMPT, TEXTS[:1]), "compares responses"),
        (([], PROMPT, TEXTS), "name at least one model"),
    ],
)
def test_what_cannot_be_scored_is_refused(arguments: Any, message: str) -> None:
    with pytest.raises(rmjudge.UsageError, match=message):
        rmjudge.score(*arguments)


def test_options_of_a_data_set_are_none_of_its(server: ModelServer) -> None:
    options: Any = {"limit": 3}
    with pytest.raises(rmjudge.UsageError, match="score has no option 'limit'"):
        rmjudge.score(server.reward, PROMPT, TEXTS, **options)
    assert server.stats["received"] == 0
