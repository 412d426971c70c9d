"""`hf-judge/PATH_OR_ID`: a generative judge that runs here.

It asks with the same methods, prompts and parsers as a hosted judge. Where a method reads
probabilities, nothing is generated: they are those of the first token after the prompt, from
one forward pass.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Final

from rmjudge.calls import Answer, Call, Json
from rmjudge.errors import UsageError
from rmjudge.judging.methods import JudgingMethod
from rmjudge.providers.base import PROBES
from rmjudge.providers.chat import MAX_TOKENS
from rmjudge.providers.judge import REASONING_TOKENS
from rmjudge.providers.local.devices import devices_of, kind_of
from rmjudge.providers.local.files import ModelFiles, check_causal, find
from rmjudge.providers.local.judge_replica import ChatFrame, JudgeReplica, switches_of
from rmjudge.providers.local.judge_replies import chat_reply, parser_of
from rmjudge.providers.local.libraries import require
from rmjudge.providers.local.loading import load_model, load_tokenizer
from rmjudge.providers.local.scorer import LocalScorer, Replica, described
from rmjudge.providers.local.settings import JUDGE_BATCH, LocalSettings
from rmjudge.providers.local.templates import judging_template
from rmjudge.providers.rendering import template_from_file

AT_ONCE: Final[Mapping[str, int]] = {"cpu": JUDGE_BATCH, "mps": 36, "cuda": 72}
"""Calls handed over at once, few since judges are large: a crash costs what is under way."""


class LocalJudge(LocalScorer):
    """Verdicts or ratings of a generative model, written or read from its first token.

    One vote takes the likeliest token each time; several are samples at temperature 1, each
    from a seed of its question and number, so that a run repeats. What else is in a batch plays
    no part but for rounding: see `rmjudge.providers.local.generation`.
    """

    def __init__(
        self,
        settings: LocalSettings,
        judging: JudgingMethod,
        *,
        votes: int = 1,
        params: Mapping[str, Json] | None = None,
    ) -> None:
        """Read the model's small files; weights are loaded with the first call.

        `params` may hold `max_new_tokens`, the longest answer in tokens; a hosted judge's limit
        when not given. `settings.max_tokens` is the context; a longer prompt is a failure.

        Raises:
            UsageError: the model or an option is wrong, or the extra `local` is not installed.
        """
        name = f"hf-judge/{settings.model}"
        require(name)
        self._settings = settings
        self._judging = judging
        self._max_new_tokens = _max_new_tokens(name, judging, params or {})
        self._files = files = find(
            settings.model, revision=settings.revision, code=settings.trust_remote_code
        )
        check_causal(files)
        self._template = judging_template(files, settings, _chat_template(name, files, settings))
        self._context = files.limit(settings.max_tokens)
        self._sampled = votes > 1
        identity: dict[str, Json] = {
            **described("hf-judge", files, settings),
            "judging": judging.name,
            "method": judging.scores,
            "template": judging.template,
            "chat_template": self._template.source,
            **self._template.described,
            "prompt": _probe_hash(judging),
            **judging.settings,
            "context": self._context,
            "max_new_tokens": self._max_new_tokens,
            "temperature": 1 if self._sampled else 0,
        }
        super().__init__(
            name,
            settings,
            identity,
            method=judging.scores,
            parser=parser_of(judging),
            votes=votes,
            output_tokens_estimate=REASONING_TOKENS if judging.reasons else 0,
        )
        self.activity.remarks += [*files.remarks, *self._template.remarks]
        self.batch = AT_ONCE[kind_of(devices_of(settings)[0])]

    def _load(self, device: str) -> Replica:
        tokenizer = load_tokenizer(self._files, self._settings)
        return JudgeReplica(
            load_model(self._files, self._settings, device, "AutoModelForCausalLM"),
            ChatFrame(tokenizer, self._template, self._judging, self.name),
            self._judging,
            name=self.name,
            sampled=self._sampled,
            context=self._context,
            max_new_tokens=self._max_new_tokens,
        )

    def parse(self, call: Call, raw: str) -> Answer:
        """Read a stored reply again."""
        return self._judging.read(chat_reply(json.loads(raw))[0])


def _max_new_tokens(name: str, judging: JudgingMethod, params: Mapping[str, Json]) -> int:
    if unknown := sorted(set(params) - {"max_new_tokens"}):
        raise UsageError(
            f"{name} runs here and takes the parameter max_new_tokens, not {unknown[0]}"
        )
    asked = params.get("max_new_tokens")
    if judging.needs_logprobs:
        if asked is not None:
            raise UsageError(f"max_new_tokens is for written answers; {judging.name} writes none")
        return 0
    if asked is None:
        return MAX_TOKENS
    if not isinstance(asked, int) or isinstance(asked, bool) or asked < 1:
        raise UsageError(f"max_new_tokens is a whole number above 0, not {asked!r}")
    return asked


def _chat_template(name: str, files: ModelFiles, settings: LocalSettings) -> str:
    if settings.template is not None:
        return template_from_file(settings.template).source
    if files.chat_template is None:
        raise UsageError(
            f"{name}: its tokenizer has no chat template, so it cannot be asked as a judge; "
            "take a model that is tuned for chat"
        )
    return files.chat_template


def _probe_hash(judging: JudgingMethod) -> str:
    """Of a fixed call's prompt: whatever else changes in how this version asks is in it."""
    prompt = judging.prompt(PROBES[judging.scores])
    shown = [list(turn) for turn in prompt.turns] if prompt.turns else [prompt.system, prompt.user]
    text = json.dumps([*shown, sorted(switches_of(judging))])
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:32]
