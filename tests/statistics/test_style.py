"""What style is worth: known scorers give known numbers; models against statsmodels."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
import pytest
import statsmodels.api as sm

from rmjudge.dataset.tuples import BenchTuple
from rmjudge.metrics.compute import compute_metrics
from rmjudge.metrics.report import Position
from rmjudge.metrics.tallies import Credits, strict
from rmjudge.statistics.scored import Scored
from rmjudge.statistics.style import Lengths, Style, lengths_of, style_of
from rmjudge.vocabulary import CELLS, Domain, TupleKey

SIZES: Final[dict[Domain, int]] = {"chat": 60, "code": 40}
KEYS: Final[list[TupleKey]] = [(d, number) for d, size in SIZES.items() for number in range(size)]


def some_lengths(seed: int = 0) -> dict[TupleKey, Lengths]:
    rng = np.random.default_rng(seed)

    def three() -> tuple[int, int, int]:
        a, b, c = (int(rng.integers(low, 3 * low)) for low in (60, 400, 500))
        return a, b, c

    return {key: Lengths(three(), three()) for key in KEYS}


LENGTHS: Final = some_lengths()


def made_of(chance: Callable[[int, int, float], float]) -> Scored:
    """A scorer whose credit follows from the styles and from how much longer the chosen is."""
    return Scored(
        "made",
        "pairwise",
        {
            key: tuple(tuple(chance(i, j, longer(key, i, j)) for j in range(3)) for i in range(3))
            for key in KEYS
        },
    )


def longer(key: TupleKey, i: int, j: int) -> float:
    a, b = LENGTHS[key].chosen[i], LENGTHS[key].rejected[j]
    return math.log2(a / b)


def report(scored: Scored) -> Style:
    return style_of(scored, LENGTHS, "half_credit")


def lucky(seed: int = 1) -> Scored:
    rng = np.random.default_rng(seed)
    return made_of(lambda i, j, _d: float(rng.random() < 1 / (1 + math.exp(-0.4 - 0.5 * (i - j)))))


def gap_values(style: Style) -> list[float | None]:
    gaps = style.overall
    return [gaps.detail.value, gaps.markdown.value, gaps.both.value, gaps.all.value]


def test_a_scorer_of_pure_substance_has_no_gap_and_no_slope() -> None:
    found = report(made_of(lambda _i, _j, _d: 1.0))
    assert gap_values(found) == [0.0, 0.0, 0.0, 0.0]
    assert found.slope.value == pytest.approx(0.0, abs=1e-12)
    assert found.correctness.value == 1.0


def test_a_scorer_of_pure_style_has_the_whole_gap() -> None:
    found = report(made_of(lambda i, j, _d: 0.5 if i == j else float(i > j)))
    assert gap_values(found) == [1.0, 1.0, 1.0, 1.0]
    assert found.correctness.value == pytest.approx(0.5)


def test_what_likes_markdown_alone_is_told_from_what_likes_detail() -> None:
    marked = report(made_of(lambda i, j, _d: 0.5 + 0.2 * ((i == 2) - (j == 2))))
    assert gap_values(marked) == pytest.approx([0.0, 0.4, 0.4, 0.8 / 3])
    wordy = report(made_of(lambda i, j, _d: 0.5 + 0.2 * ((i > 0) - (j > 0))))
    assert gap_values(wordy) == pytest.approx([0.4, 0.0, 0.4, 0.8 / 3])


def test_the_whole_gap_is_easy_less_hard() -> None:
    scored = lucky()
    metrics = compute_metrics("x", "pairwise", "seeded", scored.by_domain())
    found = report(scored)
    assert metrics.headline.easy is not None
    assert metrics.headline.hard is not None
    assert found.overall.all.value == pytest.approx(metrics.headline.easy - metrics.headline.hard)
    chat = metrics.domains["chat"].headline
    assert chat.easy is not None
    assert chat.hard is not None
    assert found.gaps["chat"].all.value == pytest.approx(chat.easy - chat.hard)


def test_the_gaps_interval_draws_whole_tuples_within_their_domain() -> None:
    scored = lucky()
    cells = {domain: np.array(m, float) for domain, m in scored.by_domain().items()}
    by_tuple = {
        domain: sum(m[:, i, j] - m[:, j, i] for i, j in ((1, 0), (2, 0), (2, 1))) / 3
        for domain, m in cells.items()
    }
    rng = np.random.default_rng(5)
    means = [
        np.mean([rng.choice(d, size=len(d)).mean() for d in by_tuple.values()]) for _ in range(4000)
    ]
    interval = report(scored).overall.all.interval
    assert interval is not None
    assert [interval.low, interval.high] == pytest.approx(
        list(np.quantile(means, [0.025, 0.975])), abs=0.015
    )


def test_the_slope_is_per_doubling_of_length() -> None:
    found = report(made_of(lambda _i, _j, d: 0.5 + 0.1 * d))
    assert found.slope.value == pytest.approx(0.1)
    assert longer_of(800, 100) == 3.0


def test_a_text_of_no_length_counts_as_one_character() -> None:
    empty = {**LENGTHS, KEYS[0]: Lengths((0, 400, 500), (60, 0, 500))}
    one = {**LENGTHS, KEYS[0]: Lengths((1, 400, 500), (60, 1, 500))}
    scored = lucky()
    assert style_of(scored, empty, "strict") == style_of(scored, one, "strict")


def longer_of(a: int, b: int) -> float:
    return math.log2(a / b)


def test_the_slope_and_its_interval_are_those_of_statsmodels() -> None:
    scored = lucky()
    x, y, groups = design(scored.credits)
    fit = sm.OLS(y, np.delete(x, [2, 3], axis=1)).fit(
        cov_type="cluster", cov_kwds={"groups": groups}, use_t=False
    )
    found = report(scored).slope
    assert found.value == pytest.approx(fit.params[-1])
    assert found.interval is not None
    assert [found.interval.low, found.interval.high] == pytest.approx(list(fit.conf_int()[-1]))


def design(
    credits: Mapping[TupleKey, Credits],
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The model's rows, written out: two domains, detail, Markdown, length."""
    rows, won, groups = [], [], []
    for number, key in enumerate(KEYS):
        for i, j in CELLS:
            value = credits[key][i][j]
            if value is not None:
                detail = int(i in (1, 2)) - int(j in (1, 2))
                markdown = int(i == 2) - int(j == 2)
                domain = [float(key[0] == "chat"), float(key[0] == "code")]
                rows.append([*domain, detail, markdown, longer(key, i, j)])
                won.append(value)
                groups.append(number)
    return np.array(rows), np.array(won), np.array(groups)


