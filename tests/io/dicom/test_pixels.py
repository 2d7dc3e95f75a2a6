"""Pixels as they are stored: encodings, compressions, bits, and files that end too early."""

from __future__ import annotations

import io

import numpy as np
import pydicom
import pytest
from pydicom.encaps import encapsulate
from pydicom.pixels import get_decoder
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from radiomics_pipeline.errors import DamagedFile, UnsupportedImage
from radiomics_pipeline.io.dicom.headers import open_header
from radiomics_pipeline.io.dicom.pixels import stored_values
from radiomics_pipeline.io.dicom.series import read_series
from radiomics_pipeline.io.volumes import VolumeFile
from tests.dicom import enhanced, file_of, save, set_pixels, volume_files, write_series

HU = np.random.default_rng(2).integers(-1000, 2000, (3, 8, 6)).astype(float)


def written(folder, change=None, syntax=ExplicitVRLittleEndian):
    """A series of three slices, changed and written in another syntax."""
    for path in write_series(folder, HU, modality="CT"):
        dataset = pydicom.dcmread(path)
        if change:
            change(dataset)
        if syntax == ExplicitVRBigEndian:
            dataset.PixelData = np.frombuffer(dataset.PixelData, "<u2").astype(">u2").tobytes()
        save(dataset, path, syntax)
    return volume_files(folder)


def one(folder, **tags):
    """A data set of one slice, changed."""
    dataset = pydicom.dcmread(write_series(folder, HU[:1], modality="CT")[0])
    for keyword, value in tags.items():
        setattr(dataset, keyword, value)
    return dataset


def stored(dataset, path, syntax=ExplicitVRLittleEndian):
    """The pixels of a data set, by way of a file."""
    return stored_values(open_header(file_of(dataset, path, syntax)))


def compress(folder, syntax):
    for path in write_series(folder, HU, modality="CT"):
        dataset = pydicom.dcmread(path)
        dataset.compress(syntax)
        dataset.save_as(path)
    return volume_files(folder)


@pytest.mark.parametrize(
    "syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian]
)
def test_every_uncompressed_encoding_is_read(tmp_path, syntax):
    np.testing.assert_array_equal(read_series(written(tmp_path, syntax=syntax), "CT").array, HU)


def test_run_length_encoding_is_read(tmp_path):
    np.testing.assert_array_equal(read_series(compress(tmp_path, RLELossless), "CT").array, HU)


def test_jpeg_ls_is_read_where_a_decoder_is_installed(tmp_path):
    pytest.importorskip("jpeg_ls")
    np.testing.assert_array_equal(read_series(compress(tmp_path, JPEGLSLossless), "CT").array, HU)


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian])
@pytest.mark.parametrize("meta", [True, False])
def test_files_without_a_preamble_are_read(tmp_path, syntax, meta):
    """As they were before there was one: the file meta information first, or the data set alone."""
    files = []
    for file in written(tmp_path, syntax=syntax):
        length = 132 + (0 if meta else 12 + pydicom.dcmread(file.path).file_meta.FileMetaInformationGroupLength)
        files.append(VolumeFile(file.path, file.name, file.data[length:]))
    np.testing.assert_array_equal(read_series(files, "CT").array, HU)


