"""Images as ITK reads them: the type of number and the grid that PyRadiomics computes in."""

from __future__ import annotations

import struct

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk

from radiomics_pipeline.errors import BadVoxels, GeometryMismatch
from radiomics_pipeline.io.volumes import load_pair, read_file
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


def test_a_mask_on_another_grid_is_corrected_where_that_is_asked_for(tmp_path):
    files = pair_apart(tmp_path, 0.0)
    with pytest.raises(GeometryMismatch):
        load_pair(*files, "", native=True)
    _, labels = load_pair(*files, "", native=True, correct_mask=True)
    z, y, x = np.nonzero(labels == 3)
    assert labels.shape == (4, 6, 8)
    assert set(z) == {1}
    assert set(y) == {2, 3}
    assert set(x) == {3, 4}


def test_a_mask_that_leaves_the_image_is_not_corrected(tmp_path):
    with pytest.raises(GeometryMismatch, match="outside the image"):
        load_pair(*pair_apart(tmp_path, 5.0), "", native=True, correct_mask=True)
