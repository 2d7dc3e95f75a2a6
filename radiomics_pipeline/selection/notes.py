"""What a reader must know of a study before any score: baselines, twins of the outcome, centres, several rows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.stats import chi2_contingency

from radiomics_pipeline.selection.alone import rank_alone
from radiomics_pipeline.selection.study import Study
from radiomics_pipeline.stats.kruskal import kruskal_p
from radiomics_pipeline.types.outcome import CLASSES, Outcome
from radiomics_pipeline.types.ranking import UnivariateRow
from radiomics_pipeline.types.table import FeatureTable

BOUND_UP = 0.001
"""p of the outcome over centres below which ComBat is said to take part of the outcome away."""


def baseline_notes(study: Study, volume: str) -> list[str]:
    """Which baselines are taken and which are left out."""
    notes = []
    if volume:
        notes.append(f"volume baseline: {volume}")
    else:
        notes.append("no volume baseline: no mesh volume among the features; name a column by the parameter `volume`")
    if not study.layout.inputs["clinical"]:
        notes.append("no clinical baseline: no clinical column was named")
    return notes


def twin_notes(univariate: tuple[UnivariateRow, ...]) -> tuple[str, ...]:
    """Features that separate the outcome without error: perhaps the outcome in another form."""
    perfect = [f"{row.feature} ({row.n} rows)" for row in _twins(univariate)]
    if not perfect:
        return ()
    return (
        f"{len(perfect)} features separate the outcome without error; is one of them the outcome in another form? "
        f"{', '.join(perfect)}",
    )


def _twins(univariate: tuple[UnivariateRow, ...]) -> list[UnivariateRow]:
    ends = {"auc": (0.0, 1.0), "c_index": (0.0, 1.0), "somers_d": (-1.0, 1.0), "spearman": (-1.0, 1.0)}
    return [row for row in univariate if row.value in ends.get(row.metric, (1.0,))]


def cluster_notes(table: FeatureTable, univariate: tuple[UnivariateRow, ...]) -> tuple[str, ...]:
    """What several rows of a patient change."""
    patients = len(set(table.patient))
    if patients == len(table):
        return ()
    return (
        f"{len(table)} rows of {patients} patients: rows of one patient stay in one fold, and intervals and p of "
        f"single features allow for their dependence ({univariate[0].test})",
    )


def clinical_notes(study: Study) -> tuple[str, ...]:
    """Clinical columns that tell the outcome without error: perhaps the outcome in another form."""
    clinical = study.clinical
    if clinical is None:
        return ()
    own = study.table.rows(study.own)
    outcome, values = study.outcome.rows(study.own), clinical.values[study.own]
    numbers = [c for c, known in enumerate(clinical.categories) if known is None or len(known) == 2]
    table = replace(own, columns=tuple(clinical.columns[c] for c in numbers), values=values[:, numbers])
    found = [row.feature for row in _twins(rank_alone(table, outcome))] if numbers else []
    if outcome.kind in CLASSES:
        found += [
            clinical.columns[c]
            for c, known in enumerate(clinical.categories)
            if known is not None and len(known) > 2 and _tells(values[:, c], outcome)
        ]
    if not found:
        return ()
    return (
        f"clinical columns that tell the outcome without error: {', '.join(found)}; are they the outcome in another "
        "form?",
    )


def _tells(codes: np.ndarray, outcome: Outcome) -> bool:
    """Whether each text goes with one class alone, and no class is told by texts of one row each."""
    there = ~np.isnan(codes)
    texts = np.unique(codes[there])
    pure = all(len(np.unique(outcome.value[there & (codes == t)])) == 1 for t in texts)
    return pure and len(texts) < there.sum() / 3


def centre_notes(study: Study) -> tuple[str, ...]:
    """Where centres are harmonised: how far the outcome goes with the centre, and centres of one row."""
    if study.params.harmonise.method != "combat" or not study.side.centre:
        return ()
    centre = np.array(study.side.centre, dtype=object)[study.own].astype(str)
    names, codes, sizes = np.unique(centre, return_inverse=True, return_counts=True)
    notes = []
    if len(names) == 1:
        return (f"harmonise: all rows are of centre {names[0]!r}; there is nothing to harmonise",)
    p = _association(study.outcome.rows(study.own), codes)
    if p < BOUND_UP:
        notes.append(
            f"harmonise: the outcome differs between centres (p {p:.2g}); ComBat takes out what differs between "
            "centres, and with it what tells the outcome"
        )
    alone = sum(len(np.unique(codes[fold.train])) == 1 for fold in study.folds)
    if alone:
        notes.append(
            f"harmonise: {alone} of {len(study.folds)} training parts hold one centre, where ComBat changes nothing; "
            "their tests are of features that are not harmonised"
        )
    single = int((sizes == 1).sum())
    if single:
        notes.append(f"harmonise: {single} of {len(names)} centres have one row, of which the mean alone is moved")
    return tuple(notes)


def _association(outcome: Outcome, codes: np.ndarray) -> float:
    """p of no difference of the outcome between centres; of times, of the share of events."""
    if outcome.kind == "continuous":
        return float(kruskal_p(outcome.value[:, None], codes)[0])
    table = np.array(
        [[((codes == c) & (outcome.value == v)).sum() for v in np.unique(outcome.value)] for c in set(codes)]
    )
    return float(chi2_contingency(table).pvalue) if min(table.shape) > 1 else 1.0
