"""Textures of the polar map as an image: one slice of rings by angles.

The map is a disc; as an image it is opened at angle 0, between inferolateral and anterolateral wall, so that no pair,
run or zone crosses that line. Places without a wall are no part of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from radiomics_pipeline.features.glcm import glcm
from radiomics_pipeline.features.glrlm import glrlm
from radiomics_pipeline.features.glszm import glszm
from radiomics_pipeline.features.ngldm import ngldm
from radiomics_pipeline.features.ngtdm import ngtdm
from radiomics_pipeline.features.polar_map_sample import Sampled, reach_mm
from radiomics_pipeline.features.registry import Family, Sample, Undefined
from radiomics_pipeline.imaging.discretise import discretise
from radiomics_pipeline.params.levels import FixedBinNumber
from radiomics_pipeline.params.polar_map import PolarMap
from radiomics_pipeline.types import Grid, Region, Volume
from radiomics_pipeline.types.polar_map import WallMap

IMAGE = "polar-map"
"""What columns call the map as an image."""
AGGREGATION = "3D:mrg"
"""Of its matrices: all directions in the plane together."""
TEXTURES = {family.token: family for family in (glcm, glrlm, glszm, ngtdm, ngldm)}


class MapTexture(Family):
    """A texture family of the map as an image, which its columns name."""

    image = IMAGE


def map_textures(params: PolarMap) -> list[Family]:
    """Families whose matrices are made of the map: one slice of rings by angles, open at angle 0."""
    if params.textures is None:
        return []
    scheme = FixedBinNumber(method="fixed-bin-number", bins=params.textures.levels)
    found: list[Family] = []
    for token in params.textures.families:
        source = TEXTURES[token]
        family = MapTexture(
            token,
            title=f"{source.title} of the polar map",
            ibsi=source.ibsi,
            prepare=partial(_map_matrix, source=source, params=params, scheme=scheme),
            reach_mm=reach_mm(params),
            native=True,
        )
        for spec in source.features.values():
            family.add(spec)
        found.append(family)
    return found


def _map_matrix(sample: Sample, source: Family, params: PolarMap, scheme: FixedBinNumber) -> Sequence[Any]:
    return source.prepare(map_sample(sample.once(Sampled(params)), scheme, source.aggregation_of(AGGREGATION)))


def map_sample(wall: WallMap, scheme: FixedBinNumber, aggregation: str) -> Sample:
    """A map as an image of one slice, rings by angles, of which places without a wall are no part."""
    found = np.isfinite(wall.values)
    if not found.any():
        raise Undefined("the map has no wall")
    grid = Grid((1, *found.shape), (1.0, 1.0, 1.0))
    volume = Volume(np.where(found, wall.values, 0.0)[None], grid, wall.unit)
    region = Region(found[None], found[None], grid)
    return Sample(volume, region, discretise(volume, region, scheme), aggregation)
