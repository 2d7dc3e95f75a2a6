"""The tables of a selection, and its model, written into a folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from radiomics_pipeline.io.tables import write_predictions, write_records, write_redundancy
from radiomics_pipeline.types import combination as together
from radiomics_pipeline.types import performance as plans
from radiomics_pipeline.types import report as reports
from radiomics_pipeline.types.outcome import Outcome
from radiomics_pipeline.types.ranking import Ranking, RankingRow, UnivariateRow

ALWAYS = ("univariate.csv", "redundancy.csv", "ranking.csv", "performance.csv", "metrics.csv", "predictions.csv")
SOMETIMES = (
    "comparisons.csv",
    "increments.csv",
    "combinations.csv",
    "dominance.csv",
    "dominance_by_size.csv",
    "dominance_pairs.csv",
    "subsets.csv",
    "importance.csv",
    "contributions.csv",
    "declared.csv",
    "hazards.csv",
    "calibration.csv",
    "decision_curve.csv",
    "risk_groups.csv",
    "readers.csv",
    "sample_size.csv",
    "permutation.csv",
    "bootstrap.csv",
)
FILES = (*ALWAYS, *SOMETIMES)


def write_selection(out: Path, outcome: Outcome, found: Ranking) -> tuple[Path, ...]:
    """Write every table that has rows; of those that have none, none is left of an earlier run."""
    write_redundancy(out / "redundancy.csv", found.redundancy)
    write_predictions(out / "predictions.csv", outcome, found.predictions)
    tables: dict[str, tuple[type, Sequence[Any]]] = {
        "univariate.csv": (UnivariateRow, found.univariate),
        "ranking.csv": (RankingRow, found.ranking),
        "performance.csv": (plans.PerformanceRow, found.performance),
        "metrics.csv": (plans.MetricRow, found.metrics),
        "comparisons.csv": (plans.ComparisonRow, found.comparisons),
        "permutation.csv": (plans.PermutationRow, found.permutation),
        "bootstrap.csv": (plans.ResamplingRow, found.bootstrap),
        "increments.csv": (together.IncrementRow, found.combination.increments),
        "combinations.csv": (together.CombinationRow, found.combination.rows),
        "dominance.csv": (together.DominanceRow, found.combination.dominance),
        "dominance_by_size.csv": (together.ConditionalRow, found.combination.by_size),
        "dominance_pairs.csv": (together.DominancePairRow, found.combination.pairs),
        "subsets.csv": (together.SubsetRow, found.combination.subsets),
        "calibration.csv": (reports.CalibrationRow, found.reports.calibration),
        "decision_curve.csv": (reports.DecisionRow, found.reports.decision),
        "risk_groups.csv": (reports.RiskGroupRow, found.reports.groups),
        "readers.csv": (reports.ReaderRow, found.reports.readers),
        "sample_size.csv": (reports.SampleSizeRow, found.reports.sample_size),
        "importance.csv": (together.ImportanceRow, found.combination.importance),
        "contributions.csv": (together.ContributionRow, found.combination.contributions),
        "declared.csv": (together.NestedTestRow, found.combination.declared),
        "hazards.csv": (reports.HazardRow, found.hazards),
    }
    for name, (kind, rows) in tables.items():
        if rows or name in ALWAYS:
            write_records(out / name, kind, rows)
        else:
            (out / name).unlink(missing_ok=True)
    return tuple(out / name for name in FILES if (out / name).is_file())
