"""What the words of an error mean, in the words that vendors and gateways use."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rmjudge.providers.sending.errors import classify, unread
from rmjudge.providers.sending.messages import FinalForCall, FinalForRun, RawReply, Retryable
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
KINDS = {FinalForRun: ACCOUNT, Retryable: PASSING, FinalForCall: ONE_CALL}


@pytest.mark.parametrize(
    ("kind", "row"),
    [(kind, row) for kind, rows in KINDS.items() for row in rows.values()],
    ids=[name for rows in KINDS.values() for name in rows],
)
def test_words_decide_before_the_status(kind: type, row: Row) -> None:
    status, body = row
    data = body if isinstance(body, str) else json.dumps(body)

    reply = RawReply(status, {}, data.encode())

    assert type(classify(reply, Policy()) or unread(reply, Policy())) is kind
