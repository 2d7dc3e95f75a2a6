"""radiomics-pipeline suv: how one PET or SPECT series becomes SUV, in plain words."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from datetime import datetime

    from radiomics_pipeline.imaging.suv import Conversion, PatientOverrides
    from radiomics_pipeline.io.dicom.scan import Found
    from radiomics_pipeline.io.dicom.series import DicomSeries
    from radiomics_pipeline.params.series import SeriesSource
    from radiomics_pipeline.params.suv import Suv
    from radiomics_pipeline.types.acquisition import Acquisition

NORMALISATIONS = ("bw", "lbm", "lbmjames128", "lbmjanma", "ibw", "bsa")
BECQUEREL = {"bq": 1.0, "kbq": 1e3, "mbq": 1e6, "gbq": 1e9, "uci": 3.7e4, "mci": 3.7e7}
WIDTH = 110

_Series = Annotated[
    Path, typer.Argument(metavar="SERIES", help="Folder with the DICOM files of a series, or one such file.")
]
_Params = Annotated[
    str, typer.Option("--params", metavar="NAME_OR_FILE", help="Take unit, normalisation and camera factor from these.")
]
_Section = Annotated[
    str, typer.Option("--series", metavar="NAME", help="Section of the parameters; where several are of PET or SPECT.")
]
_Select = Annotated[
    int, typer.Option("--select", min=0, metavar="N", help="Which series, where the folder holds several.")
]
_Unit = Annotated[
    str, typer.Option("--unit", metavar="UNIT", help="SUV, Bq/ml or counts.", show_default="SUV, or the parameters'")
]
_Normalisation = Annotated[
    str,
    typer.Option(
        "--normalisation",
        metavar="NAME",
        help=f"What SUV is normalised to: {', '.join(NORMALISATIONS)}.",
        show_default="bw, or the parameters'",
    ),
]
_Weight = Annotated[float | None, typer.Option("--weight", metavar="KG", help="As the case table would say it.")]
_Height = Annotated[float | None, typer.Option("--height", metavar="M", help="As the case table would say it.")]
_Sex = Annotated[str, typer.Option("--sex", metavar="M|F|O", help="As the case table would say it.")]
_Dose = Annotated[str, typer.Option("--dose", metavar="DOSE", help="Such as '370 MBq' or '10 mCi'; alone it is Bq.")]
_Injected = Annotated[
    str, typer.Option("--injected", metavar="TIME", help="Administration, such as 2025-01-31T10:05, in local time.")
]


def suv(
    series: _Series,
    params: _Params = "",
    section: _Section = "",
    select: _Select = 0,
    unit: _Unit = "",
    normalisation: _Normalisation = "",
    weight: _Weight = None,
    height: _Height = None,
    sex: _Sex = "",
    dose: _Dose = "",
    injected: _Injected = "",
) -> None:
    """Explain how one series becomes SUV: what its headers say, the rule taken at each step, factor and warnings.

    Nothing is written, and nobody's identity is shown. Exit code 2, with the reason: no SUV can be derived rightly.
    """
    from radiomics_pipeline.imaging.suv import convert
    from radiomics_pipeline.io.dicom.acquisition import read_acquisition
    from radiomics_pipeline.io.dicom.series import read_series

    source = _source(params, section)
    settings = _settings(source, normalisation)
    patient = overrides(weight=weight, height=height, sex=sex, dose=dose, injected=injected)
    chosen = _choose(series, select)
    name = {"PT": "PET", "NM": "SPECT"}[chosen.modality]
    read = read_series(chosen.files, name, gate=source.gate)
    acquisition = read_acquisition(read.headers, name)
    _say(header_page(acquisition))
    conversion = convert(acquisition, settings, patient, unit or source.unit or "SUV")
    _say(conversion_page(conversion, read))
    raise typer.Exit(2 if conversion.missing else 0)


def _say(lines: Iterator[str]) -> None:
    for line in lines:
        print(line)


# What is asked for ----------------------------------------------------------------------------------------------------


def _source(params: str, section: str) -> SeriesSource:
    """The section of the parameters that is meant; defaults without parameters."""
    from radiomics_pipeline.errors import ParamsError
    from radiomics_pipeline.io.params_file import load_params
    from radiomics_pipeline.params.series import SeriesSource

    if not params:
        if section:
            raise ParamsError("--series is a section of the parameters; give --params, too")
        return SeriesSource()
    sections = load_params(params).series
    if section:
        if section not in sections:
            raise ParamsError(f"no section {section!r} in {params}; there are: {', '.join(sections)}")
        return sections[section]
    nuclear = {name: made for name, made in sections.items() if made.unit.upper() != "HU"}
    if len(nuclear) != 1:
        found = ", ".join(nuclear) or "none"
        raise ParamsError(f"{params}: sections of PET or SPECT: {found}; choose one with --series")
    return next(iter(nuclear.values()))


def _settings(source: SeriesSource, normalisation: str) -> Suv:
    from radiomics_pipeline.errors import ParamsError, did_you_mean

    if not normalisation:
        return source.suv
    if normalisation not in NORMALISATIONS:
        near = did_you_mean(normalisation, NORMALISATIONS)
        raise ParamsError(f"--normalisation {normalisation!r}{near}; there are: {', '.join(NORMALISATIONS)}")
    return source.suv.model_copy(update={"normalisation": normalisation})


def overrides(*, weight: float | None, height: float | None, sex: str, dose: str, injected: str) -> PatientOverrides:
    """What the options say of the patient; ParamsError where one cannot be read."""
    from datetime import datetime

    from radiomics_pipeline.errors import ParamsError
    from radiomics_pipeline.imaging.suv import PatientOverrides

    moment = None
    if injected:
        try:
            moment = datetime.fromisoformat(injected)
        except ValueError:
            raise ParamsError(f"--injected {injected!r}: write it as 2025-01-31T10:05") from None
        if len(injected) <= len("2025-01-31"):
            raise ParamsError(f"--injected {injected!r} has no time of day; write it as 2025-01-31T10:05")
    return PatientOverrides(weight, height, sex, becquerel(dose) if dose else None, moment)


def becquerel(text: str) -> float:
    """A dose such as "370 MBq" or "10 mCi" in Bq; ParamsError for anything else."""
    from radiomics_pipeline.errors import ParamsError

    number = text.rstrip("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
    scale = BECQUEREL.get(text[len(number) :].strip().lower() or "bq")
    try:
        value = float(number) * (scale or float("nan"))
    except ValueError:
        value = float("nan")
    if not 0 < value < float("inf"):
        raise ParamsError(f"--dose {text!r}: write a number and one of Bq, kBq, MBq, GBq, uCi, mCi, such as '370 MBq'")
    return value


def _choose(path: Path, select: int) -> Found:
    """The PET or SPECT series that is meant, of those that lie there."""
    from radiomics_pipeline.batch.case_folders import files_below
    from radiomics_pipeline.errors import DamagedFile, MissingFile, MixedSeries, NotDicom
    from radiomics_pipeline.io.dicom.scan import describe, is_dicom
    from radiomics_pipeline.io.volumes import read_file

    if not path.exists():
        raise MissingFile(f"{path.name}: no such folder or file")
    paths = [path] if path.is_file() else list(files_below(path))
    read = (read_file(p, f"file {i} of {len(paths)}") for i, p in enumerate(paths, 1))
    files = [file for file in read if is_dicom(file.data)]
    everything = describe(files)
    if broken := next((found.problem for found in everything if found.problem), ""):
        raise DamagedFile(broken)
    images = [found for found in everything if found.kind == "image" and found.modality in ("PT", "NM")]
    if not images:
        raise NotDicom(f"no PET or SPECT series among {len(files)} DICOM files; {len(paths)} files were looked at")
    if len(images) > 1 and not select:
        raise MixedSeries(f"{len(images)} series lie there; choose one with --select:\n{_listed(images)}")
    if select > len(images):
        raise MixedSeries(f"--select {select}, but there are {len(images)}:\n{_listed(images)}")
    return images[max(select - 1, 0)]


def _listed(images: Sequence[Found]) -> str:
    return "\n".join(f"  {i}: {found.modality}, {len(found.files)} files" for i, found in enumerate(images, 1))


# The page -------------------------------------------------------------------------------------------------------------


def header_page(a: Acquisition) -> Iterator[str]:
    """What the headers say, before anything is made of it."""
    from radiomics_pipeline.io.dicom.vocabulary import scanner

    count, camera = len(a.slices), scanner(a.manufacturer, a.model) or "scanner not given"
    yield f"{a.name} series of {count} {'slice' if count == 1 else 'slices'}, {camera}"
    yield ""
    yield "What the headers say"
    for what, value in _facts(a):
        yield from _entry(what, value)


def _facts(a: Acquisition) -> Iterator[tuple[str, str]]:
    from radiomics_pipeline.io.dicom.facts import CORRECTIONS

    yield "units", " ".join(part for part in (a.units, a.suv_type) if part) or "-"
    if a.mapping_unit:
        yield "mapped to", a.mapping_unit
    yield "decay correction", a.decay_correction or "-"
    yield "corrections", ", ".join(word for word in a.corrections if word in CORRECTIONS) or "-"
    yield "weight", _value(a.weight_kg, "kg")
    yield "height", _value(a.height_m, "m")
    yield "sex", a.sex if a.sex in ("M", "F", "O") else "neither M, F nor O" if a.sex else "-"
    yield "dose, as written", _value(a.dose_bq)
    yield "radionuclide", a.nuclide or "-"
    yield "half-life", _value(a.half_life_s, "s")
    yield from _times(a)
    durations = [s.duration_s for s in a.slices if s.duration_s is not None]
    frames = [s.frame_reference_s for s in a.slices if s.frame_reference_s is not None]
    factors = [s.decay_factor for s in a.slices if s.decay_factor is not None]
    yield "frame duration", _range(durations, "s")
    yield "frame reference", _range(frames, "s")
    yield "decay factor", _range(factors)
    if a.philips_suv_factor is not None or a.philips_bqml_factor is not None:
        yield "Philips' factors", f"SUV {_value(a.philips_suv_factor)}, Bq/ml {_value(a.philips_bqml_factor)}"


def _times(a: Acquisition) -> Iterator[tuple[str, str]]:
    """Times of day; days are counted from the first acquisition."""
    from radiomics_pipeline.imaging.suv import time_of_day

    acquired = [s.acquired for s in a.slices if s.acquired is not None]
    reference = min(acquired) if acquired else a.series_time

    def shown(moment: datetime | None) -> str:
        return "-" if moment is None else time_of_day(moment, reference or moment)

    timed = a.administered_time
    alone = f"{timed.strftime('%H:%M:%S')}, without a date" if timed else "-"
    yield "administration", shown(a.administered) if a.administered else alone
    yield "series", shown(a.series_time)
    first, last = shown(reference if acquired else None), shown(max(acquired, default=None))
    yield "acquisition", first if first == last else f"{first} to {last}"
    private = {"GE's private time": a.ge_reference, "Siemens' private time": a.siemens_reference}
    for what, moment in (private | {"decay corrected to": a.decay_corrected_to}).items():
        if moment is not None:
            yield what, shown(moment)


def conversion_page(conversion: Conversion, read: DicomSeries) -> Iterator[str]:
    """The rule of each step, the factor, the maximum that comes out, and the warnings."""
    from radiomics_pipeline.imaging.suv import STEPS

    yield ""
    yield "What follows"
    steps = [step for step in STEPS if step in conversion.rule]
    for number, step in enumerate(steps, 1):
        yield from _entry(f"{number}. {step.replace('_', '-')}", conversion.rule[step])
    yield ""
    if conversion.missing:
        yield from _entry("Not to be had", conversion.missing, margin="")
    yield from _entry("Factor", _range([float(f) for f in conversion.factors], digits=9), margin="")
    yield from _entry("Maximum", _maximum(conversion, read), margin="")
    yield ""
    yield "Warnings" if conversion.warnings else "No warnings"
    for warning in conversion.warnings:
        yield from textwrap.wrap(warning, WIDTH, initial_indent="  - ", subsequent_indent="    ")


def _maximum(conversion: Conversion, read: DicomSeries) -> str:
    import numpy as np

    values = read.array * conversion.factors[:, None, None]
    values = values if read.padding is None else np.where(read.padding, -np.inf, values)
    z = int(np.unravel_index(int(values.argmax()), values.shape)[0])
    return f"{conversion.unit} {values.max():.6g}, in slice {z + 1} of {values.shape[0]}"


def _entry(what: str, value: str, *, margin: str = "  ") -> list[str]:
    head = f"{margin}{what:<{22 - len(margin)}}"
    return textwrap.wrap(value, WIDTH, initial_indent=head, subsequent_indent=" " * 22) or [head.rstrip()]


def _value(value: float | None, unit: str = "", digits: int = 9) -> str:
    return "-" if value is None else f"{value:.{digits}g} {unit}".rstrip()


def _range(values: list[float], unit: str = "", digits: int = 6) -> str:
    if not values:
        return "-"
    low, high = min(values), max(values)
    return _value(low, unit, digits) if low == high else f"{low:.{digits}g} to {_value(high, unit, digits)}"
