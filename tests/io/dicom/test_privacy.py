"""What identifies is found in texts, in each writing; labels tell nobody who is meant."""

from __future__ import annotations

import gzip
from collections import Counter

import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import generate_uid

from radiomics_pipeline.errors import StudyError
from radiomics_pipeline.io import pseudonyms
from radiomics_pipeline.io.dicom.privacy import Identity
from radiomics_pipeline.io.pseudonyms import case_label, distinct_labels, load_salt, new_salt, patient_label
from tests.canary import assert_absent, found, poison


def header(**values) -> Dataset:
    made = Dataset()
    for keyword, value in values.items():
        setattr(made, keyword, value)
    return made


PATIENT = header(
    PatientName="Müller-Lüdenscheidt^Änne Liv",
    PatientID="KX4711",
    PatientBirthDate="19620304",
    StudyDate="20190817",
    AccessionNumber="88120034",
    InstitutionName="Universitätsklinikum Entenhausen",
    InstitutionAddress="Erpelweg 13, 12345 Entenhausen",
    ReferringPhysicianName="Frankenstein^Victor",
    StudyID="7",
)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("GTV_Müller", "GTV_[removed]"),
        ("gtv mueller", "gtv [removed]"),
        ("GTVMULLER2", "GTV[removed]2"),
        ("Ludenscheidt", "[removed]"),
        ("node KX4711 left", "node [removed] left"),
        ("node kx4711a", "node [removed]a"),
        ("born 4.3.1962", "born [removed]"),
        ("04/03/62", "[removed]"),
        ("1962-03-04", "[removed]"),
        ("4MAR1962", "[removed]"),
        ("contour of 20190817", "contour of [removed]"),
        ("acc88120034", "acc[removed]"),
        ("seen by Frankenstein, Victor", "seen by [removed], [removed]"),
        ("from ENTENHAUSEN", "from [removed]"),
        ("liv_1", "[removed]_1"),
        ("1.2.826.0.1.3680043.8.498.123", "[removed]"),
    ],
)
def test_what_identifies_is_replaced(text, left):
    identity = Identity.of([PATIENT])
    assert identity.found_in(text)
    assert identity.scrub(text) == left


@pytest.mark.parametrize(
    "text",
    [
        "liver",
        "GTV 7",
        "olive",
        "lesion 1",
        "klinikum",
        "881200345",
        "version 1.2.3",
        "41% of 4711",
        "Größe",
        "",
        "10.0.0.1",
    ],
)
def test_what_tells_of_nobody_stays(text):
    identity = Identity.of([PATIENT])
    assert not identity.found_in(text)
    assert identity.scrub(text) == text


def test_touching_pieces_are_one_and_nothing_of_them_stays():
    assert Identity.of([PATIENT]).scrub("x_FRANKENSTEINVICTOR_y") == "x_[removed]_y"


def test_placeholders_of_removed_names_are_no_names():
    identity = Identity.of([header(PatientName="Anonymous^Patient", PatientID="0000", PatientBirthDate="")])
    assert identity.texts == frozenset()
    assert identity.scrub("anonymous lesion") == "anonymous lesion"


def test_names_in_the_depth_of_a_header_are_found():
    inner = header(PersonName="Hidden^Nora")
    outer = header(PatientID="KX4711", ContentSequence=Sequence([header(ContentSequence=Sequence([inner]))]))
    assert Identity.of([outer]).scrub("Nora's node") == "[removed]'s node"


def test_a_name_that_only_one_slice_has_is_found():
    others = [header(PatientName="Doe^Jane") for _ in range(3)]
    others[2].PatientName = "Mustermann^Erika"
    assert Identity.of(others).scrub("Erika, Jane") == "[removed], [removed]"


def test_names_in_other_scripts_are_found():
    assert Identity.of([header(PatientName="Yamada^Tarou=山田^太郎")]).scrub("病変 山田 1") == "病変 [removed] 1"


def test_what_the_user_wrote_may_stay():
    identity = Identity.of([PATIENT])
    assert identity.without("KX4711").scrub("KX4711/PET by Victor") == "KX4711/PET by [removed]"


