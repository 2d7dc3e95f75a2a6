"""Features as DICOM Structured Reports, their codes, and what is read of them again."""

from __future__ import annotations

import csv
import math
import re
import shutil
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from difflib import SequenceMatcher

import highdicom
import numpy as np
import pydicom
import pytest
from pydicom.sr._cid_dict import cid_concepts
from pydicom.sr.codedict import codes

import radiomics_pipeline
from radiomics_pipeline.errors import DamagedFile, DicomError, EmptyRegion, MissingRoi, NotDicom
from radiomics_pipeline.features import FAMILIES
from radiomics_pipeline.features import pyradiomics as theirs
from radiomics_pipeline.features.uptake import uptake
from radiomics_pipeline.io.dicom.codes import (
    AGGREGATION,
    AGGREGATIONS,
    FAMILY,
    FILTER,
    IBSI_CIDS,
    OWN,
    SETTING,
    SUV,
    THRESHOLD,
    Intensities,
    concept,
    ibsi_codes,
    unit,
)
from radiomics_pipeline.io.dicom.objects import Made
from radiomics_pipeline.io.dicom.read_sr import read_sr
from radiomics_pipeline.io.dicom.series import read_series
from radiomics_pipeline.io.dicom.sr import Measured, write_sr
from radiomics_pipeline.io.dicom.write_seg import Mask, write_seg
from radiomics_pipeline.io.volumes import VolumeFile, read_file
from radiomics_pipeline.types.columns import ColumnName, ColumnSpec
from tests.dicom import volume_files, write_series

MADE = Made(datetime(2025, 3, 1, 8, 30, tzinfo=UTC), "0123456789abcdef")
FDG = Intensities("SUV", "bw", "FDG")
OURS = (*FAMILIES, uptake)


def spec(family, feature, ibsi="", unit="1", *, image="original", setting="", standard="ibsi", aggregation="3D"):
    return ColumnSpec(ColumnName("PET", image, family, feature, setting), standard, aggregation, ibsi, unit, "...")


def all_specs(unit="SUV"):
    """A column for every feature that there is, by the definitions of the IBSI."""
    return [
        spec(family.token, feature.name, feature.ibsi, feature.unit.replace("{u}", unit),
             aggregation=family.aggregation_of("3D:mrg"))
        for family in OURS for feature in family.features.values()
    ]  # fmt: skip


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    folder = tmp_path_factory.mktemp("series")
    write_series(folder, np.random.default_rng(1).random((6, 8, 9)) * 1e4)
    return read_series(volume_files(folder), "PET")


@pytest.fixture(scope="module")
def written(image, tmp_path_factory):
    """A segmentation with two regions."""
    random = np.random.default_rng(2)
    masks = [
        Mask(4, "tumour", random.random(image.grid.shape) < 0.4),
        Mask(9, "", random.random(image.grid.shape) < 0.3),
    ]
    return write_seg(masks, image, tmp_path_factory.mktemp("seg") / "seg.dcm", made=MADE)


def regions_of(specs, seed=0):
    random = np.random.default_rng(seed)
    values = [dict(zip([s.column for s in specs], random.normal(size=len(specs)) * 10.0**8, strict=True)) for _ in "ab"]
    return [Measured(4, "tumour", values[0]), Measured(9, "", values[1])]


def report(regions, specs, image, written, path, intensities=FDG):
    write_sr(regions, specs, image, written, path, made=MADE, intensities=intensities)
    return read_sr(read_file(path))


# The codes


def test_dicom_lists_147_codes_of_the_ibsi_in_the_context_groups_named():
    listed = {code for cid in IBSI_CIDS for code in cid_concepts[cid].get("IBSI", [])}
    assert len(ibsi_codes()) == len(listed) == 147


def test_every_code_of_the_ibsi_in_dicom_is_that_of_one_of_our_features():
    ours = {feature.ibsi for family in FAMILIES for feature in family.features.values()}
    assert set(ibsi_codes()) <= ours


SAID = {
    "Normalised": "Normalized", "Grey": "Gray", "grey": "gray", "AABB": "Frame of Reference Axis Aligned Bounding Box",
    "OMBB": "Oriented Minimum Bounding Box", "MVEE": "Minimum Volume Enclosing Ellipsoid",
    "AEE": "Approximate Enclosing Ellipsoid", "InformationCorrelation1": "First Measure of Information Correlation",
    "InformationCorrelation2": "Second Measure of Information Correlation", "Percentile10": "10th Percentile",
    "Percentile90": "90th Percentile", "VoxelCounting": "from Voxel Summation",
    "GradientIntensity": "GradientGray Level",
}  # fmt: skip
"""Words of ours, and those that DICOM has for them."""


