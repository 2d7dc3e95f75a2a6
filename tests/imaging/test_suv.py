"""From headers to factors: each rule, each refusal, a slow twin, and what must not change."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta, timezone

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from radiomics_pipeline.errors import CaseError, MissingMetadata, ParamsError, SuvError, WrongModality
from radiomics_pipeline.imaging.suv import (
    FIGURES,
    HALF_LIVES_S,
    STEPS,
    PatientOverrides,
    apply,
    convert,
    to_activity,
    to_counts,
    to_suv,
)
from radiomics_pipeline.params.suv import CameraFactor, Suv
from radiomics_pipeline.types import Grid, Volume
from radiomics_pipeline.types.acquisition import Acquisition, Slice

SCAN = datetime(2025, 1, 1, 11)
F18 = 6586.2
BW = 70_000 / (370e6 * 2 ** (-3600 / F18))
"""SUV per Bq/ml of the plain acquisition: 70 kg, 370 MBq an hour before."""


def plain(*slices: Slice, **changes) -> Acquisition:
    """A PET acquisition of one slice at 11:00, 370 MBq of F-18 at 10:00, 70 kg, 1.75 m, F."""
    made = Acquisition(
        name="PET", modality="PT", slices=slices or (Slice(acquired=SCAN, duration_s=120),), units="BQML",
        decay_correction="START", corrections=("ATTN", "DECY"), manufacturer="SIEMENS", weight_kg=70.0, height_m=1.75,
        sex="F", dose_bq=370e6, half_life_s=F18, nuclide="F-18", administered=SCAN - timedelta(hours=1),
        series_time=SCAN,
    )  # fmt: skip
    return replace(made, **changes)


def at(minutes: float, **more) -> Slice:
    """A slice acquired so many minutes after 11:00, for 2 minutes."""
    return Slice(**{"acquired": SCAN + timedelta(minutes=minutes), "duration_s": 120.0} | more)


def suv(acquisition=None, patient=None, **params):
    return to_suv(acquisition or plain(), Suv(**params), patient or PatientOverrides())


def mean_count_time_s(duration_s, half_life_s=F18):
    x = math.log(2) / half_life_s * duration_s
    return math.log(x / (1 - math.exp(-x))) / x * duration_s


# The slow twin --------------------------------------------------------------------------------------------------------


def twin(a: Acquisition, normalisation: str) -> list[float]:
    """Factors from the formulas alone, for a plain header in Bq/ml with all times and SI units."""
    weight, height_cm, bmi = a.weight_kg, 100 * a.height_m, a.weight_kg / a.height_m**2
    lean = {
        "M": {"lbm": 1.10 * weight - 120 * (weight / height_cm) ** 2,
              "lbmjames128": 1.10 * weight - 128 * (weight / height_cm) ** 2,
              "lbmjanma": 9270 * weight / (6680 + 216 * bmi), "ibw": 48.0 + 1.06 * (height_cm - 152)},
        "F": {"lbm": 1.07 * weight - 148 * (weight / height_cm) ** 2,
              "lbmjames128": 1.07 * weight - 148 * (weight / height_cm) ** 2,
              "lbmjanma": 9270 * weight / (8780 + 244 * bmi), "ibw": 45.5 + 0.91 * (height_cm - 152)},
    }  # fmt: skip
    lean["O"] = {k: (lean["M"][k] + lean["F"][k]) / 2 for k in lean["M"]}
    if normalisation == "bw":
        norm = 1000 * weight
    elif normalisation == "bsa":
        norm = 1e4 * 0.007184 * height_cm**0.725 * weight**0.425
    else:
        norm = 1000 * lean[a.sex][normalisation]
    factors = []
    for one in a.slices:
        if a.decay_correction == "ADMIN":
            left = a.dose_bq
        elif a.decay_correction == "START":
            left = a.dose_bq * 0.5 ** ((a.series_time - a.administered).total_seconds() / a.half_life_s)
        else:
            steps = np.linspace(0, one.duration_s, 2001)  # mean activity over the frame, by the trapezium rule
            since = (one.acquired - a.administered).total_seconds() + steps
            left = a.dose_bq * np.trapezoid(0.5 ** (since / a.half_life_s), steps) / one.duration_s
        factors.append(norm / left)
    return factors


@st.composite
def acquisitions(draw) -> Acquisition:
    administered = SCAN - timedelta(seconds=draw(st.integers(0, 7200)))
    minutes = draw(st.lists(st.integers(0, 90), min_size=1, max_size=5))
    kind = draw(st.sampled_from(["START", "ADMIN", "NONE"]))
    nuclide = draw(st.sampled_from(sorted(HALF_LIVES_S, key=HALF_LIVES_S.__getitem__)[4:]))
    return plain(
        *(at(m, duration_s=draw(st.floats(10, 1200))) for m in minutes),
        decay_correction=kind,
        corrections=("ATTN",) if kind == "NONE" else ("ATTN", "DECY"),
        weight_kg=draw(st.floats(30, 110)),
        height_m=draw(st.floats(1.55, 2.1)),
        sex=draw(st.sampled_from("MFO")),
        dose_bq=draw(st.floats(2e5, 1e10)),
        nuclide=nuclide,
        half_life_s=HALF_LIVES_S[nuclide],
        administered=administered,
    )


NORMALISATIONS = st.sampled_from(["bw", "lbm", "lbmjames128", "lbmjanma", "ibw", "bsa"])


@given(acquisitions(), NORMALISATIONS)
def test_factors_are_those_of_the_formulas(a, normalisation):
    assert suv(a, normalisation=normalisation).factors == pytest.approx(twin(a, normalisation), rel=1e-6)


@given(acquisitions(), NORMALISATIONS, st.floats(0.5, 20))
def test_a_dose_times_k_gives_suv_over_k(a, normalisation, k):
    more = suv(replace(a, dose_bq=a.dose_bq * k), normalisation=normalisation)
    assert more.factors * k == pytest.approx(suv(a, normalisation=normalisation).factors, rel=1e-12)


@given(acquisitions(), st.integers(-4000, 4000))
def test_all_dates_shifted_by_days_change_nothing(a, days):
    by = timedelta(days=days)
    moved = replace(
        a,
        administered=a.administered + by,
        series_time=a.series_time + by,
        slices=tuple(replace(s, acquired=s.acquired + by) for s in a.slices),
    )
    first, second = suv(a), suv(moved)
    assert np.array_equal(first.factors, second.factors)
    assert str(first.row()) == str(second.row())


@given(acquisitions(), NORMALISATIONS)
def test_units_of_weight_height_and_dose_change_nothing_but_the_warnings(a, normalisation):
    first = suv(a, normalisation=normalisation)
    other = replace(a, weight_kg=a.weight_kg * 1000, height_m=a.height_m * 100)
    if a.dose_bq < 1e11:
        other = replace(other, dose_bq=a.dose_bq / 1e6)
    second = suv(other, normalisation=normalisation)
    assert second.factors == pytest.approx(first.factors, rel=1e-12)
    assert len(second.warnings) > len(first.warnings)


@given(acquisitions())
def test_a_utc_offset_changes_nothing(a):
    zone = timezone(timedelta(hours=5, minutes=30))
    aware = replace(
        a,
        administered=a.administered.replace(tzinfo=zone).astimezone(UTC),
        series_time=a.series_time.replace(tzinfo=zone),
        slices=tuple(replace(s, acquired=s.acquired.replace(tzinfo=zone)) for s in a.slices),
    )
    assert suv(aware).factors == pytest.approx(suv(a).factors, rel=1e-12)


# Units (rule 3) -------------------------------------------------------------------------------------------------------


def test_the_plain_case_says_what_was_done():
    made = suv()
    assert made.factors == pytest.approx([BW], rel=1e-12)
    assert made.unit == "SUV"
    assert made.missing == ""
    assert made.warnings == ()
    assert set(made.rule) <= set(STEPS)
    assert set(made.figures) == set(FIGURES)
    assert made.figures["elapsed_s"] == made.figures["uptake_s"] == 3600
    assert (made.figures["t_ref"], made.figures["t_adm"]) == ("11:00:00", "10:00:00")
    assert made.figures["norm"] == 70_000
    assert made.figures["norm_unit"] == "g"
    assert made.figures["factor_min"] == made.figures["factor_max"] == made.factors[0]


def test_a_row_has_the_same_columns_whatever_the_rules():
    rows = [suv(), suv(plain(units="GML")), suv(plain(modality="NM", units=""))]
    assert len({tuple(made.row()) for made in rows}) == 1
    assert rows[1].row()["rule_decay"] == ""
    assert math.isnan(rows[1].row()["dose_bq"])


@pytest.mark.parametrize("slope", [0.2, 3.0])
def test_becquerel_are_never_scaled_by_the_private_factors_of_philips(slope):
    made = suv(plain(manufacturer="Philips", philips_suv_factor=slope, philips_bqml_factor=slope))
    assert made.factors == pytest.approx([BW], rel=1e-12)
    assert "not used" in made.rule["units"]


def test_counts_of_philips_by_suv_factor_need_neither_weight_nor_dose():
    made = suv(plain(units="CNTS", philips_suv_factor=5e-4, philips_bqml_factor=2.0, weight_kg=None, dose_bq=None))
    assert made.factors == pytest.approx([5e-4])
    lean = suv(plain(units="CNTS", philips_suv_factor=5e-4), normalisation="bsa")
    assert lean.factors == pytest.approx([5e-4 * 1e4 * 0.007184 * 175**0.725 * 70**0.425 / 70_000], rel=1e-12)


@pytest.mark.parametrize("first", [None, 0.0])
def test_counts_of_philips_by_activity_factor_where_the_other_is_missing_or_0(first):
    made = suv(plain(units="CNTS", philips_suv_factor=first, philips_bqml_factor=2.0))
    assert made.factors == pytest.approx([2 * BW], rel=1e-12)


@pytest.mark.parametrize("factors", [(None, None), (0.0, 0.0), (-1.0, None)])
def test_counts_without_a_usable_factor_are_refused(factors):
    with pytest.raises(SuvError, match="7053,1000"):
        suv(plain(units="CNTS", philips_suv_factor=factors[0], philips_bqml_factor=factors[1]))


@pytest.mark.parametrize("units", ["PROPCNTS", "PROPCPS", "1CM", "CPS", ""])
def test_other_units_are_refused_by_name(units):
    with pytest.raises(SuvError, match=rf"Units \(0054,1001\) is {units or 'missing'}"):
        suv(plain(units=units))


STORED = {"": "bw", "BW": "bw", "LBM": "lbm", "LBMJAMES128": "lbmjames128", "LBMJANMA": "lbmjanma", "IBW": "ibw"}


@pytest.mark.parametrize("kind", STORED)
@pytest.mark.parametrize("target", ["bw", "lbmjanma", "bsa"])
def test_a_stored_suv_becomes_any_other(kind, target):
    stored = plain(units="GML", suv_type=kind)
    expected = suv(normalisation=target).factors / suv(normalisation=STORED[kind]).factors
    assert suv(stored, normalisation=target).factors == pytest.approx(expected, rel=1e-12)


def test_a_stored_suv_that_is_wanted_needs_nothing_else():
    bare = plain(units="GML", suv_type="IBW", weight_kg=None, height_m=None, sex="", dose_bq=None, administered=None)
    assert suv(bare, normalisation="ibw").factors.tolist() == [1.0]
    with pytest.raises(MissingMetadata, match="PatientWeight"):
        suv(bare)


def test_suv_by_body_surface():
    made = suv(plain(units="CM2ML", suv_type="BSA"))
    assert made.factors == pytest.approx(suv().factors / suv(normalisation="bsa").factors, rel=1e-12)
    assert suv(plain(units="CM2ML")).factors == pytest.approx(made.factors)


@pytest.mark.parametrize(("units", "kind"), [("GML", "BSA"), ("GML", "FOO"), ("CM2ML", "BW")])
def test_a_type_that_does_not_fit_its_unit_is_refused(units, kind):
    with pytest.raises(SuvError, match="SUVType"):
        suv(plain(units=units, suv_type=kind))


# Corrections (rules 1 and 2) ------------------------------------------------------------------------------------------


def test_an_intercept_is_refused():
    with pytest.raises(SuvError, match="RescaleIntercept is -5"):
        suv(plain(at(0), at(1, rescale_intercept=-5.0)))


@pytest.mark.parametrize("units", ["BQML", "GML", "CNTS"])
@pytest.mark.parametrize(("corrections", "word"), [(("DECY",), "no ATTN"), (("ATTN",), "no DECY"), ((), "no ATTN")])
def test_missing_corrections_are_refused_whatever_the_unit(units, corrections, word):
    with pytest.raises(SuvError, match=word):
        suv(plain(units=units, corrections=corrections, philips_suv_factor=1.0))


def test_none_and_decy_contradict_each_other():
    with pytest.raises(SuvError, match="lists DECY, but"):
        suv(plain(decay_correction="NONE"))


# The patient (rules 4 and 9) ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [None, 0.0, -1.0])
@pytest.mark.parametrize(
    ("field", "word", "params"),
    [
        ("weight_kg", "PatientWeight", {}),
        ("height_m", "PatientSize", {"normalisation": "bsa"}),
        ("dose_bq", "RadionuclideTotalDose", {}),
    ],
)
def test_what_is_missing_is_refused_and_never_assumed(field, word, params, value):
    column = {"dose_bq": "<SERIES>_dose_mbq"}.get(field, field)
    with pytest.raises(MissingMetadata, match=f"{word}.*give {column} in the case table"):
        suv(plain(**{field: value}), **params)


@pytest.mark.parametrize(
    ("field", "value", "params"),
    [("weight_kg", 70.0, {}), ("height_m", 1.75, {"normalisation": "bsa"}), ("dose_bq", 370e6, {})],
)
def test_the_case_table_fills_what_the_header_lacks_with_a_note(field, value, params):
    made = suv(plain(**{field: None}), PatientOverrides(**{field: value}), **params)
    assert made.factors == pytest.approx(suv(**params).factors, rel=1e-12)
    assert sum("of the case table, as the header has none" in words for words in made.rule.values()) == 1
    assert made.warnings == ()


@pytest.mark.parametrize(
    ("field", "value", "params", "said"),
    [
        ("weight_kg", 77.0, {}, "weight: the header says 70 kg, the case table 77 kg"),
        ("height_m", 1.8, {"normalisation": "bsa"}, "height: the header says 1.75 m, the case table 1.8 m"),
        ("dose_bq", 300e6, {}, "dose: the header says 370 MBq, the case table 300 MBq"),
        ("sex", "M", {"normalisation": "ibw"}, "sex: the header says F, the case table M"),
    ],
)
def test_the_case_table_wins_with_a_warning_that_states_both(field, value, params, said):
    made = suv(None, PatientOverrides(**{field: value}), **params)
    assert made.factors == pytest.approx(suv(plain(**{field: value}), **params).factors, rel=1e-12)
    assert any(said in w for w in made.warnings)


def test_a_case_table_within_1_percent_changes_nothing():
    near = PatientOverrides(weight_kg=70.3, height_m=1.76, sex="F", dose_bq=371e6, injected=plain().administered)
    made = suv(None, near, normalisation="lbmjanma")
    assert np.array_equal(made.factors, suv(normalisation="lbmjanma").factors)
    assert made.warnings == ()


@pytest.mark.parametrize("field", ["weight_kg", "dose_bq"])
def test_a_case_table_with_0_is_refused(field):
    with pytest.raises(SuvError, match=f"case table says {field} 0"):
        suv(None, PatientOverrides(**{field: 0.0}))


def test_the_case_table_corrects_an_suv_that_the_scanner_made_of_other_values():
    stored = plain(units="GML", suv_type="BW")
    made = suv(stored, PatientOverrides(weight_kg=77.0, dose_bq=740e6))
    assert made.factors == pytest.approx([77 / 70 * 370 / 740], rel=1e-12)
    assert len(made.warnings) == 2
    assert suv(stored, PatientOverrides(weight_kg=70.0, dose_bq=370e6)).factors.tolist() == [1.0]


@pytest.mark.parametrize("sex", ["", "U", "male"])
def test_a_sex_that_is_needed_and_not_known_is_refused(sex):
    with pytest.raises(MissingMetadata, match="PatientSex"):
        suv(plain(sex=sex), normalisation="lbm")
    assert suv(plain(sex=sex)).factors == pytest.approx([BW])
    assert suv(plain(sex=sex), PatientOverrides(sex="f"), normalisation="lbm").figures["sex"] == "F"


def test_sex_other_is_the_mean_with_a_warning_and_refused_in_strict_mode():
    made = [suv(plain(sex=s), normalisation="ibw") for s in "MFO"]
    assert made[2].factors == pytest.approx((made[0].factors + made[1].factors) / 2, rel=1e-12)
    assert any("sex O" in w for w in made[2].warnings)
    with pytest.raises(SuvError, match="sex O"):
        suv(plain(sex="O"), normalisation="ibw", strict=True)
    assert suv(plain(sex="O"), strict=True).factors == pytest.approx([BW])


def test_a_body_that_a_formula_does_not_fit_is_refused():
    with pytest.raises(SuvError, match="ideal body weight comes out as -"):
        suv(plain(height_m=1.0), normalisation="ibw")


def test_james_is_warned_of_in_the_very_obese():
    made = suv(plain(weight_kg=130.0), normalisation="lbm")
    assert any("lbmjanma does not" in w for w in made.warnings)
    assert suv(plain(weight_kg=130.0), normalisation="lbmjanma").warnings == ()


# Times (rules 5 and 6) ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("clock", "token", "shown", "elapsed"),
    [
        (time(10), "time", "10:00:00", 3600),
        (time(11), "time", "11:00:00", 0),
        (time(23, 30), "time-before-midnight", "23:30:00 (1 day before)", 41400),
    ],
)
def test_a_time_alone_is_on_the_day_of_the_reference_or_the_day_before(clock, token, shown, elapsed):
    made = suv(plain(administered=None, administered_time=clock))
    assert (made.figures["administration_rule"], made.figures["t_adm"]) == (token, shown)
    assert made.figures["elapsed_s"] == elapsed


def test_a_time_alone_with_an_offset_is_on_the_day_where_it_was_read():
    zone = timezone(timedelta(hours=9))
    scan = datetime(2025, 1, 2, 0, 30, tzinfo=zone)
    made = suv(
        plain(
            Slice(acquired=scan.astimezone(UTC), duration_s=120.0),
            series_time=scan.astimezone(UTC),
            administered=None,
            administered_time=time(23, 30, tzinfo=zone),
        )
    )
    assert made.figures["elapsed_s"] == 3600


def test_the_datetime_goes_before_the_time_and_a_contradiction_is_told():
    made = suv(plain(administered_time=time(9)))
    assert made.factors == pytest.approx([BW])
    assert any("another time" in w for w in made.warnings)
    assert suv(plain(administered_time=time(10, 0, 30))).warnings == ()


def test_no_time_of_administration_is_refused_or_taken_from_the_case_table():
    without = plain(administered=None)
    with pytest.raises(MissingMetadata, match="give <SERIES>_injected in the case table"):
        suv(without)
    made = suv(without, PatientOverrides(injected=datetime(2025, 1, 1, 10)))
    assert made.factors == pytest.approx([BW])
    assert made.figures["administration_rule"] == "case-table"


def test_another_time_of_the_case_table_wins_with_a_warning():
    made = suv(None, PatientOverrides(injected=datetime(2025, 1, 1, 10, 30)))
    assert made.figures["elapsed_s"] == 1800
    assert any("the header says 10:00:00, the case table 10:30:00" in w for w in made.warnings)
    aware = UTC
    with pytest.raises(SuvError, match="UTC offset"):
        suv(None, PatientOverrides(injected=datetime(2025, 1, 1, 10, 30, tzinfo=aware)))


@pytest.mark.parametrize("kind", ["START", "ADMIN", "NONE"])
def test_an_administration_after_the_scan_is_refused(kind):
    corrections = ("ATTN",) if kind == "NONE" else ("ATTN", "DECY")
    late = plain(decay_correction=kind, corrections=corrections, administered=SCAN + timedelta(minutes=1))
    with pytest.raises(SuvError, match="the administration lies 60 s after"):
        suv(late)


def test_a_very_long_uptake_is_warned_of():
    assert any("24.5 h" in w for w in suv(plain(administered=SCAN - timedelta(hours=24.5))).warnings)
    gallium = plain(half_life_s=4062.6, nuclide="Ga-68", administered=SCAN - timedelta(hours=12))
    assert any("10.6 half-lives" in w for w in suv(gallium).warnings)
    lutetium = plain(half_life_s=574301.0, nuclide="Lu-177", administered=SCAN - timedelta(hours=96))
    assert suv(lutetium).warnings == ()


@pytest.mark.parametrize("kind", ["", "DAVE"])
def test_a_decay_correction_that_is_not_said_is_refused(kind):
    with pytest.raises(CaseError, match=r"DecayCorrection \(0054,1102\)"):
        suv(plain(decay_correction=kind))


def test_no_acquisition_time_is_refused():
    with pytest.raises(MissingMetadata, match="1 of 2 slices have no AcquisitionDate"):
        suv(plain(at(0), Slice(duration_s=120.0)))


def test_the_private_time_of_ge_goes_first():
    made = suv(plain(at(30), manufacturer="GE MEDICAL SYSTEMS", ge_reference=SCAN, series_time=None))
    assert made.factors == pytest.approx([BW], rel=1e-12)
    assert made.figures["reference_rule"] == "ge-private"


@pytest.mark.parametrize(
    "moment",
    [SCAN - timedelta(hours=2), SCAN + timedelta(hours=3), SCAN - timedelta(days=40), SCAN + timedelta(days=1)],
)
def test_a_private_time_of_ge_that_does_not_fit_is_not_used(moment):
    made = suv(plain(manufacturer="GE MEDICAL SYSTEMS", ge_reference=moment))
    assert made.figures["reference_rule"] == "series-time"
    assert any("(0009,100D)" in w for w in made.warnings)


def test_a_private_time_of_ge_more_than_a_day_before_the_scan_is_not_used():
    zirconium = {"nuclide": "Zr-89", "half_life_s": 282276.0, "administered": SCAN - timedelta(days=4)}
    made = suv(plain(manufacturer="GE MEDICAL SYSTEMS", ge_reference=SCAN - timedelta(days=3), **zirconium))
    assert made.figures["reference_rule"] == "series-time"


def test_a_private_time_of_ge_far_from_the_series_time_is_told():
    early = plain(manufacturer="GE MEDICAL SYSTEMS", ge_reference=SCAN - timedelta(minutes=20))
    assert any("the series' time lies 1200 s after" in w for w in suv(early).warnings)


def beds(*minutes, offset_s=0.0, **changes):
    """Beds of 2 minutes whose FrameReferenceTime dates back to `offset_s` after 11:00, in a series made at 12:30."""
    made = [at(m, frame_reference_s=60 * m + mean_count_time_s(120) - offset_s) for m in minutes]
    return plain(*made, **{"series_time": SCAN + timedelta(minutes=90)} | changes)


def test_a_later_series_time_is_worked_back_from_the_frames():
    made = suv(beds(0, 2, 4))
    assert made.figures["reference_rule"] == "frame-reference-time"
    assert made.factors == pytest.approx(np.full(3, BW), rel=1e-9)
    assert made.warnings == ()
    assert suv(beds(2, 4, series_time=None)).factors == pytest.approx(np.full(2, BW), rel=1e-9)


@pytest.mark.parametrize("manufacturer", ["GE MEDICAL SYSTEMS", "Philips Medical Systems", "GE HEALTHCARE"])
def test_frame_reference_times_of_ge_and_philips_are_never_used(manufacturer):
    made = suv(beds(2, 4, manufacturer=manufacturer))
    assert made.figures["reference_rule"] == "first-acquisition"
    assert made.factors == pytest.approx(np.full(2, BW * 2 ** (120 / F18)), rel=1e-12)
    assert any("the first acquisition is taken" in w for w in made.warnings)


def test_siemens_is_not_taken_for_ge():
    assert suv(beds(0, 2, manufacturer="SIEMENS")).figures["reference_rule"] == "frame-reference-time"


@pytest.mark.parametrize(("apart_s", "used"), [(1.5, True), (3.0, False)])
def test_beds_must_lead_back_to_one_time_within_2_seconds(apart_s, used):
    a = beds(0, 2)
    off = replace(a.slices[1], frame_reference_s=a.slices[1].frame_reference_s + apart_s)
    made = suv(replace(a, slices=(a.slices[0], off)))
    assert (made.figures["reference_rule"] == "frame-reference-time") == used
    assert bool(made.warnings) != used


@pytest.mark.parametrize("change", [{"frame_reference_s": 0.0}, {"frame_reference_s": None}, {"duration_s": None}])
def test_without_frame_times_in_every_slice_the_first_acquisition_is_taken_and_told(change):
    a = beds(0, 2)
    made = suv(replace(a, slices=(a.slices[0], replace(a.slices[1], **change))))
    assert made.figures["reference_rule"] == "first-acquisition"
    assert any("nothing else tells" in w for w in made.warnings)


def test_frames_that_contradict_the_series_time_are_told():
    a = beds(0, 2, offset_s=-600.0, series_time=SCAN)
    made = suv(a)
    assert made.figures["reference_rule"] == "series-time"
    assert any("FrameReferenceTime" in w and "600 s before" in w for w in made.warnings)


def test_the_private_time_of_siemens_is_a_check_whatever_its_day():
    assert suv(plain(siemens_reference=SCAN)).warnings == ()
    assert suv(plain(siemens_reference=SCAN - timedelta(days=400))).warnings == ()
    made = suv(plain(siemens_reference=SCAN + timedelta(minutes=10)))
    assert any("(0071,1022)" in w and "600 s after" in w for w in made.warnings)


def test_a_reference_long_before_the_scan_is_told():
    made = suv(plain(at(180), administered=SCAN - timedelta(minutes=5)))
    assert any("3.0 h before the first acquisition" in w for w in made.warnings)


def test_enhanced_pet_is_dated_by_its_own_element():
    a = plain(at(5), decay_correction="", decay_corrected_to=SCAN, series_time=None)
    made = suv(a)
    assert made.factors == pytest.approx([BW], rel=1e-12)
    assert made.figures["reference_rule"] == "decay-correction-datetime"
    to_administration = suv(replace(a, decay_corrected_to=a.administered))
    assert to_administration.factors == pytest.approx([70_000 / 370e6], rel=1e-12)


# Half-life, decay factor, factors (rules 7 and 8) ---------------------------------------------------------------------


@pytest.mark.parametrize("value", [None, 0.0])
def test_a_missing_half_life_is_that_of_the_nuclide_or_refused(value):
    made = suv(plain(half_life_s=value, nuclide="Ga-68"))
    assert made.figures["half_life_s"] == 4062.6
    assert any("4062.6 s is taken for Ga-68" in w for w in made.warnings)
    with pytest.raises(MissingMetadata, match="RadionuclideHalfLife"):
        suv(plain(half_life_s=value, nuclide=""))


@pytest.mark.parametrize(
    ("half_life", "nuclide", "word"),
    [(6588.0, "F-18", ""), (6700.0, "F-18", "not that of F-18"), (6588.0, "", ""), (7000.0, "", "no radionuclide")],
)
def test_a_half_life_that_is_not_quite_right_is_used_and_told(half_life, nuclide, word):
    a = plain(half_life_s=half_life, nuclide=nuclide, administered=SCAN)
    made = suv(a)
    assert made.figures["half_life_s"] == half_life
    assert [word in w for w in made.warnings] == ([True] if word else [])


@pytest.mark.parametrize(("half_life", "nuclide"), [(109.8, "F-18"), (F18, "Ga-68"), (4062.6, "F-18")])
def test_a_half_life_of_another_radionuclide_is_refused_where_factors_hang_on_it(half_life, nuclide):
    a = plain(half_life_s=half_life, nuclide=nuclide)
    with pytest.raises(SuvError, match=rf"RadionuclideHalfLife .* is {half_life:g} s, and that of {nuclide}"):
        suv(a)
    made = suv(replace(a, decay_correction="ADMIN"))
    assert made.factors == pytest.approx([70_000 / 370e6], rel=1e-12)
    assert any(f"not that of {nuclide}" in w for w in made.warnings)


def decay_factor(start_s, duration_s=120.0, half_life_s=F18):
    decay = math.log(2) / half_life_s
    x = decay * duration_s
    return x / (1 - math.exp(-x)) * math.exp(decay * start_s)


@pytest.mark.parametrize("in_frame", [True, False])
def test_a_decay_factor_that_fits_the_acquisition_times_agrees(in_frame):
    factors = [decay_factor(s) if in_frame else 2 ** (s / F18) for s in (0, 600)]
    made = suv(plain(at(0, decay_factor=factors[0]), at(10, decay_factor=factors[1])))
    assert made.figures["decay_factor_deviation"] < 1e-9
    assert made.warnings == ()


def test_ge_says_the_start_of_a_bed_by_its_frame_reference_time():
    slices = [at(0, frame_reference_s=s, decay_factor=decay_factor(s)) for s in (0.0, 300.0, 600.0)]
    assert suv(plain(*slices, manufacturer="GE MEDICAL SYSTEMS")).figures["decay_factor_deviation"] < 1e-9


def test_others_say_the_mean_of_a_bed_by_its_frame_reference_time():
    start = [0.0, 300.0, 600.0]
    slices = [at(0, frame_reference_s=s + mean_count_time_s(120), decay_factor=decay_factor(s)) for s in start]
    made = suv(plain(*slices))
    assert made.figures["decay_factor_deviation"] < 1e-9


@pytest.mark.parametrize("manufacturer", ["GE MEDICAL SYSTEMS", "CANON_MEC"])
def test_a_decay_factor_of_another_reference_time_is_told(manufacturer):
    """The series' time is 30 minutes early; DecayFactor and FrameReferenceTime refer to the acquisition."""
    slices = [at(30, frame_reference_s=s + 60, decay_factor=decay_factor(s)) for s in (0.0, 300.0)]
    made = suv(plain(*slices, manufacturer=manufacturer))
    assert made.figures["decay_factor_deviation"] > 0.1
    assert any("contradicts the time of decay correction (START)" in w for w in made.warnings)


