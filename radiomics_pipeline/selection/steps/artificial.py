"""Artificial columns: copies of real ones, each shuffled so that it knows nothing of the outcome."""

from __future__ import annotations

import numpy as np


def permuted_columns(X: np.ndarray, patients: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Every column shuffled on its own, float64 [rows, columns].

    patients : int64 [rows], codes from 0. Rows of a patient stay together: whole patients change places, one after
    the other, so that a copy is as alike within patients as the column was (exactly where all have as many rows).
    """
    n_patients = int(patients.max()) + 1
    if n_patients == len(patients):
        return np.asarray(rng.permuted(X, axis=0))
    turn = rng.random((n_patients, X.shape[1]))[patients]
    shuffled = np.take_along_axis(X, np.argsort(turn, axis=0, kind="stable"), axis=0)
    place = np.argsort(patients, kind="stable")
    out = np.empty_like(shuffled)
    out[place] = shuffled
    return out
