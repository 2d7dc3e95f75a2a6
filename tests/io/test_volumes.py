"""Files that must be refused are refused, each with its own error; the others are read as they are."""

from __future__ import annotations

import struct

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk

from radiomics_pipeline.errors import (
    BadGeometry,
    BadMask,
    BadVoxels,
    DamagedFile,
    GeometryMismatch,
    MissingFile,
    UnsupportedImage,
)
from radiomics_pipeline.io.itk import as_itk_reads
from radiomics_pipeline.io.volumes import (
    SUFFIXES,
    decode,
    read_file,
    require_same_grid,
    to_labels,
    to_volume,
    voxel_file,
)
from tests.images import edit_nifti, lesion, write

IMAGE, MASK = lesion()


def read(path):
    return decode(read_file(path))


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.int32, np.float32, np.float64])
def test_every_format_gives_what_simpleitk_reads(tmp_path, suffix, dtype):
    path = write(tmp_path / f"a{suffix}", IMAGE.astype(dtype), (1.5, 2.5, 3.5), (-7.25, 8.5, 100.125))
    ours, theirs = read(path), sitk.ReadImage(str(path))
    np.testing.assert_array_equal(ours.array, sitk.GetArrayFromImage(theirs))
    np.testing.assert_allclose(ours.grid.spacing_mm[::-1], theirs.GetSpacing(), rtol=1e-6)
    np.testing.assert_allclose(ours.grid.origin_mm, theirs.GetOrigin(), atol=1e-4)
    np.testing.assert_allclose(ours.grid.direction, theirs.GetDirection(), atol=1e-6)


def test_oblique_nifti_has_the_directions_that_simpleitk_reads(tmp_path):
    turn = np.array([[0.96, -0.28, 0.0], [0.28, 0.96, 0.0], [0.0, 0.0, 1.0]])
    image = sitk.GetImageFromArray(IMAGE)
    image.SetDirection(turn.ravel().tolist())
    image.SetOrigin((10.0, -20.0, 30.0))
    sitk.WriteImage(image, str(tmp_path / "a.nii.gz"))
    ours = read(tmp_path / "a.nii.gz")
    np.testing.assert_allclose(ours.grid.direction, turn.ravel(), atol=1e-6)
    np.testing.assert_allclose(ours.grid.origin_mm, (10.0, -20.0, 30.0), atol=1e-4)


def test_slope_and_intercept_of_a_nifti_are_applied(tmp_path):
    stored = np.arange(24, dtype=np.int16).reshape(2, 3, 4)
    image = nib.Nifti1Image(stored, np.diag([2.0, 2.0, 2.0, 1.0]))
    image.header.set_slope_inter(0.5, -3.0)
    image.to_filename(tmp_path / "a.nii")
    data = bytearray((tmp_path / "a.nii").read_bytes())
    struct.pack_into("<ff", data, 112, 0.5, -3.0)
    data[352 : 352 + stored.nbytes] = stored.tobytes(order="F")
    (tmp_path / "a.nii").write_bytes(bytes(data))
    np.testing.assert_allclose(read(tmp_path / "a.nii").array.T, stored * 0.5 - 3.0)


def test_a_fourth_axis_of_one_is_dropped(tmp_path):
    nib.Nifti1Image(np.zeros((4, 3, 2, 1), np.float32), np.eye(4)).to_filename(tmp_path / "a.nii.gz")
    assert read(tmp_path / "a.nii.gz").array.shape == (2, 3, 4)


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz", ".nrrd", ".mha", ".mhd"])
def test_suffixes_in_capitals_are_read(tmp_path, suffix):
    path = write(tmp_path / f"a{suffix}", IMAGE)
    known = read(path)
    capitals = path.rename(tmp_path / f"A{suffix.upper()}")
    np.testing.assert_array_equal(read(capitals).array, known.array)
    assert as_itk_reads(capitals, known, "a").grid == known.grid


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz", ".nrrd", ".mha"])
@pytest.mark.parametrize("share", [0.05, 0.6, 0.95])
def test_truncated_files_are_damaged(tmp_path, suffix, share):
    path = write(tmp_path / f"a{suffix}", IMAGE)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises(DamagedFile, match=rf"a{suffix}: "):
        read(path)


