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
from rmjudge.providers.local.reward_tokens import OPENRLHF_CLASSES, read_at, trained_by_openrlhf
from rmjudge.providers.local.rewards import (
    PARSER,
    Found,
    RewardReplica,
    ignore,
    read_reply,
)
from rmjudge.providers.local.scorer import LocalScorer, Replica, described
from rmjudge.providers.local.settings import REWARD_TOKENS, LocalSettings
from rmjudge.providers.local.templates import PROMPT, RESPONSE, scoring_template
from rmjudge.providers.local.texts import Texts, TokenIds, Tokens
from rmjudge.providers.local.weights import shapes_in

if TYPE_CHECKING:
    from rmjudge.providers.local.heads import Asked, Head

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
        self._label = label_of(files, settings)
        self._template = scoring_template(files, settings)
        self._limit = files.limit(settings.max_tokens)
        self._ending = _ending(files)
        own_rule = not _explicit(settings) and _own_code(files, settings)
        text = self._template.text
        if self._ending is not None:
            text = text.rstrip("\n").removesuffix(self._ending) + self._ending
        self._read = None if own_rule else read_at(files, settings.reward_token, text)
        self._pairs = _writes_pairs(files, text)
        identity: dict[str, Json] = {
            **described("hf", files, settings),
            "template": self._template.source,
            **self._template.described,
            "max_tokens": self._limit,
            "truncation": files.truncation_side,
            "head": self._label,
        }
        if self._read is not None:
            identity["reward_token"] = self._read.where
        if self._ending is not None:
            identity["ending"] = self._ending
        if self._pairs:
            identity["segments"] = "pair"
        super().__init__(name, settings, identity, parser=PARSER)
        self.activity.remarks += [*files.remarks, *self._template.remarks]
        if self._read is not None:
            self.activity.remarks.append(str(self._read))

    def _load(self, device: str) -> Replica:
        tokenizer = load_tokenizer(self._files, self._settings)
        files, settings = self._files, self._settings
        rows = _rows(files)
        model = load_model(
            files,
            settings,
            device,
            "AutoModelForSequenceClassification",
            labels=None if rows == len(files.labels) else rows,
        )
        texts = Texts(
            tokenizer,
            self._template,
            self._limit,
            files.truncation_side,
            ending=self._ending,
            pairs=self._pairs,
        )
        from rmjudge.providers.local.heads import Asked

        asked = Asked(
            label=self._label,
            chosen=settings.reward_head,
            skipped=None if self._read and self._read.where == "last" else files.pad_id,
            explicit=_explicit(settings),
            pairs=self._pairs,
        )
        return ClassifierReplica(model, texts, asked, plain=settings.attention != "auto")

    def parse(self, call: Call, raw: str) -> Answer:
        """Read a stored reply again."""
        return read_reply(raw)


class ClassifierReplica(RewardReplica):
    """A classifier on a device, with its tokenizer."""

    def __init__(self, model: Any, texts: Texts, asked: Asked, *, plain: bool) -> None:
        from rmjudge.providers.local.heads import head_of

        self._texts = texts
        self._head: Head = head_of(model, asked, _probes(texts, model), plain=plain)
        self.remark = str(self._head.way)
        self.computed = self._head.way.computed

    def encode(self, calls: Sequence[RewardCall]) -> list[Tokens | Failure]:
        """Render and tokenise."""
        return self._texts.encode([(call.prompt, call.response) for call in calls])

    def rewards(
        self, groups: Sequence[Sequence[Tokens]], stopping: Event, found: Found[float] = ignore
    ) -> Sequence[Sequence[float] | None]:
        """Read the head."""
        self._head.seconds = {text.ids: text.start for group in groups for text in group}
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


def label_of(files: ModelFiles, settings: LocalSettings) -> int:
    """Which output is the reward; what the model's own code gives is seen when it is loaded.

    Raises:
        UsageError: there are several and none is chosen, or the chosen one does not exist.
    """
    asked, own = settings.reward_head, _own_code(files, settings)
    rows = _rows(files)
    labels = files.labels
    if rows is not None and rows != len(labels):  # the weights count
        labels = tuple(f"LABEL_{k}" for k in range(rows))
    if asked is None:
        if len(labels) == 1 or own:
            return 0
        raise UsageError(
            f"{files.name} has {len(labels)} outputs; choose the reward with --reward-head: "
            + _listed(labels)
        )
    if asked in labels:
        return labels.index(asked)
    if asked.isdecimal() and (own or int(asked) < len(labels)):
        return int(asked)
    if own and asked == "end":
        return 0
    raise UsageError(f"{files.name} has no output {asked!r}; there are {_listed(labels)}")


def _explicit(settings: LocalSettings) -> bool:
    """Whether the user says where rewards are read."""
    return settings.reward_token != REWARD_TOKENS[0]


def _rows(files: ModelFiles) -> int | None:
    """How many outputs the weights of a native head have, where they can be seen."""
    shapes = shapes_in(files.folder)
    for name in ("score.weight", "classifier.weight"):
        if len(shape := shapes.get(name, ())) == 2:
            return shape[0]
    return None


def _own_code(files: ModelFiles, settings: LocalSettings) -> bool:
    """Whether Python code of the model's own makes its output."""
    return settings.trust_remote_code and "auto_map" in files.config


def _ending(files: ModelFiles) -> str | None:
    """What each text ends in, where the model was trained so; None leaves the template's end."""
    return files.special_tokens["eos_token"] or None if trained_by_openrlhf(files) else None


def _writes_pairs(files: ModelFiles, text: str) -> bool:
    """Whether a render is two texts for a pair encoder, with a separator between them."""
    separator, kinds = files.special_tokens["sep_token"], files.config.get("type_vocab_size")
    if not separator or not isinstance(kinds, int) or kinds < 2:
        return False
    between = text.partition(PROMPT)[2].partition(RESPONSE)[0]
    return separator in between


def _listed(labels: Sequence[str]) -> str:
    return ", ".join(f"{k} ({label})" for k, label in enumerate(labels))


def _check_kind(files: ModelFiles, settings: LocalSettings) -> None:
    named = files.architectures
    if not named or settings.trust_remote_code or any(name.endswith(SUFFIX) for name in named):
        return
    if OPENRLHF_CLASSES.intersection(named) and "score.weight" in shapes_in(files.folder):
        return  # transformers' own class of this family takes its weights
    raise UsageError(
        f"{files.name} is a {named[0]}, no {SUFFIX[3:]} model: its reward head would be random "
        f"numbers. hf-judge/{files.name} asks it as a judge, dpo/{files.name} takes its "
        "log-probabilities"
    )
