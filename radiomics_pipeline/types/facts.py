"""What is known of how an image was acquired: columns of case_log.csv."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields

from radiomics_pipeline.types.grid import Grid


@dataclass(frozen=True)
class Facts:
    """Of one image series. None and "" stand for what is not known.

    Only numbers and words of closed lists: no date, no name, no text as a header has it (see io/dicom/facts.py).

    modality : "PT", "NM" or "CT"
    scanner : manufacturer and model
    reconstruction : method, iterations and subsets, filter; of CT the kernel
    nuclide : such as "F-18"; tracer : such as "FDG"
    dose_mbq : injected activity; uptake_time_min : from injection to the start of the scan
    age_years : whole years, 89 for all who are older
    sex : "M", "F" or "O"
    voxel_mm : (x, y, z) of the file; case_log.csv has it as native_mm
    slice_mm : nominal thickness of a slice, which may differ from their distance
    duration_s : of the frame of a bed or a projection, where all have the same
    corrections : words of Corrected Image (0028,0051)
    gated : whether the image is one gate, or made of gates
    earl : accreditation of the scanner, as the table of cases says; of two standards the data must not be pooled
    """

    modality: str = ""
    scanner: str = ""
    reconstruction: str = ""
    nuclide: str = ""
    tracer: str = ""
    dose_mbq: float | None = None
    uptake_time_min: float | None = None
    weight_kg: float | None = None
    height_m: float | None = None
    age_years: int | None = None
    sex: str = ""
    glucose_mmol_l: float | None = None
    voxel_mm: tuple[float, float, float] | None = None
    slice_mm: float | None = None
    duration_s: float | None = None
    corrections: tuple[str, ...] = ()
    gated: bool | None = None
    earl: str = ""

    @property
    def dose_mbq_per_kg(self) -> float | None:
        """Injected activity by body weight."""
        return self.dose_mbq / self.weight_kg if self.dose_mbq is not None and self.weight_kg else None

    def cells(self) -> dict[str, str]:
        """The fields by name as text; empty where not known."""
        return {name: _text(getattr(self, name)) for name in FACTS}


FACTS = tuple(field.name for field in fields(Facts) if field.name != "voxel_mm")
"""Columns of case_log.csv in their order."""


def facts_of_table(said: Mapping[str, str], grid: Grid) -> Facts:
    """The facts of an image without headers: its voxels, and what the table of cases says."""
    weight, height, glucose, dose = (
        float(said[name]) if name in said else None for name in ("weight_kg", "height_m", "glucose_mmol_l", "dose_mbq")
    )
    x, y, z = (float(edge) for edge in grid.spacing_mm[::-1])
    return Facts(
        dose_mbq=dose,
        weight_kg=weight,
        height_m=height,
        sex=sex_of(said.get("sex", "")),
        glucose_mmol_l=glucose,
        voxel_mm=(x, y, z),
        earl=earl_of(said.get("earl", "")),
    )


def sex_of(text: str) -> str:
    """ "M", "F" or "O" by the first letter; else nothing."""
    first = text.strip().upper()[:1]
    return first if first in ("M", "F", "O") else ""


def earl_of(text: str) -> str:
    """The accreditation as "EARL1" or "EARL2", "none" where it is said that there is none; else nothing."""
    bare = re.sub(r"[\s_-]+", "", text.lower())
    match = re.fullmatch(r"(?:earl)?(?:standard)?([12])", bare)
    if match:
        return f"EARL{match[1]}"
    return "none" if bare in ("no", "none", "not", "0", "false") else ""


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, tuple):
        numbers = all(isinstance(part, float) for part in value)
        return (" x " if numbers else " ").join(_text(part) for part in value)
    return str(value)
