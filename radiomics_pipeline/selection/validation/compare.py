"""Two plans on the same folds: by how much one is better, and whether chance can be the reason."""

from __future__ import annotations

import numpy as np

from radiomics_pipeline.errors import ParamsError
from radiomics_pipeline.stats.nadeau_bengio import corrected_t_test
from radiomics_pipeline.stats.paired_auc import contrast, paired_areas
from radiomics_pipeline.types.performance import ComparisonRow, Evaluation

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
    mean, lower, upper, p = float(difference.mean()) if len(difference) else np.nan, np.nan, np.nan, np.nan
    if test:
        found = corrected_t_test(own, other, first.test_share)
        mean, lower, upper, p = found.mean, found.lower, found.upper, found.p
    one, two = (float(v[both].mean()) if both.any() else np.nan for v in (own, other))
    return ComparisonRow(first.plan, second.plan, metric, one, two, mean, lower, upper, p, int(both.sum()), test)


def _delong_row(first: Evaluation, second: Evaluation) -> ComparisonRow:
    event = np.array([row.outcome[-1] == 1 for row in first.predictions])
    groups = np.array([row.patient for row in first.predictions], dtype=object)
    values = np.array([[row.prediction for row in e.predictions] for e in (first, second)]).T
    areas = paired_areas(values, event, groups)
    found = contrast(areas, np.array([1.0, -1.0]))
    one, two = (float(area) for area in areas.area)
    return ComparisonRow(
        first.plan, second.plan, "auc", one, two, found.difference, found.lower, found.upper, found.p, 1, DELONG
    )


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
