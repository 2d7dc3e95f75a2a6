"""Objects of many frames: tomograms of nuclear medicine, enhanced PET and CT."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from radiomics_pipeline.errors import (
    DamagedFile,
    MissingMetadata,
    MissingSlices,
    NotTomographic,
    SeveralFrames,
    UnsupportedImage,
    WrongModality,
)
from radiomics_pipeline.io.dicom.series import read_series
from tests.dicom import enhanced, file_of, group, nuclear, volume_files, write_series

COUNTS = np.random.default_rng(7).integers(0, 900, (5, 4, 6))
GATES = np.random.default_rng(8).integers(0, 200, (8, 5, 4, 6))
BEHIND = (0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
"""Columns are the patient's y, z and x."""


@pytest.fixture
def read(tmp_path):
    number = itertools.count()

    def read_objects(*found, gate=None):
        files = [file_of(one, tmp_path / f"{next(number)}") for one in found]
        return read_series(files, "SPECT", gate=gate)

    return read_objects


def mapped(unit):
    code = {"CodeValue": unit, "CodingSchemeDesignator": "UCUM", "CodeMeaning": "unit"}
    return {"RealWorldValueMappingSequence": [group(MeasurementUnitsCodeSequence=code)]}


def test_a_tomogram_has_its_counts_and_its_place(read):
    found = read(nuclear(COUNTS))
    np.testing.assert_array_equal(found.array, COUNTS)
    assert (found.modality, found.gates, found.padding) == ("NM", None, None)
    assert (found.grid.spacing_mm, found.grid.origin_mm) == ((4, 4, 4), (-20, -30, 100))
    assert [h.ImagePositionPatient[2] for h in found.headers] == [100, 104, 108, 112, 116]


def test_negative_spacing_stacks_the_frames_against_the_normal(read):
    """PS3.3, C.8.4.15: the sign of Spacing Between Slices; the distance is never that of Slice Thickness."""
    found = read(nuclear(COUNTS, spacing_mm=(-4.0, 4.0, 4.0)))
    np.testing.assert_array_equal(found.array, COUNTS[::-1])
    assert found.grid.origin_mm == (-20, -30, 100 - 4 * 4)
    assert found.grid.spacing_mm == (4, 4, 4)
    same = read(nuclear(COUNTS[::-1], origin_mm=(-20.0, -30.0, 84.0)))
    assert same.grid == found.grid
    np.testing.assert_array_equal(same.array, found.array)


def test_a_position_beside_the_detector_is_that_of_the_first_frame_too(read):
    found = read(nuclear(COUNTS, tags={"DetectorInformationSequence": None, "ImagePositionPatient": [1, 2, 3],
                                       "ImageOrientationPatient": [1, 0, 0, 0, 1, 0]}))  # fmt: skip
    np.testing.assert_array_equal(found.array, COUNTS)
    assert [h.ImagePositionPatient[2] for h in found.headers] == [3, 7, 11, 15, 19]


def test_an_oblique_tomogram_lies_along_its_own_normal(read):
    found = read(nuclear(COUNTS, direction=BEHIND, spacing_mm=(5.0, 4.0, 3.0)))
    assert found.grid.direction == BEHIND
    np.testing.assert_allclose(found.headers[-1].ImagePositionPatient, [-20 + 4 * 5, -30, 100])


def test_frames_are_ordered_by_their_slice_vector_from_the_first_frame_on(read):
    """The position in the header is that of the first frame, whichever slice it is."""
    order = [2, 0, 4, 1, 3]
    found = read(nuclear(COUNTS[order], tags={"SliceVector": [i + 1 for i in order]}))
    np.testing.assert_array_equal(found.array, COUNTS)
    assert found.grid.origin_mm[2] == 100 - 2 * 4


