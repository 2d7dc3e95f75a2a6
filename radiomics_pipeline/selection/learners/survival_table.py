"""Learners for times to events, as rows of one table."""

from __future__ import annotations

from radiomics_pipeline.selection.learners.cause_specific import CAUSE_SPECIFIC_COX
from radiomics_pipeline.selection.learners.cox import COX_ELASTIC_NET, COX_LASSO, COX_RIDGE
from radiomics_pipeline.selection.learners.survival_boosting import XGBOOST_AFT, XGBOOST_COX
from radiomics_pipeline.selection.learners.survival_forest import EXTRA_SURVIVAL_TREES, SURVIVAL_FOREST
from radiomics_pipeline.selection.registry import Method

SURVIVAL_LEARNERS: tuple[Method, ...] = (
    COX_RIDGE,
    COX_LASSO,
    COX_ELASTIC_NET,
    SURVIVAL_FOREST,
    EXTRA_SURVIVAL_TREES,
    XGBOOST_COX,
    XGBOOST_AFT,
    CAUSE_SPECIFIC_COX,
)
