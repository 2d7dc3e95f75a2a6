"""The three likelihoods under which subsets of columns are compared: logistic, Cox, linear."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from radiomics_pipeline.errors import ParamsError
from radiomics_pipeline.kernels.subsets import cox_subsets, efron_likelihood, linear_subsets, logistic_subsets
from radiomics_pipeline.stats.deviance import logistic_loss

TOLERANCE = 1e-10
STEPS = 60


@dataclass(frozen=True)
class Fits:
    """One model a subset of columns.

    coefficients : float64 [subsets, columns], 0 outside the subset; intercepts : float64 [subsets]
    loglik : float64 [subsets], of the training rows, without the ridge
    converged : bool [subsets]
    """

    coefficients: np.ndarray
    intercepts: np.ndarray
    loglik: np.ndarray
    converged: np.ndarray

    def linear(self, z: np.ndarray) -> np.ndarray:
        """Linear predictors, float64 [subsets, rows]."""
        return np.asarray(self.coefficients @ z.T + self.intercepts[:, None])


class Family(Protocol):
    """What a likelihood must offer; y is as of `Outcome.y`, z float64 [rows, columns], centred and scaled."""

    measures: tuple[str, ...]

    def response(self, y: np.ndarray) -> np.ndarray:
        """What is left of the outcome by the empty model, float64 [rows]: y less its mean, martingale residuals."""

    def strata(self, y: np.ndarray) -> np.ndarray:
        """What folds share out evenly, [rows]."""

    def can_fit(self, y: np.ndarray) -> bool:
        """Whether the rows hold both classes, an event, different numbers."""

    def fit(self, z: np.ndarray, y: np.ndarray, masks: np.ndarray, ridge: float) -> Fits:
        """One model a row of masks (bool [subsets, columns])."""

    def held_out(
        self, fits: Fits, train: tuple[np.ndarray, np.ndarray], test: tuple[np.ndarray, np.ndarray]
    ) -> np.ndarray:
        """Deviance of rows left out, float64 [subsets]; train, test : (z, y)."""

    def explained(self, fits: Fits, y: np.ndarray, measure: str) -> np.ndarray:
        """Measure of the fit on training rows, float64 [subsets]; the first subset is the empty one."""

    def size(self, y: np.ndarray, measure: str) -> int:
        """What the deviance is divided by in the measures that are not ratios of deviances: rows, or events."""


class Logistic:
    """Two classes; y of 0 and 1."""

    measures: tuple[str, ...] = ("mcfadden", "nagelkerke", "cox-snell")

    def response(self, y: np.ndarray) -> np.ndarray:  # noqa: D102 -- see Family
        return np.asarray(y - np.mean(y), np.float64)

    def strata(self, y: np.ndarray) -> np.ndarray:  # noqa: D102
        return np.asarray(y, np.int64)

    def can_fit(self, y: np.ndarray) -> bool:  # noqa: D102
        return bool(len(np.unique(y)) == 2)

    def fit(self, z: np.ndarray, y: np.ndarray, masks: np.ndarray, ridge: float) -> Fits:  # noqa: D102
        found, loglik, converged = logistic_subsets(
            np.array(z, np.float64, order="C"), np.array(y, np.float64), _masks(masks), float(ridge), TOLERANCE, STEPS
        )
        return Fits(found[:, 1:], found[:, 0], loglik, converged)

    def held_out(  # noqa: D102
        self, fits: Fits, train: tuple[np.ndarray, np.ndarray], test: tuple[np.ndarray, np.ndarray]
    ) -> np.ndarray:
        return 2.0 * logistic_loss(fits.linear(test[0]), np.asarray(test[1], np.float64))

    def explained(self, fits: Fits, y: np.ndarray, measure: str) -> np.ndarray:  # noqa: D102
        return _training_share(fits, len(y), measure)

    def size(self, y: np.ndarray, measure: str) -> int:  # noqa: D102
        return len(y)


class Cox:
    """Time to an event, Efron's ties throughout; y structured (event, time)."""

    measures: tuple[str, ...] = ("events", "cox-snell", "nagelkerke")

    def response(self, y: np.ndarray) -> np.ndarray:  # noqa: D102
        times, inverse = np.unique(y["time"], return_inverse=True)
        deaths = np.bincount(inverse, weights=y["event"], minlength=len(times))
        at_risk = np.cumsum(np.bincount(inverse, minlength=len(times))[::-1])[::-1]
        return np.asarray(y["event"] - np.cumsum(deaths / at_risk)[inverse], np.float64)

    def strata(self, y: np.ndarray) -> np.ndarray:  # noqa: D102
        return np.asarray(y["event"], np.int64)

    def can_fit(self, y: np.ndarray) -> bool:  # noqa: D102
        return bool(y["event"].any())

    def fit(self, z: np.ndarray, y: np.ndarray, masks: np.ndarray, ridge: float) -> Fits:  # noqa: D102
        order = np.argsort(-y["time"], kind="stable")
        found, loglik, converged = cox_subsets(
            np.array(z[order], np.float64, order="C"),
            np.array(y["time"][order], np.float64),
            np.array(y["event"][order], np.bool_),
            _masks(masks),
            float(ridge),
            TOLERANCE,
            STEPS,
        )
        return Fits(found, np.zeros(len(found)), loglik, converged)

    def held_out(
        self, fits: Fits, train: tuple[np.ndarray, np.ndarray], test: tuple[np.ndarray, np.ndarray]
    ) -> np.ndarray:
        """Deviance of all rows less that of the training rows (Verweij and van Houwelingen, Stat Med 1993;12:2305)."""
        inside, outside = fits.linear(train[0]), fits.linear(test[0])
        whole = _partial(np.hstack([inside, outside]), np.concatenate([train[1], test[1]]))
        return -2.0 * (whole - _partial(inside, train[1]))

    def explained(self, fits: Fits, y: np.ndarray, measure: str) -> np.ndarray:
        """Measure "events": 1 - exp(-2 gain / events), of O'Quigley, Xu and Stare, Stat Med 2005;24:479."""
        return _training_share(fits, self.size(y, measure), measure)

    def size(self, y: np.ndarray, measure: str) -> int:  # noqa: D102
        return int(y["event"].sum()) if measure == "events" else len(y)


