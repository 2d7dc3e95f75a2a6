"""Areas under the ROC curve of several scores of the same rows, and tests of their differences."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import chdtrc, ndtr, ndtri
from scipy.stats import rankdata

from radiomics_pipeline.errors import TableError
from radiomics_pipeline.stats.checked import ONE_CLASS, event_flags
from radiomics_pipeline.stats.delong import patient_codes

NAN = float("nan")
ROUNDING = 1e-12
"""Variances and differences of areas up to this are rounding."""
FEW = "fewer than two patients with, or without, the event: no variance"
NO_SPREAD = "the scores' areas differ without any spread, so that their difference has no standard error"


@dataclass(frozen=True)
class PairedAreas:
    """Areas of several scores of the same rows.

    area : float64 [scores]; below 0.5 where low scores go with the event
    covariance : float64 [scores, scores]; NaN where it cannot be estimated
    n_positive, n_negative : rows
    note : why numbers are NaN
    """

    area: np.ndarray
    covariance: np.ndarray
    n_positive: int
    n_negative: int
    note: str = ""


@dataclass(frozen=True)
class AreaDifference:
    """A difference (or other contrast) of areas: estimate, standard error, interval, z = estimate / error, two-sided p.

    note : why numbers are NaN
    """

    difference: float
    error: float
    lower: float
    upper: float
    z: float
    p: float
    note: str = ""


def paired_areas(values: np.ndarray, event: np.ndarray, groups: np.ndarray | None = None) -> PairedAreas:
    """Areas of all columns and their covariance.

    values : float64 [rows, scores], no NaN: areas are comparable only on the same rows; event : bool [rows]
    groups : of each row the patient; None where every row is another patient

    DeLong, DeLong and Clarke-Pearson, Biometrics 1988;44:837, doi 10.2307/2531595; where patients have several rows
    Obuchowski, Biometrics 1997;53:567, doi 10.2307/2533958. Ties are half a win, so that ordinal scores of readers need
    no other treatment. From ranks: n log n in rows. The scores must not have been fitted to these rows: see
    `compare_areas`.
    """
    flags, x = event_flags(event), np.asarray(values, np.float64)
    if x.ndim != 2 or len(x) != len(flags):
        raise TableError(f"scores of shape {x.shape} for {len(flags)} rows; give [rows, scores]")
    if np.isnan(x).any():
        raise TableError(f"{int(np.isnan(x).any(axis=1).sum())} rows lack a score; leave them out of all scores first")
    k, m, n = x.shape[1], int(flags.sum()), int((~flags).sum())
    if not m or not n:
        return PairedAreas(np.full(k, NAN), np.full((k, k), NAN), m, n, ONE_CLASS)
    ranks = rankdata(x, axis=0)
    of_positive = (ranks[flags] - rankdata(x[flags], axis=0)) / n
    of_negative = 1 - (ranks[~flags] - rankdata(x[~flags], axis=0)) / m
    areas = of_positive.mean(axis=0)
    codes, n_groups = patient_codes(groups, len(flags))
    first, n_first = _sums(of_positive - areas, codes[flags], n_groups)
    second, n_second = _sums(of_negative - areas, codes[~flags], n_groups)
    if n_first < 2 or n_second < 2:
        return PairedAreas(areas, np.full((k, k), NAN), m, n, FEW)
    cross = first.T @ second * n_groups / (n_groups - 1)
    covariance = first.T @ first * n_first / (n_first - 1) + second.T @ second * n_second / (n_second - 1)
    return PairedAreas(areas, covariance + cross + cross.T, m, n)


def contrast(areas: PairedAreas, weights: np.ndarray, level: float = 0.95) -> AreaDifference:
    """Weighted sum of areas with its normal interval and the test that it is 0.

    weights : float64 [scores], such as (1, -1) for a difference, or (-1, 1/3, 1/3, 1/3) for the mean of a plan's three
        repeats less a reader; the p has a meaning where they add up to 0
    """
    w = np.asarray(weights, np.float64)
    if w.shape != areas.area.shape:
        raise TableError(f"{w.shape} weights for {len(areas.area)} areas")
    found = float(w @ areas.area)
    variance = float(w @ areas.covariance @ w)
    if np.isnan(variance):
        return AreaDifference(found, NAN, NAN, NAN, NAN, NAN, areas.note)
    if variance <= ROUNDING**2 or variance <= 1e-14 * float(np.abs(w) @ np.abs(areas.covariance) @ np.abs(w)):
        if abs(found) <= ROUNDING:  # the same order of the rows
            return AreaDifference(0.0, 0.0, NAN, NAN, NAN, 1.0, "the scores give the same area in every patient")
        return AreaDifference(found, NAN, NAN, NAN, NAN, NAN, NO_SPREAD)
    error = variance**0.5
    reach, z = float(ndtri(0.5 + level / 2)) * error, found / error
    return AreaDifference(found, error, found - reach, found + reach, z, float(2 * ndtr(-abs(z))))


def compare_areas(
    first: np.ndarray, second: np.ndarray, event: np.ndarray, groups: np.ndarray | None = None, level: float = 0.95
) -> AreaDifference:
    """DeLong's test of two scores of the same rows: area of the first less that of the second.

    first, second : float64 [rows]; event : bool [rows]; groups : as in `paired_areas`

    Valid for scores fixed beforehand (a reader, an index, a model from other patients) or from rows left out. For two
    nested models fitted to these very rows the difference is not normal around 0 and the p is invalid (Demler, Pencina
    and D'Agostino, Stat Med 2012;31:2577, doi 10.1002/sim.5328).
    """
    areas = paired_areas(np.column_stack([first, second]), event, groups)
    return contrast(areas, np.array([1.0, -1.0]), level)


def equal_areas(areas: PairedAreas) -> tuple[float, int, float]:
    """Chi-square test that all areas are equal: statistic, degrees of freedom, p; NaN where nothing spreads."""
    k = len(areas.area)
    if k < 2 or np.isnan(areas.covariance).any():
        return NAN, 0, NAN
    rows = np.hstack([np.eye(k - 1), -np.ones((k - 1, 1))])
    differences, spread = rows @ areas.area, rows @ areas.covariance @ rows.T
    size, vectors = np.linalg.eigh(spread)
    kept = size > 1e-12 * float(np.abs(areas.covariance).max(initial=0))
    df = int(kept.sum())
    if not df:
        return NAN, 0, NAN
    statistic = float(((vectors[:, kept].T @ differences) ** 2 / size[kept]).sum())
    return statistic, df, float(chdtrc(df, statistic))


def _sums(excess: np.ndarray, codes: np.ndarray, n_groups: int) -> tuple[np.ndarray, int]:
    """Sum of each patient's placements less the area, over the rows' number, and how many patients there are."""
    total = np.zeros((n_groups, excess.shape[1]))
    np.add.at(total, codes, excess / len(excess))
    return total, len(np.unique(codes))
