"""torch's libraries: loaded ahead of its import, so that hosted calls go on meanwhile."""

from __future__ import annotations

import subprocess
import sys

import pytest

AHEAD = """
import sys, pathlib
from rmjudge.providers.local import libraries
libraries._load_ahead()
loaded = "libtorch_cpu" in pathlib.Path("/proc/self/maps").read_text()
print(loaded, "torch" in sys.modules)
with libraries.loading():
    print(sys.modules["torch"].ones(2).sum().item(), "transformers" in sys.modules)
"""
ELSEWHERE = """
import sys
from importlib.machinery import ModuleSpec
from rmjudge.providers.local import libraries
libraries.find_spec = lambda name: ModuleSpec(name, None, origin="/nowhere/torch/__init__.py")
with libraries.loading():
    print(sys.modules["torch"].ones(2).sum().item())
"""


def said(script: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the import loads them itself")
def test_the_libraries_are_there_before_torch_is_imported_and_it_works_with_them() -> None:
    assert said(AHEAD) == ["True False", "2.0 True"]


def test_where_the_libraries_lie_elsewhere_torch_is_imported_all_the_same() -> None:
    assert said(ELSEWHERE) == ["2.0"]