class Linear:
    """A number; deviance is the sum of squares."""

    measures: tuple[str, ...] = ("r2",)

    def response(self, y: np.ndarray) -> np.ndarray:  # noqa: D102
        return np.asarray(y - np.mean(y), np.float64)

    def strata(self, y: np.ndarray) -> np.ndarray:  # noqa: D102
        return np.zeros(len(y), np.int64)

    def can_fit(self, y: np.ndarray) -> bool:  # noqa: D102
        return bool(np.ptp(y) > 0)

    def fit(self, z: np.ndarray, y: np.ndarray, masks: np.ndarray, ridge: float) -> Fits:  # noqa: D102
        middle, mean = z.mean(axis=0), float(np.mean(y))
        centred, rest = z - middle, np.asarray(y, np.float64) - mean
        gram = np.ascontiguousarray(centred.T @ centred)
        found, squares = linear_subsets(gram, centred.T @ rest, float(rest @ rest), _masks(masks), float(ridge))
        least = np.maximum(squares / len(y), np.finfo(np.float64).tiny)
        loglik = -0.5 * len(y) * (np.log(2.0 * np.pi * least) + 1.0)
        return Fits(found, mean - found @ middle, loglik, np.ones(len(found), np.bool_))

    def held_out(  # noqa: D102
        self, fits: Fits, train: tuple[np.ndarray, np.ndarray], test: tuple[np.ndarray, np.ndarray]
    ) -> np.ndarray:
        return np.asarray(((fits.linear(test[0]) - np.asarray(test[1], np.float64)) ** 2).sum(axis=1))

    def explained(self, fits: Fits, y: np.ndarray, measure: str) -> np.ndarray:  # noqa: D102
        return np.asarray(-np.expm1(-2.0 * (fits.loglik - fits.loglik[0]) / len(y)))

    def size(self, y: np.ndarray, measure: str) -> int:  # noqa: D102
        return len(y)


FAMILIES: dict[str, Family] = {"binary": Logistic(), "survival": Cox(), "continuous": Linear()}


def family_of(kind: str) -> Family:
    """The likelihood of a kind of outcome; ParamsError where there is none."""
    if kind not in FAMILIES:
        raise ParamsError(
            f"features in combination are compared for {', '.join(FAMILIES)} outcomes; this one is {kind}. "
            "Code the class or cause of interest as a binary or survival outcome"
        )
    return FAMILIES[kind]


def measure_of(family: Family, wanted: str) -> str:
    """The measure of fit: the one wanted, or the family's first where it is "auto"; ParamsError where unknown."""
    if wanted == "auto":
        return family.measures[0]
    if wanted not in family.measures:
        raise ParamsError(f"measure {wanted!r} is not defined for this outcome; it has {', '.join(family.measures)}")
    return wanted


def share_explained(gain: np.ndarray | float, empty: float, size: float, measure: str) -> Any:
    """A measure of fit from deviances; NaN without any deviance or size.

    gain : fall of the deviance, negative where it rises; empty : deviance of the empty model; size : see Family.size
    """
    if size <= 0 or empty <= 0:
        return gain * np.nan
    if measure in ("mcfadden", "r2"):
        return gain / empty
    share = -np.expm1(-gain / size)
    return share / -np.expm1(-empty / size) if measure == "nagelkerke" else share


def _training_share(fits: Fits, size: int, measure: str) -> np.ndarray:
    deviance = -2.0 * fits.loglik
    return np.asarray(share_explained(deviance[0] - deviance, float(deviance[0]), size, measure))


def _masks(masks: np.ndarray) -> np.ndarray:
    return np.array(masks, np.bool_, order="C")


def _partial(risks: np.ndarray, y: np.ndarray) -> np.ndarray:
    order = np.argsort(-y["time"], kind="stable")
    return np.asarray(
        efron_likelihood(
            np.array(risks[:, order], np.float64, order="C"),
            np.array(y["time"][order], np.float64),
            np.array(y["event"][order], np.bool_),
        )
    )