def words(name, family):
    """A name as a list of words, without those that tell of the family only."""
    name = {"Minimum": "Minimum Gray Level", "Maximum": "Maximum Gray Level"}.get(name, name)
    for ours, other in SAID.items():
        name = name.replace(ours, other)
    found = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", re.sub(r"[Nn]on-?[Uu]niformity", "Nonuniformity", name))
    found = [w.lower().replace("normalized", "normal").rstrip("s") for w in found]
    filler = {"of", "in", "the", "from", "a", "intensity", "histogram", "zone", "run", family}
    return [w for w in found if w not in filler] or found


@pytest.mark.parametrize("code", sorted(ibsi_codes()))
def test_no_code_is_given_to_a_feature_of_another_meaning(code):
    (family,) = [f for f in FAMILIES if any(x.ibsi == code for x in f.features.values())]
    meant = words(ibsi_codes()[code].meaning, family.token)

    def alike(name):
        ours = words(name, family.token)
        return len({*ours} & {*meant}) / len({*ours, *meant}) + SequenceMatcher(None, ours, meant).ratio()

    nearest = max(family.features, key=alike)
    assert family.features[nearest].ibsi == code, (nearest, ibsi_codes()[code].meaning)
    assert alike(nearest) > 0.8


@pytest.mark.parametrize(
    ("ibsi", "derivation"),
    [
        ("Q4LE", codes.SCT.Mean), ("84IY", codes.SCT.Maximum), ("1GSF", codes.SCT.Minimum), ("Y12H", codes.SCT.Median),
        ("VJGA", codes.DCM.PeakValueWithinROI), ("0F91", codes.DCM.PeakValueWithinROI),
        ("5ZWQ", codes.UMLS.RootMeanSquare),
    ],
)  # fmt: skip
def test_statistics_of_suv_are_suv_with_a_derivation(ibsi, derivation):
    found = concept(spec("intensity", "X", ibsi, "SUV"), FDG)
    assert (found.name, found.derivation) == (codes.DCM.Suvbw, derivation)
    assert found.unit == codes.UCUM.StandardizedUptakeValueBodyWeight


def test_statistics_of_one_name_are_told_apart_by_family_and_by_place_of_the_peak():
    first, second = (concept(spec(f, "X", "Q4LE", "SUV"), FDG) for f in ("intensity", "uptake"))
    assert dict(first.modifiers)[FAMILY] != dict(second.modifiers)[FAMILY]
    around, anywhere = (concept(spec("uptake", "X", ibsi, "SUV"), FDG) for ibsi in ("VJGA", "0F91"))
    assert around.name == anywhere.name
    assert around.modifiers != anywhere.modifiers


@pytest.mark.parametrize("kind", sorted(SUV))
def test_each_kind_of_suv_has_its_concept_method_and_a_unit_of_cid_85(kind):
    found = concept(spec("uptake", "Maximum", "84IY", "SUV"), Intensities("SUV", kind))
    assert found.name == SUV[kind].name
    assert found.unit in [getattr(codes.UCUM, name) for name in cid_concepts[85]["UCUM"]]
    assert len({s.name for s in SUV.values()}) == len({s.method for s in SUV.values()}) == len(SUV)
    assert found.unit.value.split("{")[1].strip("}") == found.name.meaning.replace(
        "SUVlbm(James128)", "SUVlbm(James128)"
    )


@pytest.mark.parametrize("other", [Intensities("counts"), Intensities("SUV"), Intensities("HU")])
def test_what_is_no_suv_of_a_known_kind_is_not_called_so(other):
    found = concept(spec("intensity", "Mean", "Q4LE", other.unit), other)
    assert (found.name.value, found.name.scheme_designator, found.derivation) == ("Q4LE", "IBSI", None)


def test_a_filtered_image_is_not_called_suv_and_its_filter_is_named():
    found = concept(spec("intensity", "Mean", "Q4LE", "SUV", image="log-sigma-3-0-mm-3D"), FDG)
    assert found.name.value == "Q4LE"
    assert dict(found.modifiers)[FILTER].meaning == "log-sigma-3-0-mm-3D"


def test_glycolysis_is_of_fdg_only():
    tlg = spec("uptake", "Tlg", "", "SUV*ml")
    assert concept(tlg, FDG).name == codes.DCM.TotalLesionGlycolysis
    assert concept(tlg, FDG).unit.value == "g"
    for tracer in ("", "PSMA-11"):
        assert concept(tlg, replace(FDG, tracer=tracer)).name.scheme_designator == OWN


