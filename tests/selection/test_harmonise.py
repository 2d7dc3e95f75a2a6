import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from radiomics_pipeline.errors import ParamsError, TableError
from radiomics_pipeline.params.steps import HarmoniseParams
from radiomics_pipeline.selection.steps.chain import Chain
from radiomics_pipeline.selection.steps.harmonise import ComBat
from radiomics_pipeline.stats.combat import apply_combat, fit_combat


@parametrize_with_checks([ComBat(), ComBat(parametric=False), ComBat(mean_only=True)])
def test_harmonisation_passes_scikit_learns_own_checks(estimator, check):
    check(estimator)


def measured_at(n=90, columns=20, k=3, seed=0, offset=1.0):
    rng = np.random.default_rng(seed)
    centre = np.arange(n) % k
    shift = offset * rng.normal(size=(k, columns))
    return rng.normal(size=(n, columns)) * (1 + 0.5 * centre[:, None]) + shift[centre], centre.astype(float)


def test_it_is_combat_of_the_training_rows():
    x, centre = measured_at()
    codes = centre.astype(int)
    step = ComBat().fit(x[:60], centre=centre[:60])
    expected = apply_combat(x, codes, fit_combat(x[:60], codes[:60]))
    np.testing.assert_array_equal(step.transform(x, centre=centre), expected)
    assert step.centres_ == ("0", "1", "2")
    assert step.rows_.tolist() == [20, 20, 20]


def test_each_row_is_harmonised_by_itself_and_new_rows_change_nothing():
    x, centre = measured_at()
    step = ComBat().fit(x[:60], centre=centre[:60])
    whole = step.transform(x, centre=centre)
    alone = np.vstack([step.transform(x[[i]], centre=centre[[i]]) for i in range(60, 90)])
    np.testing.assert_array_equal(alone, whole[60:])
    changed = np.vstack([x[:60], 100 * x[60:]])
    np.testing.assert_array_equal(step.transform(changed, centre=centre)[:60], whole[:60])


def test_the_outcome_is_not_looked_at():
    x, centre = measured_at()
    y = np.arange(90) % 2
    with_y = ComBat().fit(x, y, centre=centre).transform(x, centre=centre)
    np.testing.assert_array_equal(with_y, ComBat().fit(x, centre=centre).transform(x, centre=centre))
    assert set(ComBat().get_params()) == {"parametric", "mean_only", "reference", "unseen", "centres"}


def test_an_unseen_centre_is_refused_by_name():
    x, centre = measured_at()
    names = ("Leuven", "Liege", "Gent")
    step = ComBat(centres=names).fit(x[centre < 2], centre=centre[centre < 2])
    assert step.centres_ == ("Leuven", "Liege")
    with pytest.raises(TableError, match=r"30 rows are of 'Gent'.*Leuven, Liege.*unseen='mean'"):
        step.transform(x, centre=centre)


def test_rows_of_an_unseen_centre_keep_their_values_where_that_is_asked_for():
    x, centre = measured_at()
    seen = centre < 2
    for step in (ComBat(unseen="mean"), ComBat(unseen="reference", reference="1")):
        out = step.fit(x[seen], centre=centre[seen]).transform(x, centre=centre)
        np.testing.assert_array_equal(out[~seen], x[~seen])
        assert (out[centre == 0] != x[centre == 0]).all()


def test_values_of_the_reference_centre_stay():
    x, centre = measured_at()
    for given, name in ((centre, "1"), (np.array(["A", "B", "C"])[centre.astype(int)], "B")):
        out = ComBat(reference=name).fit(x, centre=given).transform(x, centre=given)
        np.testing.assert_allclose(out[centre == 1], x[centre == 1], rtol=1e-13)


def test_one_centre_and_none_change_nothing():
    x, _ = measured_at()
    np.testing.assert_array_equal(ComBat().fit_transform(x), x)
    alone = ComBat().fit(x, centre=np.zeros(90))
    np.testing.assert_array_equal(alone.transform(x, centre=np.zeros(90)), x)


