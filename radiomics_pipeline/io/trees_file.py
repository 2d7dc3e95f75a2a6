"""The trees of a plan that ends in XGBoost, as XGBoost's own JSON, and what another program must know to use them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.pipeline import Pipeline

from radiomics_pipeline.errors import TableError

TREES = "xgboost.json"


@dataclass(frozen=True)
class Trees:
    """What stands in the file, and how a prediction follows from it.

    content : XGBoost's JSON
    columns : names of the columns that the trees see, in their order, as the plan prepares them (filled and scaled)
    slope, offsets : where the plan corrects the probabilities of its learner, the log odds of class k are
        slope * margin k + offset k (of two classes margin 0 is 0); else 1 and empty
    """

    content: bytes
    columns: tuple[str, ...]
    slope: float = 1.0
    offsets: tuple[float, ...] = ()

    @property
    def about(self) -> dict[str, Any]:
        """For the model's card."""
        return {
            "file": TREES,
            "digest": hashlib.sha256(self.content).hexdigest(),
            "columns": list(self.columns),
            "slope": self.slope,
            "offsets": list(self.offsets),
        }


def trees_of(model: Any, names: tuple[str, ...]) -> Trees | None:
    """The trees of a fitted plan; None where its last step is no XGBoost model.

    names : of the columns of X that the plan was fitted to
    """
    slope, before = 1.0, []
    offsets: tuple[float, ...] = ()
    while not hasattr(model, "booster_"):
        if isinstance(model, Pipeline):
            before += [model[:-1]] if len(model.steps) > 1 else []
            model = model.steps[-1][1]
        elif hasattr(model, "calibration_") and hasattr(model, "estimator_"):
            slope, offsets = float(model.calibration_.slope), tuple(map(float, model.calibration_.offsets))
            model = model.estimator_
        else:
            return None
    columns = np.array(names, dtype=object)
    for step in before:
        columns = step.get_feature_names_out(columns)
    return Trees(bytes(model.booster_.save_raw("json")), tuple(map(str, columns)), slope, offsets)


def check_trees(folder: Path, digest: str) -> None:
    """TableError where the trees beside a model are not those of its card; they may be absent, nothing here uses them.

    digest : as the card has it, empty where the model has no trees
    """
    path = folder / TREES
    if not path.exists():
        return
    try:
        found = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as e:
        raise TableError(f"{folder.name}/{TREES}: cannot be read ({e.strerror})") from e
    if found != digest:
        raise TableError(f"{folder.name}: {TREES} is not the file that the card was written for; save the model again")
