"""What is listed, built and installed is what lies on disk."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from graphlib import TopologicalSorter
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from command import Cli

ROOT = Path(__file__).parent.parent
FOLDERS = {"rmjudge": "rmjudge", "providers": "rmjudge.providers", "cache": "rmjudge.cache"}
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def modules() -> Iterator[tuple[str, Path]]:
    """Every module of the package by its dotted name, the top-level folders each once."""
    for folder, package in FOLDERS.items():
        for place, _, names in os.walk(ROOT / folder, followlinks=False):
            for name in names:
                if name.endswith(".py"):
                    path = Path(place, name)
                    inside = path.relative_to(ROOT / folder).with_suffix("").parts
                    yield ".".join((package, *inside)).removesuffix(".__init__"), path


def test_the_packages_listed_are_those_on_disk() -> None:
    found = {name for name, path in modules() if path.name == "__init__.py"}
    assert sorted(PROJECT["tool"]["setuptools"]["packages"]) == sorted(found)


def test_every_folder_with_a_module_is_a_package() -> None:
    names = {name for name, _ in modules()}
    assert {name.rpartition(".")[0] for name in names} - {""} <= names


@pytest.mark.skipif(
    (ROOT / "PKG-INFO").exists(),
    reason="an unpacked sdist has no links; only a checkout needs them",
)
@pytest.mark.parametrize("name", ["providers", "cache"])
def test_the_links_inside_the_package_are_relative(name: str) -> None:
    assert (ROOT / "rmjudge" / name).readlink() == Path("..", name)


def imports(path: Path, names: set[str]) -> set[str]:
    """The modules of ours that a module imports, late imports too, those for type checkers not."""
    found: set[str] = set()
    left: list[ast.AST] = [ast.parse(path.read_text("utf-8"))]
    while left:
        node = left.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            left += node.orelse
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= (inner & names) or {node.module}
        left += ast.iter_child_nodes(node)
    return found & names


def room(module: str) -> str:
    """A package below `rmjudge`, or a module on top of it."""
    return module.split(".")[1] if "." in module else module


@pytest.fixture(scope="module")
def graph() -> dict[str, set[str]]:
    """For each module those that it imports."""
    found = dict(modules())
    return {name: imports(path, set(found)) - {name} for name, path in found.items()}


@pytest.fixture(scope="module")
def rooms(graph: dict[str, set[str]]) -> dict[str, set[str]]:
    """For each room those that it imports."""
    found: dict[str, set[str]] = {room(name): set() for name in graph}
    for name, imported in graph.items():
        found[room(name)] |= {room(other) for other in imported} - {room(name), "rmjudge"}
    return found


@pytest.mark.parametrize("level", ["graph", "rooms"])
def test_no_imports_go_in_circles(request: pytest.FixtureRequest, level: str) -> None:
    TopologicalSorter(request.getfixturevalue(level)).prepare()


PLAIN = {"addresses", "errors", "text", "vocabulary"}
MAY_IMPORT: dict[str, set[str]] = {
    "calls": set(),
    "scorer": {"calls", "errors", "vocabulary"},
    "store": {"calls"},
    "cache": {"addresses", "calls", "errors", "vocabulary"},
    "metrics": {"calls", "forms", "vocabulary"},
    "workers": set(),
    "sandbox": {"errors", "text", "workers"},
    "grading": {"errors", "workers"},
    "statistics": {*PLAIN, "dataset", "metrics", "providers"},
    "benchmarks": {*PLAIN, "dataset"},
    "planning": {"benchmarks", "calls", "dataset", "metrics", "vocabulary"},
    "providers": {*PLAIN, "calls", "judging", "scorer", "store"},
    "runs": {
        *(*PLAIN, "benchmarks", "cache", "calls", "dataset", "metrics", "options", "planning"),
        "providers",
        *("forms", "store"),
    },
}
"""What a room knows; what is not here may import more. An arrow the other way is a mistake."""


@pytest.mark.parametrize("name", MAY_IMPORT)
def test_a_room_imports_only_what_it_may_know(rooms: dict[str, set[str]], name: str) -> None:
    assert rooms[name] - MAY_IMPORT[name] == set()


def test_the_modules_on_top_are_these_few() -> None:
    assert {path.stem for path in (ROOT / "rmjudge").glob("*.py")} == {
        *(
            "__init__",
            "__main__",
            "addresses",
            "api",
            "session",
            "config",
            "findings",
            "forms",
            "text",
        ),
        *("errors", "calls", "scorer", "store", "vocabulary", "version"),
    }


def test_everything_imported_is_declared() -> None:
    extras = PROJECT["project"].get("optional-dependencies", {})
    declared = {
        re.split(r"[^A-Za-z0-9._-]", requirement)[0].lower().replace("-", "_")
        for requirements in (PROJECT["project"]["dependencies"], *extras.values())
        for requirement in requirements
    }
    imported: set[str] = set()
    for _, path in modules():
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                imported.add(node.module.partition(".")[0])
    foreign = imported - set(sys.stdlib_module_names) - {"rmjudge"}
    names = {"markdown_it": "markdown_it_py"}  # imported under another name than it is installed by
    assert {names.get(name, name.lower()) for name in foreign} - declared == set()


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy, so that nothing is left in the checkout."""
    copy, built = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("built")
    junk = shutil.ignore_patterns("__pycache__")
    for folder in FOLDERS:
        shutil.copytree(ROOT / folder, copy / folder, symlinks=True, ignore=junk)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(built)]
    if int(version("setuptools").partition(".")[0]) >= 77:
        pip.append("--no-build-isolation")
    done = subprocess.run([*pip, str(copy)], capture_output=True, text=True, check=False)
    if "No matching distribution found for setuptools" in done.stderr:
        pytest.skip("the registry that has setuptools cannot be reached")
    assert done.returncode == 0, done.stderr
    (path,) = built.glob("rmjudge-*.whl")
    return path


