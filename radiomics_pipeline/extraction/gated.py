"""Volumes and ejection fraction as columns of a series that has masks of its gates."""

from __future__ import annotations

import numpy as np

from radiomics_pipeline.extraction.plan import ORIGINAL
from radiomics_pipeline.features.gated import gated, gated_volumes
from radiomics_pipeline.types import ColumnName, ColumnSpec


def gated_columns(prefix: str) -> dict[str, ColumnSpec]:
    """The columns of one series by the feature's name. prefix : how they begin"""
    return {
        feature.name: ColumnSpec(
            ColumnName(prefix, ORIGINAL, gated.token, feature.name), "ibsi", "", "", feature.unit, feature.definition
        )
        for feature in gated.features.values()
    }


def gated_values(
    masks: np.ndarray, spacing_mm: tuple[float, float, float], prefix: str
) -> tuple[dict[str, float], dict[str, str]]:
    """Values by column, and the reasons of those that are NaN. masks : bool [gate, z, y, x]; as of `gated_volumes`"""
    values, reasons = gated.compute(gated_volumes(masks, spacing_mm))
    columns = {name: spec.column for name, spec in gated_columns(prefix).items()}
    return {columns[n]: v for n, v in values.items()}, {columns[n]: reason for n, reason in reasons.items()}
