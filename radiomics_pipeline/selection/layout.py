"""Where a pipeline's inputs stand among the columns of X.

X is [features | clinical | side columns]. Features and clinical columns may be learned from; a side column (the
centre, the patient, the row) only tells a step something about a row, and reaches no learner.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from radiomics_pipeline.errors import ParamsError
from radiomics_pipeline.types.columns import read_name
from radiomics_pipeline.types.outcome import Clinical
from radiomics_pipeline.types.side import Side
from radiomics_pipeline.types.table import FeatureTable

MESH_VOLUME = re.compile(r"(.+_)?(morphology_VolumeMesh|shape_MeshVolume)(_.+)?")
INPUTS = ("radiomics", "volume", "conventional", "clinical")
"""Inputs that are not further tables."""
CONVENTIONAL = ("uptake", "patient")
"""Families of indices that are read from a report without radiomics: SUVmax, SUVpeak, MTV, TLG, ..."""


@dataclass(frozen=True)
class Layout:
    """Positions of the inputs in X.

    inputs : of each input a plan can name its columns: radiomics (all features), volume, conventional, clinical, and
        the blocks of further tables
    text : those clinical columns that hold codes of texts
    side : of each side column its position; the volume may be both, a feature and told to the steps
    names : of the columns of X
    """

    inputs: Mapping[str, tuple[int, ...]]
    text: tuple[int, ...] = ()
    side: Mapping[str, int] = field(default_factory=dict)
    names: tuple[str, ...] = ()

    def has(self, inputs: tuple[str, ...]) -> bool:
        """Whether every one of these inputs has a column."""
        return all(self.inputs.get(name) for name in inputs)


def layout_of(
    columns: tuple[str, ...], clinical: Clinical | None = None, volume: str = "", side: Side | None = None
) -> Layout:
    """Positions of the inputs among the features, then the clinical columns, then the side columns.

    volume : its column's name; empty where there is none
    Raises ParamsError where a further table has the name of another input.
    """
    first = len(columns)
    categories = () if clinical is None else clinical.categories
    others = first + len(categories)
    blocks = {} if side is None else side.blocks
    taken = sorted(set(blocks) & set(INPUTS))
    if taken:
        raise ParamsError(f"a further table cannot be called {', '.join(taken)}: this names other columns")
    places = {c: i for i, c in enumerate(columns)}
    further = {c for names in blocks.values() for c in names}
    inputs = {
        "radiomics": tuple(i for i, c in enumerate(columns) if c not in further),
        "volume": (places[volume],) if volume else (),
        "conventional": tuple(i for i, c in enumerate(columns) if _is_conventional(c)),
        "clinical": tuple(range(first, others)),
    } | {name: tuple(places[c] for c in names) for name, names in blocks.items()}
    return Layout(
        inputs,
        text=tuple(first + i for i, c in enumerate(categories) if c is not None),
        side={name: others + i for i, name in enumerate(() if side is None else side.names)}
        | ({"volume": places[volume]} if volume else {}),
        names=(*columns, *(() if clinical is None else clinical.columns), *(() if side is None else side.names)),
    )


def inputs_of(table: FeatureTable, clinical: Clinical | None = None, side: Side | None = None) -> np.ndarray:
    """X, float64 [rows, features + clinical columns + side columns]."""
    parts = [table.values]
    if clinical is not None:
        parts.append(clinical.values)
    if side is not None and side.names:
        parts.append(side.values)
    return np.hstack(parts)


def find_volume(columns: tuple[str, ...], wanted: str) -> str:
    """The volume baseline's column: the one wanted, else the first mesh volume, else none (empty)."""
    if wanted:
        return wanted if wanted in columns else ""
    return next((c for c in columns if MESH_VOLUME.fullmatch(c)), "")


def _is_conventional(column: str) -> bool:
    name = read_name(column)
    return name is not None and name.family in CONVENTIONAL
