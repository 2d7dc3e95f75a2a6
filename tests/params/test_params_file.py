"""Parameter files: every mistake is named with its line, and every file of ours is in order."""

from __future__ import annotations

import pytest

from radiomics_pipeline.errors import ParamsError
from radiomics_pipeline.extraction.standards import plan_series
from radiomics_pipeline.io.params_file import (
    digest_params,
    find_params,
    load_params,
    parse_params,
    tracers,
    write_params,
)
from radiomics_pipeline.params.base import TOKEN
from radiomics_pipeline.params.run import ANY_SERIES, PyradiomicsRun
from radiomics_pipeline.types.columns import PART

FDG = find_params("fdg").read_text("utf-8")


@pytest.mark.parametrize("name", tracers())
def test_every_parameter_file_of_ours_gives_columns_and_comes_back(name):
    params = load_params(name)
    assert all(plan_series(params, series).columns for series in params.series)
    assert parse_params(write_params(params).encode(), "again") == params


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "resample:",
            "resampel:",
            "line 8: series.PET.resampel: unknown key, did you mean 'resample'?; allowed here: unit",
        ),
        ("width: 0.25", "widht: 0.25", "line 18: series.PET.discretise.widht: unknown key, did you mean 'width'?"),
        ("width: 0.25", "# none", "line 16: series.PET.discretise.width: missing"),
        ("width: 0.25", "width: -1", "line 18: series.PET.discretise.width: input should be greater than 0, found -1"),
        ("width: 0.25", "width: .nan", "line 18: series.PET.discretise.width: input should be a finite number"),
        ("width: 0.25", "width: 0.25\n      width: 3", 'line 19: found duplicate key "width"'),
        ("method: fixed-bin-size", "method: fixed-bin-sise", "must be one of fixed-bin-size, fixed-bin-number, none"),
        ("image: linear", "image: linaer", "line 11: series.PET.resample.image: must be one of nearest, linear, cubic"),
        ("[0, null]", "[5, 2]", "line 15: series.PET.resegment.range: the lower end 5 must lie below the upper end 2"),
        (
            "standard: ibsi",
            "standard: ibis",
            "line 3: standard: must be one of ibsi, found 'ibis', did you mean 'ibsi'?",
        ),
        ("unit: SUV", "unit: SUV\n    label: {tumour: 0}", "labels are whole numbers from 1"),
        ("unit: SUV", "unit: SUV\n    label: {a: 1, b: 1}", "two names stand for one label"),
        ("unit: SUV", "unit: SUV\n    label: true", "label is true; true and false are no values for it"),
        ("width: 0.25", "width: true", "width is true"),
        ("unit: SUV", "unit: SUV\n    label: {}", "every label needs a name"),
        ("unit: HU", "unit: HU\n    families: []", "name one family or filter at least"),
        (
            "    threshold: 0.9",
            "    threshold: 0.9\n  validation: {thresholds: [0]}",
            "should be greater than 0, found 0",
        ),
        ("origin: 0", "origin: 1", "discretise.origin 1 lies above the lower end 0 of resegment.range"),
        ("aggregation: 3D:mrg", "settings: [{name: a_b, families: [glcm]}]", "settings.0.name"),
        ("  PET:", "  P_T:", "series 'P_T': letters, digits"),
        ("  PET:\n", "  PET: [\n", "my.yaml, line"),
    ],
)
def test_a_mistake_is_named_with_its_line_and_what_is_allowed(old, new, message):
    assert old in FDG
    with pytest.raises(ParamsError) as error:
        parse_params(FDG.replace(old, new, 1).encode(), "my.yaml")
    assert message in str(error.value)


def test_every_mistake_of_a_file_is_listed():
    with pytest.raises(ParamsError) as error:
        parse_params(FDG.replace("unit:", "uint:").encode(), "my.yaml")
    assert str(error.value).count("unknown key, did you mean 'unit'?") == 2


def test_a_family_that_does_not_exist_is_refused_with_those_that_do():
    message = r"no feature family 'gclm', did you mean 'glcm'\?; there are: morphology"
    text = FDG.replace("unit: SUV", "unit: SUV\n    families:\n    - glcm\n    - gclm", 1)
    with pytest.raises(ParamsError, match=rf"my\.yaml, line 10: series\.PET\.families\.1: {message}"):
        parse_params(text.encode(), "my.yaml")
    text = FDG.replace("aggregation: 3D:mrg", "settings:\n    - {name: a, families: [gclm]}", 1)
    with pytest.raises(ParamsError, match=rf"my\.yaml, line \d+: series\.PET\.settings\.0\.families\.0: {message}"):
        parse_params(text.encode(), "my.yaml")
    params = load_params("fdg")
    pet = params.series["PET"].model_copy(update={"families": ("gclm",)})
    with pytest.raises(ParamsError, match=f"series PET: {message}"):
        plan_series(params.model_copy(update={"series": {"PET": pet}}), "PET")


