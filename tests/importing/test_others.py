"""Result files of RM-R1 and of reward-bench: each cell where it belongs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rmjudge import UsageError
from rmjudge.dataset.tuples import BenchTuple, DataSet
from rmjudge.importing.runs import import_files
from rmjudge.runs.results import ScorerResult

NAMES = ("concise", "detailed", "markdown")
# Which response a pair is about can be read off its value: chosen i against rejected j.
MATRIX = ((1.0, 0.0, 0.5), (0.0, 1.0, 1.0), (0.5, 0.0, 1.0))


def save(name: str, value: Any) -> Path:
    path = Path(name)
    path.write_text(json.dumps(value), "utf-8")
    return path


def rm_r1(number: int, *, texts: bool = True, **fields: Any) -> dict[str, Any]:
    """What RM-R1 saves: file 1 compares (0,0) (1,1) (2,2), file 2 (0,1) (1,2) (2,0), and so on."""
    shift = number - 1
    data = {
        "chosen": [f"chosen {i}" for i in range(3)],
        "rejected": [f"rejected {(i + shift) % 3}" for i in range(3)],
    }
    return {
        "id": 1,
        "domain": "chat",
        "prompt": "p",
        **(data if texts else {}),
        "result": [MATRIX[i][(i + shift) % 3] for i in range(3)],
        "output": ["...", "...", "..."],
        "Is_Chosen_Answer_Shuffled_toPositionB": [True, False, True],
        **fields,
    }


def rm_r1_files(*, texts: bool = True) -> list[Path]:
    return [
        save(f"total_dataset_{number}_RM-R1.json", [rm_r1(number, texts=texts)])
        for number in (1, 2, 3)
    ]


def imported(*paths: Path, **words: Any) -> ScorerResult:
    return import_files(paths, **words)[0]


def wrong(*paths: Path, **words: Any) -> str:
    with pytest.raises(UsageError) as caught:
        import_files(paths, **words)
    return str(caught.value)


@pytest.mark.parametrize("texts", [True, False])
@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1)])
def test_rm_r1s_three_files_become_the_nine_cells(texts: bool, order: tuple[int, ...]) -> None:
    files = rm_r1_files(texts=texts)
    result = imported(*(files[k] for k in order))
    assert result.tuples[0].matrix == MATRIX
    assert (result.metrics.scorer, result.metrics.method) == ("RM-R1", "pairwise")
    assert result.metrics.reading == "half_credit"


def test_a_run_from_rm_r1_says_that_its_failures_are_losses() -> None:
    assert "a reply that could not be read is a loss" in imported(*rm_r1_files()).note


def test_two_of_the_three_files_are_told_apart_from_all() -> None:
    one, _, three = rm_r1_files()
    assert "total_dataset_2_... missing. Name all three" in wrong(one, three)


def test_files_with_each_others_numbers_are_noticed_by_their_texts() -> None:
    one, two, three = rm_r1_files()
    swapped = two.read_bytes()
    two.write_bytes(three.read_bytes())
    three.write_bytes(swapped)
    assert "total_dataset_2_RM-R1.json[0] tuple 1: the rejected responses are not those" in wrong(
        one, two, three
    )


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"id": 2}, "total_dataset_3_RM-R1.json[0] tuple 2: another tuple than"),
        ({"result": [1, 0]}, "total_dataset_3_RM-R1.json[0] tuple 1: result has 2 values"),
        ({"result": [1, 0, 2]}, "result[2] is 2.0; expected a result between 0 and 1"),
    ],
)
def test_a_wrong_third_file_is_told(change: dict[str, Any], told: str) -> None:
    files = rm_r1_files()
    save(files[2].name, [rm_r1(3, **change)])
    assert told in wrong(*files)


def test_a_name_without_a_number_is_told() -> None:
    assert "which of RM-R1's three files" in wrong(save("mine.json", [rm_r1(1)]))


def pairs(cells: list[tuple[int, int]], **columns: Any) -> dict[str, Any]:
    """What `run_rm.py` of reward-bench saves: columns, with the model beside them."""
    chosen, rejected = (1.0, 2.0, 3.0), (1.5, 2.0, 2.5)
    return {
        "id": [4] * len(cells),
        "subset": ["math"] * len(cells),
        "scores_chosen": [chosen[i] for i, _ in cells],
        "scores_rejected": [[rejected[j]] for _, j in cells],
        "results": [int(chosen[i] > rejected[j]) for i, j in cells],
        "model": "org/rm",
        "model_type": "Seq. Classifier",
        **columns,
    }


DIAGONAL = [(0, 0), (1, 1), (2, 2)]
ALL = [(i, j) for i in range(3) for j in range(3)]


@pytest.mark.parametrize("cells", [DIAGONAL, ALL])
def test_reward_benchs_pairs_become_six_scores(cells: list[tuple[int, int]]) -> None:
    result = imported(save("org.json", pairs(cells)))
    (one,) = result.tuples
    assert (one.id, one.domain) == (4, "math")
    assert (one.score_chosen, one.score_rejected) == ((1.0, 2.0, 3.0), (1.5, 2.0, 2.5))
    assert result.metrics.scorer == "org/rm"


def test_nine_pairs_in_another_order_are_noticed() -> None:
    turned = [(i, j) for j in range(3) for i in range(3)]
    assert "are the nine rows in the order of the cells?" in wrong(save("m.json", pairs(turned)))


def test_reward_benchs_judge_gives_nine_results() -> None:
    columns = {"id": [4] * 9, "subset": ["chat"] * 9, "results": [c for row in MATRIX for c in row]}
    result = imported(save("judge.json", {**columns, "model": "judge"}))
    assert result.tuples[0].matrix == MATRIX
    assert "a verdict that could not be read are 0.5" in result.note


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (pairs(DIAGONAL[:2]), "m.json[0] tuple 4: the id has 2 rows in domain math; expected 3"),
        (pairs(DIAGONAL, id=[4, 4]), "the columns differ in length: 'id' 2, 'subset' 3"),
        (
            {"id": [4] * 3, "subset": ["chat"] * 3, "results": [1, 0, 1]},
            "has 3 rows in domain chat; expected 9 (a pair a cell)",
        ),
        (pairs(DIAGONAL, subset=["alpacaeval"] * 3), "domain is missing"),
        (
            {"id": [1], "subset": ["Focus"], "scores": [[1, 2, 3, 4]]},
            "scores has 4 values; expected 6",
        ),
    ],
)
def test_what_is_not_rm_bench_in_reward_benchs_files_is_told(value: Any, told: str) -> None:
    assert told in wrong(save("m.json", value))


def test_reward_bench_2_gives_the_chosen_before_the_rejected() -> None:
    columns = {"id": [4], "subset": ["code"], "scores": [[1, 2, 3, 4, 5, 6]], "num_correct": [3]}
    (one,) = imported(save("m.json", {**columns, "model": "rm"})).tuples
    assert (one.score_chosen, one.score_rejected) == ((1.0, 2.0, 3.0), (4.0, 5.0, 6.0))


def tuples(*ids: int) -> DataSet:
    texts = ("a", "b", "c")
    return DataSet("x", tuple(BenchTuple(id, "chat", None, "p", texts, texts) for id in ids))


def save_all(style: int, count: int) -> Path:
    """What `rewardbench --save_all` writes: a line a pair, nothing but the two scores."""
    path = Path(f"{NAMES[style]}_all.jsonl")
    lines = [
        json.dumps({"chosen": 10.0 * k + style, "rejected": 100.0 + style}) for k in range(count)
    ]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def test_lines_without_ids_are_matched_with_the_data_in_its_order() -> None:
    result = imported(*(save_all(style, 2) for style in range(3)), data=tuples(8, 9))
    assert [(one.id, one.score_chosen) for one in result.tuples] == [
        (8, (0.0, 1.0, 2.0)),
        (9, (10.0, 11.0, 12.0)),
    ]
    assert result.tuples[0].score_rejected == (100.0, 101.0, 102.0)


def test_lines_without_ids_need_the_data_and_all_three_files() -> None:
    one, two, three = (save_all(style, 2) for style in range(3))
    assert "name the data they are about with --data" in wrong(one, two, three)
    assert "writes a file a style, and 2 of the three" in wrong(one, two, data=tuples(8, 9))
    assert "2 lines for the 3 tuples" in wrong(one, two, three, data=tuples(7, 8, 9))


def test_lines_may_hold_lists_of_one_score() -> None:
    files = [save_all(style, 2) for style in range(3)]
    for file in files:
        lines = map(json.loads, file.read_text("utf-8").splitlines())
        boxed = [json.dumps({name: [value] for name, value in line.items()}) for line in lines]
        file.write_text("\n".join(boxed) + "\n", "utf-8")
    result = imported(*files, data=tuples(8, 9))
    assert [one.score_chosen for one in result.tuples] == [(0.0, 1.0, 2.0), (10.0, 11.0, 12.0)]


def test_lines_with_texts_are_no_results() -> None:
    Path("data.jsonl").write_text(json.dumps({"chosen": ["a"], "rejected": ["b"]}) + "\n")
    assert "these are tuples without results" in wrong(Path("data.jsonl"))


def test_reward_benchs_accuracies_are_told_from_its_scores() -> None:
    summary = {"accuracy": 0.8, "num_prompts": 9, "model": "org/rm", "extra_results": None}
    told = wrong(save("rm.json", summary))
    assert told.startswith("rm.json: holds accuracies and no pair's score")
    assert "_all.jsonl" in told


def test_a_row_an_id_is_told_as_another_benchmark() -> None:
    columns = pairs([(0, 0), (1, 1)], id=[1, 2])
    assert "the id has 1 row in domain math; expected 3" in wrong(save("m.json", columns))
    assert "every id stands in one row, as in RewardBench's own data" in wrong(Path("m.json"))
    assert "every id" not in wrong(save("n.json", pairs(DIAGONAL, id=[1, 2, 2])))


def test_a_subset_that_is_no_domain_is_told_with_the_domains() -> None:
    told = wrong(save("m.json", pairs(DIAGONAL, subset=["alpacaeval"] * 3)))
    assert "domain is missing, subset 'alpacaeval' is none of chat, math, code, safety" in told
    assert told.endswith("say it with --domain")


def test_the_data_is_refused_where_it_would_do_nothing() -> None:
    assert "--data is for files without ids" in wrong(*rm_r1_files(), data=tuples(1))
