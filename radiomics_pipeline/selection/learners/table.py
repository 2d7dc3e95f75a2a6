"""Every learner that a plan can name. A new one is a file beside this one and a row here."""

from __future__ import annotations

from radiomics_pipeline.selection.learners.boosting import XGBOOST
from radiomics_pipeline.selection.learners.discriminant import LDA
from radiomics_pipeline.selection.learners.firth import FIRTH
from radiomics_pipeline.selection.learners.forest import EXTRA_TREES, FOREST
from radiomics_pipeline.selection.learners.logistic import ELASTIC_NET, LASSO, RIDGE
from radiomics_pipeline.selection.learners.logitboost import LOGITBOOST
from radiomics_pipeline.selection.learners.neighbours import KNN
from radiomics_pipeline.selection.learners.network import NETWORK, NETWORK_28_15_1
from radiomics_pipeline.selection.learners.ordinal import ORDINAL
from radiomics_pipeline.selection.learners.survival_table import SURVIVAL_LEARNERS
from radiomics_pipeline.selection.learners.vector_machine import SVM, SVM_LINEAR
from radiomics_pipeline.selection.registry import Method
from radiomics_pipeline.types.outcome import Kind

CLASS_LEARNERS: tuple[Method, ...] = (
    RIDGE,
    LASSO,
    ELASTIC_NET,
    FIRTH,
    ORDINAL,
    LDA,
    SVM_LINEAR,
    SVM,
    FOREST,
    EXTRA_TREES,
    XGBOOST,
    LOGITBOOST,
    NETWORK,
    NETWORK_28_15_1,
    KNN,
)
LEARNERS: tuple[Method, ...] = CLASS_LEARNERS + SURVIVAL_LEARNERS


def learners_for(kind: Kind) -> tuple[Method, ...]:
    """The learners that serve an outcome of that kind."""
    return tuple(row for row in LEARNERS if kind in row.kinds)
