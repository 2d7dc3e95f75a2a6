"""Column names are written and read back by one rule."""

from __future__ import annotations

import pytest

from radiomics_pipeline.features import FAMILIES
from radiomics_pipeline.types.columns import FAMILIES as TOKENS
from radiomics_pipeline.types.columns import ColumnName, read_name, write_name


@pytest.mark.parametrize("series", ["", "PET", "CT-low.dose"])
@pytest.mark.parametrize("image", ["original", "log-sigma-3-0-mm-3D", "wavelet-LLH"])
@pytest.mark.parametrize("setting", ["", "fbn32"])
def test_every_feature_is_read_back_from_its_column(series, image, setting):
    for family in FAMILIES:
        for feature in family.features:
            name = ColumnName(series, image, family.token, feature, setting)
            assert read_name(write_name(name)) == name


def test_every_family_has_its_token_in_the_closed_list():
    assert {family.token for family in FAMILIES} <= set(TOKENS)


@pytest.mark.parametrize(
    "text", ["age", "original_glcm", "a_b_c_d", "PET_x_original_glcm_Contrast", "original__glcm_A"]
)
def test_other_names_are_not_ours(text):
    assert read_name(text) is None


def test_parts_that_would_not_come_back_are_refused():
    for name in (
        ColumnName("P_T", "original", "glcm", "Contrast"),
        ColumnName("", "glcm", "glcm", "Contrast"),
        ColumnName("", "original", "gclm", "Contrast"),
    ):
        with pytest.raises(ValueError, match=r"cannot stand|is the name of|is not one of"):
            write_name(name)
