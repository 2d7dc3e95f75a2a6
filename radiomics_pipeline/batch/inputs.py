"""The files of a case, read once: bytes, digests, and names that errors may call them by.

Files of a DICOM folder are called by their number ("PET, file 13 of 267"): their own names may identify a patient.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from radiomics_pipeline.batch.case_folders import files_below
from radiomics_pipeline.batch.study import SeriesFiles
from radiomics_pipeline.errors import DamagedFile, MissingFile, NotDicom
from radiomics_pipeline.io.dicom.peek import peek
from radiomics_pipeline.io.dicom.scan import is_dicom
from radiomics_pipeline.io.volumes import VolumeFile, read_file, voxel_file

LIST_SUFFIX = ".files"
"""Of a list of files, one a line, with paths from its folder: a series whose files lie among others."""
LONGEST_NAME = 240
"""Of a file as errors call it; of a longer one the middle is left out."""


@dataclass(frozen=True)
class Input:
    """One image or mask as its files. name : what errors call it"""

    name: str
    files: tuple[VolumeFile, ...]

    @property
    def dicom(self) -> bool:
        """Whether these are DICOM files."""
        return is_dicom(self.files[0].data)


@dataclass(frozen=True)
class SeriesInput:
    """All files of one series. further : RTSTRUCT and SEG files of the case, one of which may be the mask"""

    image: Input
    mask: Input | None
    references: Input | None
    gates: Input | None
    further: tuple[VolumeFile, ...] = ()


@dataclass
class Reader:
    """Reads the files of a case. root : the study's folder; digests : SHA-256 of what was read, by role and name"""

    root: Path
    digests: dict[str, str] = field(default_factory=dict)

    def series(self, files: SeriesFiles) -> SeriesInput:
        """All files of a series; MissingFile, DamagedFile or NotDicom where one cannot be had."""
        if files.problem:
            raise MissingFile(files.problem)
        stem = f"{files.series}_" if files.series else ""
        image = self.input(f"{stem}image", files.image)
        mask, references, gates = (
            self.input(f"{stem}{kind}", path) if path else None
            for kind, path in (("mask", files.mask), ("references", files.references), ("gates", files.gates))
        )
        further = self._further(files, image) if image.dicom and mask is None else ()
        return SeriesInput(image, mask, references, gates, further)

    def input(self, role: str, path: Path) -> Input:
        """A file, or the DICOM files of a folder. role : such as "PET_image", for its digest and messages"""
        if os.path.isdir(path):  # which, unlike Path.is_dir, takes a path of any length
            return self._series(role, files_below(path))
        if path.suffix == LIST_SUFFIX:
            lines = read_file(path, self.name(path)).data.decode("utf-8").splitlines()
            return self._series(role, (path.parent / line for line in lines if line.strip()))
        file = read_file(path, self.name(path))
        if is_dicom(file.data):
            file = VolumeFile(path, role, file.data)
        self._note(role, file)
        voxels = None if is_dicom(file.data) else voxel_file(file)
        if voxels:
            self._note(role, read_file(voxels, self.name(voxels)))
        return Input(file.name, (file,))

    def _series(self, role: str, paths: Iterable[Path]) -> Input:
        """The DICOM files among these; others are passed over."""
        try:
            found = [VolumeFile(path, "", path.read_bytes()) for path in paths]
        except OSError as e:
            raise DamagedFile(f"{role}: its files cannot be read ({e.strerror})") from None
        if empty := next((i for i, file in enumerate(found, 1) if not file.data), 0):
            raise DamagedFile(f"{role}, file {empty} of {len(found)}: it is empty (0 bytes); copy or export it again")
        kept = [file for file in found if is_dicom(file.data)]
        if not kept:
            raise NotDicom(f"{role}: none of its {len(found)} files is DICOM")
        total = hashlib.sha256()
        for file in kept:
            total.update(hashlib.sha256(file.data).digest())
        self.digests[f"{role}: {len(kept)} DICOM files"] = total.hexdigest()
        named = (VolumeFile(f.path, f"{role}, file {i} of {len(kept)}", f.data) for i, f in enumerate(kept, 1))
        return Input(role, tuple(named))

    def _further(self, files: SeriesFiles, image: Input) -> tuple[VolumeFile, ...]:
        """RTSTRUCT and SEG files in the case's folder, and among the image's own files."""
        own = {file.path for file in image.files}
        found = [file for file in image.files if peek(file.path) in ("rtstruct", "seg")]
        if files.search:
            others = (path for path in files_below(files.search) if path not in own)
            found += [read_file(path, "") for path in others if peek(path) in ("rtstruct", "seg")]
        role = f"{files.series}_mask" if files.series else "mask"
        named = [
            VolumeFile(f.path, f"structure set or segmentation {i} of {len(found)}", f.data)
            for i, f in enumerate(found, 1)
        ]
        for file in named:
            self._note(role, file)
        return tuple(named)

    def _note(self, role: str, file: VolumeFile) -> None:
        self.digests[f"{role}: {file.name}"] = hashlib.sha256(file.data).hexdigest()

    def name(self, path: Path) -> str:
        """A file as errors call it: its path in the study folder, or its name where it lies elsewhere."""
        inside = Path(os.path.abspath(path))
        root = Path(os.path.abspath(self.root))
        shown = inside.relative_to(root).as_posix() if inside.is_relative_to(root) else path.name
        shown = re.split(r"[\\/]", shown)[-1] if "\\" in shown or ":" in shown else shown
        return shown if len(shown) <= LONGEST_NAME else f"{shown[:100]}...{shown[-100:]}"
