"""The cases in any pile of DICOM files: nested folders, no suffixes, several patients and series in one folder.

Files are grouped by what their headers say, never by their names. Patients and studies become labels
(io/pseudonyms.py). Of several series that could be meant one is taken by stated rules, and notes say which were not
and why; a mask belongs to the series that it refers to. Paths stand in the table, which is the user's own, and in no
output.
"""

from __future__ import annotations

import os
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from radiomics_pipeline.batch.case_folders import files_below
from radiomics_pipeline.batch.inputs import LIST_SUFFIX
from radiomics_pipeline.batch.study import natural
from radiomics_pipeline.batch.visits import Visit, days_of, visits_of
from radiomics_pipeline.errors import StudyError
from radiomics_pipeline.io.dicom.catalogue import Catalogue, Entry, catalogue, images, masks
from radiomics_pipeline.io.pseudonyms import distinct_labels

NUCLEAR = ("PT", "NM")


@dataclass(frozen=True)
class Wanted:
    """A series that a case should have. name : in the parameters; text : expression that fits its description"""

    name: str
    modality: str
    text: str = ""

    def fits(self, entry: Entry) -> bool:
        """Whether a series is of this modality, and described so."""
        described = not self.text or re.search(self.text, entry.description, re.IGNORECASE) is not None
        return entry.modality == self.modality and described


USUAL = (Wanted("PET", "PT"), Wanted("SPECT", "NM"), Wanted("CT", "CT"))
"""The series looked for where nothing else is said."""


@dataclass(frozen=True)
class IndexedSeries:
    """The files of one series of a case.

    image : a folder, a file, or a list of files that is still to be written
    listed : the files of that list; empty where `image` is a folder or a file
    mask : the one RTSTRUCT or SEG that refers to it; None where there is none, or several: `candidates`
    """

    image: Path
    listed: tuple[Path, ...] = ()
    mask: Path | None = None
    candidates: tuple[Path, ...] = ()


@dataclass(frozen=True)
class IndexedCase:
    """One examination of one patient. day : since the patient's first one in the export; notes : identify nobody"""

    case: str
    patient: str
    day: int | None
    series: Mapping[str, IndexedSeries]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Index:
    """The cases by label, the names of their series, and notes on the export as a whole."""

    cases: tuple[IndexedCase, ...]
    names: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Pile:
    """What the choice of a series and its place depend on.

    masks : by the UIDs of series and instances that they refer to
    below : how many files of images each folder holds
    """

    masks: Mapping[str, Sequence[Entry]]
    below: Mapping[Path, int]
    out: Path

    @classmethod
    def of(cls, found: Catalogue, out: Path) -> _Pile:
        named: dict[str, list[Entry]] = defaultdict(list)
        for mask in masks(found):
            for uid in mask.referenced_series | mask.referenced_sops:
                named[uid].append(mask)
        files = (path for entry in images(found) for path in (*entry.paths, *entry.copies))
        return cls(named, Counter(folder for path in files for folder in path.parents), out)

    def drawn_on(self, image: Entry) -> list[Entry]:
        """The masks that refer to a series, or to instances of it, in the order of their paths."""
        own = {id(mask): mask for uid in (image.series_uid, *image.sop_uids) for mask in self.masks.get(uid, ())}
        return sorted(own.values(), key=lambda mask: mask.paths)


def index_export(
    export: Path,
    out: Path,
    salt: bytes,
    wanted: Sequence[Wanted] = USUAL,
    progress: Callable[[int, int, str], None] | None = None,
) -> Index:
    """The cases of an export, for a table at `out`; StudyError where there is none.

    progress : called with the number of files read so far, that of all, and nothing
    """
    names = [want.name for want in wanted]
    if len(set(names)) < len(names):
        raise StudyError(f"a series is named twice: {', '.join(sorted({n for n in names if names.count(n) > 1}))}")
    paths = _paths(export)
    found = catalogue(paths, (lambda done: progress(done, len(paths), "")) if progress else None)
    notes = list(_general(found))
    found = replace(found, entries=[e for e in found.entries if not any(map(_unwritable, e.paths))])
    visits, told = visits_of(found)
    cases = _cases(visits, wanted, _Pile.of(found, out), salt)
    if not cases:
        kinds = ", ".join(f"{want.modality} ({want.name})" for want in wanted)
        raise StudyError(
            f"no series of slices of {kinds} among {len(paths)} files; {'; '.join(notes) or 'none is one'}"
        )
    present = tuple(name for name in names if any(name in case.series for case in cases))
    return Index(tuple(cases), present, (*notes, *told))


def _cases(visits: Sequence[Visit], wanted: Sequence[Wanted], pile: _Pile, salt: bytes) -> list[IndexedCase]:
    patients = distinct_labels("P", (visit.patient for visit in visits), salt)
    labels = distinct_labels("C", (visit.key for visit in visits), salt)
    days = days_of(visits)
    cases = []
    for visit in visits:
        label, series, notes = labels[visit.key], {}, []
        for want in wanted:
            chosen, told = _chosen(want, visit, pile)
            notes += told
            if chosen is not None:
                series[want.name], told = _indexed(want.name, chosen, visit, pile, label)
                notes += told
        if series:
            cases.append(IndexedCase(label, patients[visit.patient], days.get(visit.key), series, tuple(notes)))
    return sorted(cases, key=lambda case: natural(case.case))


# Which series ---------------------------------------------------------------------------------------------------------

