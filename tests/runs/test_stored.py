"""Finished runs find their texts again, and notice when those are not what was scored."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from rmjudge.errors import UsageError
from rmjudge.runs.stored import StoredRun, check_same_texts, read_runs

if TYPE_CHECKING:
    from command import Cli


def write(path: Path, *numbers: int, prompt: str = "p") -> Path:
    texts = {"prompt": prompt, "chosen": ["a", "bb", "ccc"], "rejected": ["d", "ee", "fff"]}
    path.write_text(json.dumps([{"id": number, **texts} for number in numbers]))
    return path


@pytest.fixture
def run(cli: Cli) -> Callable[[str, Path], StoredRun]:
    """Score data with a baseline into a folder, and read that back."""

    def score(folder: str, data: Path) -> StoredRun:
        done = cli("run", "baseline/length", "--data", data, "--out", folder)
        assert done.returncode == 0, done.stderr
        (one,) = read_runs([str(cli.home / folder)])
        return one

    return score


def moved(run: StoredRun, data: Path) -> StoredRun:
    (one,) = read_runs([run.folder], data=[str(data)])
    return one


def change(run: StoredRun, **about: Any) -> StoredRun:
    path = run.folder / "run.json"
    path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), **about}))
    (one,) = read_runs([str(run.folder)])
    return one


Scoring = Callable[[str, Path], StoredRun]


def test_the_texts_of_a_run_are_found_again_in_its_order(home: Path, run: Scoring) -> None:
    one = run("o", write(home / "chat.json", 3, 1, 2))
    assert [item.id for item in one.texts] == [3, 1, 2]


def test_a_runs_data_may_lie_in_a_larger_file_in_another_order(home: Path, run: Scoring) -> None:
    one = run("o", write(home / "chat.json", 3, 1))
    (home / "chat.json").unlink()
    (home / "more").mkdir()
    larger = write(home / "more" / "chat.json", 1, 2, 3)
    assert [item.id for item in moved(one, larger).texts] == [3, 1]


def test_data_that_has_moved_is_told_with_what_to_do(home: Path, run: Scoring) -> None:
    one = run("o", write(home / "chat.json", 1))
    (home / "chat.json").unlink()
    with pytest.raises(UsageError, match=r"chat\.json.*say where the data is now with --data"):
        _ = one.texts


def test_texts_that_changed_under_the_same_ids_are_told(home: Path, run: Scoring) -> None:
    one = run("o", write(home / "chat.json", 1))
    write(home / "chat.json", 1, prompt="another")
    with pytest.raises(UsageError, match="does not hold the texts that this run scored"):
        _ = one.texts


def test_tuples_that_are_gone_are_named(home: Path, run: Scoring) -> None:
    one = run("o", write(home / "chat.json", 1, 2))
    write(home / "chat.json", 2)
    with pytest.raises(UsageError, match=r"1 of its 2 tuples are not in .*\(chat/1\)"):
        _ = one.texts


def test_a_run_that_does_not_know_its_data_needs_to_be_told(home: Path, run: Scoring) -> None:
    one = change(run("o", write(home / "chat.json", 1)), data={}, options={})
    with pytest.raises(UsageError, match="does not tell which data it scored"):
        _ = one.texts
    assert len(moved(one, home / "chat.json").texts) == 1


def test_runs_of_one_digest_need_no_texts(home: Path, run: Scoring) -> None:
    data = write(home / "chat.json", 1, 2)
    runs = [run("a", data), run("b", data)]
    data.unlink()
    assert check_same_texts(runs) == []


def test_runs_that_share_a_part_of_their_data_may_be_compared(home: Path, run: Scoring) -> None:
    small, large = write(home / "chat.json", 1), write(home / "chat_filtered.json", 1, 2)
    assert check_same_texts([run("a", small), run("b", large)]) == []


def test_other_texts_under_the_same_ids_are_no_comparison(home: Path, run: Scoring) -> None:
    one = write(home / "chat.json", 1, 2)
    other = write(home / "chat_filtered.json", 1, 3, prompt="another")
    with pytest.raises(UsageError, match=r"different texts under the same ids, in 1 tuples"):
        check_same_texts([run("a", one), run("b", other)])


def test_a_run_without_a_digest_is_compared_with_a_warning(home: Path, run: Scoring) -> None:
    data = write(home / "chat.json", 1)
    untold = change(run("a", data), data={})
    (warning,) = check_same_texts([untold, run("b", data)])
    assert "the data is not recorded; tuples are matched by domain and id alone" in warning


@pytest.mark.parametrize("about", [{"data": []}, {"data": {"digest": 3}}, {"options": "x"}])
def test_a_damaged_record_is_told(home: Path, run: Scoring, about: dict[str, Any]) -> None:
    one = run("o", write(home / "chat.json", 1))
    with pytest.raises(UsageError, match=r"run\.json is no file of a run"):
        _ = change(one, **about).record
