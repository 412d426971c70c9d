"""`dpo/PATH_OR_ID [--reference PATH_OR_ID]`: a DPO policy as an implicit reward model.

With a reference model the reward of a response y to a prompt x is beta * (log pi(y|x) - log
pi_ref(y|x)), summed over the tokens of the response (Rafailov et al. 2023, equation 5, less the
term of the prompt). Here beta is 1: it does not change the order. Without a reference it is
log pi(y|x), the mean over the tokens as the benchmark's own script has it, or the sum.

Which tokens count: all behind the prompt's render with the generation prompt, so also what the
template writes behind the response, such as the end-of-turn token (see `texts.Texts.encode`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from threading import Event
from typing import TYPE_CHECKING, Any, Final

from rmjudge.calls import Answer, Call, Failure, Json, RewardCall
from rmjudge.errors import UsageError
from rmjudge.providers.local.devices import kind_of
from rmjudge.providers.local.embeddings import rows_of, unembedded
from rmjudge.providers.local.files import ModelFiles, check_causal, find
from rmjudge.providers.local.libraries import require
from rmjudge.providers.local.loading import dtype_of, load_model, load_tokenizer
from rmjudge.providers.local.references import Reference, shared_reference
from rmjudge.providers.local.rewards import (
    PARSER,
    Found,
    RewardReplica,
    ignore,
    read_reply,
    run_until_stopped,
    way_of,
)
from rmjudge.providers.local.scorer import LocalScorer, Replica, described
from rmjudge.providers.local.settings import REDUCTIONS, LocalSettings, Reduction
from rmjudge.providers.local.templates import scoring_template
from rmjudge.providers.local.texts import Texts, TokenIds, Tokens
from rmjudge.providers.rendering import conversation, messages_of

if TYPE_CHECKING:
    from torch import Tensor

    from rmjudge.providers.local.forward import States
    from rmjudge.providers.local.likelihoods import ResponseLogprob

PROBE: Final = ("2+2?", "Two and two is four.")


class ImplicitReward(LocalScorer):
    """Pointwise rewards of a policy, with or without its reference."""

    def __init__(self, settings: LocalSettings) -> None:
        """Read the models' small files; weights are loaded with the first call.

        Raises:
            UsageError: a model or an option is wrong, or the extra `local` is not installed.
        """
        name = f"dpo/{settings.model}"
        require(name)
        reduction = _reduction(settings)
        self._settings = settings
        code = settings.trust_remote_code
        self._policy = policy = find(settings.model, revision=settings.revision, code=code)
        self._reference = find(settings.reference, code=code) if settings.reference else None
        for files in (policy, *([self._reference] if self._reference else [])):
            check_causal(files)
        self._template = scoring_template(policy, settings)
        self._limit = self._common_limit()
        self._mean = reduction == "mean"
        reward = _told(reduction, self._reference)
        identity: dict[str, Json] = {
            **described("dpo", policy, settings),
            "reference": self._described_reference(),
            "template": self._template.source,
            **self._template.described,
            "max_tokens": self._limit,
            "truncation": policy.truncation_side,
            "reward": reward,
        }
        super().__init__(name, settings, identity, parser=PARSER)
        self.activity.remarks.append(f"implicit reward: {reward}")
        self.activity.remarks += [*policy.remarks, *self._template.remarks]

    def _common_limit(self) -> int | None:
        files = (self._policy, *([self._reference] if self._reference else []))
        limits = [model.limit(self._settings.max_tokens) for model in files]
        return min((limit for limit in limits if limit is not None), default=None)

    def _described_reference(self) -> Json:
        if self._reference is None:
            return None
        return {**self._reference.described, "dtype": dtype_of(self._reference, self._settings)}

    def _load(self, device: str) -> Replica:
        tokenizer = load_tokenizer(self._policy, self._settings)
        texts = Texts(tokenizer, self._template, self._limit, self._policy.truncation_side)
        unshared = self._unshared_tokens(tokenizer)
        probe = _probe(texts, unshared)
        return ImplicitReplica(
            self._likelihoods(self._policy, device, probe),
            self._shared_reference(device, probe),
            texts,
            mean=self._mean,
            unshared=unshared,
        )

    def _unshared_tokens(self, tokenizer: Any) -> frozenset[int]:
        if self._reference is None:
            return frozenset()
        unshared = _unshared(tokenizer, load_tokenizer(self._reference, self._settings))
        if unshared is None:
            raise UsageError(
                f"{self._policy.name} and {self._reference.name} have different vocabularies: "
                "a reference is the model that the policy was trained from"
            )
        return unshared

    def _likelihoods(self, files: ModelFiles, device: str, probe: TokenIds) -> Likelihoods:
        model = load_model(files, self._settings, device, "AutoModelForCausalLM")
        return Likelihoods(model, probe, plain=self._settings.attention != "auto")

    def _shared_reference(self, device: str, probe: TokenIds) -> Reference | None:
        files, settings = self._reference, self._settings
        if files is None:
            return None
        # What a reference says of a text depends on these alone, whatever the policy.
        about = {
            "reference": self._described_reference(),
            "device": kind_of(device),
            "attention": settings.attention,
            "device_map": settings.device_map,
            "remote_code": settings.trust_remote_code,
            "unused": settings.allow_unused,
        }
        key = json.dumps(about, sort_keys=True)
        return shared_reference(key, device, lambda: self._likelihoods(files, device, probe))

    def refuses(self, roles: Sequence[str]) -> str:
        """Why it cannot score a response to messages of these roles; empty where it can."""
        return self._template.refuses(roles, self._policy)

    def parse(self, call: Call, raw: str) -> Answer:
        """Read a stored reply again."""
        return read_reply(raw)


def _unshared(one: Any, other: Any) -> frozenset[int] | None:
    """Ids of added tokens that one of two tokenizers lacks; None where they differ in more.

    A padding token that was added in training is harmless: no text holds it.
    """
    first, second = one.get_vocab(), other.get_vocab()
    added = {**one.get_added_vocab(), **other.get_added_vocab()}
    apart = dict(first.items() ^ second.items())
    if (
        any(token in first and token in second for token in apart)
        or not apart.keys() <= added.keys()
    ):
        return None
    return frozenset(apart.values())


def _reduction(settings: LocalSettings) -> Reduction:
    asked = settings.dpo_reduction
    if asked is None:  # without a reference as the benchmark's own script does
        return "mean" if settings.reference is None else "sum"
    if asked not in REDUCTIONS:
        raise UsageError(f"--dpo-reduction {asked}: there are {', '.join(REDUCTIONS)}")
    if settings.reference is not None:
        raise UsageError(
            "--dpo-reduction is for a policy without --reference, whose reward is a sum"
        )
    return asked


def _told(reduction: Reduction, reference: ModelFiles | None) -> str:
    if reference is not None:
        return "log pi - log pi_ref, summed over the response's tokens, beta 1"
    over = "summed" if reduction == "sum" else "averaged"
    return f"log pi without a reference model, {over} over the response's tokens"


class ImplicitReplica(RewardReplica):
    """A policy, and its reference where there is one, on a device."""

    def __init__(
        self,
        policy: Likelihoods,
        reference: Reference | None,
        texts: Texts,
        *,
        mean: bool,
        unshared: frozenset[int] = frozenset(),
    ) -> None:
        """`unshared` are tokens that one of the models does not have."""
        self._policy = policy
        self._reference = reference
        self._texts = texts
        self._unshared = unshared
        self._mean = mean
        self.remark = str(policy.way)
        ways = [policy.way, *([reference.way] if reference else [])]
        self.computed = ", ".join(dict.fromkeys(way.computed for way in ways))

    def encode(self, calls: Sequence[RewardCall]) -> list[Tokens | Failure]:
        """Render and tokenise, and find where responses begin."""
        # The first token of all has nothing before it, hence no probability.
        return [
            self._known(replace(text, start=max(1, text.start)))
            if isinstance(text, Tokens)
            else text
            for text in self._texts.encode(list(map(messages_of, calls)), find_responses=True)
        ]

    def _known(self, text: Tokens) -> Tokens | Failure:
        if self._unshared and not self._unshared.isdisjoint(text.ids):
            return Failure("template", "it holds a token that policy and reference do not share")
        lacks = unembedded(text.ids, self._policy.rows)
        return Failure("template", lacks) if lacks else text

    def rewards(
        self, groups: Sequence[Sequence[Tokens]], stopping: Event, found: Found[float] = ignore
    ) -> Sequence[Sequence[float] | None]:
        """Ask the policy, then the reference, and take the difference."""
        made: list[Sequence[float] | None] = [None] * len(groups)

        def keep(number: int, values: Sequence[float]) -> None:
            made[number] = values
            found(number, values)

        if self._reference is None:
            self._policy.responses(groups, stopping, lambda n, own: keep(n, self._alone(own)))
            return made
        policy = self._policy.responses(groups, stopping)

        def differ(number: int, reference: Sequence[ResponseLogprob]) -> None:
            own = policy[number]
            if own is not None:
                pairs = zip(own, reference, strict=True)
                keep(number, [one.total - other.total for one, other in pairs])

        self._reference.responses(groups, stopping, differ)
        return made

    def _alone(self, own: Sequence[ResponseLogprob]) -> list[float]:
        return [item.total / item.tokens if self._mean else item.total for item in own]


def _probe(texts: Texts, unshared: frozenset[int]) -> TokenIds:
    """A short text, to try the models on.

    Raises:
        UsageError: the template writes a token that one of the models does not have.
    """
    (probe,) = texts.encode([conversation(*PROBE)])
    if isinstance(probe, Failure):
        raise UsageError(probe.detail)
    if not unshared.isdisjoint(probe.ids):
        raise UsageError(
            "the chat template writes tokens that policy and reference do not share; give one "
            "that both know with --template FILE"
        )
    return probe.ids


class Likelihoods:
    """Log-probabilities of responses under one causal language model.

    Raises:
        UsageError: the model makes its logits in a way that is not known here.
    """

    def __init__(self, model: Any, probe: TokenIds, *, plain: bool) -> None:
        from rmjudge.providers.local.forward import Forward

        self.rows = rows_of(model)
        self._logits = logits_of(model)
        _check_logits(model, self._logits, probe)
        self._forward = Forward(model.base_model, way="sorted" if plain else "auto")
        self.way = way_of(self._forward)

    def responses(
        self,
        groups: Sequence[Sequence[Tokens]],
        stopping: Event,
        found: Found[ResponseLogprob] = ignore,
    ) -> list[list[ResponseLogprob] | None]:
        """Log-probabilities of each text's tokens from its `start` on; None where left out."""
        from rmjudge.providers.local.likelihoods import response_logprobs

        starts = {text.ids: text.start for group in groups for text in group}

        def read(states: States) -> list[ResponseLogprob]:
            first = [starts[ids] for ids in states.sequences]
            return response_logprobs(states, first, self._logits)

        ids = [[text.ids for text in group] for group in groups]
        return run_until_stopped(self._forward, ids, read, stopping, found)


