"""What headers say of an acquisition: every tag where it belongs, nothing read that is not there."""

from __future__ import annotations

from datetime import datetime, time, timedelta, timezone
from io import BytesIO

import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ImplicitVRLittleEndian

from radiomics_pipeline.errors import MissingMetadata, MixedSeries, SuvError
from radiomics_pipeline.imaging.suv import convert
from radiomics_pipeline.io.dicom.acquisition import read_acquisition
from radiomics_pipeline.io.dicom.multiframe import flat_headers
from radiomics_pipeline.params.suv import Suv
from tests.suv_headers import header

CEST = timezone(timedelta(hours=2))


def read(*headers):
    return read_acquisition(headers, "PET")


def written(made: Dataset) -> Dataset:
    """The header as it comes from a file in which no element names its type."""
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    made.SOPClassUID = made.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.128"
    made.SOPInstanceUID = made.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
    buffer = BytesIO()
    made.save_as(buffer, enforce_file_format=True)
    return pydicom.dcmread(BytesIO(buffer.getvalue()))


def test_every_value_is_read_as_written():
    made = header(
        SUVType="BW", ManufacturerModelName="Biograph", FrameReferenceTime="59936.85", DecayFactor="1.01",
        RescaleSlope="1.5", dose={"RadionuclideTotalDose": "368.08"},
    )  # fmt: skip
    a = read(made)
    assert (a.name, a.modality, a.units, a.suv_type, a.decay_correction) == ("PET", "PT", "BQML", "BW", "START")
    assert a.corrections == ("NORM", "ATTN", "SCAT", "DECY")
    assert (a.manufacturer, a.model, a.sex, a.nuclide) == ("SIEMENS", "Biograph", "F", "F-18")
    assert (a.weight_kg, a.height_m, a.dose_bq, a.half_life_s) == (70, 1.75, 368.08, 6586.2)
    assert a.administered == datetime(2025, 1, 1, 10)
    assert a.administered_time == time(10)
    assert a.series_time == datetime(2025, 1, 1, 11)
    (one,) = a.slices
    assert (one.acquired, one.frame_reference_s, one.duration_s) == (datetime(2025, 1, 1, 11), 59.93685, 120)
    assert (one.decay_factor, one.rescale_slope, one.rescale_intercept) == (1.01, 1.5, 0)
    assert a.notes == ()


def test_what_is_absent_or_empty_is_none():
    empty = Dataset()
    empty.Modality = "PT"
    empty.PatientWeight = None
    empty.PatientSex = ""
    a = read(empty)
    assert (a.weight_kg, a.height_m, a.dose_bq, a.half_life_s, a.administered, a.series_time) == (None,) * 6
    assert (a.units, a.sex, a.corrections, a.nuclide, a.slices[0].acquired) == ("", "", (), "", None)
    assert a.notes == ()


@pytest.mark.parametrize(
    ("tags", "dose", "field", "word"),
    [
        ({"SeriesTime": "noon"}, {}, "series_time", "SeriesTime"),
        ({"SeriesTime": "256161"}, {}, "series_time", "SeriesTime"),
        ({"SeriesDate": "20251301"}, {}, "series_time", "SeriesDate"),
        ({}, {"RadiopharmaceuticalStartDateTime": "20250101"}, "administered", "RadiopharmaceuticalStartDateTime"),
        ({"PatientWeight": ["70", "71"]}, {}, "weight_kg", "PatientWeight"),
    ],
)
def test_what_cannot_be_read_counts_as_absent_and_is_noted(tags, dose, field, word):
    made = header(dose=dose, **{k: v for k, v in tags.items() if k == "PatientWeight"})
    for keyword, value in tags.items():
        if keyword != "PatientWeight":
            made.add(pydicom.dataelem.DataElement(keyword, "LO", value))
    a = read(made)
    assert getattr(a, field) is None
    assert a.notes == (f"{word} cannot be read, and counts as absent",)


def test_a_number_that_is_none_is_noted_and_its_text_never_shown():
    made = header(PatientWeight=None)
    made.add(pydicom.dataelem.DataElement("PatientWeight", "LO", "Jane Doe"))
    (note,) = read(made).notes
    assert "PatientWeight" in note
    assert "Jane" not in note


