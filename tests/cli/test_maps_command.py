"""Feature maps on disk: geometry, content, and that a map is complete or absent."""

from __future__ import annotations

import gzip
import hashlib

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk
import typer
from typer.testing import CliRunner

from radiomics_pipeline.batch.maps import estimate, prepare_maps, write_maps
from radiomics_pipeline.cli.maps import maps
from radiomics_pipeline.errors import MissingLabel, ParamsError, TooLarge
from radiomics_pipeline.extraction.maps import plan_maps
from radiomics_pipeline.io.maps import FILLED, GAP, MapFiles
from radiomics_pipeline.io.params_file import load_params
from radiomics_pipeline.types import Grid
from tests.images import lesion

IBSI = "series: {PET: {unit: SUV, discretise: {method: fixed-bin-size, width: 0.5, origin: 0}}}\n"
PYRADIOMICS = "setting: {binWidth: 0.5}\nfeatureClass: {firstorder: [Mean]}\nvoxelSetting: {initValue: -3}\n"
OBLIQUE = (0.0, 0.8, -0.6, -1.0, 0.0, 0.0, 0.0, 0.6, 0.8)


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    """An oblique image with a region of labels 1 and 2, and parameters of both standards."""
    folder = tmp_path_factory.mktemp("case")
    array, mask = lesion(0)
    mask[5:] *= 2
    for name, voxels in (("image", array), ("mask", mask)):
        image = sitk.GetImageFromArray(voxels)
        image.SetSpacing((1.3, 0.7, 2.9))
        image.SetOrigin((-55.25, 12.5, 900.75))
        image.SetDirection(OBLIQUE)
        sitk.WriteImage(image, str(folder / f"{name}.nii.gz"))
    (folder / "ibsi.yaml").write_text(IBSI)
    (folder / "pyradiomics.yaml").write_text(PYRADIOMICS)
    return folder


def call(case, *arguments):
    app = typer.Typer()
    app.command()(maps)
    start = [case / "image.nii.gz", case / "mask.nii.gz", "--label", 2]
    return CliRunner().invoke(app, [str(a) for a in (*start, *arguments)], catch_exceptions=False)


def test_maps_lie_where_the_image_lies(case, tmp_path):
    result = call(case, "--params", case / "ibsi.yaml", "--features", "glcm_Contrast,intensity_Mean", "--out", tmp_path)
    assert result.exit_code == 0
    first, last = result.output.splitlines()
    assert first.endswith("voxels, 2 maps, kernel of 3 x 3 x 3 voxels: about a second")
    assert last.startswith("2 maps -> ")
    names = ["original_glcm_Contrast.nii.gz", "original_intensity_Mean.nii.gz"]
    assert sorted(p.name for p in tmp_path.iterdir()) == names
    source, mask = (nib.load(case / f"{name}.nii.gz") for name in ("image", "mask"))
    for name in names:
        image = nib.load(tmp_path / name)
        assert image.get_data_dtype() == np.float64
        np.testing.assert_allclose(image.affine, source.affine, atol=1e-5)
        np.testing.assert_array_equal(np.isfinite(image.get_fdata()), mask.get_fdata() == 2)
        itk, other = sitk.ReadImage(str(tmp_path / name)), sitk.ReadImage(str(case / "image.nii.gz"))
        assert itk.GetSize() == other.GetSize()
        np.testing.assert_allclose(itk.GetSpacing(), other.GetSpacing(), rtol=1e-6)
        np.testing.assert_allclose(itk.GetOrigin(), other.GetOrigin(), atol=1e-4)
        np.testing.assert_allclose(itk.GetDirection(), other.GetDirection(), atol=1e-6)
    z, y, x = np.argwhere(mask.get_fdata().T == 2)[20]
    around = np.index_exp[z - 1 : z + 2, y - 1 : y + 2, x - 1 : x + 2]
    inside = source.get_fdata().T[around][mask.get_fdata().T[around] == 2]
    assert nib.load(tmp_path / names[1]).get_fdata().T[z, y, x] == pytest.approx(inside.mean())


def test_a_file_of_pyradiomics_gives_its_names_and_its_value_outside(case, tmp_path):
    result = call(
        case, "--params", case / "pyradiomics.yaml", "--out", tmp_path, "--float32", "--crop", "--radius-mm", 2
    )
    assert "1 map, kernel of 3 x 5 x 1 voxels" in result.output
    image = nib.load(tmp_path / "original_firstorder_Mean.nii.gz")
    mask = nib.load(case / "mask.nii.gz").get_fdata().T == 2
    low, high = np.argwhere(mask).min(axis=0), np.argwhere(mask).max(axis=0) + 1
    grown = np.minimum(high + np.array((0, 2, 1)), mask.shape) - np.maximum(low - (0, 2, 1), 0)
    assert image.shape == tuple(grown[::-1])
    assert image.get_data_dtype() == np.float32
    assert (image.get_fdata() == -3).sum() == image.get_fdata().size - mask.sum()


