"""How many patients a linear model needs, and how many parameters a study can bear: Riley's criteria.

Riley et al., Stat Med 2019;38:1262, doi 10.1002/sim.7993; see stats/sample_size.py for classes and times.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.stats import chi2
from scipy.stats import t as student

from radiomics_pipeline.errors import ParamsError
from radiomics_pipeline.stats.sample_size import (
    DIFFERENCE,
    SHRINKAGE,
    Criterion,
    SampleSize,
    Support,
    check_r2,
    joined,
    round_up,
    sentence,
)

SPREAD, MEAN = "residual standard deviation", "mean outcome"
CHUNK = 100_000
"""Numbers of patients tried at once."""


def continuous_size(
    parameters: int,
    r2: float,
    *,
    mean: float | None = None,
    sd: float | None = None,
    shrinkage: float = 0.9,
    difference: float = 0.05,
    margin: float = 0.1,
) -> SampleSize:
    """Patients for a linear model.

    r2 : adjusted R2 to be expected; difference : largest apparent less adjusted R2
    mean, sd : of the outcome, where its mean is to be known within `margin` of itself; None leaves that criterion out
    margin : relative, of the residual standard deviation (234 + parameters for 10 %) and of the mean
    """
    check_r2(parameters, r2, 1.0, shrinkage)
    first = _linear_size(parameters, r2, shrinkage)
    second = round_up(1 + parameters * (1 - r2) / difference)
    third = parameters + 1 + _spread_freedom(margin)
    found = [
        Criterion(SHRINKAGE, first, float(linear_shrinkage(first, parameters, r2))),
        Criterion(DIFFERENCE, second, float(linear_shrinkage(second, parameters, r2))),
        Criterion(SPREAD, third, float(linear_shrinkage(third, parameters, r2))),
    ]
    if mean is not None and sd is not None:
        if mean == 0 or sd <= 0:
            raise ParamsError(f"mean {mean} and sd {sd} of the outcome; a relative margin needs others than 0")
        found.append(Criterion(MEAN, _mean_size(parameters, r2, abs(mean), sd, margin)))
    size = joined(parameters, r2, 1.0, tuple(found), float("nan"))
    return replace(size, per_parameter=size.n / parameters)


def continuous_support(n: int, r2: float, *, shrinkage: float = 0.9, difference: float = 0.05) -> Support:
    """Parameters that a study with a continuous outcome bears; r2 must be given, since nothing bounds it."""
    check_r2(1, r2, 1.0, shrinkage)
    low, high = 0, max(n, 1)
    while high - low > 1:  # the need rises with the number of parameters
        middle = (low + high) // 2
        needed = continuous_size(middle, r2, shrinkage=shrinkage, difference=difference).criteria[:2]
        low, high = (middle, high) if max(c.n for c in needed) <= n else (low, middle)
    limit = continuous_size(low + 1, r2, shrinkage=shrinkage, difference=difference)
    binding = max(limit.criteria[:2], key=lambda c: c.n).name
    precise = n >= low + 1 + _spread_freedom(0.1)
    return Support(n, float("nan"), r2, 1.0, low, precise, binding, sentence(n, None, r2, low, precise))


def linear_shrinkage(n: int | np.ndarray, parameters: int, r2: float) -> float | np.ndarray:
    """Expected shrinkage of a linear model fitted to n rows; 1 for up to two parameters."""
    rows = np.asarray(n, np.float64)
    unexplained = (1 - r2) * (rows - parameters - 1) / (rows - 1)  # 1 - apparent R2
    found = 1 + (parameters - 2) / (rows * np.log(unexplained)) if parameters > 2 else np.ones_like(rows)
    return found if found.ndim else float(found)


def _linear_size(parameters: int, r2: float, shrinkage: float) -> int:
    """Smallest n from which on the expected shrinkage stays at or above the one wanted."""
    least = parameters + 2
    if parameters <= 2:
        return least
    most = max(least, round_up((parameters - 2) / ((shrinkage - 1) * np.log1p(-r2))))  # the apparent R2 is above r2
    while most >= least:
        rows = np.arange(max(least, most - CHUNK), most + 1)
        failing = np.flatnonzero(np.asarray(linear_shrinkage(rows, parameters, r2)) < shrinkage)
        if len(failing):
            return int(rows[failing[-1]]) + 1
        most = int(rows[0]) - 1
    return least


def _spread_freedom(margin: float) -> int:
    """Residual degrees of freedom from which the residual standard deviation is known within a relative margin.

    233 for 10 %, as in the paper: both ends of the 95 % interval from chi-square.
    """

    def wide(df: int) -> bool:
        return float(max(chi2.ppf(0.975, df) / df, df / chi2.ppf(0.025, df))) ** 0.5 > 1 + margin

    low, high = 1, 2
    while wide(high):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if wide(middle) else (low, middle)
    return high


def _mean_size(parameters: int, r2: float, mean: float, sd: float, margin: float) -> int:
    residual = sd * np.sqrt(1 - r2)
    low, high = parameters + 1, parameters + 2

    def wide(n: int) -> bool:
        return float(student.ppf(0.975, n - parameters - 1)) * residual / np.sqrt(n) > margin * mean

    while wide(high):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if wide(middle) else (low, middle)
    return high