def test_a_series_named_like_a_family_is_refused_when_it_is_planned():
    params = parse_params(FDG.replace("  PET:", "  glcm:").encode(), "my.yaml")
    with pytest.raises(ParamsError, match="series glcm: 'glcm' is the name of a feature family"):
        plan_series(params, "glcm")


def test_parts_of_names_follow_one_rule():
    assert PART.pattern == TOKEN


def test_an_unknown_name_lists_those_there_are():
    with pytest.raises(ParamsError, match=r"no parameters named 'fgd', did you mean 'fdg'\?; there are: amyloid, "):
        load_params("fgd")
    with pytest.raises(ParamsError, match=r"nowhere\.yaml: no such parameter file"):
        load_params("nowhere.yaml")


def test_numbers_are_read_as_yaml_1_2_writes_them():
    params = parse_params(FDG.replace("width: 0.25", "width: 25e-2").encode(), "my.yaml")
    assert params == load_params("fdg")


def test_other_texts_are_refused():
    with pytest.raises(ParamsError, match="UTF-8"):
        parse_params("description: Größe".encode("latin-1"), "my.yaml")
    with pytest.raises(ParamsError, match="no parameters in it"):
        parse_params(b"", "my.yaml")


def test_the_digest_follows_the_values_not_the_text():
    same = parse_params(FDG.replace("width: 0.25", "width: 0.250   # same").encode(), "my.yaml")
    other = parse_params(FDG.replace("width: 0.25", "width: 0.5").encode(), "my.yaml")
    assert digest_params(same) == digest_params(load_params("fdg")) != digest_params(other)


def test_a_setting_adds_columns_with_its_name_and_changes_no_other():
    text = FDG.replace(
        "aggregation: 3D:mrg",
        "aggregation: 3D:mrg\n    settings: [{name: avg, families: [glcm], aggregation: '3D:avg'}]",
        1,
    )
    plain = [c.column for c in plan_series(load_params("fdg"), "PET").columns]
    more = plan_series(parse_params(text.encode(), "my.yaml"), "PET").columns
    assert [c.column for c in more][: len(plain)] == plain
    added = more[len(plain) :]
    assert {c.aggregation for c in added} == {"3D:avg"}
    assert all(c.column.endswith("_avg") and "_glcm_" in c.column for c in added)


def test_columns_of_an_unnamed_image_have_no_series():
    params = load_params("ct")
    assert plan_series(params, "CT", named=False).columns[0].column.startswith("original_")
    assert plan_series(params, "CT").columns[0].column.startswith("CT_original_")


SHORT = """series:
  PET:
    unit: SUV
    discretise: {method: fixed-bin-number, bins: 8}
"""


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("    label: 1.5", "5: series.PET.label: must be a whole number or all or a section with keys, found 1.5"),
        ("    label: {a: x, b: 1}", "5: series.PET.label.a: must be a whole number, found 'x'"),
        ("    families: 3", "5: series.PET.families: must be all or a list, found 3"),
        ("    resegment: {range: 3}", "5: series.PET.resegment.range: must be a list, found 3"),
        ("    resegment: {range: [1, 2, 3]}", "5: series.PET.resegment.range: must have at most 2 entries, found 3"),
        ("    resegment: {range: [a, 2]}", "5: series.PET.resegment.range.0: must be a number, found 'a'"),
        ("    resample: 3", "5: series.PET.resample: must be a section with keys, found 3"),
        (
            "    resample:\n      voxel_mm: 2\n      round: 3",
            "7: series.PET.resample.round: must be true or false, found 3",
        ),
        (
            "    resample:\n      slicewise: false\n      voxel_mm: true",
            "7: series.PET.resample.voxel_mm: voxel_mm is true; true and false are no values for it",
        ),
        ("    ivh: {bins: 3}", "5: series.PET.ivh.method: missing; it must be given"),
        ("    description: 2024-01-01", "5: series.PET.description: unknown key"),
        ("description: 2024-01-01", "5: description: must be a text, found datetime.date(2024, 1, 1)"),
        ("  1: {unit: a, discretise: {method: none}}", "5: series.1: the key must be a text; write it in quotes"),
        ("    settings: [{name: a b, families: [glcm]}]", "5: series.PET.settings.0.name: letters, digits, '.'"),
    ],
)
def test_one_plain_line_says_what_a_value_must_be(more, message):
    with pytest.raises(ParamsError) as error:
        parse_params(f"{SHORT}{more}\n".encode(), "my.yaml")
    text = str(error.value)
    assert text.startswith(f"my.yaml, line {message}")
    assert "\n" not in text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("series:\n  ? [a, b]\n  : 1\n", "my.yaml, line 2: a key must be a text, not a list or a section"),
        ("series:\n  ? {a: b}\n  : 1\n", "my.yaml, line 2: a key must be a text, not a list or a section"),
        ("series: " + "[" * 5000 + "]" * 5000, "my.yaml: nested too deeply"),
        ("series: &a [*a]", "my.yaml"),
        (SHORT.replace("8", "9" * 5000), "my.yaml, line 4: no value can be made of '999"),
        (SHORT.replace("8", "9" * 4000), "my.yaml, line 4: series.PET.discretise.bins: input should be less than"),
        (SHORT.replace("8", "0x" + "f" * 6000), "my.yaml, line 4: no value can be made of '0xf"),
        ("a: 1\ndescription: 2024-13-45\n", "my.yaml, line 2: no value can be made of '2024-13-45'"),
        ("series: !!int abc\n", "my.yaml: a value in it cannot be read"),
    ],
)
def test_texts_that_yaml_stumbles_over_are_refused_in_a_line(text, message):
    with pytest.raises(ParamsError) as error:
        parse_params(text.encode(), "my.yaml")
    assert str(error.value).startswith(message)
    assert len(str(error.value)) < 300


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "setting: {}\nimageType: {Original: {}}\nsettings: 1\n",
            "line 3: settings: unknown key in a parameter file of PyRadiomics, did you mean 'setting'?; allowed",
        ),
        (
            "featureClass:\n  glcm: [Contrast,\n    Kontrast]\n",
            "line 3: featureClass.glcm.1: no feature 'Kontrast', did",
        ),
        (
            "imageType:\n  Original: {label: 2}\n",
            "line 1: imageType: imageType.Original.label: the label is chosen once",
        ),
        ("setting:\n  binWidth: 3\n  label: true\n", "line 3: setting.label: label is true"),
        ("featureClass: {glcm: 3}\n", "line 1: featureClass.glcm: must be a list, found 3"),
        ("setting: 3\n", "line 1: setting: must be a section with keys, found 3"),
    ],
)
def test_mistakes_in_a_file_of_pyradiomics_have_their_line(text, message):
    with pytest.raises(ParamsError) as error:
        parse_params(text.encode(), "my.yaml")
    assert str(error.value).startswith(f"my.yaml, {message}")
    assert "\n" not in str(error.value)


