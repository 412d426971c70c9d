"""`rmjudge run` over a few tuples with distinct texts, and what it wrote."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rmjudge.cli import main

Command = Callable[..., tuple[int, str]]


def tuples(count: int = 1, prompt: str = "What is right?") -> Path:
    """Write a data file into the working folder, which is a test's own."""
    items: list[dict[str, Any]] = [
        {
            "id": number,
            "domain": "chat",
            "prompt": f"{number} {prompt}",
            "chosen": [f"{number} chosen {style}" for style in range(3)],
            "rejected": [f"{number} rejected {style}" for style in range(3)],
        }
        for number in range(count)
    ]
    path = Path("data.json").absolute()
    path.write_text(json.dumps(items), "utf-8")
    return path


def quietly(capsys: pytest.CaptureFixture[str]) -> Command:
    """`rmjudge run` over one tuple: exit code and standard error; results go to `o`."""
    data = str(tuples())

    def command(*words: object) -> tuple[int, str]:
        given = list(map(str, words))
        own = [] if "--data" in given else ["--data", data]
        try:
            code = main(["run", *given, *own, "--out", "o", "--quiet"])
        except SystemExit as left:  # argparse's own way out
            code = int(str(left.code))
        return code, capsys.readouterr().err

    return command


def written(name: str) -> Any:
    text = Path("o", name).read_text("utf-8")
    return json.loads(text) if name.endswith(".json") else json.loads(text.splitlines()[0])


def cells() -> list[float]:
    matrix = written("metrics.json")["domains"]["chat"]["matrix"]
    return [cell for row in matrix for cell in row]
