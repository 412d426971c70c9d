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
