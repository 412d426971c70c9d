"""What a program sees is wrong with a text before anybody is asked."""

from __future__ import annotations

import pytest

from rmjudge.building.checks import bad_markdown

HEAD = "# Land\n\n**The capital** is Ardan.\n\n"


@pytest.mark.parametrize(
    ("points", "cut"),
    [
        ("- It is old.\n- Its markets are open on every", True),
        ("1. It is old.\n2. Its markets are open on every", True),
        ("- It is old\n- Its markets are open on every day", False),
        ("- It is old: its walls stand.\n- Markets\n- Museums", False),
        ("- Its markets are open on every day", False),
        ("It is old, and its markets", True),
    ],
)
def test_a_list_is_cut_where_only_its_last_point_has_no_full_stop(points: str, cut: bool) -> None:
    reason = bad_markdown(HEAD + points)
    assert (reason is not None and reason.word == "truncated") == cut
