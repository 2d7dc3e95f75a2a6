"""What a region's features may need to know beyond its own image and outline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class ReferenceValues:
    """Intensities of a reference region, such as the liver, on the voxels of the file; in the image's unit."""

    mean: float
    sd: float
    maximum: float
    voxels: int
    volume_ml: float


@dataclass(frozen=True)
class Context:
    """Of one image of one case.

    references : reference regions by name
    total : sum of the intensities of the whole image, times the volume of a voxel in ml; NaN where not known
    """

    references: Mapping[str, ReferenceValues] = field(default_factory=dict)
    total: float = float("nan")
