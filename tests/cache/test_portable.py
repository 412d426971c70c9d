"""Export and import: what comes back is what was bought, and nothing is overwritten."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import json
import shutil
import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from rmjudge.cache import AnswerCache
from rmjudge.cache.inspect import verify
from rmjudge.cache.keys import scorer_key
from rmjudge.cache.portable import Imported, export_answers, import_answers
from rmjudge.calls import Json, Reply, Reward, Unscored, Usage, Verdict
from rmjudge.errors import StorageStopped, UsageError

ONE: dict[str, Json] = {"provider": "test", "model": "one \ud800", "params": {"t": 0.1}}
TWO: dict[str, Json] = {"provider": "test", "model": "two"}
HOSTILE = "\udfff \ud800 \0 \x1b[31m \u202e \r\n\u2028 \U0001f600 =cmd() [/INST]"
ANSWERS = {
    "0" * 32: Reply(Reward(0.1 + 0.2), HOSTILE, "p/1", Usage(1, 2, 3), "model (fp)"),
    "1" * 32: Reply(Reward(-5e-324), "", "", Usage(), None),
    "2" * 32: Reply(Reward(7), "x" * 2**20, "p/1", Usage(1, None, None), HOSTILE),
    "3" * 32: Reply(Verdict(1.0), "{}", "p/1"),
    "4" * 32: Reply(Unscored("refusal", HOSTILE), "{}", "p/1"),
}


async def fill(folder: Path, identity: dict[str, Json], answers: dict[str, Reply]) -> None:
    with AnswerCache(folder) as cache:
        await cache.commit(await cache.register(identity), list(answers.items()))


async def kept(folder: Path, identity: dict[str, Json]) -> dict[str, Reply]:
    with AnswerCache(folder) as cache:
        return await cache.lookup(scorer_key(identity), list(ANSWERS))


@pytest.fixture(scope="module")
def _filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("filled")
    asyncio.run(fill(folder, ONE, ANSWERS))
    asyncio.run(fill(folder, TWO, {"0" * 32: Reply(Reward(2.0))}))
    return folder


@pytest.fixture
def folder(_filled: Path, tmp_path: Path) -> Path:
    """A cache with six answers of two scorers."""
    return shutil.copytree(_filled, tmp_path / "cache")


def lines_of(file: Path) -> list[bytes]:
    return file.read_bytes().splitlines(keepends=True)


@pytest.mark.parametrize("name", ["kept.jsonl", "kept.jsonl.gz"])
async def test_what_comes_back_is_what_was_bought(folder: Path, tmp_path: Path, name: str) -> None:
    exported = export_answers(folder, tmp_path / name)
    found = import_answers(tmp_path / name, tmp_path / "other")

    assert (exported.answers, exported.scorers, exported.damaged) == (6, 2, 0)
    assert (found.added, found.known, found.scorers) == (6, 0, 2)
    assert (found.rejected, found.conflicts) == ([], [])
    back = await kept(tmp_path / "other", ONE)
    assert back == ANSWERS
    assert repr(back) == repr(ANSWERS)  # 7 is not 7.0
    assert await kept(tmp_path / "other", TWO) == {"0" * 32: Reply(Reward(2.0))}


def test_an_export_of_an_import_is_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    for name in ("a.jsonl", "a.gz"):
        export_answers(folder, tmp_path / name)
        import_answers(tmp_path / name, tmp_path / name.replace(".", ""))
        export_answers(tmp_path / name.replace(".", ""), tmp_path / f"again-{name}")

        assert (tmp_path / f"again-{name}").read_bytes() == (tmp_path / name).read_bytes()
    assert (tmp_path / "a.gz").read_bytes()[4:8] == bytes(4)  # no time


def test_a_file_is_lines_of_ascii_json_that_its_owner_alone_can_read(
    folder: Path, tmp_path: Path
) -> None:
    file = tmp_path / "a.jsonl"
    export_answers(folder, file)
    head, *rest = map(json.loads, lines_of(file))

    assert file.read_bytes().isascii()
    assert (head["kind"], head["format"]) == ("rmjudge-answers", 1)
    assert sorted(
        (line["identity"] for line in rest if "identity" in line), key=lambda i: str(i["model"])
    ) == [ONE, TWO]
    assert sum("record" in line for line in rest) == 6
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.jsonl", "cache"]


def test_importing_twice_adds_nothing(folder: Path, tmp_path: Path) -> None:
    export_answers(folder, tmp_path / "a")
    found = import_answers(tmp_path / "a", folder)

    assert (found.added, found.known, found.scorers) == (0, 6, 0)


async def test_a_different_answer_is_told_by_line_and_the_kept_one_stays(
    folder: Path, tmp_path: Path
) -> None:
    export_answers(folder, tmp_path / "a")
    ours = Reply(Reward(0.5), "another reply")
    await fill(tmp_path / "other", ONE, {"1" * 32: ours})
    found = import_answers(tmp_path / "a", tmp_path / "other")

    (conflict,) = found.conflicts
    number = int(conflict.removeprefix("line ").partition(":")[0])
    assert json.loads(lines_of(tmp_path / "a")[number - 1])["call"] == "1" * 32
    assert conflict.endswith(f"call {'1' * 32} of scorer {scorer_key(ONE)}")
    assert (found.added, found.known) == (5, 0)
    assert await kept(tmp_path / "other", ONE) == {**ANSWERS, "1" * 32: ours}


async def test_the_same_reply_read_by_another_parser_is_no_conflict(
    folder: Path, tmp_path: Path
) -> None:
    export_answers(folder, tmp_path / "a")
    ours = Reply(Unscored("unparsed"), HOSTILE, "p/2")
    await fill(tmp_path / "other", ONE, {"0" * 32: ours})
    found = import_answers(tmp_path / "a", tmp_path / "other")

    assert (found.known, found.conflicts) == (1, [])
    assert (await kept(tmp_path / "other", ONE))["0" * 32] == ours


async def test_a_damaged_row_here_is_mended(folder: Path, tmp_path: Path) -> None:
    export_answers(folder, tmp_path / "a")
    with closing(sqlite3.connect(folder / "cache.db")) as connection, connection:
        connection.execute(
            "UPDATE Cache SET value = replace(value, 'p', 'q') WHERE key LIKE 'a:%33'"
        )
    found = import_answers(tmp_path / "a", folder)

    assert (found.added, found.known) == (1, 5)
    assert await kept(folder, ONE) == ANSWERS


def test_a_damaged_row_is_left_out_of_an_export(folder: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(folder / "cache.db")) as connection, connection:
        connection.execute(
            "UPDATE Cache SET value = replace(value, 'p', 'q') WHERE key LIKE 'a:%33'"
        )
        connection.execute(
            "INSERT INTO Cache (key, raw, mode, value, store_time) VALUES ('a:x:y:z', 1, 1, 'x', 1)"
        )
    exported = export_answers(folder, tmp_path / "a")

    assert (exported.answers, exported.damaged) == (5, 2)


DAMAGED: dict[str, tuple[bytes, str]] = {
    "no sum": (b'{"scorer":"x"}', "no line of an export"),
    "another's sum": (b'{"sum":"00","scorer":"x"}', "checksum does not match"),
    "no JSON": (b"not json", "no line of an export"),
    "no object": (b"[1]", "no line of an export"),
    "deep": (b"[" * 100_000, "no line of an export"),
    "NaN": (b'{"sum":"x","stored":NaN}', "no line of an export"),
    "no UTF-8": (b"\xff\xfe", "no line of an export"),
    "an empty line": (b"", "no line of an export"),
    "an integer without end": (b'{"a":' + b"1" * 9000 + b"}", "no line of an export"),
}


def import_with_line_5(folder: Path, tmp_path: Path, change: Callable[[bytes], bytes]) -> Imported:
    """Import an export whose fifth line, an answer, was changed."""
    export_answers(folder, tmp_path / "a")
    lines = lines_of(tmp_path / "a")
    lines[4] = change(lines[4])
    (tmp_path / "a").write_bytes(b"".join(lines))
    return import_answers(tmp_path / "a", tmp_path / "other")


@pytest.mark.parametrize(("line", "why"), DAMAGED.values(), ids=list(DAMAGED))
def test_a_damaged_line_is_rejected_by_number_and_the_others_count(
    folder: Path, tmp_path: Path, line: bytes, why: str
) -> None:
    found = import_with_line_5(folder, tmp_path, lambda _: line + b"\n")

    assert found.rejected == [f"line 5: {why}"]
    assert found.added == 5


def test_a_changed_letter_is_found(folder: Path, tmp_path: Path) -> None:
    found = import_with_line_5(folder, tmp_path, lambda line: line.replace(b"parser", b"porser"))

    assert found.rejected == ["line 5: checksum does not match"]


def test_a_damaged_identity_here_is_mended(folder: Path, tmp_path: Path) -> None:
    export_answers(folder, tmp_path / "a")
    with closing(sqlite3.connect(folder / "cache.db")) as connection, connection:
        connection.execute("UPDATE Cache SET value = 'x' WHERE key LIKE 's:%'")
    found = import_answers(tmp_path / "a", folder)

    assert (found.scorers, found.known) == (2, 6)
    assert verify(folder).sound


@pytest.mark.parametrize("name", ["a.jsonl", "a.gz"])
def test_a_file_that_breaks_off_gives_what_it_has(folder: Path, tmp_path: Path, name: str) -> None:
    export_answers(folder, tmp_path / name)
    content = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(content[:-20])
    found = import_answers(tmp_path / name, tmp_path / "other")

    assert len(found.rejected) == 1
    assert "the file breaks off" in found.rejected[0]
    assert found.added == 5


def sealed(value: dict[str, Json]) -> bytes:
    """A line as one who knows the format would write it by hand."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return (
        json.dumps({"sum": hashlib.sha256(text.encode()).hexdigest()[:32], **value}).encode()
        + b"\n"
    )