def test_volumes_above_a_threshold_are_metabolic_volumes_that_name_it():
    whole = concept(spec("uptake", "Volume", "YEKZ", "ml"), FDG)
    part = concept(spec("uptake", "Mtv41pct", "", "ml"), FDG)
    assert whole.name == part.name == codes.DCM.MetabolicVolume
    assert THRESHOLD not in dict(whole.modifiers)
    assert dict(part.modifiers)[THRESHOLD].meaning == "41pct"
    counts = concept(spec("uptake", "Volume", "YEKZ", "ml"), Intensities("counts"))
    assert counts.name == ibsi_codes()["YEKZ"]


def test_textures_name_aggregation_and_setting():
    found = concept(spec("glcm", "Contrast", "ACUI", setting="fbn32", aggregation="3D:avg"), FDG)
    assert found.name == ibsi_codes()["ACUI"]
    assert dict(found.modifiers)[AGGREGATION] == AGGREGATIONS["3D:avg"]
    assert dict(found.modifiers)[SETTING].value == "fbn32"


def test_aggregations_have_the_codes_of_the_manual(shared):
    with (shared / "ibsi/ibsi1/reference_values.csv").open(encoding="utf-8") as file:
        rows = [
            row
            for row in csv.DictReader(file)
            if row["family"] in ("glcm", "glrlm", "glszm", "gldzm", "ngtdm", "ngldm")
        ]
    published = {row["aggregation"]: row["aggregation_code"] for row in rows}
    assert {token: code.value for token, code in AGGREGATIONS.items()} == published


def test_every_column_has_a_name_of_its_own():
    found = [concept(s, FDG) for s in all_specs()]
    keys = {(c.name.value, c.name.scheme_designator, c.derivation, c.modifiers) for c in found}
    assert len(keys) == len(found)


def test_codes_keep_to_the_lengths_of_the_standard_and_own_ones_differ():
    families = [(family, "ibsi") for family in OURS] + [(family, "pyradiomics") for family in theirs.FAMILIES]
    found = {}
    for family, standard in families:
        for feature in family.features.values():
            column = spec(
                family.token, feature.name, feature.ibsi, standard=standard, setting="a-rather-long-name-of-one"
            )
            code = concept(column, FDG).name
            assert 0 < len(code.meaning) <= 64
            assert len(code.value) <= 16
            if code.scheme_designator == OWN:
                assert found.setdefault(code.value, (family.token, feature.name)) == (family.token, feature.name)
    assert found


@pytest.mark.parametrize(
    ("text", "of", "code"),
    [
        ("1", FDG, "1"), ("%", FDG, "%"), ("mm", FDG, "mm"), ("mm^3", FDG, "mm3"), ("1/mm", FDG, "/mm"),
        ("ml", FDG, "ml"),
        ("SUV", FDG, "g/ml{SUVbw}"), ("SUV^2", FDG, "g2/ml2{SUVbw}"), ("SUV*ml", FDG, "g"),
        ("SUV*mm^3", FDG, "g.mm3/ml{SUVbw}"), ("SUV", Intensities("SUV", "bsa"), "cm2/ml{SUVbsa}"),
        ("SUV*ml", Intensities("SUV", "bsa"), "cm2"), ("SUV", Intensities("SUV"), "{SUV}"),
        ("HU", Intensities("HU"), "[hnsf'U]"), ("HU^2", Intensities("HU"), "[hnsf'U]2"),
        ("Bq/ml", Intensities("Bq/ml"), "Bq/ml"), ("Bq/ml^2", Intensities("Bq/ml"), "Bq2/ml2"),
        ("Bq/ml*ml", Intensities("Bq/ml"), "Bq"), ("counts", Intensities("counts"), "{counts}"),
        ("TBR^2", Intensities("TBR"), "{TBR}.{TBR}"), ("", FDG, "1"),
    ],
)  # fmt: skip
def test_units_are_those_of_ucum(text, of, code):
    assert unit(text, of).value == code
    assert unit(text, of).scheme_designator == "UCUM"


# The report


def test_every_finite_value_comes_back_to_its_last_bit(image, written, tmp_path):
    specs = all_specs()
    regions = regions_of(specs)
    groups = report(regions, specs, image, written, tmp_path / "sr.dcm")
    assert [group.columns() for group in groups] == [dict(region.values) for region in regions]
    assert [group.tracking for group in groups] == ["tumour", "Region 9"]
    assert [group.segment for group in groups] == [1, 2]
    assert {group.seg_uid for group in groups} == {written.sop_uid}
    assert groups[0].tracking_uid == written.tracking_uids[4]
    assert groups[0].method[:2] == ("126410", "DCM")


