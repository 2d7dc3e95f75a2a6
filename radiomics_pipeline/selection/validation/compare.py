"""Two plans on the same folds: by how much one is better, and whether chance can be the reason."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr, stdtr

from radiomics_pipeline.errors import ParamsError
from radiomics_pipeline.stats.delong import patient_codes
from radiomics_pipeline.stats.nadeau_bengio import corrected_interval
from radiomics_pipeline.types.performance import ComparisonRow, Evaluation

Z = 1.959963984540054
CORRECTED, DELONG = "corrected resampled t", "DeLong"


def compare(first: Evaluation, second: Evaluation) -> tuple[ComparisonRow, ...]:
    """The paired difference of every metric that both have, first less second.

    Several folds: mean difference with Nadeau and Bengio's corrected interval and t test (Mach Learn 2003;52:239,
    doi 10.1023/A:1024068626366). A single test part (temporal, external): the AUC by DeLong's test, patients' rows
    taken as dependent; other metrics without interval. Metrics pooled over a repeat have no p: repeats test the
    same rows. Raises ParamsError where the folds differ.
    """
    _same_folds(first, second)
    pooled = {m.metric for m in first.metrics if len(first.fold_scores[m.metric]) != len(first.scores)}
    rows = []
    for metric, own in first.fold_scores.items():
        if metric in second.fold_scores:
            other = np.array(second.fold_scores[metric])
            if len(first.scores) == 1 and metric == "auc" and _is_binary(first):
                rows.append(_delong_row(first, second))
            else:
                test = "" if metric in pooled or len(first.scores) == 1 else CORRECTED
                rows.append(_fold_row(first, second, metric, np.array(own), other, test))
    return tuple(rows)


def _fold_row(  # noqa: PLR0917
    first: Evaluation, second: Evaluation, metric: str, own: np.ndarray, other: np.ndarray, test: str
) -> ComparisonRow:
    both = ~np.isnan(own) & ~np.isnan(other)
    difference = own[both] - other[both]
    if test:
        mean, lower, upper = corrected_interval(difference, first.test_share)
        p = corrected_p(difference, first.test_share)
    else:
        mean, lower, upper, p = float(difference.mean()) if len(difference) else np.nan, np.nan, np.nan, np.nan
    one, two = (float(v[both].mean()) if both.any() else np.nan for v in (own, other))
    return ComparisonRow(first.plan, second.plan, metric, one, two, mean, lower, upper, p, int(both.sum()), test)


def corrected_p(difference: np.ndarray, test_share: float) -> float:
    """Two-sided p of the corrected resampled t test that the mean difference is 0.

    difference : float64 [folds]; test_share : rows tested over rows trained on. NaN with fewer than two folds; 1 where
    all are 0, NaN where all are one other number.
    """
    if len(difference) < 2:
        return float("nan")
    if not difference.any():
        return 1.0
    spread = float(np.var(difference, ddof=1)) * (1 / len(difference) + test_share)
    if spread == 0:
        return float("nan")
    return float(2 * stdtr(len(difference) - 1, -abs(float(difference.mean())) / spread**0.5))


def _delong_row(first: Evaluation, second: Evaluation) -> ComparisonRow:
    event = np.array([row.outcome[-1] == 1 for row in first.predictions])
    groups = np.array([row.patient for row in first.predictions], dtype=object)
    values = np.array([[row.prediction for row in e.predictions] for e in (first, second)]).T
    areas, covariance = paired_delong(values, event, groups)
    difference = float(areas[0] - areas[1])
    error = float(np.sqrt(max(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1], 0.0)))
    lower, upper, p = np.nan, np.nan, 1.0 if difference == 0 else np.nan
    if error > 0:
        lower, upper = difference - Z * error, difference + Z * error
        p = float(2 * ndtr(-abs(difference) / error))
    return ComparisonRow(
        first.plan, second.plan, "auc", float(areas[0]), float(areas[1]), difference, lower, upper, p, 1, DELONG
    )


def paired_delong(values: np.ndarray, event: np.ndarray, groups: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Areas under the ROC curve of several scores of the same rows, and their covariance.

    values : float64 [rows, scores]; event : bool [rows]; groups : of each row the patient
    returns : float64 [scores], float64 [scores, scores]

    DeLong, DeLong and Clarke-Pearson, Biometrics 1988;44:837; Obuchowski, Biometrics 1997;53:567 where patients
    have several rows.
    """
    codes, n_groups = patient_codes(groups, len(event))
    high, low = values[event], values[~event]
    wins = (high[:, None, :] > low[None, :, :]) + 0.5 * (high[:, None, :] == low[None, :, :])
    of_high, of_low = wins.mean(axis=1), wins.mean(axis=0)
    areas = of_high.mean(axis=0)
    sums = []
    for parts, place in ((of_high, codes[event]), (of_low, codes[~event])):
        total = np.zeros((n_groups, values.shape[1]))
        np.add.at(total, place, parts - areas)
        held = len(set(place.tolist()))
        sums.append((total / len(parts), held))
    (a, n_a), (b, n_b) = sums
    cross = a.T @ b
    both = (n_groups / (n_groups - 1)) * (cross + cross.T)
    return areas, a.T @ a * n_a / (n_a - 1) + b.T @ b * n_b / (n_b - 1) + both


def _is_binary(evaluation: Evaluation) -> bool:
    cells = {row.outcome for row in evaluation.predictions}
    return all(len(c) == 1 and c[0] in (0, 1) for c in cells)


def _same_folds(first: Evaluation, second: Evaluation) -> None:
    keys = [
        [(r.repeat, r.fold, r.fold_name, r.case, r.patient, r.roi, r.label, r.outcome) for r in e.predictions]
        for e in (first, second)
    ]
    if keys[0] != keys[1]:
        raise ParamsError(
            f"{first.plan} and {second.plan} were not tested on the same rows in the same folds; evaluate both with "
            "one set of folds"
        )
