"""The CT phantom of IBSI 1 as samples, prepared by the parameter files of its configurations."""

from __future__ import annotations

import csv
import functools
import math
from pathlib import Path

from radiomics_pipeline.features.local_intensity import RADIUS_MM
from radiomics_pipeline.features.registry import Sample
from radiomics_pipeline.imaging.ivh import intensity_volume
from radiomics_pipeline.imaging.regions import regions_of
from radiomics_pipeline.imaging.resample import resample
from radiomics_pipeline.imaging.resegment import resegment
from radiomics_pipeline.io.params_file import load_params
from radiomics_pipeline.io.volumes import load_pair, read_file
from radiomics_pipeline.types.masks import LabelImage

CONFIGURATIONS = ("digital", "A", "B", "C", "D", "E")


@functools.cache
def sample_of(configuration: str, shared: Path) -> Sample:
    """The phantom's region as features of intensities see it: with the image around it, and the axis of its IVH."""
    folder = shared / "ibsi" / "ibsi1" / ("digital_phantom" if configuration == "digital" else "ct_phantom")
    params = next(iter(load_params(f"ibsi/{configuration}").series.values()))
    volume, labels = load_pair(read_file(folder / "image.nii.gz"), read_file(folder / "mask.nii.gz"), params.unit)
    (region,) = regions_of(LabelImage("mask", volume.grid, labels), params.label)
    found = resample(volume, region, params.resample, RADIUS_MM)
    roi = resegment(found.volume, found.region, params.resegment)
    axis = intensity_volume(found.volume, roi, params.ivh, params.resegment.range)
    return Sample(found.volume, roi, around=found.around, offset=found.offset, ivh=axis)


def references(configuration: str, family: str, shared: Path) -> dict[str, tuple[float, float]]:
    """Standardised values and tolerances by IBSI code, that of the parameter where there is one."""
    with (shared / "ibsi" / "ibsi1" / "reference_values.csv").open(encoding="utf-8", newline="") as file:
        return {
            row["parameter_code"] or row["ibsi_code"]: (float(row["reference_value"]), float(row["tolerance"]))
            for row in csv.DictReader(file)
            if (row["configuration"], row["family"], row["standardised"]) == (configuration, family, "yes")
        }


def is_met(value: float, reference: float, tolerance: float) -> bool:
    """Whether a value, as it is or to three digits, lies within the tolerance of the reference."""
    rounded = value if value == 0 else round(value, 2 - math.floor(math.log10(abs(value))))
    return min(abs(value - reference), abs(rounded - reference)) <= tolerance + 1e-9 * abs(reference)
