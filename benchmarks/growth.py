"""How time and memory of each family grow with the region: spheres of 10^3 to 10^7 voxels.

    python benchmarks/growth.py [--largest 7]

Grey levels are smooth noise in 32 bins, voxels 1 mm. Moran's I and Geary's C are measured apart from the rest of
morphology. Memory is the highest resident set over what image, mask and levels take, in bytes per voxel of the region's
box (Linux only); each measurement of it runs in a process of its own.
"""

from __future__ import annotations

import argparse
import math
import os
import subprocess
import sys
from pathlib import Path

from measure import one_thread, save, timed

one_thread()

import numpy as np
from scipy import ndimage

from radiomics_pipeline.features import FAMILIES
from radiomics_pipeline.features.morphology import morphology
from radiomics_pipeline.features.registry import Family, Sample
from radiomics_pipeline.imaging.discretise import discretise
from radiomics_pipeline.params.levels import FixedBinNumber
from radiomics_pipeline.types import Grid, Region, Volume

AUTOCORRELATION = ("MoransI", "GearysC")


def sphere(voxels: float) -> Sample:
    """A sphere of about this many voxels of 1 mm, with grey levels in 32 bins."""
    radius = (3 * voxels / (4 * math.pi)) ** (1 / 3)
    n = 2 * math.ceil(radius) + 1
    z, y, x = np.ogrid[:n, :n, :n]
    c = (n - 1) / 2
    mask = (z - c) ** 2 + (y - c) ** 2 + (x - c) ** 2 <= radius**2
    box = tuple(slice(int(i.min()), int(i.max()) + 1) for i in np.nonzero(mask))
    mask = np.ascontiguousarray(mask[box])
    noise = np.random.default_rng(20).normal(size=mask.shape)
    array = ndimage.gaussian_filter(noise, 1.0) * 100
    grid = Grid(mask.shape, (1.0, 1.0, 1.0))
    volume, region = Volume(array, grid, "HU"), Region(mask, mask, grid)
    return Sample(volume, region, discretise(volume, region, FixedBinNumber(method="fixed-bin-number", bins=32)))


def parts() -> dict[str, Family]:
    """The families, morphology in two: Moran and Geary, and the rest."""
    found = {f.token: f for f in FAMILIES if f is not morphology}
    pairs, rest = (Family("morphology", title=t, ibsi="", prepare=morphology.prepare) for t in ("pairs", "rest"))
    for name, feature in morphology.features.items():
        (pairs if name in AUTOCORRELATION else rest).features[name] = feature
    return {"morphology": rest, "Moran, Geary": pairs, **found}


def compute(family: Family, sample: Sample) -> None:
    """The family's features from nothing: what families share is computed again."""
    aggregation = family.aggregation_of("3D:mrg")
    family.compute(Sample(sample.volume, sample.region, sample.levels, aggregation))


def peak_bytes(name: str, voxels: float) -> int:
    """Highest resident set while a family is computed, over that before (Linux)."""
    family, small, sample = parts()[name], sphere(1000), sphere(voxels)
    compute(family, small)
    before = _status("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the highest resident set is now the present one
    compute(family, sample)
    return _status("VmHWM") - before


def _status(field: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(field))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--largest", type=float, default=7, help="power of ten of the largest sphere")
    parser.add_argument("--name", default="growth", help="of the file in results/")
    parser.add_argument("--peak", nargs=2, metavar=("PART", "VOXELS"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.peak:
        print(peak_bytes(arguments.peak[0], float(arguments.peak[1])))
        return 0
    powers = [p / 2 for p in range(6, int(2 * arguments.largest) + 1)]
    rows: list[dict[str, object]] = []
    for power in powers:
        sample = sphere(10**power)
        for name, family in parts().items():
            compute(family, sample)
            times = 5 if power < 6 else 1
            rows.append(
                {"part": name, "voxels": 10**power, "seconds": timed(compute, family, sample, times=times).seconds}
            )
    summary = [
        f"{'part':<16}{'exponent 10^5..':>16}{f'10^{arguments.largest:g} voxels':>16}{'bytes a voxel of the box':>28}"
    ]
    box = math.prod(sphere(10**6).volume.array.shape)
    for name in parts():
        line = [row for row in rows if row["part"] == name and row["voxels"] >= 10**4.9]
        slope = np.polyfit(np.log([r["voxels"] for r in line]), np.log([r["seconds"] for r in line]), 1)[0]
        command = [sys.executable, __file__, "--peak", name, "1e6"]
        # what was freed goes back to the system at once, so that it does not hide what is needed next
        environment = os.environ | {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536"}
        peak = int(subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout)
        rows.append({"part": name, "voxels": 10**6, "peak_bytes": peak, "box_voxels": box})
        summary.append(f"{name:<16}{slope:>16.2f}{line[-1]['seconds']:>14.2f} s{peak / box:>28.1f}")
    save(arguments.name, rows, summary)
    return 0


if __name__ == "__main__":
    sys.exit(main())
