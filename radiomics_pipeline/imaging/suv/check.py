"""The time of decay correction held against DecayFactor (0054,1321), which the scanner multiplied with."""

from __future__ import annotations

import math
from datetime import datetime

import numpy as np

from radiomics_pipeline.imaging.suv.times import CLOCK_SLACK_S, acquired_times, is_ge, mean_count_time_s
from radiomics_pipeline.imaging.suv.work import Work


def check_decay_factor(work: Work, decay: float, reference: datetime) -> None:
    """Compare DecayFactor (0054,1321) with what the time chosen asks for; a warning where no reading of it fits.

    A slice's factor is e^(λ·start) · λT/(1 - e^-λT), or without the decay during the frame, with `start` its
    acquisition after the reference. Vendors that give one acquisition time for all beds say the start by
    FrameReferenceTime: GE as the start itself, the standard as the time of the mean activity. That counts only where
    the bed would not begin before the acquisition did.
    """
    a, acquired = work.acquisition, acquired_times(work)
    factors = np.array([s.decay_factor or math.nan for s in a.slices])
    if np.isnan(factors).any():
        work.note("check", "no DecayFactor (0054,1321) to check the reference time with")
        return
    duration = np.array([s.duration_s or 0 for s in a.slices], float)
    mean_s = np.where(duration > 0, mean_count_time_s(decay, np.where(duration > 0, duration, 1.0)), 0.0)
    start = np.array([(moment - reference).total_seconds() for moment in acquired])
    readings = {"acquisition times": start + mean_s, "acquisition times, without decay in the frame": start}
    frame = np.array([math.nan if s.frame_reference_s is None else s.frame_reference_s for s in a.slices])
    begin = frame if is_ge(a.manufacturer) else frame - mean_s
    if a.decay_correction != "ADMIN" and np.all(begin >= start - CLOCK_SLACK_S):
        readings["FrameReferenceTime"] = begin + mean_s
    off = {what: float(np.abs(factors / np.exp(decay * after) - 1).max()) for what, after in readings.items()}
    best = min(off, key=lambda what: off[what])
    work.figures["decay_factor_deviation"] = off[best]
    if off[best] <= 0.01:
        work.note("check", f"DecayFactor (0054,1321) agrees within {off[best]:.1g} with {best}")
        return
    work.note("check", f"DecayFactor (0054,1321) contradicts the reference time by {100 * off[best]:.1f} %")
    work.warn(
        f"DecayFactor (0054,1321) contradicts the time of decay correction ({a.decay_correction or 'enhanced'}) by "
        f"{100 * off[best]:.1f} %; the SUV follows DecayCorrection and the times"
    )
