"""Examinations in a pile of DICOM files: whose they are, and which studies belong to one of them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from radiomics_pipeline.io.dicom.catalogue import Catalogue, Entry, images

Key = tuple[str, ...]
"""What tells patients apart; never to be written."""


@dataclass
class Visit:
    """One examination: one study, or several that share day and frame of reference. Identifies; never to be written."""

    patient: Key
    studies: set[str]
    entries: list[Entry] = field(default_factory=list)

    @property
    def key(self) -> Key:
        """What tells it from all others."""
        return (*self.patient, min(self.studies))


def visits_of(found: Catalogue) -> tuple[list[Visit], list[str]]:
    """The examinations with the series of images of each, and notes that identify nobody."""
    people, notes = _people(found)
    visits: dict[Key, Visit] = {}
    for entry in images(found):
        patient = people[entry.patient.number, entry.patient.name, entry.study_uid]
        fresh = Visit(patient, {entry.study_uid})
        visits.setdefault(fresh.key, fresh).entries.append(entry)
    joined = _joined(visits.values())
    if len(joined) < len(visits):
        notes.append(
            f"{len(visits) - len(joined)} studies share day and frame of reference with another of their patient, and "
            "are one case with it"
        )
    return joined, notes


def days_of(visits: Iterable[Visit]) -> dict[Key, int]:
    """Days since the patient's first examination, by the key of the visit; without those whose day is not known."""
    dates = {visit.key: day for visit in visits if (day := _day(visit)) is not None}
    first: dict[Key, date] = {}
    for key, day in dates.items():
        first[key[:-1]] = min(day, first.get(key[:-1], day))
    return {key: (day - first[key[:-1]]).days for key, day in dates.items()}


def _people(found: Catalogue) -> tuple[Mapping[tuple[str, str, str], Key], list[str]]:
    """The patient of each entry, by number, name and study: by the number, or what stands in its place."""
    names: dict[str, set[str]] = defaultdict(set)
    for entry in images(found):
        names[entry.patient.number].add(entry.patient.name)
    shared = {number for number, called in names.items() if number and len(called - {""}) > 1}
    keys: dict[tuple[str, str, str], Key] = {}
    nobody = set()
    for entry in images(found):
        number, name, study = entry.patient.number, entry.patient.name, entry.study_uid
        if number or name:
            keys[number, name, study] = (number,) if number and number not in shared else (number, name)
        else:
            nobody.add(study)
            keys[number, name, study] = ("", "", study)
    notes = []
    if shared:
        notes.append(
            f"{len(shared)} patient numbers stand beside several names each; every name is taken as a patient of its "
            "own: where they are one person, give their rows one patient"
        )
    if nobody:
        notes.append(
            f"{len(nobody)} studies name no patient; each is taken as a patient of its own: where several are one "
            "person's, give their rows one patient, so that they stay in one fold"
        )
    return keys, notes


def _joined(visits: Iterable[Visit]) -> list[Visit]:
    """Studies of one patient, day and frame of reference as one examination: PET and CT may come as two."""
    joined: list[Visit] = []
    for visit in visits:
        frames = _frames(visit)
        same = [other for other in joined if other.patient == visit.patient and frames & _frames(other)]
        for other in same:
            joined.remove(other)
        entries = [entry for other in (*same, visit) for entry in other.entries]
        studies = {study for other in (*same, visit) for study in other.studies}
        joined.append(Visit(visit.patient, studies, entries))
    return joined


def _frames(visit: Visit) -> set[tuple[str, str]]:
    return {(e.study_date, e.frame_uid) for e in visit.entries if e.study_date and e.frame_uid}


def _day(visit: Visit) -> date | None:
    match = re.fullmatch(
        r"(\d{4})\.?(\d{2})\.?(\d{2})", min((e.study_date for e in visit.entries if e.study_date), default="")
    )
    try:
        return date(*(int(part) for part in match.groups())) if match else None
    except ValueError:
        return None
