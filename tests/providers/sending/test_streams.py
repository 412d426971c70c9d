"""Replies that come as a stream of events: put together over a real socket, and read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from outcomes import UNREADABLE, becomes

from rmjudge.calls import CompareCall
from rmjudge.providers.base import Target
from rmjudge.providers.registry import provider_class
from rmjudge.providers.sending.messages import MalformedBodyError
from rmjudge.providers.sending.streams import is_stream, put_together

if TYPE_CHECKING:
    from served import ModelServer

    from rmjudge.providers.base import Provider

CALL = CompareCall("Which is right?", "The first.", "The second.")
TEXT = ["The first is better. \\box", "ed{A>B}"]
CHAT: list[Any] = [
    {"model": "m", "choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}]},
    *({"model": "m", "choices": [{"index": 0, "delta": {"content": part}}]} for part in TEXT),
    {"model": "m", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
    {"model": "m", "choices": [], "usage": {"prompt_tokens": 11, "completion_tokens": 7}},
]
ANTHROPIC: list[Any] = [
    {
        "type": "message_start",
        "message": {
            "type": "message",
            "model": "m",
            "content": [],
            "usage": {"input_tokens": 11, "output_tokens": 1},
        },
    },
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    *(
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": part}}
        for part in TEXT
    ),
    {"type": "content_block_stop", "index": 0},
    {
        "type": "message_delta",
        "delta": {"stop_reason": "end_turn"},
        "usage": {"output_tokens": 7},
    },
    {"type": "message_stop"},
]
GEMINI: list[Any] = [
    {"modelVersion": "m", "candidates": [{"content": {"parts": [{"text": TEXT[0]}]}}]},
    {
        "modelVersion": "m",
        "candidates": [{"content": {"parts": [{"text": TEXT[1]}]}, "finishReason": "STOP"}],
        "usageMetadata": {"promptTokenCount": 11, "candidatesTokenCount": 7},
    },
]
RESPONSES: list[Any] = [
    {"type": "response.created", "response": {"status": "in_progress", "output": []}},
    *({"type": "response.output_text.delta", "delta": part} for part in TEXT),
    {
        "type": "response.completed",
        "response": {
            "model": "m",
            "status": "completed",
            "output": [
                {
                    "type": "message",
                    "content": [{"type": "output_text", "text": "".join(TEXT)}],
                }
            ],
            "usage": {"input_tokens": 11, "output_tokens": 7},
        },
    },
]
STREAMS = {
    "openai": CHAT,
    "anthropic": ANTHROPIC,
    "gemini": GEMINI,
    "openai-responses": RESPONSES,
}


def stream(events: list[Any], done: bool = False, end: str = "\n") -> str:
    lines = [f": keep-alive{end}{end}"]
    lines += [f"event: x{end}data: {json.dumps(event)}{end}{end}" for event in events]
    return "".join([*lines, f"data: [DONE]{end}{end}" if done else ""])


def provider(name: str, url: str) -> Provider:
    return provider_class(name)(Target("m", url))


@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["LF", "CRLF"])
@pytest.mark.parametrize("name", STREAMS)
async def test_a_stream_is_read_as_the_reply_that_it_amounts_to(
    server: ModelServer, name: str, end: str
) -> None:
    path = "/v1" if name.startswith("openai") else ""
    judge = provider(name, f"{server.root}{path}")
    body = stream(STREAMS[name], done=name == "openai", end=end)
    headers = {"content-type": "text/event-stream"}
    became = await becomes(server, judge, 200, body, headers)

    assert became.counted == ("scored", 1)
    answer, usage, model = judge.read(put_together(body.encode()), CALL)
    assert (getattr(answer, "first", None), model) == (1.0, "m")
    assert (usage.input_tokens, usage.output_tokens) == (11, 7)


@pytest.mark.parametrize("name", STREAMS)
async def test_a_stream_that_ends_early_is_asked_for_again_and_never_read(
    server: ModelServer, name: str
) -> None:
    path = "/v1" if name.startswith("openai") else ""
    cut = {"openai": -2, "anthropic": -1, "gemini": -1, "openai-responses": -1}[name]
    body = stream(STREAMS[name][:cut])
    became = await becomes(server, provider(name, f"{server.root}{path}"), 200, body)

    assert became.counted == ("malformed", UNREADABLE)
    assert "ends early" in became.detail


async def test_an_error_in_a_stream_counts_as_one_with_a_200(server: ModelServer) -> None:
    events = [*CHAT[:2], {"error": {"code": "insufficient_quota", "message": "no credits left"}}]
    became = await becomes(server, provider("openai", f"{server.root}/v1"), 200, stream(events))

    assert became.counted == ("the run stops", 1)
    assert "no credits left" in became.detail


def test_log_probabilities_of_a_stream_stand_in_their_order() -> None:
    events = [
        {"choices": [{"delta": {"content": t}, "logprobs": {"content": [{"token": t}]}}]}
        for t in "AB"
    ]
    whole = put_together(stream(events, done=True).encode())

    assert whole["choices"][0]["logprobs"]["content"] == [{"token": "A"}, {"token": "B"}]


def test_events_of_another_kind_are_no_reply() -> None:
    with pytest.raises(MalformedBodyError, match="hold no reply"):
        put_together(b'data: {"ping": 1}\n\n')


def written(events: list[Any], *, between: str = "\n\n", end: str = "data: [DONE]") -> str:
    return between.join([*(f"data: {json.dumps(event)}" for event in events), end]) + "\n\n"


ODDLY: dict[str, str] = {
    "a mark of byte order": "\ufeff" + written(CHAT),
    "lines of JSON": "\n".join(map(json.dumps, CHAT)),
    "no blank lines": written(CHAT, between="\n"),
    "pings": "data: ping\n\ndata:\n\n" + written(CHAT),
    "its end in small letters": written(CHAT[:-2], end="data: [done]"),
    "an event over several lines": written(CHAT).replace('{"model"', '{\ndata: "model"'),
}


@pytest.mark.parametrize("text", ODDLY.values(), ids=list(ODDLY))
def test_a_stream_that_is_written_oddly_is_read(text: str) -> None:
    assert is_stream(text.encode())
    whole = put_together(text.encode())
    assert whole["choices"][0]["message"]["content"] == "".join(TEXT)


def test_an_event_that_is_called_an_error_is_one() -> None:
    failed = 'event: error\ndata: {"message": "out of memory"}\n\n'
    text = written(CHAT[:2], end="").rstrip() + "\n\n" + failed
    assert put_together(text.encode()) == {"error": {"message": "out of memory"}}
