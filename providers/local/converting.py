"""Pickled weights (`.bin`, `.pt`, `.pth`) written anew as safetensors, in a process of its own.

A pickle can run code when it is read. `torch.load(weights_only=True)` allows tensors and plain
containers alone, and the process that does it writes files and nothing else.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rmjudge.errors import UsageError
from rmjudge.providers.local.libraries import require
from rmjudge.providers.local.weights import HEADS, PICKLES, pickles_in, weights_in

if TYPE_CHECKING:
    from torch import Tensor

INDEX: Final = "model.safetensors.index.json"
_WRAPPED: Final = ("state_dict", "module", "model")
"""Under which key some frameworks keep the tensors."""


def convert(folder: Path) -> list[Path]:
    """Write a folder's pickled weights as safetensors beside them; return the new files.

    The pickles stay. Nothing is written where one of them cannot be read.

    Raises:
        UsageError: there are no such weights, there are safetensors already, a file holds more
            than tensors, or the extra `local` is not installed.
    """
    require("rmjudge convert")
    if not folder.is_dir():
        raise UsageError(f"{folder}: there is no such folder")
    found = pickles_in(folder)
    held = weights_in(folder)
    if held:  # a head beside the weights may lack its file
        there = {path.stem for path in held}
        found = [path for path in found if path.stem in HEADS and path.stem not in there]
    if held and not found:
        raise UsageError(f"{folder} holds {held[0].name} already; nothing is to be converted")
    if not found:
        raise UsageError(
            f"{folder} holds no weights to convert ({', '.join(PICKLES)}); NeMo's files are read "
            "by NeMo alone: see nemo/MODEL and nim/MODEL"
        )
    done = subprocess.run(  # noqa: S603 - this very interpreter
        [sys.executable, "-m", __name__, str(folder), *(path.name for path in found)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise UsageError(f"{folder}: {said[-1] if said else f'ended by {done.returncode}'}")
    return [folder / name for name in json.loads(done.stdout)]


def _write(folder: Path, names: list[str]) -> list[str]:
    """Read each file and write it anew; names appear when all are done."""
    from safetensors.torch import save_file

    places: dict[str, str] = {}
    made: list[tuple[Path, Path]] = []
    size = 0
    try:
        shards = [name for name in names if Path(name).stem not in HEADS]
        for name in names:
            tensors = dict(_tensors(folder / name))
            target = _target(name, shards)
            draft = folder / f".{target}.part"
            made.append((draft, folder / target))
            save_file(tensors, draft, {"format": "pt"})
            if name not in shards:
                continue
            twice = places.keys() & tensors.keys()
            if twice:
                raise ValueError(f"{name} holds {min(twice)}, as another file does")
            places |= dict.fromkeys(tensors, target)
            size += sum(tensor.numel() * tensor.element_size() for tensor in tensors.values())
    except BaseException:
        for draft, _ in made:
            draft.unlink(missing_ok=True)
        raise
    for draft, final in made:
        draft.rename(final)
    if len(shards) > 1:
        told = {"metadata": {"total_size": size}, "weight_map": places}
        (folder / INDEX).write_text(json.dumps(told, indent=2, sort_keys=True) + "\n", "utf-8")
    return [final.name for _, final in made]


def _target(name: str, shards: list[str]) -> str:
    """A head beside the weights keeps its name; the others become one model."""
    if name not in shards:
        return f"{Path(name).stem}.safetensors"
    if len(shards) == 1:
        return "model.safetensors"
    return f"model-{shards.index(name) + 1:05}-of-{len(shards):05}.safetensors"


def _tensors(path: Path) -> Iterator[tuple[str, Tensor]]:
    """Names and tensors of a pickle; tensors that share memory become two."""
    import torch

    held: Any = torch.load(path, map_location="cpu", weights_only=True, mmap=_mappable(path))
    while isinstance(held, Mapping) and not any(torch.is_tensor(v) for v in held.values()):
        inner = next((held[key] for key in _WRAPPED if isinstance(held.get(key), Mapping)), None)
        if inner is None:
            break
        held = inner
    if not isinstance(held, Mapping):
        raise TypeError(f"{path.name} holds no weights by name, but a {type(held).__name__}")
    for name, tensor in held.items():
        if not torch.is_tensor(tensor):
            raise TypeError(f"{path.name}: {name} is no tensor, but a {type(tensor).__name__}")
        yield str(name), tensor.clone().contiguous()


def _mappable(path: Path) -> bool:
    """Whether it is a zip, as torch has written since 1.6: that is read piece by piece."""
    with path.open("rb") as file:
        return file.read(4) == b"PK\x03\x04"


def _main(folder: str, *names: str) -> int:
    try:
        sys.stdout.write(json.dumps(_write(Path(folder), list(names))))
    except Exception as error:  # noqa: BLE001 - told by the process that started this one
        said = " ".join(str(error).split())[:400] or type(error).__name__
        sys.stderr.write(f"not converted: {said}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(_main(*sys.argv[1:]))
