"""Every feature alone against the outcome."""

from __future__ import annotations

import numpy as np

from radiomics_pipeline.stats.concordance import harrell_c
from radiomics_pipeline.stats.cox import cox_lrt, cox_robust_p
from radiomics_pipeline.stats.delong import auc_delong
from radiomics_pipeline.stats.mannwhitney import clustered_p, mannwhitney_p
from radiomics_pipeline.stats.multiplicity import benjamini_hochberg
from radiomics_pipeline.types.outcome import Outcome
from radiomics_pipeline.types.ranking import UnivariateRow
from radiomics_pipeline.types.table import FeatureTable


def rank_alone(table: FeatureTable, outcome: Outcome) -> tuple[UnivariateRow, ...]:
    """One row a feature, in the order of the table's columns; a missing cell leaves its row out of that feature.

    Binary: AUC with DeLong's interval, Mann and Whitney's p. Time to event: Harrell's C with its interval, p of
    the likelihood ratio test of a Cox model. Where patients have several rows, these would take dependent
    rows for independent ones: then the interval of the AUC is Obuchowski's, that of C sums influences by patient,
    and p is that of a score test whose variance comes from the patients' sums. `test` says which.
    """
    groups = np.array(table.patient, dtype=object).astype(str)
    clustered = len(set(groups)) < len(groups)
    values = table.values
    if outcome.time is None:
        areas = auc_delong(values, outcome.event, groups)
        index, lower, upper = areas.area, areas.lower, areas.upper
        n, events = areas.n_positive + areas.n_negative, areas.n_positive
        p = clustered_p(values, outcome.event, groups) if clustered else mannwhitney_p(areas)
        metric, test = "auc", "rank sum by patient" if clustered else "Mann-Whitney"
    else:
        found = harrell_c(values, outcome.time, outcome.event, groups)
        index, lower, upper = found.index, found.lower, found.upper
        n, events = found.n_rows, found.n_events
        p = (
            cox_robust_p(values, outcome.time, outcome.event, groups)
            if clustered
            else cox_lrt(values, outcome.time, outcome.event).p
        )
        metric, test = "c_index", "Cox robust score" if clustered else "Cox likelihood ratio"
    q = benjamini_hochberg(p)
    return tuple(
        UnivariateRow(
            name,
            int(n[c]),
            int(events[c]),
            metric,
            float(index[c]),
            float(lower[c]),
            float(upper[c]),
            "higher" if index[c] > 0.5 else ("lower" if index[c] < 0.5 else ""),
            float(p[c]),
            float(q[c]),
            test,
        )
        for c, name in enumerate(table.columns)
    )
