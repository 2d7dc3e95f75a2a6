"""Masks on grids of their own: both engines give what PyRadiomics gives for the same two files."""

from __future__ import annotations

import ast
import warnings

import numpy as np
import pytest
import SimpleITK as sitk

from radiomics_pipeline.batch.single import load_region
from radiomics_pipeline.errors import CaseError, GeometryMismatch
from radiomics_pipeline.extraction.pyradiomics import plan_pyradiomics
from radiomics_pipeline.extraction.pyradiomics_engine import plan_engine
from radiomics_pipeline.params.pyradiomics import PyradiomicsSeries

UPRIGHT = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
TURNED = (0.0, -1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0)
IMAGE = {"spacing": (1.0, 1.5, 2.0), "origin": (0.0, 0.0, 0.0), "direction": UPRIGHT}
CLASSES = dict.fromkeys(("shape", "firstorder", "glcm"))
ENGINES = {"own": plan_pyradiomics, "pyradiomics": plan_engine}


@pytest.fixture(autouse=True)
def _installed(pyradiomics):
    """Every test here needs PyRadiomics."""


def write(path, array, *, spacing, origin=(0.0, 0.0, 0.0), direction=UPRIGHT):
    image = sitk.GetImageFromArray(array)
    image.SetSpacing(spacing)
    image.SetOrigin(origin)
    image.SetDirection(direction)
    sitk.WriteImage(image, str(path))
    return path


def texture(shape, dtype=np.int16):
    smooth = np.random.default_rng(5).normal(0, 1, shape)
    for axis in range(3):
        smooth = smooth + np.roll(smooth, 1, axis)
    return (100 + 60 * smooth).astype(dtype)


def ball(shape, radius=0.7):
    places = np.stack(np.meshgrid(*(np.linspace(-1, 1, n) for n in shape), indexing="ij"))
    return ((places**2).sum(axis=0) < radius**2).astype(np.uint8)


def theirs(files, setting):
    from radiomics.featureextractor import RadiomicsFeatureExtractor

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sitk.ProcessObject.SetGlobalDefaultCoordinateTolerance(1e-6)
        sitk.ProcessObject.SetGlobalDefaultDirectionTolerance(1e-6)
        return dict(RadiomicsFeatureExtractor({"setting": setting, "featureClass": CLASSES}).execute(*map(str, files)))


def ours(files, setting, engine="own"):
    plan = ENGINES[engine](PyradiomicsSeries(setting=setting, featureClass=CLASSES), "", named=False)
    return plan.extract(*load_region(plan.source, *files, None))


def check(files, setting, engine="own"):
    """The same columns and numbers, and the same diagnostics of image and mask."""
    expected, found = theirs(files, setting), ours(files, setting, engine)
    wanted = {name: float(v) for name, v in expected.items() if not name.startswith("diagnostics_")}
    assert list(found.values) == list(wanted)
    for name, value in wanted.items():
        assert found.values[name] == pytest.approx(value, rel=1e-9, abs=1e-12), name
    shown = {n: v for n, v in expected.items() if n.startswith(("diagnostics_Mask", "diagnostics_Image"))}
    assert [n for n in found.diagnostics if n in shown or "Mask" in n] == list(shown)
    for name, value in shown.items():
        if not name.endswith(("Hash", "Dimensionality")):
            # a mask that counts as on the grid lies there, once it is re-segmented
            near = 1e-7 if name == "diagnostics_Mask-resegmented_CenterOfMass" else 0
            assert ast.literal_eval(found.diagnostics[name]) == pytest.approx(value, rel=1e-12, abs=near), name
    return found