def test_admin_is_weight_over_dose_and_a_decay_factor_of_1_is_told():
    a = plain(at(0, decay_factor=1.0), decay_correction="ADMIN")
    made = suv(a)
    assert made.factors == pytest.approx([70_000 / 370e6], rel=1e-12)
    assert any("(ADMIN)" in w for w in made.warnings)
    fits = plain(at(0, decay_factor=decay_factor(3600)), decay_correction="ADMIN")
    assert suv(fits).warnings == ()
    bare = plain(Slice(), decay_correction="ADMIN", administered=None, half_life_s=None, nuclide="")
    assert suv(bare).factors == pytest.approx([70_000 / 370e6], rel=1e-12)


def test_none_is_made_up_for_slice_by_slice():
    a = plain(at(0), at(10), decay_correction="NONE", corrections=("ATTN",))
    x = math.log(2) / F18 * 120
    expected = [BW * 2 ** (s / F18) * x / (1 - math.exp(-x)) for s in (0, 600)]
    made = suv(a)
    assert made.factors == pytest.approx(expected, rel=1e-12)
    assert (made.figures["factor_min"], made.figures["factor_max"]) == tuple(made.factors)


def test_none_is_refused_where_beds_cannot_be_dated_or_have_no_duration():
    none = {"decay_correction": "NONE", "corrections": ("ATTN",)}
    with pytest.raises(SuvError, match="share one acquisition time"):
        suv(plain(at(0, frame_reference_s=0.0), at(0, frame_reference_s=300.0), **none))
    with pytest.raises(MissingMetadata, match="ActualFrameDuration"):
        suv(plain(at(0, duration_s=None), **none))


