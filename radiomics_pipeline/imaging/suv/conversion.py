"""A conversion as it is handed on: factors, the rule of each step in words, and the numbers that went in."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

SUV, ACTIVITY, COUNTS = "SUV", "Bq/ml", "counts"
"""Units that a conversion can give."""


@dataclass(frozen=True)
class Conversion:
    """What rescaled intensities are multiplied with, and why.

    unit : of the result: as asked for, or with `missing` "counts" or "Bq/ml"
    factors : float64 [z], one a slice, read-only
    rule : the steps in their order, each what was done and why, in plain words, by a short name
    warnings : what was assumed, or does not fit together
    figures : the numbers and tokens that went in; NaN and "" for what was not needed
    missing : why the unit asked for cannot be had; empty where it can. Then `unit` says what the factors give instead,
        and whatever is in the unit asked for has no value.
    """

    unit: str
    factors: np.ndarray
    rule: Mapping[str, str]
    warnings: tuple[str, ...]
    figures: Mapping[str, float | str]
    missing: str = ""

    def __post_init__(self) -> None:
        factors = np.array(self.factors, np.float64)
        factors.flags.writeable = False
        object.__setattr__(self, "factors", factors)

    def row(self) -> dict[str, float | str]:
        """The conversion as one row of a table; the same columns whatever the rules taken."""
        rules = {f"rule_{step}": self.rule.get(step, "") for step in STEPS}
        figures = {name: self.figures[name] for name in FIGURES}
        return {"unit": self.unit, **figures, **rules, "missing": self.missing, "warnings": "; ".join(self.warnings)}


STEPS = (
    "rescale", "corrections", "units", "weight", "height", "sex", "dose", "half_life", "reference", "administration",
    "decay", "check", "normalisation", "factor",
)  # fmt: skip
"""Short names of the steps, in the order of the columns."""

FIGURES: dict[str, float | str] = {
    "units": "", "decay_correction": "", "reference_rule": "", "t_ref": "", "administration_rule": "", "t_adm": "",
    "elapsed_s": math.nan, "uptake_s": math.nan, "half_life_s": math.nan, "nuclide": "", "dose_bq": math.nan,
    "decayed_dose_bq": math.nan, "weight_kg": math.nan, "height_m": math.nan, "sex": "", "normalisation": "",
    "norm": math.nan, "norm_unit": "", "decay_factor_deviation": math.nan, "factor_min": math.nan,
    "factor_max": math.nan,
}  # fmt: skip
"""Names of the figures. Times are times of day, without their date; `elapsed_s` is from administration to the reference
time of the decay correction, `uptake_s` to the first acquisition; `decayed_dose_bq` is of the first slice."""