FORGED: dict[str, tuple[dict[str, Json], str]] = {
    "an identity under another's key": (
        {"scorer": "f" * 32, "identity": {"model": "m"}},
        "an identity under another's key",
    ),
    "an answer of nobody": (
        {"scorer": "f" * 32, "call": "0" * 32, "stored": 1.0, "record": {}},
        "an answer of a scorer that is not in the file",
    ),
    "an odd key": (
        {"scorer": scorer_key(ONE), "call": "../x", "stored": 1.0, "record": {}},
        "no key or no time",
    ),
    "a record with a reward that is a text": (
        {"scorer": scorer_key(ONE), "call": "9" * 32, "stored": 1.0, "record": {"format": 1}},
        "",
    ),
}


@pytest.mark.parametrize(("value", "why"), FORGED.values(), ids=list(FORGED))
def test_a_line_that_is_sound_but_wrong_is_rejected(
    folder: Path, tmp_path: Path, value: dict[str, Json], why: str
) -> None:
    export_answers(folder, tmp_path / "a")
    with (tmp_path / "a").open("ab") as file:
        file.write(sealed(value))
    found = import_answers(tmp_path / "a", tmp_path / "other")

    assert found.added == 6
    (rejected,) = found.rejected
    assert rejected.startswith(f"line 10: {why}")