def test_filters_are_no_mistake_where_pyradiomics_computes_them():
    text = "standard: pyradiomics\nengine: pyradiomics\nseries: {PET: {imageType: {LoG: {sigma: [1]}}}}\n"
    assert parse_params(text.encode(), "my.yaml").series["PET"].imageType.keys() == {"LoG"}


def test_the_engine_may_stand_beside_the_sections_of_a_pyradiomics_file():
    params = parse_params(
        b"engine: pyradiomics\nimageType: {Original: {}, Wavelet: {}}\nsetting: {binWidth: 5}\n", "p.yaml"
    )
    assert isinstance(params, PyradiomicsRun)
    assert params.engine == "pyradiomics"
    assert params.series[ANY_SERIES].setting.binWidth == 5
    with pytest.raises(ParamsError, match=r"p\.yaml, line 2: setting\.binWidht: unknown key, did you mean 'binWidth'"):
        parse_params(b"engine: own\nsetting: {binWidht: 5}\n", "p.yaml")
    with pytest.raises(ParamsError, match=r"p\.yaml, line 1: foo: unknown key in a parameter file of PyRadiomics"):
        parse_params(b"foo: 1\nengine: own\nsetting: {binWidth: 5}\n", "p.yaml")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("PET", r"mask_from names 'PET', no other series; there are: CT"),
        ("MR", r"mask_from names 'MR', no other series; there are: CT"),
        ("CT", r"its mask comes from (CT|PET), and that one's from"),
    ],
)
def test_masks_come_from_another_series_that_has_its_own(source, message):
    grey = "discretise: {method: fixed-bin-number, bins: 8}"
    text = f"series:\n  PET: {{unit: SUV, {grey}, mask_from: {{series: {source}}}}}\n  CT: {{unit: HU, {grey}"
    end = ", mask_from: {series: PET}}\n" if source == "CT" else "}\n"
    with pytest.raises(ParamsError, match=message):
        parse_params((text + end).encode(), "x.yaml")


def test_what_is_wrong_with_a_filter_stands_at_its_line(tmp_path):
    file = tmp_path / "f.yaml"
    file.write_text(
        "series:\n  CT:\n    unit: HU\n    discretise: {method: fixed-bin-number, bins: 32}\n    filters:\n"
        "      - filter: log\n        settings: {sigma_mm: -3}\n      - filter: wavlet\n"
    )
    with pytest.raises(ParamsError) as caught:
        load_params(file)
    first, second = str(caught.value).splitlines()
    assert first.startswith("f.yaml, line 6: series.CT.filters.0: filter log: sigma_mm: ")
    assert "found -3" in first
    assert second.startswith("f.yaml, line 8: series.CT.filters.1: no filter 'wavlet', did you mean 'wavelet'?")
