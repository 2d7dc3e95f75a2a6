"""PyRadiomics as the engine gives what PyRadiomics gives, quietly, under names known beforehand."""

from __future__ import annotations

import logging
import pickle
import sys
import warnings

import numpy as np
import pytest
import SimpleITK as sitk

from radiomics_pipeline.errors import CaseError, ParamsError
from radiomics_pipeline.extraction.pyradiomics import plan_pyradiomics
from radiomics_pipeline.extraction.pyradiomics_engine import _message, plan_engine
from radiomics_pipeline.imaging.regions import region_of
from radiomics_pipeline.io.volumes import load_pair, read_file
from radiomics_pipeline.params.pyradiomics import PyradiomicsSeries
from radiomics_pipeline.types import Grid, Region, Volume
from radiomics_pipeline.types.masks import LabelImage
from tests.images import lesion, write_case

SPACING_MM = (3.0, 1.5, 2.0)
ORIGIN_MM = (-20.0, 5.5, 7.0)
TURNED = (0.0, -1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0)


def case(dtype=np.float32, label: int = 1) -> tuple[Volume, Region]:
    """A lesion of one label beside a voxel of another."""
    array, mask = lesion()
    grid = Grid(array.shape, SPACING_MM, ORIGIN_MM, TURNED)
    inside = mask == 1
    return Volume((array * 10).astype(dtype), grid, native=True), Region(inside, inside, grid, label=label)


def directly(section: PyradiomicsSeries, *images: object, label: int = 1) -> dict[str, object]:
    """What PyRadiomics gives without us."""
    from radiomics.featureextractor import RadiomicsFeatureExtractor

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return dict(RadiomicsFeatureExtractor(section.as_file()).execute(*images, label=label))


def itk_images(volume: Volume, region: Region) -> list[sitk.Image]:
    """Image and mask as PyRadiomics takes them."""
    images = []
    for array in (volume.array, region.morphology.astype(np.uint8)):
        image = sitk.GetImageFromArray(array)
        image.SetSpacing(SPACING_MM[::-1])
        image.SetOrigin(ORIGIN_MM)
        image.SetDirection(TURNED)
        images.append(image)
    return images


