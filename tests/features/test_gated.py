"""Gated volumes against ellipsoids of known volume."""

from __future__ import annotations

import math

import numpy as np
import pytest

from radiomics_pipeline.errors import EmptyRegion, GeometryMismatch
from radiomics_pipeline.features.gated import gated, gated_volumes


def ellipsoid(axes_mm: tuple[float, float, float], spacing_mm: tuple[float, float, float], shift: float) -> np.ndarray:
    """Voxels whose centre lies in an ellipsoid; bool [48, 48, 48]."""
    place = [((np.arange(48) - 23.5 + shift) * mm) / a for mm, a in zip(spacing_mm, axes_mm, strict=True)]
    z, y, x = np.ix_(*(p**2 for p in place))
    return z + y + x <= 1


def volume_ml(axes_mm: tuple[float, float, float]) -> float:
    return 4 / 3 * math.pi * math.prod(axes_mm) / 1000


@pytest.mark.parametrize(
    ("spacing", "within"), [((2.0, 2.0, 2.0), 0.01), ((4.0, 4.0, 4.0), 0.04), ((5.0, 3.0, 3.0), 0.02)]
)
@pytest.mark.parametrize("shift", [0.0, 0.3])
def test_volumes_and_ejection_fraction_of_a_beating_ellipsoid(spacing, within, shift):
    beat = [1 - 0.25 * math.sin(math.pi * gate / 16) ** 2 for gate in range(16)]
    axes = [(46.0 * b, 29.0 * b, 29.0 * b) for b in beat]
    found = gated_volumes([ellipsoid(a, spacing, shift) for a in axes], spacing)
    np.testing.assert_allclose(found.gates_ml, [volume_ml(a) for a in axes], rtol=within)
    values, reasons = gated.compute(found)
    assert not reasons
    truth = 100 * (1 - 0.75**3)
    assert values["EjectionFraction"] == pytest.approx(truth, abs=1)
    assert values["EndDiastolicVolume"] == pytest.approx(volume_ml(axes[0]), rel=within)
    assert values["EndSystolicVolume"] == pytest.approx(volume_ml(axes[8]), rel=within)
    assert values["StrokeVolume"] == pytest.approx(values["EndDiastolicVolume"] - values["EndSystolicVolume"])
    assert values["EndDiastolicGate"] == 1
    assert values["EndSystolicGate"] in (8, 9)  # volumes of neighbouring gates may be the same count of voxels
    assert values["TimeToEndSystole"] == (values["EndSystolicGate"] - 1) / 16


def test_the_beat_may_begin_anywhere():
    masks = np.array([ellipsoid((a, 20.0, 20.0), (4.0,) * 3, 0) for a in (24.0, 22.0, 30.0, 40.0, 34.0)])
    values, _ = gated.compute(gated_volumes(masks, (4.0, 4.0, 4.0)))
    assert (values["EndDiastolicGate"], values["EndSystolicGate"]) == (4, 2)
    assert values["TimeToEndSystole"] == pytest.approx(3 / 5)


def test_a_heart_that_does_not_beat_has_no_time_of_systole():
    values, reasons = gated.compute(gated_volumes(np.ones((3, 2, 2, 2), bool), (1.0, 1.0, 1.0)))
    assert values["EjectionFraction"] == 0
    assert set(reasons) == {"TimeToEndSystole"}


def test_gates_that_are_no_beat_are_refused():
    mask = np.ones((3, 3, 3), bool)
    with pytest.raises(EmptyRegion, match="gate 2 of 2"):
        gated_volumes([mask, ~mask], (1.0, 1.0, 1.0))
    for masks in ([mask], [], [mask, mask[1:]], [mask[0], mask[0]]):
        with pytest.raises(GeometryMismatch, match="two gates"):
            gated_volumes(masks, (1.0, 1.0, 1.0))
