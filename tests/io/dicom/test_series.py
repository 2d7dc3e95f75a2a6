"""Series of single slices: the volume they make, whatever their order and encoding, and each fault refused by name."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import DeflatedExplicitVRLittleEndian, ImplicitVRLittleEndian, RLELossless

from radiomics_pipeline.errors import (
    BadGeometry,
    BadVoxels,
    CaseError,
    DamagedFile,
    DoubledSlices,
    MissingMetadata,
    MissingSlices,
    MixedSeries,
    NotDicom,
    NotTomographic,
    SeveralFrames,
    TiltedGantry,
    UnsupportedImage,
    WrongModality,
)
from radiomics_pipeline.io.dicom.headers import quiet
from radiomics_pipeline.io.dicom.scan import describe
from radiomics_pipeline.io.dicom.series import read_series
from radiomics_pipeline.io.volumes import VolumeFile
from tests.dicom import save, uid, volume_files, write_series

SPACING, ORIGIN = (3.0, 4.0, 5.0), (-20.0, -30.0, 100.0)
TURNED = (0.8, 0.0, 0.6, 0.0, 1.0, 0.0, -0.6, 0.0, 0.8)
SECRETS = ("Phantom", "PHANTOM-1", "19500101", "1.2.826", "A1", "Uniform")


def uptake(shape=(6, 4, 5)) -> np.ndarray:
    return np.random.default_rng(5).uniform(0, 30000, shape)


def ct(shape=(6, 4, 5)) -> np.ndarray:
    return np.random.default_rng(6).integers(-1000, 2000, shape).astype(float)


@pytest.fixture
def series(tmp_path):
    """Writes a series of uptake, or the array given, and gives its files."""

    def write(array=None, folder="a", **options) -> list[VolumeFile]:
        found = uptake() if array is None else array
        write_series(tmp_path / folder, found, **{"spacing_mm": SPACING, "origin_mm": ORIGIN, **options})
        return volume_files(tmp_path / folder)

    return write


def changed(file: VolumeFile, **tags) -> VolumeFile:
    """A file with other values."""
    found = dcmread(io.BytesIO(file.data))
    for keyword, value in tags.items():
        setattr(found, keyword, value)
    buffer = io.BytesIO()
    found.save_as(buffer, enforce_file_format=True)
    return VolumeFile(file.path, file.name, buffer.getvalue())


def spelled(files: list[VolumeFile], keyword: str, value: bytes) -> list[VolumeFile]:
    """Files with a text that pydicom would not write."""
    found = []
    for file in files:
        dataset = dcmread(io.BytesIO(file.data))
        element = dataset[keyword]
        mark = "7" * 14
        buffer = io.BytesIO()
        with quiet():
            dataset[keyword] = type(element)(element.tag, element.VR, mark)
            dataset.save_as(buffer, enforce_file_format=True)
        assert mark.encode() in buffer.getvalue()
        found.append(VolumeFile(file.path, file.name, buffer.getvalue().replace(mark.encode(), value.ljust(14))))
    return found


def said(files: list[VolumeFile]) -> str:
    """What is said of files when they are read: an error's message, or nothing."""
    try:
        read_series(files, "PET")
    except CaseError as error:
        return str(error)
    return ""


def refused(error: type[CaseError], files, match: str, **options) -> str:
    """The message of a refusal, which names nobody."""
    with pytest.raises(error, match=match) as caught:
        read_series(files, "PET", **options)
    assert type(caught.value) is error
    message = str(caught.value)
    assert not any(secret in message for secret in SECRETS)
    return message


# What is read ---------------------------------------------------------------------------------------------------------


def test_a_series_has_its_values_and_its_place(series):
    array = uptake()
    found = read_series(series(array), "PET")
    assert found.modality == "PT"
    np.testing.assert_allclose(found.array, array, atol=array.max() / 65000)
    assert found.grid.spacing_mm == SPACING
    assert found.grid.origin_mm == ORIGIN
    assert found.array.dtype == np.float64
    assert found.padding is None
    assert found.gates is None
    assert found.sop_uids == tuple(uid("PT", "", "slice", z) for z in range(6))
    assert found.series_uid == uid("PT", "", "series")
    assert found.frame_of_reference_uid == uid("frame")
    assert not any("PixelData" in header for header in found.headers)
    assert not found.array.flags.writeable


