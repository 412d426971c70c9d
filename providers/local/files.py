"""A model's small files, read before anything heavy: a folder's, or a snapshot of the hub's.

From them comes a scorer's identity, so that a run which the cache answers imports no torch and
loads no weights.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from rmjudge.calls import Json
from rmjudge.errors import UsageError
from rmjudge.providers.local.adapters import Adapter, adapter_in
from rmjudge.providers.local.digests import digest_of_folder
from rmjudge.providers.local.hub import snapshot_of_small_files
from rmjudge.providers.local.weights import (
    HEADS,
    check_beside,
    not_loaded,
    pickles_in,
    shapes_in,
    weights_in,
)

SANE_TOKENS: Final = 10**9
"""Tokenizers without a limit of their own say 1e30."""
_OFFSET_POSITIONS: Final = frozenset(("roberta", "xlm-roberta", "xlm-roberta-xl", "camembert"))
"""Models that count positions from 2."""
_NAMED_TOKENS: Final = (
    "bos_token",
    "eos_token",
    "pad_token",
    "unk_token",
    "sep_token",
    "cls_token",
    "mask_token",
)
_OTHER_HEAD: Final = re.compile(r"Classification|Reward|Regression|ForScore|QuestionAnswering")
_TOKENIZER_FILES: Final = ("tokenizer", "vocab", "spiece", "sentencepiece", "merges")


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """Where a model's files are and what they say.

    `name` is what the user wrote. `source` and `commit` are what transformers is asked for;
    `commit` is None for a folder, whose content `digest` stands for. With an `adapter`, they are
    of the model that it is merged into.
    """

    name: str
    source: str
    folder: Path
    commit: str | None
    digest: str | None
    config: Mapping[str, Any]
    tokenizer_config: Mapping[str, Any]
    adapter: Adapter | None = None

    @property
    def described(self) -> dict[str, Json]:
        """Which weights these are: the hub's id and commit, or the content, wherever it lies."""
        added = self.adapter.described if self.adapter else {}
        if self.commit is not None:
            return {"model": self.source, "revision": self.commit, **added}
        return {"model": "folder", "revision": f"sha256:{self.digest}", **added}

    @property
    def architectures(self) -> tuple[str, ...]:
        """The classes that the weights were saved from, or what an adapter makes of them."""
        named = self.config.get("architectures")
        names = tuple(map(str, named)) if isinstance(named, list) else ()
        if self.adapter is not None and self.adapter.classifies:
            return tuple(re.sub(r"ForCausalLM$", "ForSequenceClassification", x) for x in names)
        return names

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shapes of the weights, by name, as far as the files here tell."""
        return {**shapes_in(self.folder), **(self.adapter.replaced if self.adapter else {})}

    @property
    def tokenizer_folder(self) -> Path:
        """Where the tokenizer lies: beside the adapter, where it brings one."""
        if self.adapter is not None and _holds_tokenizer(self.adapter.folder):
            return self.adapter.folder
        return self.folder

    @property
    def dtype(self) -> str:
        """The dtype that the configuration names, float32 where it names none."""
        named = _first(self.config, ("dtype", "torch_dtype")) or _first(
            self._text_config, ("dtype", "torch_dtype")
        )
        return str(named or "float32").removeprefix("torch.")

    @property
    def labels(self) -> tuple[str, ...]:
        """What the outputs of a classifier are called, in order; two where nothing is said."""
        named = self.config.get("id2label")
        if isinstance(named, dict) and named:
            return tuple(str(named[key]) for key in sorted(named, key=_index))
        count = self.config.get("num_labels", 2)
        return tuple(f"LABEL_{k}" for k in range(count if isinstance(count, int) else 2))

    @property
    def positions(self) -> int | None:
        """How many tokens the model has positions for; None where it does not say."""
        names = ("max_position_embeddings", "n_positions", "max_sequence_length", "max_seq_len")
        found = _first(self.config, names) or _first(self._text_config, names)
        if not isinstance(found, int) or found < 1:
            return None
        return found - 2 if self.config.get("model_type") in _OFFSET_POSITIONS else found

    def limit(self, asked: int | None) -> int | None:
        """The longest text in tokens: what was asked for, or what model and tokenizer say.

        Raises:
            UsageError: the model has fewer positions than were asked for.
        """
        positions = self.positions
        if asked is not None:
            if positions is not None and asked > positions:
                raise UsageError(
                    f"{self.name} takes {positions} tokens at most; give --max-tokens no more"
                )
            return asked
        own = self.tokenizer_config.get("model_max_length")
        tokens = int(own) if isinstance(own, (int, float)) and 1 <= own < SANE_TOKENS else None
        return min((limit for limit in (tokens, positions) if limit is not None), default=None)

    @property
    def truncation_side(self) -> str:
        """Which end of a text that is too long goes: left or right."""
        return "left" if self.tokenizer_config.get("truncation_side") == "left" else "right"

    @property
    def chat_template(self) -> str | None:
        """The tokenizer's chat template, as transformers would pick it.

        Raises:
            UsageError: its file or its list cannot be read.
        """
        file = self.tokenizer_folder / "chat_template.jinja"
        if file.is_file():
            try:
                return file.read_text("utf-8")
            except (OSError, UnicodeDecodeError) as error:
                raise UsageError(f"{self.name}: {file.name} cannot be read: {error}") from error
        held = self.tokenizer_config.get("chat_template")
        if isinstance(held, list):  # several, by name
            if not all(
                isinstance(item, dict) and {"name", "template"} <= set(item) for item in held
            ):
                raise UsageError(
                    f"{self.name}: tokenizer_config.json has a list as its chat_template, and not "
                    "each item has a name and a template; give one with --template FILE"
                )
            held = next((item["template"] for item in held if item["name"] == "default"), None)
        return held if isinstance(held, str) and held else None

    @property
    def remarks(self) -> list[str]:
        """What the report says of the files: an adapter, weights that lie beside what is loaded."""
        said = []
        if self.adapter is not None:
            beside = self.adapter.folder == self.folder
            into = "the weights beside it" if beside else self.source
            said.append(
                f"an adapter ({self.adapter.kind}, {self.adapter.name}) is merged into {into}"
                + ("; where they hold it already, move it out of the folder" * beside)
            )
        head = HEADS if any(name.startswith("LDL") for name in self.architectures) else ()
        if others := not_loaded(self.folder, head):
            said.append(f"beside its weights lie {', '.join(others)}, not loaded")
        return said

    @property
    def readme(self) -> str:
        """The model card; empty where there is none. It is no part of the digest."""
        try:
            folder = self.adapter.folder if self.adapter else self.folder
            return (folder / "README.md").read_text("utf-8", "replace")
        except OSError:
            return ""

    @property
    def pad_id(self) -> int | None:
        """The padding token that the model's configuration names.

        With an adapter the configuration is of the model before training, which may name none:
        then it is the tokenizer's, as trainers write it into the configuration.
        """
        found = _first(self.config, ("pad_token_id",))
        found = found if found is not None else _first(self._text_config, ("pad_token_id",))
        if found is None and self.adapter is not None:
            return self._token_id(self.special_tokens["pad_token"])
        return found if isinstance(found, int) and not isinstance(found, bool) else None

    def _token_id(self, text: str) -> int | None:
        """The id of an added token; None where the files do not say."""
        return next((number for number, own in self._added().items() if own == text), None)

    def token_text(self, token: int | None) -> str:
        """The text of an added token; empty where the files do not say."""
        if token is None:
            return ""
        decoder = self.tokenizer_config.get("added_tokens_decoder")
        entry = decoder.get(str(token)) if isinstance(decoder, dict) else None
        content = entry.get("content") if isinstance(entry, dict) else None
        return content if isinstance(content, str) else self._added().get(token, "")

    def _added(self) -> dict[int, str]:
        """Texts of added tokens by id, from tokenizer.json."""
        try:
            held = json.loads((self.tokenizer_folder / "tokenizer.json").read_text("utf-8"))
            return {int(one["id"]): str(one["content"]) for one in held["added_tokens"]}
        except (OSError, ValueError, LookupError, TypeError, RecursionError):
            return {}

    @property
    def special_tokens(self) -> dict[str, str]:
        """What templates are given: the texts of the tokenizer's named tokens."""
        found = dict.fromkeys(_NAMED_TOKENS, "")
        for name in _NAMED_TOKENS:
            held = self.tokenizer_config.get(name)
            text = held.get("content") if isinstance(held, dict) else held
            if isinstance(text, str):
                found[name] = text
        return found

    @property
    def _text_config(self) -> Mapping[str, Any]:
        inner = self.config.get("text_config")
        return inner if isinstance(inner, dict) else {}


