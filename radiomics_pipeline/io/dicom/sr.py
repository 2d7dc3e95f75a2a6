"""Features of regions as a DICOM Structured Report: Comprehensive 3D SR, TID 1500 with a group of TID 1411 a region.

A group names the segment it measures, what measured it (program, version, parameters), and the kind of SUV. A
measurement is named as codes.py says; its tracking identifier is the column of features.csv, so that a table can be
made of it again. Numbers stand twice: as text of at most 16 characters (Numeric Value, VR DS) and as the double itself
(Floating Point Value, 0040,A161). An undefined value is no number: it has the qualifier Not a Number (CID 42) and no
value.

The report carries the patient of the image series (see objects.py), is complete, preliminary, and verified by nobody.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pydicom
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code
from pydicom.valuerep import format_number_as_ds

import radiomics_pipeline
from radiomics_pipeline.errors import EmptyRegion, MissingRoi
from radiomics_pipeline.io.dicom.codes import OWN, Concept, Intensities, Suv, concept
from radiomics_pipeline.io.dicom.headers import quiet
from radiomics_pipeline.io.dicom.objects import MAKER, Made, character_set, equipment, finish, save, sources, uid_of
from radiomics_pipeline.io.dicom.write_seg import SERIES_NUMBER, WrittenSeg
from radiomics_pipeline.types.columns import ColumnSpec

if TYPE_CHECKING:
    from radiomics_pipeline.io.dicom.series import DicomSeries

PROCEDURES: dict[str, Code] = {
    "PT": codes.LN.PETUnspecifiedBodyRegion,
    "NM": codes.LN.NMUnspecifiedBodyRegion,
    "CT": codes.LN.CTUnspecifiedBodyRegion,
}
"""The procedure reported (CID 100), by modality."""
MODALITIES: dict[str, Code] = {
    "PT": codes.DCM.PositronEmissionTomography,
    "NM": codes.DCM.NuclearMedicine,
    "CT": codes.DCM.ComputedTomography,
}
SOURCE = Code("260753009", "SCT", "Source")
SCHEME = {
    "CodingSchemeDesignator": OWN,
    "CodingSchemeName": "Feature columns of radiomics_pipeline",
    "CodingSchemeResponsibleOrganization": MAKER,
}


@dataclass(frozen=True)
class Measured:
    """The values of one region.

    number, name : of its mask in the segmentation
    values : by column, NaN where undefined
    """

    number: int
    name: str
    values: Mapping[str, float]


@quiet()
def write_sr(
    regions: Sequence[Measured],
    specs: Sequence[ColumnSpec],
    image: DicomSeries,
    segmentation: WrittenSeg,
    path: Path,
    *,
    made: Made,
    intensities: Intensities,
) -> str:
    """Write a report of these columns of these regions; its SOP instance UID.

    specs : of the columns to write, in their order; a region that lacks a column leaves it out
    intensities : what the values of the series are, for names and units
    Raises EmptyRegion for a report without a region or a value, MissingRoi for a region that the segmentation lacks,
    MissingMetadata as `write_seg`, OSError where the file cannot be written.
    """
    from highdicom.sr import Comprehensive3DSR, MeasurementReport

    concepts = [(spec.column, concept(spec, intensities)) for spec in specs]
    if not any(spec.column in region.values for region in regions for spec in specs):
        raise EmptyRegion(f"{image.name}: no region with a value to report")
    told = _settings(specs, made, intensities)
    groups = [_group(region, image, segmentation, told, intensities.suv) for region in regions]
    slices = sources(image)
    report = MeasurementReport(
        observation_context=_observer(),
        procedure_reported=PROCEDURES.get(image.modality, codes.SCT.ImagingProcedure),
        imaging_measurements=groups,
    )
    root: Any = report[0]
    root.ContentSequence.insert(len(root.ContentSequence) - 1, _library(image, slices))
    uid = uid_of("sr", segmentation.sop_uid, made.digest, made.when.isoformat(), *_content(regions, specs))
    found = Comprehensive3DSR(
        evidence=[*slices, segmentation.header],
        content=root,
        series_instance_uid=uid_of("series of", uid),
        series_number=SERIES_NUMBER + 1,
        sop_instance_uid=uid,
        instance_number=1,
        is_complete=True,
        series_description="Features of regions",
        specific_character_set=_character_set(image, regions, intensities),
        **equipment(),
    )
    _add_numbers(found, regions, concepts)
    _name_schemes(found)
    finish(found, image, made, uid)
    save(found, path)
    return uid


def _group(
    region: Measured, image: DicomSeries, segmentation: WrittenSeg, settings: Sequence[str], suv: Suv | None
) -> Any:
    """What is measured of one region, by what and how; without the measurements."""
    from highdicom.sr import (
        AlgorithmIdentification,
        ReferencedSegment,
        SourceSeriesForSegmentation,
        TrackingIdentifier,
        VolumetricROIMeasurementsAndQualitativeEvaluations,
    )

    if region.number not in segmentation.segments:
        raise MissingRoi(f"{image.name}: region {region.name or region.number} is not in the segmentation")
    return VolumetricROIMeasurementsAndQualitativeEvaluations(
        tracking_identifier=TrackingIdentifier(
            uid=segmentation.tracking_uids[region.number], identifier=region.name or f"Region {region.number}"
        ),
        referenced_segment=ReferencedSegment(
            segmentation.sop_class_uid,
            segmentation.sop_uid,
            segmentation.segments[region.number],
            source_series=SourceSeriesForSegmentation(image.series_uid),
        ),
        finding_type=segmentation.shows[region.number],
        method=suv.method if suv else None,
        algorithm_id=AlgorithmIdentification(MAKER, radiomics_pipeline.__version__, settings),
    )


def _settings(specs: Sequence[ColumnSpec], made: Made, intensities: Intensities) -> list[str]:
    """By which definitions, of what, and with which parameters."""
    standards = ", ".join(dict.fromkeys(spec.standard for spec in specs))
    told = [f"definitions: {standards}", f"intensities: {_intensities(intensities)}"]
    return [*told, f"parameters: SHA-256 {made.digest}"] if made.digest else told


def _intensities(found: Intensities) -> str:
    """What the values are, in words."""
    return " ".join(part for part in (found.unit, found.normalisation, found.tracer) if part) or "not stated"


def _add_numbers(found: Dataset, regions: Sequence[Measured], concepts: Sequence[tuple[str, Concept]]) -> None:
    """Put the measurements into the groups of a report, in the order of the regions.

    Added as plain items: highdicom copies a report several times over, and cannot hold a measurement without a value.
    """
    coded = cache(_coded)
    measurements = found.ContentSequence[-1]
    for region, group in zip(regions, measurements.ContentSequence, strict=True):
        numbers = (_number(region.values[c], c, concept, coded) for c, concept in concepts if c in region.values)
        group["ContentSequence"] = DataElement("ContentSequence", "SQ", [*group.ContentSequence, *numbers])


def _number(value: float, column: str, found: Concept, coded: Callable[[Code], pydicom.Sequence]) -> Dataset:
    """One measurement with its modifiers. coded : a code as the content of a sequence"""
    item = Dataset()
    item.RelationshipType, item.ValueType = "CONTAINS", "NUM"
    item.ConceptNameCodeSequence = coded(found.name)
    if math.isfinite(value):
        measured = Dataset()
        measured.NumericValue = format_number_as_ds(float(value))
        measured.FloatingPointValue = float(value)
        measured.MeasurementUnitsCodeSequence = coded(found.unit)
        item.MeasuredValueSequence = [measured]
    else:
        item.MeasuredValueSequence = []
        item.NumericValueQualifierCodeSequence = coded(_qualifier(value))
    tracking = Dataset()
    tracking.RelationshipType, tracking.ValueType = "HAS OBS CONTEXT", "TEXT"
    tracking.ConceptNameCodeSequence = coded(codes.DCM.TrackingIdentifier)
    tracking.TextValue = column
    named = [(codes.SCT.MeasurementMethod, found.method), (codes.DCM.Derivation, found.derivation), *found.modifiers]
    item.ContentSequence = [tracking, *(_modifier(coded(name), coded(code)) for name, code in named if code)]
    return item


def _modifier(name: pydicom.Sequence, code: pydicom.Sequence) -> Dataset:
    item = Dataset()
    item.RelationshipType, item.ValueType = "HAS CONCEPT MOD", "CODE"
    item.ConceptNameCodeSequence, item.ConceptCodeSequence = name, code
    return item


def _coded(code: Code) -> pydicom.Sequence:
    from highdicom.sr import CodedConcept

    return pydicom.Sequence([CodedConcept.from_code(code)])


def _qualifier(value: float) -> Code:
    """Why a value is no number (CID 42)."""
    if math.isnan(value):
        return codes.DCM.NotANumber
    return codes.DCM.PositiveInfinity if value > 0 else codes.DCM.NegativeInfinity


def _observer() -> Any:
    """This program is the observer."""
    from highdicom.sr import DeviceObserverIdentifyingAttributes, ObservationContext, ObserverContext

    version = radiomics_pipeline.__version__
    device = DeviceObserverIdentifyingAttributes(
        uid=uid_of("program", MAKER, version), name=MAKER, manufacturer_name=MAKER, model_name=f"{MAKER} {version}"
    )
    return ObservationContext(observer_device_context=ObserverContext(codes.DCM.Device, device))


def _library(image: DicomSeries, slices: Sequence[Dataset]) -> Any:
    """The images measured, as TID 1600: what they have in common, then each of them."""
    from highdicom.sr import CodeContentItem, ContainerContentItem, ContentSequence, ImageContentItem, UIDRefContentItem
    from highdicom.sr.enum import RelationshipTypeValues as Relation

    group = ContainerContentItem(codes.DCM.ImageLibraryGroup, relationship_type=Relation.CONTAINS)
    group.ContentSequence = ContentSequence()
    modality = MODALITIES.get(image.modality)
    if modality:
        group.ContentSequence.append(CodeContentItem(codes.DCM.Modality, modality, Relation.HAS_ACQ_CONTEXT))
    group.ContentSequence.append(
        UIDRefContentItem(codes.DCM.FrameOfReferenceUID, slices[0].FrameOfReferenceUID, Relation.HAS_ACQ_CONTEXT)
    )
    for slice_ in {slice_.SOPInstanceUID: slice_ for slice_ in slices}.values():
        item = ImageContentItem(SOURCE, slice_.SOPClassUID, slice_.SOPInstanceUID, relationship_type=Relation.CONTAINS)
        group.ContentSequence.append(item)
    library = ContainerContentItem(codes.DCM.ImageLibrary, relationship_type=Relation.CONTAINS)
    library.ContentSequence = ContentSequence([group])
    return library


def _character_set(image: DicomSeries, regions: Sequence[Measured], intensities: Intensities) -> str | None:
    return character_set(image, _intensities(intensities), *(region.name for region in regions))


def _name_schemes(found: Dataset) -> None:
    """Say whose the private coding scheme is."""
    scheme = Dataset()
    for keyword, value in SCHEME.items():
        setattr(scheme, keyword, value)
    found.CodingSchemeIdentificationSequence = [scheme]


def _content(regions: Sequence[Measured], specs: Sequence[ColumnSpec]) -> list[str]:
    """All that a report says, for its UID."""
    told = [f"{spec.column} {spec.standard} {spec.aggregation} {spec.ibsi_code} {spec.unit}" for spec in specs]
    for region in regions:
        told.append(f"{region.number} {region.name}")
        told += [f"{column} {value!r}" for column, value in sorted(region.values.items())]
    return told
