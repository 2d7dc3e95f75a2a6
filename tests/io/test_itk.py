"""Images as ITK reads them: the type of number and the grid that PyRadiomics computes in."""

from __future__ import annotations

import struct

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk

from radiomics_pipeline.errors import BadVoxels, GeometryMismatch, UnsupportedImage
from radiomics_pipeline.extraction.source import Source
from radiomics_pipeline.io.volumes import load_files, load_pair, read_file
from tests.images import write

TYPES = (np.uint8, np.int8, np.int16, np.uint16, np.int32, np.uint32, np.int64, np.float32, np.float64)
SCALES = {"unscaled": None, "one": (1.0, 0.0), "slope": (2.0, 0.0), "HU": (1.0, -1024.0), "odd": (0.1, 3.7)}
AFFINE = np.array([[-1.1, 0.3, 0, 12.3], [0.3, 1.1, 0, -45.6], [0, 0, 3.27, 78.9], [0, 0, 0, 1]])


def nifti(path, array, scale=None, affine=AFFINE):
    """A NIfTI file [x, y, z] with these stored values, and a scale written into its header afterwards."""
    nib.save(nib.Nifti1Image(array, affine, dtype=array.dtype), path)
    data = bytearray(path.read_bytes())
    data[112:120] = struct.pack("<ff", *(scale or (np.nan, np.nan)))
    data[352:] = np.asfortranarray(array).tobytes(order="F")
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("scale", SCALES, ids=SCALES)
@pytest.mark.parametrize("dtype", TYPES)
def test_a_nifti_file_has_the_type_and_voxels_that_itk_reads(tmp_path, dtype, scale):
    stored = (np.random.default_rng(1).random((4, 5, 6)) * 100).astype(dtype)
    path = nifti(tmp_path / "a.nii", stored, SCALES[scale])
    volume, _ = load_pair(
        read_file(path), read_file(nifti(tmp_path / "m.nii", (stored > 50).astype(np.uint8))), "", native=True
    )
    image = sitk.ReadImage(str(path))
    expected = sitk.GetArrayFromImage(image)
    assert volume.array.dtype == expected.dtype
    assert np.array_equal(volume.array, expected)
    assert volume.native
    assert volume.grid.spacing_mm == image.GetSpacing()[::-1]
    assert volume.grid.origin_mm == image.GetOrigin()
    assert volume.grid.direction == image.GetDirection()


def test_without_native_it_is_double_precision_with_seven_digits(tmp_path):
    stored = np.arange(60, dtype=np.int16).reshape(3, 4, 5)
    files = [read_file(nifti(tmp_path / f"{n}.nii", stored)) for n in "am"]
    volume, _ = load_pair(files[0], files[1], "")
    assert volume.array.dtype == np.float64
    assert volume.spacing_mm[0] == 3.27
    assert load_pair(files[0], files[1], "", native=True)[0].spacing_mm[0] == float(np.float32(3.27))


@pytest.mark.parametrize("suffix", [".nrrd", ".mha", ".nii.gz"])
def test_other_formats_keep_type_and_digits(tmp_path, suffix):
    path = write(tmp_path / f"a{suffix}", np.arange(24, dtype=np.int16).reshape(2, 3, 4), (1.23456789012, 2.0, 3.0))
    volume, _ = load_pair(read_file(path), read_file(path), "", native=True)
    assert volume.array.dtype == np.int16
    assert volume.grid.spacing_mm == sitk.ReadImage(str(path)).GetSpacing()[::-1]


def test_nan_is_refused_before_itk_turns_it_into_0(tmp_path):
    stored = np.ones((3, 3, 3), np.float32)
    stored[1, 1, 1] = np.nan
    path = nifti(tmp_path / "a.nii", stored, (2.0, 0.0))
    mask = nifti(tmp_path / "m.nii", np.ones((3, 3, 3), np.uint8))
    with pytest.raises(BadVoxels, match="1 NaN"):
        load_pair(read_file(path), read_file(mask), "", native=True)


