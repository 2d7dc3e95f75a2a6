"""From lesions to patients: burden, spread, statistics of features, left and right."""

from __future__ import annotations

import itertools
import math
import statistics

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from radiomics_pipeline.errors import ParamsError
from radiomics_pipeline.extraction.aggregate import LesionRow, aggregate, aggregated_series
from radiomics_pipeline.extraction.ibsi import plan_ibsi
from radiomics_pipeline.features.patient import patient, patient_family
from radiomics_pipeline.params.aggregate import Aggregate
from radiomics_pipeline.params.extraction import SeriesParams
from radiomics_pipeline.types import ColumnName, ColumnSpec, Grid, Region, Volume, read_name

MAXIMUM, TLG = "PET_original_uptake_Maximum", "PET_original_uptake_Tlg"
CONTRAST = "PET_original_glcm_Contrast"


def spec(column: str, unit: str = "1") -> ColumnSpec:
    series, image, family, feature, *setting = column.split("_")
    name = ColumnName(series, image, family, feature, *setting)
    return ColumnSpec(name, "ibsi", "3D", "ABCD", unit, f"Definition of {feature}.")


SPECS = (
    spec(CONTRAST),
    spec("PET_original_glcm_Contrast_fbn32"),
    spec("PET_original_uptake_Mean", "SUV"),
    spec(MAXIMUM, "SUV"),
    spec("PET_original_uptake_PeakAnywhere", "SUV"),
    spec(TLG, "SUV*ml"),
    spec("PET_original_uptake_MtvPercent41", "ml"),
    spec("PET_original_uptake_TlgPercent41", "SUV*ml"),
    spec("CT_original_intensity_Mean", "HU"),
)


def lesion(roi="a", *, patient="P", case="c", at=(0.0, 0.0, 0.0), ml=1.0, frame="f", bsa=math.nan, **values):
    """A lesion with values by feature of the uptake family, and by column."""
    own = {f"PET_original_uptake_{k}" if "_" not in k else k: v for k, v in values.items()}
    return LesionRow(patient, case, roi, own, at, ml, frame, bsa)


def random_lesions(seed, n):
    rng = np.random.default_rng(seed)
    return [
        lesion(
            f"l{i}",
            at=tuple(rng.uniform(-500, 500, 3).tolist()),
            ml=float(rng.uniform(0.1, 100)),
            bsa=1.9,
            Mean=float(rng.uniform(1, 9)),
            Maximum=float(rng.uniform(1, 20)),
            PeakAnywhere=float(rng.uniform(1, 20)),
            Tlg=float(rng.uniform(1, 999)),
            MtvPercent41=float(rng.uniform(0, 9)),
            TlgPercent41=float(rng.uniform(0, 99)),
            **{CONTRAST: float(rng.uniform(0, 9))},
        )
        for i in range(n)
    ]


def one(rows, params=None, **given):
    _, (row,) = aggregate(rows, SPECS, Aggregate.model_validate(params or {}), **given)
    return row


def own(row):
    """Values of the family `patient`."""
    return {k.split("_")[3]: v for k, v in row.values.items() if "_patient_" in k}


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.integers(0, 10_000), st.integers(2, 7))
def test_indices_are_those_of_going_through_the_lesions(seed, n):
    rows = random_lesions(seed, n)
    params = {"features": ["glcm_Contrast"], "statistics": ["mean", "sd", "volume-weighted-mean", "minimum", "maximum"]}
    row = one(rows, params)
    by = {name: [r.values[f"PET_original_uptake_{name}"] for r in rows] for name in ("Maximum", "PeakAnywhere", "Tlg")}
    hottest, largest = (rows[v.index(max(v))] for v in (by["Maximum"], [r.volume_ml for r in rows]))
    dmax = max(math.dist(p.position_mm, q.position_mm) for p, q in itertools.combinations(rows, 2))
    assert own(row) == pytest.approx(
        {
            "LesionCount": n,
            "Tmtv": sum(r.volume_ml for r in rows),
            "LargestVolume": largest.volume_ml,
            "Dmax": dmax,
            "DmaxBulk": max(math.dist(largest.position_mm, q.position_mm) for q in rows),
            "SDmax": dmax / 1000 / 1.9,
            "TotalTlg": sum(by["Tlg"]),
            "HottestMaximum": max(by["Maximum"]),
            "HottestVolume": hottest.volume_ml,
            "LargestMaximum": largest.values[MAXIMUM],
            "HottestPeak": max(by["PeakAnywhere"]),
            "TmtvPercent41": sum(r.values["PET_original_uptake_MtvPercent41"] for r in rows),
            "TotalTlgPercent41": sum(r.values["PET_original_uptake_TlgPercent41"] for r in rows),
        }
    )
    values, weights = [r.values[CONTRAST] for r in rows], [r.volume_ml for r in rows]
    expected = {
        "mean": statistics.mean(values),
        "sd": statistics.stdev(values),
        "volume-weighted-mean": np.average(values, weights=weights),
        "minimum": min(values),
        "maximum": max(values),
    }
    assert {k.split("_")[-1]: v for k, v in row.values.items() if "_glcm_" in k} == pytest.approx(expected)
    assert (row.hottest, row.largest) == (hottest.roi, largest.roi)
    assert not row.undefined


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.integers(0, 10_000), st.permutations(range(6)))
def test_the_order_of_lesions_changes_no_bit(seed, order):
    rows = random_lesions(seed, 6)
    params = {"features": ["glcm_*", "CT_*"]}
    assert one([rows[i] for i in order], params) == one(rows, params)


