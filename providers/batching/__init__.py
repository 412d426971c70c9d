"""Vendors' batch interfaces: one thin, pure module a dialect, and who speaks which.

The table names modules and imports none, so that a run without batches loads no HTTP client.
"""

from __future__ import annotations

from typing import Final

DIALECTS: Final[dict[str, tuple[str, str]]] = {
    "anthropic": ("anthropic", "AnthropicBatches"),
    "azure": ("openai", "AzureBatches"),
    "dashscope": ("openai", "OpenAIBatches"),
    "gemini": ("gemini", "GeminiBatches"),
    "groq": ("openai", "OpenAIBatches"),
    "mistral": ("openai", "MistralBatches"),
    "openai": ("openai", "OpenAIBatches"),
    "openai-responses": ("openai", "OpenAIBatches"),
    "together": ("openai", "TogetherBatches"),
}
"""By provider: the module of this package, and the class in it."""

REFUSED: Final[dict[str, str]] = {
    "openrouter": "its batches are a beta, its pages name two addresses for them and two ways to "
    "get results, and its lists do not show whose a batch is",
    "xai": "its batches have no word for their state, a call may wait in them without end, and "
    "results come in pages whose form was not seen here",
}
"""Vendors whose batches are not used here, and why: what is not sure may be paid for twice."""
