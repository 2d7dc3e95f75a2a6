import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radiomics_pipeline.errors import ParamsError, TableError
from radiomics_pipeline.stats.delong import auc_delong
from radiomics_pipeline.stats.paired_auc import compare_areas, contrast, equal_areas, paired_areas
from radiomics_pipeline.stats.reader import compare_readers

# DeLong, DeLong and Clarke-Pearson 1988, as in SAS's manual: albumin, total protein, K-G score, benefit of surgery.
OVARIAN = (
    "3.0 5.8 10 0 3.2 6.3 5 1 3.9 6.8 3 1 2.8 4.8 6 0 3.2 5.8 3 1 0.9 4.0 5 0 2.5 5.7 8 0 1.6 5.6 5 1 3.8 5.7 5 1 "
    "3.7 6.7 6 1 3.2 5.4 4 1 3.8 6.6 6 1 4.1 6.6 5 1 3.6 5.7 5 1 4.3 7.0 4 1 3.6 6.7 4 0 2.3 4.4 6 1 4.2 7.6 4 0 "
    "4.0 6.6 6 0 3.5 5.8 6 1 3.8 6.8 7 1 3.0 4.7 8 0 4.5 7.4 5 1 3.7 7.4 5 1 3.1 6.6 6 1 4.1 8.2 6 1 4.3 7.0 5 1 "
    "4.3 6.5 4 1 3.2 5.1 5 1 2.6 4.7 6 1 3.3 6.8 6 0 1.7 4.0 7 0 3.7 6.1 5 1 3.3 6.3 7 1 4.2 7.7 6 1 3.5 6.2 5 1 "
    "2.9 5.7 9 0 2.1 4.8 7 1 2.8 6.2 8 0 4.0 7.0 7 1 3.3 5.7 6 1 3.7 6.9 5 1 3.6 6.6 5 1"
)


def ovarian():
    table = np.array(OVARIAN.split(), np.float64).reshape(-1, 4)
    return np.column_stack([10 - table[:, 2], table[:, 1], table[:, 0]]), table[:, 3] == 1


def covariance_of_the_definition(values, event):
    """Placements of every row by counting pairs, and their covariances over positives and over negatives."""
    up = np.array([[np.mean((a > v[~event]) + 0.5 * (a == v[~event])) for a in v[event]] for v in values.T])
    down = np.array([[np.mean((a < v[event]) + 0.5 * (a == v[event])) for a in v[~event]] for v in values.T])
    return up.mean(axis=1), np.cov(up) / up.shape[1] + np.cov(down) / down.shape[1]


def test_the_example_of_delong_as_printed_by_sas_is_reproduced():
    areas = paired_areas(*ovarian())
    assert areas.area == pytest.approx([0.7258, 0.6478, 0.7366], abs=5e-5)
    assert np.sqrt(np.diag(areas.covariance)) == pytest.approx([0.1028, 0.1000, 0.0927], abs=5e-5)
    statistic, df, p = equal_areas(areas)
    assert (df, round(statistic, 4), round(p, 4)) == (2, 2.5340, 0.2817)
    protein, albumin = contrast(areas, np.array([-1, 1, 0])), contrast(areas, np.array([-1, 0, 1]))
    assert (round(protein.difference, 4), round(protein.error, 4), round(protein.p, 4)) == (-0.0780, 0.1046, 0.4561)
    assert (round(albumin.difference, 4), round(albumin.error, 4), round(albumin.p, 4)) == (0.0108, 0.0953, 0.9102)


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10_000), st.integers(2, 6), st.integers(2, 9))
def test_areas_and_covariance_are_those_of_the_definition_with_ties(seed, positives, negatives):
    rng = np.random.default_rng(seed)
    event = rng.permutation(np.arange(positives + negatives) < positives)
    values = rng.integers(0, 5, (len(event), 3)).astype(float)
    areas, covariance = covariance_of_the_definition(values, event)
    found = paired_areas(values, event)
    assert found.area == pytest.approx(areas, abs=1e-12)
    assert found.covariance == pytest.approx(covariance, abs=1e-12)