@pytest.mark.parametrize(
    "value",
    [0.0, 0.1, -1 / 3, math.pi * 1e7, 1e16 + 2, 123456789.123456789, 1.7e308, -2.2250738585072014e-308],
)
def test_any_double_survives_and_its_text_has_16_characters(image, written, tmp_path, value):
    column = spec("glcm", "Contrast", "ACUI")
    path = tmp_path / "sr.dcm"
    (group,) = report([Measured(4, "tumour", {column.column: value})], [column], image, written, path)
    assert group.value("ACUI") == value
    (item,) = [
        i for i in pydicom.dcmread(path).ContentSequence[-1].ContentSequence[0].ContentSequence if i.ValueType == "NUM"
    ]
    text = item.MeasuredValueSequence[0]["NumericValue"].value.original_string
    assert len(text) <= 16
    assert float(text) == pytest.approx(value, rel=1e-9, abs=1e-300)


@pytest.mark.parametrize(
    ("value", "qualifier"),
    [(math.nan, "114000"), (math.inf, codes.DCM.PositiveInfinity.value), (-math.inf, codes.DCM.NegativeInfinity.value)],
)
def test_what_is_no_number_is_not_written_as_one(image, written, tmp_path, value, qualifier):
    column = spec("glcm", "Contrast", "ACUI")
    (group,) = report([Measured(4, "tumour", {column.column: value})], [column], image, written, tmp_path / "sr.dcm")
    (found,) = group.values
    assert math.isnan(found.value)
    assert found.qualifier[:2] == (qualifier, "DCM")


def test_qualifiers_are_the_codes_meant():
    assert codes.DCM.NotANumber.value == "114000"
    assert {"NotANumber", "PositiveInfinity", "NegativeInfinity"} <= set(cid_concepts[42]["DCM"])


def test_a_column_that_a_region_lacks_is_left_out(image, written, tmp_path):
    specs = [spec("glcm", "Contrast", "ACUI"), spec("glcm", "Correlation", "NI2N")]
    (group,) = report([Measured(4, "t", {specs[0].column: 1.5})], specs, image, written, tmp_path / "sr.dcm")
    assert group.columns() == {specs[0].column: 1.5}


def test_the_report_is_that_of_highdicom_too(image, written, tmp_path):
    specs = all_specs()
    report(regions_of(specs), specs, image, written, tmp_path / "sr.dcm")
    found = highdicom.sr.srread(tmp_path / "sr.dcm")
    groups = found.content.get_volumetric_roi_measurement_groups(tracking_uid=written.tracking_uids[4])
    (suv_max,) = [
        m for m in groups[0].get_measurements(name=codes.DCM.Suvbw)
        if m.derivation == codes.SCT.Maximum and "uptake" in str(m[0].ContentSequence)
    ][:1]  # fmt: skip
    assert suv_max.unit == codes.UCUM.StandardizedUptakeValueBodyWeight
    assert groups[0].finding_type == codes.SCT.Neoplasm
    assert groups[0].reference_type == codes.DCM.ReferencedSegment


def test_the_report_names_images_segmentation_program_and_parameters(image, written, tmp_path):
    specs = all_specs()
    report(regions_of(specs), specs, image, written, tmp_path / "sr.dcm")
    found = pydicom.dcmread(tmp_path / "sr.dcm")
    (study,) = found.CurrentRequestedProcedureEvidenceSequence
    named = {i.ReferencedSOPInstanceUID for s in study.ReferencedSeriesSequence for i in s.ReferencedSOPSequence}
    assert named == {*image.sop_uids, written.sop_uid}
    assert (found.CompletionFlag, found.VerificationFlag, found.PreliminaryFlag) == (
        "COMPLETE",
        "UNVERIFIED",
        "PRELIMINARY",
    )
    assert (found.ContentDate, found.ContentTime) == ("20250301", "083000")
    assert found.CodingSchemeIdentificationSequence[0].CodingSchemeDesignator == OWN
    group = found.ContentSequence[-1].ContentSequence[0]
    told = [item.TextValue for item in group.ContentSequence if item.ValueType == "TEXT"]
    assert told[1:] == [
        "radiomics_pipeline", radiomics_pipeline.__version__, "definitions: ibsi", "intensities: SUV bw FDG",
        "parameters: SHA-256 0123456789abcdef",
    ]  # fmt: skip


def test_the_same_values_give_the_same_bytes_and_others_another_uid(image, written, tmp_path):
    specs = all_specs()
    for name in ("a", "b"):
        report(regions_of(specs), specs, image, written, tmp_path / name)
    report(regions_of(specs, seed=1), specs, image, written, tmp_path / "c")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert pydicom.dcmread(tmp_path / "a").SOPInstanceUID != pydicom.dcmread(tmp_path / "c").SOPInstanceUID


