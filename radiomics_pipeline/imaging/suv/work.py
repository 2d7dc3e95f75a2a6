"""A conversion being made: what the steps read, and where they note what they did."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from radiomics_pipeline.errors import MissingMetadata, SuvError
from radiomics_pipeline.imaging.suv.conversion import FIGURES, Conversion
from radiomics_pipeline.imaging.suv.overrides import PatientOverrides
from radiomics_pipeline.params.suv import Suv
from radiomics_pipeline.types.acquisition import Acquisition


@dataclass
class Work:
    """A conversion being made: what goes in, and what is noted on the way."""

    acquisition: Acquisition
    params: Suv
    patient: PatientOverrides
    rule: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    figures: dict[str, float | str] = field(default_factory=lambda: dict(FIGURES))

    def __post_init__(self) -> None:
        self.warnings += self.acquisition.notes

    @property
    def name(self) -> str:
        """What errors call the series."""
        return self.acquisition.name

    def ones(self) -> np.ndarray:
        """A factor of 1 for every slice, float64 [z]."""
        return np.ones(len(self.acquisition.slices))

    def note(self, step: str, words: str, **figures: float | str) -> None:
        """What a step did, in words, and the figures it took; words of the same step are joined."""
        self.rule[step] = f"{self.rule[step]}; {words}" if step in self.rule else words
        self.figures.update(figures)

    def warn(self, words: str) -> None:
        """What was assumed or does not fit together, once each."""
        if words not in self.warnings:
            self.warnings.append(words)

    def lacks(self, what: str, column: str) -> MissingMetadata:
        """The error of a header that lacks what a column of the case table could give."""
        return MissingMetadata(f"{self.name}: {what}; nothing is assumed in its place: give {column} in the case table")

    def done(self, unit: str, factors: np.ndarray, missing: str = "") -> Conversion:
        """The conversion by these factors; SuvError where one is not finite and above 0."""
        if not np.all(np.isfinite(factors)) or not np.all(factors > 0):
            raise SuvError(f"{self.name}: a factor of {float(factors.min()):g} comes out, which cannot be right")
        low, high = float(factors.min()), float(factors.max())
        spread = f"{low:.9g}" if low == high else f"{low:.9g} to {high:.9g}, by slice"
        self.note("factor", f"rescaled values times {spread} give {unit}", factor_min=low, factor_max=high)
        return Conversion(unit, factors, dict(self.rule), tuple(self.warnings), dict(self.figures), missing)


def close(first: float, second: float, share: float = 0.01) -> bool:
    """Whether the first lies within a share of the second."""
    return abs(first - second) <= share * abs(second)