@pytest.mark.parametrize("suffix", [".nii.gz", ".nrrd", ".mha"])
def test_one_changed_byte_of_compressed_data_is_damage(tmp_path, suffix):
    path = write(tmp_path / f"a{suffix}", IMAGE)
    data = bytearray(path.read_bytes())
    data[-len(data) // 3] ^= 0xFF
    path.write_bytes(bytes(data))
    with pytest.raises(DamagedFile, match=r"compressed data are damaged|end too early"):
        read(path)


def test_a_file_that_is_not_what_its_name_says_is_damaged(tmp_path):
    for suffix in (".nii", ".nii.gz", ".nrrd", ".mha"):
        path = tmp_path / f"a{suffix}"
        path.write_bytes(b"<html>not found</html>" * 40)
        with pytest.raises(DamagedFile, match=rf"a{suffix}"):
            read(path)


def test_missing_and_empty_files_are_named(tmp_path):
    with pytest.raises(MissingFile, match=r"x/a\.nii: no such file"):
        read_file(tmp_path / "a.nii", "x/a.nii")
    (tmp_path / "a.nii").touch()
    with pytest.raises(DamagedFile, match="0 bytes"):
        read_file(tmp_path / "a.nii", "a.nii")


def test_a_header_that_promises_fewer_voxels_is_damage(tmp_path):
    path = write(tmp_path / "a.mha", IMAGE)
    path.write_bytes(path.read_bytes().replace(b"DimSize = 14 12 10", b"DimSize = 14 12 05"))
    with pytest.raises(DamagedFile, match="need 3360"):
        read(path)


@pytest.mark.parametrize("stored", ["none", "0", "10", "-1", "1000000000"])
def test_compressed_metaimages_must_say_how_many_bytes_follow(tmp_path, stored):
    path = write(tmp_path / "a.mha", IMAGE)
    lines = path.read_bytes().split(b"\n", 6)
    at = next(i for i, line in enumerate(lines) if line.startswith(b"CompressedDataSize"))
    lines[at] = b"Comment = x" if stored == "none" else b"CompressedDataSize = " + stored.encode()
    path.write_bytes(b"\n".join(lines))
    with pytest.raises(DamagedFile, match=f"CompressedDataSize is {stored}, but"):
        read(path)


def test_bytes_to_skip_in_a_metaimage_are_refused(tmp_path):
    path = write(tmp_path / "a.mha", IMAGE)
    path.write_bytes(path.read_bytes().replace(b"NDims = 3", b"NDims = 3\nHeaderSize = 4"))
    with pytest.raises(UnsupportedImage, match="HeaderSize 4"):
        read(path)


def test_a_spacing_means_the_same_in_every_format(tmp_path):
    for spacing in ((4.8, 4.8, 5.3), (0.9765625, 0.977, 3.27), (9.8, 9.7, 9.999)):
        found = {read(write(tmp_path / f"a{suffix}", IMAGE, spacing)).grid.spacing_mm for suffix in SUFFIXES}
        assert found == {spacing[::-1]}


@pytest.mark.parametrize(
    ("suffix", "old", "new"),
    [
        (".mha", b"ElementSpacing = 2 2 3", b"Comment = nothing"),
        (".mha", b"NDims = 3", b"NDims = 3\nDistanceUnits = cm"),
        (".nrrd", b"space directions: (2,0,0) (0,2,0) (0,0,3)", b"# nothing"),
        (".nrrd", b"endian:", b'space units: "cm" "cm" "cm"\nendian:'),
    ],
)
def test_an_unknown_spacing_is_not_guessed(tmp_path, suffix, old, new):
    path = write(tmp_path / f"a{suffix}", IMAGE)
    assert old in path.read_bytes()
    path.write_bytes(path.read_bytes().replace(old, new))
    with pytest.raises(BadGeometry, match=r"not known|again in mm"):
        read(path)


def test_zero_and_negative_spacings_are_bad_geometry(tmp_path):
    path = write(tmp_path / "a.nii.gz", IMAGE)
    edit_nifti(path, 80, struct.pack("<f", 0.0))
    with pytest.raises(BadGeometry, match="spacing along x is 0 mm"):
        read(path)
    path = write(tmp_path / "a.mha", IMAGE)
    path.write_bytes(
        path.read_bytes().replace(b"ElementSpacing = 2 2 3", b"ElementSpacing = 2-2 3".replace(b"2-2", b"-2 2"))
    )
    with pytest.raises(BadGeometry, match="ElementSpacing"):
        read(path)
    path = write(tmp_path / "a.nrrd", IMAGE)
    path.write_bytes(path.read_bytes().replace(b"(2,0,0)", b"(0,0,0)"))
    with pytest.raises(BadGeometry, match="spacing 0 mm"):
        read(path)


def test_voxel_sizes_that_contradict_the_orientation_are_bad_geometry(tmp_path):
    path = write(tmp_path / "a.nii.gz", IMAGE)
    edit_nifti(path, 80, struct.pack("<f", 2.5))
    edit_nifti(path, 252, struct.pack("<hh", 0, 1))
    with pytest.raises(BadGeometry, match="contradicts itself"):
        read(path)


@pytest.mark.parametrize(
    ("offset", "data", "error", "message"),
    [
        (108, struct.pack("<f", 0.0), DamagedFile, "voxels begin at byte 0"),
        (108, struct.pack("<f", 348.0), DamagedFile, "voxels begin at byte 348"),
        (108, struct.pack("<f", float("nan")), DamagedFile, "voxels begin at byte nan"),
        (112, struct.pack("<ff", float("inf"), 0.0), DamagedFile, "scales intensities by inf and 0"),
        (112, struct.pack("<ff", 1.0, float("nan")), DamagedFile, "scales intensities by 1 and nan"),
        (123, b"\x05", BadGeometry, "unit of length with code 5"),
        (252, struct.pack("<hh3f", 1, 0, 2.0, 2.0, 2.0), BadGeometry, "is no rotation"),
        (280, struct.pack("<f", float("nan")), BadGeometry, "contradicts itself"),
        (70, struct.pack("<h", 3), UnsupportedImage, "voxel type code 3"),
        (72, struct.pack("<h", 16), DamagedFile, "16 bits a voxel, but its type float32 has 32"),
        (42, struct.pack("<h", -12), DamagedFile, "the header gives the sizes"),
    ],
)
def test_header_fields_that_cannot_be_right_are_refused(tmp_path, offset, data, error, message):
    path = tmp_path / "a.nii.gz"
    nib.Nifti1Image(IMAGE.T, np.diag([2.0, 2.0, 3.0, 1.0])).to_filename(path)
    edit_nifti(path, offset, data)
    with pytest.raises(error, match=message):
        read(path)


@pytest.mark.parametrize("slope", [0.0, float("nan")])
def test_a_slope_that_is_not_set_scales_nothing(tmp_path, slope):
    path = write(tmp_path / "a.nii.gz", IMAGE)
    edit_nifti(path, 112, struct.pack("<ff", slope, 5.0))
    np.testing.assert_array_equal(read(path).array, IMAGE)


def test_4d_and_colour_images_are_unsupported(tmp_path):
    nib.Nifti1Image(np.zeros((4, 3, 2, 5), np.float32), np.eye(4)).to_filename(tmp_path / "a.nii.gz")
    with pytest.raises(UnsupportedImage, match="4 x 3 x 2 x 5"):
        read(tmp_path / "a.nii.gz")
    colour = np.zeros((4, 3, 2), [("R", "u1"), ("G", "u1"), ("B", "u1")])
    nib.Nifti1Image(colour, np.eye(4)).to_filename(tmp_path / "rgb.nii.gz")
    with pytest.raises(UnsupportedImage, match="colour"):
        read(tmp_path / "rgb.nii.gz")
    nib.Nifti1Image(np.zeros((4, 3, 2), np.complex64), np.eye(4)).to_filename(tmp_path / "c.nii.gz")
    with pytest.raises(UnsupportedImage, match="complex"):
        read(tmp_path / "c.nii.gz")
    for suffix in (".nrrd", ".mha"):
        sitk.WriteImage(sitk.Image([4, 3, 2], sitk.sitkVectorUInt8, 3), str(tmp_path / f"rgb{suffix}"))
        with pytest.raises(UnsupportedImage, match="scalar"):
            read(tmp_path / f"rgb{suffix}")
        sitk.WriteImage(sitk.Image([4, 3, 2, 5], sitk.sitkFloat32), str(tmp_path / f"four{suffix}"))
        with pytest.raises(UnsupportedImage, match="4 x 3 x 2 x 5"):
            read(tmp_path / f"four{suffix}")


@pytest.mark.parametrize("suffix", [".nii.gz", ".nrrd", ".mha"])
def test_nan_and_infinity_are_counted_and_placed(tmp_path, suffix):
    wrong = IMAGE.copy()
    wrong[2, 3, 4] = np.nan
    wrong[5, 6, 7] = np.inf
    path = write(tmp_path / f"a{suffix}", wrong)
    with pytest.raises(BadVoxels, match=r"1 NaN and 1 infinite of 1680 voxels, the first at \(x, y, z\) = \(4, 3, 2\)"):
        to_volume(read(path), "SUV", path.name)


def test_a_volume_is_in_double_precision_and_read_only(tmp_path):
    volume = to_volume(read(write(tmp_path / "a.nii.gz", IMAGE)), "SUV", "a")
    assert volume.array.dtype == np.float64
    with pytest.raises(ValueError, match="read-only"):
        volume.array[0, 0, 0] = 1


def test_labels_must_be_whole_numbers_from_0(tmp_path):
    np.testing.assert_array_equal(to_labels(read(write(tmp_path / "a.nii.gz", MASK.astype(np.float32))), "a"), MASK)
    with pytest.raises(BadMask, match=r"such as 0\.5"):
        to_labels(read(write(tmp_path / "b.nii.gz", MASK * np.float32(0.5))), "b")
    with pytest.raises(BadMask, match="negative label -1"):
        to_labels(read(write(tmp_path / "c.nii.gz", -MASK.astype(np.int16))), "c")


def test_a_harmless_difference_of_origin_passes_and_a_real_one_does_not(tmp_path):
    image = read(write(tmp_path / "a.nii.gz", IMAGE)).grid
    near = read(write(tmp_path / "b.nii.gz", MASK, origin=(1e-5, 0, 0))).grid
    require_same_grid(image, near, "a", "b")
    far = read(write(tmp_path / "c.nii.gz", MASK, origin=(0.01, 0, 0))).grid
    with pytest.raises(GeometryMismatch, match=r"c: its voxels lie up to 0\.005 of a voxel"):
        require_same_grid(image, far, "a", "c")


def test_other_sizes_spacings_and_directions_are_a_mismatch(tmp_path):
    image = read(write(tmp_path / "a.nii.gz", IMAGE)).grid
    with pytest.raises(GeometryMismatch, match="14 x 12 x 9 voxels"):
        require_same_grid(image, read(write(tmp_path / "b.nii.gz", MASK[1:])).grid, "a", "b")
    with pytest.raises(GeometryMismatch, match="spacing"):
        require_same_grid(image, read(write(tmp_path / "c.nii.gz", MASK, (2.0, 2.01, 3.0))).grid, "a", "c")
    flipped = sitk.GetImageFromArray(MASK)
    flipped.SetSpacing((2.0, 2.0, 3.0))
    flipped.SetDirection((-1, 0, 0, 0, -1, 0, 0, 0, 1))
    sitk.WriteImage(flipped, str(tmp_path / "d.nii.gz"))
    with pytest.raises(GeometryMismatch):
        require_same_grid(image, read(tmp_path / "d.nii.gz").grid, "a", "d")


@pytest.mark.parametrize("suffix", [".mhd", ".nhdr"])
def test_a_header_of_its_own_names_the_file_with_its_voxels(tmp_path, suffix):
    path = write(tmp_path / f"a{suffix}", IMAGE)
    voxels = voxel_file(read_file(path))
    assert voxels is not None
    other = voxels.rename(tmp_path / "elsewhere.raw")
    path.write_bytes(path.read_bytes().replace(voxels.name.encode(), other.name.encode()))
    assert voxel_file(read_file(path)) == other
    np.testing.assert_array_equal(read(path).array, IMAGE)
    other.unlink()
    with pytest.raises(MissingFile, match=rf"a{suffix} -> elsewhere"):
        read(path)


def test_voxels_in_another_folder_are_refused(tmp_path):
    path = write(tmp_path / "a.mhd", IMAGE)
    path.write_bytes(path.read_bytes().replace(b"ElementDataFile = ", b"ElementDataFile = ../"))
    with pytest.raises(UnsupportedImage, match="store the volume as one file"):
        read(path)


@pytest.mark.parametrize("sizes", [b"nan 12 10", b"14 12 x", b"14 0 10", b"14 12.5 10"])
def test_sizes_that_are_none_are_damage(tmp_path, sizes):
    path = write(tmp_path / "a.mha", IMAGE)
    path.write_bytes(path.read_bytes().replace(b"DimSize = 14 12 10", b"DimSize = " + sizes))
    with pytest.raises(DamagedFile, match="in the header"):
        read(path)
