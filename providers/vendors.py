"""Who speaks chat completions, as data: address, key's variable, deviations.

Everything here is a default; an address, a variable or a body field that a vendor has changed
is overridden with `@URL`, the environment, or `--param`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from rmjudge.calls import Json


@dataclass(frozen=True, slots=True)
class Vendor:
    """One vendor or server.

    `logprobs` says how alternatives of a token are asked for: as OpenAI does, by a count, or
    not at all. `extra` is laid into every body. `prompt_cache_tokens` is the shortest shared
    prefix that is cached and billed for less; None where that is not so. `reasoning_apart`
    says that the completion's tokens leave out those of hidden reasoning; `tells_dollars` that
    every reply says what it cost; `lists_models` that `/models` names what can be asked.
    """

    name: str
    base_url: str | None
    key_variables: tuple[str, ...]
    url_variable: str
    key_needed: bool = True
    key_header: str | None = None
    limit_field: str = "max_tokens"
    max_tokens: int = 4096
    logprobs: Literal["openai", "count"] | None = "openai"
    top_logprobs: int = 20
    prompt_cache_tokens: int | None = None
    reasoning_apart: bool = False
    tells_dollars: bool = False
    lists_models: bool = True
    extra: Mapping[str, Json] = field(default_factory=dict)
    remark: str = ""
    proved_by: str = "the dialect's servers; the vendor's own deviations by shape"


def _server(name: str, base_url: str | None, remark: str = "") -> Vendor:
    """A server that people run themselves: no key unless they set one up."""
    upper = name.upper().replace("-", "_")
    return Vendor(
        name,
        base_url,
        (f"{upper}_API_KEY",),
        f"{upper}_BASE_URL",
        key_needed=False,
        remark=remark,
    )


_LIST: Final = (
    Vendor(
        "openai",
        "https://api.openai.com/v1",
        ("OPENAI_API_KEY",),
        "OPENAI_BASE_URL",
        prompt_cache_tokens=1024,
        remark="with @URL any compatible server",
        proved_by="servers: transformers serve, LiteLLM, aimock; types: openai SDK",
    ),
    Vendor(
        "openrouter",
        "https://openrouter.ai/api/v1",
        ("OPENROUTER_API_KEY",),
        "OPENROUTER_BASE_URL",
        max_tokens=16384,
        # Otherwise a route that ignores a parameter may be taken without a word.
        extra={"provider": {"require_parameters": True}},
        tells_dollars=True,
    ),
    Vendor(
        "together",
        "https://api.together.ai/v1",
        ("TOGETHER_API_KEY",),
        "TOGETHER_BASE_URL",
        logprobs="count",
    ),
    Vendor(
        "fireworks",
        "https://api.fireworks.ai/inference/v1",
        ("FIREWORKS_API_KEY",),
        "FIREWORKS_BASE_URL",
        top_logprobs=5,
        remark="models are accounts/.../models/...",
    ),
    Vendor(
        "deepseek",
        "https://api.deepseek.com/v1",
        ("DEEPSEEK_API_KEY",),
        "DEEPSEEK_BASE_URL",
        max_tokens=16384,
        remark='thinks unless --param thinking=\'{"type":"disabled"}\'',
    ),
    Vendor(
        "mistral",
        "https://api.mistral.ai/v1",
        ("MISTRAL_API_KEY",),
        "MISTRAL_BASE_URL",
    ),
    Vendor(
        "groq",
        "https://api.groq.com/openai/v1",
        ("GROQ_API_KEY",),
        "GROQ_BASE_URL",
        logprobs=None,
    ),
    Vendor(
        "xai",
        "https://api.x.ai/v1",
        ("XAI_API_KEY",),
        "XAI_BASE_URL",
        max_tokens=16384,
        top_logprobs=8,
        reasoning_apart=True,
        tells_dollars=True,
        remark="the vendor prefers openai-responses/MODEL@https://api.x.ai/v1",
    ),
    Vendor(
        "azure",
        None,
        ("AZURE_OPENAI_API_KEY",),
        "AZURE_OPENAI_BASE_URL",
        key_header="api-key",
        limit_field="max_completion_tokens",
        lists_models=False,  # it lists models, and is asked by the names of deployments
        remark="the address ends in /openai/v1",
    ),
    Vendor(
        "dashscope",
        "https://dashscope-intl.aliyuncs.com/compatible-mode/v1",
        ("DASHSCOPE_API_KEY",),
        "DASHSCOPE_BASE_URL",
        top_logprobs=5,
    ),
    Vendor(
        "siliconflow",
        "https://api.siliconflow.com/v1",
        ("SILICONFLOW_API_KEY",),
        "SILICONFLOW_BASE_URL",
        max_tokens=16384,
        logprobs=None,
    ),
    _server("ollama", "http://localhost:11434/v1"),
    _server("lmstudio", "http://localhost:1234/v1", "the first call loads the model"),
    _server("llamacpp", "http://localhost:8080/v1"),
    _server("vllm-chat", "http://localhost:8000/v1", "a generative model; rewards are vllm/..."),
    _server("sglang-chat", "http://localhost:30000/v1", "likewise; rewards are sglang/..."),
)

VENDORS: Final[Mapping[str, Vendor]] = {vendor.name: vendor for vendor in _LIST}
