"""Reference regions, such as liver or blood pool."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from radiomics_pipeline.params.base import Section


class Reference(Section):
    """Where a reference region lies; its intensities are those of the voxels of the file."""

    file: Literal["references", "mask"] = Field(
        "references", description="the file that holds it: <SERIES>_references, or that of the lesions' mask"
    )
    label: int | None = Field(None, ge=1, description="its label in that file")
    roi: str | None = Field(
        None,
        min_length=1,
        description="its name there, or a regular expression that fits one name (the whole name, capitals ignored); "
        "without label and roi, the only region that the file holds",
    )
    erode_mm: float = Field(
        0.0, ge=0, description="leave out what lies within this distance of the nearest voxel outside it"
    )
    sphere_mm: float | None = Field(
        None,
        gt=0,
        description="diameter of a sphere around its deepest voxel (of several, the one nearest to its middle), of "
        "which the part inside it is taken; null: all of it",
    )
    minimum_ml: float = Field(0.0, ge=0, description="refuse a reference with less volume than this in the end")

    @model_validator(mode="after")
    def _one_name(self) -> Reference:
        if self.label is not None and self.roi is not None:
            raise ValueError("label and roi both say which region is meant; give one of them")
        if self.file == "mask" and self.label is None and self.roi is None:
            raise ValueError("say by label or roi which region of the lesions' mask is the reference")
        return self