def test_every_slice_has_its_own_slope(series):
    slopes = np.array([0.5, 1.0, 2.0, 0.25, 3.0, 1.5])
    array = np.round(uptake()) * slopes[:, None, None]
    np.testing.assert_array_equal(read_series(series(array, slopes=slopes), "PET").array, array)


def test_hounsfield_units_are_exact(series):
    np.testing.assert_array_equal(read_series(series(ct(), modality="CT"), "CT").array, ct())


def test_names_and_suffixes_and_order_do_not_matter(series, tmp_path):
    files = series(ct(), modality="CT")
    whole = read_series(files, "CT")
    for i, file in enumerate(np.random.default_rng(1).permutation(len(files))):
        path = tmp_path / "b" / ["IM", "scan.txt", "x.nii", "2.dcm.bak", "DICOMDIR2", "a.jpg"][i]
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(files[file].data)
    again = read_series(volume_files(tmp_path / "b"), "CT")
    np.testing.assert_array_equal(again.array, whole.array)
    assert again.sop_uids == whole.sop_uids


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian])
def test_encodings_do_not_matter(series, tmp_path, syntax):
    files = series(ct(), modality="CT")
    for file in files:
        save(dcmread(io.BytesIO(file.data)), tmp_path / "b" / file.path.name, syntax)
    again = read_series(volume_files(tmp_path / "b"), "CT")
    np.testing.assert_array_equal(again.array, ct())
    assert again.grid == read_series(files, "CT").grid


def test_encodings_may_be_mixed(series, tmp_path):
    for z, file in enumerate(series(ct(), modality="CT")):
        found = dcmread(io.BytesIO(file.data))
        if z % 2:
            found.compress(RLELossless, generate_instance_uid=False)
        (tmp_path / "b").mkdir(exist_ok=True)
        found.save_as(tmp_path / "b" / f"{z}", enforce_file_format=True)
    np.testing.assert_array_equal(read_series(volume_files(tmp_path / "b"), "CT").array, ct())


def test_files_without_preamble_are_read(series):
    bare = []
    for file in series(ct(), modality="CT"):
        found = dcmread(io.BytesIO(file.data))
        plain = Dataset(dict(found.items()))
        buffer = io.BytesIO()
        plain.save_as(buffer, implicit_vr=True, little_endian=True, enforce_file_format=False)
        assert buffer.getvalue()[128:132] != b"DICM"
        bare.append(VolumeFile(file.path, file.name, buffer.getvalue()))
    np.testing.assert_array_equal(read_series(bare, "CT").array, ct())


def test_slices_written_from_the_other_end_make_the_same_volume(series):
    array = ct()
    down = (1, 0, 0, 0, 1, 0, 0, 0, -1)
    top = (*ORIGIN[:2], ORIGIN[2] + 5 * SPACING[0])
    up = read_series(series(array, modality="CT"), "CT")
    found = read_series(series(array[::-1], "b", modality="CT", direction=down, origin_mm=top), "CT")
    np.testing.assert_array_equal(found.array, up.array)
    assert found.grid == up.grid


def test_a_patient_lying_on_the_face_keeps_right_handed_axes(series):
    """Rows and columns of a prone patient run to the patient's right and front; the slices still to the head."""
    prone = (-1, 0, 0, 0, -1, 0, 0, 0, 1)
    found = read_series(series(ct(), modality="CT", direction=prone), "CT")
    np.testing.assert_array_equal(found.array, ct())
    assert np.linalg.det(np.array(found.grid.direction).reshape(3, 3)) == pytest.approx(1)
    np.testing.assert_allclose(found.grid.position_mm((1, 1, 1)), (-25, -34, 103))


@pytest.mark.parametrize(
    "direction", [TURNED, (0, 0, 1, 1, 0, 0, 0, 1, 0), (0, 0, -1, 1, 0, 0, 0, -1, 0)], ids=["oblique", "sag", "cor"]
)
def test_every_voxel_lies_where_its_slice_says(series, direction):
    """Against the formula of PS3.3, C.7.6.2.1.1, applied to each slice alone."""
    files = series(ct(), modality="CT", direction=direction)
    found = read_series(files, "CT")
    for file in files:
        header = dcmread(io.BytesIO(file.data))
        k = found.sop_uids.index(header.SOPInstanceUID)
        dy, dx = header.PixelSpacing
        turn = np.array(header.ImageOrientationPatient, float)
        for i, j in ((0, 0), (3, 4), (2, 1)):
            place = np.array(header.ImagePositionPatient, float) + turn[:3] * dx * j + turn[3:] * dy * i
            np.testing.assert_allclose(found.grid.position_mm((k, i, j)), place, atol=1e-6)
            assert found.array[k, i, j] == float(header.pixel_array[i, j]) - 1024


