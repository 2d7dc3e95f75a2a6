"""Seconds a case: reading, our five families, and PyRadiomics on the same files.

    python benchmarks/extraction.py STUDY [--params fdg] [--most 30]

One thread, kernels warm, medians over the cases; each case is timed three times and the best counts.
PyRadiomics computes its first-order, shape, GLCM and GLSZM classes with the bin width, voxel size and range
of the same parameters; its share is left out where it is not installed.
"""

from __future__ import annotations

import argparse
import logging
import os
import statistics
import sys
import time
from pathlib import Path

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"

from radiomics_pipeline.batch.cases import SeriesFiles, find_study
from radiomics_pipeline.batch.extract import plan_study
from radiomics_pipeline.extraction.extract import extract_region
from radiomics_pipeline.extraction.plan import SeriesPlan
from radiomics_pipeline.imaging.regions import regions_of
from radiomics_pipeline.io.params_file import load_params
from radiomics_pipeline.io.volumes import load_pair, read_file
from radiomics_pipeline.params.extraction import FixedBinSize


def read(files: SeriesFiles, plan: SeriesPlan):
    volume, labels = load_pair(read_file(files.image), read_file(files.mask), plan.params.unit)
    return volume, regions_of(labels, volume.grid, plan.params.label, "mask")[0]


def pyradiomics_extractor(plan: SeriesPlan):
    """PyRadiomics with the nearest settings, or None where it is not installed."""
    try:
        import radiomics
        from radiomics.featureextractor import RadiomicsFeatureExtractor
    except ImportError:
        return None
    radiomics.setVerbosity(logging.CRITICAL)
    settings: dict[str, object] = {}
    if isinstance(plan.params.discretise, FixedBinSize):
        settings["binWidth"] = plan.params.discretise.width
    if plan.params.resample:
        settings["resampledPixelSpacing"] = [plan.params.resample.voxel_mm] * 3
    extractor = RadiomicsFeatureExtractor(**settings)
    extractor.disableAllFeatures()
    for name in ("shape", "firstorder", "glcm", "glszm"):
        extractor.enableFeatureClassByName(name)
    return extractor


def best(function, *arguments, times: int = 3) -> float:
    seconds = []
    for _ in range(times):
        started = time.perf_counter()
        function(*arguments)
        seconds.append(time.perf_counter() - started)
    return min(seconds)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("study", type=Path)
    parser.add_argument("--params", default="fdg")
    parser.add_argument("--most", type=int, default=1000, help="cases at the most")
    arguments = parser.parse_args()
    study = find_study(arguments.study)
    plans, _ = plan_study(study, load_params(arguments.params))
    for series, plan in plans.items():
        extractor = pyradiomics_extractor(plan)
        rows = []
        for case in study.cases[: arguments.most]:
            files = next((f for f in case.series if f.series == series), None)
            if files is None:
                continue
            volume, region = read(files, plan)
            extract_region(volume, region, plan)
            reading = best(read, files, plan)
            ours = best(extract_region, volume, region, plan)
            theirs = best(extractor.execute, str(files.image), str(files.mask), times=1) if extractor else float("nan")
            rows.append((reading, ours, theirs))
            print(f"{case.name} {series}: reading {reading:.3f} s, features {ours:.3f} s, PyRadiomics {theirs:.3f} s")
        reading, ours, theirs = (statistics.median(column) for column in zip(*rows, strict=True))
        ratio = statistics.median(t / (r + o) for r, o, t in rows)
        share = statistics.median(o / r for r, o, _ in rows)
        print(
            f"{series}, median of {len(rows)}: reading {reading:.3f} s, features {ours:.3f} s ({share:.2f} x reading), "
            f"PyRadiomics with reading {theirs:.3f} s ({ratio:.1f} x ours with reading)"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
