"""The published rows: as published, with what is wrong in them said."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from rmjudge.leaderboard.mismatch import mismatch
from rmjudge.leaderboard.published import Figures, PublishedRow, published, reported

FLAGGED_OR_NOT = {
    # Overall, mean of the four domains, mean of the three difficulties: by hand, in percent.
    "REWARDANYTHING-8B": ("86.4", "83.1", "86.4"),
    "RM-R1-Qwen-Instruct-32B": ("79.1", "77.3", "79.1"),
    "GPT-4.1": ("77.4", "77.0", "77.4"),
    "RM-R1-Qwen-Instruct-14B": ("76.1", "76.3", "76.3"),
    "Qwen3-8B": ("75.0", "71.2", "75.0"),
    "DeepSeek V3": ("73.6", "73.1", "73.6"),
    "Skywork-Reward-Llama-3.1-8B-v0.2": ("72.6", "70.2", "72.6"),
    "GRM-Llama3.2-3B-rewardmodel-ft": ("72.0", "69.6", "72.0"),
    "FsfairX-LLLaMA3-RM-v0.1": ("71.7", "69.4", "71.7"),
}


def row(model: str) -> PublishedRow:
    (found,) = (row for row in published() if row.model == model)
    return found


def test_the_rows_are_those_of_the_copy_that_was_taken_of_the_leaderboard(
    rm_bench_files: Path,
) -> None:
    text = (rm_bench_files / "published_leaderboard.csv").read_text("utf-8")
    lines = list(csv.DictReader(text.splitlines()))
    assert [row.model for row in published()] == [line["model"] for line in lines]
    for found, line in zip(published(), lines, strict=True):
        assert (found.type, found.source, found.license) == (
            line["type"],
            line["source"],
            line["license"],
        )
        for name in Figures.__dataclass_fields__:
            value = getattr(found.figures, name)
            assert (None if value is None else round(value * 100, 3)) == (
                float(line[name]) if line[name] else None
            )


def test_every_row_names_its_source() -> None:
    assert len(published()) == 51
    assert [row.model for row in published() if not row.source.startswith("https://")] == []


@pytest.mark.parametrize("model", FLAGGED_OR_NOT)
def test_a_row_that_contradicts_itself_is_told_with_its_averages(model: str) -> None:
    overall, domains, difficulties = FLAGGED_OR_NOT[model]
    assert mismatch(row(model).figures) == (
        f"score mismatch: Overall {overall}, the domains average {domains} and the difficulties "
        f"average {difficulties}; by definition these are equal"
    )


def test_no_other_row_contradicts_itself() -> None:
    assert {row.model for row in published() if mismatch(row.figures)} == set(FLAGGED_OR_NOT)


def test_averages_apart_by_as_much_as_rounding_explains_are_no_mismatch() -> None:
    # 74.0 and 74.1 of the same numbers: two means of figures rounded to 0.1.
    assert mismatch(Figures(0.74, 0.74, 0.74, 0.74, 0.741, 0.741, 0.741, 0.74)) == ""
    assert mismatch(Figures(0.74, 0.74, 0.74, 0.74, 0.742, 0.742, 0.742, 0.74)) != ""


def test_a_row_with_one_average_alone_cannot_contradict_itself() -> None:
    assert mismatch(Figures(overall=0.8)) == ""
    assert mismatch(Figures(easy=0.9, normal=0.8, hard=0.7)) == ""


def test_overall_is_recomputed_from_the_domains_before_anything_else() -> None:
    assert row("REWARDANYTHING-8B").figures.recomputed == pytest.approx(0.831, abs=1e-9)
    assert row("Skywork-Reward-V2-Qwen3-8B").figures.recomputed == pytest.approx(2.477 / 3)
    assert row("J1-Llama-70B").figures.recomputed == 0.827


def test_math_and_code_of_deepseek_r1_are_marked_as_swapped() -> None:
    found = row("DeepSeek R1")
    (remark,) = found.remarks
    assert "swapped" in remark.text
    # The authors' figures are the published ones of the other domain.
    assert remark.figures["math"] == pytest.approx(found.figures.code, abs=5e-4)
    assert remark.figures["code"] == pytest.approx(found.figures.math, abs=5e-4)


def test_every_row_of_rm_r1_is_marked_with_its_aggregation() -> None:
    marked = {row.model for row in published() for one in row.remarks if "third" in one.text}
    assert marked == {row.model for row in published() if row.model.startswith("RM-R1")}
    assert len(marked) == 6


def test_what_was_reported_since_names_its_sources_and_fits_its_own_averages() -> None:
    assert len({row.model for row in reported()}) == len(reported()) == 18
    assert not {row.model for row in reported()} & {row.model for row in published()}
    for row in reported():
        assert row.source.startswith("https://")
        figures = row.figures
        if figures.domain_average is not None and not row.by_tuples:
            assert figures.domain_average == pytest.approx(figures.overall, abs=1e-3)
        if figures.difficulty_average is not None:
            assert figures.difficulty_average == pytest.approx(figures.overall, abs=1e-3)


def test_the_readme_counts_the_rows_that_lose_to_a_coin_on_hard() -> None:
    hard = [row.figures.hard for row in published() if row.figures.hard is not None]
    below = sum(value < 0.5 for value in hard)
    readme = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
    assert f"{below} of the {len(hard)} published rows" in " ".join(readme.split())
