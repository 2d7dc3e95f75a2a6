"""IBSI 2: all consensus maps of phase 1 and all values of phase 2, through the parameter files that come along."""

import csv
import math

import nibabel as nib
import numpy as np
import pytest

from radiomics_pipeline.batch.extract import extract_study
from radiomics_pipeline.batch.filter import filter_by_params
from radiomics_pipeline.io.params_file import load_params, tracers

MAPS = [name.removeprefix("ibsi2/") for name in tracers() if name.startswith("ibsi2/") and "phase" not in name]
TESTS = [name.rsplit("/", 1)[1] for name in tracers() if name.startswith("ibsi2/phase2/")]
WITHOUT_CONSENSUS = {"9.b.2", "10.a", "10.b.2"}


def rows(path):
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("test", MAPS)
def test_every_voxel_of_a_consensus_map_is_met(test, shared, tmp_path):
    root = shared / "ibsi" / "ibsi2"
    (wanted,) = [row for row in rows(root / "phase1_tests.csv") if row["test_id"] == test]
    image = root / "phantoms" / wanted["phantom"] / "image.nii.gz"
    filter_by_params(image, tmp_path / "map.nii.gz", load_params(f"ibsi2/{test}"))
    found = np.asarray(nib.load(tmp_path / "map.nii.gz").dataobj)
    assert found.shape == (64, 64, 64)
    if test in WITHOUT_CONSENSUS:
        assert not wanted["reference_map"]
        assert np.isfinite(found).all()
        assert np.ptp(found) > 1
        return
    reference = np.asarray(nib.load(root / wanted["reference_map"]).dataobj, dtype=float)
    assert np.abs(found - reference).max() <= 0.0038 * np.ptp(reference), "the standard allows 0.01"


def test_there_is_a_file_for_every_test(shared):
    root = shared / "ibsi" / "ibsi2"
    assert {row["test_id"] for row in rows(root / "phase1_tests.csv")} == set(MAPS)
    assert {row["test_id"] for row in rows(root / "phase2_tests.csv")} == set(TESTS)


@pytest.mark.parametrize("test", TESTS)
def test_every_value_of_a_filtered_image_is_met(test, shared, tmp_path):
    root = shared / "ibsi"
    params = load_params(f"ibsi2/phase2/{test}")
    extraction = extract_study(root / "ibsi1", params, tmp_path, cases=["ct_phantom"], jobs=1, series="CT")
    assert not extraction.failures
    (values,) = rows(tmp_path / "features.csv")
    ours = {row["ibsi_code"]: float(values[row["column"]]) for row in rows(tmp_path / "dictionary.csv")}
    every = rows(root / "ibsi2" / "phase2_reference_values.csv")
    wanted = [row for row in every if row["test_id"] == test and row["standardised"] == "yes"]
    assert len(wanted) >= 17
    for row in wanted:
        value, reference = ours[row["ibsi_code"]], float(row["reference_value"])
        slack = float(row["tolerance"]) + 1e-9 * abs(reference)
        rounded = round(value, 2 - math.floor(math.log10(abs(value)))) if value else 0.0
        assert min(abs(value - reference), abs(rounded - reference)) <= slack, row["feature"]