def test_none_with_a_decay_factor_is_told():
    a = plain(at(0, decay_factor=1.2), decay_correction="NONE", corrections=("ATTN",))
    assert any("is not 1" in w for w in suv(a).warnings)


# Other units, SPECT ---------------------------------------------------------------------------------------------------


def test_activity_is_as_stored_or_what_a_stored_suv_was_made_of():
    assert to_activity(plain(), Suv()).factors.tolist() == [1.0]
    assert to_activity(plain(units="CNTS", philips_bqml_factor=2.0), Suv()).factors.tolist() == [2.0]
    for kind, name in STORED.items():
        made = to_activity(plain(units="GML", suv_type=kind), Suv())
        assert made.factors * suv(normalisation=name).factors == pytest.approx([1.0], rel=1e-12)
        assert made.unit == "Bq/ml"


def test_counts_are_of_series_in_counts():
    assert to_counts(plain(units="CNTS"), Suv()).factors.tolist() == [1.0]
    with pytest.raises(SuvError, match="not CNTS"):
        to_counts(plain(), Suv())


def test_the_unit_is_written_as_asked_and_another_is_refused():
    assert convert(plain(), Suv(), unit="Bq/mL").unit == "Bq/mL"
    with pytest.raises(ParamsError, match="'HU'"):
        convert(plain(), Suv(), unit="HU")
    with pytest.raises(WrongModality, match="modality CT"):
        convert(plain(modality="CT"), Suv())


