"""Phase 3 of IBSI 2 from the command line, beside what the teams sent in.

    python benchmarks/phase3.py STUDY TEAMS OUT [--jobs N]

STUDY holds the sarcomas, TEAMS the teams' medians by patient, modality, filter and statistic. The images of
`ibsi2/phase3` are extracted into OUT; of every statistic in which most teams agree it is counted whether ours lies
within 1 % of their median. These are no reference values: only the unfiltered image was checked by the standard's
authors. Filter 5, Gabor, is left out: its settings are not known.
"""

from __future__ import annotations

import argparse
import csv
import subprocess
import sys
from collections import Counter
from pathlib import Path

from measure import save

IMAGES = ("original", "mean", "log", "laws", "", "wavelet1", "wavelet2", "simoncelli1", "simoncelli2")
"""In the order of the teams' filter numbers."""
CODES = {
    "stat_cov": "7TET",
    "stat_energy": "N8CA",
    "stat_iqr": "SALO",
    "stat_kurt": "IPH6",
    "stat_mad": "4FUA",
    "stat_max": "84IY",
    "stat_mean": "Q4LE",
    "stat_medad": "N72L",
    "stat_median": "Y12H",
    "stat_min": "1GSF",
    "stat_p10": "QG58",
    "stat_p90": "8DWT",
    "stat_qcod": "9S40",
    "stat_range": "2OJQ",
    "stat_rmad": "1128",
    "stat_rms": "5ZWQ",
    "stat_skew": "KE2A",
    "stat_var": "ECT3",
}
"""The IBSI's code of each statistic, by the teams' name."""


def computed(out: Path) -> dict[tuple[str, str, str, str], float]:
    """Values by case, series, image and code."""
    columns = [row for row in _read(out / "dictionary.csv") if row["ibsi_code"]]
    return {
        (row["case"], column["series"], column["image"], column["ibsi_code"]): float(row[column["column"]] or "nan")
        for row in _read(out / "features.csv")
        for column in columns
    }


def compare(ours: dict[tuple[str, str, str, str], float], teams: Path) -> list[dict[str, object]]:
    """One row for each statistic in which most teams agree."""
    rows: list[dict[str, object]] = []
    for row in _read(teams):
        image = IMAGES[int(row["filter_id"]) - 1]
        key = (row["patient_id"], row["modality"], image, CODES[row["tag"]])
        if row["agreement"] == "yes" and key in ours:
            value, median = ours[key], float(row["median"])
            near = abs(value - median) <= 0.01 * abs(median)
            within = float(row["minimum"]) <= value <= float(row["maximum"])
            names = {"case": key[0], "series": key[1], "image": image, "statistic": row["tag"]}
            rows.append({**names, "ours": value, "median": median, "near": near, "within": near or within})
    return rows


def summarise(rows: list[dict[str, object]]) -> list[str]:
    """One line an image."""
    counts = Counter((row["series"], row["image"]) for row in rows)
    near = Counter((row["series"], row["image"]) for row in rows if row["near"])
    within = Counter((row["series"], row["image"]) for row in rows if row["within"])
    return [
        f"{series} {image}: {near[series, image]} of {n} within 1 % of the teams' median, {within[series, image]} "
        "there or between the lowest and the highest"
        for (series, image), n in sorted(counts.items(), key=lambda item: (item[0][0], IMAGES.index(item[0][1])))
    ]


def _read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("study", type=Path)
    parser.add_argument("teams", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--jobs", default="")
    arguments = parser.parse_args()
    command = [sys.executable, "-m", "radiomics_pipeline.cli.main", "extract", str(arguments.study)]
    command += [
        "--params",
        "ibsi2/phase3",
        "--out",
        str(arguments.out),
        *(["--jobs", arguments.jobs] if arguments.jobs else []),
    ]
    subprocess.run(command, check=True)
    rows = compare(computed(arguments.out), arguments.teams)
    missed = [row for row in rows if not row["near"]]
    save("phase3", missed, summarise(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
