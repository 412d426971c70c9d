"""Result files of RM-Bench's scripts: what is read, and what is told of a wrong one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rmjudge import UsageError
from rmjudge.importing.files import read_result_file
from rmjudge.importing.runs import import_files
from rmjudge.runs.files import read_result, write_result
from rmjudge.runs.results import ScorerResult


def item(id: Any = 1, **fields: Any) -> dict[str, Any]:
    """What `run_rm.py` saves for a tuple."""
    return {
        "id": id,
        "prompt": "p",
        "chosen": ["a", "b", "c"],
        "rejected": ["d", "e", "f"],
        "score_chosen": [0.5, 1.5, 2.5],
        "score_rejected": [1.0, 1.5, 2.0],
        **fields,
    }


def save(name: str, value: Any) -> Path:
    path = Path(name)
    path.write_text(json.dumps(value), "utf-8")
    return path


def imported(*paths: Path, **words: Any) -> ScorerResult:
    return import_files(paths, **words)[0]


def wrong(*paths: Path, **words: Any) -> str:
    with pytest.raises(UsageError) as caught:
        import_files(paths, **words)
    return str(caught.value)


def test_integers_that_a_float_cannot_hold_are_not_tied(tmp_path: Path) -> None:
    big = 2**53
    scores = {"score_chosen": [big + 1, 3, 0.5], "score_rejected": [big, 3, big + 1]}
    found = imported(save("r.json", [item(domain="chat", **scores)]))
    assert found.tuples[0].credits[0] == (1.0, 1.0, 0.5)
    write_result(tmp_path / "run", found, {})
    again = read_result(tmp_path / "run")
    assert again.tuples[0].score_chosen == (big + 1, 3.0, 0.5)
    assert again.tuples[0].credits == found.tuples[0].credits
    lines = (tmp_path / "run" / "results.jsonl").read_text()
    assert '"score_chosen":[9007199254740993,3.0,0.5]' in lines


def test_the_scores_become_a_matrix_done_by_hand() -> None:
    result = imported(save("r.json", [item(domain="chat")]))
    # Wins: 0.5 none; 1.5 over 1.0, a tie with 1.5; 2.5 over all.
    assert result.metrics.domains["chat"].matrix == (
        (0.0, 0.0, 0.0),
        (1.0, 0.0, 0.0),
        (1.0, 1.0, 1.0),
    )
    assert result.metrics.tie_rate == pytest.approx(1 / 9)
    assert (result.metrics.reading, result.metrics.headline.easy) == ("strict", 1.0)


@pytest.mark.parametrize(
    ("name", "easy", "normal", "hard"),
    [("chat", 0.81, 0.28, 0.03), ("safety-refuse", 0.89, 0.16, 0.02)],
)
def test_longer_wins_gets_on_the_real_files_what_was_measured_on_them(
    rm_bench_files: Path, name: str, easy: float, normal: float, hard: float
) -> None:
    items = json.loads((rm_bench_files / f"{name}_filtered.json").read_text("utf-8"))
    for one in items:
        one["score_chosen"] = [len(text) for text in one["chosen"]]
        one["score_rejected"] = [len(text) for text in one["rejected"]]
    found = imported(save(f"{name}_filtered_length_REWORD_MODEL.json", items)).metrics
    assert (found.scorer, found.tuples) == ("length", len(items))
    parts = (found.headline.easy, found.headline.normal, found.headline.hard)
    assert [round(part or 0.0, 2) for part in parts] == [easy, normal, hard]


def test_safety_refuse_and_safety_response_are_one_domain() -> None:
    items = [item(1, domain="safety-refuse"), item(2, domain="safety-response")]
    result = imported(save("r.json", items))
    assert result.metrics.domains.keys() == {"safety"}
    assert [one.subset for one in result.tuples] == ["safety-refuse", "safety-response"]


def test_an_id_may_recur_in_another_domain() -> None:
    result = imported(save("r.json", [item(7, domain="chat"), item(7, domain="code")]))
    assert [(one.domain, one.id) for one in result.tuples] == [("chat", 7), ("code", 7)]


def test_an_id_may_not_recur_in_its_domain() -> None:
    told = wrong(save("r.json", [item(7, domain="chat"), item("7", domain="chat")]))
    assert told.startswith("tuple '7' occurs twice in domain chat; an id is unique only with its")


@pytest.mark.parametrize(
    ("name", "domain"),
    [
        ("chat_filtered_my-model_REWORD_MODEL_20250101_120000.json", "chat"),
        ("safety-refuse_filtered.json", "safety"),
        ("math.json", "math"),
    ],
)
def test_the_file_of_one_domain_says_so_in_its_name(name: str, domain: str) -> None:
    assert list(imported(save(name, [item()])).metrics.domains) == [domain]


def test_files_of_several_domains_become_one_run() -> None:
    paths = [save(f"{name}_filtered.json", [item()]) for name in ("chat", "math", "code")]
    result = imported(*paths, save("safety-refuse_filtered.json", [item()]))
    assert result.metrics.complete


def test_a_name_that_only_begins_like_a_domain_is_none() -> None:
    assert "say it with --domain" in wrong(save("chatty.json", [item()]))


def test_the_user_may_say_the_domain() -> None:
    result = imported(save("mine.json", [item()]), domain="safety-response")
    assert (result.tuples[0].domain, result.tuples[0].subset) == ("safety", "safety-response")


def test_a_total_file_without_domains_is_told_where_they_went() -> None:
    told = wrong(save("total_dataset_m_REWORD_MODEL.json", [item()]))
    assert "total_dataset_m_REWORD_MODEL.json[0] tuple 1: domain is missing" in told
    assert "compute_accuracy, which takes the domains out" in told


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("total_dataset_Skywork-RM_REWORD_MODEL_20250101_120000.json", "Skywork-RM"),
        ("chat_filtered_my_model_REWORD_MODEL_20250101_120000.json", "my_model"),
        ("total_dataset_2_RM-R1-7B.json", "RM-R1-7B"),
        ("mine.json", "mine"),
    ],
)
def test_the_model_is_found_in_the_names_that_the_scripts_give(name: str, model: str) -> None:
    assert read_result_file(save(name, [item()])).model == model


def test_scores_in_lists_of_one_are_read() -> None:
    scores = {"score_chosen": [[1.0], [2.0], 3.0], "score_rejected": [[0.0], 0, 0]}
    (one,) = imported(save("chat.json", [item(**scores)])).tuples
    assert (one.score_chosen, one.score_rejected) == ((1.0, 2.0, 3.0), (0.0, 0.0, 0.0))


def test_a_score_that_is_none_is_a_cell_without_a_score_and_no_loss() -> None:
    Path("chat.json").write_text(
        json.dumps([item(score_chosen=[float("nan"), None, 1.5])]), "utf-8"
    )
    metrics = imported(Path("chat.json")).metrics
    assert metrics.unscored_cells == 6
    assert metrics.domains["chat"].matrix == ((None,) * 3, (None,) * 3, (1.0, 0.0, 0.0))


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (
            [item(score_chosen=[1, 2])],
            "chat.json[0] tuple 1: score_chosen has 2 values; expected 3",
        ),
        (
            [item(), {"id": 9, "score_chosen": [1, 2, 3]}],
            "chat.json[1] tuple 9: score_rejected is missing",
        ),
        ([item(score_rejected="1 2 3")], "chat.json[0] tuple 1: score_rejected is a string"),
        ([item(score_chosen=[1, 2, "3"])], "chat.json[0] tuple 1: score_chosen[2] is a string"),
        ([item(score_chosen=[1, 2, True])], "score_chosen[2] is a boolean"),
        ([{**item(), "id": None}], "chat.json[0]: id is missing"),
        ([item(id=1.5)], "id is a number; expected an integer or a string"),
        ([item(), 3], "chat.json[1]: is a number; expected an object"),
        ([item(domain="poetry")], "domain 'poetry' is unknown; expected one of chat, math"),
        ([], "chat.json: holds no results"),
        (7, "chat.json: is a number; expected a list of objects"),
        ([{"id": 1, "answer": 2}], "chat.json: unknown format; the fields are 'id', 'answer'"),
        ({"accuracy": 0.9}, "chat.json: an object without columns"),
        (
            [{"id": 1, "chosen": ["a"], "rejected": ["b"]}],
            "this is the data, not a result file",
        ),
    ],
)
def test_a_wrong_file_is_told_by_place_and_by_what_is_missing(value: Any, told: str) -> None:
    assert told in wrong(save("chat.json", value))


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (b"[{", "chat.json: invalid JSON: Expecting property name"),
        (b'["\xff"]', "chat.json: byte 2 is no UTF-8"),
        (b"[" * 100_000, "chat.json: invalid JSON"),
        (b"[" + b"9" * 5000 + b"]", "chat.json: invalid JSON"),
        (b"", "chat.json: invalid JSON"),
    ],
)
def test_what_is_no_json_is_told(raw: bytes, told: str) -> None:
    Path("chat.json").write_bytes(raw)
    assert told in wrong(Path("chat.json"))


def test_a_folder_and_a_file_that_is_not_there_are_told() -> None:
    Path("folder").mkdir()
    assert wrong(Path("folder")) == "folder: is no file"
    assert wrong(Path("nope.json")) == "nope.json: no such file"


def test_files_of_two_formats_are_not_one_run() -> None:
    paths = save("chat.json", [item()]), save("math.json", [{"id": 1, "result": [1, 0, 1]}])
    assert "of several formats (rm-bench, rm-r1)" in wrong(*paths)