def spect(*slices: Slice, **changes) -> Acquisition:
    """SPECT of Lu-177 in counts: 7400 MBq, as NM objects write it, 24 h before; 20 minutes of collection."""
    base = {"modality": "NM", "units": "", "decay_correction": "", "corrections": ("ATTN",), "dose_bq": 7400.0}
    lutetium = {"nuclide": "Lu-177", "half_life_s": 574301.0, "administered": SCAN - timedelta(hours=24)}
    return plain(*slices, **base | lutetium | {"model": "Camera", "collected_s": 1200.0, "series_time": None} | changes)


LU_24H = 70_000 / (7.4e9 * 2 ** (-86400 / 574301.0))


@pytest.mark.parametrize(("code", "scale"), [("Bq/ml", 1.0), ("Bq/mL", 1.0), ("kBq/ml", 1e3), ("MBq/mL", 1e6)])
def test_spect_is_in_becquerel_where_its_unit_code_says_so(code, scale):
    slices = (at(0, mapping=(2.0, 0.0)), at(0, mapping=(3.0, 0.0), rescale_slope=2.0))
    made = to_activity(spect(*slices, mapping_unit=code), Suv())
    assert made.factors == pytest.approx([2.0 * scale, 1.5 * scale])
    assert (made.unit, made.missing) == ("Bq/ml", "")


