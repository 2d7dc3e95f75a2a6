"""The time that DecayCorrection START refers to, which headers say in several ways."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

import numpy as np

from radiomics_pipeline.imaging.suv.administration import administered_at
from radiomics_pipeline.imaging.suv.times import (
    CLOCK_SLACK_S,
    DAY_S,
    acquired_times,
    is_ge,
    mean_count_time_s,
    time_of_day,
)
from radiomics_pipeline.imaging.suv.work import Work

BEDS_AGREE_S = 2.0
LONG_BEFORE_S = 7200.0


def reference_time(work: Work, decay: float) -> datetime:
    """The time that START corrects to. In this order:

    DecayCorrectionDateTime of enhanced PET; GE's private scan time, if it lies after the administration, not after the
    end of the acquisition and within a day of its start; the series' time, if not later than the first acquisition;
    worked back from FrameReferenceTime, if all beds agree within 2 s, never for GE and Philips, which mean another time
    by it; else the first acquisition, with a warning.
    """
    a, acquired = work.acquisition, acquired_times(work)
    first = min(acquired)
    if a.decay_corrected_to is not None:
        moment, token, words = a.decay_corrected_to, "decay-correction-datetime", "DecayCorrectionDateTime (0018,9701)"
    elif a.ge_reference is not None and _ge_plausible(work, acquired):
        moment, token, words = a.ge_reference, "ge-private", "GE's private scan time (0009,100D)"
        if a.series_time is not None and a.series_time <= first:
            _compare(work, decay, moment, a.series_time, "the series' time")
    elif a.series_time is not None and a.series_time <= first:
        moment, token = a.series_time, "series-time"
        words = "SeriesTime (0008,0031), as it is not later than the first acquisition"
        worked_back = _worked_back(work, decay, acquired, warn=False)
        if worked_back is not None:
            _compare(work, decay, moment, worked_back, "what FrameReferenceTime leads back to")
    else:
        moment, token, words = _without_series_time(work, decay, acquired)
    shown = time_of_day(moment, first)
    work.note("reference", f"{shown}, {words}", reference_rule=token, t_ref=shown)
    _compare_siemens(work, decay, moment)
    before_s = (first - moment).total_seconds()
    if before_s > LONG_BEFORE_S:
        work.warn(f"the reference time lies {before_s / 3600:.1f} h before the first acquisition")
    return moment


def _without_series_time(work: Work, decay: float, acquired: list[datetime]) -> tuple[datetime, str, str]:
    later = "is missing" if work.acquisition.series_time is None else "is later than the first acquisition"
    moment = _worked_back(work, decay, acquired, warn=True)
    if moment is not None:
        return moment, "frame-reference-time", f"worked back from FrameReferenceTime, as SeriesTime {later}"
    work.warn(
        f"the series' time {later}, and nothing else tells what START was corrected to: the first acquisition is taken"
    )
    return min(acquired), "first-acquisition", f"the first AcquisitionTime (0008,0032), as SeriesTime {later}"


def _ge_plausible(work: Work, acquired: list[datetime]) -> bool:
    """Whether GE's private time can be the reference; de-identification may have shifted all dates but this one."""
    moment = work.acquisition.ge_reference
    assert moment is not None
    given = administered_at(work, moment)
    ends = [t + timedelta(seconds=s.duration_s or 0) for t, s in zip(acquired, work.acquisition.slices, strict=True)]
    late = (moment - max(ends)).total_seconds() > CLOCK_SLACK_S
    far = abs((moment - min(acquired)).total_seconds()) > DAY_S
    if not (late or far or (given is not None and moment < given[0])):
        return True
    work.warn(
        "GE's private scan time (0009,100D) does not fit administration and acquisition, perhaps as dates were "
        "shifted; it is not used"
    )
    return False


def _worked_back(work: Work, decay: float, acquired: list[datetime], *, warn: bool) -> datetime | None:
    """Acquisition + mean count time - FrameReferenceTime, where vendors mean that; the median of slices that agree."""
    a = work.acquisition
    philips = "PHILIPS" in a.manufacturer.upper() or a.philips_suv_factor or a.philips_bqml_factor
    if philips or is_ge(a.manufacturer) or a.ge_reference is not None:
        return None
    if not all((s.frame_reference_s or 0) > 0 and (s.duration_s or 0) > 0 for s in a.slices):
        return None
    duration = np.array([s.duration_s for s in a.slices], float)
    frame_reference = np.array([s.frame_reference_s for s in a.slices], float)
    after = np.array([(moment - acquired[0]).total_seconds() for moment in acquired])
    seconds = after + mean_count_time_s(decay, duration) - frame_reference
    spread = float(np.ptp(seconds))
    if spread > BEDS_AGREE_S:
        if warn:
            work.warn(f"FrameReferenceTime leads the beds back to times {spread:.0f} s apart; it is not used")
        return None
    return acquired[0] + timedelta(seconds=float(np.median(seconds)))


def _compare(work: Work, decay: float, used: datetime, other: datetime, what: str) -> None:
    """A warning where another time than the one used would change an SUV by more than 1 %."""
    apart = (other - used).total_seconds()
    if abs(math.expm1(decay * apart)) > 0.01:
        work.warn(
            f"{what} lies {abs(apart):.0f} s {'after' if apart > 0 else 'before'} the reference time used: SUV would "
            f"differ by {100 * abs(math.expm1(decay * apart)):.1f} %"
        )


def _compare_siemens(work: Work, decay: float, used: datetime) -> None:
    """Siemens' private decay time has always been the series' time; whole days apart it was merely not shifted."""
    other = work.acquisition.siemens_reference
    if other is None:
        return
    days = round((other - used).total_seconds() / DAY_S)
    _compare(work, decay, used, other - timedelta(days=days), "Siemens' private decay time (0071,1022)")