def test_itk_reads_the_same_volume(series, tmp_path):
    import SimpleITK as sitk

    files = series(ct(), modality="CT", direction=TURNED)
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(tmp_path / "a")))
    image, found = reader.Execute(), read_series(files, "CT")
    np.testing.assert_array_equal(sitk.GetArrayFromImage(image), found.array)
    np.testing.assert_allclose(image.GetOrigin(), found.grid.origin_mm, atol=1e-6)
    np.testing.assert_allclose(image.GetSpacing(), found.grid.spacing_mm[::-1], atol=1e-6)
    np.testing.assert_allclose(image.GetDirection(), found.grid.direction, atol=1e-6)


@pytest.mark.parametrize("tags", [{"SpacingBetweenSlices": 7.5, "SliceThickness": 3}, {"SliceThickness": 7.5}])
def test_a_single_slice_is_as_thick_as_it_says(series, tags):
    found = read_series(series(uptake((1, 4, 5)), tags=tags), "PET")
    assert found.array.shape == (1, 4, 5)
    assert found.grid.spacing_mm == (7.5, *SPACING[1:])


def test_distances_are_those_of_positions_whatever_the_header_says_of_thickness(series):
    tags = {"SliceThickness": 9.0, "SpacingBetweenSlices": 1.0}
    assert read_series(series(tags=tags), "PET").grid.spacing_mm == SPACING


def test_monochrome1_is_a_matter_of_display(series):
    files = series(ct(), modality="CT", tags={"PhotometricInterpretation": "MONOCHROME1"})
    np.testing.assert_array_equal(read_series(files, "CT").array, ct())


@pytest.mark.parametrize(
    ("tags", "low", "high"),
    [
        ({"PixelPaddingValue": 5}, 5, 5),
        ({"PixelPaddingValue": 5, "PixelPaddingRangeLimit": 60}, 5, 60),
        ({"PixelPaddingValue": 60, "PixelPaddingRangeLimit": 5}, 5, 60),
    ],
)
def test_padding_is_told_apart(series, tags, low, high):
    array = np.arange(6 * 4 * 5).reshape(6, 4, 5) - 1024.0
    padding = read_series(series(array, modality="CT", tags=tags), "CT").padding
    np.testing.assert_array_equal(padding, (array + 1024 >= low) & (array + 1024 <= high))


def test_signed_padding_may_be_spelled_as_unsigned(series):
    array = np.array([[[-2000.0, 5.0], [7.0, -2000.0]]])
    (file,) = series(array, slopes=np.ones(1))
    found = dcmread(io.BytesIO(file.data))
    found.add_new("PixelPaddingValue", "US", 65536 - 2000)
    buffer = io.BytesIO()
    found.save_as(buffer, enforce_file_format=True)
    padding = read_series([VolumeFile(file.path, "a", buffer.getvalue())], "PET").padding
    np.testing.assert_array_equal(padding, array == -2000)


def test_masks_reports_and_other_files_are_passed_over(series, tmp_path):
    files = series()
    others = []
    for end in ("481.3", "88.33", "66.4", "67", "104.1"):
        other = Dataset()
        other.SOPClassUID, other.SOPInstanceUID = f"1.2.840.10008.5.1.4.1.1.{end}", uid("other", end)
        other.SeriesInstanceUID, other.Modality = uid("series", end), "OT"
        if end == "66.4":
            other.Rows, other.Columns = 4, 5
        others.append(save(other, tmp_path / "b" / end))
    (tmp_path / "b" / "notes.txt").write_text("a word about this series")
    found = read_series([*volume_files(tmp_path / "b"), *files], "PET")
    np.testing.assert_array_equal(found.array, read_series(files, "PET").array)


