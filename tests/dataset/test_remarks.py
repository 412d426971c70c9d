"""What a data set does not say of itself: unused fields, another order of styles, two layouts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import rmjudge
from rmjudge.dataset import load
from rmjudge.dataset.remarks import remarks

SIDE = ["Four.", "It is four, as two and two always make.", "**Four**\n\n- two\n- and two"]


def item(k: int, **more: Any) -> dict[str, Any]:
    worse = [text.replace("our", "ive") for text in SIDE]
    base = {"id": k, "domain": "chat", "prompt": "2+2?", "chosen": SIDE, "rejected": worse}
    return {**base, **more}


def write(path: Path, *items: dict[str, Any]) -> Path:
    path.write_text(json.dumps(list(items)))
    return path


@pytest.mark.parametrize(("domain", "prefix"), [("chat", "chat"), ("safety", "safety-refuse")])
def test_an_id_of_the_total_file_is_that_of_the_domain_s_file(
    domain: str, prefix: str, tmp_path: Path
) -> None:
    named = {"domain": prefix}
    total = load([write(tmp_path / "total.json", item(1, **{**named, "id": f"{prefix}/100"}))])
    own = load([write(tmp_path / "own.json", item(1, **{**named, "id": 100}))])
    assert total.tuples[0].name == f"{domain}/100"
    assert total.digest == own.digest


@pytest.mark.parametrize("id", ["code/100", "a/b", "chat/", "100", "chat/007"])
def test_other_ids_stay_texts(id: str, tmp_path: Path) -> None:
    (found,) = load([write(tmp_path / "x.json", item(1, id=id))]).tuples
    assert isinstance(found.id, str)
    assert found.id in (id, "007")


def test_one_tuple_in_both_layouts_is_named_twice(tmp_path: Path) -> None:
    file = write(tmp_path / "x.json", item(7), item(1, id="chat/7"))
    with pytest.raises(rmjudge.DataError, match="already taken"):
        load([file])


def test_fields_that_are_part_of_a_question_are_told_by_a_run(tmp_path: Path) -> None:
    file = write(tmp_path / "x.json", item(1, system="In French.", note="x"), item(2, system=""))
    told: list[str] = []
    data = load([file], notice=told.append)
    assert data.ignored == (("note", 1), ("system", 1))
    (line,) = remarks(data)
    assert "'system' of 1 tuples is not used" in line
    run = rmjudge.evaluate(
        "baseline/length", file, cache_dir=tmp_path / "cache", out=tmp_path / "o"
    )
    assert line in run["baseline/length"].notes


@pytest.mark.parametrize("side", ["chosen", "rejected"])
@pytest.mark.parametrize(
    ("order", "told"),
    [((1, 0, 2), "the first response is longer"), ((0, 2, 1), "another response than the third")],
)
def test_styles_in_another_order_are_told_for_their_side(
    side: str, order: tuple[int, ...], told: str, tmp_path: Path
) -> None:
    moved = {side: [SIDE[k] for k in order]}
    data = load([write(tmp_path / "x.json", *(item(k, **moved) for k in range(3)))])
    (line,) = remarks(data)
    assert line.startswith(f"{side}: {told}")
    assert list(remarks(load(["sample"]))) == []