@pytest.mark.parametrize("factor", [2.0, 0.125])
def test_distances_and_volumes_scale(factor):
    rows = random_lesions(3, 4)
    at = [tuple(c * factor for c in r.position_mm) for r in rows]
    scaled = [
        LesionRow(r.patient, r.case, r.roi, r.values, p, r.volume_ml * factor, r.frame, r.bsa_m2)
        for r, p in zip(rows, at, strict=True)
    ]
    before, after = own(one(rows)), own(one(scaled))
    for name in ("Dmax", "DmaxBulk", "SDmax", "Tmtv", "LargestVolume"):
        assert after[name] == pytest.approx(before[name] * factor), name
    assert after["HottestMaximum"] == before["HottestMaximum"]


def test_lesions_that_can_be_worked_out_by_hand():
    rows = [
        lesion("neck", at=(0, 0, 0), ml=2, bsa=2.0, Maximum=9, Tlg=10),
        lesion("liver", at=(30, 0, 400), ml=5, bsa=2.0, Maximum=6, Tlg=20),
        lesion("groin", at=(0, 400, 0), ml=1, bsa=2.0, Maximum=7, Tlg=5),
    ]
    row = one(rows)
    found = own(row)
    assert (found["LesionCount"], found["Tmtv"], found["TotalTlg"]) == (3, 8, 35)
    assert (row.hottest, row.largest) == ("neck", "liver")
    assert found["Dmax"] == pytest.approx(math.sqrt(30**2 + 400**2 + 400**2))
    assert found["DmaxBulk"] == found["Dmax"]
    assert found["SDmax"] == pytest.approx(found["Dmax"] / 2000)
    assert math.isnan(found["HottestPeak"])
    assert row.undefined["PET_original_patient_HottestPeak"] == "lesion groin has no PeakAnywhere"


def test_only_rows_that_are_lesions_count():
    rows = [lesion("Lesion_1", ml=2), lesion("lesion_2", ml=3), lesion("liver", ml=1500)]
    row = one(rows, {"lesions": r"lesion_\d+"})
    assert own(row)["LesionCount"] == 2
    assert own(row)["Tmtv"] == 5
    assert row.lesions == ("Lesion_1", "lesion_2")


def test_one_lesion_has_no_distance_unless_that_is_said_to_be_0():
    row = one([lesion(bsa=2.0)])
    assert row.undefined["PET_original_patient_Dmax"] == "there is one lesion only, and no distance"
    assert math.isnan(own(row)["SDmax"])
    found = own(one([lesion(bsa=2.0)], {"dmax_of_one_lesion": "zero"}))
    assert (found["Dmax"], found["DmaxBulk"], found["SDmax"]) == (0.0, 0.0, 0.0)


def test_a_patient_without_lesion_has_no_burden_and_no_hottest_lesion():
    row = one([], cases=[("c", "P")], params={"features": ["glcm_Contrast"]})
    found = own(row)
    assert (found["LesionCount"], found["Tmtv"], found["TotalTlg"], found["TmtvPercent41"]) == (0, 0, 0, 0)
    assert row.undefined["PET_original_patient_HottestMaximum"] == "there is no lesion"
    assert row.undefined["PET_original_patient_Dmax"] == "there is no lesion"
    assert row.undefined["PET_original_glcm_Contrast_mean"] == "no lesion has a value"
    assert (row.hottest, row.largest, row.lesions) == ("", "", ())