def test_the_model_is_that_of_statsmodels() -> None:
    scored = lucky()
    x, y, groups = design(scored.credits)
    fit = sm.Logit(y, x).fit(disp=0, cov_type="cluster", cov_kwds={"groups": groups})
    model = report(scored).model
    assert model is not None
    for place, found in enumerate((model.detail, model.markdown, model.length), 2):
        assert found.value == pytest.approx(fit.params[place], abs=1e-6)
        assert found.interval is not None
        ends = [found.interval.low, found.interval.high]
        assert ends == pytest.approx(list(fit.conf_int()[place]), abs=1e-5)
    assert model.substance == pytest.approx(np.mean(1 / (1 + np.exp(-fit.params[:2]))))


def test_the_model_finds_what_each_part_is_worth() -> None:
    def chance(i: int, j: int, d: float) -> float:
        odds = 0.7 + 0.4 * ((i > 0) - (j > 0)) - 0.6 * ((i == 2) - (j == 2)) + 0.3 * d
        return 1 / (1 + math.exp(-odds))

    model = report(made_of(chance)).model
    assert model is not None
    found = [model.detail.value, model.markdown.value, model.length.value]
    assert found == pytest.approx([0.4, -0.6, 0.3])
    assert model.substance == pytest.approx(1 / (1 + math.exp(-0.7)))