@pytest.mark.parametrize("as_file", [False, True])
def test_private_elements_are_found_by_their_creator_in_any_block(as_file):
    made = header()
    made.private_block(0x7053, "SOMEBODY ELSE", create=True).add_new(0x00, "DS", "9")
    philips = made.private_block(0x7053, "Philips PET Private Group", create=True)
    philips.add_new(0x00, "DS", "0.0005")
    philips.add_new(0x09, "DS", "1.5 ")
    made.private_block(0x0009, "GEMS_PETD_01", create=True).add_new(0x0D, "DT", "20250101110000.00")
    made.private_block(0x0071, "SIEMENS MED PT", create=True).add_new(0x22, "DT", "20250101110001.00")
    a = read(written(made) if as_file else made)
    assert (a.philips_suv_factor, a.philips_bqml_factor) == (0.0005, 1.5)
    assert a.ge_reference == datetime(2025, 1, 1, 11)
    assert a.siemens_reference == datetime(2025, 1, 1, 11, 0, 1)


@pytest.mark.parametrize("as_file", [False, True])
def test_private_elements_without_any_creator_are_read_at_their_usual_place(as_file):
    made = header()
    made.add_new((0x7053, 0x1000), "UN", b"0.0005 ")
    made.add_new((0x0009, 0x100D), "UN", b"20250101110000.00\0")
    a = read(written(made) if as_file else made)
    assert a.philips_suv_factor == 0.0005
    assert a.ge_reference == datetime(2025, 1, 1, 11)


def test_elements_of_another_creator_are_never_read_as_philips():
    made = header()
    made.private_block(0x7053, "SOMEBODY ELSE", create=True).add_new(0x00, "DS", "9")
    assert read(made).philips_suv_factor is None


def test_a_utc_offset_of_the_header_holds_for_all_times():
    made = header(TimezoneOffsetFromUTC="+0200")
    a = read(made)
    assert a.administered == datetime(2025, 1, 1, 10, tzinfo=CEST)
    assert a.administered_time == time(10, tzinfo=CEST)
    assert a.slices[0].acquired == a.series_time == datetime(2025, 1, 1, 11, tzinfo=CEST)
    assert a.notes == ()


def test_a_time_with_its_own_offset_keeps_it():
    made = header(TimezoneOffsetFromUTC="+0200", dose={"RadiopharmaceuticalStartDateTime": "20250101080000+0000"})
    a = read(made)
    assert a.administered == datetime(2025, 1, 1, 10, tzinfo=CEST)
    assert a.administered.utcoffset() == timedelta(0)


def test_an_offset_of_some_times_only_is_taken_for_all_and_noted():
    a = read(header(dose={"RadiopharmaceuticalStartDateTime": "20250101100000+0200"}))
    assert a.slices[0].acquired == datetime(2025, 1, 1, 11, tzinfo=CEST)
    assert any("+0200" in note for note in a.notes)


def test_two_offsets_beside_times_without_any_are_refused():
    made = header(dose={"RadiopharmaceuticalStartDateTime": "20250101100000+0200"})
    made.DecayCorrectionDateTime = "20250101090000+0000"
    with pytest.raises(SuvError, match=r"\+0000 and \+0200.*\(0008,0201\)"):
        read(made)


def test_an_offset_that_is_none_is_refused_without_showing_it():
    with pytest.raises(SuvError, match="no UTC offset") as caught:
        read(header(TimezoneOffsetFromUTC="somewhere"))
    assert "somewhere" not in str(caught.value)


@pytest.mark.parametrize(
    ("tags", "word", "kind"),
    [
        ({"PatientWeight": "71"}, "PatientWeight", SuvError),
        ({"Units": "GML"}, "Units", SuvError),
        ({"dose": {"RadionuclideTotalDose": "1e8"}}, "RadionuclideTotalDose", SuvError),
        ({"dose": {"RadionuclideHalfLife": "6588"}}, "RadionuclideHalfLife", SuvError),
        ({"dose": {"RadiopharmaceuticalStartTime": "1001"}}, "RadiopharmaceuticalStartTime", SuvError),
        ({"dose": {"RadiopharmaceuticalStartDateTime": None}}, "RadiopharmaceuticalStartDateTime", SuvError),
        ({"SeriesTime": "110001"}, "the series' date or time", SuvError),
        ({"DecayCorrection": "ADMIN"}, "DecayCorrection", SuvError),
        ({"Modality": "CT"}, "Modality", MixedSeries),
        ({"Manufacturer": "Philips"}, "Manufacturer", MixedSeries),
    ],
)
def test_slices_that_contradict_each_other_are_refused_by_name(tags, word, kind):
    with pytest.raises(kind, match=f"PET: {word} differs between slices"):
        read(header(), header(**tags))


