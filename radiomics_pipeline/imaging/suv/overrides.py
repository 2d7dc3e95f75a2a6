"""What is known of a patient beside the header."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class PatientOverrides:
    """What a table of cases says of a patient: fills what a header lacks, and wins, with a warning, where they differ.

    weight_kg, height_m, dose_bq : as in the header; sex : "M", "F" or "O"
    injected : date and time of administration; without a UTC offset, in that of the header
    """

    weight_kg: float | None = None
    height_m: float | None = None
    sex: str = ""
    dose_bq: float | None = None
    injected: datetime | None = None


NO_OVERRIDES = PatientOverrides()
