"""Cases a second of a whole extraction: reading, checks, features and records, without the start of the processes.

    python benchmarks/throughput.py STUDY [--params fdg] [--series PET] [--jobs 2]

Every case of the study is listed a few times under other names, then many times; the rate is that of the cases more.
"""

from __future__ import annotations

import argparse
import csv
import statistics
import sys
import tempfile
import time
from pathlib import Path

from measure import one_thread, save

one_thread()

from radiomics_pipeline.batch.cases import find_study
from radiomics_pipeline.batch.extract import extract_study
from radiomics_pipeline.io.params_file import load_params

FEW, MANY = 2, 12


def write_table(study: Path, series: str, times: int, folder: Path) -> int:
    """A cases.csv that lists the series of every case so many times; the number of cases."""
    rows = [
        (f"{case.name}-{copy}", files.image.resolve(), files.mask.resolve())
        for copy in range(times)
        for case in find_study(study).cases
        for files in case.series
        if files.series == series
    ]
    stem = f"{series}_" if series else ""
    with (folder / "cases.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("case", f"{stem}image", f"{stem}mask"))
        writer.writerows(rows)
    return len(rows)


def seconds(study: Path, params: str, series: str, jobs: int, times: int) -> tuple[int, float]:
    """Cases, and the time that a fresh extraction of them takes."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        count = write_table(study, series, times, folder)
        started = time.perf_counter()
        found = extract_study(folder, load_params(params), folder / "out", jobs=jobs)
        taken = time.perf_counter() - started
    if found.failures:
        raise SystemExit(f"{len(found.failures)} failures, such as {found.failures[0].message}")
    return count, taken


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("study", type=Path)
    parser.add_argument("--params", default="fdg")
    parser.add_argument("--series", default="PET")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--name", default="throughput", help="of the file in results/")
    a = parser.parse_args()
    rows: list[dict[str, object]] = []
    for _ in range(a.runs):
        (few, short), (many, long) = (seconds(a.study, a.params, a.series, a.jobs, times) for times in (FEW, MANY))
        rows.append({"cases": many - few, "seconds": long - short, "rate": (many - few) / (long - short)})
    rate = statistics.median(row["rate"] for row in rows)
    save(a.name, rows, [f"{a.series or 'image'}: {rate:.1f} cases a second with {a.jobs} processes ({a.params})"])
    return 0


if __name__ == "__main__":
    sys.exit(main())
