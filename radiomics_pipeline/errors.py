"""Everything this package refuses, by name.

RadiomicsError
├── ParamsError          a parameter file or value; nothing has run
├── StudyError           the study folder or its cases.csv; nothing has run
├── TableError           a feature or outcome table; nothing has run
│   └── OutcomeError     the outcome: one class, no event, a time of 0, ...
└── CaseError            one case; the batch goes on
    ├── MissingFile
    ├── DamagedFile      truncated, wrong checksum, unreadable
    ├── UnsupportedImage 4D, colour, sheared
    ├── BadGeometry      zero or negative spacing, contradicting headers
    ├── BadVoxels        NaN or infinite intensities
    ├── GeometryMismatch mask and image lie on different grids
    ├── BadMask          fractional or several labels where one is meant
    ├── MissingLabel     the label asked for is not in the mask
    ├── EmptyRegion      no voxel left, in the mask or after a step
    ├── TooLarge         a grid with more voxels than memory should hold
    ├── DicomError       DICOM files that do not make one image, or one mask
    │   ├── NotDicom         no DICOM file where one is expected
    │   ├── MixedSeries      several series, patients or frames of reference in one folder
    │   ├── MissingSlices    slices lacking, or at uneven distances
    │   ├── DoubledSlices    two slices at one position
    │   ├── TiltedGantry     slices shifted against each other
    │   ├── NotTomographic   projections, a localiser, a screenshot
    │   ├── SeveralFrames    gates or time frames where one image is meant
    │   ├── WrongModality    a CT where PET is meant, ...
    │   └── OtherFrame       a mask that belongs to another image or frame of reference
    ├── MissingMetadata  a header without what a conversion needs, such as the patient's weight
    ├── SuvError         a header from which no SUV can be derived rightly
    ├── MissingRoi       no ROI, segment or name as asked for, or several
    ├── BadContour       contours that enclose no clear area: open, tilted, between slices
    ├── SegmentationError  a delineation that is not one: nothing above the threshold, a leak
    ├── ExternalError    a command of others failed, or returned something else than a mask
    ├── ArchiveError     an archive of images (PACS) does not give what was asked for
    ├── DiscretisationError  too many grey levels, or intensities below the first bin
    └── WorkerLost       the process that worked on the case died or ran out of time
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class RadiomicsError(Exception):
    """Root of all refusals; the message names the thing, what was found and what to do."""


class ParamsError(RadiomicsError):
    """A parameter file or value that cannot be used."""


class StudyError(RadiomicsError):
    """A study folder or cases.csv that cannot be used."""


class TableError(RadiomicsError):
    """A feature or outcome table that cannot be used."""


class OutcomeError(TableError):
    """An outcome that nothing can be fitted to."""


class CaseError(RadiomicsError):
    """One case cannot be computed rightly.

    stage : what was being done: read, region, resample, resegment, discretise, features or worker
    """

    stage: str = ""


class MissingFile(CaseError):
    """A file of the case does not exist."""


class DamagedFile(CaseError):
    """A file is truncated, fails its checksum or cannot be decoded."""


class UnsupportedImage(CaseError):
    """A file holds something else than one scalar 3D volume."""


class BadGeometry(CaseError):
    """Spacing, origin or direction in the header cannot be right."""


class BadVoxels(CaseError):
    """Intensities that are not finite numbers."""


class GeometryMismatch(CaseError):
    """Mask and image do not lie on the same grid."""


class BadMask(CaseError):
    """A mask whose values are no labels, or whose label is not clear."""


class MissingLabel(CaseError):
    """The mask does not hold the label asked for."""


class EmptyRegion(CaseError):
    """No voxel belongs to the region."""


class TooLarge(CaseError):
    """A grid with more voxels than a case may have."""


class DicomError(CaseError):
    """DICOM files that do not make one image or one mask."""


class NotDicom(DicomError):
    """No DICOM file where one is expected."""


class MixedSeries(DicomError):
    """Several series, patients or frames of reference where one is meant."""


class MissingSlices(DicomError):
    """Slices are lacking, or lie at uneven distances."""


class DoubledSlices(DicomError):
    """Two slices lie at one position."""


class TiltedGantry(DicomError):
    """Slices are shifted against each other, so that the volume is sheared."""


class NotTomographic(DicomError):
    """Projections, localisers or screenshots instead of slices."""


class SeveralFrames(DicomError):
    """Gates or time frames where one image is meant."""


class WrongModality(DicomError):
    """Another modality than the parameters mean."""


class OtherFrame(DicomError):
    """A mask that belongs to another image or another frame of reference."""


class MissingMetadata(CaseError):
    """A header lacks what a conversion needs."""


class SuvError(CaseError):
    """No SUV can be derived rightly from a header."""


class MissingRoi(CaseError):
    """No ROI or segment has the name asked for, or several have it."""


class BadContour(CaseError):
    """Contours that enclose no clear area."""


class SegmentationError(CaseError):
    """A delineation that found nothing, or has no boundary."""


class ExternalError(CaseError):
    """A command of others failed, or returned something else than a mask."""


class ArchiveError(CaseError):
    """An archive does not give what was asked for.

    trouble : whether others would meet the same, see io.dicomweb
    """

    trouble: str = "other"


class AnisotropicVoxels(CaseError):
    """Voxels whose edges differ, where a filter needs cubes."""


class DiscretisationError(CaseError):
    """Intensities cannot be turned into grey levels."""


class WorkerLost(CaseError):
    """The process that computed a case died or ran out of time."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Part of a message: ", did you mean 'glcm'?", or nothing where no known word is near."""
    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f", did you mean {near[0]!r}?" if near else ""


def some(names: Iterable[object], most: int = 8) -> str:
    """Part of a message: the first names, and how many more there are."""
    listed = [str(name) for name in names]
    return ", ".join(listed[:most]) + (f" and {len(listed) - most} more" if len(listed) > most else "")
