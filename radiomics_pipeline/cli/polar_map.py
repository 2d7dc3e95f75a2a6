"""radiomics-pipeline polar-map: the left ventricle's wall as a picture, or any 17 values on it."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from radiomics_pipeline.io.delimited import TextTable
    from radiomics_pipeline.params.extraction import SeriesParams
    from radiomics_pipeline.types.polar_map import WallMap

KEYS = ("case", "patient", "patient_id")
COLUMNS = ("Mean", "Min", "Sd", "Ratio", "Score")


def polar_map(
    image: Annotated[Path | None, typer.Argument(metavar="[IMAGE]", help="The volume; without one, --values.")] = None,
    mask: Annotated[
        Path | None,
        typer.Argument(metavar="[MASK]", help="The wall; not needed where the parameters give centre and apex."),
    ] = None,
    out: Annotated[Path, typer.Option("--out", metavar="PNG", help="The picture.")] = Path("polar-map.png"),
    params: Annotated[
        str, typer.Option("--params", metavar="NAME_OR_FILE", help="A tracer's name or a YAML file with a polar_map.")
    ] = "",
    series: Annotated[str, typer.Option("--series", metavar="NAME", help="Section of the parameters.")] = "",
    label: Annotated[
        int | None, typer.Option("--label", min=1, metavar="N", help="Of the wall, where the mask has several.")
    ] = None,
    csv: Annotated[Path | None, typer.Option("--csv", metavar="FILE", help="Also write the segments.")] = None,
    values: Annotated[
        Path | None,
        typer.Option(
            "--values",
            metavar="TABLE",
            help="Draw these instead: a table with columns segment and value, or a feature table with --column and "
            "--row.",
        ),
    ] = None,
    column: Annotated[
        str,
        typer.Option(
            "--column",
            metavar="PATTERN",
            help="Of a feature table: the columns, with ## for the segment's number, such as "
            "stress_original_polarmap_Segment##Ratio.",
        ),
    ] = "",
    row: Annotated[str, typer.Option("--row", metavar="CASE", help="Of a feature table: the case.")] = "",
    unit: Annotated[str, typer.Option("--unit", metavar="TEXT", help="What the colour bar says.")] = "",
    centre: Annotated[
        float | None,
        typer.Option("--centre", metavar="NUMBER", help="With --values: what has the middle colour, such as 0."),
    ] = None,
    title: Annotated[str, typer.Option("--title", metavar="TEXT", help="Over the picture.")] = "",
) -> None:
    """Polar map of the left ventricle: every place of the wall, and the 17 segments with their ratio to normal.

    With --values it draws any 17 numbers, such as what each segment contributed to a model.
    """
    from radiomics_pipeline.errors import ParamsError

    if (image is None) == (values is None):
        raise ParamsError("give an image (and its mask), or --values with a table")
    if out.suffix.lower() != ".png":
        raise ParamsError(f"{out.name}: the picture is a PNG file; call it {out.stem}.png")
    if values is not None:
        _draw_values(values, out, column=column, row=row, unit=unit, centre=centre, title=title)
    elif image is not None:
        _draw_image(image, mask, out, params=params, series=series, label=label, csv=csv, title=title, unit=unit)


def _draw_image(
    image: Path,
    mask: Path | None,
    out: Path,
    *,
    params: str,
    series: str,
    label: int | None,
    csv: Path | None,
    title: str,
    unit: str,
) -> None:
    from radiomics_pipeline.errors import ParamsError
    from radiomics_pipeline.io.delimited import write_rows
    from radiomics_pipeline.io.params_file import load_params
    from radiomics_pipeline.report.polar_map import draw_map
    from radiomics_pipeline.types.polar_map import SEGMENTS, TERRITORIES

    if not params:
        raise ParamsError("name the parameters with --params, such as mpi_spect")
    section, name = _section(load_params(params), series, params)
    wall, found, reasons = _measure(image, mask, label, section, name)
    ratios = [found[f"Segment{n:02d}Ratio"] for n in range(1, 18)]
    draw_map(wall, ratios, out, title=title or f"Polar map, {name}", unit=unit)
    if csv is not None:
        artery = {n: name for name, numbers in TERRITORIES.items() for n in numbers}
        rows = [
            [n, what, artery[n], *(found[f"Segment{n:02d}{end}"] for end in COLUMNS)]
            for n, what in enumerate(SEGMENTS, 1)
        ]
        write_rows(csv, ["segment", "name", "territory", *(end.lower() for end in COLUMNS)], rows)
    summed = next(feature for feature in found if feature in ("SssRatio", "SrsRatio", "SummedScoreRatio"))
    for feature in (summed, "Extent", "Deficit", "LowestRatio"):
        print(f"{feature:<18}{found[feature]:.4g}" if feature not in reasons else f"{feature:<18}{reasons[feature]}")
    print(f"-> {out}" + (f", {csv}" if csv else ""))


def _section(run: object, series: str, params: str) -> tuple[SeriesParams, str]:
    """The section of the parameters that has a polar map, by name or because it is the only one."""
    from radiomics_pipeline.errors import ParamsError, some
    from radiomics_pipeline.params.run import RunParams

    sections = run.series if isinstance(run, RunParams) else {}
    mapped = {name: section for name, section in sections.items() if section.polar_map is not None}
    if not mapped:
        raise ParamsError(f"{Path(params).name}: no series of the parameters has a polar_map")
    if not series and len(mapped) > 1:
        raise ParamsError(f"the parameters have polar maps of {some(mapped)}; name one with --series")
    if series and series not in mapped:
        raise ParamsError(f"the parameters have no polar map of {series!r}, only of {some(mapped)}")
    name = series or next(iter(mapped))
    return mapped[name], name


def _measure(
    image: Path, mask: Path | None, label: int | None, section: SeriesParams, series: str
) -> tuple[WallMap, Mapping[str, float], Mapping[str, str]]:
    """The map, the features of it and the reasons of those that are NaN."""
    import numpy as np

    from radiomics_pipeline.batch.inputs import Reader
    from radiomics_pipeline.batch.single import load_region
    from radiomics_pipeline.errors import ParamsError
    from radiomics_pipeline.extraction.source import ibsi_source
    from radiomics_pipeline.features.polar_map import polar_map_family
    from radiomics_pipeline.features.polar_map_sample import Sampled
    from radiomics_pipeline.features.registry import Sample
    from radiomics_pipeline.io.images import open_image
    from radiomics_pipeline.types import Region

    assert section.polar_map is not None
    source = ibsi_source(section)
    if mask is not None:
        volume, region = load_region(source, image, mask, label)
    elif section.polar_map.axis.method == "given":
        drawn = Reader(image.parent).input("image", image)
        volume = open_image(drawn.files, drawn.name, source).volume
        nothing = np.zeros(volume.grid.shape, bool)
        region = Region(nothing, nothing, volume.grid)
    else:
        raise ParamsError(f"series {series}: axis {section.polar_map.axis.method} is found in the wall: give its mask")
    sample = Sample(volume, region)
    found, reasons = polar_map_family(section.polar_map).compute(sample)
    return sample.once(Sampled(section.polar_map)), found, reasons


def _draw_values(table: Path, out: Path, *, column: str, row: str, unit: str, centre: float | None, title: str) -> None:
    from radiomics_pipeline.io.delimited import read_text_table
    from radiomics_pipeline.report.polar_map import draw_segments

    read = read_text_table(table)
    found = _of_row(read, column, row) if column or row else _of_segments(read)
    missing = sum(math.isnan(value) for value in found)
    draw_segments(found, out, title=title or column.replace("##", "") or table.stem, unit=unit, centre=centre)
    print(f"{17 - missing} of 17 segments have a value -> {out}")


def _of_segments(table: TextTable) -> list[float]:
    """The column `value` by the column `segment`; segments without a row are NaN."""
    from radiomics_pipeline.errors import TableError

    numbers, wrong = table.numbers("segment")
    values, texts = table.numbers("value")
    if wrong or texts:
        raise TableError(f"{table.name}: {(*wrong, *texts)[0]!r} is no number")
    found = [math.nan] * 17
    for number, value in zip(numbers, values, strict=True):
        if number not in range(1, 18):
            raise TableError(f"{table.name}: segment {number:g}; there are segments 1 to 17")
        if not math.isnan(found[int(number) - 1]):
            raise TableError(f"{table.name}: segment {int(number)} has two values")
        found[int(number) - 1] = float(value)
    return found


def _of_row(table: TextTable, pattern: str, case: str) -> list[float]:
    """The 17 columns of a pattern, in the row of a case."""
    from radiomics_pipeline.errors import ParamsError, TableError, some

    if "##" not in pattern:
        raise ParamsError("--column needs ## for the segment's number, as in stress_original_polarmap_Segment##Ratio")
    key = next((name for name in KEYS if name in table.columns), table.columns[0])
    cases = table.column(key)
    if cases.count(case) != 1:
        have = "no row" if case not in cases else f"{cases.count(case)} rows"
        raise TableError(f"{table.name}: {have} with {key} {case!r}; name one with --row, such as {some(cases, 3)}")
    at = cases.index(case)
    found = []
    for number in range(1, 18):
        numbers, texts = table.numbers(pattern.replace("##", f"{number:02d}"))
        if texts:
            raise TableError(f"{table.name}: {texts[0]!r} is no number")
        found.append(float(numbers[at]))
    return found