_RULES: tuple[tuple[Callable[[Entry, _Pile], float], str], ...] = (
    (lambda e, pile: not pile.drawn_on(e), "no mask refers to it"),
    (lambda e, _: e.modality in NUCLEAR and e.attenuation_corrected is False, "not corrected for attenuation"),
    (lambda e, _: e.modality in NUCLEAR and not e.attenuation_corrected, "attenuation correction is not stated"),
    (lambda e, _: e.moving, "gates or time frames"),
    (lambda e, _: -e.slices, "fewer slices"),
    (lambda e, _: e.number, "a higher series number, and else no difference"),
)
"""What speaks against a series, in order: the lower number wins."""


def _chosen(want: Wanted, visit: Visit, pile: _Pile) -> tuple[Entry | None, list[str]]:
    """The series that is meant; the others in notes, each with the first rule that spoke against it."""
    fitting = [entry for entry in visit.entries if want.fits(entry)]
    notes = [f"{want.name}: {_called(e)} passed over: not slices of a volume" for e in fitting if not e.tomographic]
    scores = {id(e): [rule(e, pile) for rule, _ in _RULES] for e in fitting if e.tomographic}
    ranked = sorted((e for e in fitting if e.tomographic), key=lambda e: (scores[id(e)], e.series_uid))
    if not ranked:
        return None, notes
    best = ranked[0]
    for entry in ranked[1:]:
        pairs = zip(scores[id(best)], scores[id(entry)], _RULES, strict=True)
        why = next((reason for a, b, (_, reason) in pairs if a != b), "nothing tells it from the one taken")
        notes.append(f"{want.name}: {_called(entry)} passed over: {why}")
    return best, [*notes, *(f"{want.name}: {remark}" for remark in _remarks(best))]


def _remarks(entry: Entry) -> Iterator[str]:
    if entry.moving:
        yield "the series has gates or time frames"
    if entry.modality in NUCLEAR and entry.attenuation_corrected is False:
        yield "not corrected for attenuation"
    if entry.burned_in:
        yield "its header says that text is burned into the pixels"
    if entry.copies:
        yield f"{len(entry.copies)} files repeat an image that is there already, and are left out"


def _called(entry: Entry) -> str:
    return f"a {entry.modality} series of {entry.slices} {'slice' if entry.slices == 1 else 'slices'}"


# Its mask, and where its files lie ------------------------------------------------------------------------------------


def _indexed(name: str, chosen: Entry, visit: Visit, pile: _Pile, label: str) -> tuple[IndexedSeries, list[str]]:
    notes = []
    drawn = pile.drawn_on(chosen)
    own = [mask for mask in drawn if not _of_another(mask, chosen)]
    if len(own) < len(drawn):
        notes.append(f"{name}: {len(drawn) - len(own)} masks refer to it, but name another patient; not used")
    paths = tuple(sorted(path for mask in own for path in mask.paths))
    if len(paths) > 1:
        notes.append(f"{name}: {len(paths)} masks refer to it; put one of the candidates into {name}_mask")
    if not drawn:
        near = (e for e in visit.entries if e is not chosen and chosen.frame_uid and e.frame_uid == chosen.frame_uid)
        other = next((e.modality for e in near if pile.drawn_on(e)), "")
        notes.append(f"{name}: no mask refers to it{f'; one was drawn on the {other}: see mask_from' if other else ''}")
    image, listed = _place(chosen, f"{label}_{name}", pile)
    if len(paths) == 1:
        return IndexedSeries(image, listed, paths[0]), notes
    return IndexedSeries(image, listed, None, paths), notes


def _of_another(mask: Entry, image: Entry) -> bool:
    """Whether a mask's header names somebody else; one that names nobody does not."""
    numbers = {mask.patient.number, image.patient.number}
    return "" not in numbers and len(numbers) > 1


def _place(entry: Entry, name: str, pile: _Pile) -> tuple[Path, tuple[Path, ...]]:
    """The one file, the folder that holds this series' images only, or a list of the files."""
    if len(entry.paths) == 1:
        return entry.paths[0], ()
    folder = Path(os.path.commonpath([path.parent for path in entry.paths]))
    if pile.below[folder] == len(entry.paths):
        return folder, ()
    lists = pile.out.parent / f"{pile.out.stem}_files"
    return lists / f"{name}{LIST_SUFFIX}", tuple(sorted(entry.paths))


def _paths(export: Path) -> list[Path]:
    if not export.is_dir():
        raise StudyError(f"{export.name}: no such folder")
    try:
        return list(files_below(export))
    except OSError as e:
        raise StudyError(f"{export.name}: a folder in it cannot be read ({e.strerror}); ask for the right") from None


def _unwritable(path: Path) -> bool:
    """Whether a path cannot stand in a table: it has a line break, or is no UTF-8."""
    text = str(path)
    return len(text.splitlines()) != 1 or any("\ud800" <= character <= "\udfff" for character in text)


def _general(found: Catalogue) -> Iterator[str]:
    left_out = sum(any(map(_unwritable, entry.paths)) for entry in found.entries)
    for count, what in (
        (found.foreign, "files are no DICOM"),
        (found.damaged, "files begin like DICOM and cannot be read; copy or export them again"),
        (found.others, "DICOM objects are neither images nor masks"),
        (left_out, "series or masks are left out: names of their files hold line breaks, or are no UTF-8; rename them"),
    ):
        if count:
            yield f"{count} {what}"
