"""`rmjudge score`: a prompt and responses of the user's own, as a user gives them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from served import StubServer

if TYPE_CHECKING:
    from command import Cli
    from served import ModelServer

PROMPT = ("--prompt", "Name a prime.")


def scored(cli: Cli, *words: object, code: int = 0) -> dict[str, Any]:
    done = cli("score", *words, "--json")
    assert done.returncode == code, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def prefers_seven(body: Any) -> dict[str, Any]:
    """A judge that prefers 7, but not to itself, and else what stands first."""
    text = body["messages"][-1]["content"]
    seven, other = text.find("It is 7."), max(text.find("It is 9."), text.find("It is 8."))
    wins_first = seven < other if seven >= 0 and "It is 8." not in text else True
    said = "\\boxed{A>B}" if wins_first else "\\boxed{B>A}"
    choice = {"index": 0, "message": {"role": "assistant", "content": said}}
    return {"model": "m", "choices": [{**choice, "finish_reason": "stop"}]}


def test_rewards_stand_in_the_order_of_the_responses(cli: Cli) -> None:
    texts = ("--response", "seven", "--response", "It is 7.", "--response", "7")
    (found,) = scored(cli, "baseline/length", *PROMPT, *texts)["scorers"]
    assert (found["scorer"], found["method"], found["rewards"]) == (
        "baseline/length",
        "pointwise",
        [5, 8, 1],
    )


def test_a_reward_server_is_asked_once_a_text_and_never_again(
    cli: Cli, server: ModelServer
) -> None:
    texts = ("--response", "7", "--response", "8", "--response", "7")
    first = scored(cli, server.reward, *PROMPT, *texts)["scorers"][0]
    assert server.stats["received"] == 2
    assert first["rewards"][0] == first["rewards"][2] != first["rewards"][1]
    again = scored(cli, server.reward, *PROMPT, *texts)["scorers"][0]
    assert (server.stats["received"], again["calls"]) == (2, {"from_cache": 2, "sent": 0})
    assert again["rewards"] == first["rewards"]


def test_an_answer_that_a_run_has_bought_is_not_bought_again(cli: Cli, server: ModelServer) -> None:
    item = {"id": 1, "domain": "chat", "prompt": "Name a prime."}
    texts = {"chosen": ["7", "It is 7.", "**7**"], "rejected": ["8", "It is 8.", "**8**"]}
    (cli.home / "data.json").write_text(json.dumps([{**item, **texts}]), "utf-8")
    assert cli("run", server.reward, "--data", "data.json", "--out", "o").returncode == 0
    (cell,) = map(json.loads, (cli.home / "o/results.jsonl").read_text("utf-8").splitlines())
    found = scored(cli, server.reward, *PROMPT, "--response", "**7**")["scorers"][0]
    assert (found["rewards"], found["calls"]["sent"]) == ([cell["score_chosen"][2]], 0)


def test_a_judge_compares_every_two_in_both_orders(cli: Cli) -> None:
    with StubServer(prefers_seven) as judge:
        texts = ("--response", "It is 9.", "--response", "It is 7.", "--response", "It is 8.")
        found = scored(cli, f"openai/j@{judge.url}/v1", *PROMPT, *texts)["scorers"][0]
        assert len(judge.asked) == 6
    nine_seven, nine_eight, seven_eight = found["comparisons"]
    assert nine_seven == {
        "responses": [1, 2],
        "shown_first": 0.0,
        "shown_second": 0.0,
        "credit": 0.0,
        "contradicted": False,
    }
    # Of the pairs with 8 the first shown wins, whichever it is.
    for pair in (nine_eight, seven_eight):
        assert (pair["shown_first"], pair["shown_second"]) == (1.0, 0.0)
        assert (pair["credit"], pair["contradicted"]) == (0.5, True)
    assert found["wins"] == [0.25, 0.75, 0.5]


def test_equal_responses_are_a_tie_that_no_judge_is_asked_about(
    cli: Cli, server: ModelServer
) -> None:
    found = scored(cli, server.judge, *PROMPT, "--response", "7", "--response", "7")["scorers"][0]
    assert (found["wins"], server.stats["received"]) == ([0.5, 0.5], 0)


def test_the_table_tells_that_the_orders_contradict_each_other(cli: Cli) -> None:
    with StubServer(prefers_seven) as judge:
        texts = ("--response", "It is 9.", "--response", "It is 8.")
        done = cli("score", f"openai/j@{judge.url}/v1", *PROMPT, *texts)
    assert "the orders contradict each other" in done.stdout


def test_an_at_sign_names_a_file_and_two_begin_a_text_with_one(cli: Cli) -> None:
    (cli.home / "answer.txt").write_bytes(b"four\n\n")
    texts = ("--response", "@answer.txt", "--response", "@@home")
    (found,) = scored(cli, "baseline/length", *PROMPT, *texts)["scorers"]
    # An editor's last line break is no part of the text; the one before it is.
    assert found["rewards"] == [len("four\n"), len("@home")]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--response", "@absent.txt"), "absent.txt: No such file or directory"),
        (("--response", "@latin.txt"), "latin.txt is no text in UTF-8"),
        (("--response", ""), "response 1 is empty"),
        ((), "the following arguments are required: --response"),
    ],
)
def test_a_text_that_cannot_be_meant_is_refused(
    cli: Cli, words: tuple[str, ...], says: str
) -> None:
    (cli.home / "latin.txt").write_bytes(b"\xe9")
    done = cli("score", "baseline/length", *PROMPT, *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr


def test_one_response_is_too_few_for_a_judge(cli: Cli, server: ModelServer) -> None:
    done = cli("score", server.judge, "baseline/length", *PROMPT, "--response", "7")
    assert (done.returncode, server.stats["received"]) == (2, 0)
    assert "openai/judge compares responses: give --response twice" in done.stderr


def test_the_file_of_options_gives_models_and_their_options_not_those_of_tuples(
    cli: Cli, server: ModelServer
) -> None:
    toml = f'models = ["{server.reward}"]\ndata = ["absent"]\norder = "both"\ncache_dir = "kept"\n'
    (cli.home / "rmjudge.toml").write_text(toml, "utf-8")
    (found,) = scored(cli, *PROMPT, "--response", "7")["scorers"]
    assert found["scorer"] == "vllm/rm"
    assert (cli.home / "kept").is_dir()


def test_an_option_of_tuples_is_none_of_this_command(cli: Cli) -> None:
    done = cli("score", "baseline/length", *PROMPT, "--response", "7", "--order", "both")
    assert (done.returncode, "--order" in done.stderr) == (2, True)


def test_a_reply_without_a_score_ends_with_1_and_keeps_the_rest(cli: Cli) -> None:
    def reply(body: Any) -> dict[str, Any]:
        value = "NaN" if "bad" in json.dumps(body) else 1.5
        return {"data": [{"index": 0, "probs": [value], "num_classes": 1}], "model": "m"}

    with StubServer(reply) as rewards:
        texts = ("--response", "bad", "--response", "good")
        found = scored(cli, f"vllm/rm@{rewards.url}", *PROMPT, *texts, code=1)
    assert found["scorers"][0]["rewards"] == [None, 1.5]
    assert any("not-a-number" in note for note in found["scorers"][0]["notes"])


def test_a_ceiling_stops_it_and_what_was_bought_is_kept(cli: Cli, server: ModelServer) -> None:
    texts = ("--response", "7", "--response", "8")
    found = scored(cli, server.reward, *PROMPT, *texts, "--max-calls", "1", code=3)["scorers"][0]
    assert sorted(value is None for value in found["rewards"]) == [False, True]
    scored(cli, server.reward, *PROMPT, *texts)
    assert server.stats["received"] == 2
