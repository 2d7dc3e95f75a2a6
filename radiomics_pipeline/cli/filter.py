"""radiomics-pipeline filter and filters: responses of images to filters."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from radiomics_pipeline.cli.options import SeriesName

app = typer.Typer(help="Image filters: list, show.", no_args_is_help=True)


def filter_image(
    image: Annotated[Path, typer.Argument(metavar="IMAGE", help="A volume, or a folder of DICOM.")],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Response map, .nii.gz or .nii.")],
    name: Annotated[str, typer.Option("--filter", metavar="NAME", help="A filter; see 'filters list'.")] = "",
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="A setting of the filter, such as sigma_mm=3; repeatable."),
    ] = None,
    params: Annotated[
        str,
        typer.Option(
            "--params",
            metavar="NAME_OR_FILE",
            help="Instead: parameters with `filters`, or PyRadiomics' own.",
        ),
    ] = "",
    series: SeriesName = "",
    token: Annotated[
        str, typer.Option("--image", metavar="NAME", help="Of several filtered images: what columns call it.")
    ] = "",
) -> None:
    """The response of an image to a filter of IBSI 2, or with --params of PyRadiomics, voxel by voxel, as NIfTI.

    With --params the image is read, converted and resampled as the series says, and the map lies on that grid.
    """
    from radiomics_pipeline.batch.filter import filter_by_params, filter_file
    from radiomics_pipeline.errors import ParamsError
    from radiomics_pipeline.io.params_file import load_params

    if bool(name) == bool(params):
        raise ParamsError("say either which filter (--filter, --set) or which parameters (--params)")
    if params:
        if settings:
            raise ParamsError("--set belongs to --filter; with --params the file says it")
        found = filter_by_params(image, out, load_params(params), series, token)
    else:
        found = filter_file(image, out, name, dict(map(_setting, settings or [])))
    array = found.array
    print(f"{' x '.join(str(n) for n in array.shape[::-1])} voxels, {array.min():g} to {array.max():g} -> {out}")


@app.command("list")
def list_filters() -> None:
    """The filters, with IBSI code."""
    from radiomics_pipeline.imaging.filters.table import FILTERS

    for row in FILTERS:
        print(f"{row.name:<12} {row.ibsi:<6} {row.title}")


@app.command("show")
def show(name: Annotated[str, typer.Argument(metavar="NAME", help="Such as log.")]) -> None:
    """What a filter is, and its settings."""
    from pydantic_core import PydanticUndefined

    from radiomics_pipeline.imaging.filters.table import filter_named

    row = filter_named(name)
    print(f"{row.name}\n  {row.title}, IBSI code {row.ibsi}")
    for key, setting in row.params.model_fields.items():
        default = "needed" if setting.default is PydanticUndefined else _shown(setting.default)
        print(f"  {key:<16} {default:<10} {setting.description}")


def _shown(value: object) -> str:
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _setting(text: str) -> tuple[str, Any]:
    """One setting as it would stand in a parameter file."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    from radiomics_pipeline.errors import ParamsError

    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise ParamsError(f"--set {text!r}: write KEY=VALUE, such as sigma_mm=3")
    try:
        return key.strip(), YAML(typ="safe", pure=True).load(value)
    except YAMLError:
        raise ParamsError(f"--set {text!r}: {value!r} cannot be read as a value") from None
