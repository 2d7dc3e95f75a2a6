import numpy as np
import pandas as pd
import pytest

from radiomics_pipeline.errors import ParamsError
from radiomics_pipeline.selection.steps.blocks import BLOCK_OF_FAMILY, BLOCKS, INSIDE, Blocks, blocks_of
from radiomics_pipeline.selection.steps.elimination import Elimination
from radiomics_pipeline.selection.steps.mrmr import Mrmr
from radiomics_pipeline.selection.steps.screen import Screen
from radiomics_pipeline.selection.steps.stability import Stability
from radiomics_pipeline.types.columns import FAMILIES
from tests.selection.selector_studies import planted


def test_the_block_of_a_column_is_read_from_its_name():
    names = {
        "PET_original_glcm_Contrast_fbn32": "texture",
        "original_shape_Sphericity": "shape",
        "PET_log-sigma-3-0-mm-3D_firstorder_Mean": "intensity",
        "original_morphology_Volume": "shape",
        "PET_original_uptake_SUVpeak": "intensity",
        "CT_wavelet-LLH_gldm_DependenceEntropy": "texture",
        "missing_PET_original_ngtdm_Busyness": "texture",
        "age": "other",
        "EGFR_mutation_status": "other",
    }
    assert blocks_of(list(names)) == tuple(names.values())


def test_every_family_of_features_has_a_block():
    assert set(BLOCK_OF_FAMILY) == set(FAMILIES)


def crowded():
    """60 columns of one block go with the outcome strongly, 3 of another weakly."""
    X, y = planted("binary", n=300, columns=63, effect=1.0)
    X[:, 3:60] = X[:, [0]] + X[:, [1]] - X[:, [2]] + 0.5 * X[:, 3:60]
    X[:, 60] += 0.5 * (X[:, 0] + X[:, 1] - X[:, 2])
    return X, y, ("texture",) * 60 + ("shape",) * 3


def test_a_large_block_cannot_crowd_out_a_small_one():
    X, y, blocks = crowded()
    assert not Screen(keep=5).fit(X, y).support_[60:].any()
    found = Blocks(blocks, keep_each=5).fit(X, y)
    assert found.support_[60:].all()
    assert found.support_[:60].sum() == 5
    assert found.order_[:2].tolist() == [60, Screen().fit(X[:, :60], y).order_[0]]


def test_a_block_chooses_as_its_selector_alone_would():
    X, y, blocks = crowded()
    for selector in (Mrmr(), Elimination(), Stability(pairs=5)):
        found = Blocks(blocks, selector, keep_each=4).fit(X, y)
        alone = type(selector)(**selector.get_params() | {"keep": 4}).fit(X[:, 60:], y)
        assert set(found.order_[found.order_ >= 60] - 60) == (set() if alone.nothing_found_ else set(alone.order_))
        np.testing.assert_array_equal(found.scores_[60:], alone.scores_)
        assert set(found.selectors_) == {"texture", "shape"}


def test_blocks_follow_columns_that_were_dropped_before():
    X, y, blocks = crowded()
    left = np.r_[10:60, 61, 60]
    columns = np.r_[left, np.nan].astype(float)
    found = Blocks(blocks, keep_each=1).fit(np.column_stack([X[:, left], X[:, 0]]), y, columns=columns)
    assert found.block_.tolist() == ["texture"] * 50 + ["shape"] * 2 + ["other"]
    assert found.support_[50:].tolist() == [False, True, True]
    names = [f"PET_original_{'glcm' if c < 60 else 'shape'}_F{c}" for c in range(63)]
    named = Blocks(keep_each=2).fit(pd.DataFrame(X, columns=names), y)
    assert named.block_.tolist() == list(blocks)
    assert Blocks().fit(X, y).block_.tolist() == ["other"] * 63


def test_a_block_without_anything_gives_nothing_unless_none_does():
    X, y = planted("binary", n=200, columns=30, effect=2.0)
    blocks = ("a",) * 10 + ("b",) * 10 + ("c",) * 10
    found = Blocks(blocks, Screen(max_q=1e-4)).fit(X, y)
    assert set(found.order_.tolist()) == {0, 1, 2}
    assert found.selectors_["b"].nothing_found_
    noise = Blocks(blocks, Screen(max_q=1e-9)).fit(X[:, ::-1] * 0 + np.random.default_rng(0).normal(size=(200, 30)), y)
    assert noise.nothing_found_
    assert noise.order_.tolist() == [int(np.argmax(noise.scores_))]


def test_patients_reach_the_selector_inside():
    X, y = planted("binary", n=60, columns=6)
    patient = np.repeat(np.arange(30), 2)
    inside = Blocks(selector=Screen()).fit(X, y, patient=patient).selectors_["other"]
    np.testing.assert_array_equal(inside.p_, Screen().fit(X, y, patient=patient).p_)
    assert (inside.p_ != Screen().fit(X, y).p_).any()


def test_blocks_and_selectors_that_do_not_fit_are_refused():
    X, y = planted("binary", n=40, columns=4)
    for selector, columns, message in (
        (Blocks(("a",) * 3), None, "3 blocks for 4 columns"),
        (Blocks(("a",) * 4), [0, 1, 2, 9], "9.0 are no positions"),
        (Blocks(("a",) * 4), [0, 1], "shape"),
        (Blocks(selector=Blocks()), None, "cannot choose inside blocks"),
        (Blocks(keep_each=0), None, "keep_each is 0"),
    ):
        with pytest.raises(ParamsError, match=message):
            selector.fit(X, y, columns=columns)


@pytest.mark.parametrize("name", [m.name for m in INSIDE])
def test_a_plan_names_the_selector_inside_and_the_limit(name):
    built = BLOCKS.make({"selector": name, "keep_each": 2, "blocks": ["a", "b", "b"]}, "binary", 4)
    assert (built.keep_each, built.blocks, built.selector.kind) == (2, ("a", "b", "b"), "binary")