@pytest.mark.parametrize(
    "content",
    [b"", b"\x1f\x8b", b"{}\n", b"a text\n", sealed({"kind": "other", "format": 1})],
    ids=["nothing", "no gzip", "an object", "a text", "another kind"],
)
def test_a_file_that_is_no_export_changes_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a").write_bytes(content)

    with pytest.raises(UsageError, match="a is no file of `rmjudge cache export`"):
        import_answers(tmp_path / "a", tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_a_newer_format_is_told(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(sealed({"kind": "rmjudge-answers", "format": 2}))

    with pytest.raises(UsageError, match="has format 2; this rmjudge knows 1: upgrade it"):
        import_answers(tmp_path / "a", tmp_path / "other")


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nothing cannot be read: No such file"):
        import_answers(tmp_path / "nothing", tmp_path / "other")


def test_a_file_that_is_there_is_not_overwritten(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("mine")

    with pytest.raises(UsageError, match="a exists already"):
        export_answers(folder, tmp_path / "a")
    assert (tmp_path / "a").read_text() == "mine"


def test_a_folder_that_is_not_there_is_told(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(StorageStopped, match="cannot be written: No such file or directory"):
        export_answers(folder, tmp_path / "no" / "a")


def test_a_gzip_bomb_does_not_fill_the_memory(tmp_path: Path) -> None:
    bomb = gzip.compress(sealed({"kind": "rmjudge-answers", "format": 1}) + b" " * 2**24 + b"\n")
    (tmp_path / "a.gz").write_bytes(bomb)
    found = import_answers(tmp_path / "a.gz", tmp_path / "other")

    assert found.rejected == ["line 2: no line of an export"]