@pytest.mark.parametrize("code", ["{counts}", "", "1"])
@pytest.mark.parametrize("unit", ["SUV", "Bq/ml"])
def test_spect_with_any_other_code_stays_in_counts(code, unit):
    made = convert(spect(at(0, mapping=(1.0, 0.0)), mapping_unit=code), Suv(), unit=unit)
    assert made.unit == "counts"
    assert made.factors.tolist() == [1.0]
    assert "in counts" in made.missing
    assert "camera_factor" in made.missing


def test_spect_without_attenuation_correction_stays_in_counts():
    made = suv(spect(at(0, mapping=(1.0, 0.0)), mapping_unit="Bq/ml", corrections=("SCAT",)))
    assert made.unit == "counts"
    assert "ATTN" in made.missing
    unsaid = suv(spect(at(0, mapping=(1.0, 0.0)), mapping_unit="Bq/ml", corrections=()))
    assert unsaid.unit == "SUV"
    assert any("attenuation" in w for w in unsaid.warnings)


def test_a_mapping_with_an_intercept_is_refused():
    with pytest.raises(SuvError, match="intercept"):
        suv(spect(at(0, mapping=(1.0, 4.0)), mapping_unit="Bq/ml"))


@pytest.mark.parametrize(("per", "expected"), [("count", 3.0), ("count/s", 3.0 / 1200)])
def test_a_camera_factor_makes_becquerel_and_suv(per, expected):
    camera = CameraFactor(value=3.0, per=per, nuclide="Lu-177", model="Camera")
    assert to_activity(spect(), Suv(camera_factor=camera)).factors == pytest.approx([expected])
    a = spect(decay_correction="START", corrections=("ATTN", "DECY"), series_time=SCAN)
    made = suv(a, camera_factor=camera)
    assert made.unit == "SUV"
    assert made.factors == pytest.approx([expected * LU_24H], rel=1e-12)
    assert made.warnings == ()