def test_bytes_in_big_endian_words_are_put_in_order(tmp_path):
    dataset = one(tmp_path)
    eight = (np.arange(48) * 5 % 256).astype(np.uint8)
    set_pixels(dataset, eight.reshape(8, 6))
    dataset.PixelData = eight.view("<u2").astype(">u2").tobytes()
    dataset["PixelData"].VR = "OW"
    found = stored(dataset, tmp_path / "x", ExplicitVRBigEndian)
    np.testing.assert_array_equal(found.ravel(), eight)
    np.testing.assert_array_equal(found[0], pydicom.dcmread(tmp_path / "x").pixel_array)


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("shift", [0, 4])
def test_only_the_bits_of_the_value_count(tmp_path, signed, shift):
    """12 bits stored in 16, low or high, with an overlay in the others; signed ones in two's complement."""
    rng = np.random.default_rng(4)
    low, high = (-2048, 2047) if signed else (0, 4095)
    values = rng.integers(low, high, (8, 6), endpoint=True)
    values[0, :2] = low, high
    overlay = rng.integers(0, 16, (8, 6)) << (0 if shift else 12)
    dataset = one(tmp_path, BitsStored=12, HighBit=11 + shift, PixelRepresentation=int(signed))
    dataset.PixelData = (((values & 0xFFF) << shift) | overlay).astype("<u2").tobytes()
    dataset.add_new(0x60000102, "US", 12)
    np.testing.assert_array_equal(stored(dataset, tmp_path / "x")[0], values)


def test_more_bits_than_announced_are_no_overlay_where_there_is_none(tmp_path):
    """A value of 5000 in "12 bits" would come out as 904."""
    dataset = one(tmp_path, BitsStored=12, HighBit=11)
    values = np.full((8, 6), 5000, "<u2")
    dataset.PixelData = values.tobytes()
    with pytest.raises(DamagedFile, match="more than the 12 bits"):
        stored(dataset, tmp_path / "x")


@pytest.mark.parametrize("kind", ["<i4", "<u4", "<i2", "<u1", "<i1"])
def test_whole_numbers_of_every_size_are_read(tmp_path, kind):
    info = np.iinfo(kind)
    values = np.random.default_rng(6).integers(info.min, info.max, (2, 8, 6), dtype=np.int64, endpoint=True)
    dataset = enhanced(np.zeros((2, 8, 6)))
    set_pixels(dataset, values.astype(kind))
    np.testing.assert_array_equal(stored(dataset, tmp_path / "x"), values)


@pytest.mark.parametrize(("keyword", "kind"), [("FloatPixelData", "<f4"), ("DoubleFloatPixelData", "<f8")])
def test_real_numbers_need_no_slope(tmp_path, keyword, kind):
    def change(dataset):
        values = (dataset.pixel_array.astype(kind) - 1024) / 8
        del dataset.PixelData
        setattr(dataset, keyword, values.tobytes())
        dataset.BitsAllocated = 8 * values.dtype.itemsize
        for unwanted in ("BitsStored", "HighBit", "PixelRepresentation", "RescaleSlope", "RescaleIntercept"):
            delattr(dataset, unwanted)

    np.testing.assert_array_equal(read_series(written(tmp_path, change), "CT").array, HU / 8)


@pytest.mark.parametrize(("colours", "samples", "told"), [("RGB", 3, "3 values a pixel"),
                                                          ("PALETTE COLOR", 1, "colours")])  # fmt: skip
def test_colours_are_refused(tmp_path, colours, samples, told):
    def change(dataset):
        dataset.PhotometricInterpretation, dataset.SamplesPerPixel = colours, samples

    with pytest.raises(UnsupportedImage, match=f"file 1 of 3: .*{told}"):
        read_series(written(tmp_path, change), "CT")


@pytest.mark.parametrize(("bits", "stored_bits", "high"), [(16, 17, 16), (16, 12, 16), (16, 12, 3), (8, 16, 15)])
def test_bits_that_contradict_each_other_are_refused(tmp_path, bits, stored_bits, high):
    dataset = one(tmp_path, BitsAllocated=bits, BitsStored=stored_bits, HighBit=high)
    if bits == 8:
        dataset.PixelData = bytes(48)
    with pytest.raises(DamagedFile, match="contradicts itself"):
        stored(dataset, tmp_path / "x")


@pytest.mark.parametrize("bits", [1, 12, 0])
def test_packed_bits_are_refused(tmp_path, bits):
    with pytest.raises(UnsupportedImage, match=f"{bits} bits allocated"):
        stored(one(tmp_path, BitsAllocated=bits), tmp_path / "x")


