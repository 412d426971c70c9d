"""Models with errors clustered by tuple, against statsmodels; and where no model fits."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from numpy.typing import NDArray
from scipy.optimize import minimize

from rmjudge.statistics.regression import Fit, linear, logistic

Floats = NDArray[np.float64]


class Rows:
    """Nine dependent rows for each of `tuples`."""

    def __init__(self, seed: int, tuples: int = 80, halves: bool = False) -> None:
        rng = np.random.default_rng(seed)
        self.groups = np.repeat(np.arange(tuples), 9)
        n = len(self.groups)
        self.x = np.column_stack([np.ones(n), rng.normal(size=n), rng.integers(-1, 2, size=n)])
        luck = rng.normal(size=tuples)[self.groups]
        odds = self.x @ np.array([0.3, 0.8, -0.5]) + luck
        self.y = (rng.random(n) < 1 / (1 + np.exp(-odds))).astype(float)
        if halves:
            self.y[rng.random(n) < 0.2] = 0.5


def ends(fit: Fit) -> Floats:
    return np.array([[i.low, i.high] for i in fit.intervals if i is not None])


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_logistic_model_is_that_of_statsmodels(seed: int) -> None:
    rows = Rows(seed)
    reference = sm.Logit(rows.y, rows.x).fit(
        disp=0, cov_type="cluster", cov_kwds={"groups": rows.groups}
    )
    found = logistic(rows.x, rows.y, rows.groups)
    assert found is not None
    assert not found.separated
    assert found.coefficients == pytest.approx(reference.params, abs=1e-6)
    assert ends(found) == pytest.approx(reference.conf_int(), abs=1e-5)


def test_half_a_win_is_fitted_as_half_a_win() -> None:
    rows = Rows(3, halves=True)
    reference = sm.GLM(rows.y, rows.x, family=sm.families.Binomial()).fit(
        cov_type="cluster", cov_kwds={"groups": rows.groups}
    )
    found = logistic(rows.x, rows.y, rows.groups)
    assert found is not None
    assert found.coefficients == pytest.approx(reference.params, abs=1e-6)
    assert ends(found) == pytest.approx(reference.conf_int(), abs=1e-5)


def test_a_linear_model_is_that_of_statsmodels() -> None:
    rows = Rows(4)
    reference = sm.OLS(rows.y, rows.x).fit(
        cov_type="cluster", cov_kwds={"groups": rows.groups}, use_t=False
    )
    found = linear(rows.x, rows.y, rows.groups)
    assert found is not None
    assert found.coefficients == pytest.approx(reference.params)
    assert ends(found) == pytest.approx(reference.conf_int())


def test_groups_need_not_be_numbered_in_order() -> None:
    rows = Rows(5)
    renamed = (rows.groups * 37 + 5) % 1009
    found, expected = (logistic(rows.x, rows.y, groups) for groups in (renamed, rows.groups))
    assert found is not None
    assert expected is not None
    assert ends(found) == pytest.approx(ends(expected))


def test_dependent_rows_widen_the_interval() -> None:
    rows = Rows(6)
    apart = linear(rows.x, rows.y, np.arange(len(rows.y)))
    together = linear(
        np.repeat(rows.x, 4, axis=0), np.repeat(rows.y, 4), np.arange(4 * len(rows.y))
    )
    clustered = linear(
        np.repeat(rows.x, 4, axis=0), np.repeat(rows.y, 4), np.repeat(np.arange(len(rows.y)), 4)
    )
    assert apart is not None
    assert together is not None
    assert clustered is not None
    widths = [np.ptp(ends(fit)[1]) for fit in (apart, together, clustered)]
    assert widths[2] == pytest.approx(widths[0], rel=0.01)
    assert widths[1] == pytest.approx(widths[0] / 2, rel=0.01)


def penalised(x: Floats, y: Floats) -> Floats:
    """The top of likelihood times prior, found by another climber."""

    def depth(b: Floats) -> float:
        return float(np.logaddexp(0, x @ b).sum() - y @ (x @ b) + b @ b / (2 * 2.5**2))

    found: Floats = minimize(depth, np.zeros(x.shape[1]), method="BFGS", tol=1e-9).x
    return found


@pytest.mark.parametrize("outcome", ["complete", "in part", "all alike"])
def test_what_tells_the_outcome_without_exception_is_told_and_stays_finite(outcome: str) -> None:
    x = np.column_stack([np.ones(60), np.linspace(-1, 1, 60), np.arange(60) % 3 - 1])
    lucky = (np.random.default_rng(0).random(60) < 0.5).astype(float)
    y = {
        "complete": (x[:, 1] > 0).astype(float),
        "in part": np.where(x[:, 2] > 0, 1.0, np.where(x[:, 2] < 0, 0.0, lucky)),
        "all alike": np.ones(60),
    }[outcome]
    found = logistic(x, y, np.arange(60))
    assert found is not None
    assert found.separated
    assert found.intervals == (None, None, None)
    assert found.coefficients == pytest.approx(penalised(x, y), abs=1e-4)


def test_outcomes_that_are_nearly_but_not_quite_told_have_the_likeliest_model() -> None:
    x = np.column_stack([np.ones(400), np.repeat([-3.0, -1.0, 1.0, 3.0], 100)])
    y = (x[:, 1] > 0).astype(float)
    y[[150, 250]] = 1 - y[[150, 250]]
    found = logistic(x, y, np.arange(400))
    assert found is not None
    assert not found.separated
    assert found.coefficients == pytest.approx(sm.Logit(y, x).fit(disp=0).params, abs=1e-5)


@pytest.mark.parametrize("model", [logistic, linear])
def test_columns_that_follow_from_each_other_have_no_model(model: object) -> None:
    rows = Rows(7)
    doubled = np.column_stack([rows.x, rows.x[:, 1] * 2])
    assert callable(model)
    assert model(doubled, rows.y, rows.groups) is None


@pytest.mark.parametrize("model", [logistic, linear])
def test_no_rows_have_no_model(model: object) -> None:
    assert callable(model)
    assert model(np.zeros((0, 2)), np.zeros(0), np.zeros(0, dtype=int)) is None


def test_a_single_tuple_says_nothing_of_the_spread() -> None:
    rows = Rows(8, tuples=1)
    found = linear(rows.x, rows.y, rows.groups)
    assert found is not None
    assert found.intervals == (None, None, None)
