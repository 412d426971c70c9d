"""What the words of an error mean, in the words that vendors and gateways use."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest

from rmjudge.providers.sending.errors import classify, unread
from rmjudge.providers.sending.messages import (
    CallError,
    FinalForCall,
    FinalForRun,
    RawReply,
    Retryable,
)
from rmjudge.providers.sending.policy import Policy

Row = tuple[int, Any]
ACCOUNT: dict[str, Row] = {
    "suspended": (429, {"error": {"message": "Your account org-1 is suspended, check your plan"}}),
    "OpenAI's project": (
        403,
        {"error": {"message": "Project `p` does not have access to model `gpt-5`"}},
    ),
    "xAI's team": (403, {"code": "no", "error": "Your team doesn't have any credits yet."}),
    "Anthropic's usage limit": (
        400,
        {"error": {"message": "You have reached your specified API usage limits."}},
    ),
    "LiteLLM's budget": (400, {"error": {"message": "Budget has been exceeded! Current cost: 9"}}),
    "LiteLLM's team": (403, {"error": {"message": "team not allowed to access model. This team"}}),
    "Bedrock's access": (403, {"Message": "You don't have access to the model with the ID."}),
    "Gemini's key": (400, [{"error": {"message": "API key not valid. Please pass a valid one."}}]),
    "requests of a day": (
        429,
        {
            "error": {
                "message": "Rate limit on requests per day (RPD)",
                "code": "rate_limit_exceeded",
            }
        },
    ),
    "HF's credits": (429, {"error": "You have run out of monthly included credits"}),
    "OpenRouter's key limit": (403, {"error": {"message": "Key limit exceeded (total limit)."}}),
    "an account without balance": (403, {"error": "This account has no remaining balance"}),
    "a model that may be there": (
        403,
        {"error": {"message": "The model `x` does not exist or you do not have access to it."}},
    ),
    "Bedrock, named": (403, {"message": "Access to model anthropic.claude denied"}),
    "Google's leaked key": (403, {"error": {"message": "Your API key was reported as leaked."}}),
    "OpenAI's region": (403, {"error": {"message": "Country or territory not supported"}}),
    "an unverified organization": (
        403,
        {"error": {"message": "Your organization must be verified to use the model `o3`."}},
    ),
    "an address off the list": (403, {"error": "IP address 10.0.0.1 is not in the allowlist"}),
    "a retired model": (400, {"error": {"message": "Model foo has been decommissioned"}}),
    "MiniMax's missing key": (
        200,
        {"base_resp": {"status_msg": "login fail: Please carry the API secret key"}},
    ),
    "Cloudflare's key": (200, {"success": False, "errors": [{"message": "Authentication error"}]}),
}
PASSING: dict[str, Row] = {
    "OpenAI's minute, with its link": (
        429,
        {
            "error": {
                "message": "Rate limit reached for gpt-4 on requests per min. Visit "
                "https://platform.openai.com/account/billing to add a payment method.",
                "code": "rate_limit_exceeded",
            }
        },
    ),
    "Gemini's minute": (
        429,
        {
            "error": {
                "message": "You exceeded your current quota, please check your plan and billing.",
                "details": [{"retryDelay": "34s"}],
            }
        },
    ),
    "Google's minute, without details": (
        429,
        {"error": {"message": "Resource has been exhausted (e.g. check quota)."}},
    ),
    "Azure's minute": (429, {"error": {"message": "exceeded call rate limit of your S0 tier"}}),
    "a gateway's page about a policy": (
        502,
        "<html><body>Blocked by the safety policy</body></html>",
    ),
}
ONE_CALL: dict[str, Row] = {
    "more than a minute's tokens": (
        429,
        {"error": {"message": "Request too large for gpt-4o on tokens per min (TPM): Limit 3"}},
    ),
    "llama.cpp's 500": (500, {"error": {"message": "input is too large to process"}}),
    "an upstream's words at OpenRouter": (
        403,
        {
            "error": {
                "message": "Provider returned error",
                "metadata": {"raw": '{"error": {"message": "Content violates usage guidelines"}}'},
            }
        },
    ),
    "a guardrail's topic": (403, {"message": "Blocked: the input matches a denied topic"}),
    "a toxicity score": (403, {"detail": "Prompt rejected: toxicity score 0.97"}),
    "personal data": (403, {"error": "The prompt may include personal data"}),
    "a quoted prompt about accounts": (
        400,
        {"message": f'cannot parse "{"My account is suspended, insufficient balance. " * 3}"'},
    ),
}
ACCOUNT |= {
    "a trial's month": (
        429,
        {"message": "a Trial key, which is limited to 1000 API calls / month"},
    ),
    "Moonshot's key": (400, {"error": {"message": "Invalid Authentication"}}),
    "an expired token": (400, {"error": {"message": "Token expired"}}),
}
ONE_CALL |= {
    "a rule of a firewall": (403, "Forbidden: request body matches WAF rule 941100"),
    "a context in llama.cpp's words": (500, {"error": "prompt tokens (9000) > n_ctx (4096)"}),
}
ABSENT: Final[tuple[Row, ...]] = (
    (400, {"error": {"message": "Invalid model: foo"}}),
    (400, {"error": {"message": "Model Not Exist", "type": "invalid_request_error"}}),
    (400, {"error": {"message": "it is not there", "code": "model_not_found"}}),
    (404, {"error": {"message": "The model `x` does not exist"}}),
    (400, {"error": {"message": "Unknown model: openai/x", "code": "unknown_model"}}),
    (400, {"error": {"message": "x/y is not a valid model ID"}}),
    (400, {"message": "The provided model identifier is invalid."}),
    (400, {"message": "Invocation of model ID x with on-demand throughput isn\u2019t supported."}),
    (400, {"error": {"message": "The requested model 'x' is not supported by any provider."}}),
    (400, {"error": {"message": "No models loaded. Please load a model first."}}),
    (500, {"error": "model 'x' not found, try pulling it first"}),
    (422, {"detail": "Model x is not available"}),
    (400, {"success": False, "errors": [{"code": 5007, "message": "No such model @cf/x or task"}]}),
    (400, {"error": {"code": "1211", "message": "\u6a21\u578b\u4e0d\u5b58\u5728"}}),
    (503, {"error": {"message": "No available channel for model x", "code": "model_not_found"}}),
    (503, {"error": {"message": "There are no channels available for model x under this group"}}),
    (400, {"error": {"message": "This is not a chat model and thus not supported here"}}),
    (400, {"error": {"message": "only supported in v1/responses, not in v1/chat/completions"}}),
    (400, {"error": '"nomic-embed-text" does not support chat'}),
    (400, {"error": {"message": "The model does not support Chat Completions API"}}),
    (400, {"error": {"message": "The specified model does not exist"}}),
    (400, {"error": {"message": "Requested model x not in the list of available models"}}),
    (403, {"error": {"message": "Model not found: x"}}),
    (400, "Cannot POST /chat/completions"),
    (400, {"error": {"message": "Unknown path: /chat/completions"}}),
    (422, {"detail": "Not Found"}),
    (200, {"base_resp": {"status_code": 2013, "status_msg": "invalid params, unknown model 'x'"}}),
    (200, {"error": "model 'x' not found"}),
)
NOT_ABSENT: Final[tuple[Row, ...]] = (
    (503, {"error": "Model x is currently loading", "estimated_time": 20.0}),
    (503, {"error": {"message": "The model is overloaded. Please try again later."}}),
    (429, {"error": {"message": "No deployments available for selected model, Try again in 5 s"}}),
    (503, {"error": {"message": "The model x is not available right now, retry in 10 s"}}),
    (500, {"error": {"message": "The model produced invalid content."}}),
    (500, {"error": {"message": "Invalid model output"}}),
    (500, {"error": {"message": "Tool 'x' not found in model response"}}),
    (502, "<html><title>502</title>page not found</html>"),
    (400, {"error": {"message": "This model's maximum context length is 4096 tokens"}}),
    (400, {"error": {"message": "Model x does not support image input"}}),
    (400, {"error": {"message": "System role not supported"}}),
    (400, {"error": {"message": "max_tokens is not supported with this model."}}),
    (400, {"error": {"message": "this model is not supported with that", "param": "temperature"}}),
    (400, {"error": {"message": "The prompt for model x was blocked by content policy"}}),
    (400, {"error": {"message": f'cannot parse "{"The model does not exist. " * 5}"'}}),
)
KINDS = {FinalForRun: ACCOUNT, Retryable: PASSING, FinalForCall: ONE_CALL}


@pytest.mark.parametrize(
    ("kind", "row"),
    [(kind, row) for kind, rows in KINDS.items() for row in rows.values()],
    ids=[name for rows in KINDS.values() for name in rows],
)
def test_words_decide_before_the_status(kind: type, row: Row) -> None:
    assert type(error_of(row)) is kind


def error_of(row: Row) -> CallError | None:
    status, body = row
    data = body if isinstance(body, str) else json.dumps(body)
    reply = RawReply(status, {}, data.encode())
    return classify(reply, Policy()) or unread(reply, Policy())


@pytest.mark.parametrize("row", ABSENT, ids=str)
def test_a_model_or_a_path_that_is_not_there_ends_the_run(row: Row) -> None:
    found = error_of(row)
    assert isinstance(found, FinalForRun)
    assert not found.in_doubt


@pytest.mark.parametrize("row", NOT_ABSENT, ids=str)
def test_words_on_a_model_that_is_there_do_not_end_the_run(row: Row) -> None:
    assert isinstance(error_of(row), (FinalForCall, Retryable))


IN_SUCCESS: Final[tuple[tuple[type, Any], ...]] = (
    (FinalForRun, {"code": 401, "msg": "invalid api key"}),
    (FinalForRun, {"Response": {"Error": {"Code": "Failed", "Message": "insufficient balance"}}}),
    (FinalForRun, {"meta": {"error": "unauthorized: invalid api key"}}),
    (FinalForRun, {"result": {"error": "quota exceeded: insufficient balance"}}),
    (FinalForRun, {"header": {"code": 11200, "message": "licc fail: insufficient quota"}}),
    (FinalForRun, {"Error": {"Message": "no access to this model"}}),
    (FinalForRun, "Unauthorized"),
    (FinalForRun, [{"error": {"message": "API key not valid"}}]),
    (FinalForCall, {"errors": ["content policy violation"]}),
    (FinalForCall, "Blocked by the guardrail: prompt injection detected"),
    (Retryable, {"error_code": 18, "error_msg": "Open api qps request limit reached"}),
    (Retryable, {"message": "no healthy upstream"}),
)


@pytest.mark.parametrize(("kind", "body"), IN_SUCCESS, ids=str)
def test_an_error_in_a_success_is_read_wherever_its_words_stand(kind: type, body: Any) -> None:
    assert type(error_of((200, body))) is kind


@pytest.mark.parametrize(
    "body",
    [
        '{"choices": [{"message": {"content": "That is unsafe: it violates the content polic',
        "<html><body>Unauthorized</body></html>",
        "x" * 600 + " invalid api key",
    ],
)
def test_words_of_a_reply_that_broke_off_are_not_the_servers(body: str) -> None:
    assert error_of((200, body)) is None
