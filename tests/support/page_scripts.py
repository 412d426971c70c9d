"""The page's scripts under Node, without a browser: what they make of values."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

import rmjudge.render.page

FOLDER = Path(rmjudge.render.page.__file__).parent


def made_by(names: tuple[str, ...], expression: str, before: str = "") -> Any:
    """Run scripts of the page, after `before`, and return an expression's value (a promise's)."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node, which runs the page's scripts without a browser, is not installed")
    scripts = "\n".join((FOLDER / name).read_text("ascii") for name in names)
    program = (
        f'"use strict";\n{before}\n{scripts}\n'
        f"(async () => console.log(JSON.stringify(await ({expression}))))();"
    )
    done = subprocess.run(
        [node, "--input-type=commonjs", "-"],
        input=program,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
