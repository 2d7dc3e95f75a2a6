"""Steps one after the other, each given what it needs to know of the rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.base import TransformerMixin, clone
from sklearn.utils import get_tags
from sklearn.utils.metaestimators import _BaseComposition
from sklearn.utils.validation import _check_feature_names_in, check_is_fitted, validate_data

from radiomics_pipeline.errors import ParamsError, did_you_mean

COLUMNS = "columns"
"""What a step declares in `context` to be told which features its columns are."""


class Chain(TransformerMixin, _BaseComposition):
    """A pipeline of transformers over the features of X, whose last columns are side columns.

    X is [features | side columns]. A step that declares `context`, such as ("centre",), gets these side columns as
    keywords in fit and transform, None for one that X does not have; no step gets them as features, and none leaves
    the chain. A step that declares "columns" is told of each of its columns which feature of X it is (float64
    positions, NaN for a column made on the way; None after a step that names no columns). Each step gets y in fit, so
    that a selector can come last.

    steps : (name, unfitted transformer) in order; fitted copies are in `steps_`, the ones given stay unfitted
    side : names of X's last columns, in order
    """

    def __init__(self, steps: Sequence[tuple[str, Any]] = (), side: tuple[str, ...] = ()) -> None:
        self.steps = steps
        self.side = side

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Settings of the chain and, as name__setting, of its steps."""
        return dict(self._get_params("steps", deep=deep))

    def set_params(self, **params: Any) -> Chain:
        """Set settings of the chain, its steps, or a whole step by its name."""
        self._set_params("steps", **params)
        return self

    def fit(self, X: Any, y: Any = None) -> Chain:
        """Fit every step to what the ones before it give.

        steps_ : (name, fitted step); origin_ : float64 [columns that come out], which feature of X each one is, NaN for
            one made on the way; None where a step names no columns
        """
        self._fit(X, y)
        return self

    def fit_transform(self, X: Any, y: Any = None) -> np.ndarray:
        """Fit, and what the last step gives of X, float64 [rows, columns]."""
        return self._fit(X, y)

    def transform(self, X: Any) -> np.ndarray:
        """What the fitted steps make of the features, float64 [rows, columns]."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan", reset=False)
        values, known = self._split(X)
        for (_, step), columns in zip(self.steps_, self.columns_, strict=True):
            values = np.asarray(step.transform(values, **_told(step, {**known, COLUMNS: columns})))
        return values

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Names of the columns that come out; those of X go in, side columns included."""
        check_is_fitted(self)
        names = _check_feature_names_in(self, input_features)
        names = names[: len(names) - len(self.side)]
        for _, step in self.steps_:
            names = step.get_feature_names_out(names)
        return np.asarray(names, dtype=object)

    def __getitem__(self, name: str) -> Any:
        """The fitted step of that name."""
        check_is_fitted(self)
        found = dict(self.steps_)
        if name not in found:
            raise KeyError(f"no step {name!r}{did_you_mean(name, found)}; there are {', '.join(found)}")
        return found[name]

    def _fit(self, X: Any, y: Any) -> np.ndarray:
        self._check_settings()
        X = validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan")
        values, known = self._split(X)
        fitted, columns = [], []
        place = {f"feature {c} of X": float(c) for c in range(values.shape[1])}
        names: np.ndarray | None = np.array(list(place), dtype=object)
        for name, step in self.steps:
            copy = clone(step)
            columns.append(_places(names, place))
            told = _told(copy, {**known, COLUMNS: columns[-1]})
            values = np.asarray(copy.fit(values, y, **told).transform(values, **told))
            named = names is not None and hasattr(copy, "get_feature_names_out")
            names = copy.get_feature_names_out(names) if named else None
            fitted.append((name, copy))
        self.steps_, self.columns_, self.origin_ = fitted, columns, _places(names, place)
        return values

    def _split(self, X: np.ndarray) -> tuple[np.ndarray, Mapping[str, np.ndarray]]:
        """Features, and the side columns by name."""
        first = X.shape[1] - len(self.side)
        if first < 1:
            raise ParamsError(f"X has {X.shape[1]} columns, {len(self.side)} of them side columns: no feature is left")
        return X[:, :first], {name: X[:, first + i] for i, name in enumerate(self.side)}

    def _check_settings(self) -> None:
        names = [name for name, _ in self.steps]
        for what, listed in (("step", names), ("side column", list(self.side))):
            twice = sorted({name for name in listed if listed.count(name) > 1})
            if twice:
                raise ParamsError(f"{what} {twice[0]!r} is named twice in the chain")
        if COLUMNS in self.side:
            raise ParamsError(f"a side column cannot be called {COLUMNS!r}: the chain itself tells steps of columns")
        for name, step in self.steps:
            if not (hasattr(step, "fit") and hasattr(step, "transform")):
                raise ParamsError(f"step {name!r}: {type(step).__name__} has no fit and transform")
        self._validate_names(names)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        steps = [step for _, step in self.steps]
        tags.input_tags.allow_nan = not steps or bool(get_tags(steps[0]).input_tags.allow_nan)
        tags.target_tags.required = any(get_tags(step).target_tags.required for step in steps)
        return tags


def _places(names: np.ndarray | None, place: Mapping[str, float]) -> np.ndarray | None:
    """Position of each name, float64 [names], NaN for an unknown one; None where there are no names."""
    return None if names is None else np.array([place.get(str(name), np.nan) for name in names])


def _told(step: Any, known: Mapping[str, np.ndarray | None]) -> dict[str, np.ndarray | None]:
    """What a step asks for in `context`."""
    return {name: known.get(name) for name in getattr(step, "context", ())}
