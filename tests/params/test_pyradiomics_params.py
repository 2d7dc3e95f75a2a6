"""PyRadiomics' parameter files: its names, its rules, and what is refused."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest
from pydantic import ValidationError
from ruamel.yaml import YAML

from radiomics_pipeline.errors import ParamsError
from radiomics_pipeline.params.pyradiomics import (
    FEATURE_CLASSES,
    PyradiomicsSeries,
    Settings,
    is_pyradiomics_file,
    require_computable,
)
from radiomics_pipeline.params.series import SeriesSource


def series(**sections):
    return PyradiomicsSeries.model_validate(sections)


def message(**sections):
    with pytest.raises(ValidationError) as refusal:
        series(**sections)
    return str(refusal.value)


def test_every_key_of_its_schema_is_known_with_its_default(pyradiomics):
    from radiomics.featureextractor import RadiomicsFeatureExtractor

    ours = Settings()
    for name, value in RadiomicsFeatureExtractor._getDefaultSettings().items():
        own = getattr(ours, name)
        assert (list(own) if isinstance(own, tuple) else own) == value, name


def test_every_key_of_its_file_schema_is_known(pyradiomics):
    schema = YAML(typ="safe").load((Path(pyradiomics.__file__).parent / "schemas/paramSchema.yaml").read_text("utf-8"))
    assert set(schema["mapping"]["setting"]["mapping"]) == set(Settings.model_fields)
    assert set(schema["mapping"]) == set(PyradiomicsSeries.model_fields) - set(SeriesSource.model_fields)


def test_without_classes_all_are_wanted_in_its_order():
    assert list(series().classes) == list(FEATURE_CLASSES)
    assert set(series().classes.values()) == {()}


def test_classes_keep_the_order_of_the_file_after_shape():
    wanted = {"glcm": ["Contrast", "Autocorrelation"], "shape2D": None, "firstorder": [], "shape": None}
    assert series(featureClass=wanted).classes == {
        "shape": (),
        "shape2D": (),
        "glcm": ("Contrast", "Autocorrelation"),
        "firstorder": (),
    }
    assert list(series(featureClass=wanted).classes) == ["shape", "shape2D", "glcm", "firstorder"]


def test_an_image_type_overrides_only_what_it_names():
    section = series(setting={"binWidth": 5, "gldm_a": 1}, imageType={"Original": {"binWidth": 25}})
    assert section.settings_of("Original").binWidth == 25  # which is the default, and yet written
    assert section.settings_of("Original").gldm_a == 1
    assert section.setting.binWidth == 5


def test_what_is_written_is_read_back_the_same():
    section = series(
        imageType={"Original": {"binWidth": 25}, "LoG": {"sigma": [1, 2.5]}},
        featureClass={"glcm": None, "shape": ["VoxelVolume"]},
        setting={"resampledPixelSpacing": [1, 1.5, 0], "interpolator": None, "resegmentRange": [-3], "binCount": 8},
    )
    again = PyradiomicsSeries.model_validate(section.model_dump(mode="json"))
    assert again == section
    assert again.settings_of("LoG") == section.settings_of("LoG")
    assert again.imageType["Original"].model_fields_set == {"binWidth"}


def test_pyradiomics_takes_what_it_is_given_and_what_is_written(pyradiomics):
    from radiomics.featureextractor import RadiomicsFeatureExtractor

    given = {
        "imageType": {"Original": {"binWidth": 10}},
        "featureClass": {"glcm": ["Contrast"], "shape": []},
        "setting": {"resampledPixelSpacing": [1, 1.5, 0], "resegmentRange": [-3, 7.5], "interpolator": "sitkLinear"},
    }
    section = series(**given)
    assert section.as_file() == given
    written = {k: v for k, v in section.model_dump(mode="json").items() if k not in SeriesSource.model_fields}
    for tree in (given, written):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            extractor = RadiomicsFeatureExtractor(tree)
        assert extractor.settings["resampledPixelSpacing"] == [1, 1.5, 0]
        assert extractor.enabledImagetypes == given["imageType"]


def test_null_is_the_default_where_pyradiomics_takes_it_for_unset(pyradiomics):
    nothing = dict.fromkeys(["label", "normalize", "preCrop", "correctMask", "resegmentShape"])
    found = series(setting=nothing).setting
    assert all(getattr(found, name) == getattr(Settings(), name) for name in nothing)
    assert series(imageType={"Original": {"normalize": None}}).settings_of("Original").normalize is False


def test_numbers_of_interpolators_become_names():
    assert series(setting={"interpolator": 2}).setting.interpolator == "sitkLinear"


@pytest.mark.parametrize(
    ("sections", "part"),
    [
        ({"imageType": {"Orignal": {}}}, "did you mean 'Original'"),
        ({"featureClass": {"glcmm": None}}, "did you mean 'glcm'"),
        ({"setting": {"binwidth": 3}}, "Extra inputs"),
        ({"setting": {"binWidth": 0}}, "greater than 0"),
        ({"setting": {"binWidth": True}}, "true and false are no values"),
        ({"setting": {"interpolator": 11}}, "sitkBSpline"),
        ({"setting": {"interpolator": 3}}, "write sitkBSpline"),
        ({"setting": {"resampledPixelSpacing": [1, 1]}}, "images of two dimensions"),
        ({"setting": {"resampledPixelSpacing": [1]}}, "resampledPixelSpacing"),
        ({"setting": {"normalize": "yes"}}, "valid boolean"),
        ({"setting": {"normalize": "true"}}, "valid boolean"),
        ({"setting": {"force2D": 1}}, "valid boolean"),
        ({"setting": {"binWidth": "10"}}, "valid number"),
        ({"setting": {"resampledPixelSpacing": ["1", 1, 1]}}, "valid number"),
        ({"setting": {"resegmentRange": ["1"]}}, "valid number"),
        ({"setting": {"distances": None}}, "valid tuple"),
        ({"setting": {"resegmentRange": []}}, "at least 1 item"),
        ({"setting": {"resegmentRange": [1, 2, 3]}}, "at most 2 items"),
        ({"setting": {"label": 1.0}}, "valid integer"),
        ({"setting": {"distances": []}}, "at least 1 item"),
        ({"setting": {"force2D": None}}, "valid boolean"),
        ({"setting": {"resegmentMode": "percent"}}, "'absolute', 'relative' or 'sigma'"),
        ({"imageType": {"Original": None}}, "imageType.Original"),
    ],
)
def test_what_cannot_be_meant_is_refused(sections, part):
    assert part in message(**sections)


@pytest.mark.parametrize(
    ("sections", "part"),
    [
        ({"setting": {"label_channel": 1}}, "label_channel"),
        ({"imageType": {"Original": {"label": 2}}}, "label is chosen once"),
        ({"setting": {"distances": [1, 2, 1]}}, "CT: setting.distances: 1 stands there 2 times"),
        ({"imageType": {"Original": {"distances": [2, 2]}}}, "Original.distances: 2 stands"),
    ],
)
def test_what_cannot_be_computed_is_refused(sections, part):
    section = series(**sections)
    with pytest.raises(ParamsError, match=part):
        require_computable(section, "CT")


def test_a_file_is_its_own_by_its_sections():
    assert is_pyradiomics_file({"setting": {}, "imageType": {}})
    assert is_pyradiomics_file({"voxelSetting": {}})
    assert not is_pyradiomics_file({})
    assert is_pyradiomics_file({"setting": {}, "engine": "pyradiomics"})
    assert not is_pyradiomics_file({"setting": {}, "series": {}})
    assert not is_pyradiomics_file({"setting": {}, "standard": "ibsi"})
    assert not is_pyradiomics_file({"engine": "pyradiomics"})