def find(name: str, *, revision: str | None = None, code: bool = False) -> ModelFiles:
    """Read the small files of a folder or of a hub id.

    `code` says that Python files of the model will run, so that they count as content.

    Raises:
        UsageError: there is no such model, it cannot be had, or files are missing or broken.
    """
    folder = Path(name)
    if _is_folder(folder):
        if revision is not None:
            raise UsageError(f"{name} is a folder; --revision is for models on the hub")
        folder = folder.absolute()
        adapter = adapter_in(name, folder)
        if adapter is not None and not (weights_in(folder) or pickles_in(folder)):
            if (folder / "config.json").is_file():
                raise UsageError(
                    f"{name} holds a LoRA adapter and the config.json of a whole model, whose "
                    "weights are missing; bring them, or take config.json out of the folder to "
                    f"have the adapter merged into {adapter.base}"
                )
            return _on_its_base(name, adapter, code=code)
        _check_folder(name, folder)
        check_beside(name, folder)
        digest = digest_of_folder(folder, code)
        made = _read(name, str(folder), folder, commit=None, digest=digest)
        return replace(made, adapter=adapter)
    if name.startswith(("/", ".", "~")) or name.count("/") > 1 or "\\" in name:
        raise UsageError(f"{name}: there is no such folder")
    folder, commit = snapshot_of_small_files(name, revision)
    adapter = adapter_in(name, folder, commit)
    if adapter is not None:
        if (folder / "config.json").is_file():
            raise UsageError(
                f"{name} holds a configuration and an adapter: whether weights lie beside it on "
                "the hub is not seen from here; download it, and name the folder"
            )
        return _on_its_base(name, adapter, code=code)
    check_beside(name, folder)
    return _read(name, name, folder, commit=commit, digest=None)


