"""Ranges outside which an acquisition, or a region, is remarked upon; the values stand in the tracer files."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from radiomics_pipeline.params.base import Section

Range = tuple[float | None, float | None]
Nuclide = Literal[
    "F-18", "C-11", "N-13", "O-15", "Rb-82", "Ga-68", "Cu-64", "Zr-89", "I-124", "Tc-99m", "I-123", "In-111", "Tl-201",
    "I-131", "Lu-177",
]  # fmt: skip
Tracer = Literal[
    "FDG", "PSMA-11", "PSMA-1007", "PSMA-617", "PSMA-I&T", "rhPSMA-7.3", "DCFPyL", "PSMA", "DOTATATE", "DOTATOC",
    "DOTANOC", "pentetreotide", "FET", "FDOPA", "methionine", "FLT", "NaF", "FAPI", "florbetapir", "florbetaben",
    "flutemetamol", "PiB", "NAV4694", "flortaucipir", "FES", "FMISO", "fluciclovine", "choline", "acetate", "FP-CIT",
    "MIBG", "MDP", "HDP", "DPD", "PYP", "sestamibi", "tetrofosmin", "thallium", "rubidium", "ammonia", "water",
    "flurpiridaz", "MAA", "pertechnetate", "MAG3", "DMSA", "microspheres", "antibody", "iodide",
]  # fmt: skip
"""Radiopharmaceuticals as case_log.csv calls them; io/dicom/vocabulary.py knows how headers do."""
Correction = Literal["ATTN", "SCAT", "DECY", "RAN", "RANSNG", "DTIM", "NORM", "MOTN", "PSF"]
"""Words of Corrected Image (0028,0051) that a protocol may ask for."""


class AcquisitionRanges(Section):
    """What the protocol asks for. A fact outside is warned of; one that is not known is not."""

    uptake_time_min: Range = Field((None, None), description="from injection to the start of the scan, minutes")
    dose_mbq: Range = Field((None, None), description="injected activity, MBq")
    dose_mbq_per_kg: Range = Field((None, None), description="injected activity by body weight, MBq/kg")
    glucose_mmol_l: Range = Field((None, None), description="blood glucose at injection, mmol/l")
    voxel_mm: Range = Field((None, None), description="edges of the voxels of the file, the longest and the shortest")
    nuclides: tuple[Nuclide, ...] = Field((), description="radionuclides of the tracer, such as F-18; empty: any")
    tracers: tuple[Tracer, ...] = Field(
        (), description="radiopharmaceuticals that the file is for, as case_log.csv calls them; empty: any"
    )
    corrected: tuple[Correction, ...] = Field(
        (), description="corrections that the header must name: ATTN attenuation, SCAT scatter, DECY decay, ..."
    )
    minimum_volume_ml: float | None = Field(
        None, gt=0, description="volume of a region from which on textures say more than volume does, ml"
    )
    minimum_voxels: int | None = Field(
        None, ge=1, description="voxels of a region, as textures see it, from which on they are advised"
    )

    @field_validator("uptake_time_min", "dose_mbq", "dose_mbq_per_kg", "glucose_mmol_l", "voxel_mm")
    @classmethod
    def _ascending(cls, value: Range) -> Range:
        low, high = value
        if any(end is not None and end < 0 for end in value):
            raise ValueError("neither end lies below 0")
        if low is not None and high is not None and low >= high:
            raise ValueError(f"the lower end {low:g} must lie below the upper end {high:g}")
        return value
