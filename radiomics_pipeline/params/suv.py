"""How stored PET and SPECT intensities become SUV or Bq/ml."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from radiomics_pipeline.params.base import Section

Normalisation = Literal["bw", "lbm", "lbmjames128", "lbmjanma", "ibw", "bsa"]


class CameraFactor(Section):
    """Calibration of a gamma camera whose images hold counts."""

    value: float = Field(gt=0, description="Bq/ml per count, or per count per second, of a voxel")
    per: Literal["count", "count/s"] = Field(
        description="'count': of a voxel as stored; 'count/s': of a voxel divided by the time of collection, which is "
        "time per view x views of a rotation, over all rotations, as the header says"
    )
    nuclide: str = Field(
        "", description="such as Lu-177: the factor is used for this nuclide only; empty: for any, with a warning"
    )
    model: str = Field("", description="the camera's model as its headers write it; empty: for any, with a warning")


class Suv(Section):
    """Standardised uptake values of a DICOM series."""

    normalisation: Normalisation = Field(
        "bw",
        description="bw: body weight; lbm: lean mass after James, 120 in men (DICOM's LBM); lbmjames128: the same with "
        "128 in men; lbmjanma: lean mass after Janmahasatian, for SUL; ibw: ideal weight; bsa: body surface, cm2/ml",
    )
    strict: bool = Field(
        False, description="refuse sex O where a normalisation needs the sex; false: mean of both, with a warning"
    )
    camera_factor: CameraFactor | None = Field(
        None, description="Bq/ml of a SPECT series in counts; null: counts stay counts, and columns of SUV empty"
    )