def test_unusable_requests_are_refused(case):
    image, mask = case / "image.nii.gz", case / "mask.nii.gz"
    plan = plan_maps(load_params(case / "ibsi.yaml"), features=("intensity",))
    for label, error in ((3, MissingLabel), (0, ParamsError)):
        with pytest.raises(error):
            prepare_maps(plan, image, mask, label=label)
    with pytest.raises(TooLarge, match="32767"):
        MapFiles(case / "out", ["a"], Grid((1, 1, 40_000), (1.0, 1.0, 1.0)), outside=0.0)
    assert not (case / "out").exists()


def test_the_estimate_counts_voxels_and_maps(case):
    plan = plan_maps(load_params(case / "ibsi.yaml"), features=("ngtdm",))
    work = prepare_maps(plan, case / "image.nii.gz", case / "mask.nii.gz", label=1)
    expected = estimate(plan, work)
    assert (expected.voxels, expected.maps) == (work.voxels, 5)
    assert expected.seconds > 0


def test_an_interrupted_run_leaves_earlier_maps_as_they_were(case, tmp_path):
    plan = plan_maps(load_params(case / "ibsi.yaml"), features=("intensity",))
    work = prepare_maps(plan, case / "image.nii.gz", case / "mask.nii.gz", label=1)
    moved = []
    paths = write_maps(plan, work, tmp_path, progress=lambda *args: moved.append(args))
    assert moved[-1] == (work.voxels, work.voxels, "")
    before = {p: hashlib.sha256(p.read_bytes()).digest() for p in paths}
    assert len(before) == 18

    def interrupted(*_):
        assert len(list(tmp_path.iterdir())) == 2 * len(before)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_maps(plan, work, tmp_path, progress=interrupted)
    assert {p: hashlib.sha256(p.read_bytes()).digest() for p in tmp_path.iterdir()} == before


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("outside", [np.nan, 0.0, -7.5])
def test_voxels_stand_where_they_belong_however_far_apart(tmp_path, dtype, outside):
    """Values next to each other and with gaps below and above those that are filled by repetition."""
    rng = np.random.default_rng(0)
    grid = Grid((9, 250, 300), (3.0, 1.0, 1.0))
    size = 9 * 250 * 300
    starts = np.cumsum([5, GAP - 1, GAP + 3, FILLED, 3 * FILLED + 17, 2 * FILLED + GAP, 70])
    indices = np.unique(np.concatenate([s + rng.integers(0, 60, 20) for s in starts]))
    values = rng.normal(size=(2, len(indices)))
    with MapFiles(tmp_path, ["a", "b"], grid, outside=outside, dtype=dtype) as files:
        for part in np.array_split(np.arange(len(indices)), 4):
            files.write(indices[part], values[:, part])
    for path, row in zip(files.paths, values, strict=True):
        expected = np.full(size, outside, dtype)
        expected[indices] = row
        stored = np.frombuffer(gzip.decompress(path.read_bytes())[352:], f"<f{expected.itemsize}")
        np.testing.assert_array_equal(stored, expected)
        np.testing.assert_array_equal(nib.load(path).get_fdata().T.ravel(), expected)
        itk = sitk.GetArrayFromImage(sitk.ReadImage(str(path))).ravel()
        np.testing.assert_array_equal(itk, np.nan_to_num(expected))  # ITK reads NaN in NIfTI files as 0


def test_a_map_without_a_value_is_a_file_too(tmp_path):
    grid = Grid((2, 300, 400), (1.0, 1.0, 1.0))
    with MapFiles(tmp_path, ["a"], grid, outside=np.nan) as files:
        pass
    assert np.isnan(nib.load(files.paths[0]).get_fdata()).all()
    assert files.paths[0].stat().st_size < 5_000


def test_what_single_precision_cannot_hold_is_no_number(tmp_path):
    grid = Grid((1, 1, 3), (1.0, 1.0, 1.0))
    with MapFiles(tmp_path, ["a"], grid, outside=0.0, dtype="float32") as files:
        files.write(np.array([0, 2]), np.array([[1e300, 0.1]]))
    np.testing.assert_array_equal(nib.load(files.paths[0]).get_fdata().ravel(), [np.nan, 0.0, np.float32(0.1)])