def logits_of(model: Any) -> Callable[[Tensor], Tensor]:
    """What maps hidden states [n, width] to logits [n, vocabulary], as the model does it.

    Cohere scales them, Granite divides them, Gemma 2 caps them softly.
    """
    import torch

    head = model.get_output_embeddings()
    config = model.config.get_text_config()
    factor = float(getattr(config, "logit_scale", None) or 1.0)
    factor /= float(getattr(config, "logits_scaling", None) or 1.0)
    cap = getattr(config, "final_logit_softcapping", None)

    def logits(hidden: Tensor) -> Tensor:
        made: Tensor = head(hidden)
        if factor != 1.0:
            made = made * factor
        return torch.tanh(made / cap) * cap if cap else made

    return logits


def _check_logits(model: Any, logits: Callable[[Tensor], Tensor], probe: TokenIds) -> None:
    import torch

    with torch.inference_mode():
        ids = torch.tensor([probe], device=model.device)
        whole = model(input_ids=ids).logits[0].float()
        hidden = model.base_model(input_ids=ids).last_hidden_state[0]
        own = logits(hidden).float().to(whole.device)
    # Equal computations; half precision rounds them alike, a missing step is far off.
    if not torch.allclose(own, whole, rtol=1e-2, atol=1e-2):
        raise UsageError(
            f"{type(model).__name__} makes its logits in a way that is not known here, so its "
            "log-probabilities would be wrong"
        )