def test_a_tomogram_may_come_as_one_object_a_slice(tmp_path, read):
    single = [
        nuclear(COUNTS[z : z + 1], origin_mm=(-20.0, -30.0, 100.0 + 4 * z), tags={
            "SOPInstanceUID": f"1.2.3.{z}", "SliceVector": [z + 1],
        })
        for z in (3, 1, 0, 4, 2)
    ]  # fmt: skip
    found = read(*single)
    np.testing.assert_array_equal(found.array, COUNTS)
    assert found.grid == read(nuclear(COUNTS)).grid
    assert found.sop_uids == tuple(f"1.2.3.{z}" for z in range(5))


@pytest.mark.parametrize("keyword", ["EnergyWindowVector", "DetectorVector", "RotationVector"])
def test_vectors_that_stay_the_same_do_no_harm(read, keyword):
    np.testing.assert_array_equal(read(nuclear(COUNTS, tags={keyword: [1] * 5})).array, COUNTS)


@pytest.mark.parametrize(
    ("keyword", "what"),
    [("EnergyWindowVector", "2 energy windows"), ("DetectorVector", "2 detectors"), ("RotationVector", "2 rotations"),
     ("PhaseVector", "2 phases"), ("TimeSliceVector", "2 time slices"), ("RRIntervalVector", "2 R-R intervals")],
)  # fmt: skip
def test_what_is_more_than_one_volume_is_counted_and_refused(read, keyword, what):
    both = np.concatenate([COUNTS, COUNTS])
    tags = {"SliceVector": [*range(1, 6)] * 2, keyword: [1] * 5 + [2] * 5}
    with pytest.raises(SeveralFrames, match=what):
        read(nuclear(both, tags=tags))


@pytest.mark.parametrize("kind", ["TOMO", "STATIC", "WHOLE BODY", "DYNAMIC", "GATED", "GATED TOMO"])
def test_projections_and_planar_images_are_named_and_refused(read, kind):
    with pytest.raises(NotTomographic, match=f"type {kind};.*RECON TOMO"):
        read(nuclear(COUNTS, tags={"ImageType": ["ORIGINAL", "PRIMARY", kind, "EMISSION"]}))


def test_an_image_without_a_kind_is_no_tomogram(read):
    with pytest.raises(NotTomographic, match="unknown"):
        read(nuclear(COUNTS, tags={"ImageType": ["ORIGINAL", "PRIMARY"]}))


def test_a_transmission_map_is_no_uptake(read):
    with pytest.raises(WrongModality, match="transmission"):
        read(nuclear(COUNTS, tags={"ImageType": ["ORIGINAL", "PRIMARY", "RECON TOMO", "TRANSMISSION"]}))


@pytest.mark.parametrize(
    ("tags", "lacking"),
    [({"SpacingBetweenSlices": None}, "SpacingBetweenSlices"), ({"SpacingBetweenSlices": ""}, "SpacingBetweenSlices"),
     ({"DetectorInformationSequence": None}, "ImagePositionPatient"), ({"PixelSpacing": None}, "PixelSpacing"),
     ({"SliceVector": [1, 2, 3]}, "SliceVector has 3 entries for 5 frames")],
)  # fmt: skip
def test_a_place_that_is_not_stated_is_not_guessed(read, tags, lacking):
    with pytest.raises(MissingMetadata, match=lacking):
        read(nuclear(COUNTS, tags=tags))


def test_a_missing_frame_is_a_missing_slice(read):
    with pytest.raises(MissingSlices, match=r"8 mm.*elsewhere 4 mm.*1 slice"):
        read(nuclear(COUNTS[[0, 1, 3, 4]], tags={"SliceVector": [1, 2, 4, 5]}))


def test_a_gated_series_is_refused_until_a_gate_is_named(read):
    with pytest.raises(SeveralFrames, match=r"8 gates.*gate: sum or a number from 1 to 8"):
        read(nuclear(GATES))


def test_gates_and_their_sum_are_given(read):
    found = read(nuclear(GATES), gate="sum")
    np.testing.assert_array_equal(found.gates, GATES)
    np.testing.assert_array_equal(found.array, GATES.sum(axis=0))
    third = read(nuclear(GATES), gate=3)
    np.testing.assert_array_equal(third.array, GATES[2])
    assert [h.TimeSlotVector for h in third.headers] == [3] * 5
    with pytest.raises(SeveralFrames, match="no gate 9; the series has 8"):
        read(nuclear(GATES), gate=9)
    with pytest.raises(SeveralFrames, match="no gate 0"):
        read(nuclear(GATES), gate=0)


