"""Tracer files: their values are those of the table they were typed from, each line says where it comes from."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import numpy as np
import pytest

from radiomics_pipeline.extraction.standards import plan_series
from radiomics_pipeline.io.params_file import find_params, load_params, parse_params, tracers
from radiomics_pipeline.params.levels import FixedBinNumber, FixedBinSize
from radiomics_pipeline.params.uptake import camel
from radiomics_pipeline.types import Grid, Region, Volume
from radiomics_pipeline.types.context import Context, ReferenceValues
from tests import hearts


@dataclass(frozen=True)
class Row:
    """What the table of tracers says. bins : width of a bin in the unit, or -number of bins; voxel_mm None: native

    references : active or, as most need a further file, after "#:"; outline : of `segment`, likewise
    """

    series: str
    unit: str
    voxel_mm: float | None
    bins: float
    reseg: tuple[float | None, float | None]
    outline: dict[str, object] | None
    references: tuple[str, ...]
    with_ct: bool = False
    volumes: tuple[str, ...] = ()
    ratios: tuple[str, ...] = ()
    not_computed: tuple[str, ...] = ()


FROM_0, ALL = (0.0, None), (None, None)


def percent(value: float) -> dict[str, object]:
    return {"method": "percent-of-maximum", "percent": value}


def fixed(value: float) -> dict[str, object]:
    return {"method": "fixed", "threshold": value}


def reference(region: str, factor: float) -> dict[str, object]:
    return {"method": "reference", "region": region, "factor": factor}


TABLE = {
    "fdg": Row("PET", "SUV", 4, 0.25, FROM_0, percent(41), ("liver",), True, ("Percent41", "Percent50")),
    "fdg_lymphoma": Row(
        "PET", "SUV", 4, 0.25, FROM_0, fixed(4) | {"min_volume_ml": 3, "lesions": "split", "search": "image"},
        ("liver", "mediastinum"), True, ("Value4", "Value2.5", "Percent41"), (), ("Deauville", "qPET"),
    ),
    "psma": Row("PET", "SUV", 4, 0.25, FROM_0, fixed(3), ("liver", "parotid", "blood"), True, ("Value3", "Value4")),
    "psma1007": Row(
        "PET", "SUV", 4, 0.25, FROM_0, fixed(4), ("spleen", "parotid", "blood"), True, ("Value4", "Value3")
    ),
    "sstr": Row(
        "PET", "SUV", 4, 0.5, FROM_0, percent(50), ("liver", "spleen"), True, ("Percent50", "Percent45", "Percent60")
    ),
    "fet": Row(
        "PET", "SUV", 2, 0.1, FROM_0, reference("background", 1.6), ("background",), False,
        ("Background1.6mean",), ("tbr",), ("TTP",),
    ),
    "fdopa": Row(
        "PET", "SUV", 2, 0.1, FROM_0, reference("striatum", 1), ("striatum", "occipital", "cerebellum"), False,
        ("Striatum1mean",), ("tbr", "suvr", "sbr"),
    ),
    "flt": Row(
        "PET", "SUV", 4, 0.25, FROM_0, {"method": "background-adapted", "percent": 50}, ("aorta",), True,
        ("Percent50OfPeak",),
    ),
    "naf": Row("PET", "SUV", 4, 1.0, FROM_0, fixed(10), ("bone",), True, ("Value10", "Value15", "Value9")),
    "fapi": Row("PET", "SUV", 4, 0.25, FROM_0, percent(40), ("muscle", "blood"), True, ("Percent40",)),
    "amyloid": Row("PET", "SUV", 2, 0.05, FROM_0, None, ("cerebellum",), False, (), ("suvr",), ("Centiloid",)),
    "fpcit": Row("SPECT", "counts", None, -32, ALL, None, ("occipital",), False, (), ("sbr",)),
    "mibg": Row(
        "SPECT", "counts", None, -32, ALL, percent(40), ("mediastinum",), False, ("Percent40",), ("tbr",),
        ("HM_early", "HM_late", "washout"),
    ),
    "bone_spect": Row("SPECT", "SUV", None, 1.0, FROM_0, percent(40), ("vertebra",), True, ("Percent40",)),
    "mpi_pet": Row("stress", "SUV", 4, 0.25, ALL, None, ("blood",), False, (), (), ("MBF", "MFR")),
    "maa": Row("SPECT", "counts", None, -32, ALL, None, ("liver",), False, (), ("tbr",), ("lung_shunt",)),
    "lu177_spect": Row(
        "SPECT", "Bq/ml", None, -64, ALL, percent(40), (), False, ("Percent40",), (), ("time_integrated_activity",)
    ),
}  # fmt: skip
"""All tracers but myocardial perfusion SPECT, which has its own tests."""
NEED_REFERENCES = ("fet", "fdopa", "amyloid", "fpcit")
"""Tracers whose numbers mean nothing without a reference region: theirs are active."""
NAMES = [name for name in tracers() if "/" not in name]


def text_of(name: str) -> str:
    return find_params(name).read_text("utf-8")


def uncommented(name: str) -> str:
    """The file with what stands after "#:" taken in; an active section of the same name gets it."""
    taken = re.sub(r"^( *)#: ", r"\1", text_of(name), flags=re.MULTILINE)
    return taken.replace("@", "")


def test_every_tracer_of_the_table_has_its_file():
    assert {*TABLE, "mpi_spect", "ct"} == set(NAMES)


@pytest.mark.parametrize("name", TABLE)
def test_the_values_are_those_of_the_table(name):
    row, params = TABLE[name], load_params(name)
    section = params.series[row.series]
    assert section.unit == row.unit
    assert (section.resample.voxel_mm if section.resample else None) == row.voxel_mm
    scheme = section.discretise
    if row.bins < 0:
        assert isinstance(scheme, FixedBinNumber)
        assert scheme.bins == -row.bins
    else:
        assert isinstance(scheme, FixedBinSize)
        assert (scheme.width, scheme.origin) == (row.bins, 0)
    assert section.resegment.range == row.reseg
    assert section.uptake is not None
    assert tuple(threshold.token for threshold in section.uptake.volumes) == row.volumes
    if row.ratios:
        assert section.uptake.ratios == row.ratios
    assert set(row.not_computed) <= set(params.not_computed)
    assert ("CT" in params.series) == row.with_ct


@pytest.mark.parametrize("name", TABLE)
def test_outline_and_references_are_those_of_the_table_once_they_are_taken_in(name):
    row = TABLE[name]
    section = parse_params(uncommented(name).encode(), name).series[row.series]
    assert tuple(section.references) == row.references
    if row.outline is None:
        assert section.segment is None
    else:
        found = section.segment.model_dump()
        assert {key: found[key] for key in row.outline} == row.outline


@pytest.mark.parametrize("name", TABLE)
def test_masks_are_taken_as_drawn_and_need_no_further_file_unless_the_tracer_does(name):
    section = load_params(name).series[TABLE[name].series]
    assert (section.segment is not None) == (name == "fdg_lymphoma")
    assert bool(section.references) == (name in NEED_REFERENCES)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "mpi_spect"])
def test_every_line_with_a_value_says_where_it_comes_from(name):
    silent = []
    for line in text_of(name).splitlines():
        bare = line.strip().removeprefix("#: ")
        if not bare or bare.startswith(("#", "description:")) or re.fullmatch(r"[\w.-]+:(?: &\w+)?", bare):
            continue
        if not re.search(r"\S\s+# \S", bare):
            silent.append(line)
    assert silent == []


@pytest.mark.parametrize("name", NAMES)
def test_series_that_are_usual_together_stand_together_and_ct_may_lack(name):
    params = load_params(name)
    if name != "ct" and "CT" in params.series:
        assert not params.series["CT"].required
        assert params.series["CT"].unit == "HU"


@pytest.mark.parametrize("name", TABLE)
def test_acquisitions_are_checked_for_the_tracer(name):
    ranges = load_params(name).series[TABLE[name].series].acquisition
    assert ranges.nuclides
    assert ranges.tracers


SCALES = {"HU": 100.0, "counts": 1000.0, "Bq/ml": 1e5}
"""Intensities are some of these, in each unit."""
LYING = (1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, -1.0, 0.0)
"""A ventricle whose base lies behind, its anterior wall towards the head."""


def heart_or_ball(unit: str, *, heart: bool) -> tuple[Volume, Region]:
    """The wall of a noisy ventricle with a defect, or a noisy ball, in intensities usual for the unit."""
    if heart:
        image, drawn = hearts.heart(lambda angle, height: np.where(abs(angle - 270) < 40, 0.4, 1.0))
        grid = replace(image.grid, direction=LYING)
        array, outline = image.array / 20 + 1, Region(drawn.morphology, drawn.morphology, grid)
    else:
        shape, spacing_mm = (14, 16, 18), (3.0, 2.5, 2.5)
        z, y, x = np.indices(shape)
        mask = ((z - 7) * 3.0) ** 2 + ((y - 8) * 2.5) ** 2 + ((x - 9) * 2.5) ** 2 <= 14**2
        array, outline = 1.0 + 5 * mask, Region(mask, mask, Grid(shape, spacing_mm), "lesion", 1)
    noisy = array * np.random.default_rng(1).gamma(50, 0.02, array.shape)
    return Volume(noisy * SCALES.get(unit, 1.0) - (500 if unit == "HU" else 0), outline.grid, unit), outline


@pytest.mark.parametrize(("name", "series"), [(n, s) for n in TABLE for s in load_params(n).series])
def test_every_series_of_every_file_gives_numbers(name, series):
    params = load_params(name)
    section = params.series[series]
    volume, outline = heart_or_ball(section.unit, heart=section.polar_map is not None)
    scale = SCALES.get(section.unit, 1.0)
    references = {key: ReferenceValues(1.0 * scale, 0.2 * scale, 2.0 * scale, 99, 9.0) for key in section.references}
    found = plan_series(params, series).extract(volume, outline, Context(references, float(volume.array.sum())))
    undefined = [column for column, value in found.values.items() if np.isnan(value)]
    assert len(found.values) > 150
    assert set(undefined) == set(found.undefined)
    assert undefined == []
    for key in section.references:
        for kind in section.uptake.ratios:
            start = f"{series}_original_uptake_{kind.capitalize()}{camel(key)}"
            assert any(column.startswith(start) for column in found.values), start
