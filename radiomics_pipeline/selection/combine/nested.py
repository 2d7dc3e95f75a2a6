"""The tests of columns that were declared beforehand, over what a study has beside them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from radiomics_pipeline.errors import ParamsError, did_you_mean
from radiomics_pipeline.selection.columns import regressors
from radiomics_pipeline.selection.combine.declared import declared_lrt
from radiomics_pipeline.selection.combine.families import FAMILIES
from radiomics_pipeline.selection.study import Study
from radiomics_pipeline.types.combination import NestedTestRow

BASES = ("", "clinical", "volume", "conventional")
"""Inputs over which the declared columns are tested; the first is a constant alone."""


def check_declared(declared: Sequence[str], columns: Sequence[str]) -> None:
    """Raises ParamsError where a declared name is not that of a feature."""
    for name in declared:
        if name not in columns:
            hint = did_you_mean(name, columns)
            raise ParamsError(f"combination.declared: {name!r} is not among the features{hint}")


def declared_rows(study: Study, declared: Sequence[str]) -> tuple[tuple[NestedTestRow, ...], tuple[str, ...]]:
    """What all declared columns together add to each of the baselines' columns, and why a test is not there.

    Rows of our own that have every column. A declared column that a baseline has already is tested over the others.
    """
    if not declared:
        return (), ()
    if study.outcome.kind not in FAMILIES:
        return (), (f"declared columns: no likelihood ratio test for a {study.outcome.kind} outcome",)
    rows, notes = [], []
    for base in BASES:
        columns = study.layout.inputs[base] if base else ()
        if base and not columns:
            continue
        try:
            rows.append(_row(study, base, columns, declared))
        except ParamsError as why:
            notes.append(f"declared columns over {base or 'a constant'}: {why}")
    return tuple(rows), tuple(notes)


def _row(study: Study, base: str, columns: Sequence[int], declared: Sequence[str]) -> NestedTestRow:
    X, text = study.X[study.own], study.layout.text
    place = {name: c for c, name in enumerate(study.table.columns)}
    added = [name for name in declared if place[name] not in columns]
    if not added:
        raise ParamsError("the base has them all; there is nothing to test")
    small = regressors(X, columns, text)
    large = X[:, [place[name] for name in added]]
    whole = np.flatnonzero(np.isfinite(small).all(axis=1) & np.isfinite(large).all(axis=1))
    outcome = study.outcome.rows(study.own[whole])
    if len(whole) < 3 or not FAMILIES[outcome.kind].can_fit(outcome.y):
        raise ParamsError(f"{len(whole)} rows have all columns, or their outcomes are all the same")
    lost = len(study.own) - len(whole)
    return declared_lrt(
        small[whole],
        large[whole],
        outcome,
        added,
        base_names=(base,) if base else (),
        patient=study.patients[study.own][whole].tolist(),
        note=f"{lost} rows lack a value" if lost else "",
    )
