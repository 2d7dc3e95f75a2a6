"""When slices were acquired, and how times are shown."""

from __future__ import annotations

from datetime import datetime

import numpy as np

from radiomics_pipeline.errors import MissingMetadata
from radiomics_pipeline.imaging.suv.work import Work

CLOCK_SLACK_S = 60.0
"""What two clocks, or a rounded time, may differ by."""
DAY_S = 86400.0


def time_of_day(moment: datetime, reference: datetime) -> str:
    """A time of day, and how many days before or after the reference; dates are nobody's business."""
    if moment.tzinfo and reference.tzinfo:
        moment = moment.astimezone(reference.tzinfo)
    text = moment.strftime("%H:%M:%S") + (f".{moment.microsecond:06d}".rstrip("0") if moment.microsecond else "")
    days = (moment.date() - reference.date()).days
    if not days:
        return text
    return f"{text} ({abs(days)} {'day' if abs(days) == 1 else 'days'} {'after' if days > 0 else 'before'})"


def acquired_times(work: Work) -> list[datetime]:
    """Start of the acquisition of every slice."""
    found = [s.acquired for s in work.acquisition.slices]
    times = [moment for moment in found if moment is not None]
    if len(times) < len(found):
        raise MissingMetadata(
            f"{work.name}: {len(found) - len(times)} of {len(found)} slices have no AcquisitionDate (0008,0022) and "
            "AcquisitionTime (0008,0032), so the decay correction cannot be dated"
        )
    return times


def mean_count_time_s(decay: float, duration_s: np.ndarray) -> np.ndarray:
    """Time after its start at which a frame has its mean activity: ln(λT / (1 - e^-λT)) / λ."""
    x = decay * duration_s
    return np.log(x / -np.expm1(-x)) / decay


def is_ge(manufacturer: str) -> bool:
    """Whether a scanner is GE's, whose FrameReferenceTime is the start of a bed."""
    name = manufacturer.upper()
    return name == "GE" or name.startswith("GE ") or "GENERAL ELECTRIC" in name or "GEMS" in name