def test_the_wheel_holds_every_module_and_its_data(wheel: Path) -> None:
    expected = {
        *(f"{name.replace('.', '/')}.py" for name, path in modules() if path.stem != "__init__"),
        *(f"{name.replace('.', '/')}/__init__.py" for name, p in modules() if p.stem == "__init__"),
        *(f"rmjudge/sample/{path.name}" for path in (ROOT / "rmjudge" / "sample").iterdir()),
        *(
            f"rmjudge/building/prompts/{path.name}"
            for path in (ROOT / "rmjudge" / "building" / "prompts").iterdir()
        ),
        *(f"rmjudge/benchmarks/{p.name}" for p in (ROOT / "rmjudge/benchmarks").glob("*.toml")),
        "rmjudge/dataset/flagged.json",
        "rmjudge/leaderboard/published.csv",
        "rmjudge/leaderboard/remarks.toml",
        "rmjudge/leaderboard/reported.csv",
        *(
            f"rmjudge/render/page/{path.name}"
            for path in (ROOT / "rmjudge" / "render" / "page").iterdir()
            if path.suffix in (".html", ".css", ".js")
        ),
        "rmjudge/running/prices.toml",
        "rmjudge/py.typed",
    }
    held = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert held == expected


def test_the_wheel_alone_runs_the_command(wheel: Path, cli: Cli) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(cli.home / "lib")
    check = "import rmjudge.cache, rmjudge.cli as cli; print(rmjudge.cache.__file__); "
    done = subprocess.run(
        [sys.executable, "-c", check + "cli.main()", "run", "baseline/length", "--limit", "1"],
        cwd=cli.home,
        env=cli.environment(PYTHONPATH=str(cli.home / "lib")),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(cli.home / "lib" / "rmjudge" / "cache"))
    assert "baseline/length" in done.stdout


def test_the_sdist_holds_what_its_tests_need(tmp_path: Path) -> None:
    if int(version("setuptools").partition(".")[0]) < 77:
        pytest.skip("setuptools 77 or later, which builds the sdist, is not installed")
    copy, built = tmp_path / "source", tmp_path / "built"
    junk = shutil.ignore_patterns("__pycache__", ".venv", ".servers")
    folders = (*FOLDERS, "tests", "docs", "benchmarks")
    for folder in folders:
        shutil.copytree(ROOT / folder, copy / folder, symlinks=True, ignore=junk)
    for path in ROOT.iterdir():
        if path.is_file() and path.suffix in (".toml", ".md", ".in", ".txt", ".yml", ".cff", ""):
            shutil.copy(path, copy)
    build = f"from setuptools import build_meta; build_meta.build_sdist({str(built)!r})"
    done = subprocess.run(
        [sys.executable, "-c", build], cwd=copy, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    (path,) = built.glob("rmjudge-*.tar.gz")
    shutil.unpack_archive(path, tmp_path / "unpacked", filter="data")
    (unpacked,) = (tmp_path / "unpacked").iterdir()
    held = {str(one.relative_to(unpacked)) for one in unpacked.rglob("*") if one.is_file()}
    files = {
        str(path.relative_to(copy))
        for folder in folders
        for place, _, names in os.walk(copy / folder, followlinks=False)
        for path in (Path(place, name) for name in names)
        if path.suffix != ".pyc"
    }
    assert files - held == set()
    assert {"constraints.txt", "CHANGELOG.md", "Makefile", "mkdocs.yml"} <= held


def test_the_command_is_the_function_that_the_tests_start() -> None:
    assert PROJECT["project"]["scripts"] == {"rmjudge": "rmjudge.cli:main"}


def test_the_installed_version_is_the_projects() -> None:
    assert version("rmjudge") == PROJECT["project"]["version"]
