"""What all parts of one selection share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from radiomics_pipeline.params.selection import SelectionParams
from radiomics_pipeline.selection.layout import Layout, inputs_of
from radiomics_pipeline.selection.validation.folds import Fold, trained_on
from radiomics_pipeline.selection.validation.metrics import horizon_of
from radiomics_pipeline.types.outcome import Clinical, Outcome
from radiomics_pipeline.types.ranking import Redundancy, UnivariateRow
from radiomics_pipeline.types.side import Side
from radiomics_pipeline.types.table import FeatureTable

Progress = Callable[[int, int, str], None]
"""Called with the steps done, the steps in all, and the name of what is being done."""


@dataclass(frozen=True)
class Study:
    """A table with its outcome, split into folds.

    outcome, clinical, side, readers : aligned to the table's rows
    layout : where the inputs stand in X; folds : the outer ones
    own : positions of the rows that may be trained on: all, but for those of an external table
    """

    table: FeatureTable
    outcome: Outcome
    clinical: Clinical | None
    side: Side
    params: SelectionParams
    layout: Layout
    folds: tuple[Fold, ...]
    own: np.ndarray
    readers: Mapping[str, np.ndarray] = field(default_factory=dict)
    n_jobs: int = 1

    @property
    def X(self) -> np.ndarray:  # noqa: N802 -- scikit-learn's name
        """float64 [rows, features + clinical columns + side columns]"""
        return inputs_of(self.table, self.clinical, self.side)

    @property
    def patients(self) -> np.ndarray:
        """Of each row the patient, object [rows]."""
        return np.array(self.table.patient, dtype=object)

    @property
    def horizon(self) -> float:
        """Time at which survival is judged; NaN of an outcome without times."""
        return horizon_of(self.outcome, self.params.validation.horizon, trained_on(self.folds))[0]

    @property
    def test_share(self) -> float:
        """Rows tested over rows trained on, mean of the folds."""
        return float(np.mean([len(f.test) / len(f.train) for f in self.folds]))


@dataclass(frozen=True)
class Overview:
    """What the whole table shows before anything is validated: clusters, and every feature alone."""

    redundancy: Redundancy
    univariate: tuple[UnivariateRow, ...]
