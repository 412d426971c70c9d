"""How a model is named: `[NAME=]PROVIDER/MODEL[@URL]`, and which providers there are.

The table names modules and imports none, so that listing providers stays instant.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Final
from urllib.parse import unquote

from rmjudge.errors import UsageError
from rmjudge.providers.vendors import VENDORS
from rmjudge.text import did_you_mean

HOSTED: Final[Mapping[str, tuple[str, str]]] = {
    "openai-responses": ("rmjudge.providers.responses", "OpenAIResponses"),
    "anthropic": ("rmjudge.providers.anthropic", "Anthropic"),
    "gemini": ("rmjudge.providers.gemini", "Gemini"),
    "openai-decisions": ("rmjudge.providers.decisions", "OpenAIDecisions"),
    "systemone": ("rmjudge.providers.decisions", "SystemOne"),
    "vllm": ("rmjudge.providers.vllm", "VLLM"),
    "vllm-pooling": ("rmjudge.providers.vllm", "VLLMPooling"),
    "sglang": ("rmjudge.providers.sglang", "SGLang"),
    "tei": ("rmjudge.providers.tei", "TEI"),
    "nim": ("rmjudge.providers.nim", "NIM"),
    "openrlhf": ("rmjudge.providers.openrlhf", "OpenRLHF"),
    "nemo": ("rmjudge.providers.nemo", "NeMo"),
    "http": ("rmjudge.providers.http", "HTTP"),
    "hf-endpoint": ("rmjudge.providers.hf_endpoint", "HFEndpoint"),
}
LOCAL: Final[Mapping[str, tuple[str, str]]] = {
    "hf": ("rmjudge.providers.local.classifier", "Classifier"),
    "dpo": ("rmjudge.providers.local.dpo", "ImplicitReward"),
    "hf-judge": ("rmjudge.providers.local.judge", "LocalJudge"),
}
NAMES: Final = (*VENDORS, *HOSTED, *LOCAL, "baseline")

_OWN_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_QUERY: Final = re.compile(r"\?(?=[a-z][a-z_-]*=)")


@dataclass(frozen=True, slots=True)
class Spec:
    """`PROVIDER/MODEL` and, where given, `@URL`, and a name of the user's own before them.

    `options` are those behind a local model's `?`, as they are written.
    """

    provider: str
    model: str
    url: str | None = None
    own_name: str | None = None
    options: tuple[tuple[str, str], ...] = ()

    @property
    def name(self) -> str:
        """What heads its rows: the user's own name, or `PROVIDER/MODEL`."""
        return self.own_name or self.model_name

    @property
    def model_name(self) -> str:
        """`PROVIDER/MODEL`."""
        return f"{self.provider}/{self.model}"

    @property
    def hosted(self) -> bool:
        """Whether it is reached over HTTP."""
        return not self.local and self.provider != "baseline"

    @property
    def local(self) -> bool:
        """Whether it is a model that runs here."""
        return self.provider in LOCAL


def parse_spec(text: str) -> Spec:
    """Read `[NAME=]PROVIDER/MODEL[@URL]`; a local model has `?OPTION=VALUE&...` in place of it.

    Raises:
        UsageError: it is not of that form, or there is no such provider.
    """
    own_name, equals, rest = text.partition("=")
    if equals and "/" not in own_name:
        return _named(own_name, rest, text)
    head, at, url = text.partition("@http")
    provider, slash, model = head.partition("/")
    if not slash or not model:
        raise UsageError(
            f"{text!r} is no PROVIDER/MODEL, such as openai/gpt-4.1 or baseline/length"
            f"{_whole_name(provider)}"
        )
    if provider not in NAMES:
        hint = did_you_mean(provider.lower(), NAMES)
        raise UsageError(f"{text!r}: no provider is called {provider!r}; {hint}")
    if provider in LOCAL and not at and len(parts := _QUERY.split(model, maxsplit=1)) == 2:
        return Spec(provider, parts[0], options=_query(parts[1], text))
    # Without its scheme an address would go to the provider's own, as part of the model's name.
    if "://" in model or re.search(r"@[\w.-]+:\d+(/|$)", model):
        raise UsageError(f"{text!r}: an address starts with http:// or https://, after the @")
    return Spec(provider, model, f"http{url}" if at else None)


def _whole_name(word: str) -> str:
    """What a word without a slash may have meant."""
    from rmjudge.providers.baseline import REWARDS

    known = {kind: f"baseline/{kind}" for kind in REWARDS}
    known |= {name: f"{name}/MODEL" for name in NAMES if name != "baseline"}
    meant = get_close_matches(word.lower(), known, n=1)
    return f"; did you mean {known[meant[0]]}?" if meant else ""


def _named(own_name: str, rest: str, text: str) -> Spec:
    if not _OWN_NAME.fullmatch(own_name):
        raise UsageError(f"{text!r}: a NAME has letters, digits, '.', '_' and '-', 64 at most")
    spec = parse_spec(rest)
    if spec.own_name is not None:
        raise UsageError(f"{text!r}: one NAME is enough")
    if spec.provider == "baseline":
        raise UsageError(f"{text!r}: {spec.name} has a name already; a NAME is for models")
    return replace(spec, own_name=own_name)


def _query(query: str, text: str) -> tuple[tuple[str, str], ...]:
    """The options in a local model's name; `%26` is an `&` in a value."""
    pairs: dict[str, str] = {}
    for part in query.split("&"):
        name, equals, value = part.partition("=")
        name = name.replace("-", "_")
        if not (name and equals and value):
            raise UsageError(f"{text!r}: {part!r} is no OPTION=VALUE, such as reference=./sft")
        if name in pairs:
            raise UsageError(f"{text!r} says {name} twice")
        pairs[name] = unquote(value)
    return tuple(pairs.items())