def test_a_lost_lesion_leaves_the_patient_without_sums():
    rows = random_lesions(1, 3)
    row = one(rows, {"features": ["glcm_Contrast"]}, incomplete={"c": "region l3 of case c failed"})
    assert all(math.isnan(value) for value in row.values.values())
    assert set(row.undefined.values()) == {"region l3 of case c failed"}
    assert (row.hottest, row.largest) == ("", "")


def test_a_lesion_without_a_value_leaves_sums_undefined_and_is_left_out_of_means_with_a_note():
    rows = [
        lesion("a", Maximum=3, Tlg=4, **{CONTRAST: 1.0}),
        lesion("b", at=(0, 0, 5), Maximum=5, Tlg=math.nan, **{CONTRAST: math.nan}),
        lesion("c", at=(0, 0, 9), Maximum=5, Tlg=6, **{CONTRAST: 2.0}),
    ]
    row = one(rows, {"features": ["glcm_Contrast"]})
    assert row.undefined["PET_original_patient_TotalTlg"] == "lesion b has no Tlg"
    assert row.values["PET_original_glcm_Contrast_mean"] == 1.5
    assert row.notes == (f"{CONTRAST}: 1 of 3 lesions without a value, left out of its statistics",)
    assert row.hottest == "b"  # of two equally hot the first


def test_volumes_and_positions_that_are_not_known_are_not_guessed():
    rows = [lesion("a", ml=math.nan, **{CONTRAST: 1.0}), lesion("b", at=None, **{CONTRAST: 2.0})]
    row = one(rows, {"features": ["glcm_Contrast"]})
    assert row.undefined["PET_original_patient_Tmtv"] == "lesion a has no outline volume"
    assert row.undefined["PET_original_patient_Dmax"] == "the position of lesion b is not known"
    assert row.undefined["PET_original_glcm_Contrast_volume-weighted-mean"] == "the volume of a lesion is not known"


def test_surface_area_is_needed_and_must_be_one():
    apart = [lesion("a"), lesion("b", at=(0, 0, 100))]
    row = one(apart)
    assert own(row)["Dmax"] == 100
    assert "weight and height" in row.undefined["PET_original_patient_SDmax"]
    assert math.isnan(own(one([lesion("a", bsa=1.8), lesion("b", at=(0, 0, 9), bsa=1.9)]))["SDmax"])


def test_two_examinations_are_kept_apart_by_case_and_told_of_by_patient():
    rows = [
        lesion("a", case="before", frame="f1", ml=5, at=(0, 0, 0)),
        lesion("b", case="before", frame="f1", ml=5, at=(0, 0, 9)),
        lesion("a", case="after", frame="f2", ml=2, at=(50, 0, 0)),
    ]
    row = one(rows)
    assert (row.patient, row.case, row.cases) == ("P", "", ("before", "after"))
    assert own(row)["Tmtv"] == 12
    assert row.lesions == ("after/a", "before/a", "before/b")
    assert "2 images whose positions cannot be compared" in row.undefined["PET_original_patient_Dmax"]
    assert "aggregate by: case" in row.notes[0]
    _, found = aggregate(rows, SPECS, Aggregate(by="case"))
    assert [(r.patient, r.case, own(r)["Tmtv"], own(r)["LesionCount"]) for r in found] == [
        ("P", "before", 10, 2),
        ("P", "after", 2, 1),
    ]
    assert own(found[0])["Dmax"] == 9
    assert not found[0].notes


def test_a_region_that_stands_twice_is_told():
    copies = [lesion("a", at=(1, 2, 3), ml=5), lesion("b", at=(1, 2, 3.0000001), ml=5), lesion("c", at=(1, 2, 3), ml=4)]
    assert one(copies).notes == ("lesions of the same place and volume, each of which counts: a = b",)
    other_image = [copies[0], lesion("b", at=(1, 2, 3), ml=5, frame="g")]
    assert not any("same place" in note for note in one(other_image).notes)


def test_patients_come_in_the_order_of_the_cases():
    rows = [lesion(patient="B", case="2"), lesion(patient="A", case="1")]
    _, found = aggregate(rows, SPECS, Aggregate(), cases=[("1", "A"), ("0", "C"), ("2", "B")])
    assert [row.patient for row in found] == ["A", "C", "B"]


