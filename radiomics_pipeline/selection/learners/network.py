"""Neural networks with one hidden layer, several of which are averaged."""

from __future__ import annotations

import warnings
from typing import Any, Literal

import numpy as np
from pydantic import Field
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier, MLPRegressor

from radiomics_pipeline.params.base import Section
from radiomics_pipeline.selection.learners.inner import ClassLearner, NumberLearner, class_folds, log_loss, number_folds
from radiomics_pipeline.selection.learners.rotation import rotate
from radiomics_pipeline.selection.registry import Method
from radiomics_pipeline.types.outcome import Kind

Activation = Literal["tanh", "logistic", "relu"]
ROW_SIZE = 4.0
"""Root mean square length of a training row as networks see it, so that penalties mean the same for any columns."""


class _Network:
    """What both networks have; see NetworkClassifier."""

    def __init__(  # noqa: PLR0917 -- scikit-learn's way
        self,
        hidden: int = 8,
        penalties: tuple[float, ...] = (30.0, 10.0, 3.0, 1.0),
        nets: int = 5,
        activation: Activation = "tanh",
        steps: int = 200,
        inner_folds: int = 5,
        seed: int = 0,
    ) -> None:
        self.hidden = hidden
        self.penalties = penalties
        self.nets = nets
        self.activation = activation
        self.steps = steps
        self.inner_folds = inner_folds
        self.seed = seed

    def _seen(self, X: np.ndarray) -> np.ndarray:
        return np.asarray((X - self.mean_) @ self.axes_ if self.axes_ is not None else (X - self.mean_) / self.size_)

    def _learn_scale(self, X: np.ndarray) -> np.ndarray:
        """Centred rows of one length; columns become principal scores where they are more than the rows."""
        self.mean_ = X.mean(axis=0)
        self.size_ = max(float(np.sqrt(((X - self.mean_) ** 2).sum(axis=1).mean())), 1e-12) / ROW_SIZE
        self.axes_ = rotate(X).axes / self.size_ if X.shape[1] > X.shape[0] else None
        return self._seen(X)

    def _net(self, estimator: Any, Z: np.ndarray, y: np.ndarray, penalty: float, number: int) -> Any:
        model = estimator(
            hidden_layer_sizes=(self.hidden,),
            activation=self.activation,
            solver="lbfgs",
            alpha=penalty,
            max_iter=self.steps,
            max_fun=100 * self.steps,
            random_state=int(np.random.SeedSequence([self.seed, number]).generate_state(1)[0] % 2**31),
        )
        with warnings.catch_warnings():  # ending after `steps` is meant
            warnings.simplefilter("ignore", ConvergenceWarning)
            return model.fit(Z, y)

    def _choose(self, estimator: Any, Z: np.ndarray, y: np.ndarray, place: np.ndarray, loss: Any) -> float:
        """The penalty of the smallest loss of rows left out; of equal ones the largest."""
        penalties = sorted(self.penalties, reverse=True)
        if len(penalties) == 1 or not place.any():
            return penalties[0]
        total = np.zeros(len(penalties))
        for fold in range(int(place.max()) + 1):
            train, test = place != fold, place == fold
            for k, penalty in enumerate(penalties):
                total[k] += loss(self._net(estimator, Z[train], y[train], penalty, fold), Z[test], y[test])
        return penalties[int(np.argmin(total))]


class NetworkClassifier(_Network, ClassLearner):
    """Mean probability of networks with one hidden layer, fitted from different starts (L-BFGS, L2 penalty).

    Where columns are more than rows their principal scores are the inputs: the same network, since rows do not differ
    in any other direction. Rows are scaled as a whole, by one number.

    hidden : units; penalties : sum of squared weights / 2 times this is added to the sum of losses; the one of the
    smallest log loss of rows left out is taken; nets : how many are averaged; activation : of the hidden units
    steps : of the optimiser, at most; inner_folds, seed : of inner folds and starts

    penalty_ : the one used; nets_ : the networks
    """

    def _fit(self, X: np.ndarray, codes: np.ndarray, groups: np.ndarray) -> None:
        Z = self._learn_scale(X)
        place = np.zeros(len(X), np.int64)
        if len(self.penalties) > 1:
            place = class_folds(codes, groups, self.inner_folds, self.seed)
        self.penalty_ = self._choose(
            MLPClassifier, Z, codes, place, lambda net, rows, y: log_loss(y, net.predict_proba(rows))
        )
        self.nets_ = [self._net(MLPClassifier, Z, codes, self.penalty_, 1000 + n) for n in range(self.nets)]

    def _probability(self, X: np.ndarray) -> np.ndarray:
        Z = self._seen(X)
        return np.asarray(np.mean([net.predict_proba(Z) for net in self.nets_], axis=0))


class NetworkRegressor(_Network, NumberLearner):
    """As NetworkClassifier, for a number, standardised inside."""

    def _fit(self, X: np.ndarray, y: np.ndarray, groups: np.ndarray) -> None:
        Z = self._learn_scale(X)
        self.level_, self.spread_ = float(y.mean()), float(y.std()) or 1.0
        z = (y - self.level_) / self.spread_
        place = number_folds(y, groups, self.inner_folds, self.seed)
        self.penalty_ = self._choose(
            MLPRegressor, Z, z, place, lambda net, rows, t: float(((net.predict(rows) - t) ** 2).sum())
        )
        self.nets_ = [self._net(MLPRegressor, Z, z, self.penalty_, 1000 + n) for n in range(self.nets)]

    def _number(self, X: np.ndarray) -> np.ndarray:
        Z = self._seen(X)
        return np.asarray(self.level_ + self.spread_ * np.mean([net.predict(Z) for net in self.nets_], axis=0))


class NetworkParams(Section):
    """Networks with one hidden layer."""

    hidden: int = Field(8, ge=1, description="hidden units")
    penalties: tuple[float, ...] = Field(
        (30.0, 10.0, 3.0, 1.0), min_length=1, description="L2 penalties to choose among"
    )
    nets: int = Field(5, ge=1, description="networks that are averaged")
    activation: Activation = Field("tanh", description="of the hidden units")
    steps: int = Field(200, ge=1, description="steps of the optimiser, at most")
    inner_folds: int = Field(5, ge=2, description="inner folds, for the penalty")


class StudyNetworkParams(NetworkParams):
    """Fifteen hidden units with logistic activation, as the ventilation-perfusion study of 1993 had."""

    hidden: int = Field(15, ge=1, description="hidden units")
    activation: Activation = Field("logistic", description="of the hidden units")


def _build(params: NetworkParams, kind: Kind, seed: int) -> Any:
    return (NetworkRegressor if kind == "continuous" else NetworkClassifier)(**params.model_dump(), seed=seed)


_KINDS: tuple[Kind, ...] = ("binary", "multiclass", "ordinal", "continuous")
NETWORK = Method(
    "network", _KINDS, NetworkParams, _build, "neural networks with one hidden layer, averaged", {"hidden": (4, 8, 16)}
)
NETWORK_28_15_1 = Method(
    "network-28-15-1",
    ("binary",),
    StudyNetworkParams,
    _build,
    "neural network with 15 hidden units, as in the ventilation-perfusion study (28 inputs there, here the features)",
)
