"""Models of few columns: candidates, size and subset all chosen from the rows that `fit` is given.

The size is that of the smallest out-of-fold deviance over the inner folds, in each of which every step before the
model, the candidates and the best subset of each size are found anew: so the deviance of a size counts the search
(choosing subsets by the deviance of rows that chose their candidates does not, and prefers large ones). The subset
is then the best of that size over all rows given. Size 0, a constant prediction, is among the choices.
Hastie, Tibshirani and Friedman, The Elements of Statistical Learning, 2nd ed., sections 3.3.1 and 7.10.2.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from pydantic import Field
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, clone
from sklearn.preprocessing import StandardScaler
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from radiomics_pipeline.params.base import Section
from radiomics_pipeline.selection.columns import prepared_columns
from radiomics_pipeline.selection.combine.families import FAMILIES, Family
from radiomics_pipeline.selection.combine.screen import Candidates, choose
from radiomics_pipeline.selection.combine.subsets import BestOfSizes, best_of_sizes
from radiomics_pipeline.selection.registry import Method
from radiomics_pipeline.selection.validation.centres import lenient
from radiomics_pipeline.selection.validation.folds import deal, inner_count
from radiomics_pipeline.types.outcome import Kind


class _BestSubset(BaseEstimator):
    """What the best subsets of the three likelihoods share.

    prepare : unfitted transformer applied before and refitted in every inner fold; None: scaling only
    candidates : columns that may enter, chosen by how they go with the outcome (see screen.choose)
    largest : columns of the largest subset
    beam : subsets of each size that are carried on where there are too many to try all
    inner_folds, seed : of the inner folds; fewer folds are used where events are fewer
    interactions : let products of two columns enter with both of them
    pair_level : p, times the number of products screened, below which a product may enter
    ridge : on the standardised columns; above 0 it keeps coefficients finite where columns separate the classes

    After `fit`: selected_ int64, columns of X that are used; coef_ float64 [prepared columns], intercept_; pairs_ int64
    [products, 2] (prepared columns) with pair_coef_, of the standardised products; size_; loss_ float64 [sizes]
    """

    family: ClassVar[Family]

    def __init__(  # noqa: PLR0917 -- scikit-learn's way
        self,
        prepare: Any = None,
        candidates: int = 10,
        largest: int = 4,
        beam: int = 20,
        inner_folds: int = 5,
        seed: int = 0,
        interactions: bool = False,
        pair_level: float = 0.1,
        ridge: float = 1.0,
    ) -> None:
        self.prepare = prepare
        self.candidates = candidates
        self.largest = largest
        self.beam = beam
        self.inner_folds = inner_folds
        self.seed = seed
        self.interactions = interactions
        self.pair_level = pair_level
        self.ridge = ridge

    def _inner_count(self, strata: np.ndarray, groups: np.ndarray) -> int:
        """How many inner folds the rows allow."""
        return inner_count(strata, groups, self.inner_folds, both=True)

    def _choose(self, X: np.ndarray, y: np.ndarray, groups: Any) -> None:
        """Find the size by inner folds, then the best subset of that size."""
        groups = np.arange(len(X)) if groups is None else np.asarray(groups)
        strata = self.family.strata(y)
        self.inner_folds_ = self._inner_count(strata, groups)
        place = deal(strata, groups, self.inner_folds_, np.random.default_rng(self.seed))
        loss = np.zeros(self.largest + 1)
        for number in range(self.inner_folds_):
            train, test = place != number, place == number
            prepare, inside, candidates, best = self._search(X[train], y[train], lenient)
            outside = candidates.design(prepare.transform(X[test]))
            found = self.family.held_out(best.fits, (candidates.design(inside), y[train]), (outside, y[test]))
            loss += np.append(found, np.repeat(found[-1], self.largest + 1 - len(found)))
        self.loss_ = np.where(np.isnan(loss), np.inf, loss)
        self.prepare_, z, self.candidates_, best = self._search(X, y)
        self.size_ = min(int(np.argmin(self.loss_)), len(best.sets) - 1)
        self.tried_, self.exhaustive_ = best.tried, best.exhaustive
        self._keep(best, z, X.shape[1])

    def _search(
        self, X: np.ndarray, y: np.ndarray, copy: Any = clone
    ) -> tuple[Any, np.ndarray, Candidates, BestOfSizes]:
        prepare = StandardScaler() if self.prepare is None else copy(self.prepare)
        z = np.asarray(prepare.fit_transform(X, y), np.float64)
        candidates = choose(
            z,
            self.family.response(y),
            self.candidates,
            interactions=self.interactions,
            pair_level=self.pair_level,
        )
        best = best_of_sizes(z, y, self.family, candidates, largest=self.largest, beam=self.beam, ridge=self.ridge)
        return prepare, z, candidates, best

    def _keep(self, best: BestOfSizes, z: np.ndarray, n_columns: int) -> None:
        """Coefficients of the subset of the size chosen, for prepared columns as they come."""
        found = self.candidates_
        weights, inside = best.fits.coefficients[self.size_], best.sets[self.size_]
        count = len(found.columns)
        main = weights[:count] / found.spread
        self.coef_ = np.zeros(z.shape[1])
        self.coef_[found.columns] = main
        self.intercept_ = float(best.fits.intercepts[self.size_] - main @ found.centre)
        both = inside[found.pairs].all(axis=1)
        self.pairs_ = found.columns[found.pairs[both]]
        self.pair_coef_ = weights[count:][both]
        self._weights = weights
        self._base = float(best.fits.intercepts[self.size_])
        self.selected_ = np.unique(prepared_columns(self.prepare_, range(n_columns))[found.columns[inside]])

    def contributions(self, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Parts of the linear predictor, float64 [rows, prepared columns], and what no column gives, [rows].

        z : prepared rows. Relative to a row of the training means; a product is shared equally by its two columns
        """
        found, count = self.candidates_, len(self.candidates_.columns)
        parts = found.design(z) * self._weights
        values = np.zeros(z.shape)
        values[:, found.columns] = parts[:, :count]
        for k, pair in enumerate(found.pairs):
            values[:, found.columns[pair]] += 0.5 * parts[:, [count + k]]
        return values, np.full(len(z), self._base)

    def _linear(self, X: Any) -> np.ndarray:
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, ensure_all_finite=self._finite(), reset=False)
        design = self.candidates_.design(np.asarray(self.prepare_.transform(X), np.float64))
        return np.asarray(design @ self._weights + self._base)

    def _finite(self) -> bool | str:
        return True if self.prepare is None else "allow-nan"

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = self.prepare is not None
        return tags


