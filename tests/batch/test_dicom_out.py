"""Results written back as DICOM: segmentation and report of every case and series."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import numpy as np
import pydicom
import pytest
import typer

from radiomics_pipeline.batch.dicom_out import read_results, write_reports
from radiomics_pipeline.batch.extract import extract_study
from radiomics_pipeline.cli.sr import sr
from radiomics_pipeline.errors import ParamsError, TableError
from radiomics_pipeline.io.delimited import read_text_table
from radiomics_pipeline.io.dicom.objects import Made
from radiomics_pipeline.io.dicom.read_sr import read_sr
from radiomics_pipeline.io.dicom.seg import read_seg
from radiomics_pipeline.io.dicom.series import read_series
from radiomics_pipeline.io.dicom.write_seg import Mask, write_seg
from radiomics_pipeline.io.params_file import parse_params
from radiomics_pipeline.io.tables import read_features
from radiomics_pipeline.io.volumes import read_file
from tests.dicom import volume_files, write_series

PARAMS = b"""
series:
  PET:
    unit: SUV
    roi: all
    discretise: {method: fixed-bin-size, width: 0.25, origin: 0}
    families: [morphology, intensity, glcm]
"""
SHAPE = (8, 12, 12)


def blob(centre, radius):
    z, y, x = np.indices(SHAPE)
    return (z - centre[0]) ** 2 + (y - centre[1]) ** 2 + (x - centre[2]) ** 2 <= radius**2


def write_study(root):
    """Two cases with a PET in DICOM and its segmentation; their masks."""
    found = {}
    for number, name in enumerate(("P1", "P2")):
        random = np.random.default_rng(number)
        array = random.random(SHAPE) * 2e3 + 1e4 * blob((4, 5, 5), 3.5)
        write_series(root / name / "PET", array, series=name, patient={"PatientID": name})
        image = read_series(volume_files(root / name / "PET"), "PET")
        masks = [Mask(1, "tumour", blob((4, 5, 5), 3.5)), Mask(2, "node", blob((4, 8, 8), 2.2))]
        made = Made(datetime(2025, 1, 1, tzinfo=UTC))
        write_seg(masks, image, root / name / "masks" / "SEG-0001.dcm", made=made)
        found[name] = (image, masks)
    return found


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    root = tmp_path_factory.mktemp("dicom_out")
    found = write_study(root / "study")
    extraction = extract_study(root / "study", parse_params(PARAMS, "params.yaml"), root / "results", jobs=1)
    assert not extraction.failures
    return root, found


def table_of(folder):
    return read_features(read_text_table(folder / "features.csv")).table


def test_every_value_of_the_table_stands_in_a_report_beside_its_segment(study, tmp_path):
    root, found = study
    reported = write_reports(root / "results", root / "study", tmp_path)
    assert not reported.failures
    assert [(w.case, w.series, w.regions) for w in reported.written] == [("P1", "PET", 2), ("P2", "PET", 2)]
    table = table_of(root / "results")
    for name, (image, masks) in found.items():
        segments = read_seg(read_file(tmp_path / name / "PET_seg.dcm"), image, image.grid)
        groups = read_sr(read_file(tmp_path / name / "PET_sr.dcm"))
        assert [group.tracking for group in groups] == ["tumour", "node"]
        for group, mask in zip(groups, masks, strict=True):
            assert np.array_equal(segments.mask(group.segment), mask.voxels)
            (row,) = (i for i in range(len(table.case)) if (table.case[i], table.roi[i]) == (name, mask.name))
            expected = dict(zip(table.columns, table.values[row].tolist(), strict=True))
            np.testing.assert_equal(group.columns(), expected)
            assert group.method is not None
            assert group.method.value == "126410"


def test_the_same_results_give_the_same_bytes(study, tmp_path):
    root, _ = study
    for name in ("a", "b"):
        write_reports(root / "results", root / "study", tmp_path / name)
    for path in sorted((tmp_path / "a").rglob("*.dcm")):
        assert path.read_bytes() == (tmp_path / "b" / path.relative_to(tmp_path / "a")).read_bytes()


def test_a_region_without_a_name_is_called_as_in_its_mask(tmp_path):
    write_study(tmp_path / "study")
    params = parse_params(PARAMS.replace(b"roi: all", b"roi: node"), "params.yaml")
    extract_study(tmp_path / "study", params, tmp_path / "results", jobs=1)
    write_reports(tmp_path / "results", tmp_path / "study", tmp_path / "out")
    assert set(table_of(tmp_path / "results").roi) == {""}
    (group,) = read_sr(read_file(tmp_path / "out" / "P1" / "PET_sr.dcm"))
    assert group.tracking == "node"


def test_only_the_cases_asked_for_are_written(study, tmp_path):
    root, _ = study
    reported = write_reports(root / "results", root / "study", tmp_path, cases=["P2"])
    assert [written.case for written in reported.written] == ["P2"]
    assert not (tmp_path / "P1").exists()


def test_the_report_says_how_the_outlines_came_about(study, tmp_path):
    root, _ = study
    write_reports(root / "results", root / "study", tmp_path, drawn="SEMIAUTOMATIC")
    (segment, _) = pydicom.dcmread(tmp_path / "P1" / "PET_seg.dcm").SegmentSequence
    assert segment.SegmentAlgorithmType == "SEMIAUTOMATIC"


def test_files_that_have_changed_since_cost_their_case_alone(tmp_path):
    write_study(tmp_path / "study")
    extract_study(tmp_path / "study", parse_params(PARAMS, "params.yaml"), tmp_path / "results", jobs=1)
    changed = tmp_path / "study" / "P1" / "PET" / "0003.dcm"
    dataset = pydicom.dcmread(changed)
    dataset.RescaleSlope = float(dataset.RescaleSlope) * 2
    dataset.save_as(changed)
    reported = write_reports(tmp_path / "results", tmp_path / "study", tmp_path / "out")
    assert [written.case for written in reported.written] == ["P2"]
    (failure,) = reported.failures
    assert (failure.case, failure.error) == ("P1", "DamagedFile")
    assert "not the file that the results come from" in failure.message
    assert not (tmp_path / "out" / "P1").exists()
    assert "P1" in (tmp_path / "out" / "failures.csv").read_text()


def test_the_command_says_what_it_wrote_and_that_it_names_the_patient(study, tmp_path, capsys):
    root, _ = study
    with pytest.raises(typer.Exit) as left:
        sr(root / "results", root / "study", tmp_path)
    assert left.value.exit_code == 0
    said = capsys.readouterr().out
    assert "2 segmentations and reports, 4 regions" in said
    assert "They hold the patient's identity" in said
    assert pydicom.dcmread(tmp_path / "P1" / "PET_sr.dcm").PatientID == "P1"


def test_results_that_are_not_whole_are_refused(study, tmp_path):
    root, _ = study
    for name in ("features.csv", "dictionary.csv", "params.yaml", "run.json"):
        (tmp_path / name).write_bytes((root / "results" / name).read_bytes())
    assert len(read_results(tmp_path).specs) > 50
    text = (tmp_path / "params.yaml").read_text()
    (tmp_path / "params.yaml").write_text(text.replace("width: 0.25", "width: 0.5"))
    with pytest.raises(ParamsError, match="is not what run"):
        read_results(tmp_path)
    (tmp_path / "params.yaml").write_text(text)
    run = json.loads((tmp_path / "run.json").read_text())
    (tmp_path / "run.json").write_text(json.dumps({**run, "started": "yesterday"}))
    with pytest.raises(TableError, match=r"run\.json cannot be read"):
        read_results(tmp_path)
    (tmp_path / "dictionary.csv").unlink()
    with pytest.raises(TableError, match=r"no dictionary\.csv in it"):
        read_results(tmp_path)
