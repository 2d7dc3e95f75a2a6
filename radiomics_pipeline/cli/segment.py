"""radiomics-pipeline segment: delineate one image, or compare two masks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

if TYPE_CHECKING:
    from radiomics_pipeline.batch.segment import Findings
    from radiomics_pipeline.params.series import SeriesSource


class _FindFirst(TyperGroup):
    """`segment IMAGE ...` means `segment find IMAGE ...`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        known = not args or args[0] in self.commands or args[0] in ctx.help_option_names
        return super().parse_args(ctx, args if known else ["find", *args])


app = typer.Typer(
    cls=_FindFirst,
    help="Delineate lesions in one image: find, which may be left out. Compare two masks: compare.",
    no_args_is_help=True,
)

MEASURES = (
    ("Dice", "dice"),
    ("Jaccard", "jaccard"),
    ("volume A ml", "volume_a_ml"),
    ("volume B ml", "volume_b_ml"),
    ("(B-A)/A", "volume_difference"),
    ("Hausdorff mm", "hausdorff_mm"),
    ("95 % mm", "hausdorff95_mm"),
    ("mean mm", "mean_surface_distance_mm"),
    ("surface Dice", "surface_dice"),
    ("centroids mm", "centroid_distance_mm"),
)
"""Columns that are shown, and what they are called in the table that is written."""


@app.command("find")
def find(
    image: Annotated[Path, typer.Argument(metavar="IMAGE", help="NIfTI, NRRD, MetaImage, or a folder of DICOM.")],
    mask: Annotated[
        Path | None,
        typer.Argument(metavar="[MASK]", help="Where to search, each of its areas; with --search image: clicks."),
    ] = None,
    method: Annotated[str, typer.Option("--method", metavar="NAME", help="See docs/segmentation.md.")] = "",
    threshold: Annotated[float | None, typer.Option("--threshold", metavar="X", help="Of method fixed.")] = None,
    percent: Annotated[
        float | None, typer.Option("--percent", metavar="X", help="Of percent-of-maximum and background-adapted.")
    ] = None,
    search: Annotated[
        str, typer.Option("--search", metavar="WHERE", help="mask or image.", show_default="image without MASK")
    ] = "",
    minimum: Annotated[
        float | None, typer.Option("--min-volume-ml", min=0, metavar="ML", help="Leave smaller lesions out.")
    ] = None,
    setting: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Any other key of `segment`; may be given again."),
    ] = None,
    one: Annotated[
        bool | None,
        typer.Option("--one/--split", help="One region, or one each lesion.", show_default="split, or the parameters'"),
    ] = None,
    params: Annotated[
        str, typer.Option("--params", metavar="NAME_OR_FILE", help="Take `segment`, unit and references from these.")
    ] = "",
    series: Annotated[str, typer.Option("--series", metavar="NAME", help="Section of the parameters.")] = "",
    references: Annotated[
        Path | None,
        typer.Option(
            "--references", metavar="FILE", help="Mask of the reference regions; without --params each area is one."
        ),
    ] = None,
    label: Annotated[int | None, typer.Option("--label", min=1, metavar="N", help="Only this area of MASK.")] = None,
    unit: Annotated[str, typer.Option("--unit", metavar="UNIT", help="Of the image, without --params.")] = "SUV",
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write the lesions as labels: .nii.gz or .nii.")
    ] = None,
    table: Annotated[
        Path | None, typer.Option("--table", metavar="CSV", help="Write the list, a row a lesion.")
    ] = None,
) -> None:
    """Delineate the lesions of an image, and list them; exit code 2, with the reason, where none can be had."""
    from radiomics_pipeline.batch.segment import find_lesions, source_of, write_findings

    section = _section(params, series)
    settings: dict[str, Any] = {
        "method": method,
        "threshold": threshold,
        "percent": percent,
        "min_volume_ml": minimum,
        "search": search or ("" if mask else "image"),
        "lesions": "" if one is None and section else "one" if one else "split",
    }
    given = {name: value for name, value in settings.items() if value not in ("", None)}
    source = source_of({**given, **_pairs(setting or [])}, unit, section)
    found = find_lesions(image, mask, source, label=label, references=references, out=out)
    _list(found)
    if table is not None:
        write_findings(table, found)
    if out is not None:
        print(f"{len(found.lesions)} {'lesion' if len(found.lesions) == 1 else 'lesions'} -> {out}")