@pytest.mark.parametrize(
    "words",
    [
        ["DERIVED", "SECONDARY"],
        ["DERIVED", "SECONDARY", "AXIAL"],
        ["DERIVED", "SECONDARY", "REFORMATTED"],
        ["DERIVED", "SECONDARY", "REFORMATTED", "AVERAGE"],
        ["DERIVED", "PRIMARY", "AXIAL", "CT_SOM5 MPR"],
        ["ORIGINAL", "PRIMARY", "M_SE", "M", "SE"],
        ["ORIGINAL", "PRIMARY", "AXIAL", "HELIX"],
        ["ORIGINAL", "PRIMARY", "WHOLE BODY"],
        ["ORIGINAL", "PRIMARY", "STATIC"],
        ["ORIGINAL", "PRIMARY", "", "PSF"],
    ],
)
def test_slices_of_every_usual_kind_are_read(series, words):
    assert read_series(series(tags={"ImageType": words}), "PET").array.shape == (6, 4, 5)


# What is refused ------------------------------------------------------------------------------------------------------


def test_no_image_at_all(tmp_path):
    (tmp_path / "a").write_text("nothing")
    refused(NotDicom, volume_files(tmp_path), "no image among its 1 files")


def test_an_empty_folder():
    refused(NotDicom, [], "no image among its 0 files")


@pytest.mark.parametrize(
    ("tags", "what"),
    [
        ({"PatientID": "OTHER"}, "2 patients"),
        ({"PatientName": "Other^Name"}, "2 patients"),
        ({"SeriesInstanceUID": "1.2.3"}, "2 series"),
        ({"FrameOfReferenceUID": "1.2.3"}, "2 frames of reference"),
        ({"Modality": "CT"}, "2 modalities"),
        ({"PixelSpacing": [4.0, 4.5]}, "pixels of different sizes"),
        ({"ImageOrientationPatient": [1, 0, 0, 0, 0.8, 0.6]}, "turned against the first"),
    ],
)
def test_mixtures_are_refused_by_what_they_mix(series, tags, what):
    files = series()
    files[2] = changed(files[2], **tags)
    message = refused(MixedSeries, files, what)
    assert "OTHER" not in message.replace("other", "")


def test_slices_of_different_sizes(series):
    files = series(uptake((3, 4, 5))) + series(uptake((3, 5, 5)), "b", origin_mm=(-20, -30, 109))
    refused(MixedSeries, files, "different sizes")


@pytest.mark.parametrize("lost", [1, 3, 4])
def test_a_missing_slice_is_noticed_wherever_it_was(series, lost):
    files = series()
    del files[lost]
    refused(MissingSlices, files, "6 mm between .*elsewhere 3 mm; 1 slice is missing")


def test_two_missing_slices_are_counted(series):
    files = series(uptake((12, 4, 5)))
    refused(MissingSlices, files[:5] + files[7:], "9 mm between .*2 slices are missing")


def test_uneven_distances(series):
    files = series()
    files[3] = changed(files[3], ImagePositionPatient=[*ORIGIN[:2], ORIGIN[2] + 9.8])
    assert "missing" not in refused(MissingSlices, files, "uneven distances")


def test_distances_that_grow_are_uneven(series):
    tags = {"slice_tags": lambda z: {"ImagePositionPatient": [*ORIGIN[:2], ORIGIN[2] + 3 * z + 0.1 * z * z]}}
    refused(MissingSlices, series(**tags), "uneven distances")


def test_distances_that_are_rounded_are_even(series):
    tags = {"slice_tags": lambda z: {"ImagePositionPatient": [*ORIGIN[:2], round(ORIGIN[2] + 3.27 * z, 1)]}}
    found = read_series(series(uptake((40, 4, 5)), **tags), "PET")
    assert found.grid.spacing_mm[0] == pytest.approx(3.27, abs=0.01)


def test_a_copy_of_a_slice(series):
    files = series()
    refused(DoubledSlices, [*files, files[2]], "1 of 6 positions hold more than one slice")


def test_copies_of_all_slices(series):
    files = series()
    refused(DoubledSlices, [*files, *files], "6 of 6 positions")


def test_a_tilted_gantry(series):
    tags = {"slice_tags": lambda z: {"ImagePositionPatient": [ORIGIN[0], ORIGIN[1] + 0.4 * z, ORIGIN[2] + 3 * z]}}
    refused(TiltedGantry, series(**tags), "shifted against each other by up to 2 mm")


def test_a_slice_that_is_shifted_alone(series):
    files = series()
    files[4] = changed(files[4], ImagePositionPatient=[ORIGIN[0] + 3, ORIGIN[1], ORIGIN[2] + 12])
    refused(TiltedGantry, files, "3 mm")


