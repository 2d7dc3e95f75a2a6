"""What is known of rows beside features: codes that follow the names, and rows that stay aligned."""

import numpy as np
import pandas as pd
import pytest

from radiomics_pipeline.types.side import Side, codes_of

CENTRE = ("west", "east", "north", "east")
WHOLE = Side(
    centre=CENTRE,
    date=np.array([3.0, 1.0, 2.0, 4.0]),
    row=np.arange(4),
    repeats=np.arange(24.0).reshape(2, 4, 3),
    patient=("p2", "p1", "p1", "p3"),
    blocks={"genes": ("g",)},
)


def test_codes_are_positions_in_alphabetical_order():
    np.testing.assert_array_equal(codes_of(CENTRE), pd.Categorical(CENTRE).codes)
    assert codes_of(CENTRE).dtype == np.float64
    assert codes_of(("10", "9", "1")).tolist() == [1, 2, 0]  # as texts, not as numbers


def test_codes_of_centres_point_into_their_names():
    assert [WHOLE.centres[int(code)] for code in WHOLE.values[:, 0]] == list(CENTRE)


def test_side_columns_stand_in_the_order_of_their_names():
    assert WHOLE.names == ("centre", "patient", "row")
    np.testing.assert_array_equal(WHOLE.values, [[2, 1, 0], [0, 0, 1], [1, 0, 2], [0, 2, 3]])


@pytest.mark.parametrize(
    ("side", "names"),
    [
        (Side(), ()),
        (Side(centre=CENTRE), ("centre",)),
        (Side(row=np.arange(4)), ("row",)),
        (Side(date=np.arange(4.0)), ()),
        (Side(patient=CENTRE), ("patient",)),
    ],
)
def test_what_is_not_known_has_no_column(side, names):
    assert side.names == names
    if names:
        assert side.values.shape == (4, len(names))


def test_chosen_rows_stay_aligned_and_still_find_their_measurements_again():
    keep = np.array([3, 0])
    part = WHOLE.rows(keep)
    assert part.centre == ("east", "west")
    assert part.patient == ("p3", "p2")
    assert part.date.tolist() == [4.0, 3.0]
    np.testing.assert_array_equal(part.repeats[:, part.row.astype(int)], WHOLE.repeats[:, keep])
    assert part.blocks == WHOLE.blocks


def test_rows_of_nothing_known_stay_unknown():
    part = Side().rows(np.array([1]))
    assert (part.centre, part.date, part.row, part.patient) == ((), None, None, ())
