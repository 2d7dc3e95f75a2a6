"""What every combination of a fold's candidates explains, on its training rows and on the rows left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.preprocessing import StandardScaler

from radiomics_pipeline.params.combination import CombinationParams
from radiomics_pipeline.selection.columns import prepared_columns
from radiomics_pipeline.selection.combine.families import Family, Fits, measure_of
from radiomics_pipeline.selection.combine.screen import choose
from radiomics_pipeline.selection.combine.subsets import all_subsets
from radiomics_pipeline.stats.concordance import harrell_c_of
from radiomics_pipeline.stats.delong import auc_delong


@dataclass(frozen=True)
class Study:
    """What dominance analysis looks at; aligned arrays.

    X : float64 [rows, columns], raw, with NaN cells where `prepare` takes them; y : as of `Outcome.y`
    patient : int64 [rows]
    prepare : unfitted transformer, refitted in every fold (and, for blocks, for every block); None: scaling only
    family : the likelihood; params : settings
    players : int64 [columns], the number under which each column's contribution is booked, such as its cluster's
    blocks : of each block its columns; empty: every column is a player of its own
    """

    X: np.ndarray
    y: np.ndarray
    patient: np.ndarray
    prepare: Any
    family: Family
    params: CombinationParams
    players: np.ndarray
    blocks: Mapping[str, Sequence[int]]


@dataclass(frozen=True)
class Worths:
    """All combinations of one fold's candidates; row r of the arrays holds candidate i where bit i of r is 1.

    players : int64 [k], who the candidates are
    fit : float64 [2^k], measure of the fit on training rows, 0 for the empty model
    loss : float64 [2^k], deviance of the rows left out; size : what it is divided by (Family.size)
    score : float64 [2^k], AUC, C or R2 of the rows left out; empty where not asked for
    columns : of each candidate the columns of X behind it
    """

    players: np.ndarray
    fit: np.ndarray
    loss: np.ndarray
    size: int
    score: np.ndarray
    columns: tuple[tuple[int, ...], ...]


def worths_of(study: Study, train: np.ndarray, test: np.ndarray, *, scored: bool = False) -> Worths | None:
    """Worths of one split of the rows; None where a part lacks what a fit needs (a class, an event)."""
    y_train, y_test = study.y[train], study.y[test]
    if not study.family.can_fit(y_train) or not len(test):
        return None
    inside, outside, members, names, columns = _design(study, train, test)
    sets = all_subsets(len(names))
    masks = members(sets)
    fits = study.family.fit(inside, y_train, masks, study.params.ridge)
    measure = measure_of(study.family, study.params.measure)
    fit = study.family.explained(fits, y_train, measure)
    loss = study.family.held_out(fits, (inside, y_train), (outside, y_test))
    score = _scores(fits, outside, y_test, loss) if scored else np.zeros(0)
    return Worths(names, fit, loss, study.family.size(y_test, measure), score, columns)


def _design(study: Study, train: np.ndarray, test: np.ndarray) -> tuple[Any, ...]:
    """Designs of both parts, what turns sets of players into sets of columns, the players, their columns of X."""
    response = study.family.response(study.y[train])
    if not study.blocks:
        inside, outside, origin = _prepared(study, np.arange(study.X.shape[1]), train, test)
        params = study.params
        found = choose(
            inside,
            response,
            params.candidates,
            interactions=params.interactions,
            pair_level=params.pair_level,
            pair_columns=params.pair_columns,
        )
        columns = origin[found.columns]
        return (
            found.design(inside),
            found.design(outside),
            found.masks,
            study.players[columns],
            tuple((int(c),) for c in columns),
        )
    designs, sizes, behind = [], [], []
    for places in study.blocks.values():
        inside, outside, origin = _prepared(study, np.asarray(places, np.int64), train, test)
        found = choose(inside, response, study.params.per_block)
        designs.append((found.design(inside), found.design(outside)))
        sizes.append(len(found.columns))
        behind.append(tuple(int(c) for c in origin[found.columns]))
    return (
        np.hstack([d[0] for d in designs]),
        np.hstack([d[1] for d in designs]),
        lambda sets: np.repeat(sets, sizes, axis=1),
        np.arange(len(sizes)),
        tuple(behind),
    )


def _prepared(
    study: Study, places: np.ndarray, train: np.ndarray, test: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Prepared training and test rows of these columns, and the column of X that each prepared one came from."""
    prepare = StandardScaler() if study.prepare is None else clone(study.prepare)
    inside = prepare.fit_transform(study.X[np.ix_(train, places)], study.y[train])
    outside = prepare.transform(study.X[np.ix_(test, places)])
    return np.asarray(inside, np.float64), np.asarray(outside, np.float64), prepared_columns(prepare, places)


def _scores(fits: Fits, outside: np.ndarray, y: np.ndarray, loss: np.ndarray) -> np.ndarray:
    """AUC, C or R2 of every model on the rows left out."""
    risk = fits.linear(outside).T
    if y.dtype.names:
        return harrell_c_of(risk, y).index
    if y.dtype.kind == "i":
        return auc_delong(risk, y == 1).area
    return np.asarray(1.0 - loss / loss[0])
