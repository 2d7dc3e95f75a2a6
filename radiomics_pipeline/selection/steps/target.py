"""What a selector looks at: the outcome as codes, numbers or times, read from the y that estimators get."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from scipy.stats import rankdata
from sklearn.utils import check_array, check_consistent_length, column_or_1d

from radiomics_pipeline.errors import OutcomeError, ParamsError
from radiomics_pipeline.stats.concordance import compared_times
from radiomics_pipeline.stats.delong import patient_codes
from radiomics_pipeline.types.outcome import CLASSES, KINDS, TIMED, Kind

KindOrAuto = Literal["auto", "binary", "continuous", "multiclass", "ordinal", "survival", "competing"]


@dataclass(frozen=True)
class Target:
    """An outcome of the rows at hand.

    kind : which of types.outcome.KINDS
    value : float64 [rows]; classes: codes from 0 in the order of the labels; continuous: the number; with a time: 1
        where the event (of interest) was seen, else 0
    time : float64 [rows], None unless there is a time
    competing : bool [rows], where a competing event was seen; None unless there are such
    """

    kind: Kind
    value: np.ndarray
    time: np.ndarray | None = None
    competing: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.value)

    @property
    def event(self) -> np.ndarray:
        """Bool [rows]: the second class of two, or the event of interest."""
        return np.asarray(self.value == 1.0)

    @property
    def timed(self) -> np.ndarray:
        """float64 [rows], the times; OutcomeError where the outcome has none."""
        if self.time is None:
            raise OutcomeError(f"a {self.kind} outcome has no times")
        return self.time

    @property
    def compared(self) -> np.ndarray:
        """float64 [rows], the times by which Harrell's C compares rows; see stats.concordance.compared_times."""
        none = np.zeros(len(self), np.bool_)
        return compared_times(self.timed, 2 * (none if self.competing is None else self.competing))

    @property
    def strata(self) -> np.ndarray:
        """int64 [rows]: what subsamples share out evenly, the class or the event; zeros of a number."""
        return np.zeros(len(self), np.int64) if self.kind == "continuous" else self.value.astype(np.int64)

    def rows(self, keep: np.ndarray) -> Target:
        """The rows at these positions (or where True)."""
        time, competing = (None if of is None else of[keep] for of in (self.time, self.competing))
        return Target(self.kind, self.value[keep], time, competing)

    def numbers(self) -> np.ndarray:
        """The outcome as what a linear model or a tree can regress on, float64 [rows, k], column means 0.

        binary, ordinal: the code; continuous: the number; multiclass: one column of 0 and 1 a class; with a time:
        martingale residuals of the Cox model without covariates (`martingale_residuals`), whose products with a
        column sum to the score of that column at coefficient 0. Of competing events those of the cause of interest.
        """
        if self.kind == "multiclass":
            columns = (self.value[:, None] == np.unique(self.value)).astype(np.float64)
        elif self.time is not None:
            columns = martingale_residuals(self.time, self.event)[:, None]
        else:
            columns = self.value[:, None]
        return np.asarray(columns - columns.mean(axis=0))

    def ranks(self) -> np.ndarray:
        """As `numbers`, with the mid-ranks of a code or a number; float64 [rows, k], column means 0."""
        if self.kind in ("binary", "ordinal", "continuous"):
            return np.asarray((2.0 * rankdata(self.value) - (len(self) + 1))[:, None])
        return self.numbers()


def martingale_residuals(time: np.ndarray, event: np.ndarray) -> np.ndarray:
    """Events seen less those expected without covariates (Nelson and Aalen's hazard), float64 [rows]; sum 0.

    time, event : float64, bool [rows]. Therneau, Grambsch and Fleming, Biometrika 1990;77:147,
    doi 10.1093/biomet/77.1.147.
    """
    times, place = np.unique(time, return_inverse=True)
    at_risk = len(time) - np.searchsorted(np.sort(time), times, side="left")
    deaths = np.bincount(place, weights=np.asarray(event, np.float64), minlength=len(times))
    return np.asarray(event, np.float64) - np.cumsum(deaths / at_risk)[place]


def read_target(y: Any, kind: KindOrAuto, n_rows: int) -> Target:
    """The outcome behind an estimator's y.

    y : [rows]; structured (event, time[, cause]), whole numbers, texts or float64
    kind : which outcome it is; "auto": structured is survival, two different values are binary, other whole numbers
        or texts are classes, and float64 is a number, even where it holds whole ones

    Raises ParamsError for an unknown kind, OutcomeError where y is not of that kind, or nothing differs in it.
    """
    if kind not in get_args(KindOrAuto):
        raise ParamsError(f"kind {kind!r} is not one of auto, {', '.join(KINDS)}")
    structured = getattr(getattr(y, "dtype", None), "names", None)
    if structured:
        return _read_times(y, kind, structured, n_rows)
    y = column_or_1d(check_array(y, ensure_2d=False, dtype=None, input_name="y"), warn=True)
    check_consistent_length(np.empty(n_rows), y)
    found = _kind_of(y) if kind == "auto" else kind
    if found in TIMED:
        raise OutcomeError(f"a {found} outcome needs y with the fields event and time, this one is {y.dtype}")
    if found == "continuous":
        return Target("continuous", np.asarray(y, np.float64))
    labels, codes = np.unique(y, return_inverse=True)
    if len(labels) < 2 or (found == "binary" and len(labels) > 2):
        raise OutcomeError(f"{len(labels)} classes among {len(y)} rows of a {found} outcome")
    return Target(found, codes.astype(np.float64))


def _kind_of(y: np.ndarray) -> Kind:
    if len(np.unique(y)) == 2:
        return "binary"
    return "continuous" if y.dtype.kind == "f" else "multiclass"


def _read_times(y: Any, kind: KindOrAuto, names: tuple[str, ...], n_rows: int) -> Target:
    if not {"event", "time"} <= set(names):
        raise OutcomeError(f"y has the fields {', '.join(names)}; event and time are needed")
    if kind in CLASSES or kind == "continuous":
        raise OutcomeError(f"y has times, a {kind} outcome has none")
    check_consistent_length(np.empty(n_rows), y)
    event = np.asarray(y["event"], np.bool_)
    if not event.any():
        raise OutcomeError(f"none of {len(event)} rows has the event")
    time = np.asarray(y["time"], np.float64)
    if "cause" not in names:
        return Target("survival", event.astype(np.float64), time)
    return Target("competing", event.astype(np.float64), time, np.asarray(y["cause"]) > 1)


def patients_of(patient: Any, n_rows: int) -> np.ndarray:
    """Patients as codes from 0, int64 [rows]; every row its own where none are given."""
    if patient is None:
        return np.arange(n_rows)
    check_consistent_length(np.empty(n_rows), patient)
    return patient_codes(np.asarray(patient), n_rows)[0]


def clustered(patients: np.ndarray) -> bool:
    """Whether a patient has several rows."""
    return int(patients.max(initial=-1)) + 1 < len(patients)