@pytest.mark.parametrize(
    "words",
    [
        ["ORIGINAL", "PRIMARY", "LOCALIZER"],
        ["DERIVED", "SECONDARY", "MIP"],
        ["DERIVED", "SECONDARY", "REFORMATTED", "MIP"],
        ["DERIVED", "SECONDARY", "PROJECTION IMAGE"],
        ["DERIVED", "SECONDARY", "SCREEN SAVE"],
        ["DERIVED", "SECONDARY", "OTHER", "CSA MIP"],
    ],
)
def test_pictures_are_no_slices(series, words):
    refused(NotTomographic, series(tags={"ImageType": words}), "image of type")


def test_one_picture_among_slices_is_enough(series):
    files = series()
    files[5] = changed(files[5], ImageType=["DERIVED", "SECONDARY", "MIP"])
    refused(NotTomographic, files, "file 6 of 6.*MIP.*take it out")


def test_reprojections_are_no_slices(series):
    refused(NotTomographic, series(tags={"SeriesType": ["WHOLE BODY", "REPROJECTION"]}), "reprojection")


def test_secondary_captures_are_no_slices(series):
    refused(NotTomographic, series(sop_class="1.2.840.10008.5.1.4.1.1.7"), "secondary capture")


def test_another_modality(series):
    refused(WrongModality, series(ct(), modality="CT", tags={"Modality": "MR"}), "modality MR; PT, NM, CT are read")


def test_free_text_in_the_place_of_a_modality_is_not_repeated(series):
    assert "DOE" not in refused(WrongModality, series(tags={"Modality": "DOE JANE"}), "modality not known")


@pytest.mark.parametrize(
    ("keyword", "told"),
    [
        ("ImagePositionPatient", r"\(0020,0032\)"),
        ("ImageOrientationPatient", r"\(0020,0037\)"),
        ("PixelSpacing", r"\(0028,0030\)"),
        ("RescaleSlope", r"\(0028,1053\)"),
        ("RescaleIntercept", r"\(0028,1052\)"),
    ],
)
@pytest.mark.parametrize("modality", ["PT", "CT"])
def test_what_a_header_lacks_is_named(series, keyword, told, modality):
    refused(MissingMetadata, series(modality=modality, tags={keyword: None}), f"no {keyword} {told}")
    refused(MissingMetadata, series(folder="b", modality=modality, tags={keyword: ""}), f"no {keyword} {told}")


def test_one_slice_that_lacks_it_is_named(series):
    files = series()
    files[3] = changed(files[3], RescaleSlope=None)
    refused(MissingMetadata, files, "file 4 of 6: no RescaleSlope")


def test_a_slope_of_zero(series):
    refused(MissingMetadata, series(tags={"RescaleSlope": 0}), "RescaleSlope .* is 0")


@pytest.mark.parametrize("keyword", ["RescaleSlope", "RescaleIntercept"])
@pytest.mark.parametrize("value", [b"DOE JANE", b"nan", b"inf", b"1\\2", b"0x1F", b"1,5"])
def test_a_slope_that_is_no_number(series, keyword, value):
    message = refused(MissingMetadata, spelled(series(), keyword, value), f"{keyword} .* is not a number")
    assert "DOE" not in message


@pytest.mark.parametrize("value", [[1, 0, 0], [1, 0, 0, 1, 0, 0], [2, 0, 0, 0, 2, 0], [0, 0, 0, 0, 0, 0]])
def test_orientations_that_are_none(series, value):
    refused(MissingMetadata, series(tags={"ImageOrientationPatient": value}), "ImageOrientationPatient")


def test_positions_that_are_none(series):
    refused(MissingMetadata, series(tags={"ImagePositionPatient": [1, 2]}), "ImagePositionPatient .* is not 3 numbers")


@pytest.mark.parametrize("spacing", [[0, 4], [4, -4]])
def test_pixels_without_a_size(series, spacing):
    refused(BadGeometry, series(tags={"PixelSpacing": spacing}), "must be above 0")


def test_a_single_slice_without_thickness(series):
    refused(MissingMetadata, series(uptake((1, 4, 5)), tags={"SliceThickness": None}), "single slice without")


def test_values_beyond_all_numbers(series):
    refused(BadVoxels, series(tags={"RescaleSlope": "1e306"}), "NaN or infinite")