def test_codes_are_left_alone_and_tell_nothing_about_features():
    x, centre = measured_at()
    sex = (np.arange(90) % 7 < 3).astype(float)
    both = np.column_stack([x, sex])
    out = ComBat().fit(both, centre=centre).transform(both, centre=centre)
    np.testing.assert_array_equal(out[:, -1], sex)
    np.testing.assert_array_equal(out[:, :-1], ComBat().fit(x, centre=centre).transform(x, centre=centre))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"unseen": "guess"}, "guess"),
        ({"unseen": "reference"}, "needs a reference"),
        ({"unseen": "mean", "reference": "0"}, "without a reference"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(settings, message):
    x, centre = measured_at()
    with pytest.raises(ParamsError, match=message):
        ComBat(**settings).fit(x, centre=centre)


def test_centres_that_cannot_be_used_are_refused():
    x, centre = measured_at()
    with pytest.raises(TableError, match="'9' has no training row"):
        ComBat(reference="9").fit(x, centre=centre)
    with pytest.raises(TableError, match="one training row"):
        ComBat(reference="5").fit(x, centre=np.where(np.arange(90) == 0, 5.0, centre))
    with pytest.raises(TableError, match="1 rows have no centre"):
        ComBat().fit(x, centre=np.where(np.arange(90) == 0, np.nan, centre))
    with pytest.raises(TableError, match="1 rows have no centre"):
        ComBat().fit(x, centre=["", *["A"] * 89])
    with pytest.raises(TableError, match="2 names"):
        ComBat(centres=("A", "B")).fit(x, centre=centre)
    with pytest.raises(TableError, match="89,"):
        ComBat().fit(x, centre=centre[1:])
    with pytest.raises(TableError, match="not known"):
        ComBat().fit(x, centre=centre).transform(x)
    with pytest.raises(TableError, match="without centres"):
        ComBat().fit(x).transform(x, centre=centre)


def area_in_a_third_centre(seed):
    """AUC in a centre left out: without offsets, with them, and with them and ComBat."""
    rng = np.random.default_rng(seed)
    centre = np.arange(600) % 3
    y = rng.random(600) < np.array([0.2, 0.8, 0.5])[centre]
    clean = rng.normal(size=(600, 10))
    clean[:, 0] += 0.8 * y
    offset = np.outer(np.array([1.0, -1.0, 0.0])[centre], rng.choice([-1, 1], 10) * (np.arange(10) > 0) + np.eye(10)[0])
    train, test = centre < 2, centre == 2
    harmonised = [("combat", ComBat(unseen="mean")), ("scale", StandardScaler())]
    areas = []
    for x, steps in ((clean, harmonised[1:]), (clean + offset, harmonised[1:]), (clean + offset, harmonised)):
        data = np.column_stack([x, centre])
        chain = Chain(steps, side=("centre",)).fit(data[train])
        model = LogisticRegression().fit(chain.transform(data[train]), y[train])
        areas.append(roc_auc_score(y[test], model.decision_function(chain.transform(data[test]))))
    return areas


def test_offsets_that_follow_prevalence_mislead_a_model_and_combat_restores_it():
    areas = np.array([area_in_a_third_centre(seed) for seed in range(20)])
    lost, regained = areas[:, 0] - areas[:, 1], areas[:, 2] - areas[:, 1]
    for gain in (lost, regained):
        assert gain.mean() > 0.03 + 3 * gain.std(ddof=1) / np.sqrt(20)
    assert areas[:, 2].mean() > areas[:, 0].mean() - 0.02


def test_settings_of_a_plan_are_the_steps_own_defaults():
    given = HarmoniseParams().model_dump(exclude={"method"})
    assert ComBat(**given).get_params() == ComBat().get_params()
    for wrong in ({"unseen": "reference"}, {"unseen": "mean", "reference": "A"}):
        with pytest.raises(ValueError, match="reference"):
            HarmoniseParams(**wrong)
