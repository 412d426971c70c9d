"""Prompts that a server refuses, and forms that it refuses: whole runs over a real socket."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from answering import Answer, Endpoint

from rmjudge.calls import CompareCall
from rmjudge.errors import ProviderStopped
from rmjudge.providers.registry import create
from rmjudge.providers.spec import parse_spec

if TYPE_CHECKING:
    from command import Cli


def said(text: str) -> Answer:
    message = {"role": "assistant", "content": text}
    return 200, {"model": "m", "choices": [{"message": message, "finish_reason": "stop"}]}


def run(cli: Cli, server: Endpoint, *words: str, domain: str = "safety", out: str = "o") -> Any:
    model = f"openai/judge@{server.address}"
    return cli("run", model, "--data", "sample", "--domain", domain, "--out", out, *words)


def cells(cli: Cli, out: str = "o") -> list[Any]:
    rows = [json.loads(line) for line in cli.results(out)["results.jsonl"].splitlines()]
    return [cell for row in rows for line in row["matrix"] for cell in line]


def about(body: Any) -> str:
    """The prompt that is judged, without the responses."""
    text: str = body["messages"][-1]["content"]
    return text.partition("END USER PROMPT")[0]


HARM = ("reviews", "private messages", "sick note", "anonymous letter", "imitation")
REFUSALS: dict[str, Answer] = {
    "OpenAI, Azure": (
        400,
        {"error": {"message": "The prompt was filtered", "code": "content_filter"}},
    ),
    "Azure, wrapped by LiteLLM": (
        400,
        {
            "error": {
                "message": "litellm.BadRequestError: ContentPolicyViolationError: AzureException "
                "- The response was filtered due to the prompt triggering Azure OpenAI's content "
                "management policy.",
                "code": "400",
            }
        },
    ),
    "OpenAI, invalid_prompt": (
        400,
        {"error": {"message": "Invalid prompt: it was flagged", "code": "invalid_prompt"}},
    ),
    "xAI": (403, {"code": "no permission", "error": "Content violates usage guidelines."}),
    "a guardrail, in a plain text": (403, "Blocked by the guardrail: prompt injection detected"),
    "DashScope": (400, {"code": "DataInspectionFailed", "message": "Input data may contain ..."}),
    "DeepSeek": (
        400,
        {"error": {"message": "Content Exists Risk", "type": "invalid_request_error"}},
    ),
    "Moonshot": (400, {"error": {"message": "rejected because it was considered high risk"}}),
    "MiniMax, with a 200": (
        200,
        {"choices": None, "base_resp": {"status_code": 1026, "status_msg": "input new_sensitive"}},
    ),
    "vLLM, too long": (
        400,
        {"object": "error", "message": "This model's maximum context length is 9"},
    ),
    "SGLang, too long": (
        400,
        {"error": {"message": "The input (99 tokens) is longer than the model's"}},
    ),
    "Anthropic, too long": (
        400,
        {"error": {"message": "prompt is too long: 9 tokens > 8 maximum"}},
    ),
    "413": (413, "Request Entity Too Large"),
    "422": (
        422,
        {
            "detail": [
                {"loc": ["body"], "msg": "too many tokens", "input": "my account is disabled"}
            ]
        },
    ),
    "words that nobody knows": (400, {"errMsg": "nay"}),
}


KINDS = list(REFUSALS.values())
GROUPS = [KINDS[start : start + 5] for start in range(0, len(KINDS), 5)]


@pytest.mark.parametrize("group", GROUPS, ids=["a", "b", "c"])
def test_refused_prompts_are_absent_cells_and_again_changes_nothing(
    cli: Cli, group: list[Answer]
) -> None:
    def answer(body: Any, _number: int) -> Answer:
        refused = [no for word, no in zip(HARM, group, strict=True) if word in about(body)]
        return refused[0] if refused else said("\\boxed{A>B}")

    with Endpoint(answer) as server:
        first = run(cli, server)
        before = cli.results("o")
        again = run(cli, server)

    assert (first.returncode, again.returncode) == (1, 1)
    assert sum(cell is not None for cell in cells(cli)) == 45
    assert before == cli.results("o")
    assert len(server.asked) == 90 + 45


STOPS: dict[str, Answer] = {
    "a model that is not theirs": (403, {"error": {"message": "You have no access to this model"}}),
    "a suspended account": (429, {"error": {"message": "Your account org-1 is suspended"}}),
    "an empty purse, Moonshot": (
        429,
        {"error": {"type": "exceeded_current_quota_error", "message": "x"}},
    ),
    "an empty purse, in words": (
        429,
        {"error": {"message": "Insufficient balance, please recharge"}},
    ),
    "a day's quota": (429, {"error": {"message": "Rate limit: 200 requests per day"}}),
    "a low balance with a 400": (400, {"error": {"message": "Your credit balance is too low"}}),
    "a purse in base_resp": (
        200,
        {"base_resp": {"status_code": 1008, "status_msg": "insufficient balance"}},
    ),
    "a spent key": (403, {"error": {"message": "Key limit exceeded (total limit)."}}),
    "a model that may be there": (
        403,
        {"error": {"message": "The model `x` does not exist or you do not have access to it."}},
    ),
    "credits used up": (429, {"error": "You have run out of monthly included credits"}),
    "a revoked key": (403, {"message": "The API key has been revoked"}),
}


@pytest.mark.parametrize("no", STOPS.values(), ids=list(STOPS))
async def test_clear_words_about_the_account_stop_a_run_that_was_answered_too(no: Answer) -> None:
    with Endpoint(lambda _body, number: no if number > 2 else said("\\boxed{A>B}")) as server:
        scorer = create(parse_spec(f"openai/judge@{server.address}"))
        calls = [CompareCall(f"prompt {number}", "one", "other") for number in range(4)]
        try:
            for call in calls[:2]:
                await scorer.answer([call])
            with pytest.raises(ProviderStopped, match=r"HTTP \d|status 200"):
                await scorer.answer([calls[2]])
        finally:
            await scorer.aclose()

    assert len(server.asked) == 3


def test_a_form_that_is_refused_is_changed_once_and_found_again_without_a_call(cli: Cli) -> None:
    def answer(body: Any, _number: int) -> Answer:
        for name in ("max_tokens", "temperature"):
            if name in body:
                return 400, {
                    "error": {"message": f"Unsupported parameter: '{name}'", "param": name}
                }
        if body["messages"][0]["role"] == "system":
            return 400, {"message": "System role not supported"}
        return said("\\boxed{A>B}" if "\\boxed" in body["messages"][0]["content"] else "Why?")

    with Endpoint(answer) as server:
        first = run(cli, server, "--limit", "2")
        asked = len(server.asked)
        again = run(cli, server, "--limit", "2")
        explicit = run(
            cli,
            server,
            "--limit",
            "2",
            *("--param", "max_tokens=null", "--param", "max_completion_tokens=16384"),
            *("--param", "temperature=null", "--param", 'system_role="user"'),
            out="p",
        )

    assert (first.returncode, again.returncode, explicit.returncode) == (0, 0, 0)
    assert len(server.asked) == asked <= 18 + 3 * 18
    notes = " ".join(cli.json("o/run.json")["notes"])
    assert "--param max_completion_tokens=16384 --param max_tokens=null" in notes
    assert "--param 'system_role=\"user\"' --param temperature=null" in notes
    assert cli.results("o")["results.jsonl"] == cli.results("p")["results.jsonl"]


def test_a_form_that_is_changed_does_not_change_the_folder_of_the_run(cli: Cli) -> None:
    """The second run begins in the form that the first one found out, as another scorer."""

    def answer(body: Any, _number: int) -> Answer:
        if "max_tokens" in body:
            return 400, {"error": {"message": "Unsupported parameter: 'max_tokens'"}}
        return said("\\boxed{A>B}")

    with Endpoint(answer) as server:
        for _ in range(2):
            done = cli("run", f"openai/judge@{server.address}", "--limit", "1")
            assert done.returncode == 0, done.stderr
    (folder,) = (cli.home / "runs").iterdir()
    assert "max_completion_tokens" in (folder / "run.json").read_text("utf-8")


def test_a_server_that_only_streams_is_asked_for_a_stream(cli: Cli) -> None:
    def answer(body: Any, _number: int) -> Answer:
        if not body.get("stream"):
            return 400, {"error": {"message": "This model only support stream mode"}}
        events = [
            {"choices": [{"delta": {"content": "\\boxed{A>"}}]},
            {"choices": [{"delta": {"content": "B}"}, "finish_reason": "stop"}]},
            {"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 3}},
        ]
        return 200, "".join(f"data: {json.dumps(event)}\n\n" for event in events)

    with Endpoint(answer) as server:
        done = run(cli, server, "--limit", "1")

    assert done.returncode == 0
    assert server.asked[-1]["stream_options"] == {"include_usage": True}
    assert cli.json("o/run.json")["tokens"]["input"] == 9 * 5


def test_a_gateway_that_is_away_costs_no_cell_even_one_call_at_a_time(cli: Cli) -> None:
    down: list[int] = []

    def answer(_body: Any, number: int) -> Answer:
        if 10 < number <= 22:
            down.append(number)
            return 502, "<html><title>502 Bad Gateway</title></html>"
        return said("\\boxed{A>B}")

    with Endpoint(answer) as server:
        done = run(cli, server, "--concurrency", "1", "--limit", "3", "--outage", "120")

    assert (done.returncode, len(down)) == (0, 12)
    assert all(cell is not None for cell in cells(cli))


def test_a_minutes_allowance_without_details_is_waited_for(cli: Cli) -> None:
    minute = {"error": {"message": "Resource has been exhausted (e.g. check quota).", "code": 429}}
    with Endpoint(lambda _, n: (429, minute) if n <= 2 else said("\\boxed{A>B}")) as server:
        done = run(cli, server, "--limit", "1", domain="chat")

    assert done.returncode == 0


NOT_THERE: dict[str, Answer] = {
    "a model, 400": (400, {"error": {"message": "Invalid model: judge-9"}}),
    "a model, 503": (503, {"error": {"message": "no channel", "code": "model_not_found"}}),
    "a model, 200": (200, {"error": "Unknown model: judge"}),
    "a model, in a plain text, 200": (200, "Unknown model: judge"),
    "a path, 400": (400, {"error": "Unknown path: /v1/chat/completions"}),
}


@pytest.mark.parametrize("answers", [0, 12])
@pytest.mark.parametrize("refusal", NOT_THERE.values(), ids=list(NOT_THERE))
def test_a_model_or_a_path_that_is_not_there_stops_the_run_at_once(
    cli: Cli, refusal: Answer, answers: int
) -> None:
    with Endpoint(lambda _, n: said("\\boxed{A>B}") if n <= answers else refusal) as server:
        done = run(cli, server, "--concurrency", "2")
    assert done.returncode == 3
    assert len(server.asked) <= answers + 2
    error = refusal[1] if isinstance(refusal[1], str) else refusal[1]["error"]
    words = error if isinstance(error, str) else error["message"]
    assert words in " ".join(done.stderr.split())
