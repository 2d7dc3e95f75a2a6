import numpy as np
import pytest

from radiomics_pipeline.errors import ParamsError, TableError
from radiomics_pipeline.stats.decision_curve import THRESHOLDS, decision_curve, net_benefit


def predictions(seed, n=90):
    rng = np.random.default_rng(seed)
    event = rng.random(n) < 0.3
    return np.round(np.clip(rng.normal(0.3 + 0.2 * event, 0.2), 0, 1), 2), event


@pytest.mark.parametrize("seed", range(4))
def test_net_benefit_is_that_counted_patient_by_patient(seed):
    p, event = predictions(seed)
    curve = decision_curve(p, event)
    for k, t in enumerate(THRESHOLDS):
        worth = [(1 if e else -t / (1 - t)) if risk >= t else 0 for risk, e in zip(p, event, strict=True)]
        assert curve.model[k, 0] == pytest.approx(np.mean(worth), abs=1e-12)
        everybody = [1 if e else -t / (1 - t) for e in event]
        assert curve.all[k] == pytest.approx(np.mean(everybody), abs=1e-12)
        assert net_benefit(p, event, t) == curve.model[k, 0]
    assert (curve.none == 0).all()
    assert curve.standardised == pytest.approx(curve.model / event.mean())


def test_treating_all_is_worth_nothing_at_the_prevalence_and_a_perfect_model_the_prevalence_everywhere():
    event = np.arange(50) < 10
    curve = decision_curve(event.astype(float), event, np.array([0.1, 0.2, 0.7]))
    assert curve.all[1] == pytest.approx(0, abs=1e-15)
    assert curve.model[:, 0] == pytest.approx([0.2] * 3)
    assert curve.standardised[:, 0] == pytest.approx([1.0] * 3)


def test_several_models_stand_side_by_side_and_harm_is_taken_off_each():
    p, event = predictions(1)
    both = decision_curve(np.column_stack([p, 1 - p]), event, np.array([0.1, 0.4]), harm=np.array([0.0, 0.02]))
    assert both.model[:, 0] == pytest.approx(decision_curve(p, event, np.array([0.1, 0.4])).model[:, 0])
    assert both.model[:, 1] == pytest.approx(decision_curve(1 - p, event, np.array([0.1, 0.4])).model[:, 0] - 0.02)


def test_another_prevalence_gives_the_net_benefit_of_rows_so_weighted():
    p, event = predictions(2)
    t, share = 0.25, 0.05
    weights = np.where(event, share / event.mean(), (1 - share) / (1 - event.mean()))
    worth = np.where(p >= t, np.where(event, 1, -t / (1 - t)), 0)
    assert decision_curve(p, event, [t], prevalence=share).model[0, 0] == pytest.approx((weights * worth).mean())


def test_avoided_treatments_are_those_saved_without_missing_an_event():
    event = np.array([1, 0, 0, 0])
    curve = decision_curve(np.array([0.9, 0.1, 0.1, 0.9]), event, [0.5])
    assert curve.avoided[0, 0] == pytest.approx(0.5)
    assert (curve.sensitivity[0, 0], curve.false_positive_rate[0, 0]) == pytest.approx((1, 1 / 3))


def test_rows_of_one_class_have_a_net_benefit_and_say_so():
    none = decision_curve(np.array([0.1, 0.6]), np.array([0, 0]), [0.5])
    assert none.model[0, 0] == pytest.approx(-0.5)
    assert np.isnan(none.standardised).all()
    assert np.isnan(none.sensitivity).all()
    assert "one class" in none.note
    everyone = decision_curve(np.array([0.1, 0.6]), np.array([1, 1]), [0.5])
    assert everyone.model[0, 0] == pytest.approx(0.5)


def test_a_probability_at_the_threshold_is_treated():
    assert net_benefit(np.array([0.5, 0.1]), np.array([1, 0]), 0.5) == 0.5


def test_thresholds_and_probabilities_that_cannot_be_are_refused():
    p, event = predictions(0)
    for thresholds in ([0.0], [1.0], [np.nan], []):
        with pytest.raises(ParamsError, match="threshold"):
            decision_curve(p, event, thresholds)
    with pytest.raises(ParamsError, match="prevalence"):
        decision_curve(p, event, prevalence=2.0)
    with pytest.raises(TableError, match="within 0 and 1"):
        decision_curve(p * 2, event)
    with pytest.raises(TableError, match="rows, models"):
        decision_curve(np.zeros((2, 2, 2)), np.array([0, 1]))
