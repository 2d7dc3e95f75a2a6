"""A mask drawn on another series of the case, brought to this one's grid."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from radiomics_pipeline.params.base import TOKEN, Section


class MaskFrom(Section):
    """The other series, and how its mask is brought to this one's voxels."""

    series: str = Field(pattern=f"^{TOKEN}$", description="series of the parameters whose mask is taken, such as CT")
    method: Literal["overlap", "linear", "nearest"] = Field(
        "overlap",
        description="share of a voxel that is covered: 'overlap' by volume (grids at right angles to each other; "
        "otherwise by 5 x 5 x 5 points in each voxel), 'linear' as interpolated at its centre; 'nearest': the voxel of "
        "the other series at its centre",
    )
    threshold: float = Field(
        0.5, gt=0, le=1, description="least share of a voxel that must be covered; not used by 'nearest'"
    )