def tilted(angle):
    c, s = np.cos(angle), np.sin(angle)
    return tuple((np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]) @ np.array([[1, 0, 0], [0, c, -s], [0, s, c]])).ravel())


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("spacing", [(2, 2, 2), (1, 1, 1), (2.2, 2.2, 2), (3, 3, 0)])
def test_a_mask_written_anew_whose_last_digits_differ_is_resampled_from_where_it_lies(tmp_path, engine, spacing):
    shape = (20, 40, 40)
    image = write(
        tmp_path / "a.nii.gz",
        texture(shape),
        spacing=(1.1, 1.1, 2.0),
        origin=(10.3, -20.7, 33.1),
        direction=tilted(0.21),
    )
    read = sitk.ReadImage(str(image))
    mask = write(
        tmp_path / "m.nii.gz",
        ball(shape),
        spacing=read.GetSpacing(),
        origin=read.GetOrigin(),
        direction=read.GetDirection(),
    )
    apart = np.abs(np.subtract(sitk.ReadImage(str(mask)).GetDirection(), read.GetDirection())).max()
    assert 0 < apart < 1e-6
    check((image, mask), {"resampledPixelSpacing": list(spacing)}, engine)


def test_a_mask_in_another_format_with_other_digits_counts_as_on_the_grid(tmp_path):
    shape = (14, 17, 19)
    image = write(tmp_path / "a.mha", texture(shape), spacing=(0.8, 0.8, 3.0), origin=(-120.3, -99.7, 11.1))
    mask = write(tmp_path / "m.nii.gz", ball(shape), spacing=(0.8, 0.8, 3.0), origin=(-120.3, -99.7, 11.1))
    for setting in ({}, {"resampledPixelSpacing": [1.6, 1.6, 3]}, {"resampledPixelSpacing": [1, 1, 1]}):
        check((image, mask), {"geometryTolerance": 1e-4, **setting})


APART = {
    "part of the image": (ball((10, 12, 14)), {"spacing": (1.0, 1.5, 2.0), "origin": (4.0, 4.5, 4.0)}),
    "shifted": (ball((10, 12, 14)), {"spacing": (1.0, 1.5, 2.0), "origin": (4.3, 4.1, 4.7)}),
    "coarser": (ball((7, 9, 9), 0.9), {"spacing": (2.0, 2.6, 3.5), "origin": (0.7, 0.9, 0.6)}),
    "finer": (ball((24, 24, 34)), {"spacing": (0.5, 1.0, 1.1)}),
    "turned": (ball((8, 8, 8)), {"spacing": (1.0, 1.5, 2.0), "origin": (14.0, 9.0, 6.0), "direction": TURNED}),
    "same size": (ball((14, 17, 19), 0.5), {"spacing": (1.0, 1.5, 2.0), "origin": (0.01, 0.0, 0.0)}),
    "by little": (ball((14, 17, 19)), {"spacing": (1.0, 1.5, 2.0), "origin": (1e-5, 0.0, 0.0)}),
    "by next to nothing": (ball((14, 17, 19)), {"spacing": (1.0, 1.5, 2.0), "origin": (1e-8, 0.0, 0.0)}),
}
WAYS = {
    "resampled": {"resampledPixelSpacing": [1.1, 1.3, 1.7], "binWidth": 20},
    "resampled, one axis kept": {"resampledPixelSpacing": [1.1, 1.3, 0], "interpolator": "sitkLinear"},
    "resampled and corrected": {"resampledPixelSpacing": [1.1, 1.3, 1.7], "correctMask": True},
    "to the spacing of the image": {"resampledPixelSpacing": [1, 1.5, 2], "padDistance": 1},
    "corrected": {"correctMask": True},
    "corrected and cropped": {"correctMask": True, "preCrop": True, "padDistance": 1},
    "corrected and re-segmented": {"correctMask": True, "resegmentRange": [60, 400]},
}


def pair(tmp_path, name):
    image = write(tmp_path / "a.nrrd", texture((14, 17, 19)), **IMAGE)
    array, where = APART[name]
    return image, write(tmp_path / "m.nrrd", array, **where)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", APART)
def test_a_mask_on_a_grid_of_its_own(tmp_path, name, way):
    found = check(pair(tmp_path, name), WAYS[way])
    assert not found.facts.warnings or "border" in found.facts.warnings[0]


@pytest.mark.parametrize("way", ["resampled", "corrected"])
@pytest.mark.parametrize("name", ["part of the image", "coarser", "by little", "by next to nothing"])
def test_pyradiomics_as_the_engine_has_the_mask_where_it_lies(tmp_path, name, way):
    check(pair(tmp_path, name), WAYS[way], "pyradiomics")


