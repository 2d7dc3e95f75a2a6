"""How image and mask are perturbed, so that features that do not survive it can be told apart."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from radiomics_pipeline.params.base import Section

Angle = Annotated[float, Field(gt=-90, lt=90)]
Shift = Annotated[float, Field(gt=-1, lt=1)]
Change = Annotated[float, Field(gt=-0.9, lt=5)]


class Perturb(Section):
    """Measurements again of every region, each with one change (Zwanenburg 2019, doi 10.1038/s41598-018-36938-4).

    Rotation, translation, growth and shrinkage, noise, a randomised contour. An angle, shift or change of 0 is none.
    """

    rotate_deg: tuple[Angle, ...] = Field((-5.0, 5.0), description="angles in the plane of the slices, degrees")
    translate: tuple[Shift, ...] = Field((0.25, 0.5), description="shifts along every axis, in voxels")
    grow: tuple[Change, ...] = Field((-0.15, 0.15), description="changes of the region's volume, as a share of it")
    noise: int = Field(1, ge=0, le=50, description="how often noise is added, as strong as that of the image itself")
    contour: int = Field(1, ge=0, le=50, description="how often the contour is drawn anew along supervoxels")
    supervoxel_ml: float = Field(0.5, gt=0, description="size of the supervoxels of the contour")
    seed: int = Field(0, ge=0, description="of noise and contours")

    @model_validator(mode="after")
    def _something_is_perturbed(self) -> Perturb:
        for name in ("rotate_deg", "translate", "grow"):
            values = getattr(self, name)
            if 0 in values or len(set(values)) < len(values):
                raise ValueError(f"{name}: 0 changes nothing, and no value may stand there twice; found {values}")
        if not (self.rotate_deg or self.translate or self.grow or self.noise or self.contour):
            raise ValueError("nothing is left to perturb; leave the section out instead")
        return self
