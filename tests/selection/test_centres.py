"""Centres without training rows are found before anything is fitted; inner folds leave their rows as they are."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from radiomics_pipeline.errors import OutcomeError, ParamsError
from radiomics_pipeline.selection.steps.chain import Chain
from radiomics_pipeline.selection.steps.harmonise import ComBat
from radiomics_pipeline.selection.validation.centres import centre_codes, lenient, refuse_unseen_centres, suits
from radiomics_pipeline.selection.validation.folds import Fold
from radiomics_pipeline.selection.validation.permutation import permutation_test
from radiomics_pipeline.selection.validation.resampling import resample
from radiomics_pipeline.selection.validation.schemes import bootstrap
from radiomics_pipeline.types.side import Side
from tests.selection.studies import study

CODES = np.array([0.0, 0, 0, 1, 1, 2])
X = np.column_stack([np.arange(6.0), CODES, np.arange(6.0)])
SIDE = ("centre", "row")


def plan(**settings):
    harmonise = ComBat(centres=("A", "B", "C"), **settings)
    return make_pipeline(Chain([("harmonise", harmonise)], ("centre",)), LogisticRegression())


def fold(train, test):
    return Fold(1, 2, np.array(train), np.array(test), "later")


def test_the_centres_are_found_among_the_last_columns():
    assert centre_codes(X, SIDE).tolist() == CODES.tolist()
    assert centre_codes(X, ("row",)) is None


def test_a_fold_that_tests_a_centre_without_training_rows_is_named():
    with pytest.raises(ParamsError, match=r"fold 2 of repeat 1 \(later\) tests 1 rows of 'C'.*there are A, B"):
        refuse_unseen_centres(plan(), X, SIDE, [fold([0, 1, 3], [2, 4]), fold([0, 1, 3], [4, 5])])
    for served in (plan(unseen="mean"), LogisticRegression()):
        refuse_unseen_centres(served, X, SIDE, [fold([0, 1, 3], [4, 5])])
    refuse_unseen_centres(plan(), X, ("row",), [fold([0, 1, 3], [4, 5])])


def test_a_reference_centre_without_training_rows_is_named():
    with pytest.raises(ParamsError, match="trains on no row of the reference centre 'C'"):
        refuse_unseen_centres(plan(reference="C"), X, SIDE, [fold([0, 1, 3], [2, 4])])


def test_inner_folds_leave_rows_of_an_untrained_centre_as_they_are():
    strict = plan()
    assert not suits(strict, CODES, np.array([0, 3]), np.array([5]))
    assert suits(lenient(strict), CODES, np.array([0, 3]), np.array([5]))
    assert suits(strict, CODES, np.array([0, 3]), np.array([1, 4]))
    assert strict.get_params()["chain"].get_params()["harmonise"].unseen == "refuse"
    assert lenient(plan(reference="A")).get_params()["chain"].get_params()["harmonise"].unseen == "reference"


def resampled(table, outcome, rows=None, side=None):
    pipeline = make_pipeline(LogisticRegression())
    return resample(pipeline, table, outcome, draws=5, seed=3, rows=rows, side=side)


def test_the_bootstrap_of_some_rows_is_that_of_their_own_table():
    table, outcome, _ = study(n=70, columns=4)
    own = np.arange(40)
    whole = resampled(table, outcome, rows=own)
    alone = resampled(table.rows(own), outcome.rows(own))
    assert [repr(row) for row in whole] == [repr(row) for row in alone]
    assert whole[0].apparent != resampled(table, outcome)[0].apparent


def test_samples_that_a_plan_cannot_be_fitted_to_are_drawn_anew():
    table, outcome, _ = study(n=40, columns=3)
    small = np.arange(40) < 2

    def serves(train, test):
        return bool(small[train].any())

    plain = bootstrap(table, outcome, draws=60, seed=1)
    assert not all(serves(f.train, f.test) for f in plain.folds)
    assert all(serves(f.train, f.test) for f in bootstrap(table, outcome, draws=60, seed=1, serves=serves).folds)
    with pytest.raises(OutcomeError, match="lack a class, event or centre"):
        bootstrap(table, outcome, draws=1, seed=1, serves=lambda train, test: False)


def test_arrangements_that_leave_a_centre_untrained_are_drawn_anew():
    table, outcome, _ = study(n=40, columns=3)
    centre = tuple("B" if i in (0, 39) else "A" for i in range(40))
    harmonise = ComBat(centres=("A", "B"))
    pipeline = make_pipeline(Chain([("harmonise", harmonise)], ("centre",)), LogisticRegression())
    rows = np.arange(40)
    folds = [Fold(1, 1, rows[:20], rows[20:]), Fold(1, 2, rows[20:], rows[:20])]
    found = permutation_test(pipeline, table, outcome, folds, permutations=20, seed=1, side=Side(centre=centre))
    assert found.permutations == 20
    assert np.isfinite(found.null_mean)
