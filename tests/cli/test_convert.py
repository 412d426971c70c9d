"""`rmjudge convert`: pickled weights become safetensors, and no code of theirs is run."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from local_models import Kind, make, plain_rewards, write_data

if TYPE_CHECKING:
    from command import Cli


@pytest.fixture
def pickled(cli: Cli) -> Path:
    """A model whose weights lie in one `.bin`."""
    import torch
    from safetensors.torch import load_file

    folder = make(cli.home / "rm", Kind())
    file = folder / "model.safetensors"
    torch.save(load_file(file), folder / "pytorch_model.bin")
    file.rename(cli.home / "kept.safetensors")
    return folder


def test_a_converted_model_gives_the_same_rewards(pickled: Path, cli: Cli) -> None:
    write_data(cli.home / "data.jsonl")
    before = cli("run", "hf/rm", "--data", "data.jsonl", "--quiet", "--out", "o")
    assert before.returncode == 2
    assert "`rmjudge convert rm` writes them" in " ".join(before.stderr.split())

    done = cli("convert", "rm")
    assert done.returncode == 0, done.stderr
    assert "model.safetensors written" in done.stdout
    assert (pickled / "pytorch_model.bin").is_file()
    run = cli("run", "hf/rm", "--data", "data.jsonl", "--quiet", "--out", "o")
    assert run.returncode == 0, run.stderr
    lines = [json.loads(line) for line in (cli.home / "o/results.jsonl").read_text().splitlines()]
    rewards = [
        reward for line in lines for reward in (*line["score_chosen"], *line["score_rejected"])
    ]
    assert rewards == pytest.approx(plain_rewards(pickled), rel=0, abs=1e-4)


def test_several_files_get_an_index_and_shared_tensors_become_two(cli: Cli) -> None:
    import torch
    from safetensors.torch import load_file

    folder = cli.home / "shards"
    folder.mkdir()
    one = torch.arange(6.0).reshape(2, 3)
    torch.save({"a": one, "b": one}, folder / "pytorch_model-00001-of-00002.bin")
    torch.save({"state_dict": {"c": one.T}}, folder / "pytorch_model-00002-of-00002.bin")
    torch.save({"lr": 1}, folder / "training_args.bin")
    done = cli("convert", "shards", "--json")
    assert done.returncode == 0, done.stderr
    files = [Path(name).name for name in json.loads(done.stdout)["files"]]
    assert files == [f"model-0000{k}-of-00002.safetensors" for k in (1, 2)]
    index = json.loads((folder / "model.safetensors.index.json").read_text())
    assert index["weight_map"] == {"a": files[0], "b": files[0], "c": files[1]}
    assert index["metadata"]["total_size"] == 3 * 24
    assert torch.equal(load_file(folder / files[1])["c"], one.T)
    assert torch.equal(load_file(folder / files[0])["b"], one)


class Evil:
    """A pickle of this touches a file when it is read."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.path,))


def test_a_pickle_that_would_run_code_is_refused_and_runs_none(cli: Cli) -> None:
    import torch

    folder = cli.home / "evil"
    folder.mkdir()
    torch.save({"a": torch.ones(2)}, folder / "a.bin")
    (folder / "b.bin").write_bytes(pickle.dumps({"w": Evil(cli.home / "touched")}))
    torch.save({"w": Evil(cli.home / "touched")}, folder / "c.bin")
    done = cli("convert", "evil")
    assert done.returncode == 2
    assert "not converted" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (cli.home / "touched").exists()
    assert sorted(path.name for path in folder.iterdir()) == ["a.bin", "b.bin", "c.bin"]


@pytest.mark.parametrize(
    ("make_it", "why"),
    [
        (lambda _folder: None, "there is no such folder"),
        (lambda folder: folder.mkdir(), "holds no weights to convert"),
        (
            lambda folder: (folder.mkdir(), (folder / "x.safetensors").touch()),
            "holds x.safetensors already",
        ),
        (lambda folder: (folder.mkdir(), (folder / "x.bin").write_text("no")), "not converted"),
    ],
)
def test_what_cannot_be_converted_is_told(make_it: Any, why: str, cli: Cli) -> None:
    make_it(cli.home / "m")
    done = cli("convert", "m")
    assert done.returncode == 2
    assert why in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