@pytest.mark.parametrize("keyword", ["Rows", "Columns", "NumberOfFrames"])
def test_an_image_without_a_size_is_refused(tmp_path, keyword):
    with pytest.raises(DamagedFile, match=f"{keyword} .* is no size"):
        stored(one(tmp_path, **{keyword: 0}), tmp_path / "x")


def test_fewer_pixels_in_the_header_than_in_the_file_are_refused(tmp_path):
    with pytest.raises(DamagedFile, match="96 bytes of pixels, 48 are announced; its header contradicts them"):
        stored(one(tmp_path, Rows=4), tmp_path / "x")


def test_more_frames_than_pixels_are_refused(tmp_path):
    dataset = enhanced(HU, modality="CT", tags={"NumberOfFrames": 4})
    with pytest.raises(DamagedFile, match="288 bytes of pixels, 384 are announced"):
        read_series([file_of(dataset, tmp_path / "x")], "CT")


def pretending(syntax):
    """Compressed pixels that no decoder makes sense of."""

    def change(dataset):
        dataset.PixelData = encapsulate([b"\xff\xd8" + bytes(40)])
        dataset["PixelData"].is_undefined_length = True

    def write(folder):
        files = []
        for path in write_series(folder, HU, modality="CT"):
            dataset = pydicom.dcmread(path)
            change(dataset)
            dataset.file_meta.TransferSyntaxUID = syntax
            dataset.save_as(path)
            files.append(path)
        return volume_files(folder)

    return write


def test_a_compression_without_decoder_names_it_and_the_remedy(tmp_path, monkeypatch):
    monkeypatch.setattr(pydicom.pixels.decoders.base.Decoder, "is_available", False)
    with pytest.raises(UnsupportedImage) as caught:
        read_series(pretending(JPEGLosslessSV1)(tmp_path), "CT")
    assert "JPEG Lossless" in str(caught.value)
    assert "pip install 'radiomics_pipeline[jpeg]'" in str(caught.value)


def test_a_compression_that_nobody_knows_is_refused(tmp_path):
    with pytest.raises(UnsupportedImage, match="not known"):
        read_series(pretending("1.2.3.4")(tmp_path), "CT")


def test_damage_in_compressed_pixels_is_no_lack_of_a_decoder(tmp_path, monkeypatch):
    monkeypatch.setattr(pydicom.pixels.decoders.base.Decoder, "is_available", True)
    with pytest.raises(DamagedFile, match=r"file 1 of 3: .*JPEG 2000"):
        read_series(pretending(JPEG2000Lossless)(tmp_path), "CT")


@pytest.mark.parametrize("left", [-20, -60, -120])
def test_compressed_pixels_that_end_too_early_are_refused(tmp_path, left):
    files = compress(tmp_path, RLELossless)
    files[2] = VolumeFile(files[2].path, files[2].name, files[2].data[:left])
    with pytest.raises(DamagedFile, match="file 3 of 3"):
        read_series(files, "CT")


@pytest.mark.parametrize("left", [-20, -120, 400])
def test_deflated_files_that_end_too_early_are_refused(tmp_path, left):
    files = written(tmp_path, syntax=DeflatedExplicitVRLittleEndian)
    files[2] = VolumeFile(files[2].path, files[2].name, files[2].data[:left])
    with pytest.raises(DamagedFile, match="file 3 of 3"):
        read_series(files, "CT")