def test_left_and_right_are_compared():
    rows = [
        lesion("putamen_left", Mean=3.0, Tlg=30.0),
        lesion("putamen_right", Mean=1.0, Tlg=50.0),
        lesion("caudate_left", Mean=2.0, Tlg=2.0),
    ]
    pairs = {"putamen": ["putamen_left", "putamen_right"], "caudate": ["caudate_left", "caudate_right"]}
    columns, (row,) = aggregate(rows, SPECS, Aggregate.model_validate({"lesions": None, "pairs": pairs}))
    assert row.values["PET_original_uptake_Mean_asymmetry-putamen"] == pytest.approx(100)
    assert row.values["PET_original_uptake_Mean_ratio-putamen"] == 3
    assert row.values["PET_original_uptake_Tlg_asymmetry-putamen"] == pytest.approx(-50)
    assert row.values["PET_original_uptake_Tlg_left-share-putamen"] == 0.375
    assert row.undefined["PET_original_uptake_Mean_ratio-caudate"] == "there is no region caudate_right"
    assert [c.name.family for c in columns] == ["uptake"] * 12
    units = {c.column: c.unit for c in columns}
    assert units["PET_original_uptake_Mean_asymmetry-putamen"] == "%"
    assert units["PET_original_uptake_Tlg_left-share-putamen"] == "1"
    assert "putamen_left is higher than putamen_right" in columns[0].definition


@settings(max_examples=30, deadline=None, derandomize=True)
@given(st.floats(0.01, 100), st.floats(0.01, 100), st.floats(0.1, 10))
def test_sides_swapped_turn_the_sign_and_the_unit_does_not_matter(left, right, factor):
    def compare(a, b):
        rows = [lesion("l", Mean=a, Tlg=a), lesion("r", Mean=b, Tlg=b)]
        found = one(rows, {"pairs": {"x": ["l", "r"]}}).values
        return [found[f"PET_original_uptake_Mean_{way}-x"] for way in ("asymmetry", "ratio", "left-share")]

    asymmetry, ratio, share = compare(left, right)
    assert compare(right, left) == pytest.approx([-asymmetry, 1 / ratio, 1 - share])
    assert compare(left * factor, right * factor) == pytest.approx([asymmetry, ratio, share], abs=1e-9)


def test_sides_that_cannot_be_compared_say_why():
    pairs = {"pairs": {"x": ["l", "r"]}, "paired": ["uptake_Mean"]}
    row = one([lesion("l", Mean=1.0), lesion("r", Mean=-1.0)], pairs)
    assert "add up to 0" in row.undefined["PET_original_uptake_Mean_asymmetry-x"]
    assert "right side is -1" in row.undefined["PET_original_uptake_Mean_ratio-x"]
    row = one([lesion("l", Mean=1.0), lesion("r", Mean=math.nan)], pairs)
    assert "region r has no PET_original_uptake_Mean" in row.undefined["PET_original_uptake_Mean_ratio-x"]
    twice = [lesion("l", Mean=1.0), lesion("l", case="d", Mean=1.0), lesion("r", Mean=2.0)]
    assert "several regions l; aggregate by: case" in one(twice, pairs).undefined["PET_original_uptake_Mean_ratio-x"]


def test_columns_say_what_they_are():
    params = Aggregate.model_validate({"features": ["glcm_*", "CT_original_intensity_Mean"], "statistics": ["mean"]})
    columns, _ = aggregate([], SPECS, params)
    by = {c.column: c for c in columns}
    assert list(by)[-3:] == [
        "PET_original_glcm_Contrast_mean",
        "PET_original_glcm_Contrast_fbn32-mean",
        "CT_original_intensity_Mean_mean",
    ]
    mean = by["CT_original_intensity_Mean_mean"]
    assert (mean.unit, mean.ibsi_code, mean.aggregation) == ("HU", "", "3D")
    assert mean.definition.endswith("of: Definition of Mean.")
    assert by["PET_original_patient_TotalTlg"].unit == "SUV*ml"
    assert by["PET_original_patient_SDmax"].unit == "1/m"
    for column in columns:
        assert read_name(column.column) == column.name


