"""A stored row: one line of ASCII whose damage is always seen."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from rmjudge.cache.rows import FORMAT, DamagedRecordError, decode, encode, seal, unseal
from rmjudge.calls import Reply, Reward, Unscored, Usage, Verdict

HOSTILE = "[/INST]\x1b]0;x\x07 \ud800 \u202e \0 \r\n =cmd() é \U0001f600"
REPLY = Reply(Verdict(0.5), HOSTILE, "verdict/1", Usage(12, 3, 4), "model (fp_1)")


def test_a_reply_comes_back_as_it_was() -> None:
    assert decode(encode(REPLY)) == REPLY


def test_an_open_reply_says_how_many_tries_were_used_up_and_that_of_older_versions_one() -> None:
    often = replace(REPLY, open=True, tries=2)
    assert decode(encode(often)) == often
    older = unseal(encode(replace(REPLY, open=True)))
    assert "tries" not in older
    assert decode(seal(older)).tries == 1


def test_a_row_is_one_line_of_printable_ascii() -> None:
    text = encode(Reply(Unscored("refusal", HOSTILE), HOSTILE, HOSTILE, Usage(), HOSTILE))

    assert text.isascii()
    assert text.isprintable()


@pytest.mark.parametrize("where", [0, 8, 15, 16, 17, 40, -10, -1])
def test_one_changed_character_is_damage(where: int) -> None:
    text = encode(REPLY)
    other = "0" if text[where] != "0" else "1"
    changed = text[:where] + other + text[where:][1:]

    assert changed != text
    with pytest.raises(DamagedRecordError):
        decode(changed)


@pytest.mark.parametrize("length", [0, 1, 16, 17, 100])
def test_a_cut_row_is_damage(length: int) -> None:
    with pytest.raises(DamagedRecordError):
        decode(encode(REPLY)[:length])


def good() -> dict[str, object]:
    record: dict[str, object] = json.loads(unseal(encode(Reply(Reward(1.0)))))
    return record


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("format", FORMAT + 1),
        ("answer", {"reward": "1"}),
        ("answer", {"reward": True}),
        ("answer", {"reward": None}),
        ("answer", {"first": 1.5}),
        ("answer", {"unscored": "a new status"}),
        ("answer", {}),
        ("answer", None),
        ("usage", [1, 2, 3, 4, 5]),
        ("usage", None),
    ],
)
def test_a_record_with_a_wrong_part_is_damage_even_under_a_right_checksum(
    part: str, value: object
) -> None:
    with pytest.raises(DamagedRecordError):
        decode(seal(json.dumps({**good(), part: value})))


@pytest.mark.parametrize("part", ["format", "answer", "raw", "parser", "usage", "model"])
def test_a_record_without_a_part_is_damage(part: str) -> None:
    record = good()
    del record[part]

    with pytest.raises(DamagedRecordError):
        decode(seal(json.dumps(record)))


@pytest.mark.parametrize(
    "payload",
    ["", "null", "[]", "1", "{", "[" * 100_000],
    ids=["nothing", "null", "a list", "a number", "cut", "deep"],
)
def test_a_payload_that_is_no_record_is_damage(payload: str) -> None:
    with pytest.raises(DamagedRecordError):
        decode(seal(payload))


def test_a_reward_that_is_not_finite_in_the_file_is_damage() -> None:
    with pytest.raises(DamagedRecordError, match="finite"):
        decode(seal(json.dumps({**good(), "answer": {"reward": float("nan")}})))
