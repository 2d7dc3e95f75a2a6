"""radiomics-pipeline maps: features in the neighbourhood of every voxel, as images."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from radiomics_pipeline.cli.options import ParamsName, SeriesName
from radiomics_pipeline.cli.progress import progress_bar


def maps(
    image: Annotated[Path, typer.Argument(metavar="IMAGE", help="A volume: NIfTI, NRRD or MetaImage.")],
    mask: Annotated[Path, typer.Argument(metavar="MASK", help="Its mask, on the same grid.")],
    params: ParamsName,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for the maps; made if missing.")],
    features: Annotated[
        str,
        typer.Option(
            "--features",
            metavar="A,B,C",
            help="Such as glcm_Contrast, or a whole family. Without: first order and glcm, or what the featureClass "
            "of a PyRadiomics file names.",
        ),
    ] = "",
    radius: Annotated[
        int | None,
        typer.Option(
            "--radius", metavar="VOXELS", help="Of the kernel, a box.", show_default="1, or PyRadiomics' kernelRadius"
        ),
    ] = None,
    radius_mm: Annotated[
        float | None, typer.Option("--radius-mm", metavar="MM", help="The same in mm, rounded down along each axis.")
    ] = None,
    masked: Annotated[
        bool | None,
        typer.Option(
            "--masked/--whole-image",
            help="Count only voxels of the region in a kernel, or all of the image.",
            show_default="masked, or PyRadiomics' maskedKernel",
        ),
    ] = None,
    series: SeriesName = "",
    label: Annotated[
        int | None,
        typer.Option("--label", min=1, metavar="N", help="Of the region.", show_default="that of the parameters"),
    ] = None,
    crop: Annotated[
        bool, typer.Option("--crop", help="Maps of the region's box and the kernel's radius around it only.")
    ] = False,
    float32: Annotated[bool, typer.Option("--float32", help="Single precision; files of half the size.")] = False,
) -> None:
    """Features in a box around every voxel of a region: one NIfTI map a feature, in the image's geometry.

    Grey levels are made once, of the region. Outside it maps hold NaN, or PyRadiomics' initValue.
    """
    from radiomics_pipeline.batch.maps import estimate, prepare_maps, write_maps
    from radiomics_pipeline.extraction.maps import plan_maps
    from radiomics_pipeline.io.params_file import load_params

    plan = plan_maps(
        load_params(params),
        series,
        features=tuple(name.strip() for name in features.split(",") if name.strip()),
        radius=radius,
        radius_mm=radius_mm,
        masked=masked,
    )
    work = prepare_maps(plan, image, mask, label=label, crop=crop)
    kernel = " x ".join(str(2 * r + 1) for r in work.patches.radius[::-1])
    with progress_bar("measuring"):
        expected = estimate(plan, work)
    files = f"{expected.maps} map{'s' if expected.maps > 1 else ''}"
    seconds = _time(expected.seconds)
    print(f"{expected.voxels} voxels, {files}, kernel of {kernel} voxels: about {seconds}", flush=True)
    with progress_bar("computing") as progress:
        write_maps(plan, work, out, dtype="float32" if float32 else "float64", progress=progress)
    print(f"{files} -> {out}")


def _time(seconds: float) -> str:
    if seconds < 1:
        return "a second"
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
