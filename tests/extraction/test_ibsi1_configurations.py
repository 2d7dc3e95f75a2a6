"""All six configurations of IBSI 1, diagnostic values included, through the parameter files and the study machinery."""

from __future__ import annotations

import csv
import math

import pytest

from radiomics_pipeline.batch.cases import find_study
from radiomics_pipeline.batch.extract import extract_study
from radiomics_pipeline.io.params_file import load_params

FAMILY = {
    "localintensity": "local_intensity",
    "intensity": "intensity_statistics",
    "histogram": "intensity_histogram",
    "ivh": "intensity_volume_histogram",
}
PHANTOM = {"digital": "digital_phantom", **dict.fromkeys("ABCDE", "ct_phantom")}
REFERENCES = {"digital": (482, 0), "A": (346, 60), "B": (346, 60), "C": (210, 60), "D": (210, 60), "E": (210, 60)}
"""Values of features and diagnostic values that the reference table has."""


def rows(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def is_met(value: float, row: dict[str, str]) -> bool:
    reference = float(row["reference_value"])
    slack = float(row["tolerance"]) + 1e-9 * abs(reference)
    rounded = value if value == 0 else round(value, 2 - math.floor(math.log10(abs(value))))
    return min(abs(value - reference), abs(rounded - reference)) <= slack


@pytest.mark.parametrize("configuration", PHANTOM)
def test_every_reference_is_met(configuration, shared, tmp_path):
    root = shared / "ibsi" / "ibsi1"
    name = PHANTOM[configuration]
    params = load_params(f"ibsi/{configuration}")
    series = next(iter(params.series))
    extraction = extract_study(root, params, tmp_path, cases=[name], jobs=1, series=series)
    assert not extraction.failures
    (values,) = rows(tmp_path / "features.csv")
    (diagnostics,) = rows(tmp_path / "diagnostics.csv")
    ours = {}
    for row in rows(tmp_path / "dictionary.csv"):
        family = FAMILY.get(row["family"], row["family"])
        ours[family, row["aggregation"], row["ibsi_code"]] = values[row["column"]]
    references = [
        row
        for row in rows(root / "reference_values.csv")
        if row["configuration"] == configuration and row["standardised"] == "yes"
    ]
    sizes = [row for row in references if row["family"] == "diagnostics"]
    features = [row for row in references if row["family"] != "diagnostics"]
    assert (len(features), len(sizes)) == REFERENCES[configuration]
    found = [
        (row, ours[row["family"], row["aggregation"], row["parameter_code"] or row["ibsi_code"]]) for row in features
    ]
    found += [(row, diagnostics[f"diagnostics_{row['tag']}"]) for row in sizes]
    wrong = [(row["tag"], value, row["reference_value"]) for row, value in found if not is_met(float(value), row)]
    assert not wrong


def test_the_phantoms_are_found_by_the_folder_convention(shared):
    study = find_study(shared / "ibsi" / "ibsi1")
    assert [case.name for case in study.cases] == ["ct_phantom", "digital_phantom"]