def test_slices_may_differ_in_what_is_theirs():
    a = read(header(), header(AcquisitionTime="110500", RescaleSlope="2", DecayFactor="1.1", FrameReferenceTime="1"))
    assert [s.rescale_slope for s in a.slices] == [1, 2]
    assert a.slices[1].acquired == datetime(2025, 1, 1, 11, 5)


def test_a_correction_counts_only_where_all_slices_have_it():
    a = read(header(), header(CorrectedImage=["DECY", "NORM"]))
    assert a.corrections == ("NORM", "DECY")


def test_two_radiopharmaceuticals_are_refused():
    made = header()
    made.RadiopharmaceuticalInformationSequence.append(Dataset())
    with pytest.raises(SuvError, match="2 radiopharmaceuticals"):
        read(made)


def test_a_series_without_headers_is_refused():
    with pytest.raises(MissingMetadata, match="no headers"):
        read()


@pytest.mark.parametrize(
    ("code", "nuclide"),
    [
        (("C-163A8", "SRT", ""), "Tc-99m"),
        (("447553000", "SCT", "^177^Lutetium"), "Lu-177"),
        (("L1", "99LOCAL", "18F"), "F-18"),
        (("L1", "99LOCAL", "Fluorine-18"), "F-18"),
        (("L1", "99LOCAL", "[Tc99m]"), "Tc-99m"),
        (("L1", "99LOCAL", "^68^Gallium"), "Ga-68"),
        (("L1", "99LOCAL", "I 131 iodide"), "I-131"),
        (("L1", "99LOCAL", "F-19"), ""),
        (("L1", "99LOCAL", "Fludeoxyglucose"), ""),
        (None, ""),
    ],
)
def test_the_nuclide_by_code_or_by_a_name_that_says_it(code, nuclide):
    assert read(header(nuclide=code)).nuclide == nuclide


def test_the_nuclide_may_stand_in_the_name_of_the_tracer():
    assert read(header(nuclide=None, dose={"Radiopharmaceutical": "68Ga-PSMA-11"})).nuclide == "Ga-68"


def mapped(unit, slope, intercept=0.0):
    item, code = Dataset(), Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = unit, "UCUM", unit
    item.MeasurementUnitsCodeSequence = [code]
    item.RealWorldValueSlope, item.RealWorldValueIntercept = slope, intercept
    return item


def test_of_several_mappings_the_one_to_becquerel_is_read():
    a = read(header(Modality="NM", RealWorldValueMappingSequence=[mapped("{counts}", 1.0), mapped("Bq/ml", 2.5)]))
    assert (a.mapping_unit, a.mapping, a.slices[0].mapping) == ("Bq/ml", (2.5, 0), (2.5, 0))
    only = read(header(Modality="NM", RealWorldValueMappingSequence=[mapped("{counts}", 1.0)]))
    assert only.mapping_unit == "{counts}"


def test_the_time_of_collection_of_a_tomography_is_over_all_its_views():
    first, second = Dataset(), Dataset()
    first.ActualFrameDuration, first.NumberOfFramesInRotation = 20000, 60
    second.ActualFrameDuration, second.NumberOfFramesInRotation = 10000, 30
    assert read(header(RotationInformationSequence=[first, second])).collected_s == 1500
    del second.ActualFrameDuration
    assert read(header(RotationInformationSequence=[first, second])).collected_s is None


def enhanced(**tags):
    made = header(
        SOPClassUID="1.2.840.10008.5.1.4.1.1.130", Units=None, DecayCorrection=None, CorrectedImage=None,
        SeriesTime=None, AcquisitionTime=None, ActualFrameDuration=None, RescaleType="BQML",
        AttenuationCorrected="YES", DecayCorrected="YES", DecayCorrectionDateTime="20250101110000",
        FrameAcquisitionDateTime="20250101110500", FrameAcquisitionDuration=120000.0,
    )  # fmt: skip
    for keyword, value in tags.items():
        setattr(made, keyword, value)
    return made