def test_without_a_word_on_decay_spect_is_a_mean_over_its_acquisition_and_that_is_told():
    camera = CameraFactor(value=3.0, per="count", nuclide="Lu-177", model="Camera")
    made = suv(spect(Slice(acquired=SCAN)), camera_factor=camera)
    x = math.log(2) / 574301.0 * 1200
    assert made.factors == pytest.approx([3 * LU_24H * x / (1 - math.exp(-x))], rel=1e-12)
    assert any("does not say how decay" in w for w in made.warnings)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"model": "Other"}, "another camera"),
        ({"nuclide": "Tc-99m"}, "another camera"),
        ({"collected_s": None}, "time"),
    ],
)
def test_a_camera_factor_is_of_its_camera_nuclide_and_time(change, word):
    camera = CameraFactor(value=3.0, per="count/s", nuclide="Lu-177", model="Camera")
    made = suv(spect(**change), camera_factor=camera)
    assert made.unit == "counts"
    assert word in made.missing


def test_a_camera_factor_that_names_no_camera_is_told_and_the_header_goes_first():
    loose = CameraFactor(value=3.0, per="count")
    assert any("does not name its camera" in w for w in suv(spect(), camera_factor=loose).warnings)
    own = spect(at(0, mapping=(2.0, 0.0)), mapping_unit="Bq/ml")
    made = to_activity(own, Suv(camera_factor=loose))
    assert made.factors.tolist() == [2.0]
    assert any("not used" in w for w in made.warnings)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"dose_bq": None}, "RadionuclideTotalDose"),
        ({"weight_kg": None}, "PatientWeight"),
        ({"administered": None}, "RadiopharmaceuticalStart"),
        ({"corrections": ("ATTN", "DECY")}, "to which time is not said"),
    ],
)
def test_spect_in_becquerel_without_dose_or_times_has_no_suv_but_its_activity(change, word):
    a = spect(at(0, mapping=(2.0, 0.0)), **{"mapping_unit": "Bq/ml"} | change)
    made = suv(a)
    assert (made.unit, made.factors.tolist()) == ("Bq/ml", [2.0])
    assert word in made.missing
    assert "PET:" not in made.missing


