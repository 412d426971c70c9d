"""`hf/PATH_OR_ID`: a sequence classifier's raw logit as the reward.

A sigmoid or softmax would saturate good responses into ties. A model with several outputs needs
to be told which of them is the reward.
"""

from __future__ import annotations

from collections.abc import Sequence
from threading import Event
from typing import TYPE_CHECKING, Any

from rmjudge.calls import Answer, Call, Failure, Json, RewardCall
from rmjudge.errors import UsageError
from rmjudge.providers.local.files import ModelFiles, find
from rmjudge.providers.local.libraries import require
from rmjudge.providers.local.loading import load_model, load_tokenizer
from rmjudge.providers.local.rewards import (
    PARSER,
    Found,
    RewardReplica,
    chat_template,
    ignore,
    read_reply,
)
from rmjudge.providers.local.scorer import LocalScorer, Replica, described
from rmjudge.providers.local.settings import LocalSettings
from rmjudge.providers.local.texts import Texts, TokenIds, Tokens

if TYPE_CHECKING:
    from rmjudge.providers.local.heads import Head

SUFFIX = "ForSequenceClassification"
PROBES = ("Two and two is four.", "Paris.")


class Classifier(LocalScorer):
    """Pointwise rewards of a sequence classifier."""

    def __init__(self, settings: LocalSettings) -> None:
        """Read the model's small files; weights are loaded with the first call.

        Raises:
            UsageError: the model or an option is wrong, or the extra `local` is not installed.
        """
        name = f"hf/{settings.model}"
        require(name)
        self._settings = settings
        self._files = files = find(
            settings.model, revision=settings.revision, code=settings.trust_remote_code
        )
        _check_kind(files, settings)
        self._label = label_of(files, settings.reward_head)
        self._template = chat_template(files, settings)
        self._limit = files.limit(settings.max_tokens)
        identity: dict[str, Json] = {
            **described("hf", files, settings),
            "template": self._template,
            "max_tokens": self._limit,
            "truncation": files.truncation_side,
            "head": self._label,
        }
        super().__init__(name, settings, identity, parser=PARSER)

    def _load(self, device: str) -> Replica:
        tokenizer = load_tokenizer(self._files, self._settings)
        model = load_model(
            self._files, self._settings, device, "AutoModelForSequenceClassification"
        )
        texts = Texts(tokenizer, self._template, self._limit, self._files.truncation_side)
        return ClassifierReplica(
            model, texts, self._label, plain=self._settings.attention != "auto"
        )

    def parse(self, call: Call, raw: str) -> Answer:
        """Read a stored reply again."""
        return read_reply(raw)


class ClassifierReplica(RewardReplica):
    """A classifier on a device, with its tokenizer."""

    def __init__(self, model: Any, texts: Texts, label: int, *, plain: bool) -> None:
        from rmjudge.providers.local.heads import head_of

        self._texts = texts
        self._head: Head = head_of(model, label, _probes(texts, model), plain=plain)
        self.remark = str(self._head.way)
        self.computed = self._head.way.computed

    def encode(self, calls: Sequence[RewardCall]) -> list[Tokens | Failure]:
        """Render and tokenise."""
        return self._texts.encode([(call.prompt, call.response) for call in calls])

    def rewards(
        self, groups: Sequence[Sequence[Tokens]], stopping: Event, found: Found[float] = ignore
    ) -> Sequence[Sequence[float] | None]:
        """Read the head."""
        return self._head.rewards(
            [[text.ids for text in group] for group in groups], stopping, found
        )


def _probes(texts: Texts, model: Any) -> list[TokenIds]:
    """Two short texts of different lengths that do not end in the padding token."""
    pad = model.config.get_text_config().pad_token_id
    found: list[TokenIds] = []
    for tokens in texts.encode([("2+2?", PROBES[0]), ("Where?", PROBES[1])]):
        if isinstance(tokens, Failure):
            raise UsageError(tokens.detail)
        ids = tokens.ids
        while len(ids) > 1 and ids[-1] == pad:
            ids = ids[:-1]
        found.append(ids)
    return found


def label_of(files: ModelFiles, asked: str | None) -> int:
    """Which output is the reward.

    Raises:
        UsageError: there are several and none is chosen, or the chosen one does not exist.
    """
    labels = files.labels
    if asked is None:
        if len(labels) == 1:
            return 0
        raise UsageError(
            f"{files.name} has {len(labels)} outputs; choose the reward with --reward-head: "
            + _listed(labels)
        )
    if asked in labels:
        return labels.index(asked)
    if asked.isdecimal() and int(asked) < len(labels):
        return int(asked)
    raise UsageError(f"{files.name} has no output {asked!r}; there are {_listed(labels)}")


def _listed(labels: Sequence[str]) -> str:
    return ", ".join(f"{k} ({label})" for k, label in enumerate(labels))


def _check_kind(files: ModelFiles, settings: LocalSettings) -> None:
    named = files.architectures
    if not named or settings.trust_remote_code or any(name.endswith(SUFFIX) for name in named):
        return
    raise UsageError(
        f"{files.name} is a {named[0]}, no {SUFFIX[3:]} model: its reward head would be random "
        f"numbers. hf-judge/{files.name} asks it as a judge, dpo/{files.name} takes its "
        "log-probabilities"
    )
