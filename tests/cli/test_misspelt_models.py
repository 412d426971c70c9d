"""A model that its server has not: the run stops, and the closest that is there is named."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest
from answering import Answer, Endpoint

if TYPE_CHECKING:
    from command import Cli

ABSENT: Final[Answer] = (
    404,
    {"error": {"message": "The model does not exist", "code": "model_not_found"}},
)
MANY: Final = ["gpt-4.1", "gpt-4.1-mini", "gpt-4.1-nano", *(f"whisper-{n}" for n in range(20))]


def data(*names: str) -> Any:
    return {"object": "list", "data": [{"id": name, "object": "model"} for name in names]}


def told(cli: Cli, spec: str, path: str, listed: Answer | None) -> str:
    with Endpoint(lambda *_: ABSENT) as server:
        server.lists = {path: listed} if listed else {}
        whole = spec.startswith(("anthropic", "gemini"))
        address = server.address.removesuffix("/v1") if whole else server.address
        found = cli("run", f"{spec}@{address}", "--data", "sample", "--out", "o")
    assert found.returncode == 3, found.stderr
    return " ".join(found.stderr.split())


@pytest.mark.parametrize(
    ("spec", "path", "listed", "meant"),
    [
        ("openai/gpt4.1-mini", "/v1/models", data(*MANY), "did you mean gpt-4.1-mini?"),
        ("openai-responses/gpt-41", "/v1/models", data(*MANY), "did you mean gpt-4.1?"),
        ("together/m/lama", "/v1/models", [{"id": "m/llama"}], "did you mean m/llama?"),
        ("vllm-chat/x", "/v1/models", data("Qwen/Qwen3-8B"), "the server has Qwen/Qwen3-8B"),
        (
            "anthropic/claude-sonet-4-5",
            "/v1/models?limit=1000",
            data("claude-sonnet-4-5", "claude-opus-4-5"),
            "did you mean claude-sonnet-4-5?",
        ),
        (
            "gemini/gemini-2.5-falsh",
            "/v1beta/models?pageSize=1000",
            {"models": [{"name": "models/gemini-2.5-flash"}]},
            "did you mean gemini-2.5-flash?",
        ),
    ],
)
def test_a_refusal_names_the_model_that_was_meant(
    cli: Cli, spec: str, path: str, listed: Any, meant: str
) -> None:
    assert f"; {meant}" in told(cli, spec, path, (200, listed))


@pytest.mark.parametrize(
    "listed",
    [
        None,
        (200, "<html>"),
        (200, {"data": "x"}),
        (200, {"data": [1, None, {"id": 3}]}),
        (401, {}),
        (200, data(*(f"whisper-{n}" for n in range(20)))),
        (200, data("qwen-judge")),
    ],
)
def test_a_list_that_does_not_help_changes_nothing(cli: Cli, listed: Answer | None) -> None:
    text = told(cli, "vllm-chat/qwen-judge", "/v1/models", listed)
    assert "HTTP 404: The model does not exist" in text
    assert "did you mean" not in text
    assert "the server has" not in text


def test_listed_names_are_made_harmless(cli: Cli) -> None:
    text = told(cli, "vllm-chat/x", "/v1/models", (200, data("\x1b[31mred\nline", "y" * 9000)))
    assert "\x1b" not in text
    assert len(text) < 3000
