"""Preference sets as they are found: what is wrong is refused, and what changes a score is said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rmjudge.benchmarks.items import ItemSet
from rmjudge.benchmarks.sets import load_sets
from rmjudge.errors import DataError

PAIRS = '[fields]\nprompt = "prompt"\nchosen = "chosen"\nrejected = "rejected"\n'
BEST = PAIRS + '[score]\nkind = "best"\n'
GRADED = '[fields]\nprompt = "p"\ntexts = "t"\ngrades = "g"\n'
PAIR: dict[str, Any] = {"prompt": "?", "chosen": "a", "rejected": "b"}


def loaded(folder: Path, rows: list[Any], descriptor: str = PAIRS) -> ItemSet:
    (folder / "mine.toml").write_text(descriptor)
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    _, (found,) = load_sets([str(folder / "rows.jsonl")], name=str(folder / "mine.toml"))
    return found


def conversation(*texts: str) -> list[dict[str, str]]:
    roles = ("user", "assistant")
    return [{"role": roles[n % 2], "content": text} for n, text in enumerate(texts)]


@pytest.mark.parametrize(
    ("descriptor", "row", "told"),
    [
        (
            PAIRS,
            {
                "prompt": "Ad?",
                "chosen": conversation("Hi", "a"),
                "rejected": conversation("Hi", "b"),
            },
            "prompt is another text than the conversations in chosen and rejected hold before",
        ),
        (PAIRS, {**PAIR, "prompt": " \n"}, "prompt is only white space; expected a text"),
        (PAIRS, {**PAIR, "chosen": ""}, "chosen is empty"),
        (PAIRS, {**PAIR, "prompt": []}, "prompt is empty; expected a text or a list of messages"),
        (BEST, {**PAIR, "rejected": []}, "rejected is empty"),
        (BEST, {**PAIR, "rejected": ["b", None]}, "rejected[1] is missing"),
        (PAIRS, [PAIR], "expected an object, found a list"),
        (GRADED, {"p": "?", "t": ["a", "b"], "g": ["1", "2"]}, "g[0] is a string; expected a num"),
        (GRADED, {"p": "?", "t": ["a", "b"], "g": [1, 10**400]}, "g[1] is infinite, too large or"),
        (GRADED, {"p": "?", "t": ["a", "b"], "g": [1, True]}, "g[1] is a boolean"),
        (GRADED, {"p": "?", "t": ["a", "b"], "g": [1]}, "t has 2 responses, and g 1 grades"),
        (PAIRS + 'id = "n"\n', {**PAIR, "n": 1.5}, "its id is 1.5; expected an integer or a text"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(
    tmp_path: Path, descriptor: str, row: Any, told: str
) -> None:
    with pytest.raises(DataError) as error:
        loaded(tmp_path, [row], descriptor)
    (line,) = error.value.problems
    assert line.startswith(f"{tmp_path}/rows.jsonl:1: {told}")


def test_a_set_without_any_better_response_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no item in which one response is better"):
        loaded(tmp_path, [{"p": "?", "t": ["a", "b"], "g": [2, 2]}], GRADED)


@pytest.mark.parametrize(
    ("rows", "descriptor", "note"),
    [
        (
            [PAIR, {**PAIR, "prompt": "??", "rejected": "a"}],
            PAIRS,
            "items with one text that is both better and worse, which is a tie at most: 1",
        ),
        (
            [PAIR, PAIR, PAIR, {**PAIR, "prompt": "??"}],
            PAIRS,
            "items that repeat another word for word, and count again: 2",
        ),
        (
            [PAIR, {"prompt": "?", "chosen": "b", "rejected": "a"}],
            PAIRS,
            "items with the texts of another, in which another response is better: 1",
        ),
        (
            [{"p": "?", "t": ["a", "b"], "g": [1, 2]}, {"p": "??", "t": ["a", "b"], "g": [2, 2]}],
            GRADED,
            "items left out, in which no response is better than another: 1",
        ),
    ],
)
def test_what_no_scorer_can_put_right_is_said(
    tmp_path: Path, rows: list[Any], descriptor: str, note: str
) -> None:
    assert loaded(tmp_path, rows, descriptor).notes == (note,)


def test_files_without_ids_are_one_set_also_where_they_share_a_subset(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    for name in ("a", "b"):
        rows = [{**PAIR, "prompt": f"{name}{n}?", "subset": "s"} for n in range(2)]
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    _, (found,) = load_sets([str(folder)])
    assert [item.name for item in found] == ["s/0", "s/1", "s/b:0", "s/b:1"]


def test_two_items_of_one_name_are_refused_wherever_its_slash_is(tmp_path: Path) -> None:
    rows = [{**PAIR, "s": "a", "n": "b/c"}, {**PAIR, "s": "a/b", "n": "c"}]
    with pytest.raises(DataError, match=r"rows\.jsonl:2: the id of .*rows\.jsonl:1 again"):
        loaded(tmp_path, rows, PAIRS + 'id = "n"\nsubset = "s"\n')


def test_a_conversation_that_no_user_ends_is_said(tmp_path: Path) -> None:
    found = loaded(tmp_path, [{**PAIR, "prompt": conversation("Hi", "Hello.")}])
    assert found.notes == ("items whose last message before the responses is no user's: 1",)


def test_a_right_response_among_a_thousand_is_one_item(tmp_path: Path) -> None:
    row = {**PAIR, "rejected": [f"w{n}" for n in range(1000)]}
    (item,) = loaded(tmp_path, [row], BEST)
    assert (len(item.pairs), item.best) == (1000, (0,))


def test_names_in_any_script_are_fields_and_subsets(tmp_path: Path) -> None:
    named = (
        'name = "\u0443\u043a\u0440"\n[fields]\nprompt = "\u043f"\nchosen = "\u0434"\n'
        'rejected = "\u0440"\nsubset = "\u0442"\n'
    )
    row = {"\u043f": "?", "\u0434": "a", "\u0440": "b", "\u0442": "\u043a\u043e\u0442"}
    found = loaded(tmp_path, [row], named)
    assert found.items[0].subset == "\u043a\u043e\u0442"


def test_parquet_that_is_damaged_empty_or_unknown_is_told_as_that(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "x.parquet"
    path.write_text("no table")
    with pytest.raises(DataError, match="is no sound Parquet file"):
        load_sets([str(path)])
    parquet.write_table(pyarrow.table({"prompt": [], "chosen": [], "rejected": []}), path)
    with pytest.raises(DataError, match="holds no rows"):
        load_sets([str(path)])
    parquet.write_table(pyarrow.table({"q": ["?"], "good": ["a"], "bad": ["b"]}), path)
    with pytest.raises(DataError, match=r"no set is known by its columns \(q, good, bad\); --map"):
        load_sets([str(path)])
    _, (found,) = load_sets(
        [str(path)], columns={"prompt": "q", "chosen": "good", "rejected": "bad"}
    )
    assert len(found) == 1
