"""One image and one mask to one row, in the caller's own process."""

from __future__ import annotations

from pathlib import Path

from radiomics_pipeline.batch.inputs import Reader
from radiomics_pipeline.errors import ParamsError
from radiomics_pipeline.extraction.result import stage
from radiomics_pipeline.extraction.source import Source
from radiomics_pipeline.extraction.standards import plan_series
from radiomics_pipeline.imaging.regions import region_of, wanted_regions
from radiomics_pipeline.io.images import open_image
from radiomics_pipeline.io.mask_files import open_mask
from radiomics_pipeline.io.params_file import load_params
from radiomics_pipeline.params.run import ANY_SERIES, Run
from radiomics_pipeline.types import Region, Volume


def extract(
    image: str | Path, mask: str | Path, params: str | Path | Run, *, label: int | None = None, series: str = ""
) -> dict[str, float]:
    """Features of one region by column name, NaN where undefined.

    image, mask : files, or folders of DICOM; params : a tracer's name, a YAML file, or parameters
    label : of the region; None: what the parameters say, or the only label there is
    series : section of the parameters; needed where they have several
    Raises CaseError where the case cannot be computed rightly, ParamsError where the parameters cannot be used.
    """
    params = params if isinstance(params, Run) else load_params(params)
    if series not in params.series and ANY_SERIES not in params.series and (series or len(params.series) != 1):
        known = ", ".join(params.series) or "no series"
        raise ParamsError(
            f"the parameters have sections for {known}, not {series!r}; name one: extract(..., series=...)"
        )
    plan = plan_series(params, series or next(iter(params.series)), named=False)
    return plan.extract(*load_region(plan.source, image, mask, label)).values


def load_region(source: Source, image: str | Path, mask: str | Path, label: int | None) -> tuple[Volume, Region]:
    """An image and the one region of it that is wanted; errors as of `extract`."""
    if label is not None and (isinstance(label, bool) or label < 1):
        raise ParamsError(f"label {label!r} is no label; labels are whole numbers from 1")
    reader = Reader(Path(image).parent)
    drawn = reader.input("mask", Path(mask))
    found = reader.input("image", Path(image))
    opened = open_image(found.files, found.name, source)
    masks = open_mask(drawn.files, opened, source)
    with stage("region"):
        roi = source.section.roi if label is None else None
        wanted = wanted_regions(masks, source.label if label is None else label, roi)
        if len(wanted) > 1:
            raise ParamsError(f"{drawn.name}: {len(wanted)} regions are wanted; name one by its label")
        return opened.volume, region_of(masks, *wanted[0])
