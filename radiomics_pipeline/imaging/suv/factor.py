"""From Bq/ml, or from a stored SUV, to the SUV asked for: normalisation over the dose that is left."""

from __future__ import annotations

import numpy as np

from radiomics_pipeline.imaging.suv.decay import undecayed
from radiomics_pipeline.imaging.suv.dose import dose_bq
from radiomics_pipeline.imaging.suv.normalise import norm_of
from radiomics_pipeline.imaging.suv.patient import table_differs
from radiomics_pipeline.imaging.suv.work import Work
from radiomics_pipeline.params.suv import Normalisation


def suv_per_activity(work: Work, target: Normalisation, *, own: bool = False) -> np.ndarray:
    """SUV of a concentration of 1 Bq/ml, float64 [z]: the normalisation's g or cm2 over the dose that is left."""
    norm = norm_of(work, target, own=own)
    left = dose_bq(work, own=own) / undecayed(work)
    work.figures["decayed_dose_bq"] = float(left[0])
    if own:
        work.note("normalisation", f"{target} undone: {norm:.6g}", normalisation=target, norm=norm)
    return norm / left


def renormalised(work: Work, stored: Normalisation, target: Normalisation) -> float:
    """Factor from a stored SUV to another normalisation; also to the weight or dose of the case table, if it differs.

    The scanner's SUV is undone with what the header says, as the scanner used that, and made again with what holds.
    """
    before = len(work.warnings)
    factor = 1.0
    if stored != target or table_differs(work, (stored, target)):
        factor = norm_of(work, target) / norm_of(work, stored, own=True)
    own_dose = dose_bq(work, own=True) if work.patient.dose_bq is not None and work.acquisition.dose_bq else None
    if own_dose is not None:
        factor *= own_dose / dose_bq(work)
    if work.patient.injected is not None:
        work.warn("the case table's time of administration is not used: the scanner stored SUV")
    if stored == target and len(work.warnings) == before:
        work.note("normalisation", f"{target}, as stored", normalisation=target)
    return factor
