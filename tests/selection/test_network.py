import numpy as np
import pytest
from sklearn.metrics import roc_auc_score
from sklearn.neural_network import MLPClassifier
from sklearn.utils.estimator_checks import parametrize_with_checks

from radiomics_pipeline.selection.learners.network import ROW_SIZE, NetworkClassifier, NetworkRegressor
from radiomics_pipeline.selection.learners.table import LEARNERS
from radiomics_pipeline.selection.registry import method_named


@parametrize_with_checks([NetworkClassifier(nets=2), NetworkRegressor(nets=2)])
def test_networks_pass_scikit_learns_own_checks(estimator, check):
    check(estimator)


@pytest.mark.exhaustive
@parametrize_with_checks([NetworkClassifier(), NetworkRegressor()])
def test_default_networks_pass_scikit_learns_own_checks(estimator, check):
    check(estimator)


def rings(n, seed):
    """Two classes that no line tells apart."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 2))
    return x, ((x**2).sum(axis=1) > 1.4).astype(int)


def test_a_bend_that_no_line_follows_is_learned():
    x, y = rings(300, 0)
    model = NetworkClassifier().fit(x[:200], y[:200])
    assert roc_auc_score(y[200:], model.predict_proba(x[200:])[:, 1]) > 0.95


def test_the_probability_is_the_mean_of_networks_from_different_starts():
    x, y = rings(80, 1)
    model = NetworkClassifier(nets=3, penalties=(3.0,)).fit(x, y)
    parts = [net.predict_proba((x - x.mean(axis=0)) / model.size_) for net in model.nets_]
    assert not np.allclose(parts[0], parts[1])
    np.testing.assert_allclose(model.predict_proba(x), np.mean(parts, axis=0))
    assert [net.hidden_layer_sizes for net in model.nets_] == [(8,)] * 3


def test_rows_are_seen_at_one_length_for_any_number_of_columns_and_unit():
    rng = np.random.default_rng(2)
    for p in (3, 40, 500):
        x = 1000 * rng.normal(size=(60, p))
        model = NetworkClassifier(nets=1, penalties=(3.0,)).fit(x, np.arange(60) % 2)
        seen = model._seen(x)
        assert (seen**2).sum(axis=1).mean() == pytest.approx(ROW_SIZE**2)
        assert seen.shape[1] == min(p, 59)


def test_principal_scores_give_the_same_network_as_the_columns():
    """At their common minimum, with an activation that leaves one: the loss of both is the same."""
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(20, 30)), np.arange(20) % 2
    model = NetworkClassifier(hidden=2, nets=1, penalties=(5.0,), steps=3000).fit(x, y)
    centred = (x - x.mean(axis=0)) / model.size_
    losses = []
    for seed in range(8):
        twin = MLPClassifier(
            (2,), activation="tanh", solver="lbfgs", alpha=5.0, max_iter=3000, tol=1e-10, random_state=seed
        )
        losses.append(twin.fit(centred, y).loss_)
    assert model.nets_[0].loss_ == pytest.approx(min(losses), rel=1e-2)


def test_the_penalty_is_that_of_the_smallest_loss_left_out_and_noise_gets_the_largest():
    rng = np.random.default_rng(4)
    x = rng.normal(size=(80, 10))
    assert NetworkClassifier().fit(x, rng.permutation(np.arange(80) % 2)).penalty_ == 30.0
    bent, y = rings(200, 5)
    assert NetworkClassifier().fit(bent, y).penalty_ < 30.0


def test_the_study_preset_has_fifteen_logistic_units():
    model = method_named("network-28-15-1", LEARNERS).make({}, "binary", 0)
    assert (model.hidden, model.activation) == (15, "logistic")


def test_a_number_is_predicted_in_its_own_unit():
    rng = np.random.default_rng(6)
    x = rng.normal(size=(120, 3))
    y = 1000 + 50 * np.tanh(2 * x[:, 0])
    model = NetworkRegressor().fit(x[:80], y[:80])
    assert np.abs(model.predict(x[80:]) - y[80:]).mean() < 12
