"""A study in DICOM gives what the same study gives in NIfTI: the same masks, and the same features."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from radiomics_pipeline.batch.extract import extract_study
from radiomics_pipeline.io.params_file import parse_params

PATIENTS = ("STS_008", "STS_019", "STS_025")
PARAMS = """
series:
  PET:
    unit: SUV
    roi: GTV_Mass_PET
    resegment: {range: [0, null]}
    discretise: {method: fixed-bin-size, width: 0.25, origin: 0}
    uptake: {volumes: [{percent: 41}, {value: 4}]}
  CT:
    unit: HU
    roi: GTV_Mass_CT
    families: [morphology, intensity, histogram, glszm]
    resegment: {range: [-1000, 400]}
    discretise: {method: fixed-bin-size, width: 25, origin: -1000}
"""


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def both(shared, tmp_path_factory):
    """The tables of the three patients from DICOM with RTSTRUCT, and from NIfTI."""
    out = tmp_path_factory.mktemp("both")
    dicom = extract_study(shared / "ibsi/dicom", parse_params(PARAMS.encode(), "dicom"), out / "dicom", jobs=2)
    nifti = parse_params(
        PARAMS.replace("    roi: GTV_Mass_PET\n", "").replace("    roi: GTV_Mass_CT\n", "").encode(), "n"
    )
    other = extract_study(shared / "ibsi/sts/nifti", nifti, out / "nifti", cases=PATIENTS, jobs=2)
    assert (dicom.failures, other.failures) == ((), ())
    return out


@pytest.mark.slow
def test_the_masks_are_the_same_voxel_for_voxel(both):
    logs = [[(r["case"], r["series"], r["voxels"], r["native_mm"]) for r in rows(both / kind / "case_log.csv")]
            for kind in ("dicom", "nifti")]  # fmt: skip
    assert len(logs[0]) == 6
    assert sorted(logs[0]) == sorted(logs[1])


@pytest.mark.slow
def test_features_agree_but_for_voxels_that_change_their_bin(both):
    far: dict[str, float] = {}
    for a, b in zip(rows(both / "dicom/features.csv"), rows(both / "nifti/features.csv"), strict=True):
        assert a["case"] == b["case"]
        for name in set(a) - {"case", "patient", "roi", "label"}:
            x, y = float(a[name] or "nan"), float(b[name] or "nan")
            if (x == x or y == y) and not abs(x - y) <= 1e-3 * max(abs(x), abs(y), 1e-6):
                far[f"{a['case']} {name}"] = max(far.get(name, 0.0), abs(x - y) / max(abs(x), abs(y), 1e-6))
    print(len(far), far)
    assert not any(name.startswith("CT_") for name in far)
    assert len(far) < 10
