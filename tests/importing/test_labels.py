"""People's labels: what is read, and what is told of a wrong line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rmjudge import UsageError
from rmjudge.importing.labels import labels_of, read_labels

HEADER = "tuple,pair,winner,annotator"


def problems(path: Path) -> str:
    with pytest.raises(UsageError) as caught:
        read_labels(path)
    return str(caught.value)


def save(folder: Path, *lines: str, name: str = "l.csv") -> Path:
    path = folder / name
    path.write_text("\n".join(lines), "utf-8")
    return path


def test_csv_and_json_lines_say_the_same(tmp_path: Path) -> None:
    rows = [("chat/22", "concise/markdown", "chosen", "ada"), ("7", "", "tie", "ben")]
    table = save(tmp_path, HEADER, *(",".join(row) for row in rows))
    names = HEADER.split(",")
    objects = [dict(zip(names, row, strict=True)) for row in rows]
    del objects[1]["pair"]
    objects[1]["tuple"] = 7  # type: ignore[assignment]
    lines = save(tmp_path, *map(json.dumps, objects), name="l.jsonl")
    first, second = read_labels(table)
    assert (first.name, first.cell, first.winner, first.annotator) == (
        "chat/22",
        (0, 2),
        "chosen",
        "ada",
    )
    assert (second.name, second.cell, second.winner) == ("7", None, "tie")
    assert [(one.name, one.cell, one.winner, one.annotator) for one in read_labels(lines)] == [
        (one.name, one.cell, one.winner, one.annotator) for one in (first, second)
    ]


def test_columns_may_stand_in_any_order_and_two_may_be_missing(tmp_path: Path) -> None:
    (only,) = read_labels(save(tmp_path, "winner,tuple", "rejected,code/3"))
    assert (only.name, only.cell, only.winner, only.annotator) == ("code/3", None, "rejected", "")


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (",,chosen,ada", "line 2: tuple is empty"),
        ("chat/1,,choosen,ada", "line 2: winner 'choosen' is unknown; did you mean chosen?"),
        ("chat/1,concise,chosen,ada", "line 2: pair 'concise' is not STYLE/STYLE"),
        ("chat/1,concise/bold,chosen,ada", "styles are concise, detailed, markdown"),
        ("chat/1,,chosen", "line 2: 3 fields, but the first line names 4"),
        ("chat/1\x1b[31m,,won,a", "line 2: winner 'won' is unknown"),
    ],
)
def test_a_wrong_line_is_told_with_its_number(tmp_path: Path, line: str, told: str) -> None:
    message = problems(save(tmp_path, HEADER, line))
    assert told in message
    assert "\x1b" not in message


def test_a_person_labels_a_thing_once(tmp_path: Path) -> None:
    message = problems(save(tmp_path, HEADER, *["chat/1,,chosen,ada"] * 2, "chat/1,,tie,ben"))
    assert message.endswith("1 problem:\n  line 3: 'ada' has labelled this in line 2")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("", "no column tuple, winner"),
        ("tuple,pair\n", "no column winner"),
        (HEADER, "there are no labels"),
        ("tuple,winner,winner\nchat/1,tie,tie", "a column is there twice"),
    ],
)
def test_a_wrong_file_is_told(tmp_path: Path, content: str, told: str) -> None:
    assert told in problems(save(tmp_path, content))


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("{", "line 1: invalid JSON"),
        ("[1]", "line 1: expected an object"),
        ('{"tuple": "chat/1", "winner": ["tie"]}', "line 1: winner is no text"),
        ('{"winner": "tie"}', "line 1: tuple is empty"),
    ],
)
def test_a_wrong_json_line_is_told(tmp_path: Path, line: str, told: str) -> None:
    assert told in problems(save(tmp_path, line, name="l.jsonl"))


def test_what_is_no_text_or_no_file_is_told_and_not_traced(tmp_path: Path) -> None:
    (tmp_path / "l.csv").write_bytes(b"\xff\xfe\x00")
    assert "cannot be read" in problems(tmp_path / "l.csv")
    assert "No such file" in problems(tmp_path / "none.csv")


def test_an_id_alone_stands_for_a_tuple_where_no_other_domain_has_it(tmp_path: Path) -> None:
    written = read_labels(
        save(tmp_path, HEADER, "chat/1,,tie,a", "2,,tie,a", "1,,tie,a", "math/9,,tie,a")
    )
    found, missing = labels_of(written, [("chat", 1), ("code", 1), ("code", 2)])
    assert [label.key for label in found] == [("chat", 1), ("code", 2)]
    assert missing == ["1", "math/9"]
