"""What a study is: cases, each with its series, each with its files."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from radiomics_pipeline.errors import StudyError, some


@dataclass(frozen=True)
class SeriesFiles:
    """Files of one series of a case; `problem` says why it cannot be used, empty where nothing is wrong.

    series : its name, empty where the files are just `image` and `mask`
    image : a file, or the folder of a DICOM series
    mask : a label image, an RTSTRUCT or a SEG; None where none is named: `without_mask` then says what is lacking
    references, gates : masks of reference regions, and of the gates of a cycle
    label, roi : what the table of cases says: a number, "all", or empty; the name of a ROI, or empty
    search : folder in which an RTSTRUCT or SEG that belongs to a DICOM series may lie
    facts : what the table of cases says of the acquisition, such as `dose_mbq`
    place : where the table says so, for messages
    """

    series: str
    image: Path
    mask: Path | None
    label: str = ""
    problem: str = ""
    place: str = ""
    roi: str = ""
    references: Path | None = None
    gates: Path | None = None
    search: Path | None = None
    without_mask: str = ""
    facts: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Case:
    """One case: a patient at one time, with one or more image series.

    extra : further cells of its row in a batch table of PyRadiomics, by column; never features
    """

    name: str
    patient: str
    series: tuple[SeriesFiles, ...]
    extra: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Study:
    """Cases of a study in the order of their names, and what was passed over (`notes`).

    root : its folder; of a table that was named by its path, the folder of that
    name : of the folder or the table, as messages call the study
    """

    root: Path
    cases: tuple[Case, ...]
    notes: tuple[str, ...]
    name: str

    def only(self, names: Iterable[str]) -> Study:
        """The study with only these cases; StudyError for a name it does not have."""
        wanted = list(dict.fromkeys(names))
        known = {case.name: case for case in self.cases}
        missing = [name for name in wanted if name not in known]
        if missing:
            raise StudyError(f"{self.name}: no case {', '.join(map(repr, missing))}; there are {some(known, 5)}")
        kept = tuple(case for case in self.cases if case.name in wanted)
        return replace(self, cases=kept)


def natural(text: str) -> list[tuple[int, str]]:
    """A sorting key by which case 2 comes before case 10."""
    parts = [(len(part), part) if part.isdecimal() else (-1, part) for part in re.split(r"0*(\d+)", text)]
    return [*parts, (-2, text)]