def _on_its_base(name: str, adapter: Adapter, *, code: bool) -> ModelFiles:
    """The files of the model that an adapter was trained on, with it."""
    base, revision = adapter.base, adapter.config.get("revision")
    try:
        found = find(base, revision=None if _is_folder(Path(base)) else revision, code=code)
    except UsageError as error:
        raise UsageError(
            f"{name} is an adapter of {base} (base_model_name_or_path of its configuration), "
            f"which cannot be had: {error}"
        ) from error
    if found.adapter is not None:
        raise UsageError(f"{name} is an adapter of {base}, which has an adapter itself: merge that")
    words = found.tokenizer_config
    if _holds_tokenizer(adapter.folder):
        words = _json(name, adapter.folder / "tokenizer_config.json", missing_is_fine=True)
    return replace(found, name=name, adapter=adapter, tokenizer_config=words)


def _holds_tokenizer(folder: Path) -> bool:
    return any(path.name.startswith(_TOKENIZER_FILES) for path in folder.iterdir())


def check_causal(files: ModelFiles) -> None:
    """Refuse a classifier as a language model: with tied embeddings nothing would be missing.

    Raises:
        UsageError: the configuration names a class with another head.
    """
    other = next((name for name in files.architectures if _OTHER_HEAD.search(name)), None)
    if other is not None:
        raise UsageError(
            f"{files.name} is a {other}, no causal language model: its log-probabilities mean "
            f"nothing; hf/{files.name} reads its head"
        )


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # a name that is too long for any file
        return False


def _check_folder(name: str, folder: Path) -> None:
    if not (folder / "config.json").is_file():
        nemo = any(folder.glob("*.nemo")) or (folder / "model_config.yaml").is_file()
        how = " but NeMo's: serve it and use nemo/MODEL, or nim/MODEL" if nemo else ""
        raise UsageError(f"{name} holds no config.json, so it is no transformers model{how}")
    if not weights_in(folder):
        if others := pickles_in(folder):
            raise UsageError(
                f"{name} holds only {others[0].name}, a pickle, which can run code; rmjudge loads "
                f"safetensors alone: `rmjudge convert {name}` writes them"
            )
        raise UsageError(f"{name} holds no weights; rmjudge loads safetensors alone")
    if not _holds_tokenizer(folder):
        raise UsageError(
            f"{name} holds no tokenizer; save it there too (tokenizer.save_pretrained)"
        )


def _read(
    name: str, source: str, folder: Path, *, commit: str | None, digest: str | None
) -> ModelFiles:
    return ModelFiles(
        name=name,
        source=source,
        folder=folder,
        commit=commit,
        digest=digest,
        config=_json(name, folder / "config.json"),
        tokenizer_config=_json(name, folder / "tokenizer_config.json", missing_is_fine=True),
    )


def _json(name: str, path: Path, *, missing_is_fine: bool = False) -> Mapping[str, Any]:
    if missing_is_fine and not path.is_file():
        return {}
    try:
        data = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"{name}: {path.name} cannot be read: {error}") from error
    if not isinstance(data, dict):
        raise UsageError(f"{name}: {path.name} is no JSON object")
    return data


def _first(data: Mapping[str, Any], names: Sequence[str]) -> Any:
    return next((data[name] for name in names if data.get(name) is not None), None)


def _index(key: str) -> tuple[int, str]:
    return (int(key), "") if key.isdigit() else (10**6, key)
