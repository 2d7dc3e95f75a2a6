"""What every section of a series says of its image and its regions, by whatever standard."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from radiomics_pipeline.params.acquisition import AcquisitionRanges
from radiomics_pipeline.params.base import Section
from radiomics_pipeline.params.perturb import Perturb
from radiomics_pipeline.params.references import Reference
from radiomics_pipeline.params.segmentation import Segmentation
from radiomics_pipeline.params.suv import Suv
from radiomics_pipeline.params.transfer import MaskFrom


class SeriesSource(Section):
    """One image series: what its image is, and where its regions come from."""

    unit: str = Field("", description="unit of the intensities: SUV, HU, Bq/ml, counts, ...")
    required: bool = Field(False, description="a case without this series fails; false: its columns stay empty")
    suv: Suv = Field(Suv(), description="how a DICOM series becomes SUV, where `unit` is SUV")
    gate: Literal["sum"] | Annotated[int, Field(ge=1)] | None = Field(
        None, description="of a gated series: a gate from 1, or the sum of all; null: a gated series is refused"
    )
    roi: str | dict[str, str] | None = Field(
        None,
        description="ROI or segment by name or regular expression (the whole name, capitals ignored), which must fit "
        "one; names for rows with such expressions; or 'all', one row each",
    )
    mask_from: MaskFrom | None = Field(
        None, description="where the series has no mask of its own: that of another series"
    )
    segment: Segmentation | None = Field(None, description="delineate regions; the mask is then where to search")
    references: dict[str, Reference] = Field({}, description="reference regions by name")
    perturb: Perturb | None = Field(
        None, description="measure every region again with image and mask perturbed; null: no"
    )
    acquisition: AcquisitionRanges = Field(AcquisitionRanges(), description="ranges outside which a case is warned of")

    @model_validator(mode="after")
    def _references_exist(self) -> SeriesSource:
        wanted = [getattr(self.segment, name, None) for name in ("region", "background")]
        for name in (name for name in wanted if name and name != "shell"):
            if name not in self.references:
                known = ", ".join(self.references) or "none"
                raise ValueError(f"segment names the reference region {name!r}; `references` has {known}")
        if self.roi is not None and getattr(self, "label", None) is not None:
            raise ValueError("roi and label both say which region is meant; give one of them")
        return self