class BestSubsetLogistic(ClassifierMixin, _BestSubset):
    """Logistic regression on the best subset of few columns, for two classes."""

    family = FAMILIES["binary"]

    def fit(self, X: Any, y: Any, groups: Any = None) -> BestSubsetLogistic:
        """Fit.

        X : float [rows, columns]; y : two classes; groups : of each row the patient, kept together by inner folds
        """
        X, y = validate_data(self, X, y, dtype=np.float64, ensure_all_finite=self._finite(), ensure_min_samples=4)
        check_classification_targets(y)
        self.classes_, codes = np.unique(y, return_inverse=True)
        if len(self.classes_) != 2:
            raise ValueError(
                f"Only binary classification is supported. Found {len(self.classes_)} "
                f"class{'' if len(self.classes_) == 1 else 'es'}."
            )
        self._choose(X, codes.astype(np.int64), groups)
        return self

    def decision_function(self, X: Any) -> np.ndarray:
        """Log odds of the second class, float64 [rows]."""
        return self._linear(X)

    def predict_proba(self, X: Any) -> np.ndarray:
        """Probabilities of both classes, float64 [rows, 2]."""
        second = 1 / (1 + np.exp(-np.clip(self._linear(X), -700, 700)))
        return np.column_stack([1 - second, second])

    def predict(self, X: Any) -> np.ndarray:
        """The likelier class, [rows]."""
        positive = self._linear(X) > 0
        return np.asarray(self.classes_[positive.astype(np.int64)])

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        return tags


