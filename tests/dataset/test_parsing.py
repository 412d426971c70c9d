"""Reading data files: what is accepted, where items come from, how damage is told."""

from __future__ import annotations

import gzip
import json
import os
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from rmjudge.dataset.parsing import MAX_BYTES, DataFile, Problem, RawItem, read_file


def read(path: Path, *, max_bytes: int = MAX_BYTES) -> tuple[list[RawItem], list[str]]:
    """Read a file to its items and the texts of its problems."""
    found = list(read_file(DataFile(path, path.name), max_bytes=max_bytes))
    items = [one for one in found if isinstance(one, RawItem)]
    return items, [one.text for one in found if isinstance(one, Problem)]


def read_bytes(folder: Path, name: str, content: bytes) -> tuple[list[Any], list[str]]:
    """Write a file and read it, to the values of its items and its problems."""
    path = folder / name
    path.write_bytes(content)
    items, problems = read(path)
    return [item.value for item in items], problems


GOOD = [
    pytest.param("x.json", b'[{"a": 1}, 2]', id="a list"),
    pytest.param("x.json", b'\xef\xbb\xbf[{"a": 1}, 2]', id="a list behind a byte order mark"),
    pytest.param("x.json", b'[\r\n{"a": 1},\r\n2]\r\n', id="a list with CRLF"),
    pytest.param("x.JSON", b'[{"a": 1}, 2]', id="a suffix in capitals"),
    pytest.param("x.jsonl", b'{"a": 1}\n2\n', id="lines"),
    pytest.param("x.jsonl", b'{"a": 1}\n2', id="lines without a last line end"),
    pytest.param("x.jsonl", b'{"a": 1}\r\n2\r\n', id="lines with CRLF"),
    pytest.param("x.jsonl", b'\n{"a": 1}\n \t\n\n2\n\n', id="lines among blank ones"),
    pytest.param("x.jsonl", b'\xef\xbb\xbf{"a": 1}\n2\n', id="lines behind a byte order mark"),
    pytest.param("x.jsonl", b'\xef\xbb\xbf\r\n{"a": 1}\n2\n', id="a line of a mark alone"),
    pytest.param("x.json.gz", gzip.compress(b'[{"a": 1}, 2]'), id="a gzipped list"),
    pytest.param("x.jsonl.gz", gzip.compress(b'{"a": 1}\n2\n'), id="gzipped lines"),
    pytest.param(
        "x.jsonl.gz", gzip.compress(b'{"a": 1}\n') + gzip.compress(b"2\n"), id="two gzip members"
    ),
]


@pytest.mark.parametrize(("name", "content"), GOOD)
def test_every_accepted_layout_gives_the_same_items(
    tmp_path: Path, name: str, content: bytes
) -> None:
    assert read_bytes(tmp_path, name, content) == ([{"a": 1}, 2], [])


def test_an_item_of_a_list_is_placed_by_its_index_from_0(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("[1, 2]")
    items, _ = read(tmp_path / "x.json")
    assert [item.place for item in items] == ["x.json[0]", "x.json[1]"]


def test_an_item_of_a_line_is_placed_by_its_line_from_1_blank_lines_counted(
    tmp_path: Path,
) -> None:
    (tmp_path / "x.jsonl").write_text("1\n\n2\n")
    items, _ = read(tmp_path / "x.jsonl")
    assert [item.place for item in items] == ["x.jsonl:1", "x.jsonl:3"]


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("chat_filtered.json", "chat"),
        ("safety-refuse_filtered.jsonl.gz", "safety-refuse"),
        ("math.json.gz", "math"),
        ("my.own.jsonl", "my.own"),
        ("notes.txt", "notes.txt"),
    ],
)
def test_the_stem_drops_the_suffixes_and_filtered(name: str, stem: str) -> None:
    assert DataFile(Path(name), name).stem == stem


def test_a_line_separator_inside_a_string_does_not_end_a_line(tmp_path: Path) -> None:
    content = '["a\u2028b\u0085c"]\n'.encode()
    assert read_bytes(tmp_path, "x.jsonl", content) == ([["a\u2028b\u0085c"]], [])


def test_a_lone_surrogate_escape_is_read_as_it_stands(tmp_path: Path) -> None:
    assert read_bytes(tmp_path, "x.json", b'["\\ud800"]') == (["\ud800"], [])