def test_gates_are_sorted_whatever_the_order_of_frames(read):
    frames = [(gate, z) for gate in range(8) for z in range(5)]
    order = np.random.default_rng(3).permutation(len(frames))
    order = np.concatenate([[0], order[order != 0]])
    shuffled = nuclear(GATES.reshape(40, 4, 6)[order][None])
    for keyword, at in (("TimeSlotVector", 0), ("SliceVector", 1)):
        setattr(shuffled, keyword, [frames[i][at] + 1 for i in order])
    shuffled.RRIntervalVector = [1] * 40
    np.testing.assert_array_equal(read(shuffled, gate="sum").gates, GATES)


def test_gates_without_a_slice_vector_are_not_guessed(read):
    with pytest.raises(MissingMetadata, match="SliceVector"):
        read(nuclear(GATES, tags={"SliceVector": None}), gate="sum")


def test_gates_may_come_as_one_object_a_gate(read):
    single = [
        nuclear(GATES[gate : gate + 1], tags={"TimeSlotVector": [gate + 1] * 5, "SOPInstanceUID": f"1.2.3.{gate}"})
        for gate in (2, 0, 1)
    ]
    np.testing.assert_array_equal(read(*single, gate="sum").gates, GATES[:3])


def test_concentrations_of_gates_are_never_summed(read):
    """Each gate is a concentration of its own: eight of them would make an SUV eight times too high."""
    with pytest.raises(SeveralFrames, match="concentrations"):
        read(nuclear(GATES, tags=mapped("Bq/ml")), gate="sum")
    np.testing.assert_array_equal(read(nuclear(GATES, tags=mapped("Bq/ml")), gate=2).array, GATES[1])
    np.testing.assert_array_equal(read(nuclear(GATES, tags=mapped("{counts}")), gate="sum").array, GATES.sum(axis=0))


@pytest.mark.parametrize("modality", ["PT", "CT"])
def test_an_enhanced_object_equals_its_classic_series(tmp_path, read, modality):
    slopes = np.array([1.0, 2.0, 0.5, 4.0, 1.0]) if modality == "PT" else None
    write_series(tmp_path / "classic", COUNTS, modality=modality, slopes=slopes)
    classic = read_series(volume_files(tmp_path / "classic"), modality)
    found = read(enhanced(COUNTS, modality=modality, slopes=slopes))
    np.testing.assert_array_equal(found.array, classic.array)
    assert found.grid == classic.grid
    for one, other in zip(found.headers, classic.headers, strict=True):
        for keyword in ("RescaleSlope", "RescaleIntercept", "ImagePositionPatient", "PixelSpacing", "SliceThickness"):
            assert one[keyword].value == other[keyword].value
        assert one.get("RadiopharmaceuticalInformationSequence") == other.get("RadiopharmaceuticalInformationSequence")
        assert "PixelData" not in one
        assert "PerFrameFunctionalGroupsSequence" not in one
    assert [h.FrameAcquisitionDateTime for h in found.headers] == [f"202401151100{z:02d}.000" for z in range(5)]


@pytest.mark.parametrize("sop_class", ["1.2.840.10008.5.1.4.1.1.128.1", "1.2.840.10008.5.1.4.1.1.2.2"])
def test_converted_legacy_objects_give_back_what_was_unassigned(read, sop_class):
    made = enhanced(COUNTS, modality="PT" if "128" in sop_class else "CT", sop_class=sop_class)
    shared = made.SharedFunctionalGroupsSequence[0]
    shared.UnassignedSharedConvertedAttributesSequence = [group()]
    shared.UnassignedSharedConvertedAttributesSequence[0].DecayFactor = 1.5
    for z, frame in enumerate(made.PerFrameFunctionalGroupsSequence):
        frame.UnassignedPerFrameConvertedAttributesSequence = [group()]
        frame.UnassignedPerFrameConvertedAttributesSequence[0].FrameReferenceTime = 10.0 * z
    headers = read(made).headers
    assert [h.DecayFactor for h in headers] == [1.5] * 5
    assert [h.FrameReferenceTime for h in headers] == [0, 10, 20, 30, 40]


