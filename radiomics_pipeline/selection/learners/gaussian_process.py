"""Gaussian processes with a fixed kernel: smooth functions of all columns, nothing to tune."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from pydantic import Field
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessClassifier, GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel

from radiomics_pipeline.params.base import Section
from radiomics_pipeline.selection.learners.inner import ClassLearner, NumberLearner
from radiomics_pipeline.selection.registry import Method
from radiomics_pipeline.types.outcome import Kind


def _kernel(n_columns: int, variance: float, length: float) -> Any:
    return ConstantKernel(variance, "fixed") * RBF(length * np.sqrt(n_columns), "fixed")


class GaussianClassifier(ClassLearner):
    """Gaussian process classification by Laplace's approximation; of several classes one against the others.

    variance : of the latent log odds; length : of the kernel, in units of the root of the number of (scaled) columns,
    the typical distance of two rows
    """

    def __init__(self, variance: float = 4.0, length: float = 1.0) -> None:
        self.variance = variance
        self.length = length

    def _fit(self, X: np.ndarray, codes: np.ndarray, groups: np.ndarray) -> None:
        kernel = _kernel(X.shape[1], self.variance, self.length)
        self.process_ = GaussianProcessClassifier(kernel, optimizer=None, random_state=0).fit(X, codes)

    def _probability(self, X: np.ndarray) -> np.ndarray:
        return np.asarray(self.process_.predict_proba(X))


class GaussianRegressor(NumberLearner):
    """Gaussian process regression of a standardised number. noise : variance left, as a share of that explained"""

    def __init__(self, noise: float = 1.0, length: float = 1.0) -> None:
        self.noise = noise
        self.length = length

    def _fit(self, X: np.ndarray, y: np.ndarray, groups: np.ndarray) -> None:
        process = GaussianProcessRegressor(
            _kernel(X.shape[1], 1.0, self.length), alpha=self.noise, optimizer=None, normalize_y=True, random_state=0
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            self.process_ = process.fit(X, y)

    def _number(self, X: np.ndarray) -> np.ndarray:
        return np.asarray(self.process_.predict(X))


class GaussianParams(Section):
    """A Gaussian process."""

    length: float = Field(1.0, gt=0, description="of the kernel, in units of the typical distance of two rows")


def _build(params: GaussianParams, kind: Kind, seed: int) -> Any:
    if kind == "continuous":
        return GaussianRegressor(length=params.length)
    return GaussianClassifier(length=params.length)


GAUSSIAN_PROCESS = Method(
    "gaussian-process",
    ("binary", "multiclass", "continuous"),
    GaussianParams,
    _build,
    "smooth functions of all columns (Gaussian process)",
    {"length": (0.5, 1.0, 2.0)},
)
