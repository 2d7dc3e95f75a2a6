"""A table of features: one row a region, one column a feature."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from radiomics_pipeline.errors import TableError
from radiomics_pipeline.types.arrays import read_only

KEYS = ("case", "patient", "roi", "label")


@dataclass(frozen=True)
class FeatureTable:
    """Feature values of many regions.

    case, patient, roi, label : one text a row; rows of one patient are never split between folds
    columns : feature names, unique
    values : float64 [rows, columns], NaN where a value is missing or undefined, read-only
    """

    case: tuple[str, ...]
    patient: tuple[str, ...]
    roi: tuple[str, ...]
    label: tuple[str, ...]
    columns: tuple[str, ...]
    values: np.ndarray

    def __post_init__(self) -> None:
        values = read_only(self.values, np.float64)
        object.__setattr__(self, "values", values)
        for key in KEYS:
            if len(getattr(self, key)) != len(values):
                raise TableError(f"{len(getattr(self, key))} entries of {key!r} for {len(values)} rows")
        if values.ndim != 2 or values.shape[1] != len(self.columns):
            raise TableError(f"values of shape {values.shape} for {len(self.columns)} columns")
        if len(set(self.columns)) != len(self.columns):
            twice = sorted({c for c in self.columns if self.columns.count(c) > 1})
            raise TableError(f"column named twice: {', '.join(twice[:5])}")

    def __len__(self) -> int:
        return len(self.case)

    def rows(self, keep: np.ndarray) -> FeatureTable:
        """The rows at these positions, in this order."""
        chosen = [int(i) for i in keep]
        keys = {key: tuple(getattr(self, key)[i] for i in chosen) for key in KEYS}
        return FeatureTable(**keys, columns=self.columns, values=self.values[chosen])