def test_the_last_of_two_equal_keys_counts(tmp_path: Path) -> None:
    assert read_bytes(tmp_path, "x.json", b'[{"a": 1, "a": 2}]') == ([{"a": 2}], [])


BAD_FILES = [
    pytest.param("x.json", b"", "x.json: is empty", id="no bytes"),
    pytest.param("x.json", b"\xef\xbb\xbf \n", "x.json: is empty", id="a mark and white space"),
    pytest.param("x.json", b"[]", "x.json: holds no tuples", id="an empty list"),
    pytest.param("x.jsonl", b"\n \n", "x.jsonl: holds no tuples", id="blank lines"),
    pytest.param("x.json.gz", gzip.compress(b""), "x.json.gz: is empty", id="an empty gzip"),
    pytest.param(
        "x.json", b"{}", "x.json: expected a list of tuples, found an object", id="an object"
    ),
    pytest.param(
        "x.json", b"null", "x.json: expected a list of tuples, found null", id="a null file"
    ),
    pytest.param(
        "x.json",
        b'[{"a": 1},\n {"b" 2}]',
        "x.json: invalid JSON: Expecting ':' delimiter at line 2, column 7",
        id="a missing colon",
    ),
    pytest.param(
        "x.json",
        b'["a\tb"]',
        "x.json: invalid JSON: Invalid control character at line 1, column 4",
        id="a raw tab in a string",
    ),
    pytest.param(
        "x.json",
        b'{"a": 1}\n{"a": 2}\n',
        "x.json: invalid JSON: Extra data at line 2, column 1; "
        "one tuple a line belongs in a .jsonl file",
        id="lines in a .json file",
    ),
    pytest.param(
        "x.jsonl",
        b'[\n {"a": 1},\n {"a": 2}\n]\n',
        "x.jsonl:1: invalid JSON: Expecting value at column 2; "
        "a list of tuples belongs in a .json file",
        id="a list in a .jsonl file",
    ),
    pytest.param(
        "x.json",
        b'["\\\\NaN\\"",\n "NaN", NaN]',
        "x.json: invalid JSON: NaN is no JSON value at line 2, column 9",
        id="NaN",
    ),
    pytest.param(
        "x.jsonl",
        b'{"a": -Infinity}\n',
        "x.jsonl:1: invalid JSON: -Infinity is no JSON value at column 7",
        id="an infinity",
    ),
    pytest.param(
        "x.json", b"[" * 100_000, "x.json: invalid JSON: nested too deeply", id="a nesting bomb"
    ),
    pytest.param(
        "x.jsonl",
        b'{"a":' * 100_000 + b"\n",
        "x.jsonl:1: invalid JSON: nested too deeply",
        id="a nesting bomb in a line",
    ),
    pytest.param(
        "x.json",
        b"[" + b"1" * 5000 + b"]",
        "x.json: invalid JSON: a number with too many digits",
        id="an endless integer",
    ),
    pytest.param(
        "x.json",
        b'["abc\xff"]',
        "x.json: byte 5 is no UTF-8; save the file as UTF-8",
        id="a byte that is no UTF-8",
    ),
    pytest.param(
        "x.json",
        b'\xef\xbb\xbf["abc\xff"]',
        "x.json: byte 8 is no UTF-8; save the file as UTF-8",
        id="such a byte behind a mark",
    ),
    pytest.param(
        "x.json",
        '["ä"]'.encode("utf-16"),
        "x.json: byte 0 is no UTF-8; the file looks like UTF-16, save it as UTF-8",
        id="UTF-16",
    ),
    pytest.param(
        "x.json",
        gzip.compress(b"[1]"),
        "x.json: byte 1 is no UTF-8; the file looks gzipped, so its name should end in .gz",
        id="gzip without .gz",
    ),
    pytest.param(
        "x.json.gz",
        b"[1]",
        "x.json.gz: is no sound gzip file "
        "(BadGzipFile: Not a gzipped file (b'[1')); compress it again",
        id="no gzip",
    ),
    pytest.param(
        "x.json.gz",
        gzip.compress(b"[1, 2, 3]")[:-12],
        "x.json.gz: the gzip data is cut off or damaged; compress it again",
        id="gzip cut off",
    ),
    pytest.param(
        "x.json.gz",
        gzip.compress(b"[1]")[:10] + b"\xff" * 20,
        "x.json.gz: the gzip data is cut off or damaged; compress it again",
        id="gzip damaged",
    ),
    pytest.param(
        "x.jsonl",
        b"prompt,chosen,rejected\na,b,c\nd,e,f\n",
        "x.jsonl: is a table; write each row as a JSON object in a line of its own, in a .jsonl "
        "file",
        id="a table in JSON Lines",
    ),
    pytest.param(
        "x.json",
        b'"id"\t"best answer"\na\tb\n',
        "x.json: is a table; write each row as a JSON object in a line of its own, in a .jsonl "
        "file",
        id="a table of tabs",
    ),
    pytest.param(
        "x.json",
        b"\n<!DOCTYPE html>\n<html>404</html>",
        "x.json: is a web page or XML, as a download that failed leaves; get the file itself again",
        id="a web page",
    ),
    pytest.param(
        "x.jsonl",
        b"version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 12\n",
        "x.jsonl: is a pointer of Git LFS; `git lfs pull` gets the file itself",
        id="a pointer of Git LFS",
    ),
    pytest.param(
        "x.jsonl",
        b'{\n  "id": 1,\n  "prompt": "p"\n}\n',
        "x.jsonl: is an object over several lines; a .json file holds a list of tuples: [ ... ]",
        id="an object over several lines",
    ),
    pytest.param(
        "x.json",
        b'{"chat": [1], "math": [2]}',
        "x.json: expected a list of tuples, found an object; join the lists in its fields 'chat', "
        "'math' into one",
        id="a list a field",
    ),
    pytest.param(
        "x.csv",
        b"1",
        "x.csv: unknown kind of file; expected .json or .jsonl, or either with .gz",
        id="an unknown suffix",
    ),
]


