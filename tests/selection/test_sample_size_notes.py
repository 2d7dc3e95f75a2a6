import numpy as np
import pytest

from radiomics_pipeline.errors import ParamsError
from radiomics_pipeline.selection.outcomes.sample_size import class_sizes, sample_size_notes, sample_size_rows
from radiomics_pipeline.stats.anticipated_r2 import max_r2_binary, max_r2_survival
from radiomics_pipeline.stats.sample_size import binary_size, survival_size
from radiomics_pipeline.types.outcome import Outcome


def test_the_rows_are_those_of_the_criteria_for_what_the_study_holds():
    binary = sample_size_rows(Outcome.binary([1] * 20 + [0] * 80), 7)
    wanted = binary_size(7, 0.15 * max_r2_binary(0.2), 0.2)
    assert [r.required_n for r in binary] == [c.n for c in wanted.criteria]
    assert max(r.required_events for r in binary) == pytest.approx(wanted.events)
    assert max(r.epp for r in binary) == pytest.approx(wanted.per_parameter)
    assert binary[2].required_n == np.ceil((1.96 / 0.05) ** 2 * 0.2 * 0.8)
    # by hand: 7 / (-0.1 ln(1 - R2 / 0.9))
    top = 1 - (0.2**0.2 * 0.8**0.8) ** 2
    assert binary[0].required_n == np.ceil(7 / (-0.1 * np.log(1 - 0.15 * top / 0.9)))
    timed = sample_size_rows(Outcome.survival(np.arange(1.0, 101), [0, 1] * 50), 7, horizon=30.0)
    r2 = 0.15 * max_r2_survival(0.5)
    assert [r.required_n for r in timed] == [c.n for c in survival_size(7, r2, 50 / 5050, 30.0, 50.5).criteria]
    assert timed[0].events == 50
    number = sample_size_rows(Outcome.continuous(np.arange(100.0)), 25, explained=0.2)
    assert [r.required_n for r in number] == [918, 401, 259]  # published with R's pmsampsize


def test_classes_need_what_their_hardest_pair_needs():
    shares = np.array([0.7, 0.25, 0.05])
    sizes, supported = class_sizes(500, 10, shares, 0.15)
    wanted = []
    for i, j in ((0, 1), (0, 2), (1, 2)):
        both = shares[i] + shares[j]
        wanted.append(10 / (-0.1 * np.log(1 - 0.15 * max_r2_binary(shares[i] / both) / 0.9)) / both)
    assert sizes[0][1] == np.ceil(max(wanted))
    assert supported == np.floor(500 * 10 / max(wanted))
    two, _ = class_sizes(500, 10, np.array([0.3, 0.7]), 0.15)
    assert two[0][1] == binary_size(10, 0.15 * max_r2_binary(0.3), 0.3).criteria[0].n


def test_a_small_study_is_told_so_and_is_not_refused():
    outcome = Outcome.binary([0] * 40 + [1] * 20)
    notes = sample_size_notes(outcome, 1000)
    assert len(notes) == 2
    assert "60 rows with 20 in the rarer class support no candidate parameter" in notes[0]
    assert "the candidate parameters here (1000) would need" in notes[1]
    rows = sample_size_rows(outcome, 1000)
    assert not any(r.met for r in rows)
    assert rows[0].epp == pytest.approx(rows[0].required_n / 3 / 1000)
    assert rows[0].supported == 0


def test_a_large_study_is_told_so_in_one_sentence():
    outcome = Outcome.binary([0, 1] * 2000)
    (note,) = sample_size_notes(outcome, 5)
    assert "the candidates here (5) need 385 rows" in note
    rows = sample_size_rows(outcome, 5)
    assert all(r.met for r in rows)
    supported = int(rows[0].supported)
    assert all(r.met for r in sample_size_rows(outcome, supported))
    assert not all(r.met for r in sample_size_rows(outcome, supported + 1))


@pytest.mark.parametrize(
    "outcome",
    [
        Outcome.continuous(np.arange(50.0)),
        Outcome.survival(np.arange(1.0, 51), [0, 1] * 25),
        Outcome.competing(np.arange(1.0, 51), [0, 1, 2, 1, 0] * 10),
        Outcome.multiclass(["a", "b", "c", "a", "a"] * 10),
        Outcome.ordinal(["1", "2", "3", "1", "1"] * 10),
    ],
    ids=lambda o: o.kind,
)
def test_every_kind_of_outcome_has_notes_and_rows(outcome):
    rows = sample_size_rows(outcome, 100)
    assert all(r.required_n > 0 and r.n == 50 and r.parameters == 100 for r in rows)
    assert not rows[0].met
    assert rows[0].supported < 100
    assert np.isnan(rows[0].events) == (outcome.kind == "continuous")
    notes = sample_size_notes(outcome, 100)
    assert len(notes) == 2
    assert "nan" not in " ".join(notes)


def test_the_unit_of_time_does_not_matter():
    time, event = np.arange(1.0, 51), [0, 1] * 25
    years, days = (sample_size_rows(Outcome.survival(time * k, event), 10) for k in (1.0, 365.25))
    assert [r.required_n for r in years] == [r.required_n for r in days]


def test_counts_and_shares_beyond_their_range_are_refused():
    outcome = Outcome.binary([0, 1] * 10)
    with pytest.raises(ParamsError, match="at least one"):
        sample_size_notes(outcome, 0)
    with pytest.raises(ParamsError, match="between 0 and 1"):
        sample_size_notes(outcome, 5, explained=1.0)
