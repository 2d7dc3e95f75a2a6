"""Small fitted models with their cards."""

from dataclasses import replace

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline

from radiomics_pipeline.selection.steps.chain import Chain
from radiomics_pipeline.selection.steps.harmonise import ComBat
from radiomics_pipeline.selection.steps.impute import Impute
from radiomics_pipeline.selection.steps.redundancy import DropCorrelated
from radiomics_pipeline.selection.steps.scale import Scale
from radiomics_pipeline.types.model import Formula, ModelCard

CARD = ModelCard(
    plan="ridge",
    kind="binary",
    outcome=("died",),
    categories=(),
    features=("f0", "f1", "f2", "f3"),
    clinical=(),
    clinical_texts={},
    side=(),
    centres=(),
    features_digest="",
    table_digest={"features.csv": "a1", "outcomes.csv": "b2"},
    rows=60,
    patients=58,
    events=21,
    performance={"metric": "auc", "mean": 0.75, "lower": 0.5, "upper": 0.9},
    horizon=None,
    cutpoints=(),
    formula=None,
    versions={"python": "3.12", "numpy": "2.4"},
    params={"seed": 3, "plans": []},
    notes=("for research",),
)
FULL = replace(
    CARD,
    categories=("1", "yes", "null", "1e3", "2020-01-01"),
    clinical=("age", "sex: as said", "Größe"),
    clinical_texts={"sex: as said": ("f", "m", "no"), "Größe": ("~", "-", "0x1")},
    side=("centre",),
    centres=("007", "true", "#3"),
    events=None,
    performance={"metric": "c_index", "mean": float("nan"), "lower": -0.1, "upper": np.float64(0.1)},
    horizon=1825.0,
    cutpoints=(0.1 + 0.2, np.float64(1e-17)),
    formula=Formula(-0.1, {"f0": 1 / 3, "1": -1e-300, "on": 2.5}, {"f0": 0.0, "1": 7.0, "on": 1e22}, "logistic"),
    notes=("a note: with 'marks', \"others\"\nand a second line", "", "- x"),
)


def data(rows=60, columns=4, seed=0, gaps=0.1):
    """X with missing cells, and a binary y."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(rows, columns)) * 10.0 ** np.arange(columns) + 5
    y = (X[:, 0] + rng.normal(size=rows) > 5).astype(int)
    X[rng.random(X.shape) < gaps] = np.nan
    return X, y


def chained(side=(), centres=(), **harmonise):
    """A chain of steps, and a logistic regression."""
    combat = [("harmonise", ComBat(centres=centres, **harmonise))] if side else []
    steps = [("impute", Impute()), *combat, ("redundancy", DropCorrelated()), ("scale", Scale(clip=None))]
    return Pipeline([("chain", Chain(steps, side)), ("model", LogisticRegression())])
