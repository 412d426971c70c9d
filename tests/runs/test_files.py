"""A run's folder: whole or not there, read back equal, and damage is told by file."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rmjudge import ScorerResult, StorageStopped, TupleResult, UsageError
from rmjudge.metrics.compute import compute_metrics
from rmjudge.metrics.report import Position
from rmjudge.metrics.tallies import Credits
from rmjudge.runs.files import (
    METRICS,
    RESULTS,
    RUN,
    find_results,
    folders_for,
    read_result,
    write_result,
)
from rmjudge.runs.results import CallCounts, Tokens
from rmjudge.text import slug

CREDITS: Credits = ((1.0, None, 1 / 3), (0.5, 0.0, 1.0), (1.0, 1.0, 0.1))


def judge(name: str = "openai/judge", **changes: Any) -> ScorerResult:
    values: dict[str, Any] = {
        "metrics": compute_metrics(
            name, "pairwise", "both", {"safety": [CREDITS]}, Position(5, 0.6, 0.8, CREDITS)
        ),
        "tuples": (TupleResult("s\u2028-\ud800", "safety", "safety-refuse", matrix=CREDITS),),
        "calls": CallCounts(18, 9, 9, 2, 1, 1, 1),
        "tokens": Tokens(1000, 100, 50),
        "cost": 0.0123,
        "cost_known": True,
        "statuses": {"timeout": 1, "unparsed": 1},
        "models": {"judge-2026": 16},
        "notes": ("1 calls timeout", "ein Hinweis: ü"),
        "stopped": "the quota is used up",
    }
    return ScorerResult(**{**values, **changes})


def reward_model() -> ScorerResult:
    return ScorerResult(
        metrics=compute_metrics("vllm/rm", "pointwise", None, {"chat": [CREDITS]}),
        tuples=(
            TupleResult(1, "chat", None, (1.5, None, -0.1), (1e-300, 2.0, 3.0)),
            TupleResult(2, "chat", None, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)),
        ),
        calls=CallCounts(),
        tokens=Tokens(),
        cost=None,
        cost_known=False,
        statuses={},
        models={},
        notes=(),
    )


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "run"
    path.mkdir()
    return path


# Writing


def test_a_run_is_three_files_and_no_draft(folder: Path) -> None:
    write_result(folder / "a" / "b", judge(), {})
    assert names(folder / "a" / "b") == [METRICS, RESULTS, RUN]


def test_a_run_written_again_replaces_its_files(folder: Path) -> None:
    write_result(folder, judge(), {})
    write_result(folder, reward_model(), {})
    assert names(folder) == [METRICS, RESULTS, RUN]
    assert read_result(folder) == reward_model()


def test_other_files_of_the_folder_are_left_alone(folder: Path) -> None:
    (folder / "notes.txt").write_text("mine")
    write_result(folder, judge(), {})
    assert (folder / "notes.txt").read_text() == "mine"


def test_a_file_that_cannot_be_finished_leaves_the_old_one_and_no_draft(folder: Path) -> None:
    write_result(folder, judge(), {})
    before = (folder / RESULTS).read_bytes()
    no_json: Credits = ((float("nan"),) * 3,) * 3
    with pytest.raises(ValueError, match="JSON"):
        write_result(folder, judge(tuples=(TupleResult(1, "chat", None, matrix=no_json),)), {})
    assert (folder / RESULTS).read_bytes() == before
    assert names(folder) == [METRICS, RESULTS, RUN]


def test_a_folder_in_the_place_of_a_file_is_told_and_leaves_no_draft(folder: Path) -> None:
    (folder / METRICS).mkdir()
    with pytest.raises(StorageStopped, match=r"cannot be written to .*Is a directory") as caught:
        write_result(folder, judge(), {})
    assert "the answers are kept" in str(caught.value)
    assert names(folder) == [METRICS]


def test_a_file_in_the_place_of_the_folder_is_told(folder: Path) -> None:
    (folder / "out").write_text("a file")
    with pytest.raises(StorageStopped, match="cannot be written to"):
        write_result(folder / "out", judge(), {})


def test_equal_results_are_equal_bytes(folder: Path) -> None:
    for name in ("one", "other"):
        write_result(folder / name, judge(), {})
    for file in (METRICS, RESULTS, RUN):
        assert (folder / "one" / file).read_bytes() == (folder / "other" / file).read_bytes()


def test_what_differs_between_equal_runs_stands_in_run_json_alone(folder: Path) -> None:
    write_result(folder / "one", judge(), {"wall_s": 1.0})
    later = judge(calls=CallCounts(18, 18), tokens=Tokens(), cost=0.0, notes=(), stopped=None)
    write_result(folder / "other", later, {"wall_s": 2.0})
    for file in (METRICS, RESULTS):
        assert (folder / "one" / file).read_bytes() == (folder / "other" / file).read_bytes()
    assert (folder / "one" / RUN).read_bytes() != (folder / "other" / RUN).read_bytes()


def test_files_are_ascii_with_unix_line_ends(folder: Path) -> None:
    write_result(folder, judge(), {})
    for file in (METRICS, RESULTS, RUN):
        raw = (folder / file).read_bytes()
        assert raw.isascii()
        assert b"\r" not in raw
        assert raw.endswith(b"\n")


def test_a_line_of_a_reward_model_has_the_benchmarks_field_names(folder: Path) -> None:
    write_result(folder, reward_model(), {})
    assert (folder / RESULTS).read_text().splitlines() == [
        '{"id":1,"domain":"chat","subset":null,'
        '"score_chosen":[1.5,null,-0.1],"score_rejected":[1e-300,2.0,3.0]}',
        '{"id":2,"domain":"chat","subset":null,'
        '"score_chosen":[0.0,0.0,0.0],"score_rejected":[1.0,1.0,1.0]}',
    ]


def test_a_line_of_a_judge_has_its_matrix(folder: Path) -> None:
    write_result(folder, judge(), {})
    (line,) = (folder / RESULTS).read_text().splitlines()
    assert json.loads(line) == {
        "id": "s\u2028-\ud800",
        "domain": "safety",
        "subset": "safety-refuse",
        "matrix": [[1.0, None, 1 / 3], [0.5, 0.0, 1.0], [1.0, 1.0, 0.1]],
    }


def test_run_json_holds_what_was_asked_and_what_happened(folder: Path) -> None:
    write_result(folder, judge(), {"options": {"seed": 3}, "resume": "rmjudge run x"})
    assert json.loads((folder / RUN).read_text()) == {
        "format": 1,
        "scorer": "openai/judge",
        "options": {"seed": 3},
        "resume": "rmjudge run x",
        "calls": {
            "planned": 18,
            "from_cache": 9,
            "sent": 9,
            "retried": 2,
            "failed": 1,
            "unscored": 1,
            "maybe_billed": 1,
        },
        "tokens": {"input": 1000, "output": 100, "cached": 50},
        "cost": {"usd": 0.0123, "known": True},
        "statuses": {"timeout": 1, "unparsed": 1},
        "in_all": None,
        "length_counter": None,
        "hosts": {},
        "models": {"judge-2026": 16},
        "notes": ["1 calls timeout", "ein Hinweis: ü"],
        "stopped": "the quota is used up",
    }


# Names of folders


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("openai/gpt-4.1", "openai-gpt-4.1"),
        ("a b/ü:c", "a-b-c"),
        ("../../etc/passwd", "etc-passwd"),
        (".hidden", "hidden"),
        ("-dash-", "dash"),
        ("...", "run"),
        ("", "run"),
        ("模型", "run"),
        ("\x00\n\ud800", "run"),
    ],
)
def test_a_name_becomes_a_folders_name(text: str, expected: str) -> None:
    assert slug(text) == expected


def test_a_folders_name_is_never_too_long() -> None:
    assert slug("x" * 5000) == "x" * 80


def test_one_scorers_files_lie_in_the_folder_itself(tmp_path: Path) -> None:
    assert folders_for(tmp_path, ["openai/a"]) == [tmp_path]


def test_several_scorers_have_a_subfolder_each(tmp_path: Path) -> None:
    assert folders_for(tmp_path, ["openai/a", "vllm/b"]) == [
        tmp_path / "openai-a",
        tmp_path / "vllm-b",
    ]


def test_scorers_of_one_name_have_folders_of_their_own(tmp_path: Path) -> None:
    found = folders_for(tmp_path, ["openai/a", "openai/a", "openai-a", "openai/a-2"])
    assert [path.name for path in found] == ["openai-a", "openai-a-2", "openai-a-3", "openai-a-2-2"]


# Reading


@pytest.mark.parametrize("result", [judge(), reward_model(), judge(stopped=None, cost=None)])
def test_what_is_written_is_read_back_equal(tmp_path: Path, result: ScorerResult) -> None:
    write_result(tmp_path, result, {})
    assert read_result(tmp_path) == result


def test_a_folder_of_one_scorer_is_found(tmp_path: Path) -> None:
    write_result(tmp_path, judge(), {})
    assert find_results(tmp_path) == [tmp_path]


def test_the_subfolders_of_several_scorers_are_found(tmp_path: Path) -> None:
    for name in ("b", "a"):
        write_result(tmp_path / name, judge(name), {})
    (tmp_path / "empty").mkdir()
    assert find_results(tmp_path) == [tmp_path / "a", tmp_path / "b"]


def test_a_folder_without_results_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=re.escape(f"{tmp_path}: no metrics.json in it; give")):
        find_results(tmp_path)


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"nowhere: no such folder; give"):
        find_results(tmp_path / "nowhere")


def edited(change: Callable[[dict[str, Any]], Any]) -> Callable[[str], str]:
    """Change the one object that a file holds."""

    def edit(text: str) -> str:
        data = json.loads(text)
        change(data)
        return json.dumps(data)

    return edit


@pytest.mark.parametrize("file", [METRICS, RESULTS, RUN])
@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[: len(text) // 2],
        lambda text: text.replace("{", "[", 1),
        lambda _text: "[]",
        lambda _text: "null",
        lambda _text: "{}",
        lambda _text: "\x00" * 100,
        lambda _text: "[" * 100_000,
    ],
)
def test_a_damaged_file_is_told_by_its_name(
    tmp_path: Path, file: str, damage: Callable[[str], str]
) -> None:
    write_result(tmp_path, judge(), {})
    path = tmp_path / file
    path.write_text(damage(path.read_text()))
    with pytest.raises(UsageError) as caught:
        read_result(tmp_path)
    assert str(caught.value).startswith(f"{path} is no file of a run: ")


@pytest.mark.parametrize("file", [METRICS, RESULTS, RUN])
def test_a_missing_file_is_told_by_its_name(tmp_path: Path, file: str) -> None:
    write_result(tmp_path, judge(), {})
    (tmp_path / file).unlink()
    with pytest.raises(UsageError, match=rf"{file} is no file of a run: FileNotFoundError"):
        read_result(tmp_path)


@pytest.mark.parametrize(
    ("file", "change"),
    [
        (RUN, lambda data: data["calls"].update(planned="many")),
        (RUN, lambda data: data["calls"].update(more=1)),
        (RUN, lambda data: data["calls"].update(sent=True)),
        (RUN, lambda data: data["tokens"].update(input=1.5)),
        (RUN, lambda data: data["cost"].update(usd="free")),
        (RUN, lambda data: data["cost"].update(usd=float("inf"))),
        (RUN, lambda data: data.update(statuses=[])),
        (RUN, lambda data: data.update(models={"a": None})),
        (RUN, lambda data: data.update(notes=3)),
        (RUN, lambda data: data.pop("stopped")),
        (RESULTS, lambda data: data["matrix"][0].__setitem__(0, "1")),
        (RESULTS, lambda data: data["matrix"][0].__setitem__(0, float("nan"))),
        (RESULTS, lambda data: data["matrix"][0].__setitem__(0, 10**400)),
        (RESULTS, lambda data: data.update(score_chosen=[1, 2])),
        (RESULTS, lambda data: data.update(score_rejected=[1, 2, True])),
        (METRICS, lambda data: data.update(average="high")),
    ],
)
def test_a_value_of_the_wrong_kind_is_told_by_its_file(
    tmp_path: Path, file: str, change: Callable[[dict[str, Any]], Any]
) -> None:
    write_result(tmp_path, judge(), {})
    path = tmp_path / file
    path.write_text(edited(change)(path.read_text()))
    with pytest.raises(UsageError) as caught:
        read_result(tmp_path)
    assert str(caught.value).startswith(f"{path} is no file of a run: ")
