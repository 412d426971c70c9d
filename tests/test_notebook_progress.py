"""`evaluate(progress=True)` in a notebook: one place below the cell, which is written anew."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from served import ModelServer

pytestmark = pytest.mark.skipif(
    not (find_spec("nbconvert") and find_spec("ipykernel")),
    reason="nbconvert and ipykernel are not installed",
)


def executed(cell: str, folder: Path) -> list[dict[str, Any]]:
    """Run a notebook of one cell; return its outputs."""
    notebook = {
        "cells": [
            {"cell_type": "code", "source": cell, "metadata": {}, "outputs": [], "id": "one"}
            | {"execution_count": None}
        ],
        "metadata": {},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    path = folder / "one.ipynb"
    path.write_text(json.dumps(notebook))
    words = ("-m", "nbconvert", "--to", "notebook", "--execute", "--inplace", str(path))
    subprocess.run(
        [sys.executable, *words],
        check=True,
        cwd=folder,
        env={**os.environ, "HOME": str(folder), "RMJUDGE_CACHE_DIR": str(folder / "cache")},
    )
    found: list[dict[str, Any]] = json.loads(path.read_text())["cells"][0]["outputs"]
    return found


@pytest.mark.parametrize("call", ["rmjudge.evaluate", "await rmjudge.aevaluate"])
def test_progress_has_one_place_that_ends_with_all_calls(
    server: ModelServer, tmp_path: Path, call: str
) -> None:
    server.control(latency_s=0.2)
    cell = (
        "import rmjudge\n"
        f"run = {call}({server.judge!r}, limit=1, concurrency=8, progress=True)\n"
        "print(len(run))"
    )
    shown, said = executed(cell, tmp_path)
    assert shown["output_type"] == "display_data"
    html = "".join(shown["data"]["text/html"])
    assert "openai/judge" in html
    assert "36/36" in html
    assert '<progress max="36" value="36">' in html
    assert said["text"] == ["1\n"] or said["text"] == "1\n"
