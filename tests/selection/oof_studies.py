"""Predictions of rows left out, made up by hand."""

import numpy as np

from radiomics_pipeline.selection.outcomes.out_of_fold import OutOfFold


def oof_of(outcome, prediction, fold=None, survival=None, patient=None, plan="plan"):
    """One repeat a line of `prediction`; rows dealt to five folds in turn unless told."""
    values = np.atleast_2d(np.asarray(prediction, float))
    folds = np.tile(np.arange(values.shape[1]) % 5 + 1, (len(values), 1)) if fold is None else np.atleast_2d(fold)
    alive = np.full(values.shape, np.nan) if survival is None else np.atleast_2d(np.asarray(survival, float))
    names = [f"p{i:04d}" for i in range(values.shape[1])] if patient is None else patient
    return OutOfFold(plan, outcome, np.array(names, dtype=object), values, alive, folds)