def pair_apart(tmp_path, shift):
    image = write(tmp_path / "a.mha", np.zeros((4, 6, 8), np.float32), (1.0, 1.0, 1.0))
    labels = np.zeros((8, 12, 16), np.uint8)
    labels[2:4, 4:8, 6:10] = 3
    mask = write(tmp_path / "m.mha", labels, (0.5, 0.5, 0.5), (shift - 0.25, -0.25, -0.25))
    return read_file(image), read_file(mask)


def test_a_mask_on_another_grid_keeps_it_where_later_steps_see_to_that(tmp_path):
    files = pair_apart(tmp_path, 0.0)
    with pytest.raises(GeometryMismatch, match="16 x 12 x 8 voxels"):
        load_pair(*files, "", native=True)
    volume, labels, grid = load_files(*files, Source("", None, native=True, free_mask=True))
    assert volume.grid.shape == (4, 6, 8)
    assert labels.shape == grid.shape == (8, 12, 16)
    assert (grid.spacing_mm, grid.origin_mm) == ((0.5, 0.5, 0.5), (-0.25, -0.25, -0.25))


def test_a_mask_keeps_every_digit_of_its_own_grid(tmp_path):
    image = write(tmp_path / "a.mha", np.zeros((4, 6, 8), np.float32), (0.8, 0.8, 3.0))
    mask = write(tmp_path / "m.nii.gz", np.ones((4, 6, 8), np.uint8), (0.8, 0.8, 3.0))
    volume, _, grid = load_files(read_file(image), read_file(mask), Source("", None, native=True))
    assert volume.spacing_mm == (3.0, 0.8, 0.8)
    assert grid.spacing_mm == (3.0, float(np.float32(0.8)), float(np.float32(0.8)))
    volume, _, grid = load_files(read_file(image), read_file(mask), Source("", None))
    assert grid == volume.grid


def unplaced(path, array):
    """A NIfTI file that says how large its voxels are, and not where they lie."""
    image = nib.Nifti1Image(array, np.eye(4), dtype=array.dtype)
    image.header.set_zooms((1.1, 1.2, 2.5))
    image.set_qform(None, 0)
    image.set_sform(None, 0)
    nib.save(image, path)
    assert (int(nib.load(path).header["qform_code"]), int(nib.load(path).header["sform_code"])) == (0, 0)
    return path


@pytest.mark.parametrize("native", [False, True])
def test_a_file_that_does_not_say_where_it_lies_lies_where_itk_has_it(tmp_path, native):
    image = unplaced(tmp_path / "a.nii", np.arange(60, dtype=np.int16).reshape(3, 4, 5))
    mask = unplaced(tmp_path / "m.nii", np.ones((3, 4, 5), np.uint8))
    volume, _, grid = load_files(read_file(image), read_file(mask), Source("", None, native))
    read = sitk.ReadImage(str(image))
    for found in (volume.grid, grid):
        assert (found.origin_mm, found.direction) == (read.GetOrigin(), read.GetDirection())
        assert found.spacing_mm == pytest.approx(read.GetSpacing()[::-1])
    as_nrrd = tmp_path / "m.nrrd"
    sitk.WriteImage(sitk.ReadImage(str(mask)), str(as_nrrd))
    assert load_pair(read_file(image), read_file(as_nrrd), "", native=native)[1].all()


@pytest.mark.parametrize("suffix", [".nii.gz", ".nrrd", ".mha"])
def test_an_image_of_two_dimensions_is_no_volume_for_pyradiomics(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    sitk.WriteImage(sitk.GetImageFromArray(np.ones((5, 7), np.uint8)), str(path))
    with pytest.raises(UnsupportedImage, match=r"7 x 5; .*volumes of one slice, 7 x 5 x 1; with force2D"):
        load_pair(read_file(path), read_file(path), "", native=True)
    assert load_pair(read_file(path), read_file(path), "")[0].grid.shape == (1, 5, 7)