class BestSubsetLinear(RegressorMixin, _BestSubset):
    """Least squares on the best subset of few columns."""

    family = FAMILIES["continuous"]

    def fit(self, X: Any, y: Any, groups: Any = None) -> BestSubsetLinear:
        """Fit; X : float [rows, columns]; y : float [rows]; groups : of each row the patient."""
        X, y = validate_data(
            self, X, y, dtype=np.float64, ensure_all_finite=self._finite(), ensure_min_samples=4, y_numeric=True
        )
        self._choose(X, np.asarray(y, np.float64), groups)
        return self

    def _inner_count(self, strata: np.ndarray, groups: np.ndarray) -> int:
        return max(2, min(self.inner_folds, len(np.unique(groups))))

    def predict(self, X: Any) -> np.ndarray:
        """The number expected, float64 [rows]."""
        return self._linear(X)


class BestSubsetCox(_BestSubset):
    """Cox regression on the best subset of few columns, ties after Efron."""

    family = FAMILIES["survival"]

    def fit(self, X: Any, y: Any, groups: Any = None) -> BestSubsetCox:
        """Fit; X : float [rows, columns]; y : structured (event, time) [rows]; groups : of each row the patient."""
        X = validate_data(self, X, dtype=np.float64, ensure_all_finite=self._finite(), ensure_min_samples=4)
        self._choose(X, y, groups)
        self._baseline(y, self._linear(X))
        return self

    def _inner_count(self, strata: np.ndarray, groups: np.ndarray) -> int:
        return inner_count(strata, groups, self.inner_folds, both=False)

    def _baseline(self, y: np.ndarray, risk: np.ndarray) -> None:
        """Breslow's cumulative hazard at each time of an event (Biometrics 1974;30:89)."""
        times, inverse = np.unique(y["time"], return_inverse=True)
        self._middle = float(risk.max())
        weight = np.bincount(inverse, weights=np.exp(risk - self._middle), minlength=len(times))
        deaths = np.bincount(inverse, weights=y["event"], minlength=len(times))
        self.event_times_ = times
        self.cumulative_hazard_ = np.cumsum(deaths / np.cumsum(weight[::-1])[::-1])

    def predict(self, X: Any) -> np.ndarray:
        """Log hazard relative to the mean training row, float64 [rows]; higher is earlier."""
        return self._linear(X)

    def predict_survival(self, X: Any, times: Any) -> np.ndarray:
        """Probability of no event up to each time, float64 [rows, times]; flat after the last training time."""
        place = np.searchsorted(self.event_times_, np.asarray(times, np.float64), side="right")
        hazard = np.concatenate([[0.0], self.cumulative_hazard_])[place]
        return np.exp(-np.exp(self._linear(X) - self._middle)[:, None] * hazard)


class BestSubsetParams(Section):
    """Best subsets of few columns."""

    candidates: int = Field(10, ge=1, le=60, description="columns that may enter, chosen inside each fold")
    largest: int = Field(4, ge=1, le=10, description="columns of the largest subset")
    beam: int = Field(20, ge=1, description="subsets of each size carried on where not all can be tried")
    inner_folds: int = Field(5, ge=2, description="folds inside a training part that choose the size")
    interactions: bool = Field(False, description="let products of two columns enter with both of them")
    ridge: float = Field(1.0, ge=0, description="ridge on the standardised columns; 0: maximum likelihood")


def _build(params: BestSubsetParams, kind: Kind, seed: int) -> _BestSubset:
    made = {"binary": BestSubsetLogistic, "continuous": BestSubsetLinear, "survival": BestSubsetCox}[kind]
    return made(seed=seed, **params.model_dump())


BEST_SUBSET = Method(
    "best-subset",
    ("binary", "continuous", "survival"),
    BestSubsetParams,
    _build,
    "the best few features together; candidates, number and members are found in the training rows",
)
