"""Seconds a region, against PyRadiomics and against reading the files, in one run.

    python benchmarks/speed.py STUDY... [--most 30]

For every series of every study: all IBSI families, 3D, directions merged, image and mask in memory, one thread, kernels
warm; PyRadiomics' 107 features of the same image and mask, likewise in memory; and SimpleITK reading both files, which
is what PyRadiomics does. CT is measured on its own grid and at 2 mm. Bins: 25 HU, 0.25 SUV.
A study is a folder as the command line takes it; series are told apart by name (CT, PET); unnamed images are taken for
CT, or for PET where the highest intensity in the region is below 100.
"""

from __future__ import annotations

import argparse
import logging
import statistics
import sys
from dataclasses import dataclass
from pathlib import Path

from measure import one_thread, save, timed

one_thread()

import radiomics
import SimpleITK as sitk
from radiomics.featureextractor import RadiomicsFeatureExtractor

from radiomics_pipeline.batch.cases import find_study
from radiomics_pipeline.batch.study import SeriesFiles
from radiomics_pipeline.extraction.ibsi import plan_ibsi
from radiomics_pipeline.imaging.regions import regions_of
from radiomics_pipeline.io.volumes import load_pair, read_file
from radiomics_pipeline.params.extraction import Resample, Resegment, SeriesParams
from radiomics_pipeline.params.levels import FixedBinSize
from radiomics_pipeline.types.masks import LabelImage

radiomics.setVerbosity(logging.CRITICAL)
sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)


@dataclass(frozen=True)
class Protocol:
    """One way of measuring a series, for both programs."""

    name: str
    ours: SeriesParams
    theirs: dict[str, object]


def protocols(series: str, lowest: float) -> list[Protocol]:
    """CT: native and 2 mm, 25 HU; PET: native, 0.25 SUV."""
    if series == "PET":
        bins = FixedBinSize(method="fixed-bin-size", width=0.25, origin=min(0.0, lowest))
        return [Protocol("PET", SeriesParams(unit="SUV", discretise=bins), {"binWidth": 0.25})]
    bins = FixedBinSize(method="fixed-bin-size", width=25, origin=-1000)
    keep = Resegment(range=(-1000, None))
    native = SeriesParams(unit="HU", discretise=bins, resegment=keep)
    finer = SeriesParams(unit="HU", discretise=bins, resegment=keep, resample=Resample(voxel_mm=2, round=True))
    resampled = {"binWidth": 25, "resampledPixelSpacing": [2, 2, 2], "interpolator": "sitkLinear"}
    return [Protocol("CT native", native, {"binWidth": 25}), Protocol("CT 2 mm", finer, resampled)]


def measure(case: str, files: SeriesFiles) -> list[dict[str, object]]:
    """One row for each protocol of a series."""
    volume, labels = load_pair(read_file(files.image), read_file(files.mask), "")
    region = regions_of(LabelImage("mask", volume.grid, labels), None)[0]
    inside = volume.array[region.morphology]
    series = files.series or ("PET" if inside.max() < 100 else "CT")
    image, mask = sitk.ReadImage(str(files.image)), sitk.ReadImage(str(files.mask))
    reading = timed(lambda: (sitk.ReadImage(str(files.image)), sitk.ReadImage(str(files.mask))))
    own_reading = timed(lambda: load_pair(read_file(files.image), read_file(files.mask), ""))
    rows = []
    for protocol in protocols(series, float(inside.min())):
        plan = plan_ibsi(protocol.ours, series)
        plan.extract(volume, region)
        extractor = RadiomicsFeatureExtractor(label=region.label, **protocol.theirs)
        ours = timed(plan.extract, volume, region, times=7)
        theirs = timed(extractor.execute, image, mask, times=3)
        rows.append(
            {
                "case": case,
                "protocol": protocol.name,
                "voxels": len(inside),
                "features": len(plan.columns),
                "ours_s": ours.seconds,
                "ours_spread": ours.spread,
                "pyradiomics_s": theirs.seconds,
                "pyradiomics_spread": theirs.spread,
                "reading_s": reading.seconds,
                "own_reading_s": own_reading.seconds,
            }
        )
    return rows


def summarise(rows: list[dict[str, object]]) -> list[str]:
    """One line a protocol: medians, and the case with the smallest ratio."""
    lines = []
    for name in dict.fromkeys(row["protocol"] for row in rows):
        chosen = [row for row in rows if row["protocol"] == name]
        ratio = [row["pyradiomics_s"] / row["ours_s"] for row in chosen]
        share = [row["ours_s"] / row["reading_s"] for row in chosen]
        own = [row["ours_s"] / row["own_reading_s"] for row in chosen]
        seconds = statistics.median(row["ours_s"] for row in chosen)
        lines.append(
            f"{name}: {len(chosen)} regions, median {seconds * 1000:.1f} ms; PyRadiomics takes "
            f"{statistics.median(ratio):.1f} times as long (least {min(ratio):.1f}); compute / reading with SimpleITK "
            f"{statistics.median(share):.2f}, with our own reader {statistics.median(own):.2f}"
        )
    return lines


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("study", type=Path, nargs="+")
    parser.add_argument("--case", action="append", help="only this case; may be given again")
    parser.add_argument("--most", type=int, default=1000, help="cases of each study at the most")
    parser.add_argument("--name", default="speed", help="of the file in results/")
    arguments = parser.parse_args()
    rows: list[dict[str, object]] = []
    for folder in arguments.study:
        study = find_study(folder)
        study = study.only(arguments.case) if arguments.case else study
        for case in study.cases[: arguments.most]:
            for files in case.series:
                for row in measure(case.name, files):
                    rows.append(row)
                    print(
                        f"{row['case']:<14} {row['protocol']:<10} {row['voxels']:>7} voxels: "
                        f"{row['ours_s'] * 1e3:7.1f} ms, "
                        f"PyRadiomics {row['pyradiomics_s'] / row['ours_s']:5.1f} x, reading "
                        f"{row['reading_s'] * 1e3:5.1f} ms"
                    )
    save(arguments.name, rows, summarise(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
