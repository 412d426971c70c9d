"""`hf/PATH_OR_ID`: a sequence classifier's raw logit as the reward.

A sigmoid or softmax would saturate good responses into ties. A model with several outputs needs
to be told which of them is the reward.
"""

from __future__ import annotations

from collections.abc import Sequence
from threading import Event
from typing import TYPE_CHECKING, Any, Final

from rmjudge.calls import Answer, Call, Failure, Json, RewardCall
from rmjudge.errors import UsageError
from rmjudge.providers.local.choosing import choose_head, explicit, own_code
from rmjudge.providers.local.files import ModelFiles, find
from rmjudge.providers.local.libraries import require
from rmjudge.providers.local.loading import load_tokenizer
from rmjudge.providers.local.recipes import Recipe
from rmjudge.providers.local.reward_tokens import read_at, trained_by_openrlhf
from rmjudge.providers.local.rewards import (
    Found,
    Reads,
    RewardReplica,
    Value,
    ignore,
    parser_of,
    read_reply,
)
from rmjudge.providers.local.scorer import LocalScorer, Replica, described
from rmjudge.providers.local.settings import LocalSettings
from rmjudge.providers.local.templates import PROMPT, RESPONSE, scoring_template
from rmjudge.providers.local.texts import Texts, TokenIds, Tokens
from rmjudge.providers.rendering import conversation, messages_of
from rmjudge.vocabulary import READS

if TYPE_CHECKING:
    from rmjudge.providers.local.heads import Head

PROBES: Final = ("Two and two is four.", "Paris.")


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
        self._choice = choice = choose_head(files, settings)
        self.reads = choice.reads
        self._template = scoring_template(files, settings)
        self._limit = files.limit(settings.max_tokens)
        self._ending = _ending(files)
        own_rule = choice.recipe is not None or choice.token is not None
        own_rule |= not explicit(settings) and own_code(files, settings)
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
            "head": choice.head,
        }
        if self._read is not None:
            identity["reward_token"] = self._read.where
        if self._ending is not None:
            identity["ending"] = self._ending
        if self._pairs:
            identity["segments"] = "pair"
        if choice.reads is not None and choice.head != choice.label:
            identity[READS] = choice.reads if isinstance(choice.reads, str) else {**choice.reads}
        super().__init__(name, settings, identity, parser=parser_of(self.reads))
        self.activity.remarks += [*files.remarks, *self._template.remarks]
        if choice.remark:
            self.activity.remarks.append(choice.remark)
        if self._read is not None:
            self.activity.remarks.append(str(self._read))

    def _load(self, device: str) -> Replica:
        from rmjudge.providers.local import reward_models

        tokenizer = load_tokenizer(self._files, self._settings)
        texts = Texts(
            tokenizer,
            self._template,
            self._limit,
            self._files.truncation_side,
            ending=self._ending,
            pairs=self._pairs,
            **appended_by(self._files, self._choice.recipe, tokenizer),
        )
        last = self._read is not None and self._read.where == "last"
        head = reward_models.load_head(
            self._files,
            self._settings,
            device,
            self._choice,
            tokenizer,
            probes=lambda pad: _probes(texts, pad),
            skipped=None if last else self._files.pad_id,
            pairs=self._pairs,
        )
        return ClassifierReplica(head, texts, self.reads)

    def refuses(self, roles: Sequence[str]) -> str:
        """Why it cannot score a response to messages of these roles; empty where it can."""
        if self._pairs:
            return "it reads two texts, a prompt and a response, with a separator between them"
        return self._template.refuses(roles, self._files)

    def parse(self, call: Call, raw: str) -> Answer:
        """Read a stored reply again."""
        return read_reply(raw, self.reads)


class ClassifierReplica(RewardReplica):
    """A classifier on a device, with its tokenizer."""

    def __init__(self, head: Head, texts: Texts, reads: Reads = None) -> None:
        self._texts = texts
        self._head = head
        self.reads = reads
        self.remark = str(head.way)
        self.computed = head.way.computed

    def encode(self, calls: Sequence[RewardCall]) -> list[Tokens | Failure]:
        """Render and tokenise."""
        made = self._texts.encode([messages_of(call) for call in calls])
        return [self._checked(text) if isinstance(text, Tokens) else text for text in made]

    def _checked(self, text: Tokens) -> Tokens | Failure:
        lacks = self._head.lacks(text.ids)
        return Failure("template", lacks) if lacks else text

    def rewards(
        self, groups: Sequence[Sequence[Tokens]], stopping: Event, found: Found[Value] = ignore
    ) -> Sequence[Sequence[Value] | None]:
        """Read the head."""
        self._head.seconds = {text.ids: text.start for group in groups for text in group}
        return self._head.rewards(
            [[text.ids for text in group] for group in groups], stopping, found
        )


def _probes(texts: Texts, pad: int | None) -> list[TokenIds]:
    """Two short texts of different lengths that do not end in the padding token."""
    found: list[TokenIds] = []
    for tokens in texts.encode(
        [conversation("2+2?", PROBES[0]), conversation("Where?", PROBES[1])]
    ):
        if isinstance(tokens, Failure):
            raise UsageError(tokens.detail)
        ids = tokens.ids
        while len(ids) > 1 and ids[-1] == pad:
            ids = ids[:-1]
        found.append(ids)
    return found


def appended_by(files: ModelFiles, recipe: Recipe | None, tokenizer: Any) -> dict[str, Any]:
    """What a recipe writes behind each text, for `Texts`.

    Raises:
        UsageError: the model's files do not name that token.
    """
    if recipe is None or not recipe.appended:
        return {}
    if recipe.appended == "cls_token":
        token = tokenizer.cls_token_id
    else:
        token = files.config.get("reward_token_id")
    if not isinstance(token, int):
        raise UsageError(
            f"{files.name}: its head ({recipe.name}) reads the reward at the token that its files "
            f"call {recipe.appended}, and they name none"
        )
    return {"appended": token, "bare": recipe.appended == "reward_token_id"}


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
