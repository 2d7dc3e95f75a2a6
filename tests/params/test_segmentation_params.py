"""`segment` in parameter files: what is read, and what is refused where."""

from __future__ import annotations

import pytest

from radiomics_pipeline.errors import ParamsError
from radiomics_pipeline.io.params_file import parse_params, write_params
from radiomics_pipeline.params.segmentation import METHODS, Fixed

START = "series:\n  PET:\n    unit: SUV\n    discretise: {method: fixed-bin-number, bins: 16}\n    segment:\n      "
NEEDED = {
    "fixed": "threshold: 4",
    "percent-of-maximum": "percent: 41",
    "reference": "region: liver",
    "command": "command: [tool, '{image}', '--out={mask}']",
}


def parse(text):
    end = "\n    references: {liver: {}}\n"
    return parse_params((START + text.replace("\n", "\n      ") + end).encode(), "x.yaml")


@pytest.mark.parametrize("method", METHODS)
def test_every_method_is_read_and_written(method):
    params = parse(f"method: {method}\n{NEEDED.get(method, 'search: image')}")
    assert params.series["PET"].segment.method == method
    assert parse_params(write_params(params).encode(), "again.yaml") == params


def test_suv_4_and_3_ml_and_clicks():
    found = parse("{method: fixed, threshold: 4, search: image, min_volume_ml: 3, lesions: split}").series["PET"]
    assert found.segment == Fixed(method="fixed", threshold=4, search="image", min_volume_ml=3, lesions="split")
    assert found.segment.keep_seeded


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{method: fixd}", r"line 5: series.PET.segment: must be one of fixed, .*found 'fixd', did you mean 'fixed'"),
        ("{threshold: 4}", r"line 5: series.PET.segment.method: missing"),
        ("{method: fixed}", r"segment.threshold: missing"),
        ("{method: fixed, threshold: four}", r"line 6: series.PET.segment.threshold: must be a number, found 'four'"),
        ("{method: fixed, thresold: 4}", r"segment.thresold: unknown key, did you mean 'threshold'"),
        ("{method: fixed, threshold: true}", r"segment.threshold: threshold is true"),
        ("{method: fixed, threshold: 4, connectivity: 8}", r"segment.connectivity: must be one of 6, 18, 26, found 8"),
        ("{method: fixed, threshold: 4, preselect: {thresh: 4}}", r"preselect.thresh: unknown key, did you mean"),
        ("{method: fixed, threshold: 4, only_seeded: true}", r"only_seeded needs search: image"),
        (
            "{method: fixed, threshold: 4, search: image, only_seeded: true, keep_seeded: false}",
            r"leave nothing",
        ),
        ("{method: percent-of-maximum, percent: 100}", r"segment.percent: .*less than 100"),
        ("{method: two-point, shell_mm: [20, 10]}", r"shell_mm 20, 10: the first must be .*below the second"),
        ("{method: command, command: [tool, 3]}", r"segment.command.1: must be a text, found 3"),
        ("{method: command, command: tool}", r"segment.command: must be a list, found 'tool'"),
        ("{method: command, command: []}", r"segment.command: must have at least 1"),
        ("{method: command, command: [tool, '{mask}']}", r"none of its arguments holds \{image\}"),
        ("{method: command, command: [tool, '{image}']}", r"none of its arguments holds \{mask\}"),
        (
            "{method: command, command: [t, '{image}', '{mask}'], preselect: {threshold: 1}}",
            r"preselect does not go with a command",
        ),
    ],
)
def test_what_is_refused(text, message):
    with pytest.raises(ParamsError, match=message):
        parse(text)


@pytest.mark.parametrize("method", ["{method: reference, region: spleen}", "{method: two-point, background: spleen}"])
def test_a_reference_region_that_is_not_declared_is_refused_before_anything_runs(method):
    with pytest.raises(ParamsError, match=r"segment names the reference region 'spleen'; `references` has liver"):
        parse(method)
