"""Label images, and the names of their labels: from the file itself, or from a table beside it.

In the file: segments of 3D Slicer (.seg.nrrd), and the label table that TotalSegmentator writes into the NIfTI header.
Beside it, under the stem of its name: colour tables of 3D Slicer (.ctbl, .txt, .csv, also <stem>_ColorTable), label
descriptions of ITK-SNAP (.txt, .label), BIDS lookup tables (.tsv with index and name), JSON with names by number or
numbers by name; and dataset.json of nnU-Net or dseg.tsv of BIDS in the same folder.
"""

from __future__ import annotations

from collections.abc import Callable

from radiomics_pipeline.errors import BadMask
from radiomics_pipeline.imaging.regions import printable
from radiomics_pipeline.io import itk, label_tables, nifti_names, seg_nrrd
from radiomics_pipeline.io.volumes import VolumeFile, decode, to_labels
from radiomics_pipeline.types.masks import LabelImage, MaskStack

_SUFFIXES = (".nii.gz", ".seg.nrrd", ".nii", ".nrrd", ".nhdr", ".mha", ".mhd")
_BESIDE = (".ctbl", "_ColorTable.ctbl", ".txt", "_ColorTable.txt", ".label", ".csv", "_ColorTable.csv", ".tsv", ".json")
_IN_FOLDER = ("dataset.json",)

Beside = Callable[[str], bytes | None]
"""The content of a file in the folder of the mask, by its name; None where there is none."""


def read_label_image(file: VolumeFile, beside: Beside | None = None, *, native: bool = False) -> LabelImage | MaskStack:
    """A label image with the names of its labels; segments that overlap one by one.

    beside : gives files beside the mask; None: its folder does
    native : on the grid with all its digits that ITK reads, as PyRadiomics has it
    Errors as of `io.volumes.decode`, `to_labels` and `label_names`.
    """
    if _is_nrrd(file) and seg_nrrd.is_layered(file.data):
        return seg_nrrd.read_layers(file.data, file.name)
    raw = decode(file)
    grid = itk.grid_of(file.path, raw, file.name) if native else raw.grid
    return LabelImage(file.name, grid, to_labels(raw, file.name), label_names(file, beside or siblings(file)))


def label_names(file: VolumeFile, beside: Beside) -> dict[int, str]:
    """The names of labels, empty where nothing names them.

    Raises DamagedFile for a table that cannot be read, BadMask where two sources give a label different names.
    """
    found: dict[int, str] = {}
    source: dict[int, str] = {}
    for place, names in _tables(file, beside):
        for label, given in names.items():
            name = printable(given)
            if not name or label < 1:
                continue
            known = found.setdefault(label, name)
            first = source.setdefault(label, place)
            if _plain(known) != _plain(name):
                raise BadMask(
                    f"{file.name}: label {label} is {known!r} by {first}, but {name!r} by {place}; remove or correct "
                    "one of them"
                )
    return dict(sorted(found.items()))


def siblings(file: VolumeFile) -> Beside:
    """Reads files in the folder of a file."""

    def read(name: str) -> bytes | None:
        try:
            return (file.path.parent / name).read_bytes()
        except OSError:
            return None

    return read


def candidates(file_name: str) -> list[str]:
    """Names of the files beside a mask that may name its labels, in the order in which they are asked for."""
    stem = next((file_name[: -len(s)] for s in _SUFFIXES if file_name.lower().endswith(s)), file_name)
    names = [stem + suffix for suffix in _BESIDE]
    return [*names, *_IN_FOLDER, *(["dseg.tsv"] if stem.endswith("_dseg") else [])]


def _tables(file: VolumeFile, beside: Beside) -> list[tuple[str, dict[int, str]]]:
    """Names by where they stand: the file itself first."""
    tables = []
    lower = file.path.name.lower()
    if lower.endswith((".nii", ".nii.gz")):
        tables.append(("its header", nifti_names.label_table(file.data, file.name)))
    elif _is_nrrd(file):
        tables.append(("its header", {s.value: s.name for s in seg_nrrd.segments(file.data, file.name)}))
    for name in candidates(file.path.name):
        data = beside(name)
        if data is not None:
            tables.append((name, label_tables.read_table(data, name)))
    return tables


def _is_nrrd(file: VolumeFile) -> bool:
    return file.path.name.lower().endswith((".nrrd", ".nhdr"))


def _plain(name: str) -> str:
    """A name without what tables write differently: capitals, and blanks that colour tables cannot hold."""
    return " ".join(name.replace("_", " ").casefold().split())