@pytest.mark.parametrize("dtype", [np.int16, np.float32])
@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"featureClass": {"glcm": ["Contrast", "Idm"], "shape": None}, "setting": {"binCount": 16}},
        {"setting": {"resampledPixelSpacing": [2, 2, 2], "resegmentRange": [25, 70], "binWidth": 5}},
        {
            "imageType": {
                "Original": {},
                "LoG": {"sigma": [1.0, 3.5]},
                "Wavelet": {"level": 2, "binWidth": 2},
                "SquareRoot": {},
                "Gradient": {},
            },
            "featureClass": {"firstorder": [], "shape": [], "ngtdm": ["Coarseness"]},
            "setting": {"normalize": True, "normalizeScale": 100},
        },
        {"featureClass": {"shape2D": [], "glrlm": []}, "setting": {"force2D": True, "binWidth": 5}},
    ],
    ids=["defaults", "few", "resampled", "filters", "slices"],
)
def test_the_same_numbers_and_names_as_pyradiomics_itself(pyradiomics, parameters, dtype):
    section = PyradiomicsSeries(**parameters)
    volume, region = case(dtype)
    if "shape2D" in section.featureClass:
        slice_ = region.morphology.copy()
        slice_[np.arange(len(slice_)) != len(slice_) // 2] = False
        region = Region(slice_, slice_, region.grid)
    plan = plan_engine(section, "PET")
    found = plan.extract(volume, region)
    expected = directly(section, *itk_images(volume, region))
    features = {f"PET_{name}": float(v) for name, v in expected.items() if not name.startswith("diagnostics_")}
    assert [spec.column for spec in plan.columns] == list(features)
    assert found.values == features
    assert found.undefined == {}
    assert list(found.diagnostics) == [name for name in expected if name.startswith("diagnostics_")]
    for name in ("diagnostics_Image-original_Hash", "diagnostics_Mask-original_Hash"):
        assert found.diagnostics[name] == expected[name]
    assert found.diagnostics["diagnostics_Image-original_Mean"] == str(
        float(expected["diagnostics_Image-original_Mean"])
    )


def test_a_case_from_its_files(pyradiomics, tmp_path):
    write_case(tmp_path, "")
    files = [tmp_path / f"{kind}.nii.gz" for kind in ("image", "mask")]
    section = PyradiomicsSeries(setting={"binWidth": 0.25}, featureClass={"firstorder": ["Mean"], "glszm": None})
    plan = plan_engine(section, "", named=False)
    volume, labels = load_pair(*map(read_file, files), plan.source.unit, native=plan.source.native)
    found = plan.extract(volume, region_of(LabelImage("mask", volume.grid, labels), "", plan.source.label))
    expected = directly(section, *map(str, files))
    assert {name: expected[name] for name in found.values} == found.values
    assert len(found.values) == 17
    assert {name: expected[name] for name in found.diagnostics if name.endswith("Hash")} == {
        name: text for name, text in found.diagnostics.items() if name.endswith("Hash")
    }


def test_regions_of_other_labels_and_their_turn_do_not_matter(pyradiomics):
    plan = plan_engine(PyradiomicsSeries(), "PET")
    volume, first = case()
    _, second = case(label=300)
    alone = plan.extract(volume, first)
    assert plan.extract(volume, second).values == alone.values
    assert plan.extract(volume, first) == alone
    assert pickle.loads(pickle.dumps(plan)).extract(volume, first) == alone


def test_facts_come_from_the_grid_and_mask_of_the_features(pyradiomics):
    setting = {"resampledPixelSpacing": [2, 2, 2], "resegmentRange": [40, 1000], "additionalInfo": False}
    plan = plan_engine(PyradiomicsSeries(setting=setting), "PET")
    volume, region = case()
    found = plan.extract(volume, region)
    facts = found.facts
    assert facts.native_mm == (2.0, 1.5, 3.0)
    assert facts.voxel_mm == (2.0, 2.0, 2.0)
    assert facts.intensity_voxels < facts.voxels
    assert facts.volume_ml == pytest.approx(facts.voxels * 0.008)
    assert found.values["PET_original_shape_VoxelVolume"] == pytest.approx(facts.volume_ml * 1000)
    assert found.diagnostics == {}
    bare = plan.without_features().extract(volume, region)
    assert (bare.values, bare.facts) == ({}, facts)


def test_what_pyradiomics_leaves_out_is_empty_and_said(pyradiomics):
    parameters = {"imageType": {"Original": {}, "LoG": {"sigma": [2, 50]}}, "featureClass": {"glcm": None}}
    plan = plan_engine(PyradiomicsSeries(**parameters), "")
    found = plan.extract(*case())
    empty = {name for name, value in found.values.items() if np.isnan(value)}
    assert empty == {name for name in found.values if name.startswith("log-sigma-50-mm-3D_")}
    assert set(found.undefined) == empty
    assert len(empty) == 24
    (warning,) = found.facts.warnings
    assert "sigma(50)" in warning


def test_nothing_reaches_the_terminal_and_loggers_stay_as_they_were(pyradiomics, capfd):
    pyradiomics.setVerbosity(logging.DEBUG)
    logger = logging.getLogger("radiomics")
    before = (list(logger.handlers), logger.level, logger.propagate)
    try:
        parameters = {"imageType": {"Original": {}, "LoG": {"sigma": [50.0]}}, "setting": {"binCount": 8}}
        plan = plan_engine(PyradiomicsSeries(**parameters), "PET")
        plan.extract(*case())
        with pytest.raises(ParamsError):
            plan_engine(PyradiomicsSeries(setting={"wavelet": "none"}), "PET")
        assert (list(logger.handlers), logger.level, logger.propagate) == before
    finally:
        pyradiomics.setVerbosity(logging.CRITICAL)
    assert capfd.readouterr() == ("", "")


def test_a_region_that_pyradiomics_refuses_is_a_failure_of_the_case(pyradiomics):
    volume, region = case()
    with pytest.raises(CaseError, match="PyRadiomics: Size of the ROI is too small") as raised:
        plan_engine(PyradiomicsSeries(setting={"minimumROISize": 10_000}), "PET").extract(volume, region)
    assert raised.value.stage == "features"


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"featureClass": {"glcm": ["Contrst"]}}, "series PET: PyRadiomics refuses the parameters: .*Contrst"),
        ({"imageType": {"Original": {}, "LoG": {}}}, "series PET: imageType LoG: .* no feature.*; LoG needs sigma"),
        ({"imageType": {"LoG": {"sigma": [1], "label": 2}}}, "imageType.LoG.label: the label is chosen once"),
        ({"setting": {"label_channel": 1}}, "series PET: label_channel: masks with several values"),
        ({"featureClass": {"shape2D": []}}, "series PET: featureClass: .* no feature; it says: .*force2D"),
    ],
)
def test_parameters_that_give_no_feature_are_refused(pyradiomics, parameters, message):
    with pytest.raises(ParamsError, match=message):
        plan_engine(PyradiomicsSeries(**parameters), "PET")


