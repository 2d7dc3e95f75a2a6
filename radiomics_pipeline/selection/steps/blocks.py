"""Selection inside blocks of features, so that a large block cannot crowd out a small one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field
from sklearn.base import clone
from sklearn.utils.validation import validate_data

from radiomics_pipeline.errors import ParamsError, some
from radiomics_pipeline.params.base import Section
from radiomics_pipeline.selection.columns import INDICATOR
from radiomics_pipeline.selection.registry import Method, method_named
from radiomics_pipeline.selection.steps.calibrated_stability import STABL
from radiomics_pipeline.selection.steps.choosing import Choice, Selector, check_keep
from radiomics_pipeline.selection.steps.elimination import ELIMINATION
from radiomics_pipeline.selection.steps.mrmr import MRMR
from radiomics_pipeline.selection.steps.penalised_choice import ELASTIC_NET, LASSO
from radiomics_pipeline.selection.steps.screen import SCREEN, Screen
from radiomics_pipeline.selection.steps.shadow import SHADOW
from radiomics_pipeline.selection.steps.stability import STABILITY
from radiomics_pipeline.selection.steps.target import KindOrAuto, Target, patients_of, read_target
from radiomics_pipeline.types.columns import read_name
from radiomics_pipeline.types.outcome import KINDS, Kind

OTHER = "other"
BLOCK_OF_FAMILY = {
    "morphology": "shape",
    "shape": "shape",
    "shape2D": "shape",
    "intensity": "intensity",
    "histogram": "intensity",
    "ivh": "intensity",
    "localintensity": "intensity",
    "uptake": "intensity",
    "firstorder": "intensity",
    "glcm": "texture",
    "glrlm": "texture",
    "glszm": "texture",
    "gldzm": "texture",
    "ngtdm": "texture",
    "ngldm": "texture",
    "gldm": "texture",
    "polarmap": "polarmap",
    "gated": "gated",
    "patient": "patient",
}
"""The block of every family of types.columns.FAMILIES."""


def blocks_of(columns: Sequence[str]) -> tuple[str, ...]:
    """The block of every column by its name: shape, intensity, texture, polarmap, gated, patient, or other.

    Read by the grammar of our columns (types.columns), PyRadiomics' names included; "missing_<name>", as the
    imputation step writes, goes with its column. What the grammar does not read, such as clinical columns, is other.
    """
    found = []
    for column in columns:
        name = read_name(column) or read_name(column.removeprefix(INDICATOR))
        found.append(OTHER if name is None else BLOCK_OF_FAMILY[name.family])
    return tuple(found)


class Blocks(Selector):
    """A selector in every block of columns, each keeping at most `keep_each`.

    blocks : name of the block of every column; None: by `blocks_of` where X names its columns, else one block
    selector : unfitted selector, refitted in every block with keep=keep_each; None: Screen
    keep_each : columns of a block at most

    In a chain, columns were dropped before. Then `blocks` names those that the chain began with, and `columns` (of
    fit) the position among them of every column of X; NaN, for a column made on the way, is a block of its own, other.

    A block whose selector finds nothing gives none, unless no block finds anything: then the first block's best one
    is kept. `order_` takes the first choice of every block, then the second ones; `scores_` are those inside blocks.
    """

    context: ClassVar[tuple[str, ...]] = ("columns", "patient")

    def __init__(
        self,
        blocks: tuple[str, ...] | None = None,
        selector: Any = None,
        keep_each: int = 5,
        kind: KindOrAuto = "auto",
    ) -> None:
        self.blocks = blocks
        self.selector = selector
        self.keep_each = keep_each
        self.kind = kind

    def fit(self, X: Any, y: Any, *, columns: Any = None, patient: Any = None) -> Blocks:
        """Choose columns in every block.

        X, y, patient : as of every selector; columns : float64 [columns of X], see the class

        Besides support_, order_, scores_ and nothing_found_: block_, the block of every column (str [columns]), and
        selectors_, the selector of every block with what it found there.
        """
        X = validate_data(self, X, None if y is None else "no_validation", dtype=np.float64, ensure_min_samples=2)
        self.block_ = self._block_of(X.shape[1], columns)
        self._fit(X, read_target(y, self.kind, len(X)), patients_of(patient, len(X)))
        return self

    def transform(self, X: Any, *, columns: Any = None, patient: Any = None) -> np.ndarray:
        """The chosen columns in their old order, float64 [rows, chosen]."""
        return super().transform(X)

    def _block_of(self, n_columns: int, columns: Any) -> np.ndarray:
        if self.blocks is None:
            names = getattr(self, "feature_names_in_", None)
            found = [OTHER] * n_columns if names is None else list(blocks_of([str(name) for name in names]))
            return np.array(found, dtype=object)
        if columns is None:
            if len(self.blocks) != n_columns:
                raise ParamsError(f"{len(self.blocks)} blocks for {n_columns} columns; name the block of each column")
            return np.array(self.blocks, dtype=object)
        at = np.asarray(columns, np.float64)
        if at.shape != (n_columns,):
            raise ParamsError(f"positions of shape {at.shape} for {n_columns} columns")
        known = ~np.isnan(at)
        wrong = at[known & ~((at >= 0) & (at < len(self.blocks)) & (at == np.round(at)))]
        if len(wrong):
            raise ParamsError(f"columns {some(wrong)} are no positions among {len(self.blocks)} blocks")
        found = [self.blocks[int(p)] if ok else OTHER for p, ok in zip(at, known, strict=True)]
        return np.array(found, dtype=object)

    def _choose(self, X: np.ndarray, target: Target, patients: np.ndarray) -> Choice:
        check_keep(self.keep_each, "keep_each")
        scores = np.full(X.shape[1], np.nan)
        self.selectors_: dict[str, Any] = {}
        chosen: list[np.ndarray] = []
        for block in sorted(set(self.block_)):
            inside = np.flatnonzero(self.block_ == block)
            selector = clone(Screen() if self.selector is None else self.selector)
            if not isinstance(selector, Selector) or isinstance(selector, Blocks) or not hasattr(selector, "keep"):
                raise ParamsError(f"{type(selector).__name__} cannot choose inside blocks; take another selector")
            selector.set_params(keep=self.keep_each)
            selector._fit(X[:, inside], target, patients)
            self.selectors_[block] = selector
            scores[inside] = selector.scores_
            if not selector.nothing_found_:
                chosen.append(inside[selector.order_])
        longest = max((len(order) for order in chosen), default=0)
        order = [int(found[k]) for k in range(longest) for found in chosen if k < len(found)]
        return Choice(np.array(order, np.int64), scores)


INSIDE = (SCREEN, MRMR, STABILITY, STABL, LASSO, ELASTIC_NET, ELIMINATION, SHADOW)
"""Selectors that can work inside blocks."""


class BlocksParams(Section):
    """A selector inside every block of features."""

    selector: Literal["screen", "mrmr", "stability", "stabl", "lasso", "elastic-net", "elimination", "shadow"] = Field(
        "mrmr", description="what chooses inside a block, with its default settings"
    )
    keep_each: int = Field(5, ge=1, description="at most so many features of a block")
    blocks: tuple[str, ...] | None = Field(
        None, description="block of every column of the table; empty: by the columns' names"
    )


def _build(params: BlocksParams, kind: Kind, seed: int) -> Any:
    inside = method_named(params.selector, INSIDE).make({}, kind, seed)
    return Blocks(params.blocks, inside, params.keep_each, kind)


BLOCKS = Method(
    "blocks",
    KINDS,
    BlocksParams,
    _build,
    "a selector inside every block (shape, intensity, texture, ...), so that none crowds out another",
)