def test_a_scorer_of_pure_length_has_no_finite_model_and_says_so() -> None:
    model = report(made_of(lambda _i, _j, d: float(d > 0))).model
    assert model is not None
    assert model.separated
    assert model.length.interval is None
    assert model.length.value is not None
    assert model.detail.value is not None
    assert model.length.value > 3 * abs(model.detail.value)


def test_data_that_cannot_tell_style_from_length_has_no_model() -> None:
    equal = dict.fromkeys(KEYS, Lengths((10, 20, 20), (10, 20, 20)))
    assert style_of(lucky(), equal, "half_credit").model is None


def test_an_absent_cell_takes_no_part() -> None:
    scored = lucky()
    first = scored.credits[KEYS[0]]
    torn: Credits = ((None, *first[0][1:]), *first[1:])
    holed = Scored("holed", "pairwise", {**scored.credits, KEYS[0]: torn})
    x, y, groups = design(holed.credits)
    fit = sm.Logit(y, x).fit(disp=0, cov_type="cluster", cov_kwds={"groups": groups})
    found = report(holed)
    assert found.cells == len(KEYS) * 9 - 1
    assert found.model is not None
    assert found.model.length.value == pytest.approx(fit.params[-1], abs=1e-6)


def test_a_cell_that_nobody_scored_leaves_its_gap_unknown() -> None:
    blank: Credits = ((1.0, None, 1.0), (1.0, 1.0, 1.0), (1.0, 1.0, 1.0))
    found = report(Scored("x", "pairwise", dict.fromkeys(KEYS, blank)))
    assert found.overall.detail.value is None
    assert found.overall.all.value is None
    assert found.overall.markdown.value == 0.0
    assert found.correctness.value is None


def test_the_reading_decides_what_a_tie_is_worth() -> None:
    ties = made_of(lambda i, j, _d: 0.5 if i <= j else 1.0)
    half, whole = (style_of(ties, LENGTHS, reading) for reading in ("half_credit", "strict"))
    assert (half.overall.all.value, whole.overall.all.value) == (0.5, 1.0)
    assert strict(0.5) == 0.0


def test_a_judges_position_is_handed_on() -> None:
    position = Position(decided=3, first_share=0.75)
    assert style_of(lucky(), LENGTHS, "strict", position).position is position


def test_lengths_are_characters() -> None:
    item = BenchTuple(1, "chat", None, "?", ("a", "bb", "ccc"), ("dddd", "é", "ff"))
    assert lengths_of(item) == Lengths((1, 2, 3), (4, 1, 2))


def test_liking_length_by_the_character_is_no_liking_of_markdown_with_both_lengths() -> None:
    rng = np.random.default_rng(11)
    mistaken = {"model": 0, "both_lengths": 0}
    for _ in range(40):
        size = rng.lognormal(np.log([300, 1200, 2000]), 0.7, size=(250, 2, 3)).round()
        # The worth of a text is its characters and noise, so Markdown itself is worth nothing.
        worth = size + rng.normal(0, 1200, size=size.shape)
        won = (worth[:, 0, :, None] > worth[:, 1, None, :]).astype(float)
        credits = {("chat", n): tuple(map(tuple, one)) for n, one in enumerate(won.tolist())}
        lengths = {
            ("chat", n): Lengths(*(tuple(map(int, three)) for three in one))  # type: ignore[arg-type]
            for n, one in enumerate(size.tolist())
        }
        found = style_of(Scored("x", "pointwise", credits), lengths, "strict")  # type: ignore[arg-type]
        for name in mistaken:
            interval = getattr(found, name).markdown.interval
            mistaken[name] += not interval.low <= 0 <= interval.high
    assert mistaken["model"] >= 8
    assert mistaken["both_lengths"] <= 6
