"""What a model's files hold, and what the model took of it: nothing is dropped without a word.

transformers loads what fits and warns of the rest. Here a weight that no module takes, and a
module that got none, is another model than the one that was trained: both are refused.
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from rmjudge.errors import UsageError

SHOWN: Final = 3
LONGEST_HEADER: Final = 100 * 2**20
"""Bytes; what safetensors itself allows."""

ADAPTER: Final = ("adapter_config.", "adapter_model.")
"""What the names of an adapter's files begin with; they are no weights of the model's own."""
HEADS: Final = ("regression_layer", "gating_layer")
"""Files of heads beside the weights: a tensor `x` in `HEAD.safetensors` is the weight `HEAD.x`."""
PICKLES: Final = (".bin", ".pt", ".pth")
_NO_WEIGHTS: Final = ("training_args", "optimizer", "scheduler", "rng_state", "scaler")
"""What trainers leave beside the weights."""


def shapes_in(folder: Path) -> dict[str, tuple[int, ...]]:
    """Names and shapes of all weights in a folder, from the headers of its safetensors files.

    A file that cannot be read is left out: who loads it says what is wrong with it.
    """
    found: dict[str, tuple[int, ...]] = {}
    for path in weights_in(folder):
        found |= {inside(path, name): shape for name, shape in shapes_of(path).items()}
    return found


def inside(path: Path, name: str) -> str:
    """What a tensor of a file is called as a weight of the model."""
    return f"{path.stem}.{name}" if path.stem in HEADS else name


def weights_in(folder: Path) -> list[Path]:
    """The safetensors files of a folder but for an adapter's."""
    found = sorted(folder.glob("*.safetensors"))
    return [path for path in found if not path.name.startswith(ADAPTER)]


def pickles_in(folder: Path) -> list[Path]:
    """The pickled files of weights, without an adapter's and what trainers leave beside them."""
    return sorted(
        path
        for path in folder.iterdir()
        if path.suffix in PICKLES and not path.name.startswith((*_NO_WEIGHTS, *ADAPTER))
    )


def shapes_of(path: Path) -> dict[str, tuple[int, ...]]:
    """Names and shapes of a file's weights; none where it cannot be read."""
    try:
        with path.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            held = json.loads(file.read(min(length, LONGEST_HEADER)))
        return {
            name: tuple(map(int, entry["shape"]))
            for name, entry in held.items()
            if name != "__metadata__"
        }
    except (OSError, ValueError, LookupError, TypeError, AttributeError, struct.error):
        return {}


def check_beside(name: str, folder: Path) -> None:
    """Refuse two sets of weights.

    Raises:
        UsageError: there are two.
    """
    whole, index = "model.safetensors", "model.safetensors.index.json"
    if (folder / whole).is_file() and (folder / index).is_file():
        raise UsageError(
            f"{name} holds two sets of weights, {whole} and the files that {index} names; remove "
            "one of them"
        )


def not_loaded(folder: Path, read: Collection[str] = ()) -> tuple[str, ...]:
    """Files of weights in the folder that neither transformers reads nor `read` names."""
    files = {path.name for path in weights_in(folder) if path.stem not in read}
    if "model.safetensors" in files:
        return tuple(sorted(files - {"model.safetensors"}))
    try:
        index = json.loads((folder / "model.safetensors.index.json").read_text("utf-8"))
        used = set(map(str, index["weight_map"].values()))
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return ()
    return tuple(sorted(files - used))


def check_taken(
    name: str, model: Any, found: Mapping[str, Any], allowed: str | None, held: Iterable[str]
) -> tuple[str, ...]:
    """Refuse a model that did not take all of its files' weights, or that lacks some.

    `found` is transformers' loading info, `allowed` a regular expression that is searched in the
    names of weights that may stay unused, `held` are the names in the files, as far as known.
    Returns the names that are unused and allowed.

    Raises:
        UsageError: a module got no weights, or weights got no module.
    """
    missing = {*map(str, found.get("missing_keys", ())), *_hidden(model, set(held))}
    if missing:
        raise UsageError(
            f"{name}: its files lack {listed(sorted(missing))}, which would be random numbers; "
            "it was not trained for this"
        )
    unexpected = map(str, found.get("unexpected_keys", ()))
    unused = sorted({*unexpected, *_unreported(model, set(held))})
    refused = [key for key in unused if allowed is None or not re.search(allowed, key)]
    if refused:
        raise UsageError(
            f"{name}: its files hold weights that {type(model).__name__} has no place for: "
            f"{listed(refused)}; without them it is another model than the one that was trained. "
            "Where they are harmless, name them with --allow-unused REGEX"
        )
    return tuple(unused)


def pattern_of(allowed: str | None) -> str | None:
    """Check `--allow-unused`.

    Raises:
        UsageError: it is no regular expression.
    """
    if allowed is not None:
        try:
            re.compile(allowed)
        except re.error as error:
            raise UsageError(
                f"--allow-unused {allowed!r} is no regular expression: {error}"
            ) from None
    return allowed


def _hidden(model: Any, held: set[str]) -> set[str]:
    """Names that the model's class tells transformers not to report as missing."""
    patterns = [*(getattr(model, "_keys_to_ignore_on_load_missing", None) or ())]
    if not patterns or not held:
        return set()
    hides = re.compile("|".join(f"({pattern})" for pattern in patterns))
    tied = set(getattr(model, "all_tied_weights_keys", None) or ())
    return {
        key
        for key in model.state_dict()
        if hides.search(key) and key not in tied and key not in held
    }


def _unreported(model: Any, held: set[str]) -> set[str]:
    """Weights in the files that a class of the model's own has transformers drop without a word.

    transformers' own classes name what is known to play no part.
    """
    patterns = [*(getattr(model, "_keys_to_ignore_on_load_unexpected", None) or ())]
    if not patterns or type(model).__module__.partition(".")[0] == "transformers":
        return set()
    drops = re.compile("|".join(f"({pattern})" for pattern in patterns))
    taken = set(model.state_dict())
    return {
        key
        for key in held - taken
        if drops.search(key) and not key.endswith("rotary_emb.inv_freq")  # computed, never learnt
    }


def listed(names: Sequence[str]) -> str:
    """The first names, and how many more there are."""
    return ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" * (len(names) > SHOWN))