@pytest.mark.parametrize(("name", "content", "problem"), BAD_FILES)
def test_what_is_wrong_with_a_file_is_told_in_one_line(
    tmp_path: Path, name: str, content: bytes, problem: str
) -> None:
    _, problems = read_bytes(tmp_path, name, content)
    assert problems == [problem]


def test_reading_goes_on_behind_a_bad_line(tmp_path: Path) -> None:
    values, problems = read_bytes(tmp_path, "x.jsonl", b'1\n{"a"\n"\xff"\n2\n')
    assert values == [1, 2]
    assert problems == [
        "x.jsonl:2: invalid JSON: Expecting ':' delimiter at column 5",
        "x.jsonl:3: byte 8 is no UTF-8; save the file as UTF-8",
    ]


def test_the_lines_before_a_gzip_cut_are_kept(tmp_path: Path) -> None:
    lines = b"".join(
        json.dumps({"n": n, "x": os.urandom(30).hex()}).encode() + b"\n" for n in range(2000)
    )
    values, problems = read_bytes(tmp_path, "x.jsonl.gz", gzip.compress(lines)[:-2000])
    assert len(values) > 1000
    assert problems[-1] == "x.jsonl.gz: the gzip data is cut off or damaged; compress it again"


@pytest.mark.parametrize("name", ["x.json.gz", "x.jsonl.gz"])
def test_a_gzip_bomb_is_told_and_not_unpacked(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(gzip.compress(b" " * 5_000_000))
    assert read(path, max_bytes=1_000_000) == (
        [],
        [f"{name}: holds more than 1,000,000 bytes (decompressed); split it into several files"],
    )


@pytest.mark.parametrize("name", ["x.json.gz", "x.jsonl.gz"])
def test_a_gzip_bomb_does_not_fill_the_memory(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(gzip.compress(b" " * 50_000_000))
    tracemalloc.start()
    try:
        read(tmp_path / name, max_bytes=1_000_000)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 10_000_000


@pytest.mark.parametrize(("name", "content"), [("x.json", b"[1, 2]"), ("x.jsonl", b"1\n2\n3\n")])
def test_a_file_of_exactly_the_allowed_size_is_read(
    tmp_path: Path, name: str, content: bytes
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    assert len(content) == 6
    assert read(path, max_bytes=6)[1] == []
    assert len(read(path, max_bytes=5)[1]) == 1


def test_a_pipe_is_told_instead_of_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x.json")
    assert read(tmp_path / "x.json") == ([], ["x.json: is not a regular file"])


def test_a_file_that_vanished_is_told(tmp_path: Path) -> None:
    assert read(tmp_path / "x.json") == (
        [],
        ["x.json: cannot be read (No such file or directory)"],
    )


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_told(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text("[1]")
    path.chmod(0)
    assert read(path) == ([], ["x.json: cannot be read (Permission denied)"])
