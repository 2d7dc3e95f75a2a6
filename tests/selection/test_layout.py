"""Where inputs stand in X: what may be learned from, and what only steers."""

import numpy as np
import pytest

from radiomics_pipeline.errors import ParamsError
from radiomics_pipeline.selection.layout import find_volume, inputs_of, layout_of
from radiomics_pipeline.types.outcome import Clinical
from radiomics_pipeline.types.side import Side
from tests.selection.studies import table_of

COLUMNS = (
    "PET_original_glcm_Contrast",
    "PET_original_morphology_VolumeMesh",
    "PET_original_uptake_SUVmax",
    "gene1",
    "gene2",
    "patient_MTV",
)
CLINICAL = Clinical(("age", "sex"), np.array([[60, 0], [70, 1], [np.nan, np.nan]]), (None, ("f", "m")))
SIDE = Side(centre=("B", "A", "B"), row=np.arange(3), patient=("p", "q", "q"), blocks={"genes": ("gene2", "gene1")})
TABLE = table_of(np.arange(18.0).reshape(3, 6), COLUMNS)


def named(layout, positions):
    return tuple(layout.names[i] for i in positions)


def test_every_column_of_x_has_its_name_and_value():
    layout, X = layout_of(COLUMNS, CLINICAL, "", SIDE), inputs_of(TABLE, CLINICAL, SIDE)
    assert layout.names == (*COLUMNS, "age", "sex", "centre", "patient", "row")
    assert X.shape == (3, len(layout.names))
    np.testing.assert_array_equal(X[:, :6], TABLE.values)
    np.testing.assert_array_equal(X[:, 6:8], CLINICAL.values)
    for name, position in layout.side.items():
        np.testing.assert_array_equal(X[:, position], SIDE.values[:, SIDE.names.index(name)])


def test_inputs_are_what_their_names_say():
    layout = layout_of(COLUMNS, CLINICAL, COLUMNS[1], SIDE)
    found = {name: named(layout, positions) for name, positions in layout.inputs.items()}
    assert found == {
        "radiomics": (*COLUMNS[:3], "patient_MTV"),
        "volume": (COLUMNS[1],),
        "conventional": ("PET_original_uptake_SUVmax",),
        "clinical": ("age", "sex"),
        "genes": ("gene2", "gene1"),
    }
    assert named(layout, layout.text) == ("sex",)


def test_side_columns_are_never_inputs():
    layout = layout_of(COLUMNS, CLINICAL, "", SIDE)
    learned = {i for positions in layout.inputs.values() for i in positions}
    assert learned.isdisjoint(layout.side.values())
    assert learned | set(layout.side.values()) == set(range(len(layout.names)))


def test_the_volume_is_a_feature_that_steps_are_told_of():
    layout = layout_of(COLUMNS, None, COLUMNS[1], Side(centre=("A",)))
    assert layout.side == {"centre": 6, "volume": 1}
    assert 1 in layout.inputs["radiomics"]
    assert layout_of(COLUMNS).side == {}


def test_an_input_without_a_column_is_not_there():
    layout = layout_of(COLUMNS)
    assert not layout.has(("radiomics", "clinical"))
    assert not layout.has(("volume",))
    assert not layout.has(("genes",))
    assert layout_of(COLUMNS, CLINICAL, COLUMNS[1]).has(("radiomics", "clinical", "volume", "conventional"))


@pytest.mark.parametrize("name", ["radiomics", "volume", "conventional", "clinical"])
def test_a_further_table_cannot_take_the_name_of_another_input(name):
    with pytest.raises(ParamsError, match=f"cannot be called {name}"):
        layout_of(COLUMNS, CLINICAL, "", Side(blocks={name: ("gene1",)}))


def test_x_without_clinical_or_side_columns_is_the_table():
    np.testing.assert_array_equal(inputs_of(TABLE), TABLE.values)
    np.testing.assert_array_equal(inputs_of(TABLE, None, Side()), TABLE.values)


@pytest.mark.parametrize(
    ("column", "is_volume"),
    [
        ("PET_original_morphology_VolumeMesh", True),
        ("original_morphology_VolumeMesh", True),
        ("original_shape_MeshVolume", True),
        ("CT_original_shape_MeshVolume_fbn32", True),
        ("original_shape_VoxelVolume", False),
        ("original_morphology_VolumeMeshDensity", False),
        ("original_glcm_Contrast", False),
    ],
)
def test_the_first_mesh_volume_is_the_volume_baseline(column, is_volume):
    assert find_volume(("a", column, "CT_original_shape_MeshVolume"), "") == (
        column if is_volume else "CT_original_shape_MeshVolume"
    )
    assert find_volume(("a", "b"), "") == ""


def test_a_volume_that_is_named_counts_only_if_it_is_there():
    assert find_volume(("a", COLUMNS[1]), "a") == "a"
    assert find_volume(("a", COLUMNS[1]), "b") == ""
