"""The code part of the sample set: its solutions do what the tuples claim of them."""

import ast
import json
import re
from importlib.resources import files
from typing import Any

import pytest

STYLES = ("concise", "detailed", "markdown")
MARKDOWN_STYLE = STYLES.index("markdown")
FENCE = re.compile(r"^```python\n(.*?)\n```$", re.DOTALL | re.MULTILINE)
MARKDOWN_SIGNS = {
    "backtick": re.compile(r"`"),
    "bold": re.compile(r"\*\*"),
    "header": re.compile(r"^#", re.MULTILINE),
    "bullet": re.compile(r"^\s*[-*+] ", re.MULTILINE),
    "numbered item": re.compile(r"^\s*\d+[.)] ", re.MULTILINE),
    "link": re.compile(r"\]\("),
}


def load() -> list[dict[str, Any]]:
    text = (files("rmjudge") / "sample" / "code.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


ROWS = load()
CASES = [
    pytest.param(row, style, id=f"{row['id']}-{row['entry_point']}-{name}")
    for row in ROWS
    for style, name in enumerate(STYLES)
]
BOTH_SIDES = [
    pytest.param(row, side, id=f"{row['id']}-{side}")
    for row in ROWS
    for side in ("chosen", "rejected")
]


def defines(source: str, name: str) -> bool:
    """Whether the source parses and has a top-level function of that name."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return False
    return any(isinstance(node, ast.FunctionDef) and node.name == name for node in tree.body)


def extract_code(response: str, style: int, entry_point: str) -> str:
    """The code of a response: its fence in Markdown, else its longest range that parses."""
    if style == MARKDOWN_STYLE:
        fences = FENCE.findall(response)
        assert len(fences) == 1, "a Markdown response has exactly one Python fence"
        return str(fences[0])
    lines = response.splitlines()
    for length in range(len(lines), 0, -1):
        for start in range(len(lines) - length + 1):
            source = "\n".join(lines[start : start + length])
            if f"def {entry_point}(" in source and defines(source, entry_point):
                return source
    raise AssertionError(f"no code that defines {entry_point} in the response")


def run_source(source: str, name: str) -> Any:
    """Execute the source in a fresh namespace and return what it binds to the name."""
    namespace: dict[str, Any] = {"__name__": "sample"}
    # The source is the package's own data, reviewed with it; nothing from outside is executed.
    exec(compile(source, "<sample>", "exec"), namespace)  # noqa: S102
    return namespace[name]


def solution(row: dict[str, Any], side: str, style: int) -> Any:
    source = extract_code(row[side][style], style, row["entry_point"])
    function = run_source(source, row["entry_point"])
    assert callable(function)
    return function


def logic(source: str) -> str:
    """The syntax tree without docstrings (and so without comments and layout)."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:]
    return ast.dump(tree)


def test_the_code_part_has_exactly_ten_tuples_numbered_301_to_310() -> None:
    assert [row["id"] for row in ROWS] == list(range(301, 311))


def test_every_tuple_has_the_fields_of_the_code_domain_in_order() -> None:
    fields = ["id", "domain", "subset", "prompt", "chosen", "rejected"]
    for row in ROWS:
        assert list(row) == [*fields, "error", "entry_point", "checks"]
        assert (row["domain"], row["subset"]) == ("code", "python")
        assert len(row["chosen"]) == len(row["rejected"]) == len(STYLES)
        assert len({*row["chosen"], *row["rejected"]}) == 2 * len(STYLES)
        assert f"`{row['entry_point']}(" in row["prompt"]


@pytest.mark.parametrize(("row", "style"), CASES)
def test_every_chosen_solution_passes_its_checks(row: dict[str, Any], style: int) -> None:
    check = run_source(row["checks"], "check")
    check(solution(row, "chosen", style))


@pytest.mark.parametrize(("row", "style"), CASES)
def test_every_rejected_solution_compiles_but_fails_its_checks(
    row: dict[str, Any], style: int
) -> None:
    # Extraction, compilation and definition come first, outside of raises: they must succeed.
    function = solution(row, "rejected", style)
    check = run_source(row["checks"], "check")
    with pytest.raises(Exception) as failure:  # noqa: PT011 - a wrong solution may raise anything
        check(function)
    assert not isinstance(failure.value, SyntaxError | NameError)
    assert any(entry.name == "check" for entry in failure.traceback)


@pytest.mark.parametrize(("row", "side"), BOTH_SIDES)
def test_the_three_styles_of_one_side_share_the_same_logic(row: dict[str, Any], side: str) -> None:
    name = row["entry_point"]
    trees = {logic(extract_code(row[side][style], style, name)) for style in range(len(STYLES))}
    assert len(trees) == 1


@pytest.mark.parametrize(("row", "side"), BOTH_SIDES)
def test_the_concise_style_is_bare_code_without_docstring(row: dict[str, Any], side: str) -> None:
    concise = row[side][0]
    assert extract_code(concise, 0, row["entry_point"]) == concise
    assert '"""' not in concise
    assert 5 <= len(concise.splitlines()) <= 25


@pytest.mark.parametrize("sign", MARKDOWN_SIGNS)
@pytest.mark.parametrize(("row", "side"), BOTH_SIDES)
def test_plain_text_carries_no_markdown(row: dict[str, Any], side: str, sign: str) -> None:
    for text in row[side][:MARKDOWN_STYLE]:
        assert MARKDOWN_SIGNS[sign].search(text) is None


@pytest.mark.parametrize(("row", "side"), BOTH_SIDES)
def test_markdown_has_headers_lists_and_bold_type(row: dict[str, Any], side: str) -> None:
    prose = FENCE.sub("", row[side][MARKDOWN_STYLE])
    assert MARKDOWN_SIGNS["header"].search(prose)
    assert MARKDOWN_SIGNS["bullet"].search(prose) or MARKDOWN_SIGNS["numbered item"].search(prose)
    assert MARKDOWN_SIGNS["bold"].search(prose)


@pytest.mark.parametrize(("row", "side"), BOTH_SIDES)
def test_lengths_grow_from_concise_over_plain_to_markdown(row: dict[str, Any], side: str) -> None:
    concise, plain, markdown = row[side]
    assert 2 * len(concise) < len(plain) <= len(markdown)
    assert 130 <= len(plain.split()) <= 260


@pytest.mark.parametrize("row", [pytest.param(row, id=str(row["id"])) for row in ROWS])
def test_chosen_and_rejected_of_one_style_are_of_comparable_length(row: dict[str, Any]) -> None:
    for chosen, rejected in zip(row["chosen"], row["rejected"], strict=True):
        assert 0.7 < len(chosen) / len(rejected) < 1.4
