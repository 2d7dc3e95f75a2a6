"""New rows beside those of training: gaps and values of another unit are named."""

import numpy as np

from radiomics_pipeline.batch.selection.plausible import implausible, ranges_of

NAMES = ("a", "b", "c")
TRAINED = np.array([[0.0, 10, np.nan], [1, 20, np.nan], [np.nan, 30, np.nan]])
RANGES = ranges_of(NAMES, TRAINED)


def said(*rows):
    return implausible(RANGES, NAMES, [f"p{i}" for i in range(len(rows))], np.array(rows, np.float64))


def test_ranges_are_those_of_the_values_that_are_there():
    assert RANGES == {"a": (0.0, 1.0), "b": (10.0, 30.0)}


def test_plausible_rows_need_no_note():
    assert said([0.5, 12, np.nan], [-0.9, 49, 7]) == []


def test_rows_and_columns_without_a_value_are_named():
    nan = np.nan
    blank, empty, few = said([nan, nan, nan], [0.5, nan, nan], [0.2, nan, 1])
    assert blank == "1 rows have no value at all: p0"
    assert empty == "1 columns have no value here, and count as at their training median: b"
    assert few == "1 rows lack more than half of the columns: p1"


def test_values_of_another_unit_are_named():
    (note,) = said([0.5, 12e3, 0], [2.5, 20, 0])
    assert note.startswith("2 columns have values further from those of training than these lie apart, in 2 rows: a, b")
