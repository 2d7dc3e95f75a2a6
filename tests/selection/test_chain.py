from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin, clone
from sklearn.feature_selection import SelectKBest, f_classif
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import parametrize_with_checks

from radiomics_pipeline.errors import ParamsError
from radiomics_pipeline.selection.steps.blocks import Blocks
from radiomics_pipeline.selection.steps.chain import Chain
from radiomics_pipeline.selection.steps.harmonise import ComBat
from radiomics_pipeline.selection.steps.impute import Impute
from radiomics_pipeline.selection.steps.redundancy import DropCorrelated
from radiomics_pipeline.selection.steps.residualise import Residualise
from radiomics_pipeline.selection.steps.robust import KeepRobust, Repeats
from radiomics_pipeline.selection.steps.scale import Scale
from radiomics_pipeline.selection.steps.usable import DropUnusable
from radiomics_pipeline.selection.validation.guards import refuse_fitted, undeclared

SIDE = ("centre", "volume", "row")


@parametrize_with_checks([Chain(), Chain([("impute", Impute()), ("scale", Scale())])])
def test_chains_pass_scikit_learns_own_checks(estimator, check):
    check(estimator)


class Spy(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Keeps what it is given."""

    context: ClassVar[tuple[str, ...]] = ("centre", "patient")

    def fit(self, X, y=None, *, centre=None, patient=None):
        self.seen_ = (np.array(X), y, centre, patient)
        self.n_features_in_ = X.shape[1]
        return self

    def transform(self, X, *, centre=None, patient=None):
        self.later_ = (np.array(X), centre, patient)
        return X


def study(n=90, columns=12, seed=0):
    """Features with gaps, one constant; then centre, volume and row."""
    rng = np.random.default_rng(seed)
    centre, volume = np.arange(n) % 3, rng.lognormal(2, 1, n)
    x = rng.normal(size=(n, columns)) + np.outer(np.log(volume), rng.normal(size=columns)) + centre[:, None]
    x[:, 1] = x[:, 0] + 0.01 * rng.normal(size=n)
    x[rng.random((n, columns)) < 0.03] = np.nan
    x[:, 2] = 1.0
    y = np.nan_to_num(x[:, 4]) + rng.normal(size=n) > 0
    return np.column_stack([x, centre, volume, np.arange(n)]), y


def whole_chain(again):
    return Chain(
        [
            ("robust", KeepRobust(Repeats(again), unmeasured="keep")),
            ("usable", DropUnusable()),
            ("impute", Impute()),
            ("harmonise", ComBat()),
            ("residualise", Residualise()),
            ("redundancy", DropCorrelated()),
            ("scale", Scale()),
            ("select", SelectKBest(f_classif, k=4)),
        ],
        side=SIDE,
    )


def again_of(x, seed=5):
    noise = np.append(np.full(x.shape[1] - 4, 0.05), 20.0)
    return x[None, :, :-3] + noise * np.random.default_rng(seed).normal(size=(2, len(x), x.shape[1] - 3))


def test_a_chain_gives_what_its_steps_give_by_hand():
    x, y = study()
    again = again_of(x)
    rows = np.arange(60)
    features, centre, volume = x[:, :-3], x[:, -3], x[:, -2]
    chain = whole_chain(again).fit(x[rows], y[rows])
    out = features
    for step, known in (
        (KeepRobust(again), {"row": rows}),
        (DropUnusable(), {}),
        (Impute(), {}),
        (ComBat(), {"centre": centre}),
        (Residualise(), {"volume": volume}),
        (DropCorrelated(), {}),
        (Scale(), {}),
    ):
        fitted = step.fit(out[rows], y[rows], **{k: v[:60] for k, v in known.items()})
        out = fitted.transform(out, **{k: v for k, v in known.items() if k != "row"})
    expected = SelectKBest(f_classif, k=4).fit(out[rows], y[rows]).transform(out)
    np.testing.assert_allclose(chain.transform(x), expected, atol=1e-12)


def test_new_rows_change_nothing_of_what_was_learned_and_each_is_treated_by_itself():
    x, y = study()
    again = again_of(x)
    chain = whole_chain(again).fit(x[:60], y[:60])
    out = chain.transform(x)
    np.testing.assert_array_equal(np.vstack([chain.transform(x[[i]]) for i in range(60, 90)]), out[60:])
    wild, other = x.copy(), again.copy()
    wild[60:, :-3] *= 100
    other[:, 60:] = 1e9
    np.testing.assert_array_equal(whole_chain(other).fit(wild[:60], y[:60]).transform(x), out)


def test_names_tell_which_columns_came_through():
    x, y = study()
    names = np.array([f"{c}" for c in range(15)], dtype=object)
    chain = whole_chain(again_of(x)).fit(x, y)
    kept = [int(name) for name in chain.get_feature_names_out(names)]
    assert len(kept) == chain.transform(x).shape[1] == 4
    assert 4 in kept
    assert not {2, 11, 12, 13, 14} & set(kept)  # constant, not robust, side columns
    frame = pd.DataFrame(x, columns=[f"f{c}" for c in range(12)] + list(SIDE))
    assert whole_chain(again_of(x)).fit(frame, y).get_feature_names_out().tolist() == [f"f{c}" for c in kept]


def test_each_step_gets_the_side_columns_it_declares_and_none_as_features():
    x, y = study()
    chain = Chain([("first", Spy()), ("plain", Impute()), ("last", Spy())], side=SIDE).fit(x, y)
    chain.transform(x[:5])
    for name in ("first", "last"):
        features, seen_y, centre, patient = chain[name].seen_
        assert features.shape == (90, 12)
        assert seen_y is y
        np.testing.assert_array_equal(centre, x[:, -3])
        assert patient is None
        np.testing.assert_array_equal(chain[name].later_[1], x[:5, -3])
    assert chain.transform(x).shape == (90, 12)


class ColumnSpy(Spy):
    """Keeps which features its columns are."""

    context: ClassVar[tuple[str, ...]] = ("columns",)

    def fit(self, X, y=None, *, columns=None):
        self.columns_ = columns
        self.n_features_in_ = X.shape[1]
        return self

    def transform(self, X, *, columns=None):
        self.later_ = columns
        return X


def test_a_step_can_ask_which_features_its_columns_are():
    x, y = study()
    steps = [("usable", DropUnusable()), ("impute", Impute(indicator=True)), ("spy", ColumnSpy()), ("scale", Scale())]
    chain = Chain(steps, side=SIDE).fit(x, y)
    told = chain["spy"].columns_
    assert told[:11].tolist() == [0, 1, *range(3, 12)]
    assert np.isnan(told[11:]).all()
    assert len(told) == 11 + len(chain["impute"].indicated_) > 11
    chain.transform(x)
    np.testing.assert_array_equal(chain["spy"].later_, told)
    np.testing.assert_array_equal(chain.origin_, told)
    nameless = FunctionTransformer(np.nan_to_num)
    unnamed = Chain([("nameless", nameless), ("spy", ColumnSpy())], side=SIDE).fit(x, y)
    assert unnamed["spy"].columns_ is None
    assert unnamed.origin_ is None


def test_selection_inside_blocks_knows_the_block_of_each_column_that_is_left():
    x, y = study()
    blocks = tuple(f"block {c % 3}" for c in range(12))
    steps = [("usable", DropUnusable()), ("impute", Impute()), ("blocks", Blocks(blocks, keep_each=1))]
    chain = Chain(steps, side=(*SIDE[:2], "patient")).fit(x, y.astype(np.int64))
    assert chain["blocks"].block_.tolist() == [blocks[c] for c in (0, 1, *range(3, 12))]
    assert sorted(blocks[int(c)] for c in chain.origin_) == ["block 0", "block 1", "block 2"]


def test_a_chain_can_be_cloned_searched_and_set_by_name():
    x, y = study()
    chain = whole_chain(again_of(x)).set_params(select__k=2, redundancy__threshold=0.5)
    chain.fit(x, y)
    fresh = clone(chain)
    assert not hasattr(fresh, "steps_")
    refuse_fitted(fresh)
    np.testing.assert_array_equal(fresh.fit(x, y).transform(x), chain.transform(x))
    assert chain.get_params()["select__k"] == 2
    replaced = chain.set_params(select=SelectKBest(f_classif, k=3)).fit(x, y)
    assert replaced.transform(x).shape[1] == 3


def test_the_steps_given_stay_unfitted():
    x, _ = study()
    steps = [("impute", Impute())]
    chain = Chain(steps, side=SIDE).fit(x)
    assert not hasattr(steps[0][1], "median_")
    assert len(chain["impute"].median_) == 12
    with pytest.raises(KeyError, match="did you mean 'impute'"):
        chain["imput"]


def test_a_chain_serves_inside_a_pipeline_and_declares_its_side_columns():
    x, y = study()
    pipeline = make_pipeline(whole_chain(again_of(x)), LogisticRegression())
    assert pipeline.fit(x, y).score(x, y) > 0.6
    assert undeclared(pipeline, (*SIDE, "patient")) == (3,)
    assert isinstance(clone(pipeline), Pipeline)


@pytest.mark.parametrize(
    ("steps", "side", "message"),
    [
        ([], ("centre", "row", "centre"), "side column 'centre' is named twice"),
        ([("a", Impute()), ("a", Scale())], (), "step 'a' is named twice"),
        ([("a", LogisticRegression())], (), "no fit and transform"),
        ([], ("columns",), "cannot be called 'columns'"),
        ([], tuple("abcdefghijklmno"), "no feature is left"),
    ],
)
def test_chains_that_cannot_be_are_refused(steps, side, message):
    with pytest.raises(ParamsError, match=message):
        Chain(steps, side=side).fit(study()[0])