def test_two_identities_together_find_what_either_finds():
    both = Identity.of([PATIENT]).together(Identity.of([header(PatientName="Doe^Jane")]))
    assert both.scrub("Jane and Victor") == "[removed] and [removed]"


def test_every_canary_of_the_identifying_fields_is_found():
    dataset = header(Modality="PT", StudyInstanceUID=generate_uid(), SeriesInstanceUID=generate_uid())
    described = ("StudyDescription", "SeriesDescription", "ProtocolName", "RequestedProcedureDescription")
    described += (
        "PerformedProcedureStepDescription",
        "DerivationDescription",
        "AcquisitionComments",
        "SoftwareVersions",
    )
    described += ("ContrastBolusAgent", "BodyPartExamined")
    words = poison(dataset)
    harmless = {str(dataset[keyword].value).lower() for keyword in described}
    identity = Identity.of([dataset])
    missed = [w for w in words if not identity.found_in(f"see {w} here") and w.lower() not in harmless]
    assert missed == []


def test_the_canary_test_can_fail(tmp_path):
    (tmp_path / "ok.csv").write_text("case,patient\n1,2\n")
    assert_absent(tmp_path, {"Qzxwsecret"})
    (tmp_path / "table.csv.gz").write_bytes(gzip.compress(b"qzxwSECRET"))
    (tmp_path / "utf16.txt").write_text("Qzxwsecret", "utf-16")
    (tmp_path / "Qzxwsecret.txt").write_text("")
    (tmp_path / "object.dcm").write_text("Qzxwsecret")
    hits = found(tmp_path, {"Qzxwsecret"})
    assert sorted(hit.split(":")[0] for hit in hits) == ["name Qzxwsecret.txt", "table.csv.gz", "utf16.txt"]


def test_labels_depend_on_patient_study_and_salt():
    salt, other = bytes(32), bytes([1]) * 32
    label = case_label("KX4711", "1.2.3", salt)
    assert label == case_label("KX4711", "1.2.3", salt)
    others = [
        case_label("KX4712", "1.2.3", salt),
        case_label("KX4711", "1.2.4", salt),
        case_label("KX4711", "1.2.3", other),
    ]
    assert len({label, *others, case_label("KX47111", ".2.3", salt)}) == 5
    assert label.startswith("C-")
    assert len(label) == 10
    assert patient_label("KX4711", salt) != patient_label("KX4711", other)


def test_labels_that_would_be_alike_are_longer_and_only_they(monkeypatch):
    salt, keys = bytes(32), [(str(number),) for number in range(100)]
    monkeypatch.setattr(pseudonyms, "LENGTH", 3)
    labels = distinct_labels("P", keys, salt)
    assert len(set(labels.values())) == len(keys)
    short = Counter(patient_label(key[0], salt, length=3) for key in keys)
    for key, label in labels.items():
        assert (len(label) > 5) == (short[patient_label(key[0], salt, length=3)] > 1)
    assert max(short.values()) > 1, "no collision to speak of: draw more keys"


def test_a_salt_is_its_owners_alone_and_made_once(tmp_path):
    path = tmp_path / ".radiomics_salt"
    salt = new_salt(path)
    assert load_salt(path) == salt
    assert path.stat().st_mode & 0o077 == 0
    with pytest.raises(StudyError, match="there is a salt already"):
        new_salt(path)


@pytest.mark.parametrize(
    ("content", "why"), [("abc", "not a salt"), ("g" * 64, "not a salt"), ("é" * 64, "cannot be read")]
)
def test_what_is_no_salt_is_refused(tmp_path, content, why):
    path = tmp_path / "salt"
    path.write_text(content)
    path.chmod(0o600)
    with pytest.raises(StudyError, match=why):
        load_salt(path)


def test_a_missing_salt_is_named(tmp_path):
    with pytest.raises(StudyError, match=r"salt: no such file"):
        load_salt(tmp_path / "salt")


def test_a_salt_that_others_may_read_is_refused(tmp_path):
    path = tmp_path / "salt"
    new_salt(path)
    path.chmod(0o644)
    with pytest.raises(StudyError, match="chmod 600"):
        load_salt(path)