@pytest.mark.parametrize("engine", ENGINES)
def test_without_either_a_mask_on_another_grid_is_refused_but_for_slight_shifts(tmp_path, engine):
    with pytest.raises(GeometryMismatch, match="resample the mask"):
        ours(pair(tmp_path, "part of the image"), {}, engine)
    with pytest.raises(GeometryMismatch, match="of a voxel beside"):
        ours(pair(tmp_path, "same size"), {}, engine)
    slight = ours(pair(tmp_path, "by little"), {}, engine)
    assert slight.values == pytest.approx(ours(pair(tmp_path, "by next to nothing"), {}, engine).values, rel=1e-9)
    check(pair(tmp_path, "same size"), {"geometryTolerance": 0.05}, engine)


def test_what_reaches_outside_the_image_is_refused_as_there(tmp_path):
    image = write(tmp_path / "a.nrrd", texture((14, 17, 19)), **IMAGE)
    for x, inside in ((-2.0005, True), (-2.002, False), (12.5, False)):
        array = np.zeros((8, 8, 9), np.uint8)
        array[2:6, 1:6, 2:8] = 1
        mask = write(tmp_path / "m.nrrd", array, spacing=(1.0, 1.5, 2.0), origin=(x, 3.0, 4.0))
        for setting in (WAYS["resampled"], WAYS["corrected"], WAYS["to the spacing of the image"]):
            if inside:
                check((image, mask), setting)
                continue
            with pytest.raises(ValueError, match="larger than image space"):
                theirs((image, mask), setting)
            with pytest.raises(GeometryMismatch, match="voxels outside the image"):
                ours((image, mask), setting)
            with pytest.raises(CaseError, match="PyRadiomics: "):
                ours((image, mask), setting, "pyradiomics")


def test_a_turned_mask_whose_voxels_lie_outside_is_refused(tmp_path):
    """PyRadiomics looks at two corners of its box, and gives these voxels the intensity 0."""
    image = write(tmp_path / "a.nrrd", texture((14, 15, 16)), spacing=(1.0, 1.0, 1.0))
    array = np.zeros((6, 12, 12), np.uint8)
    array[1:4, 2:10, 2:10] = 1
    axes = np.array([[1, -1, 0], [1, 1, 0], [0, 0, 2**0.5]]) / 2**0.5
    origin = np.array([2.0, 7.0, 2.0]) - axes @ (5.5, 5.5, 0)
    mask = write(
        tmp_path / "m.nrrd", array, spacing=(1.0, 1.0, 1.0), origin=tuple(origin), direction=tuple(axes.ravel())
    )
    setting = {"resampledPixelSpacing": [1.3, 1.3, 1.3]}
    assert theirs((image, mask), setting)
    with pytest.raises(GeometryMismatch, match="outside the image"):
        ours((image, mask), setting)


@pytest.mark.parametrize("suffix", [".nii.gz", ".nrrd", ".mha"])
@pytest.mark.parametrize("engine", ENGINES)
def test_files_of_two_dimensions_are_refused(tmp_path, suffix, engine):
    flat = write_flat(tmp_path / f"a{suffix}", texture((25, 27, 1))[..., 0])
    mask = write_flat(tmp_path / f"m{suffix}", np.ones((25, 27), np.uint8))
    with pytest.raises(CaseError, match=r"a\.\S+: an image of two dimensions, 27 x 25.*one slice, 27 x 25 x 1"):
        ours((flat, mask), {}, engine)
    volume = write(tmp_path / f"b{suffix}", texture((25, 27, 1)).transpose(2, 0, 1), spacing=(0.8, 0.9, 1.0))
    with pytest.raises(CaseError, match=r"m\.\S+: an image of two dimensions"):
        ours((volume, mask), {}, engine)


def write_flat(path, array):
    image = sitk.GetImageFromArray(array)
    image.SetSpacing((0.8, 0.9))
    sitk.WriteImage(image, str(path))
    return path
