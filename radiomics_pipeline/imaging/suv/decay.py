"""How far the dose has decayed at the time that the values refer to, by DecayCorrection (0054,1102)."""

from __future__ import annotations

import math
from datetime import datetime

import numpy as np

from radiomics_pipeline.errors import MissingMetadata, SuvError
from radiomics_pipeline.imaging.suv.administration import administered_at, administration_time
from radiomics_pipeline.imaging.suv.check import check_decay_factor
from radiomics_pipeline.imaging.suv.half_life import HALF_LIVES_S, half_life_s
from radiomics_pipeline.imaging.suv.reference import reference_time
from radiomics_pipeline.imaging.suv.times import acquired_times, time_of_day
from radiomics_pipeline.imaging.suv.work import Work, close

LONG_F18_S = 21600.0
"""Time after which nobody images F-18: more is a clock that was off, or a date."""
MOST_DECAYS = 70.0
"""Decay times elapsed time beyond which nothing is left of any dose (100 half-lives)."""


def undecayed(work: Work) -> np.ndarray:
    """Administered dose over the dose that the values refer to, float64 [z], by DecayCorrection (0054,1102)."""
    a = work.acquisition
    kind = a.decay_correction
    if kind == "ADMIN":
        return _corrected_to_administration(work)
    half_life = half_life_s(work)
    decay = math.log(2) / half_life
    if kind == "NONE":
        return _not_corrected(work, decay)
    if kind != "START" and not (kind == "" and a.decay_corrected_to is not None):
        found = kind or "missing"
        kind_of = MissingMetadata if not kind else SuvError
        raise kind_of(f"{work.name}: DecayCorrection (0054,1102) is {found}; it must be START, ADMIN or NONE")
    moment = reference_time(work, decay)
    administered = administration_time(work, moment)
    elapsed = _elapsed(work, administered, moment, half_life, "the reference time")
    work.note("decay", f"{kind or 'corrected'}: the dose decays for {elapsed:.6g} s, from administration to reference")
    check_decay_factor(work, decay, moment)
    if decay * elapsed > MOST_DECAYS:
        raise SuvError(
            f"{work.name}: {elapsed:g} s from administration to reference are {elapsed / half_life:.3g} half-lives of "
            f"{half_life:g} s; no dose is left to relate to. Check times and half-life"
        )
    return work.ones() * math.exp(decay * elapsed)


def _corrected_to_administration(work: Work) -> np.ndarray:
    """ADMIN: the dose as administered; times only serve the checks, where the header has them."""
    work.note("decay", "ADMIN: values are corrected to the administration, so the dose is taken as it was then")
    a = work.acquisition
    times = [s.acquired for s in a.slices if s.acquired is not None]
    known = (a.half_life_s or 0) > 0 or a.nuclide in HALF_LIVES_S
    if len(times) < len(a.slices) or administered_at(work, min(times)) is None or not known:
        return work.ones()
    half_life = half_life_s(work, decays=False)
    administered = administration_time(work, min(times))
    _elapsed(work, administered, min(times), half_life, "the first acquisition")
    work.figures.update(reference_rule="administration", t_ref=work.figures["t_adm"], elapsed_s=0.0)
    check_decay_factor(work, math.log(2) / half_life, administered)
    return work.ones()


def _not_corrected(work: Work, decay: float) -> np.ndarray:
    """NONE: by slice, the decay up to its acquisition, and the mean decay during it."""
    a, acquired = work.acquisition, acquired_times(work)
    duration = np.array([s.duration_s or a.collected_s or 0 for s in a.slices], float)
    if not np.all(duration > 0):
        what = "ActualFrameDuration (0018,1242) is missing, which DecayCorrection NONE needs"
        raise MissingMetadata(f"{work.name}: {what}; export the series with it")
    starts, beds = set(acquired), {s.frame_reference_s for s in a.slices}
    if len(starts) == 1 and len(beds) > 1:
        raise SuvError(
            f"{work.name}: DecayCorrection is NONE, and beds with different FrameReferenceTime share one acquisition "
            "time; when each was acquired is not clear"
        )
    administered = administration_time(work, min(acquired))
    _elapsed(work, administered, min(acquired), math.log(2) / decay, "the first acquisition")
    after = np.array([(moment - administered).total_seconds() for moment in acquired])
    first = time_of_day(min(acquired), min(acquired))
    work.note("reference", "each slice's own acquisition", reference_rule="each-slice", t_ref=first)
    span = f"{after.min():.6g} to {after.max():.6g} s"
    work.note("decay", f"NONE: the dose decays by slice until its acquisition, {span}, and during it")
    factors = [s.decay_factor for s in a.slices if s.decay_factor]
    if any(abs(f - 1) > 0.01 for f in factors):
        work.warn("DecayFactor (0054,1321) is not 1, though DecayCorrection is NONE")
    x = decay * duration
    return np.exp(decay * after) * x / -np.expm1(-x)


def _elapsed(work: Work, administered: datetime, until: datetime, half_life: float, what: str) -> float:
    """Seconds from administration; SuvError where negative, a warning where improbably long."""
    elapsed = (until - administered).total_seconds()
    if elapsed < 0:
        raise SuvError(
            f"{work.name}: the administration lies {-elapsed:g} s after {what}; dates or times of the header do not "
            "fit (shifted in de-identification, or a clock that was off): give injected in the case table"
        )
    f18 = work.acquisition.nuclide == "F-18" or close(half_life, HALF_LIVES_S["F-18"])
    if elapsed > 10 * half_life or (f18 and elapsed > LONG_F18_S):
        span = f"{elapsed / 3600:.1f} h, {elapsed / half_life:.1f} half-lives,"
        work.warn(f"{span} lie between administration and {what}")
    times = [s.acquired for s in work.acquisition.slices if s.acquired is not None]
    uptake = (min(times) - administered).total_seconds() if times else math.nan
    work.figures.update(elapsed_s=elapsed, uptake_s=uptake)
    return elapsed
