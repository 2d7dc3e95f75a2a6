"""What the families of one region are computed from by the definitions of the IBSI, each made when it is asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from radiomics_pipeline.errors import DiscretisationError
from radiomics_pipeline.extraction.filtered import Response
from radiomics_pipeline.extraction.result import stage
from radiomics_pipeline.features.ivh import ivh
from radiomics_pipeline.features.registry import Family, Sample, Undefined
from radiomics_pipeline.imaging.discretise import discretise
from radiomics_pipeline.imaging.filters.memory import Memory
from radiomics_pipeline.imaging.ivh import intensity_volume
from radiomics_pipeline.imaging.resample import Resampled, resample
from radiomics_pipeline.params.extraction import IvhBinNumber, SeriesParams
from radiomics_pipeline.params.levels import Discretise
from radiomics_pipeline.types import ColumnSpec, Levels, Region, Volume
from radiomics_pipeline.types.context import Context
from radiomics_pipeline.types.ivh import IntensityVolume

RESPONSE_AXIS = IvhBinNumber(method="fixed-bin-number")
"""Of a filtered image's intensity-volume histogram, since it has no unit."""


@dataclass(frozen=True)
class Computation:
    """One family computed in one way.

    discretise : grey levels it sees, None for families that need none
    columns : what its features are called, by the feature's name
    response : the filtered image that it sees, None for the image itself
    """

    family: Family
    aggregation: str
    discretise: Discretise | None
    columns: dict[str, ColumnSpec]
    response: Response | None = None


@dataclass
class Samples:
    """The samples of one region.

    volume, region : as read; found : on the grid of the features; roi : what re-segmentation left there
    levels : of the image itself, by the scheme that made them
    """

    computations: Sequence[Computation]
    params: SeriesParams
    volume: Volume
    region: Region
    found: Resampled
    roi: Region
    levels: Mapping[Discretise, Levels]
    context: Context
    known: dict[tuple[Discretise | None, str], Sample] = field(default_factory=dict)
    response: Response | None = None
    filtered: Volume | None = None
    memory: Memory = field(default_factory=Memory)

    def of(self, computation: Computation) -> Sample:
        """The sample that one family sees. Those of one image after the other: only the last one's are kept.

        Raises Undefined for a filtered image that cannot have the grey levels asked for.
        """
        if computation.family.native:
            return self.drawn
        if computation.response is not self.response:
            self.known, self.response = {}, computation.response
            self.filtered = None if self.response is None else self._filter(self.response)
        way = (computation.discretise, computation.aggregation)
        if way not in self.known:
            self.known[way] = self._sample(*way)
        return self.known[way]

    def _sample(self, scheme: Discretise | None, aggregation: str) -> Sample:
        found = self.found
        if self.filtered is None:
            seen = self.levels[scheme] if scheme else None
            return Sample(
                found.volume, self.roi, seen, aggregation, found.around, found.offset, self.axis, self.context
            )
        seen = None
        if scheme:
            try:
                seen = discretise(self.filtered, self.roi, scheme)
            except DiscretisationError as e:
                raise Undefined(str(e)) from None
        axis = intensity_volume(self.filtered, self.roi, RESPONSE_AXIS)
        return Sample(self.filtered, self.roi, seen, aggregation, ivh=axis, context=self.context)

    def _filter(self, response: Response) -> Volume:
        """The filtered image in the box of the region."""
        with stage("filter"):
            found = self.found
            if found.around is None:
                return response.of(found.volume, self.memory)
            whole = response.of(found.around, self.memory).array
            box = tuple(slice(o, o + n) for o, n in zip(found.offset, found.volume.array.shape, strict=True))
            return Volume(whole[box], found.volume.grid, found.volume.unit)

    @cached_property
    def axis(self) -> IntensityVolume | None:
        """The axis of the image's own intensity-volume histogram, where that is wanted."""
        if not any(c.family.token == ivh.token and c.response is None for c in self.computations):
            return None
        return intensity_volume(self.found.volume, self.roi, self.params.ivh, self.params.resegment.range)

    @cached_property
    def drawn(self) -> Sample:
        """The voxels of the file and the outline as drawn on them, with the image as far around as is looked at."""
        reach = max(c.family.reach_mm for c in self.computations if c.family.native)
        found = resample(self.volume, self.region, None, reach)
        return Sample(found.volume, found.region, around=found.around, offset=found.offset, context=self.context)
