"""What a descriptor says is checked, and what those that ship say of published scores is so."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from rmjudge.benchmarks.descriptors import descriptor_named, read_descriptor, shipped
from rmjudge.benchmarks.items import ItemSet
from rmjudge.benchmarks.sets import load_sets
from rmjudge.errors import DataError, UsageError
from rmjudge.vocabulary import DOWNLOADED_SETS

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
published = pytest.mark.skipif(not DATA.exists(), reason="needs ../shared/data")

GOOD = '[fields]\nprompt = "p"\nchosen = "c"\nrejected = "r"\n'


def written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_a_few_lines_are_a_whole_descriptor(tmp_path: Path) -> None:
    found = read_descriptor(written(tmp_path / "mine.toml", GOOD))
    assert (found.name, found.kind, found.order, found.average) == (
        *("mine", "pairs", "seeded"),
        "micro",
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[fields", "no TOML"),
        ('[fields]\nprompt = "p"\n', "either chosen and rejected, or responses"),
        (GOOD + '[score]\nkind = "pair"\n', "score.kind = 'pair' is not one of pairs, matrix"),
        (GOOD + "[scores]\n", "did you mean score"),
        (GOOD + '[score]\naverage = "sections"\n', "needs a table subsets.sections"),
        ('[fields]\nresponses = ["a"]\n', "names two fields"),
        (
            '[fields]\nresponses = ["a", "b"]\nlabel = "l"\nfirst = 1\nsecond = [1]\n',
            "fields.first names 1, and so does fields.second or equal",
        ),
        (
            GOOD + '[files]\npatterns = ["/etc/*"]\n',
            "'/etc/*' is no pattern of paths below a folder",
        ),
        (GOOD + '[files]\npatterns = [""]\n', "is no pattern of paths below a folder"),
        (GOOD + '[files]\npatterns = ["../*"]\n', "it leaves the folder"),
        (GOOD + '[[published]]\nscorer = "x"\n', "no score, a number"),
    ],
)
def test_what_is_wrong_in_a_descriptor_is_said(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(UsageError, match=r"mine\.toml: ") as error:
        read_descriptor(written(tmp_path / "mine.toml", text))
    assert told in str(error.value)


def test_the_sets_that_are_downloaded_by_name_are_those_with_downloads() -> None:
    assert {n for n, one in shipped().items() if one.downloads} == set(DOWNLOADED_SETS)


def test_a_set_without_a_download_says_where_it_is() -> None:
    with pytest.raises(UsageError, match=r"princeton-nlp/LLMBar"):
        load_sets(["llmbar"])
    with pytest.raises(UsageError, match="did you mean llmbar"):
        descriptor_named("llmba")


@published
def test_llmbars_published_scores_are_the_means_of_its_published_statistics() -> None:
    rows = json.loads((DATA / "llmbar" / "published_statistics.json").read_text())
    for one in shipped()["llmbar"].published:
        judge, method = one.scorer.split(", ")
        found = [
            float(row["correct_average"].rstrip("%"))
            for row in rows
            if "/LLMBar/" in row["path"] and f"/evaluators/{judge}/{method}/" in row["path"]
        ]
        assert len(found) == 5
        assert round(sum(found) / 5, 2) == one.score


@published
def test_judgebenchs_download_is_the_published_file() -> None:
    from rmjudge.dataset.download import git_blob_id

    (one,) = shipped()["judgebench"].downloads
    assert git_blob_id(DATA / "judgebench" / one.file) == one.blob


@published
def test_the_real_files_are_known_without_being_named(tmp_path: Path) -> None:
    renamed = tmp_path / "x.jsonl"
    file = shipped()["judgebench"].downloads[0].file
    renamed.write_bytes((DATA / "judgebench" / file).read_bytes())
    single = DATA / "llmbar" / "LLMBar" / "Natural" / "dataset.json"
    left, sets = load_sets(["sample", renamed, single])
    assert left == ["sample"]
    assert [(one.name, len(one)) for one in sets] == [("judgebench", 350), ("llmbar", 100)]
    assert {item.subset for item in sets[1]} == {"Natural"}
    assert {item.subset for item in sets[0]} == {"Knowledge", "Reasoning", "Math", "Coding"}


def test_a_tuple_with_a_text_too_few_is_left_to_rm_bench_which_says_what_is_wrong(
    tmp_path: Path,
) -> None:
    row = {"id": 1, "domain": "chat", "prompt": "?", "chosen": ["a", "b"], "rejected": ["c"] * 3}
    path = written(tmp_path / "mine.jsonl", json.dumps(row) + "\n")
    assert load_sets([path]) == ([path], [])


@pytest.mark.parametrize("name", ["rm-bench", "RM Bench", "judgebench", "sample"])
def test_a_descriptor_cannot_take_the_name_of_another_benchmark(tmp_path: Path, name: str) -> None:
    mine = written(tmp_path / "mine.toml", f'name = "{name}"\n{GOOD}')
    with pytest.raises(UsageError, match="is another benchmark's"):
        descriptor_named(str(mine))


ROWS = [
    {"p": "Cats?", "c": "Yes, some.", "r": "No.", "topic": "pets"},
    {"p": "Seas?", "c": "Yes, seven.", "r": "No.", "topic": "nature"},
    {"p": "Else?", "c": "Yes, more.", "r": "No."},
]
OWN = '[fields]\nprompt = "p"\nchosen = "c"\nrejected = "r"\nsubset = "%s"\n'


def loaded(folder: Path, descriptor: str, given: Sequence[Mapping[str, Any]] = ROWS) -> ItemSet:
    rows = folder / "rows.jsonl"
    rows.write_text("".join(json.dumps(row) + "\n" for row in given))
    mine = written(folder / "mine.toml", descriptor)
    _, (found,) = load_sets([str(rows)], name=str(mine))
    return found


def test_a_subset_that_no_item_has_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError) as error:
        loaded(tmp_path, OWN % "topik")
    (told,) = error.value.problems
    assert told.endswith(
        "in every item topik is missing (fields.subset = topik); did you mean topic?"
    )


def test_an_id_that_no_item_has_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"in every item uid is missing \(fields\.id = uid\)"):
        loaded(tmp_path, OWN % "topic" + 'id = "uid"\n')


GRADED = '[fields]\nprompt = "p"\ntexts = "answers.text"\ngrades = "answers.score"\n'
LABELLED = (
    '[fields]\nprompt = "p"\nresponses = ["one", "two"]\nlabel = "winner"\n'
    'first = ["A"]\nsecond = ["B"]\nequal = ["C"]\n'
)


@pytest.mark.parametrize(
    ("descriptor", "row", "told"),
    [
        (
            GOOD,
            {"p": "?", "chosen": "a", "r": "b"},
            "c is missing (fields.chosen = c); there are p, chosen, r",
        ),
        (
            GOOD.replace('"p"', '"question"'),
            {"questions": "?", "c": "a", "r": "b"},
            "question is missing (fields.prompt = question); did you mean questions?",
        ),
        (GOOD, {"p": "?", "c": "a", "r": None}, "r is null (fields.rejected = r)"),
        (
            GRADED,
            {"p": "?", "answers": [{"text": "a", "score": 1}, {"text": "b", "scor": 2}]},
            "answers[1].score is missing (fields.grades = answers.score); did you mean scor?",
        ),
        (
            GRADED,
            {"p": "?", "answer": [{"text": "a", "score": 1}]},
            "answers is missing (fields.texts = answers.text); did you mean answer?",
        ),
        (
            GRADED,
            {"p": "?", "answers": ["a", "b"]},
            "answers[0] is a string and has no text (fields.texts = answers.text)",
        ),
        (GRADED, {"p": "?", "answers": []}, "answers.text is empty; expected a list"),
        (
            LABELLED,
            {"p": "?", "one": "a", "two": "b", "winer": "A"},
            "winner is missing (fields.label = winner); did you mean winer?",
        ),
        (
            LABELLED,
            {"p": "?", "one": "a", "too": "b", "winner": "A"},
            "two is missing (fields.responses = two); did you mean too?",
        ),
        (GOOD, {}, "c is missing (fields.chosen = c); there are no fields"),
        (
            GOOD,
            {f"column{n}\x1b": n for n in range(40)},
            ", column11\\x1b, 28 more",
        ),
    ],
)
def test_what_a_row_lacks_is_said_with_the_key_that_asks_for_it_and_what_is_there(
    tmp_path: Path, descriptor: str, row: dict[str, Any], told: str
) -> None:
    with pytest.raises(DataError) as error:
        loaded(tmp_path, descriptor, [row])
    (line,) = error.value.problems
    assert line.startswith(f"{tmp_path}/rows.jsonl:1: ")
    assert told in line
    assert "--map" not in line


def test_a_column_that_map_names_and_no_row_has_is_said_as_that(tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"question": "?", "chosen": "a", "rejected": "b"}\n')
    with pytest.raises(DataError) as error:
        load_sets([str(rows)], columns={"prompt": "qestion"})
    assert list(error.value.problems) == [
        f"{rows}:1: qestion is missing (--map prompt = qestion); did you mean question?"
    ]
    _, (found,) = load_sets([str(rows)], columns={"prompt": "question"})
    assert len(found) == 1


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ({"label": "x"}, "pairs has its responses in chosen and rejected, and would not look"),
        ({"texts": "x"}, "go together"),
    ],
)
def test_a_column_that_would_not_be_read_is_refused(
    tmp_path: Path, columns: dict[str, str], told: str
) -> None:
    with pytest.raises(UsageError, match=told):
        load_sets([str(tmp_path / "rows.jsonl")], columns=columns)


def test_a_name_with_dots_is_a_field_where_the_row_has_it(tmp_path: Path) -> None:
    flat = '[fields]\nprompt = "q.text"\nchosen = "a.best"\nrejected = "a.worst"\n'
    row = {"q.text": "?", "a.best": "yes", "a": {"worst": "no"}}
    found = loaded(tmp_path, flat, [row])
    assert found.items[0].texts == ("yes", "no")


def test_labels_may_be_true_and_false_and_are_not_0_and_1(tmp_path: Path) -> None:
    named = LABELLED.replace('["A"]', "[true]").replace('["B"]', "[false]")
    row = {"p": "?", "one": "a", "two": "b"}
    found = loaded(tmp_path, named, [{**row, "winner": True}, {**row, "winner": False}])
    assert [item.best for item in found] == [(0,), (1,)]
    with pytest.raises(DataError, match="winner is 1; expected one of True, False, 'C'"):
        loaded(tmp_path, named, [{**row, "winner": 1}])


def test_what_the_subsets_leave_out_is_said(tmp_path: Path) -> None:
    sections = '[score]\naverage = "sections"\n[subsets.sections]\nAnimals = ["pets", "zoo"]\n'
    assert loaded(tmp_path, OWN % "topic" + sections).notes == (
        "items without topic, which count as a subset of their own: 1",
        "not in the score, since no section has these subsets: (unnamed), nature",
        "sections, weights or ties_subset name subsets without an item: zoo",
    )


def test_a_file_that_is_not_there_is_left_to_who_says_so(tmp_path: Path) -> None:
    mine = written(tmp_path / "mine.toml", OWN % "topic")
    assert load_sets([str(tmp_path / "no.jsonl")], name=str(mine)) == (
        [str(tmp_path / "no.jsonl")],
        [],
    )


def test_patterns_that_match_no_file_are_refused_with_what_is_there(tmp_path: Path) -> None:
    mine = written(tmp_path / "mine.toml", GOOD + '[files]\npatterns = ["test/*.jsonl"]\n')
    folder = tmp_path / "data"
    (folder / "test" / "x.jsonl").mkdir(parents=True)
    rows = "".join(json.dumps(row) + "\n" for row in ROWS)
    written(folder / "train.jsonl", rows)
    with pytest.raises(UsageError) as error:
        load_sets([str(folder)], name=str(mine))
    assert str(error.value) == (
        f"{folder}: no file in it matches files.patterns of {mine} ('test/*.jsonl'); there are "
        "test/, train.jsonl. Change the patterns, or name the files one by one"
    )
    written(folder / "test" / "a.jsonl", rows)
    for source in (folder, folder / "train.jsonl"):
        _, (found,) = load_sets([str(source)], name=str(mine))
        assert len(found) == 3


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('name = "x"\n', "has no table [fields], which says where the prompt"),
        ('part_of = "RMB"\n' + GOOD, "part_of is for benchmarks that ship"),
        (GOOD + '[files]\nmarks = ["c"]\n', "files.marks is for benchmarks that ship"),
        (
            GOOD + '[[download]]\nfile = "f"\nurl = "http://x"\nblob = "b"\n',
            "[[download]] is for benchmarks that ship",
        ),
        ('name = "a\\nb"\n' + GOOD, "name = 'a\\nb' is no heading"),
        (f'title = "{"t" * 81}"\n' + GOOD, "is no heading: expected up to 80 characters"),
    ],
)
def test_what_ones_own_descriptor_lacks_or_has_in_vain_is_refused(
    tmp_path: Path, text: str, told: str
) -> None:
    with pytest.raises(UsageError, match=r"mine\.toml: ") as error:
        descriptor_named(str(written(tmp_path / "mine.toml", text)))
    assert told in str(error.value)


def test_a_descriptor_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_bytes(b"\xef\xbb\xbf" + GOOD.encode())
    assert descriptor_named(str(tmp_path / "mine.toml")).name == "mine"


def test_groups_that_gather_nothing_or_compete_are_said(tmp_path: Path) -> None:
    groups = '[subsets.groups]\nAnimals = ["p*"]\nHome = ["pets"]\nSky = ["stars"]\n'
    notes = loaded(tmp_path, OWN % "topic" + groups, ROWS[:2]).notes
    assert notes == (
        "groups that no item is in: Home, Sky",
        "subsets in several groups, of which the first counts: pets",
    )


TIES = GOOD + 'id = "id"\n[score]\nkind = "ties"\n'


@pytest.mark.parametrize(
    ("ids", "told"),
    [
        (["1", "2"], "the id '1' is in a subset of ties; the formula of ties needs ids like ref:1"),
        (["ref:1", "tied:2"], "needs twins, ref:N and tied:N of one N; none are there"),
    ],
)
def test_ties_that_the_formula_cannot_score_are_refused(
    tmp_path: Path, ids: list[str], told: str
) -> None:
    rows = [{"id": id, "p": f"{id}?", "c": ["a"], "r": ["b"]} for id in ids]
    with pytest.raises(DataError) as error:
        loaded(tmp_path, TIES, rows)
    (line,) = error.value.problems
    assert told in line
