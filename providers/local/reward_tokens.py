"""At which token a classifier's reward is read where the padding token ends the text.

transformers' classifiers, models trained with TRL and the published numbers read the last token
that is not the padding token. OpenRLHF trains at the last token of the text, which it makes the
end-of-text token, behind a text without a last line break. The model's files say who trained it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

from rmjudge.providers.local.files import ModelFiles
from rmjudge.providers.local.settings import RewardToken

Read = Literal["last", "before-pad"]

OPENRLHF_CLASSES: Final = frozenset(("RewardModel", "LLMForSequenceRegression"))
_TRAINED_BY: Final = re.compile(
    r"\b(?:train|fine-?tun|buil[dt]|made|produc)\w*\b[^.\n]{0,80}\bOpenRLHF\b(?!/\w)", re.IGNORECASE
)
_TAGGED: Final = re.compile(r"^(?:library_name:\s*|\s*-\s*)openrlhf\s*$", re.I | re.M)
_BY_TRL: Final = re.compile(r"^\s*-\s*(?:trl|reward-trainer)\s*$", re.I | re.M)


@dataclass(frozen=True, slots=True)
class ReadAt:
    """The place as resolved, why, and the padding token's text."""

    where: Read
    why: str
    pad: str

    def __str__(self) -> str:
        """A sentence for the report."""
        place = "at it" if self.where == "last" else "at the token before it"
        return (
            f"the padding token {self.pad} ends each text; the reward is read {place} "
            f"(--reward-token {self.where}): {self.why}"
        )


def trained_by_openrlhf(files: ModelFiles) -> str:
    """What says so in the model's files; empty where nothing does."""
    named = OPENRLHF_CLASSES.intersection(files.architectures)
    if named:
        return f"config.json names OpenRLHF's class {min(named)}"
    if "value_head_prefix" in files.config:
        return "config.json has OpenRLHF's value_head_prefix"
    readme = files.readme
    front = readme.split("\n---", 1)[0] if readme.startswith("---") else ""
    if _BY_TRL.search(front):
        return ""
    if _TAGGED.search(front) or _TRAINED_BY.search(readme):
        return "README.md says that OpenRLHF trained it"
    return ""


def read_at(files: ModelFiles, asked: RewardToken, text: str) -> ReadAt | None:
    """Resolve where rewards are read of texts that end as `text` does; None where it is the same.

    `text` is a render of the model's template.
    """
    pad = files.token_text(files.pad_id)
    if not pad or not text.endswith(pad):
        return None
    if asked != "auto":
        return ReadAt(asked, "as asked", pad)
    if why := trained_by_openrlhf(files):
        return ReadAt("last", why, pad)
    return ReadAt("before-pad", "as transformers reads it, and trains with TRL", pad)