def test_real_world_value_mappings_stay_sequences(read):
    made = enhanced(COUNTS)
    for frame in made.PerFrameFunctionalGroupsSequence:
        frame.RealWorldValueMappingSequence = mapped("Bq/ml")["RealWorldValueMappingSequence"]
    header = read(made).headers[0]
    assert header.RealWorldValueMappingSequence[0].MeasurementUnitsCodeSequence[0].CodeValue == "Bq/ml"


def test_frames_of_an_enhanced_object_are_sorted_by_position(read):
    made = enhanced(COUNTS)
    plain = read(enhanced(COUNTS))
    frames = made.PerFrameFunctionalGroupsSequence
    made.PerFrameFunctionalGroupsSequence = [frames[i] for i in (3, 1, 4, 0, 2)]
    pixels = np.frombuffer(made.PixelData, np.int16).reshape(5, -1)
    made.PixelData = pixels[[3, 1, 4, 0, 2]].tobytes()
    found = read(made)
    np.testing.assert_array_equal(found.array, plain.array)
    assert found.grid == plain.grid


def test_names_beyond_ascii_survive_in_the_header_of_a_frame(read):
    header = read(enhanced(COUNTS, tags={"SpecificCharacterSet": "ISO_IR 192", "PatientName": "Müller^Ana"})).headers[2]
    assert str(header.PatientName) == "Müller^Ana"


def test_a_time_series_in_one_object_is_refused(read):
    made = enhanced(np.concatenate([COUNTS, COUNTS]))
    for i, frame in enumerate(made.PerFrameFunctionalGroupsSequence):
        frame.PlanePositionSequence[0].ImagePositionPatient = [-20, -30, 100 + 3 * (i % 5)]
        frame.FrameContentSequence[0].TemporalPositionIndex = 1 + i // 5
    with pytest.raises(SeveralFrames, match=r"up to 2 images at one position.*dynamic"):
        read(made)


def test_a_projection_among_the_frames_is_refused(read):
    made = enhanced(COUNTS, modality="CT")
    for frame in made.PerFrameFunctionalGroupsSequence:
        frame.CTImageFrameTypeSequence = group(CTImageFrameTypeSequence={
            "FrameType": ["DERIVED", "PRIMARY", "VOLUME", "MAX_IP"],
        }).CTImageFrameTypeSequence  # fmt: skip
    with pytest.raises(NotTomographic, match="MAX_IP"):
        read(made)


def test_frames_that_are_not_described_are_refused(read):
    made = enhanced(COUNTS)
    del made.PerFrameFunctionalGroupsSequence[-1]
    with pytest.raises(DamagedFile, match="5 frames, but 4"):
        read(made)


def test_frames_of_a_classic_object_without_places_are_refused(read):
    made = enhanced(COUNTS, tags={"PerFrameFunctionalGroupsSequence": None})
    with pytest.raises(NotTomographic, match="5 frames, and no word on where each lies"):
        read(made)


def test_spectral_ct_is_not_taken_for_hounsfield_units(read):
    made = enhanced(COUNTS, modality="CT")
    for frame in made.PerFrameFunctionalGroupsSequence:
        frame.PixelValueTransformationSequence[0].RescaleType = "Z_EFF"
    with pytest.raises(UnsupportedImage, match="Z_EFF instead of HU"):
        read(made)


def test_a_real_converted_object_equals_its_single_slices(shared):
    folder = shared / "nm_data" / "seg_small"
    for case in ("23x38x3", "24x38x3"):
        single, whole = (read_series(volume_files(folder / case / kind), "CT") for kind in ("image", "multiframe"))
        np.testing.assert_array_equal(single.array, whole.array)
        assert single.grid == whole.grid
        assert single.grid.shape == (3, 38, int(case[:2]))
