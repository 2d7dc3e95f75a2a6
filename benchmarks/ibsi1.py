"""Every reference value of IBSI 1 from the command line: one table that a checking script can read.

    python benchmarks/ibsi1.py REFERENCE OUT

REFERENCE holds the cases `digital_phantom` and `ct_phantom`. Each configuration is extracted with its parameter file
(`ibsi/digital`, `ibsi/A` to `ibsi/E`) into OUT/<configuration>; OUT/computed.csv then has one row a value:
configuration, family, aggregation, feature (IBSI code, or the name of a diagnostic value), value.
"""

from __future__ import annotations

import argparse
import csv
import subprocess
import sys
from pathlib import Path

PHANTOM = {"digital": "digital_phantom", **dict.fromkeys("ABCDE", "ct_phantom")}


def computed_rows(folder: Path, configuration: str) -> list[tuple[str, str, str, str, str]]:
    """What one extraction gave, each value by the IBSI code and aggregation that dictionary.csv names."""
    (values,) = _read(folder / "features.csv")
    (diagnostics,) = _read(folder / "diagnostics.csv")
    rows = [
        (configuration, row["family"], row["aggregation"], row["ibsi_code"], values[row["column"]])
        for row in _read(folder / "dictionary.csv")
        if row["ibsi_code"]
    ]
    prefix = "diagnostics_"
    return rows + [
        (configuration, "diagnostics", "", name.removeprefix(prefix), value)
        for name, value in diagnostics.items()
        if name.startswith(prefix)
    ]


def _read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("reference", type=Path)
    parser.add_argument("out", type=Path)
    arguments = parser.parse_args()
    rows = []
    for configuration, phantom in PHANTOM.items():
        out = arguments.out / configuration
        command = [sys.executable, "-m", "radiomics_pipeline.cli.main", "extract", str(arguments.reference)]
        command += ["--params", f"ibsi/{configuration}", "--case", phantom, "--out", str(out), "--jobs", "1"]
        subprocess.run(command, check=True)
        rows += computed_rows(out, configuration)
    with (arguments.out / "computed.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("configuration", "family", "aggregation", "feature", "value"))
        writer.writerows(rows)
    print(f"{len(rows)} values -> {arguments.out / 'computed.csv'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
