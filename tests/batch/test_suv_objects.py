"""The digital reference objects of the IBSI's work on SUV, from their files to the table."""

from __future__ import annotations

import csv
import zipfile

import pytest

from radiomics_pipeline.batch.extract import extract_study
from radiomics_pipeline.io.params_file import parse_params

PARAMS = """
series:
  PET:
    unit: SUV
    families: [intensity]
    discretise: {method: fixed-bin-size, width: 0.25, origin: 0}
"""
STORED_COARSELY = {"DRO_2_3": (0.19, 0.98, 3.98)}
"""Steps of 0.01 cm2/ml in the file; all others are 0.20, 1.00 and 4.00."""


@pytest.mark.slow
def test_every_reference_object_gives_its_suv(shared, tmp_path):
    archives = sorted((shared / "nm_data/ibsi_suv_dro").glob("*.zip"))
    assert len(archives) >= 12
    for archive in archives:
        case = tmp_path / "s" / archive.stem
        zipfile.ZipFile(archive).extractall(case)
        (case / "PT").rename(case / "PET")
        (case / "mask/DRO_mask.nii.gz").rename(case / "PET_mask.nii.gz")  # wider than the structure set beside it
    found = extract_study(tmp_path / "s", parse_params(PARAMS.encode(), "dro"), tmp_path / "o", jobs=2)
    assert found.failures == ()
    with (tmp_path / "o/features.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(archives)
    for row in rows:
        values = [float(row[f"PET_original_intensity_{name}"]) for name in ("Minimum", "Median", "Maximum")]
        assert tuple(round(v, 2) for v in values) == STORED_COARSELY.get(row["case"], (0.20, 1.00, 4.00)), row["case"]
    with (tmp_path / "o/case_log.csv").open(encoding="utf-8", newline="") as file:
        assert {line["voxels"] for line in csv.DictReader(file)} == {"203202"}
