"""How one image series is turned into numbers: grid, region, grey levels, features."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from radiomics_pipeline.params.base import TOKEN, Section
from radiomics_pipeline.params.filtered import Filtered
from radiomics_pipeline.params.levels import Aggregation, Discretise, FixedBinSize
from radiomics_pipeline.params.polar_map import PolarMap
from radiomics_pipeline.params.series import SeriesSource
from radiomics_pipeline.params.uptake import Uptake

Interpolation = Literal["nearest", "linear", "cubic"]
Label = int | Literal["all"] | dict[str, int]


class Resample(Section):
    """The grid on which features are computed (IBSI 1, section 2.4: centres aligned)."""

    voxel_mm: float = Field(gt=0, description="edge of the new voxels, mm")
    when: Literal["always", "coarser"] = Field(
        "always", description="'coarser': only where a native voxel is coarser than voxel_mm"
    )
    slicewise: bool = Field(False, description="keep the slices as they are, resample in plane only")
    image: Interpolation = Field("linear", description="interpolation of intensities; 'cubic' is a B-spline")
    mask: Interpolation = Field("linear", description="interpolation of the mask")
    mask_threshold: float = Field(0.5, gt=0, le=1, description="share of a voxel that must lie in the mask")
    round: bool = Field(False, description="round intensities to whole numbers afterwards (CT)")


class Resegment(Section):
    """Which voxels of the outline count for intensities (IBSI 1, section 2.5); shape is not touched."""

    range: tuple[float | None, float | None] = Field(
        (None, None), description="lowest and highest intensity kept, in the image's unit; null is open"
    )
    sigma: float | None = Field(None, gt=0, description="keep mean ± this many standard deviations of the outline")

    @field_validator("range")
    @classmethod
    def _ascending(cls, value: tuple[float | None, float | None]) -> tuple[float | None, float | None]:
        low, high = value
        if low is not None and high is not None and low >= high:
            raise ValueError(f"the lower end {low:g} must lie below the upper end {high:g}")
        return value


class IvhAsTheyAre(Section):
    """Intensity-volume histogram of intensities as they are, in steps of 1; for whole numbers, such as HU."""

    method: Literal["none"]


class IvhBinSize(Section):
    """Intensity-volume histogram in bins of equal width, from the lower end of the re-segmentation range."""

    method: Literal["fixed-bin-size"]
    width: float = Field(gt=0, description="width of a bin, in the image's unit; small against the range")


class IvhBinNumber(Section):
    """Intensity-volume histogram in a fixed number of bins between minimum and maximum, for arbitrary units."""

    method: Literal["fixed-bin-number"]
    bins: int = Field(1000, ge=2, le=65536, description="number of bins")


IvhScale = Annotated[IvhAsTheyAre | IvhBinSize | IvhBinNumber, Field(discriminator="method")]


class Setting(Section):
    """A further way of computing some families; its name is the last part of the columns' names."""

    name: str = Field(pattern=f"^{TOKEN}$", description="token at the end of the column names")
    families: tuple[str, ...] = Field(min_length=1, description="families computed again in this way")
    discretise: Discretise | None = Field(None, description="other grey levels; null: those of the series")
    aggregation: Aggregation | None = Field(None, description="other aggregation; null: that of the series")


class SeriesParams(SeriesSource):
    """One image series, such as PET or CT."""

    unit: str = Field(description="unit of the stored intensities: SUV, HU, Bq/ml, counts, ...")
    label: Label | None = Field(
        None, description="label in the mask: a number, 'all', or names with numbers; null: the only one there"
    )
    resample: Resample | None = Field(None, description="null: features on the native grid")
    resegment: Resegment = Resegment()
    discretise: Discretise
    families: Literal["all"] | tuple[str, ...] = Field("all", description="feature families; see 'features list'")
    aggregation: Aggregation = Field(
        "3D:mrg",
        description="over the volume (3D), slices merged (2.5D) or mean over slices (2D); directions merged (mrg) or "
        "mean over directions (avg)",
    )
    ivh: IvhScale = Field(
        None,  # type: ignore[assignment]  # never: filled in by the unit, below
        description="intensities of the intensity-volume histogram; null, by the unit: HU as they are, SUV in bins of "
        "0.1, any other in 1000 bins between minimum and maximum",
    )
    settings: tuple[Setting, ...] = Field((), description="further settings of some families")
    filters: tuple[Filtered, ...] = Field((), description="filtered images, and the features taken of them")
    uptake: Uptake | None = Field(None, description="conventional indices, on the voxels of the file; null: none")
    gated: bool = Field(False, description="volumes and ejection fraction from the masks in <SERIES>_gates")
    polar_map: PolarMap | None = Field(None, description="polar map of the left ventricle; null: none")
    diagnostics: bool = Field(
        False, description="write the IBSI's diagnostic values, too; the whole image is resampled for them"
    )

    @model_validator(mode="before")
    @classmethod
    def _histogram_by_unit(cls, data: Any) -> Any:
        """Without an `ivh`, what the IBSI advises for the unit, so that the effective parameters say it."""
        if not isinstance(data, dict) or data.get("ivh") is not None:
            return data
        unit = str(data.get("unit", "")).upper()
        if unit == "HU":
            return {**data, "ivh": IvhAsTheyAre(method="none")}
        if unit.startswith("SUV"):
            return {**data, "ivh": IvhBinSize(method="fixed-bin-size", width=0.1)}
        return {**data, "ivh": IvhBinNumber(method="fixed-bin-number", bins=1000)}

    @field_validator("label")
    @classmethod
    def _labels_above_0(cls, value: Label | None) -> Label | None:
        numbers = [value] if isinstance(value, int) else list(value.values()) if isinstance(value, dict) else []
        if isinstance(value, dict) and (not value or "" in value):
            raise ValueError("every label needs a name, and there must be one at least")
        if any(n < 1 for n in numbers):
            raise ValueError("labels are whole numbers from 1; 0 is outside")
        if len(set(numbers)) != len(numbers):
            raise ValueError("two names stand for one label")
        return value

    @model_validator(mode="after")
    def _parts_agree(self) -> SeriesParams:
        if not (self.families or self.filters or self.uptake or self.polar_map):
            raise ValueError("name one family or filter at least, or all")
        names = [s.name for s in self.settings]
        twice = sorted({n for n in names if names.count(n) > 1})
        if twice:
            raise ValueError(f"two settings are named {', '.join(twice)}")
        low, scheme = self.resegment.range[0], self.discretise
        if isinstance(scheme, FixedBinSize) and low is not None and scheme.origin > low:
            raise ValueError(
                f"discretise.origin {scheme.origin:g} lies above the lower end {low:g} of resegment.range: intensities "
                "between them would have no bin"
            )
        return self
