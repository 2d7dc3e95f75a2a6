"""The command `filter`, and the list of filters."""

import re

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk
from typer.testing import CliRunner

from radiomics_pipeline.cli.main import app
from radiomics_pipeline.errors import ParamsError, RadiomicsError

PARAMS = """
series:
  PET:
    unit: SUV
    resample: {voxel_mm: 4}
    discretise: {method: fixed-bin-number, bins: 8}
    families: []
    filters:
      - {filter: log, each: {sigma_mm: [4, 8]}, families: [intensity]}
"""


def call(*arguments):
    return CliRunner().invoke(app, ["filter", *map(str, arguments)])


@pytest.fixture
def image(tmp_path):
    values = np.random.default_rng(0).normal(size=(12, 11, 10))
    nib.Nifti1Image(values, np.diag([2.0, 2.0, 2.0, 1])).to_filename(tmp_path / "image.nii.gz")
    (tmp_path / "p.yaml").write_text(PARAMS)
    return tmp_path / "image.nii.gz"


def test_a_response_map_lies_on_the_image(image, tmp_path):
    found = call(
        image, "--filter", "mean", "--set", "support=3", "--set", "boundary=zero", "--out", tmp_path / "m.nii.gz"
    )
    assert found.exit_code == 0
    assert "12 x 11 x 10 voxels" in found.output
    own, response = nib.load(image), nib.load(tmp_path / "m.nii.gz")
    np.testing.assert_array_equal(response.affine, own.affine)
    expected = own.get_fdata()[4:7, 4:7, 4:7].mean()
    assert response.get_fdata()[5, 5, 5] == pytest.approx(expected)


def test_parameters_say_grid_and_filter(image, tmp_path):
    out = tmp_path / "m.nii.gz"
    found = call(image, "--params", tmp_path / "p.yaml", "--image", "log-8mm", "--out", out)
    assert found.exit_code == 0
    assert nib.load(out).shape == (6, 6, 5)
    again = tmp_path / "again.nii.gz"
    call(image, "--params", tmp_path / "p.yaml", "--series", "PET", "--image", "log-8mm", "--out", again)
    assert again.read_bytes() == out.read_bytes()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "either which filter"),
        (("--filter", "log", "--params", "fdg"), "either which filter"),
        (("--params", "p.yaml", "--set", "sigma_mm=1"), "--set belongs to --filter"),
        (("--params", "p.yaml"), "the filtered images log-4mm, log-8mm; name one"),
        (("--params", "p.yaml", "--image", "log-4m"), "did you mean 'log-4mm'"),
        (("--params", "p.yaml", "--series", "CT"), "sections for PET; name one by --series"),
        (("--params", "fdg", "--series", "PET"), "the filtered images none"),
        (("--filter", "lot"), "did you mean 'log'"),
        (("--filter", "log", "--set", "sigma"), "write KEY=VALUE"),
        (("--filter", "log", "--set", "sigma_mm=[1"), "cannot be read as a value"),
        (("--filter", "log", "--set", "sigma_mm=0"), "sigma_mm: Input should be greater than 0"),
    ],
)
def test_what_cannot_be_meant_is_refused_and_nothing_written(image, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    found = call(image, *arguments, "--out", "m.nii.gz")
    assert isinstance(found.exception, RadiomicsError)
    assert message in str(found.exception)
    assert not (tmp_path / "m.nii.gz").exists()


def test_a_map_is_nifti(image, tmp_path):
    found = call(image, "--filter", "mean", "--out", tmp_path / "m.png")
    assert isinstance(found.exception, ParamsError)


def test_filters_are_listed_and_shown_with_their_settings():
    found = CliRunner().invoke(app, ["filters", "list"])
    assert "log          L6PA   Laplacian of Gaussian" in found.output
    shown = CliRunner().invoke(app, ["filters", "show", "wavelet"]).output
    assert "subband          needed" in shown
    assert "boundary         mirror" in shown


@pytest.mark.filterwarnings("ignore:Applying `local_binary_pattern`")
@pytest.mark.parametrize("name", ["wavelet-LLH", "log-sigma-3-mm-3D", "square", "lbp-2D"])
def test_parameters_of_pyradiomics_make_its_images(image, tmp_path, name):
    imageoperations = pytest.importorskip("radiomics.imageoperations")
    (tmp_path / "theirs.yaml").write_text("imageType: {Wavelet: {}, LoG: {sigma: [3]}, Square: {}, LBP2D: {}}")
    out = tmp_path / "m.nii.gz"
    found = call(image, "--params", tmp_path / "theirs.yaml", "--image", name, "--out", out)
    assert found.exit_code == 0, found.exception
    kind, settings = {"w": ("Wavelet", {}), "lo": ("LoG", {"sigma": [3]}), "s": ("Square", {}), "lb": ("LBP2D", {})}[
        name[: 2 if name[0] == "l" else 1]
    ]
    theirs = getattr(imageoperations, f"get{kind}Image")(sitk.ReadImage(str(image)), None, **settings)
    (expected,) = [sitk.GetArrayFromImage(response) for response, token, _ in theirs if token == name]
    np.testing.assert_allclose(sitk.GetArrayFromImage(sitk.ReadImage(str(out))), expected, rtol=1e-14)


@pytest.mark.parametrize(
    ("text", "arguments", "message"),
    [
        ("imageType: {Wavelet: {}}", (), "the filtered images wavelet-LLH, .*; name one"),
        ("imageType: {Square: {}}", ("--image", "sqare"), "did you mean 'square'"),
        ("imageType: {Original: {}}", (), "the filtered images none"),
        (
            "{imageType: {Square: {}}, setting: {resampledPixelSpacing: [1, 1, 1]}}",
            (),
            "resampledPixelSpacing.*out",
        ),
        ("imageType: {LoG: {sigma: [50]}}", (), "PyRadiomics computes none of a width of 50 mm"),
    ],
)
def test_images_of_pyradiomics_that_cannot_be_had_are_refused(image, tmp_path, text, arguments, message):
    (tmp_path / "theirs.yaml").write_text(text)
    found = call(image, "--params", tmp_path / "theirs.yaml", *arguments, "--out", tmp_path / "m.nii.gz")
    assert isinstance(found.exception, RadiomicsError)
    assert re.search(message, str(found.exception))