def test_a_report_without_values_or_of_an_unknown_region_is_refused(image, written, tmp_path):
    column = spec("glcm", "Contrast", "ACUI")
    with pytest.raises(EmptyRegion, match="no region with a value"):
        report([Measured(4, "t", {})], [column], image, written, tmp_path / "sr.dcm")
    with pytest.raises(MissingRoi, match="not in the segmentation"):
        report([Measured(5, "t", {column.column: 1.0})], [column], image, written, tmp_path / "sr.dcm")
    assert not (tmp_path / "sr.dcm").exists()


def test_an_image_in_counts_has_no_method_of_suv(image, written, tmp_path):
    column = spec("intensity", "Mean", "Q4LE", "counts")
    regions = [Measured(4, "t", {column.column: 2.0})]
    (group,) = report(regions, [column], image, written, tmp_path / "sr.dcm", Intensities("counts"))
    assert group.method is None
    assert group.values[0].unit[0] == "{counts}"


@pytest.mark.parametrize("program", ["dsrdump", "dcmdump"])
def test_dcmtk_reads_the_report_without_a_word(image, written, tmp_path, program):
    found = shutil.which(program)
    if not found:
        pytest.skip(f"{program} is not installed (Debian: apt-get install dcmtk)")
    specs = [s for kind in ("", "fbn32") for s in (replace(x, name=replace(x.name, setting=kind)) for x in all_specs())]
    regions = regions_of(specs)
    regions[0].values[specs[0].column] = math.nan  # type: ignore[index]
    report(regions, specs, image, written, tmp_path / "sr.dcm")
    told = subprocess.run([found, str(tmp_path / "sr.dcm")], capture_output=True, text=True, check=False)
    assert (told.returncode, told.stderr) == (0, "")
    if program == "dsrdump":
        assert told.stdout.count("<contains NUM:") == 2 * len(specs)
        assert "Comprehensive 3D SR Document" in told.stdout


# Reports of others


def test_the_real_report_of_a_pet_is_read(shared):
    (group,) = read_sr(read_file(shared / "nm_data/qiicr_sr_seg/sr.dcm"))
    assert group.tracking == "primary tumor"
    assert group.finding == ("M-80003", "SRT", "Neoplasm, Primary")
    assert group.segment == 1
    assert group.value("Volume") == 33.5824
    assert group.value("SUVbw", "Mean") == 6.01529
    assert group.value("SUVbw", "Maximum") == 10.3814
    assert group.value("126401", "126031") == 9.45534
    assert group.value("Total Lesion Glycolysis") == 202.008
    shares = [
        group.value(f"Percent Within {q} Quarter of Intensity Range") for q in ("First", "Second", "Third", "Fourth")
    ]
    assert shares == [29.434, 36.3522, 25.6604, 8.55346]
    assert group.values[0].unit[0] == "{SUVbw}g/ml"
    with pytest.raises(KeyError, match="0 measurements of SUVbw"):
        group.value("SUVbw")


def test_concepts_of_ours_are_those_of_the_real_report(shared):
    (group,) = read_sr(read_file(shared / "nm_data/qiicr_sr_seg/sr.dcm"))
    real = {value.name[:2] for value in group.values}
    ours = {concept(s, FDG).name for s in all_specs()}
    assert real & {(c.value, c.scheme_designator) for c in ours} >= {("126401", "DCM"), ("126033", "DCM")}


def test_what_is_no_report_is_refused(image, written, tmp_path, shared):
    series = read_file(shared / "nm_data/qiicr_sr_seg/seg.dcm")
    with pytest.raises(DicomError, match="not a DICOM Structured Report"):
        read_sr(series)
    with pytest.raises(NotDicom):
        read_sr(VolumeFile(tmp_path, "x", b"nothing of the kind"))
    column = spec("glcm", "Contrast", "ACUI")
    report([Measured(4, "t", {column.column: 1.0})], [column], image, written, tmp_path / "sr.dcm")
    whole = (tmp_path / "sr.dcm").read_bytes()
    with pytest.raises(DamagedFile):
        read_sr(VolumeFile(tmp_path, "x", whole[: len(whole) // 2]))
    found = pydicom.dcmread(tmp_path / "sr.dcm")
    found.ContentSequence = []
    found.save_as(tmp_path / "bare.dcm")
    with pytest.raises(DicomError, match="without measurement groups"):
        read_sr(read_file(tmp_path / "bare.dcm"))
