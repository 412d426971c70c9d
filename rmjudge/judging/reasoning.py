"""What a reader sees of a reply: reasoning is taken off, under any of the tags in use.

Tags (`<think>`, `<thinking>`, `<reasoning>`, ...) as models write them, `[THINK]` (Mistral),
`◁think▷` (Kimi), `<|START_THINKING|>` (Cohere), `<|begin_of_thought|>`, Gemma's channels, and those
of the harmony format (gpt-oss), with and without their special tokens.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Final

_NAME: Final = (
    r"(?:[a-z]{1,12}:|(?:begin|start|end)(?:_?of)?_?|"
    r"(?:ant|deep|self|inner|internal|hidden|private|model|long_?cat|chain_of|o1)[_-]?)?"
    r"(?:think(?:ing)?|thoughts?|reason(?:ing|s)?|reflections?|scratch_?pad|monologue|analysis|cot|"
    r"deliberations?|ponder(?:ing)?)"
    r"(?:[_ -]?(?:content|process|block|start|begin|end|fast|slow)|_never_used_\w{1,64})?"
)
_TAG: Final = re.compile(
    rf"<\|?\s*(?P<close>/?)\s*(?P<name>{_NAME})\b(?:\s[^<>\n]{{0,80}})?\s*\|?>"
    r"|\[\s*(?P<close2>/?)\s*(?P<name2>think|thinking|reasoning)\s*\]"
    r"|◁\s*(?P<close3>/?)\s*(?P<name3>think)\s*▷",
    re.IGNORECASE,
)
_BLOCK: Final = re.compile(
    r"<\|channel>(?!\s*final\b).*?(?:<channel\|>|\Z)|<unused94>.*?(?:<unused95>|\Z)"
    r"|<details\s[^<>\n]{0,80}type=[\"']reasoning[\"'][^<>\n]{0,80}>.*?(?:</details>|\Z)",
    re.IGNORECASE | re.DOTALL,
)
"""Reasoning as Gemma, MedGemma and Open WebUI mark it."""
_CHANNEL: Final = re.compile(r"<\|channel\|>\s*(\w*)[^<]{0,80}<\|message\|>", re.IGNORECASE)
_HARMONY_END: Final = re.compile(r"<\|(?:end|return|call|start|channel)\|>", re.IGNORECASE)
_BARE_ANALYSIS: Final = re.compile(r"\s*analysis(?=[A-Z\W])")
_BARE_FINAL: Final = "assistantfinal"
_SENTENCE_ENDS: Final = frozenset("\n.!?:;>)]}*。！？：；）】”\"'")  # noqa: RUF001  other scripts' signs
_EDGE: Final = re.compile(r"^(?:begin|start|end)(?:_?of)?_?|[_ -](?:start|begin|end)$")
_ENDS: Final = re.compile(r"^end(?:_|of)|[_ -]end$")


def strip_reasoning(text: str) -> str:
    """Take reasoning off; text that begins with a block it never closes is reasoning only.

    Some templates open the block in the prompt, so that a reply starts inside it: everything
    up to a closing tag that was not opened is reasoning then. A tag that is only named within a
    sentence, and never closed, stays.
    """
    text = _BLOCK.sub("", text)
    if "<|channel|>" in text or "<|CHANNEL|>" in text:
        text = _final_channel(text)
    elif _BARE_FINAL in text and _BARE_ANALYSIS.match(text):
        text = text.rpartition(_BARE_FINAL)[2]  # harmony whose special tokens were taken off
    elif (bare := _BARE_ANALYSIS.match(text)) and text[bare.end() : bare.end() + 1].isupper():
        text = ""
    tags = list(_TAG.finditer(text))
    return _outside(text, tags) if tags else text


def _final_channel(text: str) -> str:
    """What stands in the channel `final`, and what stands before the first channel."""
    visible: list[str] = []
    for channel in _CHANNEL.finditer(text):
        if channel[1].lower() == "final":
            end = _HARMONY_END.search(text, channel.end())
            visible.append(text[channel.end() : end.start() if end else len(text)])
    return "".join(visible)


def _outside(text: str, tags: list[re.Match[str]]) -> str:
    closings = Counter(_family(tag) for tag in tags if _closes(tag))
    visible: list[str] = []
    start = 0
    inside: str | None = None
    for tag in tags:
        family = _family(tag)
        if _closes(tag):
            closings[family] -= 1
            if inside is None:
                visible.clear()
            elif inside != family:
                continue
            start, inside = tag.end(), None
        elif inside is None and (closings[family] or _begins(text, tag.start())):
            visible.append(text[start : tag.start()])
            inside = family
            if not closings[family]:
                return "".join(visible)
    if inside is None:
        visible.append(text[start:])
    return "".join(visible)


def _closes(tag: re.Match[str]) -> bool:
    name = (tag["name"] or "").lower()
    return bool(tag["close"] or tag["close2"] or tag["close3"]) or bool(_ENDS.search(name))


def _family(tag: re.Match[str]) -> str:
    name = (tag["name"] or tag["name2"] or tag["name3"]).lower()
    family = _EDGE.sub("", name)
    return {"thinking": "think", "thoughts": "thought"}.get(family, family)


def _begins(text: str, place: int) -> bool:
    """Whether a tag stands where a block begins, and not as a word of a sentence."""
    while place and text[place - 1] in " \t\r":
        place -= 1
    return not place or text[place - 1] in _SENTENCE_ENDS