def test_without_uptake_there_are_volume_number_and_distance():
    columns, _ = aggregate([], [spec("CT_original_morphology_Sphericity")], Aggregate())
    assert [c.name.feature for c in columns] == list(patient.features)
    assert list(patient_family().features) == list(patient.features)


def test_the_series_that_counts():
    assert aggregated_series(SPECS, Aggregate()) == "PET"
    assert aggregated_series(SPECS, Aggregate(series="CT")) == "CT"
    unnamed = [ColumnSpec(ColumnName("", "original", "glcm", "Contrast"), "ibsi", "3D", "", "1", "x")]
    assert aggregated_series(unnamed, Aggregate()) == aggregated_series(unnamed, Aggregate(series="PET")) == ""
    with pytest.raises(ParamsError, match="no series 'PETT' here, did you mean 'PET'"):
        aggregated_series(SPECS, Aggregate(series="PETT"))
    two = [spec("PET_original_glcm_Contrast"), spec("CT_original_glcm_Contrast")]
    with pytest.raises(ParamsError, match="say which series counts; there are: PET, CT"):
        aggregated_series(two, Aggregate())


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"features": ["glcm_Contrst"]}, "no column fits 'glcm_Contrst', did you mean 'glcm_Contrast'"),
        ({"features": ["glrlm_*"]}, "aggregate.features: no column fits"),
        ({"pairs": {"x": ["l", "r"]}, "paired": ["uptake_Sbr*"]}, "aggregate.paired: .*write a section `uptake:`"),
        ({"lesions": None}, "neither lesions nor pairs"),
    ],
)
def test_what_is_not_there_cannot_be_aggregated(params, message):
    with pytest.raises(ParamsError, match=message):
        aggregate([], SPECS, Aggregate.model_validate(params))


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"lesions": "("}, "no regular expression"),
        ({"pairs": {"a_b": ["l", "r"]}}, "letters, digits"),
        ({"pairs": {"a": ["l", "l"]}}, "same region"),
        ({"statistics": []}, "name one at least"),
        ({"statistics": ["mean", "mean"]}, "is named twice"),
        ({"by": "lesion"}, "'patient' or 'case'"),
    ],
)
def test_parameters_that_cannot_be_meant_are_refused(params, message):
    with pytest.raises(ValidationError, match=message):
        Aggregate.model_validate(params)


def test_two_spheres_from_voxels_to_patient():
    """A whole way: two balls, 100 mm apart, of known volume and uptake."""
    z, y, x = np.indices((20, 20, 70))
    balls = {name: (z - 10) ** 2 + (y - 10) ** 2 + (x - at) ** 2 <= 36 for name, at in (("left", 10), ("right", 60))}
    image = 1 + 4.0 * balls["left"] + 9.0 * balls["right"]
    grid = Grid(image.shape, (2.0, 2.0, 2.0), (5.0, 6.0, 7.0))
    section = SeriesParams.model_validate(
        {
            "unit": "SUV",
            "families": ["intensity"],
            "discretise": {"method": "fixed-bin-number", "bins": 8},
            "resample": {"voxel_mm": 3},
            "uptake": {"volumes": [{"value": 6}]},
        }
    )
    plan, rows = plan_ibsi(section, "PET"), []
    for name, mask in balls.items():
        found = plan.extract(Volume(image, grid, "SUV"), Region(mask, mask, grid, name))
        facts = found.facts
        rows.append(LesionRow("P", "c", name, found.values, facts.centroid_mm, facts.outline_ml, "f", 1.6))
    params = Aggregate.model_validate({"features": ["uptake_Mean"], "pairs": {"ball": ["left", "right"]}})
    _, (row,) = aggregate(rows, plan.columns, params)
    ml = int(balls["left"].sum()) * 0.008
    found = own(row)
    assert found["Tmtv"] == pytest.approx(2 * ml)
    assert found["TotalTlg"] == pytest.approx(15 * ml)
    assert (found["TmtvValue6"], found["TotalTlgValue6"]) == pytest.approx((ml, 10 * ml))
    assert (found["Dmax"], found["SDmax"]) == pytest.approx((100, 0.1 / 1.6))
    assert row.values["PET_original_uptake_Mean_volume-weighted-mean"] == pytest.approx(7.5)
    assert row.values["PET_original_uptake_Mean_asymmetry-ball"] == pytest.approx(200 * -5 / 15)
    assert (row.hottest, found["HottestMaximum"]) == ("right", 10)
