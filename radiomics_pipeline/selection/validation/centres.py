"""Centres that a plan must have trained on to be able to predict their rows, found before anything is fitted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from sklearn.base import clone

from radiomics_pipeline.errors import ParamsError, some
from radiomics_pipeline.selection.validation.folds import Fold
from radiomics_pipeline.selection.validation.guards import parts_of


def centre_codes(X: np.ndarray, side: Sequence[str]) -> np.ndarray | None:
    """The side column of the centres, float64 [rows]; None where there is none. side : names of the last columns."""
    if "centre" not in side:
        return None
    return np.asarray(X[:, X.shape[1] - len(side) + list(side).index("centre")])


def refuse_unseen_centres(pipeline: Any, X: np.ndarray, side: Sequence[str], folds: Sequence[Fold]) -> None:
    """ParamsError where a fold tests a centre of which it trains on no row, and a step cannot harmonise such rows.

    The step itself would say so, in the fold where it happens: after all the fits before it.
    """
    codes = centre_codes(X, side)
    if codes is None:
        return
    for step in _harmonising(pipeline):
        for fold in folds:
            lacking = lacks(step, codes, fold.train, fold.test)
            if lacking:
                of = f"fold {fold.number} of repeat {fold.repeat}" + (f" ({fold.name})" if fold.name else "")
                raise ParamsError(f"harmonise: {of} {lacking}")


def suits(pipeline: Any, codes: np.ndarray | None, train: np.ndarray, test: np.ndarray) -> bool:
    """Whether every step that harmonises can be fitted to `train` and applied to `test`, as far as centres go."""
    return codes is None or not any(lacks(step, codes, train, test) for step in _harmonising(pipeline))


def lacks(step: Any, codes: np.ndarray, train: np.ndarray, test: np.ndarray) -> str:
    """Why a harmonising step cannot serve these parts; empty where it can."""
    names = tuple(step.centres)
    called = [names[int(c)] if int(c) < len(names) else f"{c:g}" for c in np.unique(codes)]
    known = {called[k] for k, c in enumerate(np.unique(codes)) if (codes[train] == c).any()}
    tested = {called[k] for k, c in enumerate(np.unique(codes)) if (codes[test] == c).any()}
    if step.reference and step.reference not in known:
        return (
            f"trains on no row of the reference centre {step.reference!r} (there are {some(sorted(known))}); leave "
            "`reference` empty, so that centres are brought to their mean, or give a centre that is always trained on"
        )
    new = sorted(tested - known)
    if new and step.unseen == "refuse":
        rows = int(np.isin(codes[test], [c for k, c in enumerate(np.unique(codes)) if called[k] in new]).sum())
        return (
            f"tests {rows} rows of {some([repr(n) for n in new])}, of which no row is trained on (there are "
            f"{some(sorted(known))}), and ComBat cannot harmonise them. Set `unseen: mean` (or `reference`) to leave "
            "such rows as they are, or `method: none`"
        )
    return ""


def lenient(pipeline: Any) -> Any:
    """An unfitted copy for inner folds: rows of a centre without training rows stay as they are.

    A small centre may stand in a single inner fold. That its rows can be harmonised where it counts, in the outer
    folds, `refuse_unseen_centres` has seen; in an inner one they help to choose a penalty or a cut, no more.
    """
    copy = clone(pipeline)
    for step in _harmonising(copy):
        if step.unseen == "refuse":
            step.set_params(unseen="reference" if step.reference else "mean")
    return copy


def _harmonising(pipeline: Any) -> Iterator[Any]:
    """The steps that take out differences between centres."""
    for part in parts_of(pipeline):
        if "centre" in getattr(part, "context", ()) and hasattr(part, "unseen"):
            yield part