def test_a_dose_of_nm_objects_is_in_megabecquerel_unless_it_cannot_be():
    camera = CameraFactor(value=3.0, per="count", nuclide="Lu-177", model="Camera")
    a = spect(decay_correction="START", corrections=("ATTN", "DECY"), series_time=SCAN)
    first, second = suv(a, camera_factor=camera), suv(replace(a, dose_bq=7.4e9), camera_factor=camera)
    assert first.factors == pytest.approx(second.factors, rel=1e-12)
    assert first.warnings == ()
    assert any("read as Bq" in w for w in second.warnings)


# What comes out -------------------------------------------------------------------------------------------------------


def test_each_slice_has_its_own_factor():
    array = np.arange(24.0).reshape(2, 3, 4)
    a = plain(at(0), at(10), decay_correction="NONE", corrections=("ATTN",))
    made = suv(a)
    volume = Volume(array, Grid((2, 3, 4), (1.0, 1.0, 1.0)), "counts")
    result = apply(volume, made)
    assert np.array_equal(result.array, array * made.factors.reshape(2, 1, 1))
    assert (result.unit, result.grid) == ("SUV", volume.grid)
    with pytest.raises(ValueError, match="1 factors for 2 slices"):
        apply(volume, suv())


def test_factors_cannot_be_changed_afterwards():
    with pytest.raises(ValueError, match="read-only"):
        suv().factors[0] = 1.0


def test_notes_of_the_reading_reach_the_warnings():
    assert suv(plain(notes=("PatientSize cannot be read, and counts as absent",))).warnings == (
        "PatientSize cannot be read, and counts as absent",
    )


def test_no_date_reaches_a_row():
    a = plain(at(0, decay_factor=2.0), administered=datetime(2024, 12, 31, 23, 0), siemens_reference=SCAN)
    text = str(suv(a, PatientOverrides(injected=datetime(2024, 12, 31, 22, 0))).row())
    assert "2024" not in text
    assert "2025" not in text
    assert "-12-" not in text
