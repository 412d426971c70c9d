"""Tries and packs, against brute force."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import pytest

from rmjudge.providers.local.packing import Group, Node, Pack, Trie, build_trie, fill, lay_out


def some_groups() -> list[Group]:
    """Groups of short sequences over two tokens, so that all kinds of sharing occur."""
    drawn: list[Group] = []
    for seed in range(300):
        random = Random(seed)
        count = random.randrange(8)
        drawn.append([tuple(random.choices((5, 6), k=random.randint(1, 8))) for _ in range(count)])
    return drawn


def read_back(trie: Trie, sequence: int) -> tuple[int, ...]:
    return tuple(token for start, stop in trie.rows(sequence) for token in trie.tokens[start:stop])


@pytest.mark.parametrize("merging", [0, 1 / 64, 0.5, 100])
def test_every_sequence_can_be_read_back(merging: float) -> None:
    for group in some_groups():
        trie = build_trie(group, merging)
        assert [read_back(trie, k) for k in range(len(group))] == list(group)


def test_without_a_price_every_shared_beginning_is_held_once() -> None:
    for group in some_groups():
        beginnings = {sequence[:end] for sequence in group for end in range(1, len(sequence) + 1)}
        assert len(build_trie(group, 0).tokens) == len(beginnings)


def test_where_merging_costs_more_than_it_saves_nothing_is_shared_but_equal_sequences() -> None:
    group = [(1, 2, 3), (1, 2, 4), (1, 2, 3)]
    assert len(build_trie(group, 100).tokens) == 6


def test_descendants_stand_right_behind_their_node_and_go_on_at_its_end() -> None:
    for group in some_groups():
        nodes = build_trie(group, 0).nodes
        for node in nodes:
            if node.parent >= 0:
                above = nodes[node.parent]
                assert above.stop <= node.start < node.stop <= node.end <= above.end
                assert node.position == above.position + above.stop - above.start
            else:
                assert node.position == 0
        for index, node in enumerate(nodes):
            below = [
                one for at, one in enumerate(nodes) if at != index and index in ancestors(nodes, at)
            ]
            assert sum(one.stop - one.start for one in below) == node.end - node.stop


def ancestors(nodes: Sequence[Node], index: int) -> set[int]:
    found = set()
    while index >= 0:
        found.add(index)
        index = nodes[index].parent
    return found


def test_thousands_of_prefixes_of_one_text_need_no_deep_recursion() -> None:
    text = tuple(range(3000))
    trie = build_trie([text[:end] for end in range(1, 3001)], 0)
    assert trie.tokens == text
    assert read_back(trie, 1999) == text[:2000]


def test_an_empty_sequence_is_refused() -> None:
    with pytest.raises(ValueError, match="without tokens"):
        build_trie([(1,), ()])


def test_an_empty_group_has_no_rows() -> None:
    assert build_trie([]) == Trie((), (), ())


def test_tries_lie_behind_each_other() -> None:
    first, second = build_trie([(1, 2), (1, 3)], 0), build_trie([(4, 5, 6)])
    pack = lay_out([first, second])
    assert (pack.offsets, pack.rows) == ((0, 3), 6)
    assert list(pack.sequences()) == [[(0, 1), (1, 2)], [(0, 1), (2, 3)], [(3, 6)]]
    assert [(node.start, node.parent) for node in pack.nodes()] == [
        (0, -1),
        (1, 0),
        (2, 0),
        (3, -1),
    ]


def test_a_pack_is_aligned_and_filled_as_asked() -> None:
    tries = [build_trie([tuple(range(size))]) for size in (5, 3)]
    assert lay_out(tries, align=8, multiple=10, least=1) == Pack(tuple(tries), (0, 8), 20)
    assert lay_out(tries, least=32).rows == 32


def test_packs_hold_everything_once_within_the_budget() -> None:
    for seed in range(50):
        random = Random(seed)
        sizes = [random.randint(1, 120) for _ in range(random.randrange(40))]
        packs = fill(sizes, 100)
        assert sorted(index for pack in packs for index in pack) == list(range(len(sizes)))
        for pack in packs:
            assert len(pack) == 1 or sum(sizes[index] for index in pack) <= 100


def test_a_later_small_thing_fills_an_earlier_gap() -> None:
    assert fill([60, 70, 40, 30], 100) == [[0, 2], [1, 3]]