def test_variances_of_clustered_rows_are_those_of_single_areas():
    rng = np.random.default_rng(3)
    groups = rng.integers(0, 25, 80)
    event = rng.random(80) < 0.4
    values = np.round(rng.normal(size=(80, 4)) + event[:, None] + rng.normal(size=25)[groups][:, None], 1)
    found = paired_areas(values, event, groups)
    single = auc_delong(values, event, groups)
    assert found.area == pytest.approx(single.area, abs=1e-12)
    assert np.diag(found.covariance) == pytest.approx(single.variance, abs=1e-12)


def test_covariance_of_clustered_rows_is_obuchowskis_sum_over_patients():
    rng = np.random.default_rng(4)
    groups, event = rng.integers(0, 12, 40), rng.random(40) < 0.4
    values = rng.integers(0, 6, (40, 2)).astype(float)
    areas, _ = covariance_of_the_definition(values, event)
    m, n = event.sum(), (~event).sum()
    of_positive, of_negative = np.zeros((12, 2)), np.zeros((12, 2))
    for i in range(40):
        for k in range(2):
            other = values[event != event[i], k]
            win = np.mean((values[i, k] > other) + 0.5 * (values[i, k] == other))
            if event[i]:
                of_positive[groups[i], k] += win - areas[k]
            else:
                of_negative[groups[i], k] += 1 - win - areas[k]
    n_positive, n_negative, n_any = len(set(groups[event])), len(set(groups[~event])), len(set(groups))
    expected = n_positive / (n_positive - 1) * (of_positive[:, 0] * of_positive[:, 1]).sum() / m**2
    expected += n_negative / (n_negative - 1) * (of_negative[:, 0] * of_negative[:, 1]).sum() / n**2
    crossed = (of_positive[:, 0] * of_negative[:, 1] + of_negative[:, 0] * of_positive[:, 1]).sum()
    expected += n_any / (n_any - 1) * crossed / (m * n)
    assert paired_areas(values, event, groups).covariance[0, 1] == pytest.approx(expected, abs=1e-14)


def test_rows_doubled_within_patients_change_nothing_in_the_clustered_test():
    values, event = ovarian()
    once = compare_areas(values[:, 0], values[:, 1], event)
    twice = np.concatenate([values, values])
    groups = np.tile(np.arange(len(event)), 2)
    found = compare_areas(twice[:, 0], twice[:, 1], np.tile(event, 2), groups)
    assert (found.difference, found.error) == pytest.approx((once.difference, once.error), rel=1e-12)
    assert compare_areas(twice[:, 0], twice[:, 1], np.tile(event, 2)).error < 0.8 * once.error


def test_swapping_scores_turns_the_difference_and_keeps_p():
    values, event = ovarian()
    one, other = (compare_areas(values[:, i], values[:, 1 - i], event) for i in (0, 1))
    assert (one.difference, one.lower, one.upper) == pytest.approx((-other.difference, -other.upper, -other.lower))
    assert one.p == pytest.approx(other.p)


def test_the_same_order_of_rows_gives_p_of_one_and_no_interval():
    values, event = ovarian()
    found = compare_areas(values[:, 0], np.exp(values[:, 0]), event)
    assert (found.difference, found.p) == (0.0, 1.0)
    assert np.isnan([found.lower, found.upper]).all()
    assert found.note


def test_a_perfect_and_a_constant_score_differ_without_spread_and_so_without_p():
    event = np.arange(10) >= 5
    found = compare_areas(np.arange(10.0), np.zeros(10), event)
    assert found.difference == 0.5
    assert np.isnan([found.p, found.error]).all()
    assert "without any spread" in found.note


@pytest.mark.parametrize("event", [np.zeros(6, bool), np.ones(6, bool)])
def test_a_single_class_has_no_area(event):
    found = paired_areas(np.arange(12.0).reshape(6, 2), event)
    assert np.isnan(found.area).all()
    assert "one class" in found.note
    assert np.isnan(contrast(found, np.array([1, -1])).p)