def test_columns_depend_on_no_setting_of_the_images(pyradiomics):
    """A setting that no small synthetic region could meet."""
    setting = {
        "minimumROISize": 10**6,
        "resegmentRange": [1e6, 2e6],
        "resampledPixelSpacing": [90, 90, 90],
        "distances": [40],
        "binWidth": 1e-9,
    }
    plain, strange = (plan_engine(PyradiomicsSeries(setting=s), "PET").columns for s in ({}, setting))
    assert strange == plain


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"featureClass": {"glcm": ["Idm", "Contrast"], "shape": None, "firstorder": []}, "setting": {"binCount": 16}},
        {"setting": {"force2D": True, "weightingNorm": "euclidean"}},
        {"imageType": {"Original": {"binWidth": 5, "force2D": True}}, "featureClass": {"shape2D": None, "glrlm": None}},
    ],
)
def test_both_engines_have_the_same_columns_with_the_same_meaning(pyradiomics, parameters):
    section = PyradiomicsSeries(unit="SUV", **parameters)
    assert plan_engine(section, "PET").columns == plan_pyradiomics(section, "PET").columns


def test_the_dictionary_knows_what_the_original_image_has(pyradiomics):
    parameters = {"unit": "SUV", "imageType": {"Original": {}, "Wavelet": {}}, "featureClass": {"firstorder": ["Mean"]}}
    original, *filtered = plan_engine(PyradiomicsSeries(**parameters), "PET").columns
    assert (original.column, original.unit, original.ibsi_code) == ("PET_original_firstorder_Mean", "SUV", "Q4LE")
    assert {spec.unit for spec in filtered} == {""}
    assert {spec.definition for spec in filtered} == {original.definition}
    assert {spec.standard for spec in (original, *filtered)} == {"pyradiomics"}


def test_without_pyradiomics_the_message_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "radiomics", None)
    with pytest.raises(ParamsError, match=r"pip install 'radiomics_pipeline\[pyradiomics\]' \(it needs a C compiler\)"):
        plan_engine(PyradiomicsSeries(), "PET")


def test_messages_keep_their_end_without_addresses():
    error = RuntimeError("at 0x7f00: ITK\nsitk::ERROR: Filter(0x55d0): cannot do this")
    assert _message(error) == "Filter: cannot do this"
    assert _message(ValueError()) == "ValueError"
    assert _message(ValueError("x" * 1000)) == "x" * 300 + " ..."