def _section(params: str, series: str) -> SeriesSource | None:
    """The section of the parameters that is meant; None without parameters."""
    from radiomics_pipeline.errors import ParamsError
    from radiomics_pipeline.io.params_file import load_params

    if not params:
        if series:
            raise ParamsError("--series is a section of the parameters; give --params, too")
        return None
    sections = load_params(params).series
    if not series:
        able = [name for name, section in sections.items() if section.segment] or list(sections)
        if len(able) != 1:
            raise ParamsError(f"{params}: sections {', '.join(sections)}; choose one with --series")
        series = able[0]
    if series not in sections:
        raise ParamsError(f"no section {series!r} in {params}; there are: {', '.join(sections)}")
    return sections[series]


def _pairs(words: list[str]) -> dict[str, Any]:
    """Settings from KEY=VALUE, the values as YAML has them."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    from radiomics_pipeline.errors import ParamsError

    found = {}
    for word in words:
        key, is_pair, text = word.partition("=")
        if not is_pair or not key.strip():
            raise ParamsError(f"--set {word!r}: write KEY=VALUE, such as --set connectivity=6")
        try:
            found[key.strip()] = YAML(typ="safe", pure=True).load(text)
        except YAMLError:
            raise ParamsError(f"--set {word!r}: {text!r} is no value") from None
    return found


def _list(found: Findings) -> None:
    unit = f" {found.unit}" if found.unit else ""
    rows = [
        (
            str(lesion.number),
            lesion.area,
            f"{lesion.volume_ml:.3f}",
            f"{lesion.maximum:.5g}",
            f"{lesion.mean:.5g}",
            _number(lesion.threshold),
            "; ".join(lesion.flags),
        )
        for lesion in found.lesions
    ]
    heads = ("lesion", "area", "ml", f"maximum{unit}", f"mean{unit}", "threshold", "")
    _print_table(heads, rows, texts=(1, 6))
    total = sum(lesion.volume_ml for lesion in found.lesions)
    print(f"in all {total:.3f} ml")
    for note in found.notes:
        print(f"note: {note}")


@app.command("compare")
def compare(
    a: Annotated[
        Path, typer.Argument(metavar="A", help="A mask, or a folder of masks; (B-A)/A is relative to its volume.")
    ],
    b: Annotated[
        Path, typer.Argument(metavar="B", help="Another one on the same grid; of folders, files of the same names.")
    ],
    label: Annotated[int | None, typer.Option("--label", min=1, metavar="N", help="Only this label.")] = None,
    tolerance: Annotated[
        float, typer.Option("--tolerance", min=0, metavar="MM", help="Of the surface Dice: no farther is no error.")
    ] = 2.0,
    out: Annotated[Path | None, typer.Option("--out", metavar="CSV", help="Write the table, a row a label.")] = None,
) -> None:
    """Overlap, volumes and distances of two masks, label by label. Surfaces are voxels with a free face.

    Exit code 3: masks of two folders could not all be compared.
    """
    from radiomics_pipeline.batch.compare import compare_any
    from radiomics_pipeline.io.delimited import write_rows

    found, problems = compare_any(a, b, tolerance_mm=tolerance, label=label)
    rows = [
        (row.file, row.label, *(_number(getattr(row.made, name)) for _, name in MEASURES), row.made.reason)
        for row in found
    ]
    heads, last = ("file", "label", *(head for head, _ in MEASURES), ""), len(MEASURES) + 2
    if not any(row.file for row in found):
        rows, heads, last = [row[1:] for row in rows], heads[1:], last - 1
    _print_table(heads, rows, texts=(0, last))
    for problem in problems:
        print(f"not compared: {problem}")
    if out is not None:
        header = ["file", "label", *(name for _, name in MEASURES), "tolerance_mm", "reason"]
        write_rows(
            out,
            header,
            [
                [row.file, row.label, *(getattr(row.made, name) for _, name in MEASURES), tolerance, row.made.reason]
                for row in found
            ],
        )
        print(f"{len(found)} {'row' if len(found) == 1 else 'rows'} -> {out}")
    raise typer.Exit(3 if problems else 0)


def _number(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.4g}"


def _print_table(heads: tuple[str, ...], rows: Sequence[tuple[str, ...]], *, texts: tuple[int, ...] = ()) -> None:
    """Columns of numbers to the right, of texts to the left."""
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    for row in (heads, *rows):
        cells = (
            cell.ljust(width) if i in texts else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        print("  ".join(cells).rstrip())
