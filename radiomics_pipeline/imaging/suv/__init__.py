"""From stored PET and SPECT intensities to SUV or Bq/ml, with the rule taken at each step.

The rules are those of the IBSI's work on SUV (https://oncoray.github.io/suv_computation, after QIBA's), tested against
its reference objects; where they leave a choice, the docstring of the function that chooses says what is chosen. A
header from which no SUV follows is refused; whatever is assumed is a warning.
"""

from radiomics_pipeline.imaging.suv.conversion import ACTIVITY, COUNTS, FIGURES, STEPS, SUV, Conversion
from radiomics_pipeline.imaging.suv.half_life import HALF_LIVES_S
from radiomics_pipeline.imaging.suv.overrides import NO_OVERRIDES, PatientOverrides
from radiomics_pipeline.imaging.suv.times import time_of_day
from radiomics_pipeline.imaging.suv.to_unit import apply, convert, to_activity, to_counts, to_suv

__all__ = [
    "ACTIVITY",
    "COUNTS",
    "FIGURES",
    "HALF_LIVES_S",
    "NO_OVERRIDES",
    "STEPS",
    "SUV",
    "Conversion",
    "PatientOverrides",
    "apply",
    "convert",
    "time_of_day",
    "to_activity",
    "to_counts",
    "to_suv",
]