@pytest.mark.parametrize("kind", ["u2", "i2"])
@pytest.mark.parametrize("bits", [10, 12, 15])
def test_whole_ranges_of_fewer_bits_are_read(tmp_path, bits, kind):
    low, high = (0, 2**bits - 1) if kind == "u2" else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    plane = np.array([[low, low + 1, high // 3], [0, high - 1, high]]).astype(kind)
    dataset = one(tmp_path / "a")
    set_pixels(dataset, plane)
    dataset.BitsStored, dataset.HighBit = bits, bits - 1
    np.testing.assert_array_equal(stored(dataset, tmp_path / "b")[0], plane)
    set_pixels(dataset, (plane.view("u2") & (2**bits - 1)).view(kind))
    dataset.BitsStored, dataset.HighBit = bits, bits - 1
    np.testing.assert_array_equal(stored(dataset, tmp_path / "c")[0], plane)


@pytest.mark.parametrize("value", [5000, -3000])
def test_signed_values_beyond_the_bits_announced_are_refused_instead_of_cut(tmp_path, value):
    dataset = one(tmp_path / "a")
    set_pixels(dataset, np.array([[0, 1], [-1, value]], "i2"))
    dataset.BitsStored, dataset.HighBit = 12, 11
    with pytest.raises(DamagedFile, match="more than the 12 bits"):
        stored(dataset, tmp_path / "b")


def test_what_follows_the_pixels_is_no_part_of_them(tmp_path):
    dataset = one(tmp_path / "a", DataSetTrailingPadding=b"\0" * 64)
    np.testing.assert_array_equal(stored(dataset, tmp_path / "b")[0], HU[0] + 1024)


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, DeflatedExplicitVRLittleEndian])
def test_a_header_alone_is_refused(tmp_path, syntax):
    dataset = one(tmp_path / "a")
    del dataset.PixelData
    with pytest.raises(DamagedFile, match="no pixel data"):
        stored(dataset, tmp_path / "b", syntax)


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian])
@pytest.mark.parametrize("left", [0, 1, 3, 40, 95])
def test_pixels_are_counted_to_the_last_byte(tmp_path, syntax, left):
    file = file_of(one(tmp_path / "a"), tmp_path / "b", syntax)
    cut = VolumeFile(file.path, "a", file.data[: len(file.data) - 96 + left])
    with pytest.raises(DamagedFile, match=f"a: {left} bytes of pixels, 96 are announced"):
        stored_values(open_header(cut))


def test_jpeg_2000_is_decoded_exactly_or_refused_with_the_remedy(tmp_path):
    pillow = pytest.importorskip("PIL.Image")
    plane = np.random.default_rng(4).integers(0, 2**16, (16, 16), dtype=np.uint16)
    stream = io.BytesIO()
    pillow.fromarray(plane).save(stream, "JPEG2000", irreversible=False, no_jp2=True)
    dataset = one(tmp_path / "a")
    set_pixels(dataset, plane)
    dataset.PixelData = encapsulate([stream.getvalue()])
    dataset["PixelData"].VR = "OB"
    if get_decoder(JPEG2000Lossless).is_available:
        np.testing.assert_array_equal(stored(dataset, tmp_path / "b", JPEG2000Lossless)[0], plane)
        return
    with pytest.raises(UnsupportedImage, match=r"JPEG 2000.*pip install 'radiomics_pipeline\[jpeg\]'"):
        stored(dataset, tmp_path / "b", JPEG2000Lossless)


def test_an_unknown_encoding_is_refused_without_its_uid(tmp_path):
    file = file_of(one(tmp_path / "a"), tmp_path / "b")
    other = file.data.replace(b"1.2.840.10008.1.2.1\0", b"1.2.826.0.1.99.7.31\0", 1)
    with pytest.raises(UnsupportedImage, match=r"\(0002,0010\)") as refused:
        stored_values(open_header(VolumeFile(file.path, "a", other)))
    assert "1.2.826" not in str(refused.value)


def test_free_text_in_the_place_of_a_colour_is_not_repeated(tmp_path):
    with pytest.raises(UnsupportedImage) as refused:
        stored(one(tmp_path / "a", PhotometricInterpretation="DOE JANE"), tmp_path / "b")
    assert "DOE" not in str(refused.value)
