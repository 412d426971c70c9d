"""The CSV of policies: what is read, and every way it can be wrong, with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from rmjudge.errors import UsageError
from rmjudge.statistics.policies import PolicyScore, read_policies

HEADER = "scorer,domain,task,score,sft"


def write(path: Path, *lines: str, header: str = HEADER) -> Path:
    file = path / "policies.csv"
    file.write_text("\n".join([header, *lines]) + "\n", "utf-8")
    return file


def problems(path: Path, *lines: str, header: str = HEADER) -> str:
    with pytest.raises(UsageError) as caught:
        read_policies(write(path, *lines, header=header))
    return str(caught.value)


def test_a_line_is_a_score(tmp_path: Path) -> None:
    (found,) = read_policies(write(tmp_path, "hf/rm,math,gsm8k,60,50"))
    assert found == PolicyScore(2, "hf/rm", "math", "gsm8k", 60.0, 50.0)


def test_a_score_is_divided_by_the_sft_models(tmp_path: Path) -> None:
    chat, math = read_policies(write(tmp_path, "a,chat,arena,31.5,", "a,math,gsm8k,60,50"))
    assert (chat.value, math.value) == (31.5, 1.2)


def test_columns_may_stand_in_any_order_and_names_be_quoted(tmp_path: Path) -> None:
    file = write(tmp_path, '1.5,"a, the best",t,chat', header="Score, scorer ,task,domain")
    (found,) = read_policies(file)
    assert (found.scorer, found.score, found.sft) == ("a, the best", 1.5, None)


def test_a_spreadsheets_mark_and_empty_lines_are_passed_over(tmp_path: Path) -> None:
    file = tmp_path / "p.csv"
    file.write_text(f"\ufeff{HEADER}\r\n\r\na,chat,t,1,\r\n,,,,\r\n", "utf-8")
    assert [score.line for score in read_policies(file)] == [3]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("a,chat,t,x,", "line 2: score 'x' is no number"),
        ("a,chat,t,nan,", "line 2: score 'nan' is no number"),
        ("a,chat,t,1_0,", "line 2: score '1_0' is no number"),
        ("a,chat,t,,", "line 2: score '' is no number"),
        ("a,chat,t,1e308,", "line 2: score '1e308' is no number between 1e-50 and 1e+50"),
        ("a,math,t,1,1e-300", "line 2: sft '1e-300' is no number between 1e-50 and 1e+50"),
        ("a,math,t,1,0", "line 2: sft must be above 0"),
        ("a,math,t,1,x", "line 2: sft 'x' is no number"),
        ("a,math,t,1,", "line 2: sft is empty; math needs the SFT baseline's score in 't'"),
        ("a,Chat,t,1,", "line 2: domain 'Chat' is unknown; there are chat, math, code, safety"),
        (",chat,t,1,", "line 2: scorer is empty"),
        ("a,chat, ,1,", "line 2: task is empty"),
        ("a,chat,t,1", "line 2: 4 fields, but the first line names 5"),
    ],
)
def test_a_wrong_line_is_told_with_its_number(tmp_path: Path, line: str, message: str) -> None:
    assert message in problems(tmp_path, line)


def test_every_wrong_line_is_told_at_once(tmp_path: Path) -> None:
    told = problems(tmp_path, "a,chat,t,x,", "b,chat,t,1,", "c,cat,t,1,")
    assert "2 problems" in told
    assert "line 2" in told
    assert "line 4" in told


def test_a_number_of_lines_counts_those_inside_quotes(tmp_path: Path) -> None:
    assert "line 4: score" in problems(tmp_path, '"a\nb",chat,t,1,', "c,chat,t,x,")


def test_two_scores_of_one_policy_in_a_task_are_a_contradiction(tmp_path: Path) -> None:
    told = problems(tmp_path, "a,chat,t,1,", "b,chat,t,2,", "a,chat,t,3,")
    assert "line 4: 'a' has a score in this task in line 2" in told


def test_two_sft_models_of_one_task_are_a_contradiction(tmp_path: Path) -> None:
    told = problems(tmp_path, "a,math,t,1,50", "b,math,t,2,51")
    assert "line 3: sft is 51, but 50 in line 2" in told
    assert "line 3: sft is empty" not in told


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (("a,math,t,1,50,60",), "uncontrolled is for style-control scores in chat, not for math"),
        (("a,chat,t,1,50,60",), "relative to sft or to uncontrolled"),
        (("a,chat,t,1,,0",), "uncontrolled must be above 0"),
        (("a,chat,t,1,,x",), "uncontrolled 'x' is no number"),
        (("a,chat,t,1,,5", "b,chat,t,1,,"), "line 3: uncontrolled is empty, and not so in line 2"),
    ],
)
def test_a_wrong_uncontrolled_score_is_told(
    tmp_path: Path, lines: tuple[str, ...], message: str
) -> None:
    assert message in problems(tmp_path, *lines, header="scorer,domain,task,score,sft,uncontrolled")


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("scorer,domain,task", "line 1: no column score"),
        ("scorer,domain,task,score,SFT score", "line 1: unknown column 'sft score'"),
        ("scorer,domain,task,score,score", "line 1: column 'score' is there twice"),
        ("", "line 1: no column scorer, domain, task, score"),
    ],
)
def test_a_wrong_first_line_is_told(tmp_path: Path, header: str, message: str) -> None:
    assert message in problems(tmp_path, "a,chat,t,1,", header=header)


def test_a_file_without_scores_is_told(tmp_path: Path) -> None:
    assert "there is no line below the first" in problems(tmp_path)


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b'scorer,"domain\n'])
def test_what_is_no_csv_is_told_and_not_traced(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "p.csv"
    file.write_bytes(content)
    with pytest.raises(UsageError, match=r"p\.csv"):
        read_policies(file)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        read_policies(tmp_path / "nowhere.csv")


def test_a_hundred_problems_are_not_all_printed(tmp_path: Path) -> None:
    told = problems(tmp_path, *(["a,chat,t,x,"] * 100))
    assert "100 problems" in told
    assert told.endswith("... and 80 more")


def test_hostile_text_is_quoted_harmless(tmp_path: Path) -> None:
    assert "\x1b" not in problems(tmp_path, "a,chat\x1b[31m,t,1,")


def test_the_example_of_the_documentation_is_read() -> None:
    example = Path(__file__).parents[2] / "docs" / "policies_example.csv"
    assert len(read_policies(example)) == 24
