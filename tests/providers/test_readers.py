"""A scorer made again from its identity reads replies as the one that asked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rmjudge import UsageError
from rmjudge.calls import Answer, Call, Choice, ChooseCall, CompareCall, Reward, RewardCall, Verdict
from rmjudge.providers.readers import reader_of
from rmjudge.providers.registry import ScorerSettings, create, takes_chat_template
from rmjudge.providers.spec import HOSTED, parse_spec
from rmjudge.providers.vendors import VENDORS
from rmjudge.vocabulary import JUDGING_METHODS

PAIR = CompareCall("p", "a", "b")
TEMPLATE = "{{ messages[0].content }} {{ messages[1].content }}"


def chat(text: str) -> str:
    choice = {"message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    return json.dumps({"choices": [choice], "model": "m", "usage": {}})


def made(name: str, **settings: Any) -> Any:
    spec = parse_spec(f"{name}/m@http://127.0.0.1:9")
    return create(spec, ScorerSettings(need_key=False, **settings))


@pytest.mark.parametrize("name", [*VENDORS, *(name for name in HOSTED if name != "http")])
def test_every_provider_that_keeps_replies_has_its_reader(name: str, home: Path) -> None:
    path = home / "chat.jinja"
    path.write_text(TEMPLATE)
    framed = takes_chat_template(parse_spec(f"{name}/m"))
    asked = made(name, template=path if framed else None)
    reader = reader_of(asked.identity)
    assert (reader.name, reader.parser, reader.method) == (asked.name, asked.parser, asked.method)


def test_a_server_described_by_a_template_has_its_reader(home: Path) -> None:
    path = home / "body.jinja"
    path.write_text('{"text": {{ (prompt + response) | tojson }}}')
    asked = made("http", template=path, reward_path="score")
    reader = reader_of(asked.identity)
    assert (reader.name, reader.parser, reader.method) == (asked.name, asked.parser, asked.method)


@pytest.mark.parametrize("method", [m for m in JUDGING_METHODS if "logprob" not in m])
def test_the_method_of_judging_is_the_identitys(method: str) -> None:
    asked = made("openai", judging=method)
    single, several = RewardCall("p", "a"), ChooseCall("p", ("a", "b", "c"))
    cases: dict[str, tuple[Call, str, Answer]] = {
        "pairwise": (PAIR, r"\boxed{A>B}", Verdict(1.0)),
        "pairwise-two-level": (PAIR, "[[A]]", Verdict(1.0)),
        "pointwise": (single, r"\boxed{7}", Reward(7)),
        "choice": (several, "[[C]]", Choice(2)),
    }
    call, text, expected = cases[method]
    assert reader_of(asked.identity).parse(call, chat(text)) == expected


def test_a_users_template_reads_any_verdict(home: Path) -> None:
    path = home / "t.jinja"
    path.write_text("{{ prompt }} {{ response_a }} {{ response_b }}")
    asked = made("openai", template=path)
    path.unlink()
    reader = reader_of(asked.identity)
    assert reader.parse(PAIR, chat("[[B]]")) == Verdict(0.0)
    # The project's own question takes no such verdict.
    plain = reader_of(made("openai").identity)
    assert not isinstance(plain.parse(PAIR, chat("[[B]]")), Verdict)


@pytest.mark.parametrize(
    ("identity", "told"),
    [
        ({"provider": "python", "model": "mine"}, "no provider that keeps replies is called"),
        ({"provider": "openai", "model": "m", "judging": "by-feel"}, "no method is called"),
    ],
)
def test_an_identity_of_another_version_is_told(identity: dict[str, Any], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        reader_of(identity)
