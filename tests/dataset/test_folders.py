"""Which files a path stands for, and what is said where it leads to none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from rmjudge.dataset.folders import find_files
from rmjudge.dataset.parsing import DataFile


def names(path: Path, notice: Callable[[str], None] = lambda _line: None) -> list[str]:
    """Names of the files behind a path; a problem counts as its text."""
    return [
        one.path.name if isinstance(one, DataFile) else one.text for one in find_files(path, notice)
    ]


def test_a_path_to_a_file_is_that_file(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("[1]")
    assert names(tmp_path / "x.json") == ["x.json"]


def test_a_folder_is_its_data_files_sorted_by_name(tmp_path: Path) -> None:
    for name in ("b.jsonl", "a.json", "c.json.gz", "d.jsonl.gz", "readme.md", "e.csv"):
        (tmp_path / name).write_text("")
    assert names(tmp_path) == ["a.json", "b.jsonl", "c.json.gz", "d.jsonl.gz"]


def test_a_folder_is_not_searched_any_deeper(tmp_path: Path) -> None:
    (tmp_path / "deep.json").mkdir()
    (tmp_path / "deep.json" / "b.json").write_text("")
    (tmp_path / "a.json").write_text("")
    assert names(tmp_path) == ["a.json"]


def test_hidden_files_of_a_folder_are_left_alone(tmp_path: Path) -> None:
    for name in ("a.json", "._a.json", ".b.json"):
        (tmp_path / name).write_text("")
    assert names(tmp_path) == ["a.json"]


def test_a_broken_link_in_a_folder_is_not_passed_over(tmp_path: Path) -> None:
    (tmp_path / "a.json").symlink_to(tmp_path / "nowhere.json")
    assert names(tmp_path) == ["a.json"]


@pytest.mark.parametrize("total", ["total_dataset.json", "total_dataset.jsonl.gz"])
def test_the_total_file_stands_for_the_per_domain_files_beside_it(
    tmp_path: Path, total: str
) -> None:
    for name in (total, "chat_filtered.json", "safety-refuse_filtered.json", "own.jsonl"):
        (tmp_path / name).write_text("")
    told: list[str] = []
    assert names(tmp_path, told.append) == ["own.jsonl", total]
    assert told == [
        f"{tmp_path}: total_dataset holds every domain, "
        "so the per-domain files beside it are not read"
    ]


def test_a_total_file_alone_needs_no_notice(tmp_path: Path) -> None:
    (tmp_path / "total_dataset.json").write_text("")
    told: list[str] = []
    assert names(tmp_path, told.append) == ["total_dataset.json"]
    assert told == []


def missing(folder: Path) -> tuple[Path, str]:
    return folder / "nothing", "does not exist; a source is sample, rm-bench, or a file or a folder"


def below_a_file(folder: Path) -> tuple[Path, str]:
    (folder / "file").write_text("")
    return folder / "file" / "x.json", "cannot be read (Not a directory)"


def endless_name(folder: Path) -> tuple[Path, str]:
    return folder / ("x" * 300), "cannot be read (File name too long)"


def link_loop(folder: Path) -> tuple[Path, str]:
    (folder / "loop.json").symlink_to(folder / "loop.json")
    return folder / "loop.json", "cannot be read (Too many levels of symbolic links)"


def empty_folder(folder: Path) -> tuple[Path, str]:
    return folder, "is a folder without data files (.json, .jsonl, either .gz)"


@pytest.mark.parametrize("make", [missing, below_a_file, endless_name, link_loop, empty_folder])
def test_a_path_that_leads_to_no_data_is_told(
    tmp_path: Path, make: Callable[[Path], tuple[Path, str]]
) -> None:
    path, problem = make(tmp_path)
    assert names(path) == [f"{path}: {problem}"]


def test_a_path_with_a_nul_character_is_told(tmp_path: Path) -> None:
    (problem,) = names(tmp_path / "a\0b")
    assert problem.endswith("a\\x00b: cannot be read (ValueError: embedded null byte)")


def test_control_characters_of_a_file_name_do_not_reach_the_message(tmp_path: Path) -> None:
    (tmp_path / "a\x1b[2J\u202eb.json").write_text("[")
    (file,) = find_files(tmp_path, lambda _line: None)
    assert isinstance(file, DataFile)
    assert file.shown.endswith("/a\\x1b[2J\\u202eb.json")
