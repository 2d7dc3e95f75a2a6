"""The usual large table of filtered images, against PyRadiomics, in one run.

    python benchmarks/filters.py IMAGE MASK WIDTH [IMAGE MASK WIDTH ...]

For each image and mask in memory, one thread, kernels warm, with bins of WIDTH: the original, LoG, 8 wavelet subbands,
square, square root, logarithm, exponential and gradient by `standard: pyradiomics` and by PyRadiomics itself; LoG 3 mm
and the subbands alone; each filter's own seconds beside those of PyRadiomics' own filter; the largest relative
difference of all values; and the memory that a subband of `standard: ibsi` needs, in copies of the padded box.
"""

from __future__ import annotations

import argparse
import logging
import math
import sys
import tracemalloc
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from measure import one_thread, save, timed

one_thread()

import numpy as np
import radiomics
import SimpleITK as sitk
from radiomics import imageoperations
from radiomics.featureextractor import RadiomicsFeatureExtractor

from radiomics_pipeline.extraction.pyradiomics import plan_pyradiomics
from radiomics_pipeline.imaging.boxes import bounding_box
from radiomics_pipeline.imaging.filters.memory import Memory
from radiomics_pipeline.imaging.filters.table import filter_named, settings_of
from radiomics_pipeline.imaging.pyradiomics.filters.spec import Box
from radiomics_pipeline.imaging.pyradiomics.filters.table import IMAGE_TYPES
from radiomics_pipeline.imaging.regions import regions_of
from radiomics_pipeline.io.volumes import load_pair, read_file
from radiomics_pipeline.params.pyradiomics import PyradiomicsSeries, Settings
from radiomics_pipeline.types import Region, Volume
from radiomics_pipeline.types.masks import LabelImage

radiomics.setVerbosity(logging.CRITICAL)
sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)

POINTS: dict[str, dict[str, Any]] = {n: {} for n in ("Square", "SquareRoot", "Logarithm", "Exponential", "Gradient")}
TABLES: dict[str, dict[str, dict[str, Any]]] = {
    "LoG 1, 3, 5": {"Original": {}, "LoG": {"sigma": [1.0, 3.0, 5.0]}, "Wavelet": {}, **POINTS},
    "LoG 1 to 5": {"Original": {}, "LoG": {"sigma": [1.0, 2.0, 3.0, 4.0, 5.0]}, "Wavelet": {}, **POINTS},
    "LoG 3, subbands": {"LoG": {"sigma": [3.0]}, "Wavelet": {}},
    "LoG 3, subbands and the other five": {"LoG": {"sigma": [3.0]}, "Wavelet": {}, **POINTS},
}
FILTERS: dict[str, dict[str, Any]] = {"LoG": {"sigma": [3.0]}, "Wavelet": {}, "LBP2D": {}, **POINTS}
SUBBANDS = ("LLL", "LLH", "LHL", "LHH", "HLL", "HLH", "HHL", "HHH")


def measure_table(
    name: str, volume: Volume, region: Region, itk: tuple[sitk.Image, sitk.Image], width: float
) -> dict[str, object]:
    """One table through both."""
    tree = {"imageType": TABLES[name], "setting": {"binWidth": width, "label": region.label}}
    plan = plan_pyradiomics(PyradiomicsSeries.model_validate(tree), "", named=False)
    values = plan.extract(volume, region).values
    extractor = RadiomicsFeatureExtractor(tree)
    expected = extractor.execute(*itk)
    ours = timed(plan.extract, volume, region, times=7)
    theirs = timed(extractor.execute, *itk, times=3)
    return {
        "table": name,
        "columns": len(plan.columns),
        "ours_s": ours.seconds,
        "ours_spread": ours.spread,
        "pyradiomics_s": theirs.seconds,
        "pyradiomics_spread": theirs.spread,
        "times": theirs.seconds / ours.seconds,
        "largest_difference": _largest_difference(values, expected),
    }


def _largest_difference(values: Mapping[str, float], expected: Mapping[str, Any]) -> float:
    """Relative, over all columns."""
    gaps = [
        abs(value - float(expected[column])) / max(abs(float(expected[column])), 1e-12)
        for column, value in values.items()
        if not (math.isnan(value) and math.isnan(float(expected.get(column, math.nan))))
    ]
    return max(gaps)


def measure_filters(volume: Volume, region: Region, itk: tuple[sitk.Image, sitk.Image]) -> list[dict[str, object]]:
    """Seconds of each filter alone; PyRadiomics filters the whole image, ours the region's box."""
    low, high = bounding_box(region.morphology)
    box = Box(low, high, region.morphology[tuple(slice(a, b) for a, b in zip(low, high, strict=True))])
    rows: list[dict[str, object]] = []
    for name, given in FILTERS.items():
        settings = Settings.model_validate(given)
        own, theirs = IMAGE_TYPES[name].responses, getattr(imageoperations, f"get{name}Image")
        list(own(volume, box, settings))
        ours = timed(lambda f=own, s=settings: list(f(volume, box, s)))
        other = timed(lambda f=theirs, s=given: list(f(*itk, label=region.label, **s)), times=3)
        rows.append({"filter": name, "ours_s": ours.seconds, "pyradiomics_s": other.seconds})
    return rows


def copies_of_the_box(volume: Volume) -> float:
    """Largest memory while all subbands are made one after the other, the image included, in copies of the image."""
    row, array = filter_named("wavelet"), volume.array.astype(np.float64)
    params = [settings_of(row, {"wavelet": "coif1", "subband": band, "pooling": "average"}) for band in SUBBANDS]
    row.respond(array[:20, :20, :20].copy(), (1.0, 1.0, 1.0), params[0])
    memory = Memory()
    tracemalloc.start()
    for one in params:
        row.respond(array, (1.0, 1.0, 1.0), one, memory)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return 1 + peak / array.nbytes


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("triples", nargs="+", metavar="IMAGE MASK WIDTH")
    parser.add_argument("--name", default="filters", help="of the file in results/")
    arguments = parser.parse_args()
    triples = arguments.triples
    rows: list[dict[str, object]] = []
    lines = []
    for image, mask, width in zip(triples[::3], triples[1::3], triples[2::3], strict=True):
        volume, labels = load_pair(read_file(Path(image)), read_file(Path(mask)), "", native=True)
        region = regions_of(LabelImage("mask", volume.grid, labels), None)[0]
        itk = sitk.ReadImage(image), sitk.ReadImage(mask)
        case = {"image": "/".join(Path(image).parts[-2:]), "voxels": int(np.count_nonzero(region.morphology))}
        for name in TABLES:
            row = {**case, **measure_table(name, volume, region, itk, float(width))}
            rows.append(row)
            lines.append(
                f"{case['image']}, {name}: {row['columns']} columns in {row['ours_s']:.3f} s, PyRadiomics takes "
                f"{row['times']:.1f} times as long; largest relative difference {row['largest_difference']:.0e}"
            )
            print(lines[-1], flush=True)
        for row in measure_filters(volume, region, itk):
            rows.append({**case, **row})
            lines.append(
                f"{case['image']}, {row['filter']} alone: {float(str(row['ours_s'])) * 1e3:.1f} ms, PyRadiomics "
                f"{float(str(row['pyradiomics_s'])) * 1e3:.1f} ms"
            )
        copies = copies_of_the_box(volume)
        rows.append({**case, "copies": copies})
        lines.append(f"{case['image']}: pooled subbands need {copies:.1f} copies of the padded box")
    save(arguments.name, rows, lines)
    return 0


if __name__ == "__main__":
    sys.exit(main())
