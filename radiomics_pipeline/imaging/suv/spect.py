"""SPECT: to Bq/ml by the header's mapping or the camera's factor, and on to SUV."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from radiomics_pipeline.errors import MissingMetadata, SuvError
from radiomics_pipeline.imaging.suv.conversion import ACTIVITY, COUNTS, SUV, Conversion
from radiomics_pipeline.imaging.suv.factor import suv_per_activity
from radiomics_pipeline.imaging.suv.work import Work


def convert_spect(work: Work, unit: str) -> Conversion:
    """SPECT: Bq/ml by the header's unit code or the camera's factor, SUV where dose and times are known; else as is."""
    a = work.acquisition
    work.figures.update(units=a.units or a.mapping_unit, decay_correction=a.decay_correction)
    activity, why_not = _spect_activity(work)
    if activity is None:
        work.note("units", f"counts, as stored: {why_not}")
        return work.done(COUNTS, work.ones(), missing=f"the image is in counts: {why_not}")
    if unit == ACTIVITY:
        return work.done(ACTIVITY, activity)
    try:
        factors = activity * suv_per_activity(_dated(work), work.params.normalisation)
    except MissingMetadata as e:
        lacking = str(e).removeprefix(f"{work.name}: ")
        return work.done(ACTIVITY, activity, missing=f"the image is in Bq/ml, not in SUV: {lacking}")
    return work.done(SUV, factors)


def _spect_activity(work: Work) -> tuple[np.ndarray | None, str]:
    """Bq/ml per rescaled value, float64 [z], or why there is none."""
    a, camera = work.acquisition, work.params.camera_factor
    if a.corrections and "ATTN" not in a.corrections:
        return None, "CorrectedImage (0028,0051) has no ATTN: not corrected for attenuation"
    scale = {"bq/ml": 1.0, "kbq/ml": 1e3, "mbq/ml": 1e6}.get(a.mapping_unit.lower())
    if scale is not None:
        if any(s.mapping is None or s.mapping[1] != 0 or s.rescale_intercept != 0 for s in a.slices):
            what = f"RealWorldValueMapping to {a.mapping_unit} has an intercept, or is not in all slices"
            raise SuvError(f"{work.name}: {what}; export the series again")
        if camera is not None:
            work.warn("the camera factor of the parameters is not used: the header maps to Bq/ml itself")
        work.note("units", f"RealWorldValueMapping to {a.mapping_unit}")
        _warn_of_attenuation(work)
        return np.array([scale * s.mapping[0] / s.rescale_slope for s in a.slices if s.mapping]), ""
    if camera is None:
        code = f"RealWorldValueMapping is to {a.mapping_unit!r}" if a.mapping_unit else "the header names no unit"
        return None, f"{code}, and the parameters have no camera_factor"
    if (camera.model and camera.model != a.model) or (camera.nuclide and camera.nuclide != a.nuclide):
        return None, "camera_factor is of another camera or radionuclide"
    if camera.per == "count/s" and not a.collected_s:
        return None, "camera_factor is per count per second, and the header does not say the time of collection"
    if not camera.model or not camera.nuclide:
        work.warn("camera_factor does not name its camera and radionuclide, so it is not checked whether it fits")
    _warn_of_attenuation(work)
    seconds = a.collected_s if camera.per == "count/s" and a.collected_s else 1.0
    during = f", collected in {seconds:g} s" if camera.per == "count/s" else ""
    work.note("units", f"counts times the camera's factor, {camera.value:g} Bq/ml per {camera.per}{during}")
    return work.ones() * (camera.value / seconds), ""


def _warn_of_attenuation(work: Work) -> None:
    if not work.acquisition.corrections:
        work.warn("CorrectedImage (0028,0051) is missing: whether attenuation was corrected for is not said")


def _dated(work: Work) -> Work:
    """The same, with NONE for a missing DecayCorrection where nothing says that decay was corrected for."""
    a = work.acquisition
    if a.decay_correction or a.decay_corrected_to is not None:
        return work
    if "DECY" in a.corrections:
        raise MissingMetadata(f"{work.name}: corrected for decay (DECY), but to which time is not said")
    work.warn("the header does not say how decay was corrected for: values are taken as means over the acquisition")
    work.acquisition = replace(a, decay_correction="NONE")
    work.figures["decay_correction"] = "NONE"
    return work