def test_enhanced_pet_says_the_same_by_other_elements():
    a = read(enhanced())
    assert (a.units, a.corrections, a.decay_correction) == ("BQML", ("ATTN", "DECY"), "")
    assert a.decay_corrected_to == datetime(2025, 1, 1, 11)
    assert (a.slices[0].acquired, a.slices[0].duration_s) == (datetime(2025, 1, 1, 11, 5), 120)
    assert read(enhanced(DecayCorrected="NO")).decay_correction == "NONE"


def test_units_of_enhanced_pet_may_stand_in_the_real_world_mapping():
    same = enhanced(RescaleType="US", RescaleSlope="2.5", RealWorldValueMappingSequence=[mapped("Bq/ml", 2.5)])
    assert read(same).units == "BQML"
    other = enhanced(RescaleType="US", RescaleSlope="1", RealWorldValueMappingSequence=[mapped("Bq/ml", 2.5)])
    assert read(other).units == "US"


def test_an_enhanced_object_is_read_by_its_functional_groups():
    """Two frames with their own slope and time, the rest shared, as the standard nests them."""
    whole = enhanced(NumberOfFrames=2)
    del whole.FrameAcquisitionDateTime, whole.RescaleType, whole.RescaleSlope, whole.FrameAcquisitionDuration
    frames = []
    for slope, minute in ((2.0, 0), (3.0, 5)):
        frame, value, content = Dataset(), Dataset(), Dataset()
        value.RescaleSlope, value.RescaleIntercept, value.RescaleType = slope, 0, "BQML"
        content.FrameAcquisitionDateTime, content.FrameAcquisitionDuration = f"2025010111{minute:02d}00", 120000.0
        frame.PixelValueTransformationSequence, frame.FrameContentSequence = [value], [content]
        frames.append(frame)
    whole.PerFrameFunctionalGroupsSequence = frames
    a = read(*flat_headers(whole, "PET"))
    assert a.units == "BQML"
    assert [s.rescale_slope for s in a.slices] == [2, 3]
    assert [s.acquired.minute for s in a.slices] == [0, 5]
    conversion = convert(a, Suv())
    assert conversion.figures["reference_rule"] == "decay-correction-datetime"
    assert conversion.factors == pytest.approx([70_000 / (370e6 * 2 ** (-3600 / 6586.2))] * 2, rel=1e-12)


def test_a_tomogram_of_many_frames_is_read_with_its_mapping_and_its_time():
    rotation, detector = Dataset(), Dataset()
    rotation.ActualFrameDuration, rotation.NumberOfFramesInRotation = 20000, 60
    detector.ImagePositionPatient, detector.ImageOrientationPatient = [0, 0, 0], [1, 0, 0, 0, 1, 0]
    whole = header(
        SOPClassUID="1.2.840.10008.5.1.4.1.1.20", Modality="NM", Units=None, NumberOfFrames=2, DecayCorrection=None,
        ImageType=["ORIGINAL", "PRIMARY", "RECON TOMO", "EMISSION"], SliceVector=[1, 2], SpacingBetweenSlices="4",
        DetectorInformationSequence=[detector], RotationInformationSequence=[rotation], CorrectedImage=["ATTN"],
        RealWorldValueMappingSequence=[mapped("Bq/ml", 2.5)], dose={"RadionuclideTotalDose": "370"},
    )  # fmt: skip
    a = read(*flat_headers(whole, "SPECT"))
    assert (a.collected_s, a.mapping_unit, [s.mapping for s in a.slices]) == (1200, "Bq/ml", [(2.5, 0)] * 2)
    assert convert(a, Suv(), unit="Bq/ml").factors.tolist() == [2.5, 2.5]
    assert convert(a, Suv()).unit == "SUV"


@pytest.mark.parametrize("keyword", ["Units", "SUVType", "DecayCorrection"])
def test_codes_that_the_standard_does_not_know_are_not_repeated(keyword):
    a = read(header(**{keyword: "JANE DOE"}))
    assert "UNLISTED" in (a.units, a.suv_type, a.decay_correction)
    assert "JANE" not in str(a)
    assert read(header(RealWorldValueMappingSequence=[mapped("Jane Doe", 1.0)])).mapping_unit == "UNLISTED"


def test_classic_headers_are_never_read_by_the_elements_of_enhanced_pet():
    assert read(header(Units=None, RescaleType="BQML")).units == ""
