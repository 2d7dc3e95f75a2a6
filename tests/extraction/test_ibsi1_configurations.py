"""Configurations C, D and E of IBSI 1 and its digital phantom, through the parameter files and the study machinery."""

from __future__ import annotations

import csv
import math

import pytest

from radiomics_pipeline.batch.cases import find_study
from radiomics_pipeline.batch.extract import extract_study
from radiomics_pipeline.io.params_file import load_params

FAMILY = {"intensity": "intensity_statistics", "histogram": "intensity_histogram"}
PHANTOM = {"digital": "digital_phantom", "C": "ct_phantom", "D": "ct_phantom", "E": "ct_phantom"}
VOXELS = {"digital": (74, 74), "C": (45985, 45981), "D": (45985, 44465), "E": (45985, 44484)}
"""Of the outline and of the intensity mask, from the diagnostic rows of the reference."""


def rows(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def three_digits(value: float) -> float:
    return value if value == 0 else round(value, 2 - math.floor(math.log10(abs(value))))


@pytest.mark.parametrize("configuration", PHANTOM)
def test_every_reference_of_our_families_is_met(configuration, shared, tmp_path):
    root = shared / "ibsi" / "ibsi1"
    name = PHANTOM[configuration]
    params = load_params(f"ibsi/{configuration}")
    series = next(iter(params.series))
    extraction = extract_study(root, params, tmp_path, cases=[name], jobs=1, series=series)
    assert not extraction.failures
    (values,) = rows(tmp_path / "features.csv")
    ours = {}
    for row in rows(tmp_path / "dictionary.csv"):
        family = FAMILY.get(row["family"], row["family"])
        ours[family, row["aggregation"], row["ibsi_code"]] = float(values[row["column"]])
    families = {family for family, _, _ in ours}
    references = [
        row
        for row in rows(root / "reference_values.csv")
        if row["configuration"] == configuration
        and row["standardised"] == "yes"
        and row["family"] in families
        and row["aggregation"].startswith("3D")
    ]
    assert len(references) == 132
    wrong = []
    for row in references:
        value = ours[row["family"], row["aggregation"], row["ibsi_code"]]
        reference, slack = (
            float(row["reference_value"]),
            float(row["tolerance"]) + 1e-9 * abs(float(row["reference_value"])),
        )
        if min(abs(value - reference), abs(three_digits(value) - reference)) > slack:
            wrong.append((row["tag"], value, reference))
    assert not wrong
    (log,) = rows(tmp_path / "case_log.csv")
    assert (int(log["voxels"]), int(log["intensity_voxels"])) == VOXELS[configuration]


def test_the_phantoms_are_found_by_the_folder_convention(shared):
    study = find_study(shared / "ibsi" / "ibsi1")
    assert [case.name for case in study.cases] == ["ct_phantom", "digital_phantom"]