def test_real_numbers_that_are_none(series):
    files = series(uptake((3, 4, 5)))
    plane = np.ones((4, 5), np.float32)
    plane[1, 2] = np.nan
    broken = []
    for file in files:
        found = dcmread(io.BytesIO(file.data))
        del found.PixelData
        found.FloatPixelData, found.BitsAllocated = plane.tobytes(), 32
        buffer = io.BytesIO()
        found.save_as(buffer, enforce_file_format=True)
        broken.append(VolumeFile(file.path, file.name, buffer.getvalue()))
    refused(BadVoxels, broken, "1 of 20 voxels are NaN or infinite")


def test_pixels_that_end_early(series):
    files = series()
    files[1] = VolumeFile(files[1].path, files[1].name, files[1].data[:-7])
    refused(DamagedFile, files, "file 2 of 6: 33 bytes of pixels, 40 are announced")


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
def test_a_header_that_ends_early_is_not_passed_over(series, share):
    files = series()
    end = files[5].data.index(b"\xe0\x7f\x10\0")
    files[5] = VolumeFile(files[5].path, files[5].name, files[5].data[: 132 + int(share * (end - 132))])
    refused(DamagedFile, files, "file 6 of 6")


def test_colours(series):
    refused(UnsupportedImage, series(tags={"SamplesPerPixel": 3, "PhotometricInterpretation": "RGB"}), "colour")


def test_a_lookup_table_instead_of_a_slope(series):
    table = Dataset()
    table.LUTDescriptor, table.ModalityLUTType = [1, 0, 16], "HU"
    refused(UnsupportedImage, series(ct(), modality="CT", tags={"ModalityLUTSequence": [table]}), "Modality LUT")


@pytest.mark.parametrize("kind", ["Z_EFF", "MGML", "ED"])
def test_spectral_maps_are_no_hounsfield_units(series, kind):
    refused(UnsupportedImage, series(ct(), modality="CT", tags={"RescaleType": kind}), f"{kind} instead of HU")


def test_nothing_that_a_header_may_hold_gets_into_a_message(series):
    """Every text and number of the header in turn says what should not be there: it is read, or refused in silence."""
    files = series(uptake((2, 4, 5)), tags={"SeriesType": ["STATIC", "IMAGE"], "PixelPaddingValue": None})
    plain = dcmread(io.BytesIO(files[0].data))
    tried = 0
    for element in list(plain):
        if element.VR in ("SQ", "US", "SS", "OW", "UL", "FD"):
            continue
        for every in (True, False):
            dirty = [spelled([f], element.keyword, b"DOE^JANE")[0] for f in (files if every else files[:1])]
            dirty += [] if every else files[1:]
            assert "DOE" not in said(dirty)
            tried += 1
    assert tried > 60


def test_headers_are_parsed_once(series, monkeypatch):
    files, calls, real = series(), [], pydicom.dcmread
    monkeypatch.setattr(pydicom, "dcmread", lambda *a, **k: calls.append(1) or real(*a, **k))
    (found,) = describe(files)
    assert len(calls) == 6
    whole = read_series(found.files, "PET")
    assert len(calls) == 6
    np.testing.assert_array_equal(read_series(files, "PET").array, whole.array)


# Gates and frames -----------------------------------------------------------------------------------------------------


def cycle(gates=4) -> np.ndarray:
    return np.random.default_rng(7).integers(0, 900, (gates, 5, 4, 3)).astype(float)


def gated(series, times, array, units="CNTS", **tags) -> list[VolumeFile]:
    """Classic gated PET: one series of slices for each gate, all of one UID."""
    files = []
    for gate, (time, volume) in enumerate(zip(times, array, strict=True)):
        here = {"SeriesType": ["GATED", "IMAGE"], "TriggerTime": time, "Units": units, **tags}
        named = {"slice_tags": lambda z, gate=gate: {"SOPInstanceUID": uid("gate", gate, z)}}
        files += series(volume, f"gate{gate}", tags=here, slopes=np.ones(len(volume)), **named)
    return files


def test_gated_pet_is_refused_until_a_gate_is_named(series):
    files = gated(series, [0, 200, 400, 600], cycle())
    refused(SeveralFrames, files, "gated series of 4 gates")
    for wrong in (0, 5, -1):
        refused(SeveralFrames, files, f"no gate {wrong}; the series has 4", gate=wrong)


