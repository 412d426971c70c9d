"""The notebook of docs/ runs from its first cell to its last, and shows what it shows there."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

NOTEBOOK = Path(__file__).parents[1] / "docs/notebook.ipynb"

pytestmark = pytest.mark.skipif(
    not (find_spec("nbconvert") and find_spec("ipykernel")),
    reason="nbconvert and ipykernel are not installed",
)


def outputs(notebook: Any) -> list[dict[str, Any]]:
    return [output for cell in notebook["cells"] for output in cell.get("outputs", [])]


def test_the_notebook_runs_and_shows_what_it_shows_in_docs(tmp_path: Path) -> None:
    copy = Path(shutil.copy(NOTEBOOK, tmp_path))
    words = ("-m", "nbconvert", "--to", "notebook", "--execute", "--inplace", str(copy))
    subprocess.run(
        [sys.executable, *words],
        check=True,
        capture_output=True,
        cwd=tmp_path,
        env={**os.environ, "HOME": str(tmp_path), "RMJUDGE_CACHE_DIR": str(tmp_path / "cache")},
    )
    made = outputs(json.loads(copy.read_text()))
    shown = outputs(json.loads(NOTEBOOK.read_text()))

    assert [output["output_type"] for output in made] == ["execute_result"] * len(shown)
    for new, old in zip(made, shown, strict=True):
        assert {kind: new["data"][kind] for kind in old["data"]} == old["data"]
