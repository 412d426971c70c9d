"""Sources: what the user may name as data, all problems at once, and the label."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from rmjudge.dataset import DataSet, load
from rmjudge.dataset.sources import label_of
from rmjudge.errors import DataError
from rmjudge.vocabulary import DOMAINS

PUBLISHED = Path(__file__).resolve().parents[3] / "shared" / "data" / "rm-bench"
needs_published = pytest.mark.skipif(
    not (PUBLISHED / "chat_filtered.json").exists(),
    reason=f"the published files are not at {PUBLISHED}",
)


def item(number: int, **changes: Any) -> dict[str, Any]:
    sound = {"id": number, "prompt": "p", "chosen": list("abc"), "rejected": list("def")}
    return {**sound, **changes}


def write(path: Path, *items: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(items))
    return path


def problems_of(*sources: str | Path) -> tuple[str, ...]:
    with pytest.raises(DataError) as caught:
        load(sources)
    return caught.value.problems


def names(data: DataSet) -> list[str]:
    return [one.name for one in data]


def test_the_sample_has_ten_tuples_of_each_domain() -> None:
    data = load(["sample"])
    assert Counter(one.domain for one in data) == dict.fromkeys(DOMAINS, 10)
    assert data.label == "sample"


def test_a_file_is_a_source(tmp_path: Path) -> None:
    data = load([write(tmp_path / "chat_filtered.json", item(1), item(2))])
    assert names(data) == ["chat/1", "chat/2"]
    assert data.label == "chat"


def test_a_folder_is_a_source(tmp_path: Path) -> None:
    write(tmp_path / "math_filtered.json", item(1))
    write(tmp_path / "chat_filtered.json", item(1))
    data = load([str(tmp_path)])
    assert names(data) == ["chat/1", "math/1"]
    assert data.label == "chat+math"


def test_sources_keep_the_order_they_are_named_in(tmp_path: Path) -> None:
    first = write(tmp_path / "math.json", item(1))
    second = write(tmp_path / "chat.json", item(1))
    data = load([first, second, "sample"])
    assert names(data)[:2] == ["math/1", "chat/1"]
    assert data.label == "math+chat+sample"


def test_the_total_file_gives_the_tuples_of_the_per_domain_files(tmp_path: Path) -> None:
    write(tmp_path / "chat_filtered.json", item(1))
    write(tmp_path / "code_filtered.json", item(1))
    apart = load([tmp_path])
    write(tmp_path / "total_dataset.json", item(1, domain="chat"), item(1, domain="code"))
    told: list[str] = []
    together = load([tmp_path], notice=told.append)
    assert together.tuples == apart.tuples
    assert together.digest == apart.digest
    assert len(told) == 1


def test_a_path_called_sample_is_written_with_a_dot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "sample" / "chat.json", item(1))
    monkeypatch.chdir(tmp_path)
    assert names(load(["./sample"])) == ["chat/1"]
    assert load([Path("sample")]) == load(["./sample"])
    assert load([Path("sample")]).label == "chat"
    assert len(load(["sample"])) == 40


def test_the_problems_of_all_sources_are_told_together(tmp_path: Path) -> None:
    bad_file = tmp_path / "math.json"
    bad_file.write_text("[")
    bad_item = write(tmp_path / "chat.json", item(1), item(2, prompt=""))
    missing = tmp_path / "nothing"
    problems = problems_of(bad_file, bad_item, missing, "sample")
    assert [line.split(": ")[0] for line in problems] == [
        str(bad_file),
        f"{bad_item}[1] tuple 2",
        str(missing),
    ]


def test_a_file_named_twice_is_told_once(tmp_path: Path) -> None:
    path = write(tmp_path / "chat.json", item(1), item(2))
    (tmp_path / "link.json").symlink_to(path)
    assert problems_of(path, tmp_path / "." / "chat.json", tmp_path / "link.json") == (
        f"{path}: is named twice; name every file once",
        f"{tmp_path / 'link.json'}: is named twice; name every file once",
    )


def test_sample_named_twice_is_told() -> None:
    assert problems_of("sample", "sample")[0].startswith("sample/chat.jsonl: is named twice")


def test_an_id_that_occurs_in_two_files_is_told_with_both_places(tmp_path: Path) -> None:
    first = write(tmp_path / "chat.json", item(1))
    second = tmp_path / "chat.json.gz"
    second.write_bytes(gzip.compress(first.read_bytes()))
    assert problems_of(tmp_path) == (
        f"{second}[0] tuple 1: the id is already taken in domain chat by {first}[0]; "
        "every tuple needs its own",
    )


def test_no_source_is_a_problem() -> None:
    assert problems_of() == (
        "no data was named; a source is sample, rm-bench, or a file or a folder",
    )


def test_an_empty_source_is_not_the_current_folder() -> None:
    assert problems_of("") == (
        "an empty source; a source is sample, rm-bench, or a file or a folder",
    )


def test_a_file_without_tuples_is_a_problem_beside_one_with_some(tmp_path: Path) -> None:
    good = write(tmp_path / "chat.json", item(1))
    empty = write(tmp_path / "math.json")
    assert problems_of(good, empty) == (f"{empty}: holds no tuples",)


def test_an_unreachable_rm_bench_is_one_of_the_problems(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RMJUDGE_RM_BENCH_URL", "ftp://127.0.0.1")
    empty = write(tmp_path / "math.json")
    with pytest.raises(DataError) as caught:
        load(["rm-bench", empty], cache_dir=tmp_path / "cache")
    first, second = caught.value.problems
    assert first.startswith("rm-bench could not be downloaded (")
    assert second == f"{empty}: holds no tuples"


@pytest.mark.parametrize(
    ("given", "label"),
    [
        (["chat"], "chat"),
        (["chat", "math", "chat"], "chat+math"),
        (["my set (v2)"], "my-set-v2"),
        (["../../etc"], "etc"),
        ([".."], "data"),
        (["データ"], "data"),
        ([], "data"),
        (["a\x1b[2J"], "a-2J"),
        (["x" * 100], "x" * 40),
        (["x" * 39, "y"], "x" * 39),
        (
            ["chat", "code", "math", "safety-refuse", "safety-response"],
            "chat+code+math+safety-refuse+safety-resp",
        ),
    ],
)
def test_the_label_is_short_and_safe(given: list[str], label: str) -> None:
    assert label_of(given) == label


@needs_published
def test_the_published_chat_file_is_sound() -> None:
    data = load([PUBLISHED / "chat_filtered.json"])
    assert (len(data), data.domains, data.label) == (129, ("chat",), "chat")
    assert {one.subset for one in data} == {"alpacaeval"}


@needs_published
def test_the_published_refusals_are_sound() -> None:
    data = load([PUBLISHED / "safety-refuse_filtered.json"])
    assert (len(data), data.domains, data.label) == (284, ("safety",), "safety-refuse")
    assert Counter(one.subset for one in data)["refusals-dangerous"] == 84


@needs_published
def test_a_folder_of_published_files_may_hold_other_files() -> None:
    data = load([PUBLISHED])
    assert (len(data), data.label) == (413, "chat+safety-refuse")