def test_gates_are_in_the_order_of_their_time_after_the_trigger(series):
    array = cycle()
    files = gated(series, [400, 0, 600, 200], array)
    order = [1, 3, 0, 2]
    for number, gate in enumerate(order, 1):
        found = read_series(files, "PET", gate=number)
        np.testing.assert_array_equal(found.array, array[gate])
        assert found.sop_uids == tuple(uid("gate", gate, z) for z in range(5))
        np.testing.assert_array_equal(found.gates, array[order])
    np.testing.assert_array_equal(read_series(files, "PET", gate="sum").array, array.sum(axis=0))


def test_concentrations_are_not_summed(series):
    files = gated(series, [0, 200, 400, 600], cycle(), units="BQML")
    refused(SeveralFrames, files, "concentrations", gate="sum")
    np.testing.assert_array_equal(read_series(files, "PET", gate=2).array, cycle()[1])


def test_a_slice_that_one_gate_lacks(series):
    files = gated(series, [0, 200, 400, 600], cycle())
    refused(MissingSlices, files[:7] + files[8:], "only 3 of them", gate=1)


def test_a_gate_of_a_series_without_gates(series):
    whole = read_series(series(), "PET").array
    for gate in (1, "sum"):
        np.testing.assert_array_equal(read_series(series(), "PET", gate=gate).array, whole)
    refused(SeveralFrames, series(), "no gate 2; the series has 1", gate=2)


def test_dynamic_pet(series):
    files = []
    for frame in range(3):
        tags = {"SeriesType": ["DYNAMIC", "IMAGE"], "FrameReferenceTime": 1e4 * frame}
        files += series(folder=f"f{frame}", tags=tags)
    refused(SeveralFrames, files, "up to 3 images at one position")


# What must not change -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pet(tmp_path_factory) -> list[VolumeFile]:
    folder: Path = tmp_path_factory.mktemp("pet")
    write_series(folder, uptake(), spacing_mm=SPACING, origin_mm=ORIGIN, direction=TURNED)
    return volume_files(folder)


@settings(max_examples=25, deadline=None)
@given(order=st.permutations(range(6)))
def test_the_order_of_files_does_not_matter(pet, order):
    whole, found = read_series(pet, "PET"), read_series([pet[i] for i in order], "PET")
    np.testing.assert_array_equal(found.array, whole.array)
    assert (found.grid, found.sop_uids) == (whole.grid, whole.sop_uids)


@settings(max_examples=25, deadline=None)
@given(slope=st.floats(1e-6, 1e6).map(lambda v: float(f"{v:.10g}")), intercept=st.integers(-5000, 5000).map(float))
def test_values_are_linear_in_slope_and_intercept(pet, slope, intercept):
    files = [changed(file, RescaleSlope=slope, RescaleIntercept=intercept) for file in pet]
    stored = np.stack([dcmread(io.BytesIO(file.data)).pixel_array for file in pet])
    np.testing.assert_allclose(read_series(files, "PET").array, slope * stored + intercept, rtol=1e-14, atol=0)


# Real data ------------------------------------------------------------------------------------------------------------


def unpacked(archive: Path, folder: Path) -> list[VolumeFile]:
    import zipfile

    with zipfile.ZipFile(archive) as packed:
        packed.extractall(folder)
    return volume_files(folder)


def test_a_whole_body_scan_is_read_across_its_beds(shared, tmp_path):
    """Six beds of a GE Discovery ST that join 3.19 or 3.29 mm apart instead of 3.27."""
    files = unpacked(shared / "nm_data/sts_001_pet_bqml/STS_001_FDG_PET.zip", tmp_path)
    found = read_series(files, "PET")
    assert found.array.shape == (267, 128, 128)
    assert found.grid.spacing_mm == pytest.approx((3.27, 4.6875, 4.6875), abs=1e-4)
    places = np.array([header.ImagePositionPatient for header in found.headers], float)
    assert 3.18 < np.diff(places[:, 2]).min() < 3.2
    for z in (0, 58, 133, 266):
        header = found.headers[z]
        assert float(header.ImagePositionPatient[2]) == pytest.approx(found.grid.position_mm((z, 0, 0))[2], abs=0.16)
    assert found.array.max() * 2.42902977e-4 == pytest.approx(66.5215, abs=1e-3)
