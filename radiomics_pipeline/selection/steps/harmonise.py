"""Differences between centres, scanners or protocols, taken out by what the training rows show."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from radiomics_pipeline.errors import ParamsError, TableError, did_you_mean, some
from radiomics_pipeline.selection.steps.usable import is_measured
from radiomics_pipeline.stats.combat import apply_combat, fit_combat

UNSEEN = ("refuse", "reference", "mean")


class ComBat(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """ComBat over centres, fitted to training rows, applied to any rows of those centres.

    Johnson 2007 (doi 10.1093/biostatistics/kxj037), Fortin 2018 (doi 10.1016/j.neuroimage.2017.11.024). The outcome is
    no covariate: `fit` does not look at y, and there are no other covariates. (A ComBat told to preserve the outcome
    moves the rows of a class together, which a model then finds again.) So a difference between centres that is one of
    their patients is taken out as well.

    parametric : priors as normal and inverse gamma distributions, or as observed over the columns
    mean_only : correct shifts and leave scales; a centre of a single training row is always treated so
    reference : name of the centre whose values stay as they are; empty: towards the mean over all training rows
    unseen : rows of a centre without training rows. "refuse": TableError that names it. Otherwise they keep the values
        they have, taken to be measured like the "reference" centre, or like the "mean" of the training rows (without
        a reference): to estimate their shift would take rows that are to be predicted
    centres : names of the centres by code, where `centre` holds positions (`Side.centres`); empty: codes are names

    Columns of at most two different training values (codes, indicators) and columns that are constant inside all
    centres are left alone, and tell nothing about others.
    """

    context: ClassVar[tuple[str, ...]] = ("centre",)

    def __init__(
        self,
        parametric: bool = True,
        mean_only: bool = False,
        reference: str = "",
        unseen: Literal["refuse", "reference", "mean"] = "refuse",
        centres: tuple[str, ...] = (),
    ) -> None:
        self.parametric = parametric
        self.mean_only = mean_only
        self.reference = reference
        self.unseen = unseen
        self.centres = centres

    def fit(self, X: Any, y: Any = None, *, centre: Any = None) -> ComBat:
        """Learn shifts and scales; y is not looked at.

        centre : of each row a name, or a code (see `centres`); None: one centre, nothing to take out
        centres_ : names of the training centres; rows_ : of each its number of rows; columns_ : bool, harmonised ones
        combat_ : `stats.combat.Combat` of those columns
        """
        self._check_settings()
        X = validate_data(self, X, dtype=np.float64)
        found, batch = np.unique(self._names(centre, len(X)), return_inverse=True)
        self.centres_ = tuple(str(name) for name in found)
        self.rows_ = np.bincount(batch)
        reference = None
        if self.reference and centre is not None:
            reference = self._reference_position()
        self.columns_ = is_measured(X)
        self.combat_ = fit_combat(
            X[:, self.columns_],
            batch,
            parametric=self.parametric,
            mean_only=self.mean_only,
            reference=reference,
        )
        return self

    def transform(self, X: Any, *, centre: Any = None) -> np.ndarray:
        """Harmonised values, each row by itself, float64 [rows, columns].

        raises : TableError where a row's centre has no training rows and `unseen` is "refuse", or centres were given
            to fit and are not now, or the other way round
        """
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        if (centre is None) != (self.centres_ == ("",)):
            known = "without centres" if self.centres_ == ("",) else f"to the centres {some(self.centres_)}"
            given = "not known" if centre is None else "given"
            raise TableError(f"ComBat was fitted {known}; here the centre of each row is {given}")
        names = self._names(centre, len(X), further=True)
        place = {name: b for b, name in enumerate(self.centres_)}
        batch = np.array([place.get(str(name), -1) for name in names], np.int64)
        new = sorted({str(name) for name in names[batch < 0]})
        if new and self.unseen == "refuse":
            raise TableError(
                f"{int((batch < 0).sum())} rows are of {some(repr(n) for n in new)}, of which ComBat saw no training "
                f"row (it knows {some(self.centres_)}). Choose unseen='mean' (or 'reference') to leave such rows as "
                "they are, or leave harmonisation out"
            )
        out = X.copy()
        out[:, self.columns_] = apply_combat(X[:, self.columns_], batch, self.combat_)
        return out

    def _names(self, centre: Any, n_rows: int, *, further: bool = False) -> np.ndarray:
        """Name of each row's centre, str [rows]; "" where there are none.

        further : codes past the names are allowed, of centres that were not known when the names were given
        """
        if centre is None:
            return np.full(n_rows, "")
        given = np.asarray(centre)
        if given.shape != (n_rows,):
            raise TableError(f"centre: {given.shape} values for {n_rows} rows; give one for each row")
        if given.dtype.kind not in "iuf":
            names = given.astype(str)
        elif np.isnan(given.astype(np.float64)).any():
            raise TableError(f"{int(np.isnan(given).sum())} rows have no centre; name it, or leave harmonisation out")
        elif self.centres:
            codes = given.astype(np.int64)
            known = len(self.centres)
            if (codes != given).any() or codes.min() < 0 or (codes.max() >= known and not further):
                raise TableError(f"centre: codes {some(np.unique(given))} for {len(self.centres)} names of centres")
            others = [f"further centre {i}" for i in range(1, int(codes.max()) - known + 2)]
            names = np.array([*self.centres, *others], dtype=object)[codes].astype(str)
        else:
            names = np.array([f"{code:g}" for code in given], dtype=object).astype(str)
        if (names == "").any():
            raise TableError(f"{int((names == '').sum())} rows have no centre; name it, or leave harmonisation out")
        return names

    def _reference_position(self) -> int:
        """Position of the reference among the training centres."""
        if self.reference not in self.centres_:
            hint = did_you_mean(self.reference, self.centres_)
            raise TableError(
                f"reference centre {self.reference!r} has no training row{hint}; there are {some(self.centres_)}. "
                "Harmonise towards the mean of the centres instead (reference='')"
            )
        position = self.centres_.index(self.reference)
        if self.rows_[position] < 2:
            raise TableError(f"reference centre {self.reference!r} has one training row; its spread cannot be seen")
        return position

    def _check_settings(self) -> None:
        if self.unseen not in UNSEEN:
            raise ParamsError(f"unseen {self.unseen!r} is not one of {', '.join(UNSEEN)}")
        if self.unseen == "reference" and not self.reference:
            raise ParamsError("unseen='reference' needs a reference centre; without one choose 'mean' or 'refuse'")
        if self.unseen == "mean" and self.reference:
            raise ParamsError("unseen='mean' goes without a reference centre; choose 'reference' or 'refuse'")
