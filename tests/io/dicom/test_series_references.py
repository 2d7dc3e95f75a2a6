"""Series against what others make of the same files: published volumes, pydicom alone, and ITK's reader."""

from __future__ import annotations

import zipfile

import numpy as np
import pydicom
import pytest

from radiomics_pipeline.io.dicom.series import read_series
from radiomics_pipeline.io.volumes import decode, read_file
from tests.dicom import IDENTITY, enhanced, file_of, nuclear, volume_files, write_series

HU = np.random.default_rng(1).integers(-1000, 2000, (5, 4, 6)).astype(float)
TURNED = (0.8, 0.0, 0.6, 0.0, 1.0, 0.0, -0.6, 0.0, 0.8)
FEET_FIRST = (-1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, -1.0)
SUV = 2.42902977e-4
"""From Bq/ml to SUV in the whole-body PET."""


@pytest.fixture(scope="module")
def whole_body(shared, tmp_path_factory):
    """A real PET of six beds, 267 slices, each with a slope of its own; beside it its structure set."""
    return unpacked(shared / "nm_data/sts_001_pet_bqml/STS_001_FDG_PET.zip", tmp_path_factory.mktemp("bqml"))


@pytest.fixture(scope="module")
def cropped(shared, tmp_path_factory):
    """The same PET as it was published: cropped, in SUV, as DICOM and as NIfTI."""
    return unpacked(shared / "nm_data/sts_001_pet_gml_ibsi/STS_001_PET_GML.zip", tmp_path_factory.mktemp("gml"))


def unpacked(archive, folder):
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(folder)
    return folder


def test_every_slice_of_a_whole_body_pet_is_what_pydicom_reads(whole_body):
    files = volume_files(whole_body)
    found = read_series(files, "PET")
    plain = {d.SOPInstanceUID: d for d in (pydicom.dcmread(f.path) for f in files) if d.Modality == "PT"}
    assert len(plain) == len(found.array) == 267
    assert len({float(h.RescaleSlope) for h in found.headers}) > 200
    for z, instance in enumerate(found.sop_uids):
        np.testing.assert_array_equal(found.array[z], plain[instance].pixel_array * float(plain[instance].RescaleSlope))
    z_mm = [float(plain[instance].ImagePositionPatient[2]) for instance in found.sop_uids]
    assert z_mm == sorted(z_mm)
    assert found.array.max() * SUV == pytest.approx(66.5215, abs=1e-4)


def test_the_published_crop_is_a_part_of_the_raw_series(whole_body, cropped):
    raw, published = read_series(volume_files(whole_body), "PET"), read_series(volume_files(cropped / "dicom"), "PET")
    part = raw.array[:59, 45:88, 59:100] * SUV
    assert np.abs(part - published.array).max() < 7.8e-4
    assert raw.grid.crop((0, 45, 59), (59, 88, 100)).distance_in_voxels(published.grid) < 1e-3


def test_the_published_pet_is_its_nifti_twin(cropped):
    assert_as_nifti(cropped / "dicom", cropped / "nifti/image/image.nii.gz", relative=3e-6)


@pytest.mark.parametrize("patient", ["STS_008", "STS_019", "STS_025"])
@pytest.mark.parametrize(("modality", "relative"), [("PET", 3e-6), ("CT", 0)])
def test_sarcoma_series_lie_where_their_nifti_twins_lie(shared, patient, modality, relative):
    twin = shared / f"ibsi/sts/nifti/{patient}/{modality}_image.nii.gz"
    assert_as_nifti(shared / f"ibsi/dicom/{patient}/{modality}/image", twin, relative)


def test_the_ct_phantom_is_its_nifti_twin(shared):
    folder = shared / "ibsi/ibsi1/ct_phantom"
    assert_as_nifti(folder / "dicom/image", folder / "image.nii.gz", relative=0)


def assert_as_nifti(folder, nifti, relative):
    found, twin = read_series(volume_files(folder), "image"), decode(read_file(nifti))
    np.testing.assert_allclose(found.array, twin.array.astype(float), rtol=relative, atol=0)
    assert found.grid.shape == twin.grid.shape
    assert found.grid.distance_in_voxels(twin.grid) < 1e-4


@pytest.mark.parametrize(
    "series", ["ibsi/dicom/STS_008/PET/image", "ibsi/dicom/STS_008/CT/image", "ibsi/ibsi1/ct_phantom/dicom/image"]
)
def test_itk_reads_the_same_real_volume(shared, series):
    assert_as_itk(shared / series, atol=1e-5)


@pytest.mark.parametrize("direction", [IDENTITY, TURNED, FEET_FIRST])
def test_itk_reads_the_same_synthetic_volume(tmp_path, direction):
    write_series(tmp_path, HU, modality="CT", direction=direction, spacing_mm=(2.5, 1.5, 0.75))
    assert_as_itk(tmp_path, atol=0)


def assert_as_itk(folder, atol):
    import SimpleITK as sitk

    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
    reader.SetOutputPixelType(sitk.sitkFloat64)
    image = reader.Execute()
    found = read_series(volume_files(folder), "image")
    np.testing.assert_allclose(found.array, sitk.GetArrayFromImage(image), rtol=0, atol=atol)
    np.testing.assert_allclose(found.grid.origin_mm, image.GetOrigin(), atol=1e-5)
    np.testing.assert_allclose(found.grid.spacing_mm[::-1], image.GetSpacing(), rtol=1e-5)
    np.testing.assert_allclose(found.grid.direction, image.GetDirection(), atol=1e-6)


def test_classic_enhanced_and_nuclear_objects_of_one_volume_agree(tmp_path):
    counts = np.abs(HU)
    write_series(tmp_path / "classic", counts, modality="PT", slopes=np.ones(5))
    one = read_series(volume_files(tmp_path / "classic"), "PET")
    two = read_series([file_of(enhanced(counts, slopes=np.ones(5)), tmp_path / "enhanced")], "PET")
    three = read_series([file_of(nuclear(counts, spacing_mm=(3.0, 4.0, 4.0)), tmp_path / "nuclear")], "SPECT")
    for found in (two, three):
        np.testing.assert_array_equal(found.array, one.array)
        assert found.grid == one.grid