def test_one_patient_with_the_event_has_an_area_and_no_variance():
    values = np.array([[3.0, 1], [1, 2], [2, 3]])
    found = paired_areas(values, np.array([True, False, False]))
    assert found.area == pytest.approx([1, 0])
    assert np.isnan(found.covariance).all()
    assert "fewer than two" in found.note
    two = paired_areas(values[:2], np.array([True, False]))
    assert np.isnan(equal_areas(two)).tolist() == [True, False, True]


def test_missing_scores_and_wrong_shapes_are_refused():
    with pytest.raises(TableError, match="lack a score"):
        paired_areas(np.array([[np.nan], [1]]), np.array([True, False]))
    with pytest.raises(TableError, match="2 rows"):
        paired_areas(np.zeros((3, 1)), np.array([True, False]))
    with pytest.raises(TableError, match="0 and 1"):
        paired_areas(np.zeros((2, 1)), np.array([0, 2]))


def test_delong_keeps_its_level_where_two_scores_are_equally_good():
    rng = np.random.default_rng(20261122)
    below = 0
    for _ in range(1000):
        event = np.arange(60) < 25
        values = rng.normal(size=(60, 2)) + rng.normal(size=(60, 1)) + event[:, None]
        below += compare_areas(values[:, 0], values[:, 1], event).p < 0.05
    assert abs(below / 1000 - 0.05) < 3.5 * np.sqrt(0.05 * 0.95 / 1000)


def test_a_reader_study_gives_areas_differences_and_holms_p_on_common_rows():
    values, event = ovarian()
    given_values = np.vstack([values, [np.nan, 5, 3]])
    study = compare_readers(("K-G", "protein", "albumin"), given_values, np.append(event, True))
    assert (study.n_rows, study.n_left_out, study.n_positive) == (43, 1, int(event.sum()))
    assert [s.levels for s in study.standings] == [len(set(v)) for v in values.T.tolist()]
    assert [(d.first, d.second) for d in study.duels] == [
        ("K-G", "protein"),
        ("K-G", "albumin"),
        ("protein", "albumin"),
    ]
    p = np.array([d.p for d in study.duels])
    assert (p[0], p[1]) == pytest.approx((0.4561, 0.9102), abs=5e-5)
    assert study.duels[int(p.argmin())].p_holm == pytest.approx(3 * p.min())
    assert (round(study.chi2, 4), study.df) == (2.5340, 2)
    single = auc_delong(values, event)
    assert [s.lower for s in study.standings] == pytest.approx(list(single.lower), abs=1e-12)


def test_a_reference_limits_the_duels_and_so_the_adjustment():
    values, event = ovarian()
    study = compare_readers(("K-G", "protein", "albumin"), values, event, reference="albumin")
    assert [(d.first, d.second) for d in study.duels] == [("K-G", "albumin"), ("protein", "albumin")]
    assert study.duels[1].p_holm == pytest.approx(2 * study.duels[1].p)


def test_a_reader_who_gives_one_grade_to_all_is_named():
    values, event = ovarian()
    values[:, 0] = 3
    study = compare_readers(("reader", "protein", "albumin"), values, event)
    assert study.standings[0].area == 0.5
    assert np.isnan(study.standings[0].lower)
    assert study.standings[0].note == "all scores are the same"
    assert not np.isnan(study.duels[0].p)


def test_readers_of_wrong_names_or_rows_are_refused():
    values, event = ovarian()
    with pytest.raises(ParamsError, match="differ"):
        compare_readers(("a", "a", "b"), values, event)
    with pytest.raises(ParamsError, match="hold it"):
        compare_readers(("a", "b", "c"), values, event, reference="d")
    with pytest.raises(TableError, match="no row has all scores"):
        compare_readers(("a", "b", "c"), values * np.nan, event)
